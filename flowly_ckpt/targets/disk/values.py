"""The encoded values of a store, in rows or in files beside them: found verified, stored whole or not at all."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from functools import partial
from typing import Any, TypeVar

from ...errors import StoreError
from ...typing import Facts, Key
from ..codecs import Bytes
from ..damage import DamagedError, warn_once
from ..facts import Selection
from ..filesystem import size_of
from .blobs import Blobs, File
from .entries import REMOVE, Entries, New, Row
from .schema import is_full

__all__ = ["Values"]

T = TypeVar("T")

_LONGEST = 500_000_000  # bytes in a row; SQLite takes a thousand million, with the rest of the row


class Values:
    """Find and store the bytes of entries; what is damaged is removed, with a warning, and counts as absent.

    :param entries: the rows.
    :param blobs: the files.
    :param inline_bytes: values of at most this size lie in their row, if a row can hold them.
    :param max_age: seconds; older entries count as absent.
    :param verifies_large: whether files are checked against their digests when they are loaded.

    >>> from .index import Index
    >>> Values(Entries(Index("/no/such/folder", print)), Blobs("/no/such/folder")).look(("a", "fit", "f")) is None
    True
    """

    def __init__(
        self,
        entries: Entries,
        blobs: Blobs,
        inline_bytes: int = 32_768,
        max_age: float | None = None,
        verifies_large: bool = True,
    ) -> None:
        self.entries = entries
        self.blobs = blobs
        self.inline_bytes = min(inline_bytes, _LONGEST)
        self.max_age = max_age
        self.verifies_large = verifies_large

    @property
    def name(self) -> str:
        """The folder, by which warnings name the store."""
        return self.blobs.root

    def find(self, key: Key, row: Row | None = None) -> tuple[Row, Any]:
        """Return row and bytes of an entry, verified.

        :param row: what was found for the key, if it has been looked up.
        :raises KeyError: where there is none, it has expired or is damaged.
        """
        row = row or self.look(key)
        while row is not None:
            try:
                row.check(key)
                if not (self.max_age is None or self.is_young(row.created)):
                    break
                if row.blob is None:
                    return row, row.data
                return row, self.blobs.load(File(row.blob, row.size), self.verifies_large)
            except (DamagedError, OSError, TypeError, ValueError) as error:
                again = self.look(key)
                if again == row:
                    self._condemn(key, row, error)
                    break
                row = again  # it was cleared or replaced while we looked
        raise KeyError(key)

    def look(self, key: Key) -> Row | None:
        """Return the row of a key, or None where there is none that can be read."""
        try:
            return self.entries.find(key)
        except StoreError as error:
            if "decode" in str(error):  # text that a flipped byte has made unreadable
                with suppress(StoreError):
                    self.entries.remove_unreadable(key)
            warn_once(self.name, key, error)
            return None

    def is_young(self, created: int) -> bool:
        """Return whether an entry made at this time has not expired."""
        # A date in the future shows a clock that was set back: such an entry lives no longer than others.
        known = type(created) in (int, float)  # in a foreign index it may be anything
        return self.max_age is None or (known and abs(time.time() - created / 1e9) < self.max_age)

    def _condemn(self, key: Key, row: Row, what: Exception) -> None:
        """Warn that an entry is damaged, and remove it with its file, so that it can be stored again.

        A file that is there but cannot be read now may be whole: then nothing is removed.
        """

        def remove(connection: sqlite3.Connection) -> None:
            if isinstance(row.blob, bytes) and len(row.blob) == 16 and self.blobs.is_damaged(File(row.blob, row.size)):
                connection.execute("delete from entries where blob = ? and size = ?", (row.blob, row.size))
                self.blobs.remove(row.blob)
            connection.execute(REMOVE, row.this)

        if isinstance(what, (DamagedError, FileNotFoundError, TypeError, ValueError)):
            with suppress(StoreError, OSError):  # of a folder that is only for reading
                self.entries.index.transact(remove)
        warn_once(self.name, key, what, of=row.id)

    def store(self, key: Key, codec: str, pieces: list[Bytes], size: int, facts: Facts) -> None:
        """Store encoded bytes, given in pieces.

        :raises StoreError: when they cannot be written; nothing is changed then.
        """
        if size > self.inline_bytes:
            self._replace(New(key, codec, None, self.blobs.add(pieces), facts), pieces)
            return
        new = New(key, codec, bytes(pieces[0]) if len(pieces) == 1 else b"".join(pieces), None, facts)
        try:
            self.entries.add(new)
        except sqlite3.IntegrityError:  # the key is there already
            self._replace(new, pieces)

    def store_many(self, items: Iterable[tuple[Key, str, list[Bytes], Facts]]) -> None:
        """Store several, the small ones in one transaction; of values under one key the last."""
        small: dict[Key, New] = {}
        for key, codec, pieces, facts in items:
            size = size_of(pieces)
            if size > self.inline_bytes:
                small.pop(key, None)
                self.store(key, codec, pieces, size, facts)
            else:
                small[key] = New(key, codec, b"".join(pieces), None, facts)

        def replace(connection: sqlite3.Connection) -> list[File | None]:
            return [self.entries.replace(connection, new) for new in small.values()]

        if small:
            self.drop_files(file for file in self.entries.index.transact(replace) if file is not None)

    def _replace(self, new: New, pieces: list[Bytes]) -> None:
        def replace(connection: sqlite3.Connection) -> File | None:
            # Files are only removed in transactions: what is there now stays until this one ends.
            if new.file is not None and not self.blobs.has(new.file):
                self.blobs.add(pieces)
            return self.entries.replace(connection, new)

        old = self.entries.index.transact(replace)
        if old is not None and old != new.file:
            self.drop_files([old])

    def remove(self, key: Key) -> None:
        """Remove an entry, and its file if no other refers to it.

        :raises KeyError: where there is none.
        """
        row = self.deleted(partial(self.entries.remove, key), Selection(*key))
        if row is None:
            raise KeyError(key)
        if row.blob is not None:
            self.drop_files([File(row.blob, row.size)])

    def drop_files(self, files: Iterable[File]) -> int:
        """Remove the files that no entry refers to any more; return how many.

        It is done while nobody else can write, and whoever stores an entry looks for its file in such a transaction
        too: no entry is left without its file.
        """

        def drop(file: File, connection: sqlite3.Connection) -> bool:
            is_used = self.entries.is_used(connection, file)
            if not is_used:
                self.blobs.remove(file.digest)
            return not is_used

        return sum([self.entries.index.transact(partial(drop, file)) for file in files])

    def deleted(self, delete: Callable[[], T], chosen: Selection) -> T:
        """Return what deleting entries gives; on a full disk room is made first, since to delete rows takes some.

        :param chosen: the entries that are deleted.
        """
        try:
            return delete()
        except StoreError as error:
            if not is_full(error):
                raise
        self._make_room(chosen)
        return delete()

    def _make_room(self, chosen: Selection) -> None:
        # One that is killed now leaves entries without their files, and what is stored meanwhile may be: misses.
        with suppress(StoreError):  # others are at work
            self.entries.index.rows("pragma wal_checkpoint(truncate)")
        for file in self.entries.files(chosen):
            self.blobs.remove(file.digest)

    def listed(self, listing: Callable[[], Iterator[T]], mend: Callable[[], object]) -> Iterator[T]:
        """List entries; where a flipped byte has made text unreadable, mend the store and list again."""
        try:
            yield from listing()
        except StoreError as error:
            if "decode" not in str(error):
                raise
            mend()
            warn_once(self.name, None, error)
            yield from listing()
