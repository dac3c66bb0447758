"""What surrounds a task when it is called: the mode, what templates are filled from, the task that runs, the log."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from functools import partial
from typing import IO, Any

from ..errors import FlowlyError

__all__ = ["MODES", "Context", "MissingPrefectError", "ModeError", "current_target", "gcontext", "logged", "mode"]

MODES = ("do_nothing", "cache", "prefect", "prefect.cache")


class ModeError(FlowlyError, ValueError):
    """Raised when the environment variable ``PIPEX`` is not one of ``MODES``.

    :param mode: its value.

    >>> print(ModeError("bad"))
    PIPEX='bad' is not a mode: use do_nothing, cache, prefect or prefect.cache
    """

    def __init__(self, mode: str) -> None:
        super().__init__(f"PIPEX={mode!r} is not a mode: use {', '.join(MODES[:-1])} or {MODES[-1]}")
        self.mode = mode


class MissingPrefectError(FlowlyError, ImportError):
    """Raised in a mode that needs Prefect where it is not installed.

    >>> print(MissingPrefectError("prefect.cache"))
    PIPEX='prefect.cache' needs Prefect 3: run `pip install 'flowly-ckpt[prefect]'`
    """

    def __init__(self, mode: str) -> None:
        super().__init__(f"PIPEX={mode!r} needs Prefect 3: run `pip install 'flowly-ckpt[prefect]'`")
        self.mode = mode


def mode() -> str:
    """Return the mode that the environment variable ``PIPEX`` asks for now; ``cache`` where it is not set.

    :raises ModeError: when it is not one of ``MODES``.

    >>> mode() in MODES
    True
    """
    asked = os.environ.get("PIPEX") or "cache"
    if asked not in MODES:
        raise ModeError(asked)
    return asked


class Context:
    """Hold the values that templates may name beside the arguments: ``path``, ``base``, and whatever else is set.

    An attribute that is set holds for the whole process, and a value given to :meth:`using` inside the block: in this
    thread, and in what runs in a copy of its context, such as tasks of an event loop.

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
            raise AttributeError(f"gcontext has no {name!r}; set it, or use one of {', '.join(values)}")
        return values[name]

    def __setattr__(self, name: str, value: Any) -> None:
        self._values[name] = value

    def __delattr__(self, name: str) -> None:
        self.__getattr__(name)
        del self._values[name]

    def __repr__(self) -> str:
        return f"Context({', '.join(f'{name}={value!r}' for name, value in self.values().items())})"

    def __reduce__(self) -> str | tuple[Any, ...]:
        # That of a process stays in it: another one has its own, of the same name.
        return "gcontext" if self is gcontext else (partial(Context, **self._values), ())

    def __flowly_hash__(self) -> dict[str, Any]:
        """Count by the values set here and now, so that a step that reads them runs again when they change."""
        return self.values()

    def values(self) -> dict[str, Any]:
        """Return the values set here and now, by name."""
        found: dict[str, Any] = {**self._values, **dict(self._over.get())}
        return found

    @contextmanager
    def using(self, **values: Any) -> Iterator[None]:
        """Set values for the duration of a block, in this thread alone."""
        over: ContextVar[Any] = self._over
        token = over.set((*over.get(), *values.items()))
        try:
            yield
        finally:
            over.reset(token)


gcontext = Context(path="working", base="")

_running: ContextVar[Callable[[], str] | None] = ContextVar("running", default=None)


def current_target() -> str:
    """Return the location of the result of the running task, for functions that save their own output.

    :raises LookupError: outside a task.

    >>> try:
    ...     current_target()
    ... except LookupError as error:
    ...     print(error)
    no task is running here; current_target() is for the function of a task
    """
    place = _running.get()
    if place is None:
        raise LookupError("no task is running here; current_target() is for the function of a task")
    return place()


@contextmanager
def running(place: Callable[[], str]) -> Iterator[None]:
    """Let :func:`current_target` return what ``place`` returns, for the duration of a block."""
    token = _running.set(place)
    try:
        yield
    finally:
        _running.reset(token)


_FORMAT = "%(asctime)s %(levelname)s %(name)s %(filename)s:%(lineno)d %(message)s"


@contextmanager
def logged(*names: str, level: str = "INFO", stream: IO[str] | None = None) -> Iterator[None]:
    """Show the messages of loggers, with file and line, for the duration of a block; restore the loggers afterwards.

    :param names: the loggers; by default this library's, which reports what is restored and what is computed.
    :param level: the lowest level shown.
    :param stream: where to write; by default standard error.

    >>> import io, logging
    >>> text = io.StringIO()
    >>> with logged("pipeline", stream=text):
    ...     logging.getLogger("pipeline").info("ready")
    >>> text.getvalue().endswith("ready\\n"), logging.getLogger("pipeline").handlers
    (True, [])
    """
    import logging

    shown = logging.StreamHandler(stream)
    shown.setFormatter(logging.Formatter(_FORMAT))
    loggers = [logging.getLogger(name) for name in names or ("flowly_ckpt",)]
    before = [logger.level for logger in loggers]
    for logger in loggers:
        logger.addHandler(shown)
        logger.setLevel(level)
    try:
        yield
    finally:
        for logger, old in zip(loggers, before):
            logger.removeHandler(shown)
            logger.setLevel(old)
