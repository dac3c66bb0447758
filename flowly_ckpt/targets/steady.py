"""Notice that another thread changes a value while it is being stored, as its large buffers are read in place."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from contextvars import ContextVar
from typing import Any

from ..typing import Bytes
from .filesystem import digest_of

__all__ = ["Noted", "check_steady", "digest_noted", "is_steady", "note", "noted"]

Noted = list[tuple[Sequence[Bytes], bytes]]
noted: ContextVar[Noted | None] = ContextVar("values that are being stored, encoded in pieces, each with its digest")


def note(parts: Sequence[Bytes]) -> None:
    """Take down the pieces of an encoded value, if a thread could change one of them and one is asked to.

    >>> token = noted.set([])
    >>> note([b"head", memoryview(b"tail")]), noted.get()
    (None, [])
    >>> noted.reset(token)
    """
    found = noted.get(None)
    if found is not None and threading.active_count() > 1:
        views: list[Any] = [part for part in parts if type(part) is memoryview]
        if not all(view.readonly for view in views):
            found.append((parts, digest_of(parts)))


def digest_noted(parts: Sequence[Bytes]) -> bytes:
    """Return the digest of the pieces of an encoded value: the one just noted, if they are those.

    ``digest_noted(parts) == digest_of(parts)``

    >>> digest_noted([b"a", b"b"]) == digest_of([b"ab"])
    True
    """
    found = noted.get(None)
    is_known = found and list(map(id, found[-1][0])) == list(map(id, parts))
    return found[-1][1] if found and is_known else digest_of(parts)


def is_steady(found: Noted) -> bool:
    """Return whether all that was noted is as it was then.

    >>> is_steady([([b"a"], digest_of([b"b"]))])
    False
    """
    return all(digest_of(parts) == digest for parts, digest in found)


def check_steady(found: Noted) -> None:
    """Raise unless all that was noted is as it was then.

    :raises RuntimeError: says what to do.

    >>> check_steady([])
    """
    if not is_steady(found):
        raise RuntimeError("another thread changed it meanwhile; hand out a copy")
