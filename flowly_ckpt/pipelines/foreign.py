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
from .term import register, role, shapes

__all__: list[str] = []


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


register(partial, _children, _rebuild)


def _register_toolz() -> None:
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


shapes.register_lazy("toolz", _register_toolz)
