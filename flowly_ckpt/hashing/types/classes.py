"""Classes: by bases, metaclass and attributes if the user wrote them, else by name and version."""

from __future__ import annotations

from types import FunctionType
from typing import Any

from ..annotations import annotations_of
from ..code.fingerprint import fingerprint_of
from ..code.origin import named, of_module
from ..rows import LABELS, ROWS, Attrs, Parts
from .synthesized import DERIVED, code_of, own_members

__all__: list[str] = []

HEAP = 1 << 9  # set for the types that are made while a program runs


@ROWS.register(type)
def class_(cls: type) -> Parts:
    origin = of_module(cls.__module__)
    own = vars(cls)
    if origin.kind != "user" and is_fixed(cls, own, origin.kind):
        return b"<class>", [cls.__module__, cls.__qualname__, origin.label]
    bases = [base for base in cls.__bases__ if base is not object]
    parts: list[Any] = [cls.__name__, len(bases), *bases, Attrs(own_members(cls, own))]
    kind = type(cls)
    if kind is not type:
        parts.append(kind)
        if of_module(kind.__module__).kind == "installed":  # such a metaclass may read the annotations
            parts.append(annotations_of(cls))
    parts.append(attributes_read(cls))
    return b"<user class>", parts


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
    return kind == "installed" and not any(type(value) is FunctionType for value in own.values())


def attributes_read(cls: type) -> Attrs | None:
    """Return the docstring, annotations and other names of a class that its methods read from ``self`` or the class."""
    read: set[str] = set()
    for base in cls.__mro__:
        if base is object or of_module(base.__module__).kind != "user":
            continue
        for value in (value for name, value in vars(base).items() if name not in DERIVED):
            code = code_of(value.fget if type(value) is property else value)
            if code is not None and code.co_names:
                read.update(fingerprint_of(code).read)
    read.discard("__name__")
    own = {**vars(cls), **dict.fromkeys(("__annotations__", "__annotate__"), annotations_of(cls))}
    return Attrs({name: own.get(name) for name in read}) or None
