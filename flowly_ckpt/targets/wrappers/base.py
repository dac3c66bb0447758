"""The base of wrappers: every ability of a target, passed on to the target inside."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Iterator, Sequence
from copy import copy
from typing import Any

from ...typing import Age, Facts, Key, Target
from ..claims import Claim
from ..codecs import Bytes, Codec
from ..facts import Collected, Entry, TagStats
from ..protocol import BaseTarget, Progress, as_target, checked, described, settled

__all__ = ["Wrapper"]


class Wrapper(BaseTarget):
    """Pass everything on to a target; the base of those that add something.

    A subclass that changes values overrides :meth:`wrapped` and :meth:`unwrapped`, through which all of them go.

    >>> Wrapper({}), Wrapper({("a", "fit", "f"): 1}).entry(("a", "fit", "f")).key
    (Wrapper(dict), ('a', 'fit', 'f'))
    """

    def __init__(self, target: Target) -> None:
        self.target = checked(target)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({described(self.target)})"

    @property
    def full(self) -> BaseTarget:
        """The target inside, with every ability."""
        return as_target(self.target)

    @property
    def isolates(self) -> bool:  # type: ignore[override]
        return self.full.isolates

    @property
    def hasher(self) -> Callable[[], Any] | None:  # type: ignore[override]
        return self.full.hasher

    @property
    def codec(self) -> Codec | None:  # type: ignore[override]
        return self.full.codec

    @property
    def keeps_bytes(self) -> bool:  # type: ignore[override]
        # Bytes would pass a wrapper by that changes values.
        return self.full.keeps_bytes and type(self).unwrapped is Wrapper.unwrapped

    @property
    def keeps_times(self) -> bool:  # type: ignore[override]
        return self.full.keeps_times

    @property
    def is_far(self) -> bool:  # type: ignore[override]
        return self.full.is_far

    @property
    def place(self) -> Hashable:
        return (type(self), self.full.place)

    @property
    def holder(self) -> Target:
        return self.full.holder

    @property
    def settled(self) -> Target:
        found = settled(self.target)
        if found is self.target:
            return self
        own = copy(self)
        own.target = found
        return own

    def wrapped(self, key: Key, value: Any) -> Any:
        """Return what is stored for a value."""
        return value

    def unwrapped(self, key: Key, stored: Any) -> Any:
        """Return the value of what is stored.

        :raises KeyError: where it counts as absent.
        """
        return stored

    def __getitem__(self, key: Key) -> Any:
        return self.unwrapped(key, self.target[key])

    def __setitem__(self, key: Key, value: Any) -> None:
        self.put(key, value, Facts(0.0))

    def __delitem__(self, key: Key) -> None:
        del self.target[key]

    def __contains__(self, key: object) -> bool:
        return key in self.target

    def __iter__(self) -> Iterator[Key]:
        return iter(self.target)

    def _any_keys(self) -> Iterator[Key]:
        return self.full._any_keys() if type(self).__iter__ is Wrapper.__iter__ else iter(self)

    def __len__(self) -> int:
        return len(self.target)

    def clear(self) -> None:
        """Delete all entries."""
        self.target.clear()

    def put(self, key: Key, value: Any, facts: Facts) -> None:
        self.full.put(key, self.wrapped(key, value), facts)

    def get_many(self, keys: Iterable[Key]) -> dict[Key, Any]:
        found = {}
        for key, stored in self.full.get_many(keys).items():
            try:
                found[key] = self.unwrapped(key, stored)
            except KeyError:
                continue
        return found

    def put_many(self, items: Iterable[tuple[Key, Any, Facts]]) -> None:
        self.full.put_many((key, self.wrapped(key, value), facts) for key, value, facts in items)

    def claim(self, key: Key) -> Claim:
        return self.full.claim(key)

    def entry(self, key: Key) -> Entry | None:
        return self.full.entry(key)

    def entries(self, **selection: Any) -> Iterator[Entry]:
        return self.full.entries(**selection)

    def latest(self, **selection: Any) -> Entry | None:
        return self.full.latest(**selection)

    def fate(self, key: Key) -> str:
        return self.full.fate(key)

    def clear_where(self, *, dry_run: bool = False, **selection: Any) -> int:
        return self.full.clear_where(dry_run=dry_run, **selection)

    def stats(self) -> list[TagStats]:
        return self.full.stats()

    def verify(self, *, repair: bool = False, progress: Progress | None = None) -> list[str]:
        return self.full.verify(repair=repair, progress=progress)

    def gc(self, *, older_than: Age = 600.0, max_bytes: int | str | None = None) -> Collected:
        return self.full.gc(older_than=older_than, max_bytes=max_bytes)

    def read_bytes(self, key: Key) -> Bytes:
        return self.full.read_bytes(key)

    def write_bytes(self, key: Key, parts: Sequence[Bytes], facts: Facts | None = None, codec: str = "") -> None:
        self.full.write_bytes(key, parts, facts, codec)

    def close(self) -> None:
        self.full.close()
