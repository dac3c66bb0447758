"""How long hashing takes, as ratios to what the same machine needs for the same bytes in the same run.

Run as a script: ``python tests/bench/hashing.py [--quick]``. A ratio over its limit is marked with ``!``.
"""

from __future__ import annotations

import argparse
import pickle
import subprocess
import sys
import time
import tracemalloc
from collections.abc import Callable
from types import FunctionType
from typing import Any

import xxhash

from flowly_ckpt.hashing import functional_hash


def best(call: Callable[[], Any], least: float = 0.3) -> float:
    """Return the least seconds one call took."""
    found, end = [], time.perf_counter() + least
    while len(found) < 3 or time.perf_counter() < end:
        start = time.perf_counter()
        call()
        found.append(time.perf_counter() - start)
    return min(found)


def micro(call: Callable[[], Any]) -> float:
    """Return the least microseconds one of many calls took."""
    return best(lambda: [call() for _ in range(20)]) / 20 * 1e6


def peak(call: Callable[[], Any]) -> float:
    """Return the most MiB a call held at once."""
    tracemalloc.start()
    try:
        call()
        return tracemalloc.get_traced_memory()[1] / 2**20
    finally:
        tracemalloc.stop()


def show(work: str, ours: float, base: float | None, limit: float, unit: str = "×", note: str = "") -> None:
    figure = ours / base if base else ours
    times = f"{ours:8.4f} s against {base:.4f} s" if base else ""
    print(f"{'!' if figure > limit else ' '} {work:44} {figure:8.2f} {unit:3} (limit {limit:g})  {times} {note}")


def arrays(quick: bool) -> None:
    import numpy as np

    side = 3000 if quick else 10_000
    array = np.random.default_rng(0).random((side, side))
    raw = best(lambda: xxhash.xxh3_128_digest(array))
    extra = peak(lambda: functional_hash(array))
    seconds = best(lambda: functional_hash(array))
    show(f"{array.nbytes >> 20} MiB array, C order", seconds, raw, 1.05, note=f"+{extra:.0f} MiB")
    for name, other in (("Fortran order", np.asfortranarray(array)), ("strided", array[:, ::2])):
        base = best(lambda other=other: chunked(other))
        extra = peak(lambda other=other: functional_hash(other))
        seconds = best(lambda other=other: functional_hash(other))
        show(f"{other.nbytes >> 20} MiB array, {name}", seconds, base, 1.5, note=f"+{extra:.0f} MiB")


def chunked(array: Any) -> None:
    import numpy as np

    hasher = xxhash.xxh3_128()
    rows = max(1, (4 << 20) // (array.nbytes // len(array)))
    for start in range(0, len(array), rows):
        hasher.update(np.ascontiguousarray(array[start : start + rows]).reshape(-1))


def tree(nodes: int) -> list[Any]:
    return [
        {"id": i, "name": f"item {i}", "price": i / 4, "tags": ["a", f"t{i % 7}"], "geo": {"lat": i / 3, "lon": -i}}
        for i in range(nodes // 12)
    ]


def containers(quick: bool) -> None:
    scale = 10 if quick else 1
    cases: list[tuple[str, Any, float]] = [
        ("list of 10⁶ ints", list(range(10**6 // scale)), 3),
        ("list of 10⁶ floats", [i * 0.5 for i in range(10**6 // scale)], 6),
        ("list of 10⁶ strings", [f"item {i}" for i in range(10**6 // scale)], 3),
        ("dict of 10⁵ str → float", {str(i): i * 1.5 for i in range(10**5 // scale)}, 4),
        ("tree of 10⁵ nodes", tree(10**5 // scale), 5),
    ]
    for name, value, limit in cases:
        base = best(lambda value=value: pickle.dumps(value, 5))
        show(name + " to pickle.dumps", best(lambda value=value: functional_hash(value)), base, limit)


def frames(quick: bool) -> None:
    try:
        import numpy as np
        import pandas as pd
        from dask.base import tokenize
    except ImportError as missing:
        print(f"  frames are left out: {missing}")
        return
    rows = 10**5 if quick else 10**6
    numbers = {f"c{i}": np.random.default_rng(i).random(rows) for i in range(9)}
    words = np.array([f"word {i % 1000}" for i in range(rows)], dtype=object)
    for kind in (object, "string[pyarrow]"):
        frame = pd.DataFrame({**numbers, "words": pd.Series(words, dtype=kind)})
        base = best(lambda frame=frame: tokenize(frame))
        show(f"frame {rows} × 10, {kind} strings, to dask", best(lambda frame=frame: functional_hash(frame)), base, 1)


def beside(quick: bool) -> None:
    """Where hashing was slow once, beside pickle 5 + XXH3, dask and joblib, with the memory each needs of its own."""
    try:
        import joblib
        import pandas as pd
        from dask.base import tokenize
    except ImportError as missing:
        print(f"  the comparison is left out: {missing}")
        return
    frame = pd.DataFrame({"a": [1]})
    for warm in (functional_hash, tokenize, joblib.hash):
        warm(frame)
    rivals: list[tuple[str, Callable[[Any], Any]]] = [("dask", tokenize), ("joblib", joblib.hash)]
    print(f"  {'seconds (MiB of its own)':40} {'here':>16} {'pickle + XXH3':>16} {'dask':>16} {'joblib':>16}")
    for name, value, by_dask in slow_once(20 if quick else 1):
        row = [functional_hash, pickle_and_hash, *(call for who, call in rivals if by_dask or who != "dask")]
        figures = [f"{once(lambda: call(value)):.3f} ({peak(lambda: call(value)):.0f})" for call in row]
        figures[2:2] = [] if by_dask else ["—"]
        print(f"  {name:40} " + " ".join(f"{figure:>16}" for figure in figures))


def slow_once(scale: int) -> list[tuple[str, Any, bool]]:
    """Return a name, a value, and whether dask hashes it in bearable time, for each."""
    import datetime
    from pathlib import Path

    import numpy as np
    import pandas as pd
    import pyarrow as pa

    count, long = 50_000 // scale, 1_000_000 // scale
    start = datetime.datetime(2020, 1, 1)
    texts = [f"a longer string number {i}" for i in range(long)]
    return [
        ("frame of 100 × 20,000", pd.DataFrame(np.random.default_rng(0).random((100, 20_000 // scale))), True),
        ("frame of one block", pd.DataFrame(np.random.default_rng(0).random((long, 10))), True),
        (
            "nullable columns",
            pd.DataFrame({"a": pd.array([*range(long)], dtype="Int64")}).mask(lambda d: d % 9 == 3),
            True,
        ),
        ("set of 10⁶ strings", set(texts), False),
        ("50,000 instances", [Point(i, str(i)) for i in range(count)], False),
        ("50,000 datetimes", [start + datetime.timedelta(minutes=i) for i in range(count)], True),
        ("50,000 paths", [Path(f"a/b/{i}") for i in range(count)], True),
        ("Arrow dictionary", pa.array([f"word {i % 1000}" for i in range(long)]).dictionary_encode(), True),
        ("Arrow string views", pa.array(texts, pa.string_view()), True),
    ]


class Point:
    def __init__(self, x: int, name: str) -> None:
        self.x, self.name = x, name


def once(call: Callable[[], Any]) -> float:
    return best(call, 0)


def pickle_and_hash(value: Any) -> None:
    buffers: list[Any] = []
    hasher = xxhash.xxh3_128(pickle.dumps(value, 5, buffer_callback=lambda buffer: buffers.append(buffer.raw())))
    for buffer in buffers:
        hasher.update(buffer)


def small() -> None:
    text = "".join(f"def h{i}(x):\n    y = x + {i}\n    return len([y, x]) * {i}\n" for i in range(10))
    space: dict[str, Any] = {"__name__": "made"}
    exec(f"{text}def f(x):\n    return {' + '.join(f'h{i}(x)' for i in range(10))}\n", space)
    function: FunctionType = space["f"]
    for name, value, limit in (
        ("int", 1, 3.0),
        ("short str", "abc", 3.0),
        ("small tuple", (1, 2, "a"), 3.0),
        ("small dict", {"a": 1}, 3.0),
        ("lambda", lambda x: x + 1, 10.0),
        ("function with 10 helpers", function, 60.0),
    ):
        show(name, micro(lambda value=value: functional_hash(value)), None, limit, "µs")


def start_up() -> None:
    def run(code: str) -> float:
        return best(lambda: subprocess.run([sys.executable, "-c", code], check=True), 2.0) * 1e3

    bare = run("")
    show("import flowly_ckpt.hashing, over bare Python", run("import flowly_ckpt.hashing") - bare, None, 60, "ms")


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--quick", action="store_true", help="smaller inputs")
    quick = options.parse_args().quick
    arrays(quick)
    containers(quick)
    frames(quick)
    beside(quick)
    small()
    start_up()


if __name__ == "__main__":
    main()
