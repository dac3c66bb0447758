"""A database that is reached through SQLAlchemy: its connections, and errors that hide how it is opened."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any, TypeVar

from ...errors import StoreError
from ..addresses import masked, safe, secrets_of

__all__ = ["Database"]

T = TypeVar("T")

_NEEDS = "SqlTarget needs {}: run `pip install flowly-ckpt[sql]`, and for PostgreSQL `pip install psycopg[binary]`"
_KNOWN = "give an address like postgresql+psycopg://user@host/database or sqlite:////folder/results.db"
_IN_THE_WAY = {"40001", "40P01"}  # what PostgreSQL calls it where it ends one of two that wait for each other
_leaked: list[Any] = []  # connections that belong to the process this one was forked from: closing them is its affair


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
                    "an SQLite database in memory is nobody else's; use a dict, or name a file by its path"
                )
            self._url = self._url.set(database=os.path.abspath(os.path.expanduser(name)))
        elif self.kind != "postgresql":
            raise ValueError(f"SqlTarget knows PostgreSQL and SQLite, not {self.kind!r}; {_KNOWN}")
        self._made_by = 0
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
            options |= {"poolclass": sa.pool.NullPool, "connect_args": {"timeout": 60}}
        try:
            self._engine = sa.create_engine(self._url, **{**options, **self.options})
        except ModuleNotFoundError as error:
            raise ModuleNotFoundError(_NEEDS.format(error.name), name=error.name) from error
        except sa.exc.NoSuchModuleError as error:
            raise ValueError(f"SQLAlchemy knows no driver for {str(self)!r}; {_KNOWN}") from error
        if self.kind == "sqlite":
            sa.event.listen(self._engine, "connect", _read_damaged_text)
        self._made_by = os.getpid()
        return self._engine

    @contextmanager
    def told(self) -> Iterator[None]:
        """Turn what SQLAlchemy raises into an error that says where, and shows no secret."""
        import sqlalchemy as sa

        try:
            yield
        except (sa.exc.SQLAlchemyError, OSError) as error:
            text = f"{self}: {type(error).__name__}: {error}"
            shown = safe(text, self._secrets)
            raise StoreError(shown) from (error if shown == text else None)

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

        with self.told():
            try:
                return once()
            except sa.exc.DBAPIError as error:
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
