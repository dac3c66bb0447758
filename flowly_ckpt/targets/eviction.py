"""How a DiskTarget stays within its bound: what saves the least time per byte goes first."""

from __future__ import annotations

import sqlite3
from typing import Any

from ..typing import Key
from .listing import USED, Listing
from .rows import columns

__all__ = ["Eviction"]

WORTH = f"select id, size, blob from entries where id != ? order by seconds / max(size, 1), {USED}, id"
ROW_OF = "select id from entries where tag = ? and object = ? and transform = ?"


class Eviction(Listing):
    """The part of a DiskTarget that evicts.

    >>> hasattr(Eviction, "size")
    True

    See also: :class:`flowly_ckpt.targets.Bounded`, the same for any mapping.
    """

    max_bytes: int | None
    _known = 0  # bytes at the last count
    _added: int | None = None  # bytes stored since; None before the first count

    def _keep_within(self, limit: int, newest: Key, size: int) -> None:
        """Evict until the values fill nine tenths of the limit, if they exceed it.

        What other processes store is seen at the next count, after a sixteenth of the limit at the latest.
        """
        self._added = limit if self._added is None else self._added + size
        if self._added * 16 < limit and self._known + self._added <= limit:
            return
        self._known, self._added = self.size(), 0
        if self._known > limit:
            self._uses.flush()
            self._known -= self._evict(self._known - limit * 9 // 10, newest)

    def _evict(self, wanted: int, newest: Key) -> int:
        """Delete what saves the least time per byte, the least recently used first on ties, but not the newest.

        :returns: how many bytes were freed.
        """

        def work(connection: sqlite3.Connection) -> list[tuple[int, int, bytes | None]]:
            out: list[Any] = []
            freed = 0
            shared: dict[tuple[int, bytes], int] = {}
            for row in connection.execute(WORTH, connection.execute(ROW_OF, columns(newest)).fetchone() or (-1,)):
                if freed >= wanted:
                    break
                out.append(row)
                freed += row[1] if _is_last(connection, shared, row) else 0
            connection.executemany("delete from entries where id = ?", [row[:1] for row in out])
            return out

        out = self._index.transact(work)
        files = {(blob, size) for _, size, blob in out if blob is not None}
        return sum(size for _, size, blob in out if blob is None) + sum(
            size for blob, size in files if self._drop_files([(blob, size)])
        )


def _is_last(connection: sqlite3.Connection, shared: dict[tuple[int, bytes], int], row: Any) -> bool:
    """Tell whether a row's bytes are freed with it, or are in a file that others refer to as well."""
    _, size, blob = row
    if blob is None:
        return True
    if (size, blob) not in shared:
        count = "select count(*) from entries where size = ? and blob = ?"
        shared[size, blob] = connection.execute(count, (size, blob)).fetchone()[0]
    shared[size, blob] -= 1
    return shared[size, blob] == 0
