"""Which entries to clear: by object, tag, transform, age and last use."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, MutableMapping
from typing import Any, NamedTuple

from ..typing import Key

__all__ = ["Names", "Selection", "clear_keys", "names_of"]

Names = str | Iterable[str] | None


class Selection(NamedTuple):
    """Describe entries; what is None selects nothing away, several criteria must all hold.

    :param object, tag, transform: a string or several, to be found at that place of the key.
    :param older_than: seconds since the entry was stored.
    :param unused_for: seconds since it was last restored or stored.
    :param dry_run: count only.

    >>> Selection(tag="clean").matches(("a", "clean", "b"))
    True
    """

    object: Names = None
    tag: Names = None
    transform: Names = None
    older_than: float | None = None
    unused_for: float | None = None
    dry_run: bool = False

    def matches(self, key: Key) -> bool:
        """Tell whether a key is selected by its strings."""
        wanted = (names_of(self.object), names_of(self.tag), names_of(self.transform))
        return all(names is None or part in names for part, names in zip(key, wanted))

    def is_due(self, created: float, used: float) -> bool:
        """Tell whether an entry is selected by its times, in seconds since the epoch."""
        now = time.time()
        return (self.older_than is None or now - created > self.older_than) and (
            self.unused_for is None or now - used > self.unused_for
        )


def names_of(names: Names) -> frozenset[str] | None:
    """Return the strings meant, or None for all.

    >>> sorted(names_of(["b", "a"])), names_of(None)
    (['a', 'b'], None)
    """
    if names is None:
        return None
    return frozenset([names]) if isinstance(names, str) else frozenset(names)


def clear_keys(target: MutableMapping[Key, Any], chosen: Selection, age_of: Callable[[Key], float]) -> int:
    """Delete the selected keys of any mapping, walking them; return how many were there.

    :param age_of: when an entry was stored; asked only where the selection speaks of age.

    >>> target = {("a", "x", "b"): 1, ("a", "y", "b"): 2}
    >>> clear_keys(target, Selection(tag="x"), None), list(target)
    (1, [('a', 'y', 'b')])
    """
    timed = chosen.older_than is not None or chosen.unused_for is not None
    count = 0
    for key in [key for key in target if chosen.matches(key)]:
        try:
            if timed and not chosen.is_due(age_of(key), age_of(key)):
                continue
            if not chosen.dry_run:
                del target[key]
        except (KeyError, FileNotFoundError):
            continue  # someone else was faster
        count += 1
    return count
