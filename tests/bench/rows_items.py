"""Many items, each of which is looked up, or computed and stored: what people do most."""

from __future__ import annotations

from functools import partial
from pathlib import Path

from peers import IN_MEMORY, ON_DISK, PLAIN, OpenFile, Remember, Step, kept_in
from row import OURS, Prepare, Row, Work

from flowly_ckpt import add_checkpoints, chained, checkpoint
from flowly_ckpt.pipelines import each
from flowly_ckpt.targets import DiskTarget


class Rate:
    """What the steps read: a class of the user's own."""

    def __init__(self, of: float) -> None:
        self.of = of


RATE = Rate(1.5)


def load(number: int) -> int:
    return number + 1


def priced(number: int) -> float:
    return number * RATE.of


def both(number: int) -> float:
    return priced(load(number))


def mapped(target: type | None) -> Remember:
    """Map two steps with a checkpoint behind them, in one pipeline."""

    def remember(folder: Path) -> Step:
        kept = checkpoint({} if target is None else target(folder / "store"), tag="item")
        return add_checkpoints(each(chained(load, priced, kept)))

    return remember


def in_turn(remember: Remember, folder: Path) -> Step:
    call = remember(folder)(both)
    return lambda numbers: [call(number) for number in numbers]


def hits(apply: Step, count: int) -> Prepare:
    def prepare(folder: Path) -> Work:
        run, numbers = apply(folder), range(count)
        run(numbers), run(numbers)
        return lambda number: run(numbers)

    return prepare


def misses(apply: Step, count: int) -> Prepare:
    def prepare(folder: Path) -> Work:
        run = apply(folder)
        run(range(-3, 0))
        return lambda number: run(range(number * count, (number + 1) * count))

    return prepare


def rows(quick: bool) -> list[Row]:
    count = 300 if quick else 10_000
    found = []
    for where, ways, limit, target in (
        ("in memory", IN_MEMORY, "a dict", None),
        ("on disk", {**ON_DISK, **PLAIN, "an open file": kept_in(OpenFile)}, "an open file", DiskTarget),
    ):
        runs = {who: partial(in_turn, remember) for who, remember in ways.items() if who != OURS}
        runs = {OURS: mapped(target), **runs}
        for kind, way in (("hit", hits), ("miss", misses)):
            works = {who: way(run, count) for who, run in runs.items()}
            found.append(Row(f"one of {count:,} items, {kind} {where}", limit, works, per=count))
    return found
