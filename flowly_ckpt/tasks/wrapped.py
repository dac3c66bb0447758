"""Tasks: functions whose results lie in files of meaningful names, and that are skipped where the file is there."""

from __future__ import annotations

import functools
import sys
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from ..pipelines import name_of
from .calling import call_of, settled, signature_of
from .context import mode
from .filestore import Filestore
from .futures import Done, DoneList, finished, spread
from .handles import Handles
from .keeping import direct, run
from .nesting import loaded
from .steps import kept
from .stores import Store
from .template import Template

__all__ = ["Task"]

_HERE = ("do_nothing", "cache")
_OWN = ("target", "store", "save", "changed", "name_template", "skip")


class Task:
    """Wrap a function so that its result is kept under the name that its template gives.

    ``task(x).load() == task.fn(x)``, and ``fn`` runs only while nothing lies at ``task.at(x)``

    Made by :func:`flowly_ckpt.tasks.task`, which tells the options.

    >>> Task(abs, Template("{path}/{x}.pkl")).at(-3)
    Filestore(working/-3.pkl)
    """

    def __init__(
        self,
        fn: Callable[..., Any],
        target: Template,
        store: Callable[[str], Store] | None = Filestore,
        *,
        save: bool = True,
        changed: str = "warn",
        name_template: Template | None = None,
        skip: bool = True,
        fixed: Mapping[str, Any] | None = None,
        options: Mapping[str, Any] | None = None,
    ) -> None:
        functools.update_wrapper(self, fn)
        self.fn = fn
        self.target = target
        self.store = store
        self.save = save
        self.changed = changed
        self.name_template = name_template
        self.skip = skip
        self.fixed = dict(fixed or {})  # what templates know beside the arguments, for this task alone
        self.options = dict(options or {})
        self.name: str = getattr(fn, "__name__", None) or name_of(fn)
        for name in ("__name__", "__qualname__"):  # a pipeline has neither
            self.__dict__.setdefault(name, self.name)
        self.signature = signature_of(fn)
        self.handles = Handles(store or Store, save, changed == "rerun")
        self.first: tuple[Any, ...] = ()  # the instance, where the function is a method
        self.scheduled: dict[str, Any] = {}  # by mode: the Prefect task made of this one
        self.flights: dict[Any, Any] = {}  # of async functions: what is under way

    def __repr__(self) -> str:
        return f"Task({self.name}, {self.target.text!r})"

    def __call__(self, /, *args: Any, **kwargs: Any) -> Any:
        """Return the store of the result, after running the function if nothing is there."""
        asked = mode()
        if asked not in _HERE:
            from .scheduled import call_task

            return call_task(self, asked, (*self.first, *args), kwargs)
        own = self._own(kwargs)
        if asked == "do_nothing":
            return direct(self, settled(args), settled(own))
        if self.store is None:
            return direct(self, loaded(settled(args)), loaded(settled(own)))
        return run(self, call_of(self, args, own))

    def submit(self, /, *args: Any, **kwargs: Any) -> Any:
        """Return a future of what a call returns; without Prefect the function runs at once."""
        asked = mode()
        if asked in _HERE:
            return Done(finished(self(*args, **kwargs)))
        from .scheduled import submit_task

        return submit_task(self, asked, (*self.first, *args), kwargs)

    def map(self, /, *args: Any, **kwargs: Any) -> Any:
        """Return futures of one call for each item of the collections given; what is no collection goes to each.

        :raises ValueError: where nothing is to be mapped over, or the lengths differ.
        """
        asked, own = mode(), self._own(kwargs)
        rest = {name: value for name, value in kwargs.items() if name not in own}
        calls = spread(self.signature, (*self.first, *args), own)
        futures = [self.submit(*call.args[len(self.first) :], **call.kwargs, **rest) for call in calls]
        if asked in _HERE:
            return DoneList(futures)
        from .scheduled import futures_of

        return futures_of(futures)

    def at(self, /, *args: Any, **kwargs: Any) -> Store:
        """Return the store where the result of a call belongs, whether it is there or not; nothing runs.

        :raises TypeError: for a task without stores.
        """
        return call_of(self, args, kwargs).store

    def with_options(self, **options: Any) -> Task:
        """Return the same task with other options, Prefect's or its own."""
        from .decorators import task

        now = {name: getattr(self, name) for name in _OWN}
        made: Task = task(**{**now, **self.fixed, **self.options, **options})(self.fn)
        made.first = self.first
        return made

    @property
    def transform(self) -> kept:
        """The task as a step of a pipeline of plain functions: it gives the data, not the store."""
        return kept(self)

    def _own(self, kwargs: Mapping[str, Any]) -> dict[str, Any]:
        """Leave out what is for Prefect alone, unless the function has a parameter of that name."""
        return {
            name: value for name, value in kwargs.items() if name in self.signature.parameters or name != "wait_for"
        }

    def __get__(self, instance: Any, owner: type | None = None) -> Task:
        if instance is None:
            return self
        return self.copy(first=(instance,))

    def __flowly_children__(self) -> tuple[Any, ...]:
        return (self.fn,)

    def __flowly_rebuild__(self, parts: Sequence[Any]) -> Task:
        (fn,) = parts
        return self.copy(fn=fn, scheduled={}, flights={})

    def __flowly_hash__(self) -> Any:
        return (self.target.text, self.store, self.save, self.fn, self.first)

    def copy(self, **changes: Any) -> Task:
        """Return a task that is the same but for some attributes."""
        return _made_of({**self.__dict__, **changes})

    def __reduce__(self) -> Any:
        module: Any = sys.modules.get(getattr(self, "__module__", None) or "")
        name: str = getattr(self, "__qualname__", "")
        try:
            found = functools.reduce(getattr, name.split("."), module)
        except AttributeError:
            found = None
        # One that is to be found by its name is pickled by it, as functions are.
        return name if found is self else (_made_of, ({**self.__dict__, "scheduled": {}, "flights": {}},))


def _made_of(state: dict[str, Any]) -> Task:
    task = object.__new__(Task)
    task.__dict__.update(state)
    return task
