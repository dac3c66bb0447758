"""The entries of a store: every statement of SQL about them, and the digest that guards a row."""

from __future__ import annotations

import json
import sqlite3
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from itertools import chain
from typing import Any, NamedTuple

import xxhash

from ...typing import Facts, Key
from ..damage import DamagedError
from ..facts import Entry, Selection, TagStats, key_given, names_of
from .blobs import File, path_of
from .index import Index
from .schema import ASKED_FOR

__all__ = ["REMOVE", "Entries", "Row"]

FIELDS = "id, codec, digest, created, size, blob, data"
ADD = """insert into entries (tag, object, transform, codec, digest, created, size, blob, data, seconds, made_from)
    values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"""
KEY = "tag = ? and object = ? and transform = ?"
THIS = "id = ? and created is ? and digest is ?"  # SQLite gives the number of a row that is gone to another one
REMOVE = f"delete from entries where {THIS}"
FIND = f"select {FIELDS} from entries where {KEY}"
# A cross join, so that each key is looked for in the index; `in (values …)` would go through the whole of it.
FIND_MANY = f"""with wanted (t, o, f) as (values {{}}) select object, tag, transform, {FIELDS}
    from wanted cross join entries on tag = t and object = o and transform = f"""
USED = "coalesce((select used from uses where uses.id = entries.id), created)"
LIST = f"""select tag, object, transform, codec, size, created, {USED}, seconds,
    coalesce((select hits from uses where uses.id = entries.id), 0), made_from, blob from entries where"""
STATS = """select tag, count(*), cast(total(size) as integer), cast(total(hits) as integer), total(hits * seconds),
    max(coalesce(used, created)) from entries left join uses on uses.id = entries.id group by tag order by tag"""
SIZE = """select coalesce(cast((select total(size) from entries where blob is null) +
    (select total(size) from (select distinct size, blob from entries where blob is not null)) as integer), 0)"""
FILES = "select distinct blob, size from entries where blob is not null"
CHECK = """select cast(object as blob), cast(tag as blob), cast(transform as blob), id, cast(codec as blob), digest,
    created, size, blob, data from entries where id > ? order by id limit 200"""
KEYS = """select object, tag, transform, created from entries
    where (tag, object, transform) {} (?, ?, ?) order by tag, object, transform limit {}"""
# What was stored later counts as used later, though the clock, by which it is noted, may have been set back.
WORTH = """select id, size, blob, object, tag, transform from entries
    join (select id, max(created) over (order by id rows unbounded preceding) as stored from entries) using (id)
    where id != ?
    order by seconds / max(size, 1), max(stored, coalesce((select used from uses where uses.id = entries.id), 0)), id"""
PAGE = 2000
AT_ONCE = 300  # keys in a statement, whose values SQLite limits
_ENCODED = json.JSONEncoder(default=repr, separators=(",", ":")).encode


class Row(NamedTuple):
    """A row of the index: what an entry's value is found and checked by; ``created`` is in nanoseconds.

    >>> Row(1, "pickled", b"", 0, 4, None, b"data").payload
    b'data'
    """

    id: int
    codec: str
    digest: bytes
    created: int
    size: int
    blob: bytes | None
    data: Any

    @property
    def this(self) -> tuple[Any, ...]:
        """What tells it from one that came to have its number."""
        return (self.id, self.created, self.digest)

    @property
    def payload(self) -> Any:
        """What its digest covers: the value itself, or the digest of the file that holds it."""
        return self.data if self.blob is None else self.blob

    def check(self, key: Key) -> None:
        """Raise unless the row is what was stored under a key.

        :raises DamagedError: when it does not match its digest.
        """
        try:
            if digest_of_row(key, self.codec, self.created, self.payload) == self.digest:
                return
        except (TypeError, ValueError):
            pass
        raise DamagedError("the row does not match its digest")


class New(NamedTuple):
    """An entry to be stored: its value's bytes, or the file that holds them.

    >>> New(("a", "fit", "f"), "pickled", b"data", None, Facts(0.0)).size
    4
    """

    key: Key
    codec: str
    data: bytes | None
    file: File | None
    facts: Facts

    @property
    def size(self) -> int:
        """The bytes of the value."""
        return len(self.data or b"") if self.file is None else self.file.size

    def values(self) -> tuple[Any, ...]:
        """Return the values of its row; the time of its making is now."""
        row = columns(self.key)
        created, blob = time.time_ns(), None if self.file is None else self.file.digest
        digest = digest_of_row(self.key, self.codec, created, self.data if blob is None else blob)
        made_from = _ENCODED(self.facts.made_from) if self.facts.made_from else None
        return (
            *row, self.codec, digest, created, self.size, blob, self.data, self.facts.seconds, made_from,
        )  # fmt: skip


class Entries:
    """Find, add, list and remove rows; nothing here touches a file but the index.

    >>> Entries(Index("/no/such/folder", print)).find(("a", "fit", "f")) is None
    True
    """

    def __init__(self, index: Index) -> None:
        self.index = index

    def find(self, key: Key) -> Row | None:
        """Return the row of a key, or None."""
        found = self.index.row(FIND, columns(key))
        return None if found is None else Row(*found)

    def find_many(self, keys: Iterable[Key]) -> dict[Key, Row]:
        """Return the rows of those keys that have one."""
        wanted = list(keys)
        found: dict[Key, Row] = {}
        for start in range(0, len(wanted), AT_ONCE):
            some = wanted[start : start + AT_ONCE]
            statement = FIND_MANY.format(", ".join(["(?, ?, ?)"] * len(some)))
            for obj, tag, transform, *row in self.index.rows(statement, [*chain.from_iterable(map(columns, some))]):
                found[text_of(obj), text_of(tag), text_of(transform)] = Row(*row)
        return found

    def add(self, new: New) -> None:
        """Add an entry.

        :raises sqlite3.IntegrityError: when its key is there already.
        """
        self.index.change(ADD, new.values())

    def replace(self, connection: sqlite3.Connection, new: New) -> File | None:
        """Add an entry in the place of the one of its key; return the file that one had."""
        values = new.values()
        try:
            connection.execute(ADD, values)
            return None
        except sqlite3.IntegrityError:  # the key is there already
            found = connection.execute(FIND, columns(new.key)).fetchone()
        if found is not None:
            connection.execute("delete from entries where id = ?", found[:1])
        connection.execute(ADD, values)
        blob, size = (None, 0) if found is None else (found[5], found[4])
        return None if blob is None else File(blob, size)

    def remove(self, key: Key) -> Row | None:
        """Remove the row of a key and return it, or None where there is none."""
        if not self.index.is_there():
            return None

        def work(connection: sqlite3.Connection) -> Row | None:
            found = connection.execute(FIND, columns(key)).fetchone()
            if found is not None:
                connection.execute("delete from entries where id = ?", found[:1])
            return None if found is None else Row(*found)

        return self.index.transact(work)

    def remove_row(self, row: Row) -> None:
        """Remove one row, if it is still there."""
        self.index.change(REMOVE, row.this)

    def has_row(self, row: Row) -> bool:
        """Return whether a row is still there."""
        return self.index.row(f"select 1 from entries where {THIS}", row.this) is not None

    def remove_unreadable(self, key: Key) -> None:
        """Remove the row of a key whose text a flipped byte has made unreadable."""
        self.index.change(f"delete from entries where {KEY}", columns(key))

    def is_used(self, connection: sqlite3.Connection, file: File) -> bool:
        """Return whether an entry refers to a file."""
        statement = "select 1 from entries where size = ? and blob = ? limit 1"
        return connection.execute(statement, (file.size, file.digest)).fetchone() is not None

    def keys(self, page: int = 5000) -> Iterator[tuple[Key, int]]:
        """Yield the keys, by tag, with the time of their making; so many are read at once."""
        relation, last = ">=", ("", "", "")
        while True:
            found = self.index.rows(KEYS.format(relation, page), last)
            odd = not {str, int}.issuperset(map(type, chain.from_iterable(found)))  # text that SQLite could not encode
            for obj, tag, transform, created in found:
                yield ((_text(obj), _text(tag), _text(transform)) if odd else (obj, tag, transform)), _number(created)
            if len(found) < page:
                return
            obj, tag, transform = found[-1][:3]
            relation, last = ">", (tag, obj, transform)

    def select(self, chosen: Selection) -> Iterator[Entry]:
        """Yield what is known of the selected entries, by tag."""
        where, values = condition(chosen)
        last, start = "", ()
        while True:
            statement = f"{LIST} {where} {last} order by tag, object, transform limit {PAGE}"
            found = self.index.rows(statement, values + start)
            yield from map(entry_of, found)
            if len(found) < PAGE:
                return
            last, start = "and (tag, object, transform) > (?, ?, ?)", found[-1][:3]

    def latest(self, chosen: Selection) -> Iterator[Entry]:
        """Yield what is known of the selected entry that was stored last, if there is one."""
        where, values = condition(chosen)
        yield from map(entry_of, self.index.rows(f"{LIST} {where} order by id desc limit 1", values))

    def count(self, chosen: Selection | None = None) -> int:
        """Count the selected entries."""
        where, values = condition(chosen or Selection())
        found = self.index.row(f"select count(*) from entries where {where}", values)
        return int(found[0]) if found else 0

    def files(self, chosen: Selection) -> list[File]:
        """Return the files of the selected entries."""
        where, values = condition(chosen)
        return [File(*row) for row in self.index.rows(f"{FILES} and {where}", values)]

    def clear(self, chosen: Selection) -> tuple[int, list[File]]:
        """Remove the selected entries; return how many there were, and their files."""
        where, values = condition(chosen)

        def work(connection: sqlite3.Connection) -> tuple[int, list[File]]:
            found = [File(*row) for row in connection.execute(f"{FILES} and {where}", values)]
            return connection.execute(f"delete from entries where {where}", values).rowcount, found

        if not self.index.is_there():
            return 0, []
        count, found = self.index.transact(work, ASKED_FOR)
        if count:
            self.index.settle()
        return count, found

    def stats(self) -> list[TagStats]:
        """Count entries, bytes, hits and the seconds they saved, for each tag."""
        return [
            TagStats(_text(tag), count, size, hits, saved, _number(used) / 1e9)
            for tag, count, size, hits, saved, used in self.index.rows(STATS)
        ]

    def size(self) -> int:
        """Return the bytes of all values; values that share a file count once."""
        found = self.index.row(SIZE, ())
        return int(found[0]) if found else 0

    def rows(self) -> Iterator[tuple[tuple[bytes, bytes, bytes], Row]]:
        """Yield all rows, with their keys as bytes, since a damaged one may not be text."""
        last = 0
        while found := self.index.rows(CHECK, (last,)):
            for obj, tag, transform, ident, codec, *rest in found:
                with suppress(UnicodeDecodeError, AttributeError):
                    codec = codec.decode()
                last = ident
                yield (obj, tag, transform), Row(ident, codec, *rest)


def columns(key: Key) -> tuple[Any, Any, Any]:
    """Return tag, object and transform as SQLite takes them; text it cannot encode goes as bytes.

    :raises TypeError: for a key that is not three strings.

    >>> columns(("o", "t", "f"))
    ('t', 'o', 'f')
    """
    try:
        obj, tag, transform = key
        "".join(key).encode()
        if not isinstance(key, tuple):
            raise TypeError
    except UnicodeEncodeError:
        return (column(key[1]), column(key[0]), column(key[2]))
    except (TypeError, ValueError):
        key_given(key)
        raise
    return (tag, obj, transform)


def column(text: str) -> Any:
    """Return one string of a key as SQLite takes it."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-8", "surrogatepass")
    return text


def text_of(found: Any) -> str:
    """Return a string of a key as it was before :func:`columns`.

    >>> text_of(columns(("o", "\\udc80", "f"))[0])
    '\\udc80'
    """
    return found if type(found) is str else bytes(found).decode("utf-8", "surrogatepass")


def _text(found: Any) -> str:
    """Return a column as text, whatever it holds: nothing about a foreign index is taken for granted."""
    try:
        return text_of(found)
    except (TypeError, ValueError):
        return ascii(found)


def _number(found: Any) -> Any:
    return found if type(found) in (int, float) else 0


def digest_of_row(key: Key, codec: str, created: int, payload: Any) -> bytes:
    """Return the digest that binds a payload to its key, its codec and the time of its making.

    >>> digest_of_row(("a", "b", "c"), "pickled", 1, b"x") == digest_of_row(("a", "b", "d"), "pickled", 1, b"x")
    False
    """
    head = f"{key[0]}\0{key[1]}\0{key[2]}\0{codec}\0{created}\0"
    try:
        return xxhash.xxh3_128_digest(head.encode() + payload)
    except UnicodeEncodeError:
        return xxhash.xxh3_128_digest(head.encode("utf-8", "surrogatepass") + payload)


def condition(chosen: Selection) -> tuple[str, tuple[Any, ...]]:
    """Return a selection as a condition of SQL and its values."""
    terms: list[str] = ["1"]
    values: list[Any] = []
    for name in ("tag", "object", "transform"):
        names = names_of(getattr(chosen, name))
        if names is not None:
            # As JSON, since SQLite limits how many values a statement may have; but JSON cannot carry all strings.
            odd = [column(text) for text in names if "\0" in text or type(column(text)) is bytes]
            terms.append(f"({name} in (select value from json_each(?)) or {name} in ({', '.join('?' * len(odd))}))")
            values += [json.dumps(sorted(text for text in names if column(text) not in odd)), *odd]
    now = time.time()
    for term, seconds in (("created", chosen.older_than), (USED, chosen.unused_for)):
        if seconds is not None:
            terms.append(f"{term} < ?")
            values.append(int((now - seconds) * 1e9))
    return " and ".join(terms), tuple(values)


def entry_of(row: Sequence[Any]) -> Entry:
    """Return what is known of an entry, by what :data:`LIST` selects."""
    tag, obj, transform, codec, size, created, used, seconds, hits, made_from, blob = row
    try:
        found = json.loads(made_from) if made_from else {}
    except (TypeError, ValueError, RecursionError):
        found = {}  # a flipped byte here harms no result
    return Entry(
        (_text(obj), _text(tag), _text(transform)), _text(codec), _number(size), _number(created) / 1e9,
        _number(used) / 1e9, _number(seconds), _number(hits), found if isinstance(found, dict) else {},
        path_of(blob) if isinstance(blob, bytes) else None,
    )  # fmt: skip
