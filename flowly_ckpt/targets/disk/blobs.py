"""Large values as files named by the digest of their content: equal values once, never changed in place."""

from __future__ import annotations

import errno
import mmap
import os
from collections.abc import Iterator
from contextlib import suppress
from typing import NamedTuple

import xxhash

from ..codecs import Bytes
from ..damage import DamagedError
from ..filesystem import (
    PRIVATE,
    beside,
    open_file,
    read_into,
    refuse_links,
    size_of,
    sync_folder,
    write_all,
)
from ..steady import digest_noted
from .folder import BLOBS

__all__ = ["Blobs", "File", "path_of"]

# Smaller files are read, as a mapping keeps a file descriptor for as long as the value lives, and their room is found
# while they are written.
_LARGE = 1 << 20


class File(NamedTuple):
    """Name a file by the digest and the size of its content.

    >>> File(bytes(16), 7).size
    7
    """

    digest: bytes
    size: int


def path_of(digest: bytes) -> str:
    """Return where the file of a digest lies, from the folder of the store.

    >>> path_of(bytes(2)).replace(os.sep, "/")
    'blobs/00/00.bin'
    """
    name = digest.hex()
    return os.path.join(BLOBS, name[:2], name[2:] + ".bin")


class Blobs(NamedTuple):
    """The files of a store, named by their content.

    :param root: the folder of the store; they lie in ``blobs``, by the first two letters of their names.
    :param durable: wait at each store until the disk has it.
    :param mode: of the folders, and of the files without the right to be written or executed.
    :param mapped: map large files instead of reading them.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     blobs = Blobs(folder)
    ...     bytes(blobs.load(blobs.add([b"con", b"tent"])))
    b'content'
    """

    root: str
    durable: bool = False
    mode: int = PRIVATE
    mapped: bool = True

    def path(self, digest: bytes) -> str:
        """Return where the file of a digest lies."""
        return os.path.join(self.root, path_of(digest))

    def add(self, parts: list[Bytes]) -> File:
        """Return the file that holds the bytes; write it, unless one is there that is whole.

        :raises OSError: when it cannot be written; nothing is left of it then.
        """
        file = File(digest_noted(parts), size_of(parts))
        if self.has(file) and self.is_whole(file):
            return file
        path = self.path(file.digest)
        refuse_links(path, self.root)
        descriptor, temporary = beside(os.path.dirname(path), self.mode, read_only=True)
        try:
            try:
                _reserve(descriptor, file.size)
                write_all(descriptor, parts)
                if self.durable:
                    os.fsync(descriptor)
            finally:
                os.close(descriptor)
            _put(temporary, path, self.durable)
        except BaseException:
            with suppress(OSError):
                os.unlink(temporary)
            raise
        return file

    def has(self, file: File) -> bool:
        """Return whether a file is there; it counts as new then, so that nobody collects it."""
        path = self.path(file.digest)
        try:
            if os.lstat(path).st_size != file.size:
                return False
            os.utime(path)
        except OSError:
            return False
        return True

    def load(self, file: File, verify: bool = True) -> Bytes | mmap.mmap:
        """Return the content, writable and private: what is written to it never reaches the file.

        :raises FileNotFoundError: when there is no such file.
        :raises DamagedError: when it is not what was stored.
        """
        path = self.path(file.digest)
        refuse_links(path, self.root)
        descriptor = open_file(path)
        try:
            found = os.fstat(descriptor).st_size
            if found != file.size:
                raise DamagedError(f"the file has {found} bytes, {file.size} were stored")
            data = _content(descriptor, file.size, self.mapped)
        finally:
            os.close(descriptor)
        if verify and xxhash.xxh3_128_digest(data) != file.digest:
            raise DamagedError("the file does not match its digest")
        return data

    def is_whole(self, file: File) -> bool:
        """Return whether a file can be read and is what was stored."""
        try:
            self.load(file)
        except (DamagedError, OSError):
            return False
        return True

    def is_damaged(self, file: File) -> bool:
        """Return whether a file is gone or not what was stored; one that cannot be read now may be whole."""
        try:
            self.load(file)
        except (DamagedError, FileNotFoundError):
            return True
        except OSError:
            return False
        return False

    def remove(self, digest: bytes) -> None:
        """Remove a file, if it is there; whoever has it mapped keeps what they see."""
        # Windows keeps what is open: gc takes it another time. What lies beyond a link is not the store's.
        with suppress(FileNotFoundError, NotADirectoryError, IsADirectoryError, PermissionError):
            path = self.path(digest)
            refuse_links(path, self.root)
            os.unlink(path)

    def walk(self) -> Iterator[tuple[File, float]]:
        """Yield each file and when it was last touched, in seconds since the epoch."""
        top = os.path.join(self.root, BLOBS)
        for place, _, names in [] if os.path.islink(top) else os.walk(top):
            for name in names:
                with suppress(ValueError, OSError):
                    digest = bytes.fromhex(os.path.basename(place) + name.removesuffix(".bin"))
                    path = os.path.join(place, name)
                    if self.path(digest) == path:
                        facts = os.lstat(path)
                        yield File(digest, facts.st_size), facts.st_mtime


def _reserve(descriptor: int, size: int) -> None:
    """Take the room of a large file at once, which costs the file system less than to find it while it is written."""
    if size >= _LARGE and hasattr(os, "posix_fallocate"):
        try:
            os.posix_fallocate(descriptor, 0, size)
        except OSError as error:  # some file systems do not know this
            if error.errno == errno.ENOSPC:
                raise


def _put(temporary: str, path: str, durable: bool) -> None:
    try:
        os.replace(temporary, path)
    except OSError:
        if os.path.islink(path) or not os.path.isdir(path):
            raise
        os.rename(path, f"{path}.{os.urandom(4).hex()}.aside")  # a folder: whoever put it there may still want it
        os.replace(temporary, path)
    if durable:
        sync_folder(os.path.dirname(path))


def _content(descriptor: int, size: int, mapped: bool) -> Bytes | mmap.mmap:
    if mapped and size >= _LARGE and os.name == "posix":  # on Windows what is mapped is neither replaced nor removed
        with suppress(OSError):  # too many open files, or a file system without mappings: read it
            return mmap.mmap(descriptor, size, access=mmap.ACCESS_COPY)
    data = read_into(descriptor, size)
    if len(data) < size:
        raise DamagedError(f"the file ended {size - len(data)} bytes early")
    return data
