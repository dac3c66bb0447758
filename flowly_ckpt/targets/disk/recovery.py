"""Recover what is whole of a damaged index into a new one."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing, suppress
from typing import Any

from ..damage import DamagedError, warn_once
from ..filesystem import PRIVATE
from .entries import Row, text_of
from .folder import next_index
from .schema import connect_to_damaged, make_index

__all__ = ["next_generation"]

_COLUMNS = "id, tag, object, transform, codec, digest, created, size, blob, data, seconds, made_from"
_INSERT = f"insert or ignore into entries ({_COLUMNS}) values (?{', ?' * 11})"
_TRIES = 64


def next_generation(folder: str, damaged: str, error: object = "damaged", mode: int = PRIVATE) -> None:
    """Put a new index beside the damaged one, and warn of it; of several processes that do so, one prevails.

    The damaged file stays where it is, since others may still have it open; ``gc`` takes it away later.

    >>> import tempfile, warnings
    >>> with tempfile.TemporaryDirectory() as folder, warnings.catch_warnings(action="ignore"):
    ...     next_generation(folder, "index.sqlite"), os.listdir(folder)
    (None, ['index-2.sqlite'])
    """

    def fill(connection: sqlite3.Connection) -> None:
        connection.execute("begin")
        connection.executemany(_INSERT, whole_rows(os.path.join(folder, damaged)))
        connection.execute("commit")

    make_index(folder, os.path.basename(next_index(os.path.join(folder, damaged))), fill, mode)
    warn_once(folder, None, f"{damaged}: {error}", stacklevel=9)


def whole_rows(path: str) -> Iterator[tuple[Any, ...]]:
    """Yield the rows that can be read and match their digests; a stretch that cannot be read is leapt over.

    >>> list(whole_rows("/no/such/index.sqlite"))
    []
    """
    with suppress(sqlite3.Error), closing(connect_to_damaged(path)) as connection:
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
    ident, tag, obj, transform, *rest, _, _ = row
    try:
        Row(ident, *rest).check((text_of(obj), text_of(tag), text_of(transform)))
    except (DamagedError, TypeError, ValueError):
        return False
    return True
