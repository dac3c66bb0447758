"""Files that are results by where they lie, whoever wrote them and under whatever key."""

from __future__ import annotations

import os

from ...typing import Facts, Key
from ..codecs import Bytes
from ..filesystem import read_file
from ..folder_lock import held_folder
from ..provenance import provenance_of
from . import FileTarget

__all__ = ["NamedByPlace"]


class NamedByPlace(FileTarget):
    """A folder of results that are named by where they lie: a file is the entry of every key with its path.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     target = NamedByPlace(folder, lambda key: "state")
    ...     target["by one name", "", ""] = 6
    ...     target["by another", "", ""]
    6
    """

    def is_of(self, key: Key, path: str, data: Bytes | None = None) -> bool:
        """Return True, whatever key it was stored under and whoever wrote it."""
        return True

    def note(self, key: Key, facts: Facts) -> None:
        """Write the facts of an entry into its sidecar; the file may be of other origin.

        :raises OSError: where there is no file.
        """
        path = self.path(key)
        with held_folder(os.path.dirname(path)):
            made = self.made_at(path)
            if made is None:
                data, created = read_file(path), os.stat(path).st_mtime
                made = provenance_of(key, "", [data], len(data), created, facts)
            self.record(path, made._replace(key=key, seconds=facts.seconds, made_from=facts.made_from))
