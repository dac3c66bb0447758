"""Rows of the index: how one is sealed, so that damage and swaps are noticed, and what is told of it."""

from __future__ import annotations

from typing import Any, NamedTuple

import xxhash

from ..typing import Key

__all__ = ["Entry", "column", "columns", "from_column", "made_from_text", "seal_of"]


class Entry(NamedTuple):
    """Tell what a store knows of an entry beside its value; times are seconds since the epoch.

    ``saved`` is what its hits have spared so far, in seconds.

    >>> Entry(("a", "t", "f"), "pickled", 10, 0.0, 0.0, 2.0, 3, {}, None).saved
    6.0
    """

    key: Key
    codec: str
    size: int
    created: float
    used: float
    seconds: float
    hits: int
    made_from: dict[str, Any]
    file: str | None

    @property
    def saved(self) -> float:
        """Return the seconds that hits have spared."""
        return self.seconds * self.hits


def seal_of(key: Key, codec: str, row: int, payload: Any) -> bytes:
    """Return the digest that binds a payload to its key, codec and row, which tells the time of its making.

    >>> seal_of(("a", "b", "c"), "pickled", 1, b"x") == seal_of(("a", "b", "d"), "pickled", 1, b"x")
    False
    """
    head = f"{key[0]}\0{key[1]}\0{key[2]}\0{codec}\0{row}\0"
    try:
        return xxhash.xxh3_128_digest(head.encode() + payload)
    except UnicodeEncodeError:
        return xxhash.xxh3_128_digest(head.encode("utf-8", "surrogatepass") + payload)


def columns(key: Key) -> tuple[Any, Any, Any]:
    """Return tag, object and transform as SQLite takes them; text it cannot encode goes as bytes.

    >>> columns(("o", "t", "f"))
    ('t', 'o', 'f')
    """
    if not isinstance(key, tuple):
        raise TypeError(f"a key is a tuple of three strings, not {key!r}")
    obj, tag, transform = key
    return (column(tag), column(obj), column(transform))


def column(text: str) -> Any:
    """Return one string of a key as SQLite takes it.

    >>> column("t")
    't'
    """
    try:
        text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-8", "surrogatepass")
    except AttributeError:
        raise TypeError(f"a key is three strings, not {text!r}") from None
    return text


def from_column(text: Any) -> str:
    """Return a string of a key as it was before :func:`columns`.

    >>> from_column(columns(("o", "\\udc80", "f"))[0])
    '\\udc80'
    """
    return text if type(text) is str else bytes(text).decode("utf-8", "surrogatepass")


def made_from_text(made_from: dict[str, Any]) -> str | None:
    """Return the manifest as JSON; what JSON cannot hold goes as its ``repr``.

    >>> made_from_text({"input": "0a1b"})
    '{"input": "0a1b"}'
    """
    if not made_from:
        return None
    import json

    return json.dumps(made_from, default=repr)
