"""Marks that no pass can reach: pipelines hidden in closures, attributes, arguments and globals of a leaf."""

from __future__ import annotations

import weakref
from collections.abc import Iterator
from functools import partial
from itertools import islice
from types import CodeType, FunctionType, MethodType, ModuleType

from ..errors import UnreachableWarning, warn
from ..once import is_first
from ..pipelines import name_of, role, walk
from .mark import checkpoint

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from ..typing import Transform

__all__ = ["warn_of_unreachable"]

_DEPTH = 3
_ITEMS = 100  # of a large container held by a leaf: a look, not a search

_seen: dict[int, weakref.ref[object]] = {}  # by id, as a leaf may be unhashable


def warn_of_unreachable(leaf: Transform) -> Transform:
    """Return a leaf; warn, once for each, when a mark is hidden in it.

    >>> import warnings
    >>> hidden = checkpoint({}, tag="inner")
    >>> with warnings.catch_warnings(record=True, action="always") as caught:
    ...     leaf = warn_of_unreachable(lambda x: hidden(x))
    >>> caught[0].category.__name__
    'UnreachableWarning'
    """
    seen = _seen.get(id(leaf))
    if seen is not None and seen() is leaf:
        return leaf
    try:
        _seen[id(leaf)] = weakref.ref(leaf, partial(_seen.pop, id(leaf)))
    except TypeError:
        return leaf  # without weak references it is a builtin or has slots only, and holds no pipeline
    mark = _find_mark(leaf, _DEPTH)
    if mark is not None:
        is_first((checkpoint, mark.tag))  # the mark itself says no more
        message = (
            f"{mark!r} is hidden in {name_of(leaf)!r}, where no pass can reach it: nothing is stored there. "
            "Put the pipeline into the chain itself, or let its type say what it is made of "
            "(flowly_ckpt.pipelines.register)"
        )
        warn(message, UnreachableWarning)  # who called the pass
    return leaf


def _find_mark(holder: Any, depth: int) -> checkpoint | None:
    for held in _held(holder):
        if callable(held) and role(held) != "leaf":
            for term in walk(held):
                if isinstance(term, checkpoint):
                    return term
        elif depth > 0:
            mark = _find_mark(held, depth - 1)
            if mark is not None:
                return mark
    return None


def _held(holder: Any) -> Iterator[Any]:
    if isinstance(holder, FunctionType):
        yield from _held_by_function(holder)
    elif isinstance(holder, MethodType):
        if not _applies_passes(holder.__func__):
            yield from (holder.__func__, holder.__self__)
    elif isinstance(holder, dict):
        yield from islice(holder.values(), _ITEMS)
    elif isinstance(holder, (list, tuple, set, frozenset)):
        yield from islice(holder, _ITEMS)
    elif not isinstance(holder, (type, ModuleType)) and not _applies_passes(_call_method(holder)):
        yield from (getattr(holder, name) for name in ("func", "args", "keywords") if hasattr(holder, name))
        yield from islice(getattr(holder, "__dict__", {}).values(), _ITEMS)


def _held_by_function(function: FunctionType) -> Iterator[Any]:
    if not _applies_passes(function):
        yield from _referred_to(function)
        yield from function.__defaults__ or ()
        yield from (function.__kwdefaults__ or {}).values()
        yield from function.__dict__.values()


def _call_method(holder: Any) -> Any:
    return next((vars(kind)["__call__"] for kind in type(holder).__mro__ if "__call__" in vars(kind)), None)


def _applies_passes(function: Any) -> bool:
    """Return whether a function applies passes of its own to what it holds."""
    return isinstance(function, FunctionType) and any(_rewrites(value) for value in _referred_to(function))


def _referred_to(function: FunctionType) -> list[Any]:
    names = set(_names(function.__code__)) & function.__globals__.keys()
    cells = [cell.cell_contents for cell in function.__closure__ or () if not _is_empty(cell)]
    return [function.__globals__[name] for name in names] + cells


def _names(code: CodeType) -> Iterator[str]:
    yield from code.co_names
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from _names(constant)


def _is_empty(cell: Any) -> bool:
    try:
        cell.cell_contents  # noqa: B018
    except ValueError:
        return True
    return False


def _rewrites(value: Any) -> bool:
    value = getattr(value, "func", value)
    name = getattr(value, "__name__", None)
    return name in ("apply", "pipe", "run", "add_checkpoints") and str(value.__module__).startswith("flowly_ckpt.")
