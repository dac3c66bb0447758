"""Columns of pyarrow and polars: logical values, whatever the chunks, offsets and unused bits."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from ...errors import UnhashableError
from ..code.wrapped import expression
from ..rows import ROWS, Attrs, Blob, Parts
from .arrays import chunks

__all__: list[str] = []

AT_ONCE = 1 << 16  # rows that are copied together where values do not lie as they count


def load_pyarrow() -> None:
    import pyarrow as pa

    ROWS.register(pa.Array, pa.ChunkedArray)(column)
    ROWS.register(pa.Table, pa.RecordBatch)(
        lambda obj: (b"<arrow table>", [type(obj).__name__, obj.num_rows, obj.schema, *obj.columns])
    )
    ROWS.register(pa.Scalar)(lambda obj: (b"<arrow scalar>", [pa.array([obj], type=obj.type)]))
    ROWS.register(pa.ListScalar)(lambda obj: (b"<arrow scalar>", [obj.type, obj.values]))
    ROWS.register(pa.UnionScalar)(lambda obj: (b"<arrow scalar>", [obj.type, obj.type_code, obj.value]))
    ROWS.register(pa.DataType)(data_type)
    ROWS.open(pa.ExtensionType)(extension_type)
    ROWS.register(pa.Field)(
        lambda obj: (b"<arrow field>", [obj.name, short(obj.type), obj.nullable, dict(obj.metadata or {})])
    )
    ROWS.register(pa.Schema)(lambda obj: (b"<arrow schema>", [dict(obj.metadata or {}), *obj]))


def load_polars() -> None:
    import polars as pl

    ROWS.open(pl.DataFrame, without=("_df",))(lambda obj: (b"<polars frame>", [obj.shape, *obj.get_columns()]))
    ROWS.open(pl.LazyFrame, without=("_ldf",))(plan)
    ROWS.open(pl.Expr, without=("_pyexpr",))(expression)
    ROWS.open(pl.Series, without=("_s",))(series)
    ROWS.register(pl.DataType)(lambda obj: (b"<polars dtype>", [type(obj).__name__, Attrs(vars(obj))]))
    ROWS.exact(pl.Field)(lambda obj: (b"<polars field>", [obj.name, obj.dtype]))


def plan(obj: Any) -> Parts:
    """A plan counts by its steps and the tables in it; files that it is to read may change."""
    if " SCAN [" in obj.explain(optimized=False):
        raise UnhashableError(obj, (), "it reads files when it is collected; collect it, or pass FileContent")
    return expression(obj)


def series(obj: Any) -> Parts:
    import polars as pl

    if "128" in str(obj.dtype) or "Object" in str(obj.dtype):  # Arrow has no such integers
        values = obj.to_list()
    else:
        values = obj.to_arrow(compat_level=pl.CompatLevel.newest())
    return b"<polars series>", [obj.name, obj.dtype, len(obj), values]


def data_type(kind: Any) -> Parts:
    """A type counts by its structure; the text of a type without parts is its structure."""
    import pyarrow as pa

    types = pa.types
    if types.is_dictionary(kind):
        return b"<arrow type>", ["dictionary", short(kind.index_type), short(kind.value_type), kind.ordered]
    if types.is_run_end_encoded(kind):
        return b"<arrow type>", ["run_end_encoded", short(kind.run_end_type), short(kind.value_type)]
    about: list[Any] = [kind.id, *(kind.field(i) for i in range(kind.num_fields))]
    if types.is_fixed_size_list(kind):
        about.append(kind.list_size)
    elif types.is_map(kind):
        about.append(kind.keys_sorted)
    elif types.is_union(kind):
        about += [kind.mode, list(kind.type_codes)]
    return b"<arrow type>", about if kind.num_fields else [str(kind)]


def extension_type(kind: Any) -> Parts:
    if not hasattr(kind, "__arrow_ext_serialize__"):
        return b"<arrow type>", [kind.extension_name, str(kind), short(kind.storage_type)]
    return b"<arrow type>", [kind.extension_name, short(kind.storage_type), kind.__arrow_ext_serialize__(), type(kind)]


def short(kind: Any) -> Any:
    """Return the text of a type without parts, else the type."""
    import pyarrow as pa

    return str(kind) if kind.num_fields == 0 and pa.types.is_primitive(kind) else kind


def column(obj: Any) -> Parts:
    """A column counts by type, length, which values are present, and these values."""
    import pyarrow as pa

    parts = list(obj.chunks) if isinstance(obj, pa.ChunkedArray) else [obj]
    parts = [part for part in parts if len(part)]
    kind = obj.type
    about: list[Any] = [short(kind), len(obj), None]
    if obj.null_count and not pa.types.is_dictionary(kind):
        about[2] = Blob(as_bytes(piece.is_valid()) for part in parts for piece in pieces(part))
    return b"<arrow column>", about + contents(kind, parts, obj)


def contents(kind: Any, parts: list[Any], whole: Any) -> list[Any]:
    import pyarrow as pa

    types = pa.types
    if types.is_null(kind) or not parts:
        return []
    if isinstance(kind, pa.BaseExtensionType):
        return [one([part.storage for part in parts])]
    if types.is_boolean(kind):
        return [Blob(as_bytes(piece.fill_null(False)) for part in parts for piece in pieces(part))]
    if kind in (pa.string(), pa.binary(), pa.large_string(), pa.large_binary()):
        return [Blob(of_pieces(parts, lengths)), Blob(of_pieces(parts, letters))]
    if kind in (pa.string_view(), pa.binary_view()):
        return [Blob(of_pieces(parts, read, without_views)) for read in (lengths, letters)]
    if types.is_dictionary(kind):
        return dictionary(whole)
    if types.is_run_end_encoded(kind):
        import pyarrow.compute as pc

        return [one([pc.run_end_decode(part) for part in parts])]
    if types.is_struct(kind):
        return list(one(parts).flatten())
    if types.is_union(kind):
        return union(one(parts))
    if types.is_map(kind):
        return pairs(one(parts))
    if types.is_nested(kind):  # lists
        joined = one(parts)
        return [joined.value_lengths(), joined.flatten()]
    return [Blob(of_pieces(parts, lambda part: fixed(part, kind)))]


def pieces(part: Any) -> Iterator[Any]:
    return (part.slice(start, AT_ONCE) for start in range(0, len(part), AT_ONCE))


def of_pieces(parts: list[Any], read: Callable[[Any], Any], make: Callable[[Any], Any] | None = None) -> Iterator[Any]:
    """Yield what is read of each part, or of a few of its rows at a time if they must be copied for it."""
    for part in parts:
        for piece in pieces(part) if make is not None or part.null_count else (part,):
            yield from read(without_nulls(make(piece) if make is not None else piece))


def one(parts: list[Any]) -> Any:
    import pyarrow as pa

    return parts[0] if len(parts) == 1 else pa.concat_arrays(parts)


def as_bytes(part: Any) -> Any:
    return part.to_numpy(zero_copy_only=False).view("u1")


def without_nulls(part: Any) -> Any:
    import pyarrow as pa

    if not part.null_count or part.type.num_fields or pa.types.is_fixed_size_binary(part.type):
        return part
    letters = pa.types.is_string(part.type) or pa.types.is_large_string(part.type)
    is_bytes = pa.types.is_binary(part.type) or pa.types.is_large_binary(part.type)
    return part.fill_null("" if letters else b"") if letters or is_bytes else part


def offsets(part: Any) -> Any:
    import numpy as np
    import pyarrow as pa

    wide = pa.types.is_large_string(part.type) or pa.types.is_large_binary(part.type)
    data = np.frombuffer(part.buffers()[1], dtype="i8" if wide else "i4")
    return data[part.offset : part.offset + len(part) + 1]


def lengths(part: Any) -> Iterator[Any]:
    """Yield how long each text is, in eight bytes, whatever the width of the offsets."""
    import numpy as np

    bounds = offsets(part)
    for start in range(0, len(part), AT_ONCE):
        yield np.diff(bounds[start : start + AT_ONCE + 1]).astype("i8").view("u1")


def letters(part: Any) -> Iterator[Any]:
    data = part.buffers()[2]
    bounds = offsets(part)
    if data is not None and bounds[-1] > bounds[0]:
        yield memoryview(data)[bounds[0] : bounds[-1]]


def without_views(part: Any) -> Any:
    """Return texts that lie one after another where they are views into buffers, for which Arrow has few functions."""
    import pyarrow as pa

    wide = {pa.string_view(): pa.large_string(), pa.binary_view(): pa.large_binary()}.get(part.type)
    return part if wide is None else part.cast(wide)


def pairs(part: Any) -> list[Any]:
    """Return how many pairs each map has, none where it is null, and the keys and values of all."""
    import numpy as np
    import pyarrow as pa

    bounds = np.frombuffer(part.buffers()[1], dtype="i4")[part.offset : part.offset + len(part) + 1]
    counts = np.diff(bounds)
    keys, items = part.keys, part.items
    if part.null_count and counts[~(valid := part.is_valid().to_numpy(zero_copy_only=False))].any():
        places = pa.array(np.arange(bounds[0], bounds[-1])[np.repeat(valid, counts)])
        counts = counts * valid
        return [Blob([counts.astype("i8").view("u1")]), keys.take(places), items.take(places)]
    span = int(bounds[0]), int(bounds[-1] - bounds[0])
    return [Blob([counts.astype("i8").view("u1")]), keys.slice(*span), items.slice(*span)]


def dictionary(whole: Any) -> list[Any]:
    """Return the values in the order of their first use, and for each row the number of its value there."""
    import numpy as np
    import pyarrow as pa
    import pyarrow.compute as pc

    whole = (whole if isinstance(whole, pa.ChunkedArray) else pa.chunked_array([whole])).unify_dictionaries()
    values = without_views(next(chunk.dictionary for chunk in whole.chunks))
    indices = pa.chunked_array([chunk.indices for chunk in whole.chunks])
    alike = values_alike(values)
    if alike is not None:
        values = alike.dictionary
        indices = pa.chunked_array([alike.indices.take(chunk) for chunk in indices.chunks])
    used = pc.unique(indices).drop_null()
    number: Any = np.full(len(values) + 1, -1, dtype="i8")
    number[used.to_numpy()] = np.arange(len(used))

    def numbers() -> Iterator[Any]:
        for chunk in indices.chunks:
            for piece in pieces(chunk):
                found = number[piece.fill_null(0).to_numpy(zero_copy_only=False)]
                if piece.null_count:
                    found[~piece.is_valid().to_numpy(zero_copy_only=False)] = -1
                yield found.view("u1")

    return [Blob(numbers()), values.take(used)]


def values_alike(values: Any) -> Any:
    """Return the values of a dictionary encoded once more if some of them are equal or null, else None."""
    import pyarrow as pa
    import pyarrow.compute as pc

    try:
        return values.dictionary_encode() if values.null_count or len(pc.unique(values)) < len(values) else None
    except pa.ArrowNotImplementedError:  # for values that have parts
        return None


def union(part: Any) -> list[Any]:
    """Return of which kind each value is, and the values of each kind."""
    import numpy as np
    import pyarrow as pa

    codes = part.type_codes.to_numpy(zero_copy_only=False)
    found: list[Any] = [Blob([np.ascontiguousarray(codes).view("u1")])]
    for place, code in enumerate(part.type.type_codes):
        rows = np.flatnonzero(codes == code)
        if part.type.mode == "dense":
            rows = part.offsets.to_numpy(zero_copy_only=False)[rows]
        found.append(part.field(place).take(pa.array(rows)))
    return found


def fixed(part: Any, kind: Any) -> Iterator[Any]:
    """Yield the bytes of values of one width; what lies under a null is zero, and all NaN are one."""
    import numpy as np
    import pyarrow as pa

    width = kind.bit_width // 8
    start = part.offset * width
    data = np.frombuffer(part.buffers()[1], dtype="u1")[start : start + len(part) * width]
    if part.null_count:
        data = data.reshape(len(part), width).copy()
        data[~part.is_valid().to_numpy(zero_copy_only=False)] = 0
        data = data.reshape(-1)
    if pa.types.is_floating(kind):
        return chunks(data.view(f"f{width}"))
    return iter([data])
