"""Values of the standard library that a reduction does not tell, or not well."""

from __future__ import annotations

import io
from types import MappingProxyType
from typing import Any

from .rows import OPEN, Blob, Parts, exact, register_lazy

__all__: list[str] = []


@exact(list)
def list_(obj: list[Any]) -> Parts:
    return b"<list>", obj


@exact(tuple)
def tuple_(obj: tuple[Any, ...]) -> Parts:
    return b"<tuple>", list(obj)


@exact(dict)
def dict_(obj: dict[Any, Any]) -> Parts:
    return b"<dict>", [*obj, *obj.values()]


@exact(set)
def set_(obj: set[Any]) -> Parts:
    return b"<set>", list(obj)


@exact(frozenset)
def frozenset_(obj: frozenset[Any]) -> Parts:
    return b"<frozenset>", list(obj)


@exact(bytearray)
def bytearray_(obj: bytearray) -> Parts:
    return b"<bytearray>", [Blob([obj])]


@exact(memoryview)
def memoryview_(obj: memoryview) -> Parts:
    return b"<memoryview>", [obj.format, obj.shape, Blob([obj if obj.c_contiguous else obj.tobytes()])]


@exact(MappingProxyType)
def mappingproxy(obj: Any) -> Parts:
    return b"<mappingproxy>", [dict(obj)]


@exact(type({}.keys()), type({}.values()))
def view(obj: Any) -> Parts:
    return b"<view>", [type(obj).__name__, list(obj)]


@exact(type({}.items()))
def items(obj: Any) -> Parts:
    return b"<items>", [list(obj)]


@exact(io.BytesIO, io.StringIO)
def buffer(obj: Any) -> Parts:
    return b"<buffer>", [type(obj).__name__, obj.getvalue(), obj.tell()]


def load_logging() -> None:
    import logging

    @OPEN.register(logging.Logger)
    def logger(obj: Any) -> Parts:
        """A logger has no part in a result, and its name is mostly that of the module."""
        return b"<logger>", []

    @OPEN.register(logging.LoggerAdapter)
    def adapter(obj: Any) -> Parts:
        return b"<logger>", []


def load_os() -> None:
    import os

    exact(type(os.environ))(lambda obj: (b"<environment>", []))


def load_pathlib() -> None:
    from pathlib import PurePath

    @OPEN.register(PurePath)
    def path(obj: Any) -> Parts:
        """A path counts as it is written, not by what lies there; see FileContent."""
        return b"<path>", [type(obj), str(obj)]


register_lazy("logging", load_logging)
register_lazy("os", load_os)
register_lazy("pathlib", load_pathlib)
