"""How a DiskTarget stores: small values in the row, large ones in a file of their own, in one transaction."""

from __future__ import annotations

import sqlite3
import time
from typing import Any

from ..errors import StoreError
from ..typing import Facts, Key
from .blobs import digest_of, size_of
from .codecs import Bytes, Codec, parts_of
from .eviction import Eviction
from .opening import index_files
from .reading import FIND
from .rows import columns, made_from_text, seal_of

__all__ = ["Storing"]

ADD = """insert into entries (id, tag, object, transform, codec, size, digest, seconds, made_from, blob, data)
    values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"""


class Storing(Eviction):
    """The part of a DiskTarget that stores and deletes.

    >>> hasattr(Storing, "write_bytes")
    True

    See also: :class:`flowly_ckpt.targets.DiskTarget`.
    """

    codec: Codec
    inline_bytes: int

    def __setitem__(self, key: Key, value: Any) -> None:
        self.put(key, value, Facts(0.0))

    def put(self, key: Key, value: Any, facts: Facts) -> None:
        """Store a value with the seconds it took and what its key was made from.

        :raises StoreError: when it cannot be written; nothing is changed then.
        """
        self.write_bytes(key, parts_of(self.codec, value), facts)

    def write_bytes(self, key: Key, parts: list[Bytes], facts: Facts | None = None, codec: str = "") -> None:
        """Store encoded bytes, given in pieces; ``codec`` names what made them, if it was not the target's own."""
        size = len(parts[0]) if len(parts) == 1 and type(parts[0]) is bytes else size_of(parts)
        if self.max_bytes is not None and size > self.max_bytes:
            raise StoreError(f"{self.path}: a value of {size} bytes is larger than the whole store may be")
        if size > self.inline_bytes:
            self._replace(key, parts, self._blob(parts, size), size, facts, codec)
        else:
            data = bytes(parts[0]) if len(parts) == 1 else b"".join(parts)
            try:
                self._index.change(ADD, self._row(key, size, None, data, facts, codec))
            except sqlite3.IntegrityError:  # the key is there already
                self._replace(key, [data], None, size, facts, codec)
        if self.max_bytes is not None:
            self._keep_within(self.max_bytes, key, size)

    def _row(
        self, key: Key, size: int, blob: bytes | None, data: bytes | None, facts: Facts | None, codec: str
    ) -> tuple[Any, ...]:
        row, codec = time.time_ns(), codec or self.codec.name
        digest = seal_of(key, codec, row, data if blob is None else blob)
        seconds, made_from = facts or Facts(0.0)
        return (row, *columns(key), codec, size, digest, seconds, made_from_text(made_from), blob, data)

    def _replace(
        self, key: Key, parts: list[Bytes], blob: bytes | None, size: int, facts: Facts | None, codec: str
    ) -> None:
        def replace(connection: sqlite3.Connection) -> Any:
            # Files are only removed in transactions: what is there now stays until this one ends.
            if blob is not None and not self._blobs.has(blob, size):
                self._blobs.add(parts)
            old = connection.execute(FIND, columns(key)).fetchone()
            if old is not None:
                connection.execute("delete from entries where id = ?", old[:1])
            connection.execute(
                ADD, self._row(key, size, blob, None if blob is not None else bytes(parts[0]), facts, codec)
            )
            return old

        old = self._index.transact(replace)
        if old is not None and old[4] not in (None, blob):
            self._drop_files([(old[4], old[3])])

    def _blob(self, parts: list[Bytes], size: int) -> bytes:
        """Return the digest of the file that holds the bytes; write it, unless an equal one is there."""
        if self._index.row("select 1 from entries where size = ? and blob is not null limit 1", (size,)):
            digest = digest_of(parts)
            if self._blobs.has(digest, size):
                return digest
        return self._blobs.add(parts)

    def __delitem__(self, key: Key) -> None:
        def delete(connection: sqlite3.Connection) -> Any:
            found = connection.execute(FIND, columns(key)).fetchone()
            if found is not None:
                connection.execute("delete from entries where id = ?", found[:1])
            return found

        found = self._index.transact(delete) if index_files(self.path) else None
        if found is None:
            raise KeyError(key)
        if found[4] is not None:
            self._drop_files([(found[4], found[3])])
