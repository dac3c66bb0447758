"""Composing pipelines, calling them, and rewriting them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from row import OURS, Prepare, Row

from flowly_ckpt import add_checkpoints, apply, chained, checkpoint

LIMIT = "a loop over a list"


def increment(number: int) -> int:
    return number + 1


def toolz_compose() -> Callable[..., Any]:
    from toolz import compose

    return lambda *steps: compose(*reversed(steps))


def looped(*steps: Callable[[Any], Any]) -> Callable[[Any], Any]:
    def call(value: Any) -> Any:
        for step in steps:
            value = step(value)
        return value

    return call


COMPOSERS = {OURS: lambda: chained, "toolz.compose": toolz_compose, LIMIT: lambda: looped}


def composing(load: Callable[[], Callable[..., Any]], count: int) -> Prepare:
    def prepare(folder: Path) -> Any:
        compose, steps = load(), [increment] * count
        return lambda number: compose(*steps)

    return prepare


def calling(load: Callable[[], Callable[..., Any]], count: int) -> Prepare:
    def prepare(folder: Path) -> Any:
        return load()(*[increment] * count)

    return prepare


def rewriting(count: int) -> Prepare:
    def prepare(folder: Path) -> Any:
        target: dict[Any, Any] = {}
        chain = chained(*(part for _ in range(count) for part in (increment, checkpoint(target))))
        return lambda number: add_checkpoints(chain)

    return prepare


def restoring(count: int, anew: bool) -> Prepare:
    """Apply a pipeline whose last result is stored: rewritten once, or at each call."""

    def prepare(folder: Path) -> Any:
        target: dict[Any, Any] = {}
        chain = chained(*(part for _ in range(count) for part in (increment, checkpoint(target))))
        rewritten = add_checkpoints(chain)
        rewritten(1), rewritten(1)
        return (lambda number: apply(chain, 1, [add_checkpoints])) if anew else (lambda number: rewritten(1))

    return prepare


def rows(quick: bool) -> list[Row]:
    found = [Row("compose 100 steps", LIMIT, {who: composing(load, 100) for who, load in COMPOSERS.items()})]
    for count in (10, 100):
        works = {who: calling(load, count) for who, load in COMPOSERS.items()}
        found.append(Row(f"call a chain of {count} steps", LIMIT, works))
    length = 100 if quick else 1000
    for name, prepare in (
        ("rewrite", rewriting(length)),
        ("hit at the end of", restoring(length, False)),
        ("rewrite, then hit at the end of", restoring(length, True)),
    ):
        works = {OURS: prepare, LIMIT: calling(COMPOSERS[LIMIT], length)}
        found.append(Row(f"{name} a chain of {length:,} checkpoints", LIMIT, works))
    return found
