"""One call of a task: its arguments bound, and the place of its result told from them."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

from .context import known
from .futures import Done
from .naming import name_from
from .nesting import replaced
from .stores import Store

if TYPE_CHECKING:
    from .wrapped import Task

__all__ = ["Call", "call_of", "settled", "signature_of"]


class Call(NamedTuple):
    """Hold one call of a task: where its result belongs, what it was given, and that by name with defaults.

    >>> Call(Store("working/load/a"), (2,), {}, {"n": 2}).store
    Store(working/load/a)
    """

    store: Store
    args: tuple[Any, ...]
    kwargs: dict[str, Any]
    arguments: dict[str, Any]


def call_of(task: Task, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> Call:
    """Bind the arguments of a call and fill the template; where that ends in a folder, the arguments make the name.

    :raises TypeError: for arguments that the function does not take, and for a task without stores.

    >>> from flowly_ckpt.tasks import task
    >>> call_of(task(abs), (-3,), {}).store
    Filestore(working/abs/x=-3)
    """
    if task.store is None:
        raise TypeError(f"task {task.name} has no store, so its results have no place")
    args, words = settled((*task.first, *args)), settled(dict(kwargs))
    arguments, names = told(task, args, words)
    values = known(names, funcname=task.name, **task.fixed)
    if not values["path"]:
        values["path"] = "."  # an empty path is this folder, not the root of the disk
    loc = task.target.fill(values)
    if loc.endswith("/"):
        # What a method belongs to is in the name of its result only where the template says so.
        instance = tuple(task.signature.parameters)[: len(task.first)]
        loc += name_from(task.name, {name: value for name, value in arguments.items() if name not in instance})
    return Call(task.store(loc), args, words, arguments)


def told(task: Task, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return the arguments with defaults, and the names that templates know them by."""
    bound = task.signature.bind(*args, **kwargs)
    bound.apply_defaults()
    words = [p.name for p in task.signature.parameters.values() if p.kind is p.VAR_KEYWORD]
    extra = {key: value for name in words for key, value in bound.arguments[name].items()}
    return bound.arguments, {**extra, **bound.arguments}


def signature_of(fn: Callable[..., Any]) -> inspect.Signature:
    """Return the signature of a function; some builtins have none, and take whatever comes.

    >>> signature_of(lambda n: n)
    <Signature (n)>
    """
    try:
        return inspect.signature(fn)
    except ValueError:
        return inspect.signature(lambda *args, **kwargs: None)


def settled(value: Any) -> Any:
    """Return a value with the results in place of the futures in it that are done.

    >>> settled([Done(1), 2])
    [1, 2]
    """
    return replaced(value, Done, lambda future: future.value)
