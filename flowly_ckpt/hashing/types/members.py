"""Members of classes: properties, class methods, slots, fields; those of a subclass of these count with their class."""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property, singledispatchmethod
from types import GetSetDescriptorType, MemberDescriptorType
from typing import Any

from ..rows import ROWS, Mark, Parts, Row, attributes, own_attributes, register_lazy
from ..values.objects import COPIED
from .synthesized import OF_MEMBER

__all__: list[str] = []

NOT_STATE = COPIED | {"__wrapped__", "__isabstractmethod__", "func", "attrname", "lock", "dispatcher"}


def with_subclasses(kind: type) -> Callable[[Row], Row]:
    """Make the decorated function the row of a type; a subclass adds itself, attributes and slots."""

    def bind(row: Row) -> Row:
        def subclass(obj: Any) -> Parts:
            tag, parts = row(obj)
            return tag, [*parts, type(obj), attributes(own_attributes(obj, kind), NOT_STATE)]

        ROWS.register(kind)(subclass)
        return ROWS.exact(kind)(row)

    return bind


@ROWS.exact(MemberDescriptorType, GetSetDescriptorType)
def slot(obj: Any) -> Parts:
    return b"<slot>", [obj.__name__, obj.__objclass__]


with_subclasses(property)(lambda obj: (b"<property>", [obj.fget, obj.fset, obj.fdel]))
with_subclasses(classmethod)(lambda obj: (b"<classmethod>", [obj.__func__]))
with_subclasses(staticmethod)(lambda obj: (b"<staticmethod>", [obj.__func__]))
with_subclasses(singledispatchmethod)(lambda obj: (b"<singledispatchmethod>", [obj.dispatcher, obj.func]))
with_subclasses(cached_property)(lambda obj: (b"<cached_property>", [obj.func]))


def load_enum() -> None:
    from enum import Enum

    @ROWS.register(Enum)
    def member(obj: Any) -> Parts:
        return b"<member>", [type(obj), obj._name_, obj._value_, attributes(vars(obj), OF_MEMBER)]


def load_dataclasses() -> None:
    from dataclasses import Field

    names = ("name", "default", "default_factory", "init", "repr", "hash", "compare", "metadata", "kw_only")

    @ROWS.exact(Field)
    def field(obj: Any) -> Parts:
        return b"<field>", [*(getattr(obj, name) for name in names), obj._field_type.name]


def load_typing() -> None:
    import typing
    from typing import ForwardRef, NewType, ParamSpec, TypeVar, TypeVarTuple

    variable = ("__name__", "__bound__", "__constraints__", "__covariant__", "__contravariant__", "__default__")
    ROWS.exact(TypeVar, ParamSpec, TypeVarTuple)(
        lambda obj: (b"<type variable>", [type(obj), *(evaluated(obj, name) for name in variable)])
    )
    if hasattr(typing, "TypeAliasType"):
        ROWS.exact(typing.TypeAliasType)(
            lambda obj: (b"<type alias>", [obj.__name__, obj.__type_params__, evaluated(obj, "__value__")])
        )
    ROWS.exact(ForwardRef)(lambda obj: (b"<forward reference>", [obj.__forward_arg__]))
    ROWS.exact(NewType)(lambda obj: (b"<new type>", [obj.__name__, obj.__supertype__]))


def evaluated(obj: Any, name: str) -> Any:
    """Return an attribute that is evaluated when it is read, since Python 3.12, or how this fails."""
    try:
        return getattr(obj, name, None)
    except Exception as error:  # noqa: BLE001  whatever the expression raises
        return Mark(f"{type(error).__name__}: {error}")


register_lazy("dataclasses", load_dataclasses)
register_lazy("enum", load_enum)
register_lazy("typing", load_typing)
