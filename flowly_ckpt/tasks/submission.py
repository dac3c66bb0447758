"""One call of a task as Prefect runs it: its place and name fixed at the moment it is submitted."""

from __future__ import annotations

import copy
import inspect
from collections.abc import Callable
from functools import wraps
from inspect import BoundArguments
from typing import TYPE_CHECKING, Any

from .calling import Call, call_of
from .context import known
from .errors import MissingPrefectError
from .futures import Done
from .keeping import direct, is_done, key_of, run
from .nesting import loaded, replaced
from .skipped import skipped, skipped_type
from .stores import Held, Store

if TYPE_CHECKING:
    from .wrapped import Task

__all__: list[str] = []

STORE = "flowly_store"  # on a future: where the result will be
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


def prepared(
    task: Task, asked: str, args: tuple[Any, ...], kwargs: dict[str, Any]
) -> tuple[Any, Any, tuple[Any, ...], dict[str, Any]]:
    """Return the Prefect task of a call, the future of a result that is there, and the arguments for Prefect."""
    the_prefect(asked)
    args, kwargs = without_skipped(args), without_skipped(kwargs)
    if asked == "prefect" and task.save:
        return _scheduled(task, task.fn, asked), None, args, kwargs
    if asked == "prefect" or task.store is None:
        return _scheduled(task, _direct(task.copy(first=())), asked), None, args, kwargs
    places = _places(task, args, kwargs)
    call = call_of(task, places.args[len(task.first) :], places.kwargs)
    if task.skip and is_done(task, call, key_of(task, call)[1], stacklevel=5):
        return None, skipped(call.store), args, kwargs
    return _for_call(task.copy(first=()), call, asked), None, args, kwargs


def without_skipped(value: Any) -> Any:
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
            store = getattr(future, STORE, None)
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
    setattr(made, STORE, call.store)
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


def _direct(task: Task) -> Callable[..., Any]:
    """Return what Prefect runs where nothing is kept: the function, which gets data, and may ask for its target."""
    if inspect.iscoroutinefunction(task.fn):

        @wraps(task.fn)
        async def body_async(*args: Any, **kwargs: Any) -> Any:
            return await direct(task, loaded(args), loaded(kwargs))

        return body_async

    @wraps(task.fn)
    def body(*args: Any, **kwargs: Any) -> Any:
        return direct(task, loaded(args), loaded(kwargs))

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
