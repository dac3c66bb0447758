"""The embedded default: an SQLite index with small values inline, large ones in files beside it."""

from __future__ import annotations

import os
import weakref
from collections.abc import Hashable, Iterable, Iterator, Sequence
from contextlib import suppress
from functools import partial
from itertools import starmap
from typing import Any

from ... import given
from ...errors import StoreError
from ...typing import Age, Facts, Key
from ..claims import Claim
from ..codecs import Bytes, Codec, codec_given, codec_named, parts_of, pickled, runs_code
from ..damage import DamagedError, warn_once
from ..facts import Collected, Entry, Selection, TagStats, is_key, key_given
from ..file_claims import Claims
from ..filesystem import PRIVATE, SHARED, size_of
from ..protocol import BaseTarget, Progress
from .blobs import Blobs
from .entries import Entries, Row
from .evicted import forget_evicted, was_evicted
from .eviction import Bound
from .folder import CLAIMS, check_folder
from .hit_counts import HitCounts
from .index import Index
from .recovery import next_generation
from .upkeep import collect, verify
from .values import Values

__all__ = ["DiskTarget"]


class DiskTarget(BaseTarget):
    """Keep results in a folder: fast, whole or not at all, shared by any number of threads and processes.

    ``DiskTarget(path)[key] = value`` and then ``DiskTarget(path)[key] == value`` in every later process

    :param path: the folder; made, for its owner only, when the first entry is stored.
    :param codec: turns values into bytes; entries of other codecs stay readable, except that a codec which runs no
        code never lets one that does.
    :param verify: ``True`` checks each value against its digest; ``"lazy"`` leaves large ones to :meth:`verify`.
    :param max_bytes: evict what saves the least time per byte when the values exceed this; also text such as ``10GB``.
    :param max_age: seconds, a timedelta, or text such as ``30d``; older entries count as absent, and :meth:`gc`
        deletes them.
    :param inline_bytes: values of at most this encoded size are kept in the index, larger ones in files.
    :param durable: wait at each store until the disk has it, so that it survives a loss of power.
    :param claim_timeout: seconds to wait for a living process that computes the same key.
    :param shared: let others read and write what is made here, as far as the umask does.
    :param mapped: map large values; ``False`` reads them, so that a file which others change or cut does no harm.
    :raises TypeError, ValueError: for a wrong option, and for an address such as ``s3://…``.
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
    keeps_bytes = True
    keeps_times = True
    codec: Codec

    def __init__(
        self,
        path: str | os.PathLike[str],
        *,
        codec: Codec = pickled,
        verify: bool | str = True,
        max_bytes: int | str | None = None,
        max_age: Age | None = None,
        inline_bytes: int | str = 32_768,
        durable: bool = False,
        claim_timeout: Age = 3600.0,
        shared: bool = False,
        mapped: bool = True,
    ) -> None:
        if verify not in (True, "lazy"):
            raise ValueError(f"verify must be True or 'lazy', got {verify!r}")
        self.path = given.folder("path", path)
        max_bytes = given.optional(given.size, "max_bytes", max_bytes)
        max_age = given.optional(given.seconds, "max_age", max_age)
        inline_bytes = given.size("inline_bytes", inline_bytes)
        claim_timeout = given.seconds("claim_timeout", claim_timeout)
        durable, shared, mapped = starmap(given.switch, (("durable", durable), ("shared", shared), ("mapped", mapped)))
        self.options = {"codec": codec_given(codec), "verify": verify, "max_bytes": max_bytes, "max_age": max_age,
                        "inline_bytes": inline_bytes, "durable": durable, "claim_timeout": claim_timeout,
                        "shared": shared, "mapped": mapped}  # fmt: skip
        mode = SHARED if shared else PRIVATE
        self.codec = codec
        check_folder(self.path)
        self._entries = Entries(Index(self.path, partial(next_generation, self.path, mode=mode), durable, mode))
        self._values = Values(
            self._entries, Blobs(self.path, durable, mode, mapped), inline_bytes, max_age, verify is True
        )
        self._claims = Claims(os.path.join(self.path, CLAIMS), claim_timeout, mode)
        self._counts = HitCounts(self._entries.index)
        self._bound = None if max_bytes is None else Bound(self._entries, max_bytes)
        weakref.finalize(self, _close, self._counts)  # when nobody refers to the target any more, or at exit

    def __repr__(self) -> str:
        return f"DiskTarget({self.path!r})"

    def __reduce__(self) -> tuple[Any, ...]:
        return (_again, (self.path, self.options))

    def __eq__(self, other: object) -> bool:
        # By place: comparing contents, as mappings do, would read all of both.
        return isinstance(other, DiskTarget) and (self.path, self.codec) == (other.path, other.codec)

    def __hash__(self) -> int:
        return hash(self.path)

    @property
    def place(self) -> Hashable:
        return (DiskTarget, self.path)

    def __getitem__(self, key: Key) -> Any:
        row, data = self._values.find(key)
        return self._decoded(key, row, data)

    def get_many(self, keys: Iterable[Key]) -> dict[Key, Any]:
        found = {}
        for key, row in self._entries.find_many(keys).items():
            with suppress(KeyError):
                found[key] = self._decoded(key, *self._values.find(key, row))
        return found

    def _decoded(self, key: Key, row: Row, data: Any) -> Any:
        try:
            value = (self.codec if row.codec == self.codec.name else self._decoder(row.codec)).loads(data)
        except Exception as error:  # unpickling may raise anything
            # Its bytes are whole, so it stays: another process may have the module or the codec that is missing here.
            warn_once(self.path, key, error, of=row.id)
            raise KeyError(key) from error
        self._counts.note(row.id)
        return value

    def _decoder(self, name: str) -> Codec:
        codec = codec_named(name)
        if runs_code(codec) and not runs_code(self.codec):
            raise DamagedError(f"it is encoded by {name!r}, which could run code; this store reads {self.codec.name!r}")
        return codec

    def read_bytes(self, key: Key) -> Any:
        row, data = self._values.find(key)
        self._counts.note(row.id)
        return data

    def __setitem__(self, key: Key, value: Any) -> None:
        self.put(key, value, Facts(0.0))

    def put(self, key: Key, value: Any, facts: Facts) -> None:
        self.write_bytes(key, parts_of(self.codec, value), facts)

    def put_many(self, items: Iterable[tuple[Key, Any, Facts]]) -> None:
        if self._bound is not None:
            super().put_many(items)
        else:
            name = self.codec.name
            self._values.store_many((key, name, parts_of(self.codec, value), facts) for key, value, facts in items)

    def write_bytes(self, key: Key, parts: Sequence[Bytes], facts: Facts | None = None, codec: str = "") -> None:
        pieces = list(parts)
        size = size_of(pieces)
        if self._bound is not None and size > self._bound.max_bytes:
            raise StoreError(f"{self.path}: a value of {size} bytes is larger than max_bytes")
        self._values.store(key, codec or self.codec.name, pieces, size, facts or Facts(0.0))
        if self._bound is not None and (wanted := self._bound.excess(key, size)):
            self._counts.flush()
            self._values.drop_files(self._bound.evict(wanted, key)[1])

    def __delitem__(self, key: Key) -> None:
        key_given(key)
        if self._values.max_age is not None and key not in self:
            raise KeyError(key)
        self._values.remove(key)
        forget_evicted(self.path)

    def clear(self) -> None:
        """Delete all entries."""
        self.clear_where()

    def __contains__(self, key: object) -> bool:
        if not is_key(key):
            return False
        row = self._values.look(key)
        return row is not None and self._values.is_young(row.created)

    def __iter__(self) -> Iterator[Key]:
        found = self._values.listed(self._entries.keys, partial(self.verify, repair=True))
        return (key for key, created in found if self._values.is_young(created))

    def _any_keys(self) -> Iterator[Key]:
        found = self._entries.keys(page=16)
        return (key for key, created in found if self._values.is_young(created))

    def __len__(self) -> int:
        return self._entries.count() if self._values.max_age is None else sum(1 for _ in self)

    def claim(self, key: Key) -> Claim:
        return self._claims.claim(key)

    def entry(self, key: Key) -> Entry | None:
        obj, tag, transform = key_given(key)
        return next(self.entries(object=obj, tag=tag, transform=transform), None)

    def entries(self, **selection: Any) -> Iterator[Entry]:
        chosen = Selection.of(**selection)
        self._counts.flush(patience=5.0)
        return self._values.listed(partial(self._entries.select, chosen), partial(self.verify, repair=True))

    def latest(self, **selection: Any) -> Entry | None:
        chosen = Selection.of(**selection)
        return next(self._values.listed(partial(self._entries.latest, chosen), partial(self.verify, repair=True)), None)

    def fate(self, key: Key) -> str:
        row = self._values.look(key)
        if row is not None:
            return "" if self._values.is_young(row.created) else "expired"
        return "evicted" if was_evicted(self.path, key) else ""

    def clear_where(self, *, dry_run: bool = False, **selection: Any) -> int:
        chosen = Selection.of(**selection)
        self._counts.flush(patience=5.0)
        if dry_run:
            return self._entries.count(chosen)
        count, files = self._values.deleted(partial(self._entries.clear, chosen), chosen)
        forget_evicted(self.path)
        self._values.drop_files(files)
        return count

    def stats(self) -> list[TagStats]:
        self._counts.flush(patience=5.0)
        return self._entries.stats()

    def size(self) -> int:
        """Return the bytes of all values; values that share a file count once."""
        return self._entries.size()

    def verify(self, *, repair: bool = False, progress: Progress | None = None) -> list[str]:
        return verify(self._values, repair=repair, progress=progress)

    def gc(self, *, older_than: Age = 600.0, max_bytes: int | str | None = None) -> Collected:
        older_than = given.seconds("older_than", older_than)
        expired = self.clear_where(older_than=self._values.max_age) if self._values.max_age is not None else 0
        evicted = self._shrink(max_bytes)
        return collect(self._values, older_than)._replace(expired=expired, evicted=evicted)

    def _shrink(self, max_bytes: int | str | None) -> int:
        if max_bytes is None:
            return 0
        wanted = self.size() - given.size("max_bytes", max_bytes)
        if wanted <= 0:
            return 0
        self._counts.flush(patience=5.0)
        count, files = Bound(self._entries, 0).evict(wanted)
        self._values.drop_files(files)
        return count

    def close(self) -> None:
        _close(self._counts)


def _close(counts: HitCounts) -> None:
    counts.flush(patience=1.0)
    counts.index.close()


def _again(path: str, options: dict[str, Any]) -> DiskTarget:
    return DiskTarget(path, **options)
