"""The table of rows: what of an object counts, by its type, as a tag and a list of parts."""

from __future__ import annotations

from collections.abc import Callable
from types import FunctionType
from typing import Any

from ..dispatch import Dispatch

__all__ = ["EXACT", "OPEN", "Attrs", "Blob", "Mark", "Parts", "Row", "exact", "find", "register_lazy"]

Parts = tuple[bytes, list[Any]]
Row = Callable[[Any], Parts]

OWN_WAYS = ("__flowly_hash__", "__reduce__", "__reduce_ex__")


_found: dict[type, Row] = {}


class Rows(Dispatch[Row]):
    """A table that can tell which types have a row of their own."""

    def owns(self, kind: type) -> bool:
        return kind in self._rows

    def get(self, kind: type, default: Any = None) -> Any:
        # The types that Cython makes have a descriptor where others have the name of their module.
        if all(type(base.__module__) is str for base in kind.__mro__):
            return super().get(kind, default)
        return default

    def register(self, *types: type) -> Callable[[Row], Row]:
        _found.clear()
        return super().register(*types)

    def register_lazy(self, package: str, load: Callable[[], object]) -> None:
        _found.clear()
        super().register_lazy(package, load)


EXACT: dict[type, Row] = {}
"""Rows for a type alone; a subclass is told by its reduction, which names the subclass and its state."""

OPEN = Rows()
"""Rows for a type and its subclasses; a subclass with a way of its own (`__reduce__`, …) keeps that."""


def register_lazy(package: str, load: Callable[[], object]) -> None:
    """Have types of a package registered when the first object of one of them is hashed; nothing is imported before.

    :param package: the top-level package of the types, or of a base of theirs.
    :param load: called once, without arguments; it registers.

    >>> register_lazy("fractions", lambda: None)

    See also: :func:`flowly_ckpt.hashing.register`.
    """
    OPEN.register_lazy(package, load)


class Mark(str):
    """Stand for something that has no value: an empty cell, an undefined name.

    >>> Mark("undefined")
    'undefined'
    """

    __slots__ = ()


class Attrs(dict[Any, Any]):
    """Hold attributes or keyword arguments: a dict whose order does not count.

    >>> from flowly_ckpt import functional_hash
    >>> functional_hash(Attrs(a=1, b=2)) == functional_hash(Attrs(b=2, a=1))
    True
    """

    __slots__ = ()


class Blob:
    """Hold raw bytes as chunks that are hashed as they come.

    >>> from flowly_ckpt import functional_hash
    >>> functional_hash(Blob([b"ab", b"c"])) == functional_hash(Blob([b"abc"]))
    True
    """

    __slots__ = ("chunks",)

    def __init__(self, chunks: Any) -> None:
        self.chunks = chunks


def exact(*kinds: type) -> Callable[[Row], Row]:
    """Make the decorated function the row of each of the types, but not of their subclasses.

    >>> exact in (None, exact)
    True
    """

    def bind(row: Row) -> Row:
        EXACT.update(dict.fromkeys(kinds, row))
        return row

    return bind


def find(kind: type, default: Row) -> Row:
    """Return the row for a type: its own, the nearest base's, or the default.

    >>> find(Mark, None).__name__
    'mark'
    """
    row = _found.get(kind)
    if row is None:
        row = search(kind, default)
        if len(_found) > 10_000:  # classes made again and again, as in a notebook, are let go
            _found.clear()
        _found[kind] = row
    return row


def search(kind: type, default: Row) -> Row:
    if issubclass(kind, type):
        return OPEN[type]
    row: Row | None = OPEN.get(kind)  # first, as this may load rows of either sort
    if row is None or kind in EXACT:
        return EXACT.get(kind) or default
    for base in kind.__mro__:
        if OPEN.owns(base):
            break
        if any(type(vars(base).get(way)) is FunctionType for way in OWN_WAYS):
            return default
    return row


@exact(Mark)
def mark(name: Mark) -> Parts:
    return b"<mark>", [str(name)]


@exact(Attrs)
def attrs(table: Attrs) -> Parts:
    if all(type(name) is str for name in table):
        names = sorted(table)
        return b"<attrs>", [*names, *map(table.__getitem__, names)]
    return b"<unordered>", list(table.items())
