"""Names of a module that are loaded when they are first asked for."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from importlib import import_module
from typing import Any

__all__ = ["later"]


def later(module: str, homes: Mapping[str, str]) -> tuple[Callable[[str], Any], Callable[[], list[str]]]:
    """Return ``__getattr__`` and ``__dir__`` of a module some of whose names are loaded when they are first asked for.

    :param module: the name of the module.
    :param homes: the modules that define them, as seen from its package, each with its names.

    >>> load, names = later("json", {"decoder": "JSONDecoder py_scanstring"})
    >>> load("JSONDecoder").__name__, "py_scanstring" in names()
    ('JSONDecoder', True)
    >>> load("nosuch")
    Traceback (most recent call last):
    AttributeError: module 'json' has no attribute 'nosuch'
    """
    home_of = {name: home for home, names in homes.items() for name in names.split()}

    def load(name: str) -> Any:
        if name not in home_of:
            raise AttributeError(f"module {module!r} has no attribute {name!r}")
        value = getattr(import_module(f".{home_of[name]}", sys.modules[module].__package__), name)
        setattr(sys.modules[module], name, value)
        return value

    def names() -> list[str]:
        return sorted({*vars(sys.modules[module]), *home_of})

    return load, names
