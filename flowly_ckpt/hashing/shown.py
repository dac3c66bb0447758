"""What functions and classes show of themselves besides what they do: names, docstrings, annotations, order, source.

It counts, as do the globals that texts name, where anything reads it that the same object leads to, however far off: a
helper, a method, a decorator. So the hash of an object in which nothing reads says nothing of all this, and of another
it also says what is read of each function and class that it leads to.
"""

from __future__ import annotations

from types import FunctionType
from typing import Any

from ..errors import UnhashableError
from .annotations import annotations_of
from .code.fingerprint import fingerprint_of
from .cycles import encode
from .plain import ATOMS, is_plain
from .rows import Blob, Mark, Reads
from .texts import LOOK_UP, looked_up, texts_of
from .walk import Walk

__all__ = ["Shown"]

THINGS = {b"<function>": FunctionType, b"<user class>": type, b"<property>": property}
LEAVES = (ATOMS - {str}) | {bytes, Blob, Mark}
CONTAINERS = frozenset({list, tuple, dict})
MADE_LATER = frozenset({"__slotnames__", "__annotations__", "__annotations_cache__", "__annotate_func__"})
"""What Python adds to a class when somebody reduces an instance or asks for annotations, which count by themselves."""


class Shown:
    """Add what is read of functions and classes to encodings by a walk.

    :param walk: the walk that has encoded the objects.

    >>> def documented(x): "What it does."
    >>> def step(x): return documented.__doc__
    >>> walk = Walk()
    >>> encoding = walk.enc(step)
    >>> Shown(walk).added(encoding, [step]) == encoding
    False
    """

    __slots__ = ("_counted", "_entries", "_found", "_known", "_names", "_of", "_seen", "_texts", "_things", "_walk")

    def __init__(self, walk: Walk) -> None:
        self._walk = walk
        self._known: dict[int, tuple[bytes, list[Any]]] = {}
        self._counted = 0  # of what the walk has expanded
        self._seen: set[int] = set()
        self._things: list[Any] = []
        self._names: set[str] = set()
        self._of: set[str] = set()  # the names that the entries are of
        self._entries: list[bytes] = []
        self._texts: list[Any] = []  # with the plain containers that may hold some
        self._found: dict[tuple[str, int], bytes] = {}  # by the name of a global, and the id of what it is

    def added(self, encoding: bytes, objects: list[Any]) -> bytes:
        """Return the encoding of objects, and of those before, with what is read there; itself if nothing is.

        :param objects: those that are new, which are taken from the list.
        """
        noted = iter(self._walk.expanded[self._counted :])
        self._known.update((id(each), (tag, parts)) for each, tag, parts in zip(noted, noted, noted))
        self._counted = len(self._walk.expanded)
        self._explore(objects)
        while self._names != self._of or len(self._entries) < len(self._things):
            self._note()
            self._look_up()
        if not self._names:
            return encoding
        return encoding + self._walk.fold(b"<shown>" + b"".join(sorted({*self._entries, *self._found.values()})))

    def _note(self) -> None:
        """Note what is read of the things without an entry: of all of them, if more is read by now."""
        if self._names != self._of:
            self._of = set(self._names)
            self._entries.clear()
        walk = self._walk
        for thing in self._things[len(self._entries) :]:
            values = [shown(thing, name) for name in sorted(self._of)]
            self._entries.append(walk.fold(encode(walk, thing) + encode(walk, values)))
            self._explore(values)

    def _look_up(self) -> None:
        """Find the globals that texts name, if anything looks them up."""
        walk, functions = self._walk, [thing for thing in self._things if type(thing) is FunctionType]
        tables = list({id(each.__globals__): each.__globals__ for each in functions}.values())
        for used in (LOOK_UP[name] for name in sorted(self._names & LOOK_UP.keys())):
            texts = {text for each in functions for text in fingerprint_of(each.__code__).texts}
            texts.update(text for each in self._texts for text in texts_of(each))
            for name, value in looked_up(texts, tables, used):
                if (name, id(value)) not in self._found:
                    walk.kept.append(value)
                    try:
                        encoding = encode(walk, [name, value])
                    except UnhashableError:  # what looks like a name need not be one
                        continue
                    self._found[name, id(value)] = encoding
                    self._explore([value])

    def _explore(self, waiting: list[Any]) -> None:
        """Find the functions and classes, and what is read, in objects and what they lead to."""
        while waiting:
            obj = waiting.pop()
            kind = type(obj)
            if kind is str:
                self._texts.append(obj)
                continue
            if kind in LEAVES or id(obj) in self._seen:
                continue
            self._seen.add(id(obj))
            self._walk.kept.append(obj)
            if kind is Reads:
                self._names |= obj
            elif kind in CONTAINERS:
                if is_plain([obj]):
                    self._texts.append(obj)
                else:
                    waiting += [*obj, *obj.values()] if kind is dict else obj
            else:
                tag, parts = self._known.get(id(obj)) or self._walk.expand(obj)
                if issubclass(kind, THINGS.get(tag, ())):
                    self._things.append(obj)
                self._walk.kept.append(parts)
                waiting += parts


def shown(thing: Any, name: str) -> Any:
    """Return what a function, class or property shows under a name.

    >>> shown(shown, "__name__"), shown(Shown, "__subclasses__")
    ('shown', [])
    """
    of_kind = OF_CLASS if isinstance(thing, type) else OF_FUNCTION if type(thing) is FunctionType else {}
    if name in of_kind:
        return of_kind[name](thing)
    return None if name[:2] != "__" or name in OF_CLASS or name in OF_FUNCTION else text(thing, name)


def text(thing: Any, name: str) -> Any:
    if not isinstance(thing, type):
        return getattr(thing, name, None)
    found = thing.__qualname__ if name == "__qualname__" else vars(thing).get(name)
    # What a dataclass makes up for want of a docstring may contain addresses.
    is_made = name == "__doc__" and "__dataclass_fields__" in vars(thing)
    return None if is_made and str(found).startswith(f"{thing.__name__}(") else found


def parameters(function: FunctionType) -> tuple[str, ...]:
    code = function.__code__
    count = code.co_argcount + code.co_kwonlyargcount + bool(code.co_flags & 4) + bool(code.co_flags & 8)
    return code.co_varnames[:count]


def subclasses(cls: type) -> list[type]:
    found: list[type] = list(dict.fromkeys(type.__subclasses__(cls)))
    for each in found:
        below: list[type] = type.__subclasses__(each)
        found += [kind for kind in below if kind not in found]
    return found


def source(thing: Any) -> str | None:
    from inspect import getsource

    try:
        return getsource(thing)
    except (OSError, TypeError):  # it has none
        return None


OF_FUNCTION = {
    "__dict__": lambda function: list(function.__dict__),
    "__annotations__": lambda function: [annotations_of(function), parameters(function)],
    "__code__": lambda function: [function.__code__.co_name, function.__code__.co_varnames],
    "source": source,
}
OF_CLASS = {
    "__annotations__": annotations_of,
    "__subclasses__": subclasses,
    "__dict__": lambda cls: [name for name in vars(cls) if name not in MADE_LATER],
    "source": source,
}
