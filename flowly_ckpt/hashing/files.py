"""A file as a value: its content, not its place; the content of each state of a file is read once."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from typing import Any

from ..given import file

__all__ = ["FileContent", "content_digest"]

SETTLED = 2.0  # seconds after its last change until the times of a file show a further one
CHUNK = 1 << 20
MOST = 100_000
_known: dict[tuple[Any, ...], str] = {}


def blake2b() -> Any:
    import hashlib  # slow to import, as it loads OpenSSL

    return hashlib.blake2b(digest_size=16)


class FileContent:
    """Stand for a file by its content; where a path is expected, it is one.

    The content is read once per process for each state of the file. Its digest is BLAKE2b, so that it can be trusted
    with any ``hasher``.

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
        self.path = file("path", path)

    def __fspath__(self) -> str:
        return self.path

    def __repr__(self) -> str:
        return f"FileContent({self.path!r})"

    def __eq__(self, other: object) -> bool:
        return type(other) is FileContent and other.path == self.path

    def __hash__(self) -> int:
        return hash((FileContent, self.path))

    def __flowly_hash__(self) -> str:
        return content_digest(self.path)


def content_digest(path: str | os.PathLike[str], hasher: Callable[[], Any] = blake2b) -> str:
    """Return the digest of a file's content, read again only if the file may have changed since.

    A file is unchanged if device, inode, size and times are, once its times are old enough to show a change.

    :param hasher: makes an object with ``update`` and ``hexdigest``.
    :raises OSError: when the file cannot be read.

    >>> content_digest(os.devnull) == blake2b().hexdigest()
    True
    """
    facts = os.stat(path)
    key = (hasher, facts.st_dev, facts.st_ino, facts.st_size, facts.st_mtime_ns, facts.st_ctime_ns)
    if key in _known:
        return _known[key]
    made, buffer = hasher(), bytearray(CHUNK)
    with open(path, "rb", buffering=0) as file:
        while count := file.readinto(buffer):
            made.update(memoryview(buffer)[:count])
    digest: str = made.hexdigest()
    # Elsewhere than on POSIX systems st_ctime is the time of creation, which shows no change.
    if os.name == "posix" and time.time() - max(facts.st_ctime, facts.st_mtime) > SETTLED:
        if len(_known) >= MOST:
            _known.clear()
        _known[key] = digest
    return digest
