"""The order in which control flows through steps, which does not depend on how lines were broken.

The compiler lays blocks out, threads jumps and turns conditions round by the lines they stand on. So steps are
taken in the order in which they are reached, jumps that always happen are followed, and each condition leads to
where it is true and to where it is false.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from .instructions import Step

__all__ = ["Place", "in_order"]

ENDS = frozenset({"RETURN_VALUE", "RETURN_CONST", "RAISE_VARARGS", "RERAISE"})
TURNED = {"TRUE": "FALSE", "NOT_NONE": "NONE"}
Place = tuple[Step, tuple[int, ...]]


def in_order(steps: list[Step], handlers: Iterable[tuple[int, int, int, int, int]]) -> list[Place]:
    """Return the steps as they are reached, each with the numbers of the steps that may follow if not just the next.

    >>> from flowly_ckpt.hashing.instructions import steps_of
    >>> [step.name for step, _ in in_order(steps_of((lambda x: x).__code__)[0], ())]
    ['LOAD_FAST', 'RETURN_VALUE']
    """
    guards: dict[int, tuple[int, int, int]] = {}
    for start, end, target, depth, lasti in handlers:
        guards.update(dict.fromkeys(range(start, end), (target, depth, lasti)))
    numbers: dict[int, int] = {}
    waiting = [settle(steps, 0)]
    while waiting:
        at = waiting.pop()
        if at >= 0 and at not in numbers:
            numbers[at] = len(numbers)
            waiting += reversed(followers(steps, at))
        if not waiting:  # handlers last, as nothing leads to them but what they guard
            waiting = [settle(steps, guards[i][0]) for i in numbers if i in guards]
            waiting = [i for i in waiting if i not in numbers][:1]
    return [(steps[at], links(steps, at, numbers, guards.get(at))) for at in numbers]


def links(steps: list[Step], at: int, numbers: dict[int, int], guard: tuple[int, int, int] | None) -> tuple[int, ...]:
    found = tuple(numbers.get(i, -1) for i in followers(steps, at))
    if guard is not None:
        return (*found, numbers.get(settle(steps, guard[0]), -1), *guard[1:])
    return () if found == (numbers[at] + 1,) else found


def settle(steps: list[Step], at: int) -> int:
    """Follow jumps that always happen; -1 for those that lead back to themselves."""
    seen = set()
    while is_jump(steps[at]):
        if at in seen:
            return -1
        seen.add(at)
        at = steps[at].value
    return at


def is_jump(step: Step) -> bool:
    return step.kind == "jump" and step.name.startswith("JUMP_") and "IF" not in step.name


def followers(steps: list[Step], at: int) -> list[int]:
    step = steps[at]
    if step.name in ENDS:
        return []
    then = settle(steps, at + 1)
    if step.kind != "jump":
        return [then]
    away = settle(steps, step.value)
    return [away, then] if is_turned(step) else [then, away]


def is_turned(step: Step) -> bool:
    return step.name.startswith("POP_JUMP") and step.name.partition("IF_")[2] in TURNED


def plain_name(step: Step) -> Any:
    """Name a condition by what it asks, not by which way it jumps.

    >>> plain_name(Step("POP_JUMP_FORWARD_IF_TRUE", "jump", 0, 0, -1))
    'POP_JUMP_IF_FALSE'
    """
    if not step.name.startswith("POP_JUMP"):
        return step.name
    asked = step.name.partition("IF_")[2]
    return f"POP_JUMP_IF_{TURNED.get(asked, asked)}"
