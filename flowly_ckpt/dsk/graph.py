"""The graph of dask that a pipeline is lowered to."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

from toolz import identity

from ..checkpoint.mark import marks_in
from ..checkpoint.stages import Asked, Stage
from ..events import watching
from ..hashing import functional_hash
from ..lowering import Items, Parallel
from ..lowering.itemwise import Read, listed
from ..lowering.versions import digest_of
from ..passes.observe import Watched
from ..pipelines import walk
from ..pipelines.combinators import assembled
from ..pipelines.names import place_of
from ..targets.bulk import size_about
from ..targets.facts import Entry
from ..targets.protocol import as_target, described
from ..targets.reachable import check_reachable, is_reachable
from ..typing import Key, Target, Transform
from .post import Post
from .tasks import Later, Tasks
from .work import Store, Work, after, plain

__all__ = ["PARTS", "Graph"]

PARTS = 100
_LARGE = 16_000_000  # bytes; stored results of that size do not pass through this process


class Graph(Parallel):
    """Lower a pipeline to a graph; what is not known yet is a collection of dask.

    :param scheduler: as dask's ``compute`` takes it; without it, the one that dask would use.
    :param width: how many parts a sequence is divided into.

    >>> graph = Graph("threads")
    >>> graph.value(graph.lower(abs, -1))
    1
    """

    def __init__(self, scheduler: Any = None, width: int = PARTS, obj: Any = None) -> None:
        self.tasks = Tasks(scheduler, obj)
        self.width = width
        self.counts = False  # whether what is built is on the way to a checkpoint
        self.stays = ""
        self.stored: dict[Any, tuple[Asked, int]] = {}  # by the tasks that read stored results
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

    def assembled(self, term: Transform, obj: Any, given: Any, results: Sequence[Any]) -> Any:
        """Return what a combinator makes of an object; what shows itself as an iterator is read by one, in turn."""
        if type(obj) is not Later:
            return super().assembled(term, obj, given, results)
        iterator = self.tasks.add(Work(_iterator), obj)
        return self.call(partial(_assembled, term), iterator, given, *results)

    def notes(self, chain: Transform, places: Sequence[int]) -> Sequence[str]:
        return [place_of(chain, place) for place in places]

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
        if isinstance(obj, Later) and obj.key in self.stored:
            return self._read(obj)
        if not isinstance(obj, Items):
            return plain(self.tasks.computed([self.tasks.later(obj)])[0])
        computed = iter(self.tasks.computed([part for part in obj.parts if self.tasks.is_later(part)]))
        parts = [plain(next(computed)) if self.tasks.is_later(part) else part for part in obj.parts]
        return obj.make([item for part in parts for item in part])

    def restored(self, stages: Sequence[Stage], obj: Any) -> tuple[Asked, int, Any]:
        """Hash what is not known yet where it is; it is computed for that, and kept for what follows.

        A large result is left to the workers, which read it where they need it.
        """
        if self.is_known(obj):
            asked = Asked(stages, obj)
            depth = self._left(asked)
            if depth < 0:
                value, depth = asked.restored()
                return asked, depth, value
            later = self.call(stages[depth].wrapper, obj)
            self.stored[later.key] = asked, depth
            return asked, depth, later
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

    def _read(self, later: Later) -> Any:
        """Read a stored result here, where its value is asked for; compute it where it is gone meanwhile."""
        asked, depth = self.stored[later.key]
        value, found = asked.restored()
        return value if found == depth else plain(self.tasks.computed([later])[0])

    def _left(self, asked: Asked) -> int:
        """Return the depth of the last stored result if it is to be read by workers, else -1."""
        if self.tasks.client is None or size_about(asked.obj) >= _LARGE:
            return -1  # what is asked about is sent along, for a worker that does not find the result
        for depth in reversed(range(len(asked.stages))):
            entry = _entry(asked.stages[depth].wrapper.checkpoint.target, asked.keyed[depth].key)
            if entry is not None:
                return depth if entry.size >= _LARGE else -1
        return -1

    def _persisted(self, obj: Any) -> Any:
        import dask

        (held,) = dask.persist(self.collection(obj), scheduler=self.tasks.scheduler)
        return Items(self.tasks.partitions(held), obj.make) if isinstance(obj, Items) else held

    def _work(self, function: Callable[..., Any]) -> Work:
        digest = digest_of(function) if self.is_versioned else None
        return Work(function, digest, self.counts, self.stays, post=self.post)


def _entry(target: Target, key: Key) -> Entry | None:
    try:
        return as_target(target).entry(key)
    except Exception:  # noqa: BLE001  the look-up that follows says what is wrong
        return None


def _iterator(obj: Any) -> Any:
    return obj if hasattr(obj, "__next__") else None


def _assembled(term: Transform, iterator: Any, given: Any, *results: Any) -> Any:
    return assembled(term, given, *results) if iterator is None else term(iterator)


def _listed(read: Read, obj: Any) -> list[Any]:
    return listed(obj, read)


def _piece(number: int, count: int, items: list[Any]) -> list[Any]:
    return items[len(items) * number // count : len(items) * (number + 1) // count]


def _digest(hasher: Any, obj: Any) -> str:
    return functional_hash(obj, hasher=hasher)
