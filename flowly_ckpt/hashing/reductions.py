"""How objects of a type are reduced, by whoever has registered a way; but for what only adds how it came about."""

from __future__ import annotations

from collections.abc import Callable
from copyreg import dispatch_table
from typing import Any

__all__ = ["reducer_of"]

BESIDE = frozenset({("tblib.pickling_support", "pickle_exception")})
"""Reducers that libraries register for all exceptions there are, so that these keep their tracebacks: no part of
what an exception is, and whether they are there depends on what was imported."""


def reducer_of(kind: type) -> Callable[[Any], Any] | None:
    """Return what was registered with :mod:`copyreg` to reduce objects of a type, or None.

    >>> import re
    >>> reducer_of(re.Pattern).__name__, reducer_of(KeyError)
    ('_pickle', None)
    """
    found = dispatch_table.get(kind)
    if found is None or (getattr(found, "__module__", ""), getattr(found, "__qualname__", "")) in BESIDE:
        return None
    return found
