"""Tasks and flows on Prefect 3, which is imported when a mode asks for it.

The place and the name of a result are those of the moment when its task is submitted. A task whose result is there is
not submitted: its future is completed from the start, and Prefect does not see it.
"""

from __future__ import annotations

import copy
import difflib
import functools
import inspect
import sys
from collections.abc import Callable, Mapping, Sequence
from functools import wraps
from inspect import BoundArguments
from typing import Any
from uuid import UUID, uuid4

from .arguments import Done, loaded, replaced
from .calling import Call, Definition
from .context import MissingPrefectError
from .keeping import direct, is_done, run
from .stores import Held, Store

__all__: list[str] = []

_STORE = "flowly_store"  # on a future: where the result will be
_CACHING = ("cache_policy", "cache_key_fn", "cache_expiration", "persist_result", "result_storage_key")
_BOTH = """
name version retries retry_delay_seconds description timeout_seconds persist_result result_storage result_serializer
cache_result_in_memory log_prints on_completion on_failure on_running
"""
_OPTIONS = {
    "task": f"""{_BOTH} tags cache_policy cache_key_fn cache_expiration task_run_name retry_jitter_factor
    result_storage_key refresh_cache on_rollback on_commit retry_condition_fn viz_return_value asset_deps""",
    "flow": f"{_BOTH} flow_run_name task_runner validate_parameters on_cancellation on_crashed",
}
_FOR_PREFECT = ("wait_for", "return_state")


def check_options(what: str, options: Mapping[str, Any], own: Sequence[str] = ()) -> None:
    """Check the names of options, our own and Prefect's; a Prefect that is imported may know newer ones.

    :param what: ``task`` or ``flow``.
    :raises TypeError: for a name that none of them has.

    >>> check_options("task", {"retires": 3})
    Traceback (most recent call last):
    TypeError: neither task nor Prefect has an option 'retires'; did you mean 'retries'?
    """
    known = {*own, *_OPTIONS[what].split()}
    for name in options.keys() - known:
        if "prefect" in sys.modules and name in inspect.signature(getattr(sys.modules["prefect"], what)).parameters:
            continue
        near = difflib.get_close_matches(name, known, 1)
        hint = f"did you mean {near[0]!r}?" if near else f"there are {', '.join(sorted(known))}"
        raise TypeError(f"neither {what} nor Prefect has an option {name!r}; {hint}")


def the_prefect(asked: str) -> Any:
    """Import Prefect.

    :raises MissingPrefectError: where it is not installed.
    """
    try:
        import prefect
    except ModuleNotFoundError as error:
        if error.name != "prefect":
            raise
        raise MissingPrefectError(asked) from error
    return prefect


def call_task(task: Definition, asked: str, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> Any:
    """Run a task as a task run of Prefect, unless its result is there."""
    own, rest = _parted(task, kwargs)
    scheduled, done, args, own = _prepared(task, asked, args, own)
    if done is None:
        return scheduled(*args, **own, **rest)
    result = done.state if rest.get("return_state") else done.result()
    return _awaitable(result) if inspect.iscoroutinefunction(task.fn) else result


def submit_task(task: Definition, asked: str, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> Any:
    """Submit a task to the flow's task runner, unless its result is there."""
    own, rest = _parted(task, kwargs)
    scheduled, done, args, own = _prepared(task, asked, args, own)
    if done is not None:
        return done.state if rest.get("return_state") else done
    future = scheduled.submit(*args, **own, **rest)
    place = getattr(scheduled, _STORE, None)
    if place is not None and not rest.get("return_state"):
        setattr(future, _STORE, place)  # so that the name of what comes after can be determined before this one has run
    return future


def futures_of(futures: list[Any]) -> Any:
    """Return futures in Prefect's own list of them."""
    from prefect.futures import PrefectFutureList

    return PrefectFutureList(futures)


def _parted(task: Definition, kwargs: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """Separate the arguments for the function from those for Prefect."""
    rest = {name for name in _FOR_PREFECT if name in kwargs and name not in task.signature.parameters}
    return (
        {name: value for name, value in kwargs.items() if name not in rest},
        {name: _without_skipped(kwargs[name]) for name in rest},
    )


async def _awaitable(value: Any) -> Any:
    return value


def _prepared(
    task: Definition, asked: str, args: tuple[Any, ...], kwargs: dict[str, Any]
) -> tuple[Any, Any, tuple[Any, ...], dict[str, Any]]:
    """Return the Prefect task of a call, the future of a result that is there, and the arguments for Prefect."""
    the_prefect(asked)
    args, kwargs = _without_skipped(args), _without_skipped(kwargs)
    if asked == "prefect" and task.save:
        return _scheduled(task, task.fn, asked), None, args, kwargs
    if asked == "prefect" or task.store is None:
        return _scheduled(task, _body(task, _direct), asked), None, args, kwargs
    places = _places(task, args, kwargs)
    call = task.call(places.args[len(task.first) :], places.kwargs)
    if task.skip and is_done(task, call):
        return None, _skipped_type()(call.store), args, kwargs
    return _for_call(task, call, asked), None, args, kwargs


def _without_skipped(value: Any) -> Any:
    """Put the results in place of futures that Prefect did not make."""
    return replaced(value, (_skipped_type(), Done), lambda future: future.result())


def _places(task: Definition, args: tuple[Any, ...], kwargs: dict[str, Any]) -> BoundArguments:
    """Bind the arguments, with the stores that futures will give in place of them.

    What the future of a plain Prefect task gives is known only when it is done: it is waited for only where the
    template needs it, and else counts as unknown.
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


def _for_call(task: Definition, call: Call, asked: str) -> Any:
    """Return a Prefect task for one call, with its place and its name."""

    def act(unbound: Definition, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        return run(unbound, unbound.call(args, kwargs)._replace(store=call.store))

    body = _body(task, act)
    made = copy.copy(_scheduled(task, body, asked))
    made.fn = body
    setattr(made, _STORE, call.store)
    if task.name_template is not None:
        name = task.name_template.fill(task.known(call.arguments))
        made.task_run_name = lambda: name
    return made


def _direct(task: Definition, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """Run the function where nothing is kept: it gets data, and may ask for its target."""
    return direct(task, loaded(args), loaded(kwargs))


def _body(task: Definition, act: Callable[[Definition, tuple[Any, ...], dict[str, Any]], Any]) -> Callable[..., Any]:
    """Return what Prefect runs: an action on the task and its arguments, with the instance among them."""
    unbound = task.copy(first=())

    if inspect.iscoroutinefunction(task.fn):

        @wraps(task.fn)
        async def body_async(*args: Any, **kwargs: Any) -> Any:
            return await act(unbound, args, kwargs)

        return body_async

    @wraps(task.fn)
    def body(*args: Any, **kwargs: Any) -> Any:
        return act(unbound, args, kwargs)

    return body


def _scheduled(task: Definition, fn: Callable[..., Any], asked: str) -> Any:
    """Return the Prefect task of a task, made once for each mode."""
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


@functools.cache
def _skipped_type() -> Any:
    """Return the type of futures of results that are there; it derives from one of Prefect's."""
    from prefect.futures import PrefectFuture
    from prefect.states import Completed

    class Skipped(PrefectFuture):  # type: ignore[misc]
        def __init__(self, store: Store) -> None:
            self._final_state = Completed(name="Skipped", message=f"{store} is there", data=store)
            self._id = uuid4()
            self.flowly_store = store

        @property
        def task_run_id(self) -> UUID:
            return self._id  # of no task run; Prefect asks every future for one

        @property
        def state(self) -> Any:
            return self._final_state

        def wait(self, timeout: float | None = None) -> None:
            return None

        def result(self, timeout: float | None = None, raise_on_failure: bool = True) -> Any:
            return self.flowly_store

        def add_done_callback(self, fn: Callable[[Any], None]) -> None:
            fn(self)

        def __repr__(self) -> str:
            return f"Skipped({self.flowly_store!r})"

    return Skipped
