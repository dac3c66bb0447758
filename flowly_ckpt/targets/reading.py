"""How a DiskTarget restores: look the row up, check it, decode it; what is damaged is taken away and warned of."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Iterator
from contextlib import suppress
from itertools import chain
from typing import Any

import xxhash

from ..errors import StoreError
from ..typing import Key
from .codecs import Codec, codec_named, runs_code
from .damage import DamagedError, warn_once
from .listing import Listing
from .rows import columns, from_column, seal_of

__all__ = ["FIND", "Reading"]

FIND = """select id, codec, digest, size, blob, data from entries
    where tag = ? and object = ? and transform = ?"""
DROP = "delete from entries where tag = ? and object = ? and transform = ?"
PAGE = """select object, tag, transform{} from entries
    where (tag, object, transform) {} (?, ?, ?) order by tag, object, transform limit 5000"""


class Reading(Listing):
    """The part of a DiskTarget that restores.

    >>> hasattr(Reading, "read_bytes")
    True

    See also: :class:`flowly_ckpt.targets.DiskTarget`.
    """

    codec: Codec
    max_age: float | None
    verifies_large: bool

    def __getitem__(self, key: Key) -> Any:
        row, codec, data = self._find(key)
        try:
            decoder = self.codec if codec == self.codec.name else self._decoder(codec)
            value = decoder.loads(data)
        except Exception as error:  # unpickling may raise anything
            # Its bytes are whole, so it stays: another process may have the module or the codec that is missing here.
            warn_once(self.path, key, error, of=row)
            raise KeyError(key) from error
        self._uses.note(row)
        return value

    def _decoder(self, name: str) -> Codec:
        codec = codec_named(name)
        if runs_code(codec) and not runs_code(self.codec):
            raise DamagedError(f"it is encoded by {name!r}, which could run code; this store reads {self.codec.name!r}")
        return codec

    def _find(self, key: Key) -> tuple[int, str, Any]:
        """Return row, codec and bytes of an entry, verified; condemn what is damaged."""
        found = self._look(key)
        while found is not None and self._is_young(found[0]):
            row, codec, digest, size, blob, data = found
            try:
                if seal_of(key, codec, row, data if blob is None else blob) != digest:
                    raise DamagedError("the row does not match its digest")
                if blob is not None:
                    data = self._blobs.load(blob, size, self.verifies_large)
            except (DamagedError, OSError, TypeError, ValueError) as error:
                again = self._look(key)
                if again == found:
                    self._condemn(key, row, error, blob, size)
                    break
                found = again  # it was cleared or replaced while we looked
            else:
                return row, codec, data
        raise KeyError(key)

    def _look(self, key: Key) -> tuple[Any, ...] | None:
        try:
            try:
                return self._index.row(FIND, (key[1], key[0], key[2]))
            except UnicodeEncodeError:
                return self._index.row(FIND, columns(key))
        except StoreError as error:
            with suppress(StoreError):
                self._index.change(DROP, columns(key))
            warn_once(self.path, key, error, stacklevel=6)
            return None

    def _condemn(self, key: Key, row: int, what: object, blob: bytes | None = None, size: int = 0) -> None:
        """Warn that an entry is damaged, and take it away with its file, so that it can be stored anew."""

        def take_away(connection: sqlite3.Connection) -> None:
            if isinstance(blob, bytes) and len(blob) == 16 and not self._is_whole(blob, size):
                connection.execute("delete from entries where blob = ? and size = ?", (blob, size))
                self._blobs.remove(blob)
            connection.execute("delete from entries where id = ?", (row,))

        with suppress(StoreError, OSError):  # of a folder that is only for reading
            self._index.transact(take_away)
        warn_once(self.path, key, what, stacklevel=6, of=row)

    def _is_whole(self, blob: bytes, size: int) -> bool:
        """Tell whether a file has been healed by someone else since it was found damaged."""
        try:
            return xxhash.xxh3_128_digest(self._blobs.load(blob, size)) == blob
        except (DamagedError, OSError):
            return False

    def read_bytes(self, key: Key) -> Any:
        """Return the stored bytes of an entry, undecoded but checked for damage.

        :raises KeyError: when there are none, or they are damaged.
        """
        row, _, data = self._find(key)
        self._uses.note(row)
        return data

    def __contains__(self, key: object) -> bool:
        if not (isinstance(key, tuple) and len(key) == 3):
            return False
        found = self._look(key)
        return found is not None and self._is_young(found[0])

    def __iter__(self) -> Iterator[Key]:
        times = "" if self.max_age is None else ", id"
        relation, last = ">=", ("", "", "")
        while True:
            found = self._listed(PAGE.format(times, relation), last)
            keys = [row[:3] for row in found if self._is_young(row[3])] if times else found
            if bytes in set(map(type, chain.from_iterable(keys))):  # text that SQLite could not encode
                keys = [tuple(map(from_column, key)) for key in keys]
            yield from keys
            if len(found) < 5000:
                return
            obj, tag, transform = found[-1][:3]
            relation, last = ">", (tag, obj, transform)

    def __len__(self) -> int:
        if self.max_age is not None:
            return sum(1 for _ in self)
        found = self._index.row("select count(*) from entries", ())
        return int(found[0]) if found else 0

    def _is_young(self, row: int) -> bool:
        # A date in the future shows a clock that was set back: such an entry lives no longer than others.
        return self.max_age is None or abs(time.time() - row / 1e9) <= self.max_age
