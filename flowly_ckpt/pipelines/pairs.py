"""Transform, group and reduce sequences of (key, value) pairs."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from ..typing import Transform
from .bases import Fields, Named

__all__ = [
    "kv_aggregateby",
    "kv_keymap",
    "kv_reduceby",
    "kv_reductionby",
    "kv_transform",
    "kv_valmap",
]

Pairs = list[tuple[Any, Any]]


def values_by_key(pairs: Iterable[tuple[Any, Any]]) -> dict[Any, list[Any]]:
    groups: dict[Any, list[Any]] = {}
    for key, value in pairs:
        groups.setdefault(key, []).append(value)
    return groups


def reduce_values(pairs: Iterable[tuple[Any, Any]], binop: Callable[[Any, Any], Any], init: Any) -> dict[Any, Any]:
    reduced: dict[Any, Any] = {}
    for key, value in pairs:
        if key in reduced:
            reduced[key] = binop(reduced[key], value)
        else:
            reduced[key] = value if init is ... else binop(init() if callable(init) else init, value)
    return reduced


class kv_transform(Fields):
    """Transform the keys and the values of a sequence of pairs.

    ``kv_transform(f, g)([(k, v)]) == [(f(k), g(v))]``

    >>> kv_transform(str, abs)([(1, -2)])
    [('1', 2)]

    See also: :class:`kv_keymap`, :class:`kv_valmap`.
    """

    __slots__ = _transforms = ("key", "value")

    key: Transform
    value: Transform

    def __init__(self, key: Transform, value: Transform) -> None:
        self._keep(key=key, value=value)

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

    func: Transform

    def __init__(self, func: Transform) -> None:
        self._keep(func=func)

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

    func: Transform

    def __init__(self, func: Transform) -> None:
        self._keep(func=func)

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

    binop: Callable[[Any, Any], Any]
    init: Any

    def __init__(self, binop: Callable[[Any, Any], Any], init: Any = ...) -> None:
        self._keep(binop=binop, init=init)

    def __call__(self, pairs: Iterable[tuple[Any, Any]]) -> Pairs:
        return list(reduce_values(pairs, self.binop, self.init).items())


class TwoParts(Fields):
    """Hold a reduction in two parts: of each partition, then of the partitions' results.

    >>> kv_reductionby(len).aggregate
    <built-in function len>
    """

    __slots__ = _transforms = ("perpartition", "aggregate")

    perpartition: Transform
    aggregate: Transform

    def __init__(self, perpartition: Transform, aggregate: Transform | None = None) -> None:
        self._keep(perpartition=perpartition, aggregate=perpartition if aggregate is None else aggregate)

    def reduce(self, items: Iterable[Any]) -> Any:
        """Reduce items that are all of one partition."""
        return self.aggregate([self.perpartition(items)])


class kv_reductionby(TwoParts):
    """Reduce the values that share a key in two parts.

    ``kv_reductionby(f, g)([(k, a), (k, b)]) == [(k, g([f([a, b])]))]``

    >>> kv_reductionby(len, sum)([("a", 1), ("b", 2), ("a", 3)])
    [('a', 2), ('b', 1)]

    See also: :class:`reductionby`.
    """

    __slots__ = ()

    def __call__(self, pairs: Iterable[tuple[Any, Any]]) -> Pairs:
        return [(key, self.reduce(values)) for key, values in values_by_key(pairs).items()]


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
