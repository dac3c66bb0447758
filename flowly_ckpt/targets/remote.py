"""A target on any file system that fsspec knows: S3, GCS, HTTP stores, memory, plain folders."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Iterator, Sequence
from typing import Any

from .. import given
from ..typing import Age, Bytes, Key
from .claims import Claim
from .codecs import Codec, codec_given, pickled
from .damage import DamagedError
from .facts import Collected, Entry, Selection, key_given, names_of
from .key_names import cut, key_of_path, path_of_key, quoted
from .leases import Leases
from .objects import Objects
from .provenance import read_line
from .recorded import Found, Record, Recorded
from .serialized import parted

__all__ = ["RemoteTarget"]

_HEAD = 4096  # bytes, in which the line on how an entry was made ends as a rule


class RemoteTarget(Recorded):
    """Keep each entry as an object below an address; damage is noticed, whole objects replace each other.

    Many entries are asked for, stored, listed and removed at the same time. Where a store is busy or the connection is
    lost, it is tried again, with growing pauses. Machines may share it; with ``lease`` one computes, else all do that
    miss a result at the same time. Passwords and tokens are shown in no text.

    :param url: such as ``s3://bucket/results``, ``memory://results`` or ``file:///net/results``.
    :param codec: turns values into bytes.
    :param patience: seconds in which it is tried again.
    :param lease: let one machine compute a missing result while the others wait, by an object that is written only if
        it is not there (on S3, ``If-None-Match``). Its holder renews it; after so many seconds without, it is free.
    :param claim_timeout: seconds to wait for a living holder.
    :param storage_options: what fsspec's file system takes, such as credentials.
    :raises ModuleNotFoundError: where fsspec, or what it needs for the address, is not installed.
    :raises ValueError: for an address of a kind that is not known.
    :raises StoreError: for a store that cannot be reached, when it is used.

    >>> target = RemoteTarget("memory://results")
    >>> target["object", "tag", "transform"] = [1, 2]
    >>> target["object", "tag", "transform"], len(target), target.clear()
    ([1, 2], 1, None)

    See also: :class:`flowly_ckpt.targets.Layered`, to keep what is read near.
    """

    def __init__(
        self,
        url: str,
        codec: Codec = pickled,
        *,
        patience: float = 30.0,
        lease: float | None = None,
        claim_timeout: float = 3600.0,
        **storage_options: Any,
    ) -> None:
        if "://" not in given.text("url", url):
            raise ValueError(
                f"url must be an address such as 's3://bucket/results', got {url!r}; write DiskTarget({url!r})"
            )
        if lease is not None and not lease > 0:
            raise ValueError(f"lease must be a number of seconds above 0, got {lease!r}")
        self.url = url
        self.codec = codec_given(codec)
        self._objects = Objects(url, storage_options, patience)
        self._leases = None if lease is None else Leases(self._objects, lease, claim_timeout)
        self._made_by = (url, codec, patience, lease, claim_timeout, storage_options)

    def __repr__(self) -> str:
        return f"RemoteTarget({str(self._objects)!r})"

    def __reduce__(self) -> tuple[Any, ...]:
        return (_again, self._made_by)

    @property
    def is_far(self) -> bool:  # type: ignore[override]
        return not self._objects.is_local

    @property
    def place(self) -> Hashable:
        return (RemoteTarget, self.url)

    def name(self, key: Key) -> str:
        """Return the path of a key below the address."""
        return path_of_key(key_given(key))

    def find(self, keys: Iterable[Key]) -> Iterator[Found]:
        wanted = {self.name(key): key for key in keys}
        return (parted(wanted[name], data) for name, data in self._objects.read(wanted))

    def keep(self, records: Sequence[Record]) -> None:
        self._objects.write({self.name(record.key): record.joined() for record in records})

    def has(self, key: Key) -> bool:
        return self._objects.has(self.name(key))

    def __delitem__(self, key: Key) -> None:
        if key not in self:
            raise KeyError(key)
        self._objects.remove([self.name(key)])

    def __iter__(self) -> Iterator[Key]:
        return self._keys(Selection())

    def _keys(self, chosen: Selection) -> Iterator[Key]:
        tags = names_of(chosen.tag)
        # One folder for each tag: of others nothing is listed.
        folders = [""] if tags is None else [cut(quoted(tag)) for tag in sorted(tags)]
        for folder in folders:
            for name in self._objects.names(folder):
                key = key_of_path(name)
                if key is not None and chosen.matches(key):
                    yield key

    def entry(self, key: Key) -> Entry | None:
        return next(self._entries([key]), None)

    def entries(self, **selection: Any) -> Iterator[Entry]:
        chosen = Selection.of(**selection)
        return filter(chosen.is_due, self._entries(self._keys(chosen)))

    def _entries(self, keys: Iterable[Key]) -> Iterator[Entry]:
        """Yield what is known of entries, by the beginnings of their objects."""
        wanted = {self.name(key): key for key in keys}
        longer = []
        for name, head in self._objects.read(wanted, _HEAD):
            entry = _entry(wanted[name], head)
            if entry is not None:
                yield entry
            elif len(head) == _HEAD:
                longer.append(name)
        for name, data in self._objects.read(longer):
            entry = _entry(wanted[name], data)
            if entry is not None:
                yield entry

    def clear(self) -> None:
        """Delete all entries, without reading them."""
        self.clear_where()

    def clear_where(self, *, dry_run: bool = False, **selection: Any) -> int:
        chosen = Selection.of(**selection)
        keys = [one.key for one in self.entries(**selection)] if chosen.is_timed else list(self._keys(chosen))
        if not dry_run:
            self._objects.remove([self.name(key) for key in keys])
        return len(keys)

    def gc(self, *, older_than: Age = 600.0, max_bytes: int | str | None = None) -> Collected:
        """Remove what killed writers, and killed holders of claims, left more than so many seconds ago."""
        evicted, age = self._shrink(max_bytes), given.seconds("older_than", older_than)
        sizes = list(self._objects.collect(age))
        sizes += [size for _, size in self._leases.collect(age)] if self._leases is not None else []
        return Collected(0, len(sizes), sum(sizes), evicted)

    def claim(self, key: Key) -> Claim:
        return super().claim(key) if self._leases is None else self._leases.claim(key)


def _entry(key: Key, data: Bytes) -> Entry | None:
    try:
        made, _ = read_line(data)
    except DamagedError:
        return None
    return made.entry() if made.key == key else None


def _again(url: str, codec: Codec, patience: float, lease: float | None, timeout: float, options: Any) -> RemoteTarget:
    return RemoteTarget(url, codec, patience=patience, lease=lease, claim_timeout=timeout, **options)
