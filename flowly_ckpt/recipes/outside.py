"""Files outside the cache that values name by ``Path``: they count with their content, wherever the project lies."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Iterable
from pathlib import Path, PurePath
from typing import Any, NamedTuple

import xxhash

from ..errors import UnhashableError
from ..hashing.digests import digest
from ..hashing.files import content_digest
from ..hashing.rows import Parts, expand
from ..hashing.walk import Walk
from .config import AlkymiConfig, FileChecksumMethod

__all__ = ["Digest", "Outside", "code_digest", "digest_of", "located", "spelled", "state_of", "unchanged"]

State = tuple[Any, ...]


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


def _with_files(base: str, method: str | None, files: dict[tuple[str, bool], State]) -> Callable[[Any], Parts]:
    """Describe paths by their place from the project's folder and, given a method, by the state of the file there.

    :param files: collects these states.
    """

    def describe(obj: Any) -> Parts:
        if not isinstance(obj, PurePath):
            return expand(obj)
        path = spelled(obj, base)
        if method is None or not isinstance(obj, Path):
            return b"<path>", [*path]
        if path not in files:
            files[path] = state_of(located(path, base), method)
        return b"<path>", [*path, *files[path]]

    return describe


def digest_of(value: Any, base: str) -> Digest:
    """Return the digest of a value, and the state of the files that it names anywhere within.

    A value that cannot be hashed by its content gets a digest that no other value has.

    :param base: the project's folder; paths below it are relative to it.

    >>> digest_of([Path("no/such/file")], "/work").files[0].state
    ('absent',)

    See also: :func:`code_digest`.
    """
    by_time = AlkymiConfig.get().file_checksum_method is FileChecksumMethod.ModificationTimestamp
    files: dict[tuple[str, bool], State] = {}
    try:
        text = digest(Walk(expand=_with_files(base, "time" if by_time else "content", files)), value)
    except UnhashableError:
        text = f"unlike-{os.urandom(16).hex()}"
    return Digest(text, tuple(Outside(path, state) for path, state in sorted(files.items())))


def code_digest(function: Any, base: str) -> str:
    """Return the digest of what a function does; files count by their path alone, as it may write to them.

    :raises UnhashableError: when the function refers to something that cannot be hashed by its content.

    >>> code_digest(lambda x: x + 1, "/work") == code_digest(lambda y: y + 1, "/work")
    True

    See also: :func:`digest_of`.
    """
    return digest(Walk(expand=_with_files(base, None, {})), function)


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
        return ("content", content_digest(path, xxhash.xxh3_128))
    except (OSError, ValueError):
        return ("absent",)
