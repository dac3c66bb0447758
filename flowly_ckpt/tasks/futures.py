"""Futures of tasks that ran at once: what ``submit`` and ``map`` return where nothing schedules them."""

from __future__ import annotations

import inspect
from collections import OrderedDict
from collections.abc import Iterable, Mapping
from contextvars import copy_context
from inspect import BoundArguments, Signature
from typing import Any

from .stores import Store

__all__ = ["Done", "DoneList", "finished", "spread"]


class Done:
    """Hold what a task returned, behind the methods that a Prefect future has.

    >>> Done(3).result(), Done(3).wait(timeout=1)
    (3, None)
    """

    def __init__(self, value: Any) -> None:
        self.value = value

    def result(self, timeout: float | None = None, raise_on_failure: bool = True) -> Any:
        """Return what the task returned."""
        return self.value

    def wait(self, timeout: float | None = None) -> None:
        """Return at once."""

    def __repr__(self) -> str:
        return f"Done({self.value!r})"


class DoneList(list[Any]):
    """Hold the futures of a mapped task.

    >>> DoneList([Done(1), Done(2)]).result()
    [1, 2]
    """

    def result(self, timeout: float | None = None, raise_on_failure: bool = True) -> list[Any]:
        """Return what the calls returned, in order."""
        return [future.result(timeout=timeout, raise_on_failure=raise_on_failure) for future in self]

    def wait(self, timeout: float | None = None) -> None:
        """Wait for all."""
        for future in self:
            future.wait(timeout=timeout)


def finished(value: Any) -> Any:
    """Return a value, and of a coroutine what it gives; in a thread of its own where a loop is running here.

    >>> async def three():
    ...     return 3
    >>> finished(three()), finished(4)
    (3, 4)
    """
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


def spread(signature: Signature, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> list[BoundArguments]:
    """Return the arguments of each call of a mapped task; what is no collection is given to every call.

    :raises ValueError: where nothing is to be mapped over, or the lengths differ.

    >>> import inspect
    >>> [call.args for call in spread(inspect.signature(pow), ([1, 2], 3), {})]
    [(1, 3, None), (2, 3, None)]
    """
    bound = signature.bind(*args, **kwargs)
    bound.apply_defaults()
    given = bound.arguments
    several = [p.name for p in signature.parameters.values() if p.kind in (p.VAR_POSITIONAL, p.VAR_KEYWORD)]
    rows = {name: list(value) for name, value in given.items() if _is_mapped(value) and name not in several}
    counts = {len(values) for values in rows.values()}
    if len(counts) != 1:
        sizes = ", ".join(f"{name}: {len(values)}" for name, values in rows.items()) or "no collection"
        raise ValueError(f"map needs collections of one length, and was given {sizes}")
    fixed = {name: _unwrapped(value) for name, value in given.items()}
    return [
        BoundArguments(signature, OrderedDict({**fixed, **{name: values[i] for name, values in rows.items()}}))
        for i in range(*counts)
    ]


def _is_mapped(value: Any) -> bool:
    return isinstance(value, Iterable) and not (
        isinstance(value, (str, bytes, Mapping, Store)) or type(value).__name__ == "unmapped"
    )


def _unwrapped(value: Any) -> Any:
    return value.value if type(value).__name__ == "unmapped" else value  # Prefect's own mark
