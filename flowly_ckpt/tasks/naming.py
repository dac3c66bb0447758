"""Names made from arguments: for templates that end in a folder, and for what is noted about a result."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

from .nesting import replaced
from .notes import digest
from .stores import Store

__all__ = ["argument_digests", "name_from"]

_SHORT = 60  # letters of one argument; and twice as many of all together
_READABLE = " +@()'"
_WRITTEN = (str, int, float, bool, type(None), os.PathLike)


def name_from(funcname: str, arguments: Mapping[str, Any]) -> str:
    """Return a readable file name for a call: its arguments, or what they digest to where they are long.

    >>> name_from("square", {"n": 3, "unit": "m/s"}), name_from("load", {})
    ('n=3,unit=m%2Fs', 'load')
    >>> len(name_from("load", {"rows": list(range(1000))}))
    17
    """
    from urllib.parse import quote

    if not arguments:
        return funcname
    parts = [f"{name}={quote(_short(value), _READABLE, errors='surrogatepass')}" for name, value in arguments.items()]
    text = ",".join(parts)
    return text if len(text) <= 2 * _SHORT else f"{funcname}-{digest(arguments)[:12]}"


def _short(value: Any) -> str:
    text = (repr if _looks_otherwise(value) else str)(value) if isinstance(value, _WRITTEN) else ""
    return text if text and len(text) <= _SHORT else digest(value)[:12] or type(value).__name__


def _looks_otherwise(value: Any) -> bool:
    """Tell whether a text would look like a number or a constant."""
    if not isinstance(value, str):
        return False
    try:
        float(value)
    except ValueError:
        return value in ("None", "True", "False") or value.startswith("'")
    return True


def argument_digests(arguments: Mapping[str, Any]) -> dict[str, str]:
    """Return digests of arguments by name; a store counts as what it holds, and what cannot be told is empty.

    >>> sorted(argument_digests({"n": 3, "f": open}))
    ['f', 'n']
    """
    return {name: _digest(value) for name, value in arguments.items()}


def _digest(value: Any) -> str:
    try:
        return digest(replaced(value, Store, _version))
    except LookupError:
        return ""


def _version(store: Store) -> tuple[str, str]:
    version = store.version()
    if version is None:
        raise LookupError(store)
    return ("store", version)
