"""What a function refers to by name: globals, attributes of modules, imports inside its body.

The names are found once per code object; the values are looked up at each hash, so that a helper that was
redefined is seen.
"""

from __future__ import annotations

import builtins
import re
import sys
import types
from collections.abc import Collection, Iterator
from itertools import islice, takewhile
from keyword import iskeyword
from types import BuiltinFunctionType, CodeType, FunctionType, MethodType, ModuleType
from typing import Any, NamedTuple

from ..rows import Mark
from .instructions import Instruction
from .origin import of_globals, of_module

__all__ = [
    "CODE", "Imports", "Reference", "find_references", "imports", "loaded", "meant", "names_in", "resolve",
]  # fmt: skip

GLOBALS = frozenset({"LOAD_GLOBAL", "LOAD_NAME", "LOAD_FROM_DICT_OR_GLOBALS"})
ATTRIBUTES = frozenset({"LOAD_ATTR", "LOAD_METHOD"})
LOOK_UP = frozenset({"globals", "eval", "exec", "vars", "modules", "__globals__"})
QUERIES = frozenset({"query", "eval"})
IMPORTERS = frozenset({"import_module", "__import__", "resolve_name", "locate", "run_module", "find_spec"})
MODULE = r"\.*[A-Za-z_]\w*(\.\w+)*(:[\w.]+)?"
ANY_NAME, NAME_IN_QUERY = r"\b[^\W\d]\w*", r"@([^\W\d]\w*)"
CODE = frozenset({FunctionType, BuiltinFunctionType, MethodType, type, ModuleType})
PLAIN = frozenset({bool, int, float, complex, str, bytes, type(None)})
MISSING = Mark("undefined")
LAZY: Any = getattr(types, "LazyImportType", None)
_builtins = vars(builtins)
imports: list[str] = []
"""The user's modules that were imported to hash what code takes from them."""


class Reference(NamedTuple):
    """Name something that a function refers to.

    :param kind: ``"global"`` or ``"import"``.
    :param name: the global name, or the name taken from the imported module (empty: the module itself).
    :param chain: the attributes read from it, one after the other.
    :param source: for an import, the level (how many dots) and the module.

    >>> Reference("global", "np", ("linalg", "norm")).text
    "global 'np.linalg.norm'"
    """

    kind: str
    name: str
    chain: tuple[str, ...] = ()
    source: tuple[Any, ...] = ()

    @property
    def text(self) -> str:
        name = self.source[1] if self.source and not self.name else self.name
        return f"{self.kind} '{'.'.join((name, *self.chain))}'"


Imports = dict[str, tuple[Reference, ...]]


def find_references(code: CodeType, instructions: list[Instruction], given: Imports) -> Imports:
    """Set what each instruction refers to; return the imports that nested code may use through a closure.

    :param given: such imports of the code around this one.

    >>> from flowly_ckpt.hashing.code.instructions import instructions_of
    >>> code = (lambda: sys.path).__code__
    >>> instructions = instructions_of(code)[0]
    >>> find_references(code, instructions, {}), instructions[0].references[0].text
    ({}, "global 'sys.path'")
    """
    imported: Imports = {name: given[name] for name in code.co_freevars if name in given}
    variables = [instruction for instruction in instructions if instruction.kind == "variable"]
    read = {variable.value for variable in variables if is_read(code, variable)}.union(code.co_cellvars)
    own = set() if code.co_flags & 1 else stored_first(instructions)
    for at, instruction in enumerate(instructions):
        if instruction.name == "IMPORT_NAME":
            instruction.references = tuple(imports_at(instructions, at, imported, read))
    for at, instruction in enumerate(instructions):
        if instruction.name in GLOBALS:
            if id(instruction) in own:
                continue
            chain = chain_at(instructions, at + 1)
            instruction.references = (Reference("global", instruction.value, chain),)
            instruction.handed = not (instruction.called or instructions[at + len(chain)].called)
        elif instruction.kind == "variable" and instruction.value in imported and is_read(code, instruction):
            chain = chain_at(instructions, at + 1)
            instruction.references = tuple(reference._replace(chain=chain) for reference in imported[instruction.value])
            instruction.handed = not (instruction.called or instructions[at + len(chain)].called)
    name_in_texts(instructions)
    shared = {*code.co_cellvars, *code.co_freevars}
    add_unused(instructions, {name for name in imported if name not in shared})
    return {name: references for name, references in imported.items() if name in shared}


def add_unused(instructions: list[Instruction], own: Collection[str]) -> None:
    """Add the submodules that ``import a.b`` brings in, where only other things of ``a`` are used: for what they do."""
    used = {(r.source[1], r.chain) for i in instructions for r in i.references if i.kind == "variable" and r.source}
    for at, instruction in enumerate(instructions[:-1]):
        if instruction.name == "IMPORT_NAME" and instructions[at - 1].value is None and "." in instruction.value:
            store, below = instructions[at + 1], tuple(instruction.value.split(".")[1:])
            chains = [chain for module, chain in used if module == instruction.value]
            is_read = store.kind == "variable" and store.value in own and chains
            if is_read and not any(chain[: len(below)] == below for chain in chains):
                whole = Reference("import", "", (), (instructions[at - 2].value, instruction.value, False))
                instruction.references = (*instruction.references, whole)


def name_in_texts(instructions: list[Instruction]) -> None:
    """Set what literal texts name, in code that looks names up: ``df.query("a > @LIMIT")``, ``import_module("x")``."""
    used = {instruction.value for instruction in instructions if instruction.kind == "name"}
    if used.isdisjoint(LOOK_UP) and used.isdisjoint(QUERIES) and used.isdisjoint(IMPORTERS):
        return
    for instruction in instructions:
        if instruction.kind == "const" and type(instruction.value) is str:
            if not used.isdisjoint(IMPORTERS):
                instruction.references = tuple(modules_in(instruction.value))
            else:
                names = names_in(instruction.value, used)
                instruction.references = tuple(Reference("global", name) for name in names)
        elif instruction.kind == "const" and type(instruction.value) is tuple and not used.isdisjoint(IMPORTERS):
            texts = (text for text in instruction.value if type(text) is str)
            instruction.references = tuple(reference for text in texts for reference in modules_in(text))


def modules_in(text: str) -> Iterator[Reference]:
    """Yield what a text may import: a module, or what stands in one: ``a.b``, ``.b``, ``a:b``.

    >>> [reference.source[1] for reference in modules_in("pkg.leaf:run")]
    ['pkg.leaf']
    """
    if not re.fullmatch(MODULE, text):
        return
    module = text.partition(":")[0].lstrip(".")
    source = (len(text) - len(text.lstrip(".")), module, False)
    yield Reference("import", "", (), source)


def names_in(text: str, used: Collection[str] = ("query",)) -> list[str]:
    """Return the names of globals in a text, for code that uses some names itself.

    >>> names_in("a >= @LIMIT and b < @other.size"), names_in("helper(x)", {"eval"})
    (['LIMIT', 'other'], ['helper', 'x'])
    """
    pattern = ANY_NAME if not LOOK_UP.isdisjoint(used) else NAME_IN_QUERY
    return list(dict.fromkeys(name for name in re.findall(pattern, text) if not iskeyword(name)))


def stored_first(instructions: list[Instruction]) -> set[int]:
    """Return the loads of names that the body of a class has stored before: they are not looked up as globals."""
    stored: set[str] = set()
    found = set()
    for instruction in instructions:
        if instruction.name == "STORE_NAME":
            stored.add(instruction.value)
        elif instruction.name == "LOAD_NAME" and instruction.value in stored:
            found.add(id(instruction))
    return found


def is_read(code: CodeType, instruction: Instruction) -> bool:
    """Return whether a variable is read, not just its cell passed to nested code."""
    if instruction.name == "LOAD_CLOSURE" or not instruction.name.startswith("LOAD"):
        return False
    return "FAST" not in instruction.name or instruction.value not in (*code.co_cellvars, *code.co_freevars)


def imports_at(
    instructions: list[Instruction], at: int, imported: Imports, read: Collection[str]
) -> Iterator[Reference]:
    """Record the variables an import is stored in; yield what is stored elsewhere, nowhere, or never read."""
    level, names, module = instructions[at - 2].value, instructions[at - 1].value, instructions[at].value
    whole = Reference("import", "", (), (level, module, False))
    top = at + 1 < len(instructions) and instructions[at + 1].name.startswith("STORE")
    if names is None and top:
        found = [(instructions[at + 1], whole._replace(source=(level, module, True)))]
    elif names is None:
        found = [(later, whole) for later in instructions[at + 1 :] if later.name.startswith("STORE")][:1]
    else:
        found = [(instructions[at + 2 + 2 * i], whole._replace(name=name)) for i, name in enumerate(names)]
    if found and all(store.kind == "variable" and store.value not in read for store, _ in found):
        yield whole  # imported only for what the import does
        if names is not None:
            yield from (reference for _, reference in found)
        return
    for store, reference in found:
        if store.kind == "variable":  # one variable may be bound by several imports, as in a try
            imported[store.value] = (*imported.get(store.value, ()), reference)
        else:
            yield reference
    if not found:
        yield whole


def chain_at(instructions: list[Instruction], at: int) -> tuple[str, ...]:
    attributes = takewhile(lambda instruction: instruction.name in ATTRIBUTES, islice(instructions, at, None))
    return tuple(instruction.value for instruction in attributes)


def resolve(reference: Reference, table: dict[str, Any]) -> tuple[Any, tuple[str, ...]]:
    """Return the value a reference has now, and the attributes that are read from that value.

    A chain is followed through modules to the first value that is not a module.

    >>> resolve(Reference("global", "sys", ("maxsize", "bit_length")), globals()) == (sys.maxsize, ("bit_length",))
    True
    """
    name, chain = reference.name, reference.chain
    value = import_value(reference, table) if reference.kind == "import" else meant(name, table)
    if chain and issubclass(type(value), ModuleType):
        return follow(value, chain)
    return value, chain


def loaded(value: Any) -> Any:
    """Return what a lazy import of Python 3.15 stands for, or the mark of what cannot be imported; else the value.

    >>> loaded(3)
    3
    """
    if type(value) is not LAZY:
        return value
    try:
        return value.resolve()
    except (Exception, SystemExit):  # noqa: BLE001  whatever the module does; the function may guard against it
        return MISSING


def meant(name: str, table: dict[str, Any]) -> Any:
    """Return what a name means to code with these globals, a builtin among them, or the mark of an undefined name.

    >>> meant("len", {}), meant("no_such_name", {}), meant("size", {"size": 3})
    (<built-in function len>, 'undefined', 3)
    """
    if name in table:
        value = table[name]
        return loaded(value) if type(value) is LAZY else value
    found = table.get("__builtins__", _builtins)
    return (found if type(found) is dict else vars(found)).get(name, MISSING)


def follow(value: Any, chain: tuple[str, ...]) -> tuple[Any, tuple[str, ...]]:
    module = value
    for at, name in enumerate(chain):
        module = value
        if name == "__dict__":
            return module, chain[at + 1 :]
        value = attribute(module, name)
        if not issubclass(type(value), ModuleType):
            return seen_from(module, name, value), chain[at + 1 :]
    return value, ()


def attribute(module: ModuleType, name: str) -> Any:
    try:
        return getattr(module, name)
    except Exception:  # noqa: BLE001  whatever a module's __getattr__ raises
        pass
    full = f"{module.__name__}.{name}"
    if full in sys.modules or "__path__" not in vars(module):
        return sys.modules.get(full, MISSING)
    return import_user(full)


def seen_from(module: ModuleType, name: str, value: Any) -> Any:
    """Return a mark with the name for what a foreign module holds (``os.environ``, ``scipy.stats.norm``).

    What the user may have put there counts by its content: functions, classes, constants, objects of the user's types.
    """
    kind = type(value)
    if kind in PLAIN or kind in CODE or issubclass(kind, type) or value is MISSING:
        return value
    origin = of_module(module.__name__)
    if origin.kind == "user" or of_module(kind.__module__).kind == "user":
        return value
    return Mark(f"{module.__name__}.{name} {origin.label}")


def as_met(name: str, value: Any) -> Any:
    """Return a mark for an object that an installed module made, if it is referred to by the name it has there."""
    place = type(value).__module__
    if place == "builtins" or of_module(place).kind != "installed":
        return value
    module = sys.modules.get(place)
    return seen_from(module, name, value) if module is not None and vars(module).get(name) is value else value


def import_value(reference: Reference, table: dict[str, Any]) -> Any:
    """Return the value of an import inside a function body; what is installed is a mark, and not imported."""
    level, module, top = reference.source
    if level:
        package = table.get("__package__") or table.get("__name__", "")
        parts = package.split(".")
        module = ".".join([*parts[: len(parts) - level + 1], *([module] if module else [])])
    origin = of_module(module)
    if origin.kind != "user":
        found = put_there(sys.modules.get(module), (*filter(None, [reference.name]), *reference.chain))
        return Mark(f"{module} {origin.label}") if found is None else found
    value = import_user(module)
    if value is MISSING or not reference.name:
        return sys.modules.get(module.partition(".")[0], MISSING) if top else value
    return attribute(value, reference.name)


def put_there(found: Any, chain: tuple[str, ...]) -> Any:
    """Return the user's function that somebody put into an installed module, or None."""
    for name in chain:
        if not issubclass(type(found), ModuleType):
            break
        found = vars(found).get(name)
    return found if type(found) is FunctionType and of_globals(found.__globals__).kind == "user" else None


def import_user(name: str) -> Any:
    """Import a user's module as the function body would; return a mark if it cannot be imported."""
    from importlib import import_module

    is_new = name not in sys.modules
    try:
        found = import_module(name)
    except (Exception, SystemExit):  # noqa: BLE001  whatever the module does; the function may guard against it
        return MISSING
    if is_new and name in sys.modules:
        imports.append(name)
    return found
