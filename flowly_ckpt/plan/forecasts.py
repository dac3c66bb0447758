"""Forecasts of the stretches of a pipeline, and all of them as a plan: a table, or JSON."""

from __future__ import annotations

import sys
import time
from typing import Any, NamedTuple

from ..showing import Shown
from ..targets.facts import Entry
from ..wording import columns, duration, size

__all__ = ["Forecast", "Plan", "restoring"]

COLOURS = {"run": "yellow", "restore": "green", "skip": "dim"}


class Forecast(NamedTuple):
    """Forecast one stretch of a pipeline.

    :param steps: the names of its steps, in order.
    :param action: ``"restore"``, ``"run"``, or ``"skip"`` for what lies before a restored result.
    :param tag: the tag of the checkpoint that keeps its result, or ``None``.
    :param why: the reason, in words.
    :param size: of what would be restored, in bytes; None where the target does not know, as the next two.
    :param age: of what would be restored, in seconds.
    :param saves: the seconds that restoring saves; for what runs, those it took last time.
    :param place: the branch or the mapping that it is in, outermost first.

    >>> Forecast(("fit",), "run", None, "no checkpoint follows").action
    'run'
    """

    steps: tuple[str, ...]
    action: str
    tag: str | None
    why: str
    size: int | None = None
    age: float | None = None
    saves: float | None = None
    place: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """The names of the steps, after the place they are in."""
        return " › ".join([*self.place, ", ".join(self.steps) or "(the input)"])

    @property
    def reason(self) -> str:
        """The reason, with what is known of a stored result where it is worth a word."""
        verb = "saves" if self.action == "restore" else "took"
        facts = [
            size(self.size) if self.size else "",
            f"{duration(self.age)} old" if self.age is not None and self.age >= 60 else "",
            f"{verb} {duration(self.saves)}" if self.saves is not None and self.saves >= 0.1 else "",
        ]
        known = ", ".join(filter(None, facts)) if self.action != "skip" else ""
        return f"{self.why} ({known})" if known else self.why


def restoring(steps: tuple[str, ...], tag: str | None, why: str, entry: Entry | None) -> Forecast:
    """Return the forecast that a result will be restored, with what its target knows of it.

    >>> restoring(("fit",), "model", "its id was seen before", Entry(("a", "model", "f"), size=10, seconds=2.0)).saves
    2.0
    """
    if entry is None:
        return Forecast(steps, "restore", tag, why)
    age = max(time.time() - entry.created, 0.0) if entry.created else None
    return Forecast(steps, "restore", tag, why, entry.size or None, age, entry.seconds or None)


class Plan(Shown, tuple[Forecast, ...]):
    """Hold the forecasts of a pipeline in order; shown as a table, in a terminal with colours where rich is installed.

    >>> Plan([Forecast(("load", "fit"), "run", "model", "never run")])
    run      load, fit  model  never run
    """

    __slots__ = ()

    def __repr__(self) -> str:
        return columns([(action.ljust(len("restore")), *rest) for action, *rest in self.cells()])

    def __str__(self) -> str:
        if not sys.stdout or not sys.stdout.isatty():
            return repr(self)
        try:
            from rich.console import Console
        except ImportError:
            return repr(self)
        console = Console()
        with console.capture() as captured:
            console.print(self)
        return str(captured.get()).rstrip("\n")

    def __rich__(self) -> Any:
        """Return the plan as a table of rich."""
        from rich.table import Table
        from rich.text import Text

        table = Table(box=None, pad_edge=False, header_style="bold")
        for heading in ("", "steps", "tag", "why"):
            table.add_column(heading, overflow="fold")
        for row in self.cells():
            style = COLOURS.get(row[0], "")
            table.add_row(Text(row[0], style), *map(Text, row[1:]))
        return table

    def cells(self) -> list[tuple[str, str, str, str]]:
        """Return the table: action, steps, tag and reason of each forecast."""
        return [(row.action, row.name, row.tag or "", row.reason) for row in self]

    def to_json(self, **options: Any) -> str:
        """Return the plan as JSON, a list of objects with the names of :class:`Forecast`.

        :param options: those of :func:`json.dumps`.

        >>> import json
        >>> json.loads(Plan([Forecast(("fit",), "run", "model", "never run")]).to_json())[0]["why"]
        'never run'
        """
        import json

        return json.dumps([row._asdict() for row in self], **options)
