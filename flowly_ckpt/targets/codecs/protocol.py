"""What a codec is, and what is assumed of one that does not say."""

from __future__ import annotations

from typing import Any, Protocol, runtime_checkable

from ...typing import Bytes
from .steady import note

__all__ = ["Bytes", "Codec", "checks_itself", "parts_of", "runs_code"]


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


def parts_of(codec: Codec, value: Any) -> list[Bytes]:
    """Encode a value in pieces where the codec can, else in one.

    >>> from flowly_ckpt.targets import gzipped
    >>> b"".join(parts_of(gzipped, 1)) == gzipped.dumps(1)
    True
    """
    parts = getattr(codec, "parts", None)
    if parts is None:
        return [codec.dumps(value)]
    found = list(parts(value))
    if len(found) > 1:
        note(found)
    return found


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
