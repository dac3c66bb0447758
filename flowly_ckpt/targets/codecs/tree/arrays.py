"""Rows for arrays and scalars of numpy, which are stored as ``.npy``."""

from __future__ import annotations

import base64
import io
import math
import warnings
from typing import Any

import numpy as np

from ....hashing import functional_hash
from ...budget import Budget
from ...damage import DamagedError
from ..protocol import Bytes
from .rows import Reader, Row, Writer, add_row, refuse_more

__all__ = ["npy_pieces", "read_npy"]

_HEADERS = {(1, 0): np.lib.format.read_array_header_1_0, (2, 0): np.lib.format.read_array_header_2_0}


def npy_pieces(array: Any) -> list[Bytes]:
    """Return an array as a ``.npy`` file in pieces; its data are not copied if they lie in order.

    :raises TypeError: for a dtype that the format cannot hold.

    >>> np.load(io.BytesIO(b"".join(npy_pieces(np.arange(3))))).tolist()
    [0, 1, 2]
    """
    if array.dtype.hasobject or array.dtype.kind == "T":
        raise TypeError(f"dtype {array.dtype} cannot be encoded without pickle")
    _check(array.dtype)
    head = io.BytesIO()
    np.lib.format.write_array_header_1_0(head, np.lib.format.header_data_from_array_1_0(array))
    if not array.nbytes:
        return [head.getvalue()]
    in_columns = array.flags.f_contiguous and not array.flags.c_contiguous
    flat = np.ascontiguousarray(array.T if in_columns else array).reshape(-1)
    return [head.getvalue(), memoryview(flat.view(np.uint8))]


def _check(dtype: Any) -> None:
    """Refuse a dtype that would come back as another: the format knows no alignment, no metadata, no records."""
    is_plain = dtype.names is None and dtype.subdtype is None and dtype.metadata is None
    if not is_plain and functional_hash(np.lib.format.descr_to_dtype(_descr(dtype))) != functional_hash(dtype):
        raise TypeError(f"{dtype!r} has no form in .npy; use the codec pickled")


def _descr(dtype: Any) -> Any:
    with warnings.catch_warnings(action="ignore"):  # of metadata that are lost
        return np.lib.format.dtype_to_descr(dtype)


def read_npy(data: memoryview, budget: Budget) -> Any:
    """Return the array of a ``.npy`` file, lying in the data themselves; sizes are checked before anything is made.

    :raises DamagedError: when the bytes are not an array, or would have to be unpickled.

    >>> read_npy(memoryview(b"".join(npy_pieces(np.arange(3)))), Budget(0)).tolist()
    [0, 1, 2]
    """
    stream = io.BytesIO(data[: 1 << 17])
    try:
        shape, in_columns, dtype = _HEADERS[np.lib.format.read_magic(stream)](stream)
    except (ValueError, KeyError) as error:
        raise DamagedError(f"not an array: {error}") from error
    size = math.prod(shape) * dtype.itemsize
    if dtype.hasobject or size != len(data) - stream.tell() or any(length < 0 for length in shape):
        raise DamagedError(f"{len(data) - stream.tell()} bytes are not an array of {dtype} in the shape {shape}")
    if not size:
        budget.step(math.prod(shape), "an array of items without bytes")
        return np.ndarray(shape, dtype, bytearray(), order="F" if in_columns else "C")  # np.zeros makes S1 of S0
    return np.frombuffer(data, dtype, offset=stream.tell()).reshape(shape, order="F" if in_columns else "C")


def _encode(array: Any, to: Writer) -> Any:
    refuse_more(array)
    if array.dtype == object:
        return [list(array.shape), [to.write(item, f"[{place}]") for place, item in enumerate(array.flat)]]
    return to.part(npy_pieces(array))


def _decode(plain: Any, of: Reader) -> Any:
    if type(plain) is int:
        return read_npy(of.part(plain), of.budget)
    shape, nodes = plain
    items = of.items(nodes)
    array: Any = np.empty(len(items), dtype=object)
    for place, item in enumerate(items):
        array[place] = item
    return array.reshape(shape)


def _scalar(value: Any, to: Writer) -> str:
    if isinstance(value, bytes | str) and value[-1:] in (b"\0", "\0"):
        raise TypeError("numpy cuts off the zeros at the end of a text; use the codec pickled")
    return base64.b64encode(b"".join(npy_pieces(np.asarray(value)))).decode()


def _scalar_back(plain: Any, of: Reader) -> Any:
    return read_npy(memoryview(bytearray(base64.b64decode(plain, validate=True))), of.budget)[()]


def _dtype(value: Any, to: Writer) -> Any:
    _check(value)
    if value.subdtype is not None:
        raise TypeError(f"{value!r} has no form of its own; use the codec pickled")
    return to.write(np.ndarray(0, value))  # np.zeros makes S1 of S0


add_row(np.ndarray, Row("numpy.ndarray", _encode, _decode))
add_row(np.memmap, Row("numpy.memmap", _encode, _decode))
for _kind in {np.dtype(_char).type for _char in np.typecodes["All"] if _char != "O"}:
    add_row(_kind, Row(f"numpy.{_kind.__name__}", _scalar, _scalar_back))
for _type in {type(np.dtype(_char)) for _char in np.typecodes["All"] if _char != "O"}:
    add_row(_type, Row(f"numpy.dtypes.{_type.__name__}", _dtype, lambda plain, of: of.read(plain).dtype))
