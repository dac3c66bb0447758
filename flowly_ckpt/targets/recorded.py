"""Entries as bytes that come with a line on how they were made, wherever they are kept: checked, then decoded."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from typing import Any, NamedTuple

import xxhash

from ..typing import Bytes, Facts, Key
from ..wording import plain
from .codecs import Codec, codec_named, parts_of, runs_code
from .damage import DamagedError, warn_once
from .facts import Entry, is_key, key_given
from .filesystem import digest_of, size_of
from .protocol import BaseTarget, Progress
from .provenance import Provenance, provenance_of, read_line, write_line

__all__ = ["Found", "Record", "Recorded", "bytes_of"]

AT_ONCE = 256  # entries that are stored together
_MUCH = 1 << 26  # bytes that wait to be stored together, at most one value more


def bytes_of(found: Any) -> Bytes:
    """Return what a store holds as bytes; what cannot be an entry's, as somebody else may put there, as none.

    >>> bytes_of(b"data"), bytes_of("a line"), bytes_of(None)
    (b'data', b'a line', b'')
    """
    if isinstance(found, str):
        return found.encode("utf-8", "surrogatepass")
    try:
        memoryview(found)
    except TypeError:
        return b""
    data: Bytes = found
    return data


class Record(NamedTuple):
    """An entry to be stored: how it was made, and the pieces of its encoded value.

    >>> made = provenance_of(("a", "fit", "f"), "pickled", [b"data"], 4, 0.0, Facts(2.0))
    >>> Record(made, [b"da", b"ta"]).joined().endswith(b"data")
    True
    """

    made: Provenance
    pieces: list[Bytes]

    @property
    def key(self) -> Key:
        """The key it is stored under."""
        return self.made.key

    def line(self) -> bytes:
        """Return the line that says how it was made."""
        return write_line(self.made)

    def joined(self) -> bytes:
        """Return the line, and after it the value."""
        return b"".join([self.line(), *self.pieces])


class Found(NamedTuple):
    """What a store holds under a key, unchecked: the line on how it was made, and the encoded value.

    >>> Found(("a", "fit", "f"), b"a line", b"data").checked()
    Traceback (most recent call last):
        ...
    flowly_ckpt.targets.damage.DamagedError: the first of its 6 bytes do not say how it was made
    """

    key: Key
    line: Bytes
    payload: Bytes

    def made(self) -> Provenance:
        """Return how it was made.

        :raises DamagedError: where the line is not what was stored, or another entry's.
        """
        made, _ = read_line(self.line)
        if made.key != self.key:
            raise DamagedError(f"it is the entry of {made.key}")
        return made

    def checked(self) -> Provenance:
        """Return how it was made, with the value compared to its digest.

        :raises DamagedError: where line or value are not what was stored under the key.
        """
        made = self.made()
        if len(self.payload) != made.size or digest_of([self.payload]).hex() != made.digest:
            raise DamagedError("the entry does not match its digest")
        return made


class Recorded(BaseTarget):
    """Base of stores that keep bytes with a line on how they were made; a damaged entry counts as absent.

    A subclass defines :meth:`find`, :meth:`keep`, :meth:`has`, ``__delitem__`` and ``__iter__``.

    >>> class Rows(Recorded):
    ...     def __init__(self, codec): self.rows, self.codec = {}, codec
    ...     def find(self, keys): return (Found(key, *self.rows[key]) for key in keys if key in self.rows)
    ...     def keep(self, records): self.rows.update((one.key, (one.line(), b"".join(one.pieces))) for one in records)
    ...     def has(self, key): return key in self.rows
    ...     def __delitem__(self, key): del self.rows[key]
    ...     def __iter__(self): return iter(self.rows)
    >>> from flowly_ckpt.targets import check_target, pickled
    >>> check_target(lambda: Rows(pickled))

    See also: :class:`flowly_ckpt.targets.Serialized`, :class:`flowly_ckpt.targets.SqlTarget`.
    """

    isolates = True
    keeps_bytes = True
    keeps_times = True
    is_far = True
    codec: Codec

    def find(self, keys: Iterable[Key]) -> Iterable[Found]:
        """Yield what is there of the keys, in any order, unchecked."""
        raise NotImplementedError

    def keep(self, records: Sequence[Record]) -> None:
        """Store entries, of those with one key the last."""
        raise NotImplementedError

    def has(self, key: Key) -> bool:
        """Return whether anything is there under a key."""
        raise NotImplementedError

    def __getitem__(self, key: Key) -> Any:
        return self.get_many([key_given(key)])[key]

    def get_many(self, keys: Iterable[Key]) -> dict[Key, Any]:
        values = {}
        for found in self.find(keys):
            try:
                values[found.key] = self._decoded(found, found.checked())
            except Exception as error:  # noqa: BLE001  unpickling may raise anything
                self._warn(found, error)
        return values

    def _decoded(self, found: Found, made: Provenance) -> Any:
        codec = self.codec if made.codec == self.codec.name else codec_named(made.codec)
        if runs_code(codec) and not runs_code(self.codec):
            raise DamagedError(f"it is encoded by {codec.name!r}, which could run code")
        return codec.loads(found.payload)

    def _warn(self, found: Found, error: Exception) -> None:
        state = xxhash.xxh3_64_intdigest(bytes(found.line)), xxhash.xxh3_64_intdigest(found.payload)
        warn_once(repr(self), found.key, error, of=state)

    def read_bytes(self, key: Key) -> Bytes:
        for found in self.find([key]):
            try:
                found.checked()
            except DamagedError as error:
                self._warn(found, error)
                raise KeyError(key) from error
            return found.payload
        raise KeyError(key)

    def __setitem__(self, key: Key, value: Any) -> None:
        self.put(key, value, Facts(0.0))

    def put(self, key: Key, value: Any, facts: Facts) -> None:
        self.write_bytes(key, parts_of(self.codec, value), facts)

    def write_bytes(self, key: Key, parts: Sequence[Bytes], facts: Facts | None = None, codec: str = "") -> None:
        self.keep([_record(key, codec or self.codec.name, parts, facts or Facts(0.0))])

    def put_many(self, items: Iterable[tuple[Key, Any, Facts]]) -> None:
        name = self.codec.name
        records = (_record(key, name, parts_of(self.codec, value), facts) for key, value, facts in items)
        while batch := _some(records):
            self.keep(batch)

    def __contains__(self, key: object) -> bool:
        return is_key(key) and self.has(key)

    def __len__(self) -> int:
        return sum(1 for _ in self)

    def entry(self, key: Key) -> Entry | None:
        for found in self.find([key]):
            try:
                return found.checked().entry()
            except DamagedError as error:
                self._warn(found, error)
        return None

    def verify(self, *, repair: bool = False, progress: Progress | None = None) -> list[str]:
        lines, done = [], 0
        keys = list(self)
        while some := keys[done : done + AT_ONCE]:
            for found in self.find(some):
                try:
                    found.checked()
                except DamagedError as error:
                    lines.append(plain(f"{' '.join(found.key)}: {error}"))
                    if repair:
                        self._removed(found.key)
            done += len(some)
            if progress is not None:
                progress(done, len(keys))
        return lines


def _record(key: Key, codec: str, parts: Sequence[Bytes], facts: Facts) -> Record:
    pieces = list(parts)
    return Record(provenance_of(key_given(key), codec, pieces, size_of(pieces), time.time(), facts), pieces)


def _some(records: Iterator[Record]) -> list[Record]:
    """Return the next records: so many, or so few that they are not too much together."""
    batch: dict[Key, Record] = {}
    size = 0
    for record in islice(records, AT_ONCE):
        batch[record.key] = record
        size += record.made.size
        if size >= _MUCH:
            break
    return list(batch.values())
