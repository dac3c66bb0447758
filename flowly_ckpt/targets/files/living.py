"""Which files count as there: regular ones, young enough, and not known to be damaged."""

from __future__ import annotations

import os
import stat
import time
from contextlib import suppress

__all__ = ["Living"]


class Living:
    """Tell files that count from those that do not.

    :param max_age: seconds; older files do not count.

    >>> Living(None).has("/no/such/file"), Living(None).has(os.devnull)
    (False, False)
    """

    def __init__(self, max_age: float | None) -> None:
        self.max_age = max_age
        self._bad: dict[str, tuple[int, int]] = {}

    def has(self, path: str) -> bool:
        """Return whether a file counts."""
        try:
            facts = os.lstat(path)
        except OSError:
            return False
        if not stat.S_ISREG(facts.st_mode) or self._bad.get(path) == (facts.st_mtime_ns, facts.st_size):
            return False
        return self._is_young(facts)

    def has_expired(self, path: str) -> bool:
        """Return whether a file is there, and too old."""
        with suppress(OSError):
            return self.max_age is not None and not self._is_young(os.lstat(path))
        return False

    def _is_young(self, facts: os.stat_result) -> bool:
        # A date in the future shows a clock that was set back: such a file lives no longer than any other.
        return self.max_age is None or abs(time.time() - facts.st_mtime) < self.max_age

    def condemn(self, path: str) -> tuple[int, int] | None:
        """Count a file as damaged until it is written again; return what it is known by."""
        with suppress(OSError):
            facts = os.stat(path)
            self._bad[path] = (facts.st_mtime_ns, facts.st_size)
        return self._bad.get(path)

    def absolve(self, path: str) -> None:
        """Count a file again, since it was written anew."""
        self._bad.pop(path, None)
