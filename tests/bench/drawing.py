"""The figures as lines, as a table in the page, and as a picture."""

from __future__ import annotations

import math
from html import escape
from typing import Any, NamedTuple

from row import OURS

from flowly_ckpt.draw.style import css

Rows = dict[str, Any]
BEGIN, END = "<!-- figures, written by tests/bench/run.py -->", "<!-- end of figures -->"


class Place(NamedTuple):
    """Hold how this library stands in a row."""

    ours: float
    best: float | None  # of the peers
    who: str
    limit: float | None
    ahead: list[str]  # peers that need less


def place_of(row: dict[str, Any]) -> Place:
    figures = row["figures"]
    peers = {who: figure for who, figure in figures.items() if who not in (OURS, row["limit"])}
    who = min(peers, key=peers.__getitem__, default="")
    ahead = sorted((peer for peer in peers if peers[peer] < figures[OURS]), key=peers.__getitem__)
    return Place(figures[OURS], peers.get(who), who, figures.get(row["limit"]), ahead)


def shown(figure: float, unit: str) -> str:
    """Return a figure with two digits or more."""
    if unit == "s":
        unit, figure = next(
            (name, figure * factor) for name, factor, below in
            [("ns", 1e9, 1e-6), ("µs", 1e6, 1e-3), ("ms", 1e3, 1), ("s", 1, math.inf)] if figure < below
        )  # fmt: skip
    return f"{figure:,.{max(0, 1 - math.floor(math.log10(figure))) if figure < 10 else 0}f} {unit}"


def times(ours: float, other: float | None) -> str:
    return "" if other is None else f"{ours / other:.2f} ×" if ours < 10 * other else f"{ours / other:,.0f} ×"


def verdict(place: Place) -> str:
    if place.best is None:
        return "no peer"
    return f"not first: {', '.join(place.ahead)}" if place.ahead else "first"


def columns(name: str, row: dict[str, Any]) -> list[str]:
    place, unit = place_of(row), row["unit"]
    best = "" if place.best is None else f"{shown(place.best, unit)} ({place.who})"
    limit = "" if place.limit is None else f"{shown(place.limit, unit)} ({row['limit']})"
    return [name, shown(place.ours, unit), best, times(place.ours, place.best), limit,
            times(place.ours, place.limit), verdict(place)]  # fmt: skip


TITLES = ["work", "here", "best peer", "ratio", "limit", "ratio", "place"]


def printed(rows: Rows) -> str:
    """Return a line for each row."""
    widths = (56, 9, 28, 9, 36, 9, 0)
    return "\n".join(
        " ".join(f"{cell:<{width}}" for cell, width in zip(columns(name, row), widths)) for name, row in rows.items()
    )


def in_a_page(text: str, rows: Rows, about: dict[str, Any]) -> str:
    """Return a page with the table between its marks."""
    before, _, rest = text.partition(BEGIN)
    _, found, after = rest.partition(END)
    if not found:
        raise ValueError(f"the page has no place for the figures: put {BEGIN} and {END} into it")
    lines = [f"| {' | '.join(cells)} |" for cells in [TITLES, ["---"] * len(TITLES)]]
    lines += [f"| {' | '.join(columns(name, row))} |" for name, row in rows.items()]
    packages = ", ".join(f"{name} {number}" for name, number in about["packages"].items())
    note = f"`{about['command']}`, Python {about['python']}, {about['system']}; {packages}."
    first = sum(not place_of(row).ahead for row in rows.values() if place_of(row).best is not None)
    peers = sum(place_of(row).best is not None for row in rows.values())
    said = f"In {first} of the {peers} rows that peers take part in, nothing else needs less."
    return f"{before}{BEGIN}\n{note}\n\n{said}\n\n" + "\n".join(lines) + f"\n\n{END}{after}"


# the picture

LEFT, WIDTH, STEP, TOP = 400, 460, 34, 54
SHAPES = (
    ".flowly{font:13px system-ui,sans-serif}text{fill:var(--text)}.mute{fill:var(--mute)}.first{fill:var(--restored)}"
    ".behind{fill:var(--run)}.limit{stroke:var(--mark);stroke-width:2}.even{stroke:var(--line)}"
)
LEAST, MOST = 0.01, 1000.0


def drawn(rows: Rows) -> str:
    """Return bars of how many times the best peer's figure this library needs, and the limit; the scale is of tens."""
    rows = {name: row for name, row in rows.items() if place_of(row).best is not None}
    high = TOP + STEP * len(rows) + 10
    wide = LEFT + WIDTH + 90
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" class="flowly" width="{wide}" height="{high}" role="img" '
        f'viewBox="0 0 {wide} {high}" aria-label="What is needed here, beside the best peer">',
        f"<style>{css('.flowly')}{SHAPES}</style>",
        '<rect width="100%" height="100%" rx="8" fill="var(--back)"/>',
        f'<text x="{at(1)}" y="20" text-anchor="middle">the best peer</text>',
        f'<text x="{at(1) - 70}" y="38" text-anchor="end" class="mute">← less is needed here</text>',
        f'<text x="{at(1) + 70}" y="38" class="mute">more →</text>',
        f'<path class="even" d="M{at(1)} 44V{high - 8}"/>',
    ]
    for number, (name, row) in enumerate(rows.items()):
        parts += bar(TOP + STEP * number, name, row)
    return "".join([*parts, "</svg>\n"])


def at(ratio: float) -> int:
    """Return where a ratio stands, on a scale of tens that ends at both ends."""
    share = math.log(min(max(ratio, LEAST), MOST) / LEAST) / math.log(MOST / LEAST)
    return LEFT + round(WIDTH * share)


def bar(top: int, name: str, row: dict[str, Any]) -> list[str]:
    place = place_of(row)
    assert place.best is not None
    ratio = place.ours / place.best
    ends = sorted([at(1), at(ratio)])
    kind = "behind" if place.ahead else "first"
    parts = [
        f'<text x="{LEFT - 12}" y="{top + 14}" text-anchor="end">{escape(name)}</text>',
        f'<rect class="{kind}" x="{ends[0]}" y="{top + 3}" width="{max(2, ends[1] - ends[0])}" height="14" rx="2"/>',
        f'<text x="{LEFT + WIDTH + 12}" y="{top + 14}" class="mute">{times(place.ours, place.best)}</text>',
    ]
    if place.limit is not None:
        x = at(place.limit / place.best)
        parts.append(f'<path class="limit" d="M{x} {top}v20"><title>{escape(str(row["limit"]))}</title></path>')
    return parts
