"""Recover what is whole of a damaged index into a new one."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from typing import Any

from ..damage import DamagedError, warn_once
from ..filesystem import PRIVATE
from .entries import Row, text_of
from .folder import next_index
from .schema import FAULTS, connect_to_damaged, make_index

__all__ = ["next_generation"]

_COLUMNS = "id, tag, object, transform, codec, digest, created, size, blob, data, seconds, made_from"
_INSERT = f"insert or ignore into entries ({_COLUMNS}) values (?{', ?' * 11})"
_TRIES = 1000  # stretches that cannot be read, at most
_PAGE = 512  # bytes that such a stretch has at least
_END = 2**63 - 1


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
    warn_once(folder, None, f"{damaged}: {error}")


def whole_rows(path: str) -> Iterator[tuple[Any, ...]]:
    """Yield the rows that can be read and match their digests; a stretch that cannot be read is leapt over.

    Where there are faults, what the index has without its log is read too: the log may have been cut or deleted.

    >>> list(whole_rows("/no/such/index.sqlite"))
    []
    """
    known: set[int] = set()
    for log in (True, False) if os.path.lexists(path + "-wal") else (True,):
        faults: list[Exception] = []
        for row in _all_rows(path, log, faults):
            if row[0] not in known and _is_whole(row):
                known.add(row[0])
                yield row
        if not faults:
            return


def _all_rows(path: str, log: bool, faults: list[Exception]) -> Iterator[tuple[Any, ...]]:
    try:
        with closing(connect_to_damaged(path, log)) as connection:
            # Steps are limited by the size of the file: an index made by somebody else may have rows without end.
            size = os.path.getsize(path)
            budget = iter(range(size // 10 + 10_000))
            connection.set_progress_handler(lambda: next(budget, None) is None, 1000)
            yield from _readable(connection, min(size // _PAGE + 10, _TRIES), faults)
    except (*FAULTS, OSError) as error:
        faults.append(error)


def _readable(connection: sqlite3.Connection, tries: int, faults: list[Exception]) -> Iterator[tuple[Any, ...]]:
    select = f"select {_COLUMNS} from entries where id > ? and id < ? order by id"
    last = -1
    kind = connection.execute("select type from sqlite_master where name = 'entries'").fetchone()
    if kind is None or kind[0] == "view":
        return
    for _ in range(tries):
        try:
            for row in connection.execute(select, (last, _END)):
                if row[0] <= last:
                    raise sqlite3.DatabaseError("malformed: rows out of order")
                last = row[0]
                yield row
            return
        except FAULTS as error:
            faults.append(error)
        # SQLite's module has read a row ahead, and has lost it to the fault: row by row up to the fault.
        while (row := _one(connection, select, last, _END)) is not None:
            last = row[0]
            yield row
        # Beyond the fault by leaps, then from there back to it.
        leaps = (_one(connection, select, last + (1 << power), _END) for power in range(63))
        beyond = next((row[0] for row in leaps if row is not None), _END)
        end = beyond
        while (row := _one(connection, f"{select} desc", last, end)) is not None:
            end = row[0]
            yield row
        if beyond == _END:
            return
        last = beyond - 1


def _one(connection: sqlite3.Connection, select: str, after: int, before: int) -> Any:
    try:
        row = connection.execute(f"{select} limit 1", (after, before)).fetchone()
    except FAULTS:
        return None
    # In a tree that is damaged a search may come to anywhere, and would go round and round.
    return row if row is not None and after < row[0] < before else None


def _is_whole(row: tuple[Any, ...]) -> bool:
    ident, tag, obj, transform, *rest, _, _ = row
    try:
        Row(ident, *rest).check((text_of(obj), text_of(tag), text_of(transform)))
    except (DamagedError, TypeError, ValueError):
        return False
    return True
