"""What users give as a target, checked where it is given; what a target can do need not be loaded for that."""

from __future__ import annotations

import os

from ..given import address_of, target_at

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import MutableMapping
    from typing import Any, TypeVar

    M = TypeVar("M", bound=MutableMapping[Any, Any])

__all__ = ["checked", "in_place_of"]


def checked(target: M, name: str = "target") -> M:
    """Return what a user gave as target.

    :param name: the name of the parameter it was given for.

    :raises TypeError: when it is not a mutable mapping; shows the line to write instead.

    >>> checked([])
    Traceback (most recent call last):
    TypeError: target must be a mutable mapping, got list; use a dict, or a target from flowly_ckpt.targets
    """
    if isinstance(target, type):
        kind = target.__name__
        raise TypeError(f"{name} must be a mutable mapping, got the class {kind}; make one: {kind}(…)")
    if all(hasattr(target, name) for name in ("__getitem__", "__setitem__", "__delitem__", "keys")):
        return target
    raise TypeError(f"{name} must be a mutable mapping, got {type(target).__name__}; {in_place_of(target)}")


def in_place_of(given: Any) -> str:
    """Return what to write where something that is no target was given as one.

    >>> in_place_of("cache")
    "for a folder of results write DiskTarget('cache')"
    """
    if not isinstance(given, (str, os.PathLike)):
        return "use a dict, or a target from flowly_ckpt.targets"
    path = os.fsdecode(given)
    address = address_of(path)
    if address:
        return f"for an address write {target_at(address)}"
    return f"for a folder of results write DiskTarget({path!r})"
