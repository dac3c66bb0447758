"""What a plan or the events of a run say about each part of a picture."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from ..passes import Timing
from .parts import Chain, Fork, Mark, Part, walk_parts

__all__ = ["ACTIONS", "State", "action_of", "happenings", "merged", "planned", "timed"]

#: The actions that are told apart in a picture, the one that matters most last.
ACTIONS = ("skipped", "restored", "run", "failed")
_SPELLED = {"skip": "skipped", "restore": "restored", **{action: action for action in ACTIONS}}


class State(NamedTuple):
    """What is known of a part.

    :param action: one of ``ACTIONS``.
    :param seconds: how long it took, all its runs together.
    :param times: how often it ran.
    :param why: the reason, in words.
    :param row: the number of the plan's row about it.

    >>> State("run", 0.5).why
    ''
    """

    action: str
    seconds: float | None = None
    times: int = 1
    why: str = ""
    row: int | None = None


States = Mapping[int, State]


def planned(chain: Chain, plan: Iterable[Any]) -> dict[int, State]:
    """Return what a plan says, by the number of the part.

    Rows and parts stand in the same order; a row about what lies within a frame finds its steps by name.

    :param plan: rows with ``steps``, ``action``, ``tag`` and ``why``.

    >>> from flowly_ckpt import chained
    >>> from flowly_ckpt.draw.parts import parts_of
    >>> from flowly_ckpt.plan import plan
    >>> chain = parts_of(chained(abs, float))
    >>> [state.action for state in planned(chain, plan(chained(abs, float), -5)).values()]
    ['run', 'run']
    """
    found: dict[int, State] = {}
    top, start = chain.parts, 0
    everything = list(walk_parts(chain))
    outer = {one.at for one in top}
    part: Part | None
    for number, row in enumerate(plan):
        if (action := action_of(row)) is None:
            continue
        is_inner = bool(getattr(row, "place", ()))
        for name, is_tag in [*((name, False) for name in row.steps), (row.tag, True)]:
            here = (n for n in range(start, len(top)) if not is_inner and _is_called(top[n], name, is_tag))
            if (position := next(here, None)) is not None:
                part, start = top[position], position + 1
            else:
                free = (one for one in everything if one.at not in found and not (is_inner and one.at in outer))
                part = next((one for one in free if _is_called(one, name, is_tag)), None)
            if part is not None:
                found[part.at] = State(action, why=row.why, row=number)
    return _inherited(everything, found)


def timed(chain: Chain, rows: Iterable[Any]) -> dict[int, State]:
    """Return what the events of a run say, by the number of the part.

    Where a step stands several times, its events belong to these places in turn; if they do not go around evenly, as
    when it is applied to each item, no place is given a time of its own.

    :param rows: with ``step``, ``seconds``, and ``action`` or ``kind`` or ``error``.

    >>> from flowly_ckpt import chained
    >>> from flowly_ckpt.draw.parts import parts_of
    >>> from flowly_ckpt.passes import Event
    >>> timed(parts_of(chained(abs, float)), [Event("abs", 0.5), Event("abs", 0.25)])[0]
    State(action='run', seconds=0.75, times=2, why='', row=None)
    """
    events: dict[str, list[Timing]] = defaultdict(list)
    for one in happenings(rows):
        events[one.step].append(one)
    everything = list(walk_parts(chain))
    steps: dict[str, list[Part]] = defaultdict(list)
    marks: dict[str, list[Part]] = defaultdict(list)
    frames: dict[str, list[Part]] = defaultdict(list)
    for part in everything:
        if isinstance(part, Mark):
            marks[part.tag or "<untagged>"].append(part)
        else:
            (frames if isinstance(part, Fork) else steps)[part.name].append(part)
    found: dict[int, State] = {}
    for name, reported in events.items():
        found.update(_shared_out(reported, steps.get(name) or marks.get(name) or frames.get(name) or []))
    for part in reversed(everything):  # what is within a frame comes after it
        if isinstance(part, Fork) and any(_has_failed(found, inner) for inner in _within(part)):
            found[part.at] = State("failed")
    return _inherited(everything, {**_before_restored(chain.parts, found), **found})


def merged(plan: States, timings: States) -> dict[int, State]:
    """Join what was planned and what happened, which counts; the reasons are the plan's.

    >>> merged({0: State("run", why="abs changed", row=4), 1: State("run")}, {0: State("failed", 0.5)})
    {0: State(action='failed', seconds=0.5, times=1, why='abs changed', row=4)}
    """
    failed = min((at for at, state in timings.items() if state.action == "failed"), default=None)
    reached = {at: state for at, state in plan.items() if failed is None or at < failed or state.action != "run"}
    joined = {**reached, **timings}
    return {
        at: state._replace(why=plan[at].why, row=plan[at].row) if at in plan else state for at, state in joined.items()
    }


def action_of(row: Any) -> str | None:
    """Return the action of a forecast or an event as pictures call it, or None for one that they do not show.

    >>> from flowly_ckpt.passes import Event
    >>> action_of(Event("fit", 0.5)), action_of(Event("fit", 0.5, ValueError()))
    ('run', 'failed')
    """
    if getattr(row, "error", None) is not None:
        return "failed"
    return _SPELLED.get(str(getattr(row, "action", None) or getattr(row, "kind", "run")))


def happenings(rows: Iterable[Any]) -> list[Timing]:
    """Return what pictures show of the events of a run, each by itself, or of a table of them.

    >>> from flowly_ckpt.passes import Event
    >>> happenings([Event("fit", 0.5)])
    [Timing(step='fit', action='run', times=1, seconds=0.5, saved=0.0)]
    """
    found = []
    for row in rows:
        action, of = action_of(row), getattr(row, "of", "step")
        # Of a mapping, an item and a checkpoint that is computed, the steps in it tell; a run is all of them.
        if action is None or of not in ("step", "checkpoint") or (of == "checkpoint" and action in ("run", "failed")):
            continue
        seconds = getattr(row, "own", 0.0) or row.seconds or 0.0
        found.append(Timing(str(row.step), action, getattr(row, "times", 1), seconds, getattr(row, "saved", 0.0)))
    return found


def _is_called(part: Part, name: str | None, is_tag: bool) -> bool:
    if isinstance(part, Mark):
        return is_tag and part.tag == ("" if name == "<untagged>" else name)
    return not is_tag and name in (part.name, part.label)


def _within(fork: Fork) -> list[Part]:
    return [inner for branch in fork.branches for inner in branch.parts]


def _has_failed(found: States, part: Part) -> bool:
    return part.at in found and found[part.at].action == "failed"


def _shared_out(rows: Sequence[Timing], parts: Sequence[Part]) -> dict[int, State]:
    if len(parts) == 1:
        return {parts[0].at: _joined(rows)}
    if len(parts) == len(rows):
        return {part.at: _joined([row]) for part, row in zip(parts, rows)}
    return {part.at: _joined(rows)._replace(seconds=None, times=1) for part in parts}


def _joined(rows: Sequence[Timing]) -> State:
    action = max((row.action for row in rows), key=ACTIONS.index)
    return State(action, sum(row.seconds for row in rows), sum(row.times for row in rows))


def _before_restored(parts: Sequence[Part], found: States) -> dict[int, State]:
    """Return the states of what stands before a restored result, and did not run."""
    last = max((n for n, part in enumerate(parts) if found.get(part.at, State("")).action == "restored"), default=-1)
    start = max((n for n in range(last) if isinstance(parts[n], Mark)), default=-1)
    before = {part.at: State("skipped") for part in parts[: start + 1]}
    return before | {part.at: State("restored") for part in parts[start + 1 : last] if isinstance(parts[last], Mark)}


def _inherited(everything: Sequence[Part], found: dict[int, State]) -> dict[int, State]:
    """Give the parts within a frame its action, where they have none of their own."""
    for part in everything:
        # A failure tells of one of them only.
        if isinstance(part, Fork) and part.at in found and not _has_failed(found, part):
            for inner in _within(part):
                found.setdefault(inner.at, State(found[part.at].action))
    return found
