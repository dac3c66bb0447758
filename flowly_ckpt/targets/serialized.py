"""Any mapping from strings to bytes as a target: shelve, zict, fsspec, lmdb, redis."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Iterator, MutableMapping

from .. import given
from ..typing import Bytes, Key
from .claims import digest_of_key
from .codecs import Codec, codec_given, pickled
from .damage import DamagedError
from .facts import key_given
from .key_names import key_of_name, name_of_key
from .protocol import checked
from .provenance import read_line
from .recorded import Found, Record, Recorded, bytes_of

__all__ = ["Serialized"]

LOOKS = 20  # entries read to find the latest
_LONGEST = 200


class Serialized(Recorded):
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

    def __init__(
        self,
        mapping: MutableMapping[str, bytes],
        codec: Codec = pickled,
        name_of: Callable[[Key], str] = name_of_key,
        key_of: Callable[[str], Key | None] = key_of_name,
    ) -> None:
        self.mapping = checked(mapping, "mapping")
        self.codec = codec_given(codec)
        self.name_of = given.function("name_of", name_of, "a key")
        self.key_of = given.function("key_of", key_of, "a string")

    def __repr__(self) -> str:
        return f"Serialized({type(self.mapping).__name__})"

    @property
    def place(self) -> Hashable:
        return id(self.mapping)

    def name(self, key: Key) -> str:
        """Return the string of a key; one that is too long for some stores goes by its digest."""
        name = self.name_of(key_given(key))
        return name if len(name) <= _LONGEST else f"+{digest_of_key(key).hex()}"

    def find(self, keys: Iterable[Key]) -> Iterator[Found]:
        for key in keys:
            try:
                yield parted(key, bytes_of(self.mapping[self.name(key)]))
            except KeyError:
                continue

    def keep(self, records: Iterable[Record]) -> None:
        for record in records:
            self.mapping[self.name(record.key)] = record.joined()

    def __delitem__(self, key: Key) -> None:
        try:
            del self.mapping[self.name(key)]
        except KeyError:
            raise KeyError(key) from None

    def has(self, key: Key) -> bool:
        return self.name(key) in self.mapping

    def __iter__(self) -> Iterator[Key]:
        for name in list(self.mapping):
            key = self._long(name) if name[:1] == "+" else self.key_of(name)
            if key is not None:
                yield key

    def _long(self, name: str) -> Key | None:
        try:
            key = read_line(bytes_of(self.mapping[name]))[0].key
        except (DamagedError, KeyError):
            return None
        return key if self.name(key) == name else None


def parted(key: Key, data: Bytes) -> Found:
    """Return an entry whose line stands before its value as what was found.

    >>> parted(("a", "fit", "f"), b"something else").line
    b'something else'
    """
    view = memoryview(data)
    try:
        _, end = read_line(view)
    except DamagedError:
        return Found(key, data, b"")
    return Found(key, view[:end], view[end:])
