"""Exceptions as they were raised: with their cause, and made again where their constructor cannot be asked."""

from __future__ import annotations

from types import FunctionType
from typing import Any

from ...hashing.values.objects import left_out

__all__ = ["error_reduction", "without_init", "without_new"]


def error_reduction(error: BaseException) -> Any:
    """Return a reduction of an exception that can be undone; NotImplemented where its own can.

    >>> class Missing(Exception):
    ...     def __init__(self, place, name): super().__init__(f"{place}: no {name}")
    >>> error_reduction(KeyError("a")), error_reduction(Missing("here", "a"))[0].__name__
    (NotImplemented, 'without_init')
    """
    reduced: Any = error.__reduce_ex__(5)
    function, args, state = (*reduced, None)[:3] if type(reduced) is tuple else (None, (), None)
    kept = left_out(error, state)
    if error.__cause__ is not None:
        kept |= {"__cause__": error.__cause__, "__suppress_context__": True}
    if function is type(error) and not is_made_of(error, args):
        function, args = without_init, (type(error), error.args)
    elif not kept:
        return NotImplemented
    return function, args, {**(state or {}), **kept} or None, *reduced[3:]


def is_made_of(error: BaseException, args: tuple[Any, ...]) -> bool:
    """Return whether the constructor of an exception, asked with these arguments, makes an equal one."""
    kind = type(error)
    ways = [type(way) for way in (kind.__reduce__, kind.__reduce_ex__, kind.__init__, kind.__new__)]
    if FunctionType in ways[:2] or FunctionType not in ways[2:]:
        return True  # it knows how it is made
    try:
        made = kind(*args)
    except Exception:  # noqa: BLE001  whatever a constructor raises that takes others
        return False
    return type(made) is kind and list(map(id, made.args)) == list(map(id, error.args))


def without_init(kind: type[BaseException], args: tuple[Any, ...]) -> BaseException:
    """Make an exception without the constructor that its class wrote, by that of the base in Python.

    >>> without_init(KeyError, ("a",))
    KeyError('a')
    """
    made: BaseException = without_new(kind, *args)
    inits = (vars(base)["__init__"] for base in kind.__mro__ if "__init__" in vars(base))
    next(init for init in inits if type(init) is not FunctionType)(made, *args)
    made.args = args
    return made


def without_new(kind: type, *args: Any) -> Any:
    """Make an object by the base that is not written in Python.

    >>> class Degrees(float):
    ...     def __new__(cls, value, unit): return super().__new__(cls, value)
    >>> without_new(Degrees, 3.5)
    3.5
    """
    return next(base for base in kind.__mro__ if type(base.__new__) is not FunctionType).__new__(kind, *args)
