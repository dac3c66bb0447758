"""Apply a transform to many items, with the results at its checkpoints looked up and stored together."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from typing import Any

from ..events import watching
from ..hashing.kept import Keeper
from ..pipelines import children, role
from ..pipelines.combinators import follow
from ..pipelines.names import locate
from ..targets.bulk import Wanted, compute_many, restore_many
from ..targets.recall import MISSING
from ..targets.single_flight import landings_elsewhere
from ..typing import Transform
from .wrapper import Asked, Stage, keys_of, look_back, stages_of, tell_skipped, with_checkpoint

__all__ = ["each", "stored"]

Told = Callable[[Exception, Any], object] | None
_TOGETHER = 1000  # items, whose walks are held meanwhile


def each(transform: Transform, items: Iterable[Any], told: Told = None) -> list[Any]:
    """Apply a transform to each item.

    ``each(s, xs) == [s(x) for x in xs]``, with the same entries

    Where the transform begins with checkpoints, their targets are asked and given several results at a time.

    :param told: is given what an item raised, and the item.

    >>> from flowly_ckpt import add_checkpoints, chained, checkpoint
    >>> target = {}
    >>> each(add_checkpoints(chained(abs, checkpoint(target), float)), [-1, 1, -1]), len(target)
    ([1.0, 1.0, 1.0], 2)
    """
    items = list(items)
    if isinstance(transform, with_checkpoint):
        return _recalled(transform, items, told)
    parts = children(transform) if role(transform) == "sequential" else ()
    if not parts or not isinstance(parts[0], with_checkpoint):
        return [_tried(partial(transform, item), told, item) for item in items]
    try:
        values = _recalled(parts[0], items, told)
    except Exception as error:
        locate(error, transform, 0)
        raise
    return [_tried(partial(follow, transform, parts, value, 1), told, item) for item, value in zip(items, values)]


def stored(wrapper: with_checkpoint, items: Sequence[Any]) -> list[Any]:
    """Return for each item the result stored at the outermost checkpoint, or ``MISSING``.

    >>> from flowly_ckpt import checkpoint
    >>> stored(with_checkpoint(checkpoint({}), abs), [-1])
    [MISSING]
    """
    stages = stages_of(wrapper)
    keepers: dict[Any, Keeper] = {}  # the code is hashed once, not for each item
    keyed = [keys_of(stages, item, None, keepers) for item in items]
    values = restore_many(wrapper.checkpoint.target, [keys[-1].key for keys in keyed])
    if watching.get():
        for keys, value in zip(keyed, values):
            if value is not MISSING:
                tell_skipped(stages, keys, len(stages) - 1)
    return values


def _recalled(wrapper: with_checkpoint, items: Sequence[Any], told: Told) -> list[Any]:
    stages = stages_of(wrapper)
    keepers: dict[Any, Keeper] = {}
    return [
        value
        for start in range(0, len(items), _TOGETHER)
        for value in _together(stages, items[start : start + _TOGETHER], keepers, told)
    ]


def _together(stages: Sequence[Stage], items: Sequence[Any], keepers: dict[Any, Keeper], told: Told) -> list[Any]:
    asked = [Asked(stages, item, keepers) for item in items]
    seen = landings_elsewhere()
    values, depths = list(items), [-1] * len(items)
    for depth in reversed(range(len(stages))):
        rest = [place for place, found in enumerate(depths) if found < 0]
        target = stages[depth].wrapper.checkpoint.target
        for place, value in zip(rest, restore_many(target, [asked[place].keyed[depth].key for place in rest])):
            if value is not MISSING:
                values[place], depths[place] = value, depth
                tell_skipped(stages, asked[place].keyed, depth)
    try:
        for depth, stage in enumerate(stages):
            rest = [place for place, found in enumerate(depths) if found < depth]

            def wanted(depth: int = depth, rest: Sequence[int] = rest) -> Iterator[Wanted]:
                for place in rest:
                    if depth == depths[place] + 1:  # its turn: an earlier item may have changed what the steps read
                        asked[place] = Asked(stages, items[place], keepers)
                    _, key, compute, made_from = asked[place].missing(depth, values[place])
                    yield Wanted(key, partial(_tried, compute, told, items[place]), made_from)

            for place, value in zip(rest, compute_many(stage.wrapper.checkpoint.target, wanted(), seen)):
                values[place] = value
    finally:
        for one, depth in zip(asked, depths):
            if depth + 1 < len(stages):
                look_back(stages, one.keyed, one.before, one.obj, depth + 1)
    return values


def _tried(compute: Callable[[], Any], told: Told, item: Any) -> Any:
    try:
        return compute()
    except Exception as error:
        if told is not None:
            told(error, item)
        raise
