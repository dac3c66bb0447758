"""What the author of a function tells the hash: what to leave out, and what the walk cannot see."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

__all__ = ["DEPENDS", "IGNORES", "depends_on", "ignore_globals"]

F = TypeVar("F", bound=Callable[..., Any])

IGNORES = "__flowly_ignore_globals__"
DEPENDS = "__flowly_depends_on__"


def ignore_globals(*names: str) -> Callable[[F], F]:
    """Leave the named globals and closure variables of the decorated function out of its hash.

    Without names, all of them are left out. The function must not let them influence its result:
    meant for loggers, connections, counters.

    :param names: the names as they stand in the function.

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
            raise TypeError(f"ignore_globals takes names, not {name!r}; write @ignore_globals() to ignore all")

    def mark(function: F) -> F:
        before: Any = getattr(function, IGNORES, frozenset())
        setattr(function, IGNORES, True if before is True or not names else before | frozenset(names))
        return function

    return mark


def depends_on(*objects: Any) -> Callable[[F], F]:
    """Make further objects part of the hash of the decorated function.

    Meant for what it uses in a way that cannot be seen: ``getattr(module, name)``, ``eval``, plugins, a file.

    :param objects: anything that can be hashed; functions and classes count with their code.

    >>> from flowly_ckpt import functional_hash
    >>> def step(x): return eval("helper(x)")
    >>> plain = functional_hash(step)
    >>> functional_hash(depends_on(abs)(step)) == plain
    False

    See also: :func:`ignore_globals`.
    """

    def mark(function: F) -> F:
        setattr(function, DEPENDS, (*getattr(function, DEPENDS, ()), *objects))
        return function

    return mark
