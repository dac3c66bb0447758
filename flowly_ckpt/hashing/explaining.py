"""What a hash is made of, and where two hashes differ."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ..given import whole
from .digests import digest
from .parts import parts_of
from .plain import ATOMS
from .walk import Walk
from .way import named_parts
from .wording import changes

__all__ = ["differences", "explain"]

MOST = 100_000  # rows of a table, so that nothing is left out


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
    return "\n".join(lines(Walk(hasher), "", obj, whole("depth", depth, 0), ""))


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
    """Return where two objects differ, part by part: what of a function, of a class or of a value changed.

    ``differences(a, b) == []`` exactly when ``functional_hash(a) == functional_hash(b)``

    :raises UnhashableError: as :func:`functional_hash` does.

    >>> differences({"rate": 1, "kinds": [int, str]}, {"rate": 2, "kinds": [int, list]})
    ["['rate'] 1 → 2", "['kinds'][1] builtins.str → builtins.list"]

    See also: :func:`explain`; :func:`flowly_ckpt.plan.plan`, which says as much of a result that is stored.
    """
    walks = Walk(hasher), Walk(hasher)
    if digest(walks[0], before) == digest(walks[1], after):
        return []
    then, now = (parts_of(walk, obj, MOST, MOST) for walk, obj in zip(walks, (before, after)))
    return [str(change) for change in changes(then.rows, now.rows, now.places)] or ["changed"]
