"""One look-up and one new entry in a store, by how many entries it has."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from peers import Files, Lmdb, OpenFile, Sqlite, diskcache_cache, zict_file
from row import OURS, Prepare, Row, Work

from flowly_ckpt.targets import DiskTarget
from flowly_ckpt.typing import Facts, Key

VALUE = {"number": 5}
LIMIT = "an open file"


def named(number: int) -> str:
    return f"{number * 2654435761 % 2**32:032x}"


def keyed(number: int) -> Key:
    return (named(number), "tag", "1b" * 16)


def fill_ours(store: DiskTarget, count: int) -> None:
    store.put_many((keyed(number), VALUE, Facts(0.1)) for number in range(count))


def fill(store: Any, count: int) -> None:
    pairs: Iterable[tuple[str, Any]] = ((named(number), VALUE) for number in range(count))
    if hasattr(store, "fill"):
        store.fill(pairs)
    elif hasattr(store, "transact"):
        with store.transact():
            for key, value in pairs:
                store[key] = value
    else:
        for key, value in pairs:
            store[key] = value


STORES: dict[str, tuple[Callable[[Path], Any], Callable[[int], Any], Callable[[Any, int], None]]] = {
    OURS: (lambda folder: DiskTarget(folder / "store"), keyed, fill_ours),
    **{who: (make, named, fill) for who, make in {
        "SQLite": Sqlite, "lmdb": Lmdb, "diskcache": diskcache_cache, "zict": zict_file, "plain files": Files,
        LIMIT: OpenFile,
    }.items()},
}  # fmt: skip


def looked_up(who: str, count: int) -> Prepare:
    def prepare(folder: Path) -> Work:
        make, key, filled = STORES[who]
        store = make(folder)
        filled(store, count)
        return lambda number: store[key(number * 7919 % count)]

    return prepare


def added(who: str, count: int) -> Prepare:
    def prepare(folder: Path) -> Work:
        make, key, filled = STORES[who]
        store = make(folder)
        filled(store, count)
        return lambda number: store.__setitem__(key(count + number), VALUE)

    return prepare


def rows(quick: bool) -> list[Row]:
    found = []
    for count in (100, 10_000) if quick else (100, 10_000, 1_000_000):
        for name, way in (("a look-up among", looked_up), ("an entry added to", added)):
            found.append(Row(f"{name} {count:,} entries", LIMIT, {who: way(who, count) for who in STORES}))
    return found
