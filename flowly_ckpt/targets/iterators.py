"""What cannot be stored as it is: iterators, which are spent by reading, and what never ends or is not a value yet."""

from __future__ import annotations

import io
from collections.abc import AsyncIterator, Awaitable, Iterator
from itertools import count, cycle, repeat
from typing import Any

__all__ = ["Realised", "UnstorableError", "realise"]


class UnstorableError(TypeError):
    """Say why a result cannot be stored.

    >>> issubclass(UnstorableError, TypeError)
    True
    """


class Realised:
    """Hold the items of a result that was an iterator; each ``iter`` starts afresh.

    >>> items = Realised((1, 2))
    >>> list(items), list(items)
    ([1, 2], [1, 2])
    """

    __slots__ = ("items",)

    def __init__(self, items: tuple[Any, ...]) -> None:
        self.items = items

    def __iter__(self) -> Iterator[Any]:
        return iter(self.items)

    def __eq__(self, other: object) -> bool:
        return self.items == other.items if isinstance(other, Realised) else NotImplemented

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        return f"Realised({self.items!r})"

    def __reduce__(self) -> tuple[Any, ...]:
        return (Realised, (self.items,))


def realise(value: Any) -> Any:
    """Return a value that can be stored: an iterator's items in its place, anything else as it is.

    :raises UnstorableError: for an open file, an endless iterator, an awaitable.

    >>> realise(map(abs, [-1, 2]))
    Realised((1, 2))
    >>> realise([1, 2])
    [1, 2]
    """
    if not isinstance(value, (Iterator, Awaitable, AsyncIterator, io.IOBase)):
        return value
    if isinstance(value, io.IOBase):
        raise UnstorableError(f"{value!r} is an open file; return its content or its path instead")
    if isinstance(value, (Awaitable, AsyncIterator)):
        raise UnstorableError(f"{type(value).__name__} has to be awaited first; store what it gives")
    if isinstance(value, (count, cycle)) or (isinstance(value, repeat) and _is_endless(value)):
        raise UnstorableError(f"{value!r} never ends; cut it with itertools.islice first")
    return Realised(tuple(value))


def _is_endless(value: repeat[Any]) -> bool:
    try:
        value.__length_hint__()
    except TypeError:
        return True
    return False
