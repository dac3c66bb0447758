"""Rows of groups and reductions: of each part, then of the parts' results."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any, Final

from ..checkpoint.bulk import each
from ..pipelines import groupby, kv_aggregateby, kv_reductionby, reduceby, reduction, reductionby
from ..pipelines.grouping import TwoParts, reduce_values, values_by_key
from ..pipelines.pairs import pairs_of
from ..typing import Transform
from .engine import Items, Parallel, leaf, lowerings

__all__: list[str] = []

Pairs = list[tuple[Any, Any]]
Groups = dict[Any, list[Any]]


class _Nothing:
    """The result of a part without items, which is no part of the whole."""


_NOTHING: Final = _Nothing  # a class, which stays itself when it is sent


@lowerings.register(groupby)
def grouped(engine: Parallel, term: groupby, obj: Any) -> Any:
    """Group each part, then join the groups."""
    return engine.call(_joined, *engine.over(partial(_group, term.key), engine.items(obj).parts))


@lowerings.register(reduceby)
def reduced_by(engine: Parallel, term: reduceby, obj: Any) -> Any:
    """Compute the keys in parts; the function of two arguments need not be associative, so it is applied in order."""
    return engine.call(
        partial(_reduced, term.binop, term.init), *engine.over(partial(_pairs, term.key), engine.items(obj).parts)
    )


@lowerings.register(reduction)
def reduced(engine: Parallel, term: reduction, obj: Any) -> Any:
    """Reduce each part that has items, then their results; what is not plainly a sequence is one part."""
    if engine.is_known(obj) and not isinstance(obj, (list, Iterator)):
        return leaf(engine, term, obj)
    if term.perpartition is None:
        return engine.lower(term.aggregate, obj)
    parts = engine.over(partial(_reduce, term.perpartition), engine.items(obj).parts)
    return engine.lower(term.aggregate, engine.call(partial(_results, term.perpartition), *parts))


@lowerings.register(reductionby)
def reductions_by(engine: Parallel, term: reductionby, obj: Any) -> Any:
    """Reduce the groups of each part, then the results of each group."""
    return _in_groups(engine, term, partial(_group, term.key), engine.items(obj))


@lowerings.register(kv_reductionby)
def kv_reductions_by(engine: Parallel, term: kv_reductionby, obj: Any) -> Any:
    """Reduce the values of each part by key, then the results of each key."""
    return _in_groups(engine, term, _group_pairs, engine.items(obj, pairs_of))


@lowerings.register(kv_aggregateby)
def kv_aggregates_by(engine: Parallel, term: kv_aggregateby, obj: Any) -> Items:
    """Group the values of each part, join the groups, then reduce some groups at a time."""
    groups = engine.call(_joined, *engine.over(_group_pairs, engine.items(obj, pairs_of).parts))
    return Items(engine.over(partial(_aggregate_groups, term), engine.items(groups).parts), list)


def _in_groups(engine: Parallel, term: TwoParts, group: Callable[[list[Any]], Groups], items: Items) -> Any:
    if term.perpartition is None:
        groups = engine.call(_joined, *engine.over(group, items.parts))
        return Items(engine.over(partial(_aggregated, term.aggregate), engine.items(groups).parts), list)
    parts = engine.over(partial(_reduce_groups, term.perpartition, group), items.parts)
    return engine.call(partial(_aggregated_all, term.aggregate), *parts)


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


def _group_pairs(items: list[Any]) -> Groups:
    return values_by_key(pairs_of(items))


def _joined(*parts: Groups) -> Pairs:
    return list(_groups(*parts).items())


def _aggregate_groups(term: kv_aggregateby, groups: Pairs) -> Pairs:
    return [(key, {name: func(values) for name, func in term.funcs.items()}) for key, values in groups]


def _reduced(binop: Callable[[Any, Any], Any], init: Any, *parts: Pairs) -> Pairs:
    return list(reduce_values((pair for part in parts for pair in part), binop, init).items())


def _reduce(perpartition: Transform, items: list[Any]) -> Any:
    return perpartition(items) if items else _NOTHING


def _results(perpartition: Transform, *parts: Any) -> list[Any]:
    return [part for part in parts if part is not _NOTHING] or [perpartition([])]


def _reduce_groups(perpartition: Transform, group: Callable[[list[Any]], Groups], items: list[Any]) -> Groups:
    return {key: [perpartition(values)] for key, values in group(items).items()}


def _aggregated(aggregate: Transform, groups: Pairs) -> Pairs:
    return [(key, aggregate(values)) for key, values in groups]


def _aggregated_all(aggregate: Transform, *parts: Groups) -> Pairs:
    return _aggregated(aggregate, _joined(*parts))
