"""The instructions of a code object, without those that do not affect what it does.

Left out are caches, placeholders for line numbers, the annotations of nested functions and classes, and the names,
docstrings and lines of nested classes. Jumps lead to positions in what is left.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from types import CodeType
from typing import Any

__all__: list[str] = []

SKIPPED = frozenset(
    {
        *("CACHE", "RESUME", "NOP", "EXTENDED_ARG", "PRECALL", "MAKE_CELL", "COPY_FREE_VARS", "SETUP_ANNOTATIONS"),
        "NOT_TAKEN",  # since 3.14: marks the branch that follows a jump, which depends on the layout
    }
)
HASHED_ELSEWHERE = frozenset(
    {
        *("__qualname__", "__doc__", "__firstlineno__", "__static_attributes__", "__module__", "__annotations__"),
        *("__classdict__", "__classdictcell__", "__conditional_annotations__"),  # lead from annotations to the class
    }
)
SPECIAL_TYPES = frozenset({"ClassVar", "InitVar", "KW_ONLY"})
# Flags of MAKE_FUNCTION, and arguments of SET_FUNCTION_ATTRIBUTE; since 3.14 a function that makes the annotations.
ANNOTATIONS, CLOSURE, ANNOTATE = 4, 8, 16


class Instruction:
    """Hold an instruction, its argument and the kind of that, its offset, and its effect on the depth of the stack."""

    __slots__ = ("effect", "keep_types", "kind", "name", "offset", "references", "value")

    def __init__(self, name: str, kind: str, value: Any, offset: int, effect: int) -> None:
        self.name, self.kind, self.value = name, kind, value
        self.offset, self.effect = offset, effect
        self.keep_types = True
        self.references: tuple[Any, ...] = ()


def instructions_of(code: CodeType, keep_types: bool = True) -> tuple[list[Instruction], dict[int, int]]:
    """Return the instructions that count, and the position of each offset of the code among them.

    :param keep_types: keep the types of the annotations in a class body; their names always stay.
    """
    instructions = list(read(code))
    remove_annotations(instructions)
    if not code.co_flags & 1:
        instructions = class_body(instructions, keep_types)
    mark_plain_classes(instructions)
    instructions = [instruction for instruction in instructions if instruction.name not in SKIPPED]
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
        if kind == "const" or name == "KW_NAMES":
            kind, value = "const", code.co_consts[item.arg or 0]
        elif kind == "number" and name != "COMPARE_OP":
            value = item.arg
        argument = item.arg if item.opcode >= dis.HAVE_ARGUMENT or item.arg is not None else None
        yield Instruction(name, kind, value, item.offset, dis.stack_effect(item.opcode, argument))
        if name == "LOAD_SUPER_ATTR":
            yield Instruction("", "number", item.arg & 2 if item.arg else 0, item.offset, 0)


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
    """Remove the instructions that only make the annotations of a nested function."""
    at = len(instructions)
    while at > 0:
        at -= 1
        instruction = instructions[at]
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


def expression(instructions: list[Instruction], end: int) -> int:
    """Return the start of the expression that leaves one value just before ``end``; ``end`` itself if unclear."""
    depth = 0
    for at in range(end - 1, -1, -1):
        if instructions[at].kind == "jump":
            return end
        depth += instructions[at].effect
        if depth == 1:
            return at
    return end


def class_body(instructions: list[Instruction], keep_types: bool) -> list[Instruction]:
    """Return a class body without its own name, documentation and place, and the types of its annotations."""
    kept: list[Instruction] = []
    for at, instruction in enumerate(instructions):
        stores = instruction.name in ("STORE_NAME", "STORE_DEREF")
        if stores and instruction.value in HASHED_ELSEWHERE and kept and kept[-1].effect == 1:
            kept.pop()
            continue
        if instruction.value == "__annotate_func__" and not keep_types:  # since 3.14
            start = expression(kept, len(kept))
            fields = fields_of(next(s.value for s in kept[start:] if isinstance(s.value, CodeType)))
            if fields is not None:
                kept[start:] = [Instruction("ANNOTATION", "const", fields, instruction.offset, 0)]
                continue
        if instruction.name == "STORE_SUBSCR" and at >= 2 and instructions[at - 2].value == "__annotations__":
            start = expression(kept, len(kept) - 2)
            types = {s.value for s in kept[start:-2] if type(s.value) is str}
            if not keep_types and not types & SPECIAL_TYPES:
                del kept[start:-2]
                kept.append(Instruction("ANNOTATION", "const", kept.pop().value, instruction.offset, 0))
                del kept[-2]
                continue
        kept.append(instruction)
    return kept


def fields_of(annotate: CodeType) -> tuple[Any, ...] | None:
    """Return the names that a function makes annotations for; None where their types say more than what they hold."""
    if SPECIAL_TYPES.intersection(annotate.co_names):
        return None
    found = list(read(annotate))
    return tuple(name.value for name, store in pairwise(found) if store.name == "STORE_SUBSCR")


def mark_plain_classes(instructions: list[Instruction]) -> None:
    """Mark the nested classes without a base: nothing but a dataclass reads the annotations of such a class."""
    for at, instruction in enumerate(instructions):
        if instruction.name != "LOAD_BUILD_CLASS":
            continue
        body = next((s for s in instructions[at + 1 :] if isinstance(s.value, CodeType)), None)
        call = next((s for s in instructions[at + 1 :] if s.name in ("CALL", "CALL_KW", "CALL_FUNCTION_EX")), None)
        if body is not None and call is not None and call.name == "CALL" and call.value == 2:
            body.keep_types = False
