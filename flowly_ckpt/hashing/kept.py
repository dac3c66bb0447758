"""Encodings of functions and classes, kept from one walk to the next while nothing they were made from is assigned.

A pipeline that is applied to ten thousand items is hashed ten thousand times, and its code is the same each time. What
the encoding of code was made from is of two kinds: places that hold other code or atoms, where it is enough to look
whether they hold the same object, and data, which can change in place and is encoded again. An object of a class of the
user's whose attributes are atoms is a few such places. So this always holds:

``keeper.walk()`` gives the encodings that ``Walk()`` gives, whatever was assigned or changed in between
"""

from __future__ import annotations

from abc import get_cache_token
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from copyreg import dispatch_table
from functools import partial
from operator import attrgetter, is_
from types import FunctionType, GetSetDescriptorType, MemberDescriptorType, ModuleType
from typing import Any

from ..errors import UnhashableError
from ..pipelines.term import shapes
from .annotations import annotations_of
from .code import hung
from .code.fingerprint import fingerprint_of
from .code.functions import OWN, content, described
from .code.held import as_held
from .code.references import CODE, Reference, as_met, builtin_named, resolve
from .cycles import encode
from .hints import IGNORES
from .plain import ATOMS
from .reductions import reducer_of
from .rows import ROWS, Mark, attributes
from .types.synthesized import RULES, given, own_members
from .values.objects import by_reduction
from .walk import Walk

__all__ = ["Keeper", "Knowing"]

FIXED = frozenset({b"<foreign>", b"<class>", b"<builtin>", b"<descriptor>", b"<module>"})
KEPT = FIXED | {b"<function>", b"<user class>"}
BEHIND = {property: ("fget", "fset", "fdel"), classmethod: ("__func__",), staticmethod: ("__func__",)}
SLOTS = (MemberDescriptorType, GetSetDescriptorType)
OF_DATACLASS = frozenset({"__dataclass_fields__", "__dataclass_params__", "__match_args__"})
OF_FIELD = attrgetter("name", "default", "default_factory", "init", "repr", "hash", "compare", "metadata", "kw_only")
WORDS = frozenset({type(None), str})
ABSENT = object()
RESTS = (1, 3, 15, 255)  # walks until the next attempt, after so many in vain

Fetch = Callable[[], Any]


class Keeper:
    """Make walks; from the third one on, they know the code that is as it was.

    :param hasher: as in :func:`flowly_ckpt.functional_hash`.

    >>> keeper = Keeper()
    >>> FACTOR = 2
    >>> double = lambda x: FACTOR * x
    >>> def encoding():
    ...     walk = keeper.walk()
    ...     encoding = walk.enc(double)
    ...     keeper.learn(walk)
    ...     return encoding
    >>> before = [encoding() for _ in range(4)]
    >>> before == [Walk().enc(double)] * 4
    True
    >>> FACTOR = 3
    >>> encoding() == Walk().enc(double) != before[0]
    True

    See also: :class:`flowly_ckpt.hashing.walk.Walk`.
    """

    __slots__ = ("_hasher", "_kept", "_rest", "_vain")

    def __init__(self, hasher: Callable[[], Any] | None = None) -> None:
        self._hasher = hasher
        self._kept: Kept | None = None
        self._vain = 0
        self._rest = RESTS[0]

    def walk(self) -> Walk:
        """Return a new walk."""
        kept = self._kept
        if kept is not None:
            walk = kept.walk()
            if walk is not None:
                self._vain = 0
                return walk
            self._give_up()
        if self._rest > 0:
            self._rest -= 1
            return Walk(self._hasher)
        return Learning(self._hasher)

    def learn(self, walk: Walk) -> None:
        """Keep what a walk found, once it is done."""
        if type(walk) is Learning:
            self._kept = keep(walk, self._hasher)
            if self._kept is None:
                self._give_up()

    def _give_up(self) -> None:
        """Wait longer each time before the next attempt."""
        self._kept = None
        self._rest = RESTS[self._vain]
        self._vain = min(self._vain + 1, len(RESTS) - 1)


class Learning(Walk):
    """A walk of whose code the encodings are kept.

    >>> walk = Learning()
    >>> walk.beside() is walk
    True
    """

    __slots__ = ()

    def beside(self) -> Walk:
        """Return this walk itself, which is to meet the classes of the objects too."""
        return self


class Knowing(Walk):
    """A walk that begins with what is kept.

    >>> step = lambda x: x + 1
    >>> first = Learning()
    >>> encoding = first.enc(step)
    >>> Knowing(keep(first, None)).memo[id(step)] == (encoding,)
    True
    """

    __slots__ = ("origin",)

    def __init__(self, origin: Kept) -> None:
        super().__init__(origin.hasher)
        self.memo.update(origin.memo)
        self.reads = origin.reads
        self.origin = origin

    def beside(self) -> Walk:
        """Return another walk that knows as much as this one did at first."""
        return Knowing(self.origin)


class Kept:
    """Hold encodings of code, and the places to look at before they are used.

    :param memo: the encodings, as a walk knows them.
    :param objects: whose they are, so that no other object gets their ids.
    :param hasher: what they were made with.
    """

    def __init__(self, memo: dict[int, tuple[bytes, ...]], objects: list[Any], hasher: Any) -> None:
        self.memo = memo
        self.hasher = hasher
        self.objects = objects
        self.functions: list[tuple[FunctionType, Any, Any, Any, str, Any]] = []
        self.names: list[tuple[Mapping[str, Any], str, Any]] = []
        self.tables: list[tuple[Mapping[str, Any], list[str], list[Any]]] = []
        self.classes: list[tuple[type, Any, type, str]] = []
        self.instances: list[tuple[Any, type, dict[str, Any], Any]] = []
        self.fields: list[tuple[Any, tuple[Any, ...]]] = []
        self.same: list[tuple[Fetch, Any]] = []
        self.data: list[tuple[Fetch, bytes]] = []
        self.reads = False
        self.epoch = epoch()
        self.chain: tuple[Sequence[Any], list[str]] | None = None

    def hashes_of(self, steps: Sequence[Any]) -> list[str] | None:
        """Return what was noted as the hashes of the prefixes of a chain, as long as what is kept holds."""
        if self.chain is not None and len(steps) == len(self.chain[0]) and all(map(is_, steps, self.chain[0])):
            return self.chain[1]
        return None

    def note(self, steps: Sequence[Any], hashes: list[str]) -> None:
        """Note the hashes of the prefixes of a chain, if all of its steps are kept and none reads what code shows."""
        if not self.reads and all(id(step) in self.memo for step in steps):
            self.chain = (steps, hashes)

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
        return epoch() == self.epoch

    def holds(self) -> bool:
        """Return whether a walk would find the same; False where code reads what is in no encoding, as ``__doc__``."""
        if self.reads:
            return False
        return self.walk() is not None if self.data else self.is_whole()

    def replaced(self) -> Iterator[tuple[str, Any, Any]]:
        """Yield the places that hold another object: the name that errors use, what was there, and what is."""
        return (place for place in self._places() if place[1] is not place[2])

    def _places(self) -> Iterator[tuple[str, Any, Any]]:
        for function, code, *_ in self.functions:
            yield f"code of {function.__name__!r}", code, function.__code__
        for table, name, value in self.names:
            yield f"global {name!r}", value, table.get(name, ABSENT)
        for table, names, held in self.tables:
            yield from ((f"attribute {name!r}", value, table.get(name, ABSENT)) for name, value in zip(names, held))
        for fetch, value in self.same:
            yield "", value, fetch()

    def walk(self) -> Walk | None:
        """Return a walk that knows what is kept, or None if something has changed."""
        if not self.is_whole():
            return None
        walk = Knowing(self)
        try:
            for fetch, expected in self.data:
                if encode(walk, fetch()) != expected:
                    return None
        except UnhashableError:
            return None
        return walk


def epoch() -> tuple[object, object]:
    """Return what differs once something was hung onto foreign classes, or registered for abstract ones."""
    return hung.epoch(), get_cache_token()


def keep(walk: Walk, hasher: Callable[[], Any] | None) -> Kept | None:
    """Return what can be kept of a walk, or None where data leads back to the code that leads to it."""
    noted = iter(walk.expanded)
    code = [each for each in zip(noted, noted, noted) if each[1] in KEPT and id(each[0]) in walk.memo]
    found = {id(obj): (obj, tag) for obj, tag, parts in code if is_kept(obj, tag, parts)}
    kept = Kept({key: walk.memo[key] for key in found}, [obj for obj, _ in found.values()], hasher)
    classes = frozenset(key for key, (_, tag) in found.items() if tag == b"<user class>")
    places = Places(kept, walk, classes)
    for obj, tag in found.values():
        if type(obj) is FunctionType:
            own = obj.__dict__ or None
            kept.functions.append((obj, obj.__code__, obj.__defaults__, obj.__kwdefaults__, obj.__name__, own))
        if tag == b"<function>":
            places.of_function(obj)
        elif tag == b"<user class>":
            places.of_class(obj)
    if places.is_cyclic:
        return None
    kept.reads = walk.reads
    first = Knowing(kept)
    kept.data = [(fetch, encode(first, fetch())) for fetch in places.data]
    return kept


def is_kept(obj: Any, tag: bytes, parts: list[Any]) -> bool:
    """Return whether all that a function or class was expanded from can be looked at again."""
    if tag in FIXED:
        return WORDS.issuperset(map(type, parts)) and not (type(obj) is FunctionType and obj.__dict__)
    if tag == b"<user class>":
        annotated, registered = parts[-2:]
        is_simple = annotated is None or (annotated[1] is None and type(annotated[0]) in (dict, type(None)))
        return is_simple and registered is None and RULES.keys() & vars(obj).keys() <= OF_DATACLASS
    fingerprint = fingerprint_of(obj.__code__)
    return described(obj)[2] == fingerprint.reads


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
    tag, parts = by_reduction(obj)
    is_state = tag == b"<instance>" and parts[0] is kind and len(parts) == 1 + 2 * len(own)
    return is_state and all(map(is_, parts[1:], (*own, *own.values())))


def looked_up(reference: Reference, table: dict[str, Any], value: Any) -> list[tuple[dict[str, Any], str, Any]]:
    """Return the names that lead to what a reference has now, each with its table; none where there is more to it.

    >>> [name for _, name, _ in looked_up(Reference("global", "hung", ("epoch",)), globals(), hung.epoch)]
    ['hung', 'epoch']
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


class Places:
    """Find the places to look at, of functions and of classes.

    :param kept: what they are added to.
    :param walk: the walk that all encodings are from.
    :param classes: the ids of the classes of the user's.
    """

    def __init__(self, kept: Kept, walk: Walk, classes: frozenset[int]) -> None:
        self.kept = kept
        self.walk = walk
        self.classes = classes
        self.instances: dict[int, bool] = {}
        self.data: list[Fetch] = []
        self.is_cyclic = False

    def is_code(self, value: Any) -> bool:
        """Return whether a value cannot change but by what is looked at elsewhere."""
        return type(value) in ATOMS or id(value) in self.kept.memo or self.is_instance(value)

    def is_instance(self, value: Any) -> bool:
        """Return whether a value is an object of the user's whose attributes are atoms, and look at these."""
        if not self.classes.issuperset(map(id, type(value).__mro__[:-1])) or self.is_on_cycle(value):
            return False
        if id(value) not in self.instances:
            self.instances[id(value)] = is_plain = is_of_atoms(value)
            if is_plain:
                kind, own = type(value), value.__dict__
                self.kept.instances.append((value, kind, own, shapes[kind]))
                self.kept.tables.append((own, list(own), list(own.values())))
        return self.instances[id(value)]

    def is_on_cycle(self, value: Any) -> bool:
        known = self.walk.memo.get(id(value))
        return known is not None and known[0].startswith(b"<cycle>")

    def hold(self, value: Any, fetch: Fetch) -> None:
        """Look at a place for the same object if it is code or an atom, else for equal data."""
        if self.is_code(value):
            self.kept.same.append((fetch, value))
        else:
            self.hold_data(value, fetch)

    def hold_data(self, value: Any, fetch: Fetch) -> None:
        self.is_cyclic |= self.is_on_cycle(value)
        self.data.append(fetch)
        if type(value) is FunctionType:
            name = value.__name__
            self.kept.same.append((lambda: value.__name__, name))

    def hold_content(self, value: Any) -> None:
        """Look at data in a place that is known to hold the same object."""
        if not self.is_code(value):
            self.hold_data(value, lambda: as_held(value))

    def of_function(self, function: FunctionType) -> None:
        own = function.__dict__
        ignored = own.get(IGNORES, ()) if own else ()
        if own:
            self.kept.same.append((lambda: own.get(IGNORES, ()), ignored))
            self.data.append(lambda: attributes(own, OWN))
        if function.__kwdefaults__:
            named = function.__kwdefaults__
            self.kept.tables.append((named, list(named), list(named.values())))
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
            return table[name] if name in table else builtin_named(name, table), ()

        def met() -> Any:
            value, rest = now()
            if type(value) in CODE or issubclass(type(value), type):
                return value
            return as_met(reference.name, as_held(value, names, handed and not rest))

        value = now()[0]
        if not self.is_code(value):
            self.hold_data(value, met)
        elif steps := looked_up(reference, table, value):
            self.kept.names += steps
        else:
            self.kept.same.append((lambda: now()[0], value))

    def of_class(self, cls: Any) -> None:
        own = vars(cls)
        self.kept.classes.append((cls, cls.__bases__, type(cls), cls.__name__))
        self.kept.tables.append((own, list(own), list(own.values())))
        annotations = annotations_of(cls)
        if annotations:
            self.kept.tables.append((annotations, list(annotations), list(annotations.values())))
        fields = own.get("__dataclass_fields__", {}).values()
        self.kept.fields += [(field, OF_FIELD(field)) for field in fields]
        members = {name: value for name, value in own_members(cls, own).items() if name not in OF_DATACLASS}
        for value in (*cls.__bases__, type(cls), *(annotations or {}).values(), *members.values(), *map(given, fields)):
            if value is not object and value is not type and type(value) is not Mark and not self.is_fixed(value):
                self.hold_content(value)

    def is_fixed(self, member: Any) -> bool:
        """Return whether a member of a class is a descriptor that holds nothing but code."""
        if type(member) in BEHIND:
            return all(self.is_code(getattr(member, name)) for name in BEHIND[type(member)])
        return type(member) in SLOTS
