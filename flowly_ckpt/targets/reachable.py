"""Which targets another process can reach: those that keep their entries outside of this one's memory."""

from __future__ import annotations

from collections import UserDict
from collections.abc import Hashable, Iterator
from typing import Any

from ..errors import StoreError
from ..typing import Target
from .protocol import as_target, described

__all__ = ["check_reachable", "is_reachable"]


def is_reachable(target: Target) -> bool:
    """Return whether another process that is sent a target finds and keeps the same entries.

    >>> from flowly_ckpt.targets import DiskTarget
    >>> is_reachable({}), is_reachable(DiskTarget("results"))
    (False, True)
    """
    if any(not isinstance(part, int) for part in _places(as_target(target).place)):
        return True
    store: Any = target  # known by nothing but where it lies in memory: its own kind, or the kind of what it wraps
    while (inside := getattr(store, "target", getattr(store, "mapping", None))) is not None:
        store = inside
    return not isinstance(store, (dict, UserDict)) and _is_sent(store)


def check_reachable(target: Target, where: str) -> None:
    """Raise unless another process can reach a target.

    :raises StoreError: says what to use instead.

    >>> check_reachable({}, "the workers")
    Traceback (most recent call last):
    flowly_ckpt.errors.StoreError: dict is in the memory of this process, where the workers cannot reach it: use \
DiskTarget(path), or RemoteTarget(url) for several machines
    """
    if not is_reachable(target):
        raise StoreError(
            f"{described(target)} is in the memory of this process, where {where} cannot reach it: "
            "use DiskTarget(path), or RemoteTarget(url) for several machines"
        )


def _places(place: Hashable) -> Iterator[Hashable]:
    if isinstance(place, tuple):
        for part in place:
            yield from _places(part)
    elif not isinstance(place, type):
        yield place


def _is_sent(store: Any) -> bool:
    import cloudpickle

    try:
        cloudpickle.dumps(store)
    except Exception:  # noqa: BLE001  what cannot be pickled may raise anything
        return False
    return True
