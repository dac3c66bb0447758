"""What users give as options, checked where it is given: ages, sizes, numbers, switches, functions, folders.

Each takes the option's name and what was given for it, and returns what the program works with; ``None`` stays what it
is where :func:`optional` asks.
"""

from __future__ import annotations

import os
from collections.abc import Callable

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, TypeVar

    T = TypeVar("T")

__all__ = [
    "a_class", "address_of", "file", "folder", "function", "made", "new_file", "optional", "seconds", "size", "switch",
    "target_at", "text", "whole", "wrong",
]  # fmt: skip

_SECONDS: dict[str, float] = {
    "": 1, "ms": 0.001, "s": 1, "second": 1, "seconds": 1, "m": 60, "min": 60, "minute": 60, "minutes": 60,
    "h": 3600, "hour": 3600, "hours": 3600, "d": 86_400, "day": 86_400, "days": 86_400,
    "w": 604_800, "week": 604_800, "weeks": 604_800,
}  # fmt: skip
_BYTES: dict[str, float] = {
    "": 1, "b": 1, "k": 10**3, "kb": 10**3, "mb": 10**6, "gb": 10**9, "tb": 10**12,
    "kib": 1 << 10, "mib": 1 << 20, "gib": 1 << 30, "tib": 1 << 40, "m": 10**6, "g": 10**9, "t": 10**12,
}  # fmt: skip
_ADDRESS = r"([a-zA-Z][a-zA-Z0-9+.-]+):/+(?!/)"
_DATABASES = frozenset({"mariadb", "mysql", "postgres", "postgresql", "sqlite"})
_WITH_UNIT = r"\s*(\d[\d_]*\.?\d*|\.\d+)\s*([a-zA-Z]*)\s*"


def seconds(name: str, given: Any) -> float:
    """Return an age or a time to wait in seconds: a number, a timedelta, or text such as ``30d``, ``12h``, ``90s``.

    >>> from datetime import timedelta
    >>> seconds("max_age", "30d"), seconds("max_age", timedelta(hours=1)), seconds("max_age", 90)
    (2592000.0, 3600.0, 90)
    >>> seconds("max_age", -1)
    Traceback (most recent call last):
    ValueError: max_age must be a number of seconds, 0 or more, or text such as '30d', '12h', '90s', got -1
    """
    found: float = _amount(name, "seconds, 0 or more, or text such as '30d', '12h', '90s'", given, _SECONDS)
    return found


def size(name: str, given: Any) -> int:
    """Return a number of bytes: a number, or text such as ``10GB`` or ``512MiB``.

    >>> size("max_bytes", "10GB"), size("max_bytes", "1.5 kB"), size("max_bytes", 1e6)
    (10000000000, 1500, 1000000)
    >>> size("max_bytes", "many")
    Traceback (most recent call last):
    ValueError: max_bytes must be a number of bytes, 0 or more, or text such as '10GB', '512MiB', got 'many'
    """
    return int(_amount(name, "bytes, 0 or more, or text such as '10GB', '512MiB'", given, _BYTES))


def _amount(name: str, what: str, given: Any, units: dict[str, float]) -> Any:
    import re
    from datetime import timedelta
    from numbers import Real

    found = given
    if isinstance(given, timedelta) and units is _SECONDS:
        found = given.total_seconds()
    elif isinstance(given, str):
        parts = re.fullmatch(_WITH_UNIT, given)
        unit = parts[2] if parts else "?"
        factor = units.get(unit if units is _SECONDS else unit.lower())  # M may be meant for months
        found = -1 if parts is None or factor is None else float(parts[1]) * factor
    elif isinstance(given, bool) or not isinstance(given, Real):
        raise wrong(name, f"a number of {what}", given)
    if not 0 <= found < float("inf"):
        raise ValueError(f"{name} must be a number of {what}, got {given!r:.60}")
    return found


def whole(name: str, given: Any, least: int | None = None, most: int | None = None) -> int:
    """Return a whole number within bounds.

    >>> whole("jobs", 4, 1)
    4
    >>> whole("level", 99, 1, 22)
    Traceback (most recent call last):
    ValueError: level must be a whole number from 1 to 22, got 99
    """
    from numbers import Integral

    bounds = f", {least} or more" if most is None else f" from {least} to {most}"
    wanted = "a whole number" + ("" if least is None else bounds)
    if isinstance(given, bool) or not isinstance(given, Integral):
        raise wrong(name, wanted, given)
    number = int(given)
    if (least is not None and number < least) or (most is not None and number > most):
        raise ValueError(f"{name} must be {wanted}, got {given!r}")
    return number


def switch(name: str, given: Any) -> bool:
    """Return True or False, given as such or as 1 or 0; text is neither.

    >>> switch("durable", "no")
    Traceback (most recent call last):
    TypeError: durable must be True or False, got 'no'
    """
    from numbers import Integral

    if isinstance(given, bool) or (isinstance(given, Integral) and given in (0, 1)):
        return bool(given)
    if type(given).__module__ == "numpy" and type(given).__name__ in ("bool", "bool_"):
        return bool(given)
    raise wrong(name, "True or False", given)


def text(name: str, given: Any) -> str:
    """Return text.

    >>> text("suffix", 5)
    Traceback (most recent call last):
    TypeError: suffix must be a string, got 5
    """
    if not isinstance(given, str):
        raise wrong(name, "a string", given)
    return given


def function(name: str, given: Any, of: str = "") -> Callable[..., Any]:
    """Return what can be called; ``of`` says with what.

    >>> function("path_of", "name.pkl", "a key")
    Traceback (most recent call last):
    TypeError: path_of must be a function of a key, got 'name.pkl'
    """
    if not callable(given):
        raise wrong(name, f"a function of {of}" if of else "a function", given)
    made: Callable[..., Any] = given
    return made


def made(name: str, given: T, what: str) -> T:
    """Return an object that is wanted as such, and not its class.

    >>> made("codec", dict, "a codec")
    Traceback (most recent call last):
    TypeError: codec must be a codec, got the class dict; make one: dict(…)
    """
    if isinstance(given, type):
        raise TypeError(f"{name} must be {what}, got the class {given.__name__}; make one: {given.__name__}(…)")
    return given


def folder(name: str, given: Any) -> str:
    """Return the absolute path of a folder on this machine.

    >>> folder("path", "s3://bucket/results")
    Traceback (most recent call last):
    ValueError: path must be a folder of this machine, got 's3://bucket/results'; write RemoteTarget('s3://bucket/results')
    >>> folder("path", 5)
    Traceback (most recent call last):
    TypeError: path must be the path of a folder, got 5
    """
    try:
        path: str = os.fsdecode(given)
    except TypeError:
        raise wrong(name, "the path of a folder", given) from None
    if address := address_of(path):
        raise ValueError(f"{name} must be a folder of this machine, got {address!r}; write {target_at(address)}")
    if not path:
        raise ValueError(f"{name} is empty; write '.' for the working directory")
    return os.path.abspath(os.path.expanduser(path))


def file(name: str, given: Any, what: str = "the path of a file") -> str:
    """Return the path of a file on this machine as text, as it was given.

    >>> file("path", "a.csv")
    'a.csv'
    >>> file("path", "s3://bucket/a.csv")
    Traceback (most recent call last):
    ValueError: path must be a file of this machine, got 's3://bucket/a.csv'; fetch it first
    """
    try:
        path: str = os.fsdecode(given)
    except TypeError:
        raise wrong(name, what, given) from None
    if "://" in path and (address := address_of(path)):
        raise ValueError(f"{name} must be a file of this machine, got {address!r}; fetch it first")
    return path


def new_file(name: str, given: Any) -> str:
    """Return the path of a file that is to be written, in a folder that is there.

    >>> new_file("path", "nosuch/page.html")
    Traceback (most recent call last):
    ValueError: there is no folder 'nosuch' for path; create it first
    """
    path = file(name, given)
    if os.path.isdir(path):
        raise ValueError(f"{name} {path!r} is a folder; write the path of a file")
    place = os.path.dirname(path)
    if place and not os.path.isdir(place):
        raise ValueError(f"there is no folder {place!r} for {name}; create it first")
    return path


def a_class(name: str, given: Any) -> type:
    """Return a class.

    >>> a_class("kind", "Model")
    Traceback (most recent call last):
    TypeError: kind must be a class, got 'Model'
    """
    if not isinstance(given, type):
        raise wrong(name, "a class", given)
    return given


def address_of(path: str) -> str:
    """Return the address that a path stands for, else an empty string; a Path has lost one of the slashes.

    >>> address_of("s3://bucket/x"), address_of("s3:/bucket/x"), address_of("results"), address_of("C:/results"), address_of("/net/s3://x")
    ('s3://bucket/x', 's3://bucket/x', '', '', '')
    """
    if ":/" not in path:
        return ""
    import re

    parts = re.match(_ADDRESS, path)
    if parts is None or "://" in path:
        return path if parts else ""
    return f"{parts[1]}://{path[parts.end() :]}"


def target_at(address: str) -> str:
    """Return how the target at an address is written.

    >>> target_at("s3://bucket/x"), target_at("sqlite:///results.db")
    ("RemoteTarget('s3://bucket/x')", "SqlTarget('sqlite:///results.db')")
    """
    scheme = address.partition(":")[0].partition("+")[0]
    return f"{'SqlTarget' if scheme in _DATABASES else 'RemoteTarget'}({address!r})"


def optional(check: Callable[..., T], name: str, given: Any, *more: Any) -> T | None:
    """Return what a check returns, and None for None.

    >>> optional(size, "max_bytes", None), optional(size, "max_bytes", "1kB")
    (None, 1000)
    """
    return None if given is None else check(name, given, *more)


def wrong(name: str, wanted: str, given: Any) -> TypeError:
    """Return the error for an option of a wrong type.

    >>> wrong("jobs", "a whole number", "4")
    TypeError("jobs must be a whole number, got '4'")
    """
    return TypeError(f"{name} must be {wanted}, got {given!r:.60}")
