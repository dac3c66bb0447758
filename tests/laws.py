"""Pipelines to state the laws over: steps that count their calls, and a strategy that builds pipelines of them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from operator import sub
from typing import Any

import hypothesis.strategies as st
import toolz
import toolz.curried

from flowly_ckpt.checkpoint import checkpoint
from flowly_ckpt.pipelines import (
    aggregate,
    apply_concat,
    apply_map_concat,
    attempt,
    build_dict,
    chained,
    frequencies,
    groupby,
    itemsetter,
    kv_aggregateby,
    kv_keymap,
    kv_map,
    kv_mapcat,
    kv_reduceby,
    kv_reductionby,
    kv_valmap,
    reduceby,
    reduction,
    reductionby,
    seq,
)
from flowly_ckpt.pipelines import each as each_of


class Counted:
    """A step that counts its calls; the count is no part of what it is."""

    def __init__(self, function: Callable[[Any], Any]) -> None:
        self.function = function
        self.calls = 0

    def __call__(self, obj: Any) -> Any:
        self.calls += 1
        return self.function(obj)

    def __reduce__(self) -> Any:
        return (Counted, (self.function,))

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Counted) and other.function is self.function

    def __hash__(self) -> int:
        return hash(self.function)

    def __repr__(self) -> str:
        return self.function.__name__


class LoggedTarget(dict[Any, Any]):
    """A dict that counts what is loaded from it."""

    loads = 0

    def __getitem__(self, key: Any) -> Any:
        value = super().__getitem__(key)
        self.loads += 1
        return value


def increment(n: int) -> int:
    return n + 1


def double(n: int) -> int:
    return 2 * n


def negate(n: int) -> int:
    return -n


def spread(n: int) -> list[int]:
    return [n, n + 1]


def total(values: Any) -> int:
    return sum(values.values() if isinstance(values, dict) else values)


LEAVES = (increment, double, negate)


def steps_in(events: list[Any]) -> list[Any]:
    """Return the events that tell how a step ended."""
    ended = [event for event in events if getattr(event, "kind", "run") in ("run", "failed")]
    return [event for event in ended if getattr(event, "of", "step") == "step"]


def pipelines(target: Any, marks: bool = True) -> st.SearchStrategy[Any]:
    """Build transforms from int to int out of every kind of combinator, with marks into ``target``."""
    leaf = st.sampled_from(LEAVES)
    mark = st.sampled_from([checkpoint(target, tag) for tag in ("a", "b")]) if marks else leaf
    return st.recursive(st.one_of(leaf, mark), _combined, max_leaves=12)


def _combined(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    pair = st.tuples(inner, inner)
    return st.one_of(
        st.lists(inner, max_size=4).map(lambda steps: chained(*steps)),
        pair.map(lambda fs: toolz.compose(*fs)),
        pair.map(lambda fs: chained(seq(*fs), total)),
        pair.map(lambda fs: chained(toolz.juxt(*fs), total)),
        pair.map(lambda fs: chained(build_dict(a=fs[0], b=fs[1]), total)),
        inner.map(lambda f: chained(spread, toolz.curry(map)(f), total)),
    )


def is_even(n: int) -> bool:
    return n % 2 == 0


def pair(n: int) -> tuple[int, int]:
    return n % 3, n


def realised(value: Any) -> Any:
    """Return the items of an iterator, with its kind; anything else as it is."""
    return ("iterator", list(value)) if isinstance(value, Iterator) else value


def sequences(target: Any) -> st.SearchStrategy[Any]:
    """Build transforms of lists of ints out of everything that works on items, with marks into ``target``."""
    each = pipelines(target)
    two = st.tuples(each, each)
    mark = st.sampled_from([(), (checkpoint(target, "items"),)])
    middle = st.one_of(
        each.map(lambda f: toolz.curry(map)(f)),
        each.map(lambda f: partial(map, f)),
        each.map(each_of),
        each.map(attempt),
        st.just(partial(filter, is_even)),
        st.just(toolz.curry(toolz.mapcat)(spread)),
        st.just(sorted),
        two.map(lambda fs: apply_map_concat(*fs)),
    )
    end = st.one_of(
        st.sampled_from(
            [
                list,
                total,
                frequencies,
                reduction(sum),
                reduction(None, total),
                chained(list, reduction(len, sum)),
                kv_pairs(kv_reduceby(sub)),
            ]
        ),
        each.map(lambda f: toolz.curry(map)(f)),
        each.map(groupby),
        each.map(lambda f: reduceby(f, sub)),
        each.map(lambda f: reductionby(f, len, sum)),
        each.map(lambda f: aggregate(n=len, total=sum, largest=reduction(partial(max, default=0)))),
        two.map(lambda fs: kv_pairs(kv_map(*fs), kv_reductionby(len, sum))),
        each.map(lambda f: kv_pairs(kv_mapcat(spread), kv_valmap(f), kv_reductionby(list))),
        two.map(lambda fs: kv_pairs(kv_keymap(fs[0]), kv_valmap(fs[1]), kv_aggregateby(n=len, top=max))),
        two.map(lambda fs: chained(list, seq(chained(toolz.curry(map)(fs[0]), list), chained(sum, fs[1])))),
        each.map(lambda f: chained(list, apply_concat(sorted, toolz.curry(map)(f)))),
        each.map(lambda f: chained(list, build_dict(a=len), itemsetter(b=chained(toolz.curried.get("a"), f)))),
    )
    steps = st.tuples(st.lists(middle, max_size=2), mark, end, mark)
    return steps.map(lambda parts: chained(*parts[0], *parts[1], parts[2], *parts[3]))


def kv_pairs(*steps: Any) -> Any:
    return chained(partial(map, pair), *steps)
