"""An open table from types to functions, which heavy libraries join without being imported."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Generic, TypeVar

__all__ = ["Dispatch"]

F = TypeVar("F", bound=Callable[..., Any])


class Dispatch(Generic[F]):
    """Map a type to the function registered for it or for the nearest of its bases.

    ``table[T] is table[B]`` for the first ``B`` of ``T.__mro__`` with a row of its own.

    :raises KeyError: at look-up, when neither the type nor any of its bases has a row.

    >>> names = Dispatch()
    >>> @names.register(int)
    ... def name(obj): return "number"
    >>> names[bool] is name
    True

    See also: :func:`functools.singledispatch`, which cannot wait for a library to be imported.
    """

    def __init__(self) -> None:
        self._rows: dict[type, F] = {}
        self._found: dict[type, F] = {}
        self._lazy: dict[str, Callable[[], object]] = {}

    def register(self, *types: type) -> Callable[[F], F]:
        """Make the decorated function the row of each of the types."""

        def bind(function: F) -> F:
            self._rows.update(dict.fromkeys(types, function))
            self._found.clear()
            return function

        return bind

    def register_lazy(self, package: str, load: Callable[[], object]) -> None:
        """Call ``load`` once, when a type of the top-level ``package`` is first looked up."""
        self._lazy[package] = load

    def __getitem__(self, kind: type) -> F:
        try:
            return self._found[kind]
        except KeyError:
            return self._search(kind)

    def get(self, kind: type, default: Any = None) -> Any:
        """Return the row for ``kind``, or ``default``."""
        try:
            return self[kind]
        except KeyError:
            return default

    def _search(self, kind: type) -> F:
        mro = kind.__mro__
        for base in mro:
            load = self._lazy.pop(str(base.__module__).partition(".")[0], None)
            if load is not None:
                load()
        for base in mro:
            if base in self._rows:
                self._found[kind] = self._rows[base]
                return self._found[kind]
        raise KeyError(kind)
