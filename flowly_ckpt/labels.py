"""What an object looks like, in a few words that are kept beside a result; no code of the object's own runs."""

from __future__ import annotations

import os
from contextlib import suppress

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

__all__ = ["label", "shortened"]

LONGEST = 60
_ITEMS = 3
_SHOWN = (str, bytes, int, float, complex, bool, type(None))
_SHAPED = ("numpy", "pandas", "polars", "pyarrow", "scipy", "torch")
_SECRET = ("password", "passwd", "secret", "token", "credential", "api_key", "apikey", "private_key")


def label(obj: Any) -> str:
    """Describe an object in at most ``LONGEST`` letters: plain values by themselves, others by type and size.

    What stands in a mapping under a name such as ``password`` or ``token`` is not shown.

    >>> label("a.csv"), label([1, 2, 3, 4]), label({"path": "a.csv", "token": "x"})
    ("'a.csv'", '[1, 2, 3, …4]', "{'path': 'a.csv', 'token': …}")
    >>> label(range(10)), label(object())
    ('range of 10', 'object')
    """
    kind = type(obj)
    if kind is int and -(1 << 62) < obj < 1 << 62:
        return repr(obj)
    return shortened(_told(obj, 2))


def shortened(text: str, most: int = LONGEST) -> str:
    """Return a text, or the beginning of one that is too long.

    >>> shortened("abcdef", 4)
    'abc…'
    """
    return text if len(text) <= most else text[: most - 1] + "…"


def _told(obj: Any, depth: int) -> str:
    kind = type(obj)
    if kind in (str, bytes):
        return repr(obj if len(obj) <= LONGEST else obj[:LONGEST])
    if kind in _SHOWN:
        return repr(obj) if kind is not int or obj.bit_length() < 200 else f"int of {obj.bit_length()} bits"
    if depth and kind in (list, tuple, set, frozenset):
        return _items(obj, depth)
    if depth and kind is dict:
        pairs = list(zip(range(_ITEMS), obj.items()))
        told = [f"{_told(key, 0)}: {'…' if _is_secret(key) else _told(value, depth - 1)}" for _, (key, value) in pairs]
        return f"{{{', '.join(told)}{_rest(obj)}}}"
    if _is_path(kind) or (kind.__module__.startswith("flowly_ckpt.") and isinstance(obj, os.PathLike)):
        return _path(os.fspath(obj))
    return f"{kind.__name__}{_size(obj)}"


def _is_path(kind: type) -> bool:
    """Return whether objects of a type are paths of pathlib, which is slow to import."""
    return any(base.__name__ == "PurePath" and base.__module__.startswith("pathlib") for base in kind.__mro__)


def _path(path: str) -> str:
    shown = repr(path)
    if len(shown) <= LONGEST:
        return shown
    return repr(f"…{path[len(path) - LONGEST + 3 :]}")  # its end is what tells it from others


def _items(items: Any, depth: int) -> str:
    told = ", ".join([_told(item, depth - 1) for _, item in zip(range(_ITEMS), items)]) + _rest(items)
    first, last = "()" if isinstance(items, tuple) else "{}" if isinstance(items, (set, frozenset)) else "[]"
    return f"{first}{told}{last}"


def _rest(items: Any) -> str:
    return f", …{len(items)}" if len(items) > _ITEMS else ""


def _is_secret(key: Any) -> bool:
    return isinstance(key, str) and any(word in key.lower() for word in _SECRET)


def _size(obj: Any) -> str:
    """Return the shape of arrays and tables, the length of containers that are known; nothing else is asked."""
    module = type(obj).__module__.partition(".")[0]
    with suppress(Exception):  # it describes, and must not be what fails
        if module in _SHAPED:
            return f" {tuple(map(int, obj.shape))}"
        if module in ("builtins", "collections"):
            return f" of {len(obj)}"
    return ""
