"""Claims in a store of objects: each one more object, written only if it is not there, and renewed while it is held."""

from __future__ import annotations

import math
import os
import re
import threading
import time
import uuid

import xxhash

from ..forks import renewed
from ..logs import DEBUG, heard
from ..typing import Key
from ..wording import plain
from .claims import digest_of_key
from .objects import Objects
from .polling import Polled

__all__ = ["Leases"]

_FOLDER = ".claims"
_NAME = re.compile(r"\.claims/[0-9a-f]{32}")
_RIGHT = ".next"


def clocks() -> tuple[float, float]:
    """Return the time by two clocks: one stands still while the machine sleeps, the other may be set back.

    >>> all(now >= 0 for now in clocks())
    True
    """
    return time.monotonic(), time.time()


def right_to(name: str, content: bytes) -> str:
    """Return the name of an object: whoever makes it may replace this content of another one, if it stands there still.

    >>> right_to(".claims/00", b"a").endswith(".next")
    True
    """
    return f"{_FOLDER}/{xxhash.xxh3_128_hexdigest(name.encode() + content)}{_RIGHT}"


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
        self.held: dict[str, Lease]
        self._guard: threading.Lock
        self._renewer: threading.Thread | None
        self._wake: threading.Event
        renewed(self, "held", dict)  # which belongs to the process that took it
        renewed(self, "_guard", threading.Lock)
        renewed(self, "_renewer", lambda: None)
        renewed(self, "_wake", threading.Event)

    def claim(self, key: Key) -> Lease:
        """Return the claim to compute a key."""
        return Lease(self, key)

    def collect(self, older_than: float) -> list[tuple[str, int]]:
        """Remove claims that their holders have not renewed for so many seconds; give name and size of each."""
        # Read before their ages are asked for, so that one that is written meanwhile is not taken for what is old.
        contents = {name: bytes(data) for name, data in self.objects.read(self.objects.names(_FOLDER))}
        found = self.objects.forsaken(contents, max(older_than, self.seconds))
        self.objects.remove([name for name, _ in found if name.endswith(_RIGHT)])
        return [each for each in found if each[0].endswith(_RIGHT) or self.replace(each[0], contents[each[0]], None)]

    def replace(self, name: str, content: bytes, other: bytes | None) -> bool:
        """Write or remove an object if it still has some content; of all who want to replace that, only one does."""
        right = right_to(name, content)
        if not self.objects.create(right, b""):
            return False
        try:
            if self.read(name) != content:
                return False
            if other is None:
                self.objects.remove([name])
            else:
                self.objects.write({name: other})
            return True
        finally:
            self.objects.remove([right])

    def read(self, name: str) -> bytes | None:
        """Return the content of an object, or None."""
        return next((bytes(data) for _, data in self.objects.read([name])), None)

    def hold(self, lease: Lease) -> None:
        """Renew a claim from now on."""
        with self._guard:
            self.held[lease.name] = lease
            self._wake.clear()
            if self._renewer is None:
                self._renewer = threading.Thread(target=self._renew, name="flowly_ckpt leases", daemon=True)
                self._renewer.start()

    def let_go(self, lease: Lease) -> bool:
        """Renew a claim no longer; return whether it was held."""
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
                try:
                    self._write(list(self.held.values()))
                except OSError as error:
                    if log := heard(DEBUG):
                        log.debug("claims could not be renewed: %s", error)

    def renew(self, leases: list[Lease]) -> None:
        """Write claims that are held anew."""
        with self._guard:
            self._write([lease for lease in leases if self.held.get(lease.name) is lease])

    def _write(self, leases: list[Lease]) -> None:
        """Write claims anew while none is released; one that was not written for long may be another's by now."""
        now = clocks()
        fresh = [lease for lease in leases if lease.is_fresh()]
        self.objects.write({lease.name: lease.content() for lease in fresh})
        for lease in fresh:
            lease.written = now
        for lease in leases:
            if lease.written is not now:
                self._write_late(lease)

    def _write_late(self, lease: Lease) -> None:
        now, content = clocks(), self.read(lease.name)
        if content is None:
            is_written = self.objects.create(lease.name, lease.content())
        elif lease.wrote(content):
            is_written = self.replace(lease.name, content, lease.content())
        else:
            del self.held[lease.name]
            if log := heard(DEBUG):
                log.debug("a claim was taken over, as it was not renewed in time: %s", lease.key)
            return
        if is_written:
            lease.written = now


class Lease(Polled):
    """A claim that an object stands for.

    :param leases: those of one store.
    """

    def __init__(self, leases: Leases, key: Key) -> None:
        super().__init__(key, leases.timeout)
        self.leases = leases
        self.name = f"{_FOLDER}/{digest_of_key(key).hex()}"
        self.waits_for = ""  # the name of the claim that the holder waits for, for those who look for circles
        self._noted: list[Lease] = []  # those whose holders wait for this one
        self.written = clocks()  # or earlier: when it was begun
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
        content = self.leases.read(self.name)
        if content is None:
            self.written = clocks()
            is_mine = self.leases.objects.create(self.name, self.content())
        else:  # it is one's own where it was written by an attempt whose answer was lost
            is_mine = self.wrote(content) or self._takes_over(content)
        if is_mine:
            self.leases.hold(self)
        return is_mine

    def wrote(self, content: bytes) -> bool:
        """Return whether a content is one that it has written."""
        return self._token.encode() in content

    def is_fresh(self) -> bool:
        """Return whether it was written so lately that nobody can have taken it over, nor does so at once."""
        return max(now - then for now, then in zip(clocks(), self.written)) < self.leases.seconds / 2

    def _takes_over(self, content: bytes) -> bool:
        """Write the object anew if it has not been renewed for long; of those who wait only one does.

        One that is empty counts as any other: in a folder its writer may be about to fill it, or have been killed.
        """
        now = time.monotonic()
        if content != self._seen[0]:
            self._seen = (content, now)
            self._barred = math.inf
        if now - self._seen[1] <= self.leases.seconds:
            return False
        written = clocks()
        if self.leases.replace(self.name, content, self.content()):
            self.written = written
            return True
        self._barred = min(self._barred, now)
        if now - self._barred > self.leases.seconds:  # whoever has the right has been killed since
            self.leases.objects.remove([right_to(self.name, content)])
        return False

    def circle(self, waited: float) -> Key | None:
        """Return the key held by this thread that the holder waits for, by what all have noted in their objects."""
        mine = {lease.name: lease for lease in list(self.leases.held.values()) if lease.is_stuck(self, waited)}
        self._note(list(mine.values()))
        seen: set[str] = set()
        name = self.name if mine else ""
        while _NAME.fullmatch(name) and name not in seen:
            if name in mine:
                return mine[name].key
            seen.add(name)
            name = (self.leases.read(name) or b"").decode("utf-8", "replace").partition("\n")[2].partition("\n")[0]
        return None

    def stop_looking(self) -> None:
        """Take back the note of whom this thread waits for."""
        self._note([])

    def _note(self, stuck: list[Lease]) -> None:
        """Write into claims that they wait for this one, and no longer into others that it was written into."""
        news = [lease for lease in stuck if lease.waits_for != self.name]
        olds = [lease for lease in self._noted if lease not in stuck and lease.waits_for == self.name]
        self._noted = stuck
        for lease in news:
            lease.waits_for = self.name
        for lease in olds:
            lease.waits_for = ""
        if news or olds:
            self.leases.renew(news + olds)

    def release(self) -> None:
        """Remove the object, if it is held."""
        if self.leases.let_go(self):
            try:
                if self.is_fresh():
                    self.leases.objects.remove([self.name])
                elif self.wrote(content := self.leases.read(self.name) or b""):  # else it was taken over meanwhile
                    self.leases.replace(self.name, content, None)
            except OSError as error:  # it ends by itself
                if log := heard(DEBUG):
                    log.debug("a claim could not be released: %s", error)

    def holder(self) -> str:
        """Name who holds it, as it says itself."""
        text = (self._seen[0] or b"").partition(b"\n")[0].decode("utf-8", "replace")
        return plain(text[:200]) or super().holder()
