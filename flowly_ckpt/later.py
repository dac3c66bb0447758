"""What is loaded when it is needed: names that others ask a module for, and functions that it calls itself."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from importlib import import_module
from threading import get_ident

from .forks import Gate

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import ModuleType
    from typing import Any

__all__ = ["later", "on_call"]

# What a thread is importing at a fork, the child would find locked for ever.
_loading = Gate()
# Tests undo imports, as mock.patch.dict(sys.modules) does: what is loaded then belongs to what was imported before.
_ours: dict[str, ModuleType] = {}


def _load(home: str, package: str | None) -> ModuleType:
    if get_ident() in _loading.inside:  # by what is being loaded
        return import_module(home, package)
    with _loading:
        if __name__ not in sys.modules:
            sys.modules.update(_ours)
        known = len(sys.modules)
        module = import_module(home, package)
        _note_ours(known)
        return module


def _note_ours(known: int = 0) -> None:
    for name in [*sys.modules][known:]:
        if name == __package__ or name.startswith(f"{__package__}."):
            _ours[name] = sys.modules[name]


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
    own = sys.modules[module]
    home_of = {name: home for home, names in homes.items() for name in names.split()}

    def load(name: str) -> Any:
        if name in home_of:
            value = getattr(_load(f".{home_of[name]}", own.__package__), name)
            setattr(own, name, value)
            return value
        if name in homes and own.__package__ == module:
            return _load(f".{name}", module)
        raise AttributeError(f"module {module!r} has no attribute {name!r}")

    def names() -> list[str]:
        return sorted({*vars(own), *home_of})

    _note_ours()
    return load, names


def on_call(module: str, homes: Mapping[str, str]) -> None:
    """Put stand-ins into a module for functions and classes that it only calls; the first call loads the real one.

    The real one takes the place of its stand-in then, so that later calls cost nothing more.

    :param module: the name of the module.
    :param homes: the modules that define them, as seen from its package, each with its names.

    >>> import json
    >>> on_call("json", {".tool": "main"})
    >>> stand_in = json.main
    >>> try:
    ...     json.main(1, 2, 3)
    ... except TypeError:
    ...     json.main is stand_in, json.main is json.tool.main
    (False, True)
    >>> del json.main

    See also: :func:`later`, for names that others import from a module.
    """
    own = sys.modules[module]

    def stand_in(home: str, name: str) -> Callable[..., Any]:
        def load(*args: Any, **kwargs: Any) -> Any:
            value = getattr(_load(home, own.__package__), name)
            setattr(own, name, value)
            return value(*args, **kwargs)

        return load

    for home, names in homes.items():
        for name in names.split():
            setattr(own, name, stand_in(home, name))
