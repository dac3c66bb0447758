"""Codecs: pairs ``dumps``/``loads`` between values and bytes, by name."""

from __future__ import annotations

import pickle
from typing import Any, NamedTuple, Protocol, runtime_checkable

import xxhash

from .buffers import Bytes, dump_parts, load_frame, pickle_value
from .damage import DamagedError

__all__ = [
    "Bytes",
    "Codec",
    "checks_itself",
    "codec_named",
    "gzipped",
    "parts_of",
    "pickled",
    "plain_pickle",
    "register_codec",
    "runs_code",
]


@runtime_checkable
class Codec(Protocol):
    """Turn values into bytes and back: ``codec.loads(codec.dumps(value)) == value``.

    ``name`` is kept with each entry and must never change its meaning. A codec may also offer
    ``parts(value) -> list`` (the pieces of ``dumps``, spared a copy) and ``runs_code`` (False when loading
    untrusted bytes cannot run code; True is assumed).

    >>> isinstance(pickled, Codec)
    True

    See also: :func:`register_codec`, :data:`pickled`, :func:`flowly_ckpt.targets.compressed`.
    """

    @property
    def name(self) -> str:
        """The name under which entries are filed."""

    def dumps(self, value: Any) -> bytes:
        """Encode a value."""

    def loads(self, data: Bytes) -> Any:
        """Decode what ``dumps`` made."""


class Pickled(NamedTuple):
    """Pickle protocol 5 with large buffers out of band; cloudpickle only where plain pickle cannot.

    >>> pickled.loads(pickled.dumps({"a": (1, 2)}))
    {'a': (1, 2)}
    """

    name: str = "pickled"
    runs_code: bool = True

    def parts(self, value: Any) -> list[Bytes]:
        """Encode without copying large buffers."""
        return dump_parts(value)

    def dumps(self, value: Any) -> bytes:
        """Encode a value."""
        return b"".join(dump_parts(value))

    def loads(self, data: Bytes) -> Any:
        """Decode; arrays are writable and lie in ``data`` where it is writable itself."""
        return load_frame(data)


class PlainPickle(NamedTuple):
    """One pickle that ``pickle.load(open(path, "rb"))`` reads, then a digest of it, which pickle does not look at.

    Bytes without the digest (a pickle made by someone else) are taken as they are, if nothing follows the pickle.

    >>> pickle.loads(plain_pickle.dumps([1, 2]))
    [1, 2]
    """

    name: str = "plain-pickle"
    runs_code: bool = True
    checks_itself: bool = True

    def parts(self, value: Any) -> list[Bytes]:
        """Encode as the pickle and its trailer."""
        stream = pickle_value(value)
        return [stream, TRAILER + xxhash.xxh3_128_digest(stream)]

    def dumps(self, value: Any) -> bytes:
        """Encode a value."""
        return b"".join(self.parts(value))

    def loads(self, data: Bytes) -> Any:
        """Decode after checking the digest, where there is one."""
        view = memoryview(data)
        cut = len(view) - len(TRAILER) - 16
        if cut >= 0 and view[cut : cut + len(TRAILER)] == TRAILER:
            if xxhash.xxh3_128_digest(view[:cut]) != view[-16:]:
                raise DamagedError("the pickle does not match its digest")
            return pickle.loads(view[:cut])
        return _load_whole(view)


TRAILER = b"\nflowly-ckpt xxh3-128 "


def _load_whole(view: memoryview) -> Any:
    import io

    stream = io.BytesIO(view)
    value = pickle.load(stream)
    if stream.tell() != len(view):
        raise DamagedError(f"{len(view) - stream.tell()} bytes follow the pickle")
    return value


class Gzipped(NamedTuple):
    """A plain gzip of a plain pickle: ``pickle.load(gzip.open(path))`` reads it; gzip's own checksum guards it.

    >>> import gzip
    >>> pickle.loads(gzip.decompress(gzipped.dumps("x")))
    'x'
    """

    name: str = "gzipped"
    runs_code: bool = True
    checks_itself: bool = True

    def dumps(self, value: Any) -> bytes:
        """Encode a value; equal pickles give equal bytes (no time of day within)."""
        import gzip

        return gzip.compress(pickle_value(value), 6, mtime=0)

    def loads(self, data: Bytes) -> Any:
        """Decode a value."""
        import gzip

        return _load_whole(memoryview(gzip.decompress(data)))


pickled: Codec = Pickled()
plain_pickle: Codec = PlainPickle()
gzipped: Codec = Gzipped()
_codecs: dict[str, Codec] = {codec.name: codec for codec in (pickled, plain_pickle, gzipped)}


def register_codec(codec: Codec) -> Codec:
    """Let stores find a codec of one's own by its name; a second one of the same name must equal the first.

    :raises ValueError: when the name is taken by another codec.

    >>> register_codec(pickled) is pickled
    True

    See also: :func:`codec_named`.
    """
    if _codecs.setdefault(codec.name, codec) != codec:
        raise ValueError(f"codec {codec.name!r} is already {_codecs[codec.name]!r}; give yours another name")
    return codec


def codec_named(name: str) -> Codec:
    """Return the codec that a store knows by this name.

    :raises LookupError: when nothing of that name is registered.

    >>> codec_named("pickled") is pickled
    True
    """
    if name in _codecs:
        return _codecs[name]
    if name.startswith("compressed+"):
        from .compression import compressed

        return compressed(inner=codec_named(name.partition("+")[2]))
    if name == "tree":
        from .trees import tree

        return tree
    raise LookupError(f"no codec {name!r}; register_codec makes it known (known: {', '.join(sorted(_codecs))})")


def parts_of(codec: Codec, value: Any) -> list[Bytes]:
    """Encode a value in pieces where the codec can, else in one.

    >>> b"".join(parts_of(gzipped, 1)) == gzipped.dumps(1)
    True
    """
    parts = getattr(codec, "parts", None)
    return [codec.dumps(value)] if parts is None else list(parts(value))


def checks_itself(codec: Codec) -> bool:
    """Return whether a codec notices by itself that bytes are not those it wrote; one that does not say does not.

    >>> checks_itself(pickled), checks_itself(gzipped)
    (False, True)
    """
    return bool(getattr(codec, "checks_itself", False))


def runs_code(codec: Codec) -> bool:
    """Tell whether loading untrusted bytes with this codec may run code; assumed of a codec that does not say.

    >>> runs_code(pickled)
    True
    """
    return bool(getattr(codec, "runs_code", True))
