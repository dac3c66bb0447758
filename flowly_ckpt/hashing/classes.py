"""Classes: by bases, metaclass and attributes if the user wrote them, else by name and version."""

from __future__ import annotations

from functools import cached_property, singledispatchmethod
from types import FunctionType, GetSetDescriptorType, MemberDescriptorType
from typing import Any

from .origin import named, of_module
from .rows import OPEN, Attrs, Mark, Parts, exact, register_lazy

__all__: list[str] = []

DERIVED = frozenset(
    {
        *("__dict__", "__weakref__", "__doc__", "__module__", "__qualname__", "__firstlineno__"),
        "__slotnames__",  # copyreg keeps it on the class once an instance was reduced
        *("__static_attributes__", "__annotations__", "__annotate__", "__annotate_func__", "__annotations_cache__"),
        *("__slots__", "__orig_bases__", "__parameters__", "__type_params__", "_abc_impl", "__abstractmethods__"),
    }
)
SLOT = Mark("slot")


@OPEN.register(type)
def class_(cls: type) -> Parts:
    origin = of_module(cls.__module__)
    own = vars(cls)
    if origin.kind != "user" and is_fixed(cls, own, origin.kind):
        return b"<class>", [cls.__module__, cls.__qualname__, origin.label]
    kept = enum_attributes(cls, own) if "_member_map_" in own else {k: v for k, v in own.items() if k not in DERIVED}
    bases = tuple(base for base in cls.__bases__ if base is not object)
    parts: list[Any] = [cls.__name__, bases, Attrs(kept)]
    kind = type(cls)
    if kind is not type:
        parts.append(kind)
        if of_module(kind.__module__).kind == "installed":  # such a metaclass may read the annotations
            parts.append(own.get("__annotations__"))
    return b"<user class>", parts


def is_fixed(cls: type, own: Any, kind: str) -> bool:
    """Tell whether a foreign class is the one its module has by that name, not one made while the program runs."""
    if "<locals>" in cls.__qualname__:
        return False
    if kind == "python" or named(cls.__module__, cls.__qualname__) is cls:
        return True
    return kind != "ours" and not any(type(value) is FunctionType for value in own.values())


def enum_attributes(cls: Any, own: Any) -> dict[str, Any]:
    """An enumeration counts by its members in order and the functions it defines."""
    members = cls._member_map_
    kept = {
        name: value
        for name, value in own.items()
        if name not in DERIVED and name not in members and (not is_sunder(name) or is_code(value))
    }
    kept["_members_"] = [(name, member._value_) for name, member in members.items()]
    return kept


def is_sunder(name: str) -> bool:
    return (name[0] == "_" and name[-1] == "_" and name[1:2] != "_") or name.startswith("_value2")


def is_code(value: Any) -> bool:
    return isinstance(value, FunctionType | staticmethod | classmethod)


@exact(MemberDescriptorType, GetSetDescriptorType)
def slot(obj: Any) -> Parts:
    return b"<slot>", [obj.__name__]


@exact(property)
def property_(obj: property) -> Parts:
    return b"<property>", [obj.fget, obj.fset, obj.fdel]


@OPEN.register(property)
def property_subclass(obj: property) -> Parts:
    return b"<property>", [obj.fget, obj.fset, obj.fdel, type(obj), Attrs(getattr(obj, "__dict__", {}))]


@exact(classmethod)
def class_method(obj: Any) -> Parts:
    return b"<classmethod>", [obj.__func__]


@exact(staticmethod)
def static_method(obj: Any) -> Parts:
    return b"<staticmethod>", [obj.__func__]


@exact(singledispatchmethod)
def dispatch_method(obj: Any) -> Parts:
    return b"<singledispatchmethod>", [obj.dispatcher, obj.func]


@exact(cached_property)
def cached(obj: Any) -> Parts:
    return b"<cached_property>", [obj.func]


def load_enum() -> None:
    from enum import Enum

    @OPEN.register(Enum)
    def member(obj: Any) -> Parts:
        return b"<member>", [type(obj), obj._name_, obj._value_]


def load_dataclasses() -> None:
    from dataclasses import Field

    names = ("name", "default", "default_factory", "init", "repr", "hash", "compare", "metadata", "kw_only")

    @exact(Field)
    def field(obj: Any) -> Parts:
        return b"<field>", [*(getattr(obj, name) for name in names), obj._field_type.name]


register_lazy("enum", load_enum)
register_lazy("dataclasses", load_dataclasses)
