"""The order in which control flows through instructions, which does not depend on how lines were broken.

The compiler lays out blocks, threads jumps and inverts conditions by the lines they stand on. So instructions are
taken in the order in which they are reached (depth first), unconditional jumps are followed, and each condition has
the same two successors: where it is true, and where it is false.
"""

from __future__ import annotations

from collections.abc import Iterable

from .instructions import Instruction

__all__ = ["in_order", "plain_name"]

ENDS = frozenset({"RETURN_VALUE", "RETURN_CONST", "RAISE_VARARGS", "RERAISE"})
INVERTED = {"TRUE": "FALSE", "NOT_NONE": "NONE"}
Place = tuple[Instruction, tuple[int, ...]]


def in_order(instructions: list[Instruction], handlers: Iterable[tuple[int, int, int, int, int]]) -> list[Place]:
    """Return the instructions as they are reached, each with the numbers of its successors, if not just the next one.

    >>> from flowly_ckpt.hashing.code.instructions import instructions_of
    >>> [instruction.name for instruction, _ in in_order(instructions_of((lambda x: x).__code__)[0], ())]
    ['LOAD_FAST', 'RETURN_VALUE']
    """
    guards: dict[int, tuple[int, int, int]] = {}
    for start, end, target, depth, lasti in handlers:
        guards.update(dict.fromkeys(range(start, end), (target, depth, lasti)))
    numbers: dict[int, int] = {}
    waiting = [settle(instructions, 0)]
    while waiting:
        at = waiting.pop()
        if at >= 0 and at not in numbers:
            numbers[at] = len(numbers)
            waiting += reversed(successors(instructions, at))
        if not waiting:  # handlers last, as only the instructions they guard lead to them
            waiting = [settle(instructions, guards[i][0]) for i in numbers if i in guards]
            waiting = [i for i in waiting if i not in numbers][:1]
    return [(instructions[at], links(instructions, at, numbers, guards.get(at))) for at in numbers]


def links(
    instructions: list[Instruction], at: int, numbers: dict[int, int], guard: tuple[int, int, int] | None
) -> tuple[int, ...]:
    found = tuple(numbers.get(i, -1) for i in successors(instructions, at))
    if guard is not None:
        return (*found, numbers.get(settle(instructions, guard[0]), -1), *guard[1:])
    return () if found == (numbers[at] + 1,) else found


def settle(instructions: list[Instruction], at: int) -> int:
    """Follow unconditional jumps; return -1 for those that lead back to themselves."""
    seen = set()
    while is_jump(instructions[at]):
        if at in seen:
            return -1
        seen.add(at)
        at = instructions[at].value
    return at


def is_jump(instruction: Instruction) -> bool:
    return instruction.kind == "jump" and instruction.name.startswith("JUMP_") and "IF" not in instruction.name


def successors(instructions: list[Instruction], at: int) -> list[int]:
    instruction = instructions[at]
    if instruction.name in ENDS:
        return []
    then = settle(instructions, at + 1)
    if instruction.kind != "jump":
        return [then]
    away = settle(instructions, instruction.value)
    return [away, then] if condition(instruction) in INVERTED else [then, away]


def condition(instruction: Instruction) -> str:
    """Return what a conditional jump tests; an empty text for any other instruction."""
    return instruction.name.partition("IF_")[2] if instruction.name.startswith("POP_JUMP") else ""


def plain_name(instruction: Instruction) -> str:
    """Return the name of an instruction; of a conditional jump by what it tests, not by which way it jumps.

    >>> plain_name(Instruction("POP_JUMP_FORWARD_IF_TRUE", "jump", 0, 0, -1))
    'POP_JUMP_IF_FALSE'
    """
    test = condition(instruction)
    if instruction.name == "LOAD_METHOD":  # or LOAD_ATTR, by whether the compiler saw that the object is a module
        return "LOAD_ATTR"
    return f"POP_JUMP_IF_{INVERTED.get(test, test)}" if test else instruction.name
