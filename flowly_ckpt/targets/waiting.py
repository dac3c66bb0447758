"""Who waits for whom: found out before two wait for each other.

What a computation asks for while it runs it finds in its context. A thread that was started inside of it has another
context: that the computation waits for such a thread shows in its frames.
"""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Hashable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

from ..errors import StoreWarning, warn

__all__ = ["computing", "gathering", "is_waited_for", "waits", "whom_it_waits_for"]

# The places that this context computes, the outermost first.
computing: ContextVar[tuple[Hashable, ...]] = ContextVar("computing", default=())
# What is waited for at the moment: by whom (what they compute), and for which place.
waits: dict[object, tuple[tuple[Hashable, ...], Hashable]] = {}

_gathering: set[int] = set()
_WAITING = {"threading", "queue", "concurrent.futures._base", "concurrent.futures.thread", "multiprocessing.pool"}


def whom_it_waits_for(place: Hashable) -> Hashable | None:
    """Return which place computed by this context a computation waits for, directly or not, or None.

    >>> token = computing.set(("a",))
    >>> waits["an object"] = (("b",), "a")
    >>> whom_it_waits_for("b"), whom_it_waits_for("c")
    ('a', None)
    >>> computing.reset(token); waits.clear()
    """
    mine = computing.get()
    if not mine:
        return None
    edges, seen, todo = list(waits.values()), set(), [place]
    while todo:
        found = todo.pop()
        if found in mine:
            return found
        if found not in seen:
            seen.add(found)
            todo += [awaited for chain, awaited in edges if found in chain]
    return None


def is_waited_for(thread: int, elders: Sequence[threading.Thread], waited: float) -> bool:
    """Return whether a thread waits for the one that asks, as far as its frames show.

    :param elders: the threads that lived when its computation began.
    :param waited: seconds since it was first asked. What a thread waits for is not always known; after a while it is
        taken to be whoever was started since.

    >>> is_waited_for(threading.get_ident(), [], 0.0)
    False
    """
    me = threading.current_thread()
    frames = sys._current_frames()
    seen, todo = {me.ident}, [thread]
    while todo:
        one = todo.pop()
        if one in seen:
            continue
        seen.add(one)
        for partner in _partners(one, frames):
            if partner == me.ident:
                return True
            todo.append(partner)
    frame = frames.get(thread)
    is_unknown = thread not in _gathering and frame is not None and frame.f_globals.get("__name__") in _WAITING
    return waited > 5 and me not in elders and is_unknown


@contextmanager
def gathering() -> Iterator[None]:
    """Declare that this thread waits for work that was given its context: then nobody need guess whom it waits for.

    >>> with gathering():
    ...     threading.get_ident() in _gathering
    True
    """
    me = threading.get_ident()
    outermost = me not in _gathering
    _gathering.add(me)
    try:
        yield
    finally:
        if outermost:
            _gathering.discard(me)


def _partners(thread: int, frames: dict[int, Any]) -> Iterator[int]:
    """Yield the threads that a thread joins, or whose results it waits for."""
    wanted: list[Any] = []
    frame = frames.get(thread)
    while frame is not None and frame.f_globals.get("__name__") in _WAITING:
        for value in list(frame.f_locals.values()):
            wanted += value if isinstance(value, (list, tuple, set)) else [value]
        frame = frame.f_back
    for one in wanted:
        if isinstance(one, threading.Thread) and one.ident is not None:
            yield one.ident
    results = {id(one) for one in wanted} | {("job", one._job) for one in wanted if hasattr(one, "_job")}
    for other, frame in frames.items():
        if wanted and other != thread and _works_for(frame, results):
            yield other


def _works_for(frame: Any, results: set[Any]) -> bool:
    """Return whether a frame is below one of a pool's worker that computes one of these results."""
    while frame is not None:
        name, future = frame.f_globals.get("__name__"), getattr(frame.f_locals.get("self"), "future", None)
        if name == "concurrent.futures.thread" and future is not None:  # above it is one more frame since Python 3.14
            return id(future) in results
        if name == "multiprocessing.pool":
            return ("job", frame.f_locals.get("job")) in results
        frame = frame.f_back
    return False


def warn_of_circle(wanted: Sequence[str], waits_for: Sequence[str]) -> None:
    """Warn that a key is computed once more, since waiting for it would never end.

    >>> import warnings
    >>> with warnings.catch_warnings(record=True) as caught:
    ...     warnings.simplefilter("always")
    ...     warn_of_circle(("a", "fit", "f"), ("a", "clean", "f"))
    >>> str(caught[0].message)[:66]
    "waiting for 'fit' (key ('a', 'fit', 'f')) would never end, since w"
    """
    warn(
        f"waiting for {_named(wanted)} would never end, since what computes it waits for {_named(waits_for)}, which is "
        "computed here: it is computed here as well",
        StoreWarning,
    )


def _named(key: Sequence[str]) -> str:
    return f"{key[1]!r} (key {tuple(key)})"


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=waits.clear)
    os.register_at_fork(after_in_child=_gathering.clear)
