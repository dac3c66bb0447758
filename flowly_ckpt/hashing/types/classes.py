"""Classes: by bases, metaclass and attributes if the user wrote them, else by name and version."""

from __future__ import annotations

import sys
from _abc import _get_dump  # type: ignore[import-not-found]
from abc import ABCMeta
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from importlib import import_module
from types import FunctionType, GenericAlias
from typing import Any, ForwardRef

from ..annotations import annotations_of
from ..code.held import as_held
from ..code.origin import named, of_module
from ..code.references import loaded, names_in
from ..reductions import reducer_of
from ..rows import LABELS, ROWS, Attrs, Parts
from .dispatched import registered_for
from .synthesized import own_members

__all__: list[str] = []

HEAP = 1 << 9  # set for the types that are made while a program runs


@ROWS.register(type)
def class_(cls: type) -> Parts:
    origin = of_module(cls.__module__)
    own = vars(cls)
    if origin.kind != "user" and is_fixed(cls, own, origin.kind):
        return b"<class>", [cls.__module__, cls.__qualname__, origin.label]
    bases = [base for base in cls.__bases__ if base is not object]
    members = {name: as_held(value) for name, value in own_members(cls, own).items()}
    parts: list[Any] = [cls.__name__, len(bases), *bases, Attrs(members)]
    kind = type(cls)
    if kind is not type:
        parts.append(kind)
    parts += [fields(cls, own), registered(cls)]
    return b"<user class>", parts


def fields(cls: type, own: Any) -> list[Any] | None:
    """Return the annotated names in order, their types and what texts among these name; and the slots in order."""
    annotations = annotations_of(cls)
    if not isinstance(annotations, Mapping | str):  # some types of Cython have a descriptor there
        annotations = None
    slots = own.get("__slots__")
    if not annotations and not slots:
        return None
    table = vars(sys.modules[cls.__module__]) if cls.__module__ in sys.modules else {}
    texts = " ".join(texts_in(annotations.values())) if isinstance(annotations, Mapping) else ""
    names = sorted(table.keys() & set(names_in(texts, {"eval"}))) if texts else []
    named = {name: loaded(table[name]) for name in names} if texts else None
    return [annotations, named, list(slots) if isinstance(slots, Iterable) and type(slots) is not str else slots]


def texts_in(annotations: Iterable[Any]) -> Iterator[str]:
    """Yield the texts that stand for types, as in ``"Tree"`` or ``list["Tree"]``."""
    for each in annotations:
        if type(each) is str:
            yield each
        elif type(each) is ForwardRef:
            yield each.__forward_arg__
        elif isinstance(each, GenericAlias) or not isinstance(each, type):
            yield from texts_in(args if type(args := getattr(each, "__args__", ())) is tuple else ())


def registered(cls: type) -> list[Any] | None:
    """Return what was registered for a class elsewhere: virtual subclasses, how it is reduced, generic functions."""
    reducer = reducer_of(cls)
    virtual = []
    if isinstance(cls, ABCMeta):
        found = (reference() for reference in _get_dump(cls)[0])
        virtual = [each for each in found if each is not None]
    generic = registered_for(cls)
    return [set(virtual), reducer, *generic] if virtual or generic or reducer is not None else None


def of_user_class(cls: type, parts: list[Any]) -> list[str]:
    bases = (f"base {base.__name__!r}" for base in parts[2 : 2 + parts[1]])
    return ["", "", *bases, "", *(["metaclass"] if type(cls) is not type else [])]


LABELS[b"<user class>"] = of_user_class


def is_fixed(cls: type, own: Any, kind: str) -> bool:
    """Return whether a foreign class is the one its module has by that name, not one made while the program runs."""
    if "<locals>" in cls.__qualname__:
        return False
    if named(cls.__module__, cls.__qualname__) is cls or not cls.__flags__ & HEAP:
        return True
    if kind == "installed" and cls.__module__ not in sys.modules and is_brought(cls):
        return True
    return kind == "installed" and not any(type(value) is FunctionType for value in own.values())


def is_brought(cls: type) -> bool:
    """Return whether a class stands in a module that nobody has imported yet, as ``numpy.rec``; pickle imports it."""
    with suppress(ImportError):
        import_module(cls.__module__)
    return named(cls.__module__, cls.__qualname__) is cls
