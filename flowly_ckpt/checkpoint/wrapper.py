"""The wrapper: apply a transform, or return what it gave before."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import accumulate
from typing import Any, NamedTuple, Self

from ..hashing import functional_hash, prefix_hashes
from ..pipelines import Combinator, chained, children, name_of, rebuild, role, run
from ..pipelines.combinators import follow
from ..targets.recall import MISSING, lookup, recall
from ..typing import Key, Transform
from .mark import checkpoint as mark

__all__ = ["with_checkpoint"]


class with_checkpoint(Combinator):
    """Apply a transform, or return what it gave for an equal object before.

    ``with_checkpoint(checkpoint(t), f)(x) == recall(t, (functional_hash(x), tag, functional_hash(f)), lambda: f(x))``

    Where the transform itself begins with such a wrapper, and so on inward, the outermost stored result is looked
    for first; from there what is missing is computed outward. The object is hashed once.

    :param checkpoint: where to keep the result, and under which tag.
    :param transform: what to apply on a miss.
    :raises UnhashableError: when the object, or what the transform refers to, cannot be told by its content.

    >>> target = {}
    >>> keep = with_checkpoint(checkpoint(target, "abs"), abs)
    >>> keep(-5), keep(-5), len(target)
    (5, 5, 1)

    See also: :func:`add_checkpoints`, which places these wrappers.
    """

    __slots__ = ("checkpoint", "transform")
    __flowly_role__ = "transparent"

    def __init__(self, checkpoint: mark, transform: Transform) -> None:
        if not isinstance(checkpoint, mark) or not callable(transform):
            raise TypeError(f"with_checkpoint({checkpoint!r}, {transform!r}): give a checkpoint, then a transform")
        self.checkpoint = checkpoint
        self.transform = transform

    def __call__(self, obj: Any) -> Any:
        levels = levels_of(self)
        object_hash = functional_hash(obj)
        keys = [
            (object_hash, level.wrapper.checkpoint.tag, hashed)
            for level, hashed in zip(levels, transform_hashes(levels))
        ]
        depth = len(levels)
        value = MISSING
        while value is MISSING and depth > 0:
            depth -= 1
            value = lookup(levels[depth].wrapper.checkpoint.target, keys[depth])
        if value is MISSING:
            value, depth = obj, -1
        for position in range(depth + 1, len(levels)):
            value = _remember(levels, keys, position, value)
        return value

    def _head(self) -> tuple[Any, ...]:
        return (self.checkpoint,)

    def _show(self, parts: list[str]) -> list[str]:
        return [repr(self.checkpoint), *parts]

    def __flowly_children__(self) -> tuple[Transform, ...]:
        return (self.transform,)

    def __flowly_rebuild__(self, parts: Sequence[Transform]) -> Self:
        return type(self)(self.checkpoint, *parts)

    def __reduce__(self) -> tuple[Any, ...]:
        # Flat, so that thousands of nested wrappers can be sent to another process.
        return (_nest, ([(level.wrapper.checkpoint, _own(level)) for level in levels_of(self)],))


class Level(NamedTuple):
    """Hold one of the nested wrappers: ``chain`` is what it wraps, whose steps before ``start`` are inner wrappers."""

    wrapper: with_checkpoint
    chain: Transform
    steps: Sequence[Transform]
    start: int


def levels_of(outermost: with_checkpoint) -> list[Level]:
    """Return the wrappers along the left edge of a pipeline, the innermost first."""
    levels = []
    wrapper: Any = outermost
    while isinstance(wrapper, with_checkpoint):
        chain = wrapper.transform
        steps = children(chain) if role(chain) == "sequential" else (chain,)
        inner = steps[0] if steps else None
        levels.append(Level(wrapper, chain, steps, int(isinstance(inner, with_checkpoint))))
        wrapper = inner
    levels.reverse()
    return levels


def transform_hashes(levels: Sequence[Level]) -> list[str]:
    """Return the hash of what each of the nested wrappers wraps, at the cost of hashing every step once."""
    segments = [run(*level.steps[level.start :]) for level in levels]
    hashes = prefix_hashes([step for segment in segments for step in segment])
    ends = accumulate(map(len, segments))
    return [hashes[end - 1] if end else functional_hash(chained()) for end in ends]


def _remember(levels: Sequence[Level], keys: Sequence[Key], position: int, value: Any) -> Any:
    level, key = levels[position], keys[position]
    made_from = {
        "after": keys[position - 1][2] if position else None,
        "steps": [name_of(step) for step in run(*level.steps[level.start :])],
    }

    def compute() -> Any:
        if role(level.chain) == "sequential":
            return follow(level.chain, level.steps, value, level.start)
        return value if level.start else level.chain(value)

    return recall(level.wrapper.checkpoint.target, key, compute, made_from)


def _own(level: Level) -> Transform | None:
    if not level.start:
        return level.chain
    return rebuild(level.chain, level.steps[1:]) if role(level.chain) == "sequential" else None


def _nest(levels: Sequence[tuple[mark, Transform | None]]) -> Any:
    inner: Any = None
    for place, own in levels:
        if own is not None and inner is not None:
            own = rebuild(own, (inner, *children(own)))
        inner = with_checkpoint(place, inner if own is None else own)
    return inner
