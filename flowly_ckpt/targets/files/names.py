"""Which file is a key's, and which key a file has by its name: inside one folder, and never beyond a link."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from ...errors import StoreError
from ...typing import Key
from ..facts import key_given
from ..key_names import key_of_path, path_of_key
from ..provenance import FOLDER

__all__ = ["FileNames", "KeyOf", "PathOf"]

PathOf = Callable[[Key], "str | Path"]
KeyOf = Callable[[Path], "Key | None"]


class FileNames(NamedTuple):
    """How the files below a folder are named.

    :param root: the folder.
    :param path_of: returns the file of a key; by default the key itself, quoted.
    :param key_of: returns the key of a file, None if it is not known.
    :param suffix: ends the default names.

    >>> names = FileNames("/results", suffix=".pkl")
    >>> names.path(("a", "fit", "f")).replace(os.sep, "/"), names.key("/results/fit/a.f.pkl")
    ('/results/fit/a.f.pkl', ('a', 'fit', 'f'))
    """

    root: str
    path_of: PathOf | None = None
    key_of: KeyOf | None = None
    suffix: str = ""

    @property
    def are_keys(self) -> bool:
        """Whether a name tells the whole key, so that no two keys have one file."""
        return self.path_of is None

    def path(self, key: Key) -> str:
        """Return where the file of a key lies, whether it is there or not.

        :raises StoreError: when that is outside the root, or inside by name and outside by a link.
        """
        key_given(key)
        name = self.path_of(key) if self.path_of is not None else path_of_key(key) + self.suffix
        if not isinstance(name, str | os.PathLike):
            raise TypeError(f"path_of must return a path, got {name!r:.60} for the key {key}")
        path = os.path.normpath(os.path.join(self.root, name))
        inside = self.root if self.root.endswith(os.sep) else self.root + os.sep
        real = os.path.realpath(self.root)
        hidden = FOLDER in path[len(inside) :].split(os.sep)
        if not path.startswith(inside) or hidden or os.path.commonpath([real, _real(path)]) != real:
            raise StoreError(
                f"{self.root}: the entry {key} would be at {name}, outside the folder; choose another path"
            )
        return path

    def key(self, path: str) -> Key | None:
        """Return the key that a file has by its default name, or None."""
        name = self._relative(path).as_posix()
        if not self.are_keys or not name.endswith(self.suffix):
            return None
        return key_of_path(name[: len(name) - len(self.suffix)])

    def key_told(self, path: str) -> Key | None:
        """Return the key that ``key_of`` tells of a file, or None."""
        return None if self.key_of is None else self.key_of(self._relative(path))

    def _relative(self, path: str) -> Path:
        return Path(os.path.relpath(path, self.root))


def _real(path: str) -> str:
    """Resolve the links of a path; of an entry itself only where it is one, since writing replaces the link."""
    return os.path.join(os.path.realpath(os.path.dirname(path)), os.path.basename(path))
