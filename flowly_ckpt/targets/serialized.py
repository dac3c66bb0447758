"""Any mapping from strings to bytes as a target: shelve, zict, fsspec, lmdb, redis."""

from __future__ import annotations

import json
import struct
import time
from collections.abc import Callable, Iterator, MutableMapping
from contextlib import suppress
from typing import Any, NamedTuple

import xxhash

from ..typing import Facts, Key
from .claims import digest_of_key
from .codecs import Bytes, Codec, codec_named, parts_of, pickled, runs_code
from .damage import DamagedError, warn_once
from .names import key_of_name, name_of_key

__all__ = ["Envelope", "Serialized", "open_envelope", "seal_envelope"]

# An envelope: MAGIC, the XXH3-128 of all that follows, the length of the head, the head as JSON, the encoded value.
MAGIC = b"flowly-1"
HEAD = struct.Struct("<8s16sI")
_LONGEST = 200


class Envelope(NamedTuple):
    """Hold encoded bytes with what is known of them.

    >>> open_envelope(seal_envelope(Envelope(("a", "b", "c"), "pickled", 0.0, 2.0, {}, b"data"))).payload.tobytes()
    b'data'
    """

    key: Key
    codec: str
    created: float
    seconds: float
    made_from: dict[str, Any]
    payload: memoryview | bytes


def seal_envelope(envelope: Envelope) -> bytes:
    """Return an envelope as bytes, led by their digest.

    >>> seal_envelope(Envelope(("a", "b", "c"), "pickled", 0.0, 2.0, {}, b"data"))[:8]
    b'flowly-1'

    See also: :func:`open_envelope`.
    """
    *facts, payload = envelope
    head = json.dumps(facts, default=repr).encode()
    body = b"".join((head, payload))
    length = struct.pack("<I", len(head))
    return MAGIC + xxhash.xxh3_128_digest(length + body) + length + body


def open_envelope(data: Bytes) -> Envelope:
    """Return the envelope that these bytes are.

    :raises DamagedError: when they are none, or not what was sealed.

    >>> open_envelope(seal_envelope(Envelope(("a", "b", "c"), "pickled", 0.0, 2.0, {}, b"data"))).key
    ('a', 'b', 'c')
    """
    view = memoryview(data)
    if len(view) < HEAD.size or view[:8] != MAGIC:
        raise DamagedError(f"{len(view)} bytes are no entry of this library")
    _, digest, length = HEAD.unpack_from(view)
    if xxhash.xxh3_128_digest(view[24:]) != digest:
        raise DamagedError("the entry does not match its digest")
    key, codec, created, seconds, made_from = json.loads(bytes(view[HEAD.size : HEAD.size + length]))
    return Envelope(tuple(key), codec, created, seconds, made_from, view[HEAD.size + length :])


class Serialized(MutableMapping[Key, Any]):
    """Make a target of a mapping from strings to bytes; a damaged entry counts as absent, with a warning.

    :param mapping: where the bytes are kept; strangers' entries in it are left alone.
    :param codec: turns values into bytes.
    :param name_of, key_of: turn a key into a string that is safe everywhere, and back, None for a stranger's.

    >>> target = Serialized({})
    >>> target["object", "tag", "transform"] = [1, 2]
    >>> target["object", "tag", "transform"], list(target.mapping)
    ([1, 2], ['tag.object.transform'])

    See also: :class:`flowly_ckpt.targets.RemoteTarget`.
    """

    isolates = True

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

    def name(self, key: Key) -> str:
        """Return the string of a key; one that is too long for some stores goes by its digest."""
        name = self.name_of(key)
        return name if len(name) <= _LONGEST else f"+{digest_of_key(key).hex()}"

    def __getitem__(self, key: Key) -> Any:
        envelope = self._open(key)
        try:
            codec = self.codec if envelope.codec == self.codec.name else codec_named(envelope.codec)
            if runs_code(codec) and not runs_code(self.codec):
                raise DamagedError(f"it is encoded by {codec.name!r}, which could run code")
            return codec.loads(envelope.payload)
        except Exception as error:  # unpickling may raise anything
            warn_once(repr(self), key, error, of=envelope.created)
            raise KeyError(key) from error

    def _open(self, key: Key) -> Envelope:
        data = self.mapping[self.name(key)]
        try:
            envelope = open_envelope(data)
            if envelope.key != key:
                raise DamagedError(f"it is the entry of {envelope.key}")
        except (DamagedError, ValueError, TypeError) as error:
            warn_once(repr(self), key, error, stacklevel=5, of=xxhash.xxh3_64_intdigest(data))
            raise KeyError(key) from error
        return envelope

    def read_bytes(self, key: Key) -> Bytes:
        """Return the stored bytes of an entry, undecoded but checked for damage.

        :raises KeyError: when there are none, or they are damaged.
        """
        return self._open(key).payload

    def __setitem__(self, key: Key, value: Any) -> None:
        self.put(key, value, Facts(0.0))

    def put(self, key: Key, value: Any, facts: Facts) -> None:
        """Store a value with the seconds it took and what its key was made from."""
        self.write_bytes(key, parts_of(self.codec, value), facts)

    def write_bytes(self, key: Key, parts: list[Bytes], facts: Facts | None = None, codec: str = "") -> None:
        """Store encoded bytes, given in pieces."""
        seconds, made_from = facts or Facts(0.0)
        envelope = Envelope(key, codec or self.codec.name, time.time(), seconds, made_from, b"".join(parts))
        self.mapping[self.name(key)] = seal_envelope(envelope)

    def __delitem__(self, key: Key) -> None:
        try:
            del self.mapping[self.name(key)]
        except KeyError:
            raise KeyError(key) from None

    def clear(self) -> None:
        """Delete all entries, without reading them; strangers' stay."""
        for key in list(self):
            with suppress(KeyError):
                del self[key]

    def __contains__(self, key: object) -> bool:
        return isinstance(key, tuple) and len(key) == 3 and self.name(key) in self.mapping

    def __iter__(self) -> Iterator[Key]:
        for name in list(self.mapping):
            key = self._long(name) if name[:1] == "+" else self.key_of(name)
            if key is not None:
                yield key

    def _long(self, name: str) -> Key | None:
        try:
            key = open_envelope(self.mapping[name]).key
        except (DamagedError, ValueError, TypeError, KeyError):
            return None
        return key if self.name(key) == name else None

    def __len__(self) -> int:
        return sum(1 for _ in self)
