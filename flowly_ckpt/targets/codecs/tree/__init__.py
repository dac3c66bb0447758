"""The codec without pickle: JSON, with arrays, bytes and tables in parts beside it. Loading it cannot run code."""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import partial
from importlib import import_module
from typing import Any, NamedTuple

from ...budget import Budget
from ...damage import DamagedError, raised_as_damage
from ..frames import framed, unframed
from ..protocol import Bytes
from . import plain, tables
from .rows import Reader, Row, Writer, add_row, waiting

__all__ = ["Reader", "Row", "Tree", "Writer", "tree"]

_rows = plain, tables  # loaded for the rows that they register
MAGIC = b"FLOWTREE"  # no JSON starts so


class Tree(NamedTuple):
    """Encode without pickle, by a table of types; the one codec that is safe on untrusted bytes.

    ``tree.loads(tree.dumps(value)) == value``, types included

    None, bool, int, float, complex, str, bytes, list, tuple, set, dict with any such key, range, dates and times,
    Decimal, Fraction, UUID, Path; arrays and scalars of numpy; tables of pandas, polars and pyarrow; enums,
    dataclasses, named tuples and own types once they are registered. What is shared is written once, and comes back
    shared; but text, and what is inside of keys, is written out.

    :raises TypeError: at ``dumps``, for a type that has no form; names the way to the value.

    >>> tree.loads(tree.dumps({"a": (1, {2}), 3: float("inf"), "b": b"x"}))
    {'a': (1, {2}), 3: inf, 'b': b'x'}

    See also: :class:`flowly_ckpt.targets.Signed`.
    """

    name: str = "tree"
    runs_code: bool = False

    def parts(self, value: Any) -> list[Bytes]:
        """Encode without copying arrays."""
        parts: list[list[Bytes]] = []

        def keep(pieces: list[Bytes]) -> int:
            parts.append(pieces)
            return len(parts) - 1

        node = Writer(keep).write(value)
        return framed(MAGIC, json.dumps(node, separators=(",", ":"), allow_nan=False).encode(), parts)

    def dumps(self, value: Any) -> bytes:
        """Encode a value."""
        return b"".join(self.parts(value))

    def loads(self, data: Bytes) -> Any:
        """Decode; arrays lie in ``data`` where it is writable: of a mapped file, a part is read when it is touched.

        :raises DamagedError: for what ``dumps`` never makes, or what would take more than is stored.
        """
        with raised_as_damage("it is no encoded value"):
            return self._loads(data)

    def _loads(self, data: Bytes) -> Any:
        stream, parts = unframed(MAGIC, data)

        def part(number: Any) -> memoryview:
            if type(number) is not int or not 0 <= number < len(parts):
                raise DamagedError(f"part {number!r} is missing")
            return parts[number]

        return Reader(part, Budget(len(memoryview(data)))).read(json.loads(bytes(stream)))

    def register(
        self,
        kind: type,
        encode: Callable[[Any], Any] | None = None,
        decode: Callable[[Any], Any] | None = None,
        *,
        name: str | None = None,
    ) -> type:
        """Give a type a form: an enum, a dataclass or a named tuple by itself, another by a pair of functions.

        :param encode: returns a value that ``tree`` knows, given the object.
        :param decode: returns the object, given that value.
        :param name: names the type in what is stored; by default its module and qualified name.
        :return: the type, so that it can be used as a decorator.
        :raises TypeError: for another kind of type without the functions.
        :raises ValueError: when the name belongs to another type.

        >>> from typing import NamedTuple
        >>> @tree.register
        ... class Point(NamedTuple):
        ...     x: int
        >>> tree.loads(tree.dumps([Point(1)]))
        [Point(x=1)]
        """
        add_row(kind, _own_row(kind, encode, decode, name or f"{kind.__module__}:{kind.__qualname__}"))
        return kind


tree = Tree()
waiting["numpy"] = partial(import_module, f"{__name__}.arrays")


def _own_row(kind: type, encode: Any, decode: Any, name: str) -> Row:
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
        return Row(name, lambda value, to: [to.write(item) for item in value], lambda plain, of: make(of.items(plain)))
    raise TypeError(
        f"{kind.__qualname__} is not an enum, dataclass or named tuple: give tree.register encode and decode"
    )


def _member(value: Any) -> str:
    if value.name is None or type(value)[value.name] is not value:
        raise TypeError(f"{value!r} is not a single member of its enum")
    return str(value.name)


def _fields_of(value: Any, to: Writer) -> Any:
    names = [field.name for field in _fields(value)]
    state = getattr(value, "__dict__", None)
    extra = set(state or ()) - set(names)
    if extra:
        raise TypeError(f"{type(value).__qualname__} has more than its fields: {', '.join(sorted(extra))}")
    return {name: to.write(getattr(value, name), f".{name}") for name in names if hasattr(value, name)}


def _fields(of: Any) -> Any:
    from dataclasses import fields  # without class variables

    return fields(of)


def _made(kind: type, fields: dict[str, Any]) -> Any:
    """Make a dataclass of its fields without running its constructor, as unpickling does."""
    value: Any = object.__new__(kind)
    known = {field.name for field in _fields(kind)}
    for name, item in fields.items():
        if name not in known:
            raise DamagedError(f"{kind.__qualname__} has no field {name!r} any more")
        object.__setattr__(value, name, item)
    return value
