"""Any mapping from strings to bytes as a target: shelve, zict, fsspec, lmdb, redis."""

from __future__ import annotations

import time
from collections.abc import Callable, Hashable, Iterator, MutableMapping, Sequence
from itertools import islice
from typing import Any

import xxhash

from ..typing import Facts, Key
from .claims import digest_of_key
from .codecs import Bytes, Codec, codec_named, parts_of, pickled, runs_code
from .damage import DamagedError, plain, warn_once
from .facts import Entry, is_key
from .filesystem import digest_of, size_of
from .key_names import key_of_name, name_of_key
from .protocol import BaseTarget, Progress
from .provenance import Provenance, provenance_of, read_line, write_line

__all__ = ["Serialized"]

LOOKS = 20  # entries read to find the latest
_LONGEST = 200


class Serialized(BaseTarget):
    """Make a target of a mapping from strings to bytes; a damaged entry counts as absent, with a warning.

    Each entry's bytes begin with a line that says how it was made.

    :param mapping: where the bytes are kept; entries of other origin in it are left alone.
    :param codec: turns values into bytes.
    :param name_of, key_of: turn a key into a string that is safe everywhere, and back; None for one of other origin.

    >>> target = Serialized({})
    >>> target["object", "tag", "transform"] = [1, 2]
    >>> target["object", "tag", "transform"], list(target.mapping)
    ([1, 2], ['tag.object.transform'])

    See also: :class:`flowly_ckpt.targets.RemoteTarget`.
    """

    isolates = True
    keeps_bytes = True
    keeps_times = True
    codec: Codec

    def __init__(
        self,
        mapping: MutableMapping[str, bytes],
        codec: Codec = pickled,
        name_of: Callable[[Key], str] = name_of_key,
        key_of: Callable[[str], Key | None] = key_of_name,
    ) -> None:
        self.mapping = mapping
        self.codec = codec
        self.name_of = name_of
        self.key_of = key_of

    def __repr__(self) -> str:
        return f"Serialized({type(self.mapping).__name__})"

    @property
    def place(self) -> Hashable:
        return id(self.mapping)

    def name(self, key: Key) -> str:
        """Return the string of a key; one that is too long for some stores goes by its digest."""
        name = self.name_of(key)
        return name if len(name) <= _LONGEST else f"+{digest_of_key(key).hex()}"

    def __getitem__(self, key: Key) -> Any:
        made, data = self._open(key)
        try:
            codec = self.codec if made.codec == self.codec.name else codec_named(made.codec)
            if runs_code(codec) and not runs_code(self.codec):
                raise DamagedError(f"it is encoded by {codec.name!r}, which could run code")
            return codec.loads(data)
        except Exception as error:  # unpickling may raise anything
            warn_once(repr(self), key, error, of=made.created)
            raise KeyError(key) from error

    def _open(self, key: Key) -> tuple[Provenance, memoryview]:
        data = self.mapping[self.name(key)]
        try:
            made, payload = _parted(data)
            if made.key != key:
                raise DamagedError(f"it is the entry of {made.key}")
        except DamagedError as error:
            warn_once(repr(self), key, error, stacklevel=5, of=xxhash.xxh3_64_intdigest(data))
            raise KeyError(key) from error
        return made, payload

    def read_bytes(self, key: Key) -> Bytes:
        return self._open(key)[1]

    def __setitem__(self, key: Key, value: Any) -> None:
        self.put(key, value, Facts(0.0))

    def put(self, key: Key, value: Any, facts: Facts) -> None:
        self.write_bytes(key, parts_of(self.codec, value), facts)

    def write_bytes(self, key: Key, parts: Sequence[Bytes], facts: Facts | None = None, codec: str = "") -> None:
        pieces = list(parts)
        made = provenance_of(key, codec or self.codec.name, pieces, size_of(pieces), time.time(), facts or Facts(0.0))
        self.mapping[self.name(key)] = b"".join([write_line(made), *pieces])

    def __delitem__(self, key: Key) -> None:
        try:
            del self.mapping[self.name(key)]
        except KeyError:
            raise KeyError(key) from None

    def __contains__(self, key: object) -> bool:
        return is_key(key) and self.name(key) in self.mapping

    def __iter__(self) -> Iterator[Key]:
        for name in list(self.mapping):
            key = self._long(name) if name[:1] == "+" else self.key_of(name)
            if key is not None:
                yield key

    def _long(self, name: str) -> Key | None:
        try:
            key = read_line(self.mapping[name])[0].key
        except (DamagedError, KeyError):
            return None
        return key if self.name(key) == name else None

    def __len__(self) -> int:
        return sum(1 for _ in self)

    def entry(self, key: Key) -> Entry | None:
        try:
            return self._open(key)[0].entry()
        except KeyError:
            return None

    def latest(self, **selection: Any) -> Entry | None:
        # Each look reads a whole entry, from another machine perhaps.
        return max(islice(self.entries(**selection), LOOKS), key=lambda entry: entry.created, default=None)

    def verify(self, *, repair: bool = False, progress: Progress | None = None) -> list[str]:
        lines = []
        keys = list(self)
        for number, key in enumerate(keys, 1):
            try:
                _parted(self.mapping[self.name(key)])
            except DamagedError as error:
                lines.append(plain(f"{' '.join(key)}: {error}"))
                if repair:
                    self._removed(key)
            except KeyError:
                continue  # cleared meanwhile
            if progress is not None:
                progress(number, len(keys))
        return lines


def _parted(data: Bytes) -> tuple[Provenance, memoryview]:
    """Return how an entry was made, and its encoded value.

    :raises DamagedError: when the bytes are not what was stored.
    """
    made, end = read_line(data)
    payload = memoryview(data)[end:]
    if len(payload) != made.size or digest_of([payload]).hex() != made.digest:
        raise DamagedError("the entry does not match its digest")
    return made, payload
