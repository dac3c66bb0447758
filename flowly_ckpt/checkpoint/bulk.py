"""Apply a transform to many items, with the results at its checkpoints looked up and stored together."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager, nullcontext
from functools import partial
from typing import Any, NamedTuple

from ..events import tell, watching
from ..hashing.kept import Keeper
from ..hashing.plain import ATOMS
from ..pipelines import children, role
from ..pipelines.combinators import follow
from ..pipelines.names import locate
from ..targets.bulk import Batch, restore_many, size_about, together
from ..targets.recall import MISSING
from ..targets.single_flight import landings_elsewhere
from ..typing import Transform
from .stages import Asked, Stage, is_wrapper, look_back, stages_of

__all__ = ["Opening", "each", "each_kept", "opening_of", "stored"]

Told = Callable[[Exception, Any], object] | None
_FIRST, _MOST = 8, 1000  # items asked about together, whose walks are held meanwhile
_NOTHING: AbstractContextManager[object] = nullcontext()
_BYTES = 16_000_000  # of results; where they are more, fewer items are asked about together


class Opening(NamedTuple):
    """Hold what a transform of items begins with: checkpoints, which can be asked about many items at once.

    :param reports: what tells of each item how it went, the outermost first.
    :param wrapper: the checkpoints.
    :param chain: what goes on from there, with its ``parts``, or None where nothing does.

    >>> from flowly_ckpt import add_checkpoints, chained, checkpoint
    >>> opening_of(add_checkpoints(chained(abs, checkpoint({}), float))).follow(1)
    1.0
    """

    reports: Sequence[Any]
    wrapper: Any
    chain: Transform | None
    parts: Sequence[Transform]

    def follow(self, value: Any) -> Any:
        """Apply what comes after the checkpoints."""
        return value if self.chain is None else follow(self.chain, self.parts, value, 1)

    def around(self) -> AbstractContextManager[object]:
        """Report how an item went."""
        stack = ExitStack()
        for term in self.reports:
            stack.enter_context(term.__flowly_around__())
        return stack

    @contextmanager
    def begun(self) -> Iterator[None]:
        """Report how an item went at the checkpoints: that it failed there, where more of it comes after them."""
        if self.chain is None:
            with self.around():
                yield
            return
        try:
            with self.located():
                yield
        except BaseException:
            with self.around():
                raise

    @contextmanager
    def located(self) -> Iterator[None]:
        """Add to an exception of the checkpoints in which step it was."""
        try:
            yield
        except Exception as error:
            if self.chain is not None:
                locate(error, self.chain, 0)
            raise


def opening_of(transform: Transform) -> Opening | None:
    """Return the checkpoints that a transform begins with, or None where it begins otherwise.

    >>> from flowly_ckpt import add_checkpoints, chained, checkpoint
    >>> opening_of(add_checkpoints(chained(abs, checkpoint({}), float))).parts[1:], opening_of(abs)
    ((<class 'float'>,), None)
    """
    reports = []
    while not is_wrapper(transform):
        parts = children(transform)
        if hasattr(type(transform), "__flowly_around__"):
            reports.append(transform)
        elif role(transform) != "sequential" or not parts:
            return None
        elif len(parts) > 1:
            first = parts[0]
            return Opening(reports, first, transform, parts) if is_wrapper(first) else None
        transform = parts[0]
    return Opening(reports, transform, None, ())


def each(transform: Transform, items: Iterable[Any], told: Told = None) -> list[Any]:
    """Apply a transform to each item.

    ``each(s, xs) == [s(x) for x in xs]``, with the same entries

    Where the transform begins with checkpoints, their targets are asked and given several results at a time.

    :param told: is given what an item raised, and the item.

    >>> from flowly_ckpt import add_checkpoints, chained, checkpoint
    >>> target = {}
    >>> each(add_checkpoints(chained(abs, checkpoint(target), float)), [-1, 1, -1]), len(target)
    ([1.0, 1.0, 1.0], 2)
    """
    items = list(items)
    opening = opening_of(transform)
    if opening is None:
        return [_tried(partial(transform, item), told, item) for item in items]
    return _some_at_a_time(opening, items, told)


def _some_at_a_time(opening: Opening, items: Sequence[Any], told: Told) -> list[Any]:
    values: list[Any] = []
    count = _FIRST
    while len(values) < len(items):
        some = _together(opening, items[len(values) : len(values) + count], told)
        values += some.values
        count = min(2 * count, _MOST) if some.size < _BYTES else max(1, count // 2)
    return values


def each_kept(transform: Transform, items: Sequence[Any], told: Told) -> list[Any] | None:
    """Apply a transform to each item as :func:`each` does, or return None where something comes after its checkpoints.

    What comes after them is to follow each item at once, so that whoever looks sees one item done after the other.

    >>> from flowly_ckpt import add_checkpoints, chained, checkpoint
    >>> each_kept(add_checkpoints(chained(abs, checkpoint({}))), [-1], None)
    [1]
    """
    opening = opening_of(transform)
    return _some_at_a_time(opening, items, told) if opening is not None and opening.chain is None else None


def stored(opening: Opening, items: Sequence[Any]) -> tuple[list[Any], Callable[[Iterable[int]], None]]:
    """Return for each item the result stored at the outermost checkpoint, or ``MISSING``.

    :return: the results, and what reports those in some places as restored.

    >>> from flowly_ckpt import checkpoint, with_checkpoint
    >>> stored(opening_of(with_checkpoint(checkpoint({}), abs)), [-1])[0]
    [MISSING]
    """
    stages, target = stages_of(opening.wrapper), opening.wrapper.checkpoint.target
    asked = [Asked(stages, item, opening.wrapper._keepers) for item in items]
    start = time.perf_counter()
    silent = watching.set(())
    try:
        values = restore_many(target, [one.key(len(stages) - 1) for one in asked])
    finally:
        watching.reset(silent)
    seconds = (time.perf_counter() - start) / max(1, sum(value is not MISSING for value in values))

    def told(places: Iterable[int]) -> None:
        for place in places if watching.get() or opening.reports else ():
            with opening.around():
                tell("restored", asked[place].key(len(stages) - 1), target, seconds)
                asked[place].tell_skipped(len(stages) - 1)

    return values, told


class _Some(NamedTuple):
    values: list[Any]
    size: int  # of what was restored together, in bytes


def _together(opening: Opening, items: Sequence[Any], told: Told) -> _Some:
    stages, keepers = stages_of(opening.wrapper), opening.wrapper._keepers
    with opening.located():
        asked: list[Asked] = []
        for item in items:
            known = asked[-1].before if asked else None
            asked.append(_tried(partial(Asked, stages, item, keepers, known), told, item))
        seen = landings_elsewhere()
        values, depths = _restored(stages, asked)
    size = sum(size_about(value) for value, depth in zip(values, depths) if depth >= 0)

    def work(batch: Batch) -> None:
        done, has_run = 0, False
        for place, item in enumerate(items):
            if has_run and _may_differ(asked[place], depths[place] + 1 == len(stages)):
                values[place], depths[place] = _asked_anew(asked, place, keepers, values[place], depths[place])
            with opening.begun() if opening.reports or opening.chain is not None else _NOTHING:
                for depth in range(depths[place] + 1, len(stages)):
                    target, key, compute, made_from = asked[place].missing(depth, values[place])
                    values[place] = batch.once(target, key, partial(_tried, compute, told, item), made_from)
                    has_run = True
            if opening.chain is not None and not batch.is_waiting:  # what is stored need not be held any longer
                finish(range(done, place + 1))
                done, has_run = place + 1, True
        batch.flush()
        finish(range(done, len(items)))

    def finish(places: Iterable[int]) -> None:
        for place in places if opening.chain is not None else ():
            with opening.around():
                values[place] = _tried(partial(opening.follow, values[place]), told, items[place])

    try:
        together(work, seen)
    finally:
        _look_back_at(stages, [(one, depth + 1) for one, depth in zip(asked, depths) if depth + 1 < len(stages)])
    return _Some(values, size)


def _look_back_at(stages: Sequence[Stage], ran: Sequence[tuple[Asked, int]]) -> None:
    """Look what the steps have changed, after all items; those that were hashed by the same code have one answer."""
    last: Any = None
    for one, start in ran:
        first = next(iter(one.before.values()))
        if first.walk is not last:
            last, is_whole = first.walk, first.code_is_whole()
        if not is_whole:
            look_back(stages, one.keyed, one.before, one.obj, start)


def _restored(stages: Sequence[Stage], asked: Sequence[Asked]) -> tuple[list[Any], list[int]]:
    """Return for each item its last stored result and the depth of that, as :meth:`Asked.restored` does for one."""
    values, depths = [one.obj for one in asked], [-1] * len(asked)
    for depth in reversed(range(len(stages))):
        rest = [place for place, found in enumerate(depths) if found < 0]
        target = stages[depth].wrapper.checkpoint.target
        for place, value in zip(rest, restore_many(target, [asked[place].key(depth) for place in rest])):
            if value is not MISSING:
                values[place], depths[place] = value, depth
                asked[place].tell_skipped(depth)
    return values, depths


def _may_differ(asked: Asked, is_complete: bool) -> bool:
    """Return whether the steps of an earlier item may have changed what a key is made from.

    An item whose result was restored before they ran counts as it was then.
    """
    is_fixed = is_complete or type(asked.obj) in ATOMS
    return not (is_fixed and all(found.code_holds() for found in asked.before.values()))


def _asked_anew(asked: list[Asked], place: int, keepers: dict[Any, Keeper], value: Any, depth: int) -> tuple[Any, int]:
    """Ask for an item again now that it is its turn; return what is stored, which is the same under the same keys."""
    before = asked[place]
    now = asked[place] = Asked(before.stages, before.obj, keepers)
    return (value, depth) if now.keyed == before.keyed else now.restored()


def _tried(compute: Callable[[], Any], told: Told, item: Any) -> Any:
    try:
        return compute()
    except Exception as error:
        if told is not None:
            told(error, item)
        raise
