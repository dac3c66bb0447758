"""Classes with synthesized methods: they count by what these are made from, and by the content of the rest.

A dataclass is its fields and options, a named tuple its fields, an enumeration its members, a class of attrs or
pydantic its fields; a mark stands for each synthesized method.
"""

from __future__ import annotations

from collections.abc import Callable
from types import FunctionType, MemberDescriptorType
from typing import Any

from ..code.held import as_held
from ..rows import Attrs, Mark, attributes

__all__ = ["own_members"]

DERIVED = frozenset(
    {
        *("__dict__", "__weakref__", "__doc__", "__module__", "__qualname__", "__firstlineno__"),
        "__slotnames__",  # copyreg keeps it on the class once an instance was reduced
        *("__static_attributes__", "__annotations__", "__annotate__", "__annotate_func__", "__annotations_cache__"),
        *("__slots__", "__parameters__", "__type_params__", "_abc_impl", "__abstractmethods__"),
        *("__classdictcell__", "__conditional_annotations__"),  # for annotations that are made later
    }
)
SYNTHESIZED = Mark("synthesized")
SLOT = Mark("slot")
FLAGS = ("init", "repr", "eq", "order", "unsafe_hash", "frozen", "match_args", "kw_only", "slots", "weakref_slot")
FIELD = ("name", "init", "repr", "hash", "compare", "kw_only")
Members = dict[str, Any]


def own_members(cls: Any, own: Any) -> Members:
    """Return the attributes of a class that count, by name.

    >>> class C: kept = 1
    >>> own_members(C, vars(C))
    {'kept': 1}
    """
    kept = {
        name: SLOT if type(value) is MemberDescriptorType and value.__objclass__ is cls else value
        for name, value in own.items()
        if name not in DERIVED
    }
    for sign, rule in RULES.items():
        if sign in own:
            kept = rule(cls, kept)
    return kept


def marked(kept: Members, is_synthesized: Callable[[Any], bool]) -> Members:
    return {name: SYNTHESIZED if is_synthesized(value) else value for name, value in kept.items()}


def is_from(file: str, name: str = "") -> Callable[[Any], bool]:
    """Return a test for methods whose code was compiled under the name of a file, in a function of a name."""

    def is_synthesized(value: Any) -> bool:
        code = code_of(value)
        return code is not None and code.co_filename.startswith(file) and code.co_qualname.startswith(name)

    return is_synthesized


def code_of(value: Any) -> Any:
    """Return the code of a method under its decorators, or None."""
    function = getattr(value, "__func__", value)
    function = getattr(function, "__wrapped__", function)
    return function.__code__ if type(function) is FunctionType else None


def dataclass(cls: Any, kept: Members) -> Members:
    kept = marked(kept, is_from("<string>", "__create_fn__.<locals>"))
    fields = kept["__dataclass_fields__"].values()
    params = kept.get("__dataclass_params__")
    kept["__dataclass_fields__"] = [
        tuple((*(getattr(f, name) for name in FIELD), f._field_type.name) for f in fields),
        [given(f) for f in fields],
    ]
    kept["__dataclass_params__"] = [getattr(params, name, None) for name in FLAGS]
    return kept


def given(field: Any) -> Any:
    """Return the default of a field, its factory and its metadata; None for what was not given."""
    default, factory = (
        None if is_missing(value) else (as_held(value),) for value in (field.default, field.default_factory)
    )
    found = (default, factory, dict(field.metadata) or None)
    return found if any(found) else None


def is_missing(value: Any) -> bool:
    """Return whether a value is dataclasses.MISSING, or another of its type, which cloudpickle makes."""
    return type(value).__name__ == "_MISSING_TYPE" and type(value).__module__ == "dataclasses"


def named_tuple(cls: Any, kept: Members) -> Members:
    new = kept.get("__new__")
    defaults = getattr(getattr(new, "__func__", new), "__defaults__", None)  # some set them by hand
    kept = marked(kept, is_of_named_tuple)
    kept["_field_defaults"] = [kept["_field_defaults"], defaults]
    kept.pop("__orig_bases__", None)
    return kept


def is_of_named_tuple(value: Any) -> bool:
    function = getattr(value, "__func__", value)
    if type(function) is FunctionType:
        name = str(function.__globals__.get("__name__"))
        return name == "collections" or name.startswith("namedtuple_")
    return type(value).__name__ == "_tuplegetter"


def enumeration(cls: Any, kept: Members) -> Members:
    """An enumeration counts by its members in order and the functions it defines."""
    members = cls._member_map_
    kept = {n: v for n, v in kept.items() if n not in members and (not is_sunder(n) or code_of(v) is not None)}
    kept["_members_"] = [(name, member._value_) for name, member in members.items()]
    kept["_more_"] = [
        extras for member in members.values() if (extras := attributes(getattr(member, "__dict__", None), OF_MEMBER))
    ]
    kept["_boundary_"] = getattr(getattr(cls, "_boundary_", None), "name", None)
    return kept


def is_sunder(name: str) -> bool:
    return (name[0] == "_" and name[-1] == "_" and name[1:2] != "_") or name.startswith("_value2")


OF_MEMBER = frozenset({"_name_", "_value_", "__objclass__", "_sort_order_", "_inverted_", "_hashable_values_"})


def of_attrs(cls: Any, kept: Members) -> Members:
    kept = marked(kept, is_from("<attrs generated"))
    kept.pop("__attrs_types_resolved__", None)
    fields = kept["__attrs_attrs__"]
    kept["__attrs_attrs__"] = [[getattr(f, name) for name in f.__slots__] for f in fields]
    return kept


def of_pydantic(cls: Any, kept: Members) -> Members:
    """Leave out the schema and what is compiled from it, which contain addresses; fields and validators say as much."""
    fields, decorators = kept["__pydantic_fields__"], kept.get("__pydantic_decorators__")
    kinds: Any = getattr(decorators, "__dataclass_fields__", ())
    kept = {name: value for name, value in kept.items() if name not in OF_PYDANTIC}
    kept["fields"] = {
        name: Attrs({n: getattr(field, n) for n in field.__slots__ if n[0] != "_"}) for name, field in fields.items()
    }
    kept["decorators"] = [
        (kind, name, one.cls_var_name, one.info)
        for kind in kinds
        if isinstance(getattr(decorators, kind), dict)
        for name, one in getattr(decorators, kind).items()
    ]
    return kept


OF_PYDANTIC = frozenset(
    {
        *(f"__pydantic_{name}__" for name in ("fields", "decorators", "core_schema", "validator", "serializer")),
        *(f"__pydantic_{name}__" for name in ("parent_namespace", "setattr_handlers", "complete", "computed_fields")),
        "__signature__",
    }
)


def of_sqlalchemy(cls: Any, kept: Members) -> Members:
    """A mapped class counts by its table, its annotations, and what else it or its mapping defines."""
    from ..libraries.mapped import mapping

    kept = {name: value for name, value in kept.items() if not name.startswith("_sa_") and name not in OF_SQLALCHEMY}
    kept["_mapped_"] = mapping(cls)
    return marked(kept, lambda value: type(value).__module__ == "sqlalchemy.orm.attributes")


OF_SQLALCHEMY = frozenset({"__mapper__", "metadata", "registry"})
RULES: dict[str, Callable[[Any, Members], Members]] = {
    "_member_map_": enumeration,
    "__dataclass_fields__": dataclass,
    "_field_defaults": named_tuple,
    "__attrs_attrs__": of_attrs,
    "__pydantic_fields__": of_pydantic,
    "_sa_registry": of_sqlalchemy,
    "_sa_class_manager": of_sqlalchemy,
}
"""The rule for a class that has an attribute of a name."""
