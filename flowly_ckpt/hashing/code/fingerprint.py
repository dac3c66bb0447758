"""What a code object does, apart from where it stands and how its variables are called.

A fingerprint is a static part (instructions with resolved names, constants, nested code) and the references whose
values are looked up at each hash. It depends on the code object alone, so it is made once per code object.
"""

from __future__ import annotations

import sys
import weakref
from marshal import dumps
from types import CodeType
from typing import Any, NamedTuple

from ..rows import Reads
from .flow import Place, in_order, plain_name
from .instructions import Instruction, handlers, instructions_of, names_taken
from .references import ATTRIBUTES, IMPORTERS, Imports, Reference, find_references

__all__ = ["Fingerprint", "fingerprint_of"]

FLAGS = 0x04 | 0x08 | 0x20 | 0x80 | 0x100 | 0x200  # *args, **kwargs, generator, coroutine, awaitable, async generator
LOOKS_AT_NAMES = frozenset({"locals", "globals", "vars", "eval", "exec", "dir"})
READERS = {
    **{name: name for name in ("__name__", "__qualname__", "__doc__", "__annotations__", "__module__", "__code__")},
    **{name: name for name in ("__subclasses__", "__dict__")},
    "vars": "__dict__",
    **dict.fromkeys(("__annotate__", "get_type_hints", "get_annotations"), "__annotations__"),
    **dict.fromkeys(("signature", "from_callable", "getfullargspec"), "__annotations__"),
    **dict.fromkeys(("TypeAdapter", "validate_call", "beartype", "typechecked"), "__annotations__"),
    **dict.fromkeys(("getdoc", "help", "render_doc", "model_json_schema", "json_schema"), "__doc__"),
    **dict.fromkeys(("_getframe", "currentframe", "stack", "extract_stack"), "__code__"),
    **dict.fromkeys(("getsource", "getsourcelines", "getcomments"), "source"),
    **dict.fromkeys(("globals", "exec", "f_globals", "__globals__", "modules", "getmodule"), "texts"),
    **dict.fromkeys(("sql", "SQLContext", "sqldf", "duckdb", "numexpr", "ne"), "texts"),
    **dict.fromkeys(("ols", "glm", "logit", "dmatrix", "dmatrices", "from_formula", "model_matrix"), "texts"),
    "query": "queries",
}
"""What is read of functions and classes by an attribute, or by a function that is given one of them, by its name; and
what finds globals that texts name: any (``texts``), or those behind an ``@`` (``queries``)."""
MODULES = frozenset({"modules", "getmodule", "import_module"})
SPECIAL = frozenset(name for name in READERS if name[:2] == "__")
HAS_DOCSTRING = 0x4000000  # since Python 3.14
PYTHON = (sys.version_info[0], sys.version_info[1])


class Fingerprint(NamedTuple):
    """Hold what a code object alone determines.

    :param payload: the static part.
    :param free: positions in ``co_freevars``, in the order in which the code uses them.
    :param references: the global names, chains of attributes and imports whose values count.
    :param reads: what the code reads of functions and classes, as ``__name__``, if anything.
    :param lookups: the references, each with its name if it is a global without attributes, else None, and whether
        it is handed on, not only called.
    :param taken: the variables of the closure that are handed on.
    :param names: the attributes that the code reads, with the texts in it if it uses getattr.
    :param imports: whether texts may name modules.
    :param texts: the texts in the code, with the attributes it reads if these may be those of its own module.

    >>> fingerprint_of((lambda x: len(x)).__code__).references
    (Reference(kind='global', name='len', chain=(), source=()),)
    """

    payload: bytes
    free: tuple[int, ...]
    references: tuple[Reference, ...]
    reads: tuple[Reads, ...] = ()
    lookups: tuple[tuple[str | None, Reference, bool], ...] = ()
    taken: frozenset[str] = frozenset()
    names: frozenset[str] = frozenset()
    imports: bool = False
    texts: frozenset[str] = frozenset()


_known: dict[int, tuple[Any, Fingerprint]] = {}


def fingerprint_of(code: CodeType) -> Fingerprint:
    """Return the fingerprint of a code object; kept as long as the code object lives.

    >>> f, g = (lambda x: x + 1), (lambda y: y + 1)
    >>> fingerprint_of(f.__code__) == fingerprint_of(g.__code__)
    True
    """
    # By identity: code objects compare equal although their constants differ in type.
    key = id(code)
    found = _known.get(key)
    if found is not None and found[0]() is code:
        return found[1]
    fingerprint = make(code)
    _known[key] = (weakref.ref(code, lambda _: _known.pop(key, None)), fingerprint)
    return fingerprint


def make(code: CodeType, given: Imports | None = None) -> Fingerprint:
    """Make the fingerprint of a code object.

    :param given: imports of the code around it, by the variable they are bound to.
    """
    instructions, where = instructions_of(code)
    given = find_references(code, instructions, given or {})
    nested = [instruction for instruction in instructions if isinstance(instruction.value, CodeType)]
    inner = {id(instruction.value): make(instruction.value, given) for instruction in nested}
    sort_closures(instructions, inner)
    places = in_order(instructions, handlers(code, where))
    numbers: dict[Reference, int] = {}
    for instruction, _ in places:
        for reference in inner.get(id(instruction.value), instruction).references:
            numbers.setdefault(reference, len(numbers))
    variables = number_variables(code, places)
    flat: list[Any] = [*PYTHON, code.co_flags & FLAGS, *parameters(code)]
    for instruction, links in places:
        flat += (plain_name(instruction), encode_argument(instruction, variables, Nested(inner, numbers)))
        if links:
            flat.append(links)
    if any(reference.kind == "global" and reference.name in LOOKS_AT_NAMES for reference in numbers):
        flat += [tuple(variables), tuple(reference.text for reference in numbers)]
    free = [name for name in variables if name in code.co_freevars]
    free_at = tuple(map(code.co_freevars.index, free))
    return with_uses(Fingerprint(dumps(flat, 2), free_at, tuple(numbers)), code, places, tuple(inner.values()))


def with_uses(found: Fingerprint, code: CodeType, places: list[Place], inner: tuple[Fingerprint, ...]) -> Fingerprint:
    """Add what the code, and the code nested in it, does with the things it refers to."""
    own = {instruction.value for instruction, _ in places if instruction.kind == "name"}
    attributes = {i.value for i, _ in places if i.name in ATTRIBUTES}
    if "getattr" in own:
        attributes |= {i.value for i, _ in places if i.kind == "const" and type(i.value) is str}
    used = own | {name for reference in found.references for name in (reference.name, *reference.chain)}
    reads = {READERS[name] for name in used & (READERS.keys() - SPECIAL)}
    texts = texts_in(places)
    reads.update(READERS[name] for name in attributes & SPECIAL)
    reads.update(READERS[name] for text in texts if "__" in text for name in SPECIAL if name in text)
    if "query" in texts:  # of a getattr, or a methodcaller
        reads.add("queries")
    if "eval" in used:  # of Python, or of a frame
        reads.add("texts" if any(reference.name == "eval" for reference in found.references) else "queries")
    reads.update(*(found for each in inner for found in each.reads))
    handed = {reference for instruction, _ in places if instruction.handed for reference in instruction.references}
    handed.update(reference for each in inner for _, reference, is_handed in each.lookups if is_handed)
    return found._replace(
        reads=(Reads(reads),) if reads else (),
        lookups=tuple(
            (r.name if r.kind == "global" and not r.chain else None, r, r in handed) for r in found.references
        ),
        taken=frozenset(names_taken(code, False) & set(code.co_freevars)) if code.co_freevars else frozenset(),
        names=frozenset(attributes).union(*(each.names for each in inner)),
        texts=frozenset(texts).union(() if used.isdisjoint(MODULES) else attributes, *(each.texts for each in inner)),
        imports=not used.isdisjoint(IMPORTERS) or any(each.imports for each in inner),
    )


def texts_in(places: list[Place]) -> set[str]:
    """Return the texts among the constants: also of ``getattr(f, "__doc__")``, ``"{.__name__}"``, patterns."""
    constants = [i.value for i, _ in places if i.kind == "const"]
    return {text for each in constants for text in (each if type(each) is tuple else (each,)) if type(text) is str}


class Nested(NamedTuple):
    """Hold the fingerprints of nested code, and the numbers of the references of the whole."""

    fingerprints: dict[int, Fingerprint]
    numbers: dict[Reference, int]


def parameters(code: CodeType) -> list[Any]:
    """Return the counts of the parameters, and their names where a caller could use them."""
    only, positional, keyword = code.co_posonlyargcount, code.co_argcount, code.co_kwonlyargcount
    counts: list[Any] = [only, positional, keyword]
    if positional - only > 1 or keyword or code.co_flags & 0x08:
        counts += code.co_varnames[only : positional + keyword]
    return counts


def sort_closures(instructions: list[Instruction], inner: dict[int, Fingerprint]) -> None:
    """Put the cells passed to nested code in the order in which it uses them, not in that of their names."""
    for at, instruction in enumerate(instructions):
        fingerprint = inner.get(id(instruction.value)) if instruction.kind == "const" else None
        count = len(fingerprint.free) if fingerprint else 0
        if fingerprint and 1 < count < at and instructions[at - 1].name == "BUILD_TUPLE":
            cells = instructions[at - 1 - count : at - 1]
            if all(cell.kind == "variable" for cell in cells):
                instructions[at - 1 - count : at - 1] = [cells[i] for i in fingerprint.free]


def number_variables(code: CodeType, places: list[Place]) -> dict[str, int]:
    """Number the variables: parameters first, then by first use."""
    count = code.co_argcount + code.co_kwonlyargcount + bool(code.co_flags & 4) + bool(code.co_flags & 8)
    variables = {name: i for i, name in enumerate(code.co_varnames[:count])}
    for instruction, _ in places:
        if instruction.kind == "variable":
            variables.setdefault(instruction.value, len(variables))
    for name in code.co_freevars:
        variables.setdefault(name, len(variables))
    return variables


def encode_argument(instruction: Instruction, variables: dict[str, int], nested: Nested) -> Any:
    """Encode a variable as a number, a global as the number of its reference, whose value is looked up at each hash."""
    if instruction.kind == "variable":
        return variables[instruction.value]
    if instruction.kind == "const" and instruction.shown:
        return encode_constant(instruction.value, nested), *shown(instruction.value)
    if instruction.kind == "const":
        return (encode_constant(instruction.value, nested),)
    if instruction.kind == "jump":
        return None
    if instruction.kind == "name" and instruction.references and instruction.references[0].kind == "global":
        return nested.numbers[instruction.references[0]]
    return instruction.value


def shown(code: CodeType) -> tuple[Any, ...]:
    """Return what a nested function shows of itself: its name, docstring and the names of its parameters."""
    first = code.co_consts[0] if code.co_consts else None
    count = code.co_argcount + code.co_kwonlyargcount + bool(code.co_flags & 4) + bool(code.co_flags & 8)
    documented = code.co_flags & HAS_DOCSTRING or PYTHON < (3, 14)
    return code.co_name, first if type(first) is str and documented else None, code.co_varnames[:count]


def encode_constant(value: Any, nested: Nested) -> bytes:
    """Encode a constant without losing its type: 1, True and 1.0 are equal, but not the same."""
    kind = type(value)
    if kind is tuple:
        return b"(" + dumps([encode_constant(item, nested) for item in value], 2)
    if kind is frozenset:
        return b"{" + dumps(sorted(encode_constant(item, nested) for item in value), 2)
    if kind is CodeType:
        inner = nested.fingerprints.get(id(value)) or make(value)
        return b"code" + dumps([inner.payload, len(inner.free), *map(nested.numbers.get, inner.references)], 2)
    if kind is slice:  # constants of Python 3.14
        return b":" + encode_constant((value.start, value.stop, value.step), nested)
    encoded: bytes = b"=" + dumps(value, 2)
    return encoded
