"""Arrays: dtype, shape and values in logical order, read in place where they lie in that order.

A view equals its copy, Fortran order equals C order, a memory map equals the array in memory. Other layouts are
copied a few MiB at a time.
"""

from __future__ import annotations

from collections.abc import Iterator
from operator import countOf
from typing import Any

from ..errors import UnhashableError
from .hints import told_of
from .objects import by_reduction
from .origin import of_module
from .rows import OPEN, Attrs, Blob, Parts, exact

__all__ = ["chunks"]

CHUNK = 1 << 20
SLICE = 1 << 12


def load_numpy() -> None:
    import numpy as np

    OPEN.register(np.ndarray)(array)
    OPEN.register(np.ma.MaskedArray)(masked)
    OPEN.register(np.generic)(scalar)
    OPEN.register(np.dtype)(dtype)
    OPEN.register(np.ufunc)(ufunc)
    exact(np.vectorize)(vectorized)
    exact(np.random.RandomState)(random_state)


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
        return [Elements(flat, start) for start in range(0, len(flat), SLICE)]
    return [Blob(chunks(plain))]


class Elements:
    """Hold a slice of an array of objects until it is its turn."""

    __slots__ = ("flat", "start")

    def __init__(self, flat: Any, start: int) -> None:
        self.flat, self.start = flat, start


@exact(Elements)
def elements(obj: Elements) -> Parts:
    """Join strings by a character none of them has; anything else counts one by one."""
    items = obj.flat[obj.start : obj.start + SLICE].tolist()
    if countOf(map(type, items), str) == len(items):
        joined = "\0".join(items)
        if joined.count("\0") == len(items) - 1:
            return b"<texts>", [len(items), Blob([joined.encode("utf-8", "surrogatepass")])]
    return b"<elements>", items


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
    """Cut the bytes of a long double that hold nothing."""
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
    import sys

    for place in ("numpy", "scipy.special"):
        name: str = obj.__name__
        if getattr(sys.modules.get(place), name, None) is obj:
            return b"<ufunc>", [place, name, of_module(place).label]
    raise UnhashableError(obj, (), "nothing tells what it computes; name the function it was made of with depends_on")


def random_state(obj: Any) -> Parts:
    """The generator behind ``numpy.random.seed`` is another one in each process; what holds it means just that one."""
    import numpy as np

    if obj is np.random.mtrand._rand:
        return b"<mark>", ["numpy.random"]
    return by_reduction(obj)


def vectorized(obj: Any) -> Parts:
    return b"<vectorize>", [obj.pyfunc, obj.otypes, sorted(obj.excluded, key=str), obj.signature, *told_of(obj)]
