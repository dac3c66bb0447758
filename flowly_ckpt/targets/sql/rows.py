"""The tables of a store in a database, and every statement about them."""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from decimal import Decimal
from itertools import chain, islice, product
from math import isfinite
from typing import Any, NamedTuple, TypeVar

import xxhash

from ...errors import StoreError
from ...typing import Key
from ..claims import digest_of_key
from ..damage import DamagedError
from ..facts import Selection, TagStats, names_of
from ..key_names import quoted, unquoted
from ..provenance import read_line
from ..recorded import AT_ONCE, Record, bytes_of
from .claims import lock_number
from .database import Database, TableGoneError

__all__ = ["Row", "Rows", "batched"]

T = TypeVar("T")

FORMAT = 1
PAGE = 2000
_LONGEST = 200  # letters of a name; a longer one goes by its digest, since databases limit what they index
_NAMES = 5000  # in a statement, whose values databases limit


class Row(NamedTuple):
    """A row: the line on how it was made, and its value's bytes or the name under which they are kept beside.

    >>> Row(("a", "fit", "f"), b"a line", b"data", None).data
    b'data'
    """

    key: Key
    line: bytes
    data: bytes | None
    beside: str | None


class Rows:
    """Find, store, list and remove the rows of a table, which is made when it is first needed.

    :param database: where the table is, or is to be.
    :param table: its name.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     rows = Rows(Database(f"sqlite:///{folder}/results.db", {}), "results")
    ...     rows.count(), rows.remove(("a", "fit", "f"))
    (0, None)
    """

    def __init__(self, database: Database, table: str) -> None:
        import sqlalchemy as sa

        self.database = database
        self.known = sa.MetaData()
        self.table = sa.Table(
            table,
            self.known,
            sa.Column("key", sa.LargeBinary(16), primary_key=True),
            *[sa.Column(name, sa.String(_LONGEST), nullable=False) for name in ("tag", "object", "transform")],
            sa.Column("size", sa.BigInteger, nullable=False),
            sa.Column("created", sa.Float(53), nullable=False),
            sa.Column("made", sa.Text, nullable=False),
            sa.Column("data", sa.LargeBinary),
            sa.Column("beside", sa.String(32)),
        )
        columns = self.table.c
        sa.Index(f"{table}_tag", columns.tag)
        given = columns.beside.is_not(None)
        sa.Index(f"{table}_beside", columns.beside, postgresql_where=given, sqlite_where=given)
        self.about = sa.Table(
            f"{table}_about",
            self.known,
            sa.Column("format", sa.Integer, primary_key=True),
            sa.Column("store", sa.String(32), nullable=False),
        )
        self._store = ""

    def store(self) -> str:
        """Return the store's own name, by which others know what belongs to it; make the tables if need be.

        :raises StoreError: for tables of another format.
        """
        if not self._store:
            import sqlalchemy as sa

            def ask(connection: Any) -> Any:
                if sa.inspect(connection).has_table(self.about.name):
                    return connection.execute(sa.select(self.about)).fetchone()
                return None

            found = self.database.run(ask) or self.database.run(self._make, together=True)
            if found.format != FORMAT:
                raise StoreError(
                    f"{self.database}: the table {self.table.name} has format {found.format}, this version reads "
                    f"{FORMAT}; name another table"
                )
            self._store = found.store
        return self._store

    def _make(self, connection: Any) -> Any:
        import sqlalchemy as sa

        if self.database.kind == "postgresql":  # it does not make tables in two sessions at once
            connection.execute(sa.select(sa.func.pg_advisory_xact_lock(lock_number(self.table.name, b"tables"))))
        else:
            connection.exec_driver_sql("begin immediate")  # Python's module begins none for what makes tables
        for table in self.known.sorted_tables:  # each unless it is there: another process may be making them too
            connection.execute(sa.schema.CreateTable(table, if_not_exists=True))
            for index in table.indexes:
                connection.execute(sa.schema.CreateIndex(index, if_not_exists=True))
        new = self._insert(self.about).values(format=FORMAT, store=uuid.uuid4().hex)
        connection.execute(new.on_conflict_do_nothing())
        return connection.execute(sa.select(self.about)).fetchone()

    def _insert(self, table: Any) -> Any:
        if self.database.kind == "postgresql":
            from sqlalchemy.dialects.postgresql import insert
        else:
            from sqlalchemy.dialects.sqlite import insert
        return insert(table)

    def _run(self, statement: Any, *values: Any) -> list[Any]:
        def work(connection: Any) -> list[Any]:
            done = connection.execute(statement, *values)
            return list(done.fetchall()) if done.returns_rows else []

        return self._work(work)

    def _work(self, work: Callable[[Any], T], together: bool = False) -> T:
        """Return ``work(connection)``; tables that somebody has deleted since are made anew."""
        self.store()
        try:
            return self.database.run(work, together)
        except TableGoneError:
            self._store = ""
            self.store()
            return self.database.run(work, together)

    def find(self, keys: Iterable[Key]) -> Iterator[Row]:
        """Yield the rows of those keys that have one."""
        import sqlalchemy as sa

        columns = self.table.c
        for some in batched(keys, AT_ONCE):
            wanted = {digest_of_key(key): key for key in some}
            chosen = sa.select(columns.key, columns.made, columns.data, columns.beside)
            for digest, made, data, beside in self._run(chosen.where(columns.key.in_(list(wanted)))):
                yield Row(wanted[bytes(digest)], bytes(bytes_of(made)), data, beside)

    def put(self, records: Sequence[tuple[Record, str | None]], is_mixed: bool) -> list[str]:
        """Store rows, of those with one key the last; return the names of what lay beside for those they replace.

        :param records: entries, with the name of what lies beside, if the value does.
        :param is_mixed: whether anything lies beside, so that it is worth a look.
        """
        import sqlalchemy as sa

        rows = {digest_of_key(record.key): (record, beside) for record, beside in records}
        # In one order, so that two sessions never wait for each other.
        values = [_values(digest, *rows[digest]) for digest in sorted(rows)]
        new = self._insert(self.table)
        replaced = {name: new.excluded[name] for name in values[0] if name != "key"}
        statement = new.on_conflict_do_update(index_elements=["key"], set_=replaced)
        key, old = self.table.c.key, self.table.c.beside
        chosen = sa.select(old).where(key.in_(list(rows)), old.is_not(None))
        names = [name for (name,) in self._run(chosen)] if is_mixed else []
        self._work(lambda connection: connection.execute(statement, values), together=len(values) > 1)
        self.database.patience.was_rewarded()
        return names

    def remove(self, key: Key) -> tuple[str | None] | None:
        """Remove the row of a key; return the name of what lies beside, or None where there is no row."""
        columns = self.table.c
        chosen = self.table.delete().where(columns.key == digest_of_key(key)).returning(columns.beside)
        found = self._run(chosen)
        return (found[0].beside,) if found else None

    def has(self, key: Key) -> bool:
        """Return whether there is a row of a key."""
        import sqlalchemy as sa

        return bool(self._run(sa.select(1).where(self.table.c.key == digest_of_key(key))))

    def count(self, chosen: Selection | None = None) -> int:
        """Count the selected rows."""
        import sqlalchemy as sa

        counted = sa.select(sa.func.count()).select_from(self.table)
        return sum(self._run(counted.where(*terms))[0][0] for terms in self._conditions(chosen or Selection()))

    def clear(self, chosen: Selection) -> tuple[int, list[str]]:
        """Remove the selected rows; return how many there were, and the names of what lies beside."""
        count, names = 0, []
        for terms in self._conditions(chosen):
            found = self._run(self.table.delete().where(*terms).returning(self.table.c.beside))
            count += len(found)
            names += [beside for (beside,) in found if beside is not None]
        return count, names

    def lines(self, chosen: Selection) -> Iterator[bytes]:
        """Yield the lines on how the selected rows were made."""
        for row in self._pages([self.table.c.made], chosen):
            yield bytes(bytes_of(row.made))

    def keys(self) -> Iterator[Key]:
        """Yield the keys."""
        columns = self.table.c
        long: list[bytes] = []
        for row in self._pages([columns.object, columns.tag, columns.transform], Selection()):
            try:
                yield unquoted(row.object), unquoted(row.tag), unquoted(row.transform)
            except (ValueError, TypeError, AttributeError):  # too long to stand there, or somebody else's
                long += [bytes(row.key)] if isinstance(row.key, (bytes, memoryview)) else []
        for some in batched(long, AT_ONCE):
            for row in self._pages([columns.made], Selection(), columns.key.in_(list(some))):
                with suppress(DamagedError):
                    yield read_line(bytes_of(row.made))[0].key

    def _pages(self, wanted: Sequence[Any], chosen: Selection, *more: Any) -> Iterator[Any]:
        import sqlalchemy as sa

        key = self.table.c.key
        for terms in self._conditions(chosen):
            last: list[Any] = []
            while True:
                page = sa.select(key, *wanted).where(*terms, *more, *last).order_by(key).limit(PAGE)
                found = self._run(page)
                yield from found
                if len(found) < PAGE:
                    break
                last = [key > found[-1].key]

    def _conditions(self, chosen: Selection) -> Iterator[list[Any]]:
        """Yield the conditions that select together what is selected, each with as many names as a statement takes."""
        now, columns = time.time(), self.table.c
        ages = [seconds for seconds in (chosen.older_than, chosen.unused_for) if seconds is not None]
        terms = [columns.created < now - seconds for seconds in ages]
        parts: list[Iterable[Any]] = []
        for name in ("tag", "object", "transform"):
            names = names_of(getattr(chosen, name))
            some = [None] if names is None else batched(sorted(map(short, names)), _NAMES)
            parts.append([None if part is None else columns[name].in_(part) for part in some])
        for found in product(*parts):
            yield [*terms, *(part for part in found if part is not None)]

    def stats(self) -> list[TagStats]:
        """Count entries and bytes for each tag."""
        import sqlalchemy as sa

        columns, count = self.table.c, sa.func.count()
        sums = sa.select(columns.tag, count, sa.func.sum(columns.size), sa.func.max(columns.created))
        found = []
        for tag, entries, size, created in self._run(sums.group_by(columns.tag)):
            found.append(TagStats(self._tag(tag), entries, int(_number(size)), 0, 0.0, _number(created)))
        return sorted(found)

    def _tag(self, short: Any) -> str:
        import sqlalchemy as sa

        try:
            return unquoted(short)
        except (ValueError, TypeError, AttributeError):
            pass
        with suppress(DamagedError, StoreError):
            for one in self._run(sa.select(self.table.c.made).where(self.table.c.tag == short).limit(1)):
                return read_line(bytes_of(one.made))[0].key[1]
        return str(short)

    def named(self, names: Sequence[str]) -> set[str]:
        """Return those names of what lies beside that a row has."""
        import sqlalchemy as sa

        beside = self.table.c.beside
        found = [self._run(sa.select(beside).where(beside.in_(list(some)))) for some in batched(names, _NAMES)]
        return {name for (name,) in chain.from_iterable(found)}


def _values(digest: bytes, record: Record, beside: str | None) -> dict[str, Any]:
    made = record.made
    obj, tag, transform = map(short, made.key)
    data = None if beside is not None else b"".join(record.pieces)
    return {
        "key": digest, "tag": tag, "object": obj, "transform": transform, "size": made.size, "created": made.created,
        "made": record.line().decode(), "data": data, "beside": beside,
    }  # fmt: skip


def _number(found: Any) -> float:
    """Return a number of a row, whatever somebody else may have put there."""
    return found if isinstance(found, (int, float, Decimal)) and isfinite(found) else 0.0  # type: ignore[return-value]


def short(text: str) -> str:
    """Write a string of a key in letters that every database takes, and few of them.

    >>> short("clean up"), short("x" * 300)
    ('clean%20up', '+125237ea2ad7bc7aa5d1b4607dc83554')
    """
    name = quoted(text)
    if len(name) <= _LONGEST:
        return name
    return f"+{xxhash.xxh3_128_hexdigest(text.encode('utf-8', 'surrogatepass'))}"


def batched(items: Iterable[Any], size: int) -> Iterator[list[Any]]:
    """Yield the items in lists of a size, the last one shorter.

    >>> list(batched("abc", 2))
    [['a', 'b'], ['c']]
    """
    rest = iter(items)
    while some := list(islice(rest, size)):
        yield some
