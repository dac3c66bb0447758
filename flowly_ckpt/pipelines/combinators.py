"""The combinators that make one transform of several: in a row, side by side, into a dict."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from itertools import chain
from operator import length_hint
from types import CoroutineType

from .awaiting import warn_if_unawaited
from .bases import Named, Row, row_of
from .names import locate
from .term import rebuild

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from ..typing import Transform

__all__ = ["apply_concat", "apply_map_concat", "build_dict", "chained", "itemsetter", "seq"]


class chained(Row):
    """Apply transforms one after another.

    ``chained(f, g, h)(x) == h(g(f(x)))``, ``chained()(x) == x``, ``chained(f) + chained(g) == chained(f, g)``

    An exception raised in a step passes unchanged, with a note that names the step.

    :param funcs: transforms, each a callable of one argument; kept as ``.funcs``.
    :raises TypeError: when a step is not callable.

    >>> chained(abs, float, str)(-3)
    '3.0'
    >>> chained(abs) + chained(float)
    chained(abs, float)

    See also: :func:`toolz.compose`, which reads from right to left.
    """

    __slots__ = ()
    __flowly_role__ = "sequential"

    def __call__(self, obj: Any) -> Any:
        return follow(self, self.funcs, obj)

    def __add__(self, other: object) -> chained:
        if not isinstance(other, chained):
            return NotImplemented
        return chained(*self.funcs, *other.funcs)


def follow(owner: Transform, funcs: Sequence[Transform], obj: Any, start: int = 0) -> Any:
    """Apply the steps of a chain from ``start`` on; an exception gets a note that names the step."""
    rest = iter(funcs[start:] if start else funcs)
    try:
        for func in rest:
            if type(obj) is CoroutineType:
                given, obj = obj, func(obj)
                warn_if_unawaited(given, obj)
            else:
                obj = func(obj)
    except Exception as error:
        locate(error, owner, len(funcs) - length_hint(rest) - 1, obj)
        raise
    return obj


class _Constant:
    def __init__(self, value: Any) -> None:
        self.value = value

    def __call__(self, obj: Any) -> Any:
        return self.value


def assembled(term: Transform, obj: Any, *results: Any) -> Any:
    """Return what a combinator makes of an object where its children give these results."""
    return rebuild(term, [*map(_Constant, results)])(obj)


class seq(Row):
    """Apply every transform to the same object, and list the results.

    ``seq(f, g)(x) == [f(x), g(x)]``, and of what cannot be called ``seq(1, 2) == [1, 2]``

    >>> seq(min, max)([3, 1, 2])
    [1, 3]

    See also: :func:`toolz.juxt` for a tuple, :class:`build_dict` for names.
    """

    __slots__ = ()

    def __new__(cls, *items: Any) -> Any:
        given = row_of(items)
        are_values = isinstance(given, Collection) and given and not any(map(callable, given))
        return [*items] if are_values else super().__new__(cls)

    def __call__(self, obj: Any) -> list[Any]:
        return [func(obj) for func in self.funcs]


class apply_concat(Row):
    """Apply every transform to the same object, and join the sequences they return.

    ``apply_concat(f, g)(x) == [*f(x), *g(x)]``

    >>> apply_concat(sorted, reversed)([2, 1])
    [1, 2, 1, 2]

    See also: :class:`apply_map_concat`, :class:`seq`.
    """

    __slots__ = ()

    def __call__(self, obj: Any) -> list[Any]:
        return list(chain.from_iterable(func(obj) for func in self.funcs))


class apply_map_concat(Row):
    """Apply every transform to every item of a sequence, and join the results, transform by transform.

    ``apply_map_concat(f, g)(xs) == [*map(f, xs), *map(g, xs)]``

    >>> apply_map_concat(abs, float)([-1, 2])
    [1, 2, -1.0, 2.0]

    See also: :class:`apply_concat`.
    """

    __slots__ = ()

    def __call__(self, items: Iterable[Any]) -> list[Any]:
        items = list(items)
        return [func(item) for func in self.funcs for item in items]


class build_dict(Named):
    """Apply every transform to the same object, and keep the results by name.

    ``build_dict(a=f, b=g)(x) == {"a": f(x), "b": g(x)}``

    >>> build_dict(low=min, high=max)([3, 1, 2])
    {'low': 1, 'high': 3}

    See also: :class:`itemsetter`, :class:`seq`.
    """

    __slots__ = ()

    def __call__(self, obj: Any) -> dict[Any, Any]:
        return {name: func(obj) for name, func in self.funcs.items()}


class itemsetter(Named):
    """Copy a mapping with items added or replaced, each computed from the mapping as it came.

    ``itemsetter(b=f)(d) == {**d, "b": f(d)}``

    >>> itemsetter(size=len)({"a": 1})
    {'a': 1, 'size': 1}

    See also: :class:`build_dict`.
    """

    __slots__ = ()

    def __call__(self, mapping: Mapping[Any, Any]) -> dict[Any, Any]:
        return {**mapping, **{name: func(mapping) for name, func in self.funcs.items()}}


#: The combinators that apply each of their transforms to the object itself; so does toolz's ``juxt``.
SIDE_BY_SIDE = (apply_concat, build_dict, itemsetter, seq)
