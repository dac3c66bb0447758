"""Whether several were at work on one key at once, as threads on a fast and a slow copy of the same entry."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager

from ...typing import Key

__all__ = ["Overlaps"]


class _Work:
    """Count who is at work on a key now, and who was since nobody was."""

    now = ever = 0
    is_changing = False


class Overlaps:
    """Tell under which keys somebody was at work together with another, and one of them stored or deleted.

    >>> overlaps = Overlaps()
    >>> with overlaps.at([1, 2]) as of_reader, overlaps.at([2], changes=True) as of_writer:
    ...     of_reader(), of_writer()
    ([2], [2])
    >>> with overlaps.at([2], changes=True) as of_writer:
    ...     of_writer()
    []
    """

    def __init__(self) -> None:
        self._guard = threading.Lock()
        self._at_work: dict[Key, _Work] = {}

    @contextmanager
    def at(self, keys: Iterable[Key], changes: bool = False) -> Iterator[Callable[[], list[Key]]]:
        """Be at work on keys, and get a function that returns those under which there was an overlap."""
        own = {}
        with self._guard:
            for key in dict.fromkeys(keys):
                work = own[key] = self._at_work.setdefault(key, _Work())
                work.now += 1
                work.ever += 1
                work.is_changing |= changes
        try:
            yield lambda: [key for key, work in own.items() if work.is_changing and work.ever > 1]
        finally:
            with self._guard:
                for key, work in own.items():
                    work.now -= 1
                    if not work.now:
                        self._at_work.pop(key, None)

    def at_all(self) -> None:
        """Overlap with everybody who is at work now, as what clears all of it."""
        with self._guard:
            for work in self._at_work.values():
                work.ever += 1
                work.is_changing = True
