"""The decorators: ``@task`` and ``@flow``."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from .filestore import Filestore
from .flows import Flow
from .stores import Store
from .template import Template
from .wrapped import Task

__all__ = ["TARGET", "flow", "task"]

TARGET = "{path}/{funcname}/{base}"
_CHANGED = ("warn", "rerun", "raise", "ignore")
_NAMES = ("target", "store", "save", "changed", "name_template", "skip")


def task(
    fn: Any = None,
    /,
    *,
    target: str | Template | None = None,
    store: Callable[[str], Store] | None = Filestore,
    save: bool = True,
    changed: str = "warn",
    name_template: str | Template | None = None,
    skip: bool = True,
    path: str | None = None,
    base: str | None = None,
    **options: Any,
) -> Any:
    """Keep a function's result under a name made when it is called; run it only while nothing is there.

    ``task(f)(x).load() == f(x)``

    What it does at a call is told by the environment variable ``PIPEX`` at that moment: ``cache`` (the default),
    ``do_nothing``, ``prefect`` or ``prefect.cache``. The call returns the :class:`Store` of the result; tasks that are
    given stores, alone or in lists, tuples and dicts, get what these hold.

    :param target: the template of the name; fields are arguments, ``funcname``, ``path`` and ``base`` (set on
        ``gcontext``), and expressions of these with ``os.path`` and ``datetime``. Where it ends in a folder, the
        arguments make the name.
    :param store: makes a store of a name: a subclass of :class:`Store`. None: data are returned, and not kept.
    :param save: False for a function that saves its own output to ``current_target()``; its data are returned, and
        it is skipped like any other once something is there.
    :param changed: what to do about a result made by other code or with other arguments: ``warn``, ``rerun`` it,
        ``raise``, or ``ignore`` (which spares the hashing).
    :param name_template: the name of the Prefect task run, filled as ``target`` is.
    :param skip: False lets Prefect schedule a task whose result is there; it is still not run again.
    :param path, base: what the template knows by these names, in place of what ``gcontext`` says when it is called.
    :param options: Prefect's own, such as ``retries`` and ``tags``; without meaning in the other modes.
    :raises TemplateError: for a template that cannot be parsed.
    :raises TypeError: for an option that is none, by its spelling.
    :raises ValueError: for an unknown ``changed``.

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
    if changed not in _CHANGED:
        raise ValueError(f"changed={changed!r} is unknown; it is one of {', '.join(_CHANGED)}")
    _check_spelling(options)
    template = _template(target or TARGET)
    fixed = {name: value for name, value in {"path": path, "base": base}.items() if value is not None}
    name = None if name_template is None else _template(name_template)

    def wrap(function: Any) -> Task:
        function = getattr(function, "__func__", function) if isinstance(function, staticmethod) else function
        if not callable(function):
            raise TypeError(f"task: {function!r} cannot be called; it decorates a function")
        return Task(
            function, template, store,
            save=save, changed=changed, name_template=name, skip=skip, fixed=fixed, options=options,
        )  # fmt: skip

    return wrap if fn is None else wrap(fn)


def _template(text: str | Template) -> Template:
    return text if isinstance(text, Template) else Template(text)


def _check_spelling(options: dict[str, Any]) -> None:
    import difflib

    for option in options:
        if near := difflib.get_close_matches(option, _NAMES, 1, 0.8):
            raise TypeError(f"task has no option {option!r}; {near[0]!r} may be meant")


def flow(fn: Any = None, /, **options: Any) -> Any:
    """Mark a function as a flow: Prefect's in its modes, else the function as it is.

    ``flow(f)(x) == f(x)``

    :param path, base: what the template knows by these names, in place of what ``gcontext`` says when it is called.
    :param options: Prefect's own, such as ``name`` and ``retries``.

    >>> @flow(name="all")
    ... def main(n):
    ...     return n + 1
    >>> main(1)
    2

    See also: :func:`task`.
    """
    return Flow(fn, options) if fn is not None else lambda function: Flow(function, options)
