"""Arrays of numpy, sparse matrices of scipy and tensors of torch: dtype, shape and values in logical order.

A view equals its copy, Fortran order equals C order, a memory map equals the array in memory. Values are read in
place where they lie in C order; other layouts are copied one MiB at a time.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from functools import partial
from typing import Any

from ...errors import UnhashableError
from ..code.origin import of_module
from ..hints import added_to
from ..plain import all_of
from ..rows import LABELS, ROWS, Attrs, Blob, Later, Mark, Parts, attributes
from ..values.objects import by_reduction

__all__ = ["chunks"]

CHUNK = 1 << 20  # bytes that are copied, looked at and hashed while they lie in the cache
LARGEST = 64 << 20  # bytes of a buffer that holds enough rows to read memory by lines of the cache
ROWS_AT_ONCE = 16
PIECE = 1 << 17  # numbers that stay in the cache between the look for NaN and the hash
TILE = 512
LINE = 64  # bytes that are read at once, whatever is wanted of them
SLICE = 1 << 14


def load_numpy() -> None:
    import numpy as np

    ROWS.open(np.ndarray, without=OF_MEMMAP)(array)
    ROWS.open(np.ma.MaskedArray, without=OF_MASKED)(masked)
    ROWS.open(np.generic)(scalar)
    ROWS.register(np.dtype)(dtype)
    ROWS.register(np.ufunc)(ufunc)
    ROWS.exact(np.vectorize)(vectorized)
    ROWS.exact(np.random.RandomState)(random_state)


def load_scipy_sparse() -> None:
    from scipy import sparse

    ROWS.open(sparse.spmatrix, sparse.sparray, without=OF_SPARSE)(sparse_matrix)


def load_scipy_spatial() -> None:
    from scipy.spatial import cKDTree

    ROWS.open(cKDTree)(lambda obj: (b"<tree>", [type(obj), obj.data, obj.leafsize, obj.boxsize, obj.indices]))


def load_torch() -> None:
    import torch

    ROWS.open(torch.Tensor, torch.nn.Parameter)(tensor)
    ROWS.register(torch.UntypedStorage)(lambda obj: (b"<storage>", [obj.device.type, numbers(in_place(obj).cpu())]))
    ROWS.register(torch.storage.TypedStorage)(lambda obj: (b"<storage>", [str(obj.dtype), obj._untyped_storage]))
    ROWS.register(torch.finfo, torch.iinfo)(lambda obj: (b"<limits>", [type(obj), obj.dtype]))


OF_MEMMAP = frozenset({"_mmap", "offset", "mode", "filename"})
OF_MASKED = frozenset({"_mask", "_fill_value", "_sharedmask", "_hardmask", "_isfield", "_baseclass", "_basedict"})


def array(obj: Any) -> Parts:
    import numpy as np

    kind, of = type(obj), obj.dtype
    if kind is np.ndarray and of.kind in SIMPLE and of.metadata is None:
        return b"<array>", [of.str, obj.shape, Blob(chunks(obj))]
    plain = obj if kind is np.ndarray else obj.view(np.ndarray)
    is_simple = of.kind in SIMPLE and of.metadata is None
    parts = [of.str if is_simple else of, obj.shape, *values(plain)]
    if kind is not np.ndarray and kind is not np.memmap:
        parts.append(kind)
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
    import numpy as np

    items = flat[start : start + SLICE].tolist()
    if all_of(str, items):
        joined = "\0".join(items).encode("utf-8", "surrogatepass")
        if np.count_nonzero(np.frombuffer(joined, "u1")) == len(joined) - len(items) + 1:
            return b"<texts>", [len(items), Blob([joined])]
    return b"<elements>", [start, *items]


LABELS[b"<elements>"] = lambda obj, parts: ["", *(f"[{i}]" for i in range(parts[0], parts[0] + len(parts)))]


def chunks(plain: Any) -> Iterator[Any]:
    """Yield the bytes of an array in C order, without a copy where they lie in that order; all NaN are one.

    >>> import numpy as np
    >>> a = np.arange(6, dtype="u1").reshape(2, 3)
    >>> b"".join(map(bytes, chunks(a.T)))
    b'\\x00\\x03\\x01\\x04\\x02\\x05'
    """
    if plain.size == 0:
        return
    for block in blocks(plain):
        if plain.dtype.kind not in "fc":
            yield block.view("u1")
            continue
        for start in range(0, len(block), PIECE):
            piece = one_nan(block[start : start + PIECE])
            yield without_padding(piece) if plain.dtype.char in "gG" else piece.view("u1")


def blocks(plain: Any) -> Iterator[Any]:
    """Yield an array in contiguous blocks; those that are copies share one buffer, so each must be used at once.

    They are copied in tiles, so that what lies side by side in memory is read together, unless rows lie so already.
    """
    import numpy as np

    if plain.flags.c_contiguous or plain.nbytes <= TILE:
        yield np.ascontiguousarray(plain).reshape(-1)
        return
    row, width = plain.nbytes // len(plain), plain.shape[-1]
    shortest = min(abs(step) for step, size in zip(plain.strides, plain.shape) if size > 1)
    is_across = abs(plain.strides[-1]) > max(shortest, LINE)
    rows = max(CHUNK // row, min(ROWS_AT_ONCE, LARGEST // row)) if is_across else CHUNK // row
    if not rows:
        for part in plain:
            yield from blocks(part)
        return
    buffer = np.empty((min(rows, len(plain)), *plain.shape[1:]), plain.dtype)
    for start in range(0, len(plain), rows):
        part = plain[start : start + rows]
        for place in range(0, width, TILE if is_across else width):
            tile = (..., slice(place, place + TILE)) if is_across else ...
            np.copyto(buffer[: len(part)][tile], part[tile])
        yield buffer[: len(part)].reshape(-1)


def one_nan(piece: Any) -> Any:
    """Return numbers with the standard payload and sign in each NaN."""
    import numpy as np

    flat = piece.view(piece.real.dtype) if piece.dtype.kind == "c" else piece
    most = np.maximum.reduce(flat)
    if most == most:
        return piece
    flat = flat.copy()
    flat[flat != flat] = np.nan
    return flat


def without_padding(plain: Any) -> Any:
    """Return the bytes of long doubles without their padding."""
    import numpy as np

    size = np.dtype("g").itemsize
    used = 10 if np.finfo(np.longdouble).nmant == 63 else size
    start = 0 if plain.dtype.isnative or used == size else size - used
    return np.ascontiguousarray(plain.reshape(-1).view("u1").reshape(-1, size)[:, start : start + used]).reshape(-1)


def scalar(obj: Any) -> Parts:
    import numpy as np

    kind = obj.dtype.kind
    is_nan = kind in "fc" and obj != obj
    if kind in SIMPLE and obj.dtype.metadata is None and obj.dtype.char not in "gG" and not is_nan:
        return b"<scalar>", [obj.dtype.str, obj.tobytes()]
    return b"<scalar>", [obj.dtype, np.asarray(obj)]


def dtype(obj: Any) -> Parts:
    """A dtype counts by its structure: of a record the fields with their places, of all what was attached to it."""
    import numpy as np

    about = Attrs(obj.metadata) if obj.metadata else None
    if obj.names is not None:
        kinds, places, *_ = zip(*(obj.fields[name] for name in obj.names)) if obj.names else ((), ())
        titles = [obj.fields[name][2] if len(obj.fields[name]) > 2 else None for name in obj.names]
        layout = [list(places), obj.itemsize, obj.isalignedstruct, titles]
        return b"<dtype>", [obj.names, list(kinds), layout, None if obj.type is np.void else obj.type, about]
    if obj.subdtype is not None:
        return b"<dtype>", [*obj.subdtype, about]
    if obj.kind == "T":
        return b"<dtype>", ["T", obj.coerce, getattr(obj, "na_object", Mark("none"))]
    if not type(obj).__module__.startswith("numpy"):
        return by_reduction(obj)
    return b"<dtype>", [obj.str, obj.name, about, obj.type if obj.isbuiltin == 2 else None]


def masked(obj: Any) -> Parts:
    """The values under the mask are not part of a masked array."""
    import numpy as np

    about = [type(obj), obj._optinfo or None, filled_with(obj), obj.hardmask]
    names = obj.dtype.names
    if names is not None:
        return b"<masked>", [*about, obj.dtype, obj.shape, *(obj[name] for name in names)]
    data, mask = np.ma.getdata(obj), np.ma.getmaskarray(obj)
    if mask.any():
        data = data.copy()
        data[mask] = np.zeros((), data.dtype)
    return b"<masked>", [*about, np.asarray(data), mask]


def filled_with(obj: Any) -> Any:
    """Return the value that a masked array was given to be filled with; None for that of its kind of number.

    That is set when it is first asked for, and cut to the width of texts when the array is copied.
    """
    import numpy as np

    given = obj._fill_value
    if given is None:
        return None
    usual = np.asarray(np.ma.default_fill_value(obj.dtype))
    alike = (usual.tolist(), usual.astype(obj.dtype).tolist())
    return None if given.tolist() in alike else given


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
OF_SPARSE = frozenset(SPARSE) | {
    "_shape", "_dict", "dtype", "maxprint", "_has_sorted_indices", "_has_canonical_format", "has_canonical_format"
}  # fmt: skip


def sparse_matrix(obj: Any) -> Parts:
    """A sparse matrix counts as it is stored: its format, the order of its entries and its explicit zeros."""
    if obj.format == "dok":
        return b"<sparse>", [type(obj), obj.shape, obj.dtype, dict(obj.items())]
    return b"<sparse>", [type(obj), obj.shape, *(getattr(obj, name) for name in SPARSE if hasattr(obj, name))]


def tensor(obj: Any) -> Parts:
    """A tensor counts by dtype, shape, kind of device, attributes, values and gradient, not by how it was computed."""
    import torch

    about = [type(obj), str(obj.dtype), obj.device.type, obj.requires_grad]
    if obj.is_nested:
        return b"<tensor>", [*about, str(obj.layout), *obj.detach().unbind()]
    about += [tuple(obj.shape), attributes(vars(obj), OF_TENSOR)]
    plain = obj.detach().resolve_conj().resolve_neg()
    if plain.is_meta:
        return b"<tensor>", about  # without values
    if obj.is_leaf and obj.grad is not None:
        about.append(obj.grad)
    plain = plain.cpu()
    if plain.layout is torch.sparse_coo:
        return b"<tensor>", [*about, plain.is_coalesced(), plain._indices(), plain._values()]
    if plain.layout is not torch.strided:
        names = [name for name in ("crow_indices", "col_indices", "ccol_indices", "row_indices") if has(plain, name)]
        return b"<tensor>", [*about, str(plain.layout), *(getattr(plain, name)() for name in names), plain.values()]
    if plain.is_quantized:
        return b"<tensor>", [*about, *quantised(plain), numbers(plain.int_repr())]
    return b"<tensor>", [*about, numbers(plain)]


OF_TENSOR = frozenset({"_backward_hooks", "_post_accumulate_grad_hooks", "_dynamo_static_input_type"})


def in_place(storage: Any) -> Any:
    """Return the bytes of a storage as a tensor."""
    import torch

    return torch.empty(0, dtype=torch.uint8, device=storage.device).set_(storage)


def has(tensor: Any, name: str) -> bool:
    try:
        getattr(tensor, name)()
    except RuntimeError:
        return False
    return True


def quantised(plain: Any) -> list[Any]:
    if "per_tensor" in str(plain.qscheme()):
        return [str(plain.qscheme()), plain.q_scale(), plain.q_zero_point()]
    scales, zeros = plain.q_per_channel_scales(), plain.q_per_channel_zero_points()
    return [str(plain.qscheme()), scales, zeros, plain.q_per_channel_axis()]


def numbers(plain: Any) -> Any:
    """Return a tensor as an array; of a kind of number that numpy lacks, as integers of its width."""
    import torch

    try:
        return plain.numpy()
    except TypeError:
        if plain.dtype is torch.bfloat16:
            plain = torch.where(plain == plain, plain, torch.full_like(plain, float("nan")))
        widths = {1: torch.uint8, 2: torch.int16, 4: torch.int32, 8: torch.int64}
        return plain.view(widths[plain.element_size()]).numpy()
