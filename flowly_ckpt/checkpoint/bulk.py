"""Apply a transform to many items, with the results at its checkpoints looked up and stored together."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from functools import partial
from typing import Any

from ..events import watching
from ..hashing.kept import Keeper
from ..hashing.plain import ATOMS
from ..pipelines import children, role
from ..pipelines.combinators import follow
from ..pipelines.names import locate
from ..targets.bulk import Once, restore_many, together
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
    keyed = [keys_of(stages, item, None, wrapper._keepers) for item in items]
    values = restore_many(wrapper.checkpoint.target, [keys[-1].key for keys in keyed])
    if watching.get():
        for keys, value in zip(keyed, values):
            if value is not MISSING:
                tell_skipped(stages, keys, len(stages) - 1)
    return values


def _recalled(wrapper: with_checkpoint, items: Sequence[Any], told: Told) -> list[Any]:
    stages, keepers = stages_of(wrapper), wrapper._keepers
    return [
        value
        for start in range(0, len(items), _TOGETHER)
        for value in _together(stages, items[start : start + _TOGETHER], keepers, told)
    ]


def _together(stages: Sequence[Stage], items: Sequence[Any], keepers: dict[Any, Keeper], told: Told) -> list[Any]:
    asked = [Asked(stages, item, keepers) for item in items]
    seen = landings_elsewhere()
    values, depths = _restored(stages, asked)
    if min(depths) + 1 == len(stages):
        return values

    def work(once: Once) -> None:
        has_run = False
        for place, item in enumerate(items):
            if has_run and _may_differ(asked[place], depths[place] + 1 == len(stages)):
                values[place], depths[place] = _asked_anew(asked, place, keepers, values[place], depths[place])
            for depth in range(depths[place] + 1, len(stages)):
                target, key, compute, made_from = asked[place].missing(depth, values[place])
                values[place] = once(target, key, partial(_tried, compute, told, item), made_from)
                has_run = True

    try:
        together(work, seen)
    finally:
        for one, depth in zip(asked, depths):
            if depth + 1 < len(stages):
                look_back(stages, one.keyed, one.before, one.obj, depth + 1)
    return values


def _restored(stages: Sequence[Stage], asked: Sequence[Asked]) -> tuple[list[Any], list[int]]:
    """Return for each item its last stored result and the depth of that, as :meth:`Asked.restored` does for one."""
    values, depths = [one.obj for one in asked], [-1] * len(asked)
    for depth in reversed(range(len(stages))):
        rest = [place for place, found in enumerate(depths) if found < 0]
        target = stages[depth].wrapper.checkpoint.target
        for place, value in zip(rest, restore_many(target, [asked[place].keyed[depth].key for place in rest])):
            if value is not MISSING:
                values[place], depths[place] = value, depth
                tell_skipped(stages, asked[place].keyed, depth)
    return values, depths


def _may_differ(asked: Asked, is_complete: bool) -> bool:
    """Return whether the steps of an earlier item may have changed what a key is made from.

    An item whose result was restored before they ran counts as it was then.
    """
    is_fixed = is_complete or type(asked.obj) in ATOMS
    return not (is_fixed and all(found.code_holds() for found in asked.before.values()))


def _asked_anew(
    asked: list[Asked], place: int, keepers: dict[Any, Keeper], value: Any, depth: int
) -> tuple[Any, int]:
    """Ask for an item again now that it is its turn; return what is stored, which is the same under the same keys."""
    before = asked[place]
    now = asked[place] = Asked(before.stages, before.obj, keepers)
    return (value, depth) if now.keyed == before.keyed else now.restored()


def _tried(compute: Callable[[], Any], told: Told, item: Any) -> Any:
    try:
        return compute()
    except Exception as error:
        if told is not None:
            told(error, item)
        raise
