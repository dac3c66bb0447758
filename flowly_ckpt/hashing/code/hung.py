"""What users hang onto the classes of others: accessors of pandas, methods and operators set by hand.

``df.clean()`` shows no function, only a name, and ``df @ other`` not even that. So each foreign class that was loaded
is looked at once for members that are the user's; a name in the code that is among them, or one that its syntax stands
for, counts with what it leads to.
"""

from __future__ import annotations

import sys
from collections.abc import Collection, Iterator
from functools import cached_property, partial, partialmethod
from itertools import islice
from types import FunctionType, MethodType, WrapperDescriptorType
from typing import Any

from .operators import SPECIAL_METHODS
from .origin import of_globals, of_module

__all__ = ["hung_on", "patched", "users"]

HEAP = 1 << 9
BEHIND = ("_accessor", "_ns", "accessor", "fget", "func", "__func__", "__wrapped__", "pyfunc")
"""Where the descriptors of libraries keep what they were given: those of pandas and xarray, polars, Python, numpy."""
WHOLE = frozenset({partial, partialmethod, property, classmethod, staticmethod, cached_property, MethodType})
"""What counts with all that it holds; of other descriptors, only the user's function or class behind them."""

NEVER: tuple[Any, list[Any]] = (None, [])
_seen: dict[int, tuple[type, list[Any]]] = {}
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
        is_of_user = now[1:] != _epoch[1:] or any(of_module(name).kind == "user" for name in new_modules(last))
        _epoch, _last = now, last
        look_again(is_of_user)
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


def new_modules(last: Any) -> list[str]:
    """Return the names of the modules that were loaded since somebody looked."""
    count = len(sys.modules) - _epoch[0] if _epoch else 0
    return list(islice(reversed(sys.modules), max(count, int(last is not _last))))


def look_again(is_of_user: bool = True) -> None:
    """Look at the members of the foreign classes that are new, or have more or fewer members than before.

    :param is_of_user: code of the user's has run since, which may have replaced some.
    """
    waiting = [object]
    seen: set[int] = set()  # of this time
    find = _seen.get
    while waiting:
        for kind in type.__subclasses__(waiting.pop()):
            if id(kind) in seen:
                continue
            seen.add(id(kind))
            waiting.append(kind)
            own = vars(kind)
            if kind.__flags__ & HEAP:
                before = find(id(kind), NEVER)[1]
                if len(before) != len(own) or (is_of_user and not is_same([*own.values()], before)):
                    look_at(kind, own)


def is_same(members: list[Any], before: list[Any]) -> bool:
    """Return whether members are those that they were; each is first asked whether it is itself, in a loop in C.

    >>> is_same([abs, len], [abs, len]), is_same([abs, len], [abs, sum])
    (True, False)
    """
    try:
        return members == before
    except Exception:  # noqa: BLE001  however one compares with another that has taken its place
        return False


def look_at(kind: type, own: Any) -> None:
    _seen[id(kind)] = (kind, [*own.values()])
    home = vars(sys.modules[kind.__module__]) if kind.__module__ in sys.modules else {}
    if home.get(kind.__qualname__) is not kind:
        return  # made while the program runs, or nested, where nobody hangs anything
    for name, member in list(own.items()):
        if type(member) is FunctionType and member.__globals__ is home:
            continue
        is_special = name[:2] == "__"
        if is_special and (name not in SPECIAL_METHODS or type(member) is WrapperDescriptorType):
            continue
        behind = users(member)
        if behind is None or (is_special and getattr(behind, "__module__", None) not in sys.modules):
            continue  # Python itself writes special methods, whose module is none
        if of_module(kind.__module__).kind not in ("user", "ours"):
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
