"""One computation per key at a time: the first computes, the others wait and get what it got.

A flight is a computation under way. It calls back whoever waits for it, threads and event loops; tasks of one loop
share a task, which goes on as long as one of them waits. An interrupt may come between any two instructions: what is
noted is noted in one of them, and what is released may be released twice.
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Coroutine, Hashable
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from .waiting import computing, is_waited_for, waits, whom_it_waits_for

if TYPE_CHECKING:
    import asyncio

__all__ = ["MISSING", "Flight", "board", "landings_elsewhere", "own_copy", "share"]


class _Missing:
    def __repr__(self) -> str:
        return "MISSING"


MISSING: Final = _Missing()

_FIRST_LOOK, _LAST_LOOK = 0.1, 1.0  # seconds until it is looked at who waits for whom, growing

_flights: dict[Hashable, Flight] = {}
_guard = threading.Lock()
_landings = 0


class _OwnLandings(threading.local):
    count = 0


_own = _OwnLandings()


class Flight:
    """Hold a computation that is under way: who runs it, and what it came to.

    >>> flight = Flight("key")
    >>> board(flight) is flight, board(Flight("key")) is flight
    (True, True)
    >>> flight.land(6)
    >>> flight.outcome()
    6
    """

    __slots__ = ("_callbacks", "_error", "_value", "elders", "is_over", "place", "thread")

    def __init__(self, place: Hashable) -> None:
        self.place = place
        self.thread = threading.get_ident()
        self.elders: list[threading.Thread] = []
        self.is_over = False
        self._value: Any = MISSING
        self._error: Exception | None = None
        self._callbacks: list[Callable[[], object]] = []

    @property
    def is_decided(self) -> bool:
        """Whether it came to a value or an error, rather than being interrupted."""
        return self._value is not MISSING or self._error is not None

    def land(self, value: Any = MISSING, error: Exception | None = None) -> None:
        """End the flight; without a value or an error whoever waits computes it. To do it again completes it."""
        global _landings
        with _guard:
            if not self.is_over:
                self._value, self._error = value, own_copy(error) if error is not None else None
                _landings += 1
                _own.count += 1
                if _flights.get(self.place) is self:
                    del _flights[self.place]
                self.is_over = True
        for callback in self._callbacks:
            callback()

    def wait(self) -> Hashable | None:
        """Block until it has landed; where that would never happen, return at once what of one's own it waits for."""
        from queue import Empty, SimpleQueue  # most computations wait for nobody

        landed: SimpleQueue[None] = SimpleQueue()
        token, start = object(), time.monotonic()
        pause = _FIRST_LOOK
        try:
            if (circle := self._join(token, partial(landed.put, None))) is not None:
                return circle
            while not self.is_over:
                with suppress(Empty):
                    landed.get(timeout=pause)
                waited = time.monotonic() - start
                if not self.is_over and is_waited_for(self.thread, self.elders, waited):
                    return (computing.get() or (self.place,))[-1]
                pause = min(2 * pause, _LAST_LOOK)
            return None
        finally:
            waits.pop(token, None)

    async def wait_async(self) -> Hashable | None:
        """Wait as :meth:`wait` does, without stopping the event loop."""
        import asyncio

        loop = asyncio.get_running_loop()
        landed = loop.create_future()

        def land() -> None:
            if not landed.done():
                landed.set_result(None)

        def wake() -> None:
            with suppress(RuntimeError):  # the loop has been closed meanwhile
                loop.call_soon_threadsafe(land)

        token = object()
        try:
            if (circle := self._join(token, wake)) is not None:
                return circle
            if not self.is_over:
                await landed
            return None
        finally:
            waits.pop(token, None)

    def _join(self, token: object, wake: Callable[[], object]) -> Hashable | None:
        """Note that this context waits, and is to be woken, unless it would wait for itself."""
        with _guard:
            circle = whom_it_waits_for(self.place)
            if circle is None:
                waits[token] = (computing.get(), self.place)
                self._callbacks = [*self._callbacks, wake]
        return circle

    def outcome(self) -> Any:
        """Return what it came to, or MISSING where it was interrupted.

        :raises Exception: what it raised, as an exception of the caller's own.
        """
        if self._error is not None:
            raise own_copy(self._error)
        return self._value


def board(flight: Flight) -> Flight:
    """Return the flight that is under way to a place: the given one, which its owner computes and lands, or another's.

    >>> flight = Flight("another key")
    >>> board(flight) is flight, flight.land(6), flight.is_decided
    (True, None, True)
    """
    with _guard:
        found = _flights.setdefault(flight.place, flight)
    if found is flight:
        flight.elders = threading.enumerate()
    return found


def landings_elsewhere() -> int:
    """Return how many flights of other threads have landed so far: where it is the same, they stored nothing since.

    >>> before = landings_elsewhere()
    >>> board(Flight("a key of this thread")).land(6)
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
    for make in (_by_reduction, _without_init):
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


def _by_reduction(error: Exception) -> Any:
    # Not copy.copy: what tblib registers for exceptions gives a copy that shares its attributes and notes.
    reduced: Any = error.__reduce_ex__(4)
    return reduced[0](*reduced[1])


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
    here = (id(loop), place)
    if whom_it_waits_for(place) is not None:
        return await compute(), True  # waiting for it would never end
    token = object()
    while True:
        shared = _shared.get(here)
        is_mine = shared is None
        if shared is None:
            shared = _shared[here] = _Shared(loop.create_task(compute()))
            shared.task.add_done_callback(partial(_end, here, shared))
        shared.waiting += 1
        waits[token] = (computing.get(), place)
        try:
            await asyncio.wait([shared.task])
        finally:
            waits.pop(token, None)
            shared.waiting -= 1
            if not shared.waiting and not shared.task.done():
                _forget(here, shared)
                shared.task.cancel()
        if shared.error is not None and not is_mine:
            raise own_copy(shared.error)
        if is_mine or not shared.task.cancelled():
            return shared.task.result(), is_mine


def _end(here: Hashable, shared: _Shared, task: asyncio.Task[Any]) -> None:
    """Keep what a task raised as it is now, before anybody raises it further."""
    _forget(here, shared)
    error = None if task.cancelled() else task.exception()
    if isinstance(error, Exception):
        shared.error = own_copy(error)


def _forget(here: Hashable, shared: _Shared) -> None:
    if _shared.get(here) is shared:
        del _shared[here]


def _start_anew() -> None:
    """Forget in a forked child what the threads and loops of the parent compute: they are not there."""
    global _guard
    _guard = threading.Lock()
    _flights.clear()
    _shared.clear()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_start_anew)
