"""Tasks and flows on Prefect 3; imported only in the modes that ask for it."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from .submission import STORE, prepared, the_prefect, without_skipped

if TYPE_CHECKING:
    from .flows import Flow
    from .wrapped import Task

__all__: list[str] = []

_FOR_PREFECT = ("wait_for", "return_state")


def call_task(task: Task, asked: str, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> Any:
    """Run a task as a task run of Prefect, unless its result is there."""
    own, rest = _parted(task, kwargs)
    scheduled, done, args, own = prepared(task, asked, args, own)
    if done is None:
        return scheduled(*args, **own, **rest)
    result = done.state if rest.get("return_state") else done.result()
    return _awaitable(result) if inspect.iscoroutinefunction(task.fn) else result


def submit_task(task: Task, asked: str, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> Any:
    """Submit a task to the flow's task runner, unless its result is there."""
    own, rest = _parted(task, kwargs)
    scheduled, done, args, own = prepared(task, asked, args, own)
    if done is not None:
        return done.state if rest.get("return_state") else done
    future = scheduled.submit(*args, **own, **rest)
    place = getattr(scheduled, STORE, None)
    if place is not None and not rest.get("return_state"):
        setattr(future, STORE, place)  # so that what comes after can tell its own name before this one has run
    return future


def futures_of(futures: list[Any]) -> Any:
    """Return futures in Prefect's own list of them."""
    from prefect.futures import PrefectFutureList

    return PrefectFutureList(futures)


def flow_of(flow: Flow, asked: str) -> Any:
    """Return the Prefect flow of a function."""
    made = flow.scheduled.get(asked)
    if made is None:
        made = flow.scheduled[asked] = the_prefect(asked).flow(**flow.options)(flow.fn)
    return made


def _parted(task: Task, kwargs: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    rest = {name for name in _FOR_PREFECT if name in kwargs and name not in task.signature.parameters}
    return (
        {name: value for name, value in kwargs.items() if name not in rest},
        {name: without_skipped(kwargs[name]) for name in rest},
    )


async def _awaitable(value: Any) -> Any:
    return value
