"""Stores: where one result lies, as a handle that is cheap to pass around; the data come when they are loaded."""

from __future__ import annotations

import os
from contextlib import AbstractContextManager, nullcontext, suppress
from typing import TYPE_CHECKING, Any, ClassVar

from ..errors import StoreError
from ..typing import Key

if TYPE_CHECKING:
    from ..targets import Codec, FileTarget

__all__ = ["Filestore", "Held", "Store"]


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


class Filestore(Store):
    """Keep a result as a pickle file at a path: ``pickle.load(open(str(store), "rb"))`` reads it.

    The file is written beside its place and renamed into it, in folders that are made for it. A subclass may set
    another ``codec``, or bring ``save`` and ``load`` of its own for its file format.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     store = Filestore(f"{folder}/load/a")
    ...     store.save([1, 2])
    ...     (store.exists(), store.load(), os.listdir(f"{folder}/load"))
    (True, [1, 2], ['a'])

    See also: :class:`flowly_ckpt.targets.FileTarget`.
    """

    codec: ClassVar[Codec | None] = None

    def _target(self) -> tuple[FileTarget, Key]:
        from ..targets import FileTarget, plain_pickle

        folder, name = os.path.split(os.path.normpath(self.loc))
        target = FileTarget(folder or ".", lambda key: key[0], codec=self.codec or plain_pickle)
        return target, (name, "", "")

    def save(self, data: Any) -> None:
        """Write the file, whole or not at all."""
        target, key = self._target()
        target[key] = data

    def load(self) -> Any:
        """Return what the file holds.

        :raises FileNotFoundError: where there is none.
        :raises StoreError: where it cannot be read; it says why.
        """
        target, key = self._target()
        try:
            data = target.read_bytes(key)
        except KeyError:
            reason = "the task that makes it has not run, or its result was removed"
            raise FileNotFoundError(f"{self.loc} is not there: {reason}") from None
        try:
            return target.codec.loads(data)
        except Exception as error:  # unpickling damaged bytes may raise anything
            advice = "remove it, and the task that makes it runs again"
            raise StoreError(f"{self.loc} cannot be read ({type(error).__name__}: {error}); {advice}") from error

    def exists(self) -> bool:
        """Tell whether there is a file."""
        return os.path.isfile(self.loc)

    def claim(self) -> AbstractContextManager[Any]:
        """Hold the right to make this file; wait while another living process holds it."""
        target, key = self._target()
        return target.claim(key)

    def remove(self) -> None:
        """Remove the file, so that its task runs again; fine where there is none."""
        from .notes import path_of_note

        for path in (self.loc, path_of_note(self.loc)):
            with suppress(FileNotFoundError):
                os.unlink(path)

    def version(self) -> str | None:
        """Return a digest of the value where it was noted, else of the file's size and ends; None without a file."""
        from .notes import mark_of, read_note

        note = read_note(self)
        return (note.value if note is not None else "") or mark_of(self.loc)

    def note(self, text: str) -> None:
        """Keep a text beside the file, in a hidden one."""
        from .notes import write_beside

        write_beside(self.loc, text)

    def noted(self) -> str | None:
        """Return the text kept beside the file, if it is about the file that is there now."""
        from .notes import read_beside

        return read_beside(self.loc)
