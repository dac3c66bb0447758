"""Functions whose result is awaited, and what wraps one."""

from __future__ import annotations

import sys
from collections.abc import Callable, Coroutine

from ..errors import warn

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

__all__ = ["ADVICE", "is_async", "mark_async", "warn_if_unawaited"]

ADVICE = "`await aapply(pipeline, obj, passes)` of flowly_ckpt.asynchronous awaits the steps"


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


def warn_if_unawaited(given: Coroutine[Any, Any, Any], result: Any) -> None:
    """Warn of a coroutine that a step was given and left as it was; one that it hands on is awaited later, perhaps.

    >>> async def fetch(): ...
    >>> given = fetch()
    >>> warn_if_unawaited(given, given), given.close()
    (None, None)
    """
    import inspect

    if inspect.getcoroutinestate(given) == inspect.CORO_CREATED and not hasattr(result, "__await__"):
        name = getattr(given, "__qualname__", "a step").rpartition("<locals>.")[2]
        warn(f"what {name!r} returned was handed to the next step and never awaited: {ADVICE}", RuntimeWarning)


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
