"""Where the parts of a picture stand: from above to below, branches side by side, long chains in several columns."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import groupby
from math import ceil
from typing import NamedTuple, Self
from unicodedata import combining, east_asian_width

from ..wording import duration, plain
from .parts import Chain, Fork, Mark, Part, Step
from .states import State

__all__ = ["Block", "Frame", "Line", "Text", "laid_out", "shortened"]

LETTER, SMALL = 7.9, 6.6  # the width of a letter, as monospaced fonts of 13 and 11 pixels have it
ROW, MARK, NOTE, HEAD, GAP, BESIDE, COLUMN = 32.0, 22.0, 16.0, 30.0, 18.0, 16.0, 44.0
NARROWEST, LONGEST, TALLEST = 120.0, 32, 760.0
MOST_PARTS, MOST_BRANCHES, DEEPEST = 120, 12, 7


class Frame(NamedTuple):
    """A rectangle that stands for a part, with the words in it.

    >>> Frame(0, 0, 9, 9, Mark(0, "rows", ""), "rows").moved(1, 2)[:2]
    (1, 2)
    """

    x: float
    y: float
    width: float
    height: float
    part: Part
    label: str
    state: State | None = None
    note: str = ""
    time: str = ""

    def moved(self, x: float, y: float) -> Self:
        return self._replace(x=self.x + x, y=self.y + y)


class Text(NamedTuple):
    """Words that stand by themselves, around the middle at ``x``.

    >>> Text(0, 0, "low").moved(1, 2)
    Text(x=1, y=2, label='low')
    """

    x: float
    y: float
    label: str

    def moved(self, x: float, y: float) -> Self:
        return self._replace(x=self.x + x, y=self.y + y)


class Line(NamedTuple):
    """A line through points; the last one may be the tip of an arrow.

    >>> Line(((0, 0), (0, 9))).moved(1, 2).points
    ((1, 2), (1, 11))
    """

    points: tuple[tuple[float, float], ...]
    has_tip: bool = True

    def moved(self, x: float, y: float) -> Self:
        return self._replace(points=tuple((px + x, py + y) for px, py in self.points))


Item = Frame | Text | Line


class Block(NamedTuple):
    """A part of the picture: its size, and what is in it, seen from its upper left corner.

    The flow enters and leaves at the middle of its width.

    >>> Block(9, 9, ()).width
    9
    """

    width: float
    height: float
    items: tuple[Item, ...]

    def moved(self, x: float, y: float) -> list[Item]:
        return [item.moved(x, y) for item in self.items]


def laid_out(chain: Chain, states: Mapping[int, State]) -> Block:
    """Return where everything stands.

    >>> laid_out(Chain((Step(0, "fit", "fit"),)), {}).items[0].label
    'fit'
    """
    return _columns(_blocks(_abridged(chain.parts), states, 0))


def shortened(text: str, most: int = LONGEST) -> str:
    """Return text that can be drawn, with ``…`` for its middle where it is long.

    >>> shortened("a" * 50, 9), shortened("train.<locals>.fit")
    ('aaaaaa…aa', 'fit')
    """
    if len(text) > 4096:  # what is that long is cut before it is looked at
        text = f"{text[:2048]}…{text[-2048:]}"
    text = plain(text.rpartition("<locals>.")[2])
    if len(text) <= most:
        return text
    tail = most // 3 - 1
    return f"{text[: most - tail - 1]}…{text[len(text) - tail :]}"


def _width(text: str, letter: float = LETTER) -> float:
    return letter * sum(0 if combining(sign) else 1 + (east_asian_width(sign) in "WF") for sign in text)


def _abridged(parts: Sequence[Part]) -> Sequence[Part | str]:
    if len(parts) <= MOST_PARTS:
        return parts
    half = MOST_PARTS // 2
    return [*parts[:half], f"… {len(parts) - 2 * half:,} more …", *parts[-half:]]


def _blocks(parts: Sequence[Part | str], states: Mapping[int, State], depth: int) -> list[Block]:
    """Return a block for each part; boxes in a row are equally wide."""
    steps = [part for part in parts if isinstance(part, Step)]
    width = max([NARROWEST, *(_box_width(step, states.get(step.at)) for step in steps)])
    notes = _notes([part for part in parts if isinstance(part, Step | Fork)], states)
    blocks = []
    for part in parts:
        if isinstance(part, str):
            blocks.append(_words(part))
        elif isinstance(part, Mark):
            blocks.append(_pill(part, states.get(part.at)))
        else:
            note = notes.get(part.at, "")
            if isinstance(part, Step):
                blocks.append(_box(part, states.get(part.at), note, width))
            else:
                blocks.append(_fork(part, states, note, depth))
    return blocks


def _notes(parts: Sequence[Step | Fork], states: Mapping[int, State]) -> dict[int, str]:
    """Return each reason once: for the step whose name it begins with, or else for the first that has it."""
    found = {}
    for note, group in groupby(parts, lambda part: _note(states.get(part.at))):
        told = [*group]
        of = next((part for part in told if note.startswith((f"{part.name} ", f"{part.name}:"))), told[0])
        found[of.at] = note
    return found


def _note(state: State | None) -> str:
    return state.why if state is not None and state.action in ("run", "failed") else ""


def _time(state: State | None) -> str:
    if state is None or state.seconds is None:
        return ""
    return duration(state.seconds) if state.times == 1 else f"{state.times}× {duration(state.seconds)}"


def _head_width(label: float, state: State | None) -> float:
    time = _width(_time(state), SMALL)
    return label + 24 + (18 if state else 0) + (time + 14 if time else 0)


def _box_width(step: Step, state: State | None) -> float:
    note = min(_width(_note(state), SMALL) + 40, 250.0) if _note(state) else 0.0
    return max(_head_width(_width(shortened(step.label)), state), note)


def _box(step: Step, state: State | None, note: str, width: float) -> Block:
    note = shortened(note, int((width - 36) / SMALL))
    height = ROW + (NOTE - 2 if note else 0)
    return _alone(Frame(0, 0, width, height, step, shortened(step.label), state, note, _time(state)))


def _pill(mark: Mark, state: State | None) -> Block:
    label = shortened(mark.tag) or "checkpoint"
    return _alone(Frame(0, 0, _width(label, SMALL) + 34, MARK, mark, label, state))


def _words(text: str) -> Block:
    width = _width(text, SMALL)
    return Block(width, NOTE, (Text(width / 2, NOTE / 2, text),))


def _alone(frame: Frame) -> Block:
    return Block(frame.width, frame.height, (frame,))


def _fork(fork: Fork, states: Mapping[int, State], note: str, depth: int) -> Block:
    """Return the frame of a combinator, with its branches side by side."""
    label, state = shortened(fork.label), states.get(fork.at)
    head = _head_width(_width(label, SMALL), state)
    if depth >= DEEPEST:
        folded = Step(fork.at, fork.name, fork.label)
        return _alone(Frame(0, 0, head + 20, ROW, folded, f"{label}…", state, "", _time(state)))
    shown = fork.branches[:MOST_BRANCHES]
    inner = [_column(_blocks(_abridged(branch.parts), states, depth + 1)) for branch in shown]
    titles = [shortened(title, 20) for title in fork.titles[: len(shown)]]
    if len(shown) < len(fork.branches):
        inner.append(_words(f"… {len(fork.branches) - len(shown):,} more"))
        titles.append("")
    widths = [max(block.width, _width(title, SMALL)) for block, title in zip(inner, titles)]
    row = sum(widths) + BESIDE * (len(inner) - 1)
    width = max(row + 2 * BESIDE, head + min(_width(note, SMALL) + 14, 200.0) if note else head)
    room = int((width - head - 12) / SMALL)
    joins = GAP if len(inner) > 1 else 0.0
    top = HEAD + joins + (NOTE + 4 if any(titles) else 0)
    low = top + max((block.height for block in inner), default=0.0)
    height = low + joins + 12
    note = shortened(note, room) if room > 8 else ""
    items: list[Item] = [Frame(0, 0, width, height, fork, label, state, note, _time(state))]
    x = (width - row) / 2
    for block, title, wide in zip(inner, titles, widths):
        middle = x + wide / 2
        if joins:
            items.append(Line(((width / 2, HEAD), (middle, HEAD + joins))))
            items.append(Line(((middle, top + block.height), (middle, low), (width / 2, height)), has_tip=False))
        if title:
            items.append(Text(middle, top - 9, title))
        items += block.moved(x + (wide - block.width) / 2, top)
        x += wide + BESIDE
    # The sheets of a stack stick out to the right and below, and the flow stays in the middle of the block.
    sheets = 10.0 if fork.is_stack else 0.0
    return Block(width + 2 * sheets, height + sheets, tuple(item.moved(sheets, 0) for item in items))


def _column(blocks: Sequence[Block]) -> Block:
    """Put blocks one below the other, with arrows between them."""
    width = max((block.width for block in blocks), default=8.0)
    items: list[Item] = []
    y = 0.0
    for position, block in enumerate(blocks):
        if position:
            items.append(Line(((width / 2, y), (width / 2, y + GAP))))
            y += GAP
        items += block.moved((width - block.width) / 2, y)
        y += block.height
    return Block(width, y, tuple(items))


def _cut(blocks: Sequence[Block], tallest: float) -> list[list[Block]]:
    columns: list[list[Block]] = [[]]
    y = 0.0
    for block in blocks:
        if columns[-1] and y + block.height > tallest:
            columns.append([])
            y = 0.0
        columns[-1].append(block)
        y += block.height + GAP
    return columns


def _columns(blocks: Sequence[Block]) -> Block:
    """Put blocks into as many columns as keep the picture within a screen's height."""
    total = sum(block.height + GAP for block in blocks)
    wanted = max(1, ceil(total / TALLEST))
    tallest = total / wanted
    while len(columns := _cut(blocks, tallest)) > wanted:
        tallest += GAP
    made = [_column(column) for column in columns]
    items: list[Item] = []
    x, bottom = 0.0, max(block.height for block in made)
    for position, block in enumerate(made):
        items += block.moved(x, 0)
        if position + 1 < len(made):
            here, there = x + block.width / 2, x + block.width + COLUMN + made[position + 1].width / 2
            between = x + block.width + COLUMN / 2
            low = block.height + GAP * 0.8
            down = (here, block.height), (here, low), (between, low)
            items.append(Line((*down, (between, -GAP), (there, -GAP), (there, 0.0))))
        x += block.width + COLUMN
    over = GAP if len(made) > 1 else 0.0
    return Block(x - COLUMN, bottom + 2 * over, tuple(item.moved(0, over) for item in items))
