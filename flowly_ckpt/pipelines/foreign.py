"""Combinators of other libraries: toolz's compose, juxt, curry, excepts, and functools.partial.

For ``partial`` and ``curry`` only arguments that are themselves made of transforms are children, so
``curried.map(chained(f, mark))`` is reached by passes while ``partial(reduce, add)`` stays a leaf.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any

from ..typing import Transform
from .combinators import chained
from .term import register, role

__all__ = ["join_functools", "join_toolz"]


def _slots(bound: Any) -> list[Any]:
    return [bound.func, *bound.args, *bound.keywords.values()]


def _is_term(argument: Any) -> bool:
    return callable(argument) and role(argument) != "leaf"


def _children(bound: Any) -> Sequence[Transform]:
    return [argument for argument in _slots(bound) if _is_term(argument)]


def _rebuild(bound: Any, parts: Sequence[Transform]) -> Transform:
    new = iter(parts)
    func, *rest = [next(new) if _is_term(argument) else argument for argument in _slots(bound)]
    count = len(bound.args)
    made: Transform = type(bound)(func, *rest[:count], **dict(zip(bound.keywords, rest[count:])))
    return made


def join_functools() -> None:
    """Declare how those of functools come apart.

    >>> from flowly_ckpt.pipelines import chained, children
    >>> children(partial(map, chained(abs)))
    [chained(abs)]
    """
    register(partial, _children, _rebuild)


def join_toolz() -> None:
    """Declare how those of toolz come apart.

    >>> import toolz
    >>> from flowly_ckpt.pipelines import children
    >>> children(toolz.compose(float, abs))
    (<built-in function abs>, <class 'float'>)
    """
    import toolz
    from toolz.functoolz import Compose

    register(toolz.curry, _children, _rebuild)
    register(
        Compose,
        lambda composed: (composed.first, *composed.funcs),
        lambda composed, parts: Compose(tuple(reversed(parts))) if parts else chained(),
        role="sequential",
    )
    register(toolz.juxt, lambda juxt: tuple(juxt.funcs), lambda juxt, parts: toolz.juxt(*parts))
    register(
        toolz.excepts,
        lambda guarded: (guarded.func,),
        lambda guarded, parts: toolz.excepts(guarded.exc, *parts, guarded.handler),
    )
