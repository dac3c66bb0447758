"""An open table from types to rows, which heavy libraries join without being imported."""

from __future__ import annotations

from collections.abc import Callable
from itertools import accumulate
from threading import RLock

from .forks import renewed

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, TypeVar

    F = TypeVar("F")

__all__ = ["Dispatch"]

MOST = 10_000


class Dispatch(dict[type, "F"]):
    """Map a type to the row registered for it or for the nearest of its bases.

    ``table[T] is table[B]`` for the first ``B`` of ``T.__mro__`` with a row of its own.

    The dict holds the rows found so far, so that a type met before costs no more than a look-up in a dict.

    :param default: takes a type that has no row, and returns one; without it, the look-up of such a type fails.
    :raises KeyError: at look-up, when neither the type nor any of its bases has a row, and there is no default.

    >>> names = Dispatch()
    >>> @names.register(int)
    ... def name(obj): return "number"
    >>> names[bool] is name
    True

    See also: :func:`functools.singledispatch`, which cannot wait for a library to be imported.
    """

    def __init__(self, default: Callable[[type], F] | None = None) -> None:
        super().__init__()
        self._default = default
        self._rows: dict[type, F] = {}
        self._exact: dict[type, F] = {}
        self._lazy: dict[str, list[Callable[[], object]]] = {}
        # A thread must not look up a type whose rows another thread is still loading. What loads them may import what
        # another thread imports just now, which then waits for no lock but that of its own table.
        self._lock: RLock
        self._loading: set[str]
        renewed(self, "_lock", RLock)
        renewed(self, "_loading", set)

    def register(self, *types: type) -> Callable[[F], F]:
        """Make the decorated function the row of each of the types, and of their subclasses.

        What is registered last counts, so rows that join with the library of a type join before.
        """
        return self._binding(self._rows, types)

    def exact(self, *types: type) -> Callable[[F], F]:
        """Make the decorated function the row of each of the types, but not of their subclasses."""
        return self._binding(self._exact, types)

    def _binding(self, rows: dict[type, F], types: tuple[type, ...]) -> Callable[[F], F]:
        def bind(row: F) -> F:
            with self._lock:
                for kind in types:
                    self._load(kind)
                    self._exact.pop(kind, None)
                    rows[kind] = row
                self.clear()
            return row

        return bind

    def register_lazy(self, package: str, load: Callable[[], object]) -> None:
        """Call ``load`` once, when a type of ``package`` or a module in it is first looked up, after earlier loads.

        A load that raises is called again at the next look-up.
        """
        self._lazy.setdefault(package, []).append(load)
        self.clear()

    def get(self, kind: type, default: Any = None) -> Any:
        """Return the row for ``kind``, or ``default``."""
        try:
            return self[kind]
        except KeyError:
            return default

    def __missing__(self, kind: type) -> F:
        with self._lock:
            self._load(kind)
            row = self._search(kind)
            if len(self) >= MOST:  # classes made again and again, as in a notebook, are let go
                self.clear()
            if not self._loading:  # what is found meanwhile may yet change
                self[kind] = row
            return row

    def _load(self, kind: type) -> None:
        for base in kind.__mro__ if self._lazy else ():
            # Some types made by Cython have a descriptor as their __module__.
            for package in accumulate(str(base.__module__).split("."), "{}.{}".format):
                if self._lazy.get(package) and package not in self._loading:
                    self._load_waiting(package)

    def _load_waiting(self, package: str) -> None:
        waiting = self._lazy[package]
        try:
            self._loading.add(package)
            while waiting:
                waiting[0]()
                del waiting[0]  # only when its rows are there: an interrupt, or a fork, may come before
        finally:
            self._loading.discard(package)

    def _search(self, kind: type) -> F:
        if kind in self._exact:
            return self._exact[kind]
        for base in kind.__mro__:
            if base in self._rows:
                return self._rows[base]
        if self._default is None:
            raise KeyError(kind)
        return self._default(kind)
