"""The instructions of a code object, without those that say nothing of what it does.

Gone are caches, placeholders of line numbers, the annotations of nested functions and classes, and the names,
docstrings and lines of nested classes. Jumps lead to positions in what is left.
"""

from __future__ import annotations

from collections.abc import Iterator
from types import CodeType
from typing import Any

__all__ = ["Step", "handlers", "steps_of"]

SKIPPED = frozenset(
    {"CACHE", "RESUME", "NOP", "EXTENDED_ARG", "PRECALL", "MAKE_CELL", "COPY_FREE_VARS", "SETUP_ANNOTATIONS"}
)
NAMED = frozenset({"LOAD_ATTR", "LOAD_METHOD", "LOAD_GLOBAL", "LOAD_NAME", "IMPORT_NAME", "IMPORT_FROM"})
SAID_ELSEWHERE = frozenset(
    {"__qualname__", "__doc__", "__firstlineno__", "__static_attributes__", "__module__", "__annotations__"}
)
SPECIAL_TYPES = frozenset({"ClassVar", "InitVar", "KW_ONLY"})
ANNOTATIONS = 4


class Step:
    """Hold one instruction: its name, the kind of its argument, and the argument.

    >>> step = Step("LOAD_CONST", "const", 1, 0, 1)
    >>> step.name, step.value
    ('LOAD_CONST', 1)
    """

    __slots__ = ("effect", "keep_types", "kind", "name", "offset", "uses", "value")

    def __init__(self, name: str, kind: str, value: Any, offset: int, effect: int) -> None:
        self.name = name
        self.kind = kind
        self.value = value
        self.offset = offset
        self.effect = effect
        self.keep_types = True
        self.uses: tuple[Any, ...] = ()


def steps_of(code: CodeType, keep_types: bool = True) -> tuple[list[Step], dict[int, int]]:
    """Return the steps that count, and where each offset of the code has gone among them.

    :param keep_types: keep the types of the annotations in a class body; their names always stay.

    >>> [step.name for step in steps_of((lambda: None).__code__)[0]][-1].startswith("RETURN")
    True
    """
    steps = list(read(code))
    steps = without_annotations(steps)
    if not code.co_flags & 1:
        steps = list(class_body(steps, keep_types))
    mark_plain_classes(steps)
    steps = [step for step in steps if step.name not in SKIPPED]
    where = positions(code, steps)
    for step in steps:
        if step.kind == "jump":
            step.value = where[step.value]
    return steps, where


def read(code: CodeType) -> Iterator[Step]:
    import dis

    jumps = {*dis.hasjrel, *dis.hasjabs}
    constants = set(dis.hasconst)
    variables = {*dis.haslocal, *dis.hasfree}
    names = set(dis.hasname)
    for item in dis.get_instructions(code):
        opcode, name, value = item.opcode, item.opname, item.argval
        effect = dis.stack_effect(opcode, item.arg if opcode >= dis.HAVE_ARGUMENT or item.arg is not None else None)
        if opcode in variables and type(value) is tuple:  # two in one, since 3.13
            first, second = name.split("_FAST_")[0] + "_FAST", name.split("_FAST_")[1]
            for half, variable in ((first, value[0]), (second, value[1])):
                yield Step(half, "variable", variable, item.offset, 1 if half.startswith("LOAD") else -1)
        elif opcode in variables:
            yield Step(name, "variable", value, item.offset, effect)
        elif opcode in names:
            yield Step(name, "name", value, item.offset, effect)
            if name == "LOAD_SUPER_ATTR":
                yield Step("", "number", item.arg & 2 if item.arg else 0, item.offset, 0)
        elif opcode in constants or name == "KW_NAMES":
            yield Step(name, "const", code.co_consts[item.arg or 0], item.offset, effect)
        elif opcode in jumps:
            yield Step(name, "jump", value, item.offset, effect)
        else:
            yield Step(name, "number", value if name == "COMPARE_OP" else item.arg, item.offset, effect)


def positions(code: CodeType, steps: list[Step]) -> dict[int, int]:
    """Map each offset of the code to the first step at it or after it."""
    where: dict[int, int] = {}
    at = 0
    for offset in range(0, len(code.co_code) + 2, 2):
        while at < len(steps) and steps[at].offset < offset:
            at += 1
        where[offset] = at
    return where


def handlers(code: CodeType, where: dict[int, int]) -> Iterator[tuple[int, int, int, int, int]]:
    """Yield the table of exception handlers: from, to, where to, stack depth, whether the place is kept.

    >>> list(handlers((lambda: None).__code__, {}))
    []
    """
    import dis

    table: Any = dis.Bytecode(code)
    for entry in table.exception_entries:
        yield where[entry.start], where[entry.end], where[entry.target], entry.depth, int(entry.lasti)


def without_annotations(steps: list[Step]) -> list[Step]:
    """Cut what only makes the annotations of a nested function."""
    at = len(steps) - 1
    while at >= 0:
        step = steps[at]
        if step.name == "MAKE_FUNCTION" and type(step.value) is int and step.value & ANNOTATIONS:
            before = at if not step.value & 8 else expression(steps, expression(steps, at))
            before = expression(steps, at) if not step.value & 8 else before
            start = expression(steps, before)
            if start < before:
                step.value &= ~ANNOTATIONS
                del steps[start:before]
                at -= before - start
        elif step.name == "SET_FUNCTION_ATTRIBUTE" and step.value == ANNOTATIONS:
            before = expression(steps, at)
            start = expression(steps, before)
            if start < before:
                del steps[at]
                del steps[start:before]
                at -= before - start
        at -= 1
    return steps


def expression(steps: list[Step], end: int) -> int:
    """Return where the expression starts that leaves one value just before ``end``; ``end`` itself if unclear."""
    depth = 0
    for at in range(end - 1, -1, -1):
        if steps[at].kind == "jump":
            return end
        depth += steps[at].effect
        if depth == 1:
            return at
    return end


def class_body(steps: list[Step], keep_types: bool) -> Iterator[Step]:
    """Drop what a class body says of its own name, documentation and place, and the types of its annotations."""
    kept: list[Step] = []
    for at, step in enumerate(steps):
        if step.name == "STORE_NAME" and step.value in SAID_ELSEWHERE and kept and kept[-1].effect == 1:
            kept.pop()
            continue
        if step.name == "STORE_SUBSCR" and at >= 2 and steps[at - 2].value == "__annotations__":
            start = expression(kept, len(kept) - 2)
            types = {s.value for s in kept[start:-2] if type(s.value) is str}
            if not keep_types and not types & SPECIAL_TYPES:
                del kept[start:-2]
                kept.append(Step("ANNOTATION", "const", kept.pop().value, step.offset, 0))
                del kept[-2]
                continue
        kept.append(step)
    yield from kept


def mark_plain_classes(steps: list[Step]) -> None:
    """Note which nested classes have no base: nothing but a dataclass reads the annotations of such a class."""
    for at, step in enumerate(steps):
        if step.name != "LOAD_BUILD_CLASS":
            continue
        body = next((s for s in steps[at + 1 :] if isinstance(s.value, CodeType)), None)
        call = next((s for s in steps[at + 1 :] if s.name in ("CALL", "CALL_KW", "CALL_FUNCTION_EX")), None)
        if body is not None and call is not None and call.name == "CALL" and call.value == 2:
            body.keep_types = False
