"""Arrays of numpy, sparse matrices of scipy and tensors of torch: dtype, shape and values in logical order.

A view equals its copy, Fortran order equals C order, a memory map equals the array in memory. Values are read in
place where they lie in C order; other layouts are copied a few MiB at a time.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from functools import partial
from operator import countOf
from typing import Any

from ...errors import UnhashableError
from ..code.origin import of_module
from ..hints import added_to
from ..rows import LABELS, ROWS, Attrs, Blob, Later, Parts
from ..values.objects import by_reduction

__all__ = ["chunks"]

CHUNK = 1 << 20
SLICE = 1 << 12


def load_numpy() -> None:
    import numpy as np

    ROWS.register(np.ndarray)(array)
    ROWS.register(np.ma.MaskedArray)(masked)
    ROWS.register(np.generic)(scalar)
    ROWS.register(np.dtype)(dtype)
    ROWS.register(np.ufunc)(ufunc)
    ROWS.exact(np.vectorize)(vectorized)
    ROWS.exact(np.random.RandomState)(random_state)


def load_scipy() -> None:
    sparse = sys.modules.get("scipy.sparse")
    if sparse is not None:
        ROWS.register(sparse.spmatrix, sparse.sparray)(sparse_matrix)


def load_torch() -> None:
    import torch

    ROWS.register(torch.Tensor)(tensor)


def array(obj: Any) -> Parts:
    import numpy as np

    kind = type(obj)
    parts: list[Any] = [obj.dtype.str, obj.shape]
    plain = obj if kind is np.ndarray else obj.view(np.ndarray)
    if obj.dtype.names is not None or obj.dtype.kind not in SIMPLE:
        parts[0] = obj.dtype
    parts += values(plain)
    if kind is not np.ndarray and kind is not np.memmap:
        parts += [kind, Attrs(getattr(obj, "__dict__", {}))]
    return b"<array>", parts


SIMPLE = frozenset("biufcSUmM")


def values(plain: Any) -> list[Any]:
    """Return the values of an array: raw, by field, or one by one."""
    names, kind = plain.dtype.names, plain.dtype.kind
    if names is not None:
        return [plain[name] for name in names]
    if kind in "OT":
        flat = plain.ravel()
        return [Later(partial(elements, flat, start)) for start in range(0, len(flat), SLICE)]
    return [Blob(chunks(plain))]


def elements(flat: Any, start: int) -> Parts:
    """Join strings by a character none of them has; anything else counts one by one."""
    items = flat[start : start + SLICE].tolist()
    if countOf(map(type, items), str) == len(items):
        joined = "\0".join(items)
        if joined.count("\0") == len(items) - 1:
            return b"<texts>", [len(items), Blob([joined.encode("utf-8", "surrogatepass")])]
    return b"<elements>", [start, *items]


LABELS[b"<elements>"] = lambda obj, parts: ["", *(f"[{i}]" for i in range(parts[0], parts[0] + len(parts)))]


def chunks(plain: Any) -> Iterator[Any]:
    """Yield the bytes of an array in C order, without a copy where they lie in that order.

    >>> import numpy as np
    >>> a = np.arange(6, dtype="u1").reshape(2, 3)
    >>> b"".join(map(bytes, chunks(a.T)))
    b'\\x00\\x03\\x01\\x04\\x02\\x05'
    """
    if plain.size == 0:
        return
    if plain.dtype.char in "gG":
        plain = without_padding(plain)
    for block in blocks(plain):
        yield block.reshape(-1).view("u1")


def blocks(plain: Any) -> Iterator[Any]:
    """Yield an array in contiguous blocks; those that are copies share one buffer, so each must be used at once."""
    import numpy as np

    if plain.flags.c_contiguous or plain.nbytes <= CHUNK:
        yield np.ascontiguousarray(plain)
        return
    rows = CHUNK // (plain.nbytes // len(plain))
    if not rows:
        for row in plain:
            yield from blocks(row)
        return
    buffer = np.empty((min(rows, len(plain)), *plain.shape[1:]), plain.dtype)
    for start in range(0, len(plain), rows):
        part = plain[start : start + rows]
        np.copyto(buffer[: len(part)], part)
        yield buffer[: len(part)]


def without_padding(plain: Any) -> Any:
    """Return the bytes of long doubles without their padding."""
    import numpy as np

    bits = np.finfo(plain.dtype).bits if plain.dtype.char == "g" else 0
    used = 10 if np.finfo(np.longdouble).nmant == 63 else bits // 8 or np.dtype("g").itemsize
    size = np.dtype("g").itemsize
    return np.ascontiguousarray(plain).reshape(-1).view("u1").reshape(-1, size)[:, :used]


def scalar(obj: Any) -> Parts:
    import numpy as np

    if obj.dtype.kind in SIMPLE and obj.dtype.char not in "gG":
        return b"<scalar>", [obj.dtype.str, obj.tobytes()]
    return b"<scalar>", [obj.dtype, np.asarray(obj)]


def dtype(obj: Any) -> Parts:
    if obj.names is not None:
        return b"<dtype>", [obj.names, [obj.fields[name][0] for name in obj.names]]
    if obj.subdtype is not None:
        return b"<dtype>", list(obj.subdtype)
    if obj.kind == "T":
        return b"<dtype>", ["T", obj.coerce, getattr(obj, "na_object", False)]
    return b"<dtype>", [obj.str, obj.name]


def masked(obj: Any) -> Parts:
    """The values under the mask are not part of a masked array."""
    import numpy as np

    names = obj.dtype.names
    if names is not None:
        return b"<masked>", [type(obj), obj.dtype, *(obj[name] for name in names)]
    data, mask = np.ma.getdata(obj), np.ma.getmaskarray(obj)
    if mask.any():
        data = data.copy()
        data[mask] = np.zeros((), data.dtype)
    return b"<masked>", [type(obj), np.asarray(data), mask, obj.fill_value, obj.hardmask]


def ufunc(obj: Any) -> Parts:
    for place in ("numpy", "scipy.special"):
        name: str = obj.__name__
        if getattr(sys.modules.get(place), name, None) is obj:
            return b"<ufunc>", [place, name, of_module(place).label]
    raise UnhashableError(obj, (), "what it computes is not known; pass the function it was made from to depends_on")


def random_state(obj: Any) -> Parts:
    """The global generator behind ``numpy.random.seed`` differs in each process, so it counts by name."""
    import numpy as np

    if obj is np.random.mtrand._rand:
        return b"<mark>", ["numpy.random"]
    return by_reduction(obj)


def vectorized(obj: Any) -> Parts:
    return b"<vectorize>", [obj.pyfunc, obj.otypes, sorted(obj.excluded, key=str), obj.signature, *added_to(obj)]


SPARSE = ("data", "indices", "indptr", "coords", "row", "col", "offsets", "rows", "blocksize")


def sparse_matrix(obj: Any) -> Parts:
    """A sparse matrix counts as it is stored: its format, the order of its entries and its explicit zeros."""
    if obj.format == "dok":
        return b"<sparse>", [type(obj), obj.shape, str(obj.dtype), dict(obj.items())]
    return b"<sparse>", [type(obj), obj.shape, *(getattr(obj, name) for name in SPARSE if hasattr(obj, name))]


def tensor(obj: Any) -> Parts:
    """A tensor counts by dtype, shape, kind of device, gradient flag and values."""
    import torch

    kind = type(obj)
    about = [kind, str(obj.dtype), tuple(obj.shape), obj.device.type, obj.requires_grad]
    plain = obj.detach().resolve_conj().resolve_neg().cpu()
    if plain.layout is not torch.strided:
        return b"<tensor>", [*about, str(plain.layout), plain.to_dense()]
    return b"<tensor>", [*about, plain.contiguous().reshape(-1).view(torch.uint8).numpy()]
