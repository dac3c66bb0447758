"""Group and reduce sequences of items, and of (key, value) pairs.

A reduction is given in the two parts that a parallel engine needs (of each partition, then of the partitions'
results), so that one pipeline means the same everywhere.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from typing import Any

from ..typing import Transform
from .bases import Fields, Named

__all__ = [
    "aggregate", "frequencies", "groupby", "kv_aggregateby", "kv_keymap", "kv_reduceby", "kv_reductionby",
    "kv_transform", "kv_valmap", "reduceby", "reduction", "reductionby",
]  # fmt: skip

Pairs = list[tuple[Any, Any]]
Binop = Callable[[Any, Any], Any]


def values_by_key(pairs: Iterable[tuple[Any, Any]]) -> dict[Any, list[Any]]:
    groups: dict[Any, list[Any]] = {}
    for key, value in pairs:
        groups.setdefault(key, []).append(value)
    return groups


def reduce_values(pairs: Iterable[tuple[Any, Any]], binop: Binop, init: Any) -> dict[Any, Any]:
    reduced: dict[Any, Any] = {}
    for key, value in pairs:
        if key in reduced:
            reduced[key] = binop(reduced[key], value)
        else:
            reduced[key] = value if init is ... else binop(init() if callable(init) else init, value)
    return reduced


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

    def __init__(self, key: Transform) -> None:
        self.key = key
        self._check()

    def __call__(self, items: Iterable[Any]) -> dict[Any, list[Any]]:
        return values_by_key((self.key(item), item) for item in items)


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

    def __init__(self, key: Transform, binop: Binop, init: Any = ...) -> None:
        self.key, self.binop, self.init = key, binop, init
        self._check()

    def __call__(self, items: Iterable[Any]) -> dict[Any, Any]:
        return reduce_values(((self.key(item), item) for item in items), self.binop, self.init)


class TwoParts(Fields):
    """Base class of reductions in two parts: of each partition, then of the partitions' results.

    >>> kv_reductionby(len).aggregate
    <built-in function len>
    """

    __slots__ = _transforms = ("perpartition", "aggregate")

    def __init__(self, perpartition: Transform, aggregate: Transform | None = None) -> None:
        self.perpartition = perpartition
        self.aggregate = perpartition if aggregate is None else aggregate
        self._check()


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
        return self.aggregate([self.perpartition(items)])


class reductionby(Fields):
    """Reduce the items of each group in two parts.

    ``reductionby(k, f, g)(xs) == valmap(reduction(f, g), groupby(k)(xs))``

    >>> reductionby(abs, len, sum)([1, -1, 2])
    {1: 2, 2: 1}

    See also: :class:`reduction`, :class:`groupby`.
    """

    __slots__ = _transforms = ("key", "perpartition", "aggregate")

    def __init__(self, key: Transform, perpartition: Transform, aggregate: Transform | None = None) -> None:
        self.key, self.perpartition = key, perpartition
        self.aggregate = perpartition if aggregate is None else aggregate
        self._check()

    def __call__(self, items: Iterable[Any]) -> dict[Any, Any]:
        groups = groupby(self.key)(items)
        return {key: self.aggregate([self.perpartition(group)]) for key, group in groups.items()}


class aggregate(Named):
    """Compute several reductions of one sequence, by name.

    ``aggregate(a=f, b=g)(xs) == {"a": f(xs), "b": g(xs)}``, where ``xs`` is read once

    >>> aggregate(n=len, total=sum)(iter([1, 2, 3]))
    {'n': 3, 'total': 6}

    See also: :class:`flowly_ckpt.pipelines.build_dict` for objects of any type.
    """

    __slots__ = ()

    def __call__(self, items: Iterable[Any]) -> dict[Any, Any]:
        items = list(items)
        return {name: func(items) for name, func in self.funcs.items()}


class kv_transform(Fields):
    """Transform the keys and the values of a sequence of pairs.

    ``kv_transform(f, g)([(k, v)]) == [(f(k), g(v))]``

    >>> kv_transform(str, abs)([(1, -2)])
    [('1', 2)]

    See also: :class:`kv_keymap`, :class:`kv_valmap`.
    """

    __slots__ = _transforms = ("key", "value")

    def __init__(self, key: Transform, value: Transform) -> None:
        self.key, self.value = key, value
        self._check()

    def __call__(self, pairs: Iterable[tuple[Any, Any]]) -> Pairs:
        return [(self.key(key), self.value(value)) for key, value in pairs]


class kv_keymap(Fields):
    """Transform the keys of a sequence of pairs.

    ``kv_keymap(f)([(k, v)]) == [(f(k), v)]``

    >>> kv_keymap(str)([(1, 2)])
    [('1', 2)]

    See also: :class:`kv_transform`.
    """

    __slots__ = _transforms = ("func",)

    def __init__(self, func: Transform) -> None:
        self.func = func
        self._check()

    def __call__(self, pairs: Iterable[tuple[Any, Any]]) -> Pairs:
        return [(self.func(key), value) for key, value in pairs]


class kv_valmap(Fields):
    """Transform the values of a sequence of pairs.

    ``kv_valmap(f)([(k, v)]) == [(k, f(v))]``

    >>> kv_valmap(str)([(1, 2)])
    [(1, '2')]

    See also: :class:`kv_transform`.
    """

    __slots__ = _transforms = ("func",)

    def __init__(self, func: Transform) -> None:
        self.func = func
        self._check()

    def __call__(self, pairs: Iterable[tuple[Any, Any]]) -> Pairs:
        return [(key, self.func(value)) for key, value in pairs]


class kv_reduceby(Fields):
    """Reduce the values that share a key with a function of two arguments.

    ``kv_reduceby(op)([(k, a), (k, b)]) == [(k, op(a, b))]``

    >>> from operator import add
    >>> kv_reduceby(add)([("a", 1), ("b", 2), ("a", 3)])
    [('a', 4), ('b', 2)]

    See also: :class:`kv_reductionby`.
    """

    __slots__ = _others = ("binop", "init")

    def __init__(self, binop: Binop, init: Any = ...) -> None:
        self.binop, self.init = binop, init
        self._check()

    def __call__(self, pairs: Iterable[tuple[Any, Any]]) -> Pairs:
        return list(reduce_values(pairs, self.binop, self.init).items())


class kv_reductionby(TwoParts):
    """Reduce the values that share a key in two parts.

    ``kv_reductionby(f, g)([(k, a), (k, b)]) == [(k, g([f([a, b])]))]``

    >>> kv_reductionby(len, sum)([("a", 1), ("b", 2), ("a", 3)])
    [('a', 2), ('b', 1)]

    See also: :class:`reductionby`.
    """

    __slots__ = ()

    def __call__(self, pairs: Iterable[tuple[Any, Any]]) -> Pairs:
        groups = values_by_key(pairs)
        return [(key, self.aggregate([self.perpartition(values)])) for key, values in groups.items()]


class kv_aggregateby(Named):
    """Compute several reductions of the values that share a key, by name.

    ``kv_aggregateby(n=len)([(k, a), (k, b)]) == [(k, {"n": 2})]``

    >>> kv_aggregateby(n=len, top=max)([("a", 1), ("a", 3)])
    [('a', {'n': 2, 'top': 3})]

    See also: :class:`aggregate`.
    """

    __slots__ = ()

    def __call__(self, pairs: Iterable[tuple[Any, Any]]) -> Pairs:
        groups = values_by_key(pairs)
        return [(key, {name: func(values) for name, func in self.funcs.items()}) for key, values in groups.items()]
