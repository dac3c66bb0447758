"""Which steps of a pipeline stayed, came and went, by their names."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import zip_longest

__all__ = ["aligned"]

MOST = 64  # steps looked at, as it takes the square of them

Pair = tuple[int | None, int | None]


def aligned(before: Sequence[str], after: Sequence[str]) -> list[Pair]:
    """Return the places of steps in two pipelines side by side; None where one has no counterpart.

    >>> aligned(["load", "fit"], ["load", "clean", "fit"])
    [(0, 0), (None, 1), (1, 2)]
    """
    from difflib import SequenceMatcher

    pairs: list[Pair] = []
    for _, start, end, other_start, other_end in SequenceMatcher(
        None, before[:MOST], after[:MOST], autojunk=False
    ).get_opcodes():
        pairs += zip_longest(range(start, end), range(other_start, other_end))
    while pairs and None in pairs[-1] and min(len(before), len(after)) > MOST:
        pairs.pop()  # its counterpart may come later
    return pairs
