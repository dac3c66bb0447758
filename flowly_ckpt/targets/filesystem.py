"""Atomic files: written beside their place, then renamed into it; read and removed whole."""

from __future__ import annotations

import errno
import os
import re
import stat
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext, suppress

import xxhash

from ..typing import Bytes

__all__ = [
    "PRIVATE", "SHARED", "beside", "collect_temporaries", "create_file", "digest_of", "is_temporary", "make_folder",
    "open_file", "read_file", "read_into", "refuse_link", "refuse_links", "remove_file", "replace_file", "size_of",
    "sync_folder", "write_all",
]  # fmt: skip

# The modes of folders; their files have the same, without the right to be executed.
PRIVATE = 0o700  # for the owner alone
SHARED = 0o777  # for those whom the umask lets in

_MARK = ".tmp-"  # hidden, and shorter than most names, so that it fits where the name does
_TEMPORARY = rf"{re.escape(_MARK)}\d+-[0-9a-f]{{12}}(-wal|-shm|-journal)?"  # whole, or what SQLite adds
# No link is followed, and a pipe is not waited for.
_SAFE = getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)
_AT_ONCE = 512  # pieces per system call
_CHUNK = 1 << 22


def is_temporary(name: str) -> bool:
    """Return whether a file of this name is being written, or was left by a killed writer.

    >>> is_temporary(".tmp-17-0123456789ab"), is_temporary(".tmp-mine"), is_temporary("result.pkl")
    (True, False, False)
    """
    return name.startswith(_MARK) and re.fullmatch(_TEMPORARY, name) is not None


_ATTEMPTS = 100  # to make a folder that others make and remove at the same time


def open_file(path: str, flags: int = os.O_RDONLY, mode: int = PRIVATE, checked: bool = True) -> int:
    """Open a regular file and return its descriptor: the one way in which stores open files.

    :param checked: make sure that it is one, which takes a call of the system; without, only links are refused.
    :raises OSError: for a link, a pipe, a folder or a device, which is neither followed nor waited for.

    >>> open_file(os.devnull)
    Traceback (most recent call last):
        ...
    OSError: [Errno 22] not a regular file: '/dev/null'
    """
    opened: list[int] = []
    try:
        # In one step of the interpreter: no interrupt comes between the opening and the note of it.
        opened.extend(map(os.open, (path,), (flags | _SAFE,), (mode & 0o666,)))
        if checked and not stat.S_ISREG(os.fstat(opened[0]).st_mode):
            raise OSError(errno.EINVAL, "not a regular file", path)
        return opened[0]
    except BaseException:
        for descriptor in opened:
            os.close(descriptor)
        raise


def read_file(path: str, limit: int | None = None) -> bytearray:
    """Return the content of a regular file, writable.

    :param limit: the most bytes it may have.
    :raises OSError: when it cannot be read, or is larger.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     _ = replace_file(f"{folder}/a", [b"content"])
    ...     read_file(f"{folder}/a")
    bytearray(b'content')
    """
    descriptor = open_file(path)
    try:
        size = os.fstat(descriptor).st_size
        if limit is not None and size > limit:
            raise OSError(errno.EFBIG, f"{size} bytes are more than the {limit} it may have", path)
        return read_into(descriptor, size)
    finally:
        os.close(descriptor)


def make_folder(path: str, mode: int = PRIVATE) -> None:
    """Make a folder and those above it, as far as they are missing.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     make_folder(f"{folder}/a/b")
    ...     oct(os.stat(f"{folder}/a").st_mode & 0o777)
    '0o700'
    """
    above = os.path.dirname(path)
    for attempt in range(_ATTEMPTS):
        is_last = attempt == _ATTEMPTS - 1
        try:
            os.mkdir(path, mode)
        except FileExistsError:
            with suppress(FileNotFoundError):  # it was removed meanwhile
                if stat.S_ISDIR(os.stat(path).st_mode):
                    return
                raise
            if is_last:
                raise
        except FileNotFoundError:
            if above == path or is_last:
                raise  # perhaps the folder above is there, and none can be made in it, as in /proc
            if not os.path.isdir(above):
                make_folder(above, mode)
        else:
            return


def refuse_link(folder: str) -> None:
    """Raise for a folder of a store that is a link, and so leads out of it.

    :raises NotADirectoryError: when it is one.

    >>> refuse_link("/no/such/folder")
    """
    try:
        mode = os.lstat(folder).st_mode
    except (FileNotFoundError, NotADirectoryError):
        return
    if stat.S_ISLNK(mode):
        raise NotADirectoryError(f"{folder} is a link that leads out of the store")


def refuse_links(path: str, root: str) -> None:
    """Raise where a folder between a store's root and a file of it is a link; the root itself may be one.

    :raises NotADirectoryError: when one is.

    >>> refuse_links("/no/such/folder/file", "/no")
    """
    folder = os.path.dirname(path)
    while len(folder) > len(root):
        refuse_link(folder)
        folder = os.path.dirname(folder)


def beside(folder: str, mode: int = PRIVATE, read_only: bool = False) -> tuple[int, str]:
    """Open a new temporary file in a folder, which is made if need be; return its descriptor and path.

    :param mode: of the folder, and of the file as far as it is about reading and writing.
    :param read_only: nobody else can open it for writing (but on Windows, where it could not be removed then).

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     descriptor, path = beside(f"{folder}/new")
    ...     os.close(descriptor)
    ...     is_temporary(os.path.basename(path))
    True
    """
    kept = mode & 0o444 if read_only and os.name == "posix" else mode
    for attempt in range(100):
        path = os.path.join(folder, f"{_MARK}{os.getpid()}-{os.urandom(6).hex()}")
        try:
            return open_file(path, os.O_RDWR | os.O_CREAT | os.O_EXCL, kept, checked=False), path
        except FileNotFoundError:  # the folder is not there, or is just being cleared away
            if attempt > 10:
                raise
            make_folder(folder, mode)
        except FileExistsError:
            continue
        except BaseException:
            with suppress(OSError):
                os.unlink(path)
            raise
    raise FileExistsError(f"no new name could be found in {folder}")


def write_all(descriptor: int, parts: Iterable[Bytes]) -> None:
    """Write pieces one after another without joining them.

    :raises OSError: when they do not fit; what was written stays.

    >>> ends = os.pipe()
    >>> write_all(ends[1], [b"to", b"gether"]), os.read(ends[0], 20), os.close(ends[0]), os.close(ends[1])
    (None, b'together', None, None)
    """
    batch: list[memoryview] = []
    size = 0
    for part in parts:
        view = memoryview(part)
        batch.append(view if view.format == "B" and view.ndim == 1 else view.cast("B"))
        size += view.nbytes
        if len(batch) >= _AT_ONCE or size >= _CHUNK:
            _write(descriptor, batch)
            batch, size = [], 0
    _write(descriptor, batch)


def _write(descriptor: int, batch: list[memoryview]) -> None:
    if not hasattr(os, "writev"):
        batch = [memoryview(b"".join(batch))] if len(batch) > 1 else batch
    while batch:
        done = os.writev(descriptor, batch) if hasattr(os, "writev") else os.write(descriptor, batch[0])
        while batch and done >= len(batch[0]):
            done -= len(batch.pop(0))
        if batch and done:
            batch[0] = batch[0][done:]


def replace_file(
    path: str,
    parts: Iterable[Bytes],
    durable: bool = False,
    mode: int = PRIVATE,
    within: Callable[[os.stat_result], AbstractContextManager[object]] | None = None,
) -> os.stat_result:
    """Put a file in its place whole, or not at all.

    :param durable: wait until the disk has it, so that it survives a loss of power.
    :param mode: who may read and write it, and enter the folders that are made.
    :param within: called when it is written, with what the system says of it; the context that it is renamed in.
    :return: what the system says of the file.
    :raises OSError: when it cannot be written; what stood there still stands.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     (replace_file(f"{folder}/a/b", [b"to", b"gether"]).st_size, os.listdir(f"{folder}/a"))
    (8, ['b'])
    """
    descriptor, temporary = beside(os.path.dirname(path), mode)
    try:
        try:
            write_all(descriptor, parts)
            if durable:
                os.fsync(descriptor)
            facts = os.fstat(descriptor)
        finally:
            os.close(descriptor)
        with nullcontext() if within is None else within(facts):
            os.replace(temporary, path)
    except BaseException:
        with suppress(OSError):
            os.unlink(temporary)
        raise
    if durable:
        sync_folder(os.path.dirname(path))
    return facts


def create_file(path: str, parts: Iterable[Bytes], mode: int = PRIVATE) -> bool:
    """Put a file in its place whole, unless there is one already; return whether it was put there.

    Without hard links it is not whole when its writer is killed.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     create_file(f"{folder}/a", [b"one"]), create_file(f"{folder}/a", [b"other"]), os.listdir(folder)
    (True, False, ['a'])
    """
    pieces = list(parts)
    descriptor, temporary = beside(os.path.dirname(path), mode)
    try:
        try:
            write_all(descriptor, pieces)
        finally:
            os.close(descriptor)
        os.link(temporary, path)
    except FileExistsError:
        return False
    except (AttributeError, OSError):
        if not os.path.lexists(temporary):
            raise
        return _created(path, pieces, mode)
    finally:
        with suppress(OSError):
            os.unlink(temporary)
    return True


def _created(path: str, pieces: Sequence[Bytes], mode: int) -> bool:
    try:
        descriptor = open_file(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode, checked=False)
    except FileExistsError:
        return False
    try:
        write_all(descriptor, pieces)
    finally:
        os.close(descriptor)
    return True


def sync_folder(folder: str) -> None:
    """Wait until the disk has the names in a folder.

    >>> sync_folder(".")
    """
    if os.name != "posix":
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def collect_temporaries(folder: str, older_than: float = 3600.0) -> Iterator[tuple[str, int]]:
    """Remove what killed writers left in a folder and below; give each path and its size in bytes.

    :param older_than: seconds since the last write; a younger one may still be written.

    >>> list(collect_temporaries("/no/such/folder"))
    []
    """
    for place, _, names in os.walk(folder):
        for name in filter(is_temporary, names):
            path = os.path.join(place, name)
            with suppress(OSError):
                facts = os.lstat(path)
                if time.time() - facts.st_mtime >= older_than:
                    os.unlink(path)
                    yield path, facts.st_size


def read_into(descriptor: int, size: int) -> bytearray:
    """Return so many bytes of an open file; fewer where it ends before. They are writable: arrays can lie in them.

    >>> with open(os.devnull, "rb") as file:
    ...     read_into(file.fileno(), 10)
    bytearray(b'')
    """
    data = bytearray(size)
    view, done = memoryview(data), 0
    with os.fdopen(descriptor, "rb", buffering=0, closefd=False) as file:
        while done < size and (count := file.readinto(view[done:])):
            done += count
    view.release()
    del data[done:]
    return data


def size_of(parts: Iterable[Bytes]) -> int:
    """Return how many bytes the pieces are together.

    >>> size_of([b"ab", memoryview(b"c")])
    3
    """
    return sum([memoryview(part).nbytes for part in parts])


def digest_of(parts: Sequence[Bytes]) -> bytes:
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


def remove_file(path: str, root: str) -> None:
    """Remove a file, and the folders above it that are empty then, up to a root, which stays.

    :raises FileNotFoundError: where there is no file, or a folder.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     _ = replace_file(f"{folder}/a/b/c", [b"content"])
    ...     remove_file(f"{folder}/a/b/c", folder), os.listdir(folder)
    (None, [])
    """
    try:
        os.unlink(path)
    except (IsADirectoryError, NotADirectoryError) as error:
        raise FileNotFoundError(str(error)) from None
    remove_empty(os.path.dirname(path), root)


def remove_empty(folder: str, root: str) -> None:
    """Remove a folder and those above it, up to a root, as far as they are empty."""
    with suppress(OSError):  # what is not empty refuses
        while folder != root:
            os.rmdir(folder)
            folder = os.path.dirname(folder)
