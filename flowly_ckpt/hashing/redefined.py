"""Functions that a pipeline still holds although their module has another one of that name, as after a cell was run."""

from __future__ import annotations

import sys
from functools import partial
from types import FunctionType, MethodType
from typing import Any

from ..errors import RedefinedWarning, UnhashableError
from ..once import warn_once
from ..pipelines.names import module_name
from ..pipelines.term import shapes
from ..typing import Transform
from .code.origin import of_module
from .digests import functional_hash
from .values.objects import BEHIND

__all__ = ["warn_of_redefined"]

_LONGEST = 100  # wrappers around a function


def warn_of_redefined(*transforms: Transform, holder: str = "the pipeline") -> None:
    """Warn, once for each, of the functions and classes in pipelines that their module has redefined since.

    :param holder: what holds them, for the message.

    >>> warn_of_redefined(abs)
    """
    waiting: list[Any] = [*transforms]
    kinds: set[type] = set()
    for term in waiting:  # which grows
        kind = type(term)
        apart = shapes[kind].children
        if apart is not None:
            waiting += apart(term)
        if kind is FunctionType or kind is type:
            held = term
        elif kind is partial:
            waiting.append(term.func)
            continue
        elif kind is MethodType:
            held = term.__self__ if isinstance(term.__self__, type) else type(term.__self__)
        elif kind in kinds:
            continue
        else:
            kinds.add(kind)
            held = kind
        place = held.__module__
        module = sys.modules.get(place) if type(place) is str else None
        now = getattr(module, "__dict__", {}).get(held.__qualname__, held)
        if now is not held and _is_other(held, now):
            kind_name = "class" if isinstance(held, type) else "function"
            message = (
                f"{holder} holds an earlier {held.__qualname__!r}: {module_name(place)} has another {kind_name} of "
                f"that name now, which is not called; make {holder} anew, in a notebook by running its cell"
            )
            warn_once(RedefinedWarning, (place, held.__qualname__, _hash(held), _hash(now)), message)


def _is_other(held: Any, now: Any) -> bool:
    """Return whether what a module has under a name is another definition, not the same one or one around it."""
    for _ in range(_LONGEST):
        if now is held:
            return False
        behind = next((inner for name in BEHIND if (inner := vars_of(now).get(name)) is not None), None)
        if behind is None:
            break
        now = behind
    if of_module(held.__module__).kind != "user":
        return False
    if type(now) is not type(held) or (now.__module__, now.__qualname__) != (held.__module__, held.__qualname__):
        return False
    if isinstance(held, FunctionType) and now.__code__ is held.__code__:
        return False  # the functions that one definition made in a loop
    return _hash(held) != _hash(now)


def vars_of(obj: Any) -> dict[str, Any]:
    found = getattr(obj, "__dict__", None)
    return found if isinstance(found, dict) else {}


def _hash(held: Any) -> str:
    try:
        return functional_hash(held)
    except UnhashableError:
        return f"unhashable {id(held)}"
