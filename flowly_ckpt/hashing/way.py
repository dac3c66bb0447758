"""The way to what cannot be hashed, by the names that the rows give to the parts of an object."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from itertools import chain, repeat
from typing import Any

from ..errors import UnhashableError
from .plain import ATOMS
from .rows import LABELS, Blob, Parts, expand, refusing

__all__ = ["named_parts", "way_to", "with_way"]

LONGEST = 20


def named_parts(obj: Any, expand: Callable[[Any], Parts] = expand) -> list[tuple[str, Any]]:
    """Return the parts of an object that are objects themselves, each with its name; a leaf has none.

    >>> named_parts({"a": 1})
    [("['a']", 1)]
    """
    if type(obj) in ATOMS or type(obj) in (bytes, Blob):
        return []
    tag, parts = expand(obj)
    labels = LABELS.get(tag, ())
    try:
        names = chain(labels(obj, parts) if callable(labels) else labels, repeat(""))
    except Exception:  # noqa: BLE001  of a foreign __repr__ or __name__
        names = chain((), repeat(""))
    return [(name, part) for name, part in zip(names, parts) if name is not None and type(part) is not Blob]


def way_to(root: Any, expand: Callable[[Any], Parts] = expand) -> tuple[tuple[str, ...], UnhashableError] | None:
    """Find the first object, from the root on, that cannot be hashed; without recursion, as it may lie deep.

    >>> way_to([1, {"a": iter([])}])[0]
    ('[1]', "['a']")
    """
    seen: set[int] = set()
    kept = []  # temporaries must outlive the set, which knows objects by id
    waiting: list[tuple[tuple[Any, ...], str, Any]] = [((), "", root)]
    while waiting:
        up, name, obj = waiting.pop()
        if type(obj) in ATOMS or id(obj) in seen:
            continue
        seen.add(id(obj))
        here = (up, name) if name else up
        try:
            parts = named_parts(obj, expand)
            read_bytes(obj, expand)
        except UnhashableError as error:
            return unrolled(here), error
        except RecursionError as error:
            refusal = UnhashableError(obj, (), "its own reduction or hash nests without end")
            refusal.__cause__ = error
            return unrolled(here), refusal
        kept.append([obj, parts])
        waiting += [(here, name, part) for name, part in reversed(parts)]
    return None


def read_bytes(obj: Any, expand: Callable[[Any], Parts]) -> None:
    """Read the raw bytes of an object, which may be what cannot be read."""
    for blob in [part for part in expand(obj)[1] if type(part) is Blob]:
        try:
            deque(blob.chunks, maxlen=0)
        except BaseException as error:
            raise refusing(obj, error) from error


def unrolled(linked: tuple[Any, ...]) -> tuple[str, ...]:
    found: list[str] = []
    while linked:
        linked, name = linked
        found.append(name)
    return tuple(reversed(found))


def with_way(error: UnhashableError, root: Any, expand: Callable[[Any], Parts] = expand) -> UnhashableError:
    """Return the error with the way to its object; a very long way is cut in the middle.

    >>> with_way(UnhashableError(1), [iter([])]).path
    ('[0]',)
    """
    found = None if error.path else way_to(root, expand)  # what has a path may not end
    if found is None:
        return error
    path, original = found
    if len(path) > LONGEST:
        half = LONGEST // 2
        path = (*path[:half], f"… {len(path) - LONGEST} more …", *path[-half:])
    complete = UnhashableError(original.obj, path, original.advice)
    complete.__cause__ = original.__cause__
    return complete
