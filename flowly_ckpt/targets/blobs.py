"""Large values as files named by the digest of their content: equal values once, never changed in place."""

from __future__ import annotations

import mmap
import os
import threading
from collections.abc import Iterator
from contextlib import suppress
from typing import NamedTuple

import xxhash

from .codecs import Bytes
from .damage import DamagedError
from .writing import beside, sync_folder, write_all

__all__ = ["Blobs", "digest_of", "size_of"]

_MAPPED = 1 << 20  # smaller files are read: a mapping keeps a file descriptor for as long as the value lives
_BESIDE = 1 << 24  # from this size on the digest is computed in a thread beside the writing
_STRIDE = 1 << 23  # both work on the same few megabytes, which are in the processor's cache then
_READ = os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_BINARY", 0)


def size_of(parts: list[Bytes]) -> int:
    """Return how many bytes the pieces are together.

    >>> size_of([b"ab", memoryview(b"c")])
    3
    """
    return sum([memoryview(part).nbytes for part in parts])


def digest_of(parts: list[Bytes]) -> bytes:
    """Return the XXH3-128 of the pieces as if they were joined.

    >>> digest_of([b"a", b"b"]) == digest_of([b"ab"])
    True
    """
    if len(parts) == 1:
        return xxhash.xxh3_128_digest(parts[0])
    hasher = xxhash.xxh3_128()
    for part in parts:
        hasher.update(part)
    return hasher.digest()


class Blobs(NamedTuple):
    """A folder of files named by content.

    :param folder: where they lie, in subfolders by the first two letters of their names.
    :param durable: wait at each store until the disk has it.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     blobs = Blobs(folder)
    ...     bytes(blobs.load(blobs.add([b"con", b"tent"]), 7))
    b'content'
    """

    folder: str
    durable: bool = False

    def path(self, digest: bytes) -> str:
        """Return where the file of a digest lies."""
        name = digest.hex()
        return os.path.join(self.folder, name[:2], name[2:] + ".bin")

    def add(self, parts: list[Bytes]) -> bytes:
        """Write a file and return its digest; one that is there already with the same content is replaced by it.

        :raises OSError: when it cannot be written; nothing is left of it then.
        """
        descriptor, temporary = beside(self.folder)
        try:
            try:
                digest = _write(descriptor, parts)
                if self.durable:
                    os.fsync(descriptor)
            finally:
                os.close(descriptor)
            _put(temporary, self.path(digest), self.durable)
        except BaseException:
            with suppress(OSError):
                os.unlink(temporary)
            raise
        return digest

    def has(self, digest: bytes, size: int) -> bool:
        """Tell whether a file of this name and size is there; it counts as new then, so that nobody collects it."""
        path = self.path(digest)
        try:
            if os.lstat(path).st_size != size:
                return False
            os.utime(path)
        except OSError:
            return False
        return True

    def load(self, digest: bytes, size: int, verify: bool = True) -> Bytes | mmap.mmap:
        """Return the content, writable and private: what is written to it never reaches the file.

        :raises FileNotFoundError: when there is no such file.
        :raises DamagedError: when it is not what was stored.
        """
        descriptor = os.open(self.path(digest), _READ)
        try:
            found = os.fstat(descriptor).st_size
            if found != size:
                raise DamagedError(f"the file has {found} bytes, {size} were stored")
            data = _content(descriptor, size)
        finally:
            os.close(descriptor)
        if verify and xxhash.xxh3_128_digest(data) != digest:
            raise DamagedError("the file does not match its digest")
        return data

    def remove(self, digest: bytes) -> None:
        """Take a file away, if it is there; who has it mapped keeps what he sees."""
        with suppress(FileNotFoundError, PermissionError):  # Windows keeps what is mapped: gc takes it another time
            os.unlink(self.path(digest))

    def walk(self) -> Iterator[tuple[bytes, os.stat_result]]:
        """Give the digest and the facts of each file."""
        for place, _, names in os.walk(self.folder):
            for name in names:
                with suppress(ValueError, OSError):
                    digest = bytes.fromhex(os.path.basename(place) + name.removesuffix(".bin"))
                    path = os.path.join(place, name)
                    if self.path(digest) == path:
                        yield digest, os.lstat(path)


def _put(temporary: str, path: str, durable: bool) -> None:
    folder = os.path.dirname(path)
    os.makedirs(folder, exist_ok=True)
    if os.path.islink(folder):
        raise NotADirectoryError(f"{folder} is a link that leads out of the store")
    os.replace(temporary, path)
    if durable:
        sync_folder(folder)


def _content(descriptor: int, size: int) -> Bytes | mmap.mmap:
    if size >= _MAPPED:
        with suppress(OSError):  # too many open files, or a file system without mappings: read it
            return mmap.mmap(descriptor, size, access=mmap.ACCESS_COPY)
    data = bytearray(size)
    view = memoryview(data)
    with os.fdopen(descriptor, "rb", buffering=0, closefd=False) as file:
        while len(view):
            done = file.readinto(view)
            if not done:
                raise DamagedError(f"the file ended {len(view)} bytes early")
            view = view[done:]
    return data


def _write(descriptor: int, parts: list[Bytes]) -> bytes:
    """Write the pieces and return their digest."""
    size = size_of(parts)
    if size < _BESIDE:
        write_all(descriptor, parts)
        return digest_of(parts)
    if hasattr(os, "posix_fallocate"):
        os.posix_fallocate(descriptor, 0, size)
    from queue import SimpleQueue

    hasher = xxhash.xxh3_128()
    work: SimpleQueue[memoryview | None] = SimpleQueue()

    def digest() -> None:
        for piece in iter(work.get, None):
            hasher.update(piece)

    thread = threading.Thread(target=digest, name="flowly_ckpt digest")
    thread.start()
    try:
        for piece in _pieces(parts):
            work.put(piece)
            write_all(descriptor, [piece])
    finally:
        work.put(None)
        thread.join()
    return hasher.digest()


def _pieces(parts: list[Bytes]) -> Iterator[memoryview]:
    for part in parts:
        view = memoryview(part).cast("B")
        for start in range(0, len(view), _STRIDE):
            yield view[start : start + _STRIDE]
