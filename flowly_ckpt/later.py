"""Names of a module that are loaded when they are first asked for."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from importlib import import_module
from typing import Any

__all__ = ["later"]


def later(module: str, homes: Mapping[str, str]) -> tuple[Callable[[str], Any], Callable[[], list[str]]]:
    """Return ``__getattr__`` and ``__dir__`` of a module some of whose names are loaded when they are first asked for.

    So are the modules that define them, where they lie in it: ``flowly_ckpt.targets`` needs no import of its own.

    :param module: the name of the module.
    :param homes: the modules that define them, as seen from its package, each with its names.

    >>> load, names = later("json", {"decoder": "JSONDecoder py_scanstring", "tool": "main"})
    >>> load("JSONDecoder").__name__, load("tool").__name__, "py_scanstring" in names()
    ('JSONDecoder', 'json.tool', True)
    >>> load("nosuch")
    Traceback (most recent call last):
    AttributeError: module 'json' has no attribute 'nosuch'
    """
    home_of = {name: home for home, names in homes.items() for name in names.split()}

    def load(name: str) -> Any:
        own = sys.modules[module]
        if name in home_of:
            value = getattr(import_module(f".{home_of[name]}", own.__package__), name)
            setattr(own, name, value)
            return value
        if name in homes and own.__package__ == module:
            return import_module(f".{name}", module)
        raise AttributeError(f"module {module!r} has no attribute {name!r}")

    def names() -> list[str]:
        return sorted({*vars(sys.modules[module]), *home_of})

    return load, names
