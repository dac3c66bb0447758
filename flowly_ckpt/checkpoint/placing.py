"""The passes that place checkpoints in a pipeline, and remove them."""

from __future__ import annotations

import weakref
from collections.abc import Sequence
from operator import is_

from ..pipelines import bottom_up, chained, flatten, role
from ..pipelines.bases import no_pipeline
from ..pipelines.strategies import fold, joined
from ..pipelines.term import shapes, with_children
from .mark import checkpoint
from .unreachable import warn_of_unreachable
from .wrapper import with_checkpoint

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from ..typing import Transform

    Apart = tuple[Transform, Sequence[Transform]]

__all__ = ["add_checkpoints", "drop_checkpoints", "drop_marks"]


def add_checkpoints(transform: Transform, *, early_cutoff: bool = False) -> Transform:
    """Wrap the segment before each mark, in every combinator, so that it is restored instead of run again.

    ``add_checkpoints(chained(f, c1, g, c2, h)) ==
    chained(with_checkpoint(c2, chained(with_checkpoint(c1, chained(f)), g)), h)``

    Nested chains are flattened first, so a segment reaches back to the beginning of the outermost one. The pass
    changes neither what a pipeline computes nor its hash; without marks it returns the pipeline itself.

    :param transform: a pipeline.
    :param early_cutoff: key each segment by the hash of its own input too, so that a step which was edited but
        gives an equal value stops the re-run there. Costs one hash of each value between checkpoints.
    :return: a pipeline without marks.

    A mark that hides where no pass can reach it (in a closure, an attribute) is reported by an
    :class:`~flowly_ckpt.errors.UnreachableWarning`.

    >>> from flowly_ckpt.pipelines import chained
    >>> target = {}
    >>> keep = add_checkpoints(chained(abs, checkpoint(target), float))
    >>> keep
    chained(with_checkpoint(checkpoint(), chained(abs)), float)
    >>> keep(-5), len(target)
    (5.0, 1)

    See also: :func:`drop_checkpoints`, :func:`flowly_ckpt.checkpoint.clear_checkpoints`.
    """

    if not callable(transform):
        raise no_pipeline(transform)
    known = _placed.get((id(transform), early_cutoff))
    if known is not None and known.of() is transform and known.is_whole():
        return known.placed
    met: list[Apart] = []
    placed = _place(transform, early_cutoff, met)
    if placed is not transform and type(transform) is chained:
        _know(transform, early_cutoff, placed, met)
    return placed


class _Known:
    """A pipeline that was rewritten, and what each of its transforms was made of: some can be changed in place."""

    __slots__ = ("inner", "of", "own", "placed")

    def __init__(
        self, of: weakref.ref[Transform], placed: Transform, own: Sequence[Transform], inner: Sequence[Apart]
    ) -> None:
        self.of = of
        self.placed = placed
        self.own = own
        self.inner = inner

    def is_whole(self) -> bool:
        """Return whether each transform is still made of the same ones."""
        transform: Any = self.of()
        return _same(joined(transform), self.own) and all(_same(joined(term), parts) for term, parts in self.inner)


def _same(now: Sequence[Transform], then: Sequence[Transform]) -> bool:
    return now is then or (len(now) == len(then) and all(map(is_, now, then)))


_MOST = 256
# Pipelines that have been rewritten already: that of a step that is applied to many objects, one after another.
_placed: dict[tuple[int, bool], _Known] = {}


def _know(transform: Transform, early_cutoff: bool, placed: Transform, met: list[Apart]) -> None:
    key = id(transform), early_cutoff
    while len(_placed) >= _MOST:
        _placed.pop(next(iter(_placed)), None)
    own = next(parts for term, parts in met if term is transform)
    inner = [(term, parts) for term, parts in met if term is not transform]
    _placed[key] = _Known(weakref.ref(transform, lambda _: _placed.pop(key, None)), placed, own, inner)


def _place(transform: Transform, early_cutoff: bool, met: list[Apart]) -> Transform:
    def leaf(term: Transform) -> Transform:
        if shapes[type(term)].children is not None:  # it has no parts yet
            met.append((term, ()))
        return warn_of_unreachable(term)

    def place(term: Transform, old: Sequence[Transform], new: Sequence[Transform]) -> Transform:
        met.append((term, old))
        if role(term) == "sequential":
            return with_children(term, old, _wrapped(new, early_cutoff))
        return with_children(term, old, list(map(_keep_input, new)))

    return _keep_input(fold(leaf, place, transform, joined))


def drop_checkpoints(transform: Transform) -> Transform:
    """Remove every mark and every wrapper from a pipeline, which then only computes.

    ``drop_checkpoints(add_checkpoints(s)) == flatten(drop_checkpoints(s))``

    >>> from flowly_ckpt.pipelines import chained
    >>> drop_checkpoints(chained(abs, checkpoint({}), float))
    chained(abs, float)

    See also: :func:`add_checkpoints`.
    """
    if not callable(transform):
        raise no_pipeline(transform)
    dropped = _drop(bottom_up(_drop)(transform))
    return transform if dropped is transform else flatten(dropped)


def drop_marks(transform: Transform) -> Transform:
    """Replace every mark that no pass has put to use by a chain of nothing.

    ``drop_marks(s)(x) == s(x)``, without a warning

    >>> from flowly_ckpt.pipelines import chained
    >>> drop_marks(chained(abs, checkpoint({}), float))
    chained(abs, chained(), float)

    See also: :func:`drop_checkpoints`.
    """
    return bottom_up(lambda term: chained() if isinstance(term, checkpoint) else term)(transform)


def _wrapped(steps: Sequence[Transform], early_cutoff: bool) -> list[Transform]:
    parts: list[Transform] = []
    for step in steps:
        if isinstance(step, checkpoint):
            parts = [with_checkpoint(step, _segment(step, parts, early_cutoff))]
        else:
            parts.append(step)
    return parts


def _segment(mark: checkpoint, parts: list[Transform], early_cutoff: bool) -> Transform:
    if early_cutoff and len(parts) > 1 and isinstance(parts[0], with_checkpoint):
        return chained(parts[0], with_checkpoint(mark, chained(*parts[1:])))
    return chained(*parts)


def _keep_input(term: Transform) -> Transform:
    """Treat a mark that stands alone as a chain of nothing before it."""
    return with_checkpoint(term, chained()) if isinstance(term, checkpoint) else term


def _drop(term: Transform) -> Transform:
    if isinstance(term, with_checkpoint):
        return term.transform
    if isinstance(term, checkpoint):
        return chained()
    return term
