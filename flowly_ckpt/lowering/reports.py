"""Rows of what reports to sinks: a step, a mapping or a run that is divided reports as one that is not."""

from __future__ import annotations

from typing import Any

from ..passes.observe import mapped, observed, watched
from ..pipelines import name_of, rebuild
from ..typing import Transform
from .engine import Items, Parallel, is_divisible, leaf, lowerings

__all__: list[str] = []


@lowerings.register(observed)
def reported(engine: Parallel, term: observed, obj: Any) -> Any:
    """Apply a step in parts and report how it went; where an engine only builds a graph, how the building went."""
    if not is_divisible(term.transform):
        return leaf(engine, term, obj)
    return rebuild(term, (_Lowered(engine, term.transform),))(obj)


@lowerings.register(watched)
def run(engine: Parallel, term: watched, obj: Any) -> Any:
    """Have sinks watch a run in parts."""
    return rebuild(term, (_Lowered(engine, term.transform),))(obj)


@lowerings.register(mapped)
def mapping(engine: Parallel, term: mapped, obj: Any) -> Any:
    """Report how many items a mapping has, and when all of them are done."""
    with term.told(_total(obj)):
        return engine.lower(term.transform, obj)


def _total(obj: Any) -> int | None:
    if isinstance(obj, Items):
        known = obj.make is list and all(isinstance(part, list) for part in obj.parts)
        return sum(map(len, obj.parts)) if known else None
    return len(obj) if isinstance(obj, (list, tuple, set, frozenset, dict, str, range)) else None


class _Lowered:
    """What an engine makes of a transform, under its name."""

    def __init__(self, engine: Parallel, transform: Transform) -> None:
        self.engine, self.transform = engine, transform
        self.__name__ = name_of(transform)

    def __call__(self, obj: Any) -> Any:
        return self.engine.lower(self.transform, obj)
