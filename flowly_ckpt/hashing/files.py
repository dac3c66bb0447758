"""A file as a value: what is in it, not where it lies."""

from __future__ import annotations

import os
import time
from typing import Any

__all__ = ["FileContent"]

RECENT = 2_000_000_000  # nanoseconds in which a file may change without a new time stamp
_digests: dict[tuple[Any, ...], str] = {}


class FileContent:
    """Stand for a file by its content; where a path is wanted, it is one.

    The content is read once for each state of the file (size, time of change, inode) and process. Its digest is
    BLAKE2b, so that it can be trusted with any ``hasher``.

    :param path: the file.
    :raises OSError: at hashing, when the file cannot be read.

    >>> import tempfile
    >>> from flowly_ckpt import functional_hash
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     one, other = (FileContent(os.path.join(folder, name)) for name in ("a", "b"))
    ...     for file in (one, other):
    ...         with open(file, "w") as out: _ = out.write("same")
    ...     functional_hash(one) == functional_hash(other)
    True

    See also: :func:`functional_hash`, for which a plain ``Path`` is just its name.
    """

    __slots__ = ("path",)

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self.path = os.fspath(path)

    def __fspath__(self) -> str:
        return self.path

    def __repr__(self) -> str:
        return f"FileContent({self.path!r})"

    def __eq__(self, other: object) -> bool:
        return type(other) is FileContent and other.path == self.path

    def __hash__(self) -> int:
        return hash((FileContent, self.path))

    def __flowly_hash__(self) -> str:
        state = os.stat(self.path)
        key = (os.path.realpath(self.path), state.st_size, state.st_mtime_ns, state.st_ino)
        digest = _digests.get(key) or digest_of(self.path)
        if time.time_ns() - state.st_mtime_ns > RECENT:
            _digests[key] = digest
        return digest


def digest_of(path: str) -> str:
    import hashlib

    with open(path, "rb") as file:
        hasher = hashlib.blake2b(digest_size=16)
        while chunk := file.read(1 << 20):
            hasher.update(chunk)
    return hasher.hexdigest()
