"""How values become JSON and parts, and back: a table of types, a writer and a reader.

A number, a string, a truth value, ``null`` and a list stand for themselves; everything else is an object with one
member, named by its tag. So no text of a value is ever taken for anything but text.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from math import isfinite
from typing import Any, NamedTuple

from ...damage import DamagedError
from ..protocol import Bytes

__all__ = ["Reader", "Row", "Writer", "add_row"]

_PLAIN = frozenset({type(None), bool})
_LARGE = 1 << 200  # larger integers meet Python's bound on the digits it converts


class Row(NamedTuple):
    """How values of one type are written and read.

    :param tag: stands for the type in what is stored, and must keep its meaning.
    :param encode: returns JSON, given the value and a :class:`Writer`.
    :param decode: returns the value, given the JSON and a :class:`Reader`.

    >>> Row("complex", lambda z, to: [z.real, z.imag], lambda plain, of: complex(*plain)).encode(1j, None)
    [0.0, 1.0]
    """

    tag: str
    encode: Callable[[Any, Writer], Any]
    decode: Callable[[Any, Reader], Any]


_rows: dict[type, Row] = {}
_tagged: dict[str, type] = {}
waiting: dict[str, Callable[[], object]] = {}  # by package: adds its rows, when a type or tag of it is first met


def add_row(kind: type, row: Row) -> None:
    """Put a row into the table.

    :raises ValueError: when the tag stands for another type.

    >>> from flowly_ckpt.targets import tree
    >>> add_row(memoryview, Row("memoryview", lambda view, to: list(view), lambda plain, of: memoryview(bytes(plain))))
    >>> tree.loads(tree.dumps(memoryview(b"ab"))).tobytes()
    b'ab'
    """
    known = _tagged.get(row.tag, kind)
    if (known.__module__, known.__qualname__) != (kind.__module__, kind.__qualname__):
        raise ValueError(f"tag {row.tag!r} already belongs to {known.__qualname__}; choose another name")
    _rows[kind] = row
    _tagged[row.tag] = kind


def _load(name: str) -> None:
    package = name.partition(".")[0]
    load = waiting.get(package)
    if load is not None:
        load()
        waiting.pop(package, None)  # only now: another thread that comes meanwhile loads them too


class Writer:
    """Write values as JSON, and hand on as parts what does not belong in it.

    :param part: keeps the pieces of a part, and returns the number that stands for it.
    :param rows: rows that are looked up before those of the table.
    :param otherwise: the row for what cannot be written; without it that is an error.

    >>> parts = []
    >>> writer = Writer(lambda pieces: parts.append(pieces) or len(parts) - 1)
    >>> writer.write({(1, 2): [float("inf"), b"x" * 1000]}), len(parts)
    ({'dict': [[{'tuple': [1, 2]}, [{'float': 'inf'}, {'bytes': 0}]]]}, 1)

    See also: :class:`Reader`.
    """

    def __init__(
        self, part: Callable[[list[Bytes]], int], rows: Mapping[type, Row] | None = None, otherwise: Row | None = None
    ) -> None:
        self.part = part
        self._own = rows or {}
        self._otherwise = otherwise
        self._above: set[int] = set()
        self._way: list[str] = []

    def write(self, value: Any, step: str = "") -> Any:
        """Return the JSON of a value.

        :param step: how the value is reached from the one above, for the error.
        :raises TypeError: for a type without a row, or a value that contains itself; names the way to it.
        """
        kind = type(value)
        if kind in _PLAIN:
            return value
        if kind is str:
            return value if _is_text(value) else {"str": value.encode("utf-8", "surrogatepass").hex()}
        if kind is int:
            return value if -_LARGE < value < _LARGE else {"int": hex(value)}
        if kind is float:
            return value if isfinite(value) else {"float": repr(value)}
        if id(value) in self._above:
            raise _CycleError(f"tree cannot hold a value that contains itself, at {self._place()}{step}")
        self._above.add(id(value))
        self._way.append(step)
        try:
            return self._node(kind, value)
        except (TypeError, RecursionError) as error:
            is_part = len(self._way) > 1  # what contains itself or lies too deep can only be written as a whole
            if self._otherwise is None or (is_part and isinstance(error, (_CycleError, RecursionError))):
                raise
            return {self._otherwise.tag: self._otherwise.encode(value, self)}
        finally:
            self._way.pop()
            self._above.discard(id(value))

    def _place(self) -> str:
        return f"value{''.join(self._way)}"

    def _node(self, kind: type, value: Any) -> Any:
        if kind is list:
            return [self.write(item, f"[{place}]") for place, item in enumerate(value)]
        if kind is dict:
            if all(type(key) is str and _is_text(key) for key in value):
                return {"map": {key: self.write(item, f"[{key!r:.40}]") for key, item in value.items()}}
            pairs = [[self.write(key, ".keys()"), self.write(item, f"[{key!r:.40}]")] for key, item in value.items()]
            return {"dict": pairs}
        if kind not in _rows:
            _load(str(kind.__module__))
        row = self._own.get(kind) or _rows.get(kind)  # a base's row would make another type of it
        if row is None:
            raise TypeError(
                f"tree cannot encode {kind.__module__}.{kind.__qualname__}, at {self._place()}; "
                "register it with tree.register(type, encode, decode), or use the codec pickled"
            )
        return {row.tag: row.encode(value, self)}


def _is_text(value: str) -> bool:
    """Return whether a string has no surrogates, two of which JSON would join."""
    try:
        return value.isascii() or bool(value.encode())
    except UnicodeEncodeError:
        return False


class _CycleError(TypeError):
    pass


class Reader:
    """Read values from JSON and the parts beside it.

    :param part: returns the bytes that a number stands for.
    :param rows: rows that are looked up, by their tags, before those of the table.

    >>> Reader(memoryview).read({"tuple": [1, {"float": "nan"}]})
    (1, nan)

    See also: :class:`Writer`.
    """

    def __init__(self, part: Callable[[Any], memoryview], rows: Iterable[Row] = ()) -> None:
        self.part = part
        self._own = {row.tag: row for row in rows}

    def read(self, node: Any) -> Any:
        """Return the value of a node.

        :raises DamagedError: when it has none.
        """
        if type(node) is list:
            return [self.read(item) for item in node]
        if type(node) is not dict:
            return node
        if len(node) != 1:
            raise DamagedError(f"an object of {len(node)} members is not an encoded value")
        ((tag, inner),) = node.items()
        if tag == "map":
            return {key: self.read(item) for key, item in inner.items()}
        if tag == "dict":
            return {self.read(key): self.read(item) for key, item in inner}
        if tag == "str":
            return bytes.fromhex(inner).decode("utf-8", "surrogatepass")
        if tag == "int":
            return int(inner, 16)
        if tag == "float":
            return float(inner)
        if tag in self._own:
            return self._own[tag].decode(inner, self)
        if tag not in _tagged:
            _load(tag)
        if tag not in _tagged:
            raise DamagedError(f"it holds a {tag!r}, which is not registered here; tree.register adds a type")
        return _rows[_tagged[tag]].decode(inner, self)
