"""Rows of what applies several transforms to one object, or to each item of one sequence."""

from __future__ import annotations

from functools import partial
from typing import Any

from ..checkpoint.bulk import each
from ..pipelines import (
    aggregate,
    apply_concat,
    apply_map_concat,
    build_dict,
    children,
    itemsetter,
    rebuild,
    seq,
)  # fmt: skip
from ..targets.materialise import materialise
from ..typing import Transform
from .engine import Items, Parallel, leaf, lowerings

__all__: list[str] = []


@lowerings.register(seq, build_dict, itemsetter, apply_concat)
def fan(engine: Parallel, term: Transform, obj: Any) -> Any:
    """Apply each child to the object, side by side; to an iterator, which is read once, in turn."""
    if obj.make is iter if isinstance(obj, Items) else engine.is_known(obj) and hasattr(obj, "__next__"):
        return leaf(engine, term, obj)
    results = engine.branches(children(term), obj)
    given = engine.whole(obj) if isinstance(term, itemsetter) else ()
    return engine.call(_assembled, term, given, *map(engine.whole, results))


@lowerings.register(aggregate)
def aggregated(engine: Parallel, term: aggregate, obj: Any) -> Any:
    """Apply each child to the items, side by side."""
    items = Items(obj.parts, list) if isinstance(obj, Items) else obj
    if engine.is_known(obj):
        items = list(materialise(obj))
    return engine.call(_assembled, term, (), *map(engine.whole, engine.branches(children(term), items)))


@lowerings.register(apply_map_concat)
def map_concat(engine: Parallel, term: apply_map_concat, obj: Any) -> Items:
    """Apply each child to each item."""
    parts = engine.items(obj).parts
    return Items([part for child in children(term) for part in engine.over(partial(each, child), parts)], list)


class _Constant:
    def __init__(self, value: Any) -> None:
        self.value = value

    def __call__(self, obj: Any) -> Any:
        return self.value


def _assembled(term: Transform, obj: Any, *results: Any) -> Any:
    """Return what a combinator makes of its children's results: what it gives where they are what its children give."""
    return rebuild(term, [*map(_Constant, results)])(obj)


def _load_toolz() -> None:
    import toolz

    lowerings.register(toolz.juxt)(fan)


lowerings.register_lazy("toolz", _load_toolz)
