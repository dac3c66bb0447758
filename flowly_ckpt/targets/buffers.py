"""Frames: a pickle-5 stream with its large buffers beside it, aligned, so that a file of them can be mapped."""

from __future__ import annotations

import pickle
import struct
from collections.abc import Callable, Iterator
from typing import Any

from .damage import DamagedError

__all__ = ["Bytes", "dump_parts", "frame", "layout", "load_frame", "pickle_value"]

Bytes = bytes | bytearray | memoryview

# A frame: MAGIC, how many buffers, the length of the stream, each buffer's length; the stream; the buffers, each at a
# multiple of ALIGN. A value without buffers is its pickle stream alone, which never starts with MAGIC.
MAGIC = b"FLOWLY\x00\x01"
HEAD = struct.Struct("<8sQQ")
ALIGN = 64
IN_BAND = 1024  # smaller buffers are cheaper to copy than to align


def pickle_value(value: Any, callback: Callable[[pickle.PickleBuffer], Any] | None = None, reset: Any = None) -> bytes:
    """Pickle by the plain pickle, and by cloudpickle only what the plain one refuses.

    :param callback: takes buffers out of the stream, as in :func:`pickle.dumps`.
    :param reset: called before the second attempt, to forget the buffers of the first.
    :raises Exception: what pickling the value raises when cloudpickle refuses it too.

    >>> pickle.loads(pickle_value(lambda x: x + 1))(2)
    3
    """
    try:
        return pickle.dumps(value, 5, buffer_callback=callback)
    except (pickle.PicklingError, AttributeError, TypeError):
        import cloudpickle

        if reset is not None:
            reset()
        return bytes(cloudpickle.dumps(value, 5, buffer_callback=callback))


def dump_parts(value: Any) -> list[Bytes]:
    """Encode a value as pieces to be written one after another, without copying its large buffers.

    ``load_frame(b"".join(dump_parts(v))) == v``

    >>> len(dump_parts([1, 2])), len(dump_parts(pickle.PickleBuffer(bytearray(4096))))
    (1, 2)

    See also: :func:`load_frame`.
    """
    buffers: list[memoryview] = []

    def keep(buffer: pickle.PickleBuffer) -> bool:
        raw = buffer.raw()
        if raw.nbytes < IN_BAND:
            return True  # a true answer keeps the buffer in the stream
        buffers.append(raw)
        return False

    stream = pickle_value(value, keep, buffers.clear)
    return frame(MAGIC, stream, [[raw] for raw in buffers]) if buffers else [stream]


def frame(magic: bytes, stream: bytes, buffers: list[list[Bytes]]) -> list[Bytes]:
    """Return the pieces of a frame; each buffer comes in pieces of its own.

    See also: :func:`layout`, its inverse.

    >>> [len(piece) for piece in frame(MAGIC, b"stream", [[b"a", b"b"], [b"c"]])]
    [64, 1, 1, 62, 1]
    """
    sizes = [sum([memoryview(piece).nbytes for piece in pieces]) for pieces in buffers]
    head = HEAD.pack(magic, len(buffers), len(stream)) + struct.pack(f"<{len(buffers)}Q", *sizes)
    parts: list[Bytes] = [b"".join((head, stream, _padding(len(head) + len(stream))))]
    for number, (pieces, size) in enumerate(zip(buffers, sizes), 1):
        parts += pieces
        if number < len(buffers) and size % ALIGN:
            parts.append(_padding(size))
    return parts


def _padding(size: int) -> bytes:
    return bytes(-size % ALIGN)


def load_frame(data: Bytes) -> Any:
    """Decode what :func:`dump_parts` made; arrays lie in ``data`` itself where it is writable, else in one copy of it.

    :raises DamagedError: when the lengths within do not add up to the data.

    >>> load_frame(b"".join(dump_parts({"a": 1})))
    {'a': 1}
    """
    if data[:1] == b"\x80":  # how every pickle starts, and no frame
        return pickle.loads(data)
    view = memoryview(data)
    if view[:8] != MAGIC:
        return pickle.loads(view)
    stream, spans = layout(view)
    if view.readonly:
        view = memoryview(bytearray(view))
    return pickle.loads(view[stream], buffers=[view[span] for span in spans])


def layout(view: memoryview) -> tuple[slice, list[slice]]:
    """Tell where the stream and the buffers of a frame lie; every length is checked before anything is made of it.

    :raises DamagedError: when the lengths do not add up to the data.

    >>> layout(memoryview(b"".join(frame(MAGIC, b"stream", [[b"a", b"b"]]))))
    (slice(32, 38, None), [slice(64, 66, None)])
    """
    if len(view) < HEAD.size:
        raise DamagedError(f"a frame of {len(view)} bytes is shorter than its own head")
    _, count, size = HEAD.unpack_from(view)
    start = HEAD.size + 8 * count
    if start + size > len(view):
        raise DamagedError(f"a frame of {len(view)} bytes speaks of {count} buffers and {size} bytes of pickle")
    spans = list(_spans(struct.unpack_from(f"<{count}Q", view, HEAD.size), start + size))
    if not spans or spans[-1].stop != len(view):
        raise DamagedError(f"a frame of {len(view)} bytes does not end where its last buffer does")
    return slice(start, start + size), spans


def _spans(lengths: tuple[int, ...], end: int) -> Iterator[slice]:
    for length in lengths:
        start = end + -end % ALIGN
        end = start + length
        yield slice(start, end)
