"""What the author of a function adds to its hash or leaves out of it, as the walk cannot see it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from types import CodeType, FunctionType
from typing import Any, TypeVar

__all__ = ["IGNORES", "depends_on", "ignore_globals"]

F = TypeVar("F", bound=Callable[..., Any])

IGNORES = "__flowly_ignore_globals__"
DEPENDS = "__flowly_depends_on__"


def ignore_globals(*names: str) -> Callable[[F], F]:
    """Leave the named globals and closure variables of the decorated function out of its hash.

    Without names, all of them are left out. The function must not let them influence its result:
    meant for loggers, connections, counters.

    :param names: the names as they stand in the function.
    :raises ValueError: where the function uses none of them.

    >>> from flowly_ckpt import functional_hash
    >>> @ignore_globals("count")
    ... def step(x): return (count, x)[1]
    >>> count = 1
    >>> before = functional_hash(step)
    >>> count = 2
    >>> functional_hash(step) == before
    True

    See also: :func:`depends_on`, :func:`flowly_ckpt.hashing.register`.
    """
    for name in names:
        if not isinstance(name, str):
            raise TypeError(f"ignore_globals takes names, got {name!r}; write @ignore_globals() to ignore all")

    def mark(function: F) -> F:
        _check_names(function, names)
        for each in behind(function):
            before: Any = getattr(each, IGNORES, frozenset())
            setattr(each, IGNORES, True if before is True or not names else before | frozenset(names))
        return function

    return mark


def _check_names(function: Any, names: Sequence[str]) -> None:
    """Raise where none of the names stands in a function, nor in those that its decorators wrapped."""
    known: set[str] = set()
    waiting = [each.__code__ for each in behind(function) if isinstance(each, FunctionType)]
    while waiting:
        code = waiting.pop()
        known.update(code.co_names, code.co_freevars)
        waiting += [each for each in code.co_consts if isinstance(each, CodeType)]
    if names and known.isdisjoint(names):  # one decorator may serve several functions
        called = getattr(function, "__qualname__", function)
        there = ", ".join(sorted(known)) or "no others"
        raise ValueError(f"ignore_globals: {called} does not use {' or '.join(map(repr, names))}; it uses {there}")


def depends_on(*objects: Any) -> Callable[[F], F]:
    """Make further objects part of the hash of the decorated function.

    Meant for what its instructions do not show: ``getattr(module, name)``, ``eval``, entry points, a file.

    :param objects: anything that can be hashed; functions and classes count with their code.
    :raises TypeError: without any, or for what cannot be marked.

    >>> from flowly_ckpt import functional_hash
    >>> def step(x): return eval("helper(x)")
    >>> plain = functional_hash(step)
    >>> functional_hash(depends_on(abs)(step)) == plain
    False

    See also: :func:`ignore_globals`.
    """

    if not objects:
        raise TypeError("depends_on: give the objects that count: @depends_on(helper)")

    def mark(function: F) -> F:
        try:
            setattr(function, DEPENDS, (*getattr(function, DEPENDS, ()), *objects))
        except AttributeError:
            raise TypeError(f"depends_on cannot mark {function!r}; mark one of the functions it is made of") from None
        return function

    return mark


def behind(function: Any) -> list[Any]:
    """Return a function, and those that its decorators wrapped, down to the one with the code."""
    found = [function]
    while (wrapped := getattr(found[-1], "__wrapped__", None)) is not None and len(found) < 100:
        found.append(wrapped)
    if not isinstance(found[-1], FunctionType):
        raise TypeError(f"ignore_globals decorates functions, got {found[-1]!r}; put it directly above the def")
    return found


def added_to(obj: Any) -> list[Any]:
    """Return what :func:`depends_on` added to an object, if anything."""
    own = getattr(obj, "__dict__", None)
    return [own[DEPENDS]] if own and DEPENDS in own else []
