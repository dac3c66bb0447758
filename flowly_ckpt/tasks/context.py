"""What templates are filled from at run time, and which mode is on: both asked for when a task is called."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

from .errors import ModeError

__all__ = ["MODES", "Context", "current_target", "gcontext", "mode"]

MODES = ("do_nothing", "cache", "prefect", "prefect.cache")


def mode() -> str:
    """Return the mode that the environment variable ``PIPEX`` asks for now; ``cache`` where it is not set.

    :raises ModeError: when it names none of ``MODES``.

    >>> mode() in MODES
    True
    """
    asked = os.environ.get("PIPEX") or "cache"
    if asked not in MODES:
        raise ModeError(asked)
    return asked


class Context:
    """Hold what templates may name beside the arguments: ``path`` and ``base``, and whatever else is set.

    A value set as an attribute holds for the whole process; one given to :meth:`using` holds inside the block, for
    this thread and what it starts within the same context.

    >>> context = Context(path="working", base="")
    >>> context.base = "file1"
    >>> with context.using(base="file2", day="Monday"):
    ...     (context.base, context.day)
    ('file2', 'Monday')
    >>> context.base
    'file1'

    See also: :func:`flowly_ckpt.tasks.task`, whose templates name them.
    """

    def __init__(self, **values: Any) -> None:
        object.__setattr__(self, "_values", values)
        object.__setattr__(self, "_over", ContextVar("over", default=()))

    def __getattr__(self, name: str) -> Any:
        values = self.values()
        if name.startswith("__") or name not in values:
            raise AttributeError(f"gcontext has no {name!r}; set it, or name one of {', '.join(values)}")
        return values[name]

    def __setattr__(self, name: str, value: Any) -> None:
        self._values[name] = value

    def __delattr__(self, name: str) -> None:
        self.__getattr__(name)
        del self._values[name]

    def __repr__(self) -> str:
        return f"Context({', '.join(f'{name}={value!r}' for name, value in self.values().items())})"

    def values(self) -> dict[str, Any]:
        """Return all that is set here and now."""
        found: dict[str, Any] = {**self._values, **dict(self._over.get())}
        return found

    @contextmanager
    def using(self, **values: Any) -> Iterator[None]:
        """Set values for the time of a block, in this thread alone."""
        over: ContextVar[Any] = self._over
        token = over.set((*over.get(), *values.items()))
        try:
            yield
        finally:
            over.reset(token)


gcontext = Context(path="working", base="")

_running: ContextVar[Callable[[], str] | None] = ContextVar("running", default=None)


def current_target() -> str:
    """Return where the result of the task belongs that is being run; for functions that save their own output.

    :raises LookupError: outside of a task.

    >>> try:
    ...     current_target()
    ... except LookupError as error:
    ...     print(error)
    no task is being run here
    """
    place = _running.get()
    if place is None:
        raise LookupError("no task is being run here")
    return place()


@contextmanager
def running(place: Callable[[], str]) -> Iterator[None]:
    """Let :func:`current_target` return what ``place`` gives for the time of a block.

    >>> with running(lambda: "working/load/a"):
    ...     current_target()
    'working/load/a'
    """
    token = _running.set(place)
    try:
        yield
    finally:
        _running.reset(token)


def known(arguments: Mapping[str, Any], **own: Any) -> dict[str, Any]:
    """Return the names of a template by their values.

    An argument stands before what the task says, and that before what the context says.
    """
    return {**gcontext.values(), "gcontext": gcontext, **own, **arguments}
