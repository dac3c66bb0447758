"""Objects without a content that could be hashed, and what to do about each; those that count by their type."""

from __future__ import annotations

import sys
import weakref
from contextvars import Context, ContextVar
from functools import partial
from types import AsyncGeneratorType, CoroutineType, FrameType, GeneratorType, TracebackType
from typing import Any

from ...errors import UnhashableError
from ...pipelines.awaiting import ADVICE
from ..rows import ROWS, Parts, register_lazy

__all__: list[str] = []


def refusal(advice: str) -> Any:
    def refuse(obj: Any) -> Parts:
        raise UnhashableError(obj, (), advice)

    return refuse


ROWS.exact(GeneratorType)(refusal("a generator can be read only once; make it a list or a tuple"))
ROWS.exact(CoroutineType)(refusal(f"await it, and hash the result; {ADVICE}"))
ROWS.exact(AsyncGeneratorType)(refusal("collect its items, and hash these"))
ROWS.exact(FrameType, TracebackType)(refusal("it belongs to a running program; keep its text instead"))
ROWS.register(weakref.ReferenceType, *weakref.ProxyTypes)(
    refusal("a weak reference may die at any time; pass the object itself")
)

BY_TYPE = {
    "IPython": ("core.interactiveshell.InteractiveShell",),
    "_thread": ("LockType", "RLock"),
    "asyncio": ("Lock", "Event", "Condition", "Semaphore"),
    "concurrent": ("futures.Executor",),
    "joblib": ("Memory", "Parallel"),
    "logging": ("Handler", "Formatter"),
    "loguru": ("_logger.Logger",),
    "multiprocessing.pool": ("Pool",),
    "multiprocessing.synchronize": ("SemLock", "Condition", "Event", "Barrier"),
    "prometheus_client": ("metrics.MetricWrapperBase", "registry.CollectorRegistry"),
    "random": ("SystemRandom",),
    "rich": ("console.Console", "progress.Progress"),
    "sqlalchemy": ("orm.state.InstanceState",),
    "threading": ("Event", "Condition", "Semaphore", "Barrier"),
    "ssl": ("SSLContext",),
    "tqdm": ("std.tqdm",),
    "weakref": ("WeakKeyDictionary",),
}
"""Types whose objects only synchronise, print, run others or remember: they count by their type, whatever they hold.

Further ones are added with ``register(Type, lambda obj: None)``.
"""


def count_by_type(package: str) -> None:
    """Make the types of a package that are in the table count by their type."""
    for path in BY_TYPE[package]:
        module, _, name = f"{package}.{path}".rpartition(".")
        kind = getattr(sys.modules.get(module), name, None)
        if isinstance(kind, type):
            ROWS.register(kind)(lambda obj: (b"<by type>", [type(obj)]))


@ROWS.exact(ContextVar)
def context_variable(obj: Any) -> Parts:
    """A context variable counts by its name and its default, not by what is set for now."""
    return b"<context variable>", [obj.name, *Context().run(default_of, obj)]


def default_of(variable: Any) -> list[Any]:
    try:
        return [variable.get()]
    except LookupError:
        return []


RUNNING = "it is part of a running program, not a value; leave it out with ignore_globals"
REFUSED = {
    "asyncio": ("AbstractEventLoop", "Future", "Queue"),
    "concurrent": ("Future",),
    "queue": ("Queue", "SimpleQueue"),
    "socket": ("socket",),
    "subprocess": ("Popen",),
    "threading": ("Thread",),
    "weakref": ("WeakValueDictionary", "WeakSet", "finalize"),
}


def refuse_running(package: str) -> None:
    """Refuse the types of a package that are threads, connections or what they leave behind."""
    module = sys.modules["concurrent.futures" if package == "concurrent" else package]
    ROWS.register(*(getattr(module, name) for name in REFUSED[package]))(refusal(RUNNING))


for name in BY_TYPE:
    register_lazy(name, partial(count_by_type, name))
for name in REFUSED:
    register_lazy(name, partial(refuse_running, name))
register_lazy("_weakrefset", partial(refuse_running, "weakref"))
