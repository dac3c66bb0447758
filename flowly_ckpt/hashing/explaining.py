"""What a hash is made of, and where two hashes differ."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from .digests import digest, encoded
from .plain import ATOMS
from .walk import Walk
from .way import named_parts

__all__ = ["differences", "explain"]


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
    return "\n".join(lines(Walk(hasher), "", obj, depth, ""))


def lines(walk: Walk, name: str, obj: Any, depth: int, indent: str) -> list[str]:
    text = [indent + " ".join(word for word in (digest(walk, obj)[:8], name, describe(obj)) if word)]
    if depth:
        for label, part in named_parts(obj):
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
    kept = []  # temporaries must outlive the set, which knows objects by id
    waiting: list[tuple[tuple[str, ...], Any, Any]] = [((), before, after)]
    while waiting:
        path, old, new = waiting.pop()
        if encoded(walks[0], old) == encoded(walks[1], new) or (id(old), id(new)) in seen:
            continue
        seen.add((id(old), id(new)))
        parts, others = named_parts(old), named_parts(new)
        kept.append([parts, others])
        changed = [
            ((*path, name) if name else path, a, b)
            for (name, a), (other, b) in zip(parts, others)
            if name == other and (name or type(a) not in ATOMS) and encoded(walks[0], a) != encoded(walks[1], b)
        ]
        if [name for name, _ in parts] == [name for name, _ in others] and changed:
            waiting += reversed(changed)
        else:
            found.append(f"{' → '.join(path) or 'the object'}: {describe(old)}, now {describe(new)}")
    return found
