"""What decoding may cost: in proportion to what is stored, and stated before anything is made of it."""

from __future__ import annotations

from .damage import DamagedError

__all__ = ["Budget"]

_FREE_STEPS = 20_000_000  # a second or so
_STEPS_PER_BYTE = 100


class Budget:
    """Count what decoding takes, and refuse what no value takes that was encoded here.

    Encoding writes every byte of a value once, so decoding takes no more bytes than there are; what a method of
    compression adds to that its ratio says. Steps are for what costs time, or has a length, without having bytes: rows
    of a column of nothing but nulls, or comparisons of keys whose hashes are equal.

    :param stored: how many bytes there are to decode.
    :param ratio: how many bytes one of them may stand for.

    >>> budget = Budget(10)
    >>> budget.take(8, "the first array")
    >>> budget.take(8, "the second array")
    Traceback (most recent call last):
        ...
    flowly_ckpt.targets.damage.DamagedError: the second array takes 8 bytes, 2 of 10 are left

    See also: :class:`flowly_ckpt.targets.damage.DamagedError`, which makes an entry a miss.
    """

    __slots__ = ("_bytes", "_of", "_steps")

    def __init__(self, stored: int, ratio: int = 1) -> None:
        self._of = self._bytes = stored * ratio
        self._steps = _FREE_STEPS + _STEPS_PER_BYTE * stored

    def take(self, size: int, what: str) -> None:
        """Take so many bytes.

        :raises DamagedError: when there are fewer left.
        """
        if not 0 <= size <= self._bytes:
            raise DamagedError(f"{what} takes {size} bytes, {self._bytes} of {self._of} are left")
        self._bytes -= size

    def step(self, count: int, what: str) -> None:
        """Make so many steps.

        :raises DamagedError: when there are fewer left.

        >>> Budget(10).step(1 << 40, "a column of nulls")
        Traceback (most recent call last):
            ...
        flowly_ckpt.targets.damage.DamagedError: a column of nulls takes 1099511627776 steps, 20001000 are left
        """
        if not 0 <= count <= self._steps:
            raise DamagedError(f"{what} takes {count} steps, {self._steps} are left")
        self._steps -= count
