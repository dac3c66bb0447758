"""Reductions for what a pickle silently loses, or cannot be read from: attributes, causes of errors, sentinels.

The law of a codec is ``functional_hash(loads(dumps(value))) == functional_hash(value)``, or ``dumps`` refuses.
"""

from __future__ import annotations

import gc
import io
import pickle
import sys
from copyreg import __newobj__ as newobj  # type: ignore[attr-defined]
from copyreg import dispatch_table
from functools import partial
from importlib import import_module
from types import FunctionType, MappingProxyType, MemberDescriptorType
from typing import Any

from ...dispatch import Dispatch
from ...hashing.code.held import global_name
from ...hashing.code.origin import named
from ...hashing.rows import hung_onto, own_attributes, package
from ...hashing.values.objects import is_slots, left_out, silent_base
from .raised import error_reduction, without_new

__all__ = ["faithful", "restore"]

OWN_WAYS = ("__reduce__", "__reduce_ex__", "__getstate__")
IMMUTABLE = 1 << 8  # set for types that are made in C


def by_kind(kind: type) -> Any:
    """Return the reduction of the objects of a class that no row tells of: of most, None."""
    if issubclass(kind, type):
        return class_
    if silent_base(kind) is not None:
        return with_left_out
    if kind in dispatch_table or any(getattr(kind, way) is not getattr(object, way) for way in OWN_WAYS[:2]):
        return None
    return checked if asks_getattr(kind) or has_own_new(kind) or issubclass(kind, dict) else None


def asks_getattr(kind: type) -> bool:
    """Return whether reading a pickle asks ``__getattr__`` for ``__setstate__``, where no attribute is there yet."""
    return hasattr(kind, "__getattr__") and not hasattr(kind, "__setstate__")


def has_own_new(kind: type) -> bool:
    """Return whether a class makes its objects by a function that need not take what a pickle gives it."""
    told = (getattr(kind, name, None) for name in ("__getnewargs__", "__getnewargs_ex__"))
    return type(kind.__new__) is FunctionType and FunctionType not in map(type, told)


_reductions: Dispatch[Any] = Dispatch(default=by_kind)


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
    kind = type(obj)
    if hasattr(kind, "__setstate__") and own is not None:
        obj.__setstate__(own)
    elif own:
        inner, slots = own if type(own) is tuple else (own, {})  # as pickle reads it
        attributes = {**(inner or {}), **slots, **attributes}
    for name, value in attributes.items():
        if type(member := getattr(kind, name, None)) is MemberDescriptorType:
            member.__set__(obj, value)
        else:
            object.__getattribute__(obj, "__dict__")[name] = value


def class_(cls: type) -> Any:
    """Refuse a type made in C that nothing can be found by: cloudpickle would write what it cannot read."""
    is_known = cls.__module__ == "builtins" or not cls.__flags__ & IMMUTABLE  # the others cloudpickle finds in types
    if not is_known and named(cls.__module__, cls.__qualname__) is not cls:
        raise pickle.PicklingError(f"type {cls.__module__}.{cls.__qualname__} is not found under its name")
    return NotImplemented


def with_left_out(obj: Any) -> Any:
    """Keep the attributes a user's class adds to a type of Python's whose reduction has no place for them."""
    attributes = left_out(obj, (*obj.__reduce_ex__(5), None)[2])
    return with_attributes(obj, attributes) if attributes else NotImplemented


def checked(obj: Any) -> Any:
    """Return a reduction that can be undone, whatever the class has as ``__new__`` or ``__getattr__``."""
    if getattr(obj, "__dict__", None) is obj:
        return newobj, (type(obj),), obj, None, iter([*vars(obj).items()]), be_own_dict
    function, args, state, items, pairs = (*obj.__reduce_ex__(5), None, None, None)[:5]
    if function is newobj and not is_made(*args):
        function = without_new
    if not asks_getattr(type(obj)):
        return function, args, state, items, pairs
    if is_slots(state):
        state = {**(state[0] or {}), **state[1]}
    return (function, args, (None, state), items, pairs, restore) if type(state) is dict else NotImplemented


def be_own_dict(obj: Any, state: Any) -> None:
    """Let the attributes of a dict be its items."""
    obj.__dict__ = state


def is_made(kind: type, *args: Any) -> bool:
    try:
        return type(kind.__new__(kind, *args)) is kind
    except Exception:  # noqa: BLE001  whatever a function raises that takes others
        return False


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
    below = type(obj).__mro__[: type(obj).__mro__.index(base)] if isinstance(obj, base) else ()
    return any(type(vars(cls).get(way)) is FunctionType for cls in below for way in OWN_WAYS)


def with_attributes(obj: Any, attributes: dict[str, Any]) -> Any:
    function, args, state, items, pairs = (*obj.__reduce_ex__(5), None, None, None)[:5]
    return function, args, (state, attributes), items, pairs, restore


def refuse(obj: Any) -> Any:
    raise pickle.PicklingError(
        f"a pickle of {type(obj).__qualname__} would come back as another type; convert it first"
    )


_reductions.register(BaseException)(error_reduction)
_reductions.exact(MappingProxyType)(lambda obj: (MappingProxyType, tuple(gc.get_referents(obj))))


@_reductions.exact(object)
def sentinel(obj: Any) -> Any:
    """A bare object is the one that a module holds under a name."""
    place = global_name(obj)
    return NotImplemented if place is None else (held, place)


def held(module: str, name: str) -> Any:
    """Return what a module holds under a name.

    >>> held("math", "pi")
    3.141592653589793
    """
    return getattr(import_module(module), name)


@_reductions.register(io.TextIOWrapper)
def text_file(obj: Any) -> Any:
    """An open file is refused: cloudpickle writes the text of one in place of it."""
    return NotImplemented if obj in (sys.stdout, sys.stderr) else refuse(obj)


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

    @_reductions.exact(np.bytes_, np.str_)
    def text(obj: Any) -> Any:
        """Numpy cuts off the zeros at the end."""
        plain = obj[:]
        return (type(obj), (plain,)) if plain[-1:] in (b"\0", "\0") else NotImplemented

    @_reductions.register(np.dtype)
    def dtype(obj: Any) -> Any:
        return NotImplemented if obj.isnative or obj.char not in "gGmM" else refuse(obj)  # numpy swaps them

    _reductions.exact(np.finfo)(lambda obj: (np.finfo, (obj.dtype,)))

    @_reductions.exact(np.random.RandomState)
    def generator(obj: Any) -> Any:
        """What draws from the generator behind ``numpy.random.seed`` draws from that of the process that reads it."""
        return (held, ("numpy.random.mtrand", "_rand")) if obj is np.random.mtrand._rand else NotImplemented


def load_pandas() -> None:
    import pandas as pd

    @_reductions.register(pd.DataFrame, pd.Series)
    def table(obj: Any) -> Any:
        attributes = hung_onto(obj)
        return with_attributes(obj, attributes) if attributes and not has_own_way(obj, pd.DataFrame) else NotImplemented


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


for _name in ("numpy", "pandas", "polars", "pyarrow"):
    _reductions.register_lazy(_name, globals()[f"load_{_name}"])
_reductions.register_lazy("torch", partial(load_slices, "torch"))
