"""What goes between processes: functions and values there, values or errors and the events of observed steps back."""

from __future__ import annotations

import pickle
from collections.abc import Callable, Sequence
from traceback import format_exc
from typing import Any

from ..errors import WorkerError
from ..events import Event, watching
from ..lowering.versions import digest_of, opened
from ..passes.relays import Sinks, plain, relayed
from ..pipelines.names import unlocated

__all__ = ["OTHER", "Sent", "work"]


class OTHER:
    """Stand for the result of what was not run, because another process has another version of the code.

    >>> pickle.loads(pickle.dumps(OTHER)) is OTHER
    True
    """


class WorkerTraceback(Exception):
    """Show where in another process an exception was raised; the cause of that exception here.

    >>> print(WorkerTraceback("Traceback …"))
    Traceback …
    """


class Sent:
    """Pack work for other processes, and unpack what came of it; sinks stay here, and are given their events here.

    >>> sent = Sent()
    >>> function, *packed = sent.packed(max, (1, 2), is_versioned=True)
    >>> sent.unpacked(function(*packed))
    2
    """

    def __init__(self) -> None:
        self.sinks = Sinks()
        self._last: tuple[Any, ...] = ()

    def packed(self, function: Callable[..., Any], args: tuple[Any, ...], is_versioned: bool) -> tuple[Any, ...]:
        """Return what to submit; where it is versioned, another process only runs it if it has the same code."""
        last = self._last
        if not last or last[0] is not function or last[1] != is_versioned:  # parts of one sequence share theirs
            digest = digest_of(function) if is_versioned else None
            last = self._last = function, is_versioned, self._dumped(function), digest
        return work, last[2], self._dumped(args), last[3], self.sinks.places(watching.get())

    def unpacked(self, result: bytes) -> Any:
        """Return the value, raise the error, or return ``OTHER`` where nothing was run."""
        is_value, value, events = pickle.loads(result)
        self.sinks.report(events)
        if is_value:
            return value
        error, text = value
        if error.__cause__ is None:
            error.__cause__ = WorkerTraceback(text)
        raise error

    def _dumped(self, obj: Any) -> bytes:
        try:
            return self.sinks.dumped(obj)
        except Exception as error:
            error.add_note("while it was sent to another process; threads(n) share anything")
            raise


def work(packed_function: bytes, args: bytes, digest: str | None = None, places: Sequence[int] = ()) -> bytes:
    """Do what was sent to this process, and return what came of it.

    :param places: of the sinks that watch where it came from.

    >>> pickle.loads(work(pickle.dumps(max), pickle.dumps((1, 2))))
    (True, 2, [])
    """
    with relayed(places) as events:
        try:
            function, same = opened(packed_function, digest)
            value = function(*pickle.loads(args)) if same else OTHER
            return _packed(value, events, function)
        except Exception as error:  # noqa: BLE001  it is raised where the work came from
            unlocated(error)
            text = format_exc()
            try:
                packed = _dumped((False, (error, text), events))
                pickle.loads(packed)  # what cannot be read back would end the pool
            except Exception:  # noqa: BLE001  exceptions may be made of anything
                lost = WorkerError(f"in another process: {type(error).__name__}: {error}\n{text}")
                packed = _dumped((False, (lost, text), plain(events)))
            return packed


def _packed(value: Any, events: list[tuple[int, Event]], function: Any) -> bytes:
    try:
        return _dumped((True, value, events))
    except Exception:  # noqa: BLE001  an error that an event tells of may be what cannot be sent
        pass
    try:
        return _dumped((True, value, plain(events)))
    except Exception as error:
        text = f"the result of {function!r} cannot be sent to the process that wants it: {error}; use threads(n)"
        raise WorkerError(text) from error


def _dumped(obj: Any) -> bytes:
    import cloudpickle

    packed: bytes = cloudpickle.dumps(obj, protocol=5)
    return packed
