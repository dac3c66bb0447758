"""Stores inside of arguments: found in lists, tuples and dicts of any depth, and replaced."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

from .stores import Store

__all__ = ["loaded", "replaced"]

_CONTAINERS = (dict, list, tuple, set, frozenset)


def replaced(value: Any, kind: Any, function: Callable[[Any], Any], within: tuple[int, ...] = ()) -> Any:
    """Return a value with everything of a type in it replaced, in lists, tuples, dicts and sets, to any depth.

    A part in which nothing is replaced is returned itself.

    :param kind: the type, or several, to replace.
    :param function: gives what stands in the place.

    >>> replaced({"a": [1, (2.5, "x")]}, float, int)
    {'a': [1, (2, 'x')]}
    """
    if isinstance(value, kind):
        return function(value)
    if not isinstance(value, _CONTAINERS) or id(value) in within:  # a list may hold itself
        return value
    inside = (*within, id(value))
    old = list(value.values() if isinstance(value, dict) else value)
    new = [replaced(part, kind, function, inside) for part in old]
    return value if all(before is after for before, after in zip(old, new)) else _like(value, new)


def _like(value: Any, parts: list[Any]) -> Any:
    if isinstance(value, dict):
        made = copy.copy(value)  # with what a subclass keeps besides
        made.update(zip(value, parts))
        return made
    if isinstance(value, tuple):
        return type(value)._make(parts) if hasattr(value, "_make") else tuple(parts)
    return next(kind for kind in _CONTAINERS if isinstance(value, kind))(parts)


def loaded(value: Any) -> Any:
    """Return a value with every store in it replaced by what the store holds.

    >>> from flowly_ckpt.tasks.stores import Held
    >>> loaded([Held("a", 1), {"b": Held("c", Held("d", 2))}])
    [1, {'b': 2}]
    """
    return replaced(value, Store, _load)


def _load(store: Store) -> Any:
    value: Any = store
    while isinstance(value, Store):  # a task that gave back what another task gave it
        value = value.load()
    return value
