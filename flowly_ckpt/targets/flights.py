"""One computation per key among the threads of a process: the first computes, the others wait for its result."""

from __future__ import annotations

import threading
from collections.abc import Callable, Hashable
from typing import Any, Final

__all__ = ["MISSING", "fly"]


class _Missing:
    def __repr__(self) -> str:
        return "MISSING"


MISSING: Final = _Missing()


class _Flight:
    """Carry a computation that is under way."""

    __slots__ = ("done", "error", "owner", "value")

    def __init__(self) -> None:
        self.owner = threading.get_ident()
        self.done = threading.Event()
        self.value: Any = MISSING
        self.error: Exception | None = None


_flights: dict[Hashable, _Flight] = {}
_lock = threading.Lock()


def fly(key: Hashable, look_again: Callable[[], Any], compute: Callable[[], Any]) -> Any:
    """Compute, unless another thread is computing for the same key: then wait, and share what it got.

    A waiter looks again first, so that it gets a copy of its own where the target makes one. It shares an
    exception too; only where the owner was interrupted does it compute itself.

    >>> fly("key", lambda: MISSING, lambda: 6)
    6
    """
    while True:
        with _lock:
            flight = _flights.get(key)
            mine = flight is None
            if flight is None:
                flight = _flights[key] = _Flight()
        if mine:
            return _own(key, flight, look_again, compute)
        if flight.owner == threading.get_ident():
            return compute()  # a computation that asks for itself: waiting would never end
        flight.done.wait()
        if flight.error is not None:
            raise flight.error
        value = look_again()
        if value is not MISSING:
            return value
        if flight.value is not MISSING:
            return flight.value


def _own(key: Hashable, flight: _Flight, look_again: Callable[[], Any], compute: Callable[[], Any]) -> Any:
    try:
        value = look_again()  # another flight may have landed between the look-up and this one's start
        flight.value = compute() if value is MISSING else value
        return flight.value
    except Exception as error:
        flight.error = error
        raise
    finally:
        with _lock:
            del _flights[key]
        flight.done.set()
