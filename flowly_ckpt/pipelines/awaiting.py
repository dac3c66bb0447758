"""Functions whose result is awaited, and what wraps one."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

__all__ = ["is_async", "mark_async"]


def is_async(function: Callable[..., Any]) -> bool:
    """Return whether calling a function returns an awaitable.

    >>> async def fetch(): ...
    >>> is_async(fetch), is_async(len)
    (True, False)
    """
    import inspect

    if "_is_coroutine" in getattr(function, "__dict__", {}):  # what Python 3.11 marks such wrappers with
        return True
    return inspect.iscoroutinefunction(function) or inspect.iscoroutinefunction(type(function).__call__)


def mark_async(function: Any) -> None:
    """Let ``inspect`` and ``asyncio`` know that what a wrapper returns is to be awaited.

    >>> class Wrapper:
    ...     def __call__(self): ...
    >>> wrapper = Wrapper()
    >>> mark_async(wrapper)
    >>> is_async(wrapper)
    True
    """
    if sys.version_info >= (3, 12):
        import inspect

        inspect.markcoroutinefunction(function)
    else:
        import asyncio

        function._is_coroutine = asyncio.coroutines._is_coroutine  # type: ignore[attr-defined,unused-ignore]
