"""``engine=threads(4)``, ``engine=processes(4)``, and ``engine=pool(executor)`` for an executor of one's own."""

from __future__ import annotations

import os
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from functools import partial
from typing import TYPE_CHECKING, Any

from ..given import whole
from ..typing import Transform

if TYPE_CHECKING:
    from concurrent.futures import Executor

__all__ = ["Pool", "pool", "processes", "threads"]

_PARTS = 16  # for each worker: the rest of a part is what an error elsewhere cannot cancel


class Pool:
    """An engine that runs branches, and the parts of a sequence, on an executor, which it opens for each run.

    >>> threads(2)
    threads(2)
    """

    def __init__(
        self, name: str, count: int, opened: Callable[[], AbstractContextManager[Executor]], shares_memory: bool
    ) -> None:
        self.name = name
        self.count = whole(f"{name}: the number of workers", count, 1)
        self.opened = opened
        self.shares_memory = shares_memory

    def __repr__(self) -> str:
        return f"{self.name}({self.count})"

    def __flowly_hash__(self) -> str:
        return "engine"  # how something runs is no part of a key

    def __call__(self, transform: Transform, obj: Any) -> Any:
        from .running import InProcesses, InThreads

        kind = InThreads if self.shares_memory else InProcesses
        with kind(self.opened, _PARTS * self.count) as engine:
            return engine(transform, obj)


def threads(count: int | None = None) -> Pool:
    """Return an engine that runs branches, and the items of ``map`` and the like, in so many threads.

    ``apply(s, x, engine=threads(n)) == apply(s, x)``

    Items keep their order. The first error cancels what has not begun; what was finished stays stored.

    :param count: the number of threads; without it, that of the processors.
    :raises ValueError: for a number below 1.

    >>> from functools import partial
    >>> from flowly_ckpt import apply, chained
    >>> apply(chained(partial(map, abs), list), [-1, 2, -3], engine=threads(2))
    [1, 2, 3]

    See also: :func:`processes`, for steps that compute in Python; :func:`pool`.
    """
    workers = _count(count)
    return Pool("threads", workers, partial(_threads, workers), shares_memory=True)


def _threads(count: int) -> Executor:
    from concurrent.futures import ThreadPoolExecutor

    return ThreadPoolExecutor(count, thread_name_prefix="flowly_ckpt")


def processes(count: int | None = None, *, context: Any = None) -> Pool:
    """Return an engine that runs branches, and the items of ``map`` and the like, in so many processes.

    ``apply(s, x, engine=processes(n)) == apply(s, x)``

    Functions are sent with cloudpickle, so those of a script and of a notebook are too. What a process stores must be
    in a target that all of them reach. Sinks of ``observe`` get their events in this process.

    :param count: the number of processes; without it, that of the processors.
    :param context: how they are started, as :func:`multiprocessing.get_context` returns it.
    :raises ValueError: for a number below 1.
    :raises StoreError: before anything runs, when a process would have to reach a target in this one's memory.
    :raises WorkerError: when a process raises, or returns, what cannot be sent.

    >>> processes(2)
    processes(2)

    See also: :func:`threads`, which can share anything.
    """
    workers = _count(count)
    return Pool("processes", workers, partial(_processes, workers, context), shares_memory=False)


def _processes(count: int, context: Any) -> Executor:
    from concurrent.futures import ProcessPoolExecutor

    return ProcessPoolExecutor(count, mp_context=context)


def pool(executor: Executor) -> Pool:
    """Return an engine that runs on your executor, and leaves it open.

    :param executor: of ``concurrent.futures``, or any that follows its interface: loky's, dask's, mpi4py's.
    :raises TypeError: for what is not an executor.

    >>> from concurrent.futures import ThreadPoolExecutor
    >>> from flowly_ckpt.pipelines import kv_valmap
    >>> with ThreadPoolExecutor(2) as executor:
    ...     pool(executor)(kv_valmap(abs), [("a", -1)])
    [('a', 1)]

    See also: :func:`threads`, :func:`processes`.
    """
    from concurrent.futures import ThreadPoolExecutor

    if not callable(getattr(executor, "submit", None)):
        raise TypeError(f"pool: an executor has a method submit, got {executor!r:.60}; for a number write threads(4)")
    count = getattr(executor, "_max_workers", None) or _count(None)
    return Pool("pool", count, lambda: nullcontext(executor), isinstance(executor, ThreadPoolExecutor))


def _count(count: int | None) -> int:
    return (os.cpu_count() or 1) if count is None else count
