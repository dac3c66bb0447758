"""When entries were last used and how often: kept in memory and written now and then, so that a hit costs no write."""

from __future__ import annotations

import os
import threading
import time
import weakref

from ..errors import StoreError
from .index import Index

__all__ = ["Uses"]

_MANY = 10_000  # entries
_OFTEN = 30.0  # seconds
_LOST = 100_000  # entries; with more than that waiting to be written, counts are dropped
_all: weakref.WeakSet[Uses] = weakref.WeakSet()
SAVE = """insert into uses (id, used, hits) values (?, ?, ?)
    on conflict (id) do update set used = max(used, excluded.used), hits = hits + excluded.hits"""


class Uses:
    """Count hits, and write the counts to the index when there are many, when some time has passed, and at exit.

    >>> uses = Uses(Index("/no/such/folder", print))
    >>> uses.flush()  # nothing was counted: nothing is made
    """

    def __init__(self, index: Index) -> None:
        self.index = index
        self._hits: dict[int, int] = {}
        self._guard = threading.Lock()
        self._due = time.monotonic() + _OFTEN
        _all.add(self)

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
            import logging

            logging.getLogger("flowly_ckpt").debug("uses are not noted: %s", error)
            if "locked" in str(error) and len(hits) < _LOST:
                with self._guard:
                    for row, count in hits.items():
                        self._hits[row] = self._hits.get(row, 0) + count

    def close(self) -> None:
        """Write what was counted and close the index; what comes later opens it again."""
        self.flush(patience=1.0)
        self.index.close()

    def leave(self) -> None:
        """Forget, in a forked child, what the parent counted."""
        self._hits = {}
        self._guard = threading.Lock()


def _after_fork() -> None:
    for uses in list(_all):
        uses.leave()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)
