"""The wrapper: apply a transform, or return its stored result."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple, Self

from ..hashing import functional_hash, prefix_hashes
from ..pipelines import Combinator, chained, children, effective_steps, name_of, rebuild, role
from ..pipelines.combinators import follow
from ..targets.protocol import as_target
from ..targets.recall import MISSING, compute_once, lookup
from ..targets.single_flight import landings_elsewhere
from ..typing import Key, Target, Transform
from .mark import checkpoint as mark

__all__ = ["with_checkpoint"]


class with_checkpoint(Combinator):
    """Apply a transform, or return its stored result for an equal object.

    ``with_checkpoint(checkpoint(t), f)(x) == recall(t, (functional_hash(x), tag, functional_hash(f)), lambda: f(x))``

    Where the transform itself begins with such a wrapper, and so on inward, the outermost stored result is looked
    for first; from there what is missing is computed outward. The object is hashed once.

    :param checkpoint: where to keep the result, and under which tag.
    :param transform: what to apply on a miss.
    :raises UnhashableError: when the object, or what the transform refers to, cannot be hashed by its content.

    >>> from flowly_ckpt import checkpoint
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
            raise TypeError(
                f"with_checkpoint({checkpoint!r}, {transform!r}): the checkpoint comes first, then the transform"
            )
        self.checkpoint = checkpoint
        self.transform = transform

    def __call__(self, obj: Any) -> Any:
        stages = stages_of(self)
        keyed = keys_of(stages, obj)
        depth = len(stages)
        seen = landings_elsewhere()
        value = MISSING
        while value is MISSING and depth > 0:
            depth -= 1
            value = lookup(stages[depth].wrapper.checkpoint.target, keyed[depth].key)
        if value is MISSING:
            value, depth = obj, -1
        for position in range(depth + 1, len(stages)):
            previous = keyed[position - 1] if position else None
            target, key, compute, made_from = missing(stages[position], keyed[position], value, previous)
            value = compute_once(target, key, compute, made_from, seen)
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
        return (_nest, ([(stage.wrapper.checkpoint, _own(stage)) for stage in stages_of(self)],))


class Stage(NamedTuple):
    """Hold one of the nested wrappers along the left edge of a pipeline.

    ``chain`` is what it wraps, made of ``parts``, of which those before ``start`` are the inner wrapper;
    ``steps`` are its own effective steps.
    """

    wrapper: with_checkpoint
    chain: Transform
    parts: Sequence[Transform]
    start: int
    steps: Sequence[Transform]


class Keyed(NamedTuple):
    """Hold the key of a stage's result, and the transform's hash up to each of the stage's steps."""

    key: Key
    hashes: Sequence[str]


def stages_of(outermost: with_checkpoint) -> list[Stage]:
    """Return the nested wrappers, the innermost first."""
    stages = []
    wrapper: Any = outermost
    while isinstance(wrapper, with_checkpoint):
        chain = wrapper.transform
        parts = children(chain) if role(chain) == "sequential" else (chain,)
        inner = parts[0] if parts else None
        start = int(isinstance(inner, with_checkpoint))
        stages.append(Stage(wrapper, chain, parts, start, effective_steps(*parts[start:])))
        wrapper = inner
    stages.reverse()
    return stages


def keys_of(stages: Sequence[Stage], obj: Any) -> list[Keyed]:
    """Return the key of each stage's result for an object, hashing the object and every step once.

    A target may say with which ``hasher`` its keys are made.
    """
    steps = [step for stage in stages for step in stage.steps]
    hashed: dict[Any, tuple[str, list[str]]] = {}
    keyed, end = [], 0
    for stage in stages:
        mark = stage.wrapper.checkpoint
        hasher = as_target(mark.target).hasher
        if hasher not in hashed:
            hashed[hasher] = functional_hash(obj, hasher=hasher), prefix_hashes(steps, hasher=hasher)
        object_hash, hashes = hashed[hasher]
        own = hashes[end : end + len(stage.steps)]
        end += len(own)
        transform_hash = hashes[end - 1] if end else functional_hash(chained(), hasher=hasher)
        keyed.append(Keyed((object_hash, mark.tag, transform_hash), own))
    return keyed


def missing(
    stage: Stage, keyed: Keyed, value: Any, previous: Keyed | None
) -> tuple[Target, Key, Callable[[], Any], dict[str, Any]]:
    """Return where a stage's result is kept, its key, how it is computed, and what the key was made from."""

    def compute() -> Any:
        if role(stage.chain) == "sequential":
            return follow(stage.chain, stage.parts, value, stage.start)
        return value if stage.start else stage.chain(value)

    made_from = {
        "after": previous and previous.key[2],
        "steps": [[name_of(step), hashed] for step, hashed in zip(stage.steps, keyed.hashes)],
    }
    return stage.wrapper.checkpoint.target, keyed.key, compute, made_from


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
