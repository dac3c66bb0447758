"""Group and reduce: sequences by a key, and sequences of (key, value) pairs.

Every reduction is given in the two parts that a parallel engine needs (per partition, then over the
partitions' results), so that one pipeline means the same everywhere.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any, ClassVar, Self

from ..typing import Transform
from .combinators import Named
from .term import Combinator, require_transforms

__all__ = [
    "aggregate",
    "frequencies",
    "groupby",
    "kv_aggregateby",
    "kv_keymap",
    "kv_reduceby",
    "kv_reductionby",
    "kv_transform",
    "kv_valmap",
    "reduceby",
    "reduction",
    "reductionby",
]

Pairs = list[tuple[Any, Any]]
NO_START = "__no__default__"  # toolz's own word for "begin with the first item"


def _group(key: Transform, items: Iterable[Any]) -> dict[Any, list[Any]]:
    return _values_by_key((key(item), item) for item in items)


def frequencies(items: Iterable[Any]) -> dict[Any, int]:
    """Count how often each item occurs.

    >>> frequencies("abba")
    {'a': 2, 'b': 2}

    See also: :func:`toolz.frequencies`.
    """
    return {key: len(group) for key, group in _group(lambda item: item, items).items()}


class _Fields(Combinator):
    """Keep arguments as attributes; those named in ``_transforms`` are the children."""

    __slots__ = ()
    _transforms: ClassVar[tuple[str, ...]] = ()
    _others: ClassVar[tuple[str, ...]] = ()

    def _keep(self, **arguments: Any) -> None:
        require_transforms(type(self).__name__, [arguments[name] for name in self._transforms])
        for name, value in arguments.items():
            setattr(self, name, value)

    def _head(self) -> tuple[Any, ...]:
        return tuple(getattr(self, name) for name in self._others)

    def _show(self, parts: list[str]) -> list[str]:
        return parts + [getattr(value, "__name__", repr(value)) for value in self._head() if value != NO_START]

    def __flowly_children__(self) -> tuple[Transform, ...]:
        return tuple(getattr(self, name) for name in self._transforms)

    def __flowly_rebuild__(self, parts: Sequence[Transform]) -> Self:
        return type(self)(*parts, *self._head())

    def __reduce__(self) -> tuple[Any, ...]:
        return (type(self), (*self.__flowly_children__(), *self._head()))


class groupby(_Fields):
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


class reduceby(_Fields):
    """Reduce the items of each group with a function of two arguments.

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

    def __init__(self, key: Transform, binop: Callable[[Any, Any], Any], init: Any = NO_START) -> None:
        self._keep(key=key, binop=binop, init=init)

    def __call__(self, items: Iterable[Any]) -> dict[Any, Any]:
        return _reduce_values(((self.key(item), item) for item in items), self.binop, self.init)


class reduction(_Fields):
    """Reduce each partition of a sequence, then the partitions' results; here there is one partition.

    ``reduction(f, g)(xs) == g([f(xs)])``, ``reduction(f) == reduction(f, f)``

    >>> reduction(sum)([1, 2, 3])
    6
    >>> reduction(len, sum)("abc")
    3

    See also: :class:`reductionby`.
    """

    __slots__ = _transforms = ("perpartition", "aggregate")

    perpartition: Transform
    aggregate: Transform

    def __init__(self, perpartition: Transform, aggregate: Transform | None = None) -> None:
        self._keep(perpartition=perpartition, aggregate=perpartition if aggregate is None else aggregate)

    def __call__(self, items: Iterable[Any]) -> Any:
        return self.aggregate([self.perpartition(items)])


class reductionby(_Fields):
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


class kv_transform(_Fields):
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


class kv_keymap(_Fields):
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


class kv_valmap(_Fields):
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


def _values_by_key(pairs: Iterable[tuple[Any, Any]]) -> dict[Any, list[Any]]:
    groups: dict[Any, list[Any]] = {}
    for key, value in pairs:
        groups.setdefault(key, []).append(value)
    return groups


class kv_reduceby(_Fields):
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

    def __init__(self, binop: Callable[[Any, Any], Any], init: Any = NO_START) -> None:
        self._keep(binop=binop, init=init)

    def __call__(self, pairs: Iterable[tuple[Any, Any]]) -> Pairs:
        return list(_reduce_values(pairs, self.binop, self.init).items())


def _reduce_values(pairs: Iterable[tuple[Any, Any]], binop: Callable[[Any, Any], Any], init: Any) -> dict[Any, Any]:
    reduced: dict[Any, Any] = {}
    for key, value in pairs:
        if key in reduced:
            reduced[key] = binop(reduced[key], value)
        else:
            reduced[key] = value if init == NO_START else binop(init() if callable(init) else init, value)
    return reduced


class kv_reductionby(_Fields):
    """Reduce the values that share a key in two parts.

    ``kv_reductionby(f, g)([(k, a), (k, b)]) == [(k, g([f([a, b])]))]``

    >>> kv_reductionby(len, sum)([("a", 1), ("b", 2), ("a", 3)])
    [('a', 2), ('b', 1)]

    See also: :class:`reductionby`.
    """

    __slots__ = _transforms = ("perpartition", "aggregate")

    perpartition: Transform
    aggregate: Transform

    def __init__(self, perpartition: Transform, aggregate: Transform | None = None) -> None:
        self._keep(perpartition=perpartition, aggregate=perpartition if aggregate is None else aggregate)

    def __call__(self, pairs: Iterable[tuple[Any, Any]]) -> Pairs:
        groups = _values_by_key(pairs)
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
        groups = _values_by_key(pairs)
        return [(key, {name: func(values) for name, func in self.funcs.items()}) for key, values in groups.items()]
