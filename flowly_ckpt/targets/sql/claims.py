"""Claims in a database: advisory locks, which it releases when the session of their holder ends."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from typing import Any, TypeVar

import xxhash

from ...logs import DEBUG, heard
from ...typing import Key
from ..claims import digest_of_key
from ..polling import Polled
from .database import Database

__all__ = ["Session", "lock_number"]

T = TypeVar("T")

_leaked: list[Any] = []
_LOCK = "select pg_try_advisory_lock({})"
_UNLOCK = "select pg_advisory_unlock({})"
# A lock of two numbers says that whoever holds the first waits for the second. It ends with its session, so that
# nobody is ever thought to wait who is dead.
_NOTE = "select pg_try_advisory_lock_shared({}, {})"
_FORGET = "select pg_advisory_unlock_shared({}, {})"
_WAITS = "select classid::bigint, objid::bigint from pg_locks where locktype = 'advisory' and objsubid = 2 and granted"
_HOLDER = """select concat_ws(' ', 'process', a.application_name, 'on', coalesce(host(a.client_addr), 'its machine'))
    from pg_locks l join pg_stat_activity a using (pid)
    where l.locktype = 'advisory' and l.objsubid = 1 and l.granted and (l.classid::bigint << 32 | l.objid::bigint) = {}
    limit 1"""


class Session:
    """The one connection on which a process holds its claims.

    :param database: a PostgreSQL database.
    :param table: the claims of different tables are apart.
    :param timeout: seconds to wait for a living holder.

    >>> Session(Database("sqlite:////no/such/results.db", {}), "results", 60.0).claim(("a", "fit", "f")).holder()
    'another process'
    """

    def __init__(self, database: Database, table: str, timeout: float) -> None:
        self.database = database
        self.table = table
        self.timeout = timeout
        self._guard = threading.Lock()
        self._connection: Any = None
        self._process = os.getpid()
        self.held: dict[int, Advisory] = {}

    def claim(self, key: Key) -> Advisory:
        """Return the claim to compute a key."""
        return Advisory(self, key, self.timeout)

    def ask(self, statement: str) -> Any:
        """Run a statement on the connection; where that was lost, so are the locks.

        :raises StoreError: when the database cannot answer.
        """
        import sqlalchemy as sa

        with self.database.told():
            if self._connection is None:
                self._connection = self.database.engine().connect()
            try:
                return self._connection.execute(sa.text(statement)).fetchall()
            except BaseException:  # an interrupt too: whether it has taken a lock is not known
                self._connection.invalidate()
                self._connection.close()
                self._connection = None
                self.held.clear()
                raise

    def alone(self, work: Callable[[], T]) -> T:
        """Run some work while no other thread uses the connection; a forked child begins with a new one."""
        if self._process != os.getpid():
            # The guard may be held by a thread of the parent; the connection is the parent's, who alone may close it.
            _leaked.append(self._connection)
            self._guard, self._connection, self.held = threading.Lock(), None, {}
            self._process = os.getpid()
        with self._guard:
            return work()

    def close(self) -> None:
        """Give the connection back, unless a claim is held."""

        def give_back() -> None:
            if self._connection is not None and not self.held:
                self._connection.close()
                self._connection = None

        self.alone(give_back)


class Advisory(Polled):
    """A claim that a session of PostgreSQL holds.

    :param session: the connection on which it is held.
    """

    def __init__(self, session: Session, key: Key, timeout: float) -> None:
        super().__init__(key, timeout)
        self.session = session
        self.number = lock_number(session.table, digest_of_key(key))
        self.noted: list[tuple[int, int]] = []

    def is_mine(self) -> bool:
        """Return whether this thread holds it."""
        mine = self.session.alone(lambda: self.session.held.get(self.number))
        return mine is not None and mine.thread == self.thread

    def lock(self) -> bool:
        """Take the lock, unless another session or thread holds it."""
        return self.session.alone(self._lock)

    def _lock(self) -> bool:
        held = self.session.held
        if self.number in held:
            return False
        held[self.number] = self  # first, so that an interrupt never leaves a lock that nobody knows of
        is_locked = False
        try:
            is_locked = bool(self.session.ask(_LOCK.format(self.number))[0][0])
        finally:
            if not is_locked:
                held.pop(self.number, None)
        return is_locked

    def release(self) -> None:
        """Release the lock, if it is held."""
        self.session.alone(self._release)

    def _release(self) -> None:
        if self.session.held.get(self.number) is self:
            self._ask_anyhow(_UNLOCK.format(self.number))
            self.session.held.pop(self.number, None)

    def _ask_anyhow(self, statement: str) -> None:
        try:
            self.session.ask(statement)
        except OSError as error:  # the lock ends with the session
            if log := heard(DEBUG):
                log.debug("a claim was lost: %s", error)

    def circle(self, waited: float) -> Key | None:
        """Return the key held by this thread that the holder waits for, by what all have noted in the database."""
        return self.session.alone(lambda: self._circle(waited))

    def _circle(self, waited: float) -> Key | None:
        held = self.session.held.items()
        mine = {_half(number): claim for number, claim in held if claim.is_stuck(self, waited)}
        for note in [note for note in self.noted if note[0] not in mine]:
            self.session.ask(_FORGET.format(*map(_signed, note)))
            self.noted.remove(note)
        for note in [(half, _half(self.number)) for half in mine]:
            if note not in self.noted:
                self.noted.append(note)
                self.session.ask(_NOTE.format(*map(_signed, note)))
        edges = {(int(holds), int(wants)) for holds, wants in self.session.ask(_WAITS)} if mine else set()
        seen: set[int] = set()
        todo = {_half(self.number)}
        while todo:
            one = todo.pop()
            if one in mine:
                return mine[one].key
            seen.add(one)
            todo |= {wants for holds, wants in edges if holds == one} - seen
        return None

    def stop_looking(self) -> None:
        """Take back the notes of whom this thread waits for."""
        while self.noted:
            statement = _FORGET.format(*map(_signed, self.noted.pop()))
            self.session.alone(lambda statement=statement: self._ask_anyhow(statement))  # type: ignore[misc]

    def holder(self) -> str:
        """Name the session that holds it, as far as the database tells."""
        try:
            found = self.session.alone(lambda: self.session.ask(_HOLDER.format(self.number)))
        except OSError:
            found = []
        return str(found[0][0]) if found else super().holder()


def lock_number(table: str, what: bytes) -> int:
    """Return the number of a lock, which databases want with a sign.

    >>> -(2**63) <= lock_number("results", b"tables") < 2**63
    True
    """
    return int.from_bytes(xxhash.xxh3_64_digest(table.encode() + b"\0" + what), "big", signed=True)


def _half(number: int) -> int:
    return number & 0xFFFFFFFF


def _signed(half: int) -> int:
    return half - (1 << 32) if half >= 1 << 31 else half
