"""Functions: by what they do and what they refer to if the user wrote them, else by name and version."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from functools import _lru_cache_wrapper, partial
from types import (
    BuiltinFunctionType,
    CellType,
    ClassMethodDescriptorType,
    CodeType,
    FunctionType,
    MethodDescriptorType,
    MethodType,
    MethodWrapperType,
    WrapperDescriptorType,
)
from typing import Any

from ..annotations import annotations_of
from ..hints import IGNORES, added_to
from ..plain import ATOMS, is_plain
from ..rows import LABELS, ROWS, Attrs, Mark, Parts, attributes
from .fingerprint import Fingerprint, fingerprint_of
from .held import as_held
from .hung import hung_on, patched
from .origin import Origin, named, of_globals, of_module
from .references import CODE, as_met, builtin_named, names_in, resolve
from .wrapped import behind_generated

__all__: list[str] = []

EMPTY = Mark("empty cell")
IGNORED = Mark("ignored")
NAMED = (FunctionType, type)
OWN = frozenset({IGNORES})
CONTAINERS = frozenset({list, tuple, dict, set, frozenset})
MOST = 1000
MADE_LATER = frozenset({"__slotnames__", "__annotations__", "__annotations_cache__", "__annotate_func__"})
"""What Python adds to a class when somebody reduces an instance or asks for annotations, which count by themselves."""
READABLE = frozenset(
    {
        *("__doc__", "__name__", "__qualname__", "__annotations__", "__annotate__", "__module__"),
        *("__subclasses__", "__dict__"),
    }
)


@ROWS.exact(FunctionType)
def function(fn: FunctionType) -> Parts:
    origin = of_globals(fn.__globals__)
    if origin.kind != "user":
        foreign_parts = foreign(fn, origin)
        if foreign_parts is not None:
            return foreign_parts
    behind = behind_generated(fn) if fn.__code__.co_filename[:1] == "<" else None
    if behind is not None:
        return b"<generated>", [behind, annotations_of(behind)]
    parts, names, read = described(fn)
    return b"<function>", [*parts, *names, *read] if names or read else parts


def described(fn: FunctionType) -> tuple[list[Any], tuple[str, ...], tuple[Any, ...]]:
    """Return the parts of a user's function: its own, the names of those it hands on, what is read of any."""
    table, fingerprint = fn.__globals__, fingerprint_of(fn.__code__)
    own = fn.__dict__
    ignored = own.get(IGNORES, ()) if own else ()
    parts: list[Any] = [fingerprint.payload, attributes(own, OWN) if own else None, 0, None]
    if fn.__defaults__ or fn.__kwdefaults__:
        parts[2:] = defaults(fn)
    start = len(parts)
    names: tuple[str, ...] = ()
    read: tuple[Any, ...] = ()
    look = False
    if fingerprint.free:
        parts += cells(fn, fingerprint, ignored)
        names = () if ignored is True else tuple(names_of(fn, fingerprint, ignored))
    for name, reference, handed in fingerprint.lookups:
        if ignored and (ignored is True or reference.name in ignored):
            parts.append(IGNORED)
            continue
        if name is None:
            value, rest = resolve(reference, table)
        else:
            value, rest = table[name] if name in table else builtin_named(name, table), ()
        if type(value) in CODE or issubclass(type(value), type):
            parts.append(value)
            if handed and not rest:
                look = True
                if type(value) is FunctionType:
                    names += (value.__name__,)
            elif rest and rest[0] in READABLE:
                read += (attribute_read(value, rest[0]),)
        elif type(value) in ATOMS:  # the name of data counts: what is equal now may be changed apart
            parts += (reference.name, value)
            if fingerprint.queries and type(value) is str:
                read += tuple(builtin_or_global(each, table) for each in names_in(value))
        else:
            look = look or (handed and type(value) in CONTAINERS)
            parts += (reference.name, as_met(reference.name, as_held(value, fingerprint.names, handed and not rest)))
    if fingerprint.read or look:
        read += tuple(attributes_read(fn, fingerprint, parts[start:]))
    if fingerprint.names and patched(fingerprint.names):
        read += tuple(hung_on(fingerprint.names))
    return parts, names, read


def builtin_or_global(name: str, table: dict[str, Any]) -> Any:
    return as_held(table[name] if name in table else builtin_named(name, table))


def defaults(fn: FunctionType) -> tuple[Any, ...]:
    """Return the defaults, each under a name of its own if it is a function, as the body may read it."""
    positional, named = fn.__defaults__ or (), fn.__kwdefaults__ or {}
    values = [*positional, tuple(sorted(named)) or None, *map(named.get, sorted(named))]
    names = [value.__name__ for value in values if type(value) is FunctionType]
    return ([len(positional), *names] if names else len(positional)), *map(as_held, values)


def of_function(fn: FunctionType, parts: list[Any]) -> list[str | None]:
    code, fingerprint = fn.__code__, fingerprint_of(fn.__code__)
    count, last = len(fn.__defaults__ or ()), code.co_argcount
    names: list[str | None] = [None, "", None, *map(default, code.co_varnames[last - count : last]), None]
    names += map(default, sorted(fn.__kwdefaults__ or ()))
    names += [f"closure {code.co_freevars[i]!r}" for i in fingerprint.free]
    for reference in fingerprint.references:
        if type(parts[len(names)]) is str:
            names.append(None)
        rest = resolve(reference, fn.__globals__)[1]
        cut = reference._replace(chain=reference.chain[: len(reference.chain) - len(rest)])
        names.append(cut.text)
    return [None if part is IGNORED else name for name, part in zip(names, parts)]


def default(name: str) -> str:
    return f"default {name!r}"


LABELS[b"<function>"] = of_function


def cells(fn: FunctionType, fingerprint: Fingerprint, ignored: Any) -> list[Any]:
    names, closure = fn.__code__.co_freevars, fn.__closure__ or ()
    taken = fingerprint.taken
    return [
        IGNORED if ignored is True or names[i] in ignored else content(closure[i], fingerprint.names, names[i] in taken)
        for i in fingerprint.free
    ]


def names_of(fn: FunctionType, fingerprint: Fingerprint, ignored: Collection[str]) -> Iterator[str]:
    """Yield the names of the functions in a closure that are handed on."""
    names, closure = fn.__code__.co_freevars, fn.__closure__ or ()
    for i in fingerprint.free:
        if (
            names[i] in fingerprint.taken
            and names[i] not in ignored
            and type(value := content(closure[i])) is FunctionType
        ):
            yield value.__name__


def content(cell: CellType, names: Collection[str] = (), handed: bool = False) -> Any:
    try:
        return as_held(cell.cell_contents, names, handed)
    except ValueError:
        return EMPTY


def attributes_read(fn: FunctionType, fingerprint: Fingerprint, values: list[Any]) -> Iterator[Any]:
    """Yield what is read, here or in what is called, from the functions and classes the code refers to or hands on."""
    things = things_in(values)
    read = sorted({*fingerprint.read, *read_below(fn, fingerprint, set())}) if things else ()
    for thing in things:
        for name in read:
            yield attribute_read(thing, name)


def read_below(fn: FunctionType, fingerprint: Fingerprint, seen: set[int]) -> Iterator[str]:
    """Yield the attributes of functions and classes that the user's functions read which a function leads to."""
    seen.add(id(fn.__code__))
    for name, reference, _ in fingerprint.lookups:
        value = fn.__globals__.get(name) if name else resolve(reference, fn.__globals__)[0]
        if type(value) is not FunctionType or id(value.__code__) in seen:
            continue
        if of_globals(value.__globals__).kind == "user":
            below = fingerprint_of(value.__code__)
            yield from below.read
            yield from read_below(value, below, seen)


def things_in(values: list[Any]) -> list[Any]:
    """Return the functions and classes in values and in the plain containers among them, in order."""
    found: list[Any] = []
    waiting = [values]
    for some in waiting:
        for value in some:
            if issubclass(type(value), NAMED):
                found.append(value)
            elif type(value) in CONTAINERS and not is_plain([value]) and len(waiting) < MOST:
                waiting.append([*value, *value.values()] if type(value) is dict else list(value))
    return found


def attribute_read(value: Any, name: str) -> Any:
    """Return a name, docstring or annotations: of a function with its parameters, of a class with its bases."""
    if name in ("__annotations__", "__annotate__"):
        if isinstance(value, type):
            return [annotations_of(base) for base in value.__mro__ if base is not object]
        code = getattr(value, "__code__", None)
        return [annotations_of(value), code and code.co_varnames[: code.co_argcount + code.co_kwonlyargcount]]
    if name == "__subclasses__":
        return subclasses(value) if isinstance(value, type) else None
    if name == "__dict__":
        bases = [base for base in getattr(value, "__mro__", ()) if of_module(base.__module__).kind == "user"]
        return [[name for name in vars(base) if name not in MADE_LATER] for base in bases]
    return getattr(value, name, None)


def subclasses(cls: type) -> list[type]:
    found: list[type] = list(dict.fromkeys(type.__subclasses__(cls)))
    for each in found:
        below: list[type] = type.__subclasses__(each)
        found += [kind for kind in below if kind not in found]
    return found


def foreign(fn: FunctionType, origin: Origin) -> Parts | None:
    """Describe installed code by name and version, with its closure and defaults if another function made it.

    Return None for a function that only seems to be this library's: one written in an example.
    """
    if fn.__globals__.get("__name__") == "functools" and "registry" in fn.__dict__:
        return b"<singledispatch>", [Attrs(fn.__dict__["registry"]), *added_to(fn)]
    # Not the names of the function, which a decorator may have copied from another one.
    module, name = fn.__globals__["__name__"], fn.__code__.co_qualname
    parts: list[Any] = [module, name, origin.label]
    if not fn.__closure__ and named(module, name) is fn:
        return b"<foreign>", parts + added_to(fn)
    if origin.kind == "ours" and "<locals>" not in name:
        return None
    fingerprint = fingerprint_of(fn.__code__)
    static = fingerprint.payload if origin.kind != "ours" or name.endswith("<lambda>") else None
    parts += [static, fn.__defaults__, attributes(fn.__kwdefaults__), fn.__dict__.get("__wrapped__"), *added_to(fn)]
    return b"<foreign>", parts + cells(fn, fingerprint, CACHES.get((module, name), ()))


CACHES = {
    ("toolz.functoolz", "memoize.<locals>.memof"): ("cache",),
    ("torch._dynamo.eval_frame", "_TorchDynamoContext.__call__.<locals>.compile_wrapper"): ("callback",),
}
"""Closure variables of installed functions that hold what was computed or compiled, by module and name."""


@ROWS.exact(MethodType)
def method(bound: MethodType) -> Parts:
    return global_method(bound) or (b"<method>", [bound.__func__, bound.__self__])


LABELS[b"<method>"] = ("function", "self")


def global_method(bound: Any) -> Parts | None:
    """Describe a method that a module offers as a function (``random.choice``) by name, as its object changes."""
    name = bound.__name__
    for module in (getattr(bound, "__module__", None), type(bound.__self__).__module__, "secrets"):
        origin = of_module(module)
        if origin.kind != "user" and named(module, name) is bound:
            return b"<foreign>", [module, name, origin.label]
    return None


@ROWS.exact(BuiltinFunctionType, MethodWrapperType)
def builtin(fn: Any) -> Parts:
    owner = fn.__self__
    if owner is not None and type(owner).__name__ != "module":
        return global_method(fn) or (b"<bound>", [fn.__name__, owner])
    module = fn.__module__ or "builtins"
    return b"<builtin>", [module, fn.__qualname__, of_module(module).label]


LABELS[b"<bound>"] = ("", "self")


@ROWS.exact(CodeType)
def code(obj: CodeType) -> Parts:
    fingerprint = fingerprint_of(obj)
    return b"<code>", [fingerprint.payload, [tuple(reference) for reference in fingerprint.references]]


DESCRIPTORS = (MethodDescriptorType, WrapperDescriptorType, ClassMethodDescriptorType)
ROWS.exact(*DESCRIPTORS)(lambda fn: (b"<descriptor>", [fn.__name__, fn.__objclass__]))
ROWS.exact(CellType)(lambda cell: (b"<cell>", [content(cell)]))
ROWS.exact(_lru_cache_wrapper)(lambda fn: (b"<cached>", [fn.__wrapped__, *added_to(fn)]))
LABELS[b"<cached>"] = ("function",)
ROWS.register(partial)(lambda fn: (b"<partial>", [*bound(fn), type(fn), attributes(vars(fn), OWN)]))
ROWS.exact(partial)(lambda fn: (b"<partial>", [*bound(fn), *added_to(fn)]))
LABELS[b"<partial>"] = ("function", "arguments", "keywords")


def bound(fn: Any) -> list[Any]:
    return [fn.func, fn.args, fn.keywords or None]
