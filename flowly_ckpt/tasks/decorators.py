"""Tasks: functions whose results are kept under meaningful names, and that are skipped where the result is there."""

from __future__ import annotations

import functools
import inspect
import os
from collections.abc import Callable, Iterator, Mapping, MutableMapping, Sequence
from contextvars import copy_context
from typing import Any, overload

from ..given import file, made, switch
from ..pipelines.pickling import name_to_pickle
from ..plan import Forecast
from ..targets.checking import in_place_of
from ..typing import Target
from .arguments import Done, DoneList, loaded, settled, spread
from .calling import Definition, StoreOf, made_of
from .context import mode
from .flows import kept
from .keeping import direct, run
from .on_prefect import call_task, check_options, futures_of, submit_task
from .stores import Filestore, Store
from .template import Template

__all__ = ["TARGET", "Task", "task"]

TARGET = "{path}/{funcname}/{base}"
_CHANGED = ("warn", "rerun", "raise", "ignore")
_OWN = ("target", "store", "save", "changed", "name_template", "skip")
_HERE = ("do_nothing", "cache")


class Task(Definition):
    """Wrap a function so that its result is kept under the name that its template gives.

    ``task(x).load() == task.fn(x)``, and ``fn`` runs only if there is nothing at ``task.at(x)``

    Made by :func:`flowly_ckpt.tasks.task`, which explains the options.

    >>> Task(abs, Template("{path}/{x}.pkl")).at(-3)
    Filestore(working/-3.pkl)
    """

    def __post_init__(self) -> None:
        functools.update_wrapper(self, self.fn)
        super().__post_init__()
        for name in ("__name__", "__qualname__"):  # a pipeline has neither
            self.__dict__.setdefault(name, self.name)

    def __repr__(self) -> str:
        return f"Task({self.name}, {self.target.text!r})"

    def __call__(self, /, *args: Any, **kwargs: Any) -> Any:
        """Return the store of the result, after running the function if nothing is there."""
        asked = mode()
        if asked not in _HERE:
            return call_task(self, asked, (*self.first, *args), kwargs)
        own = self._own(kwargs)
        if asked == "do_nothing":
            return direct(self, settled(args), settled(own))
        if self.store is None:
            return direct(self, loaded(settled(args)), loaded(settled(own)))
        return run(self, self.call(args, own))

    def submit(self, /, *args: Any, **kwargs: Any) -> Any:
        """Return a future of what a call returns; without Prefect the function runs at once."""
        asked = mode()
        if asked in _HERE:
            return Done(_finished(self(*args, **kwargs)))
        return submit_task(self, asked, (*self.first, *args), kwargs)

    def map(self, /, *args: Any, **kwargs: Any) -> Any:
        """Return the futures of one call for each item of the collections; other arguments go to every call.

        :raises ValueError: where there is nothing to map over, or the lengths differ.
        """
        asked, own = mode(), self._own(kwargs)
        rest = {name: value for name, value in kwargs.items() if name not in own}
        calls = spread(self.signature, (*self.first, *args), own)
        futures = [self.submit(*call.args[len(self.first) :], **call.kwargs, **rest) for call in calls]
        return DoneList(futures) if asked in _HERE else futures_of(futures)

    def at(self, /, *args: Any, **kwargs: Any) -> Store:
        """Return the store where the result of a call belongs, whether it is there or not; nothing runs.

        :raises TypeError: for a task without stores.
        """
        return self.call(args, kwargs).store

    def with_options(self, **options: Any) -> Task:
        """Return the same task with other options, Prefect's or its own."""
        now = {name: getattr(self, name) for name in _OWN}
        made: Task = task(**{**now, **self.fixed, **self.options, **options})(self.fn)
        made.first = self.first
        return made

    @property
    def transform(self) -> kept:
        """The task as a step of a pipeline of plain functions: it returns the data, not the store."""
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

    def __flowly_forecast__(self, obj: Any) -> Iterator[Forecast]:
        """Yield whether the result of a call is there already."""
        return self.transform.__flowly_forecast__(obj)

    def __flowly_children__(self) -> tuple[Any, ...]:
        return (self.fn,)

    def __flowly_rebuild__(self, parts: Sequence[Any]) -> Task:
        (fn,) = parts
        return self.copy(fn=fn, scheduled={})

    def __flowly_hash__(self) -> Any:
        # Not what a mapping holds: it grows with every result.
        store = type(self.store) if isinstance(self.store, MutableMapping) else self.store
        return (self.target.text, store, self.save, self.fn, self.first)

    def __reduce__(self) -> Any:
        return name_to_pickle(self) or (made_of, (Task, {**self.__dict__, "scheduled": {}}))


def _finished(value: Any) -> Any:
    """Return a value; run a coroutine to its end, in a thread of its own where an event loop is running here."""
    if not inspect.iscoroutine(value):
        return value
    import asyncio
    from concurrent.futures import ThreadPoolExecutor

    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return asyncio.run(value)
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(copy_context().run, asyncio.run, value).result()


@overload
def task(fn: Callable[..., Any], /, **options: Any) -> Task: ...
@overload
def task(
    fn: str | None = None,
    /,
    *,
    target: str | os.PathLike[str] | Template | Target | None = None,
    store: StoreOf | Target | None = Filestore,
    save: bool = True,
    changed: str = "warn",
    name_template: str | Template | None = None,
    skip: bool = True,
    path: str | None = None,
    base: str | None = None,
    **options: Any,
) -> Callable[[Callable[..., Any]], Task]: ...
def task(
    fn: Any = None,
    /,
    *,
    target: str | os.PathLike[str] | Template | Target | None = None,
    store: StoreOf | Target | None = Filestore,
    save: bool = True,
    changed: str = "warn",
    name_template: str | Template | None = None,
    skip: bool = True,
    path: str | None = None,
    base: str | None = None,
    **options: Any,
) -> Any:
    """Keep the result of a function under a name made at the call; run it only if nothing is there.

    ``task(f)(x).load() == f(x)``

    The environment variable ``PIPEX`` decides at each call what it does: ``cache`` (the default), ``do_nothing``,
    ``prefect`` or ``prefect.cache``. The call returns the :class:`Store` of the result; tasks that are given stores,
    alone or in lists, tuples and dicts, get what these hold.

    :param target: the template of the name; fields are arguments, ``funcname``, ``path`` and ``base`` (set on
        ``gcontext``), and expressions of these with ``os.path`` and ``datetime``. Where it ends in a folder, the
        arguments make the name. Or a mapping, as for ``store``, with names by the default template.
    :param store: a subclass of :class:`Store`, or any function from a name to a store; or any mutable mapping, such as
        a dict or a DiskTarget, which keeps the results under (name, name of the function, ""). None: data are
        returned, and not kept.
    :param save: False for a function that saves its own output to ``current_target()``; its data are returned, and
        it is skipped like any other once something is there.
    :param changed: what to do about a result made by different code or from different arguments: ``warn``, ``rerun``,
        ``raise``, or ``ignore`` (which spares the hashing).
    :param name_template: the name of the Prefect task run, filled as ``target`` is.
    :param skip: False lets Prefect schedule a task whose result exists; it does not run again.
    :param path, base: values of these names in the template, instead of those of ``gcontext``.
    :param options: options of Prefect, such as ``retries`` and ``tags``; ignored in the other modes.
    :raises TemplateError: for a template that cannot be parsed.
    :raises TypeError: for an option that neither this library nor Prefect has, and for a wrong target or store.
    :raises ValueError: for an unknown ``changed``.
    :raises UnhashableError: from a call whose arguments make the name, for one that cannot be hashed.

    >>> import os, tempfile
    >>> from flowly_ckpt.tasks import gcontext
    >>> @task(target="{path}/{funcname}/{n:02d}.pkl")
    ... def square(n):
    ...     return n * n
    >>> @task
    ... def total(squares):
    ...     return sum(squares)
    >>> with tempfile.TemporaryDirectory() as folder, gcontext.using(path=folder, base="all"):
    ...     result = total([square(n) for n in range(4)])
    ...     (os.path.relpath(result, folder), sorted(os.listdir(f"{folder}/square"))[-2:], result.load())
    ('total/all', ['02.pkl', '03.pkl'], 14)

    See also: :func:`flow`, :class:`Filestore`, :data:`gcontext`.
    """
    if isinstance(fn, str):
        fn, target = None, fn
    if isinstance(target, MutableMapping):
        if store is not Filestore:
            raise TypeError("task: target and store are both targets; give only one of them")
        target, store = None, target
    if isinstance(target, os.PathLike):
        target = os.fspath(target)
    if not isinstance(target, str | Template | None):
        made("target", target, "a template or a mutable mapping")
        raise TypeError(f"target must be a template or a mutable mapping, got {type(target).__name__}")
    if not isinstance(name_template, str | Template | None):
        raise TypeError(f"name_template must be a template, got {type(name_template).__name__}")
    if target is not None and store is Filestore:
        file("target", target.text if isinstance(target, Template) else target)
    save, skip = switch("save", save), switch("skip", skip)
    _check(store, save, changed)
    check_options("task", options, (*_OWN, "path", "base"))
    template = _template(target or TARGET)
    fixed = {name: value for name, value in {"path": path, "base": base}.items() if value is not None}
    name = None if name_template is None else _template(name_template)

    def wrap(function: Any) -> Task:
        function = getattr(function, "__func__", function) if isinstance(function, staticmethod) else function
        if not callable(function):
            raise TypeError(f"task decorates a function, got {function!r:.60}")
        return Task(function, template, store, save, changed, name, skip, dict(fixed), dict(options))

    return wrap if fn is None else wrap(fn)


def _template(text: str | Template) -> Template:
    return text if isinstance(text, Template) else Template(text)


def _check(store: Any, save: bool, changed: str) -> None:
    if changed not in _CHANGED:
        raise ValueError(f"unknown changed={changed!r}: use {', '.join(_CHANGED[:-1])} or {_CHANGED[-1]}")
    if isinstance(store, type) and issubclass(store, MutableMapping):
        made("store", store, "a Store class or a mutable mapping")
    if not (store is None or callable(store) or isinstance(store, MutableMapping)):
        raise TypeError(
            f"store must be a Store class or a mutable mapping, got {type(store).__name__}; {in_place_of(store)}"
        )
    if isinstance(store, MutableMapping) and not save:
        raise TypeError("save=False is for functions that write files; a mapping cannot keep these")
