"""Which values can be written to bytes in one call: trees of plain lists, tuples, dicts and atoms, and rows of bytes.

They are checked level by level, so that the work is done by loops in C. What is plain depends on the value alone
(sharing counts as often as it is met), so both engines choose the same encoding.
"""

from __future__ import annotations

from itertools import chain
from operator import ne
from typing import Any

__all__ = [
    "ATOMS",
    "FEW",
    "NEVER_PLAIN",
    "OTHERWISE",
    "SAFE",
    "SHORT",
    "TOGETHER",
    "UNORDERED",
    "all_of",
    "is_leaf",
    "is_plain",
]

ATOMS = frozenset({type(None), bool, int, float, complex, str, type(...)})
REAL = ATOMS - {complex}
SAFE = REAL - {float}
SEQUENCES = frozenset({list, tuple})
CONTAINERS = SEQUENCES | {dict}
PLAIN = REAL | CONTAINERS
TOGETHER = CONTAINERS | {bytes}
"""Types of parts of which all of them say whether they are plain; atoms are written alike in any company."""
LEVELS = 8
MOST = 1 << 17
FLAT = 64  # atoms that are each compared with themselves, which is faster than to sort out the numbers
BYTES = 1 << 20  # that are copied together
SHORT = 64  # bytes of an encoding that is not folded
FEW = 8  # parts
UNORDERED = frozenset({b"<set>", b"<frozenset>", b"<unordered>"})
NEVER_PLAIN = frozenset({b"<function>", b"<instance>"})  # they start with bytes, or a class
OTHERWISE = NEVER_PLAIN | UNORDERED | {b"<run>"}
"""Tags whose parts are not simply written one after another."""


def all_of(kind: type, parts: list[Any]) -> bool:
    """Return whether all parts are of one exact type; a list of types is counted faster than any other way of asking.

    >>> all_of(int, [1, 2]), all_of(int, [1, True])
    (True, False)
    """
    return list(map(type, parts)).count(kind) == len(parts)


def is_leaf(tag: bytes, parts: list[Any]) -> bool:
    """Return whether the parts of an object are few atoms, written one after another as they are.

    >>> is_leaf(b"<date>", ["2026-11-21"]), is_leaf(b"<list>", [[]]), is_leaf(b"<set>", [2, 1])
    (True, False, False)
    """
    return len(parts) <= FEW and tag not in OTHERWISE and SAFE.issuperset(map(type, parts))


def is_plain(parts: list[Any]) -> bool:
    """Return whether all parts, down to their atoms, are of exact plain types; without NaN, not deep, not huge.

    Parts that are all bytes are plain, too, if they are few enough to be copied.

    >>> is_plain([1, [2, {"a": (3.0, None)}]]), is_plain([1, [set()]]), is_plain([float("nan")])
    (True, False, False)
    """
    found = list(map(type, parts))
    if not found or SAFE.issuperset(found[:1] if found.count(found[0]) == len(found) else found):
        return True
    if not PLAIN.issuperset(found):
        return found.count(bytes) == len(found) and sum(map(len, parts)) <= BYTES
    if len(found) <= FLAT and CONTAINERS.isdisjoint(found):
        return not any(map(ne, parts, parts))
    groups: list[list[Any]] = [parts]
    total = len(parts)
    for _ in range(LEVELS):
        below: list[list[Any]] = []
        for group in groups:
            kinds = set(map(type, group))
            if not kinds <= PLAIN or (float in kinds and has_nan(floats(group, kinds))):
                return False
            if not kinds.isdisjoint(CONTAINERS):
                below += containers(group, kinds)
        if not below:
            return True
        total += sum(sum(map(len, outer)) for outer in below)
        if total > MOST:
            return False
        groups = [content for outer in below for content in contents(outer)]
    return False


def floats(group: list[Any], kinds: set[type]) -> list[float]:
    return group if len(kinds) == 1 else [x for x in group if type(x) is float]


def has_nan(numbers: list[float]) -> bool:
    total = sum(numbers)
    return total != total and any(map(ne, numbers, numbers))  # the sum of infinities is NaN, too


def containers(group: list[Any], kinds: set[type]) -> list[list[Any]]:
    """Sort the containers of a level into sequences and dicts."""
    if len(kinds) == 1:
        return [group]
    found = []
    if not kinds.isdisjoint(SEQUENCES):
        found.append([x for x in group if type(x) in SEQUENCES])
    if dict in kinds:
        found.append([x for x in group if type(x) is dict])
    return found


def contents(outer: list[Any]) -> list[list[Any]]:
    if type(outer[0]) is dict:
        return [list(chain.from_iterable(outer)), list(chain.from_iterable(map(dict.values, outer)))]
    return [list(chain.from_iterable(outer))]
