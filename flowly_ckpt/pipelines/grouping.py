"""Group and reduce sequences of items; what has a key comes out as (key, value) pairs.

A reduction is given in the two parts that a parallel engine needs (of each partition, then of the partitions'
results), so that one pipeline means the same everywhere.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, ClassVar, Self

from ..typing import Transform
from .bases import Fields, Named
from .combinators import chained
from .items import values_at
from .names import name_of

__all__ = ["Columns", "TwoParts", "aggregate", "frequencies", "groupby", "reduceby", "reduction", "reductionby"]

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


def frequencies(items: Iterable[Any]) -> Pairs:
    """Count how often each item occurs.

    >>> frequencies("abba")
    [('a', 2), ('b', 2)]

    See also: :func:`toolz.frequencies`, which returns a dict.
    """
    return list(Counter(items).items())


class groupby(Fields):
    """Group the items of a sequence by a key.

    ``groupby(f)(xs) == [(k, [x for x in xs if f(x) == k]), …]``

    >>> groupby(len)(["a", "bb", "c"])
    [(1, ['a', 'c']), (2, ['bb'])]

    See also: :class:`reduceby`; :func:`toolz.groupby`, which returns a dict.
    """

    __slots__ = _transforms = ("key",)

    def __init__(self, key: Transform) -> None:
        self.key = key
        self._check()

    def __call__(self, items: Iterable[Any]) -> Pairs:
        return list(values_by_key((self.key(item), item) for item in items).items())


class reduceby(Fields):
    """Reduce the items of each group with a function of two arguments, from ``init`` where it is given.

    ``reduceby(f, op) == chained(groupby(f), kv_valmap(partial(reduce, op)))``

    >>> from operator import add
    >>> reduceby(abs, add)([1, -1, 2])
    [(1, 0), (2, 2)]

    See also: :class:`reductionby`; :func:`toolz.reduceby`, which returns a dict.
    """

    __slots__ = ("binop", "init", "key")
    _transforms = ("key",)
    _others = ("binop", "init")

    def __init__(self, key: Transform, binop: Binop, init: Any = ...) -> None:
        self.key, self.binop, self.init = key, binop, init
        self._check()

    def __call__(self, items: Iterable[Any]) -> Pairs:
        return list(reduce_values(((self.key(item), item) for item in items), self.binop, self.init).items())


class TwoParts(Fields):
    """Base class of reductions in two parts: of each partition, then of the partitions' results.

    Without the first part, the second is given all values at once.

    >>> reduction(sum) == reduction(None, sum)
    True
    """

    __slots__ = ("aggregate", "perpartition")
    _transforms: ClassVar[tuple[str, ...]] = ("perpartition", "aggregate")
    _optional = ("perpartition",)

    def __init__(self, perpartition: Transform | None, aggregate: Transform | None = None) -> None:
        self.perpartition, self.aggregate = _parts(perpartition, aggregate)
        self._check()

    def reduce(self, values: Any) -> Any:
        """Reduce the values of one partition, which is all of them."""
        return self.aggregate(values if self.perpartition is None else [self.perpartition(values)])


def _parts(perpartition: Transform | None, aggregate: Transform | None) -> tuple[Transform | None, Any]:
    return (None, perpartition) if aggregate is None else (perpartition, aggregate)


class reduction(TwoParts):
    """Reduce each partition of a sequence, then the partitions' results; here there is one partition.

    ``reduction(f, g)(xs) == g([f(xs)])``, ``reduction(None, g)(xs) == g(xs)``, ``reduction(g) == reduction(None, g)``

    >>> reduction(len, sum)("abc")
    3
    >>> reduction(len)("abc")
    3

    See also: :class:`reductionby`.
    """

    __slots__ = ()

    def __call__(self, items: Iterable[Any]) -> Any:
        return self.reduce(items)


class reductionby(TwoParts):
    """Reduce the items of each group in two parts.

    ``reductionby(k, f, g) == chained(groupby(k), kv_valmap(reduction(f, g)))``

    >>> reductionby(abs, len, sum)([1, -1, 2])
    [(1, 2), (2, 1)]

    See also: :class:`reduction`, :class:`groupby`.
    """

    __slots__ = ("key",)
    _transforms = ("key", *TwoParts._transforms)

    def __init__(self, key: Transform, perpartition: Transform | None, aggregate: Transform | None = None) -> None:
        self.key = key
        super().__init__(perpartition, aggregate)

    def __call__(self, items: Iterable[Any]) -> Pairs:
        return [(key, self.reduce(group)) for key, group in groupby(self.key)(items)]


class Columns(Named):
    """Base class of several reductions by name; a mapping gives, for each key of the items, what reduces its values.

    ``aggregate({"v": [min, max]}) == aggregate(**{…: chained(values_at("v"), min), …})``, under ``("v", "min")`` and
    ``("v", "max")``

    >>> list(aggregate({"v": [min, max], "n": len}).funcs)
    [('v', 'min'), ('v', 'max'), ('n', 'len')]
    """

    __slots__ = ()

    def __init__(self, *specs: Mapping[Any, Any], **funcs: Transform) -> None:
        super().__init__(*[self._spelt(spec) for spec in specs], **funcs)

    def _spelt(self, spec: Any) -> dict[Any, Transform]:
        if not isinstance(spec, Mapping):
            raise TypeError(f"{type(self).__name__}: give functions by key, as {{'v': [min, max]}}, got {spec!r:.60}")
        found: dict[Any, Transform] = {}
        for key, given in spec.items():
            for func in given if isinstance(given, Sequence) and not isinstance(given, str) else [given]:
                if not callable(func):
                    raise TypeError(
                        f"{type(self).__name__}: {key!r:.60} is {given!r:.60}; give a function, or a list of them"
                    )
                name = (key, name_of(func))
                if name in found:
                    raise ValueError(f"{type(self).__name__}: two functions {name[1]!r} for {key!r}; name them by def")
                found[name] = chained(values_at(key), func)
        return found

    def _show(self, parts: list[str]) -> list[str]:
        shown = [f"{name}={part}" if isinstance(name, str) else f"{name!r}: {part}"
                 for name, part in zip(self.funcs, parts)]  # fmt: skip
        return shown + parts[len(self.funcs) :]

    def __flowly_rebuild__(self, parts: Sequence[Transform]) -> Self:
        return self.of(dict(zip(self.funcs, parts)))

    def __reduce__(self) -> tuple[Any, ...]:
        return (type(self).of, (self.funcs,))

    @classmethod
    def of(cls, funcs: Mapping[Any, Transform]) -> Self:
        """Return the reductions of whole sequences by name, whatever the names are."""
        made = cls()
        Named.__init__(made, funcs)
        return made


class aggregate(Columns):
    """Compute several reductions of one sequence, by name, or of the values that its items have at some keys.

    ``aggregate(a=f, b=g)(xs) == {"a": f(xs), "b": g(xs)}``, where ``xs`` is read once, and
    ``aggregate({"v": [f, g]})(xs) == {("v", "f"): f([x["v"] for x in xs]), ("v", "g"): g([x["v"] for x in xs])}``

    >>> aggregate(n=len, total=sum)(iter([1, 2, 3]))
    {'n': 3, 'total': 6}
    >>> aggregate({"v": [min, max]}, n=len)([{"v": 1}, {"v": 3}])
    {('v', 'min'): 1, ('v', 'max'): 3, 'n': 2}

    See also: :class:`flowly_ckpt.pipelines.build_dict` for objects of any type.
    """

    __slots__ = ()

    def __call__(self, items: Iterable[Any]) -> dict[Any, Any]:
        items = list(items)
        return {name: func(items) for name, func in self.funcs.items()}
