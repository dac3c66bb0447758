"""Reductions for what a pickle silently loses: attributes of subclasses of arrays and tables, causes of exceptions.

The law of a codec is ``functional_hash(loads(dumps(value))) == functional_hash(value)``, or ``dumps`` refuses.
"""

from __future__ import annotations

import pickle
from functools import partial
from types import FunctionType
from typing import Any

from ...dispatch import Dispatch
from ...hashing.rows import own_attributes, package

__all__ = ["faithful", "restore"]

OWN_WAYS = ("__reduce__", "__reduce_ex__", "__getstate__")
_reductions: Dispatch[Any] = Dispatch(default=lambda kind: None)


def faithful(obj: Any) -> Any:
    """Return a reduction that keeps what that of the object itself loses; NotImplemented where it loses nothing.

    :raises pickle.PicklingError: for what cannot be kept.

    >>> error = KeyError("a")
    >>> faithful(error)
    NotImplemented
    >>> error.__cause__ = ValueError("b")
    >>> faithful(error)[2]
    {'__cause__': ValueError('b'), '__suppress_context__': True}
    """
    reduction = _reductions[type(obj)]
    return NotImplemented if reduction is None else reduction(obj)


def restore(obj: Any, state: Any) -> None:
    """Give an object the state of its own reduction, and the attributes that this leaves out.

    >>> class Point: pass
    >>> point = Point()
    >>> restore(point, (None, {"x": 1}))
    >>> point.x
    1
    """
    own, attributes = state
    if own is not None:
        obj.__setstate__(own)
    for name, value in attributes.items():
        object.__setattr__(obj, name, value)


def keep(base: type, without: tuple[str, ...] = ()) -> None:
    """Keep the attributes and slots of the subclasses of a base whose reduction knows only its own."""

    def reduction(obj: Any) -> Any:
        if has_own_way(obj, base):
            return NotImplemented
        attributes = own_attributes(obj, base, without)
        return with_attributes(obj, dict(attributes)) if attributes else NotImplemented

    _reductions.register(base)(reduction)


def has_own_way(obj: Any, base: type) -> bool:
    """Return whether a class below a base defines a reduction of its own."""
    below = type(obj).__mro__[: type(obj).__mro__.index(base)]
    return any(type(vars(cls).get(way)) is FunctionType for cls in below for way in OWN_WAYS)


def with_attributes(obj: Any, attributes: dict[str, Any]) -> Any:
    function, args, state, items, pairs = (*obj.__reduce_ex__(5), None, None, None)[:5]
    return function, args, (state, attributes), items, pairs, restore


def refuse(obj: Any) -> Any:
    raise pickle.PicklingError(
        f"a pickle of {type(obj).__qualname__} would come back as another type; convert it first"
    )


@_reductions.register(BaseException)
def _(obj: Any) -> Any:
    if obj.__cause__ is None:
        return NotImplemented
    function, args, state, *more = (*obj.__reduce_ex__(5), None)[:3]
    return function, args, {**(state or {}), "__cause__": obj.__cause__, "__suppress_context__": True}, *more


@_reductions.exact(memoryview)
def _(obj: Any) -> Any:
    return (memoryview, (bytes(obj),)) if obj.format == "B" and obj.ndim == 1 else refuse(obj)


def load_numpy() -> None:
    import numpy as np

    keep(np.ndarray, ("_mmap", "offset", "mode", "filename"))
    masked = ("_mask", "_fill_value", "_sharedmask", "_hardmask", "_isfield", "_baseclass", "_basedict", "_optinfo")
    keep(np.ma.MaskedArray, masked)
    of_subclass = _reductions[np.ma.MaskedArray]

    @_reductions.register(np.ma.MaskedArray)
    def masked_array(obj: Any) -> Any:
        found = of_subclass(obj)
        attributes = {"_hardmask": obj._hardmask, "_optinfo": obj._optinfo}
        if not any(attributes.values()) or has_own_way(obj, np.ma.MaskedArray):
            return found
        given = {} if found is NotImplemented else found[2][1]
        return with_attributes(obj, {**given, **attributes})

    @_reductions.register(np.generic)
    def scalar(obj: Any) -> Any:
        is_own = package(type(obj)) == "numpy" or has_own_way(obj, np.generic)
        return NotImplemented if is_own else refuse(obj)

    @_reductions.register(np.dtype)
    def dtype(obj: Any) -> Any:
        return NotImplemented if obj.isnative or obj.char not in "gG" else refuse(obj)  # numpy swaps them


def load_polars() -> None:
    import polars as pl

    keep(pl.DataFrame, ("_df",))
    keep(pl.Series, ("_s",))


def load_pyarrow() -> None:
    import pyarrow as pa

    _reductions.register(pa.UnionScalar)(refuse)
    load_slices("pyarrow")

    @_reductions.exact(pa.MapType)
    def map_type(obj: Any) -> Any:
        return (pa.map_, (obj.key_field, obj.item_field, True)) if obj.keys_sorted else NotImplemented


def load_slices(name: str) -> None:
    from . import slices

    getattr(slices, f"load_{name}")(_reductions)


for _name in ("numpy", "polars", "pyarrow"):
    _reductions.register_lazy(_name, globals()[f"load_{_name}"])
_reductions.register_lazy("torch", partial(load_slices, "torch"))
