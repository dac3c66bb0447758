"""A fast target before a slow one."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Iterator
from typing import Any

from ...errors import StoreError, StoreWarning, warn
from ...typing import Age, Facts, Key, Target
from ..codecs import Bytes
from ..facts import Collected, Entry, stats_of
from ..protocol import BaseTarget, Progress, as_target, checked, described, settled
from .base import Wrapper

__all__ = ["Layered"]


class Layered(Wrapper):
    """Look into a fast target first, then into a slow one, whose values go into the fast one; store into both.

    What a key only names, a state of :mod:`flowly_ckpt.resume` or a task's result, is looked for in the slow one:
    another process may have replaced it since. While the
    slow one cannot be reached, results are kept in the fast one, with a warning.

    >>> memory, disk = {}, {("a", "b", "c"): 1}
    >>> Layered(memory, disk)["a", "b", "c"], memory
    (1, {('a', 'b', 'c'): 1})
    """

    def __init__(self, fast: Target, slow: Target) -> None:
        self.fast = checked(fast, "fast")
        super().__init__(slow)

    def __repr__(self) -> str:
        return f"Layered({described(self.fast)}, {described(self.target)})"

    @property
    def near(self) -> BaseTarget:
        """The fast target, with every ability."""
        return as_target(self.fast)

    @property
    def isolates(self) -> bool:  # type: ignore[override]
        """Whether every value returned is a private copy: only if both layers make one."""
        return self.near.isolates and self.full.isolates

    @property
    def keeps_bytes(self) -> bool:  # type: ignore[override]
        return self.near.keeps_bytes and self.full.keeps_bytes

    @property
    def place(self) -> Hashable:
        return (Layered, self.near.place, self.full.place)

    @property
    def holder(self) -> Target:
        return self.near.holder if self.full.isolates else self.full.holder

    @property
    def settled(self) -> Target:
        return settled(self.target)

    def __getitem__(self, key: Key) -> Any:
        try:
            return self.fast[key]
        except KeyError:
            value = self.target[key]
        self._keep_near(self.near.put, key, value, Facts(0.0))
        return value

    def get_many(self, keys: Iterable[Key]) -> dict[Key, Any]:
        """Return the stored values by key, from the fast target and for the rest from the slow one."""
        wanted = list(keys)
        found = self.near.get_many(wanted)
        try:
            rest = self.full.get_many([key for key in wanted if key not in found])
        except StoreError as error:
            warn(f"{described(self.target)} could not be asked: {error}", StoreWarning)
            rest = {}
        self._keep_all_near([(key, value, Facts(0.0)) for key, value in rest.items()])
        return {**found, **rest}

    def put(self, key: Key, value: Any, facts: Facts) -> None:
        """Store into both, the slow one first; what cannot be reached keeps nothing, with a warning."""
        self._keep_far(self.full.put, key, value, facts)
        self._keep_near(self.near.put, key, value, facts)

    def put_many(self, items: Iterable[tuple[Key, Any, Facts]]) -> None:
        kept = list(items)
        self._keep_far(self.full.put_many, kept)
        self._keep_all_near(kept)

    def read_bytes(self, key: Key) -> Bytes:
        try:
            return self.near.read_bytes(key)
        except KeyError:
            return self.full.read_bytes(key)

    def write_bytes(self, key: Key, parts: Any, facts: Facts | None = None, codec: str = "") -> None:
        pieces = list(parts)
        self._keep_far(self.full.write_bytes, key, pieces, facts, codec)
        self._keep_near(self.near.write_bytes, key, pieces, facts, codec)

    def _keep_far(self, store: Callable[..., None], *what: Any) -> None:
        try:
            store(*what)
        except StoreError as error:
            text = f"a result is kept in {described(self.fast)} only: {error}"
            warn(text, StoreWarning)

    def _keep_near(self, store: Callable[..., None], key: Key, *what: Any) -> None:
        try:
            store(key, *what)
        except StoreError:
            self.near._removed(key)  # what it holds may be older; the slow one has it anyway

    def _keep_all_near(self, items: list[tuple[Key, Any, Facts]]) -> None:
        try:
            self.near.put_many(items)
        except StoreError:
            for item in items:
                self._keep_near(self.near.put, *item)

    def __delitem__(self, key: Key) -> None:
        was_near = self.near._removed(key)
        if not self.full._removed(key) and not was_near:
            raise KeyError(key)

    def __contains__(self, key: object) -> bool:
        return key in self.fast or key in self.target

    def __iter__(self) -> Iterator[Key]:
        yield from self.target
        yield from [key for key in list(self.fast) if key not in self.target]

    def __len__(self) -> int:
        return sum(1 for _ in self)

    def clear(self) -> None:
        """Delete all entries of both."""
        self.fast.clear()
        self.target.clear()

    def entry(self, key: Key) -> Entry | None:
        return self.full.entry(key) or self.near.entry(key)

    def entries(self, **selection: Any) -> Iterator[Entry]:
        yield from self.full.entries(**selection)
        yield from [entry for entry in self.near.entries(**selection) if entry.key not in self.target]

    latest = BaseTarget.latest
    clear_where = BaseTarget.clear_where

    def stats(self) -> Any:
        return stats_of(self.entries())

    def verify(self, *, repair: bool = False, progress: Progress | None = None) -> list[str]:
        return self.near.verify(repair=repair) + self.full.verify(repair=repair, progress=progress)

    def gc(self, *, older_than: Age = 600.0, max_bytes: int | str | None = None) -> Collected:
        found = zip(self.near.gc(older_than=older_than), self.full.gc(older_than=older_than, max_bytes=max_bytes))
        return Collected(*map(sum, found))

    def close(self) -> None:
        self.near.close()
        self.full.close()
