"""How far the loops of a computation have come."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from itertools import islice
from pathlib import PurePath
from typing import Any, TypeVar, cast

from ..errors import FlowlyError

__all__ = ["ChangedError", "Loops"]

T = TypeVar("T")
Label = tuple[int, ...]
Position = tuple[int, str]

_PLAIN = (str, bytes, int, float, PurePath)
_LONGEST = 200


class ChangedError(FlowlyError, ValueError):
    """Raised when a loop cannot continue because its items have changed since the last run.

    :param done: how many items the last run had done.
    :param expected: the last of them.
    :param found: what is there now; None when there are fewer items.

    >>> print(ChangedError(2, "'b.txt'", "'c.txt'"))
    the last run had done 2 items, the last of them 'b.txt'; now it is 'c.txt': pass clean=True to start over
    """

    def __init__(self, done: int, expected: str, found: str | None) -> None:
        last = f", the last of them {expected}" if expected else ""
        now = f"now it is {found}" if found is not None else "now there are fewer"
        super().__init__(f"the last run had done {done} items{last}; {now}: pass clean=True to start over")
        self.done = done
        self.expected = expected
        self.found = found


class Loops:
    """Number the loops of a computation as they come, one within the other, and count the items each has done.

    A run that does the same gives its loops the same numbers, whatever happened to the lines of the program.

    >>> loops = Loops({(0,): (2, "'b'")})
    >>> list(loops.over("abcd", lambda: None))
    ['c', 'd']
    >>> loops.positions()
    {(0,): (4, "'d'")}
    """

    def __init__(self, saved: Mapping[Label, Position]) -> None:
        self._saved = dict(saved)  # of loops that this run has not come to yet
        self._reached: dict[Label, tuple[int, Any]] = {}
        self._path: Label = ()
        self._begun = [0]  # how many loops have ended, at each level of those that run

    def positions(self) -> dict[Label, Position]:
        """Return where each loop is, for a later run."""
        reached = {label: (done, _mark(item)) for label, (done, item) in self._reached.items()}
        return {**self._saved, **reached}

    def over(self, iterable: Iterable[T], after_each: Callable[[], object]) -> Iterator[T]:
        """Yield the items that are still to do; an item is done when the next is asked for."""
        outer = self._path
        label = (*outer, self._begun[-1])
        done, expected = self._saved.pop(label, (0, ""))
        source, last = _skip(iterable, done, expected)
        self._reached[label] = (done, last)
        self._path = label
        self._begun.append(0)
        try:
            for item in source:
                yield item
                done += 1
                self._reached[label] = (done, item)
                self._restart_inner(label)
                after_each()
        finally:
            self._path = outer
            del self._begun[len(label) :]
            self._begun[-1] += 1

    def _restart_inner(self, label: Label) -> None:
        depth = len(label)
        for positions in (self._saved, self._reached):
            for inner in [other for other in positions if len(other) > depth and other[:depth] == label]:
                del positions[inner]
        self._begun[depth:] = [0]


def _skip(iterable: Iterable[T], done: int, expected: str) -> tuple[Iterator[T], Any]:
    """Return an iterator over the items not yet done, and the last one that was."""
    if not done:
        return iter(iterable), None
    source = iter(iterable)
    if isinstance(iterable, range):
        source = iter(cast("Iterable[T]", iterable[done - 1 :]))  # it may be a long one
    else:
        deque(islice(source, done - 1), maxlen=0)
    for last in source:
        found = _mark(last)
        if expected and found and found != expected:
            raise ChangedError(done, expected, found)
        return source, last
    raise ChangedError(done, expected, None)


def _mark(item: Any) -> str:
    """Describe an item so that another run can compare it; empty where it cannot be compared."""
    if not isinstance(item, _PLAIN):
        return ""
    text = repr(item)
    return text if len(text) <= _LONGEST else f"{text[:90]}…{len(text)}…{text[-90:]}"
