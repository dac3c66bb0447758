"""What cannot be stored as it is: iterators, which can be read once, and what never ends or is not a value yet.

The items of an iterator may be iterators themselves, and to ask for the next one may spend the one before, as with
``itertools.groupby``: then each is read before the next is asked for.
"""

from __future__ import annotations

import io
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from itertools import chain, count, cycle, repeat
from typing import Any

from ..errors import UnstorableError
from ..pipelines.awaiting import ADVICE

__all__ = ["Materialised", "UnstorableError", "handed_out", "materialise"]

Kind = Callable[[Any], bool]

_PLAIN = frozenset([type(None), bool, int, float, complex, str, bytes, tuple, list, dict, set, frozenset])
_DEPTH, _FEW = 3, 16  # how far it is looked into an item for iterators
_LAZY = ("builtins", "itertools")  # an iterator of another class may be more than its items
_CONTAINERS = (tuple, list, dict)


class Materialised:
    """The items of a result that was an iterator; each ``iter`` starts again, also that of an item that was one.

    >>> items = Materialised((1, 2))
    >>> list(items), list(items)
    ([1, 2], [1, 2])

    See also: :func:`materialise`.
    """

    __slots__ = ("items",)

    def __init__(self, items: tuple[Any, ...]) -> None:
        self.items = items

    def __iter__(self) -> Iterator[Any]:
        return map(handed_out, self.items) if _holds(self.items[:1], _is_materialised) else iter(self.items)

    def listed(self) -> list[Any]:
        """Return the items in a list, and those of an item that was an iterator too."""
        return [_within(item, _is_materialised, Materialised.listed) for item in self.items]

    def __eq__(self, other: object) -> bool:
        return self.items == other.items if isinstance(other, Materialised) else NotImplemented

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        return f"Materialised({self.items!r})"

    def __reduce__(self) -> tuple[Any, ...]:
        return (Materialised, (self.items,))


def _is_materialised(part: Any) -> bool:
    return type(part) is Materialised


def _is_lazy(part: Any) -> bool:
    return isinstance(part, Iterator) and type(part).__module__ in _LAZY


def materialise(value: Any) -> Any:
    """Return what can be stored of a value: the items of an iterator, anything else as it is.

    :raises UnstorableError: for an open file, an endless iterator, an awaitable.

    >>> materialise(map(abs, [-1, 2]))
    Materialised((1, 2))
    >>> materialise([1, 2])
    [1, 2]
    >>> from itertools import groupby
    >>> [(key, list(group)) for key, group in materialise(groupby("aab"))]
    [('a', ['a', 'a']), ('b', ['b'])]
    """
    if type(value) in _PLAIN or not isinstance(value, (Iterator, Awaitable, AsyncIterator, io.IOBase)):
        return value
    if isinstance(value, io.IOBase):
        raise UnstorableError(f"{value!r} is an open file; return its content or its path instead")
    if isinstance(value, (Awaitable, AsyncIterator)):
        raise UnstorableError(f"a {type(value).__name__} is not a value yet; {ADVICE}")
    if isinstance(value, (count, cycle)) or (isinstance(value, repeat) and _is_endless(value)):
        raise UnstorableError(f"{value!r} never ends; cut it with itertools.islice first")
    return Materialised(_items(value))


def _items(source: Iterator[Any]) -> tuple[Any, ...]:
    for first in source:
        if not _holds((first,), _is_lazy):
            return (first, *source)
        return tuple([_within(item, _is_lazy, _read) for item in chain([first], source)])
    return ()


def _read(item: Iterator[Any]) -> Any:
    try:
        return materialise(item)
    except UnstorableError:
        return item  # an endless one


def handed_out(value: Any) -> Any:
    """Return what is stored as it was returned: a new iterator where there was one.

    >>> list(handed_out(materialise(iter([1, 2])))), handed_out(5)
    ([1, 2], 5)
    """
    return _within(value, _is_materialised, iter)


def _within(item: Any, kind: Kind, change: Callable[[Any], Any], depth: int = _DEPTH) -> Any:
    """Return an item with everything of a kind changed, itself or in a tuple, list or dict of a few."""
    if kind(item):
        return change(item)
    if not depth or not _holds((item,), kind, depth + 1):
        return item
    if type(item) is dict:
        return {name: _within(part, kind, change, depth - 1) for name, part in item.items()}
    make = getattr(item, "_make", type(item))
    return make([_within(part, kind, change, depth - 1) for part in item])


def _holds(parts: Any, kind: Kind, depth: int = _DEPTH + 1) -> bool:
    """Return whether something of a kind is among the parts, or in one that is a tuple, a list or a dict."""
    for part in parts:
        if kind(part):
            return True
        if depth > 1 and (type(part) in _CONTAINERS or _is_named(part)) and len(part) <= _FEW:
            parts_within = part.values() if type(part) is dict else part
            if _holds(parts_within, kind, depth - 1):
                return True
    return False


def _is_named(part: Any) -> bool:
    return isinstance(part, tuple) and hasattr(part, "_make")


def _is_endless(value: repeat[Any]) -> bool:
    try:
        value.__length_hint__()
    except TypeError:
        return True
    return False
