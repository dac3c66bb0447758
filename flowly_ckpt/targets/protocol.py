"""What a target can do: the one place that declares it, with a default for every mapping.

A target is any mutable mapping. :class:`BaseTarget` lists what a store may do beyond that, each ability with a default
in terms of the mapping; a store overrides what it can do better. :func:`as_target` gives any mapping all of them, so
callers use an ability without asking whether it is there.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Iterator, MutableMapping, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, Any, ClassVar, Self

from ..given import seconds, size
from ..labels import shortened
from ..showing import Shown
from ..typing import Age, Bytes, Facts, Key, Target
from .checking import checked
from .claims import UNCLAIMED, AllClaims, Claim, EnteredClaim
from .facts import Collected, Entry, Selection, TagStats, stats_of, to_evict
from .noted import latest_noted, note, noted, was_noted

if TYPE_CHECKING:
    from .codecs import Codec

__all__ = ["BaseTarget", "Mapped", "as_target", "checked", "described", "settled"]

Progress = Callable[[int, int], object]
GONE = "removed since it was stored"


class BaseTarget(Shown, MutableMapping[Key, Any]):
    """Base class of targets: every ability, in terms of a mutable mapping.

    ``isolates``
        whether every value returned is a private copy; else changes made in place are noticed by a digest.
    ``hasher``
        the hash function that keys are made with, None for the usual one.
    ``codec``
        the codec of the values, None if they are kept as they are.
    ``keeps_bytes``
        whether :meth:`read_bytes` and :meth:`write_bytes` reach the stored bytes, undecoded.
    ``keeps_times``
        whether it is known of every entry when it was stored; of others, at best while the process lives that did.
    ``is_far``
        whether its entries may lie on other machines, so that to list them may take long.

    >>> class Table(BaseTarget):
    ...     def __init__(self): self.rows = {}
    ...     def __getitem__(self, key): return self.rows[key]
    ...     def __setitem__(self, key, value): self.rows[key] = value
    ...     def __delitem__(self, key): del self.rows[key]
    ...     def __iter__(self): return iter(self.rows)
    ...     def __len__(self): return len(self.rows)
    >>> table = Table()
    >>> table.put_many([(("a", "fit", "f"), 1, Facts(0.5)), (("b", "fit", "f"), 2, Facts(0.5))])
    >>> table.get_many([("a", "fit", "f"), ("c", "fit", "f")]), table.clear_where(object="a"), len(table)
    ({('a', 'fit', 'f'): 1}, 1, 1)

    See also: :func:`as_target`, :func:`flowly_ckpt.targets.check_target`.
    """

    isolates: bool = False
    hasher: Callable[[], Any] | None = None
    codec: Codec | None = None
    keeps_bytes: bool = False
    keeps_times: bool = False
    is_far: bool = False

    @property
    def place(self) -> Hashable:
        """Equal for targets that keep the same entries, so that only one of them computes a missing one."""
        return id(self)

    @property
    def holder(self) -> Target:
        """The mapping that holds the objects returned, where these are no private copies: in it they may change."""
        return self

    @property
    def settled(self) -> Target:
        """The target itself, without a layer that remembers what another process may have replaced since."""
        return self

    def put(self, key: Key, value: Any, facts: Facts) -> None:
        """Store a value with facts about it."""
        self[key] = value

    def pop(self, key: Key, *default: Any) -> Any:
        """Delete an entry and return its value, else the default; what somebody else deletes meanwhile is absent.

        :raises KeyError: where there is none, and no default.
        """
        try:
            value = self[key]
            del self[key]
        except KeyError:
            if default:
                return default[0]
            raise
        return value

    def clear(self) -> None:
        """Delete all entries, without reading them."""
        for key in list(self):
            self._removed(key)

    def get_many(self, keys: Iterable[Key]) -> dict[Key, Any]:
        """Return the stored values by key; what is absent is left out."""
        found = {}
        for key in keys:
            try:
                found[key] = self[key]
            except KeyError:
                continue
        return found

    def put_many(self, items: Iterable[tuple[Key, Any, Facts]]) -> None:
        """Store several values, each with facts about it."""
        for key, value, facts in items:
            self.put(key, value, facts)

    def claim(self, key: Key) -> Claim:
        """Return the claim to compute a key, which one process holds at a time where processes share the store."""
        return UNCLAIMED

    def claim_many(self, keys: Iterable[Key]) -> Claim:
        """Return the claims to compute several keys, entered in the same order by everybody."""
        return AllClaims([self.claim(key) for key in sorted(keys)])

    def entry(self, key: Key) -> Entry | None:
        """Return the facts of an entry, or None if there is none."""
        return Entry(key) if key in self else None

    def entries(self, **selection: Any) -> Iterator[Entry]:
        """Yield the facts of each selected entry; the criteria are those of :meth:`clear_where`."""
        chosen = Selection.of(**selection)
        for key in filter(chosen.matches, list(self)):  # a list, since other threads may store meanwhile
            entry = self.entry(key)
            if entry is not None and chosen.is_due(entry):
                yield entry

    def latest(self, **selection: Any) -> Entry | None:
        """Return the facts of the entry that was stored last among the selected ones, or None."""
        return max(self.entries(**selection), key=lambda entry: entry.created, default=None)

    def fate(self, key: Key) -> str:
        """Return what became of an entry that is absent, as ``"expired"``; empty where that is not known."""
        return ""

    def clear_where(self, *, dry_run: bool = False, **selection: Any) -> int:
        """Delete the entries that meet all criteria given, and return how many there were.

        :param object, tag, transform: a string or several, to be found at that place of the key.
        :param older_than: seconds since the entry was stored; also a timedelta, or text such as ``30d``.
        :param unused_for: seconds since it was last restored, or stored if it never was.
        :param dry_run: only count.
        :raises TypeError: for another criterion.
        :raises ValueError: for a negative age, and for ages if the target keeps no times.
        """
        if Selection.of(**selection).is_timed and not self.keeps_times:
            raise ValueError(f"{described(self)} keeps no times; older_than and unused_for need a target that does")
        chosen = [entry.key for entry in self.entries(**selection)]
        return len(chosen) if dry_run else sum(self._removed(key) for key in chosen)

    def _removed(self, key: Key) -> bool:
        try:
            del self[key]
        except KeyError:
            return False  # somebody else was faster
        return True

    def stats(self) -> list[TagStats]:
        """Count entries, bytes, hits and the seconds they saved, for each tag."""
        return stats_of(self.entries())

    def verify(self, *, repair: bool = False, progress: Progress | None = None) -> list[str]:
        """Check every entry against its digest; return a line for each that is damaged.

        :param repair: remove the damaged entries, so that they are computed again; what cannot be read now is left.
        :param progress: called with the number of entries checked and of all, now and then.
        """
        return []

    def gc(self, *, older_than: Age = 600.0, max_bytes: int | str | None = None) -> Collected:
        """Remove expired entries, and leftovers of killed writers that are older than so many seconds.

        :param max_bytes: evict entries too, those that save the least time per byte first, until no more is kept.
        :raises ValueError: for ``max_bytes`` where the target does not know how large its entries are.
        """
        seconds("older_than", older_than)
        return Collected(0, 0, 0, self._shrink(max_bytes))

    def _shrink(self, max_bytes: int | str | None) -> int:
        """Evict entries until no more than so many bytes are kept; return how many there were."""
        if max_bytes is None:
            return 0
        evicted = to_evict(list(self.entries()), size("max_bytes", max_bytes), described(self))
        return sum(self._removed(entry.key) for entry in evicted)

    def popitem(self) -> tuple[Key, Any]:
        """Delete some entry and return its key and value.

        :raises KeyError: where there is none.
        """
        for key in self._any_keys():
            with suppress(KeyError):  # somebody else was faster
                return key, self.pop(key)
        raise KeyError(f"{described(self)} is empty")

    def _any_keys(self) -> Iterator[Key]:
        """Yield keys, the first of them soon, however many there are."""
        return iter(self)

    def read_bytes(self, key: Key) -> Bytes:
        """Return the stored bytes of an entry, undecoded.

        :raises KeyError: if there are none, or they are damaged.
        :raises TypeError: for a target that keeps no bytes.
        """
        raise TypeError(f"{described(self)} keeps values, not bytes")

    def write_bytes(self, key: Key, parts: Sequence[Bytes], facts: Facts | None = None, codec: str = "") -> None:
        """Store encoded bytes, given in pieces; ``codec`` names what encoded them, if not the target's own."""
        raise TypeError(f"{described(self)} keeps values, not bytes")

    def close(self) -> None:
        """Close what is open; the next access opens it again."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()


class Mapped(BaseTarget):
    """Give any mapping the abilities of a :class:`BaseTarget`; those that it has itself are used.

    >>> Mapped({("a", "fit", "f"): 1}).entry(("a", "fit", "f")).key
    ('a', 'fit', 'f')

    See also: :func:`as_target`.
    """

    OWN: ClassVar = (
        "isolates", "hasher", "codec", "keeps_times", "is_far", "put", "get_many", "put_many", "claim_many", "entry",
        "entries", "latest", "fate", "clear_where", "stats", "verify", "gc", "read_bytes", "write_bytes", "close",
    )  # fmt: skip

    def __init__(self, mapping: Target) -> None:
        self.mapping = mapping
        if type(mapping) is not dict:
            checked(mapping)
            self.__dict__.update({name: getattr(mapping, name) for name in self.OWN if hasattr(mapping, name)})

    @property
    def place(self) -> Hashable:
        return id(self.mapping)

    @property
    def holder(self) -> Target:
        return self.mapping

    @property
    def keeps_bytes(self) -> bool:  # type: ignore[override]
        return isinstance(self.mapping, dict) or hasattr(self.mapping, "read_bytes")

    def read_bytes(self, key: Key) -> Bytes:
        found: Bytes = self.mapping[key]
        return found

    def write_bytes(self, key: Key, parts: Sequence[Bytes], facts: Facts | None = None, codec: str = "") -> None:
        data = self.mapping[key] = b"".join(parts)
        note(self.mapping, key, data, facts or Facts(0.0))

    def __repr__(self) -> str:
        return type(self.mapping).__name__ if isinstance(self.mapping, dict) else repr(self.mapping)

    def __reduce__(self) -> tuple[Any, ...]:
        return (Mapped, (self.mapping,))

    def __getitem__(self, key: Key) -> Any:
        return self.mapping[key]

    def __setitem__(self, key: Key, value: Any) -> None:
        self.mapping[key] = value

    def __delitem__(self, key: Key) -> None:
        del self.mapping[key]

    def __contains__(self, key: object) -> bool:
        return key in self.mapping

    def __iter__(self) -> Iterator[Key]:
        return iter(self.mapping)

    def __len__(self) -> int:
        return len(self.mapping)

    def put(self, key: Key, value: Any, facts: Facts) -> None:
        self.mapping[key] = value
        note(self.mapping, key, value, facts)

    def entry(self, key: Key) -> Entry | None:
        return noted(self.mapping, key) if key in self.mapping else None

    def latest(self, **selection: Any) -> Entry | None:
        return latest_noted(self.mapping, Selection.of(**selection)) or super().latest(**selection)

    def fate(self, key: Key) -> str:
        if key in self.mapping:
            return ""
        return {True: GONE, False: "", None: f"never run, or {GONE}"}[was_noted(self.mapping, key)]

    def clear(self) -> None:
        """Delete all entries."""
        self.mapping.clear()

    def claim(self, key: Key) -> Claim:
        own: Any = getattr(self.mapping, "claim", None)
        return UNCLAIMED if own is None else EnteredClaim(own(key))


def as_target(mapping: Target) -> BaseTarget:
    """Return a mapping as a target with every ability; one that has them is returned itself.

    >>> target = as_target({})
    >>> target.put(("a", "fit", "f"), 1, Facts(0.5)), as_target(target) is target
    (None, True)
    """
    # Not isinstance, which asks an abstract class in Python: every look-up goes through here.
    return mapping if BaseTarget in type(mapping).__mro__ else Mapped(mapping)  # type: ignore[return-value]


def settled(target: Target) -> Target:
    """Return where to look for what a key only names, so that its newest value counts; see :attr:`BaseTarget.settled`.

    A key that is made of digests says what its value is: for that any layer will do.

    >>> target = {}
    >>> settled(target) is target
    True
    """
    full = as_target(target)
    return target if type(full) is Mapped else full.settled


def described(target: Target) -> str:
    """Name a target in a message, without its content.

    >>> described({("a", "fit", "f"): 1})
    'dict'
    """
    return shortened(repr(as_target(target)), 80)
