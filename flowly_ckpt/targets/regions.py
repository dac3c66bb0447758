"""Locks on regions of one file, which the kernel releases when their holder dies; their lengths tell numbers.

Nothing is written, so nothing has to be collected. Each of 2**31 places has a region of four gibibytes, far beyond the
end of the file. A lock on its first byte is the lock of the place; how many bytes behind it are locked too is a number
that whoever finds the place locked can ask for.

The locks belong to the open file (Linux: "open file description locks") or, where there are no such, to the process.
So each file is open once in a process, as long as it has users, and a forked child closes its copy at once.
"""

from __future__ import annotations

import errno
import os
import struct
import sys
import threading
from collections.abc import Hashable
from contextlib import suppress
from itertools import islice

from .filesystem import PRIVATE, make_folder, open_file, remove_empty

__all__ = ["LARGEST", "PLACES", "Regions", "guard", "opened", "remove_last", "told_anywhere"]

PLACES = 1 << 31
LARGEST = (1 << 30) - 1  # of the numbers
_REGION = 1 << 32
_ATTEMPTS = 100  # to open a file whose folder others make and remove at the same time

opened: dict[str, Regions] = {}  # the file that has a path now
_open: set[Regions] = set()  # these, and those that lost their names while they were in use
guard = threading.RLock()  # held by whoever changes what is locked, and across a fork


class Regions:
    """A file with regions that this process can lock.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     file = Regions(f"{folder}/locks")
    ...     file.enter("me"), file.lock(7, 42), file.number(7), file.unlock(7), file.leave("me"), len(opened)
    (None, True, None, None, None, 0)
    """

    def __init__(self, path: str, mode: int = PRIVATE) -> None:
        self.path = path
        self.mode = mode
        self.users: set[Hashable] = set()
        self._descriptors: list[int] = []

    def enter(self, user: Hashable, make: bool = True) -> None:
        """Open the file for one more user; it is the one of its path from now on.

        :raises OSError: where it cannot be opened.
        """
        self.users.add(user)
        opened[self.path] = self
        _open.add(self)
        if self._descriptors:
            return
        arguments = (self.path,), (os.O_RDWR | (os.O_CREAT if make else 0),), (self.mode,), (False,)
        for attempt in range(_ATTEMPTS):
            try:
                # In one step of the interpreter: no interrupt comes between the opening and the note of it.
                self._descriptors.extend(map(open_file, *arguments))
            except FileNotFoundError:
                if not make or attempt == _ATTEMPTS - 1:
                    raise
                make_folder(os.path.dirname(self.path), self.mode)  # which another one may remove again, being empty
            else:
                return

    def leave(self, user: Hashable) -> None:
        """Close the file, and with it release what is locked, if nobody else uses it."""
        self.users.discard(user)
        if not self.users:
            with suppress(OSError):  # closed it is all the same, and nothing was written that could be lost
                list(map(os.close, map(self._descriptors.pop, [0] * len(self._descriptors))))
            _open.discard(self)
            if opened.get(self.path) is self:
                del opened[self.path]

    def lock(self, place: int, number: int = 0) -> bool:
        """Lock a place, unless another process has; return whether it is locked now.

        :raises FileNotFoundError: where the file has lost its name, so that others lock another one.
        :raises OSError: where the file system knows no locks.
        """
        return self._locked(place * _REGION, number + 1)

    def lock_all(self) -> bool:
        """Lock all places, unless another process has one of them; else as :meth:`lock`."""
        return self._locked(0, 0)

    def _locked(self, start: int, length: int) -> bool:
        is_locked = _lock(self._descriptors[0], start, length)
        if is_locked and not os.fstat(self._descriptors[0]).st_nlink:
            _unlock(self._descriptors[0], start, length)  # others may wait here for what is computed elsewhere
            raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), self.path)
        return is_locked

    def tell(self, place: int, number: int) -> None:
        """Let a place tell a number, unless another process has it locked; also where the file lost its name."""
        for descriptor in self._descriptors:
            _lock(descriptor, place * _REGION, number + 1)

    def unlock(self, place: int) -> None:
        """Release a place; nothing happens where it is not locked, or the file is closed."""
        with suppress(OSError):
            for descriptor in self._descriptors:
                _unlock(descriptor, place * _REGION, LARGEST + 1)

    def number(self, place: int) -> int | None:
        """Return the number that another process's lock on a place tells; None for no lock, or where it is not told."""
        return next((_number(descriptor, place * _REGION) for descriptor in self._descriptors), None)


def told_anywhere() -> list[tuple[str, int, int]]:
    """Return file, place and number of all that is locked on this machine, as far as the system tells.

    >>> all(number >= 0 for _, _, number in told_anywhere())
    True
    """
    found = []
    with suppress(OSError, ValueError), open("/proc/locks") as lines:
        for line in lines:
            _, kind, *_, file, first, last = line.split()
            if kind == "OFDLCK" and last != "EOF" and not int(first) % _REGION:
                found.append((file, int(first) // _REGION, int(last) - int(first)))
    return found


def remove_last(path: str, root: str) -> None:
    """Remove the file, if it is the last in its folder and no process has a place in it locked; then the folder too.

    >>> remove_last("/no/such/file", "/no")
    """
    folder, name = os.path.split(path)
    with guard, suppress(OSError):
        with os.scandir(folder) as entries:
            is_last = [entry.name for entry in islice(entries, 2)] == [name]
        if is_last and path not in opened:
            file = Regions(path)
            try:
                file.enter(path, make=False)
                if file.lock_all():
                    os.unlink(path)
            finally:
                try:
                    file.leave(path)
                finally:
                    file.leave(path)  # does the rest where an interrupt came in between
        remove_empty(folder, root)


if sys.platform == "win32":
    import msvcrt

    def _lock(descriptor: int, start: int, length: int) -> bool:
        try:
            os.lseek(descriptor, start, os.SEEK_SET)
            msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
        except OSError:
            return False
        return length > 0  # all at once cannot be locked, so that the file is not removed

    def _unlock(descriptor: int, start: int, length: int) -> None:
        os.lseek(descriptor, start, os.SEEK_SET)
        msvcrt.locking(descriptor, msvcrt.LK_UNLCK, 1)

    def _number(descriptor: int, start: int) -> int | None:
        return None

elif sys.platform == "linux" and sys.maxsize > 1 << 32:
    import fcntl

    # struct flock of 64-bit Linux: type, whence, start, length, process.
    _FLOCK = struct.Struct("hhqqi4x")

    def _lock(descriptor: int, start: int, length: int) -> bool:
        try:
            fcntl.fcntl(descriptor, fcntl.F_OFD_SETLK, _FLOCK.pack(fcntl.F_WRLCK, os.SEEK_SET, start, length, 0))
        except BlockingIOError:
            return False
        return True

    def _unlock(descriptor: int, start: int, length: int) -> None:
        fcntl.fcntl(descriptor, fcntl.F_OFD_SETLK, _FLOCK.pack(fcntl.F_UNLCK, os.SEEK_SET, start, length, 0))

    def _number(descriptor: int, start: int) -> int | None:
        asked = _FLOCK.pack(fcntl.F_WRLCK, os.SEEK_SET, start, 1, 0)
        kind, _, first, length, _ = _FLOCK.unpack(fcntl.fcntl(descriptor, fcntl.F_OFD_GETLK, asked))
        return length - 1 if kind != fcntl.F_UNLCK and first == start else None

else:
    import fcntl

    def _lock(descriptor: int, start: int, length: int) -> bool:
        try:
            fcntl.lockf(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB, length, start, os.SEEK_SET)
        except (BlockingIOError, PermissionError):  # POSIX lets a system say either
            return False
        return True

    def _unlock(descriptor: int, start: int, length: int) -> None:
        fcntl.lockf(descriptor, fcntl.LOCK_UN, length, start, os.SEEK_SET)

    def _number(descriptor: int, start: int) -> int | None:
        return None


def _let_go() -> None:
    for file in list(_open):
        file.users.clear()
        file.leave(None)
    guard.release()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(before=guard.acquire, after_in_parent=guard.release, after_in_child=_let_go)
