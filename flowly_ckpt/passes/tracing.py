"""Spans of OpenTelemetry: a run, its steps and its checkpoints, nested as they happen."""

from __future__ import annotations

import threading
import time
from typing import Any

from ..events import Event, Listener

__all__ = ["spans"]


class spans(Listener):
    """Record runs, steps, items and checkpoints as spans of OpenTelemetry.

    :param tracer: makes the spans; that of OpenTelemetry by this package's name, if None.
    :raises ModuleNotFoundError: where OpenTelemetry is not installed: ``pip install opentelemetry-api``.

    Each span has the attributes ``flowly.of``, ``flowly.kind`` and, of a checkpoint, ``flowly.key``; one that failed
    has the exception. What is restored or skipped is a span of its own, with its time.

    >>> from flowly_ckpt.passes import observe
    >>> watch = observe(spans(tracer=object()))

    See also: :func:`observe`.
    """

    def __init__(self, tracer: Any = None) -> None:
        if tracer is None:
            from opentelemetry import trace

            tracer = trace.get_tracer("flowly_ckpt")
        self.tracer = tracer
        self._local = threading.local()

    def __reduce__(self) -> tuple[Any, ...]:
        return (type(self), ())

    def __call__(self, event: Event) -> None:
        """Take an event."""
        open_spans = self._local.__dict__.setdefault("open", [])
        if event.kind == "start":
            if event.of != "map":  # its items are drawn by others: it does not nest
                open_spans.append((_what(event), self._begun(event, open_spans)))
        elif event.kind in ("restored", "skipped"):
            start = time.time_ns() - int(event.seconds * 1e9)
            self._ended(self._begun(event, open_spans, start_time=start), event)
        else:  # not simply the last one: results of many items may be stored together, after their items have ended
            begun = next((one for one in reversed(open_spans) if one[0] == _what(event)), None)
            if begun is not None:
                open_spans.remove(begun)
                self._ended(begun[1], event)

    def _begun(self, event: Event, open_spans: list[Any], **options: Any) -> Any:
        from opentelemetry import trace

        context = trace.set_span_in_context(open_spans[-1][1]) if open_spans else None
        attributes = {"flowly.of": event.of} | ({"flowly.key": " ".join(event.key)} if event.key else {})
        return self.tracer.start_span(event.step or event.of, context=context, attributes=attributes, **options)

    def _ended(self, span: Any, event: Event) -> None:
        span.set_attribute("flowly.kind", event.kind)
        if event.error is not None:
            from opentelemetry.trace import Status, StatusCode

            span.record_exception(event.error)
            span.set_status(Status(StatusCode.ERROR, str(event.error)))
        span.end()


def _what(event: Event) -> tuple[Any, ...]:
    return event.of, event.step, event.key
