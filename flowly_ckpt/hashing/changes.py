"""Where an object is no longer what a walk has found it to be."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from itertools import chain, repeat
from types import CodeType, FunctionType
from typing import Any, NamedTuple

from ..errors import UnhashableError
from .digests import encoded
from .kept import Knowing
from .plain import ATOMS
from .rows import LABELS
from .walk import Cycle, Walk

__all__ = ["Way", "is_changed", "way_to_change"]

_LONGEST = 20
_CONTAINERS = (dict, list, tuple)


def is_changed(before: Walk, now: Walk, obj: Any) -> bool:
    """Return whether an object that a walk has encoded would be encoded otherwise by a new one.

    :raises UnhashableError: when it cannot be hashed any more.

    >>> before, rows = Walk(), [1]
    >>> _ = before.enc(rows)
    >>> is_changed(before, Walk(), rows), rows.append(2), is_changed(before, Walk(), rows)
    (False, None, True)
    """
    known = before.memo.get(id(obj))
    if not known:
        return False
    try:
        return bool(known != now.part(obj))
    except (Cycle, RecursionError, UnhashableError):
        return known != (encoded(now, obj),)  # which knows the way


class Way(NamedTuple):
    """Hold the way from an object to what was changed in it.

    :param names: the names that errors use.
    :param redefined: whether it leads over code, of a function or a class, in whose place there is other code now.

    >>> Way(("global 'seen'",)).redefined
    False
    """

    names: tuple[str, ...]
    redefined: bool = False


def way_to_change(before: Walk, now: Walk, obj: Any) -> Way:
    """Return the way from an object to what was changed in it; it ends early where it is not known what was there.

    Of a walk that only knows what an earlier one found, it is the first place that holds something else.

    >>> before, seen = Walk(), []
    >>> def step(x): return seen.append(x)
    >>> _ = before.enc(step)
    >>> step(1), way_to_change(before, Walk(), step)
    (None, Way(names=("global 'seen'",), redefined=False))
    """
    if type(before) is Knowing:
        replaced = list(before.origin.places.replaced())
        names = [name for name, _, _ in replaced if name]
        return Way(tuple(names[:1]), any(_is_redefined(was, now) for _, was, now in replaced))
    way: list[str] = []
    was, redefined = obj, False
    noted = iter(before.expanded)
    made_of = {id(each): parts for each, _, parts in zip(noted, noted, noted)}
    while len(way) < _LONGEST:
        found = next((part for part in _pairs(made_of, was, obj, now.expand) if _differ(before, now, *part[1:])), None)
        if found is None:
            break
        name, was, obj = found
        way.append(name)
        redefined = redefined or _is_redefined(was, obj)
    return Way(tuple(name for name in way if name), redefined)


def _is_redefined(was: Any, obj: Any) -> bool:
    return was is not obj and type(was) is type(obj) and isinstance(obj, FunctionType | type | CodeType)


def _pairs(
    made_of: Mapping[int, list[Any]], was: Any, obj: Any, expand: Callable[[Any], Any]
) -> list[tuple[str, Any, Any]]:
    """Return the parts of an object, each with its name, as it was and as it is; none where that is not known."""
    if type(obj) in _CONTAINERS:
        tag, parts = expand(obj)
        old = parts if was is obj else []
    else:
        old = made_of.get(id(was), [])
        tag, parts = expand(obj) if old else (b"", [])
    if len(old) != len(parts):
        return []
    labels = LABELS.get(tag, ())
    names = chain(labels(obj, parts) if callable(labels) else labels, repeat(""))
    return [(name, one, other) for name, one, other in zip(names, old, parts) if name is not None]


def _differ(before: Walk, now: Walk, was: Any, obj: Any) -> bool:
    if type(was) in ATOMS or type(obj) in ATOMS or type(was) is bytes:
        return type(was) is not type(obj) or encoded(now, was) != encoded(now, obj)
    known = before.memo.get(id(was))
    return bool(known) and known != (encoded(now, obj),)
