"""The index of a store: one SQLite file in WAL mode, opened by many threads and processes."""

from __future__ import annotations

import gc
import os
import sqlite3
import threading
import time
import weakref
from collections.abc import Callable
from contextlib import suppress
from operator import methodcaller
from typing import Any, TypeVar

from ...errors import StoreError
from ...wording import plain
from ..filesystem import PRIVATE
from ..patience import Patience
from .folder import index_files, mark_folder, next_index
from .schema import FAULTS, IMPATIENCE, PATIENCE, Connection, connect, is_busy, is_damage, make_index

__all__ = ["Index"]

T = TypeVar("T")
Row = tuple[Any, ...]

_AT_FORK = 5.0  # seconds that a fork waits for other threads to end their statements
_LONGEST = 460  # bytes of a folder's path; SQLite stops at 512, with the names of its own files
_indexes: weakref.WeakSet[Index] = weakref.WeakSet()
_leaked: list[Any] = []


class Index:
    """Run statements on the index of a folder; connections are pooled, and none crosses a fork.

    What SQLite knows of locks it keeps in the memory of the process, where a forked child would find it and take locks
    for held that only its parent holds. So a fork waits until no statement runs, and all connections are closed.

    :param folder: the store; it need not be there until something is written.
    :param durable: wait at each change until the disk has it.
    :param mode: of the folder, and of its files without the right to be executed.
    :param recover: called with a damaged file's name and the error; puts a new generation in its place.

    >>> Index("/no/such/folder", print).rows("select count(*) from entries")
    []
    """

    def __init__(
        self, folder: str, recover: Callable[[str, object], object], durable: bool = False, mode: int = PRIVATE
    ) -> None:
        self.folder = folder
        self.durable = durable
        self.mode = mode
        self.recover = recover
        self._name = ""
        self._file = ("", 0, "")  # path, inode and next generation of the file that is open
        self._free: list[Connection] = []
        self._all: weakref.WeakSet[Connection] = weakref.WeakSet()  # one that an interrupt loses is garbage
        self._guard = threading.RLock()
        self._patience = Patience(PATIENCE, IMPATIENCE)
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
        except FAULTS:
            row = next(iter(self.rows(statement, values)), None)
        finally:
            free.append(connection)
        if free is not self._free:  # closed meanwhile
            self._close(free)
        return row

    def change(self, statement: str, values: Any = ()) -> int:
        """Run one changing statement in a transaction of its own; return how many rows it changed.

        :raises StoreError: when it cannot be written.
        :raises sqlite3.IntegrityError: when the key is there already.
        """
        self._leave_if_replaced()
        if not self._free:
            self.create()
        done = self._attempt(methodcaller("execute", statement, values), None, self._patience.seconds)
        self._patience.was_rewarded()
        return 0 if done is None else int(done.rowcount)

    def transact(self, work: Callable[[Connection], T], patience: float | None = None) -> T:
        """Run ``work(connection)`` in a transaction that excludes all other writers.

        :param patience: seconds to wait for them; by default a few, and hardly any after having waited in vain.
        :raises StoreError: when it cannot be written; nothing is changed then.
        """

        def whole(connection: Connection) -> T:
            try:
                connection.execute("begin immediate")
                result = work(connection)
                connection.execute("commit")
            except sqlite3.IntegrityError as error:  # of a key that was just seen not to be there
                raise sqlite3.DatabaseError(f"malformed: {error}") from error
            return result

        self._leave_if_replaced()
        self.create()
        done = self._attempt(whole, None, self._patience.seconds if patience is None else patience)
        self._patience.was_rewarded()
        return done

    def settle(self) -> None:
        """Move the log into the index, as far as others let it: what was changed stays so if the log is lost."""
        with suppress(StoreError):
            self.rows("pragma wal_checkpoint(passive)")

    def is_there(self) -> bool:
        """Return whether there is an index, so that something may be stored."""
        return bool(self._free or index_files(self.folder))

    def _attempt(self, work: Callable[[Connection], T], absent: Any, patience: float = PATIENCE) -> T:
        """Run work on a connection; replace a damaged index once, and try again."""
        for attempt in (1, 2, 3):
            free = self._free
            connection = None
            try:
                try:
                    connection = free.pop()
                except IndexError:
                    connection = self._open()
                    if connection is None:
                        result: T = absent
                        return result
                if connection.patience != patience:
                    connection.execute(f"pragma busy_timeout = {int(patience * 1000)}")
                    connection.patience = patience
                return work(connection)
            except sqlite3.IntegrityError:
                raise
            except FAULTS as error:
                failure: Exception = error
            finally:
                if connection is not None:
                    if connection.in_transaction:
                        with suppress(sqlite3.Error):
                            connection.execute("rollback")
                    free.append(connection)
                    if free is not self._free:  # closed meanwhile
                        self._close(free)
            if is_busy(failure):
                self._patience.was_in_vain()
            if attempt == 3 or not (is_damage(failure) or self._is_read_only_by_damage(failure)):
                raise StoreError(f"{self.folder}: the index cannot be used: {plain(failure)}") from failure
            if is_damage(failure) or attempt == 2:
                self.renew(failure)
            else:
                self.close()  # it may have become writable since it was opened
        raise AssertionError("unreachable")

    def _is_read_only_by_damage(self, error: Exception) -> bool:
        """Return whether SQLite refuses to write a file that the system lets us write."""
        places = (self.folder, os.path.join(self.folder, self._name))
        return "readonly" in str(error) and all(os.access(place, os.W_OK) for place in places)

    def _open(self) -> Connection | None:
        with self._guard:
            names = index_files(self.folder)
            if not names:
                return None
            self._name = names[-1]
            path = os.path.join(self.folder, self._name)
            connection = connect(path, self.durable)
            self._file = (path, os.stat(path).st_ino, next_index(path))
            self._all.add(connection)
            return connection

    def _leave_if_replaced(self) -> None:
        """Close the connections to a file that was deleted, or replaced by a new generation: what it gets is lost."""
        path, number, successor = self._file
        if not path:
            return
        try:
            if os.stat(path).st_ino == number and not os.access(successor, os.F_OK):
                return
        except OSError:
            pass
        self._file = ("", 0, "")
        self.close()

    def create(self) -> None:
        """Make the folder a store with an empty index, if it is none yet."""
        if self.is_there():
            return
        try:
            with self._guard:  # which a fork waits for
                mark_folder(self.folder, self.mode)
                make_index(self.folder, "index.sqlite", mode=self.mode)
        except sqlite3.Error as error:
            is_long = len(os.fsencode(self.folder)) > _LONGEST
            advice = "; SQLite takes no path as long as that: choose a shorter one, or FileTarget" if is_long else ""
            raise StoreError(f"{self.folder}: no index can be made here: {error}{advice}") from error

    def renew(self, error: object) -> None:
        """Leave a damaged index behind: save what is whole of it into a new one of the next generation."""
        with self._guard:
            damaged = self._name
            self.close()
            if index_files(self.folder)[-1:] == [damaged]:
                try:
                    self.recover(damaged, error)
                except (*FAULTS, OSError) as failure:
                    text = f"{self.folder}: {damaged} is damaged ({error}) and cannot be replaced: {failure}"
                    raise StoreError(text) from failure

    def close(self) -> None:
        """Close all connections, those in use when they are given back; the next statement opens a new one."""
        with self._guard:
            free, self._free = self._free, []
        self._close(free)

    def _close(self, free: list[Connection]) -> None:
        while free:
            connection = free.pop()
            with suppress(sqlite3.Error):
                connection.close()
            self._all.discard(connection)  # last, since a fork waits for it

    def before_fork(self) -> None:
        """Close all connections, those in use as soon as their statements end; no new one is opened until the fork."""
        self._guard.acquire()
        free, self._free = self._free, []
        self._close(free)
        if self._all:
            gc.collect()  # one that an interrupt lost is held by its own cache of statements
        end = time.monotonic() + _AT_FORK
        while self._all and time.monotonic() < end:
            time.sleep(0.001)

    def after_fork(self) -> None:
        """Let threads open connections again."""
        self._guard.release()

    def begin_in_child(self) -> None:
        """Forget the connections that were still in use; to close them would be to write."""
        _leaked.append(list(self._all))
        self._all, self._free = weakref.WeakSet(), []
        self._guard = threading.RLock()


if hasattr(os, "register_at_fork"):
    _forking: list[Index] = []

    def _before() -> None:
        _forking[:] = list(_indexes)
        for index in _forking:
            index.before_fork()

    def _after_in_parent() -> None:
        for index in _forking:
            with suppress(RuntimeError):  # an interrupt kept it from being acquired
                index.after_fork()
        _forking.clear()

    def _after_in_child() -> None:
        for index in _forking:
            index.begin_in_child()
        _forking.clear()

    os.register_at_fork(before=_before, after_in_parent=_after_in_parent, after_in_child=_after_in_child)
