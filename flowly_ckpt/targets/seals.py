"""Notice changes made in place to values that a target hands out as they are.

A plain dict gives back the very object that was put in. Its digest at that time is the seal; where the
digest is another one at a hit, somebody changed the object. A seal is kept beside the target, not in it,
because the user reads the target: by the target's and the value's ``id``, so that nothing is kept alive.
"""

from __future__ import annotations

import warnings
from collections.abc import Sized
from typing import Any

from ..errors import StoreWarning, UnhashableError
from ..hashing import functional_hash
from ..typing import Key, Target

__all__ = ["forget", "seal", "sealed"]

_IMMUTABLE = frozenset([type(None), bool, int, float, complex, str, bytes, type(...), range])
_SPARE = 64
_UNTOLD = ""
_Seals = dict[Key, tuple[int, str]]

_seals: dict[int, _Seals] = {}


def seal(target: Target, key: Key, value: Any) -> None:
    """Remember the digest of a value as it is now; one that cannot be told is not watched, with a warning.

    :raises UnhashableError: where a live iterator hides in the value.

    >>> target, key = {}, ("object", "tag", "transform")
    >>> target[key] = value = [1]
    >>> seal(target, key, value)
    >>> sealed(target, key, value)
    True
    >>> value.append(2)
    >>> sealed(target, key, value)
    False
    """
    seals = _seals.setdefault(id(target), {})
    if type(value) in _IMMUTABLE:
        seals.pop(key, None)
        return
    if isinstance(target, Sized) and len(seals) > 2 * len(target) + _SPARE:
        _prune(target, seals)
    seals[key] = (id(value), _digest(value, key))


def sealed(target: Target, key: Key, value: Any) -> bool:
    """Tell whether a value is as it was sealed; one never sealed before is sealed now.

    >>> sealed({}, ("object", "tag", "transform"), [1])
    True
    """
    if type(value) in _IMMUTABLE:
        return True
    seals = _seals.get(id(target))
    known = seals.get(key) if seals is not None else None
    if known is None or known[0] != id(value):
        seal(target, key, value)
        return True
    return known[1] == _UNTOLD or known[1] == functional_hash(value)


def forget(target: Target, key: Key) -> None:
    """Take a seal away.

    >>> target, key = {}, ("object", "tag", "transform")
    >>> seal(target, key, [1]); forget(target, key)
    >>> sealed(target, key, [2])
    True
    """
    _seals.get(id(target), {}).pop(key, None)


def _digest(value: Any, key: Key) -> str:
    try:
        return functional_hash(value)
    except UnhashableError as error:
        if hasattr(error.obj, "__next__"):
            raise  # a live iterator inside a stored value would be spent by its first reader
        message = f"a change made in place to the value stored at {key[1]!r} would not be noticed: {error}"
        warnings.warn(message, StoreWarning, stacklevel=4)
        return _UNTOLD


def _prune(target: Target, seals: _Seals) -> None:
    for key in [key for key in seals if key not in target]:
        del seals[key]
