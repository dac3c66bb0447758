"""A fast target before a slow one."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any

from ...errors import StoreError, StoreWarning, warn
from ...forks import renewed
from ...typing import Age, Facts, Key, Target
from ..codecs import Bytes
from ..facts import Collected, Entry, stats_of
from ..protocol import BaseTarget, Progress, as_target, checked, described, settled
from .base import Wrapper
from .overlaps import Overlaps

__all__ = ["Layered"]


class Layered(Wrapper):
    """Look into a fast target first, then into a slow one, whose values go into the fast one; store into both.

    What a key only names, a state of :mod:`flowly_ckpt.resume` or a task's result, is looked for in the slow one:
    another process may have replaced it since. What threads store, delete or read under one key at once stays in the
    slow one only, which knows what was last. While the slow one cannot be reached, results are kept in the fast one,
    with a warning.

    :param fast, slow: any mutable mappings; layers may be layered again.

    >>> memory, disk = {}, {("a", "b", "c"): 1}
    >>> Layered(memory, disk)["a", "b", "c"], memory
    (1, {('a', 'b', 'c'): 1})

    See also: :class:`flowly_ckpt.targets.ReadOnly`, for a slow target that is only read.
    """

    _overlaps: Overlaps

    def __init__(self, fast: Target, slow: Target) -> None:
        self.fast = checked(fast, "fast")
        super().__init__(slow)
        renewed(self, "_overlaps", Overlaps)

    def __reduce__(self) -> tuple[Any, ...]:
        return (type(self), (self.fast, self.target))

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
            pass
        with self._overlaps.at([key]) as overlapping:
            value = self.target[key]
            self._keep_near(self.near.put, key, value, Facts(0.0))
            self._leave_to_slow(overlapping())
        return value

    def get_many(self, keys: Iterable[Key]) -> dict[Key, Any]:
        """Return the stored values by key, from the fast target and for the rest from the slow one."""
        wanted = list(keys)
        found = self.near.get_many(wanted)
        missing = [key for key in wanted if key not in found]
        with self._overlaps.at(missing) as overlapping:
            try:
                rest = self.full.get_many(missing)
            except StoreError as error:
                warn(f"{described(self.target)} could not be asked: {error}", StoreWarning)
                return found
            self._keep_all_near([(key, value, Facts(0.0)) for key, value in rest.items()])
            self._leave_to_slow(key for key in overlapping() if key in rest)
        return {**found, **rest}

    def put(self, key: Key, value: Any, facts: Facts) -> None:
        """Store into both, the slow one first; what cannot be reached keeps nothing, with a warning."""
        with self._storing([key], self.full.put, key, value, facts):
            self._keep_near(self.near.put, key, value, facts)

    def put_many(self, items: Iterable[tuple[Key, Any, Facts]]) -> None:
        kept = list(items)
        with self._storing([key for key, _, _ in kept], self.full.put_many, kept):
            self._keep_all_near(kept)

    def read_bytes(self, key: Key) -> Bytes:
        try:
            return self.near.read_bytes(key)
        except KeyError:
            return self.full.read_bytes(key)

    def write_bytes(self, key: Key, parts: Any, facts: Facts | None = None, codec: str = "") -> None:
        pieces = list(parts)
        with self._storing([key], self.full.write_bytes, key, pieces, facts, codec):
            self._keep_near(self.near.write_bytes, key, pieces, facts, codec)

    @contextmanager
    def _storing(self, keys: list[Key], store: Callable[..., None], *what: Any) -> Iterator[None]:
        """Store into the slow target, and let the body store into the fast one."""
        with self._overlaps.at(keys, changes=True) as overlapping:
            is_far = self._keep_far(store, *what)
            yield
            if is_far:  # else the fast one has the only copy
                self._leave_to_slow(overlapping())

    def _keep_far(self, store: Callable[..., None], *what: Any) -> bool:
        try:
            store(*what)
        except StoreError as error:
            text = f"a result is kept in {described(self.fast)} only: {error}"
            warn(text, StoreWarning)
            return False
        return True

    def _leave_to_slow(self, keys: Iterable[Key]) -> None:
        for key in keys:
            self.near._removed(key)

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
        with self._overlaps.at([key], changes=True) as overlapping:
            was_near = self.near._removed(key)
            was_far = self.full._removed(key)
            self._leave_to_slow(overlapping())
        if not was_far and not was_near:
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
        try:
            self.target.clear()
        finally:
            self._overlaps.at_all()
            self.fast.clear()

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
