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
    return _hindrance(target) is None


def check_reachable(target: Target, where: str) -> None:
    """Raise unless another process can reach a target.

    :raises StoreError: says what to use instead.

    >>> check_reachable({}, "the workers")
    Traceback (most recent call last):
    flowly_ckpt.errors.StoreError: dict is in the memory of this process, where the workers cannot reach it: use \
DiskTarget(path), or RemoteTarget(url) for several machines
    """
    if (hindrance := _hindrance(target)) is not None:
        what, instead = hindrance
        raise StoreError(
            f"{described(target)} {what} {where} cannot reach it: {instead}use DiskTarget(path), "
            "or RemoteTarget(url) for several machines"
        )


def _hindrance(target: Target) -> tuple[str, str] | None:
    """Return what keeps others from a target and what can be done about it, or None where nothing does."""
    if any(not isinstance(part, int) for part in _places(as_target(target).place)):
        return None
    store: Any = target  # known by nothing but where it lies in memory: its own kind, or the kind of what it wraps
    while (inside := getattr(store, "target", getattr(store, "mapping", None))) is not None:
        store = inside
    if isinstance(store, (dict, UserDict)):
        return "is in the memory of this process, where", ""
    import cloudpickle

    try:
        cloudpickle.dumps(store)
    except Exception as error:  # noqa: BLE001  what cannot be pickled may raise anything
        what = f"cannot be pickled ({type(error).__name__}: {error}), so that"
        return what, "let its __reduce__ say how to open it again, or "
    return None


def _places(place: Hashable) -> Iterator[Hashable]:
    if isinstance(place, tuple):
        for part in place:
            yield from _places(part)
    elif not isinstance(place, type):
        yield place
