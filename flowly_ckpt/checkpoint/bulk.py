"""Apply a transform to many items, with the results at its checkpoints looked up and stored together."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from ..hashing import functional_hash
from ..pipelines import children, role
from ..pipelines.combinators import follow
from ..pipelines.names import locate
from ..targets.bulk import Wanted, compute_many, lookup_many
from ..targets.protocol import as_target
from ..targets.recall import MISSING
from ..targets.single_flight import landings_elsewhere
from ..typing import Transform
from .wrapper import Keyed, Stage, keys_of, missing, stages_of, with_checkpoint

__all__ = ["each", "keys_of_each", "stored"]


def each(transform: Transform, items: Iterable[Any]) -> list[Any]:
    """Apply a transform to each item.

    ``each(s, xs) == [s(x) for x in xs]``, with the same entries

    Where the transform begins with checkpoints, their targets are asked and given several results at a time.

    >>> from flowly_ckpt import add_checkpoints, chained, checkpoint
    >>> target = {}
    >>> each(add_checkpoints(chained(abs, checkpoint(target), float)), [-1, 1, -1]), len(target)
    ([1.0, 1.0, 1.0], 2)
    """
    items = list(items)
    if isinstance(transform, with_checkpoint):
        return _recalled(transform, items)
    parts = children(transform) if role(transform) == "sequential" else ()
    if not parts or not isinstance(parts[0], with_checkpoint):
        return [transform(item) for item in items]
    try:
        values = _recalled(parts[0], items)
    except Exception as error:
        locate(error, transform, 0)
        raise
    return [follow(transform, parts, value, 1) for value in values]


def stored(wrapper: with_checkpoint, items: Sequence[Any]) -> list[Any]:
    """Return for each item the result stored at the outermost checkpoint, or ``MISSING``.

    >>> from flowly_ckpt import checkpoint
    >>> stored(with_checkpoint(checkpoint({}), abs), [-1])
    [MISSING]
    """
    keyed = keys_of_each(stages_of(wrapper), items)
    return lookup_many(wrapper.checkpoint.target, [keys[-1].key for keys in keyed])


def keys_of_each(stages: Sequence[Stage], items: Sequence[Any]) -> list[list[Keyed]]:
    """Return for each item the key of each stage's result; the steps are hashed once.

    >>> from flowly_ckpt import checkpoint
    >>> stages = stages_of(with_checkpoint(checkpoint({}), abs))
    >>> keys_of_each(stages, [-1, 2]) == [keys_of(stages, -1), keys_of(stages, 2)]
    True
    """
    if not items:
        return []
    hashers = [as_target(stage.wrapper.checkpoint.target).hasher for stage in stages]
    first = keys_of(stages, None)
    keyed = []
    for item in items:
        hashed = {hasher: functional_hash(item, hasher=hasher) for hasher in set(hashers)}
        keyed.append([one._replace(key=(hashed[hasher], *one.key[1:])) for one, hasher in zip(first, hashers)])
    return keyed


def _recalled(wrapper: with_checkpoint, items: Sequence[Any]) -> list[Any]:
    stages = stages_of(wrapper)
    keyed = keys_of_each(stages, items)
    seen = landings_elsewhere()
    values, depths = list(items), [-1] * len(items)
    for depth in reversed(range(len(stages))):
        rest = [place for place, found in enumerate(depths) if found < 0]
        target = stages[depth].wrapper.checkpoint.target
        for place, value in zip(rest, lookup_many(target, [keyed[place][depth].key for place in rest])):
            if value is not MISSING:
                values[place], depths[place] = value, depth
    for depth, stage in enumerate(stages):
        rest = [place for place, found in enumerate(depths) if found < depth]
        wanted = []
        for place in rest:
            previous = keyed[place][depth - 1] if depth else None
            _, key, compute, made_from = missing(stage, keyed[place][depth], values[place], previous)
            wanted.append(Wanted(key, compute, made_from))
        for place, value in zip(rest, compute_many(stage.wrapper.checkpoint.target, wanted, seen)):
            values[place] = value
    return values
