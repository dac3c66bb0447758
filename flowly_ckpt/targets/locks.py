"""Locks on open files that the kernel releases when their holder dies, on any system."""

from __future__ import annotations

import os
import sys
import threading

__all__ = ["held", "release", "try_lock"]

# A forked child inherits open files, and with them the lock. It must let go of its copies, or the lock would outlive
# the holder; closing a copy does not release what the parent holds.
_held: set[int] = set()
_guard = threading.Lock()


def try_lock(path: str) -> int | None:
    """Open a lock file and lock it, or return None while someone else, in any process or thread, holds it.

    :returns: the descriptor of the locked file, for :func:`release`.
    :raises OSError: where the file cannot be made, or the file system knows no locks.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     first = try_lock(f"{folder}/a")
    ...     second = try_lock(f"{folder}/a")
    ...     release(first, f"{folder}/a")
    ...     (first is None, second is None, os.listdir(folder))
    (False, True, [])
    """
    with _guard:  # no fork comes between the opening and the note of it
        while True:
            descriptor = os.open(path, os.O_RDWR | os.O_CREAT | getattr(os, "O_NOFOLLOW", 0), 0o666)
            try:
                mine = _lock(descriptor)
                if mine and _is_at(descriptor, path):
                    _held.add(descriptor)
                    return descriptor
            except BaseException:
                os.close(descriptor)
                raise
            os.close(descriptor)
            if not mine:
                return None
            # Its last holder took the file away meanwhile: lock the one that is there now.


def release(descriptor: int, path: str) -> None:
    """Take the lock file away and let go of the lock, in this order, so that nobody locks a file that is gone.

    >>> release(-1, "/no/such/lock")  # not held: nothing is done

    See also: :func:`try_lock`.
    """
    with _guard:
        if descriptor not in _held:
            return  # a forked child has let go of it already
        _held.discard(descriptor)
    try:
        os.unlink(path)
    except OSError:
        pass  # gone with its folder, or (on Windows) open elsewhere: a lock file left over is no lock
    finally:
        os.close(descriptor)


def held(path: str) -> bool:
    """Tell whether some living process holds the lock of this file.

    >>> held("/no/such/folder/a")
    False
    """
    try:
        descriptor = os.open(path, os.O_RDWR)
    except OSError:
        return False
    try:
        return not _lock(descriptor)
    finally:
        os.close(descriptor)


def _is_at(descriptor: int, path: str) -> bool:
    try:
        return os.path.samestat(os.fstat(descriptor), os.stat(path))
    except FileNotFoundError:
        return False


if sys.platform == "win32":
    import msvcrt

    def _lock(descriptor: int) -> bool:
        try:
            os.lseek(descriptor, 0, os.SEEK_SET)
            msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
        except OSError:
            return False
        return True

else:
    import fcntl

    def _lock(descriptor: int) -> bool:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True


def _let_go() -> None:
    for descriptor in _held:
        os.close(descriptor)
    _held.clear()
    _guard.release()


if hasattr(os, "register_at_fork"):
    # The guard is held across the fork, so that the child finds neither it nor the set half-way.
    os.register_at_fork(before=_guard.acquire, after_in_parent=_guard.release, after_in_child=_let_go)
