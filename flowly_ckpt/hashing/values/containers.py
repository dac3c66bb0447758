"""Containers and buffers that are built in."""

from __future__ import annotations

import gc
import io
from collections import OrderedDict
from types import MappingProxyType
from typing import Any

from ..rows import LABELS, ROWS, Blob, Parts

__all__: list[str] = []


def positions(obj: Any, parts: list[Any]) -> list[str]:
    return [f"[{i}]" for i in range(len(parts))]


def keys(obj: dict[Any, Any], parts: list[Any]) -> list[str | None]:
    shown = [None if type(key) is str else f"key {key!r:.40}" for key in obj]
    return [*shown, *(f"[{key!r:.40}]" for key in obj)]


ROWS.exact(list)(lambda obj: (b"<list>", obj))
LABELS[b"<list>"] = positions
ROWS.exact(tuple)(lambda obj: (b"<tuple>", list(obj)))
LABELS[b"<tuple>"] = positions
ROWS.exact(dict)(lambda obj: (b"<dict>", [*obj, *obj.values()]))
LABELS[b"<dict>"] = keys
ROWS.exact(set)(lambda obj: (b"<set>", list(obj)))
ROWS.exact(frozenset)(lambda obj: (b"<frozenset>", list(obj)))
ROWS.exact(bytearray)(lambda obj: (b"<bytearray>", [Blob([obj])]))
ROWS.exact(MappingProxyType)(lambda obj: (b"<mappingproxy>", gc.get_referents(obj)))
TABLES: tuple[dict[Any, Any], ...] = ({}, OrderedDict())
ROWS.exact(*(type(view) for table in TABLES for view in (table.keys(), table.values(), table.items())))(
    lambda obj: (b"<view>", [type(obj).__name__, list(obj)])
)
ROWS.exact(io.BytesIO, io.StringIO)(lambda obj: (b"<buffer>", [type(obj).__name__, *obj.__getstate__()]))


@ROWS.exact(memoryview)
def memoryview_(obj: memoryview) -> Parts:
    return b"<memoryview>", [obj.format, obj.shape, Blob([obj if obj.c_contiguous else obj.tobytes()])]
