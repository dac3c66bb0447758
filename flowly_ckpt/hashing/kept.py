"""Encodings of functions and classes, kept from one walk to the next while nothing they were made from is assigned.

A pipeline that is applied to ten thousand items is hashed ten thousand times, and its code is the same each time. What
the encoding of code was made from is of two kinds: places that hold other code or atoms, where it is enough to look
whether they hold the same object, and data, which can change in place and is encoded again. An object of a class of the
user's whose attributes are atoms is a few such places. So this always holds:

``keeper.walk()`` gives the encodings that ``Walk()`` gives, whatever was assigned or changed in between
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from operator import is_
from types import FunctionType
from typing import Any

from ..errors import UnhashableError
from .code.fingerprint import fingerprint_of
from .code.functions import described
from .code.hung import patched
from .cycles import encode
from .places import OF_DATACLASS, Places
from .types.synthesized import RULES
from .walk import Walk

__all__ = ["Keeper", "Knowing"]

FIXED = frozenset({b"<foreign>", b"<class>", b"<builtin>", b"<descriptor>", b"<module>"})
KEPT = FIXED | {b"<function>", b"<user class>"}
WORDS = frozenset({type(None), str})
RESTS = (1, 3, 15, 255)  # walks until the next attempt, after so many in vain


class Keeper:
    """Make walks; from the third one on, they know the code that is as it was.

    :param hasher: as in :func:`flowly_ckpt.functional_hash`.

    >>> keeper = Keeper()
    >>> FACTOR = 2
    >>> double = lambda x: FACTOR * x
    >>> def encoding():
    ...     walk = keeper.walk()
    ...     encoding = walk.enc(double)
    ...     keeper.learn(walk)
    ...     return encoding
    >>> before = [encoding() for _ in range(4)]
    >>> before == [Walk().enc(double)] * 4
    True
    >>> FACTOR = 3
    >>> encoding() == Walk().enc(double) != before[0]
    True

    See also: :class:`flowly_ckpt.hashing.walk.Walk`.
    """

    __slots__ = ("_hasher", "_kept", "_rest", "_vain")

    def __init__(self, hasher: Callable[[], Any] | None = None) -> None:
        self._hasher = hasher
        self._kept: Kept | None = None
        self._vain = 0
        self._rest = RESTS[0]

    def walk(self) -> Walk:
        """Return a new walk."""
        kept = self._kept
        if kept is not None:
            walk = kept.walk()
            if walk is not None:
                self._vain = 0
                return walk
            self._give_up()
        if self._rest > 0:
            self._rest -= 1
            return Walk(self._hasher)
        return Learning(self._hasher)

    def learn(self, walk: Walk) -> None:
        """Keep what a walk found, once it is done."""
        if type(walk) is Learning:
            self._kept = keep(walk, self._hasher)
            if self._kept is None:
                self._give_up()

    def _give_up(self) -> None:
        """Wait longer each time before the next attempt."""
        self._kept = None
        self._rest = RESTS[self._vain]
        self._vain = min(self._vain + 1, len(RESTS) - 1)


class Learning(Walk):
    """A walk of whose code the encodings are kept.

    >>> walk = Learning()
    >>> walk.beside() is walk
    True
    """

    __slots__ = ()

    def beside(self) -> Walk:
        """Return this walk itself, which is to meet the classes of the objects too."""
        return self


class Knowing(Walk):
    """A walk that begins with what is kept.

    >>> step = lambda x: x + 1
    >>> first = Learning()
    >>> encoding = first.enc(step)
    >>> Knowing(keep(first, None)).memo[id(step)] == (encoding,)
    True
    """

    __slots__ = ("origin",)

    def __init__(self, origin: Kept) -> None:
        super().__init__(origin.hasher)
        self.memo.update(origin.memo)
        self.reads = origin.reads
        self.origin = origin

    def beside(self) -> Walk:
        """Return another walk that knows as much as this one did at first."""
        return Knowing(self.origin)


class Kept:
    """Hold encodings of code, and the places to look at before they are used.

    :param memo: the encodings, as a walk knows them.
    :param objects: whose they are, so that no other object gets their ids.
    :param places: what to look at.
    :param walk: which walk they are from.
    :param hasher: what they were made with.
    """

    def __init__(
        self, memo: dict[int, tuple[bytes, ...]], objects: list[Any], places: Places, walk: Walk, hasher: Any
    ) -> None:
        self.memo = memo
        self.hasher = hasher
        self.objects = objects
        self.places = places
        self.reads = walk.reads
        first = Knowing(self)
        self.data = [(fetch, encode(first, fetch())) for fetch in places.data]
        self.chain: tuple[Sequence[Any], list[str]] | None = None

    def hashes_of(self, steps: Sequence[Any]) -> list[str] | None:
        """Return what was noted as the hashes of the prefixes of a chain, as long as what is kept holds."""
        if self.chain is not None and len(steps) == len(self.chain[0]) and all(map(is_, steps, self.chain[0])):
            return self.chain[1]
        return None

    def note(self, steps: Sequence[Any], hashes: list[str]) -> None:
        """Note the hashes of the prefixes of a chain, if all of its steps are kept and none reads what code shows."""
        if not self.reads and all(id(step) in self.memo for step in steps):
            self.chain = (steps, hashes)

    def holds(self) -> bool:
        """Return whether a walk would find the same; False where code reads what is in no encoding, as ``__doc__``."""
        if self.reads:
            return False
        return self.walk() is not None if self.data else self.places.is_whole()

    def walk(self) -> Walk | None:
        """Return a walk that knows what is kept, or None if something has changed."""
        if not self.places.is_whole():
            return None
        walk = Knowing(self)
        try:
            for fetch, expected in self.data:
                if encode(walk, fetch()) != expected:
                    return None
        except UnhashableError:
            return None
        return walk


def keep(walk: Walk, hasher: Callable[[], Any] | None) -> Kept | None:
    """Return what can be kept of a walk, or None where data leads back to the code that leads to it."""
    noted = iter(walk.expanded)
    code = [each for each in zip(noted, noted, noted) if each[1] in KEPT and id(each[0]) in walk.memo]
    found = {id(obj): (obj, tag) for obj, tag, parts in code if is_kept(obj, tag, parts)}
    memo = {key: walk.memo[key] for key in found}
    places = Places(walk, memo, frozenset(key for key, (_, tag) in found.items() if tag == b"<user class>"))
    for obj, tag in found.values():
        if type(obj) is FunctionType:
            places.of_definition(obj)
        if tag == b"<function>":
            places.of_function(obj)
        elif tag == b"<user class>":
            places.of_class(obj)
    return None if places.is_cyclic else Kept(memo, [obj for obj, _ in found.values()], places, walk, hasher)


def is_kept(obj: Any, tag: bytes, parts: list[Any]) -> bool:
    """Return whether all that a function or class was expanded from can be looked at again."""
    if tag in FIXED:
        return WORDS.issuperset(map(type, parts)) and not (type(obj) is FunctionType and obj.__dict__)
    if tag == b"<user class>":
        annotated, registered = parts[-2:]
        is_simple = annotated is None or (annotated[1] is None and type(annotated[0]) in (dict, type(None)))
        return is_simple and registered is None and RULES.keys() & vars(obj).keys() <= OF_DATACLASS
    fingerprint = fingerprint_of(obj.__code__)
    return described(obj)[2] == fingerprint.reads and not patched(fingerprint.names)
