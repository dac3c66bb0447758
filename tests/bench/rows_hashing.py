"""Hashing a value, by its kind.

Each value has another one that it must not be taken for. A peer that does so has no part in that row: some hash a
sample of what is large, some take a function for its own text or its name, some take ``True`` for ``1``. Each peer's
hash is called as its own cache calls it.
"""

from __future__ import annotations

import hashlib
import pickle
from collections.abc import Callable
from pathlib import Path
from types import FunctionType
from typing import Any

import numpy as np
import xxhash
from row import OURS, Prepare, Row, Work

from flowly_ckpt.hashing import functional_hash

Hash = Callable[[Any], Any]


def dask_hash() -> Hash:
    from dask.base import tokenize

    return tokenize


def joblib_hash() -> Hash:
    import joblib

    return joblib.hash


def streamlit_hash() -> Hash:
    from streamlit.runtime.caching.cache_type import CacheType
    from streamlit.runtime.caching.hashing import update_hash

    def hashed(value: Any) -> str:
        hasher = hashlib.new("md5")
        update_hash(value, hasher, CacheType.DATA)
        return hasher.hexdigest()

    return hashed


def marimo_hash() -> Hash:
    from marimo._save.encode import common_container_to_bytes, data_to_buffer

    def hashed(value: Any) -> bytes:
        encode = common_container_to_bytes if isinstance(value, (list, dict)) else data_to_buffer
        return hashlib.sha256(encode(value)).digest()

    return hashed


def hamilton_hash() -> Hash:
    from hamilton.caching.fingerprinting import hash_value

    return hash_value


def pipefunc_hash() -> Hash:
    from pipefunc.cache import to_hashable

    return lambda value: hash(to_hashable(value))


def cachier_hash() -> Hash:
    from cachier.config import _default_hash_func

    return lambda value: _default_hash_func((value,), {})


def redun_hash() -> Hash:
    from redun.value import get_type_registry

    return get_type_registry().get_hash


PEERS = {
    "dask": dask_hash, "joblib": joblib_hash, "streamlit": streamlit_hash, "marimo": marimo_hash,
    "Hamilton": hamilton_hash, "pipefunc": pipefunc_hash, "cachier": cachier_hash,
    "redun": redun_hash,
}  # fmt: skip
EVERY = tuple(PEERS)


class TakenForAnotherError(Exception):
    """Raised for a hash that does not tell a value from another one."""


def by(load: Callable[[], Hash], value: Any, differs: Callable[[Hash], bool]) -> Prepare:
    def prepare(folder: Path) -> Work:
        hashed = load()
        if not differs(hashed):  # what it imports at its first call is not counted either
            raise TakenForAnotherError("the hash of another value is the same")
        return lambda number: hashed(value)

    return prepare


def row(name: str, value: Any, other: Any, limit: str, bare: Hash, peers: tuple[str, ...] = EVERY) -> Row:
    return compared(name, value, lambda hashed: hashed(value) != hashed(other), limit, bare, peers)


def compared(
    name: str, value: Any, differs: Callable[[Hash], bool], limit: str, bare: Hash, peers: tuple[str, ...]
) -> Row:
    ours = {
        OURS: by(lambda: functional_hash, value, differs),
        limit: by(lambda: bare, value, lambda hashed: bool(hashed(value))),
    }
    return Row(f"hash: {name}", limit, ours | {who: by(PEERS[who], value, differs) for who in peers})


def raw(array: Any) -> bytes:
    return xxhash.xxh3_128_digest(array)


def copied(array: Any) -> bytes:
    """Hash what lies apart, copied in parts that stay in the processor's cache."""
    hasher = xxhash.xxh3_128()
    rows = max(1, (1 << 20) // (array.nbytes // len(array)))
    for start in range(0, len(array), rows):
        hasher.update(np.ascontiguousarray(array[start : start + rows]))
    return hasher.digest()


def joined(texts: Any) -> bytes:
    return xxhash.xxh3_128_digest("".join(texts).encode())


def pickled(value: Any) -> bytes:
    return xxhash.xxh3_128_digest(pickle.dumps(value, 5))


def with_helpers(last: int = 9) -> FunctionType:
    numbers = [*range(9), last]
    text = "".join(f"def h{i}(x):\n    y = x + {n}\n    return len([y, x]) * {n}\n" for i, n in enumerate(numbers))
    space: dict[str, Any] = {"__name__": "__main__"}
    exec(f"{text}def f(x):\n    return {' + '.join(f'h{i}(x)' for i in range(10))}\n", space)
    return space["f"]


def tree(nodes: int) -> list[Any]:
    return [
        {"id": i, "name": f"item {i}", "price": i / 4, "tags": ["a", f"t{i % 7}"], "geo": {"lat": i / 3, "lon": -i}}
        for i in range(nodes // 12)
    ]


LARGE = np.arange(4e6)


def reads_large() -> Any:
    return LARGE.sum()


def raw_large(function: Any) -> bytes:
    return raw(LARGE)


def reads_changes(hashed: Hash) -> bool:
    before = hashed(reads_large)
    LARGE[-2] += 1
    try:
        return hashed(reads_large) != before
    finally:
        LARGE[-2] -= 1


def rows(quick: bool) -> list[Row]:
    scale = 10 if quick else 1
    side, count = (2000, 10**5) if quick else (10_000, 10**6)
    array = np.random.default_rng(0).random((side, side))
    changed = array.copy()
    changed[-2, -2] = 0
    megabytes = array.nbytes // 10**6
    turned = np.asfortranarray(array)
    arrays = [
        row(f"array of {megabytes} MB, C order", array, changed, "raw xxh3", raw),
        row(f"array of {megabytes} MB, Fortran order", turned, turned.T, "raw xxh3", lambda array: raw(array.T)),
        row(f"array of {megabytes // 2} MB, every other column", array[:, ::2], changed[:, ::2], "copy + xxh3", copied),
    ]
    return [*arrays, *tables(count), *objects(count, scale), *code()]


def tables(count: int) -> list[Row]:
    import pandas as pd

    numbers = {f"c{place}": np.random.default_rng(place).random(count) for place in range(9)}
    words = np.array([f"word {number % 1000}" for number in range(count)], dtype=object)
    frame, mixed = pd.DataFrame(numbers), pd.DataFrame({**numbers, "words": pd.Series(words, dtype=object)})
    other, others = frame.copy(), mixed.copy()
    other.iloc[-2, 1] = 0
    others.iloc[-2, 9] = "another word"
    block = np.ascontiguousarray(frame.to_numpy())
    peers = ("dask", "joblib", "streamlit", "Hamilton", "cachier")  # marimo's takes no frame; pipefunc's: half a minute
    return [
        row(f"DataFrame {count:,} × 9, numbers", frame, other, "raw xxh3", lambda frame: raw(block), peers),
        row(f"DataFrame {count:,} × 10, one of object strings", mixed, others, "join + xxh3",
            lambda frame: (raw(block), joined(words)), peers),
    ]  # fmt: skip


def objects(count: int, scale: int) -> list[Row]:
    bare = ("pickle + xxh3", pickled)
    fast = tuple(who for who in EVERY if who != "marimo")
    ints, texts, table = list(range(count)), [f"item {number}" for number in range(count)], tree(10**5 // scale)
    prices, other_tree = {str(i): i * 1.5 for i in range(count // 10)}, tree(10**5 // scale)
    other_tree[-2]["geo"]["lon"] *= 1.0
    return [
        row(f"list of {count:,} ints", ints, [0, True, *ints[2:]], *bare),
        row(f"list of {count:,} strings", texts, [*texts[:-2], "another", texts[-1]], "join + xxh3", joined),
        row(f"dict of {count // 10:,} str → float", prices, {**prices, "2": 3}, *bare),
        row(f"tree of {10**5 // scale:,} nodes", table, other_tree, *bare, fast),
        row("a small dict", {"a": 1, "b": [1, 2]}, {"a": True, "b": [1, 2]}, *bare),
    ]


def code() -> list[Row]:
    peers = ("dask", "joblib", "streamlit", "Hamilton")
    bare = ("xxh3 of its bytecode", lambda function: raw(function.__code__.co_code))
    return [
        row("a function with 10 helpers", with_helpers(), with_helpers(10), *bare, peers),
        compared(
            "a function that reads a global of 32 MB",
            reads_large,
            reads_changes,
            "raw xxh3",
            lambda f: raw(LARGE),
            peers,
        ),
    ]
