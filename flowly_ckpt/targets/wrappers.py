"""Mappings around mappings: each adds one thing to a target and passes the rest on."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, MutableMapping
from contextlib import AbstractContextManager, nullcontext
from typing import Any, NamedTuple

from ..errors import StoreError
from ..typing import Facts, Key, Target

__all__ = ["Expiring", "Layered", "Null", "ReadOnly", "Refreshed", "Snapshots", "Stamped", "Wrapper", "named", "store"]


def store(target: Target, key: Key, value: Any, facts: Facts) -> None:
    """Store a value with its facts where the target takes them, else without.

    >>> target = {}
    >>> store(target, ("a", "b", "c"), 1, Facts(0.5)), target
    (None, {('a', 'b', 'c'): 1})
    """
    put = getattr(target, "put", None)
    if put is not None:
        put(key, value, facts)
    else:
        target[key] = value


def named(target: Target) -> str:
    """Name a target in a message, without the contents of a dict.

    >>> named({("a", "b", "c"): 1}), named(Null())
    ('dict of 1 entries', 'Null()')
    """
    return f"{type(target).__name__} of {len(target)} entries" if isinstance(target, dict) else repr(target)


class Wrapper(MutableMapping[Key, Any]):
    """Pass everything on to a target; the base of those that add something.

    >>> Wrapper({})
    Wrapper(dict of 0 entries)
    """

    def __init__(self, target: Target) -> None:
        self.target = target

    def __repr__(self) -> str:
        return f"{type(self).__name__}({named(self.target)})"

    @property
    def isolates(self) -> bool:
        """Whether every value handed out is a private copy."""
        return bool(getattr(self.target, "isolates", False))

    @property
    def hasher(self) -> Callable[[], Any] | None:
        """The hash function that keys are made with, where it is not the usual one."""
        return getattr(self.target, "hasher", None)

    def __getitem__(self, key: Key) -> Any:
        return self.target[key]

    def __setitem__(self, key: Key, value: Any) -> None:
        self.put(key, value, Facts(0.0))

    def put(self, key: Key, value: Any, facts: Facts) -> None:
        """Store a value with what is known of it."""
        store(self.target, key, value, facts)

    def __delitem__(self, key: Key) -> None:
        del self.target[key]

    def __contains__(self, key: object) -> bool:
        return key in self.target

    def __iter__(self) -> Iterator[Key]:
        return iter(self.target)

    def __len__(self) -> int:
        return len(self.target)

    def clear(self) -> None:
        """Delete all entries."""
        self.target.clear()

    def claim(self, key: Key) -> AbstractContextManager[None]:
        """Hold the claim to compute a key, where the target knows claims."""
        claim = getattr(self.target, "claim", None)
        return nullcontext() if claim is None else claim(key)


class Null(MutableMapping[Key, Any]):
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
        """Keep nothing, without complaint: this is what a step's result comes to."""

    def __setitem__(self, key: Key, value: Any) -> None:
        raise StoreError(f"{self!r} is only read; store into the target itself")

    def __delitem__(self, key: Key) -> None:
        raise StoreError(f"{self!r} is only read; delete from the target itself")

    def clear(self) -> None:
        """Refuse.

        :raises StoreError: always.
        """
        raise StoreError(f"{self!r} is only read; clear the target itself")


class Refreshed(Wrapper):
    """Store without looking: everything is computed anew and replaces what was there.

    >>> target = Refreshed({("a", "b", "c"): 1})
    >>> ("a", "b", "c") in target, len(target)
    (False, 1)
    """

    def __getitem__(self, key: Key) -> Any:
        raise KeyError(key)

    def __contains__(self, key: object) -> bool:
        return False


class Snapshots(Wrapper):
    """Keep and hand out private copies, so that nobody's changes reach the stored value.

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
        self.copy: Callable[[Any], Any] = copy

    def __getitem__(self, key: Key) -> Any:
        return self.copy(self.target[key])

    def put(self, key: Key, value: Any, facts: Facts) -> None:
        """Store a copy."""
        store(self.target, key, self.copy(value), facts)


class Stamped(NamedTuple):
    """Hold a value and when it was stored, in seconds since the epoch; what :class:`Expiring` keeps.

    >>> Stamped(0.0, "value").value
    'value'
    """

    created: float
    value: Any


class Expiring(Wrapper):
    """Count entries older than ``max_age`` seconds as absent; so are those whose age is not known.

    >>> target = Expiring({}, max_age=3600)
    >>> target["a", "b", "c"] = 1
    >>> target["a", "b", "c"], len(Expiring(target.target, max_age=-1))
    (1, 0)

    See also: ``DiskTarget(max_age=…)`` and ``FileTarget(max_age=…)``, which know the age by themselves.
    """

    def __init__(self, target: Target, max_age: float) -> None:
        super().__init__(target)
        self.max_age = max_age

    def __repr__(self) -> str:
        return f"Expiring({named(self.target)}, max_age={self.max_age})"

    def _is_live(self, stamped: Any) -> bool:
        # A date in the future shows a clock that was set back: such an entry lives no longer than others.
        return isinstance(stamped, Stamped) and abs(time.time() - stamped.created) <= self.max_age

    def __getitem__(self, key: Key) -> Any:
        stamped = self.target[key]
        if not self._is_live(stamped):
            raise KeyError(key)
        return stamped.value

    def put(self, key: Key, value: Any, facts: Facts) -> None:
        """Store a value with the time."""
        store(self.target, key, Stamped(time.time(), value), facts)

    def __contains__(self, key: object) -> bool:
        try:
            return self._is_live(self.target[key])  # type: ignore[index]
        except KeyError:
            return False

    def __iter__(self) -> Iterator[Key]:
        return (key for key in list(self.target) if key in self)

    def __len__(self) -> int:
        return sum(1 for _ in self)


class Layered(Wrapper):
    """Look into a fast target first, then into a slow one, whose values go into the fast one; store into both.

    >>> memory, disk = {}, {("a", "b", "c"): 1}
    >>> Layered(memory, disk)["a", "b", "c"], memory
    (1, {('a', 'b', 'c'): 1})
    """

    def __init__(self, fast: Target, slow: Target) -> None:
        super().__init__(slow)
        self.fast = fast

    def __repr__(self) -> str:
        return f"Layered({named(self.fast)}, {named(self.target)})"

    @property
    def isolates(self) -> bool:
        """Whether every value handed out is a private copy: only where both layers make one."""
        return bool(getattr(self.fast, "isolates", False)) and super().isolates

    def __getitem__(self, key: Key) -> Any:
        try:
            return self.fast[key]
        except KeyError:
            value = self.target[key]
        self._keep_fast(key, value, Facts(0.0))
        return value

    def put(self, key: Key, value: Any, facts: Facts) -> None:
        """Store into both, the slow one first."""
        store(self.target, key, value, facts)
        self._keep_fast(key, value, facts)

    def _keep_fast(self, key: Key, value: Any, facts: Facts) -> None:
        try:
            store(self.fast, key, value, facts)
        except StoreError:
            self.fast.pop(key, None)  # what it holds may be older; the slow one has it anyway

    def __delitem__(self, key: Key) -> None:
        was_fast = self.fast.pop(key, self) is not self
        try:
            del self.target[key]
        except KeyError:
            if not was_fast:
                raise

    def __contains__(self, key: object) -> bool:
        return key in self.fast or key in self.target

    def __iter__(self) -> Iterator[Key]:
        yield from self.target
        yield from [key for key in self.fast if key not in self.target]

    def __len__(self) -> int:
        return sum(1 for _ in self)

    def clear(self) -> None:
        """Delete all entries of both."""
        self.fast.clear()
        self.target.clear()
