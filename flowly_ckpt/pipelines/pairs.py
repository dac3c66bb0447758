"""Transform, group and reduce sequences of (key, value) pairs; a mapping is read as that of its items."""

from __future__ import annotations

import functools
import itertools
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from ..typing import Transform
from .bases import Fields, OfOne
from .combinators import chained
from .grouping import Binop, Columns, Pairs, TwoParts, aggregate, reduce_values, reduction, values_by_key
from .names import name_of

__all__ = [
    "collect", "kv_aggregateby", "kv_keymap", "kv_map", "kv_mapcat", "kv_reduceby", "kv_reductionby", "kv_transform",
    "kv_valmap",
]  # fmt: skip

Given = Iterable[tuple[Any, Any]] | Mapping[Any, Any]


def pairs_of(given: Given) -> Iterable[tuple[Any, Any]]:
    """Return pairs as they are, and a mapping's items.

    :raises TypeError: at an item that is text.

    >>> list(pairs_of({"ab": 1}))
    [('ab', 1)]
    """
    return given.items() if isinstance(given, Mapping) else map(_pair, given)


def _pair(given: tuple[Any, Any]) -> tuple[Any, Any]:
    if isinstance(given, str):  # one of two letters would come apart
        raise TypeError(f"a sequence of (key, value) pairs is needed, got the item {given!r:.60}")
    return given


class kv_map(Fields):
    """Transform the keys and the values of a sequence of pairs.

    ``kv_map(f, g)([(k, v)]) == [(f(k), g(v))]``

    >>> kv_map(str, abs)([(1, -2)])
    [('1', 2)]

    See also: :class:`kv_keymap`, :class:`kv_valmap`.
    """

    __slots__ = _transforms = ("key", "value")

    def __init__(self, key: Transform, value: Transform) -> None:
        self.key, self.value = key, value
        self._check()

    def __call__(self, pairs: Given) -> Pairs:
        return [(self.key(key), self.value(value)) for key, value in pairs_of(pairs)]


class kv_keymap(OfOne):
    """Transform the keys of a sequence of pairs.

    ``kv_keymap(f)([(k, v)]) == [(f(k), v)]``

    >>> kv_keymap(str)([(1, 2)])
    [('1', 2)]

    See also: :class:`kv_map`.
    """

    __slots__ = ()

    def __call__(self, pairs: Given) -> Pairs:
        return [(self.func(key), value) for key, value in pairs_of(pairs)]


class kv_valmap(OfOne):
    """Transform the values of a sequence of pairs.

    ``kv_valmap(f)([(k, v)]) == [(k, f(v))]``

    >>> kv_valmap(str)([(1, 2)])
    [(1, '2')]

    See also: :class:`kv_map`.
    """

    __slots__ = ()

    def __call__(self, pairs: Given) -> Pairs:
        return [(key, self.func(value)) for key, value in pairs_of(pairs)]


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

    def __call__(self, pairs: Given) -> Pairs:
        return list(reduce_values(pairs_of(pairs), self.binop, self.init).items())


class kv_reductionby(TwoParts):
    """Reduce the values that share a key in two parts.

    ``kv_reductionby(f, g)([(k, a), (k, b)]) == [(k, g([f([a, b])]))]``,
    ``kv_reductionby(g) == kv_reductionby(None, g)``

    >>> kv_reductionby(len, sum)([("a", 1), ("b", 2), ("a", 3)])
    [('a', 2), ('b', 1)]
    >>> kv_reductionby(list)([("a", 1), ("b", 2), ("a", 3)])
    [('a', [1, 3]), ('b', [2])]

    See also: :class:`reductionby`.
    """

    __slots__ = ()

    def __call__(self, pairs: Given) -> Pairs:
        return [(key, self.reduce(values)) for key, values in values_by_key(pairs_of(pairs)).items()]


collect = kv_reductionby(list)


class kv_aggregateby(Columns):
    """Compute several reductions of the values that share a key, by name, or of what these have at some keys.

    ``kv_aggregateby(n=len)([(k, a), (k, b)]) == [(k, {"n": 2})]``

    >>> kv_aggregateby(n=len, top=max)([("a", 1), ("a", 3)])
    [('a', {'n': 2, 'top': 3})]
    >>> kv_aggregateby({"v": [min, max]})([("a", {"v": 1}), ("a", {"v": 3})])
    [('a', {('v', 'min'): 1, ('v', 'max'): 3})]

    See also: :class:`aggregate`.
    """

    __slots__ = ()

    def __call__(self, pairs: Given) -> Pairs:
        groups = values_by_key(pairs_of(pairs))
        return [(key, {name: func(values) for name, func in self.funcs.items()}) for key, values in groups.items()]


class kv_mapcat(OfOne):
    """Pair a key with every item that a transform makes of its value.

    ``kv_mapcat(f)([(k, v)]) == [(k, item) for item in f(v)]``

    >>> kv_mapcat(str.split)([("a", "x y")])
    [('a', 'x'), ('a', 'y')]

    See also: :class:`kv_valmap`, :func:`toolz.mapcat`.
    """

    __slots__ = ()

    def __call__(self, pairs: Given) -> Pairs:
        return [(key, item) for key, value in pairs_of(pairs) for item in self.func(value)]


def kv_transform(transform: Transform) -> Transform:
    """Make a transform of a sequence of values one of a sequence of pairs: of the values that share a key.

    It knows ``map``, ``reduce`` and ``mapcat`` of :mod:`toolz.curried` (or as a :func:`~functools.partial`),
    ``toolz.concat``, :class:`reduction`, :class:`aggregate`, and chains of them.

    :raises ValueError: for a transform that it does not know.

    >>> from functools import partial
    >>> squares = chained(partial(map, lambda x: x * x), reduction(None, sum))
    >>> kv_transform(squares)([("even", 2), ("odd", 3), ("even", 4)])
    [('even', 20), ('odd', 9)]

    See also: :class:`kv_valmap`, for a transform of each value.
    """
    if isinstance(transform, chained):
        return chained(*map(kv_transform, transform.funcs))
    if isinstance(transform, reduction):
        return kv_reductionby(transform.perpartition, transform.aggregate)
    if isinstance(transform, aggregate):
        return kv_aggregateby.of(transform.funcs)
    if transform == itertools.chain.from_iterable or _is_toolz(transform, "concat"):
        return kv_mapcat(chained())
    func, given = getattr(transform, "func", None), getattr(transform, "args", ())
    if len(given) == 1 and not getattr(transform, "keywords", None):
        makers: dict[Any, Callable[[Any], Transform]] = {map: kv_valmap, functools.reduce: kv_reduceby}
        make = kv_mapcat if _is_toolz(func, "mapcat") else makers.get(func)
        if make is not None:
            return make(*given)
    name = name_of(transform)
    raise ValueError(
        f"kv_transform does not know what {name!r} means for pairs; "
        f"kv_valmap({name}) applies it to each value, kv_reductionby({name}) to the values of a key"
    )


def _is_toolz(func: Any, name: str) -> bool:
    module = str(getattr(func, "__module__", "")).partition(".")[0]
    return getattr(func, "__name__", "") == name and module in ("toolz", "cytoolz")
