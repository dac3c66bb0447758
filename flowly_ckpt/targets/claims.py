"""Claims between processes: one computes what is missing, the others wait for it, and a dead one's claim is free."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import NamedTuple

import xxhash

from ..typing import Key
from .locks import held, release, try_lock

__all__ = ["Claims", "digest_of_key"]

_POLL = (0.001, 0.03)  # seconds between looks, growing from the first to the second
_REPORT = 1.0  # seconds until a wait is worth a line in the log
_mine: dict[str, int] = {}  # path of a claim → the thread of this process that holds it


def digest_of_key(key: Key) -> bytes:
    """Return 16 bytes that stand for a key; each of its strings is led by its length.

    >>> digest_of_key(("a", "bc", "d")) == digest_of_key(("ab", "c", "d"))
    False
    """
    parts = [part.encode("utf-8", "surrogatepass") for part in key]
    return xxhash.xxh3_128_digest(b"%d,%d:%b" % (len(parts[0]), len(parts[1]), b"".join(parts)))


class Claims(NamedTuple):
    """Keep the claims on keys as lock files in a folder; the kernel frees a claim when its holder dies.

    :param folder: where the lock files lie; made when it is first needed.
    :param timeout: seconds to wait for a living holder; after that the claim is entered all the same.

    A claim spares work, correctness never rests on it: where the folder cannot be written, it is entered at once.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder, Claims(folder).claim(("a", "b", "c")):
    ...     Claims(folder).is_claimed(("a", "b", "c"))
    True
    """

    folder: str
    timeout: float = 3600.0

    def path(self, key: Key) -> str:
        """Return the lock file of a key."""
        return os.path.join(self.folder, digest_of_key(key).hex() + ".lock")

    def is_claimed(self, key: Key) -> bool:
        """Tell whether a living process computes this key."""
        return held(self.path(key))

    @contextmanager
    def claim(self, key: Key) -> Iterator[None]:
        """Hold the claim on a key; wait while another holds it, report a wait of more than a second in the log."""
        path = self.path(key)
        thread = threading.get_ident()
        descriptor = None if _mine.get(path) == thread else self._enter(path, key)
        if descriptor is None:
            yield
            return
        process = os.getpid()
        try:
            _mine[path] = thread
            yield
        finally:
            _mine.pop(path, None)
            if os.getpid() == process:  # else this is a forked child, which let go of the claim at its birth
                release(descriptor, path)

    def _enter(self, path: str, key: Key) -> int | None:
        """Return the locked file, or None where there is no claim to be had."""
        try:
            descriptor = self._lock(path)
            start = time.monotonic()
            pause, longest = _POLL
            told = False
            while descriptor is None:
                waited = time.monotonic() - start
                if waited >= _REPORT and not told:
                    told = True
                    _log("info", "waiting for %s, which computes %s", _holder(path), key)
                if waited >= self.timeout:
                    _log("warning", "%s still computes %s after %.0f s; computing it here as well",
                         _holder(path), key, waited)  # fmt: skip
                    return None
                time.sleep(pause)
                pause = min(pause * 1.5, longest)
                descriptor = self._lock(path)
        except OSError as error:
            _log("debug", "no claim on %s: %s", key, error)
            return None
        _sign(descriptor)
        return descriptor

    def _lock(self, path: str) -> int | None:
        try:
            return try_lock(path)
        except FileNotFoundError:
            os.makedirs(self.folder, exist_ok=True)
            return try_lock(path)


def _sign(descriptor: int) -> None:
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
