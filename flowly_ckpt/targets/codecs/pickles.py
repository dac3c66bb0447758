"""Codecs over pickle: in frames, as one plain pickle with a digest, and gzipped."""

from __future__ import annotations

import io
import pickle
from functools import cache
from typing import Any, NamedTuple

import xxhash

from ..damage import DamagedError
from .faithful import faithful
from .frames import framed, unframed
from .protocol import Bytes, Codec, too_deep

__all__ = ["gzipped", "pickled", "plain_pickle", "trailer"]

MAGIC = b"FLOWLY\x00\x01"  # no pickle starts so: each starts with b"\x80"
IN_BAND = 1024  # smaller buffers are cheaper to copy than to align
TRAILER = b"\nflowly-ckpt xxh3-128 "


class Pickled(NamedTuple):
    """Pickle protocol 5 with large buffers out of band; cloudpickle only where pickle cannot.

    >>> pickled.loads(pickled.dumps({"a": (1, 2)}))
    {'a': (1, 2)}
    """

    name: str = "pickled"
    runs_code: bool = True

    def parts(self, value: Any) -> list[Bytes]:
        """Encode without copying large buffers."""
        buffers: list[list[memoryview]] = []
        stream = _pickle(value, buffers)
        return framed(MAGIC, stream, buffers)

    def dumps(self, value: Any) -> bytes:
        """Encode a value."""
        return b"".join(self.parts(value))

    def loads(self, data: Bytes) -> Any:
        """Decode; arrays are writable and lie in ``data`` where it is writable itself."""
        stream, buffers = unframed(MAGIC, data)
        return pickle.loads(stream, buffers=buffers)


def _pickle(value: Any, buffers: list[list[memoryview]] | None = None) -> bytes:
    """Pickle with pickle itself, and with cloudpickle only what pickle refuses; large buffers go into the list."""

    def keep(buffer: pickle.PickleBuffer) -> bool:
        if buffers is None or (raw := buffer.raw()).nbytes < IN_BAND:
            return True  # a true answer keeps the buffer in the stream
        buffers.append([raw])
        return False

    out = io.BytesIO()
    try:
        _Pickler(out, 5, buffer_callback=keep).dump(value)
    except (pickle.PicklingError, AttributeError, TypeError):
        if buffers:
            buffers.clear()  # of the first attempt
        out = io.BytesIO()
        try:
            _by_value()(out, 5, buffer_callback=keep).dump(value)
        except RecursionError as error:
            raise too_deep(value) from error
    except RecursionError as error:
        raise too_deep(value) from error
    return out.getvalue()


class _Pickler(pickle.Pickler):
    def reducer_override(self, obj: Any) -> Any:
        return faithful(obj)


@cache
def _by_value() -> Any:
    import cloudpickle

    class Pickler(cloudpickle.Pickler):  # type: ignore[misc]
        def reducer_override(self, obj: Any) -> Any:
            found = faithful(obj)
            return super().reducer_override(obj) if found is NotImplemented else found

    return Pickler


class PlainPickle(NamedTuple):
    """One pickle that ``pickle.load(open(path, "rb"))`` reads, then a digest of it, which pickle ignores.

    A pickle without a digest (made by another program) is read as it is, if nothing follows it.

    >>> pickle.loads(plain_pickle.dumps([1, 2]))
    [1, 2]
    """

    name: str = "plain-pickle"
    runs_code: bool = True
    checks_itself: bool = True

    def parts(self, value: Any) -> list[Bytes]:
        """Encode as the pickle and its trailer."""
        stream = _pickle(value)
        return [stream, trailer(stream)]

    def dumps(self, value: Any) -> bytes:
        """Encode a value."""
        return b"".join(self.parts(value))

    def loads(self, data: Bytes) -> Any:
        """Decode after checking the digest, where there is one."""
        view = memoryview(data)
        cut = max(len(view) - len(TRAILER) - 16, 0)
        if view[cut : cut + len(TRAILER)] != TRAILER:
            return _load_whole(view)
        if view[cut:] != trailer(view[:cut]):
            raise DamagedError("the pickle does not match its digest")
        return pickle.loads(view[:cut])


def trailer(stream: Bytes) -> bytes:
    """Return what follows a plain pickle: a mark, and the digest of the pickle.

    >>> plain_pickle.dumps(1).endswith(trailer(pickle.dumps(1, 5)))
    True
    """
    return TRAILER + xxhash.xxh3_128_digest(stream)


def _load_whole(data: Bytes) -> Any:
    stream = io.BytesIO(data)
    value = pickle.load(stream)
    if stream.tell() != len(data):
        raise DamagedError(f"{len(data) - stream.tell()} bytes follow the pickle")
    return value


class Gzipped(NamedTuple):
    """A plain gzip of a plain pickle: ``pickle.load(gzip.open(path))`` reads it; gzip's own checksum guards it.

    >>> import gzip
    >>> pickle.loads(gzip.decompress(gzipped.dumps("x")))
    'x'
    """

    name: str = "gzipped"
    runs_code: bool = True
    checks_itself: bool = True

    def dumps(self, value: Any) -> bytes:
        """Encode a value; equal pickles give equal bytes, as no time is written."""
        import gzip

        return gzip.compress(_pickle(value), 6, mtime=0)

    def loads(self, data: Bytes) -> Any:
        """Decode a value."""
        import gzip

        return _load_whole(gzip.decompress(data))


pickled: Codec = Pickled()
plain_pickle: Codec = PlainPickle()
gzipped: Codec = Gzipped()
