"""The row of observed steps that run in parts: the event is that of the whole step."""

from __future__ import annotations

import time
from typing import Any

from ..passes.observe import Event, observed
from ..pipelines import name_of
from .engine import Parallel, is_divisible, leaf, lowerings

__all__: list[str] = []


@lowerings.register(observed)
def reported(engine: Parallel, term: observed, obj: Any) -> Any:
    """Apply a step in parts and report how it went; where an engine only builds a graph, how the building went."""
    if not is_divisible(term.transform):
        return leaf(engine, term, obj)
    name, start = name_of(term.transform), time.perf_counter()
    try:
        result = engine.lower(term.transform, obj)
    except Exception as error:
        term.sink(Event(name, time.perf_counter() - start, error))
        raise
    term.sink(Event(name, time.perf_counter() - start))
    return result
