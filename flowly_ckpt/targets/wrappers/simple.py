"""Wrappers of a few lines: nothing kept, only read, always computed again, private copies, keys of another hash."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any

from ...errors import StoreError
from ...given import function
from ...typing import Age, Facts, Key, Target
from ..facts import Collected
from ..protocol import BaseTarget, Progress
from .base import Wrapper

__all__ = ["Hashed", "Null", "ReadOnly", "Refreshed", "Snapshots"]


class Null(BaseTarget):
    """Keep nothing: every look-up is a miss.

    >>> target = Null()
    >>> target["a", "b", "c"] = 1
    >>> len(target)
    0
    """

    isolates = True

    def __repr__(self) -> str:
        return "Null()"

    def __getitem__(self, key: Key) -> Any:
        raise KeyError(key)

    def __setitem__(self, key: Key, value: Any) -> None:
        return

    def __delitem__(self, key: Key) -> None:
        raise KeyError(key)

    def __iter__(self) -> Iterator[Key]:
        return iter(())

    def __len__(self) -> int:
        return 0


class ReadOnly(Wrapper):
    """Use what is stored and store nothing: a result that is missing is computed, and not kept.

    :raises StoreError: when an entry is set or deleted by hand.

    >>> target = ReadOnly({("a", "b", "c"): 1})
    >>> target["a", "b", "c"], target.put(("a", "b", "d"), 2, Facts(0.0)), len(target)
    (1, None, 1)
    """

    def put(self, key: Key, value: Any, facts: Facts) -> None:
        """Keep nothing, without complaint: this is what happens to a step's result."""

    def put_many(self, items: Iterable[tuple[Key, Any, Facts]]) -> None:
        """Keep nothing."""

    def __setitem__(self, key: Key, value: Any) -> None:
        raise self._refused("store into")

    def __delitem__(self, key: Key) -> None:
        raise self._refused("delete from")

    def clear(self) -> None:
        """Refuse.

        :raises StoreError: always.
        """
        raise self._refused("clear")

    def clear_where(self, *, dry_run: bool = False, **selection: Any) -> int:
        if not dry_run:
            raise self._refused("clear")
        return super().clear_where(dry_run=True, **selection)

    def verify(self, *, repair: bool = False, progress: Progress | None = None) -> list[str]:
        if repair:
            raise self._refused("repair")
        return super().verify(progress=progress)

    def gc(self, *, older_than: Age = 600.0, max_bytes: int | str | None = None) -> Collected:
        raise self._refused("collect")

    def write_bytes(self, key: Key, parts: Any, facts: Facts | None = None, codec: str = "") -> None:
        """Keep nothing, as :meth:`put`."""

    def _refused(self, verb: str) -> StoreError:
        return StoreError(f"{self!r} is read-only; {verb} the target itself")


class Refreshed(Wrapper):
    """Ignore what is stored: everything is computed again and replaces it.

    >>> target = Refreshed({("a", "b", "c"): 1})
    >>> ("a", "b", "c") in target, len(target)
    (False, 1)
    """

    def unwrapped(self, key: Key, stored: Any) -> Any:
        raise KeyError(key)

    def __getitem__(self, key: Key) -> Any:
        raise KeyError(key)

    def __contains__(self, key: object) -> bool:
        return False


class Snapshots(Wrapper):
    """Keep and return private copies, so that changes by callers do not reach the stored value.

    :param copy: makes the copy.

    >>> target = Snapshots({})
    >>> target["a", "b", "c"] = value = [1]
    >>> value.append(2), target["a", "b", "c"].append(3), target["a", "b", "c"]
    (None, None, [1])
    """

    isolates = True

    def __init__(self, target: Target, copy: Callable[[Any], Any] | None = None) -> None:
        super().__init__(target)
        if copy is None:
            from copy import deepcopy

            copy = deepcopy
        self.copy = function("copy", copy, "a value")

    def wrapped(self, key: Key, value: Any) -> Any:
        return self.copy(value)

    def unwrapped(self, key: Key, stored: Any) -> Any:
        return self.copy(stored)


class Hashed(Wrapper):
    """Make the keys of a target with another hash function, such as a cryptographic or keyed one.

    :param target: where the results are kept.
    :param hasher: makes an object with ``update`` and a ``digest`` of 16 bytes or more, as those of :mod:`hashlib`.

    >>> import hashlib
    >>> from flowly_ckpt import add_checkpoints, apply, chained, checkpoint, functional_hash
    >>> results = {}
    >>> pipeline = chained(abs, checkpoint(Hashed(results, hashlib.blake2b)))
    >>> apply(pipeline, -5, rewrites=[add_checkpoints])
    5
    >>> [key[0] == functional_hash(-5, hasher=hashlib.blake2b) for key in results]
    [True]

    See also: :func:`flowly_ckpt.hashing.functional_hash`, :class:`flowly_ckpt.targets.Signed`.
    """

    def __init__(self, target: Target, hasher: Callable[[], Any]) -> None:
        super().__init__(target)
        self._hasher = function("hasher", hasher, "nothing, as hashlib.blake2b")

    @property
    def hasher(self) -> Callable[[], Any]:  # type: ignore[override]
        return self._hasher
