"""Group and reduce sequences by a key.

Every reduction is given in the two parts that a parallel engine needs (per partition, then over the
partitions' results), so that one pipeline means the same everywhere.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from typing import Any

from ..typing import Transform
from .bases import Fields, Named
from .pairs import TwoParts, reduce_values, values_by_key

__all__ = [
    "aggregate",
    "frequencies",
    "groupby",
    "reduceby",
    "reduction",
    "reductionby",
]


def _group(key: Transform, items: Iterable[Any]) -> dict[Any, list[Any]]:
    return values_by_key((key(item), item) for item in items)


def frequencies(items: Iterable[Any]) -> dict[Any, int]:
    """Count how often each item occurs.

    >>> frequencies("abba")
    {'a': 2, 'b': 2}

    See also: :func:`toolz.frequencies`.
    """
    return dict(Counter(items))


class groupby(Fields):
    """Group the items of a sequence by a key.

    ``groupby(f)(xs) == {k: [x for x in xs if f(x) == k], …}``

    >>> groupby(len)(["a", "bb", "c"])
    {1: ['a', 'c'], 2: ['bb']}

    See also: :class:`reduceby`, :func:`toolz.groupby`.
    """

    __slots__ = _transforms = ("key",)

    key: Transform

    def __init__(self, key: Transform) -> None:
        self._keep(key=key)

    def __call__(self, items: Iterable[Any]) -> dict[Any, list[Any]]:
        return _group(self.key, items)


class reduceby(Fields):
    """Reduce the items of each group with a function of two arguments, from ``init`` where it is given.

    ``reduceby(f, op)(xs) == valmap(partial(reduce, op), groupby(f)(xs))``

    >>> from operator import add
    >>> reduceby(abs, add)([1, -1, 2])
    {1: 0, 2: 2}

    See also: :class:`reductionby`, :func:`toolz.reduceby`.
    """

    __slots__ = ("binop", "init", "key")
    _transforms = ("key",)
    _others = ("binop", "init")

    binop: Callable[[Any, Any], Any]
    init: Any
    key: Transform

    def __init__(self, key: Transform, binop: Callable[[Any, Any], Any], init: Any = ...) -> None:
        self._keep(key=key, binop=binop, init=init)

    def __call__(self, items: Iterable[Any]) -> dict[Any, Any]:
        return reduce_values(((self.key(item), item) for item in items), self.binop, self.init)


class reduction(TwoParts):
    """Reduce each partition of a sequence, then the partitions' results; here there is one partition.

    ``reduction(f, g)(xs) == g([f(xs)])``, ``reduction(f) == reduction(f, f)``

    >>> reduction(sum)([1, 2, 3])
    6
    >>> reduction(len, sum)("abc")
    3

    See also: :class:`reductionby`.
    """

    __slots__ = ()

    def __call__(self, items: Iterable[Any]) -> Any:
        return self.reduce(items)


class reductionby(Fields):
    """Reduce the items of each group in two parts.

    ``reductionby(k, f, g)(xs) == valmap(reduction(f, g), groupby(k)(xs))``

    >>> reductionby(abs, len, sum)([1, -1, 2])
    {1: 2, 2: 1}

    See also: :class:`reduction`, :class:`groupby`.
    """

    __slots__ = _transforms = ("key", "perpartition", "aggregate")

    key: Transform
    perpartition: Transform
    aggregate: Transform

    def __init__(self, key: Transform, perpartition: Transform, aggregate: Transform | None = None) -> None:
        self._keep(key=key, perpartition=perpartition, aggregate=perpartition if aggregate is None else aggregate)

    def __call__(self, items: Iterable[Any]) -> dict[Any, Any]:
        groups = _group(self.key, items)
        return {key: self.aggregate([self.perpartition(group)]) for key, group in groups.items()}


class aggregate(Named):
    """Compute several reductions of one sequence, by name.

    ``aggregate(a=f, b=g)(xs) == {"a": f(xs), "b": g(xs)}``, where ``xs`` is read once

    >>> aggregate(n=len, total=sum)(iter([1, 2, 3]))
    {'n': 3, 'total': 6}

    See also: :class:`flowly_ckpt.pipelines.build_dict` for objects that are no sequences.
    """

    __slots__ = ()

    def __call__(self, items: Iterable[Any]) -> dict[Any, Any]:
        items = list(items)
        return {name: func(items) for name, func in self.funcs.items()}
