"""Codecs: pairs ``dumps``/``loads`` between values and bytes, by name."""

from __future__ import annotations

from ...given import text
from .compression import compressed
from .pickles import gzipped, pickled, plain_pickle
from .protocol import Bytes, Codec, checks_itself, codec_given, parts_of, runs_code

__all__ = [
    "Bytes", "Codec", "checks_itself", "codec_given", "codec_named", "compressed", "gzipped", "parts_of", "pickled",
    "plain_pickle", "register_codec", "runs_code",
]  # fmt: skip

_codecs: dict[str, Codec] = {codec.name: codec for codec in (pickled, plain_pickle, gzipped)}


def register_codec(codec: Codec) -> Codec:
    """Let stores find a codec by its name.

    :raises ValueError: when another codec has that name.

    >>> register_codec(pickled) is pickled
    True

    See also: :func:`codec_named`.
    """
    codec_given(codec)
    if _codecs.setdefault(codec.name, codec) != codec:
        raise ValueError(f"codec {codec.name!r} is already {_codecs[codec.name]!r}; give yours another name")
    return codec


def codec_named(name: str) -> Codec:
    """Return the codec of a name that a store has written down.

    :raises LookupError: when no codec of that name is registered.

    >>> codec_named("pickled") is pickled
    True

    See also: :func:`register_codec`.
    """
    if text("name", name) in _codecs:
        return _codecs[name]
    if name.startswith("compressed+") and not name.startswith("compressed+compressed+"):  # each unpacks to far more
        return compressed(inner=codec_named(name.partition("+")[2]))
    if name == "tree":
        from .tree import tree

        return tree
    raise LookupError(f"no codec {name!r} is registered; register_codec adds one (known: {', '.join(sorted(_codecs))})")
