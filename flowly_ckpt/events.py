"""What happens while something runs, as events for those who watch.

Steps that a pass has wrapped report to the sinks of that pass. Checkpoints and the doors report to whoever watches the
context they run in: :data:`watching` is looked at first, so that nothing is paid where nobody does.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from contextvars import ContextVar
from typing import Any, NamedTuple

from .errors import FlowlyWarning
from .once import warn_once
from .typing import Key

__all__ = ["Event", "Listener", "Sink", "clock", "report", "tell", "watching"]


class Event(NamedTuple):
    """Report what happened to a step, a checkpoint, an item of a mapping, a mapping or a whole run.

    :param step: the step's name; of a checkpoint its tag.
    :param seconds: how long it took: to run, to compute what is stored, or to restore.
    :param error: what it raised, or ``None``.
    :param kind: ``"start"``, ``"run"``, ``"restored"``, ``"stored"``, ``"skipped"`` or ``"failed"``.
    :param of: ``"step"``, ``"checkpoint"``, ``"item"``, ``"map"`` or ``"run"``.
    :param own: the seconds without those of other steps and checkpoints in it, as when it draws lazy results.
    :param key: of a checkpoint, with ``target``.
    :param target: where a checkpoint keeps its result.
    :param total: of a mapping that starts, the number of its items, where that is known.

    >>> Event("fit", 0.5).error is None
    True
    """

    step: str
    seconds: float = 0.0
    error: BaseException | None = None
    kind: str = "run"
    of: str = "step"
    own: float = 0.0
    key: Key | None = None
    target: Any = None
    total: int | None = None


Sink = Callable[[Event], object]


class Listener:
    """Base class of the sinks of this package, so that one that stands where a pass belongs is told apart.

    >>> from flowly_ckpt.passes import Timings
    >>> isinstance(Timings(), Listener)
    True
    """


class _Clock(threading.local):
    """Add up the seconds that steps and checkpoints took inside the one that runs."""

    inner = 0.0


clock = _Clock()
watching: ContextVar[tuple[Sink, ...]] = ContextVar("flowly_ckpt_watching", default=())


def report(sinks: Sequence[Sink], event: Event) -> None:
    """Give an event to sinks; one that fails is warned of, and what it watches goes on.

    >>> events = []
    >>> report([events.append], Event("fit"))
    >>> events[0].kind
    'run'
    """
    for sink in sinks:
        try:
            sink(event)
        except Exception as error:  # noqa: BLE001  whatever a sink raises, the run it watches is worth more
            text = f"a sink failed at the event {event.kind!r} of {event.step!r}: {type(error).__name__}: {error}"
            warn_once(FlowlyWarning, ("sink", id(sink), type(error)), text)


def tell(kind: str, key: Key, target: Any, seconds: float = 0.0, error: BaseException | None = None) -> None:
    """Report what happened to a checkpoint to whoever watches.

    >>> tell("restored", ("a", "fit", "f"), {})
    """
    if sinks := watching.get():
        report(sinks, Event(key[1], seconds, error, kind, "checkpoint", key=key, target=target))
