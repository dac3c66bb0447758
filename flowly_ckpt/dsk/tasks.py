"""The graph itself: one dictionary of tasks that grows while a pipeline is lowered, however many parts there are."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple
from uuid import uuid4

from toolz import identity

from ..pipelines.names import steps_of
from .lost import note_lost
from .work import Given, Work, last, run

__all__ = ["Later", "Tasks"]


class Later(NamedTuple):
    """Stand for what a task of the graph will give.

    >>> Later("abs-1").key
    'abs-1'
    """

    key: Any


class Tasks:
    """Add tasks to a graph, and compute them.

    :param scheduler: as dask's ``compute`` takes it; without it, the one that dask would use.
    :param obj: what the graph begins with, on which dask's choice depends.

    >>> tasks = Tasks("threads", None)
    >>> tasks.computed([tasks.add(Work(max), 1, tasks.add(Work(abs), -2))])
    [2]
    """

    def __init__(self, scheduler: Any, obj: Any) -> None:
        try:
            from dask.base import get_scheduler, is_dask_collection
            from dask.delayed import Delayed
        except ModuleNotFoundError as error:
            text = f"{error}: run `pip install 'flowly-ckpt[dask]'`"
            raise ModuleNotFoundError(text, name=error.name) from error

        self.is_collection = is_dask_collection
        self.scheduler = scheduler
        collections = [obj if is_dask_collection(obj) else Delayed("unused", {})]
        self.get = get_scheduler(scheduler=scheduler, collections=collections)
        self.is_remote = not _shares_memory(self.get)
        self.client = _client_of(self.get)
        self.tasks: dict[Any, Any] = {}
        self._merged: dict[int, Any] = {}

    def is_later(self, obj: Any) -> bool:
        """Return whether an object is not computed yet."""
        return type(obj) is Later or self.is_collection(obj)

    def add(self, work: Work, *args: Any) -> Later:
        """Add a task that depends on what is not computed yet among the arguments."""
        key = f"{steps_of(work.function)}-{uuid4().hex}"
        given = [self.later(arg).key if self.is_later(arg) else Given(arg) for arg in args]
        self.tasks[key] = (run, work, *given)
        return Later(key)

    def later(self, obj: Any) -> Later:
        """Return what stands for the whole value of a collection."""
        from dask import delayed
        from dask.delayed import Delayed

        if type(obj) is Later:
            return obj
        if not isinstance(obj, Delayed):
            obj = delayed(identity, pure=False, traverse=False)(obj)
        self._merge(obj.dask)
        return Later(obj.key)

    def partitions(self, bag: Any) -> list[Later]:
        """Return what stands for each partition of a bag."""
        self._merge(bag.dask)  # optimising, which follows, loses the results that a cluster holds already
        return [self.later(part) for part in bag.to_delayed()]

    def computed(self, wanted: Sequence[Later]) -> list[Any]:
        """Compute some results."""
        keys = [later.key for later in wanted]
        try:
            return list(self.get(self._culled(keys), keys)) if keys else []
        except Exception as error:
            note_lost(error, self.tasks)
            raise

    def delayed(self, later: Later) -> Any:
        """Return a result as a delayed object."""
        from dask.delayed import Delayed

        graph = self._culled([later.key])
        task = graph[later.key]
        if isinstance(task, tuple) and task[0] is run:
            graph[later.key] = (last, *task[1:])
        return Delayed(later.key, graph)

    def bag(self, parts: Sequence[Later]) -> Any:
        """Return results as the partitions of a bag."""
        from dask.bag import Bag

        name = f"flowly-{uuid4().hex}"
        graph = self._culled([part.key for part in parts])
        aliases = {(name, number): (identity, part.key) for number, part in enumerate(parts)}
        return Bag({**graph, **aliases}, name, len(parts))

    def _culled(self, keys: list[Any]) -> dict[Any, Any]:
        from dask.optimization import cull

        return dict(cull(self.tasks, keys)[0])

    def _merge(self, graph: Mapping[Any, Any]) -> None:
        if id(graph) not in self._merged:
            self._merged[id(graph)] = graph  # held, so that no other gets its id
            self.tasks.update(graph)


def _shares_memory(get: Any) -> bool:
    from dask.local import get_sync
    from dask.threaded import get as get_threaded

    return get in (get_sync, get_threaded)


def _client_of(get: Any) -> Any:
    """Return the client of ``distributed`` that computes graphs, or None."""
    owner = getattr(get, "__self__", None)
    return owner if hasattr(owner, "subscribe_topic") else None
