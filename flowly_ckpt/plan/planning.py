"""The engine that computes nothing: it looks up what is stored, and says what would run."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from contextvars import ContextVar
from functools import partial
from types import MethodType
from typing import Any

from ..checkpoint.hashed import Hashed
from ..checkpoint.mark import checkpoint, only_a_mark
from ..checkpoint.sources import Sources
from ..checkpoint.stages import Stage, keys_of, stages_of
from ..checkpoint.wrapper import with_checkpoint
from ..hashing.redefined import warn_of_redefined
from ..pipelines import children, effective_steps, name_of, role, walk
from ..pipelines.bases import no_pipeline
from ..pipelines.combinators import SIDE_BY_SIDE
from ..pipelines.mapping import is_mapping
from ..rewriting import UNSAID, rewritten
from ..targets.protocol import BaseTarget, as_target
from ..targets.recall import MISSING
from ..typing import Key, Rewrite, Transform
from .forecasts import Forecast, Plan, restoring

__all__ = ["plan"]

STORED = "stored for this input and this code"
LATER = "a later result is stored"
UNCOVERED = "no checkpoint follows"
UNKNOWN = "its input is known when it runs"


def plan(transform: Transform, obj: Any, rewrites: Sequence[Rewrite] = UNSAID) -> Plan:
    """Forecast a run of a rewritten pipeline on an object; an engine that computes nothing and loads no value.

    ``plan(s, x, ps)`` says what ``apply(s, x, ps)`` would do, and is ``apply(s, x, ps, engine=plan)``

    :param transform: a pipeline.
    :param obj: the object it would be applied to.
    :param rewrites: passes, as for :func:`flowly_ckpt.engines.apply`; none where the pipeline is rewritten already.
    :return: the forecasts, in the order of the pipeline.
    :raises TypeError: for a pipeline or a pass that cannot be called.
    :raises UnhashableError: as the run itself would.

    What would run is compared, part by part, with what the nearest earlier entry of its tag was made from.

    A transform that keeps results of its own (a task, a recipe, a cached call) has a method
    ``__flowly_forecast__(obj)``, which gives forecasts; ``obj`` is ``MISSING`` where it is not known beforehand.

    >>> from flowly_ckpt import add_checkpoints, apply, chained, checkpoint
    >>> target = {}
    >>> pipeline = chained(abs, checkpoint(target, "size"), float)
    >>> print(plan(pipeline, -5, [add_checkpoints]))
    run      abs    size  never run
    run      float        no checkpoint follows
    >>> _ = apply(pipeline, -5, [add_checkpoints])
    >>> print(apply(pipeline, -5, [add_checkpoints], engine=plan))
    restore  abs    size  stored for this input and this code
    run      float        no checkpoint follows
    >>> print(apply(pipeline, -6, [add_checkpoints], engine=plan))
    run      abs    size  the input -5 → -6
    run      float        no checkpoint follows

    See also: :func:`flowly_ckpt.engines.apply`, :func:`flowly_ckpt.hashing.differences`.
    """
    if not callable(transform):
        raise no_pipeline(transform, obj)
    if rewrites is UNSAID:
        warn_of_redefined(transform)
    else:
        transform = rewritten(transform, rewrites)
    parts = _parts(transform)
    if not parts or _wrapper(parts[0]) is None:
        # The pass leaves no mark behind, so one that is still there was never put to use.
        unused = next((term for term in walk(transform) if isinstance(term, checkpoint)), None)
        return Plan(_steps(parts, obj, UNCOVERED if unused is None else only_a_mark(unused)))
    return Plan(_forecasts(parts, obj))


def _forecasts(parts: Sequence[Transform], obj: Any) -> Iterator[Forecast]:
    wrapper = _wrapper(parts[0]) if parts else None
    if wrapper is None:
        yield from _steps(parts, obj)
        return
    yield from _unknown(wrapper) if obj is MISSING else _stages(wrapper, obj)
    yield from _steps(parts[1:], MISSING)


def _parts(transform: Transform) -> list[Transform]:
    """Return the steps of a pipeline through chains, but not through what wraps a step."""
    parts: list[Transform] = []
    waiting = [transform]
    while waiting:
        term = waiting.pop()
        if role(term) == "sequential":
            waiting.extend(reversed(children(term)))
        elif role(term) != "mark":
            parts.append(term)
    return parts if len(parts) != 1 or (inner := _bare(parts[0])) is parts[0] else _parts(inner)


def _bare(term: Transform) -> Transform:
    """Look through what does not change the result, up to a wrapper or what forecasts itself."""
    while role(term) == "transparent" and not isinstance(term, with_checkpoint) and _own(term) is None:
        (term,) = children(term)
    return term


def _own(term: Transform) -> Any:
    if type(term) is MethodType:  # which passes on what its function has, without the instance
        own = getattr(term.__func__, "__flowly_forecast__", None)
        return own and partial(own, term.__self__)
    return getattr(term, "__flowly_forecast__", None)


def _wrapper(term: Transform) -> with_checkpoint | None:
    """Look through what does not change the result for a wrapper at the beginning of a pipeline."""
    bare = _bare(term)
    return bare if isinstance(bare, with_checkpoint) else None


def _steps(parts: Sequence[Transform], obj: Any, why: str = UNCOVERED) -> Iterator[Forecast]:
    """Forecast steps that no checkpoint covers; what keeps results of its own forecasts them itself.

    ``obj`` is what the first of them is applied to, or ``MISSING`` where that is only known when it runs.
    """
    plain: list[Transform] = []
    for part in parts:
        inner = list(_inside(part, obj))
        if inner:
            yield from _plain(plain, why)
            yield from inner
            plain = []
        else:
            plain.append(part)
        obj = MISSING
    yield from _plain(plain, why)


def _plain(parts: Sequence[Transform], why: str) -> Iterator[Forecast]:
    if parts:
        yield Forecast(tuple(map(name_of, effective_steps(*parts))), "run", None, why)


def _inside(part: Transform, obj: Any) -> Iterator[Forecast]:
    """Forecast what keeps results inside a step: itself, its branches, the items it maps; nothing where none does."""
    part = _bare(part)
    own = _own(part)
    if own is not None:
        yield from own(obj)
    elif isinstance(part, with_checkpoint):
        yield from _unknown(part) if obj is MISSING else _stages(part, obj)
    elif any(isinstance(term, with_checkpoint) or _own(term) for term in walk(part)):
        if _is_mapping(part):
            yield from _mapped(part, obj)
        else:
            yield from _branches(part, obj)


def _is_mapping(part: Transform) -> bool:
    return len(children(part)) == 1 and is_mapping(part)


def _branches(part: Transform, obj: Any) -> Iterator[Forecast]:
    known = isinstance(part, SIDE_BY_SIDE) or type(part).__name__ == "juxt"
    funcs = getattr(part, "funcs", None)
    names = list(funcs) if isinstance(funcs, dict) else None
    for at, child in enumerate(children(part)):
        name = str(names[at]) if names is not None else f"{name_of(part)}[{at}]"
        for row in _forecasts(_parts(child), obj if known else MISSING):
            yield row._replace(place=(name, *row.place))


class _Items:
    """The hashes of the items of a mapping; while they are gathered, no reasons are looked for."""

    def __init__(self) -> None:
        self.objects: set[str] = set()
        self.gathering = True


_mapping: ContextVar[_Items | None] = ContextVar("flowly_ckpt_mapping", default=None)


def _mapped(part: Transform, obj: Any) -> Iterator[Forecast]:
    """Forecast a mapping: how many of its items are stored, and why the first that is not would run."""
    (inner,) = children(part)
    parts = _parts(inner)
    if not isinstance(obj, Collection) or not len(obj):
        for row in _forecasts(parts, MISSING):
            why = row.why if not isinstance(obj, Collection) or row.tag is None else "there are no items"
            yield row._replace(place=("each item", *row.place), why=why)
        return
    token = _mapping.set(items := _Items())
    try:
        given = list(obj)
        found = [list(_forecasts(parts, item)) for item in given]
        items.gathering = False
        told: dict[int, list[Forecast]] = {}
        for at, row in enumerate(found[0]):
            column = [rows[at] for rows in found if at < len(rows)]
            if row.tag is not None:
                first = next((place for place, rows in enumerate(column) if rows.action == "run"), None)
                if first is not None and first not in told:
                    told[first] = list(_forecasts(parts, given[first]))
                row = _items(column, row, None if first is None else told[first][at])
            yield row._replace(place=("each item", *row.place))
    finally:
        _mapping.reset(token)


def _items(column: Sequence[Forecast], first: Forecast, runs: Forecast | None) -> Forecast:
    count = f"{sum(row.action != 'run' for row in column)} of {len(column)} items stored"
    if runs is not None:
        return runs._replace(why=f"{count}; {runs.why}")
    total = partial(_total, column)
    return first._replace(why=count, size=total("size"), saves=total("saves"))


def _total(rows: Sequence[Forecast], name: str) -> Any:
    known = [value for row in rows if (value := getattr(row, name)) is not None]
    return sum(known) if known else None


def _unknown(wrapper: with_checkpoint) -> Iterator[Forecast]:
    for stage in stages_of(wrapper):
        yield Forecast(tuple(map(name_of, stage.steps)), "run", stage.wrapper.checkpoint.tag, UNKNOWN)


def _stages(wrapper: with_checkpoint, obj: Any) -> Iterator[Forecast]:
    stages = stages_of(wrapper)
    found: dict[Any, Hashed] = {}
    keyed = keys_of(stages, obj, found)
    targets = [as_target(stage.wrapper.checkpoint.target) for stage in stages]
    stored = [one.key in stage.wrapper.checkpoint.target for stage, one in zip(stages, keyed)]
    last = max((position for position, found in enumerate(stored) if found), default=-1)
    sources = Sources(stages, keyed, found, obj, fresh=True)
    for position, (stage, (key, _), target) in enumerate(zip(stages, keyed, targets)):
        names = tuple(map(name_of, stage.steps))
        if position < last:
            yield Forecast(names, "skip", key[1], LATER)
        elif position == last:
            if items := _mapping.get():
                items.objects.add(key[0])
            entries = [target.entry(one.key) for target, one in zip(targets[: last + 1], keyed)]
            saves = sum(entry.seconds for entry in entries if entry)  # those before it need not run either
            yield restoring(names, key[1], STORED, entries[-1])._replace(saves=saves or None)
        else:
            yield running(names, key, target, sources, position)
            yield from _within(stage, obj if position == 0 else MISSING)


def running(names: tuple[str, ...], key: Key, target: BaseTarget, sources: Sources, position: int) -> Forecast:
    """Forecast that steps run, with the reason: what the nearest earlier entry of the tag was made from is compared."""
    items = _mapping.get()
    if items is not None and items.gathering:
        items.objects.add(key[0])
        return Forecast(names, "run", key[1], "")
    from ..targets.reasons import explained  # slow to import

    why, before = explained(target, key, sources[position], items.objects if items else ())
    choice = getattr(target, "choice", "")
    why = f"{why}; {choice}" if choice else why
    return Forecast(names, "run", key[1], why, saves=before.seconds or None if before else None)


def _within(stage: Stage, obj: Any) -> Iterator[Forecast]:
    """Forecast what keeps results inside the steps of a stretch that runs."""
    for part in stage.parts[stage.start :]:
        yield from _inside(part, obj)
        obj = MISSING
