"""A target in a database that people already run: PostgreSQL, or SQLite where there is none."""

from __future__ import annotations

import os
import uuid
import weakref
from collections.abc import Hashable, Iterable, Iterator, Sequence
from contextlib import suppress
from typing import Any

from ... import given
from ...typing import Age, Key, Target
from ..claims import Claim
from ..codecs import Codec, codec_given, pickled
from ..damage import DamagedError
from ..facts import Collected, Entry, Selection, TagStats
from ..file_claims import Claims
from ..protocol import BaseTarget, as_target, checked
from ..provenance import read_line
from ..recorded import Found, Record, Recorded, bytes_of
from .claims import Session
from .database import Database
from .rows import Row, Rows, batched

__all__ = ["SqlTarget"]


class SqlTarget(Recorded):
    """Keep results in a table of a database; machines that share it compute a missing one once.

    Each row has the value's bytes and a line on how they were made, by which they are checked. On PostgreSQL a claim is
    an advisory lock, which ends with its holder's connection; on SQLite it is a lock on a file beside the database's.

    :param url: as SQLAlchemy writes them: ``postgresql+psycopg://user@host/database``, ``sqlite:///results.db``.
    :param codec: turns values into bytes.
    :param table: the name of the table; made when it is first needed, with ``<table>_about`` beside it.
    :param large: a target that keeps bytes, for values of more than ``inline_bytes``.
    :param inline_bytes: values of at most this encoded size lie in the table; without ``large``, all do.
    :param claim_timeout: seconds to wait for a living process that computes the same key.
    :param options: what ``sqlalchemy.create_engine`` takes, such as ``pool_size``.
    :raises ModuleNotFoundError: where SQLAlchemy or the driver is not installed.
    :raises ValueError: for what is not an address, or that of another kind of database.
    :raises StoreError: for a database that cannot be used, when it is; no password is shown.

    >>> import tempfile
    >>> folder = tempfile.TemporaryDirectory()
    >>> target = SqlTarget(f"sqlite:///{folder.name}/results.db")
    >>> target["object", "tag", "transform"] = [1, 2]
    >>> target["object", "tag", "transform"], target.stats()[0].entries
    ([1, 2], 1)
    >>> target.close(); folder.cleanup()

    See also: :class:`flowly_ckpt.targets.RemoteTarget`, :class:`flowly_ckpt.targets.DiskTarget`.
    """

    def __init__(
        self,
        url: str,
        codec: Codec = pickled,
        *,
        table: str = "flowly_entries",
        large: Target | None = None,
        inline_bytes: int = 1 << 20,
        claim_timeout: float = 3600.0,
        **options: Any,
    ) -> None:
        if large is not None and not as_target(checked(large)).keeps_bytes:
            raise TypeError(f"large must be a target that keeps bytes, such as RemoteTarget, got {large!r}")
        self.codec = codec_given(codec)
        self.large = large
        self.inline_bytes = inline_bytes
        self._database = Database(url, options)
        self._rows = Rows(self._database, table)
        self._session = Session(self._database, table, claim_timeout)
        weakref.finalize(self, _close, self._session, self._database)
        self._made_by: tuple[Any, ...] = (self._database.url, codec, table, large, inline_bytes, claim_timeout, options)

    def __repr__(self) -> str:
        return f"SqlTarget({str(self._database)!r})"

    def __reduce__(self) -> tuple[Any, ...]:
        return (_again, self._made_by)

    @property
    def is_far(self) -> bool:  # type: ignore[override]
        return bool(self._database.kind != "sqlite")

    @property
    def place(self) -> Hashable:
        return (SqlTarget, self._database.url, self._rows.table.name)

    def find(self, keys: Iterable[Key]) -> Iterator[Found]:
        return self._found(self._rows.find(keys), {})

    def _found(self, rows: Iterable[Row], seen: dict[Key, str]) -> Iterator[Found]:
        again: dict[Key, str] = {}
        for key, line, data, beside in rows:
            payload = bytes_of(data)
            if beside is not None:
                try:
                    payload = self._full.read_bytes(self._beside(beside))
                except KeyError:
                    if seen.get(key) != beside:
                        again[key] = beside  # perhaps replaced, or cleared, while we looked
                        continue
            yield Found(key, line, payload)
        if again:
            yield from self._found(self._rows.find(again), again)

    @property
    def _full(self) -> BaseTarget:
        """The target for large values, with every ability; without one, nothing is found in it."""
        return as_target({} if self.large is None else self.large)

    def _beside(self, name: str) -> Key:
        return (self._rows.store(), self._rows.table.name, name)

    def keep(self, records: Sequence[Record]) -> None:
        placed = [(record, self._put_beside(record)) for record in records]
        try:
            old = self._rows.put(placed, self.large is not None)
        except BaseException:
            self._drop([name for _, name in placed if name is not None])
            raise
        self._drop(old)

    def _put_beside(self, record: Record) -> str | None:
        if self.large is None or record.made.size <= self.inline_bytes:
            return None
        # A name that nobody else has: what others store or remove meanwhile is never in the way.
        name = uuid.uuid4().hex
        made = record.made
        self._full.write_bytes(self._beside(name), record.pieces, None, made.codec)
        return name

    def _drop(self, names: Iterable[str]) -> None:
        for name in names:
            with suppress(KeyError, OSError):  # what stays is collected
                del self._full[self._beside(name)]

    def has(self, key: Key) -> bool:
        return self._rows.has(key)

    def __delitem__(self, key: Key) -> None:
        found = self._rows.remove(key)
        if found is None:
            raise KeyError(key)
        self._drop(name for name in found if name is not None)

    def __iter__(self) -> Iterator[Key]:
        return self._rows.keys()

    def __len__(self) -> int:
        return self._rows.count()

    def clear(self) -> None:
        """Delete all entries."""
        self.clear_where()

    def clear_where(self, *, dry_run: bool = False, **selection: Any) -> int:
        chosen = Selection.of(**selection)
        if dry_run:
            return self._rows.count(chosen)
        count, names = self._rows.clear(chosen)
        self._drop(names)
        return count

    def entry(self, key: Key) -> Entry | None:
        return next(self.entries(object=key[0], tag=key[1], transform=key[2]), None)

    def entries(self, **selection: Any) -> Iterator[Entry]:
        for line in self._rows.lines(Selection.of(**selection)):
            with suppress(DamagedError):  # `verify` tells
                yield read_line(line)[0].entry()

    def stats(self) -> list[TagStats]:
        return self._rows.stats()

    def claim(self, key: Key) -> Claim:
        if self._database.kind == "postgresql":
            return self._session.claim(key)
        folder = f"{os.path.splitext(self._database.file())[0]}.claims"
        return Claims(os.path.join(folder, f"{self._rows.table.name}.lock"), self._session.timeout).claim(key)

    def gc(self, *, older_than: Age = 600.0, max_bytes: int | str | None = None) -> Collected:
        """Remove values beside that no row names any more, and that were stored more than so many seconds ago."""
        evicted = self._shrink(max_bytes)
        older_than = given.seconds("older_than", older_than)
        count = size = 0
        found = self._full.entries(object=self._rows.store(), tag=self._rows.table.name, older_than=older_than or None)
        for some in batched(found, 1000):
            named = self._rows.named([entry.key[2] for entry in some])
            for entry in some:
                if entry.key[2] not in named and self._full._removed(entry.key):
                    count, size = count + 1, size + entry.size
        left = self._full.gc(older_than=older_than)
        return Collected(0, count + left.files, size + left.bytes, evicted)

    def close(self) -> None:
        _close(self._session, self._database)


def _close(session: Session, database: Database) -> None:
    session.close()
    database.close()


def _again(url: str, codec: Codec, table: str, large: Target | None, inline: int, timeout: float, options: Any) -> Any:
    return SqlTarget(url, codec, table=table, large=large, inline_bytes=inline, claim_timeout=timeout, **options)
