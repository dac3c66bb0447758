"""Files as stores: one readable pickle at the path that a template gave."""

from __future__ import annotations

import os
from contextlib import AbstractContextManager, suppress
from typing import Any, ClassVar

from ..errors import StoreError
from ..targets import Codec, FileTarget, plain_pickle
from ..targets.claims import Claims
from ..typing import Key
from .notes import mark_of, path_of_note, read_beside, read_note, write_beside
from .stores import Store

__all__ = ["Filestore"]


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

    codec: ClassVar[Codec] = plain_pickle

    def _target(self) -> tuple[FileTarget, Key]:
        folder, name = os.path.split(os.path.normpath(self.loc))
        target = FileTarget(folder or ".", lambda key: key[0], codec=self.codec)
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
        folder, name = os.path.split(os.path.abspath(path_of_note(self.loc)))
        return Claims(os.path.join(folder, ".claims")).claim((name, "", ""))

    def remove(self) -> None:
        """Remove the file, so that its task runs again; fine where there is none."""
        for path in (self.loc, path_of_note(self.loc)):
            with suppress(FileNotFoundError):
                os.unlink(path)

    def version(self) -> str | None:
        """Return a digest of the value where it was noted, else of the file's size and ends; None without a file."""
        note = read_note(self)
        return (note.value if note is not None else "") or mark_of(self.loc)

    def note(self, text: str) -> None:
        """Keep a text beside the file, in a hidden one."""
        write_beside(self.loc, text)

    def noted(self) -> str | None:
        """Return the text kept beside the file, if it is about the file that is there now."""
        return read_beside(self.loc)
