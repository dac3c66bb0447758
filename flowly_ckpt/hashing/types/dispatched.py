"""What users register for their classes with generic functions and abstract classes of others.

Only libraries then call these functions; whether an object is one of an abstract class, anybody may ask.
"""

from __future__ import annotations

import sys
from _abc import _get_dump  # type: ignore[import-not-found]
from abc import get_cache_token
from collections.abc import Iterator
from functools import singledispatch
from types import FunctionType
from typing import Any

from ..code import hung
from ..code.hung import users
from ..code.origin import of_module

__all__ = ["registered_for", "registries"]

TABLES = {"dask.utils.Dispatch": "_lookup", "multipledispatch.dispatcher.Dispatcher": "funcs"}
"""Where generic functions that are not ``functools.singledispatch`` keep what was registered, by their type."""
SINGLE = singledispatch(repr).__code__  # type: ignore[attr-defined]

registries: list[Any] = []
"""What generic functions of libraries have, by type: what was registered, and with some what was only looked up."""
_modules: set[str] = set()
_tables: dict[int, tuple[str, Any]] = {}
_kinds: dict[type, str | None] = {}
_declared: dict[int, tuple[Any, list[str]]] = {}  # by id, with a reference to the class
_epoch: Any = None


def registered_for(cls: type) -> list[Any]:
    """Return what generic functions of libraries do with the objects of a class, after the names of these functions.

    The names of the foreign abstract classes that the class was registered with come last.

    >>> registered_for(int)
    []
    """
    if len(_modules) != len(sys.modules):
        look_again()
    found = [(name, table[cls]) for name, table in _tables.values() if cls in table]
    found += [(name, table[cls,]) for name, table in _tables.values() if (cls,) in table]
    own = [pair for pair in found if users(pair[1]) is not None]  # what was looked up may be kept there, too
    told = [each for pair in sorted(own, key=lambda pair: pair[0]) for each in pair]
    declared = declared_as(cls)
    return [*told, declared] if declared else told


def declared_as(cls: type) -> list[str]:
    """Return the names of the foreign abstract classes that a class of the user's was registered with.

    >>> declared_as(int)  # which is not the user's
    []
    """
    global _declared, _epoch
    hung.epoch()
    now = (len(hung.abstract), get_cache_token())
    if now != _epoch:
        found: dict[int, tuple[Any, list[str]]] = {}
        for kind in list(hung.abstract.values()):
            for reference in _get_dump(kind)[0]:
                each = reference()
                if each is not None and each.__flags__ & hung.HEAP and of_module(each.__module__).kind == "user":
                    name = f"{kind.__module__}.{kind.__qualname__}"
                    found.setdefault(id(each), (reference, []))[1].append(name)
        _declared, _epoch = found, now
    reference, names = _declared.get(id(cls), (None, []))
    return sorted(names) if reference is not None and reference() is cls else []


def look_again() -> None:
    """Look for generic functions in the foreign modules that are new."""
    for name, module in list(sys.modules.items()):
        if name not in _modules:
            found = list(generic_in(getattr(module, "__dict__", {})))
            if found and of_module(name).kind not in ("user", "ours"):
                new = {id(table): (f"{name}.{key}", table) for key, table in found if id(table) not in _tables}
                _tables.update(new)
                registries.extend(table for _, table in new.values())
    _modules.clear()
    _modules.update(sys.modules)


def generic_in(own: dict[str, Any]) -> Iterator[tuple[str, Any]]:
    """Yield the generic functions among the globals of a module: each name, with the table of what was registered."""
    kinds = set(map(type, own.values()))
    others = [kind for kind in kinds if table_of(kind) is not None]
    if FunctionType not in kinds and not others:
        return
    for key, value in list(own.items()):
        if type(value) is FunctionType:
            if value.__code__ is SINGLE:
                yield key, value.registry  # type: ignore[attr-defined]
        elif type(value) in others:
            yield key, getattr(value, str(table_of(type(value))))


def table_of(kind: type) -> str | None:
    """Return the attribute in which objects of a type keep what was registered; None for any other type."""
    if kind not in _kinds:
        _kinds[kind] = TABLES.get(f"{kind.__module__}.{kind.__qualname__}")
    return _kinds[kind]
