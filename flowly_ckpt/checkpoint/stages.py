"""Nested checkpoints along the left edge of a pipeline: the keys of their results for an object, what is missing."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple

from ..events import tell, watching
from ..hashing import functional_hash
from ..hashing.kept import Keeper
from ..later import on_call
from ..pipelines import chained, children, effective_steps, role
from ..pipelines.combinators import follow
from ..targets.protocol import as_target
from ..targets.recall import MISSING, lookup, restore
from ..typing import Key, Target, Transform
from .hashed import Hashed, warn_of_changes

if TYPE_CHECKING:
    from ..targets.made_from import MadeFrom
    from .sources import Sources
else:
    on_call(__name__, {".sources": "Sources"})  # a hit needs none

__all__ = ["Asked", "is_wrapper"]


def is_wrapper(transform: Any) -> bool:
    """Return whether a transform keeps its results at a checkpoint, as :class:`with_checkpoint` does.

    >>> is_wrapper(abs)
    False
    """
    return hasattr(type(transform), "__flowly_each__")


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


def stages_of(outermost: Transform) -> list[Stage]:
    """Return the nested wrappers, the innermost first."""
    stages = []
    wrapper: Any = outermost
    while is_wrapper(wrapper):
        chain = wrapper.transform
        parts = children(chain) if role(chain) == "sequential" else (chain,)
        inner = parts[0] if parts else None
        start = int(is_wrapper(inner))
        stages.append(Stage(wrapper, chain, parts, start, effective_steps(*parts[start:])))
        wrapper = inner
    stages.reverse()
    return stages


def keys_of(
    stages: Sequence[Stage],
    obj: Any,
    found: dict[Any, Hashed] | None = None,
    keepers: dict[Any, Keeper] | None = None,
    known: dict[Any, Hashed] | None = None,
) -> list[Keyed]:
    """Return the key of each stage's result for an object, hashing the object and every step once.

    A target may say with which ``hasher`` its keys are made.

    :param found: takes up what was hashed, by hasher.
    :param keepers: what is known of the code since an earlier call, by hasher.
    :param known: what was hashed for another object, before any step has run since.
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
            again = known[hasher].of(obj) if known else None
            found[hasher] = again or Hashed(obj, steps, keeper)
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
    :param known: what was hashed for another object, before any step has run since.

    >>> from flowly_ckpt.checkpoint import checkpoint, with_checkpoint
    >>> asked = Asked(stages_of(with_checkpoint(checkpoint({}), abs)), -5)
    >>> target, key, compute, made_from = asked.missing(0, -5)
    >>> asked.restored(), compute()
    ((-5, -1), 5)
    """

    __slots__ = ("before", "keyed", "obj", "sources", "stages")

    def __init__(
        self,
        stages: Sequence[Stage],
        obj: Any,
        keepers: dict[Any, Keeper] | None = None,
        known: dict[Any, Hashed] | None = None,
    ) -> None:
        self.stages = stages
        self.obj = obj
        self.before: dict[Any, Hashed] = {}
        self.keyed = keys_of(stages, obj, self.before, keepers, known)
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
