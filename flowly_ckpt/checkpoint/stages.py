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


def hashed_for(
    stages: Sequence[Stage],
    obj: Any,
    keepers: dict[Any, Keeper] | None = None,
    known: dict[Any, Hashed] | None = None,
) -> dict[Any, Hashed]:
    """Return what the keys for an object are made of, by hasher: the object and every step are hashed once.

    A target may say with which ``hasher`` its keys are made.

    :param keepers: what is known of the code since an earlier call, by hasher.
    :param known: what was hashed for another object, before any step has run since.
    """
    steps = [step for stage in stages for step in stage.steps] if len(stages) > 1 else stages[0].steps
    keepers = {} if keepers is None else keepers
    found: dict[Any, Hashed] = {}
    last: Any = None
    for stage in stages:
        target = stage.wrapper.checkpoint.target
        if target is not last:
            last, hasher = target, as_target(target).hasher
            if hasher not in found:
                again = known[hasher].of(obj) if known else None
                keeper = keepers.get(hasher) or keepers.setdefault(hasher, Keeper(hasher))
                found[hasher] = again or Hashed(obj, steps, keeper)
    return found


def keys_of(stages: Sequence[Stage], found: dict[Any, Hashed]) -> list[Keyed]:
    """Return the key of each stage's result for the object that was hashed."""
    keyed: list[Keyed] = []
    end = 0
    last: Any = None
    for stage in stages:
        mark = stage.wrapper.checkpoint
        if mark.target is not last:
            last, hasher = mark.target, as_target(mark.target).hasher
            object_hash, hashes = found[hasher].obj, found[hasher].steps
        start, end = end, end + len(stage.steps)
        keyed.append(Keyed((object_hash, mark.tag, hashes[end - 1] if end else _of_nothing(hasher)), hashes[start:end]))
    return keyed


def _of_nothing(hasher: Any) -> str:
    return functional_hash(chained(), hasher=hasher)


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

    __slots__ = ("_keyed", "before", "obj", "sources", "stages")

    def __init__(
        self,
        stages: Sequence[Stage],
        obj: Any,
        keepers: dict[Any, Keeper] | None = None,
        known: dict[Any, Hashed] | None = None,
    ) -> None:
        self.stages = stages
        self.obj = obj
        self.before = hashed_for(stages, obj, keepers, known)
        self._keyed: Sequence[Keyed] | None = None
        self.sources: Sources | None = None

    @property
    def keyed(self) -> Sequence[Keyed]:
        """The keys of the stages' results; where the outermost one is stored, the others are not asked for."""
        if self._keyed is None:
            self._keyed = keys_of(self.stages, self.before)
        return self._keyed

    @keyed.setter
    def keyed(self, keyed: Sequence[Keyed]) -> None:
        self._keyed = keyed

    def key(self, depth: int) -> Key:
        """Return the key of a stage's result."""
        if self._keyed is None and depth + 1 == len(self.stages):
            mark = self.stages[depth].wrapper.checkpoint
            hasher = as_target(mark.target).hasher
            hashes = self.before[hasher].steps
            return self.before[hasher].obj, mark.tag, hashes[-1] if hashes else _of_nothing(hasher)
        return self.keyed[depth].key

    def restored(self) -> tuple[Any, int]:
        """Return the last stored result and its depth; where nothing is stored, the object and -1."""
        ask = restore if watching.get() else lookup
        for depth in reversed(range(len(self.stages))):
            value = ask(self.stages[depth].wrapper.checkpoint.target, self.key(depth))
            if value is not MISSING:
                if watching.get():
                    self.tell_skipped(depth)
                return value, depth
        return self.obj, -1

    def tell_skipped(self, depth: int) -> None:
        """Report the checkpoints that are not looked at, since the one at ``depth`` had its result."""
        for place in range(depth):
            tell("skipped", self.key(place), self.stages[place].wrapper.checkpoint.target)

    def missing(self, position: int, value: Any) -> tuple[Target, Key, Callable[[], Any], Callable[[], MadeFrom]]:
        """Return where a stage's result is kept, its key, how it is computed, and what the key was made from."""
        stage, keyed = self.stages[position], self.keyed
        if self.sources is None:
            self.sources = Sources(self.stages, keyed, self.before, self.obj)

        def compute() -> Any:
            if role(stage.chain) == "sequential":
                return follow(stage.chain, stage.parts, value, stage.start)
            return value if stage.start else stage.chain(value)

        made_from = partial(self.sources.__getitem__, position)
        return stage.wrapper.checkpoint.target, keyed[position].key, compute, made_from


def look_back(stages: Sequence[Stage], keyed: Sequence[Keyed], before: dict[Any, Hashed], obj: Any, start: int) -> None:
    """Warn of what the stages from ``start`` on changed that their keys were made from; what is misfiled is removed."""
    hasher, first = next(iter(before.items()))
    if not warn_of_changes(first, obj, [step for stage in stages for step in stage.steps], hasher):
        for stage, one in zip(stages[start:], keyed[start:]):
            as_target(stage.wrapper.checkpoint.target).pop(one.key, None)
