"""Claims between processes: one computes what is missing, the others wait for it, and a dead one's claim is free."""

from __future__ import annotations

import os
import sys
import threading
import time
from collections.abc import Generator, Iterator, Sequence
from contextlib import AbstractContextManager, suppress
from typing import Any, NamedTuple, Self

import xxhash

from ..typing import Key
from .damage import plain
from .facts import key_given
from .filesystem import PRIVATE, make_folder, open_file, read_file, refuse_link
from .waiting import computing, is_waited_for, warn_of_circle, whom_it_waits_for

__all__ = ["UNCLAIMED", "AllClaims", "Claim", "Claims", "EnteredClaim", "digest_of_key"]

_POLL = (0.001, 0.03)  # seconds between looks, growing from the first to the second
_REPORT = 1.0  # seconds until a wait is worth a line in the log
_LOOK = 0.2  # seconds between looks whether the holder waits for us
_SUSPECT = 5.0  # seconds until a holder that started this process is taken to wait for it
_WINDOWS = sys.platform == "win32"

# The lock files that this process holds. A forked child inherits the open files, and with them the locks: it must
# close its copies, or a lock would outlive its holder; that does not release what the parent holds.
_held: dict[str, FileClaim] = {}
_descriptors: dict[str, int] = {}
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
        self._inside = self._within(context)

    def waits(self) -> Iterator[float]:
        """Enter the context, which does the waiting."""
        next(self._inside)
        return iter(())

    def release(self) -> None:
        """Leave the context."""
        self._inside.close()

    @staticmethod
    def _within(context: AbstractContextManager[Any]) -> Generator[None]:
        # Entered and left by a statement of the language: no interrupt comes between the entering and the note of it.
        with context, suppress(GeneratorExit):
            yield


class AllClaims(Claim):
    """Hold several claims, waited for one after another.

    >>> with AllClaims([Claim(), Claim()]) as claim:
    ...     claim.is_shared
    False
    """

    def __init__(self, claims: Sequence[Claim]) -> None:
        self.claims = claims
        self.is_shared = any(claim.is_shared for claim in claims)

    def waits(self) -> Iterator[float]:
        """Yield the seconds to wait for each."""
        for claim in self.claims:
            yield from claim.waits()

    def release(self) -> None:
        """Give all of them back."""
        for claim in self.claims:
            claim.release()


class FileClaim(Claim):
    """A lock on a file, which the kernel releases when its holder dies.

    :param path: the lock file.
    :param key: what is computed, for the log.
    :param timeout: seconds to wait for a living holder; then the key is computed anyway.

    A claim saves work, correctness never rests on it: where no file can be locked, it is not to be had.
    """

    is_shared = True

    def __init__(self, path: str, key: Key, timeout: float, mode: int = PRIVATE) -> None:
        self.path = path
        self.key = key
        self.timeout = timeout
        self.mode = mode
        self.thread = threading.get_ident()
        self.computes = computing.get()[-1:]  # the place, for those who look for circles

    def waits(self) -> Iterator[float]:
        """Yield the seconds to wait while another process computes the key; a wait of over a second is logged."""
        mine = _held.get(self.path)
        if mine is not None and mine.thread == self.thread:
            return  # this thread is computing it already: waiting would never end
        try:
            if not self.lock():
                yield from self._pauses()
        except OSError as error:
            _log("debug", "no claim on %s: %s", self.key, error)

    def _pauses(self) -> Iterator[float]:
        start, reported, looked = time.monotonic(), False, 0.0
        pause, longest = _POLL
        try:
            while True:
                yield pause
                if self.lock():
                    return
                waited = time.monotonic() - start
                if waited - looked >= _LOOK:
                    looked = waited
                    if (circle := self._circle(waited)) is not None:
                        warn_of_circle(self.key, circle)
                        return
                is_stopped = waited >= _SUSPECT and looked == waited and _is_stopped(_record(self.path)[0])
                if waited >= self.timeout or is_stopped:
                    _log("warning", "%s %s %s after %.0f s; computing it here as well",
                         _holder(self.path), "is stopped while it computes" if is_stopped else "still computes",
                         self.key, waited)  # fmt: skip
                    return
                if waited >= _REPORT and not reported:
                    reported = True
                    _log("info", "waiting for %s, which computes %s", _holder(self.path), self.key)
                pause = min(pause * 1.5, longest)
        finally:
            if looked:
                self._note_wait("")

    def _circle(self, waited: float) -> Key | None:
        """Return the key held by this thread that the holder waits for, directly or not, or None."""
        inside = _held.get(self.path)
        if inside is not None:
            return self.key if is_waited_for(inside.thread, (), waited) else None
        if waited > _SUSPECT and _is_above(_record(self.path)[0]):
            return self.key  # a process that started this one, and perhaps waits for it
        self._note_wait(self.path)
        seen, path = set(), self.path
        while path not in seen:
            seen.add(path)
            path = _record(path)[1]
            mine = _held.get(path)
            if mine is not None and mine.is_stuck(self):
                return mine.key
        return None

    def _note_wait(self, path: str) -> None:
        """Write into the lock files of those who cannot go on which one is waited for, for who looks for circles."""
        for claim in list(_held.values()):
            if claim.is_stuck(self) and (descriptor := _descriptors.get(claim.path)) is not None:
                _sign(descriptor, path)

    def is_stuck(self, other: FileClaim) -> bool:
        """Return whether what computes this one's key waits for the thread that waits for another, which is this."""
        if self.thread == other.thread or any(whom_it_waits_for(place) is not None for place in self.computes):
            return True
        return is_waited_for(self.thread, (), 0.0)

    def lock(self) -> bool:
        """Lock the file, unless somebody else holds it, in any process or thread; return whether it is locked now.

        :raises OSError: where the file cannot be made, or the file system knows no locks.
        """
        refuse_link(os.path.dirname(self.path))
        with _guard:  # no fork comes between the opening and the note of it
            while True:
                try:
                    descriptor = open_file(self.path, os.O_RDWR | os.O_CREAT, self.mode, checked=False)
                except FileNotFoundError:
                    make_folder(os.path.dirname(self.path), self.mode)
                    descriptor = open_file(self.path, os.O_RDWR | os.O_CREAT, self.mode, checked=False)
                locked = False
                try:
                    locked = _lock(descriptor)
                    if locked and os.fstat(descriptor).st_nlink:
                        _descriptors[self.path], _held[self.path] = descriptor, self
                        _sign(descriptor)
                        return True
                except BaseException:
                    if _held.get(self.path) is not self:
                        if locked:
                            _remove(self.path)
                        os.close(descriptor)
                    raise
                os.close(descriptor)
                if not locked:
                    return False
                # Its last holder removed the file meanwhile: lock the one that is there now.

    def release(self) -> None:
        """Remove the lock file and release the lock; where an interrupt comes in between, once more does the rest."""
        with _guard:
            if _held.get(self.path) is not self:
                return  # it was never held, or a forked child has let go of it
            try:
                if self.path in _descriptors and not _WINDOWS:
                    _remove(self.path)  # before it is unlocked, so that nobody locks a file that is gone
                # In one step of the interpreter, so that nothing is closed twice.
                list(map(os.close, map(_descriptors.pop, [self.path] if self.path in _descriptors else [])))
                if _WINDOWS:
                    _remove(self.path)  # what is open elsewhere cannot be removed there
            finally:
                if self.path not in _descriptors:
                    del _held[self.path]


class Claims(NamedTuple):
    """Keep the claims on keys as lock files in a folder.

    :param folder: where the lock files lie; made when it is first needed.
    :param timeout: seconds to wait for a living holder.
    :param mode: of the folder, and of the files without the right to be executed.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder, Claims(folder).claim(("a", "b", "c")):
    ...     Claims(folder).is_claimed(("a", "b", "c"))
    True
    """

    folder: str
    timeout: float = 3600.0
    mode: int = PRIVATE

    def claim(self, key: Key) -> FileClaim:
        """Return the claim to compute a key."""
        name = f"{digest_of_key(key_given(key)).hex()}.lock"
        return FileClaim(f"{self.folder}{os.sep}{name}", key, self.timeout, self.mode)

    def is_claimed(self, key: Key) -> bool:
        """Return whether a living process computes this key."""
        claim = self.claim(key)
        try:
            descriptor = open_file(claim.path, os.O_RDWR)
        except OSError:
            return False
        try:
            return not _lock(descriptor)
        finally:
            os.close(descriptor)

    def collect(self) -> None:
        """Remove the lock files of processes that died; those of the living cannot be locked."""
        with suppress(OSError):
            refuse_link(self.folder)
            for name in os.listdir(self.folder):
                claim = FileClaim(os.path.join(self.folder, name), ("", "", ""), 0.0)
                try:
                    _ = name.endswith(".lock") and claim.lock()
                finally:
                    claim.release()


def digest_of_key(key: Key) -> bytes:
    """Return 16 bytes that stand for a key; each of its strings is led by its length.

    >>> digest_of_key(("a", "bc", "d")) == digest_of_key(("ab", "c", "d"))
    False
    """
    parts = [part.encode("utf-8", "surrogatepass") for part in key]
    return xxhash.xxh3_128_digest(b"%d,%d:%b" % (len(parts[0]), len(parts[1]), b"".join(parts)))


def _sign(descriptor: int, waits_for: str = "") -> None:
    """Write into a lock file who holds it, for the log of those who wait, and which lock file he waits for."""
    import socket

    try:
        record = f"process {os.getpid()} on {socket.gethostname()}\n{waits_for}".encode()
        os.pwrite(descriptor, record, 0)
        # Not cut to nothing before: ext4 then writes the file to the disk when it is closed, which takes milliseconds.
        if os.fstat(descriptor).st_size > len(record):
            os.ftruncate(descriptor, len(record))
    except (OSError, AttributeError, ValueError) as error:
        _log("debug", "a claim is not signed: %s", error)


def _record(path: str) -> tuple[str, str]:
    """Return who holds a lock file, and which lock file he waits for, as far as it says so."""
    try:
        holder, _, waits_for = read_file(path, 10_000).decode("utf-8", "replace").partition("\n")
    except OSError:
        return "", ""
    return holder, waits_for


def _holder(path: str) -> str:
    return plain(_record(path)[0][:200]) or "another process"


def _is_above(holder: str) -> bool:
    """Return whether a holder is the process that started this one."""
    import socket

    return holder == f"process {os.getppid()} on {socket.gethostname()}"


def _is_stopped(holder: str) -> bool:
    """Return whether a holder on this machine was stopped by a signal, as by Ctrl-Z, as far as the system says."""
    import socket

    words = holder.split(" ", 3)
    if len(words) != 4 or words[3] != socket.gethostname() or not words[1].isdecimal():
        return False
    try:
        with open(f"/proc/{words[1]}/stat", "rb") as file:
            return file.read().rpartition(b") ")[2][:1] in (b"T", b"t")
    except OSError:
        return False


def _remove(path: str) -> None:
    with suppress(OSError):  # gone with its folder; a lock file left over locks nothing
        os.unlink(path)


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
    for descriptor in _descriptors.values():
        os.close(descriptor)
    _descriptors.clear()
    _held.clear()
    _guard.release()


if hasattr(os, "register_at_fork"):
    # The guard is held across the fork, so that the child finds neither it nor the table half-way.
    os.register_at_fork(before=_guard.acquire, after_in_parent=_guard.release, after_in_child=_let_go)
