"""Tables of pandas: columns, index, dtypes and values, whatever the layout in memory."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from ..rows import LABELS, ROWS, Attrs, Blob, Later, Parts, package
from ..values.objects import by_reduction

__all__: list[str] = []


def load_pandas() -> None:
    import pandas as pd
    from pandas.api.extensions import ExtensionArray, ExtensionDtype

    ROWS.register(pd.DataFrame)(frame)
    ROWS.register(pd.Series)(series)
    ROWS.register(pd.Index)(index)
    ROWS.register(pd.RangeIndex)(range_index)
    ROWS.register(pd.MultiIndex)(multi_index)
    ROWS.register(ExtensionArray)(by_ndarray)
    ROWS.open(pd.arrays.BooleanArray.__mro__[1], without=("_data", "_mask", "_dtype", "_cache"))(masked)
    ROWS.open(pd.Categorical, without=("_ndarray", "_dtype", "_codes", "_cache"))(
        lambda obj: (b"<categorical>", [obj.codes, obj.categories, bool(obj.ordered)])
    )
    ROWS.open(pd.arrays.IntervalArray, without=("_left", "_right", "_dtype", "_cache"))(
        lambda obj: (b"<interval>", [obj.left, obj.right, obj.closed])
    )
    ROWS.open(pd.arrays.SparseArray, without=("_sparse_index", "_sparse_values", "_dtype", "_cache"))(sparse)
    ROWS.open(ExtensionDtype)(dtype)
    ROWS.open(pd.CategoricalDtype, without=("_categories", "_ordered"))(
        lambda obj: (b"<categories>", [obj.categories, bool(obj.ordered)])
    )


def frame(obj: Any) -> Parts:
    return b"<frame>", [obj.index, obj.columns, *extra(obj), *columns(obj)]


def of_frame(obj: Any, parts: list[Any]) -> list[str]:
    names = [f"column {name!r}" for name in obj.columns]
    return ["index", "columns", *[""] * (len(parts) - 2 - len(names)), *names]


LABELS[b"<frame>"] = of_frame


def columns(obj: Any) -> Iterator[Any]:
    quick = getattr(obj, "_iter_column_arrays", None)
    if quick is not None:
        yield from quick()
    else:
        for i in range(obj.shape[1]):
            yield obj.iloc[:, i]._values


def series(obj: Any) -> Parts:
    return b"<series>", [obj.name, obj.index, obj._values, *extra(obj)]


LABELS[b"<series>"] = ("name", "index", "values")


def extra(obj: Any) -> list[Any]:
    """Return what a table has besides its values: attrs, flags, and the subclass with its own attributes."""
    return [obj.attrs or None, obj.flags.allows_duplicate_labels, *subclass(obj, own_metadata(type(obj)))]


def own_metadata(kind: type) -> list[str]:
    """Return the names that a subclass carries along; those of pandas itself, as a series' name, are told elsewhere."""
    of_pandas = next(base for base in kind.__mro__ if package(base) == "pandas")
    return [name for name in kind._metadata if name not in of_pandas._metadata]  # type: ignore[attr-defined]


def subclass(obj: Any, names: Any = ()) -> list[Any]:
    """Return the class of an object if it is not one of pandas' own, with the attributes that it carries along."""
    kind = type(obj)
    if package(kind) == "pandas":
        return []
    return [kind, Attrs({name: getattr(obj, name, None) for name in names})]


def index(obj: Any) -> Parts:
    freq = getattr(obj, "freq", None)
    return b"<index>", [list(obj.names), obj._values, freq, *subclass(obj)]


LABELS[b"<index>"] = ("names", "values")


def range_index(obj: Any) -> Parts:
    """A range of rows is the index of the same numbers."""
    import numpy as np

    def numbers() -> Iterator[Any]:
        span = range(obj.start, obj.stop, obj.step)
        for at in range(0, len(span), 1 << 19):
            part = span[at : at + (1 << 19)]
            yield np.arange(part.start, part.stop, part.step, dtype=np.int64).view("u1")

    values = Later(lambda: (b"<array>", [np.dtype(np.int64).str, (len(obj),), Blob(numbers())]))
    return b"<index>", [list(obj.names), values, None]


def multi_index(obj: Any) -> Parts:
    levels = (obj.get_level_values(i) for i in range(obj.nlevels))
    return b"<multi index>", [list(obj.names), *levels, *subclass(obj)]


def by_ndarray(obj: Any) -> Parts:
    """An extension array: Arrow's own values, the plain array inside, or, of another library, what it reduces to."""
    if package(type(obj)) != "pandas":
        return by_reduction(obj)
    arrow = getattr(obj, "_pa_array", None)
    if arrow is not None:
        return b"<extension>", [obj.dtype, arrow]
    plain = getattr(obj, "_ndarray", None)
    if plain is not None:
        return b"<extension>", [obj.dtype, plain, getattr(obj, "freq", None)]
    return by_reduction(obj)


def masked(obj: Any) -> Parts:
    data, mask = obj._data, obj._mask
    if mask.any():
        data = data.copy()
        data[mask] = 0
    return b"<extension>", [obj.dtype, data, mask]


def sparse(obj: Any) -> Parts:
    places = obj.sp_index.to_int_index()
    return b"<sparse>", [obj.dtype, len(obj), places.indices, obj.sp_values, obj.fill_value]


def dtype(obj: Any) -> Parts:
    """A dtype counts by its parameters, which it names itself; neither its name nor its repr need show them."""
    return b"<pandas dtype>", [type(obj).__name__, Attrs({name: getattr(obj, name) for name in obj._metadata})]
