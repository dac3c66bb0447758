"""The table of rows: for each type, what counts of its objects, as a tag and a list of parts.

``expand(obj) == ROWS[type(obj)](obj) == (tag, parts)``
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from functools import partial
from types import FunctionType, MemberDescriptorType
from typing import Any

from ..dispatch import Dispatch
from ..errors import UnhashableError
from ..given import a_class, function, text

__all__ = ["LABELS", "ROWS", "Attrs", "Blob", "Later", "Reads", "expand", "refusing", "register", "register_lazy"]

Parts = tuple[bytes, list[Any]]
Row = Callable[[Any], Parts]
Labels = Callable[[Any, list[Any]], Sequence[str | None]] | tuple[str | None, ...]

OWN_WAYS = ("__flowly_hash__", "__reduce__", "__reduce_ex__")


class Rows(Dispatch[Row]):
    """Map a type to its row; a subclass with a reduction of its own (``__reduce__``, …) has that of ``object``.

    The row of an open base knows nothing of a subclass by others: its class, attributes and slots are added. To an
    object of the library's own types, only the attributes that somebody gave it are.
    """

    def __init__(self) -> None:
        super().__init__()
        self._open: dict[Row, Collection[str]] = {}

    def open(self, *types: type, without: Collection[str] = ()) -> Callable[[Row], Row]:
        """Make the decorated function the row of each of the types, and part of that of their subclasses.

        :param without: attributes that the row describes itself, or that say nothing of the content.
        """

        def bind(row: Row) -> Row:
            self._open[row] = without
            return self.register(*types)(row)

        return bind

    def _search(self, kind: type) -> Row:
        row = self._of_type(kind)
        if row not in self._open or kind in self._exact:
            return row
        base = next(base for base in kind.__mro__ if self._rows.get(base) is row)
        without = self._open[row]
        if package(base) == package(kind):
            return partial(with_own, row, without) if kind.__dictoffset__ else row

        def subclass(obj: Any) -> Parts:
            tag, parts = row(obj)
            return tag, [*parts, kind, own_attributes(obj, base, without)]

        return subclass

    def _of_type(self, kind: type) -> Row:
        if kind not in self._exact and not issubclass(kind, type):
            for base in kind.__mro__:
                if base in self._rows:
                    break
                if any(type(vars(base).get(way)) is FunctionType for way in OWN_WAYS):
                    return self._rows[object]
        return super()._search(kind)


def package(kind: type) -> str:
    return str(kind.__module__).partition(".")[0]


def with_own(row: Row, without: Collection[str], obj: Any) -> Parts:
    tag, parts = row(obj)
    given = hung_onto(obj, without)
    return tag, [*parts, Attrs(given)] if given else parts


def hung_onto(obj: Any, without: Collection[str] = ()) -> dict[str, Any]:
    """Return the attributes that somebody gave an object of a library's type; the library's begin with an underscore.

    >>> import types
    >>> hung_onto(types.SimpleNamespace(_cache={}, note=1))
    {'note': 1}
    """
    table = getattr(obj, "__dict__", None) or {}
    return {name: value for name, value in table.items() if name[:1] != "_" and name not in without}


def own_attributes(obj: Any, base: type, without: Collection[str] = ()) -> dict[str, Any] | None:
    """Return the attributes of an object, and the slots of its classes below a base; None if there are none."""
    found = dict(attributes(getattr(obj, "__dict__", None), without) or {})
    for cls in type(obj).__mro__:
        if cls is base:
            break
        for name, slot in vars(cls).items():
            if type(slot) is MemberDescriptorType and hasattr(obj, name):
                found[name] = slot.__get__(obj)
    return found or None


ROWS = Rows()
LABELS: dict[bytes, Labels] = {}
"""What errors and ``explain`` call the parts of a tag: names, or a function that returns them from object and parts.

An empty name, as for parts without a name, adds nothing to a path; a part named None is not shown.
"""


def expand(obj: Any, row: Row | None = None) -> Parts:
    """Return the tag of an object and its parts, by the row of its type.

    :param row: what that comes to for many objects of the type.
    :raises UnhashableError: also for whatever the row, or what it calls of a library or of the object, raises.

    >>> expand([1, 2])
    (b'<list>', [1, 2])
    """
    try:
        return (row or ROWS[type(obj)])(obj)
    except UnhashableError:
        raise
    except BaseException as error:
        raise refusing(obj, error) from error


def refusing(obj: Any, error: BaseException) -> BaseException:
    """Return the refusal that a foreign exception stands for; the exception itself where it is not about the object.

    >>> str(refusing([], ValueError("no")))
    'cannot hash list: its content cannot be read (ValueError: no); describe it with flowly_ckpt.hashing.register'
    """
    ours = package(type(obj)) == "flowly_ckpt" and type(obj) is not Blob  # FileContent raises OSError
    if ours or isinstance(error, MemoryError | RecursionError | UnhashableError):
        return error
    if not isinstance(error, Exception) and type(error).__name__ != "PanicException":  # Rust's, of polars
        return error
    reason = f"{type(error).__name__}: {error}".strip().partition("\n")[0][:200].rstrip(": ")
    advice = f"its content cannot be read ({reason}); describe it with flowly_ckpt.hashing.register"
    return UnhashableError(obj, (), advice)


def register(kind: type, parts: Callable[[Any], Any] | None = None) -> Any:
    """Define how objects of a type are hashed: by their class and the value that ``parts`` returns for them.

    :param kind: the type; its subclasses follow, unless they define ``__flowly_hash__`` or a reduction of their own.
    :param parts: takes an object, returns any value that can be hashed; without it, a decorator is returned.
    :return: ``parts``, or the decorator.

    >>> from flowly_ckpt import functional_hash
    >>> class Connection:
    ...     def __init__(self, url): self.url, self.socket = url, object()
    >>> @register(Connection)
    ... def content(connection): return connection.url
    >>> functional_hash(Connection("a")) == functional_hash(Connection("a"))
    True

    See also: a class of your own can define a method ``__flowly_hash__`` instead; :func:`register_lazy`.
    """
    a_class("kind", kind)
    if parts is None:
        return lambda function: register(kind, function)
    function("parts", parts, "an object")
    ROWS.register(kind)(lambda obj: (b"<registered>", [type(obj), parts(obj)]))
    return parts


def register_lazy(package: str, load: Callable[[], object]) -> None:
    """Have types of a package registered when the first object of one of them is hashed; nothing is imported before.

    :param package: the top-level package of the types, or of one of their bases.
    :param load: called once, without arguments, to register them.

    >>> def load():
    ...     from fractions import Fraction
    ...     register(Fraction, str)
    >>> register_lazy("fractions", load)

    See also: :func:`flowly_ckpt.hashing.register`.
    """
    function("load", load)
    ROWS.register_lazy(text("package", package), load)


def of_class(obj: Any, parts: list[Any]) -> Sequence[str]:
    return [f"class {getattr(parts[0], '__name__', '')!r}"]


LABELS[b"<registered>"] = of_class


class Mark(str):
    """Stand for something that has no value, as an empty cell or an undefined name."""

    __slots__ = ()


class Attrs(dict[Any, Any]):
    """Hold attributes or keyword arguments: a dict whose order does not count.

    >>> from flowly_ckpt import functional_hash
    >>> functional_hash(Attrs(a=1, b=2)) == functional_hash(Attrs(b=2, a=1))
    True
    """

    __slots__ = ()


def attributes(table: Mapping[str, Any] | None, without: Collection[str] = ()) -> Attrs | None:
    """Return the attributes in a table, without those of some names; None if there are none."""
    return Attrs({name: value for name, value in table.items() if name not in without}) or None if table else None


class Blob:
    """Hold raw bytes as chunks that are hashed as they come.

    >>> from flowly_ckpt import functional_hash
    >>> functional_hash(Blob([b"ab", b"c"])) == functional_hash(Blob([b"abc"]))
    True
    """

    __slots__ = ("chunks",)

    def __init__(self, chunks: Any) -> None:
        self.chunks = chunks


class Later:
    """Stand for an object that need not exist, or not yet: its tag and parts are made when it is its turn.

    >>> from flowly_ckpt import functional_hash
    >>> functional_hash(Later(lambda: (b"<list>", [1, 2]))) == functional_hash([1, 2])
    True
    """

    __slots__ = ("make",)

    def __init__(self, make: Callable[[], Parts]) -> None:
        self.make = make


class Reads(frozenset[str]):
    """Name what a function reads of functions and classes, as ``__doc__``: see :mod:`flowly_ckpt.hashing.shown`.

    >>> from flowly_ckpt import functional_hash
    >>> functional_hash(Reads({"__doc__"})) == functional_hash(Reads({"__name__"}))
    True
    """

    __slots__ = ()


@ROWS.exact(Mark)
def mark(name: Mark) -> Parts:
    return b"<mark>", [str(name)]


@ROWS.exact(Reads)
def reads(_: Reads) -> Parts:
    return b"<reads>", []


@ROWS.exact(Later)
def later(promise: Later) -> Parts:
    return promise.make()


@ROWS.exact(Attrs)
def attrs(table: Attrs) -> Parts:
    if all(type(name) is str for name in table):
        names = sorted(table)
        return b"<attrs>", [*names, *map(table.__getitem__, names)]
    return b"<unordered>", list(table.items())


LABELS[b"<attrs>"] = lambda table, parts: [None] * len(table) + [f".{name}" for name in sorted(table)]
