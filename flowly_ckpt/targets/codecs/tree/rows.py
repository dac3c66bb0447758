"""How values become JSON and parts, and back: a table of types, a writer and a reader.

A number, a string, a truth value, ``null`` and a list stand for themselves; everything else is an object with one
member, named by its tag. So no text of a value is ever taken for anything but text.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping
from math import isfinite
from typing import Any, NamedTuple

from ....hashing.rows import hung_onto
from ...budget import Budget
from ...damage import DamagedError
from ..protocol import Bytes

__all__ = ["Reader", "Row", "Writer", "add_row", "refuse_more"]

_PLAIN = frozenset({type(None), bool})
_UNFINISHED = object()
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


def refuse_more(obj: Any, without: Collection[str] = ()) -> None:
    """Refuse an object of a library that somebody hung attributes onto.

    >>> from types import SimpleNamespace
    >>> try: refuse_more(SimpleNamespace(note=1))
    ... except TypeError as error: print(error)
    SimpleNamespace has attributes of its own: note; use the codec pickled
    """
    if given := hung_onto(obj, without):
        raise TypeError(
            f"{type(obj).__qualname__} has attributes of its own: {', '.join(given)}; use the codec pickled"
        )


def _load(name: str) -> None:
    package = name.partition(".")[0]
    load = waiting.get(package)
    if load is not None:
        load()
        waiting.pop(package, None)  # only now: another thread that comes meanwhile loads them too


class Writer:
    """Write one value as JSON, and hand on as parts what does not belong in it.

    A container that is met again is written once, and referred to: see :meth:`write`. What is a key is always written
    in full, so that the time its hash takes is bounded by the length of what is stored.

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
        self._met: dict[int, tuple[Any, Any]] = {}  # by id: a container, which keeps the id its own, and its JSON
        self._again: dict[int, int] = {}  # by the id of the JSON of what was met again: its number
        self._keys = 0  # how many keys we are in
        self._way: list[str] = []

    def write(self, value: Any, step: str = "") -> Any:
        """Return the JSON of a value.

        What several places hold stands in a table, ``{"shared": [table, node]}``, and ``{"ref": number}`` in its
        places.

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
        known = self._met.get(id(value))
        if known is not None:
            if known[1] is _UNFINISHED:
                raise _CycleError(f"tree cannot hold a value that contains itself, at {self._place()}{step}")
            if not self._keys:
                return {"ref": self._again.setdefault(id(known[1]), len(self._again))}
        before = len(self._met)
        self._met[id(value)] = (value, _UNFINISHED)
        self._way.append(step)
        try:
            node = self._node(kind, value)
        except (TypeError, RecursionError) as error:
            while len(self._met) > before:
                self._met.popitem()  # what was written below it is not used
            is_part = len(self._way) > 1  # what contains itself or lies too deep can only be written as a whole
            if self._otherwise is None or (is_part and isinstance(error, (_CycleError, RecursionError))):
                raise
            return {self._otherwise.tag: self._otherwise.encode(value, self)}
        finally:
            self._way.pop()
        if not self._keys:
            self._met[id(value)] = (value, node)
        elif known is None:
            del self._met[id(value)]
        else:
            self._met[id(value)] = known
        return node if self._way else self._finished(node)

    def key(self, value: Any) -> Any:
        """Return the JSON of what will be hashed: a key of a dict, an item of a set."""
        self._keys += 1
        try:
            return self.write(value, ".keys()")
        finally:
            self._keys -= 1

    def pairs(self, mapping: Mapping[Any, Any]) -> list[Any]:
        """Return the JSON of the keys and values of a mapping."""
        return [[self.key(key), self.write(item, f"[{key!r:.40}]")] for key, item in mapping.items()]

    def _finished(self, node: Any) -> Any:
        """Return the JSON of the whole value, with what was met again in a table; and be ready for another."""
        again, table = self._again, [None] * len(self._again)
        self._met, self._again = {}, {}

        def settled(node: Any) -> Any:
            number = again.get(id(node))
            if type(node) is list:
                new: Any = [settled(inner) for inner in node]
            elif type(node) is dict:
                new = {name: settled(inner) for name, inner in node.items()}
            else:
                return node
            if number is None:
                return new
            table[number] = new
            return {"ref": number}

        return {"shared": [table, settled(node)]} if again else node

    def _place(self) -> str:
        return f"value{''.join(self._way)}"

    def _node(self, kind: type, value: Any) -> Any:
        if kind is list:
            return [self.write(item, f"[{place}]") for place, item in enumerate(value)]
        if kind is dict:
            if all(type(key) is str and _is_text(key) for key in value):
                return {"map": {key: self.write(item, f"[{key!r:.40}]") for key, item in value.items()}}
            return {"dict": self.pairs(value)}
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
    """Read one value from JSON and the parts beside it, within a budget.

    :param part: returns the bytes that a number stands for.
    :param budget: what reading may cost; what a row makes without having its bytes, it takes from there.
    :param rows: rows that are looked up, by their tags, before those of the table.

    >>> Reader(memoryview, Budget(100)).read({"tuple": [1, {"float": "nan"}]})
    (1, nan)

    See also: :class:`Writer`.
    """

    def __init__(self, part: Callable[[Any], memoryview], budget: Budget, rows: Iterable[Row] = ()) -> None:
        self.budget = budget
        self._part = part
        self._own = {row.tag: row for row in rows}
        self._table: list[Any] | None = None
        self._shared: dict[int, Any] = {}
        self._keys = 0

    def part(self, number: Any) -> memoryview:
        """Return the bytes of a part.

        :raises DamagedError: where there is none, or parts are named again and again.
        """
        found = self._part(number)
        self.budget.take(len(found), f"part {number}")
        return found

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
            return dict(self.pairs(inner))
        if tag == "ref":
            return self._referred(inner)
        if tag == "shared":
            return self._with_table(*inner)
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

    def items(self, nodes: Any) -> list[Any]:
        """Return the values of a list of nodes; what else could be iterated over, such as a range, is none."""
        if type(nodes) is not list:
            raise DamagedError(f"{type(nodes).__name__} in the place of a list")
        return [self.read(node) for node in nodes]

    def keys(self, nodes: Any) -> list[Any]:
        """Return the values of nodes that will be hashed."""
        self._keys += 1
        try:
            found = self.items(nodes)
        finally:
            self._keys -= 1
        self.budget.step(_comparisons(found), "finding keys whose hashes are equal")
        return found

    def pairs(self, nodes: Any) -> list[tuple[Any, Any]]:
        """Return the keys and values of what :meth:`Writer.pairs` wrote."""
        return list(zip(self.keys([key for key, _ in nodes]), self.items([item for _, item in nodes])))

    def _with_table(self, table: Any, node: Any) -> Any:
        if self._table is not None or type(table) is not list:
            raise DamagedError("what is shared stands in one table")
        self._table = table
        return self.read(node)

    def _referred(self, number: Any) -> Any:
        if self._keys or self._table is None or type(number) is not int or not 0 <= number < len(self._table):
            raise DamagedError(f"{number!r} refers to nothing")
        if number not in self._shared:
            self._shared[number] = _UNFINISHED
            self._shared[number] = self.read(self._table[number])
        if self._shared[number] is _UNFINISHED:
            raise DamagedError("a value contains itself")
        return self._shared[number]


def _comparisons(keys: list[Any]) -> int:
    """Return how many comparisons a set or dict of these keys takes, about."""
    try:
        hashes = list(map(hash, keys))
    except TypeError:
        return 0  # none will be made
    if len(set(hashes)) == len(hashes):
        return 0
    return sum(count * count for count in Counter(hashes).values())
