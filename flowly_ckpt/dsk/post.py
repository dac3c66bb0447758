"""Events of tasks on a cluster come back to the sinks of the process that built the graph, by a topic of dask's."""

from __future__ import annotations

import pickle
import zlib
from typing import Any
from uuid import uuid4

from ..events import Event
from ..passes.relays import Sinks, plain

__all__ = ["Post", "send"]


class Post:
    """Receive the events of the tasks of a graph, while they run.

    :param client: of ``distributed``.

    >>> class Client:
    ...     def subscribe_topic(self, topic, receive): self.receive = receive
    >>> seen, client = [], Client()
    >>> place = Post(client).sinks.place_of(seen.append)
    >>> client.receive((0.0, packed([(place, Event("fit", 0.5))])))
    >>> seen[0].step
    'fit'
    """

    def __init__(self, client: Any) -> None:
        self.topic = f"flowly_ckpt-{uuid4().hex}"
        self.sinks = Sinks()
        self.client = client
        client.subscribe_topic(self.topic, self.receive)

    def receive(self, message: tuple[float, bytes]) -> None:
        """Give events to their sinks."""
        self.sinks.report(pickle.loads(zlib.decompress(message[1])))

    def close(self) -> None:
        """Receive no more."""
        if self.client.status == "running":
            self.client.unsubscribe_topic(self.topic)
        self.sinks = Sinks()  # the client keeps what receives, but no sink


def send(topic: str, events: list[tuple[int, Event]]) -> None:
    """Send events, if there are any, from a worker of a cluster; they arrive before the result that it sends next.

    >>> send("topic", [])
    """
    if events:
        from distributed import get_worker

        get_worker().log_event(topic, packed(events))


def packed(events: list[tuple[int, Event]]) -> bytes:
    """Return events as bytes; an error that cannot be sent, or not be read back, as its text.

    >>> len(packed([(0, Event("fit", 0.5))])) < 200
    True
    """
    import cloudpickle

    try:
        dumped = cloudpickle.dumps(events, protocol=5)
        if any(event.error is not None for _, event in events):
            pickle.loads(dumped)
    except Exception:  # noqa: BLE001  exceptions may be made of anything
        dumped = cloudpickle.dumps(plain(events), protocol=5)
    return zlib.compress(dumped, 1)
