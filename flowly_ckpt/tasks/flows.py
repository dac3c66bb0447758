"""What tasks are put together in: flows, which are Prefect's in its modes, and pipelines of plain functions."""

from __future__ import annotations

import copy
import functools
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, overload

from ..pipelines import Combinator
from ..plan import Forecast
from ..targets.recall import MISSING
from .arguments import loaded
from .context import mode
from .keeping import forecast
from .on_prefect import check_options, the_prefect

__all__ = ["Flow", "flow", "kept"]


class Flow:
    """Wrap a function so that it runs as a flow of Prefect where ``PIPEX`` asks for that at the call.

    >>> Flow(abs, {})(-1)
    1

    See also: :func:`flowly_ckpt.tasks.flow`.
    """

    def __init__(self, fn: Callable[..., Any], options: Mapping[str, Any]) -> None:
        functools.update_wrapper(self, fn)
        self.fn = fn
        self.options = dict(options)
        self.first: tuple[Any, ...] = ()
        self.scheduled: dict[str, Any] = {}  # by mode: the Prefect flow made of this one

    def __repr__(self) -> str:
        return f"Flow({getattr(self.fn, '__name__', self.fn)})"

    def __call__(self, /, *args: Any, **kwargs: Any) -> Any:
        """Run the flow."""
        asked = mode()
        fn = self.fn if asked in ("do_nothing", "cache") else self._scheduled(asked)
        return fn(*self.first, *args, **kwargs)

    def _scheduled(self, asked: str) -> Any:
        if asked not in self.scheduled:
            self.scheduled[asked] = the_prefect(asked).flow(**self.options)(self.fn)
        return self.scheduled[asked]

    @property
    def prefect(self) -> Any:
        """Prefect's own flow, to be served or deployed.

        :raises MissingPrefectError: where Prefect is not installed.
        """
        return self._scheduled("prefect.cache")

    def __get__(self, instance: Any, owner: type | None = None) -> Flow:
        if instance is None:
            return self
        bound = copy.copy(self)
        bound.first = (instance,)
        return bound


@overload
def flow(fn: Callable[..., Any], /, **options: Any) -> Flow: ...
@overload
def flow(fn: None = None, /, **options: Any) -> Callable[[Callable[..., Any]], Flow]: ...
def flow(fn: Any = None, /, **options: Any) -> Any:
    """Mark a function as a flow: Prefect's in its modes, else the function as it is.

    ``flow(f)(x) == f(x)``

    :param options: options of Prefect, such as ``name`` and ``retries``; ignored in the other modes.
    :raises TypeError: for an option that neither this library nor Prefect has.

    >>> @flow(name="all")
    ... def main(n):
    ...     return n + 1
    >>> main(1)
    2

    See also: :func:`flowly_ckpt.tasks.task`.
    """
    check_options("flow", options)

    def wrap(function: Any) -> Flow:
        if not callable(function):
            raise TypeError(f"flow decorates a function, got {function!r:.60}")
        return Flow(function, options)

    return wrap if fn is None else wrap(fn)


class kept(Combinator):
    """Apply a task, and return the data instead of their store.

    ``kept(task)(x) == task.fn(x)``; it is hashed as the function, since keeping does not change what is computed.

    >>> from flowly_ckpt.pipelines import children
    >>> from flowly_ckpt.tasks import task
    >>> children(kept(task(abs)))
    (<built-in function abs>,)

    See also: :attr:`flowly_ckpt.tasks.Task.transform`.
    """

    __slots__ = ("task",)
    __flowly_role__ = "transparent"

    def __init__(self, task: Any) -> None:
        self.task = task

    def __call__(self, obj: Any) -> Any:
        return loaded(self.task(obj))

    def __flowly_forecast__(self, obj: Any) -> Iterator[Forecast]:
        """Yield whether the result of the task is there already."""
        name, asked = (self.task.name,), mode()
        if asked == "do_nothing" or self.task.store is None:
            yield Forecast(name, "run", None, "it keeps nothing")
        elif obj is MISSING:
            yield Forecast(name, "run", None, "which file it makes is known when it runs")
        else:
            yield forecast(self.task, self.task.call((obj,), {}))

    def _head(self) -> tuple[Any, ...]:
        return (self.task.target.text, id(self.task.store))

    def __flowly_children__(self) -> tuple[Any, ...]:
        return (self.task.fn,)

    def __flowly_rebuild__(self, parts: Sequence[Any]) -> kept:
        return kept(self.task.__flowly_rebuild__(parts))

    def __reduce__(self) -> tuple[Any, ...]:
        return (kept, (self.task,))
