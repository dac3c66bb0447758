"""The mark: where in a pipeline a result is to be kept."""

from __future__ import annotations

from collections.abc import Sequence
from types import BuiltinFunctionType, FunctionType
from typing import Any, Self

from ..pipelines import Combinator, name_of
from ..targets.protocol import checked
from ..typing import Target, Transform

__all__ = ["checkpoint"]


class checkpoint(Combinator):
    """Mark a place in a pipeline whose result is to be kept in a target; by itself it is the identity.

    ``checkpoint(t)(x) == x``

    :param target: where results are kept: any mutable mapping from keys of three strings to values.
    :param tag: a name for this place, part of the key; used by ``clear_checkpoints`` and in the log.
    :raises TypeError: when the target is not a mutable mapping.

    >>> checkpoint({}, tag="clean")
    checkpoint(tag='clean')
    >>> checkpoint({})(5)
    5

    See also: :func:`add_checkpoints`, without which nothing is stored.
    """

    __slots__ = ("tag", "target")
    __flowly_role__ = "mark"

    def __init__(self, target: Target, tag: str = "<untagged>") -> None:
        if isinstance(target, FunctionType | BuiltinFunctionType):
            name = name_of(target)
            raise TypeError(f"a checkpoint is a mark after a step, not around it: chained({name}, checkpoint(results))")
        if not isinstance(tag, str):
            raise TypeError(f"tag must be a string, got {type(tag).__name__}")
        self.target = checked(target)
        self.tag = tag

    def __call__(self, obj: Any) -> Any:
        return obj

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, checkpoint):
            return NotImplemented
        return self.target is other.target and self.tag == other.tag

    def __hash__(self) -> int:
        return hash((checkpoint, id(self.target), self.tag))

    def _show(self, parts: list[str]) -> list[str]:
        return [] if self.tag == "<untagged>" else [f"tag={self.tag!r}"]

    def __reduce__(self) -> tuple[Any, ...]:
        return (checkpoint, (self.target, self.tag))

    def __flowly_children__(self) -> tuple[Transform, ...]:
        return ()

    def __flowly_rebuild__(self, parts: Sequence[Transform]) -> Self:
        return self
