"""Claims that are asked for again and again, until they are held or waiting for them has no sense."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import suppress

from ..logs import DEBUG, INFO, WARNING, heard
from ..typing import Key
from .claims import Claim
from .waiting import computing, is_waited_for, warn_of_circle, whom_it_waits_for

__all__ = ["Polled"]

_PART = 20  # of what has been waited, the longest pause
_REPORT = 1.0  # seconds until a wait is worth a line in the log


class Polled(Claim):
    """A claim that is tried for until it is held; a subclass says how.

    :param key: what is computed, for the log.
    :param timeout: seconds to wait for a living holder; then the key is computed anyway.

    A claim saves work, correctness never rests on it: where the store cannot answer, it is not to be had.

    >>> class Second(Polled):
    ...     tries = 0
    ...     def lock(self):
    ...         self.tries += 1
    ...         return self.tries == 2
    >>> list(Second(("a", "fit", "f"), 60).waits())
    [0.005]
    """

    is_shared = True
    # Seconds between attempts: they grow from the first to the second; and on to the third, as far as that is a small
    # part of what has been waited, since a thousand clients may wait for one key.
    pauses = (0.005, 0.5, 5.0)
    look = 0.5  # seconds between looks whether the holder waits for us
    suspicion = 5.0  # seconds until who may wait for us is taken to do so

    def __init__(self, key: Key, timeout: float) -> None:
        self.key = key
        self.timeout = timeout
        self.thread = threading.get_ident()
        self.computes = computing.get()[-1:]  # the place, for those who look for circles

    def lock(self) -> bool:
        """Take it, unless somebody else holds it; return whether it is held now.

        :raises OSError: where the store cannot answer.
        """
        raise NotImplementedError

    def is_mine(self) -> bool:
        """Return whether this thread holds it already, so that waiting would never end."""
        return False

    def circle(self, waited: float) -> Key | None:
        """Return the key held by this thread that the holder waits for, directly or not, or None.

        :param waited: seconds so far.
        """
        return None

    def is_stuck(self, other: Polled, waited: float) -> bool:
        """Return whether what computes this one's key waits for another claim, for which this thread waits.

        :param waited: seconds so far. A task that waits stops no others of its loop, but those that wait for it; it is
            not always known which they are.
        """
        if any(whom_it_waits_for(place) is not None for place in self.computes):
            return True
        if self.thread == other.thread:
            return not (other.is_awaited and self.computes) or waited > self.suspicion
        return is_waited_for(self.thread, (), 0.0)

    def gives_up(self, waited: float) -> str:
        """Say why it makes no sense to wait any longer, or nothing."""
        return ""

    def stop_looking(self) -> None:
        """Forget what was noted while it was waited for."""

    def holder(self) -> str:
        """Name who holds it."""
        return "another process"

    def waits(self) -> Iterator[float]:
        """Yield the seconds to wait while somebody else computes the key; a wait of over a second is logged."""
        if self.is_mine():
            return
        try:
            if not self.lock():
                yield from self._pauses()
        except OSError as error:
            if log := heard(DEBUG):
                log.debug("no claim on %s: %s", self.key, error)

    def _pauses(self) -> Iterator[float]:
        start, reported, looked = time.monotonic(), False, 0.0
        pause, longest, most = self.pauses
        try:
            while True:
                yield pause
                if self.lock():
                    return
                waited = time.monotonic() - start
                if waited - looked >= self.look:
                    looked = waited
                    if (circle := self.circle(waited)) is not None:
                        warn_of_circle(self.key, circle)
                        return
                    if why := self.gives_up(waited):
                        self._compute_too(why, waited)
                        return
                if waited >= _REPORT and not reported:
                    reported = True
                    if log := heard(INFO):
                        log.info("waiting for %s, which computes %s", self.holder(), self.key)
                if waited >= self.timeout:
                    self._compute_too("still computes", waited)
                    return
                pause = min(pause * 1.5, max(longest, waited / _PART), most)
        finally:
            if looked:
                with suppress(OSError):
                    self.stop_looking()

    def _compute_too(self, why: str, waited: float) -> None:
        if log := heard(WARNING):
            log.warning("%s %s %s after %.0f s; computing it here as well", self.holder(), why, self.key, waited)
