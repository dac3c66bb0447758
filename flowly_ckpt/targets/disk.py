"""The embedded default: an SQLite index with small values inline, large ones in files beside it."""

from __future__ import annotations

import os
import sqlite3
import time
import weakref
from collections.abc import Iterator, MutableMapping
from contextlib import AbstractContextManager, suppress
from functools import partial
from itertools import chain
from typing import Any

import xxhash

from ..errors import StoreError
from ..typing import Facts, Key
from .blobs import Blobs, digest_of, size_of
from .buffers import Bytes
from .claims import Claims
from .codecs import Codec, codec_named, parts_of, pickled, runs_code
from .damage import DamagedError, warn_once
from .eviction import Eviction
from .index import Index
from .opening import check_folder, index_files
from .rows import columns, from_column, made_from_text, seal_of
from .upkeep import Upkeep
from .uses import Uses

__all__ = ["DiskTarget"]

FIND = """select id, codec, digest, size, blob, data from entries
    where tag = ? and object = ? and transform = ?"""
ADD = """insert into entries (id, tag, object, transform, codec, size, digest, seconds, made_from, blob, data)
    values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"""
PAGE = """select object, tag, transform{} from entries
    where (tag, object, transform) {} (?, ?, ?) order by tag, object, transform limit 5000"""


class DiskTarget(Upkeep, Eviction, MutableMapping[Key, Any]):
    """Keep results in a folder: fast, whole or not at all, shared by any number of threads and processes.

    ``DiskTarget(path)[key] = value`` and then ``DiskTarget(path)[key] == value`` in every later process

    :param path: the folder; made, for its owner only, when the first entry is stored.
    :param codec: turns values into bytes; entries of other codecs stay readable, except that a codec which runs no
        code never lets one that does.
    :param verify: ``True`` checks each value against its digest; ``"lazy"`` leaves large ones to :meth:`verify`.
    :param max_bytes: evict what saves the least time per byte when the values exceed this.
    :param max_age: seconds; older entries count as absent, and :meth:`gc` deletes them.
    :param inline_bytes: values of at most this encoded size lie in the index, larger ones in files.
    :param durable: wait at each store until the disk has it, so that it survives a loss of power.
    :param claim_timeout: seconds to wait for a living process that computes the same key.
    :raises StoreError: when the path is something else, of another format, or on a network file system.

    >>> import tempfile
    >>> folder = tempfile.TemporaryDirectory()
    >>> target = DiskTarget(folder.name)
    >>> target["object", "tag", "transform"] = [1, 2]
    >>> DiskTarget(folder.name)["object", "tag", "transform"]
    [1, 2]
    >>> target.close(); folder.cleanup()

    See also: :class:`flowly_ckpt.targets.FileTarget`, :class:`flowly_ckpt.targets.RemoteTarget`.
    """

    isolates = True

    def __init__(
        self,
        path: str | os.PathLike[str],
        *,
        codec: Codec = pickled,
        verify: bool | str = True,
        max_bytes: int | None = None,
        max_age: float | None = None,
        inline_bytes: int = 32_768,
        durable: bool = False,
        claim_timeout: float = 3600.0,
    ) -> None:
        if verify not in (True, "lazy"):
            raise ValueError(f"verify is True or 'lazy', not {verify!r}")
        self.path = os.path.abspath(os.path.expanduser(path))
        self.options = {"codec": codec, "verify": verify, "max_bytes": max_bytes, "max_age": max_age,
                        "inline_bytes": inline_bytes, "durable": durable, "claim_timeout": claim_timeout}  # fmt: skip
        self.codec = codec
        self.max_bytes = max_bytes
        self.max_age = max_age
        self.inline_bytes = inline_bytes
        self.verifies_large = verify is True
        check_folder(self.path)
        self._index = Index(self.path, partial(warn_once, self.path, None, stacklevel=8))
        self._blobs = Blobs(os.path.join(self.path, "blobs"), durable)
        self._claims = Claims(os.path.join(self.path, "claims"), claim_timeout)
        self._uses = Uses(self._index)
        weakref.finalize(self, self._uses.close)  # when nobody refers to the target any more, or at exit

    def __repr__(self) -> str:
        return f"DiskTarget({self.path!r})"

    def __reduce__(self) -> tuple[Any, ...]:
        return (_again, (self.path, self.options))

    def __eq__(self, other: object) -> bool:
        # By place: comparing contents, as mappings do, would read all of both.
        return isinstance(other, DiskTarget) and (self.path, self.codec) == (other.path, other.codec)

    def __hash__(self) -> int:
        return hash(self.path)

    def __getitem__(self, key: Key) -> Any:
        row, codec, data = self._find(key)
        try:
            decoder = self.codec if codec == self.codec.name else self._decoder(codec)
            value = decoder.loads(data)
        except Exception as error:  # unpickling may raise anything
            # Its bytes are whole, so it stays: another process may have the module or the codec that is missing here.
            warn_once(self.path, key, error, of=row)
            raise KeyError(key) from error
        self._uses.note(row)
        return value

    def _decoder(self, name: str) -> Codec:
        codec = codec_named(name)
        if runs_code(codec) and not runs_code(self.codec):
            raise DamagedError(f"it is encoded by {name!r}, which could run code; this store reads {self.codec.name!r}")
        return codec

    def _find(self, key: Key) -> tuple[int, str, Any]:
        """Return row, codec and bytes of an entry, verified; condemn what is damaged."""
        found = self._look(key)
        while found is not None and self._is_young(found[0]):
            row, codec, digest, size, blob, data = found
            try:
                if seal_of(key, codec, row, data if blob is None else blob) != digest:
                    raise DamagedError("the row does not match its digest")
                if blob is not None:
                    data = self._blobs.load(blob, size, self.verifies_large)
            except (DamagedError, OSError, TypeError, ValueError) as error:
                again = self._look(key)
                if again == found:
                    self._condemn(key, row, error, blob, size)
                    break
                found = again  # it was cleared or replaced while we looked
            else:
                return row, codec, data
        raise KeyError(key)

    def _look(self, key: Key) -> tuple[Any, ...] | None:
        try:
            try:
                return self._index.row(FIND, (key[1], key[0], key[2]))
            except UnicodeEncodeError:
                return self._index.row(FIND, columns(key))
        except StoreError as error:
            with suppress(StoreError, KeyError):
                del self[key]
            warn_once(self.path, key, error, stacklevel=6)
            return None

    def _condemn(self, key: Key, row: int, what: object, blob: bytes | None = None, size: int = 0) -> None:
        """Warn that an entry is damaged, and take it away with its file, so that it can be stored anew."""

        def take_away(connection: sqlite3.Connection) -> None:
            if isinstance(blob, bytes) and len(blob) == 16 and not self._is_whole(blob, size):
                connection.execute("delete from entries where blob = ? and size = ?", (blob, size))
                self._blobs.remove(blob)
            connection.execute("delete from entries where id = ?", (row,))

        with suppress(StoreError, OSError):  # of a folder that is only for reading
            self._index.transact(take_away)
        warn_once(self.path, key, what, stacklevel=6, of=row)

    def _is_whole(self, blob: bytes, size: int) -> bool:
        """Tell whether a file has been healed by someone else since it was found damaged."""
        try:
            return xxhash.xxh3_128_digest(self._blobs.load(blob, size)) == blob
        except (DamagedError, OSError):
            return False

    def read_bytes(self, key: Key) -> Any:
        """Return the stored bytes of an entry, undecoded but checked for damage.

        :raises KeyError: when there are none, or they are damaged.
        """
        row, _, data = self._find(key)
        self._uses.note(row)
        return data

    def __setitem__(self, key: Key, value: Any) -> None:
        self.put(key, value, Facts(0.0))

    def put(self, key: Key, value: Any, facts: Facts) -> None:
        """Store a value with the seconds it took and what its key was made from.

        :raises StoreError: when it cannot be written; nothing is changed then.
        """
        self.write_bytes(key, parts_of(self.codec, value), facts)

    def write_bytes(self, key: Key, parts: list[Bytes], facts: Facts | None = None, codec: str = "") -> None:
        """Store encoded bytes, given in pieces; ``codec`` names what made them, if it was not the target's own."""
        size = len(parts[0]) if len(parts) == 1 and type(parts[0]) is bytes else size_of(parts)
        if self.max_bytes is not None and size > self.max_bytes:
            raise StoreError(f"{self.path}: a value of {size} bytes is larger than the whole store may be")
        if size > self.inline_bytes:
            self._replace(key, parts, self._blob(parts, size), size, facts, codec)
        else:
            data = bytes(parts[0]) if len(parts) == 1 else b"".join(parts)
            try:
                self._index.change(ADD, self._row(key, size, None, data, facts, codec))
            except sqlite3.IntegrityError:  # the key is there already
                self._replace(key, [data], None, size, facts, codec)
        if self.max_bytes is not None:
            self._keep_within(self.max_bytes, key, size)

    def _row(
        self, key: Key, size: int, blob: bytes | None, data: bytes | None, facts: Facts | None, codec: str
    ) -> tuple[Any, ...]:
        row, codec = time.time_ns(), codec or self.codec.name
        digest = seal_of(key, codec, row, data if blob is None else blob)
        seconds, made_from = facts or Facts(0.0)
        return (row, *columns(key), codec, size, digest, seconds, made_from_text(made_from), blob, data)

    def _replace(
        self, key: Key, parts: list[Bytes], blob: bytes | None, size: int, facts: Facts | None, codec: str
    ) -> None:
        def replace(connection: sqlite3.Connection) -> Any:
            # Files are only removed in transactions: what is there now stays until this one ends.
            if blob is not None and not self._blobs.has(blob, size):
                self._blobs.add(parts)
            old = connection.execute(FIND, columns(key)).fetchone()
            if old is not None:
                connection.execute("delete from entries where id = ?", old[:1])
            connection.execute(
                ADD, self._row(key, size, blob, None if blob is not None else bytes(parts[0]), facts, codec)
            )
            return old

        old = self._index.transact(replace)
        if old is not None and old[4] not in (None, blob):
            self._drop_files([(old[4], old[3])])

    def _is_young(self, row: int) -> bool:
        # A date in the future shows a clock that was set back: such an entry lives no longer than others.
        return self.max_age is None or abs(time.time() - row / 1e9) <= self.max_age

    def _blob(self, parts: list[Bytes], size: int) -> bytes:
        """Return the digest of the file that holds the bytes; write it, unless an equal one is there."""
        if self._index.row("select 1 from entries where size = ? and blob is not null limit 1", (size,)):
            digest = digest_of(parts)
            if self._blobs.has(digest, size):
                return digest
        return self._blobs.add(parts)

    def __delitem__(self, key: Key) -> None:
        def delete(connection: sqlite3.Connection) -> Any:
            found = connection.execute(FIND, columns(key)).fetchone()
            if found is not None:
                connection.execute("delete from entries where id = ?", found[:1])
            return found

        found = self._index.transact(delete) if index_files(self.path) else None
        if found is None:
            raise KeyError(key)
        if found[4] is not None:
            self._drop_files([(found[4], found[3])])

    def __contains__(self, key: object) -> bool:
        if not (isinstance(key, tuple) and len(key) == 3):
            return False
        found = self._look(key)
        return found is not None and self._is_young(found[0])

    def __iter__(self) -> Iterator[Key]:
        times = "" if self.max_age is None else ", id"
        relation, last = ">=", ("", "", "")
        while True:
            found = self._listed(PAGE.format(times, relation), last)
            keys = [row[:3] for row in found if self._is_young(row[3])] if times else found
            if bytes in set(map(type, chain.from_iterable(keys))):  # text that SQLite could not encode
                keys = [tuple(map(from_column, key)) for key in keys]
            yield from keys
            if len(found) < 5000:
                return
            obj, tag, transform = found[-1][:3]
            relation, last = ">", (tag, obj, transform)

    def __len__(self) -> int:
        if self.max_age is not None:
            return sum(1 for _ in self)
        found = self._index.row("select count(*) from entries", ())
        return int(found[0]) if found else 0

    def clear(self) -> None:
        """Delete all entries."""
        self.clear_where()

    def claim(self, key: Key) -> AbstractContextManager[None]:
        """Hold the claim to compute a key among processes; wait while another holds it."""
        return self._claims.claim(key)

    def close(self) -> None:
        """Write what is noted of uses and close the connections; the next access opens them again."""
        self._uses.close()


def _again(path: str, options: dict[str, Any]) -> DiskTarget:
    return DiskTarget(path, **options)
