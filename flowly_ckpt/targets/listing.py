"""What a DiskTarget tells of its entries, and how it clears them: by object, tag, transform, age and last use."""

from __future__ import annotations

import os
import sqlite3
import time
from collections.abc import Iterable, Iterator
from functools import partial
from typing import Any, NamedTuple

from ..typing import Key
from .blobs import Blobs
from .clearing import Selection, names_of
from .index import Index
from .opening import index_files
from .rows import Entry, column, from_column
from .uses import Uses

__all__ = ["Listing", "TagStats"]

USED = "coalesce((select used from uses where uses.id = entries.id), id)"
LIST = f"""select tag, object, transform, codec, size, id, {USED}, seconds,
    coalesce((select hits from uses where uses.id = entries.id), 0), made_from, blob from entries where"""
STATS = """select tag, count(*), sum(size), coalesce(sum(hits), 0), coalesce(sum(hits * seconds), 0.0),
    max(coalesce(used, entries.id)) from entries left join uses on uses.id = entries.id group by tag order by tag"""
SIZE = """select (select coalesce(sum(size), 0) from entries where blob is null) +
    (select coalesce(sum(size), 0) from (select distinct size, blob from entries where blob is not null))"""
PAGE = 2000


class TagStats(NamedTuple):
    """Count the entries of one tag; ``saved`` is in seconds, ``used`` the last use of any of them.

    >>> TagStats("clean", 2, 100, 3, 1.5, 0.0).saved
    1.5
    """

    tag: str
    entries: int
    bytes: int
    hits: int
    saved: float
    used: float


class Listing:
    """The part of a DiskTarget that lists, counts and clears.

    >>> hasattr(Listing, "clear_where")
    True

    See also: :class:`flowly_ckpt.targets.DiskTarget`.
    """

    path: str
    _index: Index
    _blobs: Blobs
    _uses: Uses

    def entries(self, **selection: Any) -> Iterator[Entry]:
        """Give what is known of each selected entry, by tag; the criteria are those of :meth:`clear_where`."""
        self._uses.flush(patience=5.0)
        where, values = _condition(Selection(**selection))
        last = ""
        start: tuple[Any, ...] = ()
        while True:
            statement = f"{LIST} {where} {last} order by tag, object, transform limit {PAGE}"
            found = self._listed(statement, values + start)
            yield from (_entry(row, self._blobs) for row in found)
            if len(found) < PAGE:
                return
            last, start = "and (tag, object, transform) > (?, ?, ?)", found[-1][:3]

    def entry(self, key: Key) -> Entry | None:
        """Return what is known of one entry, or None."""
        return next(self.entries(object=key[0], tag=key[1], transform=key[2]), None)

    def _listed(self, statement: str, values: tuple[Any, ...]) -> list[tuple[Any, ...]]:
        return self._index.rows(statement, values)

    def clear_where(
        self,
        *,
        object: str | Iterable[str] | None = None,
        tag: str | Iterable[str] | None = None,
        transform: str | Iterable[str] | None = None,
        older_than: float | None = None,
        unused_for: float | None = None,
        dry_run: bool = False,
    ) -> int:
        """Delete the entries that meet all criteria given, and return how many there were.

        :param object, tag, transform: a string or several, to be found at that place of the key.
        :param older_than: seconds since the entry was stored.
        :param unused_for: seconds since it was last restored, or stored if it never was.
        :param dry_run: only count.
        :raises StoreError: when the store cannot be written.
        """
        self._uses.flush(patience=5.0)
        where, values = _condition(Selection(object, tag, transform, older_than, unused_for))
        if dry_run or not index_files(self.path):
            found = self._index.row(f"select count(*) from entries where {where}", values)
            return int(found[0]) if found else 0

        def work(connection: sqlite3.Connection) -> tuple[list[tuple[bytes, int]], int]:
            files = f"select distinct blob, size from entries where blob is not null and {where}"
            blobs = connection.execute(files, values).fetchall()
            return blobs, connection.execute(f"delete from entries where {where}", values).rowcount

        blobs, count = self._index.transact(work)
        self._drop_files(blobs)
        return count

    def _drop_files(self, blobs: Iterable[tuple[bytes, int]]) -> int:
        """Remove the files that no entry refers to any more; return how many.

        It is done while nobody else can write, and who stores an entry looks for its file in such a transaction too:
        no entry is left without its file.
        """
        return sum([self._index.transact(partial(self._drop, blob, size)) for blob, size in blobs])

    def _drop(self, blob: bytes, size: int, connection: sqlite3.Connection) -> bool:
        if connection.execute("select 1 from entries where size = ? and blob = ? limit 1", (size, blob)).fetchone():
            return False
        self._blobs.remove(blob)
        return True

    def stats(self) -> list[TagStats]:
        """Count entries, bytes, hits and the seconds they saved, for each tag."""
        self._uses.flush(patience=5.0)
        return [
            TagStats(from_column(tag), count, size, hits, saved, used / 1e9)
            for tag, count, size, hits, saved, used in self._index.rows(STATS)
        ]

    def size(self) -> int:
        """Return the bytes of all values; values that share a file count once."""
        found = self._index.row(SIZE, ())
        return int(found[0]) if found else 0


def _condition(chosen: Selection) -> tuple[str, tuple[Any, ...]]:
    """Return the selection as a condition of SQL and its values."""
    import json

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
    for term, seconds in (("id", chosen.older_than), (USED, chosen.unused_for)):
        if seconds is not None:
            terms.append(f"{term} < ?")
            values.append(int((now - seconds) * 1e9))
    return " and ".join(terms), tuple(values)


def _entry(row: tuple[Any, ...], blobs: Blobs) -> Entry:
    tag, obj, transform, codec, size, created, used, seconds, hits, made_from, blob = row
    key = (from_column(obj), from_column(tag), from_column(transform))
    file = None if blob is None else os.path.relpath(blobs.path(blob), os.path.dirname(blobs.folder))
    return Entry(key, codec, size, created / 1e9, used / 1e9, seconds, hits, _manifest(made_from), file)


def _manifest(text: str | None) -> dict[str, Any]:
    import json

    try:
        found = json.loads(text) if text else {}
    except ValueError:
        return {}  # a flipped byte here harms no result
    return found if isinstance(found, dict) else {}
