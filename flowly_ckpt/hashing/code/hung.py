"""What users hang onto the classes of others: accessors of pandas, methods set by hand.

``df.clean()`` shows no function, only a name. So each foreign class that was loaded is looked at once for members
that are the user's; a name in the code that is among them counts with what it leads to.
"""

from __future__ import annotations

import sys
from abc import ABCMeta
from collections.abc import Collection, Iterable, Iterator
from functools import cached_property, partial, partialmethod
from itertools import islice
from types import FunctionType, MethodType
from typing import Any

from .origin import of_globals, of_module

__all__ = ["abstract", "hung_on", "patched", "users"]

HEAP = 1 << 9
BEHIND = ("_accessor", "_ns", "accessor", "fget", "func", "__func__", "__wrapped__", "pyfunc")
"""Where the descriptors of libraries keep what they were given: those of pandas and xarray, polars, Python, numpy."""
WHOLE = frozenset({partial, partialmethod, property, classmethod, staticmethod, cached_property, MethodType})
"""What counts with all that it holds; of other descriptors, only the user's function or class behind them."""

abstract: dict[int, ABCMeta] = {}
"""The abstract classes among the foreign ones, by id."""
_seen: dict[int, tuple[type, tuple[Any, ...]]] = {}
_hung: dict[str, dict[int, type]] = {}  # by id, as some metaclasses compare in their own way, or have no hash
_epoch: tuple[int, ...] = ()
_last: Any = None


def patched(names: Collection[str]) -> bool:
    """Return whether any of some names is one that the user hung onto a foreign class.

    >>> patched({"no_such_name"})
    False
    """
    epoch()
    return bool(_hung) and not _hung.keys().isdisjoint(names)


def epoch() -> tuple[int, ...]:
    """Return what differs once modules were loaded or names were given in the main one, and look again if it does.

    >>> epoch() is epoch()
    True
    """
    global _epoch, _last
    main: Any = vars(sys.modules.get("__main__", sys))
    now, last = (len(sys.modules), len(main), len(main.get("In", ()))), next(reversed(sys.modules.values()))
    if now != _epoch or last is not _last:
        new = islice(reversed(list(sys.modules)), max(now[0] - sum(_epoch[:1]), int(last is not _last)))
        whose = {of_module(name).kind for name in new}
        is_told = now[1:] != _epoch[1:] or "user" in whose
        kinds = (kind for kind, _ in list(_seen.values())) if whose <= {"user"} else classes()
        look_again(kinds, is_told)  # before it is noted, as another thread goes by what is found
        _epoch, _last = now, last
    return _epoch


def hung_on(names: Collection[str]) -> Iterator[Any]:
    """Yield the class, the name and the member for each of some names that the user hung onto a foreign class.

    >>> list(hung_on({"no_such_name"}))
    []
    """
    for name in sorted(_hung.keys() & set(names)):
        for kind in sorted(_hung[name].values(), key=lambda kind: (kind.__module__, kind.__qualname__)):
            member = vars(kind).get(name)
            behind = users(member)
            if behind is not None:
                yield [f"{kind.__module__}.{kind.__qualname__}", name]
                yield member if type(member) in WHOLE else behind


def classes() -> Iterator[type]:
    """Yield the classes there are, except those that nothing can be hung onto."""
    kind: type
    waiting: list[type] = [object]
    seen: set[int] = set()
    while waiting:
        for kind in type.__subclasses__(waiting.pop()):
            if id(kind) not in seen:
                seen.add(id(kind))
                waiting.append(kind)
                if kind.__flags__ & HEAP:
                    yield kind


def look_again(kinds: Iterable[type], is_told: bool) -> None:
    """Look at the members of the classes that are new, or have more or fewer members than before.

    :param is_told: whether the user's code may have replaced members, as a cell: then those that have others, too.
    """
    for kind in kinds:
        own = vars(kind)
        held: Any = _seen.get(id(kind), (kind, None))[1]
        if held is None or len(held) != len(own) or (is_told and has_others(own, held)):
            look_at(kind, own)
            _seen[id(kind)] = (kind, tuple(own.values()))


def has_others(own: Any, held: tuple[Any, ...]) -> bool:
    """Return whether a class has other members than before; what a class holds compares by identity."""
    try:
        return tuple(own.values()) != held  # for thousands of classes, three times as fast as to ask each member
    except Exception:  # noqa: BLE001  whatever a member raises that compares in a way of its own
        return True


def look_at(kind: type, own: Any) -> None:
    home = vars(sys.modules[kind.__module__]) if kind.__module__ in sys.modules else {}
    if home.get(kind.__qualname__) is not kind:
        return  # made while the program runs, or nested, where nobody hangs anything
    if isinstance(kind, ABCMeta) and of_module(kind.__module__).kind not in ("user", "ours"):
        abstract[id(kind)] = kind
    for name, member in list(own.items()):
        if type(member) is FunctionType and member.__globals__ is home:
            continue
        if name[:2] != "__" and users(member) is not None and of_module(kind.__module__).kind not in ("user", "ours"):
            _hung.setdefault(name, {})[id(kind)] = kind


def is_from_source(module: str) -> bool:
    """Return whether a module was run by Python; those that compilers make have no builtins.

    >>> is_from_source("json"), is_from_source("sys")
    (True, False)
    """
    return "__builtins__" in getattr(sys.modules.get(module), "__dict__", ())


def users(member: Any) -> Any:
    """Return the user's function or class that a member of a class is, or is made from; else None.

    >>> users(str.upper) is None
    True
    """
    if type(member) is FunctionType:
        # Libraries, and ``multiprocessing.managers``, make methods in tables without a name; nobody else does.
        is_named = "__name__" in member.__globals__
        return member if is_named and of_globals(member.__globals__).kind == "user" else None
    if isinstance(member, type):
        return member if of_module(member.__module__).kind == "user" else None
    if of_module(type(member).__module__).kind == "user" and is_from_source(type(member).__module__):
        return member
    own: Any = BEHIND if type(member) in WHOLE or not hasattr(member, "__dict__") else vars(member)
    if type(member) in WHOLE or callable(member) or hasattr(type(member), "__get__"):
        for name in BEHIND:
            found = getattr(member, name, None) if name in own else None
            if found is not None and found is not member and isinstance(found, FunctionType | type):
                return users(found)
    return None
