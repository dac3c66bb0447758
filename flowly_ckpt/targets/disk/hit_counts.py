"""How often entries were used, and when: counted in memory and written now and then, so that a hit costs no write."""

from __future__ import annotations

import threading
import time
from typing import Any

from ...errors import StoreError
from ...forks import renewed
from ...logs import DEBUG, heard
from .index import Index

__all__ = ["HitCounts"]

_MANY = 10_000  # entries
_OFTEN = 30.0  # seconds
_LOST = 100_000  # entries; with more than that waiting to be written, counts are dropped
SAVE = """insert into uses (id, used, hits) values (?, ?, ?)
    on conflict (id) do update set used = max(used, excluded.used), hits = hits + excluded.hits"""


class HitCounts:
    """Count hits, and write the counts to the index when there are many, when some time has passed, and at exit.

    >>> counts = HitCounts(Index("/no/such/folder", print))
    >>> counts.flush()  # nothing was counted: nothing is made
    """

    _hits: dict[int, int]
    _guard: Any

    def __init__(self, index: Index) -> None:
        self.index = index
        renewed(self, "_hits", dict)  # what was counted before a fork is the parent's to write
        renewed(self, "_guard", threading.Lock)
        self._due = time.monotonic() + _OFTEN

    def note(self, row: int) -> None:
        """Count a hit on the entry of this row."""
        with self._guard:
            hits = self._hits
            hits[row] = hits.get(row, 0) + 1
        if len(hits) % _MANY == 0 or time.monotonic() > self._due:
            self.flush()

    def flush(self, patience: float = 0.0) -> None:
        """Write what was counted, unless others write for longer than so many seconds: then some other time.

        No result depends on it: where it cannot be written at all it is dropped.
        """
        with self._guard:
            hits, self._hits = self._hits, {}
            self._due = time.monotonic() + _OFTEN
        if not hits:
            return
        now = time.time_ns()
        rows = [(row, now, count) for row, count in sorted(hits.items())]
        try:
            self.index.transact(lambda connection: connection.executemany(SAVE, rows), patience)
        except StoreError as error:
            if log := heard(DEBUG):
                log.debug("hits are not counted: %s", error)
            if "locked" in str(error) and len(hits) < _LOST:
                with self._guard:
                    for row, count in hits.items():
                        self._hits[row] = self._hits.get(row, 0) + count
