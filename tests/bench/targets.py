"""How fast results are stored and restored, as ratios to what the same machine needs for the same work in the same run.

Run as a script: ``python tests/bench/targets.py [--quick] [--entries 1000000]``. A figure over its limit is marked
with ``!``. joblib and diskcache are measured beside where they are installed.
"""

from __future__ import annotations

import argparse
import hashlib
import importlib.util
import os
import pickle
import random
import shutil
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np
import xxhash

from flowly_ckpt import add_checkpoints, apply, chained, checkpoint
from flowly_ckpt.targets import DiskTarget
from flowly_ckpt.targets.recall import recall
from flowly_ckpt.typing import Facts, Key

KEY: Key = ("0a" * 16, "tag", "1b" * 16)


def timed(work: Callable[[], Any]) -> float:
    start = time.perf_counter()
    kept = work()
    taken = time.perf_counter() - start
    del kept
    return taken


def alternately(repeat: int, **works: Callable[[], Any]) -> dict[str, float]:
    """Return the least seconds of each work; they take turns, so that all meet the same machine."""
    found: dict[str, list[float]] = {name: [] for name in works}
    for _ in range(repeat):
        for name, work in works.items():
            found[name].append(timed(work))
    return {name: min(seconds) for name, seconds in found.items()}


def micro(work: Callable[[], Any], calls: int = 100) -> float:
    """Return microseconds a call: the least mean of many short rounds, since a busy machine disturbs the long ones."""

    def loop() -> None:
        for _ in range(calls):
            work()

    return min(timed(loop) for _ in range(60)) / calls * 1e6


def show(work: str, figure: float, limit: float | None, unit: str, note: str = "") -> None:
    mark = "!" if limit is not None and figure > limit else " "
    bound = f"(limit {limit:g})" if limit is not None else ""
    print(f"{mark} {work:46} {figure:9.3f} {unit:3} {bound:14} {note}", flush=True)


def small(folder: Path, quick: bool) -> None:
    """Measure hits of a small value."""
    calls = 50 if quick else 200
    disk, memory = DiskTarget(folder / "small"), {}

    def step(number: int) -> dict[str, int]:
        return {"number": number}

    for name, target, limit in (("disk", disk, 50), ("dict", memory, 25)):
        pipeline = add_checkpoints(chained(step, checkpoint(target, tag="tag")))
        apply(pipeline, 5)
        show(
            f"hit, small value, {name}, through apply",
            micro(lambda pipeline=pipeline: apply(pipeline, 5), calls),
            limit,
            "µs",
        )
    disk[KEY] = {"number": 5}
    show("hit, small value, inside DiskTarget", micro(lambda: disk[KEY], calls), 25, "µs")
    show("hit, small value, recall on DiskTarget", micro(lambda: recall(disk, KEY, int), calls), None, "µs")
    disk.close()
    if importlib.util.find_spec("diskcache"):
        import diskcache

        with diskcache.Cache(str(folder / "diskcache")) as cache:
            cache[KEY] = {"number": 5}
            show("  diskcache", micro(lambda: cache[KEY], calls), None, "µs")
    if importlib.util.find_spec("joblib"):
        import joblib

        cached = joblib.Memory(folder / "joblib", verbose=0).cache(doubled)
        cached(5)
        show("  joblib", micro(lambda: cached(5), 20), None, "µs")


def doubled(number: int) -> dict[str, int]:
    return {"number": 2 * number}


FRESH = """
import sys
from flowly_ckpt import add_checkpoints, apply, chained, checkpoint
from flowly_ckpt.targets import DiskTarget
def step(number):
    return {"number": number}
apply(chained(step, checkpoint(DiskTarget(sys.argv[1]), tag="tag")), 5, [add_checkpoints])
"""


def process(folder: Path, quick: bool) -> None:
    """Measure a hit in a process of its own."""
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    environment["PYTHONPATH"] = str(Path(__file__).parents[2])

    def run(*code: str) -> float:
        command = [sys.executable, "-c", *code]
        return timed(lambda: subprocess.run(command, check=True, env=environment))

    run(FRESH, str(folder / "fresh"))
    pairs = [(run(FRESH, str(folder / "fresh")), run("pass")) for _ in range(5 if quick else 15)]
    warm, bare = (min(column) * 1000 for column in zip(*pairs))
    show("hit in a fresh process, wall", warm, 130, "ms", f"bare interpreter {bare:.0f} ms")


def array(folder: Path, quick: bool) -> None:
    """Measure storing and restoring a large array."""
    data = np.random.default_rng(0).random((10 if quick else 100) * 10**6)
    name = f"{data.nbytes // 10**6} MB array"
    disk, lazy = DiskTarget(folder / "array"), DiskTarget(folder / "array", verify="lazy")

    def emptied() -> None:
        disk.clear()
        Path(folder, "a.npy").unlink(missing_ok=True)

    stores: dict[str, list[float]] = {"ours": [], "np.save": []}
    for _ in range(5):
        emptied()
        stores["np.save"].append(timed(lambda: np.save(folder / "a.npy", data)))
        stores["ours"].append(timed(lambda: disk.put(KEY, data, Facts(1.0))))
    ours, save = min(stores["ours"]), min(stores["np.save"])
    show(f"store, {name}, to np.save", ours / save, 1.05, "×", f"{ours:.3f} s, np.save {save:.3f} s")
    digest = xxhash.xxh3_128_digest
    hit = alternately(7, ours=lambda: disk[KEY], digest=lambda: digest(data), load=lambda: np.load(folder / "a.npy"))
    note = ", ".join(f"{work} {seconds * 1000:.1f} ms" for work, seconds in hit.items())
    show(f"hit, {name}, verified, to one xxh3 pass", hit["ours"] / hit["digest"], 1.15, "×", note)
    show(f"hit, {name}, verify='lazy'", micro(lambda: lazy[KEY], 10) / 1000, 1, "ms")
    value = lazy[KEY]
    value[:10] = -1
    assert disk[KEY][0] != -1
    if importlib.util.find_spec("joblib"):
        import joblib

        joblib.dump(data, folder / "a.joblib")
        show("  joblib.load", timed(lambda: joblib.load(folder / "a.joblib")) * 1000, None, "ms")
    disk.close()
    lazy.close()


def frame(folder: Path, quick: bool) -> None:
    """Measure restoring a table with strings."""
    if not (importlib.util.find_spec("pandas") and importlib.util.find_spec("pyarrow")):
        return
    import pandas as pd

    rows = 10**5 if quick else 10**6
    random_ = np.random.default_rng(0)
    columns: dict[str, Any] = {f"n{place}": random_.random(rows) for place in range(5)}
    text = pd.array([f"text {number % 1000}" for number in range(rows)], dtype="string[pyarrow]")
    columns |= {f"s{place}": text.copy() for place in range(5)}
    disk, lazy = DiskTarget(folder / "frame"), DiskTarget(folder / "frame", verify="lazy")
    disk[KEY] = pd.DataFrame(columns)
    size = disk.entry(KEY).size
    hit = alternately(7, ours=lambda: disk[KEY], lazy=lambda: lazy[KEY])
    limit = 20 * (0.1 if quick else 1)
    show(f"hit, DataFrame {rows:.0e} × 10, Arrow strings", hit["ours"] * 1000, limit, "ms",
         f"{size / 1e6:.0f} MB verified; lazy {hit['lazy'] * 1000:.1f} ms")  # fmt: skip
    disk.close()
    lazy.close()


def keys(count: int) -> Iterator[Key]:
    for number in range(count):
        yield (hashlib.md5(b"%d" % number).hexdigest(), f"tag{number % 10}", "ab" * 16)


def many(folder: Path, count: int) -> None:
    """Measure many small entries, against SQLite itself with the same keys and pickles and an index on the tag."""
    every = list(keys(count))
    some = random.Random(0).sample(every, min(10_000, count))
    value = {"number": 5}
    disk = DiskTarget(folder / "many")
    disk[KEY] = value
    del disk[KEY]
    with closing(sqlite3.connect(folder / "itself.sqlite", isolation_level=None)) as itself:
        for statement in ("pragma journal_mode = wal", "pragma synchronous = normal",
                          "create table e (o text, t text, f text, v blob, primary key (o, t, f))",
                          "create index by_tag on e (t)"):  # fmt: skip
            itself.execute(statement)
        found: dict[str, list[float]] = {"ours": [], "itself": []}

        def both(ours: Callable[[], Any], theirs: Callable[[], Any]) -> None:
            found["itself"].append(timed(theirs))
            found["ours"].append(timed(ours))

        def write_in_turns() -> None:
            taken = [0.0, 0.0]
            for start in range(0, count, 1000):  # in turns, so that both meet the same machine
                part = every[start : start + 1000]
                taken[0] += timed(lambda part=part: [disk.__setitem__(key, value) for key in part])
                insert = "insert or replace into e values (?, ?, ?, ?)"
                taken[1] += timed(
                    lambda part=part: [itself.execute(insert, (*key, pickle.dumps(value))) for key in part]
                )
            found["ours"].append(taken[0])
            found["itself"].append(taken[1])

        write_in_turns()
        both(lambda: list(disk), lambda: itself.execute("select o, t, f from e").fetchall())
        select = "select v from e where o = ? and t = ? and f = ?"
        both(
            lambda: [disk[key] for key in some],
            lambda: [pickle.loads(itself.execute(select, key).fetchone()[0]) for key in some],
        )
        both(lambda: disk.clear_where(tag="tag3"), lambda: itself.execute("delete from e where t = 'tag3'"))
        disk.close()
        itself.execute("pragma wal_checkpoint(truncate)")
        found["ours"].append(sum(path.stat().st_size for path in (folder / "many").rglob("*") if path.is_file()))
        found["itself"].append((folder / "itself.sqlite").stat().st_size)
    works = ("write", "list", f"{len(some)} hits", "delete a tenth by tag", "disk")
    for work, ours, itself_ in zip(works, found["ours"], found["itself"]):
        note = f"{ours / 1e6:.0f} MB, {itself_ / 1e6:.0f} MB" if work == "disk" else f"{ours:.2f} s, {itself_:.2f} s"
        show(f"{count:.0e} small entries, {work}, to SQLite itself", ours / itself_, 1.3, "×", note)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--entries", type=int, default=0, help="how many small entries (default 10⁵, quick 10⁴)")
    options = parser.parse_args()
    folder = Path(tempfile.mkdtemp())
    try:
        small(folder, options.quick)
        process(folder, options.quick)
        array(folder, options.quick)
        frame(folder, options.quick)
        many(folder, options.entries or (10**4 if options.quick else 10**5))
    finally:
        shutil.rmtree(folder)


if __name__ == "__main__":
    main()
