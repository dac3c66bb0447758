"""What code holds for its own use: loggers to write to, bare objects to compare with.

Held by code they count by their place, as in ``def f(x, default=MISSING)``. Handed on as a value, a logger counts by
its name, and a bare ``object()`` by the module global that holds it.
"""

from __future__ import annotations

import sys
from collections.abc import Collection
from typing import Any

from ...errors import UnhashableError
from ..rows import ROWS, Mark, Parts
from ..values import objects
from .origin import of_module

__all__ = ["as_held", "global_name"]

_before = objects  # its row of object comes before the one here
BARE = Mark("object")
ADVICE = "a bare object() is known by the global of a module that holds it; make it one, or a member of an Enum"
SEEN = frozenset({"name", "level", "getEffectiveLevel"})
"""Attributes of a logger by which it has a part in a result."""


def as_held(value: Any, names: Collection[str] = (), handed: bool = False) -> Any:
    """Return what stands for a value that code holds: a mark for a logger or a bare object, else the value itself.

    :param names: the attributes that the code reads.
    :param handed: the code hands the value on.

    >>> as_held(object()), as_held(3)
    ('object', 3)
    """
    kind = type(value)
    if kind is object:
        return value if handed and global_name(value) else BARE
    if kind.__module__ == "logging" and kind.__name__ in ("Logger", "RootLogger") and not handed:
        return Mark("logger") if SEEN.isdisjoint(names) else [value.name, value.level]
    return value


_found: dict[int, tuple[str, str]] = {}


def global_name(value: Any) -> tuple[str, str] | None:
    """Return the user's module, or else any module, and the name under which it holds an object; None if none does.

    >>> global_name(object()) is None
    True
    """
    place = _found.get(id(value))
    if place is not None and vars(sys.modules.get(place[0], sys)).get(place[1]) is value:
        return place
    found = [
        (of_module(name).kind != "user", name == "__main__", number, name, key)
        for number, (name, module) in enumerate(list(sys.modules.items()))
        for key, held in list(getattr(module, "__dict__", {}).items())
        if held is value
    ]
    if not found:
        return None
    _found[id(value)] = place = min(found)[3:]
    return place


@ROWS.exact(object)
def bare(obj: Any) -> Parts:
    place = global_name(obj)
    if place is None:
        raise UnhashableError(obj, (), ADVICE)
    return b"<sentinel>", list(place)
