"""Values of the standard library that a reduction does not tell, or not well."""

from __future__ import annotations

import io
from types import MappingProxyType, ModuleType
from typing import Any

from .origin import of_module
from .plain import is_plain
from .rows import OPEN, Attrs, Blob, Parts, exact, register_lazy

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


@OPEN.register(ModuleType)
def module(obj: ModuleType) -> Parts:
    """Installed: name and version. The user's: all code and plain data in it, as nothing tells what is used of it."""
    name = obj.__name__
    origin = of_module(name)
    if origin.kind != "user":
        return b"<module>", [name, origin.label]
    own = {k: v for k, v in vars(obj).items() if not is_dunder(k) and (is_defined_in(name, v) or is_plain([v]))}
    return b"<user module>", [name, Attrs(own)]


def is_dunder(name: str) -> bool:
    return name.startswith("__") and name.endswith("__")


def is_defined_in(module: str, value: Any) -> bool:
    return callable(value) and getattr(value, "__module__", None) == module


@exact(io.BytesIO, io.StringIO)
def buffer(obj: Any) -> Parts:
    return b"<buffer>", [type(obj).__name__, obj.getvalue(), obj.tell()]


def load_logging() -> None:
    import logging

    @OPEN.register(logging.Logger)
    def logger(obj: Any) -> Parts:
        return b"<logger>", [obj.name]

    @OPEN.register(logging.LoggerAdapter)
    def adapter(obj: Any) -> Parts:
        return b"<logger>", [obj.logger.name, obj.extra]


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
