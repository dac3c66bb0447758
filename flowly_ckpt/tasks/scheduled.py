"""Tasks and flows on Prefect 3; imported only in the modes that ask for it."""

from __future__ import annotations

import copy
import inspect
from collections.abc import Callable, Mapping
from functools import wraps
from typing import TYPE_CHECKING, Any
from uuid import UUID, uuid4

from .calling import Call, call_of
from .context import known
from .errors import MissingPrefectError
from .futures import Done
from .keeping import is_done, key_of, run
from .nesting import replaced
from .stores import Store

if TYPE_CHECKING:
    from .flows import Flow
    from .wrapped import Task

try:
    import prefect
    from prefect.cache_policies import NO_CACHE
    from prefect.futures import PrefectFuture, PrefectFutureList
    from prefect.states import Completed
except ModuleNotFoundError as error:
    if error.name != "prefect":
        raise
    from .context import mode

    raise MissingPrefectError(mode()) from error

__all__ = ["Skipped", "call_task", "flow_of", "futures_of", "submit_task"]

_STORE = "flowly_store"  # on a future: where the result will be
_FOR_PREFECT = ("wait_for", "return_state")
_CACHING = ("cache_policy", "cache_key_fn", "cache_expiration", "persist_result", "result_storage_key")


class Skipped(PrefectFuture):  # type: ignore[misc]
    """Be the future of a task whose result was there: completed, and unknown to the scheduler.

    >>> Skipped(Store("working/load/a")).state.name
    'Skipped'
    """

    def __init__(self, store: Store) -> None:
        self._final_state = Completed(name="Skipped", message=f"{store} is there", data=store)
        self._id = uuid4()
        self.flowly_store = store

    @property
    def task_run_id(self) -> UUID:
        """An id that no task run has; Prefect asks every future for one."""
        return self._id

    @property
    def state(self) -> Any:
        """The state, completed, under the name of its own."""
        return self._final_state

    def wait(self, timeout: float | None = None) -> None:
        """Return at once."""

    def result(self, timeout: float | None = None, raise_on_failure: bool = True) -> Any:
        """Return the store."""
        return self.flowly_store

    def add_done_callback(self, fn: Callable[[Any], None]) -> None:
        """Call at once."""
        fn(self)

    def __repr__(self) -> str:
        return f"Skipped({self.flowly_store!r})"


def call_task(task: Task, asked: str, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> Any:
    """Run a task as a task run of Prefect, unless its result is there.

    >>> callable(call_task)
    True
    """
    own, rest = _parted(task, kwargs)
    scheduled, done, args, own = _prepared(task, asked, args, own)
    if done is None:
        return scheduled(*args, **own, **rest)
    result = done.state if rest.get("return_state") else done.result()
    return _awaitable(result) if inspect.iscoroutinefunction(task.fn) else result


def submit_task(task: Task, asked: str, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> Any:
    """Submit a task to the flow's task runner, unless its result is there.

    >>> callable(submit_task)
    True
    """
    own, rest = _parted(task, kwargs)
    scheduled, done, args, own = _prepared(task, asked, args, own)
    if done is not None:
        return done.state if rest.get("return_state") else done
    future = scheduled.submit(*args, **own, **rest)
    place = getattr(scheduled, _STORE, None)
    if place is not None and isinstance(future, PrefectFuture):
        setattr(future, _STORE, place)  # so that what comes after can tell its own name before this one has run
    return future


def futures_of(futures: list[Any]) -> Any:
    """Return futures in Prefect's own list of them.

    >>> len(futures_of([]))
    0
    """
    return PrefectFutureList(futures)


def flow_of(flow: Flow, asked: str) -> Any:
    """Return the Prefect flow of a function.

    >>> callable(flow_of)
    True
    """
    made = flow.scheduled.get(asked)
    if made is None:
        made = flow.scheduled[asked] = prefect.flow(**flow.options)(flow.fn)
    return made


def _parted(task: Task, kwargs: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    rest = {name for name in _FOR_PREFECT if name in kwargs and name not in task.signature.parameters}
    return (
        {name: value for name, value in kwargs.items() if name not in rest},
        {name: _without_skipped(kwargs[name]) for name in rest},
    )


def _prepared(
    task: Task, asked: str, args: tuple[Any, ...], kwargs: dict[str, Any]
) -> tuple[Any, Skipped | None, tuple[Any, ...], dict[str, Any]]:
    """Return the Prefect task of a call, the future of a result that is there, and the arguments for Prefect."""
    args, kwargs = _without_skipped(args), _without_skipped(kwargs)
    if asked == "prefect" or task.store is None:
        return _scheduled(task, task.fn, asked), None, args, kwargs
    free = copy.copy(task)
    free.first = ()
    call = call_of(free, _places(args), _places(kwargs))
    if task.skip and is_done(free, call, key_of(free, call)[1], stacklevel=6):
        return None, Skipped(call.store), args, kwargs
    return _for_call(free, call, asked), None, args, kwargs


def _without_skipped(value: Any) -> Any:
    """Put the results in place of futures that Prefect did not make."""
    return replaced(value, (Skipped, Done), lambda future: future.result())


def _places(value: Any) -> Any:
    """Put in place of futures the stores they will be in; of other futures, only those that are done say more."""

    def place(future: Any) -> Any:
        store = getattr(future, _STORE, None)
        return future.result() if store is None else store

    return replaced(value, PrefectFuture, place)


def _for_call(task: Task, call: Call, asked: str) -> Any:
    """Return a Prefect task for one call: its place and its name are those of the moment it was submitted."""
    made = copy.copy(_scheduled(task, _body(task, call.store), asked))
    made.fn = _body(task, call.store)
    setattr(made, _STORE, call.store)
    if task.name_template is not None:
        name = task.name_template.fill(known(call.arguments, task.name))
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
            options["cache_policy"] = NO_CACHE  # the file is the cache
        taken = inspect.signature(prefect.Task.__init__).parameters
        made = prefect.task(**{name: value for name, value in options.items() if name in taken})(fn)
        task.scheduled[asked] = made
    return made


async def _awaitable(value: Any) -> Any:
    return value
