"""Rows of what applies several transforms to one object, or to each item of one sequence."""

from __future__ import annotations

from functools import partial
from typing import Any

from ..checkpoint.bulk import each
from ..pipelines import (
    aggregate,
    apply_map_concat,
    attempt,
    children,
    itemsetter,
)  # fmt: skip
from ..pipelines.combinators import SIDE_BY_SIDE, assembled
from ..pipelines.mapping import Failed, FailedItemsError
from ..pipelines.names import steps_of
from ..typing import Transform
from .engine import Items, Parallel, leaf, lowerings
from .itemwise import listed

__all__: list[str] = []

Tried = tuple[int, dict[int, Any], list[Failed]]


@lowerings.register(*SIDE_BY_SIDE)
def fan(engine: Parallel, term: Transform, obj: Any) -> Any:
    """Apply each child to the object, side by side; to an iterator, which is read once, in turn."""
    if obj.make is iter if isinstance(obj, Items) else engine.is_known(obj) and hasattr(obj, "__next__"):
        return leaf(engine, term, obj)
    results = engine.branches(children(term), obj)
    given = engine.whole(obj) if isinstance(term, itemsetter) else ()
    return engine.assembled(term, obj, given, [*map(engine.whole, results)])


@lowerings.register(aggregate)
def aggregated(engine: Parallel, term: aggregate, obj: Any) -> Any:
    """Apply each child to the items, side by side."""
    items = Items(obj.parts, list) if isinstance(obj, Items) else obj
    if engine.is_known(obj):
        items = listed(obj)
    return engine.call(assembled, term, (), *map(engine.whole, engine.branches(children(term), items)))


@lowerings.register(apply_map_concat)
def map_concat(engine: Parallel, term: apply_map_concat, obj: Any) -> Items:
    """Apply each child to each item."""
    parts = engine.items(obj).parts
    return Items([part for child in children(term) for part in engine.over(partial(each, child), parts)], list)


@lowerings.register(attempt)
def attempted(engine: Parallel, term: attempt, obj: Any) -> Any:
    """Try the items of each part, then raise what was collected of all of them."""
    return engine.call(partial(_tried_all, term), *engine.over(partial(_tried, term), engine.items(obj).parts))


def _tried(term: attempt, items: list[Any]) -> Tried:
    try:
        results, failures = dict(enumerate(term(items))), []
    except FailedItemsError as error:
        results, failures = error.results, error.failures
    return len(items), results, failures


def _tried_all(term: attempt, *parts: Tried) -> list[Any]:
    results: dict[int, Any] = {}
    failures: list[Failed] = []
    before = 0
    for count, found, failed in parts:
        results.update({before + place: value for place, value in found.items()})
        failures += [one._replace(place=before + one.place) for one in failed]
        before += count
    if failures:
        raise FailedItemsError(steps_of(term.func), failures, results) from failures[0].error
    return list(results.values())


def _load_toolz() -> None:
    import toolz

    lowerings.register(toolz.juxt)(fan)


lowerings.register_lazy("toolz", _load_toolz)
