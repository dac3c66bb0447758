"""When entries were last used and how often: kept in memory and written now and then, so that a hit costs no write."""

from __future__ import annotations

import atexit
import logging
import os
import threading
import time
import weakref

from ..errors import StoreError
from .index import Index

__all__ = ["Uses"]

_MANY = 1000  # entries
_OFTEN = 10.0  # seconds
_pending: weakref.WeakSet[Uses] = weakref.WeakSet()
SAVE = """insert into uses (id, used, hits) select id, ?, ? from entries where id = ?
    on conflict (id) do update set used = max(used, excluded.used), hits = hits + excluded.hits"""


class Uses:
    """Count hits, and write the counts to the index when there are many, when some time has passed, and at exit."""

    def __init__(self, index: Index) -> None:
        self.index = index
        self._hits: dict[int, int] = {}
        self._guard = threading.Lock()
        self._due = time.monotonic() + _OFTEN
        _pending.add(self)

    def note(self, row: int) -> None:
        """Count a hit on the entry of this row."""
        with self._guard:
            hits = self._hits
            hits[row] = hits.get(row, 0) + 1
        if len(hits) >= _MANY or time.monotonic() > self._due:
            self.flush()

    def flush(self) -> None:
        """Write what was counted; where it cannot be written it is dropped, since no result depends on it."""
        with self._guard:
            hits, self._hits = self._hits, {}
            self._due = time.monotonic() + _OFTEN
        if not hits:
            return
        now = time.time_ns()
        try:
            self.index.transact(lambda to: to.executemany(SAVE, [(now, count, row) for row, count in hits.items()]))
        except StoreError as error:
            logging.getLogger("flowly_ckpt").debug("uses are not noted: %s", error)

    def leave(self) -> None:
        """Forget, in a forked child, what the parent counted."""
        self._hits = {}
        self._guard = threading.Lock()


def _flush_all() -> None:
    for uses in list(_pending):
        uses.flush()
        uses.index.close()


def _after_fork() -> None:
    for uses in list(_pending):
        uses.leave()


atexit.register(_flush_all)
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)
