"""Arrow's streams and files: what their messages claim is checked before a library is given them."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import NamedTuple

from ...budget import Budget
from ...damage import DamagedError

__all__ = ["check_arrow"]

_FILE = b"ARROW1"
_DICTIONARY, _BATCH = 2, 3  # kinds of messages that have rows


def check_arrow(data: memoryview, budget: Budget) -> None:
    """Raise unless the batches of a stream or a file lie within it, and take no more than it has.

    A library believes what a batch says of itself: how many rows it has, which parts of it hold them, and how large
    they are when unpacked. What is written here is not compressed.

    :param budget: for the rows, which need not have bytes.
    :raises DamagedError: for all else.

    >>> check_arrow(memoryview(b"\\xff\\xff\\xff\\xff\\0\\0\\0\\0"), Budget(8))
    """
    room = Budget(len(data))
    messages = _of_file(data, room) if data[: len(_FILE)] == _FILE else _of_stream(data, room)
    try:
        for message in messages:
            kind = message.number(1, "<B")
            if kind in (_DICTIONARY, _BATCH) and (batch := message.table(2)) is not None:
                rows = batch.table(1) if kind == _DICTIONARY else batch
                if rows is not None:
                    _check_batch(rows, message.number(3, "<q"), budget)
    except struct.error as error:
        raise DamagedError(f"a message of Arrow does not hold what it says: {error}") from error


def _check_batch(batch: _Table, length: int, budget: Budget) -> None:
    if batch.field(3) is not None:
        raise DamagedError("a batch of Arrow is compressed")
    budget.step(batch.number(0, "<q"), "a batch of rows")
    for rows, nulls in batch.pairs(1):
        budget.step(rows, "a column of a batch")
        if not 0 <= nulls <= rows:
            raise DamagedError(f"{nulls} of {rows} rows are null")
    room = Budget(length)
    for start, size in batch.pairs(2):
        room.take(size, "a buffer of a batch")
        if not 0 <= start <= length - size:
            raise DamagedError(f"a buffer of a batch lies at {start}, outside its {length} bytes")


def _of_stream(data: memoryview, room: Budget) -> Iterator[_Table]:
    at = 0
    while at < len(data):
        mark, size = struct.unpack_from("<Ii", data, at)
        if size == 0:
            return
        if mark != 0xFFFFFFFF:
            raise DamagedError("it is not a stream of Arrow")
        room.take(size, "a message")
        message = _root(data[at + 8 : at + 8 + size])
        body = message.number(3, "<q")
        room.take(body, "the body of a message")
        yield message
        at += 8 + size + body


def _of_file(data: memoryview, room: Budget) -> Iterator[_Table]:
    (size,) = struct.unpack_from("<i", data, max(len(data) - 10, 0))
    if data[-6:] != _FILE or not 0 < size <= len(data) - 10:
        raise DamagedError("it is not a file of Arrow")
    footer = _root(data[len(data) - 10 - size : len(data) - 10])
    for slot in (2, 3):  # the dictionaries, and the batches
        for at, length, body in footer.blocks(slot):
            room.take(length, "a message")
            room.take(body, "the body of a message")
            if not 0 <= at <= len(data) - length - body or length < 8:
                raise DamagedError(f"a message of {length} bytes lies at {at}, outside the file")
            message = _root(data[at + 8 : at + length])
            if message.number(3, "<q") != body:
                raise DamagedError("a message has another body than the footer says")
            yield message


class _Table(NamedTuple):
    """A table of a flatbuffer: fields by slot, each of which may be missing."""

    data: memoryview
    at: int

    def field(self, slot: int) -> int | None:
        """Return where a field lies."""
        vtable = self.at - _number("<i", self.data, self.at)
        place = 4 + 2 * slot
        offset = _number("<H", self.data, vtable + place) if place + 2 <= _number("<H", self.data, vtable) else 0
        return self.at + offset if offset else None

    def number(self, slot: int, form: str) -> int:
        """Return a number, 0 where it is missing."""
        place = self.field(slot)
        return 0 if place is None else _number(form, self.data, place)

    def table(self, slot: int) -> _Table | None:
        """Return a table, or None."""
        place = self.field(slot)
        return None if place is None else _Table(self.data, place + _number("<I", self.data, place))

    def pairs(self, slot: int) -> Iterator[tuple[int, int]]:
        """Yield the pairs of numbers of a vector."""
        return struct.iter_unpack("<qq", self._vector(slot, 16))

    def blocks(self, slot: int) -> Iterator[tuple[int, int, int]]:
        """Yield the place of each message of a file: where, the length of the message, that of its body."""
        return struct.iter_unpack("<qi4xq", self._vector(slot, 24))

    def _vector(self, slot: int, size: int) -> memoryview:
        place = self.field(slot)
        if place is None:
            return self.data[:0]
        start = place + _number("<I", self.data, place)
        count = _number("<I", self.data, start)
        if start + 4 + count * size > len(self.data):
            raise struct.error(f"{count} items lie beyond its end")
        return self.data[start + 4 : start + 4 + count * size]


def _root(data: memoryview) -> _Table:
    return _Table(data, _number("<I", data, 0))


def _number(form: str, data: memoryview, at: int) -> int:
    if at < 0:
        raise struct.error(f"{at} lies before its beginning")
    number: int = struct.unpack_from(form, data, at)[0]
    return number
