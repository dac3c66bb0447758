"""Columns of pyarrow and polars: logical values, whatever the chunks, offsets and unused bits."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from ..rows import ROWS, Blob, Parts

__all__: list[str] = []


def load_pyarrow() -> None:
    import pyarrow as pa

    ROWS.register(pa.Array, pa.ChunkedArray)(column)
    ROWS.register(pa.Table, pa.RecordBatch)(
        lambda obj: (b"<arrow table>", [type(obj).__name__, obj.num_rows, obj.schema, *obj.columns])
    )
    ROWS.register(pa.Scalar)(lambda obj: (b"<arrow scalar>", [str(obj.type), obj.as_py()]))
    ROWS.register(pa.DataType)(lambda obj: (b"<arrow type>", [str(obj)]))
    ROWS.register(pa.Field)(
        lambda obj: (b"<arrow field>", [obj.name, str(obj.type), obj.nullable, dict(obj.metadata or {})])
    )
    ROWS.register(pa.Schema)(lambda obj: (b"<arrow schema>", [dict(obj.metadata or {}), *obj]))


def load_polars() -> None:
    import polars as pl

    ROWS.register(pl.DataFrame)(lambda obj: (b"<polars frame>", [obj.shape, *obj.get_columns()]))
    ROWS.register(pl.Series)(series)


def series(obj: Any) -> Parts:
    values = obj.to_list() if str(obj.dtype) == "Object" else obj.to_arrow()
    return b"<polars series>", [obj.name, str(obj.dtype), len(obj), values]


def column(obj: Any) -> Parts:
    """A column counts by type, length, which values are present, and these values."""
    import pyarrow as pa

    parts = list(obj.chunks) if isinstance(obj, pa.ChunkedArray) else [obj]
    parts = [part for part in parts if len(part)]
    kind = obj.type
    about: list[Any] = [str(kind), len(obj), None]
    if obj.null_count:
        about[2] = Blob(as_bytes(part.is_valid()) for part in parts)
    return b"<arrow column>", about + contents(kind, parts, obj)


OFFSETS = {"string": "i4", "binary": "i4", "large_string": "i8", "large_binary": "i8"}
"""The types of texts and bytes, and how wide their offsets are."""


def contents(kind: Any, parts: list[Any], whole: Any) -> list[Any]:
    import pyarrow as pa

    types = pa.types
    if types.is_null(kind) or not parts:
        return []
    if types.is_boolean(kind):
        return [Blob(as_bytes(part.fill_null(False)) for part in parts)]
    if str(kind) in OFFSETS:
        parts = [without_nulls(part) for part in parts]
        return [Blob(map(lengths, parts)), Blob(map(letters, parts))]
    if types.is_dictionary(kind):
        return [one(parts).dictionary_decode()]
    if isinstance(kind, pa.BaseExtensionType):
        return [one([part.storage for part in parts])]
    if types.is_struct(kind):
        return list(one(parts).flatten())
    if types.is_list(kind) or types.is_large_list(kind) or types.is_fixed_size_list(kind):
        joined = one(parts)
        return [joined.value_lengths(), joined.flatten()]
    if not types.is_nested(kind) and has_width(kind):
        return [Blob(fixed(part, kind.bit_width // 8) for part in parts)]
    return [whole.to_pylist()]


def one(parts: list[Any]) -> Any:
    import pyarrow as pa

    return parts[0] if len(parts) == 1 else pa.concat_arrays(parts)


def has_width(kind: Any) -> bool:
    try:
        return bool(kind.bit_width % 8 == 0)
    except ValueError:
        return False


def as_bytes(part: Any) -> Any:
    return part.to_numpy(zero_copy_only=False).view("u1")


def without_nulls(part: Any) -> Any:
    return part.fill_null("" if "string" in str(part.type) else b"") if part.null_count else part


def offsets(part: Any) -> Any:
    import numpy as np

    data = np.frombuffer(part.buffers()[1], dtype=OFFSETS[str(part.type)])
    return data[part.offset : part.offset + len(part) + 1]


def lengths(part: Any) -> Any:
    import numpy as np

    return np.diff(offsets(part)).view("u1")


def letters(part: Any) -> Any:
    data = part.buffers()[2]
    bounds = offsets(part)
    return memoryview(data)[bounds[0] : bounds[-1]] if data is not None else b""


def fixed(part: Any, width: int) -> Iterator[Any] | Any:
    """Return the bytes of values of one width; what lies under a null is zero."""
    import numpy as np

    start = part.offset * width
    data = np.frombuffer(part.buffers()[1], dtype="u1")[start : start + len(part) * width]
    if part.null_count:
        data = data.reshape(len(part), width).copy()
        data[~part.is_valid().to_numpy(zero_copy_only=False)] = 0
        data = data.reshape(-1)
    return data
