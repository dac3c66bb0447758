"""Values of the standard library that a reduction does not tell, or not well."""

from __future__ import annotations

import io
import sys
import weakref
from types import (
    AsyncGeneratorType,
    CoroutineType,
    FrameType,
    GeneratorType,
    MappingProxyType,
    ModuleType,
    TracebackType,
)
from typing import Any

from ..errors import UnhashableError
from .origin import of_module
from .rows import OPEN, Attrs, Blob, Mark, Parts, exact, register_lazy

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
    """Installed: name and version. The user's: name and what is defined there, as nothing tells what is used of it."""
    name = obj.__name__
    origin = of_module(name)
    if origin.kind != "user":
        return b"<module>", [name, origin.label]
    own = {k: v for k, v in vars(obj).items() if getattr(v, "__module__", None) == name and callable(v)}
    return b"<user module>", [name, Attrs(own)]


def refusal(advice: str) -> Any:
    def refuse(obj: Any) -> Parts:
        raise UnhashableError(obj, (), advice)

    return refuse


exact(GeneratorType)(refusal("a generator can be read only once; make it a list or a tuple"))
exact(CoroutineType, AsyncGeneratorType)(refusal("await it, or collect it, and hash what it gives"))
exact(FrameType, TracebackType)(refusal("it belongs to a running program; keep the text of it instead"))
OPEN.register(weakref.ReferenceType, *weakref.ProxyTypes)(
    refusal("a weak reference may die at any time; hand over the object itself")
)


@OPEN.register(io.IOBase.__mro__[1])  # the base that files themselves have
def file(obj: Any) -> Parts:
    """The streams of the process have no part in a result; an open file is a place in a changing thing."""
    for name in ("stdin", "stdout", "stderr", "__stdin__", "__stdout__", "__stderr__"):
        if obj is getattr(sys, name):
            return b"<stream>", [Mark(name.strip("_"))]
    raise UnhashableError(obj, (), "hand over its path or what was read from it, or leave it out with ignore_globals")


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


def load_threading() -> None:
    import threading

    names = ("Thread", "Event", "Condition", "Semaphore", "Barrier")
    OPEN.register(*(getattr(threading, name) for name in names))(
        refusal("it is a part of a running program, not a value; leave it out with ignore_globals")
    )


register_lazy("logging", load_logging)
register_lazy("os", load_os)
register_lazy("threading", load_threading)
