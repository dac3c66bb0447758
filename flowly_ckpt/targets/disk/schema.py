"""The file of an index: its tables, how it is made and how it is opened."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Callable
from contextlib import closing, suppress
from functools import cache
from typing import Any

from ..file_claims import Claims
from ..filesystem import PRIVATE, beside
from .folder import APPLICATION, CLAIMS, FORMAT

__all__ = [
    "ASKED_FOR", "FAULTS", "IMPATIENCE", "PATIENCE", "Connection", "connect", "connect_to_damaged", "is_busy",
    "is_damage", "is_full", "make_index",
]  # fmt: skip

# Values are appended to the table, whose ids SQLite gives; the key index leads with the tag, so that it serves
# look-ups, listing and clearing by tag. `created` is in nanoseconds. `uses` is apart, so that a hit never rewrites the
# page of a value. The text is compared when an index is opened: to change it is to change the format.
SCHEMA = f"""
create table entries (
    id integer primary key, tag text not null, object text not null, transform text not null, codec text not null,
    size integer not null, digest blob not null, created integer not null, seconds real not null, made_from text,
    blob blob, data blob, unique (tag, object, transform));
create index by_blob on entries (size, blob) where blob is not null;
create table uses (id integer primary key, used integer not null, hits integer not null);
create trigger gone after delete on entries begin delete from uses where id = old.id; end;
pragma application_id = {APPLICATION};
pragma user_version = {FORMAT};
"""
# Seconds that a writer waits for the others: for a result that can be computed again, once that was in vain (one of
# them was stopped), and for what somebody asked for by name.
PATIENCE, IMPATIENCE, ASKED_FOR = 5.0, 0.1, 60.0
# What SQLite's module raises; the last two where an error's own text, or a number, was damaged.
FAULTS = (sqlite3.Error, UnicodeDecodeError, OverflowError)
# The last one: a log ends before what its index says it has.
_DAMAGE = {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_IOERR_SHORT_READ}
_TEXTS = ("no such ", "malformed", "unsupported file format")


class Connection(sqlite3.Connection):
    """A connection that can be referred to weakly, and knows how long it waits for other writers.

    >>> connection = sqlite3.connect(":memory:", factory=Connection)
    >>> connection.patience, connection.close()
    (5.0, None)
    """

    patience = PATIENCE


def is_busy(error: BaseException) -> bool:
    """Return whether SQLite has waited for another writer in vain.

    >>> is_busy(sqlite3.OperationalError("database is locked"))
    True
    """
    return "locked" in str(error)


def is_full(error: BaseException) -> bool:
    """Return whether the disk is full.

    >>> is_full(sqlite3.OperationalError("database or disk is full"))
    True
    """
    return "disk is full" in str(error)


def is_damage(error: BaseException) -> bool:
    """Return whether SQLite found the index itself damaged, as against locked, full or out of reach.

    >>> is_damage(sqlite3.OperationalError("database is locked"))
    False
    """
    code = getattr(error, "sqlite_errorcode", None)
    if not isinstance(error, sqlite3.Error):
        return isinstance(error, UnicodeDecodeError)  # else a number or a value was too large for any index
    return (code is not None and not _DAMAGE.isdisjoint((code, code & 0xFF))) or any(
        text in str(error) for text in _TEXTS
    )


def connect(path: str, durable: bool = False) -> Connection:
    """Open an index for reading and writing, or only for reading where it cannot be written.

    :param durable: wait at each change until the disk has it.
    :raises sqlite3.Error: when it is damaged, or no index of ours.

    >>> connect("/no/such/folder/index.sqlite")
    Traceback (most recent call last):
        ...
    sqlite3.OperationalError: unable to open database file
    """
    url = _url(path)
    modes = ["mode=rw", "mode=ro", "immutable=1"] if os.access(path, os.W_OK) else ["mode=ro", "immutable=1"]
    for mode in modes:
        connection = sqlite3.connect(
            f"{url}?{mode}",
            timeout=PATIENCE,
            isolation_level=None,
            check_same_thread=False,
            uri=True,
            factory=Connection,
        )
        try:
            connection.execute(f"pragma synchronous = {'full' if durable else 'normal'}")
            ours = connection.execute("select * from pragma_application_id, pragma_user_version").fetchone()
            if ours != (APPLICATION, FORMAT):
                raise sqlite3.DatabaseError(f"malformed: application and format are {ours}")
            if _tables(connection) != _own_tables():
                raise sqlite3.DatabaseError("malformed: its tables are not those of a store")
            connection.execute("select id from entries limit 1").fetchone()
        except FAULTS as error:
            connection.close()
            if is_damage(error) or mode == modes[-1]:
                raise
        else:
            return connection
    raise AssertionError("unreachable")


def _tables(connection: sqlite3.Connection) -> list[Any]:
    # As bytes: flipped bits need not leave text.
    columns = ", ".join(f"cast({name} as blob)" for name in ("type", "name", "tbl_name", "sql"))
    found = connection.execute(f"select {columns} from sqlite_master order by 2 limit 10")
    return [row for row in found if not (row[1] or b"").startswith(b"sqlite_stat")]


@cache
def _own_tables() -> list[Any]:
    with closing(sqlite3.connect(":memory:")) as connection:
        connection.executescript(SCHEMA)
        return _tables(connection)


def connect_to_damaged(path: str, log: bool = True) -> sqlite3.Connection:
    """Open an index for reading what is left of it.

    :param log: with what its log adds; without, as it was when SQLite last moved the log into it.

    >>> connect_to_damaged("/no/such/folder/index.sqlite")
    Traceback (most recent call last):
        ...
    sqlite3.OperationalError: unable to open database file
    """
    return sqlite3.connect(f"{_url(path)}?{'mode=ro' if log else 'immutable=1'}", uri=True)


def _url(path: str) -> str:
    """Return a path as SQLite's kind of address; what means something there is quoted."""
    if os.name == "nt":
        path = "/" + path.replace(os.sep, "/")
    letters = [chr(byte) if byte < 128 and byte not in b"%?#" else f"%{byte:02x}" for byte in os.fsencode(path)]
    return f"file://{''.join(letters)}"


def make_index(
    folder: str, name: str, fill: Callable[[sqlite3.Connection], None] | None = None, mode: int = PRIVATE
) -> None:
    """Build an index beside its place, whole, and put it there unless another process was faster.

    :param fill: puts rows into it before others can see it.
    :param mode: of the folder, and of its files without the right to be executed.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     make_index(folder, "index.sqlite"), os.listdir(folder)
    (None, ['index.sqlite'])
    """
    descriptor, temporary = beside(folder, mode)
    os.close(descriptor)
    try:
        connection = sqlite3.connect(temporary, isolation_level=None)
        try:
            connection.executescript(f"begin; {SCHEMA} commit;")  # as one, so that the disk is waited for once
            if fill is not None:
                fill(connection)
            connection.execute("pragma journal_mode = wal")
        finally:
            connection.close()
        _put_new(temporary, os.path.join(folder, name))
    finally:
        for end in ("", "-wal", "-shm", "-journal"):
            with suppress(OSError):
                os.unlink(temporary + end)


def _put_new(temporary: str, path: str) -> None:
    """Give a file its name whole, unless the name is taken: nobody's open index is ever replaced."""
    try:
        os.link(temporary, path)
    except FileExistsError:
        pass
    except (AttributeError, OSError):  # no hard links, in a browser or on exFAT: who holds the claim looks and renames
        folder, name = os.path.split(path)
        with Claims(os.path.join(folder, CLAIMS), PATIENCE).claim((name, "", "")):
            if not os.path.lexists(path):
                os.replace(temporary, path)
