"""Stores: where one result lies, as a handle that is cheap to pass around; the data come when they are loaded."""

from __future__ import annotations

import os
from contextlib import AbstractContextManager, nullcontext
from typing import Any

__all__ = ["Held", "Store"]


class Store:
    """Be a place for one result, known by its location; a subclass says how it is saved and loaded.

    ``store.save(x); store.load() == x``

    :param loc: where the result lies: a path, a row's key, a URL, whatever the subclass makes of it.

    >>> rows = {}
    >>> class Row(Store):
    ...     def save(self, data): rows[self.loc] = data
    ...     def load(self): return rows[self.loc]
    >>> row = Row("working/load/a")
    >>> row.exists(), row.save([1, 2]), row.exists(), row.load(), str(row)
    (False, None, True, [1, 2], 'working/load/a')

    See also: :class:`Filestore`, :func:`flowly_ckpt.tasks.task`.
    """

    def __init__(self, loc: str | os.PathLike[str]) -> None:
        self.loc = os.fspath(loc)

    def save(self, data: Any) -> None:
        """Keep the data at the location."""
        raise NotImplementedError(f"{type(self).__name__} does not say how data are saved; give it a method save(data)")

    def load(self) -> Any:
        """Return the data kept at the location; raise LookupError or FileNotFoundError where there are none."""
        raise NotImplementedError(f"{type(self).__name__} does not say how data are loaded; give it a method load()")

    def exists(self) -> bool:
        """Tell whether there are data at the location; by loading them, where the subclass knows no cheaper way."""
        try:
            self.load()
        except (LookupError, FileNotFoundError):
            return False
        return True

    def claim(self) -> AbstractContextManager[Any]:
        """Hold the right to make this result, among processes; without meaning where the subclass gives it none."""
        return nullcontext()

    def version(self) -> str | None:
        """Return a text that changes with what is stored, None where nothing is; by default the location alone."""
        return self.loc

    def note(self, text: str) -> None:
        """Keep a text about how the data were made; by default it is not kept."""

    def noted(self) -> str | None:
        """Return what was noted about the data that are there now, or None."""
        return None

    def __str__(self) -> str:
        return self.loc

    def __fspath__(self) -> str:
        return self.loc

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.loc})"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Store) and type(other) is type(self) and other.loc == self.loc

    def __hash__(self) -> int:
        return hash((type(self), self.loc))

    def __flowly_hash__(self) -> Any:
        """Count as what is stored, so that a step that is given a store runs again when its content changes."""
        return self.load()


class Held(Store):
    """Hold data that could not be saved, so that the tasks after it still get them.

    >>> Held("working/load/a", [1]).load()
    [1]
    """

    def __init__(self, loc: str, data: Any) -> None:
        super().__init__(loc)
        self.data = data

    def load(self) -> Any:
        """Return the data."""
        return self.data

    def exists(self) -> bool:
        """Tell that nothing is stored."""
        return False

    def version(self) -> str | None:
        """Return None: nothing is stored."""
        return None
