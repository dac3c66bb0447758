"""Rows for types of the standard library."""

from __future__ import annotations

import base64
from collections.abc import Callable
from typing import Any

from ...materialise import Materialised
from ...wrappers import Stamped
from .rows import Reader, Row, Writer, add_row, load_rows

__all__: list[str] = []

_SMALL = 128  # bytes; longer ones are parts


def _items(value: Any, to: Writer) -> Any:
    return [to.write(item, f"[{place}]") for place, item in enumerate(value)]


def _bytes(value: Any, to: Writer) -> Any:
    return base64.b64encode(value).decode() if len(value) <= _SMALL else to.part([value])


def _bytes_back(plain: Any, of: Reader) -> Any:
    return base64.b64decode(plain, validate=True) if type(plain) is str else of.part(plain)


def _add(kind: type, encode: Callable[[Any], Any], decode: Callable[[Any], Any]) -> None:
    tag = kind.__name__ if kind.__module__ == "builtins" else f"{kind.__module__}.{kind.__qualname__}"
    add_row(kind, Row(tag, lambda value, to: encode(value), lambda plain, of: decode(plain)))


def _add_sequence(kind: Any, tag: str) -> None:
    add_row(kind, Row(tag, _items, lambda plain, of: kind(of.read(plain))))


def _add_bytes(kind: Any, tag: str) -> None:
    add_row(kind, Row(tag, _bytes, lambda plain, of: kind(_bytes_back(plain, of))))


_add_sequence(tuple, "tuple")
_add_sequence(set, "set")
_add_sequence(frozenset, "frozenset")
_add_sequence(Materialised, "realised")
_add_bytes(bytes, "bytes")
_add_bytes(bytearray, "bytearray")
add_row(Stamped, Row("stamped", _items, lambda plain, of: Stamped(*of.read(plain))))
add_row(complex, Row("complex", lambda z, to: [to.write(z.real), to.write(z.imag)], lambda p, of: complex(*of.read(p))))
_add(range, lambda r: [r.start, r.stop, r.step], lambda plain: range(*plain))
_add(type(...), lambda _: 0, lambda plain: ...)


@load_rows("datetime")
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
    _add(dt.timezone, _offset, _timezone)


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


@load_rows("zoneinfo")
def _load_zoneinfo() -> None:
    from zoneinfo import ZoneInfo

    def key(zone: Any) -> str:
        if zone.key is None:
            raise TypeError("a ZoneInfo without a key")
        return str(zone.key)

    _add(ZoneInfo, key, ZoneInfo)


@load_rows("decimal")
def _load_decimal() -> None:
    from decimal import Decimal

    _add(Decimal, str, Decimal)


@load_rows("fractions")
def _load_fractions() -> None:
    from fractions import Fraction

    def back(plain: Any) -> Any:
        return Fraction(int(plain[0], 16), int(plain[1], 16))

    _add(Fraction, lambda f: [hex(f.numerator), hex(f.denominator)], back)


@load_rows("uuid")
def _load_uuid() -> None:
    from uuid import UUID

    _add(UUID, lambda value: value.hex, UUID)


@load_rows("pathlib")
def _load_pathlib() -> None:
    import pathlib

    def add(kind: Any, tag: str) -> None:
        add_row(kind, Row(tag, lambda path, to: str(path), lambda plain, of: kind(plain)))

    add(type(pathlib.Path()), "pathlib.Path")
    add(pathlib.PurePosixPath, "pathlib.PurePosixPath")
    add(pathlib.PureWindowsPath, "pathlib.PureWindowsPath")


@load_rows("collections")
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
