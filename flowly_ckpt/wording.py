"""Sizes, times and foreign text as people read them."""

from __future__ import annotations

import time
from collections.abc import Collection, Sequence

__all__ = ["age", "aligned", "columns", "date", "duration", "plain", "size"]


def size(count: float) -> str:
    """Write a number of bytes.

    >>> size(20), size(2_345_678)
    ('20 B', '2.3 MB')
    """
    for unit in ("B", "kB", "MB", "GB"):
        if count < 1000:
            return f"{count:.0f} B" if unit == "B" else f"{count:.1f} {unit}"
        count /= 1000
    return f"{count:.1f} TB"


def duration(seconds: float) -> str:
    """Write a number of seconds.

    >>> duration(0.0001), duration(0.0123), duration(90), duration(200_000)
    ('100 µs', '12 ms', '1.5 min', '2.3 d')
    """
    if 0 < seconds < 0.001:
        return f"{max(1.0, seconds * 1e6):.0f} µs"
    if seconds < 1:
        return f"{seconds * 1000:.0f} ms"
    for unit, length, next_one in (("s", 1, 60), ("min", 60, 3600), ("h", 3600, 86_400)):
        if seconds < next_one:
            return f"{seconds / length:.1f} {unit}"
    return f"{seconds / 86_400:.1f} d"


def age(moment: float) -> str:
    """Write how long ago a moment was, in seconds since the epoch.

    >>> age(time.time() - 7200)
    '2.0 h'
    """
    return duration(max(0.0, time.time() - moment))


def date(moment: float) -> str:
    """Write when a moment was, in seconds since the epoch, as a date and a time of day; nothing where it is 0.

    >>> len(date(time.time())), date(0)
    (16, '')
    """
    try:
        return time.strftime("%Y-%m-%d %H:%M", time.localtime(moment)) if moment else ""
    except (OverflowError, ValueError, OSError):  # a foreign store may state anything
        return "?"


def plain(text: object) -> str:
    """Return a text as it may be shown: what a terminal would take for a command is spelled out.

    >>> plain("a\\x1b[2Jb")
    'a\\\\x1b[2Jb'
    """
    found = str(text)
    return found if found.isprintable() else "".join([c if c.isprintable() else ascii(c)[1:-1] for c in found])


def columns(rows: Sequence[Sequence[str]], right: Collection[int] = ()) -> str:
    """Write rows of cells one below the other, as columns.

    :param right: the numbers of the columns that end at the right.

    >>> print(columns([["size", "B"], ["10", "C"]], right=[0]))
    size  B
      10  C
    """
    widths = [max(map(len, column)) for column in zip(*rows)]
    return "\n".join([aligned(row, widths, right) for row in rows])


def aligned(row: Sequence[str], widths: Sequence[int], right: Collection[int] = (), gap: int = 2) -> str:
    """Write the cells of a row as a line of columns.

    >>> aligned(["fit", "20 B"], [5, 6], right=[1])
    'fit      20 B'
    """
    cells = enumerate(zip(row, widths))
    padded = [cell.rjust(width) if n in right else cell.ljust(width) for n, (cell, width) in cells]
    return (" " * gap).join(padded).rstrip()
