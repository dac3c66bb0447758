"""What goes between processes: functions and values there, values or errors and the events of observed steps back."""

from __future__ import annotations

import io
import pickle
from collections.abc import Callable, Sequence
from contextvars import ContextVar
from traceback import format_exc
from typing import Any, NamedTuple

from ..errors import WorkerError
from ..events import Event, Sink, report, watching
from ..lowering.versions import digest_of, opened
from ..passes.observe import Watched
from ..pipelines.names import unlocated

__all__ = ["OTHER", "Relay", "Sent", "work"]

_events: ContextVar[list[tuple[int, Event]]] = ContextVar("events")


class OTHER:
    """Stand for the result of what was not run, because another process has another version of the code.

    >>> pickle.loads(pickle.dumps(OTHER)) is OTHER
    True
    """


class Relay(NamedTuple):
    """Stand in another process for a sink: keep what it is given, to be sent back.

    >>> token = _events.set([])
    >>> Relay(0)(Event("fit", 0.5)), _events.get()[0][1].step
    (None, 'fit')
    >>> _events.reset(token)
    """

    place: int

    def __call__(self, event: Event) -> None:
        _events.get().append((self.place, event))


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
        self.sinks: list[Sink] = []
        self._last: tuple[Any, ...] = ()

    def packed(self, function: Callable[..., Any], args: tuple[Any, ...], is_versioned: bool) -> tuple[Any, ...]:
        """Return what to submit; where it is versioned, another process only runs it if it has the same code."""
        last = self._last
        if not last or last[0] is not function or last[1] != is_versioned:  # parts of one sequence share theirs
            digest = digest_of(function) if is_versioned else None
            last = self._last = function, is_versioned, self._dumped(function), digest
        return work, last[2], self._dumped(args), last[3], tuple(map(self._place_of, watching.get()))

    def unpacked(self, result: bytes) -> Any:
        """Return the value, raise the error, or return ``OTHER`` where nothing was run."""
        is_value, value, events = pickle.loads(result)
        for place, event in events:
            report([self.sinks[place]], event)
        if is_value:
            return value
        error, text = value
        if error.__cause__ is None:
            error.__cause__ = WorkerTraceback(text)
        raise error

    def _dumped(self, obj: Any) -> bytes:
        from cloudpickle import CloudPickler

        sent = self

        class Pickler(CloudPickler):  # type: ignore[misc]
            def reducer_override(self, obj: Any) -> Any:
                if isinstance(obj, Watched):
                    return type(obj), ([Relay(sent._place_of(sink)) for sink in obj.sinks], obj.transform)
                return super().reducer_override(obj)

        file = io.BytesIO()
        try:
            Pickler(file, protocol=5).dump(obj)
        except Exception as error:
            error.add_note("while it was sent to another process; threads(n) share anything")
            raise
        return file.getvalue()

    def _place_of(self, sink: Sink) -> int:
        for place, known in enumerate(self.sinks):
            if known is sink:
                return place
        self.sinks.append(sink)
        return len(self.sinks) - 1


def work(packed_function: bytes, args: bytes, digest: str | None = None, places: Sequence[int] = ()) -> bytes:
    """Do what was sent to this process, and return what came of it.

    :param places: of the sinks that watch where it came from.

    >>> pickle.loads(work(pickle.dumps(max), pickle.dumps((1, 2))))
    (True, 2, [])
    """
    events: list[tuple[int, Event]] = []
    relays: list[Any] = [Relay(place) for place in places]
    token, watchers = _events.set(events), watching.set(tuple(relays))
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
            packed = _dumped((False, (lost, text), _plain(events)))
        return packed
    finally:
        watching.reset(watchers)
        _events.reset(token)


def _packed(value: Any, events: list[tuple[int, Event]], function: Any) -> bytes:
    try:
        return _dumped((True, value, events))
    except Exception:  # noqa: BLE001  an error that an event tells of may be what cannot be sent
        pass
    try:
        return _dumped((True, value, _plain(events)))
    except Exception as error:
        text = f"the result of {function!r} cannot be sent to the process that wants it: {error}; use threads(n)"
        raise WorkerError(text) from error


def _plain(events: list[tuple[int, Event]]) -> list[tuple[int, Event]]:
    """Return events without what may not be sent."""
    lost = [event.error and WorkerError(f"{type(event.error).__name__}: {event.error}") for _, event in events]
    return [(place, event._replace(error=error, target=None)) for (place, event), error in zip(events, lost)]


def _dumped(obj: Any) -> bytes:
    import cloudpickle

    packed: bytes = cloudpickle.dumps(obj, protocol=5)
    return packed
