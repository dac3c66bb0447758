"""Handles: objects that pickle as a path, while what is read through them may change. They are refused."""

from __future__ import annotations

import sys
from functools import partial
from typing import Any

from ...errors import UnhashableError
from ..rows import ROWS, Parts

__all__ = ["refuse_handle"]

HANDLES = {
    "dbm": ("dbm.dumb._Database",),
    "diskcache": ("diskcache.Cache", "diskcache.FanoutCache", "diskcache.Deque", "diskcache.Index"),
    "fsspec": ("fsspec.mapping.FSMap",),
    "pyarrow__dataset": ("pyarrow._dataset.Dataset",),
    "shelve": ("shelve.Shelf",),
    "zict": ("zict.file.File",),
}


def refuse_handle(obj: Any) -> Parts:
    """Refuse an object that only names where its content lies.

    >>> from flowly_ckpt.errors import UnhashableError
    >>> try: refuse_handle(object())
    ... except UnhashableError as error: print(error.advice)
    it stands for a place, not for what lies there; pass what was read from it, or FileContent
    """
    raise UnhashableError(
        obj, (), "it stands for a place, not for what lies there; pass what was read from it, or FileContent"
    )


def load(package: str) -> None:
    for place in HANDLES[package]:
        module, _, name = place.rpartition(".")
        kind = getattr(sys.modules.get(module), name, None)
        if kind is not None:
            ROWS.register(kind)(refuse_handle)


def __getattr__(name: str) -> Any:
    if name.startswith("load_"):
        return partial(load, name.removeprefix("load_"))
    raise AttributeError(name)
