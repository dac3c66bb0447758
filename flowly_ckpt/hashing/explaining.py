"""Say what a hash is made of, where two hashes part, and the way to what cannot be hashed."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ..errors import UnhashableError
from .encode import Walk
from .naming import named_parts
from .plain import ATOMS
from .rows import Blob

__all__ = ["differences", "explain", "way_to"]


def parts_of(walk: Walk, obj: Any) -> list[tuple[str, Any]]:
    """Return the named parts of an object that are objects themselves, or nothing for a leaf."""
    if type(obj) in ATOMS or type(obj) in (bytes, Blob):
        return []
    return [(name, part) for name, part in named_parts(obj, walk.expand(obj)) if type(part) is not Blob]


def way_to(walk: Walk, root: Any) -> tuple[tuple[str, ...], UnhashableError] | None:
    """Find the first object, from the root on, that refuses; walk without recursion, as it may lie deep.

    >>> way_to(Walk(), [1, {"a": iter([])}])[0]
    ('[1]', "['a']")
    """
    seen: set[int] = set()
    waiting: list[tuple[tuple[Any, ...], str, Any]] = [((), "", root)]
    while waiting:
        up, name, obj = waiting.pop()
        if type(obj) in ATOMS or id(obj) in seen:
            continue
        seen.add(id(obj))
        here = (up, name) if name else up
        try:
            parts = parts_of(walk, obj)
        except UnhashableError as error:
            return unroll(here), error
        walk.kept.append([obj, parts])
        waiting += [(here, name, part) for name, part in reversed(parts)]
    return None


def unroll(linked: tuple[Any, ...]) -> tuple[str, ...]:
    found: list[str] = []
    while linked:
        linked, name = linked
        found.append(name)
    return tuple(reversed(found))


def located(walk: Walk, root: Any, error: UnhashableError) -> UnhashableError:
    """Return the error with the way to the object in it; a very long way is cut in the middle.

    >>> located(Walk(), [iter([])], UnhashableError(1)).path
    ('[0]',)
    """
    if error.path:  # told where it was found; another walk would not end
        return error
    found = way_to(type(walk)(walk.hasher), root)
    if found is None:
        return error
    path, original = found
    if len(path) > 20:
        path = (*path[:10], f"… {len(path) - 20} more …", *path[-10:])
    told = UnhashableError(original.obj, path, original.advice)
    told.__cause__ = original.__cause__
    return told


def explain(obj: Any, *, depth: int = 3, hasher: Callable[[], Any] | None = None) -> str:
    """Return a tree of what the hash of an object is made of: a digest, a name and a type in each line.

    :param obj: any object that can be hashed.
    :param depth: how many levels to show.
    :param hasher: as in :func:`functional_hash`.
    :raises UnhashableError: as :func:`functional_hash` does.

    >>> print(explain([1, "a"]))
    ac72d9c9 list
      3daf1636 [0] int 1
      2c7b67df [1] str 'a'

    See also: :func:`differences`, which compares two objects.
    """
    walk = Walk(hasher)
    return "\n".join(lines(walk, "", obj, depth, ""))


def lines(walk: Walk, name: str, obj: Any, depth: int, indent: str) -> list[str]:
    digest = walk.hexdigest(walk.root(obj))[:8]
    text = [indent + " ".join(word for word in (digest, name, describe(obj)) if word)]
    if depth:
        for label, part in parts_of(walk, obj):
            if label:
                text += lines(walk, label, part, depth - 1, indent + "  ")
            else:
                text += lines(walk, "", part, depth, indent)[1:]
    return text


def describe(obj: Any) -> str:
    kind = type(obj)
    if kind in ATOMS or kind is bytes:
        return f"{kind.__name__} {obj!r:.60}"
    name = getattr(obj, "__qualname__", "")
    return f"{kind.__name__} {name}" if type(name) is str and name else kind.__name__


def differences(before: Any, after: Any, *, hasher: Callable[[], Any] | None = None) -> list[str]:
    """Return where two objects differ, as ways from them to the parts that no longer match.

    ``differences(a, b) == []`` exactly when ``functional_hash(a) == functional_hash(b)``

    :raises UnhashableError: as :func:`functional_hash` does.

    >>> differences({"rate": 1, "kinds": [int, str]}, {"rate": 2, "kinds": [int, list]})
    ["['rate']: int 1, now int 2", "['kinds'] → [1]: type str, now type list"]

    See also: :func:`explain`.
    """
    walks = Walk(hasher), Walk(hasher)
    found: list[str] = []
    seen: set[tuple[int, int]] = set()
    waiting: list[tuple[tuple[str, ...], Any, Any]] = [((), before, after)]
    while waiting:
        path, old, new = waiting.pop()
        if walks[0].root(old) == walks[1].root(new) or (id(old), id(new)) in seen:
            continue
        seen.add((id(old), id(new)))
        parts, others = parts_of(walks[0], old), parts_of(walks[1], new)
        changed = [
            ((*path, name) if name else path, a, b)
            for (name, a), (other, b) in zip(parts, others)
            if name == other and (name or type(a) not in ATOMS) and walks[0].root(a) != walks[1].root(b)
        ]
        if [name for name, _ in parts] == [name for name, _ in others] and changed:
            waiting += reversed(changed)
        else:
            found.append(f"{' → '.join(path) or 'the object'}: {describe(old)}, now {describe(new)}")
    return found
