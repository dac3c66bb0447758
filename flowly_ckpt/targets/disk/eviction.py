"""How a store stays within its bound: what saves the least time per byte goes first."""

from __future__ import annotations

import sqlite3
from typing import Any

from ...typing import Key
from .blobs import File
from .entries import KEY, WORTH, Entries, columns, text_of
from .evicted import note_evicted

__all__ = ["Bound"]


class Bound:
    """Evict entries when the values exceed a number of bytes; what other processes store is seen at the next count.

    :param max_bytes: the bound.

    >>> from .index import Index
    >>> Bound(Entries(Index("/no/such/folder", print)), 1000).excess(("a", "fit", "f"), 10)
    0
    """

    def __init__(self, entries: Entries, max_bytes: int) -> None:
        self.entries = entries
        self.max_bytes = max_bytes
        self._known = 0  # bytes at the last count
        self._added: int | None = None  # bytes stored since; None before the first count

    def excess(self, newest: Key, size: int) -> int:
        """Note a stored value; return how many bytes have to go, so that nine tenths of the bound stay filled.

        They are counted after a sixteenth of the bound was stored at the latest.
        """
        self._added = self.max_bytes if self._added is None else self._added + size
        if self._added * 16 < self.max_bytes and self._known + self._added <= self.max_bytes:
            return 0
        self._known, self._added = self.entries.size(), 0
        return self._known - self.max_bytes * 9 // 10 if self._known > self.max_bytes else 0

    def evict(self, wanted: int, newest: Key | None = None) -> tuple[int, list[File]]:
        """Delete what saves the least time per byte, the least recently used first on ties.

        :param wanted: how many bytes to free.
        :param newest: the entry to keep.
        :return: how many entries were deleted, and the files that they had.
        """

        def work(connection: sqlite3.Connection) -> list[Any]:
            out: list[Any] = []
            freed = 0
            shared: dict[File, int] = {}
            kept = f"select id from entries where {KEY}"
            found = newest and connection.execute(kept, columns(newest)).fetchone()
            for row in connection.execute(WORTH, found or (-1,)):
                if freed >= wanted:
                    break
                out.append(row)
                freed += row[1] if _is_last(connection, shared, row) else 0
            self._known -= freed
            connection.executemany("delete from entries where id = ?", [row[:1] for row in out])
            return out

        out = self.entries.index.transact(work)
        if out:
            index = self.entries.index
            keys = [(text_of(obj), text_of(tag), text_of(transform)) for *_, obj, tag, transform in out]
            note_evicted(index.folder, keys, index.mode)
        return len(out), list({File(blob, size) for _, size, blob, *_ in out if blob is not None})


def _is_last(connection: sqlite3.Connection, shared: dict[File, int], row: Any) -> bool:
    """Return whether a row's bytes are freed with it, rather than lie in a file that others refer to as well."""
    _, size, blob, *_ = row
    if blob is None:
        return True
    file = File(blob, size)
    if file not in shared:
        count = "select count(*) from entries where size = ? and blob = ?"
        shared[file] = connection.execute(count, (size, blob)).fetchone()[0]
    shared[file] -= 1
    return shared[file] == 0
