"""What a target knows of its entries beside their values, and which entries a selection means."""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple, TypeGuard

from ..given import optional, seconds, wrong
from ..typing import Key

__all__ = [
    "Collected", "Entry", "Selection", "Stamped", "TagStats", "is_key", "key_given", "names_of", "stats_of", "to_evict",
]  # fmt: skip

Names = str | Iterable[str] | None


class Entry(NamedTuple):
    """Describe an entry beside its value; times are seconds since the epoch, 0 where the target does not know them.

    :param key: the key, three strings.
    :param codec: the name of the codec that encoded the value; empty where nothing was encoded.
    :param size: of the encoded value, in bytes.
    :param created: when it was stored.
    :param used: when it was last restored, or stored.
    :param seconds: how long the value took to compute.
    :param hits: how often it was restored.
    :param made_from: the digests its key was made from, by name.
    :param file: the file that holds the value, relative to the target's folder; None where there is none.

    >>> Entry(("a", "t", "f"), "pickled", 10, 0.0, 0.0, 2.0, 3, {}, None).saved
    6.0
    """

    key: Key
    codec: str = ""
    size: int = 0
    created: float = 0.0
    used: float = 0.0
    seconds: float = 0.0
    hits: int = 0
    made_from: dict[str, Any] = {}  # noqa: RUF012
    file: str | None = None

    @property
    def saved(self) -> float:
        """The seconds that its hits have saved."""
        return self.seconds * self.hits


class TagStats(NamedTuple):
    """Count the entries of one tag; ``saved`` is in seconds, ``used`` the last use of any of them.

    >>> TagStats("clean", 2, 100, 3, 1.5, 0.0).saved
    1.5
    """

    tag: str
    entries: int
    bytes: int
    hits: int
    saved: float
    used: float


class Collected(NamedTuple):
    """Count what a garbage collection removed.

    >>> Collected(1, 2, 300)
    Collected(expired=1, files=2, bytes=300, evicted=0)
    """

    expired: int
    files: int
    bytes: int
    evicted: int = 0


class Stamped(NamedTuple):
    """Hold a value and when it was stored, in seconds since the epoch; what ``Expiring`` keeps.

    >>> Stamped(0.0, "value").value
    'value'
    """

    created: float
    value: Any


class Selection(NamedTuple):
    """Select entries; criteria that are None select everything, several must all hold.

    :param object, tag, transform: a string or several, to be found at that place of the key.
    :param older_than: seconds since the entry was stored.
    :param unused_for: seconds since it was last restored, or stored if it never was.

    >>> Selection(tag="clean").matches(("a", "clean", "b"))
    True
    """

    object: Names = None
    tag: Names = None
    transform: Names = None
    older_than: float | None = None
    unused_for: float | None = None

    @property
    def is_timed(self) -> bool:
        """Whether it asks for times, which not every target keeps."""
        return self.older_than is not None or self.unused_for is not None

    @classmethod
    def of(cls, **criteria: Any) -> Selection:
        """Return the selection by criteria that a user gave; an age may be written as ``30d``, or as a timedelta.

        :raises TypeError: for a criterion that there is not, and for one of a wrong type.
        :raises ValueError: for a negative age, which would select every entry.

        >>> Selection.of(tag="clean", older_than="1h").older_than
        3600.0
        """
        if unknown := criteria.keys() - set(cls._fields):
            raise TypeError(f"entries are selected by {', '.join(cls._fields)}, not by {min(unknown)!r}")
        for name in ("older_than", "unused_for"):
            criteria[name] = optional(seconds, name, criteria.get(name))
        for name in ("object", "tag", "transform"):
            wanted = criteria.get(name)
            if not (wanted is None or isinstance(wanted, str)):
                criteria[name] = tuple(wanted) if isinstance(wanted, Iterable) else (wanted,)
                if not all(isinstance(one, str) for one in criteria[name]):
                    raise wrong(name, "a string or several", wanted)
        return cls(**criteria)

    def matches(self, key: Any) -> bool:
        """Return whether a key is selected by its strings; keys of another shape never are."""
        if not is_key(key):
            return False
        wanted = (names_of(self.object), names_of(self.tag), names_of(self.transform))
        return all(names is None or part in names for part, names in zip(key, wanted))

    def is_due(self, entry: Entry) -> bool:
        """Return whether an entry is selected by its times; one whose times are not known is not."""
        now = time.time()
        return (self.older_than is None or 0 < entry.created < now - self.older_than) and (
            self.unused_for is None or 0 < entry.used < now - self.unused_for
        )


def is_key(key: object) -> TypeGuard[Key]:
    """Return whether an object is a key: a tuple of three strings.

    >>> is_key(("a", "fit", "f")), is_key("a"), is_key(("a", 1, "f"))
    (True, False, False)
    """
    return isinstance(key, tuple) and len(key) == 3 and all(map(isinstance, key, (str, str, str)))


def key_given(key: Any) -> Key:
    """Return what a user gave as key.

    :raises TypeError: when it is not three strings.

    >>> key_given("abc")
    Traceback (most recent call last):
    TypeError: a key must be a tuple of three strings, (object, tag, transform), got 'abc'
    """
    if not is_key(key):
        raise TypeError(f"a key must be a tuple of three strings, (object, tag, transform), got {key!r:.80}")
    return key


def names_of(names: Names) -> frozenset[str] | None:
    """Return the strings meant, or None for all.

    >>> sorted(names_of(["b", "a"])), names_of(None)
    (['a', 'b'], None)
    """
    if names is None:
        return None
    return frozenset([names]) if isinstance(names, str) else frozenset(names)


def stats_of(entries: Iterable[Entry]) -> list[TagStats]:
    """Count entries by tag.

    >>> stats_of([Entry(("a", "fit", "f"), size=8), Entry(("b", "fit", "f"), size=2)])
    [TagStats(tag='fit', entries=2, bytes=10, hits=0, saved=0.0, used=0.0)]
    """
    found: dict[str, TagStats] = {}
    for entry in entries:
        tag = entry.key[1]
        _, count, size, hits, saved, used = found.get(tag, TagStats(tag, 0, 0, 0, 0.0, 0.0))
        found[tag] = TagStats(
            tag, count + 1, size + entry.size, hits + entry.hits, saved + entry.saved, max(used, entry.used)
        )
    return [found[tag] for tag in sorted(found)]


def to_evict(entries: Sequence[Entry], max_bytes: int, store: str) -> list[Entry]:
    """Return the entries to delete so that the others take no more than so many bytes.

    Those that save the least time per byte go first, the least recently used of equals.

    :raises ValueError: where it is not known how large entries are.

    >>> cheap, dear = Entry(("a", "t", "f"), size=10), Entry(("b", "t", "f"), size=10, seconds=5.0)
    >>> to_evict([dear, cheap], 10, "results") == [cheap]
    True
    """
    excess = sum([entry.size for entry in entries]) - max_bytes
    if any(not entry.size and not entry.codec for entry in entries):
        raise ValueError(f"{store} does not know how large its entries are; wrap it in Bounded(…, max_bytes=…)")
    out = []
    for entry in sorted(entries, key=lambda entry: (entry.seconds / max(entry.size, 1), entry.used)):
        if excess <= 0:
            break
        out.append(entry)
        excess -= entry.size
    return out
