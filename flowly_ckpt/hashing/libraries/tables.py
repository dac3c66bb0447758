"""Tables of pandas: columns, index, dtypes and values, whatever the layout in memory."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from ..rows import LABELS, ROWS, Attrs, Blob, Later, Parts
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
    ROWS.register(pd.arrays.BooleanArray.__mro__[1])(masked)
    ROWS.register(pd.Categorical)(lambda obj: (b"<categorical>", [obj.codes, obj.categories, bool(obj.ordered)]))
    ROWS.register(pd.arrays.IntervalArray)(lambda obj: (b"<interval>", [obj.left, obj.right, obj.closed]))
    ROWS.register(pd.arrays.SparseArray)(sparse)
    ROWS.register(ExtensionDtype)(dtype)
    ROWS.register(pd.CategoricalDtype)(lambda obj: (b"<categories>", [obj.categories, bool(obj.ordered)]))


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
    return [obj.attrs or None, obj.flags.allows_duplicate_labels, *subclass(obj, type(obj)._metadata)]


def subclass(obj: Any, names: Any = ()) -> list[Any]:
    """Return the class of an object if it is not one of pandas' own, with the attributes that it carries along."""
    kind = type(obj)
    if kind.__module__.partition(".")[0] == "pandas":
        return []
    return [kind, Attrs({name: getattr(obj, name, None) for name in names if name != "name"})]


def index(obj: Any) -> Parts:
    freq = getattr(obj, "freqstr", None)
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
    return b"<multi index>", [list(obj.names), *(obj.get_level_values(i) for i in range(obj.nlevels))]


def by_ndarray(obj: Any) -> Parts:
    """An extension array: Arrow's own values, the plain array inside, or what it reduces to."""
    arrow = getattr(obj, "_pa_array", None)
    if arrow is not None:
        return b"<extension>", [obj.dtype, arrow, *subclass(obj)]
    plain = getattr(obj, "_ndarray", None)
    if plain is not None:
        freq = getattr(obj, "freqstr", None)
        return b"<extension>", [obj.dtype, plain, freq, *subclass(obj)]
    return by_reduction(obj)


def masked(obj: Any) -> Parts:
    data, mask = obj._data, obj._mask
    if mask.any():
        data = data.copy()
        data[mask] = 0
    return b"<extension>", [obj.dtype, data, mask, *subclass(obj)]


def sparse(obj: Any) -> Parts:
    places = obj.sp_index.to_int_index()
    return b"<sparse>", [obj.dtype, len(obj), places.indices, obj.sp_values, obj.fill_value]


def dtype(obj: Any) -> Parts:
    return b"<pandas dtype>", [type(obj).__name__, repr(obj), *subclass(obj)]
