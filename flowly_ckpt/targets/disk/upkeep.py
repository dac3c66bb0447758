"""How a store is looked after: every entry checked, and what nothing refers to collected."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from contextlib import suppress
from functools import partial

from ...errors import StoreError
from ...wording import plain
from ..damage import DamagedError, judged
from ..facts import Collected
from ..filesystem import collect_temporaries
from ..protocol import Progress
from .blobs import Blobs, File
from .entries import Entries, Row
from .folder import index_files
from .values import Values

__all__ = ["collect", "verify"]


def verify(values: Values, *, repair: bool = False, progress: Progress | None = None) -> list[str]:
    """Check every entry against its digest, without decoding it; return a line for each that is damaged.

    :param repair: remove the damaged entries, so that they are computed again; what cannot be read now is left.
    :param progress: called with the number of entries checked and of all, now and then.

    See also: :meth:`flowly_ckpt.targets.DiskTarget.verify`.

    >>> from flowly_ckpt.targets import DiskTarget
    >>> DiskTarget("/no/such/folder").verify()
    []
    """
    entries, index = values.entries, values.entries.index
    found = index.rows("pragma integrity_check(10)") if index.is_there() else []
    lines = [plain(f"index: {row[0]}") for row in found if row[0] != "ok"]
    if lines and repair:
        index.renew(lines[0])
    total = entries.count()
    for done, (key, row) in enumerate(entries.rows(), 1):
        fault, is_certain = judged(partial(_fault, key, row, values.blobs))
        if fault and entries.has_row(row):  # else it was deleted, or replaced, while it was checked
            lines.append(plain(f"{' '.join(part.decode('utf-8', 'replace') for part in key)}: {fault}"))
            if repair and is_certain:
                entries.remove_row(row)
                if isinstance(row.blob, bytes) and len(row.blob) == 16:
                    values.drop_files([File(row.blob, row.size)])
        if progress is not None and (done % 200 == 0 or done == total):
            progress(done, total)
    return lines


def _fault(key: tuple[bytes, bytes, bytes], row: Row, blobs: Blobs) -> str:
    try:
        obj, tag, transform = (part.decode("utf-8", "surrogatepass") for part in key)
        row.check((obj, tag, transform))
        if row.blob is not None:
            blobs.load(File(row.blob, row.size))
    except FileNotFoundError:
        return "its file is gone"
    except (DamagedError, TypeError, ValueError) as error:
        return f"{type(error).__name__}: {error}"
    return ""


def collect(values: Values, older_than: float = 600.0) -> Collected:
    """Remove files that nothing refers to and nobody has touched for so many seconds.

    Also what killed writers left, indexes that were damaged and replaced, and counts of entries that are gone; what is
    freed inside the index is given back to the disk.

    :raises StoreError: when the store cannot be written.

    See also: :meth:`flowly_ckpt.targets.DiskTarget.gc`.

    >>> from flowly_ckpt.targets import DiskTarget
    >>> DiskTarget("/no/such/folder").gc()
    Collected(expired=0, files=0, bytes=0, evicted=0)
    """
    entries, path = values.entries, values.name
    temporaries = [size for _, size in collect_temporaries(path, older_than)]
    now = time.time()
    old = [file for file, touched in values.blobs.walk() if now - touched >= older_than]
    if not entries.index.is_there():  # so that nothing refers to any file
        for file in old:
            values.blobs.remove(file.digest)
        sizes = [file.size for file in old] + temporaries
        return Collected(0, len(sizes), sum(sizes))
    removed = (
        [file.size for file in old if values.drop_files([file])] + temporaries + list(_old_indexes(path, older_than))
    )
    entries.index.change("delete from uses where id not in (select id from entries)")
    _compact(entries)
    return Collected(0, len(removed), sum(removed))


def _compact(entries: Entries) -> None:
    free, pages = entries.index.rows("select * from pragma_freelist_count, pragma_page_count")[0]
    with suppress(StoreError):  # others are at work: some other time
        if free > 256 and free > pages / 4:
            entries.index.rows("vacuum")
        entries.index.rows("pragma wal_checkpoint(truncate)")


def _old_indexes(path: str, older_than: float) -> Iterator[int]:
    """Remove damaged indexes that a newer one has replaced; yield the sizes of their files."""
    for name in index_files(path)[:-1]:
        index = os.path.join(path, name)
        with suppress(OSError):
            if time.time() - os.stat(index).st_mtime < older_than:
                continue
            for end in ("-wal", "-shm", ""):
                with suppress(FileNotFoundError):
                    size = os.stat(index + end).st_size
                    os.unlink(index + end)
                    yield size
