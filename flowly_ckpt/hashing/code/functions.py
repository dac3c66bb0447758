"""Functions: by what they do and what they refer to if the user wrote them, else by name and version."""

from __future__ import annotations

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
from ..plain import ATOMS
from ..rows import LABELS, ROWS, Attrs, Mark, Parts, attributes
from .fingerprint import Fingerprint, fingerprint_of
from .origin import Origin, named, of_globals, of_module
from .references import CODE, as_met, builtin_named, resolve

__all__: list[str] = []

EMPTY = Mark("empty cell")
IGNORED = Mark("ignored")
NAMED = (FunctionType, type)
OWN = frozenset({IGNORES})
READABLE = frozenset({"__doc__", "__name__", "__qualname__", "__annotations__", "__annotate__", "__module__"})


@ROWS.exact(FunctionType)
def function(fn: FunctionType) -> Parts:
    table = fn.__globals__
    origin = of_globals(table)
    if origin.kind != "user":
        foreign_parts = foreign(fn, origin)
        if foreign_parts is not None:
            return foreign_parts
    fingerprint = fingerprint_of(fn.__code__)
    own = fn.__dict__
    ignored = own.get(IGNORES, ()) if own else ()
    parts: list[Any] = [fingerprint.payload, attributes(own, OWN) if own else None, 0, None]
    if fn.__defaults__ or fn.__kwdefaults__:
        parts[2:] = defaults(fn)
    start = len(parts)
    read: tuple[Any, ...] = ()
    if fingerprint.free:
        parts += cells(fn, fingerprint, ignored)
    for name, reference in fingerprint.lookups:
        if ignored and (ignored is True or reference.name in ignored):
            parts.append(IGNORED)
            continue
        if name is None:
            value, rest = resolve(reference, table)
        else:
            value, rest = table[name] if name in table else builtin_named(name, table), ()
        if type(value) in CODE or issubclass(type(value), type):
            parts.append(value)
            if rest and rest[0] in READABLE:
                read += (attribute_read(value, rest[0]),)
        else:  # the name of data counts: what is equal now may be changed apart
            parts += (reference.name, value if type(value) in ATOMS else as_met(reference.name, logger(value, rest)))
    if fingerprint.read:
        read += tuple(attributes_read(fingerprint, parts[start:]))
    if read:
        parts += read
    return b"<function>", parts


def defaults(fn: FunctionType) -> tuple[Any, ...]:
    positional, named = fn.__defaults__ or (), fn.__kwdefaults__ or {}
    return len(positional), *positional, tuple(sorted(named)) or None, *map(named.get, sorted(named))


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
    return [IGNORED if ignored is True or names[i] in ignored else content(closure[i]) for i in fingerprint.free]


def content(cell: CellType) -> Any:
    try:
        return cell.cell_contents
    except ValueError:
        return EMPTY


def attributes_read(fingerprint: Fingerprint, values: list[Any]) -> list[Any]:
    """Return the names and docstrings that the code reads from the functions and classes it refers to."""
    seen = [value for value in values if issubclass(type(value), NAMED)]
    return [attribute_read(value, name) for value in seen for name in fingerprint.read]


def attribute_read(value: Any, name: str) -> Any:
    """Return a name, docstring or annotations: of a function with its parameters, of a class with its bases."""
    if name in ("__annotations__", "__annotate__"):
        if isinstance(value, type):
            return [annotations_of(base) for base in value.__mro__ if base is not object]
        code = getattr(value, "__code__", None)
        return [annotations_of(value), code and code.co_varnames[: code.co_argcount + code.co_kwonlyargcount]]
    return getattr(value, name, None)


def logger(value: Any, rest: tuple[str, ...]) -> Any:
    """Return a mark for a logger that is only written to, as it has no part in the result, whatever its name."""
    kind = type(value)
    if kind.__module__ == "logging" and kind.__name__ in ("Logger", "RootLogger") and rest[:1] != ("name",):
        return Mark("logger")
    return value


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


CACHES = {("toolz.functoolz", "memoize.<locals>.memof"): ("cache",)}
"""Closure variables of installed functions that hold what was computed, by module and name."""


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
    return [fn.func, fn.args, attributes(fn.keywords)]
