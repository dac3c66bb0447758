"""Three figures beside joblib's: a small hit, a hit with a large array, and the hash of a table.

python tests/bench/beside_joblib.py

It takes some ten seconds, and needs joblib, numpy and pandas. Each figure is the least of several, taken in turns.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable
from typing import Any

import joblib
import numpy as np
import pandas as pd

from flowly_ckpt import DiskTarget, functional_hash, memo


def half(value: Any) -> Any:
    return value / 2


def show(work: str, ours: Callable[[], Any], theirs: Callable[[], Any], turns: int, calls: int = 1) -> None:
    found: tuple[list[float], list[float]] = ([], [])
    for _ in range(turns):
        for call, taken in zip((ours, theirs), found):
            start = time.perf_counter()
            for _ in range(calls):
                call()
            taken.append((time.perf_counter() - start) / calls * 1000)
    here, there = map(min, found)
    print(f"{work:<60} {here:8.3f} ms   joblib {there:8.3f} ms   {there / here:5.1f} ×", flush=True)


def main() -> None:
    array = np.random.default_rng(0).random(10**7)
    table = pd.DataFrame({f"c{n}": np.random.default_rng(n).random(10**6) for n in range(9)})
    table["words"] = [f"word {n % 1000}" for n in range(len(table))]
    with tempfile.TemporaryDirectory() as place, DiskTarget(f"{place}/ours") as target:
        ours, theirs = memo(target)(half), joblib.Memory(f"{place}/theirs", verbose=0).cache(half)
        for value in (5, array):
            ours(value)
            theirs(value)
        show("a small result is restored from disk", lambda: ours(5), lambda: theirs(5), 50, 20)
        show("an array of 80 MB, for an array of 80 MB", lambda: ours(array), lambda: theirs(array), 5)
    show("the hash of a table, 10⁶ × 10", lambda: functional_hash(table), lambda: joblib.hash(table), 5)


if __name__ == "__main__":
    main()
