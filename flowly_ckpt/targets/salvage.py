"""Save what is whole of a damaged index into a new one."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing, suppress
from typing import Any

from .opening import index_files
from .rows import from_column, seal_of
from .schema import make_index

__all__ = ["next_generation"]

_COLUMNS = "id, tag, object, transform, codec, size, digest, seconds, made_from, blob, data"
_INSERT = f"insert or ignore into entries ({_COLUMNS}) values (?{', ?' * 10})"
_TRIES = 64


def next_generation(folder: str, damaged: str) -> None:
    """Put a new index beside the damaged one; of several processes that do so, one prevails.

    The damaged file stays where it is, since others may still have it open; ``gc`` takes it away later.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     next_generation(folder, "index.sqlite"), index_files(folder)
    (None, ['index-2.sqlite'])
    """

    def fill(connection: sqlite3.Connection) -> None:
        connection.execute("begin")
        connection.executemany(_INSERT, whole_rows(os.path.join(folder, damaged)))
        connection.execute("commit")

    number = 2
    while f"index-{number}.sqlite" in index_files(folder):
        number += 1
    make_index(folder, f"index-{number}.sqlite", fill)


def whole_rows(path: str) -> Iterator[tuple[Any, ...]]:
    """Give the rows that can be read and match their seals; a stretch that cannot be read is leapt over.

    >>> list(whole_rows("/no/such/index.sqlite"))
    []
    """
    with suppress(sqlite3.Error), closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as connection:
        last, leap = -1, 0
        for _ in range(_TRIES):
            try:
                for row in connection.execute(
                    f"select {_COLUMNS} from entries where id > ? order by id", (last + leap,)
                ):
                    last, leap = row[0], 0
                    if _is_whole(row):
                        yield row
                return
            except sqlite3.Error:
                leap = 2 * leap + 1


def _is_whole(row: tuple[Any, ...]) -> bool:
    ident, tag, obj, transform, codec, _, digest, _, _, blob, data = row
    try:
        key = (from_column(obj), from_column(tag), from_column(transform))
        return bool(seal_of(key, codec, ident, data if blob is None else blob) == digest)
    except (TypeError, ValueError):
        return False
