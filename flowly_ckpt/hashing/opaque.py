"""What cannot be told by its content, and what to do about it; objects for tests, which can."""

from __future__ import annotations

import io
import sys
import weakref
from functools import partial
from types import AsyncGeneratorType, CoroutineType, FrameType, GeneratorType, TracebackType
from typing import Any

from ..errors import UnhashableError
from .rows import OPEN, Attrs, Mark, Parts, exact, register_lazy

__all__: list[str] = []


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


RUNNING = "it is a part of a running program, not a value; leave it out with ignore_globals"
REFUSED = {
    "asyncio": ("AbstractEventLoop", "Future", "Lock", "Event", "Queue"),
    "concurrent": ("Executor", "Future"),
    "queue": ("Queue", "SimpleQueue"),
    "socket": ("socket",),
    "subprocess": ("Popen",),
    "threading": ("Thread", "Event", "Condition", "Semaphore", "Barrier"),
    "weakref": ("WeakKeyDictionary", "WeakValueDictionary", "WeakSet", "finalize"),
}


def refuse_running(package: str) -> None:
    """Refuse the types of a package that hold locks, threads or connections, by their own name."""
    module = sys.modules["concurrent.futures" if package == "concurrent" else package]
    OPEN.register(*(getattr(module, name) for name in REFUSED[package]))(refusal(RUNNING))


for name in REFUSED:
    register_lazy(name, partial(refuse_running, name))
register_lazy("_weakrefset", partial(refuse_running, "weakref"))


def load_mock() -> None:
    from unittest.mock import NonCallableMock

    OPEN.register(NonCallableMock)(mock)


register_lazy("unittest", load_mock)


def load_ctypes() -> None:
    import ctypes

    @OPEN.register(ctypes.CDLL)
    def library(obj: Any) -> Parts:
        """A library of C counts by its name; nothing tells its version."""
        return b"<C library>", [type(obj), obj._name]

    @OPEN.register(ctypes._CFuncPtr)  # type: ignore[attr-defined]
    def c_function(obj: Any) -> Parts:
        if "__name__" not in vars(obj):
            raise UnhashableError(obj, (), "it is an address; name what it was made of with register")
        return b"<C function>", [obj.__name__, obj.restype, obj.argtypes, list((obj._objects or {}).values())]


register_lazy("ctypes", load_ctypes)
register_lazy("_ctypes", load_ctypes)


def mock(obj: Any) -> Parts:
    """A mock counts by what it was told to do, not by what was done to it."""
    return b"<mock>", [type(obj).__mro__[1], vars(obj)["_spec_class"], Attrs(configured(obj))]


def configured(obj: Any) -> dict[str, Any]:
    """Return what a mock was told: attributes, what it gives or raises, and children that were told something."""
    own = vars(obj)
    told = {k: v for k, v in own.items() if not k.startswith(("_mock_", "_spec_")) and k != "method_calls"}
    for name in ("_mock_return_value", "_mock_side_effect", "_mock_wraps"):
        value = own.get(name)
        if value is not None and repr(value) != "sentinel.DEFAULT" and not is_idle(value):
            told[name] = value
    told.update({k: v for k, v in own.get("_mock_children", {}).items() if not is_idle(v)})
    return told


def is_idle(value: Any) -> bool:
    return hasattr(type(value), "assert_has_calls") and not configured(value)
