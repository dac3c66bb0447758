"""The wrapper: apply a transform, or return what it gave before."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import islice
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
        stages = stages_of(self)
        keys = keys_of(stages, functional_hash(obj))
        depth = len(stages)
        value = MISSING
        while value is MISSING and depth > 0:
            depth -= 1
            value = lookup(stages[depth].wrapper.checkpoint.target, keys[depth])
        if value is MISSING:
            value, depth = obj, -1
        for position in range(depth + 1, len(stages)):
            value = _remember(stages[position], keys[position], value, keys[position - 1] if position else None)
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
        return (_nest, ([(stage.wrapper.checkpoint, _own(stage)) for stage in stages_of(self, hashed=False)],))


class Stage(NamedTuple):
    """Hold one of the nested wrappers along the left edge of a pipeline.

    ``chain`` is what it wraps, made of ``parts``, of which those before ``start`` are the inner wrapper; ``steps``
    are its own effective steps, and ``hashes`` the transform's hash up to each of them.
    """

    wrapper: with_checkpoint
    chain: Transform
    parts: Sequence[Transform]
    start: int
    steps: Sequence[Transform]
    hashes: Sequence[str]


def stages_of(outermost: with_checkpoint, hashed: bool = True) -> list[Stage]:
    """Return the nested wrappers, the innermost first, hashing every step once."""
    stages = []
    wrapper: Any = outermost
    while isinstance(wrapper, with_checkpoint):
        chain = wrapper.transform
        parts = children(chain) if role(chain) == "sequential" else (chain,)
        inner = parts[0] if parts else None
        start = int(isinstance(inner, with_checkpoint))
        stages.append(Stage(wrapper, chain, parts, start, run(*parts[start:]), ()))
        wrapper = inner
    stages.reverse()
    if hashed:
        hashes = iter(prefix_hashes([step for stage in stages for step in stage.steps]))
        stages = [stage._replace(hashes=list(islice(hashes, len(stage.steps)))) for stage in stages]
    return stages


def keys_of(stages: Sequence[Stage], object_hash: str) -> list[Key]:
    """Return the key of each stage's result for an object."""
    keys = []
    transform_hash = None
    for stage in stages:
        transform_hash = stage.hashes[-1] if stage.hashes else transform_hash or functional_hash(chained())
        keys.append((object_hash, stage.wrapper.checkpoint.tag, transform_hash))
    return keys


def _remember(stage: Stage, key: Key, value: Any, previous: Key | None) -> Any:
    made_from = {
        "after": previous and previous[2],
        "steps": [[name_of(step), hashed] for step, hashed in zip(stage.steps, stage.hashes)],
    }

    def compute() -> Any:
        if role(stage.chain) == "sequential":
            return follow(stage.chain, stage.parts, value, stage.start)
        return value if stage.start else stage.chain(value)

    return recall(stage.wrapper.checkpoint.target, key, compute, made_from)


def _own(stage: Stage) -> Transform | None:
    if not stage.start:
        return stage.chain
    return rebuild(stage.chain, stage.parts[1:]) if role(stage.chain) == "sequential" else None


def _nest(levels: Sequence[tuple[mark, Transform | None]]) -> Any:
    inner: Any = None
    for place, own in levels:
        if own is not None and inner is not None:
            own = rebuild(own, (inner, *children(own)))
        inner = with_checkpoint(place, inner if own is None else own)
    return inner
