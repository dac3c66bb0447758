"""How long the steps of a run took, and what restoring saved."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from typing import Any, NamedTuple

from ..events import Event, Listener
from ..forks import renewed
from ..showing import Shown
from ..targets.protocol import as_target
from ..wording import columns, duration

__all__ = ["Timing", "Timings"]

WIDTH = 30  # characters of the longest bar
KEYS = 1000  # restored results of a tag whose seconds are looked up


class Timing(NamedTuple):
    """Add up what happened to one step or checkpoint.

    :param step: the name of the step; of a checkpoint its tag.
    :param action: ``"run"``, ``"failed"``, ``"restored"``, ``"stored"`` or ``"skipped"``.
    :param times: how often.
    :param seconds: spent on it, without other steps in it: running, or restoring; of what was stored, computing.
    :param saved: the seconds that restoring saved, where the target knows them.

    >>> Timing("fit", "run", 1, 0.5).saved
    0.0
    """

    step: str
    action: str
    times: int
    seconds: float
    saved: float = 0.0


class Timings(Listener, Shown):
    """Collect events into a table: how often each step ran and for how long, what was restored and what that saved.

    The seconds of a step are its own: a lazy mapping that it draws counts for the mapped step alone, so that they add
    up to the time of the run.

    >>> from flowly_ckpt import apply, chained
    >>> from flowly_ckpt.passes import observe
    >>> timings = Timings()
    >>> apply(chained(abs, float), -5, [observe(timings)])
    5.0
    >>> [(row.step, row.action, row.times) for row in timings]
    [('abs', 'run', 1), ('float', 'run', 1)]

    See also: :func:`observe`.
    """

    _guard: Any

    def __init__(self) -> None:
        self._rows: dict[tuple[str, str], list[float]] = {}
        self._restored: dict[str, list[tuple[Any, Any]]] = {}
        renewed(self, "_guard", threading.Lock)
        self.seconds = 0.0  # of the runs

    def __reduce__(self) -> tuple[Any, ...]:
        return (type(self), ())  # what happens in another process is not told here

    def __call__(self, event: Event) -> None:
        """Take an event."""
        if event.of == "run":
            self.seconds += event.seconds
        if event.kind == "start" or event.of not in ("step", "checkpoint"):
            return
        if event.of == "checkpoint" and event.kind in ("run", "failed"):
            return  # the steps in it say so
        with self._guard:
            row = self._rows.setdefault((event.step, event.kind), [0, 0.0])
            row[0] += 1
            row[1] += event.own if event.of == "step" else event.seconds
            if event.kind == "restored":
                kept = self._restored.setdefault(event.step, [])
                if len(kept) < KEYS:
                    kept.append((event.target, event.key))

    def __iter__(self) -> Iterator[Timing]:
        """Yield the rows in the order in which things first happened."""
        for (step, action), (count, seconds) in list(self._rows.items()):
            yield Timing(step, action, int(count), seconds, self._saved(step) if action == "restored" else 0.0)

    def _saved(self, tag: str) -> float:
        return sum(_seconds(target, key) for target, key in self._restored.get(tag, ()))

    def __len__(self) -> int:
        return len(self._rows)

    @property
    def saved(self) -> float:
        """The seconds that restoring saved."""
        return sum(row.saved for row in self)

    def clear(self) -> None:
        """Forget all that was collected."""
        with self._guard:
            self._rows.clear()
            self._restored.clear()
            self.seconds = 0.0

    def __repr__(self) -> str:
        rows = list(self)
        longest = max((row.seconds for row in rows if row.action in SPENT), default=0.0) or 1.0
        cells = [
            (row.action, row.step, f"{row.times} ×", duration(row.seconds), bar(row, longest) + _saving(row))
            for row in rows
        ]
        return columns(cells, right=(2, 3))


def _seconds(target: Any, key: Any) -> float:
    try:
        entry = as_target(target).entry(key)
    except Exception:  # noqa: BLE001  a store that is closed or gone by now has nothing to say
        return 0.0
    return 0.0 if entry is None else entry.seconds


SPENT = ("run", "failed", "restored")


def bar(row: Timing, longest: float) -> str:
    """Return a bar of text for a row, to the scale of the longest.

    >>> bar(Timing("fit", "run", 1, 0.5), 1.0)
    '███████████████'
    """
    return "█" * round(WIDTH * row.seconds / longest) if row.action in SPENT else ""


def _saving(row: Timing) -> str:
    return f"  saved {duration(row.saved)}" if row.saved >= 0.1 else ""
