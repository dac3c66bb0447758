"""How long a store waits for others who write: once for somebody who was stopped, not for every result again."""

from __future__ import annotations

__all__ = ["Patience"]


class Patience:
    """Seconds to wait for others: a few at first, and hardly any once that was in vain, until it is rewarded.

    :param first: seconds at first.
    :param then: seconds once that was in vain.

    >>> patience = Patience(5.0, 0.1)
    >>> patience.was_in_vain(), patience.seconds, patience.was_rewarded(), patience.seconds
    (None, 0.1, None, 5.0)
    """

    __slots__ = ("first", "seconds", "then")

    def __init__(self, first: float, then: float) -> None:
        self.first, self.then = first, then
        self.seconds = first

    def was_in_vain(self) -> None:
        """Note that somebody did not give way in time."""
        self.seconds = self.then

    def was_rewarded(self) -> None:
        """Note that nobody was in the way, or not for long."""
        self.seconds = self.first
