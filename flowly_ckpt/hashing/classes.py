"""Classes: by bases, metaclass and attributes if the user wrote them, else by name and version."""

from __future__ import annotations

from types import FunctionType
from typing import Any

from .generated import code_of, own_members
from .origin import named, of_module
from .recipes import recipe_of
from .rows import OPEN, Attrs, Parts

__all__: list[str] = []

HEAP = 1 << 9  # set for the types that are made while a program runs


@OPEN.register(type)
def class_(cls: type) -> Parts:
    origin = of_module(cls.__module__)
    own = vars(cls)
    if origin.kind != "user" and is_fixed(cls, own, origin.kind):
        return b"<class>", [cls.__module__, cls.__qualname__, origin.label]
    bases = tuple(base for base in cls.__bases__ if base is not object)
    parts: list[Any] = [cls.__name__, bases, Attrs(own_members(cls, own))]
    kind = type(cls)
    if kind is not type:
        parts.append(kind)
        if of_module(kind.__module__).kind == "installed":  # such a metaclass may read the annotations
            parts.append(own.get("__annotations__"))
    parts += said(cls)
    return b"<user class>", parts


def is_fixed(cls: type, own: Any, kind: str) -> bool:
    """Tell whether a foreign class is the one its module has by that name, not one made while the program runs."""
    if "<locals>" in cls.__qualname__:
        return False
    if named(cls.__module__, cls.__qualname__) is cls or not cls.__flags__ & HEAP:
        return True
    return kind == "installed" and not any(type(value) is FunctionType for value in own.values())


def said(cls: type) -> list[Any]:
    """Return the docstring, annotations and other names of a class that its methods read from ``self`` or the class."""
    read: set[str] = set()
    for base in cls.__mro__:
        if base is object or of_module(base.__module__).kind != "user":
            continue
        for value in vars(base).values():
            code = code_of(value.fget if type(value) is property else value)
            if code is not None and code.co_names:
                read.update(recipe_of(code).meta)
    read.discard("__name__")
    return [(name, vars(cls).get(name)) for name in sorted(read)]
