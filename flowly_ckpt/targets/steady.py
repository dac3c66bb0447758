"""Notice that another thread changes a value while it is being stored, as its large buffers are read in place."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from contextvars import ContextVar
from typing import Any

import xxhash

from ..typing import Bytes

__all__ = ["Noted", "check_steady", "is_steady", "note", "noted"]

Noted = list[tuple[memoryview, bytes]]
noted: ContextVar[Noted | None] = ContextVar("buffers of the value that is being stored, each with its digest")


def note(parts: Sequence[Bytes]) -> None:
    """Take down the buffers among the pieces of an encoded value that a thread could change, if one is asked to.

    >>> token = noted.set([])
    >>> note([b"head", memoryview(b"tail")]), noted.get()
    (None, [])
    >>> noted.reset(token)
    """
    found = noted.get(None)
    if found is not None and threading.active_count() > 1:
        views: list[Any] = [part for part in parts if type(part) is memoryview and not part.readonly]
        found += [(view, xxhash.xxh3_128_digest(view)) for view in views]


def is_steady(found: Noted) -> bool:
    """Return whether all buffers are as they were when they were noted.

    >>> is_steady([(memoryview(b"a"), xxhash.xxh3_128_digest(b"b"))])
    False
    """
    return all(xxhash.xxh3_128_digest(view) == digest for view, digest in found)


def check_steady(found: Noted) -> None:
    """Raise unless all buffers are as they were when they were noted.

    :raises RuntimeError: says what to do.

    >>> check_steady([])
    """
    if not is_steady(found):
        raise RuntimeError("another thread changed it meanwhile; hand out a copy")
