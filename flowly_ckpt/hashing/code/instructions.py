"""The instructions of a code object, without those that do not affect what it does.

Left out are caches, placeholders for line numbers, the annotations of nested functions that are only called, and the
docstrings and lines of nested classes. Jumps lead to positions in what is left.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from itertools import pairwise
from types import CodeType
from typing import Any

__all__: list[str] = []

SKIPPED = frozenset(
    {
        *("CACHE", "RESUME", "NOP", "EXTENDED_ARG", "PRECALL", "MAKE_CELL", "COPY_FREE_VARS", "SETUP_ANNOTATIONS"),
        "PUSH_NULL",
        "NOT_TAKEN",  # since 3.14: marks the branch that follows a jump, which depends on the layout
    }
)
HASHED_ELSEWHERE = frozenset(
    {
        *("__qualname__", "__doc__", "__firstlineno__", "__static_attributes__", "__module__", "__annotations__"),
        *("__classdict__", "__classdictcell__", "__conditional_annotations__"),  # lead from annotations to the class
    }
)
STATEMENTS = ("STORE", "DELETE", "RETURN", "RAISE", "RERAISE", "IMPORT")
# Flags of MAKE_FUNCTION, and arguments of SET_FUNCTION_ATTRIBUTE; since 3.14 a function that makes the annotations.
ANNOTATIONS, CLOSURE, ANNOTATE = 4, 8, 16
WITH_NULL = frozenset({"LOAD_GLOBAL", *(["LOAD_ATTR"] if sys.version_info >= (3, 12) else [])})
"""Instructions whose lowest bit shows that what they load is called."""
NULL_AT = 1 if sys.version_info >= (3, 13) else -1  # where PUSH_NULL stands, seen from what is called


class Instruction:
    """Hold an instruction, its argument and the kind of that, its offset, and its effect on the depth of the stack.

    :ivar called: what it loads is only called.
    :ivar handed: what it refers to is not only called, but handed on.
    :ivar shown: it holds the code of a function that is handed on, so that its name and docstring can be read.
    """

    __slots__ = ("called", "effect", "handed", "kind", "name", "offset", "references", "shown", "value")

    def __init__(self, name: str, kind: str, value: Any, offset: int, effect: int) -> None:
        self.name, self.kind, self.value = name, kind, value
        self.offset, self.effect = offset, effect
        self.called = self.handed = self.shown = False
        self.references: tuple[Any, ...] = ()


def instructions_of(code: CodeType) -> tuple[list[Instruction], dict[int, int]]:
    """Return the instructions that count, and the position of each offset of the code among them."""
    instructions = list(read(code))
    mark_called(instructions)
    mark_shown(code, instructions)
    remove_annotations(instructions)
    if not code.co_flags & 1:
        instructions = class_body(instructions)
    instructions = [instruction for instruction in instructions if instruction.name not in SKIPPED]
    instructions = store_directly(instructions)
    where = positions(code, instructions)
    for instruction in instructions:
        if instruction.kind == "jump":
            instruction.value = where[instruction.value]
    return instructions, where


def read(code: CodeType) -> Iterator[Instruction]:
    import dis

    kinds = dict.fromkeys([*dis.haslocal, *dis.hasfree], "variable") | dict.fromkeys(dis.hasname, "name")
    kinds |= dict.fromkeys(dis.hasconst, "const") | dict.fromkeys([*dis.hasjrel, *dis.hasjabs], "jump")
    for item in dis.get_instructions(code):
        # Since 3.14 some loads only borrow, where the compiler sees that the variable lives on: that changes nothing.
        name, value, kind = item.opname.replace("_BORROW", ""), item.argval, kinds.get(item.opcode, "number")
        if kind == "variable" and type(value) is tuple:  # two in one, since 3.13
            first, second = name.split("_FAST_")[:2]
            for half, variable in ((f"{first}_FAST", value[0]), (second, value[1])):
                yield Instruction(half, kind, variable, item.offset, 1 if half.startswith("LOAD") else -1)
            continue
        if name == "LOAD_COMMON_CONSTANT" and not callable(value):  # since 3.15: None, True, ""
            name, kind = "LOAD_CONST", "const"
        elif kind == "const" or name == "KW_NAMES":
            kind, value = "const", code.co_consts[item.arg or 0]
        elif kind == "number" and name != "COMPARE_OP":
            value = item.arg
        argument = item.arg if item.opcode >= dis.HAVE_ARGUMENT or item.arg is not None else None
        made = Instruction(name, kind, value, item.offset, dis.stack_effect(item.opcode, argument))
        made.called = name == "LOAD_METHOD" or (name in WITH_NULL and bool(item.arg and item.arg & 1))
        yield made
        if name == "LOAD_SUPER_ATTR":
            yield Instruction("", "number", item.arg & 2 if item.arg else 0, item.offset, 0)


def store_directly(instructions: list[Instruction]) -> list[Instruction]:
    """Swap the variables of an assignment instead of its values, as the compiler does where all stand on one line."""
    for at in range(len(instructions) - 1, -1, -1):
        count = instructions[at].value
        stores = instructions[at + 1 : at + 1 + count] if instructions[at].name == "SWAP" else ()
        if stores and len({store.value for store in stores if store.name == "STORE_FAST"}) == count:
            stores[0].value, stores[-1].value = stores[-1].value, stores[0].value
            del instructions[at]
    return instructions


def mark_called(instructions: list[Instruction]) -> None:
    """Mark what loads something only to call it, from where the compiler makes room for a bound object."""
    some = [instruction for instruction in instructions if instruction.name != "CACHE"]
    for at, instruction in enumerate(some):
        beside = at + NULL_AT
        if instruction.name.startswith("LOAD") and 0 <= beside < len(some) and some[beside].name == "PUSH_NULL":
            instruction.called = True
        if instruction.called and at + 1 < len(some) and some[at + 1].name in ("COPY", "SWAP"):  # (f := g)(x)
            instruction.called = False


def mark_shown(code: CodeType, instructions: list[Instruction]) -> None:
    """Mark the code of nested functions that are handed on: not only called by the name they are stored under."""
    if not any(isinstance(const, CodeType) for const in code.co_consts):
        return
    taken = names_taken(code)
    some = [instruction for instruction in instructions if instruction.name not in ("CACHE", "NOP")]
    for at, instruction in enumerate(some):
        if instruction.kind != "const" or type(instruction.value) is not CodeType or not instruction.value.co_flags & 1:
            continue
        after = at + 1
        while after < len(some) and some[after].name in ("MAKE_FUNCTION", "SET_FUNCTION_ATTRIBUTE"):
            after += 1
        store = some[after] if after < len(some) else instruction
        if store.name in ("STORE_FAST", "STORE_DEREF"):
            instruction.shown = store.value in taken
        else:  # the name of a method is that of the attribute; a comprehension is called where it stands
            instruction.shown = store.name != "STORE_NAME" and instruction.value.co_name[:1] != "<"


def names_taken(code: CodeType, attributes: bool = True) -> set[str]:
    """Return the variables of a code object, and of its nested code, whose value is not only called.

    :param attributes: take those, too, of which only attributes are read.
    """
    instructions = [instruction for instruction in read(code) if instruction.name != "CACHE"]
    mark_called(instructions)
    taken = {
        instruction.value
        for instruction, then in pairwise(instructions)
        if instruction.kind == "variable"
        and instruction.name.startswith("LOAD")
        and instruction.name != "LOAD_CLOSURE"
        and not instruction.called
        and not is_cell_passed(code, instruction)
        and (attributes or then.name not in ("LOAD_ATTR", "LOAD_METHOD"))
    }
    for inner in code.co_consts:
        if isinstance(inner, CodeType):
            taken |= names_taken(inner, attributes) & set(inner.co_freevars)
    return taken


def is_cell_passed(code: CodeType, instruction: Instruction) -> bool:
    """Return whether a cell is loaded, to be passed to nested code, as LOAD_CLOSURE does before Python 3.13."""
    return "FAST" in instruction.name and instruction.value in (*code.co_cellvars, *code.co_freevars)


def positions(code: CodeType, instructions: list[Instruction]) -> dict[int, int]:
    """Map each offset of the code to the first instruction at it or after it."""
    where: dict[int, int] = {}
    at = 0
    for offset in range(0, len(code.co_code) + 2, 2):
        while at < len(instructions) and instructions[at].offset < offset:
            at += 1
        where[offset] = at
    return where


def handlers(code: CodeType, where: dict[int, int]) -> Iterator[tuple[int, int, int, int, int]]:
    """Yield the table of exception handlers: from, to, target, stack depth, whether the offset is pushed."""
    import dis

    table: Any = dis.Bytecode(code)
    for entry in table.exception_entries:
        yield where[entry.start], where[entry.end], where[entry.target], entry.depth, int(entry.lasti)


def remove_annotations(instructions: list[Instruction]) -> None:
    """Remove the instructions that only make the annotations of a nested function that is not handed on."""
    at = len(instructions)
    while at > 0:
        at -= 1
        instruction = instructions[at]
        if is_shown(instructions, at):
            continue
        if instruction.name == "MAKE_FUNCTION" and type(instruction.value) is int and instruction.value & ANNOTATIONS:
            end = expression(instructions, at)
            end = expression(instructions, end) if instruction.value & CLOSURE else end
            without = ("MAKE_FUNCTION", instruction.value & ~ANNOTATIONS, instruction.effect + 1)
        elif instruction.name == "SET_FUNCTION_ATTRIBUTE" and instruction.value in (ANNOTATIONS, ANNOTATE):
            end = expression(instructions, at)
            without = ("NOP", 0, 0)
        else:
            continue
        start = expression(instructions, end)
        if start < end:
            instruction.name, instruction.value, instruction.effect = without
            del instructions[start:end]
            at -= end - start


def is_shown(instructions: list[Instruction], at: int) -> bool:
    """Return whether the function made by an instruction is handed on."""
    while at and instructions[at].name in ("MAKE_FUNCTION", "SET_FUNCTION_ATTRIBUTE", "CACHE"):
        at -= 1
    return instructions[at].shown


def expression(instructions: list[Instruction], end: int) -> int:
    """Return the start of the expression that leaves one value just before ``end``; ``end`` itself if unclear."""
    depth = 0
    for at in range(end - 1, -1, -1):
        if instructions[at].kind == "jump":
            return condition(instructions, end)
        depth += instructions[at].effect
        if depth == 1:
            closed = at == 0 or instructions[at - 1].kind != "jump"
            return at if closed else condition(instructions, end)
    return end


def condition(instructions: list[Instruction], end: int) -> int:
    """Return the start of an expression with conditions: no jump from before it leads into it."""
    heights: dict[int, int] = {}
    height: int | None = 0
    starts = []
    jumps = []
    for at, instruction in enumerate(instructions[:end]):
        height = heights.get(instruction.offset, height)
        starts.append(height)
        if height is None:
            continue
        height += instruction.effect
        if instruction.kind == "jump":
            jumps.append((at, instruction.value))
            heights.setdefault(instruction.value, height)
            if "IF" not in instruction.name and instruction.name != "FOR_ITER":
                height = None
    last = instructions[end].offset
    top = heights.get(last, height)
    last_branch = end
    for at in range(end - 1, -1, -1):
        inside = (source for source, target in jumps if source < at and instructions[at].offset < target <= last)
        if top is None or starts[at] != top - 1 or next(inside, None) is not None:
            continue
        if not has_effects(instructions, at, end):
            last_branch = at
        if not any(target == instructions[at].offset for source, target in jumps if source < at):
            break  # the expression begins here, or the statement before it, whose last branch leads to it
    return last_branch


def has_effects(instructions: list[Instruction], start: int, end: int) -> bool:
    """Return whether there is more than an expression in a range: a statement, or a jump that leads out of it."""
    first, last = instructions[start].offset, instructions[end].offset
    some = [instruction for instruction in instructions[max(start - 1, 0) : end] if instruction.name not in SKIPPED]
    for before, instruction in pairwise(some):
        if instruction.offset < first:
            continue
        if instruction.kind == "jump" and not first <= instruction.value <= last:
            return True
        # The short way out of ``and`` and ``or`` drops a value directly after the jump.
        if instruction.name.startswith(STATEMENTS) or (instruction.name == "POP_TOP" and before.kind != "jump"):
            return True
    return False


def class_body(instructions: list[Instruction]) -> list[Instruction]:
    """Return a class body without its own name, documentation and place."""
    kept: list[Instruction] = []
    for instruction in instructions:
        stores = instruction.name in ("STORE_NAME", "STORE_DEREF")
        if stores and instruction.value in HASHED_ELSEWHERE and kept and kept[-1].effect == 1:
            kept.pop()
            continue
        kept.append(instruction)
    return kept
