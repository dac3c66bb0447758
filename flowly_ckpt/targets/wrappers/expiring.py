"""Entries that count as absent after some time, in any target."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

from ... import given
from ...typing import Age, Key, Target
from ..facts import Collected, Entry, Selection, Stamped
from ..protocol import BaseTarget, described
from .base import Wrapper

__all__ = ["Expiring"]


class Expiring(Wrapper):
    """Count entries older than ``max_age`` as absent; so are those whose age is not known.

    :param max_age: seconds, a timedelta, or text such as ``30d``.

    >>> target = Expiring({}, max_age=3600)
    >>> target["a", "b", "c"] = 1
    >>> target["a", "b", "c"], len(Expiring(target.target, max_age=0))
    (1, 0)

    See also: ``DiskTarget(max_age=…)`` and ``FileTarget(max_age=…)``, which know the age by themselves.
    """

    keeps_times = True

    def __init__(self, target: Target, max_age: Age) -> None:
        super().__init__(target)
        self.max_age = given.seconds("max_age", max_age)

    def __repr__(self) -> str:
        return f"Expiring({described(self.target)}, max_age={self.max_age})"

    def _is_live(self, stamped: Any) -> bool:
        # A date in the future shows a clock that was set back: such an entry lives no longer than others.
        return isinstance(stamped, Stamped) and abs(time.time() - stamped.created) < self.max_age

    def wrapped(self, key: Key, value: Any) -> Any:
        return Stamped(time.time(), value)

    def unwrapped(self, key: Key, stored: Any) -> Any:
        if not self._is_live(stored):
            raise KeyError(key)
        return stored.value

    def __contains__(self, key: object) -> bool:
        return self._stamp(key) is not None

    def _stamp(self, key: Any) -> Stamped | None:
        try:
            stamped = self.target[key]
        except KeyError:
            return None
        return stamped if self._is_live(stamped) else None

    def __delitem__(self, key: Key) -> None:
        if self._stamp(key) is None:
            raise KeyError(key)
        super().__delitem__(key)

    def __iter__(self) -> Iterator[Key]:
        return (key for key in list(self.target) if key in self)

    def __len__(self) -> int:
        return sum(1 for _ in self)

    def entry(self, key: Key) -> Entry | None:
        """Return what is known of an entry, with the time that stands beside its value."""
        stamped, entry = self._stamp(key), self.full.entry(key)
        if stamped is None or entry is None:
            return None
        return entry if entry.created else entry._replace(created=stamped.created, used=stamped.created)

    entries = BaseTarget.entries
    latest = BaseTarget.latest

    def fate(self, key: Key) -> str:
        return "expired" if key in self.target and key not in self else self.full.fate(key)

    clear_where = BaseTarget.clear_where
    stats = BaseTarget.stats

    def gc(self, *, older_than: Age = 600.0, max_bytes: int | str | None = None) -> Collected:
        """Remove expired entries too."""
        expired = [key for key in list(self.target) if Selection().matches(key) and key not in self]
        count = sum(self.full._removed(key) for key in expired)
        found = self.full.gc(older_than=older_than, max_bytes=max_bytes)
        return found._replace(expired=found.expired + count)
