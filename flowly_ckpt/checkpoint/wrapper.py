"""The wrapper: apply a transform, or return its stored result."""

from __future__ import annotations

from collections.abc import MutableMapping, Sequence

from ..later import on_call
from ..pipelines import Combinator, children, name_of, rebuild, role
from .mark import checkpoint as mark

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Self

    from ..hashing.kept import Keeper
    from ..targets.recall import compute_once
    from ..targets.single_flight import landings_elsewhere
    from ..typing import Transform
    from .stages import Asked, Stage, look_back, stages_of
else:
    _CALLED = {
        ".stages": "Asked look_back stages_of",
        "..targets.recall": "compute_once",
        "..targets.single_flight": "landings_elsewhere",
    }
    on_call(__name__, _CALLED)

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
            given = f"{checkpoint!r:.60}, {transform!r:.60}"
            raise TypeError(f"with_checkpoint({given}): the checkpoint comes first, then the transform")
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

    @staticmethod
    def __flowly_each__(transform: Transform, items: Sequence[Any], told: Any) -> list[Any] | None:
        from .bulk import each_kept  # where no items come in a row it is not needed

        return each_kept(transform, items, told)

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
