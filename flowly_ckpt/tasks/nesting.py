"""Stores inside of arguments: found in lists, tuples and dicts of any depth, and replaced."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from .stores import Store

__all__ = ["loaded", "replaced"]


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
    made = type(value)
    if made not in (list, tuple, dict, set, frozenset) and not (isinstance(value, tuple) and hasattr(made, "_make")):
        return value
    if id(value) in within:  # a list that holds itself
        return value
    inside = (*within, id(value))
    old = list(value.values() if made is dict else value)
    new = [replaced(part, kind, function, inside) for part in old]
    if all(before is after for before, after in zip(old, new)):
        return value
    if made is dict:
        return dict(zip(value, new))
    return made._make(new) if hasattr(made, "_make") else made(new)


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
