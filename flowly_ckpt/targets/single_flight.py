"""One computation per key at a time: the first computes, the others wait and get what it got.

A flight is a computation under way. Threads wait for it by its latch, an event loop by a callback; tasks of one loop
share a task, which goes on as long as one of them waits.
"""

from __future__ import annotations

import copy
import os
import threading
from collections.abc import Callable, Coroutine, Hashable
from contextlib import suppress
from contextvars import ContextVar
from functools import partial
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    import asyncio

__all__ = ["MISSING", "Flight", "board", "landings_elsewhere", "own_copy", "share"]


class _Missing:
    def __repr__(self) -> str:
        return "MISSING"


MISSING: Final = _Missing()

_flights: dict[Hashable, Flight] = {}
_guard = threading.Lock()
_landings = 0


class _OwnLandings(threading.local):
    count = 0


_own = _OwnLandings()


class Flight:
    """Hold a computation that is under way: who runs it, and what it came to.

    >>> flight, is_mine = board("key")
    >>> is_mine, board("key")[1]
    (True, False)
    >>> flight.land(6)
    >>> flight.outcome()
    6
    """

    __slots__ = ("_callbacks", "_error", "_latch", "_value", "place", "thread")

    def __init__(self, place: Hashable) -> None:
        self.place = place
        self.thread = threading.get_ident()
        self._value: Any = MISSING
        self._error: Exception | None = None
        self._callbacks: list[Callable[[], object]] = []
        self._latch = threading.Lock()
        self._latch.acquire()

    @property
    def is_own(self) -> bool:
        """Whether this very thread runs it: waiting for it would never end."""
        return self.thread == threading.get_ident()

    @property
    def is_decided(self) -> bool:
        """Whether it came to a value or an error, rather than being interrupted."""
        return self._value is not MISSING or self._error is not None

    def land(self, value: Any = MISSING, error: Exception | None = None) -> None:
        """End the flight; without a value or an error whoever waits computes it."""
        global _landings
        self._value, self._error = value, own_copy(error) if error is not None else None
        with _guard:
            if _flights.get(self.place) is self:
                del _flights[self.place]
            _landings += 1
            _own.count += 1
            callbacks, self._callbacks = self._callbacks, []
        self._latch.release()
        for callback in callbacks:
            callback()

    def wait(self) -> None:
        """Block until it has landed."""
        with self._latch:
            pass

    async def wait_async(self) -> None:
        """Wait until it has landed, without stopping the event loop."""
        import asyncio

        loop = asyncio.get_running_loop()
        landed = loop.create_future()

        def end() -> None:
            if not landed.done():
                landed.set_result(None)

        def wake() -> None:
            with suppress(RuntimeError):  # the loop has been closed meanwhile
                loop.call_soon_threadsafe(end)

        with _guard:
            is_under_way = _flights.get(self.place) is self
            if is_under_way:
                self._callbacks.append(wake)
        if is_under_way:
            await landed

    def outcome(self) -> Any:
        """Return what it came to, or MISSING where it was interrupted.

        :raises Exception: what it raised, as an exception of the caller's own.
        """
        if self._error is not None:
            raise own_copy(self._error)
        return self._value


def board(place: Hashable) -> tuple[Flight, bool]:
    """Return the flight for a place, and whether it is the caller's, who then computes and lands it.

    >>> flight, is_mine = board("key")
    >>> board("key")[0] is flight
    True
    >>> flight.land()
    """
    with _guard:
        flight = _flights.get(place)
        if flight is not None:
            return flight, False
        flight = _flights[place] = Flight(place)
        return flight, True


def landings_elsewhere() -> int:
    """Return how many flights of other threads have landed so far: where it is the same, they stored nothing since.

    >>> before = landings_elsewhere()
    >>> flight, _ = board("key")
    >>> flight.land(6)
    >>> landings_elsewhere() - before
    0
    """
    return _landings - _own.count


def own_copy(error: Exception) -> Exception:
    """Return a copy of an exception, for another thread or task to raise.

    One object raised in several places would gather the notes and the traceback of all of them.

    >>> copied = own_copy(KeyError("a"))
    >>> type(copied), copied.args
    (<class 'KeyError'>, ('a',))
    """
    for make in (copy.copy, _without_init):
        try:
            made = make(error)
        except Exception:  # noqa: BLE001  an exception's own constructor may take and raise anything
            continue
        if type(made) is type(error) and list(map(id, made.args)) == list(map(id, error.args)):
            made.__dict__.update(error.__dict__)
            if hasattr(error, "__notes__"):
                made.__notes__ = list(error.__notes__)
            made.__cause__, made.__context__ = error.__cause__, error.__context__
            made.__suppress_context__ = error.__suppress_context__
            copied: Exception = made.with_traceback(error.__traceback__)
            return copied
    return error


def _without_init(error: Exception) -> Exception:
    return type(error).__new__(type(error), *error.args)


class _Shared:
    """Hold a task that several tasks of a loop wait for."""

    __slots__ = ("error", "task", "waiting")

    def __init__(self, task: asyncio.Task[Any]) -> None:
        self.task = task
        self.waiting = 0
        self.error: Exception | None = None


_shared: dict[Hashable, _Shared] = {}
_computing: ContextVar[tuple[Hashable, ...]] = ContextVar("computing", default=())


async def share(place: Hashable, compute: Callable[[], Coroutine[Any, Any, Any]]) -> tuple[Any, bool]:
    """Await a computation that all tasks of this event loop share; return its value, and whether the caller began it.

    It goes on as long as one of them waits. What it raises, each of the others gets as an exception of its own.

    >>> import asyncio
    >>> async def six():
    ...     return 6
    >>> asyncio.run(share("key", six))
    (6, True)
    """
    import asyncio

    loop = asyncio.get_running_loop()
    place = (id(loop), place)
    if place in _computing.get():
        return await compute(), True  # its own computation asks for it: waiting would never end
    while True:
        shared = _shared.get(place)
        is_mine = shared is None
        if shared is None:
            token = _computing.set((*_computing.get(), place))
            shared = _shared[place] = _Shared(loop.create_task(compute()))
            _computing.reset(token)
            shared.task.add_done_callback(partial(_end, place, shared))
        shared.waiting += 1
        try:
            await asyncio.wait([shared.task])
        finally:
            shared.waiting -= 1
            if not shared.waiting and not shared.task.done():
                _forget(place, shared)
                shared.task.cancel()
        if shared.error is not None and not is_mine:
            raise own_copy(shared.error)
        if is_mine or not shared.task.cancelled():
            return shared.task.result(), is_mine


def _end(place: Hashable, shared: _Shared, task: asyncio.Task[Any]) -> None:
    """Keep what a task raised as it is now, before anybody raises it further."""
    _forget(place, shared)
    error = None if task.cancelled() else task.exception()
    if isinstance(error, Exception):
        shared.error = own_copy(error)


def _forget(place: Hashable, shared: _Shared) -> None:
    if _shared.get(place) is shared:
        del _shared[place]


def _start_anew() -> None:
    """Forget in a forked child what the threads and loops of the parent compute: they are not there."""
    global _guard
    _guard = threading.Lock()
    _flights.clear()
    _shared.clear()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_start_anew)
