"""The right to compute a key: one computes what is missing, the others wait for it."""

from __future__ import annotations

import time
from collections.abc import Generator, Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack, suppress
from typing import Any, Self

import xxhash

from ..typing import Key

__all__ = ["UNCLAIMED", "AllClaims", "Claim", "EnteredClaim", "digest_of_key"]


class Claim:
    """The right to compute a key. This one never waits; a subclass waits for other holders.

    Entered as a context it waits by sleeping; an event loop goes through :meth:`waits` and sleeps in its own way.

    >>> with Claim() as claim:
    ...     claim.is_shared
    False
    """

    is_shared = False  # whether somebody else may have stored the result before it was held
    is_awaited = False  # whether it is waited for by a task, whose event loop goes on with others meanwhile

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
        """Give all of them back, whatever one of them raises."""
        with ExitStack() as held:
            for claim in self.claims:
                held.callback(claim.release)


def digest_of_key(key: Key) -> bytes:
    """Return 16 bytes that stand for a key; its first two strings are led by their lengths.

    >>> digest_of_key(("a", "bc", "d")) == digest_of_key(("ab", "c", "d"))
    False
    """
    first, second, third = key
    text = f"{len(first)},{len(second)}:{first}{second}{third}"
    return xxhash.xxh3_128_digest(text.encode("utf-8", "surrogatepass"))
