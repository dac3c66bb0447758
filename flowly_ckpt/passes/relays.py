"""Sinks stay where they are: what stands for them in another process keeps the events, which are sent back."""

from __future__ import annotations

import io
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, NamedTuple

from ..errors import WorkerError
from ..events import Event, Sink, report, watching
from .observe import Watched

__all__ = ["Relay", "Sinks", "plain", "relayed"]

Noted = list[tuple[int, Event]]

_events: ContextVar[Noted] = ContextVar("events")


class Relay(NamedTuple):
    """Stand in another process for a sink: keep what it is given, to be sent back.

    >>> with relayed([]) as events:
    ...     Relay(0)(Event("fit", 0.5))
    >>> events[0][1].step
    'fit'
    """

    place: int

    def __call__(self, event: Event) -> None:
        _events.get().append((self.place, event))


@contextmanager
def relayed(places: Iterable[int]) -> Iterator[Noted]:
    """Keep the events of what runs here for the sinks elsewhere.

    :param places: of those who watch.

    >>> with relayed([0]) as events:
    ...     report(watching.get(), Event("fit", 0.5))
    >>> [(place, event.step) for place, event in events]
    [(0, 'fit')]
    """
    events: Noted = []
    relays: list[Any] = [Relay(place) for place in places]
    token, watchers = _events.set(events), watching.set(tuple(relays))
    try:
        yield events
    finally:
        watching.reset(watchers)
        _events.reset(token)


class Sinks:
    """Number sinks as they are met, and give them the events that come back.

    >>> seen = []
    >>> sinks = Sinks()
    >>> sinks.report([(sinks.place_of(seen.append), Event("fit", 0.5))])
    >>> seen[0].step
    'fit'
    """

    def __init__(self) -> None:
        self.sinks: list[Sink] = []

    def place_of(self, sink: Sink) -> int:
        """Return the number of a sink."""
        for place, known in enumerate(self.sinks):
            if known is sink:
                return place
        self.sinks.append(sink)
        return len(self.sinks) - 1

    def places(self, sinks: Iterable[Sink]) -> tuple[int, ...]:
        """Return the numbers of some sinks."""
        return tuple(map(self.place_of, sinks))

    def dumped(self, obj: Any) -> bytes:
        """Return an object as bytes for another process, with relays for the sinks in it."""
        from cloudpickle import CloudPickler

        sinks = self

        class Pickler(CloudPickler):  # type: ignore[misc]
            def reducer_override(self, obj: Any) -> Any:
                if isinstance(obj, Watched):
                    return type(obj), ([Relay(sinks.place_of(sink)) for sink in obj.sinks], obj.transform)
                return super().reducer_override(obj)

        file = io.BytesIO()
        Pickler(file, protocol=5).dump(obj)
        return file.getvalue()

    def report(self, events: Sequence[tuple[int, Event]]) -> None:
        """Give the sinks what was kept for them elsewhere."""
        for place, event in events:
            report([self.sinks[place]], event)


def plain(events: Noted) -> Noted:
    """Return events without what may not be sent.

    >>> plain([(0, Event("fit", 0.5, target=print))])[0][1].target is None
    True
    """
    lost = [event.error and WorkerError(f"{type(event.error).__name__}: {event.error}") for _, event in events]
    return [(place, event._replace(error=error, target=None)) for (place, event), error in zip(events, lost)]
