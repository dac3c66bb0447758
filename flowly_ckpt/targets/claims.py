"""Claims between processes: one computes what is missing, the others wait for it, and a dead one's claim is free."""

from __future__ import annotations

import os
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, suppress
from typing import Any, NamedTuple, Self

import xxhash

from ..typing import Key

__all__ = ["UNCLAIMED", "Claim", "Claims", "EnteredClaim", "digest_of_key"]

_POLL = (0.001, 0.03)  # seconds between looks, growing from the first to the second
_REPORT = 1.0  # seconds until a wait is worth a line in the log

# The lock files that this process holds. A forked child inherits the open files, and with them the locks: it must
# close its copies, or a lock would outlive its holder; that does not release what the parent holds.
_held: dict[str, tuple[int, FileClaim]] = {}
_guard = threading.Lock()


class Claim:
    """The right to compute a key. This one never waits; a subclass waits for other holders.

    Entered as a context it waits by sleeping; an event loop goes through :meth:`waits` and sleeps in its own way.

    >>> with Claim() as claim:
    ...     claim.is_shared
    False
    """

    is_shared = False  # whether somebody else may have stored the result before it was held

    def waits(self) -> Iterator[float]:
        """Yield the seconds to wait before each further attempt; at the end it is held, or not to be had."""
        return iter(())

    def release(self) -> None:
        """Give it back, if it is held."""

    def __enter__(self) -> Self:
        try:
            for pause in self.waits():
                time.sleep(pause)
        except BaseException:
            self.release()
            raise
        return self

    def __exit__(self, *error: object) -> None:
        self.release()


UNCLAIMED = Claim()


class EnteredClaim(Claim):
    """Make a claim of a context manager, as user-defined targets return it.

    >>> from contextlib import nullcontext
    >>> with EnteredClaim(nullcontext()) as claim:
    ...     claim.is_shared
    True
    """

    is_shared = True

    def __init__(self, context: AbstractContextManager[Any]) -> None:
        self.context = context
        self.is_entered = False

    def waits(self) -> Iterator[float]:
        """Enter the context, which does the waiting."""
        self.context.__enter__()
        self.is_entered = True
        return iter(())

    def release(self) -> None:
        """Leave the context."""
        if self.is_entered:
            self.is_entered = False
            self.context.__exit__(None, None, None)


class FileClaim(Claim):
    """A lock on a file, which the kernel releases when its holder dies.

    :param path: the lock file.
    :param key: what is computed, for the log.
    :param timeout: seconds to wait for a living holder; then the key is computed anyway.

    A claim saves work, correctness never rests on it: where no file can be locked, it is not to be had.
    """

    is_shared = True

    def __init__(self, path: str, key: Key, timeout: float) -> None:
        self.path = path
        self.key = key
        self.timeout = timeout
        self.thread = threading.get_ident()

    def waits(self) -> Iterator[float]:
        """Yield the seconds to wait while another process computes the key; a wait of over a second is logged."""
        mine = _held.get(self.path)
        if mine is not None and mine[1].thread == self.thread:
            return  # this thread is computing it already: waiting would never end
        try:
            if self._lock():
                _sign(_held[self.path][0])
                return
            yield from self._pauses()
        except OSError as error:
            _log("debug", "no claim on %s: %s", self.key, error)

    def _pauses(self) -> Iterator[float]:
        start, reported = time.monotonic(), False
        pause, longest = _POLL
        while True:
            yield pause
            if self._lock():
                _sign(_held[self.path][0])
                return
            waited = time.monotonic() - start
            if waited >= self.timeout:
                _log("warning", "%s still computes %s after %.0f s; computing it here as well",
                     _holder(self.path), self.key, waited)  # fmt: skip
                return
            if waited >= _REPORT and not reported:
                reported = True
                _log("info", "waiting for %s, which computes %s", _holder(self.path), self.key)
            pause = min(pause * 1.5, longest)

    def _lock(self) -> bool:
        try:
            return self.lock()
        except FileNotFoundError:
            os.makedirs(os.path.dirname(self.path), exist_ok=True)
            return self.lock()

    def lock(self) -> bool:
        """Lock the file, unless somebody else holds it, in any process or thread; return whether it is locked now.

        :raises OSError: where the file cannot be made, or the file system knows no locks.
        """
        with _guard:  # no fork comes between the opening and the note of it
            while True:
                descriptor = os.open(self.path, os.O_RDWR | os.O_CREAT | getattr(os, "O_NOFOLLOW", 0), 0o666)
                try:
                    locked = _lock(descriptor)
                    if locked and _is_at(descriptor, self.path):
                        _held[self.path] = (descriptor, self)
                        return True
                except BaseException:
                    _held.pop(self.path, None)
                    os.close(descriptor)
                    raise
                os.close(descriptor)
                if not locked:
                    return False
                # Its last holder removed the file meanwhile: lock the one that is there now.

    def release(self) -> None:
        """Remove the lock file and release the lock, in this order, so that nobody locks a file that is gone."""
        with _guard:
            descriptor, holder = _held.get(self.path, (-1, None))
            if holder is not self:
                return  # it was never held, or a forked child has let go of it
            del _held[self.path]
        try:
            os.unlink(self.path)
        except OSError:
            pass  # gone with its folder, or (on Windows) open elsewhere: a lock file left over locks nothing
        finally:
            os.close(descriptor)


class Claims(NamedTuple):
    """Keep the claims on keys as lock files in a folder.

    :param folder: where the lock files lie; made when it is first needed.
    :param timeout: seconds to wait for a living holder.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder, Claims(folder).claim(("a", "b", "c")):
    ...     Claims(folder).is_claimed(("a", "b", "c"))
    True
    """

    folder: str
    timeout: float = 3600.0

    def path(self, key: Key) -> str:
        """Return the lock file of a key."""
        return f"{self.folder}{os.sep}{digest_of_key(key).hex()}.lock"

    def claim(self, key: Key) -> Claim:
        """Return the claim to compute a key."""
        return FileClaim(self.path(key), key, self.timeout)

    def is_claimed(self, key: Key) -> bool:
        """Return whether a living process computes this key."""
        try:
            descriptor = os.open(self.path(key), os.O_RDWR)
        except OSError:
            return False
        try:
            return not _lock(descriptor)
        finally:
            os.close(descriptor)

    def collect(self) -> None:
        """Remove the lock files of processes that died; those of the living cannot be locked."""
        with suppress(OSError):
            for name in os.listdir(self.folder):
                claim = FileClaim(os.path.join(self.folder, name), ("", "", ""), 0.0)
                if claim.lock():
                    claim.release()


def digest_of_key(key: Key) -> bytes:
    """Return 16 bytes that stand for a key; each of its strings is led by its length.

    >>> digest_of_key(("a", "bc", "d")) == digest_of_key(("ab", "c", "d"))
    False
    """
    parts = [part.encode("utf-8", "surrogatepass") for part in key]
    return xxhash.xxh3_128_digest(b"%d,%d:%b" % (len(parts[0]), len(parts[1]), b"".join(parts)))


def _is_at(descriptor: int, path: str) -> bool:
    try:
        mine, there = os.fstat(descriptor), os.stat(path)
    except FileNotFoundError:
        return False
    return (mine.st_ino, mine.st_dev) == (there.st_ino, there.st_dev)


def _sign(descriptor: int) -> None:
    """Write into a lock file who holds it, for the log of those who wait."""
    import socket

    try:
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, f"process {os.getpid()} on {socket.gethostname()}".encode(), 0)
    except (OSError, AttributeError) as error:
        _log("debug", "a claim is not signed: %s", error)


def _holder(path: str) -> str:
    try:
        with open(path, encoding="utf-8", errors="replace") as file:
            return file.read(200) or "another process"
    except OSError:
        return "another process"


def _log(level: str, message: str, *facts: object) -> None:
    import logging

    getattr(logging.getLogger("flowly_ckpt"), level)(message, *facts)


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
    for descriptor, _ in _held.values():
        os.close(descriptor)
    _held.clear()
    _guard.release()


if hasattr(os, "register_at_fork"):
    # The guard is held across the fork, so that the child finds neither it nor the table half-way.
    os.register_at_fork(before=_guard.acquire, after_in_parent=_guard.release, after_in_child=_let_go)
