"""The results of tasks below a folder, as a target that can be listed and cleared."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path
from typing import Any

from ..targets import FileTarget
from ..typing import Key
from .filestore import Filestore
from .notes import path_of_note, read_note

__all__ = ["Results"]


class Results(FileTarget):
    """List what tasks have kept in files below a folder, and remove it; files of other origin are not touched.

    A key is the path below the folder, the task's name, and an empty text.

    :param root: the folder, ``gcontext.path`` as a rule.

    >>> import tempfile
    >>> from flowly_ckpt.tasks import task
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     square = task(target=f"{folder}/squares/{{n}}")(lambda n: n * n)
    ...     done = [square(n) for n in range(3)]
    ...     results = Results(folder)
    ...     (sorted(results)[2], results.clear_where(tag="<lambda>"), os.listdir(folder))
    (('squares/2', '<lambda>', ''), 3, [])

    See also: :func:`flowly_ckpt.checkpoint.clear_checkpoints`.
    """

    def __init__(self, root: str | os.PathLike[str], **options: Any) -> None:
        super().__init__(root, lambda key: key[0], self._key, **options)

    def __repr__(self) -> str:
        return f"Results({self.root!r})"

    @staticmethod
    def are_at(root: str | os.PathLike[str]) -> bool:
        """Tell whether tasks keep results in a folder or below.

        >>> Results.are_at("/no/such/folder")
        False
        """
        return any(".made" in folders for _, folders, _ in os.walk(root))

    def _key(self, path: Path) -> Key | None:
        """Return the key of a file that a task is noted to have made."""
        note = read_note(Filestore(os.path.join(self.root, path)))
        return None if note is None else (path.as_posix(), note.task, "")

    def __delitem__(self, key: Key) -> None:
        """Remove a result, what is noted about it, and the folders that are empty then."""
        path = self.path(key)
        note = path_of_note(path)
        with suppress(OSError):
            os.unlink(note)
        hidden = os.path.dirname(note)
        for folder in (os.path.join(hidden, ".claims"), hidden):
            with suppress(OSError):  # others are in use
                os.rmdir(folder)
        super().__delitem__(key)
