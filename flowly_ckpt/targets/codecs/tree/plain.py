"""Forms of types of the standard library."""

from __future__ import annotations

import base64
from functools import partial
from importlib import import_module
from typing import Any

from ...damage import DamagedError
from ...facts import Stamped
from ...materialise import Materialised
from .rows import Reader, Row, Writer, add_row, waiting

__all__: list[str] = []

_SMALL = 128  # bytes; longer ones are parts


def _items(value: Any, to: Writer) -> Any:
    return [to.write(item, f"[{place}]") for place, item in enumerate(value)]


def _items_back(kind: Any, plain: Any, of: Reader) -> Any:
    return kind(of.items(plain))


def _keys(value: Any, to: Writer) -> Any:
    return [to.key(item) for item in value]


def _keys_back(kind: Any, plain: Any, of: Reader) -> Any:
    return kind(of.keys(plain))


def _pairs(value: Any, to: Writer) -> Any:
    if vars(value):
        raise TypeError(f"the attributes {', '.join(vars(value))} of a {type(value).__name__} cannot be encoded")
    return to.pairs(value)


def _pairs_back(kind: Any, plain: Any, of: Reader) -> Any:
    return kind(of.pairs(plain))


def _counter_back(kind: Any, plain: Any, of: Reader) -> Any:
    counter = kind()
    for key, count in of.pairs(plain):
        dict.__setitem__(counter, key, count)
    return counter


def _fraction_back(kind: Any, plain: Any, of: Reader) -> Any:
    """Make a fraction of what is in lowest terms already; to look for a common divisor takes long for long numbers."""
    fraction = object.__new__(kind)
    fraction._numerator, fraction._denominator = (int(text, 16) for text in plain)
    if fraction._denominator < 1:
        raise DamagedError("a fraction has no positive denominator")
    return fraction


def _bytes(value: Any, to: Writer) -> Any:
    return base64.b64encode(value).decode() if len(value) <= _SMALL else to.part([value])


def _bytes_back(kind: Any, plain: Any, of: Reader) -> Any:
    return kind(base64.b64decode(plain, validate=True) if type(plain) is str else of.part(plain))


def _text(value: Any, to: Writer) -> Any:
    return str(value)


def _call(kind: Any, plain: Any, of: Reader) -> Any:
    return kind(plain)


def _spread(kind: Any, plain: Any, of: Reader) -> Any:
    return kind(*plain)


def _moment(value: Any, to: Writer) -> Any:
    return [value.replace(tzinfo=None, fold=0).isoformat(), value.fold, to.write(value.tzinfo, ".tzinfo")]


def _moment_back(kind: Any, plain: Any, of: Reader) -> Any:
    return kind.fromisoformat(plain[0]).replace(fold=plain[1], tzinfo=of.read(plain[2]))


def _zone(zone: Any, to: Writer) -> Any:
    offset, name = zone.utcoffset(None), zone.tzname(None)
    is_plain = len(zone.__getinitargs__()) == 1
    return [offset.days, offset.seconds, offset.microseconds, None if is_plain else name]


def _zone_back(kind: Any, plain: Any, of: Reader) -> Any:
    from datetime import timedelta

    *offset, name = plain
    found = kind(timedelta(*offset)) if name is None else kind(timedelta(*offset), name)
    return kind.utc if found == kind.utc and name is None else found


def _uuid(value: Any, to: Writer) -> Any:
    return value.hex if value.is_safe.value is None else [value.hex, value.is_safe.value]


def _uuid_back(kind: Any, plain: Any, of: Reader) -> Any:
    if type(plain) is str:
        return kind(plain)
    from uuid import SafeUUID

    return kind(plain[0], is_safe=SafeUUID(plain[1]))


def _zone_key(zone: Any, to: Writer) -> str:
    if zone.key is None:
        raise TypeError("a ZoneInfo without a key cannot be encoded")
    return str(zone.key)


# By module and type: how a value is written, and how one is made of the type and what was written.
_FORMS: dict[str, dict[str, tuple[Any, Any]]] = {
    "builtins": {
        "tuple": (_items, _items_back),
        "set": (_keys, _keys_back),
        "frozenset": (_keys, _keys_back),
        "bytes": (_bytes, _bytes_back),
        "bytearray": (_bytes, _bytes_back),
        "complex": (lambda z, to: _items((z.real, z.imag), to), lambda kind, plain, of: kind(*of.items(plain))),
        "range": (lambda r, to: [r.start, r.stop, r.step], _spread),
    },
    "collections": {
        "OrderedDict": (_pairs, _pairs_back),
        "Counter": (_pairs, _counter_back),
        "deque": (lambda q, to: [q.maxlen, _items(q, to)], lambda kind, plain, of: kind(of.items(plain[1]), plain[0])),
    },
    "datetime": {
        "datetime": (_moment, _moment_back),
        "time": (_moment, _moment_back),
        "date": (_text, lambda kind, plain, of: kind.fromisoformat(plain)),
        "timedelta": (lambda d, to: [d.days, d.seconds, d.microseconds], _spread),
        "timezone": (_zone, _zone_back),
    },
    "decimal": {"Decimal": (_text, _call)},
    "fractions": {
        "Fraction": (
            lambda f, to: [hex(f.numerator), hex(f.denominator)],
            _fraction_back,
        )
    },
    "pathlib": {"Path": (_text, _call), "PurePosixPath": (_text, _call), "PureWindowsPath": (_text, _call)},
    "uuid": {"UUID": (_uuid, _uuid_back)},
    "zoneinfo": {"ZoneInfo": (_zone_key, _call)},
}


def _load(module: str) -> None:
    for name, (encode, decode) in _FORMS[module].items():
        kind = getattr(import_module(module), name)
        kind = type(kind()) if name == "Path" else kind  # it makes values of a subclass
        add_row(kind, Row(name if module == "builtins" else f"{module}.{name}", encode, partial(decode, kind)))


waiting.update({module: partial(_load, module) for module in _FORMS})
_load("builtins")
add_row(type(...), Row("ellipsis", lambda value, to: 0, lambda plain, of: ...))
add_row(
    Materialised,
    Row("realised", lambda value, to: _items(value.items, to), lambda plain, of: Materialised(tuple(of.items(plain)))),
)
add_row(Stamped, Row("stamped", _items, lambda plain, of: Stamped(*of.items(plain))))
