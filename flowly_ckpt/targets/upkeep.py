"""How a DiskTarget is looked after: checking every entry, and collecting what nothing refers to."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Any, NamedTuple

from ..errors import StoreError
from .damage import DamagedError, warn_once
from .listing import Listing
from .locks import release, try_lock
from .opening import index_files
from .rows import seal_of
from .writing import collect_temporaries

__all__ = ["Collected", "Upkeep"]

CHECK = """select id, cast(tag as blob), cast(object as blob), cast(transform as blob), cast(codec as blob), digest,
    size, blob, data from entries where id > ? order by id limit 200"""


class Collected(NamedTuple):
    """Count what :meth:`DiskTarget.gc` took away.

    >>> Collected(1, 2, 300)
    Collected(expired=1, files=2, bytes=300)
    """

    expired: int
    files: int
    bytes: int


class Upkeep(Listing):
    """The part of a DiskTarget that checks and collects.

    >>> hasattr(Upkeep, "gc")
    True

    See also: :class:`flowly_ckpt.targets.DiskTarget`.
    """

    max_age: float | None

    def _listed(self, statement: str, values: tuple[Any, ...]) -> list[tuple[Any, ...]]:
        try:
            return self._index.rows(statement, values)
        except StoreError as error:
            if "decode" not in str(error):
                raise
            self.verify(repair=True)  # text that a flipped byte has made unreadable is found, and taken away
            warn_once(self.path, None, error, stacklevel=6)
            return self._index.rows(statement, values)

    def verify(self, *, repair: bool = False, progress: Callable[[int, int], object] | None = None) -> list[str]:
        """Check every entry against its digest, without decoding it; tell what is damaged, one line each.

        :param repair: take the damaged entries away, so that they are computed again.
        :param progress: called with the number of entries checked and of all, now and then.
        """
        found = [] if not index_files(self.path) else self._index.rows("pragma integrity_check(10)")
        lines = [f"index: {row[0]}" for row in found if row[0] != "ok"]
        if lines and repair:
            self._index.renew(lines[0])
        total = (self._index.row("select count(*) from entries", ()) or (0,))[0]
        last = done = 0
        while found := self._index.rows(CHECK, (last,)):
            for row in found:
                last, done = row[0], done + 1
                what = self._fault(row)
                if what:
                    lines.append(f"{_text(row[2])} {_text(row[1])} {_text(row[3])}: {what}")
                    if repair:
                        self._take_away(row)
            if progress is not None:
                progress(done, total)
        return lines

    def _fault(self, row: tuple[Any, ...]) -> str:
        ident, tag, obj, transform, codec, digest, size, blob, data = row
        try:
            key = (_strict(obj), _strict(tag), _strict(transform))
            if seal_of(key, _strict(codec), ident, data if blob is None else blob) != digest:
                return "the row does not match its digest"
            if blob is not None:
                self._blobs.load(blob, size)
        except FileNotFoundError:
            return "its file is gone"
        except (DamagedError, OSError, TypeError, ValueError) as error:
            return f"{type(error).__name__}: {error}"
        return ""

    def _take_away(self, row: tuple[Any, ...]) -> None:
        self._index.change("delete from entries where id = ?", row[:1])
        if isinstance(row[7], bytes) and len(row[7]) == 16:
            self._drop_files([(row[7], row[6])])

    def gc(self, *, older_than: float = 600.0) -> Collected:
        """Delete expired entries, and files that nothing refers to and nobody has touched for so many seconds.

        Also what killed writers left, indexes that were damaged and replaced, and claims of the dead; what is freed
        inside the index is given back to the disk.

        :raises StoreError: when the store cannot be written.
        """
        expired = self.clear_where(older_than=self.max_age) if self.max_age is not None else 0
        if not index_files(self.path):
            return Collected(expired, 0, 0)
        files = size = 0
        now = time.time()
        for blob, facts in self._blobs.walk():
            if now - facts.st_mtime >= older_than and self._drop_files([(blob, facts.st_size)]):
                files, size = files + 1, size + facts.st_size
        for _, found in [*collect_temporaries(self.path, older_than), *_old_indexes(self.path, older_than)]:
            files, size = files + 1, size + found
        self._index.change("delete from uses where id not in (select id from entries)")  # of entries cleared meanwhile
        _old_claims(os.path.join(self.path, "claims"))
        self._compact()
        return Collected(expired, files, size)

    def _compact(self) -> None:
        free, pages = self._index.rows("select * from pragma_freelist_count, pragma_page_count")[0]
        with suppress(StoreError):  # others are at work: some other time
            if free > 256 and free > pages / 4:
                self._index.rows("vacuum")
            self._index.rows("pragma wal_checkpoint(truncate)")


def _text(column: bytes) -> str:
    return column.decode("utf-8", "replace")


def _strict(column: bytes) -> str:
    return column.decode("utf-8", "surrogatepass")


def _old_indexes(path: str, older_than: float) -> Iterator[tuple[str, int]]:
    """Remove damaged indexes that a newer one has replaced."""
    for name in index_files(path)[:-1]:
        index = os.path.join(path, name)
        with suppress(OSError):
            if time.time() - os.stat(index).st_mtime < older_than:
                continue
            for end in ("-wal", "-shm", ""):
                with suppress(FileNotFoundError):
                    size = os.stat(index + end).st_size
                    os.unlink(index + end)
                    yield index + end, size


def _old_claims(folder: str) -> None:
    """Remove the lock files of processes that died; those of the living cannot be locked."""
    with suppress(OSError):
        for name in os.listdir(folder):
            path = os.path.join(folder, name)
            descriptor = try_lock(path)
            if descriptor is not None:
                release(descriptor, path)
