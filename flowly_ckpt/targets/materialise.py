"""What cannot be stored as it is: iterators, which can be read once, and what never ends or is not a value yet."""

from __future__ import annotations

import io
from collections.abc import AsyncIterator, Awaitable, Iterator
from itertools import count, cycle, repeat
from typing import Any

from ..errors import UnstorableError
from ..pipelines.awaiting import ADVICE

__all__ = ["Materialised", "UnstorableError", "materialise"]

_PLAIN = frozenset([type(None), bool, int, float, complex, str, bytes, tuple, list, dict, set, frozenset])


class Materialised:
    """The items of a result that was an iterator; each ``iter`` starts again.

    >>> items = Materialised((1, 2))
    >>> list(items), list(items)
    ([1, 2], [1, 2])

    See also: :func:`materialise`.
    """

    __slots__ = ("items",)

    def __init__(self, items: tuple[Any, ...]) -> None:
        self.items = items

    def __iter__(self) -> Iterator[Any]:
        return iter(self.items)

    def __eq__(self, other: object) -> bool:
        return self.items == other.items if isinstance(other, Materialised) else NotImplemented

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        return f"Materialised({self.items!r})"

    def __reduce__(self) -> tuple[Any, ...]:
        return (Materialised, (self.items,))


def materialise(value: Any) -> Any:
    """Return what can be stored of a value: the items of an iterator, anything else as it is.

    :raises UnstorableError: for an open file, an endless iterator, an awaitable.

    >>> materialise(map(abs, [-1, 2]))
    Materialised((1, 2))
    >>> materialise([1, 2])
    [1, 2]
    """
    if type(value) in _PLAIN or not isinstance(value, (Iterator, Awaitable, AsyncIterator, io.IOBase)):
        return value
    if isinstance(value, io.IOBase):
        raise UnstorableError(f"{value!r} is an open file; return its content or its path instead")
    if isinstance(value, (Awaitable, AsyncIterator)):
        raise UnstorableError(f"a {type(value).__name__} is not a value yet; {ADVICE}")
    if isinstance(value, (count, cycle)) or (isinstance(value, repeat) and _is_endless(value)):
        raise UnstorableError(f"{value!r} never ends; cut it with itertools.islice first")
    return Materialised(tuple(value))


def _is_endless(value: repeat[Any]) -> bool:
    try:
        value.__length_hint__()
    except TypeError:
        return True
    return False
