"""What a code object does, apart from where it stands and how its variables are called.

A recipe is a static part (instructions with resolved names, constants, nested code) and the references whose
values are looked up at each hash. It depends on the code object alone, so it is made once per code object.
"""

from __future__ import annotations

import sys
from marshal import dumps
from types import CodeType
from typing import Any, NamedTuple

from .flow import Place, in_order, plain_name
from .instructions import Step, handlers, steps_of
from .recipes import Recipe
from .references import Imports, Reference, find_references

__all__ = ["make"]

FLAGS = 0x04 | 0x08 | 0x20 | 0x80 | 0x100 | 0x200  # *args, **kwargs, generator, coroutine, awaitable, async generator
LOOKS_AT_NAMES = frozenset({"locals", "globals", "vars", "eval", "exec", "dir"})
META = frozenset({"__name__", "__qualname__", "__doc__", "__annotations__", "__module__"})
READERS = {
    **dict.fromkeys(("get_type_hints", "get_annotations", "signature", "getfullargspec", "fields"), "__annotations__"),
    **dict.fromkeys(("getdoc", "help"), "__doc__"),
}
"""Functions that read annotations and docstrings of what they are given, by name."""
PYTHON = (sys.version_info[0], sys.version_info[1])


def make(code: CodeType, keep_types: bool = True, given: Imports | None = None) -> Recipe:
    """Make the recipe of a code object.

    :param keep_types: keep the types of the annotations in the body of a class.
    :param given: imports of the code around it, by the variable they are bound to.

    >>> make((lambda x: len(x)).__code__).references
    (Reference(kind='global', name='len', chain=(), source=()),)
    """
    steps, where = steps_of(code, keep_types)
    given = find_references(code, steps, given or {})
    nested = [step for step in steps if isinstance(step.value, CodeType)]
    inner = {id(step.value): make(step.value, step.keep_types, given) for step in nested}
    sort_closures(steps, inner)
    places = in_order(steps, handlers(code, where))
    numbers: dict[Reference, int] = {}
    for step, _ in places:
        for reference in inner[id(step.value)].references if id(step.value) in inner else step.uses:
            numbers.setdefault(reference, len(numbers))
    variables = number_variables(code, places)
    names = {step.value for step, _ in places if step.kind == "name"}
    flat: list[Any] = [*PYTHON, code.co_flags & FLAGS, *parameters(code)]
    for step, links in places:
        flat += (plain_name(step), encode_argument(step, variables, Nested(inner, numbers)))
        if links:
            flat.append(links)
    if any(reference.kind == "global" and reference.name in LOOKS_AT_NAMES for reference in numbers):
        flat += [tuple(variables), tuple(reference.text for reference in numbers)]
    free = [name for name in variables if name in code.co_freevars]
    used = {name for reference in numbers for name in (reference.name, *reference.chain)}
    read = (names & META) | {READERS[name] for name in used & READERS.keys()}
    meta = read.union(*(recipe.meta for recipe in inner.values()))
    lookups = tuple((r.name if r.kind == "global" and not r.chain else None, r) for r in numbers)
    free_at = tuple(map(code.co_freevars.index, free))
    return Recipe(dumps(flat, 2), free_at, tuple(numbers), tuple(sorted(meta)), lookups)


class Nested(NamedTuple):
    """Hold the recipes of nested code, and the numbers of the references of the whole.

    >>> Nested({}, {}).numbers
    {}
    """

    recipes: dict[int, Recipe]
    numbers: dict[Reference, int]


def parameters(code: CodeType) -> list[Any]:
    """Return the counts of the parameters, and their names where a caller could use them."""
    only, positional, keyword = code.co_posonlyargcount, code.co_argcount, code.co_kwonlyargcount
    counts: list[Any] = [only, positional, keyword]
    if positional - only > 1 or keyword or code.co_flags & 0x08:
        counts += code.co_varnames[only : positional + keyword]
    return counts


def sort_closures(steps: list[Step], inner: dict[int, Recipe]) -> None:
    """Put the cells handed to nested code in the order in which it uses them, not in that of their names."""
    for at, step in enumerate(steps):
        recipe = inner.get(id(step.value)) if step.kind == "const" else None
        if recipe and len(recipe.free) > 1 and at > len(recipe.free) and steps[at - 1].name == "BUILD_TUPLE":
            count = len(recipe.free)
            cells = steps[at - 1 - count : at - 1]
            if all(cell.kind == "variable" for cell in cells):
                steps[at - 1 - count : at - 1] = [cells[i] for i in recipe.free]


def number_variables(code: CodeType, places: list[Place]) -> dict[str, int]:
    """Number the variables: parameters first, then by first use."""
    count = code.co_argcount + code.co_kwonlyargcount + bool(code.co_flags & 4) + bool(code.co_flags & 8)
    variables = {name: i for i, name in enumerate(code.co_varnames[:count])}
    for step, _ in places:
        if step.kind == "variable":
            variables.setdefault(step.value, len(variables))
    for name in code.co_freevars:
        variables.setdefault(name, len(variables))
    return variables


def encode_argument(step: Step, variables: dict[str, int], nested: Nested) -> Any:
    """A variable is a number, a global the number of its reference: what it refers to is seen at each hash."""
    if step.kind == "variable":
        return variables[step.value]
    if step.kind == "const":
        return (encode_constant(step.value, nested),)
    if step.kind == "jump":
        return None
    if step.kind == "name" and step.uses and step.uses[0].kind == "global":
        return nested.numbers[step.uses[0]]
    return step.value


def encode_constant(value: Any, nested: Nested) -> bytes:
    """Encode a constant without losing its type: 1, True and 1.0 are equal, but not the same."""
    kind = type(value)
    if kind is tuple:
        return b"(" + dumps([encode_constant(item, nested) for item in value], 2)
    if kind is frozenset:
        return b"{" + dumps(sorted(encode_constant(item, nested) for item in value), 2)
    if kind is CodeType:
        recipe = nested.recipes.get(id(value)) or make(value)
        return b"code" + dumps([recipe.payload, len(recipe.free), *map(nested.numbers.get, recipe.references)], 2)
    if kind is slice:  # constants of Python 3.14
        return b":" + encode_constant((value.start, value.stop, value.step), nested)
    encoded: bytes = b"=" + dumps(value, 2)
    return encoded
