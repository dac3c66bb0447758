"""The index of a store: one SQLite file in WAL mode, opened by many threads and processes."""

from __future__ import annotations

import os
import sqlite3
import threading
import weakref
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any, TypeVar

from ..errors import StoreError
from .opening import APPLICATION, FORMAT, index_files, mark_folder
from .writing import beside

__all__ = ["Index", "is_damage"]

T = TypeVar("T")
Row = tuple[Any, ...]

# Values are appended to the table; the key index leads with the tag, so that it serves look-ups, listing and clearing
# by tag. An entry's id is the time of its making in nanoseconds, so the table itself is in order of time. `uses` is
# apart, so that a hit never rewrites the page of a value.
SCHEMA = f"""
create table entries (
    id integer primary key, tag text not null, object text not null, transform text not null, codec text not null,
    size integer not null, digest blob not null, seconds real not null, made_from text,
    blob blob, data blob, unique (tag, object, transform));
create index by_blob on entries (size, blob) where blob is not null;
create table uses (id integer primary key, used integer not null, hits integer not null);
create trigger gone after delete on entries begin delete from uses where id = old.id; end;
pragma application_id = {APPLICATION};
pragma user_version = {FORMAT};
"""
_BUSY = 60.0  # seconds that a writer waits for the others
_DAMAGE = {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB}
_TEXTS = ("no such ", "malformed", "unsupported file format")
_indexes: weakref.WeakSet[Index] = weakref.WeakSet()
_leaked: list[Any] = []


def is_damage(error: BaseException) -> bool:
    """Tell whether SQLite found the index itself damaged, as against locked, full or out of reach.

    >>> is_damage(sqlite3.OperationalError("database is locked"))
    False
    """
    code = getattr(error, "sqlite_errorcode", None)
    return (code is not None and code & 0xFF in _DAMAGE) or any(text in str(error) for text in _TEXTS)


class Index:
    """Run statements on the index of a folder; connections are pooled, and never cross a fork.

    :param folder: the store; it need not be there until something is written.
    :param on_damage: called with the damaged file's name once a new generation has taken its place.

    >>> Index("/no/such/folder", print).rows("select count(*) from entries")
    []
    """

    def __init__(self, folder: str, on_damage: Callable[[str], None]) -> None:
        self.folder = folder
        self.on_damage = on_damage
        self._name = ""
        self._file = ("", 0)
        self._free: list[sqlite3.Connection] = []
        self._all: list[sqlite3.Connection] = []
        self._guard = threading.RLock()
        _indexes.add(self)

    def rows(self, statement: str, values: Any = ()) -> list[Row]:
        """Return all rows of a query; of a store that is not there yet, none.

        :raises StoreError: when the index can be neither read nor replaced.
        """
        return self._attempt(lambda connection: connection.execute(statement, values).fetchall(), [])

    def row(self, statement: str, values: Any) -> Row | None:
        """Return the first row of a query, or None."""
        free = self._free
        try:
            connection = free.pop()
        except IndexError:
            return next(iter(self.rows(statement, values)), None)
        try:
            row: Row | None = connection.execute(statement, values).fetchone()
        except sqlite3.Error:
            row = next(iter(self.rows(statement, values)), None)
        finally:
            self._give_back(connection, free)
        return row

    def change(self, statement: str, values: Any = ()) -> int:
        """Run one changing statement in a transaction of its own; return how many rows it changed.

        :raises StoreError: when it cannot be written.
        :raises sqlite3.IntegrityError: when the key is there already.
        """
        self._find_anew_if_gone()
        free = self._free
        try:
            connection = free.pop()
        except IndexError:
            self.create()
            return self._attempt(lambda connection: connection.execute(statement, values).rowcount, 0)
        try:
            return connection.execute(statement, values).rowcount
        except sqlite3.IntegrityError:
            raise
        except sqlite3.Error:
            return self._attempt(lambda connection: connection.execute(statement, values).rowcount, 0)
        finally:
            self._give_back(connection, free)

    def transact(self, work: Callable[[sqlite3.Connection], T], patience: float = _BUSY) -> T:
        """Run ``work(connection)`` in a transaction that excludes all other writers.

        :param patience: seconds to wait for them.
        :raises StoreError: when it cannot be written; nothing is changed then.
        """

        def whole(connection: sqlite3.Connection) -> T:
            if patience != _BUSY:
                connection.execute(f"pragma busy_timeout = {int(patience * 1000)}")
            try:
                connection.execute("begin immediate")
                result = work(connection)
                connection.execute("commit")
            except BaseException as error:
                with suppress(sqlite3.Error):
                    connection.execute("rollback")
                if isinstance(error, sqlite3.IntegrityError):  # of a key that was just seen not to be there
                    raise sqlite3.DatabaseError(f"malformed: {error}") from error
                raise
            finally:
                if patience != _BUSY:
                    connection.execute(f"pragma busy_timeout = {int(_BUSY * 1000)}")
            return result

        self._find_anew_if_gone()
        self.create()
        return self._attempt(whole, None)

    def _attempt(self, work: Callable[[sqlite3.Connection], T], absent: Any) -> T:
        """Run work on a connection; replace a damaged index once, and try again."""
        for attempt in (1, 2, 3):
            try:
                with self._connection() as connection:
                    if connection is None:
                        result: T = absent
                        return result
                    return work(connection)
            except sqlite3.IntegrityError:
                raise
            except sqlite3.Error as error:
                if attempt == 3 or not (is_damage(error) or self._is_read_only_by_damage(error)):
                    raise StoreError(f"{self.folder}: the index cannot be used: {error}") from error
                if is_damage(error) or attempt == 2:
                    self.renew(error)
                else:
                    self.close()  # it may have become writable since it was opened
        raise AssertionError("unreachable")

    def _is_read_only_by_damage(self, error: sqlite3.Error) -> bool:
        """Tell whether SQLite refuses to write a file that the system lets us write."""
        places = (self.folder, os.path.join(self.folder, self._name))
        return "readonly" in str(error) and all(os.access(place, os.W_OK) for place in places)

    @contextmanager
    def _connection(self) -> Iterator[sqlite3.Connection | None]:
        free = self._free
        try:
            connection = free.pop()
        except IndexError:
            fresh = self._open()
            if fresh is None:
                yield None
                return
            connection = fresh
        try:
            yield connection
        finally:
            self._give_back(connection, free)

    def _give_back(self, connection: sqlite3.Connection, free: list[sqlite3.Connection]) -> None:
        free.append(connection)
        if free is not self._free:  # closed meanwhile
            self._close(free)

    def _open(self) -> sqlite3.Connection | None:
        with self._guard:
            names = index_files(self.folder)
            if not names:
                return None
            self._name = names[-1]
            path = os.path.join(self.folder, self._name)
            connection = connect(path)
            self._file = (path, os.stat(path).st_ino)
            self._all.append(connection)
            return connection

    def _find_anew_if_gone(self) -> None:
        """Close the connections to a file that someone has deleted: what is written to it would be lost."""
        path, number = self._file
        try:
            if not path or os.stat(path).st_ino == number:
                return
        except OSError:
            pass
        self._file = ("", 0)
        self.close()

    def create(self) -> None:
        """Make the folder a store with an empty index, if it is none yet."""
        if self._free or index_files(self.folder):
            return
        try:
            mark_folder(self.folder)
            make_index(self.folder, "index.sqlite")
        except sqlite3.Error as error:
            raise StoreError(f"{self.folder}: no index can be made here: {error}") from error

    def renew(self, error: object) -> None:
        """Leave a damaged index behind: save what is whole of it into a new one of the next generation."""
        from .salvage import next_generation

        with self._guard:
            damaged = self._name
            self.close()
            if index_files(self.folder)[-1:] == [damaged]:
                try:
                    next_generation(self.folder, damaged)
                except (sqlite3.Error, OSError) as failure:
                    text = f"{self.folder}: {damaged} is damaged ({error}) and cannot be replaced: {failure}"
                    raise StoreError(text) from failure
                self.on_damage(f"{damaged}: {error}")

    def close(self) -> None:
        """Close all connections, those in use when they are given back; the next statement opens a new one."""
        with self._guard:
            free, self._free = self._free, []
        self._close(free)

    def _close(self, free: list[sqlite3.Connection]) -> None:
        while free:
            connection = free.pop()
            with self._guard, suppress(ValueError):
                self._all.remove(connection)
            with suppress(sqlite3.Error):
                connection.close()

    def leave(self) -> None:
        """Forget the connections of the parent in a forked child, without closing them."""
        _leaked.append((self._all, self._free))
        self._all, self._free = [], []
        self._guard = threading.RLock()


def connect(path: str) -> sqlite3.Connection:
    """Open an index for reading and writing, or only for reading where it cannot be written.

    :raises sqlite3.Error: when it is damaged, or no index of ours.
    """
    url = _url(path)
    modes = ["mode=rw", "mode=ro", "immutable=1"] if os.access(path, os.W_OK) else ["mode=ro", "immutable=1"]
    for mode in modes:
        connection = sqlite3.connect(
            f"{url}?{mode}", timeout=_BUSY, isolation_level=None, check_same_thread=False, uri=True
        )
        try:
            connection.execute("pragma synchronous = normal")
            ours = connection.execute("select * from pragma_application_id, pragma_user_version").fetchone()
            if ours != (APPLICATION, FORMAT):
                raise sqlite3.DatabaseError(f"malformed: application and format are {ours}")
            connection.execute("select id from entries limit 1").fetchone()
        except sqlite3.Error as error:
            connection.close()
            if is_damage(error) or mode == modes[-1]:
                raise
        else:
            return connection
    raise AssertionError("unreachable")


def _url(path: str) -> str:
    """Return a path as SQLite's kind of address; what means something there is quoted."""
    if os.name == "nt":
        path = "/" + path.replace(os.sep, "/")
    letters = [chr(byte) if byte < 128 and byte not in b"%?#" else f"%{byte:02x}" for byte in os.fsencode(path)]
    return f"file://{''.join(letters)}"


def make_index(folder: str, name: str, fill: Callable[[sqlite3.Connection], None] | None = None) -> None:
    """Build an index beside its place, whole, and put it there unless another process was faster."""
    descriptor, temporary = beside(folder)
    os.close(descriptor)
    try:
        connection = sqlite3.connect(temporary, isolation_level=None)
        try:
            connection.executescript(SCHEMA)
            if fill is not None:
                fill(connection)
            connection.execute("pragma journal_mode = wal")
        finally:
            connection.close()
        with suppress(FileExistsError):
            os.link(temporary, os.path.join(folder, name))
    finally:
        for end in ("", "-wal", "-shm", "-journal"):
            with suppress(OSError):
                os.unlink(temporary + end)


def _after_fork() -> None:
    for index in list(_indexes):
        index.leave()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)
