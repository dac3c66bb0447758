"""Notice changes made in place to values that a target hands out as they are.

A plain dict gives back the very object that was put in. Its digest at that time is remembered; where the digest is
another one at a hit, somebody changed the object. Digests are kept beside the target, not in it, because the user
reads the target: by the ``id`` of the value and of what holds it, so that neither is kept alive. What holds it is the
mapping inside all wrappers, since it may be reached through others of these. Another dict may have the ``id`` of one
that is gone; the key that the dict holds is kept, and tells them apart.
"""

from __future__ import annotations

from typing import Any

from ..errors import StoreWarning, UnhashableError, warn
from ..hashing import functional_hash
from ..typing import Key, Target
from .protocol import as_target

__all__ = ["IMMUTABLE", "forget", "is_intact", "watch"]

#: The types whose values nobody can change.
IMMUTABLE = frozenset([type(None), bool, int, float, complex, str, bytes, type(...), range])
#: What has one of these can be read once.
SPENT = ("__next__", "__anext__", "__await__")
_SPARE = 64
_UNKNOWN = ""


class _Digests(dict[Key, tuple[int, str, Any]]):
    """The ids and digests of the values of a target, and its keys; what is gone is dropped now and then."""

    limit = _SPARE


_watched: dict[int, _Digests] = {}


def watch(target: Target, key: Key, value: Any) -> None:
    """Remember the digest of a stored value as it is now; one that cannot be hashed is not watched, with a warning.

    :raises UnhashableError: where a live iterator or a coroutine hides in the value.

    >>> target, key = {}, ("object", "tag", "transform")
    >>> target[key] = value = [1]
    >>> watch(target, key, value)
    >>> is_intact(target, key, value)
    True
    >>> value.append(2)
    >>> is_intact(target, key, value)
    False
    """
    holder = target if type(target) is dict else as_target(target).holder
    digests = _watched.setdefault(id(holder), _Digests())
    known = digests.get(key) if holder is not target and type(holder) is dict else None
    if known is not None and id(value) != id(holder.get(key)) == known[0] and known[2] is _held(holder, key):
        return  # what was known stands there still, as where a wrapper stores nothing
    if type(value) in IMMUTABLE:
        digests.pop(key, None)
        return
    if len(digests) >= digests.limit:
        for gone in [key for key in list(digests) if key not in holder]:
            digests.pop(gone, None)
        digests.limit = 2 * len(digests) + _SPARE
    digests[key] = (id(value), _digest(value, key), _held(holder, key))


def is_intact(target: Target, key: Key, value: Any) -> bool:
    """Return whether a value is as it was; one that was not watched before is from now on.

    >>> is_intact({}, ("object", "tag", "transform"), [1])
    True
    """
    if type(value) in IMMUTABLE:
        return True
    holder = target if type(target) is dict else as_target(target).holder
    digests = _watched.get(id(holder))
    known = digests.get(key) if digests is not None else None
    if known is None or known[0] != id(value) or known[2] is not _held(holder, key):
        watch(target, key, value)
        return True
    return known[1] == _UNKNOWN or known[1] == functional_hash(value)


def forget(target: Target, key: Key) -> None:
    """Watch a value no longer.

    >>> target, key = {}, ("object", "tag", "transform")
    >>> watch(target, key, [1]); forget(target, key)
    >>> is_intact(target, key, [2])
    True
    """
    holder = target if type(target) is dict else as_target(target).holder
    _watched.get(id(holder), _Digests()).pop(key, None)


class _Probe:
    """Equals what a key equals, and notes what it was compared with."""

    __slots__ = ("_hash", "_key", "found")

    def __init__(self, key: Key) -> None:
        self._key, self._hash = key, hash(key)
        self.found: object = None

    def __hash__(self) -> int:
        return self._hash

    def __eq__(self, other: object) -> bool:
        self.found = other
        return other == self._key


def _held(target: Target, key: Key) -> Any:
    """Return the very key that a dict holds for an equal one; None for another mapping."""
    if type(target) is not dict:
        return None
    probe = _Probe(key)
    return probe.found if probe in target else None


def _digest(value: Any, key: Key) -> str:
    try:
        return functional_hash(value)
    except UnhashableError as error:
        if any(hasattr(error.obj, name) for name in SPENT):
            raise  # a live iterator or a coroutine inside a stored value would be spent by its first reader
        message = f"a change made in place to the value stored at {key[1]!r} would not be noticed: {error}"
        warn(message, StoreWarning)
        return _UNKNOWN
