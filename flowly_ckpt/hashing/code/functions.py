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
from ..plain import ATOMS
from ..rows import LABELS, ROWS, Attrs, Mark, Parts, attributes, own_attributes
from .fingerprint import Fingerprint, fingerprint_of
from .held import as_held
from .hung import hung_on, patched
from .origin import Origin, named, of_globals, of_module
from .references import CODE, as_met, meant, modules_in, resolve
from .wrapped import behind_generated

__all__: list[str] = []

EMPTY = Mark("empty cell")
IGNORED = Mark("ignored")
OWN = frozenset({IGNORES})


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
    parts, names, more = described(fn)
    return b"<function>", [*parts, *names, *more] if names or more else parts


def described(fn: FunctionType) -> tuple[list[Any], tuple[str, ...], tuple[Any, ...]]:
    """Return the parts of a user's function: its own, the names of those it hands on, and what else it leads to."""
    table, fingerprint = fn.__globals__, fingerprint_of(fn.__code__)
    own = fn.__dict__
    ignored = own.get(IGNORES, ()) if own else ()
    parts: list[Any] = [fingerprint.payload, attributes(own, OWN) if own else None, 0, None]
    if fn.__defaults__ or fn.__kwdefaults__:
        parts[2:] = defaults(fn)
    names: tuple[str, ...] = ()
    more: tuple[Any, ...] = fingerprint.reads
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
            value, rest = meant(name, table), ()
        if type(value) in CODE or issubclass(type(value), type):
            parts.append(value)
            if handed and not rest and type(value) is FunctionType:
                names += (value.__name__,)
        elif type(value) in ATOMS:  # the name of data counts: what is equal now may be changed apart
            parts += (reference.name, value)
            if fingerprint.imports and type(value) is str:
                more += tuple(resolve(each, table)[0] for each in modules_in(value))
        else:
            parts += (reference.name, as_met(reference.name, as_held(value, fingerprint.names, handed and not rest)))
    if fingerprint.names and patched(fingerprint.names):
        more += tuple(hung_on(fingerprint.names))
    return parts, names, more


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


OFFERING = ("secrets", "multiprocessing")
"""Modules that offer methods of an object of another module as functions."""


@ROWS.exact(MethodType)
def method(bound: MethodType) -> Parts:
    return global_method(bound) or (b"<method>", [bound.__func__, bound.__self__])


LABELS[b"<method>"] = ("function", "self")


def global_method(bound: Any) -> Parts | None:
    """Describe a method that a module offers as a function (``random.choice``) by name, as its object changes."""
    name = bound.__name__
    for module in (getattr(bound, "__module__", None), type(bound.__self__).__module__, *OFFERING):
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
ROWS.register(partial)(lambda fn: (b"<partial>", [*bound(fn), type(fn), attributes(own_attributes(fn, partial), OWN)]))
ROWS.exact(partial)(lambda fn: (b"<partial>", [*bound(fn), *added_to(fn)]))
LABELS[b"<partial>"] = ("function", "arguments", "keywords")


def bound(fn: Any) -> list[Any]:
    return [fn.func, fn.args, fn.keywords or None]
