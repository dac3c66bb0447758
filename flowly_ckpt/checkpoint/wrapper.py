"""The wrapper: apply a transform, or return its stored result."""

from __future__ import annotations

from collections.abc import Callable, MutableMapping, Sequence
from functools import partial
from typing import Any, NamedTuple, Self

from ..events import tell, watching
from ..hashing import functional_hash
from ..hashing.kept import Keeper
from ..pipelines import Combinator, chained, children, effective_steps, name_of, rebuild, role
from ..pipelines.combinators import follow
from ..targets.protocol import as_target
from ..targets.reasons import MadeFrom
from ..targets.recall import MISSING, compute_once, lookup, restore
from ..targets.single_flight import landings_elsewhere
from ..typing import Key, Target, Transform
from .hashed import Hashed, warn_of_changes
from .mark import checkpoint as mark
from .sources import Sources

__all__ = ["with_checkpoint"]

_SHARED = ("__name__", "__qualname__")


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

    __slots__ = ("_keepers", "_stages", "checkpoint", "transform")
    __flowly_role__ = "transparent"

    def __init__(self, checkpoint: mark, transform: Transform | None = None) -> None:
        if transform is None and isinstance(checkpoint, mark):
            raise TypeError(
                f"with_checkpoint({checkpoint!r}): the transform is missing: with_checkpoint(checkpoint(results), f); "
                "the decorator is @memo(results)"
            )
        if isinstance(checkpoint, MutableMapping) and callable(transform):
            raise TypeError(
                "with_checkpoint: the target stands in a checkpoint: "
                f"write with_checkpoint(checkpoint(results), {name_of(transform)})"
            )
        if not isinstance(checkpoint, mark) or not callable(transform):
            raise TypeError(
                f"with_checkpoint({checkpoint!r}, {transform!r}): the checkpoint comes first, then the transform"
            )
        self.checkpoint = checkpoint
        self.transform: Transform = transform
        self._stages: list[Stage] | None = None
        self._keepers: dict[Any, Keeper] = {}

    def __call__(self, obj: Any) -> Any:
        stages = self._stages
        if stages is None:
            self._stages = stages = stages_of(self)
        asked = Asked(stages, obj, self._keepers)
        seen = landings_elsewhere()
        value, depth = asked.restored()
        for position in range(depth + 1, len(stages)):
            value = compute_once(*asked.missing(position, value), seen)
        if depth + 1 < len(stages):
            look_back(stages, asked.keyed, asked.before, obj, depth + 1)
        return value

    def __getattr__(self, name: str) -> Any:
        if name in _SHARED:  # it is known by the name of what it wraps
            return getattr(self.transform, name)
        raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}", name=name, obj=self)

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


class _Doc(str):
    """A class's own description, which for an instance is that of what it wraps."""

    def __get__(self, instance: Any, owner: Any = None) -> Any:
        return self if instance is None else instance.transform.__doc__


with_checkpoint.__doc__ = _Doc(with_checkpoint.__doc__)


class Stage(NamedTuple):
    """Hold one of the nested wrappers along the left edge of a pipeline.

    ``chain`` is what it wraps, made of ``parts``, of which those before ``start`` are the inner wrapper;
    ``steps`` are its own effective steps.
    """

    wrapper: Any
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


def keys_of(
    stages: Sequence[Stage],
    obj: Any,
    found: dict[Any, Hashed] | None = None,
    keepers: dict[Any, Keeper] | None = None,
) -> list[Keyed]:
    """Return the key of each stage's result for an object, hashing the object and every step once.

    A target may say with which ``hasher`` its keys are made.

    :param found: takes up what was hashed, by hasher.
    :param keepers: what is known of the code since an earlier call, by hasher.
    """
    steps = [step for stage in stages for step in stage.steps]
    found = {} if found is None else found
    keepers = {} if keepers is None else keepers
    keyed, end = [], 0
    for stage in stages:
        mark = stage.wrapper.checkpoint
        hasher = as_target(mark.target).hasher
        if hasher not in found:
            keeper = keepers.get(hasher) or keepers.setdefault(hasher, Keeper(hasher))
            found[hasher] = Hashed(obj, steps, keeper)
        object_hash, hashes = found[hasher].obj, found[hasher].steps
        own = hashes[end : end + len(stage.steps)]
        end += len(own)
        transform_hash = hashes[end - 1] if end else functional_hash(chained(), hasher=hasher)
        keyed.append(Keyed((object_hash, mark.tag, transform_hash), own))
    return keyed


class Asked:
    """An object that nested wrappers are asked about: the keys of its results, and what they are made from.

    :param stages: the wrappers, the innermost first.
    :param keepers: what is known of the code since an earlier call, by hasher.

    >>> asked = Asked(stages_of(with_checkpoint(mark({}), abs)), -5)
    >>> target, key, compute, made_from = asked.missing(0, -5)
    >>> asked.restored(), compute()
    ((-5, -1), 5)
    """

    __slots__ = ("before", "keyed", "obj", "sources", "stages")

    def __init__(self, stages: Sequence[Stage], obj: Any, keepers: dict[Any, Keeper] | None = None) -> None:
        self.stages = stages
        self.obj = obj
        self.before: dict[Any, Hashed] = {}
        self.keyed = keys_of(stages, obj, self.before, keepers)
        self.sources: Sources | None = None

    def restored(self) -> tuple[Any, int]:
        """Return the last stored result and its depth; where nothing is stored, the object and -1."""
        ask = restore if watching.get() else lookup
        for depth in reversed(range(len(self.stages))):
            value = ask(self.stages[depth].wrapper.checkpoint.target, self.keyed[depth].key)
            if value is not MISSING:
                if watching.get():
                    tell_skipped(self.stages, self.keyed, depth)
                return value, depth
        return self.obj, -1

    def missing(self, position: int, value: Any) -> tuple[Target, Key, Callable[[], Any], Callable[[], MadeFrom]]:
        """Return where a stage's result is kept, its key, how it is computed, and what the key was made from."""
        stage = self.stages[position]
        if self.sources is None:
            self.sources = Sources(self.stages, self.keyed, self.before, self.obj)

        def compute() -> Any:
            if role(stage.chain) == "sequential":
                return follow(stage.chain, stage.parts, value, stage.start)
            return value if stage.start else stage.chain(value)

        made_from = partial(self.sources.__getitem__, position)
        return stage.wrapper.checkpoint.target, self.keyed[position].key, compute, made_from


def tell_skipped(stages: Sequence[Stage], keyed: Sequence[Keyed], depth: int) -> None:
    """Report the checkpoints that are not looked at, since the one at ``depth`` had its result."""
    for stage, one in zip(stages[:depth], keyed):
        tell("skipped", one.key, stage.wrapper.checkpoint.target)


def look_back(stages: Sequence[Stage], keyed: Sequence[Keyed], before: dict[Any, Hashed], obj: Any, start: int) -> None:
    """Warn of what the stages from ``start`` on changed that their keys were made from; what is misfiled is removed."""
    hasher, first = next(iter(before.items()))
    if not warn_of_changes(first, obj, [step for stage in stages for step in stage.steps], hasher):
        for stage, one in zip(stages[start:], keyed[start:]):
            as_target(stage.wrapper.checkpoint.target).pop(one.key, None)


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
