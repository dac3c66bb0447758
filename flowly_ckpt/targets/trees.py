"""The codec without pickle: JSON, with arrays, bytes and tables in parts beside it. Loading it cannot run code.

A number, a string, a truth value, ``null`` and a list stand for themselves; everything else is an object with one
member, named by its tag. So no text of a value is ever taken for anything but text.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from math import isfinite
from typing import Any, NamedTuple

from ..dispatch import Dispatch
from .buffers import Bytes, frame, layout
from .damage import DamagedError

__all__ = ["Reader", "Row", "Tree", "Writer", "add_row", "tree"]

MAGIC = b"FLOWTREE"
_PLAIN = frozenset({type(None), bool, str})
_LARGE = 1 << 200  # larger integers meet Python's bound on the digits it converts


class Row(NamedTuple):
    """Tell how values of a type are written and read: under a tag, by what JSON can hold.

    :param tag: stands for the type in what is stored, and must keep its meaning.
    :param encode: of the value and a :class:`Writer`: gives the JSON.
    :param decode: of the JSON and a :class:`Reader`: gives the value.

    >>> Row("complex", lambda z, to: [z.real, z.imag], lambda plain, of: complex(*plain)).encode(1j, None)
    [0.0, 1.0]
    """

    tag: str
    encode: Callable[[Any, Writer], Any]
    decode: Callable[[Any, Reader], Any]


_rows: Dispatch[Any] = Dispatch()
_tags: dict[str, Row] = {}


def add_row(kind: type, row: Row) -> None:
    """Put a row into the table; the tag may only be taken by the same type.

    :raises ValueError: when the tag stands for another type.

    >>> add_row(memoryview, Row("memoryview", lambda view, to: list(view), lambda plain, of: memoryview(bytes(plain))))
    >>> tree.loads(tree.dumps(memoryview(b"ab"))).tobytes()
    b'ab'
    """
    known = next((known for known, other in _rows._rows.items() if other.tag == row.tag), kind)
    if (known.__module__, known.__qualname__) != (kind.__module__, kind.__qualname__):
        raise ValueError(f"tag {row.tag!r} already stands for {known.__qualname__}; give another name")
    _rows.register(kind)(row)
    _tags[row.tag] = row


class Writer:
    """Write values as JSON, and keep what does not belong in it as parts.

    >>> writer = Writer()
    >>> writer.write({(1, 2): [float("inf"), b"x" * 1000]}), len(writer.parts)
    ({'dict': [[{'tuple': [1, 2]}, [{'float': 'inf'}, {'bytes': 0}]]]}, 1)
    """

    def __init__(self) -> None:
        self.parts: list[list[Bytes]] = []
        self._above: set[int] = set()
        self._way: list[str] = []

    def part(self, pieces: list[Bytes]) -> int:
        """Keep bytes beside the JSON; return the number that stands for them there."""
        self.parts.append(pieces)
        return len(self.parts) - 1

    def write(self, value: Any, step: str = "") -> Any:
        """Return the JSON of a value.

        :param step: how it is come to from the one above, for the error.
        :raises TypeError: for a type that has no row, or a value that contains itself; tells the way to it.
        """
        kind = type(value)
        if kind in _PLAIN:
            return value
        if kind is int:
            return value if -_LARGE < value < _LARGE else {"int": hex(value)}
        if kind is float:
            return value if isfinite(value) else {"float": repr(value)}
        self._way.append(step)
        if id(value) in self._above:
            raise TypeError(f"tree cannot hold a value that contains itself, at {self._place()}")
        self._above.add(id(value))
        node = self._node(kind, value)
        self._above.discard(id(value))
        self._way.pop()
        return node

    def _place(self) -> str:
        return f"value{''.join(self._way)}"

    def _node(self, kind: type, value: Any) -> Any:
        if kind is list:
            return [self.write(item, f"[{place}]") for place, item in enumerate(value)]
        if kind is dict:
            if all(type(key) is str for key in value):
                return {"map": {key: self.write(item, f"[{key!r:.40}]") for key, item in value.items()}}
            pairs = [[self.write(key, ".keys()"), self.write(item, f"[{key!r:.40}]")] for key, item in value.items()]
            return {"dict": pairs}
        row = _rows.get(kind)
        if row is None or kind not in _rows._rows:  # a base's row would make another type of it
            raise TypeError(
                f"tree has no form for {kind.__module__}.{kind.__qualname__}, at {self._place()}; "
                "tree.register(type, encode, decode) gives it one, the codec pickled takes it as it is"
            )
        return {row.tag: row.encode(value, self)}


class Reader(NamedTuple):
    """Read values from JSON and the parts beside it.

    >>> Reader([]).read({"tuple": [1, {"float": "nan"}]})
    (1, nan)
    """

    parts: list[memoryview]

    def part(self, number: Any) -> memoryview:
        """Return the bytes that a number stands for; they lie in what is read, and are only touched when used."""
        if type(number) is not int or not 0 <= number < len(self.parts):
            raise DamagedError(f"there is no part {number!r}")
        return self.parts[number]

    def read(self, node: Any) -> Any:
        """Return the value of a node.

        :raises DamagedError: when it is none.
        """
        if type(node) is list:
            return [self.read(item) for item in node]
        if type(node) is not dict:
            return node
        if len(node) != 1:
            raise DamagedError(f"an object of {len(node)} members is no value")
        ((tag, inner),) = node.items()
        if tag == "map":
            return {key: self.read(item) for key, item in inner.items()}
        if tag == "dict":
            return {self.read(key): self.read(item) for key, item in inner}
        if tag == "int":
            return int(inner, 16)
        if tag == "float":
            return float(inner)
        return _row_of(tag).decode(inner, self)


def _row_of(tag: str) -> Row:
    if tag not in _tags:
        load = _rows._lazy.pop(tag.partition(".")[0], None)
        if load is not None:
            load()
    if tag not in _tags:
        raise DamagedError(f"it holds a {tag!r}, which nothing here reads; tree.register makes it known")
    return _tags[tag]


class Tree(NamedTuple):
    """Encode without pickle what a table of types describes; the one codec that is safe on bytes of strangers.

    ``tree.loads(tree.dumps(value)) == value``, types included

    None, bool, int, float, complex, str, bytes, list, tuple, set, dict with any such key, range, dates and times,
    Decimal, Fraction, UUID, Path; arrays and scalars of numpy; tables of pandas, polars and pyarrow; enums,
    dataclasses, named tuples and own types once they are registered. Objects that are shared come back apart.

    :raises TypeError: at ``dumps``, for a type that has no form; tells the way to the value.

    >>> tree.loads(tree.dumps({"a": (1, {2}), 3: float("inf"), "b": b"x"}))
    {'a': (1, {2}), 3: inf, 'b': b'x'}

    See also: :class:`flowly_ckpt.targets.Signed`.
    """

    name: str = "tree"
    runs_code: bool = False

    def parts(self, value: Any) -> list[Bytes]:
        """Encode without copying arrays."""
        writer = Writer()
        text = json.dumps(writer.write(value), separators=(",", ":"), allow_nan=False).encode()
        return frame(MAGIC, text, writer.parts) if writer.parts else [text]

    def dumps(self, value: Any) -> bytes:
        """Encode a value."""
        return b"".join(self.parts(value))

    def loads(self, data: Bytes) -> Any:
        """Decode; arrays lie in ``data`` where it is writable: of a mapped file, a part is read when it is touched."""
        view = memoryview(data)
        if view[:8] != MAGIC:
            return Reader([]).read(json.loads(bytes(view)))
        stream, spans = layout(view)
        if view.readonly:
            view = memoryview(bytearray(view))
        return Reader([view[span] for span in spans]).read(json.loads(bytes(view[stream])))

    def register(
        self,
        kind: type,
        encode: Callable[[Any], Any] | None = None,
        decode: Callable[[Any], Any] | None = None,
        *,
        name: str | None = None,
    ) -> type:
        """Give a type a form: an enum, a dataclass or a named tuple by itself, another by a pair of functions.

        :param encode: gives a value that ``tree`` knows, of the object.
        :param decode: makes the object of that value.
        :param name: stands for the type in what is stored; by default its module and qualified name.
        :returns: the type, so that it can be used as a decorator.
        :raises TypeError: for another kind of type without the functions.
        :raises ValueError: when the name stands for another type.

        >>> from typing import NamedTuple
        >>> @tree.register
        ... class Point(NamedTuple):
        ...     x: int
        >>> tree.loads(tree.dumps([Point(1)]))
        [Point(x=1)]
        """
        from .treerows import own_row

        add_row(kind, own_row(kind, encode, decode, name or f"{kind.__module__}:{kind.__qualname__}"))
        return kind


tree = Tree()

from . import treerows  # noqa: E402, F401  the rows of the standard library
