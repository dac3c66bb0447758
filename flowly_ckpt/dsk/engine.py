"""The engine that builds a graph of dask, and the three ways to call it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

from toolz import identity

from ..checkpoint.mark import marks_in
from ..checkpoint.stages import Asked, Stage
from ..engines import apply as apply_here
from ..events import watching
from ..given import optional, whole
from ..hashing import functional_hash
from ..lowering import Items, Parallel
from ..lowering.itemwise import Read, listed
from ..lowering.versions import digest_of
from ..passes.observe import Watched
from ..pipelines import walk
from ..targets.protocol import as_target, described
from ..targets.reachable import check_reachable, is_reachable
from ..typing import Rewrite, Transform
from .post import Post
from .tasks import Later, Tasks
from .work import Done, Store, Work, after

__all__ = ["Graph", "apply", "apply_to_local", "dask"]

_PARTS = 100


class Graph(Parallel):
    """Lower a pipeline to a graph; what is not known yet is a collection of dask.

    :param scheduler: as dask's ``compute`` takes it; without it, the one that dask would use.
    :param width: how many parts a sequence is divided into.

    >>> graph = Graph("threads")
    >>> graph.value(graph.lower(abs, -1))
    1
    """

    def __init__(self, scheduler: Any = None, width: int = _PARTS, obj: Any = None) -> None:
        self.tasks = Tasks(scheduler, obj)
        self.width = width
        self.counts = False  # whether what is built is on the way to a checkpoint
        self.stays = ""
        self.elsewhere: list[Asked] = []  # about objects that are not here, so that nothing is known of their parts
        self.is_versioned = False  # whether tasks make sure that they run the code that the keys are made from
        self.post: Post | None = None  # what receives the events of tasks elsewhere

    def check(self, transform: Transform) -> None:
        """Raise unless the workers can reach every target; have events come back where anybody watches.

        :raises StoreError: says what to use instead.
        """
        targets = [mark.target for mark in marks_in(transform)]
        self.is_versioned = self.tasks.is_remote and bool(targets)
        for target in targets:
            if self.tasks.is_remote:
                check_reachable(target, "dask's workers")
            elif not self.stays and not is_reachable(target):
                self.stays = (
                    f"{described(target)} is in the memory of the process that built this graph, which was built for "
                    "threads: compute it with scheduler='threads', or use DiskTarget(path)"
                )
        if self.tasks.client is not None and (
            watching.get() or any(isinstance(term, Watched) for term in walk(transform))
        ):
            self.post = Post(self.tasks.client)

    def over(self, function: Callable[[Any], Any], parts: Sequence[Any]) -> list[Any]:
        work = self._work(function)
        return [self.tasks.add(work, part) for part in parts]

    def call(self, function: Callable[..., Any], *args: Any) -> Any:
        return self.tasks.add(self._work(function), *args)

    def leaf(self, function: Callable[[Any], Any], obj: Any) -> Any:
        """Call a function in a task; with a table or an array of dask as it is."""
        from dask.bag import Bag
        from dask.delayed import Delayed

        if self.tasks.is_collection(obj) and not isinstance(obj, (Bag, Delayed)):
            return function(obj)
        return super().leaf(function, obj)

    def branches(self, transforms: Sequence[Transform], obj: Any) -> list[Any]:
        return [self.lower(term, obj) for term in transforms]

    def is_known(self, obj: Any) -> bool:
        return not isinstance(obj, Items) and not self.tasks.is_later(obj)

    def whole(self, obj: Any) -> Any:
        if isinstance(obj, Items) and not any(map(self.tasks.is_later, obj.parts)):
            return self.value(obj)
        return super().whole(obj)

    def items(self, obj: Any, read: Read = iter) -> Items:
        from dask.bag import Bag

        if self.is_known(obj) or isinstance(obj, Items):
            return super().items(obj, read)
        listed = Work(partial(_listed, read), counts=self.counts)
        if isinstance(obj, Bag):  # whose partitions may be iterators
            return Items([self.tasks.add(listed, part) for part in self.tasks.partitions(obj)], list)
        whole = self.tasks.add(listed, obj)
        pieces = (Work(partial(_piece, number, self.width), counts=self.counts) for number in range(self.width))
        return Items([self.tasks.add(piece, whole) for piece in pieces], list)

    def value(self, obj: Any) -> Any:
        """Compute an object, where it is not known; a sequence is joined here."""
        if self.is_known(obj):
            return obj
        if not isinstance(obj, Items):
            return _plain(self.tasks.computed([self.tasks.later(obj)])[0])
        computed = iter(self.tasks.computed([part for part in obj.parts if self.tasks.is_later(part)]))
        parts = [_plain(next(computed)) if self.tasks.is_later(part) else part for part in obj.parts]
        return obj.make([item for part in parts for item in part])

    def restored(self, stages: Sequence[Stage], obj: Any) -> tuple[Asked, int, Any]:
        """Hash what is not known yet where it is; it is computed for that, and kept for what follows."""
        if self.is_known(obj):
            return super().restored(stages, obj)
        obj = self._persisted(obj)
        hashers = [as_target(stage.wrapper.checkpoint.target).hasher for stage in stages]
        digests = {
            hasher: self.value(self.tasks.add(Work(partial(_digest, hasher)), self.whole(obj)))
            for hasher in set(hashers)
        }
        asked = Asked(stages, None)
        asked.keyed = [one._replace(key=(digests[hasher], *one.key[1:])) for one, hasher in zip(asked.keyed, hashers)]
        value, depth = asked.restored()
        self.elsewhere.append(asked)
        return asked, depth, obj if depth < 0 else value

    def keep(self, asked: Asked, position: int, obj: Any, seen: int) -> Any:
        """Build what computes a result, and the task that stores it before anything after it goes on."""
        stage = asked.stages[position]
        nested, self.counts = self.counts, True
        try:
            value = self.segment(stage, obj)
            whole = super().whole(value) if isinstance(value, Items) else self.call(identity, value)
        finally:
            self.counts = nested
        target, key, _, sources = asked.missing(position, None)
        made_from = dict(sources())
        if asked in self.elsewhere:
            made_from = {name: told for name, told in made_from.items() if name not in ("input", "parts")}
        store = Store(target, key, made_from, nested, not isinstance(value, Items))
        stored = self.tasks.add(Work(store, stays=self.stays, takes_done=True, post=self.post), whole)
        if not isinstance(value, Items):
            return stored
        follows = Work(partial(after, nested), takes_done=True)
        return Items([self.tasks.add(follows, part, stored) for part in value.parts], value.make)

    def look_back(self, asked: Asked, depth: int) -> None:
        """Nothing has been computed yet."""

    def collection(self, obj: Any) -> Any:
        """Return a collection of dask for an object: a bag for a sequence in parts."""
        if hasattr(obj, "__next__") and self.is_known(obj):
            obj = self.items(obj)
        if isinstance(obj, Items):
            return self.tasks.bag([part if type(part) is Later else self._given(part) for part in obj.parts])
        if self.is_known(obj):
            obj = self._given(obj)
        return self.tasks.delayed(obj) if type(obj) is Later else obj

    def _given(self, obj: Any) -> Later:
        return self.tasks.add(Work(identity), obj)

    def _persisted(self, obj: Any) -> Any:
        import dask

        (held,) = dask.persist(self.collection(obj), scheduler=self.tasks.scheduler)
        return Items(self.tasks.partitions(held), obj.make) if isinstance(obj, Items) else held

    def _work(self, function: Callable[..., Any]) -> Work:
        digest = digest_of(function) if self.is_versioned else None
        return Work(function, digest, self.counts, self.stays, post=self.post)


def dask(
    transform: Transform, obj: Any, *, npartitions: int | None = None, client: Any = None, scheduler: Any = None
) -> Any:
    """Run a pipeline on dask and return its value: an engine.

    ``apply(s, x, engine=dask) == apply(s, x)``, and each finds the other's entries

    :param obj: any object, or a collection of dask.
    :param npartitions: how many parts a sequence is divided into.
    :param client: of ``distributed``; without it, dask's own rule says where the graph runs.
    :param scheduler: as dask's ``compute`` takes it, where there is no client.
    :raises StoreError: before anything runs, when the workers could not reach a target.
    :raises ModuleNotFoundError: without dask; names the extra to install.

    >>> from functools import partial
    >>> from flowly_ckpt import apply, chained
    >>> apply(chained(partial(map, abs), list), [-1, 2, -3], engine=dask)
    [1, 2, 3]

    See also: :func:`apply_to_local`, the same as a function; :func:`flowly_ckpt.dsk.apply`, which returns the graph.
    """
    graph = _graph(transform, obj, npartitions, client, scheduler)
    try:
        return graph.value(graph.lower(transform, obj))
    finally:
        if graph.post is not None:
            graph.post.close()


def apply(
    transform: Transform,
    obj: Any,
    rewrites: Sequence[Rewrite] = (),
    *,
    npartitions: int | None = None,
    client: Any = None,
    scheduler: Any = None,
) -> Any:
    """Apply a pipeline to a bag, or to another object, and return a collection of dask that has not been computed.

    ``apply(s, from_sequence(xs)).compute() == list(s(xs))`` where ``s(xs)`` is a sequence

    Transforms of items become tasks of the partitions, ``groupby`` and reductions one for each partition and one that
    joins them. Any other function gets all items of a bag in one list, as it does elsewhere; wrap one that may be given
    any part in ``per_partition``. It gets a table or an array of dask as it is.

    Where a checkpoint comes after something whose value is not known yet, that is computed, to look for the result.

    :param obj: a bag, delayed object, table or array of dask; of anything else, a sequence is divided.
    :param rewrites: passes, functions from transform to transform.
    :param npartitions: how many parts a sequence is divided into.
    :param client, scheduler: with which it is going to be computed, as :func:`dask` takes them.
    :return: a bag for a sequence in parts, else what the last step gave, or a delayed object.
    :raises StoreError: when the workers could not reach a target.

    >>> from dask.bag import from_sequence
    >>> from flowly_ckpt.pipelines import kv_valmap
    >>> apply(kv_valmap(abs), from_sequence([("a", -1)])).compute(scheduler="threads")
    [('a', 1)]

    See also: :func:`apply_to_local`.
    """

    def engine(transform: Transform, obj: Any) -> Any:
        graph = _graph(transform, obj, npartitions, client, scheduler)
        return graph.collection(graph.lower(transform, obj))

    return apply_here(transform, obj, rewrites, engine)


def apply_to_local(
    transform: Transform,
    obj: Any,
    rewrites: Sequence[Rewrite] = (),
    *,
    npartitions: int | None = None,
    client: Any = None,
    scheduler: Any = None,
) -> Any:
    """Apply a pipeline to an object of this process on dask, and return its value.

    ``apply_to_local(s, x, rewrites) == flowly_ckpt.apply(s, x, rewrites, engine=dask)``

    >>> from functools import partial
    >>> apply_to_local(partial(map, abs), [-1, 2, -3], npartitions=2).__next__()
    1

    See also: :func:`dask`, which says what the parameters are.
    """
    engine = partial(dask, npartitions=npartitions, client=client, scheduler=scheduler)
    return apply_here(transform, obj, rewrites, engine)


def _graph(transform: Transform, obj: Any, npartitions: int | None, client: Any, scheduler: Any) -> Graph:
    width = optional(whole, "npartitions", npartitions, 1) or _PARTS
    graph = Graph(scheduler if client is None else client, width, obj)
    graph.check(transform)
    return graph


def _plain(computed: Any) -> Any:
    return computed.value if type(computed) is Done else computed


def _listed(read: Read, obj: Any) -> list[Any]:
    return listed(obj, read)


def _piece(number: int, count: int, items: list[Any]) -> list[Any]:
    return items[len(items) * number // count : len(items) * (number + 1) // count]


def _digest(hasher: Any, obj: Any) -> str:
    return functional_hash(obj, hasher=hasher)
