"""Report what each step and checkpoint did to sinks: the one pass behind progress, timing and logging."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Iterator, Sequence, Sized
from contextlib import AbstractContextManager, contextmanager
from contextvars import ContextVar
from pathlib import PurePath
from typing import Any, Self

from .. import given
from ..events import Event, Sink, clock, report, watching
from ..pipelines import name_of, role
from ..pipelines.awaiting import is_async
from ..pipelines.bases import Around
from ..pipelines.mapping import mapped_by
from ..pipelines.strategies import fold
from ..pipelines.term import with_children
from ..typing import Transform

__all__ = ["Event", "Observation", "Sink", "Watched", "mapped", "observe", "observed", "watched"]


made: Any = tuple.__new__


class Watched(Around):
    """Base class of what changes neither a transform nor its hash, and reports to sinks.

    >>> Watched([print], abs).name
    'abs'
    """

    __slots__ = ("name", "sinks")

    def __init__(self, sinks: Sequence[Sink], transform: Transform) -> None:
        self.sinks = tuple(sinks)
        self.transform = transform
        self.name = name_of(transform)

    def _arguments(self) -> tuple[Any, ...]:
        return (self.sinks,)


class observed(Watched):
    """Apply a transform and report to sinks how it went.

    ``observed(sinks, f)(x) == f(x)``, and both have one hash

    >>> events = []
    >>> observed([events.append], abs)(-5)
    5
    >>> [(event.kind, event.step) for event in events]
    [('start', 'abs'), ('run', 'abs')]

    See also: :func:`observe`.
    """

    __slots__ = ("begun",)
    of = "step"

    def __init__(self, sinks: Sequence[Sink], transform: Transform) -> None:
        super().__init__(sinks, transform)
        self.begun = Event(self.name, 0.0, None, "start", self.of)

    def __call__(self, obj: Any) -> Any:
        report(self.sinks, self.begun)
        mine = clock.__dict__  # of this thread
        outer = mine["inner"] if mine else 0.0
        mine["inner"] = 0.0
        start = time.perf_counter()
        try:
            result = self.transform(obj)
        except BaseException as error:
            self.ended(time.perf_counter() - start, mine, outer, error, "failed")
            raise
        self.ended(time.perf_counter() - start, mine, outer, None, "run")
        return result

    async def __flowly_await__(self, obj: Any, run: Callable[[Transform, Any], Awaitable[Any]]) -> Any:
        if not is_async(self.transform):
            return await run(self.__call__, obj)
        report(self.sinks, self.begun)
        start = time.perf_counter()
        error: BaseException | None = None
        try:
            return await run(self.transform, obj)
        except BaseException as raised:
            error = raised
            raise
        finally:
            # What else the loop ran meanwhile is in its seconds: they are its own as far as can be said.
            seconds, kind = time.perf_counter() - start, "run" if error is None else "failed"
            report(self.sinks, Event(self.name, seconds, error, kind, self.of, seconds))

    @contextmanager
    def __flowly_around__(self) -> Iterator[None]:
        """Report how the transform went, where it is applied to many items together.

        A call does the same without a context, which takes longer than all the rest.
        """
        report(self.sinks, self.begun)
        mine = clock.__dict__
        outer = mine.get("inner", 0.0)
        mine["inner"] = 0.0
        start = time.perf_counter()
        try:
            yield
        except BaseException as error:
            self.ended(time.perf_counter() - start, mine, outer, error, "failed")
            raise
        self.ended(time.perf_counter() - start, mine, outer, None, "run")

    def ended(self, seconds: float, mine: dict[str, float], outer: float, error: Any, kind: str) -> None:
        own = seconds - mine["inner"]
        mine["inner"] = outer + seconds
        # Not Event(…), which takes longer than all the rest.
        report(self.sinks, made(Event, (self.name, seconds, error, kind, self.of, own, None, None, None)))


class _item(observed):
    """Report on an item of a mapping."""

    __slots__ = ()
    of = "item"


class mapped(Watched):
    """Report how many items a mapping has, and when the last of them has been drawn.

    >>> from functools import partial
    >>> events = []
    >>> list(mapped([events.append], partial(map, abs))([-1, 2])), [(event.kind, event.total) for event in events]
    ([1, 2], [('start', 2), ('run', 2)])
    """

    __slots__ = ()

    def __call__(self, items: Any) -> Any:
        return self.transform(self.counted(iter(items), len(items) if isinstance(items, Sized) else None))

    def counted(self, items: Iterator[Any], total: int | None) -> Iterator[Any]:
        with self.told(total):
            yield from items

    @contextmanager
    def told(self, total: int | None) -> Iterator[None]:
        """Report that the items are begun, and that they are done."""
        report(self.sinks, Event(self.name, 0.0, None, "start", "map", total=total))
        start = time.perf_counter()
        yield
        report(self.sinks, Event(self.name, time.perf_counter() - start, None, "run", "map", total=total))


class watched(Watched):
    """Have sinks watch all that happens while a pipeline runs.

    >>> events = []
    >>> watched([events.append], abs)(-5), [(event.of, event.kind) for event in events]
    (5, [('run', 'start'), ('run', 'run')])
    """

    __slots__ = ()

    def __call__(self, obj: Any) -> Any:
        with _watch(self.sinks, self.name):
            return self.transform(obj)

    async def __flowly_await__(self, obj: Any, run: Callable[[Transform, Any], Awaitable[Any]]) -> Any:
        with _watch(self.sinks, self.name):
            return await run(self.transform, obj)


@contextmanager
def _watch(sinks: Sequence[Sink], name: str) -> Iterator[None]:
    outer = watching.get()
    fresh = [sink for sink in sinks if sink not in outer]
    if not fresh:
        yield  # they watch what is around this, too
        return
    token = watching.set((*outer, *fresh))
    report(fresh, Event(name, 0.0, None, "start", "run"))
    start = time.perf_counter()
    error: BaseException | None = None
    try:
        yield
    except BaseException as raised:
        error = raised
        raise
    finally:
        watching.reset(token)
        kind = "run" if error is None else "failed"
        report(fresh, Event(name, time.perf_counter() - start, error, kind, "run"))


_entered: ContextVar[tuple[AbstractContextManager[None], ...]] = ContextVar("flowly_ckpt_entered", default=())


class Observation:
    """Have sinks watch a pipeline, as a pass, or whatever runs in a ``with`` block.

    >>> from flowly_ckpt.targets.recall import recall
    >>> events = []
    >>> with observe(events.append):
    ...     recall({}, ("a", "fit", "f"), lambda: 6)
    6
    >>> [(event.of, event.kind) for event in events]
    [('run', 'start'), ('checkpoint', 'start'), ('checkpoint', 'stored'), ('run', 'run')]

    See also: :func:`observe`.
    """

    __flowly_pass__ = True  # so that `[observe]` without a sink is told

    def __init__(self, sinks: Sequence[Sink]) -> None:
        self.sinks = tuple(sinks)

    def __repr__(self) -> str:
        return f"observe({', '.join(map(repr, self.sinks))})"

    def __call__(self, transform: Transform) -> Transform:
        """Return the transform with every step, item and mapping reported; marks stay as they are."""
        return transform if role(transform) == "mark" else watched(self.sinks, fold(self._leaf, self._inner, transform))

    def _leaf(self, term: Transform) -> Transform:
        return observed(self.sinks, term) if role(term) == "leaf" else term  # neither a mark nor a chain of nothing

    def _inner(self, term: Transform, old: Sequence[Transform], new: Sequence[Transform]) -> Transform:
        if mapped_by(term) is not None:
            return mapped(self.sinks, with_children(term, old, [_item(self.sinks, new[0])]))
        return with_children(term, old, new)

    def __enter__(self) -> Self:
        watch = _watch(self.sinks, "")
        watch.__enter__()
        _entered.set((*_entered.get(), watch))
        return self

    def __exit__(self, *error: Any) -> None:
        *outer, watch = _entered.get()
        _entered.set(tuple(outer))
        watch.__exit__(*error)


def observe(*sinks: Sink) -> Observation:
    """Return a pass that reports what happens to every step, item and checkpoint to sinks.

    ``observe(sink)(s)(x) == s(x)``

    It is a context manager too, for calls, tasks and recipes: then checkpoints report, and steps do not.

    :param sinks: each called with every :class:`Event`; one that fails is warned of.
    :raises TypeError: without a sink, for a class of sinks, and for a sink that cannot be called.

    >>> from flowly_ckpt.pipelines import chained
    >>> events = []
    >>> observe(events.append)(chained(abs, float))(-5)
    5.0
    >>> [event.step for event in events if (event.of, event.kind) == ("step", "run")]
    ['abs', 'float']

    See also: :func:`flowly_ckpt.engines.apply`, whose ``rewrites`` it goes into; :func:`progress`, :class:`Timings`,
    :func:`log_to`, :func:`jsonl` and :func:`spans`, the sinks of this package.
    """
    if not sinks:
        raise TypeError("observe: no sink is given; write observe(Timings()), or any function of an event")
    for sink in sinks:
        given.made("observe: sink", sink, "a function of an event")
        if not callable(sink):
            is_path = isinstance(sink, (str, PurePath))
            hint = f"for a file write jsonl({str(sink)!r})" if is_path else "for a list write events.append"
            raise TypeError(f"observe: sink must be a function of an event, got {sink!r:.60}; {hint}")
    return Observation(sinks)
