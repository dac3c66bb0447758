"""The engine for pipelines with ``async def`` steps: the same values, keys and entries as in a pipeline without.

A row of the table says how a type of transform is awaited; a type of one's own may have the method
``__flowly_await__(obj, run)``, where ``await run(transform, obj)`` gives what one of its children gives. Any other type
runs in a thread, where its children are functions that wait for the event loop.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Coroutine, Iterable, Iterator, Sequence
from concurrent.futures import CancelledError, Future
from contextlib import suppress
from contextvars import copy_context
from functools import partial
from typing import Any

import toolz

from .checkpoint.stages import Asked, look_back, stages_of
from .checkpoint.wrapper import with_checkpoint
from .dispatch import Dispatch
from .engines import apply
from .given import whole
from .pipelines import attempt, children, each, name_of, rebuild, role, walk
from .pipelines.awaiting import is_async
from .pipelines.combinators import SIDE_BY_SIDE, assembled
from .pipelines.mapping import mapped_by
from .pipelines.names import locate
from .targets.materialise import materialise
from .targets.recall import recall_async
from .typing import Engine, Rewrite, Transform

__all__ = ["aapply", "at_most", "awaited"]

Run = Callable[[Transform, Any], Coroutine[Any, Any, Any]]
Row = Callable[[Any, Any, Run], Coroutine[Any, Any, Any]]
rows: Dispatch[Row | None] = Dispatch(lambda kind: getattr(kind, "__flowly_await__", None))


async def aapply(transform: Transform, obj: Any, rewrites: Sequence[Rewrite] = (), engine: Engine | None = None) -> Any:
    """Rewrite a pipeline with passes, from left to right, and await its steps.

    ``await aapply(s, x, ps) == apply(s, x, ps)`` where no step is ``async``

    What a checkpoint stores is what was awaited. Tasks that need one key share one computation, and what is cancelled
    stores nothing. Branches, and the items of a ``map`` over an ``async`` function, are awaited together.

    :param transform: a pipeline; a step may be ``async def``, or return something to await.
    :param obj: what it is applied to.
    :param rewrites: passes, functions from transform to transform.
    :param engine: :func:`awaited`, or :func:`at_most` of them.
    :return: the pipeline's value.

    >>> import asyncio
    >>> from flowly_ckpt import add_checkpoints, chained, checkpoint
    >>> async def fetch(n):
    ...     await asyncio.sleep(0)
    ...     return [n, n + 1]
    >>> results = {}
    >>> asyncio.run(aapply(chained(fetch, checkpoint(results), sum), 1, [add_checkpoints]))
    3
    >>> list(results.values())
    [[1, 2]]

    See also: :func:`flowly_ckpt.engines.apply`.
    """
    return await apply(transform, obj, rewrites, engine or awaited)


async def awaited(transform: Transform, obj: Any) -> Any:
    """Run a pipeline here, and await what its steps return; an engine that gives a coroutine.

    ``await awaited(s, x) == local(s, x)`` where no step is ``async``

    >>> import asyncio
    >>> asyncio.run(awaited(abs, -5))
    5

    See also: :func:`aapply`.
    """
    return await _run(transform, obj, awaited, _called)


def at_most(count: int) -> Engine:
    """Return an engine that awaits at most so many steps at once.

    ``await at_most(n)(s, x) == await awaited(s, x)``

    :raises ValueError: for less than one.

    >>> import asyncio
    >>> asyncio.run(aapply(abs, -5, engine=at_most(8)))
    5
    """
    count = whole("at_most: count", count, 1)

    async def engine(transform: Transform, obj: Any) -> Any:
        places = asyncio.Semaphore(count)

        async def call(leaf: Transform, obj: Any) -> Any:
            async with places:
                return await _called(leaf, obj)

        async def run(transform: Transform, obj: Any) -> Any:
            return await _run(transform, obj, run, call)

        return await run(transform, obj)

    return engine


async def _run(transform: Transform, obj: Any, run: Run, call: Run) -> Any:
    row = _over_items if mapped_by(transform) is not None else rows[type(transform)]
    if row is not None:
        return await row(transform, obj, run)
    if role(transform) == "sequential":
        return await _follow(transform, children(transform), obj, run)
    is_whole = not children(transform) or is_async(transform) or not _awaits(transform)
    return await (call if is_whole else partial(_in_thread, run=run))(transform, obj)


async def _called(leaf: Transform, obj: Any) -> Any:
    result = leaf(obj)
    return await result if hasattr(type(result), "__await__") else result


async def _follow(owner: Transform, funcs: Sequence[Transform], obj: Any, run: Run, start: int = 0) -> Any:
    index = start
    try:
        for func in funcs[start:]:
            obj = await run(func, obj)
            index += 1
    except Exception as error:
        locate(error, owner, index)
        raise
    return obj


@rows.register(with_checkpoint)
async def _restored(wrapper: with_checkpoint, obj: Any, run: Run) -> Any:
    """Return the outermost stored result, or await what is missing after it, as calling the wrapper does."""
    stages = stages_of(wrapper)
    asked = Asked(stages, obj)
    value, depth = asked.restored()
    for position in range(depth + 1, len(stages)):
        stage = stages[position]

        async def compute(stage: Any = stage, value: Any = value) -> Any:
            if role(stage.chain) == "sequential":
                return await _follow(stage.chain, stage.parts, value, run, stage.start)
            return value if stage.start else await run(stage.chain, value)

        target, key, _, made_from = asked.missing(position, value)
        value = await recall_async(target, key, compute, made_from)
    if depth + 1 < len(stages):
        look_back(stages, asked.keyed, asked.before, obj, depth + 1)
    return value


@rows.exact(*SIDE_BY_SIDE, toolz.juxt)
async def _beside(transform: Transform, obj: Any, run: Run) -> Any:
    """Await the branches together; what they gave is put together by the combinator itself."""
    if not _awaits(transform):
        return transform(obj)
    return assembled(transform, obj, *await _together(run(part, obj) for part in children(transform)))


async def _over_items(mapped: Any, items: Any, run: Run) -> Any:
    if not _awaits(mapped.args[0]):
        return mapped(items)  # as lazily as ever
    return iter(await _together(run(mapped.args[0], item) for item in materialise(items)))


@rows.exact(attempt, each)
async def _listed(mapped: Any, items: Any, run: Run) -> Any:
    """Await the items together; the combinator itself learns how each ended, and reports it as it always does."""
    if not _awaits(mapped.func):
        return mapped(items)
    kept = list(materialise(items))
    when = asyncio.ALL_COMPLETED if isinstance(mapped, attempt) else asyncio.FIRST_EXCEPTION
    tasks = await _ended((run(mapped.func, item) for item in kept), when)
    if isinstance(mapped, attempt) or not any(_has_failed(task) for task in tasks):
        for task in tasks:
            if task.cancelled():
                task.result()
    ended = iter(tasks)

    def again(item: Any) -> Any:
        task = next(ended)
        return None if task.cancelled() else task.result()

    return rebuild(mapped, [again])(kept)


def _awaits(transform: Transform) -> bool:
    return any(map(_is_awaited, walk(transform)))


def _is_awaited(term: Any) -> bool:
    return is_async(getattr(term, "func", term)) or (hasattr(type(term), "__flowly_await__") and not children(term))


async def _together(coroutines: Iterable[Coroutine[Any, Any, Any]]) -> list[Any]:
    """Await several; when one fails, the others are cancelled, and the error of the first in their order is raised."""
    tasks = await _ended(coroutines, asyncio.FIRST_EXCEPTION)
    for task in tasks:
        if _has_failed(task):
            task.result()
    return [task.result() for task in tasks]


async def _ended(coroutines: Iterable[Coroutine[Any, Any, Any]], when: str) -> list[asyncio.Task[Any]]:
    """Await several until it is time, and cancel the others."""
    tasks: list[asyncio.Task[Any]] = []
    try:
        for coroutine in coroutines:
            tasks.append(asyncio.ensure_future(coroutine))
        if tasks:
            await asyncio.wait(tasks, return_when=when)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
    return tasks


def _has_failed(task: asyncio.Task[Any]) -> bool:
    return not task.cancelled() and task.exception() is not None


class _Stopped(BaseException):
    """Raised in the thread of a combinator whose run was cancelled."""


async def _in_thread(transform: Transform, obj: Any, run: Run) -> Any:
    """Run a combinator in a thread of its own, where its children are functions that wait for the event loop."""
    loop = asyncio.get_running_loop()
    outcome: asyncio.Future[tuple[Any, BaseException | None]] = loop.create_future()
    under_way: list[Future[Any]] = []

    def waiting(part: Transform) -> Transform:
        def call(obj: Any) -> Any:
            if outcome.done():
                raise _Stopped
            future = asyncio.run_coroutine_threadsafe(run(part, obj), loop)
            under_way.append(future)
            if outcome.done():  # it was cancelled just now
                future.cancel()
            try:
                return future.result()
            except CancelledError:
                raise _Stopped from None
            finally:
                under_way.remove(future)

        call.__qualname__ = name_of(part)
        return call

    def end(value: Any, error: BaseException | None) -> None:
        if isinstance(error, _Stopped):
            outcome.cancel()
        elif not outcome.done():
            outcome.set_result((value, error))

    def work() -> None:
        value, error = None, None
        try:
            value = rebuild(transform, [waiting(part) for part in children(transform)])(obj)
            value = iter(list(value)) if isinstance(value, Iterator) else value
        except BaseException as raised:  # noqa: BLE001  it is raised where it is awaited
            error = raised
        if not outcome.done():
            with suppress(RuntimeError):  # the loop has been closed meanwhile
                loop.call_soon_threadsafe(end, value, error)

    threading.Thread(target=copy_context().run, args=(work,), daemon=True, name=f"awaits {name_of(transform)}").start()
    try:
        value, error = await outcome
    finally:
        for future in list(under_way):
            future.cancel()
    if error is not None:
        raise error
    return value
