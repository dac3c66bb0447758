"""The way to what cannot be hashed, by the names that the rows give to the parts of an object."""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from itertools import chain, repeat
from operator import itemgetter
from types import CodeType, FunctionType
from typing import Any, NamedTuple

from ..errors import UnhashableError
from .code.origin import of_globals, of_module
from .plain import ATOMS
from .rows import LABELS, Blob, Parts, Reads, expand, refusing

__all__ = ["deepest", "labelled", "named_parts", "way_to", "with_way"]

LONGEST = 20
MOST = 1_000_000


def named_parts(obj: Any, expand: Callable[[Any], Parts] = expand) -> list[tuple[str, Any]]:
    """Return the parts of an object that are objects themselves, each with its name; a leaf has none.

    >>> named_parts({"a": 1})
    [("['a']", 1)]
    """
    if type(obj) in ATOMS or type(obj) in (bytes, Blob):
        return []
    found = labelled(obj, *expand(obj))
    return [(name, part) for name, part in found if name is not None and type(part) is not Blob]


def labelled(obj: Any, tag: bytes, parts: list[Any]) -> Iterator[tuple[str | None, Any]]:
    """Return all parts of an object with their labels, as :data:`~flowly_ckpt.hashing.rows.LABELS` says.

    >>> list(labelled({"a": 1}, *expand({"a": 1})))
    [(None, 'a'), ("['a']", 1)]
    """
    labels = LABELS.get(tag, ())
    try:
        names: Iterable[str | None] = labels(obj, parts) if callable(labels) else labels
    except Exception:  # noqa: BLE001  of a foreign __repr__ or __name__
        names = ()
    return ((None if type(part) is Reads else name, part) for name, part in zip(chain(names, repeat("")), parts))


def way_to(root: Any, expand: Callable[[Any], Parts] = expand) -> tuple[tuple[str, ...], UnhashableError] | None:
    """Find the first object, from the root on, that cannot be hashed; without recursion, as it may lie deep.

    >>> way_to([1, {"a": iter([])}])[0]
    ('[1]', "['a']")
    """
    seen: set[int] = set()
    kept = []  # temporaries must outlive the set, which knows objects by id
    waiting: list[tuple[tuple[Any, ...], str, Any, Brought]] = [((), "", root, NOBODY)]
    while waiting:
        up, name, obj, brought = waiting.pop()
        if type(obj) in ATOMS or id(obj) in seen:
            continue
        seen.add(id(obj))
        here = (up, name) if name else up
        try:
            parts = named_parts(obj, expand)
            read_bytes(obj, expand)
        except UnhashableError as error:
            return unrolled(here), error if brought.foreign is None else advised(error, brought)
        except RecursionError as error:
            refusal = UnhashableError(obj, (), "its own reduction or hash nests without end")
            refusal.__cause__ = error
            return unrolled(here), refusal if brought.foreign is None else advised(refusal, brought)
        kept.append([obj, parts])
        origin = origin_of(obj)
        if type(obj) is FunctionType and origin == "user":
            waiting += [(here, name, part, Brought(obj, name)) for name, part in reversed(parts)]
            continue
        if origin == "installed" and brought.function is not None and brought.foreign is None:
            brought = brought._replace(foreign=obj)
        waiting += [(here, name, part, brought) for name, part in reversed(parts)]
    return None


class Brought(NamedTuple):
    """Hold the last of the user's functions on a way, what it calls the next part, and the installed object behind."""

    function: Any = None
    name: str = ""
    foreign: Any = None


NOBODY = Brought()


def origin_of(obj: Any) -> str:
    if type(obj) is FunctionType:
        return of_globals(obj.__globals__).kind
    return of_module((obj if isinstance(obj, type) else type(obj)).__module__).kind


def advised(error: UnhashableError, brought: Brought) -> UnhashableError:
    """Return the error with the line of the user's that brought an installed object in, and what helps there."""
    code, word = brought.function.__code__, brought.name.partition("'")[2].partition("'")[0].partition(".")[0]
    advice = f"{code.co_filename}, line {line_of(code, word)}, in {code.co_name}, brings it in"
    if word and brought.name.startswith(("global", "closure")):
        advice += f"; leave it out there with ignore_globals({word!r})"
    complete = UnhashableError(error.obj, error.path, f"{error.advice}; {advice}" if error.advice else advice)
    complete.__cause__ = error.__cause__
    return complete


def line_of(code: CodeType, word: str) -> int:
    """Return the first line of a code object in which a name stands, or else its first line.

    >>> line_of(line_of.__code__, "co_consts") > line_of.__code__.co_firstlineno
    True
    """
    from dis import get_instructions

    for instruction in get_instructions(code):
        if instruction.argval == word and instruction.positions and instruction.positions.lineno:
            return instruction.positions.lineno
    inner = [
        each for each in code.co_consts if isinstance(each, CodeType) and word in (*each.co_names, *each.co_freevars)
    ]
    return line_of(inner[0], word) if inner else code.co_firstlineno


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


def deepest(root: Any) -> tuple[int, str]:
    """Return how many levels an object has, as far as a million parts show, and the way to the last of them.

    >>> deepest([1, {"a": 2}])
    (3, "[1] → ['a']")
    """
    seen: set[int] = set()
    kept = []  # temporaries must outlive the set, which knows objects by id
    found: tuple[int, Any] = (0, ())
    waiting: list[tuple[int, Any, Any]] = [(1, (), root)]
    while waiting and len(seen) < MOST:
        depth, way, obj = waiting.pop()
        found = max(found, (depth, way), key=itemgetter(0))
        if type(obj) in ATOMS or id(obj) in seen or is_code(obj):
            continue
        seen.add(id(obj))
        try:
            parts = named_parts(obj)
        except (UnhashableError, RecursionError):
            continue
        kept.append([obj, parts])
        waiting += [(depth + 1, (way, name) if name else way, part) for name, part in reversed(parts)]
    return found[0], " → ".join(cut(unrolled(found[1]), 6))


def is_code(obj: Any) -> bool:
    return isinstance(obj, type | FunctionType)


def cut(path: tuple[str, ...], longest: int = LONGEST) -> tuple[str, ...]:
    """Cut a very long way in the middle."""
    half = longest // 2
    return path if len(path) <= longest else (*path[:half], f"… {len(path) - longest} more …", *path[-half:])


def with_way(error: UnhashableError, root: Any, expand: Callable[[Any], Parts] = expand) -> UnhashableError:
    """Return the error with the way to its object; a very long way is cut in the middle.

    >>> with_way(UnhashableError(1), [iter([])]).path
    ('[0]',)
    """
    found = None if error.path else way_to(root, expand)  # what has a path may not end
    if found is None:
        return error
    path, original = found
    complete = UnhashableError(original.obj, cut(path), _fitting(original.advice, path))
    complete.__cause__ = original.__cause__
    return complete


def _fitting(advice: str, path: tuple[str, ...]) -> str:
    """Return advice without a way out by a function's globals, where the way leads through none."""
    if any(name.startswith(("global", "closure", "module")) for name in path):
        return advice
    return re.sub(r"(, or|;) leave it out with ignore_globals", "", advice)
