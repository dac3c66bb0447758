"""What a row of the comparison is: one piece of work, done by this library, by its peers, and by the bare machine."""

from __future__ import annotations

import itertools
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

sys.path.insert(0, str(Path(__file__).parents[2]))  # this checkout, whatever is installed

#: What is measured: a function of a number, which is another one at each call.
Work = Callable[[int], Any]
#: Given an empty folder, get everything ready, and return what is measured.
Prepare = Callable[[Path], Work]

OURS = "flowly_ckpt"


class Row(NamedTuple):
    """Hold one piece of work.

    ``works`` says who does it; what ``limit`` names there is the least that the machine needs, and does not compete.
    A work is timed and divided by ``per``; where ``unit`` is not seconds, what it returns is the figure.
    """

    name: str
    limit: str | None
    works: Mapping[str, Prepare]
    per: int = 1
    unit: str = "s"


def seconds(work: Work, least: float) -> float:
    """Return the least seconds of a call, in groups of calls that take a millisecond or more each."""
    numbers = itertools.count()
    begun = time.perf_counter()
    work(next(numbers))
    first = time.perf_counter() - begun
    if first > 4 * least:
        return first
    group = max(1, round(0.001 / max(first, 1e-8)))
    found, end = [first], begun + least
    while len(found) < 3 or time.perf_counter() < end:
        part = list(itertools.islice(numbers, group))
        start = time.perf_counter()
        for number in part:
            work(number)
        found.append((time.perf_counter() - start) / group)
        if found[-1] * group > least:
            break
    return min(found)
