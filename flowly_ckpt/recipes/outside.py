"""Files outside the cache that values name by ``Path``: they count with their content, wherever the project lies."""

from __future__ import annotations

import os
import stat
import time
from collections.abc import Callable, Iterable
from pathlib import Path, PurePath
from typing import Any, NamedTuple

import xxhash

from ..errors import UnhashableError
from ..hashing.encode import Walk
from ..hashing.rows import Parts
from .config import AlkymiConfig, FileChecksumMethod

__all__ = ["Digest", "Outside", "code_digest", "digest_of", "located", "spelled", "state_of", "unchanged"]

State = tuple[Any, ...]
_CHUNK = 1 << 20
_SETTLED = 2.0  # seconds after its last change until a file's times show a further one
_read: dict[tuple[Any, ...], str] = {}


class Outside(NamedTuple):
    """A file outside the cache, and the state it was in.

    >>> Outside(("data.csv", True), ("absent",)).state
    ('absent',)
    """

    path: tuple[str, bool]
    state: State


class Digest(NamedTuple):
    """The digest of a value, and the outside files that are part of it.

    >>> digest_of([1, 2], "/work").files
    ()
    """

    text: str
    files: tuple[Outside, ...] = ()


class _FileWalk(Walk):
    """Encode paths relative to the project's folder, and with a method the state of the file too."""

    __slots__ = ("base", "files", "method")

    def __init__(self, hasher: Callable[[], Any] | None = None, base: str = "", method: str | None = None) -> None:
        super().__init__(hasher)
        self.base = base
        self.method = method
        self.files: dict[tuple[str, bool], State] = {}

    def expand(self, obj: Any) -> Parts:
        if not isinstance(obj, PurePath):
            return super().expand(obj)
        path = spelled(obj, self.base)
        if self.method is None or not isinstance(obj, Path):
            return b"<path>", [*path]
        if path not in self.files:
            self.files[path] = state_of(located(path, self.base), self.method)
        return b"<path>", [*path, *self.files[path]]


def digest_of(value: Any, base: str) -> Digest:
    """Return the digest of a value, and the state of the files that it names anywhere within.

    A value that cannot be hashed by its content gets a digest that no other value has.

    :param base: the project's folder; paths below it are relative to it.

    >>> digest_of([Path("no/such/file")], "/work").files[0].state
    ('absent',)

    See also: :func:`code_digest`.
    """
    by_time = AlkymiConfig.get().file_checksum_method is FileChecksumMethod.ModificationTimestamp
    walk = _FileWalk(base=base, method="time" if by_time else "content")
    try:
        text = walk.hexdigest(walk.root(value))
    except UnhashableError:
        text = f"unlike-{os.urandom(16).hex()}"
    return Digest(text, tuple(Outside(path, state) for path, state in sorted(walk.files.items())))


def code_digest(function: Any, base: str) -> str:
    """Return the digest of what a function does; files count by their path alone, as it may write to them.

    :raises UnhashableError: when the function refers to something that cannot be hashed by its content.

    >>> code_digest(lambda x: x + 1, "/work") == code_digest(lambda y: y + 1, "/work")
    True

    See also: :func:`digest_of`.
    """
    walk = _FileWalk(base=base)
    return walk.hexdigest(walk.root(function))


def spelled(path: PurePath, base: str) -> tuple[str, bool]:
    """Return a path as text, and whether it is an absolute one written relative to the project's folder.

    >>> import pathlib
    >>> spelled(pathlib.PurePosixPath("/work/a/b"), "/work"), spelled(pathlib.PurePosixPath("a"), "/work")
    (('a/b', True), ('a', False))
    """
    if path.is_absolute() and path.is_relative_to(base):
        return path.relative_to(base).as_posix(), True
    return str(path), False


def located(path: tuple[str, bool], base: str) -> Path:
    """Return the path that :func:`spelled` wrote.

    >>> located(("a/b", True), "/work").as_posix()
    '/work/a/b'
    """
    return Path(base, path[0]) if path[1] else Path(path[0])


def unchanged(files: Iterable[Outside], base: str) -> bool:
    """Return whether outside files are still in the state they were in.

    >>> unchanged([Outside(("no/such/file", False), ("absent",))], "/work")
    True
    """
    return all(state_of(located(path, base), state[0]) == state for path, state in files)


def state_of(path: Path, method: str) -> State:
    """Return the state of a file: its content, or with the method ``"time"`` when it was last written.

    >>> state_of(Path("/no/such/file"), "content"), state_of(Path("/"), "content")
    (('absent',), ('folder',))
    """
    try:
        facts = os.stat(path)
        if stat.S_ISDIR(facts.st_mode):
            return ("folder",)
        if not stat.S_ISREG(facts.st_mode):
            return ("special",)
        if method == "time":
            return ("time", facts.st_mtime_ns, facts.st_size)
        return ("content", _content(path, facts))
    except (OSError, ValueError):
        return ("absent",)


def _content(path: Path, facts: os.stat_result) -> str:
    """Return the digest of a file, which is read once as long as its times show no change."""
    known = (facts.st_dev, facts.st_ino, facts.st_size, facts.st_mtime_ns, facts.st_ctime_ns)
    if known in _read:
        return _read[known]
    hasher, buffer = xxhash.xxh3_128(), bytearray(_CHUNK)
    with open(path, "rb", buffering=0) as file:
        while count := file.readinto(buffer):
            hasher.update(memoryview(buffer)[:count])
    if os.name == "posix" and time.time() - max(facts.st_ctime, facts.st_mtime) > _SETTLED:
        if len(_read) > 100_000:
            _read.clear()
        _read[known] = hasher.hexdigest()
    return hasher.hexdigest()
