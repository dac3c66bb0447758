"""Tables of pandas: columns, index, dtypes and values, whatever the layout in memory."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import Any

from ..rows import LABELS, ROWS, Attrs, Blob, Later, Parts, hung_onto, package
from ..values.objects import by_reduction
from .arrays import PIECE, SIMPLE, chunks

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
    ROWS.open(ExtensionDtype, without=("pyarrow_dtype",))(dtype)
    ROWS.open(pd.CategoricalDtype, without=("_categories", "_ordered"))(
        lambda obj: (b"<categories>", [obj.categories, bool(obj.ordered)])
    )


WIDE = 64  # columns from which they are taken together, if they are short
SHORT = 8192


def frame(obj: Any) -> Parts:
    found: Any = columns(obj)
    if obj.shape[1] >= WIDE and len(obj) <= SHORT:
        whole = one_block(obj)
        several = list(found) if whole is None else whole
        found = [Later(partial(together, several[at : at + WIDE])) for at in range(0, len(several), WIDE)]
    return b"<frame>", [obj.index, obj.columns, *extra(obj), *found]


def one_block(obj: Any) -> Any:
    """Return the values of all columns, each in a row, if they are numbers of one type that lie in one array."""
    import numpy as np

    blocks: Any = getattr(getattr(obj, "_mgr", None), "blocks", ())
    if len(blocks) != 1 or not blocks[0].mgr_locs.is_slice_like:
        return None
    only: Any = blocks[0]
    values, place = only.values, only.mgr_locs.as_slice
    is_simple = type(values) is np.ndarray and values.dtype.kind in SIMPLE and values.dtype.metadata is None
    return values if is_simple and place == slice(0, obj.shape[1], 1) else None


def together(several: Any) -> Parts:
    """Join the values of columns by type of number; others follow one by one."""
    import numpy as np

    if type(several) is np.ndarray:
        return b"<columns>", [[several.dtype.str] * len(several), several.shape[1], Blob(chunks(several))]
    kinds: dict[str, list[Any]] = {}
    others: list[Any] = []
    which: list[str | None] = []
    for values in several:
        of = values.dtype
        is_simple = type(values) is np.ndarray and of.kind in SIMPLE and of.metadata is None
        which.append(of.str if is_simple else None)
        (kinds.setdefault(of.str, []) if is_simple else others).append(values)
    blobs = (Blob(chunks(np.concatenate(same))) for same in kinds.values())
    return b"<columns>", [which, len(several[0]), *blobs, *others]


def of_frame(obj: Any, parts: list[Any]) -> list[str]:
    names = [f"column {name!r}" for name in obj.columns]
    if len(parts) < len(names):
        names = [f"columns {names[at][7:]} to {names[at : at + WIDE][-1][7:]}" for at in range(0, len(names), WIDE)]
    return ["index", "columns", *[""] * (len(parts) - 2 - len(names)), *names]


LABELS[b"<columns>"] = lambda obj, parts: [None, None]


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
    given = Attrs(hung_onto(obj, ("sortorder",)))
    if package(kind) == "pandas":
        return [given] if given else []
    return [kind, Attrs({**given, **{name: getattr(obj, name, None) for name in names}})]


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
    if mask.any() and data.ndim == 1:
        data = Later(partial(some, data, mask))
    elif mask.any():
        data = data.copy()
        data[mask] = 0
    return b"<extension>", [obj.dtype, data, mask]


def some(data: Any, mask: Any) -> Parts:
    return b"<array>", [data.dtype.str, data.shape, Blob(shown(data, mask))]


def shown(data: Any, mask: Any) -> Iterator[Any]:
    """Yield the bytes of an array with zeros under the mask, a few of them at a time."""
    for start in range(0, len(data), PIECE):
        piece = data[start : start + PIECE].copy()
        piece[mask[start : start + PIECE]] = 0
        yield from chunks(piece)


def sparse(obj: Any) -> Parts:
    places = obj.sp_index.to_int_index()
    return b"<sparse>", [obj.dtype, len(obj), places.indices, obj.sp_values, obj.fill_value]


def dtype(obj: Any) -> Parts:
    """A dtype counts by its parameters, which it names itself; neither its name nor its repr need show them."""
    return b"<pandas dtype>", [type(obj).__name__, Attrs({name: getattr(obj, name) for name in obj._metadata})]
