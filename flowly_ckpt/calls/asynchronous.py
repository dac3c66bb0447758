"""Recall for results that are awaited: one task computes, the others of its loop wait for it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any

from ..targets.recall import MISSING, lookup, recall
from ..typing import Key, Target

if TYPE_CHECKING:
    import asyncio

__all__ = ["recall_async"]

_under_way: dict[tuple[int, int, Key], asyncio.Future[Any]] = {}


async def recall_async(
    target: Target, key: Key, compute: Callable[[], Awaitable[Any]], made_from: dict[str, Any]
) -> Any:
    """Return the stored value, or await and store it.

    Tasks of one event loop share a computation; other threads and processes are not waited for, since that would
    stop the loop: they may compute the same value, and store it over this one.

    >>> import asyncio
    >>> async def six():
    ...     return 6
    >>> asyncio.run(recall_async({}, ("object", "tag", "transform"), six, {}))
    6

    See also: :func:`flowly_ckpt.targets.recall.recall`.
    """
    import asyncio

    place = (id(asyncio.get_running_loop()), id(target), key)
    while True:
        value = lookup(target, key)
        if value is not MISSING:
            return value
        flight = _under_way.get(place)
        if flight is None:
            break
        await asyncio.wait([flight])
        value = lookup(target, key)
        if value is MISSING and not flight.cancelled():
            return flight.result()  # it was not stored, or failed
    flight = _under_way[place] = asyncio.get_running_loop().create_future()
    try:
        value = await compute()
        value = recall(target, key, lambda: value, made_from)
        flight.set_result(value)
        return value
    except Exception as error:
        flight.set_exception(error)
        flight.exception()  # nobody need be waiting for it
        raise
    finally:
        del _under_way[place]
        if not flight.done():
            flight.cancel()
