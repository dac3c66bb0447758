"""Forecast what a run would restore and what it would compute, and why, without running anything."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from typing import Any, NamedTuple

from .checkpoint.mark import checkpoint, only_a_mark
from .checkpoint.wrapper import keys_of, stages_of, with_checkpoint
from .hashing.redefined import warn_of_redefined
from .pipelines import children, effective_steps, name_of, role, walk
from .showing import Shown
from .targets.protocol import as_target
from .targets.recall import MISSING
from .typing import Key, Target, Transform

__all__ = ["Forecast", "Plan", "plan", "why_missing"]

_UNCOVERED = "no checkpoint follows"


class Forecast(NamedTuple):
    """Forecast one stretch of a pipeline.

    :param steps: the names of its steps, in order.
    :param action: ``"restore"``, ``"run"``, or ``"skip"`` for what lies before a restored result.
    :param tag: the tag of the checkpoint that keeps its result, or ``None``.
    :param why: the reason, in words.

    >>> Forecast(("fit",), "run", None, "no checkpoint follows").action
    'run'
    """

    steps: tuple[str, ...]
    action: str
    tag: str | None
    why: str


class Plan(Shown, tuple[Forecast, ...]):
    """Hold the forecasts of a pipeline in order; shown as a table.

    >>> Plan([Forecast(("load", "fit"), "run", "model", "new here")])
    run      load, fit  model  new here
    """

    __slots__ = ()

    def __repr__(self) -> str:
        rows = [(row.action, ", ".join(row.steps) or "(the input)", row.tag or "", row.why) for row in self]
        widths = [max((len(row[column]) for row in rows), default=0) for column in range(3)]
        widths[0] = max(widths[0], len("restore"))
        lines = ("  ".join([*(cell.ljust(width) for cell, width in zip(row, widths)), row[3]]) for row in rows)
        return "\n".join(line.rstrip() for line in lines)


def plan(transform: Transform, obj: Any) -> Plan:
    """Forecast a run of a rewritten pipeline on an object; an engine that computes nothing and loads no value.

    ``apply(s, x, [add_checkpoints], engine=plan)`` says what ``apply(s, x, [add_checkpoints])`` would do

    :param transform: a pipeline, after ``add_checkpoints``.
    :param obj: the object it would be applied to.
    :return: the forecasts, in the order of the pipeline.
    :raises UnhashableError: as the run itself would.

    A transform that keeps results of its own (a task, a recipe, a cached call) has a method
    ``__flowly_forecast__(obj)``, which gives forecasts; ``obj`` is ``MISSING`` where it is not known beforehand.

    >>> from flowly_ckpt import add_checkpoints, apply, chained, checkpoint
    >>> target = {}
    >>> pipeline = chained(abs, checkpoint(target, "size"), float)
    >>> print(apply(pipeline, -5, [add_checkpoints], engine=plan))
    run      abs    size  nothing is stored under this tag yet
    run      float        no checkpoint follows
    >>> _ = apply(pipeline, -5, [add_checkpoints])
    >>> print(apply(pipeline, -5, [add_checkpoints], engine=plan))
    restore  abs    size  stored for this input and this code
    run      float        no checkpoint follows

    See also: :func:`flowly_ckpt.engines.apply`.
    """
    warn_of_redefined(transform)
    parts = _parts(transform)
    wrapper = _wrapper(parts[0]) if parts else None
    if wrapper is None:
        # The pass leaves no mark behind, so one that is still there was never put to use.
        unused = next((term for term in walk(transform) if isinstance(term, checkpoint)), None)
        return Plan(_steps(parts, obj, _UNCOVERED if unused is None else only_a_mark(unused)))
    return Plan([*_stages(wrapper, obj), *_steps(parts[1:], MISSING)])


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
    return parts


def _wrapper(term: Transform) -> with_checkpoint | None:
    """Look through what does not change the result for a wrapper at the beginning of a pipeline."""
    while role(term) == "transparent" and not isinstance(term, with_checkpoint):
        (term,) = children(term)
    return term if isinstance(term, with_checkpoint) else None


def _steps(parts: Sequence[Transform], obj: Any, why: str = _UNCOVERED) -> Iterator[Forecast]:
    """Forecast steps that no checkpoint covers; a step that keeps results of its own forecasts them itself.

    ``obj`` is what the first of them is applied to, or ``MISSING`` where that is only known when it runs.
    """
    plain: list[Transform] = []
    for part in parts:
        forecast = getattr(part, "__flowly_forecast__", None)
        if forecast is None:
            plain.append(part)
        else:
            yield from _plain(plain, why)
            yield from forecast(obj)
            plain = []
        obj = MISSING
    yield from _plain(plain, why)


def _plain(parts: Sequence[Transform], why: str) -> Iterator[Forecast]:
    if parts:
        yield Forecast(tuple(map(name_of, effective_steps(*parts))), "run", None, why)


def _stages(wrapper: with_checkpoint, obj: Any) -> Iterator[Forecast]:
    stages = stages_of(wrapper)
    keyed = keys_of(stages, obj)
    stored = [one.key in stage.wrapper.checkpoint.target for stage, one in zip(stages, keyed)]
    last = max((position for position, found in enumerate(stored) if found), default=-1)
    for position, (stage, (key, _)) in enumerate(zip(stages, keyed)):
        names = tuple(map(name_of, stage.steps))
        if position < last:
            yield Forecast(names, "skip", key[1], "a later result is stored")
        elif position == last:
            yield Forecast(names, "restore", key[1], "stored for this input and this code")
        else:
            hashes = [hashed for one in keyed[: position + 1] for hashed in one.hashes]
            yield Forecast(names, "run", key[1], why_missing(stage.wrapper.checkpoint.target, key, names, hashes))


def why_missing(target: Target, key: Key, names: Collection[str], hashes: Collection[str]) -> str:
    """Return why there is no entry at a key, by those that there are.

    :param names: the names of the steps that would compute it.
    :param hashes: the hashes of the pipeline up to each step that leads to it.

    >>> why_missing({("a", "fit", "f"): 1}, ("b", "fit", "f"), ["fit"], ["f"])
    'the input is new'
    """
    object_hash, tag, transform_hash = key
    keys = [key for key in target if isinstance(key, tuple) and len(key) == 3 and key[1] == tag]
    if not keys:
        return "nothing is stored under this tag yet"
    same_object = [key for key in keys if key[0] == object_hash]
    if not same_object:
        return "the input is new" if any(key[2] == transform_hash for key in keys) else "the input and the code are new"
    return _changed(target, same_object, names, hashes) or "the code is new for this input"


def _changed(target: Target, keys: Sequence[Key], names: Collection[str], now: Collection[str]) -> str | None:
    """Name the first step that is not as it was, where the target keeps what its keys were made from."""
    entries = filter(None, map(as_target(target).entry, keys))
    for entry in sorted(entries, key=lambda entry: entry.created, reverse=True):
        before = entry.made_from
        if before.get("after") is not None and before["after"] not in now:
            return "a step before its segment changed"
        for name, hashed in before.get("steps", ()):
            if hashed not in now:
                return f"{name} changed" if name in names else f"it was another step: {name}"
    return None
