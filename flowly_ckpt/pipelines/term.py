"""A pipeline is a term: which transforms it is made of, and how it is made again from others.

Everything that looks into a pipeline (passes, hashing, drawing, engines) enters by this module alone.
"""

from __future__ import annotations

from collections.abc import Callable, Container, Iterator, Sequence
from operator import is_

from ..dispatch import Dispatch
from ..given import a_class, function

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from ..typing import Role, Transform

__all__ = ["children", "effective_steps", "map_children", "rebuild", "register", "role", "walk"]


class Shape:
    __slots__ = ("children", "rebuild", "role")

    def __init__(
        self,
        role: Role,
        children: Callable[[Any], Sequence[Transform]] | None,  # None: there are none
        rebuild: Callable[[Any, Sequence[Transform]], Transform],
    ) -> None:
        self.role = role
        self.children = children
        self.rebuild = rebuild


def _shape(
    role: Role,
    children: Callable[[Any], Sequence[Transform]],
    rebuild: Callable[[Any, Sequence[Transform]], Transform],
) -> Shape:
    if role in ("leaf", "mark"):
        return Shape(role, None, lambda transform, parts: transform)
    return Shape(role, children, rebuild)


_LEAF = Shape("leaf", None, lambda transform, parts: transform)


def _by_methods(kind: Any) -> Shape:
    if not hasattr(kind, "__flowly_children__"):
        return _LEAF
    return _shape(getattr(kind, "__flowly_role__", "combinator"), kind.__flowly_children__, kind.__flowly_rebuild__)


shapes = Dispatch(_by_methods)


def register(
    kind: type,
    children: Callable[[Any], Sequence[Transform]],
    rebuild: Callable[[Any, Sequence[Transform]], Transform],
    role: Role = "combinator",
) -> None:
    """Declare how transforms of a type come apart and are put together again.

    ``rebuild(s, children(s)) == s``

    :param kind: the type; its subclasses follow unless registered themselves.
    :param children: returns the transforms that a transform is made of, in the order they are applied.
    :param rebuild: makes the same transform from as many other children; a sequential one from any number.
    :param role: what the type means to every interpreter at once; a leaf or a mark has no children.

    >>> class Twice:
    ...     def __init__(self, f): self.f = f
    ...     def __call__(self, x): return self.f(self.f(x))
    >>> register(Twice, children=lambda t: (t.f,), rebuild=lambda t, parts: Twice(*parts))
    >>> children(Twice(abs))
    (<built-in function abs>,)

    See also: a type can define the methods ``__flowly_children__`` and ``__flowly_rebuild__`` instead
    (and a class attribute ``__flowly_role__``), without importing this library.
    """
    function("children", children, "a transform")
    function("rebuild", rebuild, "a transform and its parts")
    from ..typing import ROLES

    if role not in ROLES:
        raise ValueError(f"role must be one of {', '.join(ROLES)}, got {role!r}")
    shapes.register(a_class("kind", kind))(_shape(role, children, rebuild))


def role(transform: Transform) -> Role:
    """Return what a transform means to interpreters: leaf, combinator, sequential, transparent or mark.

    >>> role(abs)
    'leaf'

    See also: :func:`register`.
    """
    return shapes[type(transform)].role


def children(transform: Transform) -> Sequence[Transform]:
    """Return the transforms a transform is made of, in the order they are applied; a leaf has none.

    The look-up order is: a registered type, the method ``__flowly_children__``, else a leaf.

    >>> from flowly_ckpt.pipelines import chained
    >>> children(chained(abs, float))
    (<built-in function abs>, <class 'float'>)

    See also: :func:`rebuild`.
    """
    apart = shapes[type(transform)].children
    return () if apart is None else apart(transform)


def rebuild(transform: Transform, parts: Sequence[Transform]) -> Transform:
    """Make the same transform from other children.

    ``rebuild(s, children(s)) == s``

    >>> from flowly_ckpt.pipelines import chained
    >>> rebuild(chained(abs, float), [abs, int])
    chained(abs, int)

    See also: :func:`children`, :func:`map_children`.
    """
    return shapes[type(transform)].rebuild(transform, parts)


def map_children(function: Callable[[Transform], Transform], transform: Transform) -> Transform:
    """Apply a function to each child; a transform whose children all stay the same is returned itself.

    ``map_children(identity, s) is s``

    >>> from flowly_ckpt.pipelines import chained
    >>> map_children(lambda f: int if f is float else f, chained(abs, float))
    chained(abs, int)

    See also: :mod:`flowly_ckpt.pipelines.strategies` for whole terms.
    """
    old = children(transform)
    return with_children(transform, old, list(map(function, old)))


def with_children(transform: Transform, old: Sequence[Transform], new: Sequence[Transform]) -> Transform:
    if len(old) == len(new) and all(map(is_, old, new)):
        return transform
    return shapes[type(transform)].rebuild(transform, new)


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
        apart = shapes[type(term)].children
        if apart is not None:
            waiting += reversed(apart(term))


def effective_steps(*transforms: Transform) -> list[Transform]:
    """Return the steps that make the result, in one flat list.

    Sequential and transparent transforms are looked through, and marks are left out.

    ``effective_steps(chained(f, chained(g, mark))) == [f, g]``

    >>> from flowly_ckpt.pipelines import chained
    >>> effective_steps(chained(abs, chained(float)), str)
    [<built-in function abs>, <class 'float'>, <class 'str'>]
    """
    return flat(transforms, ("sequential", "transparent"), without="mark")


def flat(transforms: Sequence[Transform], through: Container[Role], without: Role | None = None) -> list[Transform]:
    """Return transforms in one flat list, with those of some roles replaced by their children."""
    found: list[Transform] = []
    waiting = [iter(transforms)]
    while waiting:
        for term in waiting[-1]:
            shape = shapes[type(term)]
            if shape.role in through and shape.children is not None:
                waiting.append(iter(shape.children(term)))
                break
            if shape.role != without:
                found.append(term)
        else:
            waiting.pop()
    return found
