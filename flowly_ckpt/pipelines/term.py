"""A pipeline is a term: which transforms it is made of, and how it is made again from others.

Everything that looks into a pipeline (passes, hashing, drawing, engines) enters by this module alone.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any, Literal, NamedTuple

from ..dispatch import Dispatch
from ..typing import Transform

__all__ = ["Role", "children", "map_children", "rebuild", "register", "role", "run", "walk"]

Role = Literal["leaf", "combinator", "sequential", "transparent", "mark"]


class _Shape(NamedTuple):
    role: Role
    children: Callable[[Any], Sequence[Transform]]
    rebuild: Callable[[Any, Sequence[Transform]], Transform]


def _no_children(transform: Transform) -> Sequence[Transform]:
    return ()


_LEAF = _Shape("leaf", _no_children, lambda transform, parts: transform)


def _by_methods(kind: Any) -> _Shape:
    if not hasattr(kind, "__flowly_children__"):
        return _LEAF
    role: Role = getattr(kind, "__flowly_role__", "combinator")
    return _Shape(role, kind.__flowly_children__, kind.__flowly_rebuild__)


_shapes = Dispatch(_by_methods)


def register(
    kind: type,
    children: Callable[[Any], Sequence[Transform]],
    rebuild: Callable[[Any, Sequence[Transform]], Transform],
    role: Role = "combinator",
) -> None:
    """Tell how terms of a type come apart and are put together again.

    ``rebuild(s, children(s)) == s``

    :param kind: the type; its subclasses follow unless registered themselves.
    :param children: gives the transforms a term is made of, in the order they are applied.
    :param rebuild: makes the same term from other children, as many as there were; a sequential term from any number.
    :param role: what the type means to every interpreter at once.

    >>> class Twice:
    ...     def __init__(self, f): self.f = f
    ...     def __call__(self, x): return self.f(self.f(x))
    >>> register(Twice, children=lambda t: (t.f,), rebuild=lambda t, parts: Twice(*parts))
    >>> children(Twice(abs))
    (<built-in function abs>,)

    See also: a type can instead bring the methods ``__flowly_children__`` and ``__flowly_rebuild__``
    (and a class attribute ``__flowly_role__``), without importing this library.
    """
    _shapes.register(kind)(_Shape(role, children, rebuild))


def role(transform: Transform) -> Role:
    """Return what a transform means to interpreters: leaf, combinator, sequential, transparent or mark.

    >>> role(abs)
    'leaf'

    See also: :func:`register`.
    """
    return _shapes[type(transform)].role


def children(transform: Transform) -> Sequence[Transform]:
    """Return the transforms a transform is made of, in the order they are applied; a leaf has none.

    The look-up goes: a registered type, the method ``__flowly_children__``, else a leaf.

    >>> from flowly_ckpt.pipelines import chained
    >>> children(chained(abs, float))
    (<built-in function abs>, <class 'float'>)

    See also: :func:`rebuild`.
    """
    return _shapes[type(transform)].children(transform)


def rebuild(transform: Transform, parts: Sequence[Transform]) -> Transform:
    """Make the same transform from other children.

    ``rebuild(s, children(s)) == s``

    >>> from flowly_ckpt.pipelines import chained
    >>> rebuild(chained(abs, float), [abs, int])
    chained(abs, int)

    See also: :func:`children`, :func:`map_children`.
    """
    return _shapes[type(transform)].rebuild(transform, parts)


def map_children(function: Callable[[Transform], Transform], transform: Transform) -> Transform:
    """Apply a function to each child; a transform whose children all stay the same is returned itself.

    ``map_children(identity, s) is s``

    >>> from flowly_ckpt.pipelines import chained
    >>> map_children(lambda f: int if f is float else f, chained(abs, float))
    chained(abs, int)

    See also: :mod:`flowly_ckpt.pipelines.strategies` for whole terms.
    """
    old = children(transform)
    return with_children(transform, old, [function(child) for child in old])


def with_children(transform: Transform, old: Sequence[Transform], new: Sequence[Transform]) -> Transform:
    if len(old) == len(new) and all(before is after for before, after in zip(old, new)):
        return transform
    return rebuild(transform, new)


def walk(transform: Transform) -> Iterator[Transform]:
    """Yield a transform and everything it is made of, outermost first.

    >>> from flowly_ckpt.pipelines import chained
    >>> list(walk(chained(abs)))
    [chained(abs), <built-in function abs>]
    """
    waiting = [transform]
    while waiting:
        term = waiting.pop()
        yield term
        parts = children(term)
        if parts:
            waiting.extend(reversed(parts))


def run(*transforms: Transform) -> list[Transform]:
    """Return the flat effective steps: through sequential and transparent transforms, without marks.

    ``run(chained(f, chained(g, mark))) == [f, g]``

    >>> from flowly_ckpt.pipelines import chained
    >>> run(chained(abs, chained(float)), str)
    [<built-in function abs>, <class 'float'>, <class 'str'>]
    """
    steps: list[Transform] = []
    waiting: list[Transform] = list(reversed(transforms))
    while waiting:
        term = waiting.pop()
        shape = _shapes[type(term)]
        if shape.role == "sequential" or shape.role == "transparent":
            waiting.extend(reversed(shape.children(term)))
        elif shape.role != "mark":
            steps.append(term)
    return steps
