"""Frames: one stream with large buffers beside it, aligned, so that a file of them can be mapped."""

from __future__ import annotations

import struct
from collections.abc import Iterator, Sequence

from ..damage import DamagedError
from .protocol import Bytes

__all__ = ["framed", "unframed"]

# A frame: eight bytes that name its kind, how many buffers, the length of the stream, each buffer's length; the
# stream; the buffers, each at a multiple of ALIGN. Where there are no buffers, the stream stands alone; it must never
# start with the eight bytes.
HEAD = struct.Struct("<8sQQ")
ALIGN = 64


def framed(magic: bytes, stream: bytes, buffers: Sequence[Sequence[Bytes]]) -> list[Bytes]:
    """Return a stream and its buffers as pieces to be written one after another, without copying the buffers.

    :param magic: eight bytes that no stream of this kind starts with.
    :param buffers: each in pieces of its own.

    >>> [len(piece) for piece in framed(b"EXAMPLE.", b"stream", [[b"a", b"b"], [b"c"]])]
    [64, 1, 1, 62, 1]
    >>> framed(b"EXAMPLE.", b"stream", [])
    [b'stream']

    See also: :func:`unframed`, its inverse.
    """
    if not buffers:
        return [stream]
    sizes = [sum([memoryview(piece).nbytes for piece in pieces]) for pieces in buffers]
    head = HEAD.pack(magic, len(buffers), len(stream)) + struct.pack(f"<{len(buffers)}Q", *sizes)
    parts: list[Bytes] = [b"".join((head, stream, _padding(len(head) + len(stream))))]
    for number, (pieces, size) in enumerate(zip(buffers, sizes), 1):
        parts += pieces
        if number < len(buffers) and size % ALIGN:
            parts.append(_padding(size))
    return parts


def unframed(magic: bytes, data: Bytes) -> tuple[Bytes, list[memoryview]]:
    """Return the stream and the buffers of a frame; every length is checked before anything is made of it.

    The buffers lie in ``data`` itself where it is writable, else in one copy of it.

    :raises DamagedError: when the lengths do not add up to the data.

    >>> stream, buffers = unframed(b"EXAMPLE.", b"".join(framed(b"EXAMPLE.", b"stream", [[b"a", b"b"]])))
    >>> bytes(stream), [bytes(buffer) for buffer in buffers]
    (b'stream', [b'ab'])
    """
    if data[: len(magic)] != magic:
        return data, []
    view = memoryview(data)
    if len(view) < HEAD.size:
        raise DamagedError(f"a frame of {len(view)} bytes is shorter than its head")
    _, count, size = HEAD.unpack_from(view)
    start = HEAD.size + 8 * count
    if start + size > len(view):
        raise DamagedError(f"a frame of {len(view)} bytes cannot hold {count} buffers and a stream of {size} bytes")
    spans = list(_spans(struct.unpack_from(f"<{count}Q", view, HEAD.size), start + size))
    if not spans or spans[-1].stop != len(view):
        raise DamagedError(f"a frame of {len(view)} bytes does not end where its last buffer does")
    if view.readonly:
        view = memoryview(bytearray(view))
    return view[start : start + size], [view[span] for span in spans]


def _padding(size: int) -> bytes:
    return bytes(-size % ALIGN)


def _spans(lengths: tuple[int, ...], end: int) -> Iterator[slice]:
    for length in lengths:
        start = end + -end % ALIGN
        end = start + length
        yield slice(start, end)
