"""Rows of the tree codec: the standard library, and types of one's own."""

from __future__ import annotations

import base64
from collections.abc import Callable
from typing import Any

from .damage import DamagedError
from .facts import Stamped
from .iterators import Realised
from .trees import Reader, Row, Writer, _rows, add_row

__all__ = ["own_row"]

_SMALL = 128  # bytes; longer ones are parts


def own_row(kind: type, encode: Any, decode: Any, name: str) -> Row:
    """Return the row of a type of one's own.

    :raises TypeError: for a type that tells nothing of its parts, without the functions.

    >>> own_row(complex, lambda z: [z.real, z.imag], lambda plain: complex(*plain), "c").tag
    'c'
    """
    if encode is not None and decode is not None:
        return Row(name, lambda value, to: to.write(encode(value)), lambda plain, of: decode(of.read(plain)))
    from enum import Enum

    if issubclass(kind, Enum):
        return Row(name, lambda value, to: _member(value), lambda plain, of: kind[plain])
    fields = getattr(kind, "__dataclass_fields__", None)
    if fields is not None:
        return Row(name, _fields_of, lambda plain, of: _made(kind, of.read({"map": plain})))
    if issubclass(kind, tuple) and hasattr(kind, "_fields"):
        make: Callable[[Any], Any] = kind._make  # type: ignore[attr-defined]
        return Row(name, lambda value, to: [to.write(item) for item in value], lambda plain, of: make(of.read(plain)))
    raise TypeError(f"{kind.__qualname__} is no enum, dataclass or named tuple: give tree.register encode and decode")


def _member(value: Any) -> str:
    if value.name is None or type(value)[value.name] is not value:
        raise TypeError(f"{value!r} is no single member of its enum")
    return str(value.name)


def _fields_of(value: Any, to: Writer) -> Any:
    names = value.__dataclass_fields__
    state = getattr(value, "__dict__", None)
    extra = set(state or ()) - set(names)
    if extra:
        raise TypeError(f"{type(value).__qualname__} has more than its fields: {', '.join(sorted(extra))}")
    return {name: to.write(getattr(value, name), f".{name}") for name in names if hasattr(value, name)}


def _made(kind: type, fields: dict[str, Any]) -> Any:
    """Make a dataclass of its fields without running its constructor, as unpickling does."""
    value: Any = object.__new__(kind)
    known = kind.__dataclass_fields__  # type: ignore[attr-defined]
    for name, item in fields.items():
        if name not in known:
            raise DamagedError(f"{kind.__qualname__} has no field {name!r} any more")
        object.__setattr__(value, name, item)
    return value


def _items(value: Any, to: Writer) -> Any:
    return [to.write(item, f"[{place}]") for place, item in enumerate(value)]


def _bytes(value: Any, to: Writer) -> Any:
    return base64.b64encode(value).decode() if len(value) <= _SMALL else to.part([value])


def _bytes_back(plain: Any, of: Reader) -> Any:
    return base64.b64decode(plain, validate=True) if type(plain) is str else of.part(plain)


def _add(kind: type, encode: Callable[[Any], Any], decode: Callable[[Any], Any]) -> None:
    tag = kind.__name__ if kind.__module__ == "builtins" else f"{kind.__module__}.{kind.__qualname__}"
    add_row(kind, Row(tag, lambda value, to: encode(value), lambda plain, of: decode(plain)))


def _add_items(kind: Callable[[Any], Any]) -> None:
    add_row(kind, Row(kind.__name__, _items, lambda plain, of: kind(of.read(plain))))  # type: ignore[arg-type]


def _add_bytes(kind: Callable[[Any], Any]) -> None:
    add_row(kind, Row(kind.__name__, _bytes, lambda plain, of: kind(_bytes_back(plain, of))))  # type: ignore[arg-type]


for _sequence in (tuple, set, frozenset):
    _add_items(_sequence)
for _data in (bytes, bytearray):
    _add_bytes(_data)
add_row(
    Realised,
    Row("realised", lambda value, to: _items(value.items, to), lambda plain, of: Realised(tuple(of.read(plain)))),
)
add_row(Stamped, Row("stamped", _items, lambda plain, of: Stamped(*of.read(plain))))
add_row(complex, Row("complex", lambda z, to: [to.write(z.real), to.write(z.imag)], lambda p, of: complex(*of.read(p))))
_add(range, lambda r: [r.start, r.stop, r.step], lambda plain: range(*plain))
_add(type(...), lambda _: 0, lambda plain: ...)


def _load_datetime() -> None:
    import datetime as dt

    def zone(value: Any, to: Writer) -> Any:
        return [value.replace(tzinfo=None, fold=0).isoformat(), value.fold, to.write(value.tzinfo, ".tzinfo")]

    def zone_back(kind: Any) -> Callable[[Any, Reader], Any]:
        return lambda p, of: kind.fromisoformat(p[0]).replace(fold=p[1], tzinfo=of.read(p[2]))

    for kind in (dt.datetime, dt.time):
        add_row(kind, Row(f"datetime.{kind.__name__}", zone, zone_back(kind)))
    _add(dt.date, dt.date.isoformat, dt.date.fromisoformat)
    _add(dt.timedelta, lambda d: [d.days, d.seconds, d.microseconds], lambda plain: dt.timedelta(*plain))
    _add(dt.timezone, lambda zone: _offset(zone), lambda p: _timezone(p))


def _offset(zone: Any) -> Any:
    offset = zone.utcoffset(None)
    name = zone.tzname(None)
    plain = type(zone)(offset).tzname(None) == name
    return [offset.days, offset.seconds, offset.microseconds, None if plain else name]


def _timezone(plain: Any) -> Any:
    import datetime as dt

    *offset, name = plain
    found = dt.timezone(dt.timedelta(*offset)) if name is None else dt.timezone(dt.timedelta(*offset), name)
    return dt.UTC if found == dt.UTC and name is None else found


def _load_zoneinfo() -> None:
    from zoneinfo import ZoneInfo

    def key(zone: Any) -> str:
        if zone.key is None:
            raise TypeError("a ZoneInfo without a key")
        return str(zone.key)

    _add(ZoneInfo, key, ZoneInfo)


def _load_decimal() -> None:
    from decimal import Decimal

    _add(Decimal, str, Decimal)


def _load_fractions() -> None:
    from fractions import Fraction

    def back(plain: Any) -> Any:
        return Fraction(int(plain[0], 16), int(plain[1], 16))

    _add(Fraction, lambda f: [hex(f.numerator), hex(f.denominator)], back)


def _load_uuid() -> None:
    from uuid import UUID

    _add(UUID, lambda value: value.hex, UUID)


def _load_pathlib() -> None:
    import pathlib

    def add(kind: Any, tag: str) -> None:
        add_row(kind, Row(tag, lambda path, to: str(path), lambda plain, of: kind(plain)))

    add(type(pathlib.Path()), "pathlib.Path")
    add(pathlib.PurePosixPath, "pathlib.PurePosixPath")
    add(pathlib.PureWindowsPath, "pathlib.PureWindowsPath")


def _load_collections() -> None:
    import collections

    add_row(
        collections.OrderedDict,
        Row("collections.OrderedDict", _pairs, lambda p, of: collections.OrderedDict(of.read(p))),
    )
    add_row(collections.Counter, Row("collections.Counter", _pairs, lambda p, of: _counter(of.read(p))))
    add_row(collections.deque, Row("collections.deque", lambda q, to: [q.maxlen, _items(q, to)],
                                   lambda p, of: collections.deque(of.read(p[1]), p[0])))  # fmt: skip


def _pairs(value: Any, to: Writer) -> Any:
    return [[to.write(key), to.write(item, f"[{key!r:.40}]")] for key, item in value.items()]


def _counter(pairs: Any) -> Any:
    import collections

    counter: Any = collections.Counter()
    for key, count in pairs:
        dict.__setitem__(counter, key, count)
    return counter


def _load_numpy() -> None:
    from . import treearrays  # noqa: F401


def _load_pandas() -> None:
    from .treetables import load_pandas

    load_pandas()


def _load_polars() -> None:
    from .treetables import load_polars

    load_polars()


def _load_pyarrow() -> None:
    from .treetables import load_pyarrow

    load_pyarrow()


for _package, _load in {
    "datetime": _load_datetime, "zoneinfo": _load_zoneinfo, "decimal": _load_decimal, "_decimal": _load_decimal,
    "_pydecimal": _load_decimal, "fractions": _load_fractions, "uuid": _load_uuid, "pathlib": _load_pathlib,
    "collections": _load_collections, "numpy": _load_numpy, "pandas": _load_pandas, "polars": _load_polars,
    "pyarrow": _load_pyarrow,
}.items():  # fmt: skip
    _rows.register_lazy(_package, _load)
