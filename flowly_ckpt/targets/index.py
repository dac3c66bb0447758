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
from .opening import index_files, mark_folder
from .schema import BUSY, connect, is_damage, make_index

__all__ = ["Index"]

T = TypeVar("T")
Row = tuple[Any, ...]

_indexes: weakref.WeakSet[Index] = weakref.WeakSet()
_leaked: list[Any] = []


class Index:
    """Run statements on the index of a folder; connections are pooled, and never cross a fork.

    :param folder: the store; it need not be there until something is written.
    :param durable: wait at each change until the disk has it.
    :param on_damage: called with the damaged file's name once a new generation has taken its place.

    >>> Index("/no/such/folder", print).rows("select count(*) from entries")
    []
    """

    def __init__(self, folder: str, on_damage: Callable[[str], None], durable: bool = False) -> None:
        self.folder = folder
        self.durable = durable
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

    def transact(self, work: Callable[[sqlite3.Connection], T], patience: float = BUSY) -> T:
        """Run ``work(connection)`` in a transaction that excludes all other writers.

        :param patience: seconds to wait for them.
        :raises StoreError: when it cannot be written; nothing is changed then.
        """

        def whole(connection: sqlite3.Connection) -> T:
            if patience != BUSY:
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
                if patience != BUSY:
                    connection.execute(f"pragma busy_timeout = {int(BUSY * 1000)}")
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
            connection = connect(path, self.durable)
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


def _after_fork() -> None:
    for index in list(_indexes):
        index.leave()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)
