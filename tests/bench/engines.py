"""What engines gain and cost: pools beside a plain run, and checkpoints in ``map`` on a cluster of dask beside none.

python tests/bench/engines.py [--quick] [--items 10000]
"""

from __future__ import annotations

import os
import sys
import tempfile
import time
from collections import Counter
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from typing import NamedTuple

from flowly_ckpt import add_checkpoints, apply, chained, checkpoint, processes, threads
from flowly_ckpt.targets import DiskTarget

SECONDS = {"pool": 0.02, "cluster": 0.01}


def item(seconds: float, folder: str | None, n: int) -> int:
    if folder is not None:
        with open(Path(folder) / str(n), "a") as file:
            file.write("x")
    time.sleep(seconds)
    return -n


def timed(work):
    start = time.perf_counter()
    value = work()
    return time.perf_counter() - start, value


class Taken(NamedTuple):
    """Seconds of a run on a cluster: by the clock, and those of the processors in the workers and in this process."""

    wall: float
    workers: float
    client: float

    @classmethod
    def by(cls, client, work):
        busy = lambda: (sum(client.run(time.process_time).values()), time.process_time())
        before = busy()
        wall, value = timed(work)
        return cls(wall, *(after - earlier for after, earlier in zip(busy(), before))), value

    def __str__(self) -> str:
        return f"{self.wall:6.2f} s {self.workers:8.2f} s {self.client:8.2f} s"


def pools(count: int) -> None:
    pipeline = chained(partial(map, partial(item, SECONDS["pool"], None)), list)
    alone, expected = timed(lambda: apply(pipeline, range(count)))
    for engine in (threads(2), processes(2)):
        seconds, value = timed(lambda: apply(pipeline, range(count), engine=engine))
        assert value == expected
        print(f"{engine!r:13} {count} items of 20 ms: {seconds:6.2f} s, {alone / seconds:.2f} times as fast as one")


def cluster(count: int, rounds: int) -> None:
    from distributed import Client, LocalCluster

    from flowly_ckpt.dsk import apply_to_local

    options = {"n_workers": 2, "threads_per_worker": 1, "processes": True, "dashboard_address": ":0"}
    with LocalCluster(**options) as workers, Client(workers) as client, tempfile.TemporaryDirectory() as folder:
        parts = max(2, count // 100)  # of 100 items each, whatever the number: 10,000 make dask's usual 100 parts
        run = partial(apply_to_local, rewrites=[add_checkpoints], client=client, npartitions=parts)
        step = partial(item, SECONDS["cluster"])
        expected = [-n for n in range(count)]
        warm = chained(partial(map, chained(abs, checkpoint(DiskTarget(os.path.join(folder, "warm"))))), list)
        run(warm, range(100))
        taken: dict[str, list[Taken]] = {"without": [], "kept": [], "again": [], "here": []}
        for number in range(rounds):
            ran = Path(folder, f"ran{number}")
            ran.mkdir()
            plain = chained(partial(map, partial(step, str(ran))), list)
            seconds, value = Taken.by(client, lambda: run(plain, range(count)))
            taken["without"].append(seconds)
            for path in ran.iterdir():
                path.unlink()
            with DiskTarget(os.path.join(folder, f"results{number}")) as target:
                kept = chained(partial(map, chained(partial(step, str(ran)), checkpoint(target))), list)
                for name, work in (
                    ("kept", lambda: run(kept, range(count))),
                    ("again", lambda: run(kept, range(count))),
                    ("here", lambda: apply(kept, range(count), [add_checkpoints])),
                ):
                    seconds, value = Taken.by(client, work)
                    assert value == expected
                    taken[name].append(seconds)
                assert len(target) == count
            assert Counter(path.stat().st_size for path in ran.iterdir()) == {1: count}, "each item once"
    best = {name: min(all_taken) for name, all_taken in taken.items()}
    extra = lambda of: 1000 * (getattr(best["kept"], of) - getattr(best["without"], of)) / count
    print(f"LocalCluster, 2 workers, {count} items of 10 ms, the best of {rounds}:")
    print("                         clock    workers     client (with the scheduler; seconds of processors)")
    print(f"  without checkpoints  {best['without']}")
    print(f"  with one in map      {best['kept']}  {best['kept'].wall / best['without'].wall - 1:+.1%}")
    print(f"  again                {best['again']}  nothing computed")
    print(f"  then without dask    {best['here']}  everything restored")
    print(f"  an item costs the processors {extra('workers'):.2f} ms in the workers, {extra('client'):.2f} ms here")


if __name__ == "__main__":
    quick = "--quick" in sys.argv
    items = int(sys.argv[sys.argv.index("--items") + 1]) if "--items" in sys.argv else 10_000
    pools(50 if quick else 400)
    if find_spec("distributed") is None:
        print("LocalCluster: needs distributed")
    else:
        cluster(1000 if quick else items, 1 if quick else 2)
