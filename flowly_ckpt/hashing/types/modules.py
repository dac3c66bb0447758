"""Modules that are used as values: installed ones by name and version, the user's by what is in them."""

from __future__ import annotations

from contextvars import ContextVar
from types import ModuleType
from typing import Any

from ...errors import UnhashableError
from ..code.origin import of_module
from ..code.references import loaded
from ..cycles import encode
from ..plain import is_plain
from ..rows import ROWS, Attrs, Mark, Parts
from ..walk import Walk

__all__: list[str] = []

_asking: ContextVar[tuple[str, ...]] = ContextVar("modules whose values are being tried")


@ROWS.register(ModuleType)
def module(obj: ModuleType) -> Parts:
    """A user's module counts by all that is in it, as nothing shows what is used of it."""
    name = obj.__name__
    origin = of_module(name)
    if origin.kind != "user":
        return b"<module>", [name, origin.label]
    held = {key: loaded(value) for key, value in vars(obj).items()}
    own = {key: value_of(name, key, value) for key, value in held.items() if counts(name, key, value)}
    return b"<user module>", [name, Attrs(own)]


def counts(module: str, name: str, value: Any) -> bool:
    """Return whether a value of a module counts; a private one, only if it is code or plain data, not a cache."""
    if name.startswith("__") and name.endswith("__"):
        return False
    if not name.startswith("_") or is_plain([value]):
        return True
    return callable(value) and getattr(value, "__module__", None) == module


def value_of(module: str, name: str, value: Any) -> Any:
    """Return what stands for a value: a name for another module, a mark for what cannot be hashed."""
    if issubclass(type(value), ModuleType):
        return Mark(f"module {value.__name__}")
    return value if is_plain([value]) or is_hashable(module, value) else Mark("unhashable")


def is_hashable(module: str, value: Any) -> bool:
    asking = _asking.get(())
    if module in asking:  # what leads back to the module being tried
        return True
    token = _asking.set((*asking, module))
    try:
        encode(Walk(), value)
    except UnhashableError:
        return False
    finally:
        _asking.reset(token)
    return True
