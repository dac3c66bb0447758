"""Whether another process runs the same code: a function that is sent by name is what its module has there."""

from __future__ import annotations

import pickle
from collections.abc import Callable
from functools import lru_cache
from typing import Any

from ..errors import UnhashableError
from ..hashing import functional_hash
from ..logs import WARNING, heard
from ..pipelines import name_of

__all__ = ["digest_of", "is_same", "opened"]

_SMALL = 1_000_000  # bytes; what is larger holds data, and is not kept


def digest_of(function: Callable[..., Any]) -> str | None:
    """Return the digest of what a function does here, or None where it cannot be hashed.

    >>> digest_of(abs) == digest_of(abs), digest_of(iter([]).__next__)
    (True, None)
    """
    try:
        return functional_hash(function)
    except UnhashableError:
        return None  # no key is made of it either


def is_same(function: Callable[..., Any], digest: str | None) -> bool:
    """Return whether a function does here what it did where its digest was made; log it where it does not.

    >>> is_same(abs, digest_of(abs)), is_same(abs, None)
    (True, True)
    """
    if digest is None or digest_of(function) == digest:
        return True
    import os
    import socket

    if log := heard(WARNING):
        log.warning(
            "process %d on %s has another version of the code than the process that sent it %s; nothing that it "
            "computes is stored under that one's keys", os.getpid(), socket.gethostname(), name_of(function),
        )  # fmt: skip
    return False


def opened(packed: bytes, digest: str | None) -> tuple[Callable[..., Any], bool]:
    """Return a function that was sent, and whether it is the same here; the last few are kept, with targets open.

    >>> opened(pickle.dumps(abs), None)
    (<built-in function abs>, True)
    """
    return (_small if len(packed) <= _SMALL else _small.__wrapped__)(packed, digest)


@lru_cache(8)
def _small(packed: bytes, digest: str | None) -> tuple[Callable[..., Any], bool]:
    function = pickle.loads(packed)
    return function, is_same(function, digest)
