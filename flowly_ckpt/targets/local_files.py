"""Objects that are files of this machine, behind the part of fsspec's interface that stores of objects use."""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any

from ..typing import Bytes
from .filesystem import (
    collect_temporaries,
    create_file,
    open_file,
    read_file,
    read_into,
    refuse_links,
    remove_file,
    replace_file,
)

__all__ = ["LocalFiles"]


class LocalFiles:
    """Files below a folder, by the rules of all stores: whole or not at all, private, no link or pipe followed.

    Paths are whole, as fsspec gives them.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     files = LocalFiles(folder)
    ...     files.pipe({f"{folder}/a/b": b"content"})
    ...     files.cat_ranges([f"{folder}/a/b"], 0, 4), [path[len(folder):] for path in files.find(folder)]
    ([bytearray(b'cont')], ['/a/b'])
    """

    def __init__(self, root: str) -> None:
        self.root = root

    def invalidate_cache(self, path: str = "") -> None:
        """Do nothing: nothing is remembered."""

    def cat_ranges(self, paths: Iterable[str], start: Any, end: int | None, on_error: str = "return") -> list[Any]:
        """Return the contents from the beginning, an error in the place of each that cannot be read."""
        return [self._read(path, end) for path in paths]

    def _read(self, path: str, end: int | None) -> Bytes | Exception:
        try:
            refuse_links(path, self.root)
            if end is None:
                return read_file(path)
            descriptor = open_file(path)
            try:
                return read_into(descriptor, min(end, os.fstat(descriptor).st_size))
            finally:
                os.close(descriptor)
        except OSError as error:
            is_no_file = error.errno in (errno.EINVAL, errno.ELOOP)  # a pipe or a link counts as absent
            return FileNotFoundError(str(error)) if is_no_file else error

    def pipe(self, contents: Mapping[str, bytes]) -> None:
        """Write files, each whole."""
        for path, data in contents.items():
            refuse_links(path, self.root)
            replace_file(path, [data])

    def pipe_file(self, path: str, data: bytes, mode: str = "create") -> None:
        """Write a file unless there is one.

        :raises FileExistsError: when there is.
        """
        refuse_links(path, self.root)
        if not create_file(path, [data]):
            raise FileExistsError(path)

    def info(self, path: str) -> dict[str, Any]:
        """Return whether a path is a file, or something else, and its size in bytes.

        :raises FileNotFoundError: when there is nothing.
        """
        facts = os.lstat(path)
        return {"type": "file" if stat.S_ISREG(facts.st_mode) else "other", "size": facts.st_size}

    def modified(self, path: str) -> datetime:
        """Return when a file was written last.

        :raises FileNotFoundError: when there is none.
        """
        return datetime.fromtimestamp(os.lstat(path).st_mtime, UTC)

    def find(self, folder: str) -> Iterator[str]:
        """Yield the files in a folder and below, in no order."""
        folders = [folder]
        while folders:
            place = folders.pop()
            with suppress(OSError), os.scandir(place) as entries:
                for entry in entries:
                    if entry.is_dir(follow_symlinks=False):
                        folders.append(f"{place}/{entry.name}")
                    elif entry.is_file(follow_symlinks=False):
                        yield f"{place}/{entry.name}"

    def rm(self, paths: Sequence[str]) -> None:
        """Remove files; those that are not there are none the less gone."""
        for path in paths:
            try:
                self.rm_file(path)
            except FileNotFoundError:
                continue

    def rm_file(self, path: str) -> None:
        """Remove a file, and the folders above that are empty then, below the one of all.

        :raises FileNotFoundError: when there is none.
        """
        refuse_links(path, self.root)
        remove_file(path, self.root)

    def collect(self, older_than: float) -> list[int]:
        """Remove what killed writers left so many seconds ago; return the sizes in bytes."""
        return [size for _, size in collect_temporaries(self.root, older_than)]
