"""The types that signatures speak of."""

from __future__ import annotations

from collections.abc import Callable, MutableMapping
from datetime import timedelta
from typing import Any, Literal, NamedTuple, get_args

__all__ = ["Age", "Bytes", "Engine", "Facts", "Key", "Rewrite", "Role", "Target", "Transform"]

#: Any function of one argument: a step, or a whole pipeline.
Transform = Callable[[Any], Any]
#: A pass: from a pipeline to a pipeline that computes the same.
Rewrite = Callable[[Transform], Transform]
#: What a type of transforms means to every interpreter at once.
Role = Literal["leaf", "combinator", "sequential", "transparent", "mark"]
ROLES: tuple[str, ...] = get_args(Role)
#: What runs a rewritten pipeline on an object, or only examines it.
Engine = Callable[[Transform, Any], Any]
#: The hash of the input, the tag, the hash of the code.
Key = tuple[str, str, str]
#: Where results are kept.
Target = MutableMapping[Key, Any]
#: An age or a length of time: seconds, a text such as "30d", or a timedelta.
Age = float | str | timedelta
#: What codecs make, and what they read.
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
