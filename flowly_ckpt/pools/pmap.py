"""``map`` on a pool, anywhere in a pipeline, whatever engine the rest of it runs on."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import partial
from typing import Any, Self

from ..checkpoint.bulk import each
from ..lowering.itemwise import Form, forms
from ..pipelines import Combinator
from ..typing import Engine, Transform
from .engines import threads

__all__ = ["pmap"]


class pmap(Combinator):
    """Apply a transform to each item of a sequence, side by side.

    ``pmap(f)(xs) == [f(x) for x in xs]``

    How it runs is not part of its key. An engine that divides pipelines itself runs it as it runs ``map``.

    :param each: a transform of an item.
    :param engine: what runs it, ``threads()`` where none is given.

    >>> pmap(abs)([-1, 2, -3])
    [1, 2, 3]

    See also: :func:`flowly_ckpt.engines.threads`.
    """

    __slots__ = ("each", "engine")
    __flowly_maps__ = True

    def __init__(self, each: Transform, engine: Engine | None = None) -> None:
        for given, what in (
            (each, "a function of an item comes first"),
            (engine or threads, "engine must be an engine such as threads(4)"),
        ):
            if not callable(given):
                raise TypeError(f"pmap: {what}, got {given!r:.60}")
        self.each = each
        self.engine = engine

    def __call__(self, items: Iterable[Any]) -> list[Any]:
        return list((self.engine or threads())(partial(map, self.each), items))

    def __flowly_children__(self) -> tuple[Transform, ...]:
        return (self.each,)

    def __flowly_rebuild__(self, parts: Sequence[Transform]) -> Self:
        (each,) = parts
        return type(self)(each, self.engine)

    def __reduce__(self) -> tuple[Any, ...]:
        return (pmap, (self.each, self.engine))


forms.register(pmap)(Form(lambda term, items: each(term.each, items), list))
