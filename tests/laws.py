"""Pipelines to state the laws over: steps that count their calls, and a strategy that builds pipelines of them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import hypothesis.strategies as st
import toolz

from flowly_ckpt.checkpoint import checkpoint
from flowly_ckpt.pipelines import build_dict, chained, seq


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
