"""Tasks and flows on Prefect 3; imported only in the modes that ask for it."""

from __future__ import annotations

import copy
import inspect
from collections.abc import Callable, Mapping
from functools import wraps
from inspect import BoundArguments
from typing import TYPE_CHECKING, Any

from .calling import Call, call_of
from .context import known
from .errors import MissingPrefectError
from .futures import Done
from .keeping import is_done, key_of, run
from .nesting import replaced
from .skipped import skipped, skipped_type
from .stores import Held, Store

if TYPE_CHECKING:
    from .flows import Flow
    from .wrapped import Task

__all__: list[str] = []

_STORE = "flowly_store"  # on a future: where the result will be
_FOR_PREFECT = ("wait_for", "return_state")
_CACHING = ("cache_policy", "cache_key_fn", "cache_expiration", "persist_result", "result_storage_key")


def the_prefect(asked: str) -> Any:
    """Return the package Prefect.

    :raises MissingPrefectError: where it is not installed.
    """
    try:
        import prefect
    except ModuleNotFoundError as error:
        if error.name != "prefect":
            raise
        raise MissingPrefectError(asked) from error
    return prefect


def call_task(task: Task, asked: str, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> Any:
    """Run a task as a task run of Prefect, unless its result is there."""
    own, rest = _parted(task, kwargs)
    scheduled, done, args, own = _prepared(task, asked, args, own)
    if done is None:
        return scheduled(*args, **own, **rest)
    result = done.state if rest.get("return_state") else done.result()
    return _awaitable(result) if inspect.iscoroutinefunction(task.fn) else result


def submit_task(task: Task, asked: str, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> Any:
    """Submit a task to the flow's task runner, unless its result is there."""
    own, rest = _parted(task, kwargs)
    scheduled, done, args, own = _prepared(task, asked, args, own)
    if done is not None:
        return done.state if rest.get("return_state") else done
    future = scheduled.submit(*args, **own, **rest)
    place = getattr(scheduled, _STORE, None)
    if place is not None and not rest.get("return_state"):
        setattr(future, _STORE, place)  # so that what comes after can tell its own name before this one has run
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
        {name: _without_skipped(kwargs[name]) for name in rest},
    )


def _prepared(
    task: Task, asked: str, args: tuple[Any, ...], kwargs: dict[str, Any]
) -> tuple[Any, Any, tuple[Any, ...], dict[str, Any]]:
    """Return the Prefect task of a call, the future of a result that is there, and the arguments for Prefect."""
    the_prefect(asked)
    args, kwargs = _without_skipped(args), _without_skipped(kwargs)
    if asked == "prefect" or task.store is None:
        return _scheduled(task, task.fn, asked), None, args, kwargs
    places = _places(task, args, kwargs)
    call = call_of(task, places.args[len(task.first) :], places.kwargs)
    if task.skip and is_done(task, call, key_of(task, call)[1], stacklevel=5):
        return None, skipped(call.store), args, kwargs
    return _for_call(task.copy(first=()), call, asked), None, args, kwargs


def _without_skipped(value: Any) -> Any:
    """Put the results in place of futures that Prefect did not make."""
    return replaced(value, (skipped_type(), Done), lambda future: future.result())


def _places(task: Task, args: tuple[Any, ...], kwargs: dict[str, Any]) -> BoundArguments:
    """Bind the arguments, with the stores futures will give in place of them.

    What the future of another's task gives is known only when it is done: it is waited for only where the template
    needs it, and else counts as not to be told.
    """
    from prefect.futures import PrefectFuture

    def place(needed: bool) -> Callable[[Any], Any]:
        def of(future: Any) -> Any:
            store = getattr(future, _STORE, None)
            return store if store is not None else future.result() if needed else Held("", None)

        return of

    bound = task.signature.bind(*args, **kwargs)
    for name, value in bound.arguments.items():
        bound.arguments[name] = replaced(value, PrefectFuture, place(name in task.target.names))
    return bound


def _for_call(task: Task, call: Call, asked: str) -> Any:
    """Return a Prefect task for one call: its place and its name are those of the moment it was submitted."""
    made = copy.copy(_scheduled(task, _body(task, call.store), asked))
    made.fn = _body(task, call.store)
    setattr(made, _STORE, call.store)
    if task.name_template is not None:
        name = task.name_template.fill(known(call.arguments, funcname=task.name, **task.fixed))
        made.task_run_name = lambda: name
    return made


def _body(task: Task, store: Store) -> Callable[..., Any]:
    """Return what Prefect runs: the function, with its result kept at a place fixed beforehand."""
    if inspect.iscoroutinefunction(task.fn):

        @wraps(task.fn)
        async def body_async(*args: Any, **kwargs: Any) -> Any:
            return await run(task, call_of(task, args, kwargs)._replace(store=store))

        return body_async

    @wraps(task.fn)
    def body(*args: Any, **kwargs: Any) -> Any:
        return run(task, call_of(task, args, kwargs)._replace(store=store))

    return body


def _scheduled(task: Task, fn: Callable[..., Any], asked: str) -> Any:
    made = task.scheduled.get(asked)
    if made is None:
        options = dict(task.options)
        options.setdefault("name", task.name)
        if asked == "prefect.cache" and not any(name in options for name in _CACHING):
            from prefect.cache_policies import NO_CACHE

            options["cache_policy"] = NO_CACHE  # the file is the cache
        prefect = the_prefect(asked)
        taken = inspect.signature(prefect.Task.__init__).parameters
        made = prefect.task(**{name: value for name, value in options.items() if name in taken})(fn)
        task.scheduled[asked] = made
    return made


async def _awaitable(value: Any) -> Any:
    return value
