"""What cached properties and other caches keep in an instance: it follows from the rest, so it does not count."""

from __future__ import annotations

import weakref
from collections.abc import Iterator
from opcode import opmap
from types import CodeType, FunctionType
from typing import Any

from ..code.origin import of_module

__all__ = ["CACHED", "kept_by_properties"]

CACHED: dict[str, str] = {
    "functools.cached_property": "",
    "aiohttp._helpers.reify": "_cache",
    "astropy.utils.decorators.lazyproperty": "",
    "kombu.utils.objects.cached_property": "",
    "networkx.classes.graph._CachedPropertyResetterAdj": "",
    "pandas._libs.properties.CachedProperty": "_cache",
    "propcache._helpers_c.cached_property": "",
    "propcache._helpers_c.under_cached_property": "_cache",
    "propcache._helpers_py.under_cached_property": "_cache",
    "werkzeug.utils.cached_property": "",
}
"""Types of cached properties, each with the attribute in which it keeps its values, if not in one of its own name.

Those written in Python that leave assignments alone need not be here: their ``__get__`` shows what they do.
"""

CACHES: dict[str, str] = {
    "click.core.Command": "_help_option",
    "nltk.probability.FreqDist": "_N",
    "pendulum.duration.Duration": "_h _i _s _invert",
    "pandas.tseries.holiday.AbstractHolidayCalendar": "_cache",
    "random.Random": "gauss_next",
    "sklearn.feature_extraction.text._VectorizerMixin": "_stop_words_id",
    "sklearn.utils._bunch.Bunch": "_deprecated_key_to_warnings",
}
"""Classes that are not the user's, each with the attributes in which it keeps what follows from the rest."""
HASH_OF_ATTRS = "_attrs_cached_hash"

STORE_SUBSCR = opmap["STORE_SUBSCR"]
SETTERS = frozenset({"setattr", "__setattr__"})
TABLES = frozenset({"__dict__", "vars"})
FILLERS = frozenset({"setdefault", "update"})
_kept: dict[int, tuple[Any, frozenset[str]]] = {}  # by id, as looking up a weak key takes long


def kept_by_properties(kind: type) -> frozenset[str]:
    """Return the names under which cached properties of a class keep what follows from the rest of the state.

    What a class of the user's itself assigns is no cache. An assignment elsewhere, ``circle.area = 5``, is not noticed.

    >>> from functools import cached_property
    >>> class Circle:
    ...     radius = 1
    ...     @cached_property
    ...     def area(self): return 3 * self.radius ** 2
    >>> kept_by_properties(Circle)
    frozenset({'area'})
    """
    key = id(kind)
    known = _kept.get(key)
    if known is not None and known[0]() is kind:
        return known[1]
    found = frozenset(name for name in caches(kind) if not is_assigned(kind, name))
    if hasattr(kind, "__attrs_attrs__"):  # assigned by the __hash__ that attrs writes into the class
        found |= {HASH_OF_ATTRS}
    _kept[key] = (weakref.ref(kind, lambda _: _kept.pop(key, None)), found)
    return found


def caches(kind: type) -> Iterator[str]:
    for base in kind.__mro__:
        yield from CACHES.get(f"{base.__module__}.{base.__qualname__}", "").split()
        for name, value in vars(base).items():
            value = getattr(value, "wrapped", value) if hasattr(value, "decorator_info") else value  # pydantic's
            place = place_of(type(value))
            if place is not None:
                yield place or name


def place_of(kind: type) -> str | None:
    """Return where a descriptor of a type keeps its values: an attribute, or "" for that of its own name, or None."""
    if not hasattr(kind, "__get__") or kind is FunctionType:
        return None
    for base in kind.__mro__:
        place = CACHED.get(f"{base.__module__}.{base.__qualname__}")
        if place is not None:
            return None if hasattr(kind, "__set__") and of_module(kind.__module__).kind == "user" else place
    getter = next((vars(base)["__get__"] for base in kind.__mro__ if "__get__" in vars(base)), None)
    return "" if type(getter) is FunctionType and not hasattr(kind, "__set__") and fills_in(getter.__code__) else None


def fills_in(code: CodeType) -> bool:
    """Return whether code puts a value into an object under a name that it computes."""
    names = frozenset(code.co_names)
    if not names.isdisjoint(SETTERS):
        return True
    return not names.isdisjoint(TABLES) and (STORE_SUBSCR in code.co_code[::2] or not names.isdisjoint(FILLERS))


def is_assigned(kind: type, name: str) -> bool:
    """Return whether a method of the user's assigns an attribute of a name; libraries fill in one from another."""
    bases = [base for base in kind.__mro__ if of_module(base.__module__).kind == "user"]
    return any(assigns(code, name) for base in bases for code in codes_of(base))


def codes_of(cls: type) -> Iterator[CodeType]:
    for value in vars(cls).values():
        function = getattr(value, "fget", None) or getattr(value, "fset", None) or getattr(value, "__func__", value)
        if type(function) is FunctionType:
            yield function.__code__


def assigns(code: CodeType, name: str) -> bool:
    if name in code.co_consts and fills_in(code):
        return True
    if name in code.co_names:
        from dis import get_instructions

        return any(each.opname == "STORE_ATTR" and each.argval == name for each in get_instructions(code))
    return False
