"""Tables of plans, times and entries as HTML; every word in them is foreign, and escaped."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from ..passes import Timing
from ..targets.facts import Entry, TagStats
from ..wording import age, duration, size
from .states import action_of, happenings
from .style import TABLES, css, html

__all__ = ["alone", "entry_table", "plan_table", "stats_table", "table", "time_table"]

_LONGEST = 400


def alone(content: str) -> str:
    """Return tables as they stand in a notebook, with the rules for them.

    >>> alone("<table></table>").startswith("<style>.flowly{")
    True
    """
    return f'<style>{css(".flowly")}{TABLES}</style><div class="flowly flowly-tables">{content}</div>'


def plan_table(plan: Iterable[Any]) -> str:
    """Return a plan as a table, a row for each stretch of the pipeline.

    A row may have a ``name`` that says more than its steps, and a ``reason`` that says more than ``why``.

    >>> from flowly_ckpt.plan import Forecast
    >>> "<code>load, fit</code>" in plan_table([Forecast(("load", "fit"), "run", "model", "fit changed")])
    True
    """
    lines = []
    for row in plan:
        steps = getattr(row, "name", "") or ", ".join(row.steps) or "(the input)"
        why = _words(getattr(row, "reason", row.why))
        lines.append([_badge(action_of(row), row.action), _code(steps), _code(row.tag or ""), why])
    return table(["", "steps", "checkpoint", "why"], lines, prose=["steps", "why"], name="plan")


def time_table(rows: Iterable[Any]) -> str:
    """Return what a run reported as bars, a row for each step, in the order in which they first ran.

    >>> from flowly_ckpt.passes import Event
    >>> time_table([Event("fit", 1.5), Event("fit", 0.5)]).count("2.0 s")
    1
    """
    found: dict[tuple[str, str], list[Timing]] = {}
    for one in happenings(rows):
        found.setdefault((one.step, one.action), []).append(one)
    longest = max((_total(told, "seconds") for told in found.values()), default=0.0) or 1.0
    lines = []
    for (step, action), told in found.items():
        took, times, saved = (_total(told, name) for name in ("seconds", "times", "saved"))
        bar = f'<span class="bar {action}" style="width:{100 * took / longest:.1f}%"></span>'
        bar += f" saved {duration(saved)}" if saved >= 0.1 else ""
        runs = f"{times:,.0f}×" if times > 1 else ""
        lines.append([_code(step), _badge(action, action), runs, duration(took), f'<div class="bars">{bar}</div>'])
    return table(["step", "", "", "took", ""], lines, numbers=["took"], name="times")


def _total(told: Iterable[Timing], name: str) -> float:
    return float(sum(getattr(one, name) for one in told))


def stats_table(stats: Sequence[TagStats]) -> str:
    """Return the counts of a store as a table, a row for each tag.

    >>> "<code>clean</code>" in stats_table([TagStats("clean", 2, 100, 3, 1.5, 0.0)])
    True
    """
    lines = [
        [_code(one.tag), f"{one.entries:,}", size(one.bytes), f"{one.hits:,}", duration(one.saved), _ago(one.used)]
        for one in stats
    ]
    columns = ["tag", "entries", "size", "hits", "saved", "last used"]
    return table(columns, lines, numbers=columns[1:], name="stats")


def entry_table(entries: Iterable[Entry]) -> str:
    """Return entries as a table.

    >>> "<code>clean</code>" in entry_table([Entry(("a", "clean", "f"), size=2000)])
    True
    """
    lines = [
        [_code(one.key[1]), size(one.size), duration(one.seconds), f"{one.hits:,}", duration(one.saved),
         _ago(one.created), _code(f"{one.key[0][:8]}/…/{one.key[2][:8]}")]
        for one in entries
    ]  # fmt: skip
    columns = ["tag", "size", "took", "hits", "saved", "stored"]
    return table([*columns, "key"], lines, numbers=columns[1:], name="entries")


def table(
    columns: Sequence[str],
    rows: Iterable[Sequence[str]],
    numbers: Sequence[str] = (),
    prose: Sequence[str] = (),
    name: str = "",
) -> str:
    """Return a table of cells that are HTML already.

    :param numbers: the columns that end at the right.
    :param prose: the columns whose lines may be broken.
    :param name: begins the address of each row.

    >>> table(["n"], [["1"]], numbers=["n"])
    '<table><tr><th scope="col" class="number">n</th></tr><tr><td class="number">1</td></tr></table>'
    """
    classes = {**dict.fromkeys(numbers, ' class="number"'), **dict.fromkeys(prose, ' class="prose"')}
    kinds = [classes.get(column, "") for column in columns]
    head = "".join(f'<th scope="col"{kind}>{_words(column)}</th>' for column, kind in zip(columns, kinds))
    lines = [f"<tr>{head}</tr>"]
    for position, row in enumerate(rows):
        cells = "".join(f"<td{kind}>{cell}</td>" for cell, kind in zip(row, kinds))
        lines.append(f'<tr id="{name}-{position}">{cells}</tr>' if name else f"<tr>{cells}</tr>")
    wraps = ' class="prose"' if prose else ""  # on a narrow screen, the cells of a row stand below each other
    return f"<table{wraps}>{''.join(lines)}</table>"


def _ago(moment: float) -> str:
    return f"{age(moment)} ago" if moment else ""


def _badge(action: str | None, said: str) -> str:
    return f'<span class="badge {action or "skipped"}">{_words(said)}</span>'


def _code(text: str) -> str:
    return f"<code>{_words(text)}</code>" if text else ""


def _words(text: str) -> str:
    return html(text if len(text) <= _LONGEST else f"{text[:_LONGEST]}…")
