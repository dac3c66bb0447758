"""Rows of groups and reductions: of each part, then of the parts' results."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import partial
from typing import Any, Final

from ..checkpoint.bulk import each
from ..pipelines import groupby, kv_aggregateby, kv_reductionby, reduceby, reduction, reductionby
from ..pipelines.grouping import reduce_values, values_by_key
from ..typing import Transform
from .engine import Items, Parallel, lowerings

__all__: list[str] = []

Pairs = list[tuple[Any, Any]]
Groups = dict[Any, list[Any]]


class _Nothing:
    """The result of a part without items, which is no part of the whole."""


_NOTHING: Final = _Nothing  # a class, which stays itself when it is sent


@lowerings.register(groupby)
def grouped(engine: Parallel, term: groupby, obj: Any) -> Any:
    """Group each part, then join the groups."""
    return engine.call(_groups, *engine.over(partial(_group, term.key), engine.items(obj).parts))


@lowerings.register(reduceby)
def reduced_by(engine: Parallel, term: reduceby, obj: Any) -> Any:
    """Compute the keys in parts; the function of two arguments need not be associative, so it is applied in order."""
    return engine.call(
        partial(_reduced, term.binop, term.init), *engine.over(partial(_pairs, term.key), engine.items(obj).parts)
    )


@lowerings.register(reduction)
def reduced(engine: Parallel, term: reduction, obj: Any) -> Any:
    """Reduce each part that has items, then their results."""
    parts = engine.over(partial(_reduce, term.perpartition), engine.items(obj).parts)
    return engine.lower(term.aggregate, engine.call(partial(_results, term.perpartition), *parts))


@lowerings.register(reductionby)
def reductions_by(engine: Parallel, term: reductionby, obj: Any) -> Any:
    """Reduce the groups of each part, then the results of each group."""
    parts = engine.over(partial(_reduce_groups, term.perpartition, term.key), engine.items(obj).parts)
    return engine.call(partial(_aggregated, term.aggregate, dict), *parts)


@lowerings.register(kv_reductionby)
def kv_reductions_by(engine: Parallel, term: kv_reductionby, obj: Any) -> Any:
    """Reduce the values of each part by key, then the results of each key."""
    parts = engine.over(partial(_reduce_groups, term.perpartition, None), engine.items(obj).parts)
    return engine.call(partial(_aggregated, term.aggregate, list), *parts)


@lowerings.register(kv_aggregateby)
def kv_aggregates_by(engine: Parallel, term: kv_aggregateby, obj: Any) -> Items:
    """Group the values of each part, join the groups, then reduce some groups at a time."""
    groups = engine.call(_pairs_of_groups, *engine.over(values_by_key, engine.items(obj).parts))
    return Items(engine.over(partial(_aggregate_groups, term), engine.items(groups).parts), list)


def _pairs(key: Transform, items: list[Any]) -> Pairs:
    return list(zip(each(key, items), items))


def _group(key: Transform, items: list[Any]) -> Groups:
    return values_by_key(_pairs(key, items))


def _groups(*parts: Groups) -> Groups:
    joined: Groups = {}
    for part in parts:
        for key, values in part.items():
            joined.setdefault(key, []).extend(values)
    return joined


def _pairs_of_groups(*parts: Groups) -> Pairs:
    return list(_groups(*parts).items())


def _aggregate_groups(term: kv_aggregateby, groups: Pairs) -> Pairs:
    return [(key, {name: func(values) for name, func in term.funcs.items()}) for key, values in groups]


def _reduced(binop: Callable[[Any, Any], Any], init: Any, *parts: Pairs) -> dict[Any, Any]:
    return reduce_values((pair for part in parts for pair in part), binop, init)


def _reduce(perpartition: Transform, items: list[Any]) -> Any:
    return perpartition(items) if items else _NOTHING


def _results(perpartition: Transform, *parts: Any) -> list[Any]:
    return [part for part in parts if part is not _NOTHING] or [perpartition([])]


def _reduce_groups(perpartition: Transform, key: Transform | None, items: list[Any]) -> Groups:
    groups = values_by_key(items) if key is None else _group(key, items)
    return {key: [perpartition(values)] for key, values in groups.items()}


def _aggregated(aggregate: Transform, make: Callable[[Iterable[Any]], Any], *parts: Groups) -> Any:
    return make((key, aggregate(results)) for key, results in _groups(*parts).items())
