"""A database that is reached through SQLAlchemy: its connections, and errors that hide how it is opened."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from functools import partial
from typing import Any, TypeVar

from ...errors import StoreError
from ...forks import Gate
from ..addresses import masked, safe, secrets_of
from ..filesystem import create_file
from ..patience import Patience

__all__ = ["Database", "TableGoneError"]

T = TypeVar("T")

_NEEDS = "SqlTarget needs {}: run `pip install 'flowly-ckpt[sql]'`, and for PostgreSQL `pip install 'psycopg[binary]'`"
_KNOWN = "give an address like postgresql+psycopg://user@host/database or sqlite:////folder/results.db"
_IN_THE_WAY = {"40001", "40P01"}  # what PostgreSQL calls it where it ends one of two that wait for each other
_NO_TABLE = "42P01"
# What SQLite says of more than a billion bytes, its module of more than 2 GB, and PostgreSQL of more than 1 GB.
_TOO_LARGE = "too big", "INT_MAX", "invalid memory alloc request size"
_ADVICE = "no row can hold so large a value; give the SqlTarget a target for such, by large=: "
_PATIENCE, _IMPATIENCE = 5.0, 0.1  # seconds to wait for another writer
# What SQLite holds of its own while it runs, a forked child would wait for.
_sqlite = Gate()
_leaked: list[Any] = []  # connections that belong to the process this one was forked from: closing them is its affair


class TableGoneError(StoreError):
    """Raised where the table is not there: nobody has made it, or somebody has deleted it.

    >>> issubclass(TableGoneError, StoreError)
    True
    """


class Database:
    """Run statements on a database; what fails is a :class:`StoreError` that shows no password.

    :param url: as SQLAlchemy writes them.
    :param options: what ``sqlalchemy.create_engine`` takes.
    :raises ModuleNotFoundError: where SQLAlchemy or the driver is not installed.
    :raises ValueError: for an address of another kind of database.

    >>> database = Database("sqlite:////no/such/folder/results.db", {})
    >>> database.kind, str(database)
    ('sqlite', 'sqlite:////no/such/folder/results.db')
    """

    def __init__(self, url: str, options: dict[str, Any]) -> None:
        try:
            import sqlalchemy as sa
        except ModuleNotFoundError as error:
            raise ModuleNotFoundError(_NEEDS.format("sqlalchemy"), name=error.name) from error
        self.options = options
        self._secrets = secrets_of(str(url), options)
        try:
            self._url = sa.make_url(str(url))
        except sa.exc.ArgumentError:
            raise ValueError(f"{masked(str(url))!r} is not the address of a database; {_KNOWN}") from None
        self.kind = self._url.get_backend_name()
        if self.kind == "sqlite":
            name = self._url.database
            if not name or name == ":memory:" or name.startswith("file:"):
                raise ValueError(
                    "an SQLite database in memory is gone with its connection; use a dict, or name a file by its path"
                )
            self._url = self._url.set(database=os.path.abspath(os.path.expanduser(name)))
            if not _is_text(self.file()):
                raise ValueError(f"the path of an SQLite database must be text in UTF-8, got {self.file()!r}")
        elif self.kind != "postgresql":
            raise ValueError(f"SqlTarget knows PostgreSQL and SQLite, not {self.kind!r}; {_KNOWN}")
        self._made_by = 0
        self.patience = Patience(_PATIENCE, _IMPATIENCE)
        self._engine = self.engine()

    def __str__(self) -> str:
        return masked(self.url)

    @property
    def url(self) -> str:
        """The address, with its password."""
        return str(self._url.render_as_string(hide_password=False))

    def file(self) -> str:
        """The file of an SQLite database."""
        return str(self._url.database)

    def engine(self) -> Any:
        """Return SQLAlchemy's engine of this process; a forked child leaves its parent's alone."""
        if self._made_by == os.getpid():
            return self._engine
        import sqlalchemy as sa

        if self._made_by:
            _leaked.append(self._engine)
        options: dict[str, Any] = {"hide_parameters": True, "isolation_level": "AUTOCOMMIT"}
        if self.kind == "sqlite":
            # A connection that is open at a fork would corrupt what SQLite knows of locks.
            options |= {"poolclass": sa.pool.NullPool}
        try:
            self._engine = sa.create_engine(self._url, **{**options, **self.options})
        except ModuleNotFoundError as error:
            raise ModuleNotFoundError(_NEEDS.format(error.name), name=error.name) from error
        except sa.exc.NoSuchModuleError as error:
            raise ValueError(f"SQLAlchemy knows no driver for {str(self)!r}; {_KNOWN}") from error
        if self.kind == "sqlite":
            sa.event.listen(self._engine, "connect", _read_damaged_text)
        self._made_by = os.getpid()
        sa.event.listen(
            self._engine, *(("do_connect", self._about_to_open) if self.kind == "sqlite" else ("connect", _opened))
        )
        return self._engine

    def _about_to_open(self, dialect: Any, record: Any, arguments: Any, named: dict[str, Any]) -> None:
        named.setdefault("timeout", self.patience.seconds)
        file = self.file()
        if not os.path.exists(file) and os.path.isdir(os.path.dirname(file)):
            create_file(file, [])  # for its owner alone; SQLite would leave that to the umask

    @contextmanager
    def told(self) -> Iterator[None]:
        """Turn what SQLAlchemy raises into an error that says where, and shows no secret."""
        import sqlalchemy as sa

        try:
            yield
        except (sa.exc.SQLAlchemyError, OSError, OverflowError) as error:
            advice = _ADVICE if any(words in str(error) for words in _TOO_LARGE) else ""
            text = f"{self}: {advice}{type(error).__name__}: {error}"
            shown = safe(text, self._secrets)
            kind = TableGoneError if _is_about_no_table(error) else StoreError
            raise kind(shown) from (error if shown == text else None)

    def run(self, work: Callable[[Any], T], together: bool = False) -> T:
        """Return ``work(connection)``; where the connection was lost, or another transaction in the way, once more.

        :param together: in one transaction, else each statement by itself.
        :raises StoreError: when the database cannot be used.
        """
        import sqlalchemy as sa

        def once() -> T:
            engine = self.engine()
            if not together:
                with engine.connect() as connection:
                    return work(connection)
            level = "SERIALIZABLE" if self.kind == "sqlite" else "READ COMMITTED"
            with engine.execution_options(isolation_level=level).begin() as connection:
                return work(connection)

        with self.told(), _sqlite if self.kind == "sqlite" else nullcontext():
            try:
                return once()
            except sa.exc.DBAPIError as error:
                if self.kind == "sqlite" and "locked" in str(error.orig):
                    self.patience.was_in_vain()
                if not error.connection_invalidated and getattr(error.orig, "sqlstate", "") not in _IN_THE_WAY:
                    raise
            return once()

    def close(self) -> None:
        """Close the connections that are not in use."""
        if self._made_by == os.getpid():
            self._engine.dispose()


def _read_damaged_text(connection: Any, record: Any) -> None:
    """Let SQLite's module read text that a fault of the disk has changed; it then matches no digest."""
    connection.text_factory = partial(str, encoding="utf-8", errors="replace")


def _opened(connection: Any, record: Any) -> None:
    """Have PostgreSQL end what would wait for a transaction of somebody who was stopped."""
    cursor = connection.cursor()
    cursor.execute(f"set lock_timeout = '{_PATIENCE:.0f}s'")
    cursor.close()
    connection.commit()


def _is_about_no_table(error: Exception) -> bool:
    original = getattr(error, "orig", None)
    return "no such table" in str(original) or getattr(original, "sqlstate", "") == _NO_TABLE


def _is_text(path: str) -> bool:
    try:
        path.encode()
    except UnicodeEncodeError:
        return False
    return True
