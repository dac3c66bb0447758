"""What items have at some keys, and functions of several arguments as steps."""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial
from itertools import islice
from typing import Any

from ..typing import Transform
from .bases import Fields, OfOne

__all__ = ["get_all_items", "get_all_optional_items", "sliced", "tupled", "values_at"]


class values_at(Fields):
    """List what each item has at a key.

    ``values_at(k)(xs) == [x[k] for x in xs]``

    >>> values_at("a")([{"a": 1}, {"a": 3}])
    [1, 3]

    See also: :func:`get_all_items`, :func:`toolz.pluck`.
    """

    __slots__ = _others = ("key",)

    def __init__(self, key: Any) -> None:
        self.key = key

    def __call__(self, items: Iterable[Any]) -> list[Any]:
        return [item[self.key] for item in items]


def get_all_items(*keys: Any) -> Transform:
    """Return a transform that lists, for each key, what the items have there; ``None`` is a key like any other.

    ``get_all_items("a", "b")(xs) == ([x["a"] for x in xs], [x["b"] for x in xs])``

    >>> get_all_items("a", "b")([{"a": 1, "b": 2}, {"a": 3, "b": 4}])
    ([1, 3], [2, 4])

    See also: :func:`get_all_optional_items`.
    """
    return partial(_columns, tuple((key,) for key in keys))


def get_all_optional_items(*keys: Any) -> Transform:
    """Return a transform as of :func:`get_all_items`, which gives ``None`` for a key that is ``None``.

    >>> get_all_optional_items("a", None)([{"a": 1}, {"a": 3}])
    ([1, 3], None)
    """
    return partial(_columns, tuple(None if key is None else (key,) for key in keys))


def _columns(keys: tuple[tuple[Any] | None, ...], items: Iterable[Any]) -> tuple[list[Any] | None, ...]:
    kept = list(items)
    return tuple(None if key is None else values_at(key[0])(kept) for key in keys)


class tupled(OfOne):
    """Apply a function of several arguments to a tuple of them.

    ``tupled(f)((a, b)) == f(a, b)``

    >>> tupled(lambda a, b: a + b)((1, 2))
    3
    """

    __slots__ = ()

    def __call__(self, arguments: Iterable[Any]) -> Any:
        return self.func(*arguments)


def sliced(iterable: Iterable[Any], *slice_args: int | None) -> list[Any]:
    """List the part of an iterable that :func:`itertools.islice` gives.

    >>> sliced("abcd", 1, 3)
    ['b', 'c']
    """
    return list(islice(iterable, *slice_args))
