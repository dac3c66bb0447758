"""The places to look at before the kept encoding of code is used again, and the data to encode again."""

from __future__ import annotations

from abc import get_cache_token
from collections.abc import Callable, Collection, Iterator, Mapping
from copyreg import dispatch_table
from functools import partial
from operator import attrgetter, is_
from types import FunctionType, GetSetDescriptorType, MemberDescriptorType, ModuleType
from typing import Any

from ..pipelines.term import shapes
from .annotations import annotations_of
from .code import hung
from .code.fingerprint import fingerprint_of
from .code.functions import OWN, content
from .code.held import as_held
from .code.references import CODE, Reference, as_met, meant, resolve
from .hints import IGNORES
from .plain import ATOMS
from .reductions import reducer_of
from .rows import ROWS, Mark, attributes
from .types.dispatched import registered_for, registries
from .types.synthesized import SYNTHESIZED, code_of, given, own_members
from .values.objects import by_reduction
from .walk import Walk

__all__ = ["Places"]

BEHIND = {property: ("fget", "fset", "fdel"), classmethod: ("__func__",), staticmethod: ("__func__",)}
SLOTS = (MemberDescriptorType, GetSetDescriptorType)
OF_DATACLASS = frozenset({"__dataclass_fields__", "__dataclass_params__", "__match_args__"})
OF_FIELD = attrgetter("name", "default", "default_factory", "init", "repr", "hash", "compare", "metadata", "kw_only")
ABSENT = object()

Fetch = Callable[[], Any]


def is_of_atoms(obj: Any) -> bool:
    """Return whether an object counts by nothing but its class and its attributes, which are atoms.

    >>> class Rate:
    ...     def __init__(self, of): self.of = of
    >>> is_of_atoms(Rate(0.5)), is_of_atoms(Rate([0.5])), is_of_atoms(0.5)
    (True, False, False)
    """
    kind, own = type(obj), getattr(obj, "__dict__", None)
    if type(own) is not dict or ROWS[kind] is not by_reduction or not ATOMS.issuperset(map(type, own.values())):
        return False
    if any(type(member) is MemberDescriptorType for base in kind.__mro__ for member in vars(base).values()):
        return False  # a slot, which may be filled later
    tag, parts = by_reduction(obj)
    is_state = tag == b"<instance>" and parts[0] is kind and len(parts) == 1 + 2 * len(own)
    return is_state and all(map(is_, parts[1:], (*own, *own.values())))


def looked_up(reference: Reference, table: dict[str, Any], value: Any) -> list[tuple[dict[str, Any], str, Any]]:
    """Return the names that lead to what a reference has now, each with its table; none where there is more to it.

    >>> import json
    >>> reference = Reference("global", "json", ("loads",))
    >>> [name for _, name, _ in looked_up(reference, globals(), json.loads)]
    ['json', 'loads']
    """
    found: list[tuple[dict[str, Any], str, Any]] = []
    names = (reference.name, *reference.chain) if reference.kind == "global" else ()
    for name in names:
        held = table.get(name, ABSENT)
        found.append((table, name, held))
        if type(held) is not ModuleType:
            return found if held is value else []
        table = vars(held)
    return found if found and held is value else []


def epoch() -> tuple[object, object]:
    """Return what differs once something was hung onto foreign classes, or registered for abstract ones."""
    return hung.epoch(), get_cache_token()


class Places:
    """Find the places to look at, of functions and of classes.

    :param walk: the walk that all encodings are from.
    :param memo: those that are kept, by the ids of the functions and classes.
    :param classes: the ids of the classes of the user's.

    >>> double = lambda x: 2 * x
    >>> places = Places(Walk(), {}, frozenset())
    >>> places.of_definition(double)
    >>> places.is_whole()
    True
    >>> double.__code__ = (lambda x: 3 * x).__code__
    >>> places.is_whole()
    False
    """

    def __init__(self, walk: Walk, memo: Mapping[int, Any], classes: frozenset[int]) -> None:
        self.walk = walk
        self.memo = memo
        self.own_classes = classes
        self.asked: dict[int, bool] = {}
        self.is_cyclic = False
        self.functions: list[tuple[FunctionType, Any, Any, Any, str, Any]] = []
        self.names: list[tuple[Mapping[str, Any], str, Any]] = []
        self.tables: list[tuple[Mapping[str, Any], list[str], list[Any]]] = []
        self.classes: list[tuple[type, Any, type, str]] = []
        self.instances: list[tuple[Any, type, dict[str, Any], Any]] = []
        self.fields: list[tuple[Any, tuple[Any, ...]]] = []
        self.same: list[tuple[Fetch, Any]] = []
        self.data: list[Fetch] = []
        self.epoch = epoch()
        self.registered = sum(map(len, registries))

    def is_whole(self) -> bool:
        """Return whether all places hold the objects that they held."""
        for function, code, defaults, keywords, name, own in self.functions:
            if (
                function.__code__ is not code or function.__defaults__ is not defaults
                or function.__kwdefaults__ is not keywords or function.__name__ is not name
                or (function.__dict__ or None) is not own
            ):  # fmt: skip
                return False
        for table, name, value in self.names:
            if table.get(name, ABSENT) is not value:
                return False
        for table, names, held in self.tables:
            if list(table) != names or not all(map(is_, table.values(), held)):
                return False
        for cls, bases, kind, name in self.classes:
            if cls.__bases__ is not bases or type(cls) is not kind or cls.__name__ != name:
                return False
            if cls in dispatch_table and reducer_of(cls):
                return False
        for obj, kind, own, shape in self.instances:
            if type(obj) is not kind or obj.__dict__ is not own or ROWS[kind] is not by_reduction:
                return False
            if shapes[kind] is not shape:
                return False
        for field, values in self.fields:
            if not all(map(is_, OF_FIELD(field), values)):
                return False
        for fetch, value in self.same:
            if fetch() is not value:
                return False
        if self.classes and sum(map(len, registries)) != self.registered and self.are_registered():
            return False
        return epoch() == self.epoch

    def are_registered(self) -> bool:
        """Return whether generic functions of libraries have something for the classes by now."""
        if any(registered_for(cls) for cls, *_ in self.classes):
            return True
        self.registered = sum(map(len, registries))
        return False

    def replaced(self) -> Iterator[tuple[str, Any, Any]]:
        """Yield the places that hold another object: the name that errors use, what was there, and what is."""
        return (place for place in self._held() if place[1] is not place[2])

    def _held(self) -> Iterator[tuple[str, Any, Any]]:
        for function, code, *_ in self.functions:
            yield f"code of {function.__name__!r}", code, function.__code__
        for table, name, value in self.names:
            yield f"global {name!r}", value, table.get(name, ABSENT)
        for table, names, held in self.tables:
            yield from ((f"attribute {name!r}", value, table.get(name, ABSENT)) for name, value in zip(names, held))
        for fetch, value in self.same:
            yield "", value, fetch()

    def is_code(self, value: Any) -> bool:
        """Return whether a value cannot change but by what is looked at elsewhere."""
        return type(value) in ATOMS or id(value) in self.memo or self.is_instance(value)

    def is_instance(self, value: Any) -> bool:
        """Return whether a value is an object of the user's whose attributes are atoms, and look at these."""
        if not self.own_classes.issuperset(map(id, type(value).__mro__[:-1])) or self.is_on_cycle(value):
            return False
        if id(value) not in self.asked:
            self.asked[id(value)] = is_plain = is_of_atoms(value)
            if is_plain:
                kind, own = type(value), value.__dict__
                self.instances.append((value, kind, own, shapes[kind]))
                self.tables.append((own, list(own), list(own.values())))
        return self.asked[id(value)]

    def is_on_cycle(self, value: Any) -> bool:
        known = self.walk.memo.get(id(value))
        return known is not None and known[0].startswith(b"<cycle>")

    def hold(self, value: Any, fetch: Fetch) -> None:
        """Look at a place for the same object if it is code or an atom, else for equal data."""
        if self.is_code(value):
            self.same.append((fetch, value))
        else:
            self.hold_data(value, fetch)

    def hold_data(self, value: Any, fetch: Fetch) -> None:
        self.is_cyclic |= self.is_on_cycle(value)
        self.data.append(fetch)
        if type(value) is FunctionType:
            name = value.__name__
            self.same.append((lambda: value.__name__, name))

    def hold_content(self, value: Any) -> None:
        """Look at data in a place that is known to hold the same object."""
        if not self.is_code(value):
            self.hold_data(value, lambda: as_held(value))

    def of_definition(self, function: FunctionType) -> None:
        """Look at the code, the defaults, the name and the attributes that a function has."""
        own = function.__dict__ or None
        held = (function.__code__, function.__defaults__, function.__kwdefaults__, function.__name__, own)
        self.functions.append((function, *held))

    def of_function(self, function: FunctionType) -> None:
        own = function.__dict__
        ignored = own.get(IGNORES, ()) if own else ()
        if own:
            self.same.append((lambda: own.get(IGNORES, ()), ignored))
            self.data.append(lambda: attributes(own, OWN))
        if function.__kwdefaults__:
            named = function.__kwdefaults__
            self.tables.append((named, list(named), list(named.values())))
        for value in (*(function.__defaults__ or ()), *(function.__kwdefaults__ or {}).values()):
            self.hold_content(value)
        if ignored is not True:
            self.of_closure(function, ignored)
            for name, reference, handed in fingerprint_of(function.__code__).lookups:
                if reference.name not in ignored:
                    self.of_reference(function, name, reference, handed)

    def of_closure(self, function: FunctionType, ignored: Collection[str]) -> None:
        fingerprint, names = fingerprint_of(function.__code__), function.__code__.co_freevars
        for i in fingerprint.free:
            if names[i] not in ignored:
                cell, handed = (function.__closure__ or ())[i], names[i] in fingerprint.taken
                fetch = partial(content, cell, fingerprint.names, handed)
                self.hold(fetch(), fetch)

    def of_reference(self, function: FunctionType, name: str | None, reference: Reference, handed: bool) -> None:
        table, names = function.__globals__, fingerprint_of(function.__code__).names

        def now() -> tuple[Any, tuple[str, ...]]:
            if name is None:
                return resolve(reference, table)
            return meant(name, table), ()

        def met() -> Any:
            value, rest = now()
            if type(value) in CODE or issubclass(type(value), type):
                return value
            return as_met(reference.name, as_held(value, names, handed and not rest))

        value = now()[0]
        if not self.is_code(value):
            self.hold_data(value, met)
        elif steps := looked_up(reference, table, value):
            self.names += steps
        else:
            self.same.append((lambda: now()[0], value))

    def of_class(self, cls: Any) -> None:
        own = vars(cls)
        self.classes.append((cls, cls.__bases__, type(cls), cls.__name__))
        self.tables.append((own, list(own), list(own.values())))
        annotations = annotations_of(cls)
        if annotations:
            self.tables.append((annotations, list(annotations), list(annotations.values())))
        fields = own.get("__dataclass_fields__", {}).values()
        self.fields += [(field, OF_FIELD(field)) for field in fields]
        members = {name: value for name, value in own_members(cls, own).items() if name not in OF_DATACLASS}
        for synthesized in (own[name] for name, value in members.items() if value is SYNTHESIZED):
            self.same.append((partial(code_of, synthesized), code_of(synthesized)))
        for value in (*cls.__bases__, type(cls), *(annotations or {}).values(), *members.values(), *map(given, fields)):
            if value is not object and value is not type and type(value) is not Mark and not self.is_fixed(value):
                self.hold_content(value)

    def is_fixed(self, member: Any) -> bool:
        """Return whether a member of a class is a descriptor that holds nothing but code."""
        if type(member) in BEHIND:
            return all(self.is_code(getattr(member, name)) for name in BEHIND[type(member)])
        return type(member) in SLOTS
