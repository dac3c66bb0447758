"""A bound on the bytes of any target."""

from __future__ import annotations

import itertools
import sys
import threading
from collections.abc import Callable
from typing import Any

from ... import given
from ...errors import StoreError
from ...forks import renewed
from ...typing import Age, Facts, Key, Target
from ..codecs import parts_of, pickled
from ..facts import Collected
from ..filesystem import size_of
from ..protocol import BaseTarget, described
from .base import Wrapper

__all__ = ["Bounded", "measured"]

REMEMBERED = 10_000  # evicted keys


def measured(value: Any) -> int:
    """Return about how many bytes a value takes: of its buffers and the rest of its pickle.

    >>> measured(bytes(1000)) >= 1000
    True
    """
    try:
        return size_of(parts_of(pickled, value))
    except Exception:  # noqa: BLE001  what cannot be pickled can be kept in memory all the same
        return sys.getsizeof(value)


class Bounded(Wrapper):
    """Evict what saves the least time per byte, the least recently used first on ties, to stay within a bound.

    The books are kept in memory; entries that were there before are measured at the first store.

    :param max_bytes: the bound on the sum of the measures; also text such as ``10GB``.
    :param measure: returns the size of a value in bytes.
    :raises StoreError: at a store of a value that is larger than max_bytes by itself.

    >>> target = Bounded({}, max_bytes=2000)
    >>> for name in "abc":
    ...     target.put((name, "tag", "f"), bytes(800), Facts(1.0))
    >>> [key[0] for key in target]
    ['b', 'c']

    See also: ``DiskTarget(max_bytes=…)``, which keeps its books on the disk.
    """

    _guard: Any

    def __init__(self, target: Target, max_bytes: int | str, measure: Callable[[Any], int] = measured) -> None:
        super().__init__(target)
        self.max_bytes = given.size("max_bytes", max_bytes)
        self.measure = given.function("measure", measure, "a value")
        self._books: dict[Key, tuple[int, float]] = {}
        self._used: dict[Key, int] = {}
        self._clock = itertools.count()
        self._evicted: dict[Key, None] = {}
        renewed(self, "_guard", threading.RLock)
        self._is_counted = False

    def __repr__(self) -> str:
        return f"Bounded({described(self.target)}, max_bytes={self.max_bytes})"

    def __reduce__(self) -> tuple[Any, ...]:
        return (type(self), (self.target, self.max_bytes, self.measure))

    def unwrapped(self, key: Key, stored: Any) -> Any:
        self._used[key] = next(self._clock)
        return stored

    def put(self, key: Key, value: Any, facts: Facts) -> None:
        size = self.measure(value)
        if size > self.max_bytes:
            raise StoreError(f"{self!r}: a value of {size} bytes is larger than max_bytes")
        with self._guard:
            self._count()
            super().put(key, value, facts)
            self._books[key] = (size, facts.seconds)
            self._used[key] = next(self._clock)
            if sum([size for size, _ in self._books.values()]) > self.max_bytes:
                self._evict(key, int(self.max_bytes * 0.9))

    put_many = BaseTarget.put_many

    def _count(self) -> None:
        if not self._is_counted:
            self._is_counted = True
            for key in list(self.target):
                if (value := self.target.get(key, self)) is not self:
                    self._books.setdefault(key, (self.measure(value), 0.0))

    def _evict(self, newest: Key | None, max_bytes: int) -> int:
        total, evicted = sum([size for size, _ in self._books.values()]), 0
        for key in sorted(self._books, key=self._worth):
            if total <= max_bytes:
                break
            if key != newest:
                total -= self._books[key][0]
                evicted += self.full._removed(key)
                self._forget(key)
                self._evicted[key] = None
        while len(self._evicted) > REMEMBERED:
            del self._evicted[next(iter(self._evicted))]

        return evicted

    def fate(self, key: Key) -> str:
        """Return what became of an entry: whether this process has evicted it."""
        return "evicted" if key in self._evicted and key not in self else super().fate(key)

    def _worth(self, key: Key) -> tuple[float, int]:
        size, seconds = self._books[key]
        return (seconds / max(size, 1), self._used.get(key, -1))

    def _forget(self, key: Key) -> None:
        self._books.pop(key, None)
        self._used.pop(key, None)

    def _shrink(self, max_bytes: int | str | None) -> int:
        if max_bytes is None:
            return 0
        with self._guard:
            self._count()
            return self._evict(None, given.size("max_bytes", max_bytes))

    def gc(self, *, older_than: Age = 600.0, max_bytes: int | str | None = None) -> Collected:
        """Evict by its own books, and collect what the target has to."""
        evicted = self._shrink(max_bytes)
        found = super().gc(older_than=older_than)
        return found._replace(evicted=found.evicted + evicted)

    def __delitem__(self, key: Key) -> None:
        with self._guard:
            self._forget(key)
            super().__delitem__(key)

    clear_where = BaseTarget.clear_where

    def clear(self) -> None:
        """Delete all entries."""
        with self._guard:
            super().clear()
            self._books.clear()
            self._used.clear()
