"""The mark: where in a pipeline a result is to be kept."""

from __future__ import annotations

from collections.abc import Sequence
from types import BuiltinFunctionType, FunctionType

from ..errors import UnreachableWarning
from ..once import warn_once
from ..pipelines import Combinator, name_of, role, walk
from ..targets.checking import checked

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Self

    from ..typing import Target, Transform

__all__ = ["checkpoint", "marks_in", "only_a_mark"]


class checkpoint(Combinator):
    """Mark a place in a pipeline whose result is to be kept in a target; by itself it is the identity.

    ``checkpoint(t)(x) == x``, with a warning, as nothing is stored

    :param target: where results are kept: any mutable mapping from keys of three strings to values.
    :param tag: a name for this place, part of the key; used by ``clear_checkpoints`` and in the log.
    :raises TypeError: when the target is not a mutable mapping.

    >>> checkpoint({}, tag="clean")
    checkpoint(tag='clean')

    See also: :func:`add_checkpoints`, without which nothing is stored; :func:`flowly_ckpt.memo`, a decorator.
    """

    __slots__ = ("tag", "target")
    __flowly_role__ = "mark"

    def __init__(self, target: Target, tag: str = "<untagged>") -> None:
        if isinstance(target, FunctionType | BuiltinFunctionType):
            raise _around(target)
        if not isinstance(tag, str):
            raise TypeError(f"tag must be a string, got {type(tag).__name__}")
        self.target = checked(target)
        self.tag = tag

    def __call__(self, obj: Any) -> Any:
        if type(obj) is FunctionType:
            raise _around(obj)
        warn_once(UnreachableWarning, (checkpoint, self.tag), only_a_mark(self))
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


def marks_in(transform: Transform) -> list[checkpoint]:
    """Return the marks of a pipeline, those that are put to use too, and those of functions that are remembered.

    >>> from flowly_ckpt import chained, memo, with_checkpoint
    >>> marks_in(chained(memo({}, "size")(abs), checkpoint({}, "rows"), with_checkpoint(checkpoint({}), float)))
    [checkpoint(tag='size'), checkpoint(tag='rows'), checkpoint()]
    """
    terms: list[Any] = [*walk(transform)]
    marks = [getattr(term, "checkpoint", None) if role(term) == "transparent" else term for term in terms]
    return [mark for mark in marks if isinstance(mark, checkpoint)]


def only_a_mark(mark: checkpoint) -> str:
    """Return what to say of a mark that no pass has put to use.

    >>> only_a_mark(checkpoint({}, tag="rows"))
    "checkpoint(tag='rows') is only a mark here: pass rewrites=[add_checkpoints], or call run(pipeline, obj)"
    """
    return f"{mark!r} is only a mark here: pass rewrites=[add_checkpoints], or call run(pipeline, obj)"


def _around(function: Any) -> TypeError:
    name = name_of(function)
    return TypeError(
        f"a checkpoint is a mark after a step, not around it: chained({name}, checkpoint(results)); "
        "the decorator is @memo(results)"
    )
