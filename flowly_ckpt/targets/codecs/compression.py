"""The codec that compresses what another codec makes: zstd where it is installed, else zlib."""

from __future__ import annotations

import struct
import zlib
from typing import Any, NamedTuple

from ...given import whole
from ..budget import Budget
from ..damage import DamagedError, raised_as_damage
from .pickles import pickled
from .protocol import Bytes, Codec, codec_given, parts_of, runs_code

__all__ = ["compressed"]

# Stored: one letter for the method, the length before compression, its stream.
HEAD = struct.Struct("<cQ")
_ZSTD, _CHECKED = b"\x28\xb5\x2f\xfd", 4  # what a frame begins with; the bit of the next byte that tells of a checksum
RATIO = {b"z": 1100, b"s": 1 << 16}  # no stream of the method that was made here unpacks to more


class _Options(NamedTuple):
    level: int
    inner: Codec
    method: str


class compressed(_Options):
    """Compress what ``inner`` makes; bytes that would unpack to more than they state are refused unread.

    :param level: of the method; 0–9 with zlib, 1–22 with zstd.
    :param inner: the codec underneath.
    :param method: ``"zlib"``, ``"zstd"``, or ``"auto"``: zstd where it is installed. Reading needs no choice.
    :raises TypeError, ValueError: for an unknown level, codec or method.

    >>> codec = compressed(method="zlib")
    >>> len(codec.dumps([0] * 10_000)) < 200, codec.loads(codec.dumps({"a": 1}))
    (True, {'a': 1})

    See also: :data:`flowly_ckpt.targets.gzipped`, which other programs can read.
    """

    __slots__ = ()

    def __new__(cls, level: int = 6, inner: Codec = pickled, method: str = "auto") -> compressed:
        if method not in ("auto", "zlib", "zstd"):
            raise ValueError(f"method must be 'auto', 'zlib' or 'zstd', got {method!r}")
        return super().__new__(cls, whole("level", level, 0, 22), codec_given(inner, "inner"), method)

    @property
    def name(self) -> str:
        """The name under which entries are filed; it does not depend on the level and the method."""
        return f"compressed+{self.inner.name}"

    @property
    def runs_code(self) -> bool:
        """Whether loading untrusted bytes may run code, as with ``inner``."""
        return runs_code(self.inner)

    def dumps(self, value: Any) -> bytes:
        """Encode a value."""
        data = b"".join(parts_of(self.inner, value))
        zstd = _zstd(self.method)
        if zstd is not None:
            return HEAD.pack(b"s", len(data)) + _zstd_packed(zstd, data, self.level)
        return HEAD.pack(b"z", len(data)) + zlib.compress(data, min(self.level, 9))

    def loads(self, data: Bytes) -> Any:
        """Decode a value."""
        with raised_as_damage("it cannot be unpacked"):
            unpacked = bytearray(_unpacked(memoryview(data)))
        return self.inner.loads(unpacked)


def _unpacked(view: memoryview) -> bytes:
    if len(view) < HEAD.size:
        raise DamagedError(f"{len(view)} bytes are too few for a compressed value")
    method, size = HEAD.unpack_from(view)
    body = view[HEAD.size :]
    Budget(len(body) + 16, RATIO.get(method, 0)).take(size, f"what is packed by method {method!r}")
    if method == b"s":
        found = _zstd_unpacked(_zstd("zstd"), bytes(body), size)
    else:
        stream = zlib.decompressobj()
        found = stream.decompress(body, size + 1)
        if not stream.eof or stream.unused_data:
            raise DamagedError("the zlib stream does not end where it should")
    if len(found) != size:
        raise DamagedError(f"{len(found)} bytes unpacked, {size} were packed")
    return found


def _zstd_packed(zstd: Any, data: bytes, level: int) -> bytes:
    """Compress into a frame that carries its checksum."""
    if hasattr(zstd, "ZstdCompressor") and not hasattr(zstd, "CompressionParameter"):
        return bytes(zstd.ZstdCompressor(level=level, write_checksum=True).compress(data))
    parameter = zstd.CompressionParameter
    return bytes(zstd.compress(data, options={parameter.compression_level: level, parameter.checksum_flag: 1}))


def _zstd_unpacked(zstd: Any, body: bytes, size: int) -> bytes:
    """Decompress, but not to more than the stated size, whatever the frame says of itself."""
    if body[: len(_ZSTD)] != _ZSTD or not body[len(_ZSTD)] & _CHECKED:
        raise DamagedError("it is not a frame of zstd with a checksum")
    if hasattr(zstd, "CompressionParameter"):
        stream = zstd.ZstdDecompressor()
        found = bytes(stream.decompress(body, size + 1))
        if not stream.eof or stream.unused_data:
            raise DamagedError("the zstd stream does not end where it should")
        return found
    stream = zstd.ZstdDecompressor().stream_reader(body, read_across_frames=False)
    unpacked = bytearray()
    while len(unpacked) <= size and (piece := stream.read(min(1 << 22, size + 1 - len(unpacked)))):
        unpacked += piece
    return bytes(unpacked)


def _zstd(method: str) -> Any:
    """Return a module with zstd's compress and decompress, or None where zlib is to be used."""
    if method == "zlib":
        return None
    for name in ("compression.zstd", "zstandard"):
        try:
            return __import__(name, fromlist=["compress"])
        except ImportError:
            continue
    if method == "auto":
        return None
    raise ModuleNotFoundError("zstd is not installed: `pip install zstandard`, or choose method='zlib'")
