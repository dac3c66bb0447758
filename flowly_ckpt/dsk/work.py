"""The tasks of a graph: a function with what it needs, run wherever the scheduler wants it."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Any, NamedTuple

from ..errors import StoreError
from ..events import Sink, watching
from ..logs import WARNING, heard
from ..lowering.versions import opened
from ..passes.relays import relayed
from ..pipelines.names import unlocated
from ..targets.bulk import keep
from ..targets.materialise import Materialised, UnstorableError, materialise
from ..typing import Facts, Key, Target
from .post import Post, send

__all__ = ["Done", "Given", "Sent", "Store", "Work", "after", "last", "plain", "run"]


class Given:
    """Hold a value that a graph passes on as it is, without looking for collections in it.

    A graph may be computed more than once: of an iterator the items are held, and each time there is a new one.

    >>> given = Given(iter([1]))
    >>> list(given.value), list(given.value)
    ([1], [1])
    """

    __slots__ = ("_held",)

    def __init__(self, value: Any) -> None:
        try:
            self._held = materialise(value)
        except UnstorableError:
            self._held = value  # an endless iterator, say: it is what its reader makes of it

    @property
    def value(self) -> Any:
        """The value."""
        return iter(self._held) if type(self._held) is Materialised else self._held


class Done(NamedTuple):
    """Hold what a task on the way to a checkpoint gave.

    :param value: the result.
    :param seconds: how long it took to compute, with what it was computed from.
    :param is_same: whether the code that ran is what the key was made from.

    >>> Done(6, 0.5, True).value
    6
    """

    value: Any
    seconds: float
    is_same: bool


class Work:
    """A function to be run by a task.

    :param function: applied to the results that the task depends on.
    :param digest: of what the function does where the graph was built.
    :param counts: whether it is on the way to a checkpoint, so that its result is ``Done``.
    :param stays: why it must not leave the process that built the graph, if it must not.
    :param takes_done: whether the function takes ``Done`` as it is.
    :param post: what receives the events of the task, where it runs on a cluster.

    >>> run(Work(max), Given(1), Done(2, 0.5, True))
    2
    """

    is_same = True

    def __init__(
        self,
        function: Callable[..., Any],
        digest: str | None = None,
        counts: bool = False,
        stays: str = "",
        takes_done: bool = False,
        post: Post | None = None,
    ) -> None:
        self.function, self.digest, self.counts = function, digest, counts
        self.stays, self.takes_done, self.post = stays, takes_done, post
        self.sinks = watching.get()  # of this process, where it runs in it
        self._packed: Sent | None = None

    def __reduce__(self) -> Any:
        if self.stays:
            raise StoreError(self.stays)
        if self._packed is None:  # once for the tasks of all parts
            options = self.digest, self.counts, self.takes_done
            if self.post is None:
                self._packed = Sent(_dumped(self.function), *options, "", ())
            else:
                sinks = self.post.sinks
                self._packed = Sent(sinks.dumped(self.function), *options, self.post.topic, sinks.places(self.sinks))
        return self._packed.__reduce__()

    def opened(self) -> Work:
        """Return the work itself."""
        return self

    def watched(self) -> AbstractContextManager[Any]:
        """Have the sinks watch what runs."""
        return _watched(self.sinks)


class Sent:
    """Hold work on its way to a worker: whoever passes it on, as a scheduler does, need not have what it is made of.

    :param packed: the function.
    :param topic: where its events are sent, if anywhere.
    :param places: of the sinks that watch where it comes from.

    >>> from pickle import dumps, loads
    >>> run(loads(dumps(Work(abs))), Given(-1))
    1
    """

    def __init__(
        self, packed: bytes, digest: str | None, counts: bool, takes_done: bool, topic: str, places: tuple[int, ...]
    ) -> None:
        self.packed, self.digest, self.counts, self.takes_done = packed, digest, counts, takes_done
        self.topic, self.places = topic, places

    def __reduce__(self) -> Any:
        return Sent, (self.packed, self.digest, self.counts, self.takes_done, self.topic, self.places)

    def opened(self) -> Work:
        """Return the work."""
        function, is_same = opened(self.packed, self.digest)
        work = Work(function, self.digest, self.counts, takes_done=self.takes_done)
        work.is_same = is_same
        return work

    @contextmanager
    def watched(self) -> Iterator[None]:
        """Send what happens to where the work comes from."""
        if not self.topic:
            with _watched(()):
                yield
            return
        with relayed(self.places) as events:
            try:
                yield
            finally:
                send(self.topic, events)


@contextmanager
def _watched(sinks: tuple[Sink, ...]) -> Iterator[None]:
    token = watching.set(sinks)
    try:
        yield
    finally:
        watching.reset(token)


def run(work: Work | Sent, *args: Any) -> Any:
    """Run a task.

    >>> run(Work(abs, counts=True), Given(-1)).value
    1
    """
    with work.watched():
        return _ran(work.opened(), [arg.value if type(arg) is Given else arg for arg in args])


def _ran(work: Work, given: list[Any]) -> Any:
    if work.takes_done:
        return work.function(*given)
    values = [plain(arg) for arg in given]
    start = time.perf_counter()
    try:
        value = work.function(*values)
    except Exception as error:
        unlocated(error)
        raise
    value = _shared(value)
    if not work.counts:
        return value
    before = [arg for arg in given if type(arg) is Done]
    seconds = time.perf_counter() - start + sum(done.seconds for done in before)
    return Done(value, seconds, work.is_same and all(done.is_same for done in before))


class Store:
    """Store the result at a checkpoint, on the worker where it is.

    :param nested: whether this is itself on the way to a checkpoint, so that the result stays ``Done``.
    :param returns: whether the result is needed where this one is.

    >>> target = {}
    >>> Store(target, ("object", "tag", "transform"), {}, False, True)(Done(6, 0.5, True)), len(target)
    (6, 1)
    """

    def __init__(self, target: Target, key: Key, made_from: dict[str, Any], nested: bool, returns: bool) -> None:
        self.target, self.key, self.made_from = target, key, made_from
        self.nested, self.returns = nested, returns

    @property
    def __name__(self) -> str:
        """The name of the task."""
        return f"store-{self.key[1]}"

    def __call__(self, done: Done) -> Any:
        """Store what is done; return it where it is needed."""
        if done.is_same:
            facts = Facts(done.seconds, self.made_from)
            done = done._replace(value=_shared(keep(self.target, self.key, plain(done), facts)))
        else:
            text = "not stored at %r (key %s): a worker that computed it has another version of the code"
            if log := heard(WARNING):
                log.warning(text, self.key[1], self.key)
        if not self.returns:
            return None
        return done if self.nested else done.value


def last(work: Work | Sent, *args: Any) -> Any:
    """Run the task whose result is asked for.

    >>> next(last(Work(iter), Given([1])))
    1
    """
    return plain(run(work, *args))


def plain(result: Any) -> Any:
    """Return what a task gave as those get it who do not ask how.

    >>> plain(Done(6, 0.5, True)), plain(6)
    (6, 6)
    """
    value = result.value if type(result) is Done else result
    return value.value if type(value) is Given else value


def _shared(value: Any) -> Any:
    """Hold the items of an iterator, so that each task that depends on it gets all of them."""
    return Given(value) if hasattr(value, "__next__") else value


def after(nested: bool, part: Any, stored: Any) -> Any:
    """Return a part of a sequence once the sequence is stored.

    >>> after(False, Done([1], 0.5, True), None)
    [1]
    """
    return part.value if type(part) is Done and not nested else part


def _dumped(obj: Any) -> bytes:
    import cloudpickle

    packed: bytes = cloudpickle.dumps(obj)
    return packed
