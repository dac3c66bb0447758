"""Run a call of a task unless its result is there, and keep what it gives: ``recall`` with handles for values."""

from __future__ import annotations

import inspect
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from ..targets.recall import recall
from ..typing import Key
from .calling import Call, call_of
from .context import running
from .errors import StaleError, StaleWarning
from .naming import argument_digests
from .nesting import loaded
from .notes import PYTHON, Note, digest
from .stores import Held

if TYPE_CHECKING:
    from .wrapped import Task

__all__ = ["direct", "is_done", "keep", "run"]

Made = dict[str, Any]


def run(task: Task, call: Call) -> Any:
    """Return the store of a call, after running the function if nothing is there.

    >>> from flowly_ckpt.tasks import task
    >>> from flowly_ckpt.tasks.calling import call_of
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     distance = task(abs, target=f"{folder}/{{x}}.pkl")
    ...     run(distance, call_of(distance, (-3,), {})).load()
    3
    """
    if inspect.iscoroutinefunction(task.fn):
        return _run_async(task, call)
    key, made = key_of(task, call)
    return call.store if is_done(task, call, made) else keep(task, call, key, made, lambda: apply(task, call))


def direct(task: Task, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """Run the function as it is; where it saves its own output it may still ask for its target.

    >>> from flowly_ckpt.tasks import current_target, task
    >>> direct(task(lambda n: current_target(), target="{path}/{n}.txt"), (3,), {})
    'working/3.txt'
    """

    def place() -> str:
        return call_of(task, args, kwargs).store.loc

    async def later() -> Any:
        with running(place):
            return await task.fn(*task.first, *args, **kwargs)

    if inspect.iscoroutinefunction(task.fn):
        return later()
    with running(place):
        return task.fn(*task.first, *args, **kwargs)


def key_of(task: Task, call: Call) -> tuple[Key, Made]:
    """Return the key of a call, and what its result is made from."""
    if task.changed == "ignore":
        return (call.store.loc, task.name, ""), {}
    made: Made = {"python": PYTHON, "code": digest(task.fn), "arguments": argument_digests(call.arguments)}
    strict = Note(task.name, **made).text() if task.changed == "rerun" else ""
    return (call.store.loc, task.name, strict), made


def is_done(task: Task, call: Call, made: Made, stacklevel: int = 4) -> bool:
    """Tell whether the result of a call is there; report one that was made otherwise.

    :raises StaleError: for such a one, where the task was told ``changed="raise"``.

    >>> from flowly_ckpt.tasks import task
    >>> from flowly_ckpt.tasks.calling import call_of
    >>> is_done(task(abs), call_of(task(abs), (-3,), {}), {})
    False
    """
    if not task.handles.holds(call.store):
        return False
    found = task.handles.changes(call.store, Note(task.name, **made)) if made else ()
    if not found or task.changed == "rerun":
        return not found
    if task.changed == "raise":
        raise StaleError(call.store.loc, found)
    warnings.warn(str(StaleError(call.store.loc, found)), StaleWarning, stacklevel=stacklevel)
    return True


def apply(task: Task, call: Call) -> Any:
    """Run the function on what it was given, with what the stores among it hold."""
    with _told(task, call):
        return task.fn(*loaded(call.args), **loaded(call.kwargs))


@contextmanager
def _told(task: Task, call: Call) -> Iterator[None]:
    """Let the function know its target, and whoever sees it fail which task it was."""
    try:
        with running(lambda: call.store.loc):
            yield
    except Exception as error:
        error.add_note(f"in task {task.name}, which makes {call.store}")
        raise


def keep(task: Task, call: Call, key: Key, made: Made, compute: Callable[[], Any]) -> Any:
    """Compute and keep, once among threads and processes; hold in memory what could not be saved.

    >>> from flowly_ckpt.tasks import task
    >>> keep(task(abs, save=False), Call(Held("a", 0), (), {}, {}), ("a", "abs", ""), {}, lambda: 3)
    3
    """
    value = recall(task.handles, key, compute, made)
    if not task.save:
        return value
    if key in task.handles:
        return call.store
    return Held(call.store.loc, list(value) if isinstance(value, Iterator) else value)


async def _run_async(task: Task, call: Call) -> Any:
    import asyncio

    key, made = key_of(task, call)
    if is_done(task, call, made):
        return call.store
    place = (id(asyncio.get_running_loop()), key)
    flight = task.flights.get(place)
    if flight is None:
        flight = task.flights[place] = asyncio.ensure_future(_apply_async(task, call, key, made))
        flight.add_done_callback(lambda _: task.flights.pop(place, None))
    return await asyncio.shield(flight)  # who stops waiting does not stop the others


async def _apply_async(task: Task, call: Call, key: Key, made: Made) -> Any:
    with _told(task, call):
        value = await task.fn(*loaded(call.args), **loaded(call.kwargs))
    return keep(task, call, key, made, lambda: value)
