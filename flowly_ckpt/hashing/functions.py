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

from .hints import IGNORES, told_of
from .origin import Origin, named, of_globals, of_module
from .plain import ATOMS
from .recipes import Recipe, recipe_of
from .references import CODE, as_met, builtin_named, resolve
from .rows import OPEN, Attrs, Mark, Parts, exact

__all__: list[str] = []

EMPTY = Mark("empty cell")
IGNORED = Mark("ignored")
NAMED = (FunctionType, type)


@exact(FunctionType)
def function(fn: FunctionType) -> Parts:
    table = fn.__globals__
    origin = of_globals(table)
    if origin.kind != "user":
        parts = foreign(fn, origin)
        if parts is not None:
            return parts
    recipe = recipe_of(fn.__code__)
    own = fn.__dict__
    ignored = own.get(IGNORES, ()) if own else ()
    told: list[Any] = [recipe.payload, fn.__defaults__, kwargs(fn.__kwdefaults__), attributes(own)]
    if recipe.free:
        told += cells(fn, recipe, ignored)
    for name, reference in recipe.lookups:
        if ignored and (ignored is True or reference.name in ignored):
            told.append(IGNORED)
            continue
        if name is None:
            value, rest = resolve(reference, table)
        else:
            value, rest = table[name] if name in table else builtin_named(name, table), ()
        if type(value) in CODE or issubclass(type(value), type):
            told.append(value)
            if rest and rest[0] in SHOWN:
                told.append(said(value, rest[0]))
        else:  # the name of data counts: what is equal now may be changed apart
            told += (reference.name, value if type(value) in ATOMS else as_met(reference.name, logger(value, rest)))
    if recipe.meta:
        told += names_read(recipe, told[4:])
    return b"<function>", told


SHOWN = frozenset({"__doc__", "__name__", "__qualname__", "__annotations__", "__module__"})


def cells(fn: FunctionType, recipe: Recipe, ignored: Any) -> list[Any]:
    names, closure = fn.__code__.co_freevars, fn.__closure__ or ()
    return [IGNORED if ignored is True or names[i] in ignored else content(closure[i]) for i in recipe.free]


def content(cell: CellType) -> Any:
    try:
        return cell.cell_contents
    except ValueError:
        return EMPTY


def names_read(recipe: Recipe, values: list[Any]) -> list[Any]:
    """Names and docstrings count where the code reads them from what it refers to."""
    seen = [value for value in values if issubclass(type(value), NAMED)]
    return [said(value, name) for value in seen for name in recipe.meta]


def said(value: Any, name: str) -> Any:
    """Return a name, docstring or annotations: of a function with its parameters, of a class with its bases."""
    if name == "__annotations__":
        if isinstance(value, type):
            return [vars(base).get(name) for base in value.__mro__ if base is not object]
        code = getattr(value, "__code__", None)
        return [getattr(value, name, None), code and code.co_varnames[: code.co_argcount + code.co_kwonlyargcount]]
    return getattr(value, name, None)


def kwargs(table: dict[str, Any] | None) -> Attrs | None:
    return Attrs(table) if table else None


def attributes(own: dict[str, Any]) -> Attrs | None:
    kept = {name: value for name, value in own.items() if name != IGNORES} if own else None
    return Attrs(kept) if kept else None


def logger(value: Any, rest: tuple[str, ...]) -> Any:
    """A logger that is only written to has no part in the result, whatever its name."""
    kind = type(value)
    if kind.__module__ == "logging" and kind.__name__ in ("Logger", "RootLogger") and rest[:1] != ("name",):
        return Mark("logger")
    return value


def foreign(fn: FunctionType, origin: Origin) -> Parts | None:
    """Installed code counts by name and version; with what it was given, if it was made by another function.

    Nothing is returned for a function that only seems to be this library's: one written in an example.
    """
    if fn.__globals__.get("__name__") == "functools" and "registry" in fn.__dict__:
        return b"<singledispatch>", [Attrs(fn.__dict__["registry"]), *told_of(fn)]
    # Not the names of the function, which a decorator may have copied from another one.
    module, name = fn.__globals__["__name__"], fn.__code__.co_qualname
    parts: list[Any] = [module, name, origin.label]
    if not fn.__closure__ and named(module, name) is fn:
        return b"<foreign>", parts + told_of(fn)
    if origin.kind == "ours" and "<locals>" not in name:
        return None
    recipe = recipe_of(fn.__code__)
    static = recipe.payload if origin.kind != "ours" or name.endswith("<lambda>") else None
    parts += [static, fn.__defaults__, kwargs(fn.__kwdefaults__), fn.__dict__.get("__wrapped__"), *told_of(fn)]
    return b"<foreign>", parts + cells(fn, recipe, CACHES.get((module, name), ()))


CACHES = {("toolz.functoolz", "memoize.<locals>.memof"): ("cache",)}
"""Closure variables of installed functions that hold what was computed, by module and name."""


@exact(MethodType)
def method(bound: MethodType) -> Parts:
    return global_method(bound) or (b"<method>", [bound.__func__, bound.__self__])


def global_method(bound: Any) -> Parts | None:
    """Tell what a foreign module offers as a function, like ``random.choice``, by name: it hides a changing object."""
    name = bound.__name__
    for module in (getattr(bound, "__module__", None), type(bound.__self__).__module__, "secrets"):
        origin = of_module(module)
        if origin.kind != "user" and named(module, name) is bound:
            return b"<foreign>", [module, name, origin.label]
    return None


@exact(BuiltinFunctionType, MethodWrapperType)
def builtin(fn: Any) -> Parts:
    owner = fn.__self__
    if owner is not None and type(owner).__name__ != "module":
        return global_method(fn) or (b"<bound>", [fn.__name__, owner])
    module = fn.__module__ or "builtins"
    return b"<builtin>", [module, fn.__qualname__, of_module(module).label]


@exact(MethodDescriptorType, WrapperDescriptorType, ClassMethodDescriptorType)
def descriptor(fn: Any) -> Parts:
    return b"<descriptor>", [fn.__name__, fn.__objclass__]


@exact(_lru_cache_wrapper)
def cached(fn: Any) -> Parts:
    return b"<cached>", [fn.__wrapped__, *told_of(fn)]


@exact(partial)
def bound(fn: Any) -> Parts:
    return b"<partial>", [fn.func, fn.args, kwargs(fn.keywords), *told_of(fn)]


@exact(CellType)
def cell(obj: CellType) -> Parts:
    return b"<cell>", [content(obj)]


@exact(CodeType)
def code(obj: CodeType) -> Parts:
    recipe = recipe_of(obj)
    return b"<code>", [recipe.payload, [tuple(reference) for reference in recipe.references]]


@OPEN.register(partial)
def bound_subclass(fn: Any) -> Parts:
    return b"<partial>", [fn.func, fn.args, kwargs(fn.keywords), type(fn), attributes(vars(fn))]
