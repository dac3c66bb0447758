"""The combinators that make one transform of several: in a row, side by side, into a dict."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import chain
from typing import Any, Self

from ..typing import Transform
from .names import locate
from .term import Combinator, require_transforms

__all__ = ["apply_concat", "apply_map_concat", "build_dict", "chained", "itemsetter", "seq"]


class _Row(Combinator):
    """Hold transforms in a row, given one by one or as one sequence."""

    __slots__ = ("funcs",)

    funcs: tuple[Transform, ...]

    def __init__(self, *funcs: Transform | Iterable[Transform]) -> None:
        given = funcs[0] if len(funcs) == 1 and not callable(funcs[0]) and isinstance(funcs[0], Iterable) else funcs
        self.funcs = require_transforms(type(self).__name__, given)

    def __flowly_children__(self) -> tuple[Transform, ...]:
        return self.funcs

    def __flowly_rebuild__(self, parts: Sequence[Transform]) -> Self:
        return type(self)(*parts)

    def __reduce__(self) -> tuple[Any, ...]:
        return (type(self), self.funcs)

    def __iter__(self) -> Iterator[Transform]:
        return iter(self.funcs)

    def __len__(self) -> int:
        return len(self.funcs)

    def __bool__(self) -> bool:
        return True


class chained(_Row):
    """Apply transforms one after another.

    ``chained(f, g, h)(x) == h(g(f(x)))``, ``chained()(x) == x``, ``chained(f) + chained(g) == chained(f, g)``

    An exception raised in a step passes unchanged, with a note that says in which.

    :param funcs: transforms, each a callable of one argument; ``.funcs`` gives them back.
    :raises TypeError: when a step cannot be called.

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
    """Apply the steps of a chain from ``start`` on, noting on an exception which one it came from."""
    index = start
    try:
        for func in funcs[start:] if start else funcs:
            obj = func(obj)
            index += 1
    except Exception as error:
        locate(error, owner, index)
        raise
    return obj


class seq(_Row):
    """Apply every transform to the same object, and list the results.

    ``seq(f, g)(x) == [f(x), g(x)]``

    >>> seq(min, max)([3, 1, 2])
    [1, 3]

    See also: :func:`toolz.juxt` for a tuple, :class:`build_dict` for names.
    """

    __slots__ = ()

    def __call__(self, obj: Any) -> list[Any]:
        return [func(obj) for func in self.funcs]


class apply_concat(_Row):
    """Apply every transform to the same object, and join the sequences they give.

    ``apply_concat(f, g)(x) == [*f(x), *g(x)]``

    >>> apply_concat(sorted, reversed)([2, 1])
    [1, 2, 1, 2]

    See also: :class:`apply_map_concat`, :class:`seq`.
    """

    __slots__ = ()

    def __call__(self, obj: Any) -> list[Any]:
        return list(chain.from_iterable(func(obj) for func in self.funcs))


class apply_map_concat(_Row):
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


class Named(Combinator):
    """Hold transforms by name, given as mappings, by keyword, or both."""

    __slots__ = ("funcs",)

    funcs: dict[Any, Transform]

    def __init__(self, *mappings: Mapping[Any, Transform], **funcs: Transform) -> None:
        self.funcs = {}
        for mapping in (*mappings, funcs):
            if not isinstance(mapping, Mapping):
                raise TypeError(f"{type(self).__name__}: {mapping!r} is no mapping; give transforms by name")
            self.funcs.update(mapping)
        for name, func in self.funcs.items():
            if not callable(func):
                raise TypeError(f"{type(self).__name__}: {name!r} is {func!r}, which cannot be called")

    def _head(self) -> tuple[Any, ...]:
        return tuple(self.funcs)

    def _show(self, parts: list[str]) -> list[str]:
        return [f"{name}={part}" for name, part in zip(self.funcs, parts)] + parts[len(self.funcs) :]

    def __flowly_children__(self) -> tuple[Transform, ...]:
        return tuple(self.funcs.values())

    def __flowly_rebuild__(self, parts: Sequence[Transform]) -> Self:
        return type(self)(dict(zip(self.funcs, parts)))

    def __reduce__(self) -> tuple[Any, ...]:
        return (type(self), (self.funcs,))


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
