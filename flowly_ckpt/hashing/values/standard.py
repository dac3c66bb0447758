"""Values of the standard library that a reduction does not describe, or not well."""

from __future__ import annotations

import builtins
import io
import sys
from functools import partial
from typing import Any

from ...errors import UnhashableError
from ..code.origin import library_label, named
from ..rows import ROWS, Attrs, Mark, Parts, own_attributes, register_lazy

__all__: list[str] = []


@ROWS.register(io.IOBase.__mro__[1])  # the base that files themselves have
def file(obj: Any) -> Parts:
    """The standard streams have no part in a result; an open file is a position in something that changes."""
    for name in ("stdin", "stdout", "stderr", "__stdin__", "__stdout__", "__stderr__"):
        if obj is getattr(sys, name):
            return b"<stream>", [Mark(name.strip("_"))]
    raise UnhashableError(obj, (), "pass its path or what was read from it, or leave it out with ignore_globals")


def sentinel(obj: Any) -> Parts:
    """A sentinel of Python 3.15 is its name, under which it is found when it is read back."""
    if named(obj.__module__, obj.__name__) is not obj:
        place = f"{obj.__module__}.{obj.__name__}"
        raise UnhashableError(
            obj, (), f"{place} is not this one; give it to that name, or leave it out with ignore_globals"
        )
    return b"<sentinel>", [obj.__module__, obj.__name__, repr(obj)]


if hasattr(builtins, "sentinel"):
    ROWS.exact(builtins.sentinel)(sentinel)


def load_logging() -> None:
    import logging

    # What code only writes to has no part in a result (see code.held); as a value, a logger is its name.
    ROWS.register(logging.Logger)(lambda obj: (b"<logger>", [obj.name]))
    ROWS.register(logging.LoggerAdapter)(lambda obj: (b"<logger>", [obj.name, obj.extra]))


def load_os() -> None:
    import os

    ROWS.exact(type(os.environ))(lambda obj: (b"<environment>", []))


def load_datetime() -> None:
    from datetime import date, datetime, time, timedelta

    ROWS.exact(date)(lambda obj: (b"<date>", [obj.isoformat()]))
    ROWS.exact(datetime)(lambda obj: (b"<datetime>", [obj.isoformat(), obj.fold, obj.tzinfo]))
    ROWS.exact(time)(lambda obj: (b"<time>", [obj.isoformat(), obj.fold, obj.tzinfo]))
    ROWS.exact(timedelta)(lambda obj: (b"<timedelta>", [obj.days, obj.seconds, obj.microseconds]))


def load_fractions() -> None:
    from fractions import Fraction

    ROWS.exact(Fraction)(lambda obj: (b"<fraction>", [obj.numerator, obj.denominator]))


def load_uuid() -> None:
    from uuid import UUID, SafeUUID

    @ROWS.exact(UUID)
    def uuid(obj: Any) -> Parts:
        safe = obj.is_safe
        return b"<uuid>", [obj.int, None if safe is SafeUUID.unknown else safe.value]


def load_collections() -> None:
    from collections import Counter, OrderedDict, defaultdict, deque

    ROWS.exact(OrderedDict)(lambda obj: (b"<ordered dict>", [dict(obj), vars(obj) or None]))
    ROWS.exact(Counter)(lambda obj: (b"<counter>", [dict(obj), vars(obj) or None]))
    ROWS.exact(defaultdict)(lambda obj: (b"<defaultdict>", [dict(obj), obj.default_factory]))
    ROWS.exact(deque)(lambda obj: (b"<deque>", [list(obj), obj.maxlen]))


def load_decimal() -> None:
    from decimal import Context, Decimal

    ROWS.exact(Decimal)(lambda obj: (b"<decimal>", [str(obj)]))
    names = ("prec", "rounding", "Emin", "Emax", "capitals", "clamp")

    @ROWS.register(Context)
    def context(obj: Any) -> Parts:
        """A context counts by how it was set, not by the flags that computing leaves."""
        traps = sorted(signal.__name__ for signal, is_on in obj.traps.items() if is_on)
        own = own_attributes(obj, Context)
        return b"<decimal context>", [
            type(obj),
            *(getattr(obj, name) for name in names),
            traps,
            *([own] if own else ()),
        ]


def load_pathlib() -> None:
    from pathlib import PosixPath, PurePath, PurePosixPath, PureWindowsPath, WindowsPath

    # A path counts as it is written, not by what lies there; see FileContent.
    ROWS.open(PurePath)(lambda obj: (b"<path>", [type(obj), str(obj)]))
    for kind in (PosixPath, PurePosixPath, PureWindowsPath, WindowsPath):
        ROWS.exact(kind)(partial(path, f"<{kind.__name__}>".encode()))


def path(tag: bytes, obj: Any) -> Parts:
    return tag, [str(obj)]


def load_sqlite3() -> None:
    from sqlite3 import Row

    ROWS.register(Row)(lambda obj: (b"<database row>", [type(obj), obj.keys(), tuple(obj)]))


def load_zoneinfo() -> None:
    from zoneinfo import ZoneInfo

    # Its reduction adds whether it comes from the cache; one read from a file has none.
    ROWS.exact(ZoneInfo)(lambda obj: (b"<zone>", [obj.__reduce__()[1][0]]))


def load_ctypes() -> None:
    import ctypes

    ROWS.register(ctypes.CDLL)(lambda obj: (b"<C library>", [type(obj), obj._name and library_label(obj._name)]))

    @ROWS.register(ctypes._CFuncPtr)  # type: ignore[attr-defined]
    def c_function(obj: Any) -> Parts:
        if "__name__" not in vars(obj):
            raise UnhashableError(obj, (), "it is a bare address; describe what it was made from with register")
        return b"<C function>", [obj.__name__, obj.restype, obj.argtypes, list((obj._objects or {}).values())]


def load_unittest() -> None:
    from unittest.mock import NonCallableMock

    @ROWS.register(NonCallableMock)
    def mock(obj: Any) -> Parts:
        """A mock counts by how it was configured, not by the calls it has seen."""
        return b"<mock>", [type(obj).__mro__[1], vars(obj)["_spec_class"], Attrs(configured(obj))]


def configured(obj: Any) -> dict[str, Any]:
    """Return what a mock was given: attributes, what it returns or raises, and children that were given something."""
    own = vars(obj)
    given = {k: v for k, v in own.items() if not k.startswith(("_mock_", "_spec_")) and k != "method_calls"}
    for name in ("_mock_return_value", "_mock_side_effect", "_mock_wraps"):
        value = own.get(name)
        if value is not None and repr(value) != "sentinel.DEFAULT" and not is_idle(value):
            given[name] = value
    given.update({k: v for k, v in own.get("_mock_children", {}).items() if not is_idle(v)})
    return given


def is_idle(value: Any) -> bool:
    return hasattr(type(value), "assert_has_calls") and not configured(value)


register_lazy("logging", load_logging)
register_lazy("os", load_os)
register_lazy("datetime", load_datetime)
register_lazy("pathlib", load_pathlib)
register_lazy("decimal", load_decimal)
register_lazy("fractions", load_fractions)
register_lazy("uuid", load_uuid)
register_lazy("collections", load_collections)
register_lazy("sqlite3", load_sqlite3)
register_lazy("zoneinfo", load_zoneinfo)
register_lazy("ctypes", load_ctypes)
register_lazy("_ctypes", load_ctypes)
register_lazy("unittest", load_unittest)
