"""What a codec is, and what is assumed of one that does not say."""

from __future__ import annotations

from typing import Any, Protocol, runtime_checkable

from ...given import made, wrong
from ...typing import Bytes
from ..steady import note

__all__ = ["Bytes", "Codec", "checks_itself", "codec_given", "parts_of", "runs_code"]


@runtime_checkable
class Codec(Protocol):
    """Turn values into bytes and back.

    ``codec.loads(codec.dumps(value)) == value``

    ``name`` is kept with each entry and must never change its meaning. A codec may also have
    ``parts(value) -> list`` (the pieces of ``dumps``, which spares a copy), ``runs_code`` (False when loading untrusted
    bytes cannot run code; True is assumed) and ``checks_itself`` (True when ``loads`` notices that bytes are not those
    it wrote; False is assumed).

    >>> from flowly_ckpt.targets import pickled
    >>> isinstance(pickled, Codec)
    True

    See also: :func:`flowly_ckpt.targets.register_codec`.
    """

    @property
    def name(self) -> str:
        """The name under which entries are filed."""

    def dumps(self, value: Any) -> bytes:
        """Encode a value."""

    def loads(self, data: Bytes) -> Any:
        """Decode what ``dumps`` made."""


def codec_given(codec: Codec, name: str = "codec") -> Codec:
    """Return what a user gave as codec.

    :raises TypeError: for anything else; shows what to write instead.

    >>> codec_given("zip")
    Traceback (most recent call last):
    TypeError: codec must be a codec of flowly_ckpt.targets, such as pickled, compressed() or tree, got 'zip'
    """
    calls = (getattr(codec, name, None) for name in ("dumps", "loads"))
    if isinstance(getattr(codec, "name", None), str) and all(map(callable, calls)):
        return codec
    wanted = "a codec of flowly_ckpt.targets, such as pickled, compressed() or tree"
    raise wrong(name, wanted, made(name, codec, wanted))


def parts_of(codec: Codec, value: Any) -> list[Bytes]:
    """Encode a value in pieces where the codec can, else in one.

    >>> from flowly_ckpt.targets import gzipped
    >>> b"".join(parts_of(gzipped, 1)) == gzipped.dumps(1)
    True
    """
    parts = getattr(codec, "parts", None)
    try:
        found = [codec.dumps(value)] if parts is None else list(parts(value))
    except RecursionError as error:
        raise error if error.__cause__ else too_deep(value) from error
    if len(found) > 1:
        note(found)
    return found


def too_deep(value: Any) -> RecursionError:
    """Return an error that tells how deep a value is, and the way to where it is deepest.

    >>> str(too_deep([1, {"a": 2}]))
    "list nests 3 levels deep at [1] → ['a'], more than can be encoded"
    """
    from ...hashing.way import deepest

    depth, way = deepest(value)
    where = f" at {way}" if way else ""
    return RecursionError(f"{type(value).__qualname__} nests {depth} levels deep{where}, more than can be encoded")


def runs_code(codec: Codec) -> bool:
    """Return whether loading untrusted bytes with a codec may run code.

    >>> from flowly_ckpt.targets import pickled, tree
    >>> runs_code(pickled), runs_code(tree)
    (True, False)
    """
    return bool(getattr(codec, "runs_code", True))


def checks_itself(codec: Codec) -> bool:
    """Return whether a codec notices by itself that bytes are not those it wrote.

    >>> from flowly_ckpt.targets import gzipped, pickled
    >>> checks_itself(pickled), checks_itself(gzipped)
    (False, True)
    """
    return bool(getattr(codec, "checks_itself", False))
