"""Which values can be written to bytes in one call: trees of plain lists, tuples, dicts and atoms, and rows of bytes.

They are checked level by level, so that the work is done by loops in C. What is plain depends on the value alone
(sharing counts as often as it is met), so both engines choose the same encoding.
"""

from __future__ import annotations

from gc import get_referents
from itertools import chain
from marshal import dumps
from operator import ne
from typing import Any

__all__ = [
    "ATOMS",
    "FEW",
    "FLAT",
    "NEVER_PLAIN",
    "OTHERWISE",
    "SAFE",
    "SHORT",
    "TOGETHER",
    "UNORDERED",
    "all_of",
    "in_step",
    "is_leaf",
    "is_plain",
]

ATOMS = frozenset({type(None), bool, int, float, complex, str, type(...)})
REAL = ATOMS - {complex}
SAFE = REAL - {float}
SEQUENCES = frozenset({list, tuple})
CONTAINERS = SEQUENCES | {dict}
TOGETHER = CONTAINERS | {bytes}
"""Types of parts of which all of them say whether they are plain; atoms are written alike in any company."""
LEVELS = 8
MOST = 1 << 17
FLAT = 64  # atoms that are each compared with themselves, which is faster than to sort out the numbers
HEAD = len(dumps([], 2))
STEPS = {int: (b"i", 5), float: (b"g", 9)}
"""The letter that marshal writes in front of a number, and how many bytes they are together."""
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


def in_step(parts: list[Any]) -> bytes:
    """Return many integers of 32 bits or floats as marshal writes them; nothing for others, and where one is NaN.

    Each takes as many bytes as any other, behind a letter that nothing but its exact type gets: if that letter stands
    in all the places where it then must, each part is of that type, and no part had to be asked.

    >>> in_step([1, 2]) == dumps([1, 2], 2), in_step([1, True]), in_step([1, 1 << 31])
    (True, b'', b'')
    """
    first, last = ends = [parts[0], parts[-1]]
    kind = type(first)
    if kind not in STEPS or type(last) is not kind or get_referents(*parts):
        return b""  # what refers to anything may be a container, shared so often that writing it does not end
    letter, step = STEPS[kind]
    if dumps(ends, 2)[HEAD::step] != letter * 2:
        return b""
    try:
        out = dumps(parts, 2)
    except ValueError:  # nothing that marshal writes
        return b""
    return b"" if out[HEAD::step] != letter * len(parts) or (kind is float and has_nan(parts)) else out


def is_plain(parts: list[Any]) -> bool:
    """Return whether all parts, down to their atoms, are of exact plain types; without NaN, not deep, not huge.

    Parts that are all bytes are plain, too, if they are few enough to be copied.

    >>> is_plain([1, [2, {"a": (3.0, None)}]]), is_plain([1, [set()]]), is_plain([float("nan")])
    (True, False, False)
    """
    kinds = list(map(type, parts))
    if are_safe(kinds):
        return True
    if kinds[0] is bytes:
        return kinds.count(bytes) == len(kinds) and sum(map(len, parts)) <= BYTES
    if len(kinds) <= FLAT and CONTAINERS.isdisjoint(kinds):
        return REAL.issuperset(kinds) and not any(map(ne, parts, parts))
    rows: list[Any] = []
    tables: list[dict[Any, Any]] = []
    if not is_sorted(parts, kinds, rows, tables):
        return False
    total = len(parts)
    for _ in range(LEVELS):
        if not rows and not tables:
            return True
        total += sum(map(len, rows)) + sum(map(len, tables))
        if total > MOST:
            return False
        groups = [list(chain.from_iterable(rows))] if rows else []
        if tables:
            groups += [list(chain.from_iterable(tables)), list(chain.from_iterable(map(dict.values, tables)))]
            tables = []
        rows = []
        for group in groups:
            kinds = list(map(type, group))
            if not are_safe(kinds) and not is_sorted(group, kinds, rows, tables):
                return False
    return False


def are_safe(kinds: list[type]) -> bool:
    return not kinds or SAFE.issuperset(kinds[:1] if kinds.count(kinds[0]) == len(kinds) else kinds)


def is_sorted(group: list[Any], kinds: list[type], rows: list[Any], tables: list[dict[Any, Any]]) -> bool:
    """Add the containers of a group to the sequences and the dicts; return whether all else are plain atoms."""
    only = kinds[0] if kinds.count(kinds[0]) == len(kinds) else None
    if only is float:
        return not has_nan(group)
    if only in CONTAINERS:
        (tables if only is dict else rows).extend(group)
        return True
    for part, kind in zip(group, kinds):
        if kind in SAFE:
            continue
        if kind is float:
            if part != part:
                return False
        elif kind is dict:
            tables.append(part)
        elif kind is list or kind is tuple:
            rows.append(part)
        else:
            return False
    return True


def has_nan(numbers: list[float]) -> bool:
    total = sum(numbers)
    return total != total and any(map(ne, numbers, numbers))  # the sum of infinities is NaN, too
