"""Containers and buffers that are built in."""

from __future__ import annotations

from types import MappingProxyType
from typing import Any

from ..rows import ROWS, Blob, Parts, labelled

__all__: list[str] = []


def positions(obj: Any, parts: list[Any]) -> list[str]:
    return [f"[{i}]" for i in range(len(parts))]


def keys(obj: dict[Any, Any], parts: list[Any]) -> list[str | None]:
    shown = [None if type(key) is str else f"key {key!r:.40}" for key in obj]
    return [*shown, *(f"[{key!r:.40}]" for key in obj)]


@labelled(b"<list>", by=positions)
@ROWS.exact(list)
def list_(obj: list[Any]) -> Parts:
    return b"<list>", obj


@labelled(b"<tuple>", by=positions)
@ROWS.exact(tuple)
def tuple_(obj: tuple[Any, ...]) -> Parts:
    return b"<tuple>", list(obj)


@labelled(b"<dict>", by=keys)
@ROWS.exact(dict)
def dict_(obj: dict[Any, Any]) -> Parts:
    return b"<dict>", [*obj, *obj.values()]


@ROWS.exact(set)
def set_(obj: set[Any]) -> Parts:
    return b"<set>", list(obj)


@ROWS.exact(frozenset)
def frozenset_(obj: frozenset[Any]) -> Parts:
    return b"<frozenset>", list(obj)


@ROWS.exact(bytearray)
def bytearray_(obj: bytearray) -> Parts:
    return b"<bytearray>", [Blob([obj])]


@ROWS.exact(memoryview)
def memoryview_(obj: memoryview) -> Parts:
    return b"<memoryview>", [obj.format, obj.shape, Blob([obj if obj.c_contiguous else obj.tobytes()])]


@ROWS.exact(MappingProxyType)
def mappingproxy(obj: Any) -> Parts:
    return b"<mappingproxy>", [dict(obj)]


@ROWS.exact(type({}.keys()), type({}.values()))
def view(obj: Any) -> Parts:
    return b"<view>", [type(obj).__name__, list(obj)]


@ROWS.exact(type({}.items()))
def items(obj: Any) -> Parts:
    return b"<items>", [list(obj)]
