"""What the command line opens: a DiskTarget, a cache of recipes, or the files that any folder store has recorded."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Any

from ..errors import StoreError
from ..given import address_of
from ..recipes.folder import FOLDER as RECIPES
from ..recipes.folder import CacheTarget
from ..targets import DiskTarget, FileTarget, codec_named
from ..targets.disk.folder import check_folder
from ..targets.facts import Selection
from ..targets.key_names import path_of_key
from ..targets.protocol import BaseTarget
from ..targets.provenance import FOLDER, read_sidecar
from ..typing import Bytes, Key

__all__ = ["RecordedFiles", "open_store"]


class RecordedFiles(FileTarget):
    """A folder store whose naming is not known: its sidecars say which files it has written, and under which keys.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     FileTarget(folder, lambda key: f"{key[1]}.pkl")["a", "fit", "f"] = [1]
    ...     list(RecordedFiles(folder).items())
    [(('a', 'fit', 'f'), [1])]
    """

    def __init__(self, root: str | os.PathLike[str]) -> None:
        super().__init__(root, lambda key: self._paths.get(key) or path_of_key(key))
        self._paths: dict[Key, str] = {}

    def _listed(self, chosen: Selection) -> Iterator[tuple[Key, str]]:
        for key, path in super()._listed(chosen):
            self._paths[key] = path
            yield key, path

    def key_at(self, path: str) -> Key | None:
        made = read_sidecar(path)
        return None if made is None else made.key

    def is_of(self, key: Key, path: str, data: Bytes | None = None) -> bool:
        return True  # the path was found by its sidecar

    def path(self, key: Key) -> str:
        if key not in self._paths:
            self._paths.update(self._listed(Selection()))
        return super().path(key)

    def stores(self) -> list[str]:
        """Return the folders of the stores that have files here, as far as the files' names tell; else their own."""
        found = set()
        for key, path in self._listed(Selection()):
            head, _, tail = path.rpartition(os.sep + path_of_key(key).replace("/", os.sep))
            found.add(head if head and os.sep not in tail else os.path.dirname(path))
        return sorted(found)

    def decode(self, key: Key, data: Bytes) -> Any:
        made = self.made(key)
        return (self.codec if made is None else codec_named(made.codec)).loads(data)


def open_store(path: str) -> BaseTarget:
    """Open the store at a path.

    :raises StoreError: when there is none; nothing is touched.

    >>> open_store("/no/such/folder")
    Traceback (most recent call last):
        ...
    flowly_ckpt.errors.StoreError: /no/such/folder: no store at this path
    """
    if address := address_of(path):
        advice = f"in Python, RemoteTarget({address!r}) has entries(), stats(), clear_where() and verify()"
        raise StoreError(f"{address}: the command line opens folders of this machine; {advice}")
    path = os.path.abspath(os.path.expanduser(path))
    missing = StoreError(f"{path}: no store at this path")
    if not os.path.isdir(path):
        raise missing
    if os.path.basename(path) == RECIPES:
        return CacheTarget(path)
    try:
        if check_folder(path):
            return DiskTarget(path)
    except StoreError as error:
        missing = error
    if any(FOLDER in folders for _, folders, _ in os.walk(path)):
        return RecordedFiles(path)
    raise missing
