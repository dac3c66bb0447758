"""What expressions of templates may read and call: what changes nothing."""

from __future__ import annotations

import datetime
import os
from collections.abc import Callable, Mapping
from pathlib import PurePath
from types import BuiltinFunctionType, FunctionType, ModuleType
from typing import Any

__all__ = ["MODULES", "PLAIN", "may_be_called", "may_be_read"]

MODULES = {"os": os, "datetime": datetime}
PLAIN: dict[str, Callable[..., Any]] = {
    function.__name__: function
    for function in (abs, bool, float, int, len, list, max, min, repr, round, sorted, str, sum, tuple)
}
_OF_OS = frozenset({"path", "sep", "curdir", "pardir", "extsep", "environ", "getcwd", "getpid", "fspath", "name"})
_FUNCTIONS = {os.getcwd, os.getpid, os.fspath, *(getattr(os.path, name) for name in os.path.__all__)}
_VALUES = (str, int, float, bytes, datetime.date, datetime.time, datetime.timedelta, datetime.tzinfo)
_OF_MAPPINGS = frozenset({"get", "keys", "values", "items"})
_OF_MODULES = {os: _OF_OS, os.path: frozenset(os.path.__all__), datetime: frozenset(datetime.__all__)}


def may_be_read(owner: Any, name: str) -> bool:
    """Tell whether an attribute may be read: any of a value, a few of the modules at hand.

    >>> may_be_read(os, "path"), may_be_read(os, "system"), may_be_read(3, "real")
    (True, False, True)
    """
    return not isinstance(owner, ModuleType) or name in _OF_MODULES.get(owner, ())


def may_be_called(function: Any) -> bool:
    """Tell whether a function may be called: plain ones, of paths and dates, methods of values, pure paths, mappings.

    >>> may_be_called(os.path.join), may_be_called("a".upper), may_be_called(os.remove), may_be_called([].append)
    (True, True, False, False)
    """
    if isinstance(function, type):
        return function in PLAIN.values() or function.__module__ == "datetime"
    owner, name = getattr(function, "__self__", None), getattr(function, "__name__", "")
    if owner is None or isinstance(owner, ModuleType):
        return isinstance(function, (FunctionType, BuiltinFunctionType)) and (
            function in _FUNCTIONS or function in PLAIN.values()
        )
    if isinstance(owner, type):
        return owner.__module__ == "datetime"
    if isinstance(owner, Mapping):
        return name in _OF_MAPPINGS
    if isinstance(owner, PurePath):
        return hasattr(PurePath, name)
    return isinstance(owner, _VALUES) and not name.startswith("format")  # which follows attributes by text
