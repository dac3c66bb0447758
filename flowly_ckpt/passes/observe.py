"""Report what each step did to a sink: the one pass behind progress, timing and logging."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple, Self

from ..pipelines import Combinator, leaves, name_of
from ..typing import Rewrite, Transform

__all__ = ["Event", "Sink", "observe", "observed"]


class Event(NamedTuple):
    """Report that a step has run.

    :param step: the step's name.
    :param seconds: how long it took.
    :param error: what it raised, or ``None``.

    >>> Event("fit", 0.5).error is None
    True
    """

    step: str
    seconds: float
    error: Exception | None = None


Sink = Callable[[Event], object]


class observed(Combinator):
    """Apply a transform and report to a sink how it went.

    ``observed(sink, f)(x) == f(x)``, and both have one hash

    >>> events = []
    >>> observed(events.append, abs)(-5)
    5
    >>> events[0].step
    'abs'

    See also: :func:`observe`.
    """

    __slots__ = ("sink", "transform")
    __flowly_role__ = "transparent"

    def __init__(self, sink: Sink, transform: Transform) -> None:
        self.sink = sink
        self.transform = transform

    def __call__(self, obj: Any) -> Any:
        name = name_of(self.transform)
        start = time.perf_counter()
        try:
            result = self.transform(obj)
        except Exception as error:
            self.sink(Event(name, time.perf_counter() - start, error))
            raise
        self.sink(Event(name, time.perf_counter() - start))
        return result

    def _head(self) -> tuple[Any, ...]:
        return (self.sink,)

    def __flowly_children__(self) -> tuple[Transform, ...]:
        return (self.transform,)

    def __flowly_rebuild__(self, parts: Sequence[Transform]) -> Self:
        return type(self)(self.sink, *parts)

    def __reduce__(self) -> tuple[Any, ...]:
        return (type(self), (self.sink, self.transform))


def observe(sink: Sink) -> Rewrite:
    """Return a pass that reports every step that runs to a sink; restored steps do not run.

    ``observe(sink)(s)(x) == s(x)``

    :param sink: called with an :class:`Event` after each step.
    :raises TypeError: when the sink cannot be called.

    >>> from flowly_ckpt.pipelines import chained
    >>> events = []
    >>> observe(events.append)(chained(abs, float))(-5)
    5.0
    >>> [event.step for event in events]
    ['abs', 'float']

    See also: :func:`flowly_ckpt.engines.apply`, whose ``rewrites`` it goes into.
    """
    if not callable(sink):
        raise TypeError(f"observe: sink must be a function of an event, got {sink!r}; for a list write events.append")
    rewrite = leaves(lambda leaf: observed(sink, leaf))
    rewrite.__flowly_pass__ = True  # type: ignore[attr-defined]
    return rewrite
