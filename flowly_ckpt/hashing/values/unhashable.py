"""Objects without a content that could be hashed, and what to do about each."""

from __future__ import annotations

import sys
import weakref
from functools import partial
from types import AsyncGeneratorType, CoroutineType, FrameType, GeneratorType, TracebackType
from typing import Any

from ...errors import UnhashableError
from ..rows import ROWS, Parts, register_lazy

__all__: list[str] = []


def refusal(advice: str) -> Any:
    def refuse(obj: Any) -> Parts:
        raise UnhashableError(obj, (), advice)

    return refuse


ROWS.exact(GeneratorType)(refusal("a generator can be read only once; make it a list or a tuple"))
ROWS.exact(CoroutineType, AsyncGeneratorType)(refusal("await it, or collect its items, and hash the result"))
ROWS.exact(FrameType, TracebackType)(refusal("it belongs to a running program; keep its text instead"))
ROWS.register(weakref.ReferenceType, *weakref.ProxyTypes)(
    refusal("a weak reference may die at any time; pass the object itself")
)

RUNNING = "it is part of a running program, not a value; leave it out with ignore_globals"
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
    ROWS.register(*(getattr(module, name) for name in REFUSED[package]))(refusal(RUNNING))


for name in REFUSED:
    register_lazy(name, partial(refuse_running, name))
register_lazy("_weakrefset", partial(refuse_running, "weakref"))
