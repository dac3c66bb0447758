"""Claims in a store of objects: each one more object, written only if it is not there, and renewed while it is held."""

from __future__ import annotations

import math
import os
import re
import threading
import time
import uuid

import xxhash

from ..logs import DEBUG, heard
from ..typing import Key
from ..wording import plain
from .claims import digest_of_key
from .objects import Objects
from .polling import Polled

__all__ = ["Leases"]

_FOLDER = ".claims"
_NAME = re.compile(r"\.claims/[0-9a-f]{32}")


class Leases:
    """Give claims that end when their holder has not renewed them for a while.

    :param objects: where they are written.
    :param seconds: how long one lasts without being renewed.
    :param timeout: seconds to wait for a living holder.

    >>> leases = Leases(Objects("memory://leased", {}, 30.0), 10.0, 60.0)
    >>> with leases.claim(("a", "fit", "f")):
    ...     next(leases.claim(("a", "fit", "f")).waits(), "this thread holds it")
    'this thread holds it'
    """

    def __init__(self, objects: Objects, seconds: float, timeout: float) -> None:
        self.objects = objects
        self.seconds = seconds
        self.timeout = timeout
        self.held: dict[str, Lease] = {}
        self._guard = threading.Lock()
        self._process = os.getpid()
        self._renewer: threading.Thread | None = None
        self._wake = threading.Event()

    def claim(self, key: Key) -> Lease:
        """Return the claim to compute a key."""
        if self._process != os.getpid():  # what is held belongs to the process this one was forked from
            self.held, self._guard, self._renewer, self._wake = {}, threading.Lock(), None, threading.Event()
            self._process = os.getpid()
        return Lease(self, key)

    def collect(self, older_than: float) -> list[tuple[str, int]]:
        """Remove claims that their holders have not renewed for so many seconds; give name and size of each."""
        found = self.objects.forsaken(_FOLDER, max(older_than, self.seconds))
        self.objects.remove([name for name, _ in found])
        return found

    def hold(self, lease: Lease) -> None:
        """Renew a claim from now on."""
        with self._guard:
            self.held[lease.name] = lease
            if self._renewer is None:
                self._wake.clear()
                self._renewer = threading.Thread(target=self._renew, name="flowly_ckpt leases", daemon=True)
                self._renewer.start()

    def let_go(self, lease: Lease) -> bool:
        """Renew a claim no longer; return whether it was held."""
        if self._process != os.getpid():  # whose guard a thread of the parent may hold for ever
            return False
        with self._guard:
            if self.held.get(lease.name) is not lease:
                return False
            del self.held[lease.name]
            if not self.held:
                self._wake.set()
            return True

    def _renew(self) -> None:
        while True:
            self._wake.wait(self.seconds / 3)
            with self._guard:
                if not self.held:
                    self._renewer = None
                    return
                try:  # none is released meanwhile: it would be written over the claim of the next one
                    self.objects.write({lease.name: lease.content() for lease in self.held.values()})
                except OSError as error:
                    if log := heard(DEBUG):
                        log.debug("claims could not be renewed: %s", error)


class Lease(Polled):
    """A claim that an object stands for.

    :param leases: those of one store.
    """

    def __init__(self, leases: Leases, key: Key) -> None:
        super().__init__(key, leases.timeout)
        self.leases = leases
        self.name = f"{_FOLDER}/{digest_of_key(key).hex()}"
        self.thread = threading.get_ident()
        self.waits_for = ""  # the name of the claim that the holder waits for, for those who look for circles
        self._token = uuid.uuid4().hex
        self._seen: tuple[bytes | None, float] = (None, 0.0)  # what was read last, and since when that has been so
        self._barred = math.inf  # since when another one has the right to take it over

    def content(self) -> bytes:
        """Return what is written: who holds it, and something that is new each time."""
        import socket

        holder = f"process {os.getpid()} on {socket.gethostname()}"
        return f"{holder}\n{self.waits_for}\n{self._token} {time.monotonic_ns()}".encode()

    def is_mine(self) -> bool:
        """Return whether this thread holds it."""
        mine = self.leases.held.get(self.name)
        return mine is not None and mine.thread == self.thread

    def lock(self) -> bool:
        """Write the object, unless somebody else has and still renews it."""
        content = self._read(self.name)
        if content is None:
            is_mine = self.leases.objects.create(self.name, self.content())
        else:  # it is one's own where it was written by an attempt whose answer was lost
            is_mine = self._token.encode() in content or self._takes_over(content)
        if is_mine:
            self.leases.hold(self)
        return is_mine

    def _read(self, name: str) -> bytes | None:
        return next((bytes(data) for _, data in self.leases.objects.read([name])), None)

    def _takes_over(self, content: bytes) -> bool:
        """Write the object anew if it has not been renewed for long; of those who wait only one does.

        One that is empty counts as any other: in a folder its writer may be about to fill it, or have been killed.
        """
        now, objects = time.monotonic(), self.leases.objects
        if content != self._seen[0]:
            self._seen = (content, now)
            self._barred = math.inf
        if now - self._seen[1] <= self.leases.seconds:
            return False
        # Whoever makes the object of this name may replace what was read, as long as it still stands there.
        right = f"{_FOLDER}/{xxhash.xxh3_128_hexdigest(self.name.encode() + content)}.next"
        if not objects.create(right, self._token.encode()):
            self._barred = min(self._barred, now)
            if now - self._barred > self.leases.seconds:  # whoever made it has been killed since
                objects.remove([right])
            return False
        try:
            if self._read(self.name) != content:
                return False
            objects.write({self.name: self.content()})
            return True
        finally:
            objects.remove([right])

    def circle(self, waited: float) -> Key | None:
        """Return the key held by this thread that the holder waits for, by what all have noted in their objects."""
        mine = self._note(self.name)
        seen: set[str] = set()
        name = self.name if mine else ""
        while _NAME.fullmatch(name) and name not in seen:
            if name in mine:
                return mine[name].key
            seen.add(name)
            name = (self._read(name) or b"").decode("utf-8", "replace").partition("\n")[2].partition("\n")[0]
        return None

    def stop_looking(self) -> None:
        """Take back the note of whom this thread waits for."""
        self._note("")

    def _note(self, name: str) -> dict[str, Lease]:
        """Write into the claims that this thread holds which one it waits for; return them."""
        mine = {lease.name: lease for lease in list(self.leases.held.values()) if lease.thread == self.thread}
        news = [lease for lease in mine.values() if lease.waits_for != name]
        for lease in news:
            lease.waits_for = name
        if news:
            self.leases.objects.write({lease.name: lease.content() for lease in news})
        return mine

    def release(self) -> None:
        """Remove the object, if it is held."""
        if self.leases.let_go(self):
            try:
                self.leases.objects.remove([self.name])
            except OSError as error:  # it ends by itself
                if log := heard(DEBUG):
                    log.debug("a claim could not be released: %s", error)

    def holder(self) -> str:
        """Name who holds it, as it says itself."""
        text = (self._seen[0] or b"").partition(b"\n")[0].decode("utf-8", "replace")
        return plain(text[:200]) or super().holder()
