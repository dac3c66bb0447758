"""Objects of one type in a row: what concerns the type is asked once for all of them.

Only the memo of the walk is filled, with what the walk gives for each object by itself; so keys do not depend on it.
"""

from __future__ import annotations

from copyreg import __newobj__ as new  # type: ignore[attr-defined]
from marshal import dumps
from typing import Any

from .plain import ATOMS, SAFE, SHORT, all_of, is_leaf
from .rows import ROWS, Blob, Reads, expand
from .values.cached import kept_by_properties
from .values.objects import (
    STRINGS,
    by_reduction,
    is_made_anew,
    is_ordinary,
    is_run,
    made_anew,
    refuse_addresses,
)

__all__ = ["MANY", "several"]

BY_WALK = ATOMS | {bytes, list, tuple, dict, Blob, Reads}
MANY = 16


def several(walk: Any, objs: list[Any]) -> list[Any] | None:
    """Return what stands for each of many objects of one type; None where they are not that.

    ``several(walk, objs) == [(walk.enc(obj),) for obj in objs]``

    :param walk: the :class:`~flowly_ckpt.hashing.walk.Walk` whose memo is filled.
    :param objs: one at least.

    >>> from datetime import date
    >>> from flowly_ckpt.hashing.walk import Walk
    >>> days = [date(2026, 11, day) for day in range(1, 31)]
    >>> several(Walk(), days) == [(Walk().enc(day),) for day in days]
    True
    """
    kind = type(objs[0])
    if kind in BY_WALK or not all_of(kind, objs) or is_run(objs[0]):
        return None
    memo = walk.memo
    found = list(map(memo.get, map(id, objs)))
    if not all(found):
        if ROWS[kind] is by_reduction and walk.expand is expand:
            if is_ordinary(objs[0], kind):
                instances(walk, kind, objs)
            elif is_made_anew(objs[0], kind):
                anew(walk, kind, objs)
        one_by_one(walk, objs)
        found = list(map(memo.get, map(id, objs)))
    return found if all(found) else None  # an empty one is being encoded, further up


def instances(walk: Any, kind: type, objs: list[Any]) -> None:
    """Encode objects that are no more than their attributes; others are left to the row of their type."""
    memo, fold, item, head = walk.memo, walk.fold, walk.item, walk.item(kind)
    kept = kept_by_properties(kind) | {"__wrapped__"}
    for obj in objs:
        key, table = id(obj), obj.__dict__
        if key in memo or not (STRINGS.issuperset(map(type, table)) and kept.isdisjoint(table)):
            continue
        values = list(table.values())
        refuse_addresses(obj, values)
        walk.expanded += (obj, b"<instance>", [kind, *table, *values])
        memo[key] = ()  # being encoded
        parts = [v if (of := type(v)) in SAFE or (of is float and v == v) else item(v) for v in values]
        memo[key] = (b"#" + fold(b"<instance>" + dumps([head, *table, *parts], 2)),)


def anew(walk: Any, kind: type, objs: list[Any]) -> None:
    """Encode objects that their class makes of arguments and slots."""
    memo, item = walk.memo, walk.item
    known = {id(new): item(new), id(kind): item(kind)}
    for obj in objs:
        key = id(obj)
        if key in memo:
            continue
        tag, parts = expand(obj, made_anew)
        walk.expanded += (obj, tag, parts)
        memo[key] = ()  # being encoded
        if tag != b"<object>" or len(parts) > MANY:
            memo[key] = (walk.close(tag, parts),)
            continue
        written = [
            p if (of := type(p)) in SAFE or (of is float and p == p) else known.get(id(p)) or item(p) for p in parts
        ]
        memo[key] = (walk.finish(tag + dumps(written, 2)),)


def one_by_one(walk: Any, objs: list[Any]) -> None:
    memo, expand, fold = walk.memo, walk.expand, walk.fold
    for obj in objs:
        key = id(obj)
        if key in memo:
            continue
        memo[key] = ()  # being encoded
        tag, parts = expand(obj)
        if is_leaf(tag, parts):
            out = tag + dumps(parts, 2)
            memo[key] = (out if len(out) <= SHORT else b"#" + fold(out),)
        else:
            walk.expanded += (obj, tag, parts)
            memo[key] = (walk.close(tag, parts),)
