"""Hashing a value, by its kind.

The peers see less in most of these: most take a function for its name or its text alone, one takes a sample of a large
array, and one joins texts so that different lists look alike. Each is called as its own cache calls it.
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


PEERS = {
    "dask": dask_hash, "joblib": joblib_hash, "streamlit": streamlit_hash, "marimo": marimo_hash,
    "Hamilton": hamilton_hash, "pipefunc": pipefunc_hash, "cachier": cachier_hash,
}  # fmt: skip
EVERY = tuple(PEERS)


def by(load: Callable[[], Hash], value: Any) -> Prepare:
    def prepare(folder: Path) -> Work:
        hashed = load()
        hashed(value)  # what it imports at its first call is not counted
        return lambda number: hashed(value)

    return prepare


def row(name: str, value: Any, limit: str, bare: Hash, peers: tuple[str, ...] = EVERY) -> Row:
    ours = {OURS: by(lambda: functional_hash, value), limit: by(lambda: bare, value)}
    return Row(f"hash: {name}", limit, ours | {who: by(PEERS[who], value) for who in peers})


def raw(array: Any) -> bytes:
    return xxhash.xxh3_128_digest(array)


def copied(array: Any) -> bytes:
    return xxhash.xxh3_128_digest(np.ascontiguousarray(array))


def pickled(value: Any) -> bytes:
    return xxhash.xxh3_128_digest(pickle.dumps(value, 5))


def with_helpers() -> FunctionType:
    text = "".join(f"def h{i}(x):\n    y = x + {i}\n    return len([y, x]) * {i}\n" for i in range(10))
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


def rows(quick: bool) -> list[Row]:
    scale = 10 if quick else 1
    side, count = (2000, 10**5) if quick else (10_000, 10**6)
    array = np.random.default_rng(0).random((side, side))
    megabytes = array.nbytes // 10**6
    arrays = [
        row(f"array of {megabytes} MB, C order", array, "raw xxh3", raw),
        row(f"array of {megabytes} MB, Fortran order", np.asfortranarray(array), "copy + xxh3", copied),
        row(f"array of {megabytes // 2} MB, every other column", array[:, ::2], "copy + xxh3", copied),
    ]
    return [*arrays, *tables(count), *objects(count, scale), *code()]


def tables(count: int) -> list[Row]:
    import pandas as pd

    numbers = {f"c{place}": np.random.default_rng(place).random(count) for place in range(9)}
    words = np.array([f"word {number % 1000}" for number in range(count)], dtype=object)
    frame, mixed = pd.DataFrame(numbers), pd.DataFrame({**numbers, "words": pd.Series(words, dtype=object)})
    peers = ("dask", "joblib", "streamlit", "Hamilton", "cachier")  # marimo's takes no frame; pipefunc's: half a minute
    return [
        row(f"DataFrame {count:,} × 9, numbers", frame, "copy + xxh3", lambda frame: copied(frame.to_numpy()), peers),
        row(f"DataFrame {count:,} × 10, one of object strings", mixed, "pickle + xxh3", pickled, peers),
    ]


def objects(count: int, scale: int) -> list[Row]:
    bare = ("pickle + xxh3", pickled)
    fast = tuple(who for who in EVERY if who != "marimo")
    return [
        row(f"list of {count:,} ints", list(range(count)), *bare),
        row(f"list of {count:,} strings", [f"item {number}" for number in range(count)], *bare),
        row(f"dict of {count // 10:,} str → float", {str(i): i * 1.5 for i in range(count // 10)}, *bare),
        row(f"tree of {10**5 // scale:,} nodes", tree(10**5 // scale), *bare, fast),
        row("a small dict", {"a": 1, "b": [1, 2]}, *bare),
    ]


def code() -> list[Row]:
    peers = ("dask", "joblib", "streamlit", "Hamilton")
    return [
        row("a function with 10 helpers", with_helpers(), "xxh3 of its bytecode", lambda f: raw(f.__code__.co_code), peers),
        row("a function that reads a global of 32 MB", reads_large, "raw xxh3", lambda f: raw(LARGE), peers),
    ]
