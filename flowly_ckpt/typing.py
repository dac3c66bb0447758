"""The types that signatures speak of."""

from __future__ import annotations

from collections.abc import Callable, MutableMapping
from datetime import timedelta
from typing import Any, NamedTuple

__all__ = ["Age", "Bytes", "Engine", "Facts", "Key", "Rewrite", "Target", "Transform"]

Transform = Callable[[Any], Any]
Rewrite = Callable[[Transform], Transform]
Engine = Callable[[Transform, Any], Any]
Key = tuple[str, str, str]
Target = MutableMapping[Key, Any]
Age = float | str | timedelta  # in seconds, or as text such as "30d"
Bytes = bytes | bytearray | memoryview


class Facts(NamedTuple):
    """Facts that are stored with the value of an entry.

    :param seconds: how long the value took to compute, in seconds.
    :param made_from: the digests its key was made from, by name; what explains a later miss.

    >>> Facts(0.5).made_from
    {}
    """

    seconds: float
    made_from: dict[str, Any] = {}  # noqa: RUF012
