"""How a decorated function is pickled: by its name, as functions are, or by its parts."""

from __future__ import annotations

import sys
from functools import reduce
from typing import Any

__all__ = ["name_to_pickle"]

_NEAR = 50  # frames


def name_to_pickle(obj: Any) -> str | None:
    """Return the qualified name under which an object is found in its module; None if it is to be pickled by its parts.

    What ``__main__`` defines is not there in the workers of cloudpickle, which therefore takes functions of it apart;
    for pickle the name is the only way, as the function within goes by the same name.

    >>> name_to_pickle(name_to_pickle), name_to_pickle(lambda: 1)
    ('name_to_pickle', None)
    """
    name, place = getattr(obj, "__qualname__", None), getattr(obj, "__module__", None)
    module: Any = sys.modules.get(place) if isinstance(place, str) else None
    if not isinstance(name, str) or (place == "__main__" and _is_taken_apart()):
        return None
    try:
        found = reduce(getattr, name.split("."), module)
    except AttributeError:
        return None
    return name if found is obj else None


def _is_taken_apart() -> bool:
    """Return whether it is cloudpickle, or a copy of it in another library, that asks."""
    frame: Any = sys._getframe(1)
    for _ in range(_NEAR):
        if frame is None:
            break
        if str(frame.f_globals.get("__name__", "")).endswith("cloudpickle.cloudpickle"):
            return True
        frame = frame.f_back
    return False
