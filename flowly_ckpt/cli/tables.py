"""Tables that are written while their rows come, in constant memory, as wide as the terminal at most."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import chain, islice

from ..wording import aligned, plain

__all__ = ["table_lines"]

_FIRST = 1000  # rows whose widths are those of the table
_GAP = 2
_NUMBERS = {"size", "entries", "hits", "took", "saved", "unused"}
# What a narrow terminal takes from, in turn, and how many letters it leaves; 0 leaves the column out.
_NARROWED = {"transform": 9, "object": 8, "stored": 10, "input": 8, "unused": 0, "tag": 10}
_CUT = {"transform", "object", "stored"}  # whose beginning says enough, without a sign that something follows


def table_lines(
    headings: Sequence[str], rows: Iterable[Sequence[str]], room: int | None = None, first: int = _FIRST
) -> Iterator[str]:
    """Yield the lines of a table.

    :param room: the width of the terminal; None where lines may be of any length.
    :param first: how many rows are looked at for the widths; where lines may be of any length, a later cell that is
        longer is written as it is.

    >>> rows = [("fit", "0123456789abcdef", "2.0 kB"), ("load", "fedcba9876543210", "20 B")]
    >>> for line in table_lines(("tag", "object", "size"), rows, room=20):
    ...     print(line)
    tag   object      size
    fit   01234567  2.0 kB
    load  fedcba98    20 B
    """
    coming = ([plain(cell) for cell in row] for row in rows)
    known = list(islice(coming, first))
    widths = dict(zip(headings, [max(map(len, column)) for column in zip(headings, *known)]))
    if room is not None:
        _narrow(widths, room)
    left = [(n, widths[name], name in _CUT) for n, name in enumerate(headings) if widths[name]]
    right = {place for place, (n, _, _) in enumerate(left) if headings[n] in _NUMBERS}
    for row in chain([headings], known, coming):
        cells = [row[n] if room is None else _cut(row[n], width, plainly) for n, width, plainly in left]
        yield aligned(cells, [width for _, width, _ in left], right, _GAP)


def _narrow(widths: dict[str, int], room: int) -> None:
    for name, least in _NARROWED.items():
        over = sum(width + _GAP for width in widths.values() if width) - _GAP - room
        if over > 0 and name in widths:
            widths[name] = max(widths[name] - over, min(widths[name], least)) if least else 0


def _cut(cell: str, width: int, plainly: bool) -> str:
    """Cut a cell to a width.

    >>> _cut("package.module.function", 12, False), _cut("2026-11-22 02:09", 10, True)
    ('packa…nction', '2026-11-22')
    """
    if len(cell) <= width:
        return cell
    if plainly:
        return cell[:width]
    head = (width - 1) // 2
    return f"{cell[:head]}…{cell[len(cell) - (width - 1 - head) :]}"
