"""How a store grows, and how many clients it bears: measured as far as a machine goes, then reckoned and simulated.

Run as a script: ``python tests/bench/scale.py [--quick] [--entries 10000000] [--part growth]``. It prints the tables of
docs/explanation/scale.md; 10⁷ entries take a quarter of an hour and 6 GB.
"""

from __future__ import annotations

import argparse
import contextlib
import heapq
import http.server
import importlib.util
import itertools
import json
import math
import os
import random
import shutil
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, ClassVar, NamedTuple

import xxhash

from flowly_ckpt.targets import DiskTarget, Layered, RemoteTarget, pickled
from flowly_ckpt.targets.disk.entries import ADD, New
from flowly_ckpt.typing import Facts, Key

BATCH = 1_000_000
VALUE = {"mean": 0.5, "rows": list(range(20))}
FACTS = Facts(1.0, {"input": "0a" * 16, "transform": "1b" * 16})


# growth


class Growth(NamedTuple):
    """What a store of so many entries needs: bytes, and microseconds for one of each."""

    entries: int
    bytes: int
    store: float
    hit: float
    bulk: float
    miss: float
    stats: float
    clear: float


def key(number: int) -> Key:
    digest = xxhash.xxh3_128_hexdigest(number.to_bytes(8, "little"))
    return (digest, f"tag{number % 100}", digest[::-1])


def each(work: Callable[[Any], Any], things: list[Any]) -> float:
    """Return the median microseconds of one."""
    taken = []
    for thing in things:
        start = time.perf_counter()
        work(thing)
        taken.append(time.perf_counter() - start)
    return statistics.median(taken) * 1e6


def fill(target: DiskTarget, numbers: range) -> None:
    """Add rows straight to the index, in its order, so that each of its pages is written once."""
    if not numbers:
        return
    data = pickled.dumps(VALUE)
    some = sorted(map(key, numbers), key=lambda key: (key[1], key))
    rows = (New(one, "pickled", data, None, FACTS).values() for one in some)
    target._entries.index.transact(lambda connection: connection.executemany(ADD, rows))


def growth(folder: Path, sizes: list[int]) -> Iterator[Growth]:
    """Fill one store, and look at it at each size."""
    target = DiskTarget(folder / "growing")
    done = 0
    for size in sizes:
        last = size // 20
        while done < size - last:
            end = min(size - last, done + BATCH)
            fill(target, range(done, end))
            done = end
        start = time.perf_counter()
        target.put_many((key(number), VALUE, FACTS) for number in range(done, min(size, done + 20_000)))
        store = (time.perf_counter() - start) / min(last, 20_000) * 1e6
        fill(target, range(done + 20_000, size))
        done = size
        target.close()
        target = DiskTarget(folder / "growing")
        chance = random.Random(size)
        some = [key(chance.randrange(size)) for _ in range(2000)]
        hit = each(target.__getitem__, some)
        bulk = each(target.get_many, [some[start : start + 200] for start in range(0, 2000, 200)]) / 200
        miss = each(target.get, [key(number) for number in range(size, size + 2000)])
        start = time.perf_counter()
        assert sum(one.entries for one in target.stats()) == size
        stats = time.perf_counter() - start
        start = time.perf_counter()
        cleared = target.clear_where(
            object=[key(number)[0] for number in range(1000)], tag=[f"tag{n}" for n in range(100)]
        )
        clear = time.perf_counter() - start
        assert cleared == 1000
        target.put_many((key(number), VALUE, FACTS) for number in range(1000))
        target.close()
        used = sum(path.stat().st_size for path in (folder / "growing").rglob("*") if path.is_file())
        yield Growth(size, used, store, hit, bulk, miss, stats * 1e6, clear * 1e6)


def page_read(folder: Path) -> float:
    """Return the median microseconds that the disk takes for a page that is not in memory."""
    path = max((path for path in folder.rglob("*") if path.is_file()), key=lambda path: path.stat().st_size)
    descriptor = os.open(path, os.O_RDONLY)
    try:
        pages = path.stat().st_size // 4096
        chance = random.Random(0)
        places = [chance.randrange(pages) * 4096 for _ in range(500)]
        if hasattr(os, "posix_fadvise"):
            os.fsync(descriptor)
            os.posix_fadvise(descriptor, 0, 0, os.POSIX_FADV_DONTNEED)
            os.posix_fadvise(descriptor, 0, 0, os.POSIX_FADV_RANDOM)
        return each(lambda place: os.pread(descriptor, 4096, place), places)
    finally:
        os.close(descriptor)


def reckoned(found: list[Growth], entries: int, page: float) -> tuple[float, float, float]:
    """Return bytes, and microseconds of a hit where the index is in memory, and where only its upper levels are."""
    used = found[-1].bytes / found[-1].entries * entries
    warm = min(found[-2:], key=lambda one: one.hit)  # the largest may not have been in memory
    # A level of the tree has some 30 times the pages of the one above it, and takes a tenth more.
    levels = math.log(entries / warm.entries) / math.log(30)
    hit = warm.hit * (1 + 0.1 * levels)
    return used, hit, hit + 2 * page  # a leaf of the key's tree, and a leaf of the table


def show_growth(folder: Path, sizes: list[int]) -> None:
    print("| entries | index | bytes an entry | stored in bulk | hit | in bulk | miss | `stats` | clear 1,000 |")
    print("|---|---|---|---|---|---|---|---|---|")
    found = []
    for one in growth(folder, sizes):
        found.append(one)
        print(
            f"| 10^{math.log10(one.entries):.0f} | {one.bytes / 1e6:,.0f} MB | {one.bytes / one.entries:.0f} "
            f"| {one.store:.0f} µs | {one.hit:.0f} µs | {one.bulk:.0f} µs | {one.miss:.0f} µs "
            f"| {one.stats / 1e6:.2f} s | {one.clear / 1e6:.2f} s |",
            flush=True,
        )
    page = page_read(folder)
    print(f"\na page of the disk that is not in memory: {page:.0f} µs\n")
    print("| entries | index | hit, index in memory | hit, index on disk |")
    print("|---|---|---|---|")
    exponent = round(math.log10(found[-1].entries))
    for entries in [10**power for power in range(exponent + 1, 10)]:
        used, warm, cold = reckoned(found, entries, page)
        print(f"| 10^{math.log10(entries):.0f} | {used / 1e9:,.0f} GB | {warm:.0f} µs | {cold:.0f} µs |")


# contention


class Store(NamedTuple):
    """How long a store takes, by measured samples in seconds, and how much of it goes on at the same time."""

    name: str
    look: list[float]
    write: list[float]
    lookers: int
    writers: int


class Counter:
    """A resource that serves so many at a time; the others wait in a row."""

    def __init__(self, places: int) -> None:
        self.free = places
        self.row: deque[Any] = deque()
        self.busy = 0.0


class Outcome(NamedTuple):
    items: float
    waits: list[float]
    busy: float


def simulate(store: Store, clients: int, think: float, misses: float, seconds: float) -> Outcome:
    """Let clients work on items for some time: look one up; where it is missing, compute it and store it.

    Processor time is each client's own; what they share is the store.
    """
    chance = random.Random(clients)
    look, write = Counter(store.lookers), Counter(store.writers)
    waits: list[float] = []
    done = 0
    now = 0.0

    def client() -> Iterator[tuple[Any, float]]:
        nonlocal done
        yield None, chance.random() * think
        while True:
            asked = now
            yield look, chance.choice(store.look)
            spent = now - asked
            yield None, chance.expovariate(1 / think)
            if chance.random() < misses:
                asked = now
                yield write, chance.choice(store.write)
                spent += now - asked
            waits.append(spent)
            done += 1

    events: list[tuple[float, int, Any]] = []
    order = itertools.count()

    def at(moment: float, what: Any) -> None:
        heapq.heappush(events, (moment, next(order), what))

    def step(one: Any) -> None:
        counter, taken = next(one)
        if counter is None:
            at(now + taken, (one, None))
        elif counter.free:
            serve(counter, one, taken)
        else:
            counter.row.append((one, taken))

    def serve(counter: Counter, one: Any, taken: float) -> None:
        counter.free -= 1
        counter.busy += taken
        at(now + taken, (one, counter))

    for _ in range(clients):
        step(client())
    while events and events[0][0] <= seconds:
        now, _, (one, counter) = heapq.heappop(events)
        if counter is not None:
            counter.free += 1
            if counter.row:
                serve(counter, *counter.row.popleft())
        step(one)
    busy = max(look.busy / store.lookers, write.busy / store.writers) / seconds
    return Outcome(done / seconds, waits or [0.0], min(busy, 1.0))


def samples(work: Callable[[int], Any], count: int) -> list[float]:
    taken = []
    for number in range(count):
        start = time.perf_counter()
        work(number)
        taken.append(time.perf_counter() - start)
    return taken


def usual(taken: list[float]) -> list[float]:
    """Leave out the slowest fiftieth: there the machine did something else."""
    return sorted(taken)[: len(taken) * 49 // 50]


def of_target(name: str, target: Any, count: int, lookers: int, writers: int) -> Store:
    write = samples(lambda number: target.put(key(number), VALUE, FACTS), count)
    look = samples(lambda number: target[key(number)], count)
    return Store(name, usual(look), usual(write), lookers, writers)


@contextlib.contextmanager
def postgres() -> Iterator[str | None]:
    """Start the server of the tests where its programs are; give its address, or None."""
    sys.path.insert(0, str(Path(__file__).parents[1]))
    if importlib.util.find_spec("psycopg") is None or importlib.util.find_spec("sqlalchemy") is None:
        yield None
        return
    from postgres import programs, server

    if programs() is None:
        yield None
        return
    with server() as started:
        yield started.url


def stores(folder: Path, count: int) -> Iterator[Store]:
    """Yield what is measured here, and a bucket by the figures that its providers publish."""
    cores = os.cpu_count() or 1
    with DiskTarget(folder / "contended") as disk:
        yield of_target("DiskTarget", disk, count, cores, 1)
    with DiskTarget(folder / "durable", durable=True) as disk:
        yield of_target("DiskTarget, durable", disk, min(count, 500), cores, 1)
    with postgres() as url:
        if url is not None:
            from flowly_ckpt.targets import SqlTarget

            with SqlTarget(url) as sql:
                yield of_target("SqlTarget, PostgreSQL on 2 cores", sql, count, cores, cores)
    chance = random.Random(0)
    get = [0.015 + chance.expovariate(1 / 0.010) for _ in range(1000)]
    put = [0.025 + chance.expovariate(1 / 0.020) for _ in range(1000)]
    # 5,500 look-ups and 3,500 writes a second for a prefix, at these latencies.
    yield Store("a bucket (published figures)", get, put, round(5500 * 0.025), round(3500 * 0.045))


def show_contention(folder: Path, quick: bool) -> None:
    seconds = 2.0 if quick else 20.0
    print("| store | look-up | store | " + " | ".join(f"{n:,} clients" for n in CLIENTS) + " |")
    print("|---|---|---|" + "---|" * len(CLIENTS))
    for store in stores(folder, 300 if quick else 2000):
        cells = []
        for clients in CLIENTS:
            found = simulate(store, clients, think=0.1, misses=0.5, seconds=seconds)
            late = sorted(found.waits)[int(len(found.waits) * 0.99)]
            cells.append(f"{found.items:,.0f}/s, {late * 1e3:,.1f} ms, {found.busy:.0%}")
        look, write = (f"{statistics.median(taken) * 1e3:.2f} ms" for taken in (store.look, store.write))
        print(f"| {store.name} | {look} | {write} | " + " | ".join(cells) + " |", flush=True)


FAR = 0.03  # seconds
CLIENTS = [2, 10, 30, 100, 300, 1000]


# the first hit of a second machine

SECOND = """
import json, sys, time
from flowly_ckpt.targets import DiskTarget, Layered, RemoteTarget, pickled
from flowly_ckpt.targets.disk.entries import ADD, New
folder, url, options, count = sys.argv[1], sys.argv[2], json.loads(sys.argv[3]), int(sys.argv[4])
from scale import key, samples
start = time.perf_counter()
target = Layered(DiskTarget(folder), RemoteTarget(url, **options))
target[key(0)]
first = time.perf_counter() - start
one = sorted(samples(lambda number: target[key(number + 1)], 50))[25]
start = time.perf_counter()
many = [key(number) for number in range(51, count)]
assert len(target.get_many(many)) == len(many)
bulk = (time.perf_counter() - start) / len(many)
again = sorted(samples(lambda number: target[key(number)], 50))[25]
print(json.dumps([first, one, bulk, again]))
"""


class Far(http.server.BaseHTTPRequestHandler):
    """As much of the S3 protocol as objects need, with answers that are some time on their way."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    objects: ClassVar[dict[str, bytes]] = {}

    def do_PUT(self) -> None:
        self.objects[self.path.partition("?")[0]] = self.rfile.read(int(self.headers["Content-Length"]))
        self.answer(200, b"")

    def do_GET(self) -> None:
        found = self.objects.get(self.path.partition("?")[0])
        self.answer(404 if found is None else 200, found or b"<Error><Code>NoSuchKey</Code></Error>")

    def answer(self, status: int, content: bytes) -> None:
        time.sleep(FAR)
        self.send_response_only(status)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)


def first_hit(folder: Path, count: int) -> None:
    """Measure what a second machine waits for its first hits, with a server on loopback that is far away."""
    if importlib.util.find_spec("s3fs") is None:
        print("the second machine's first hit is not measured: s3fs is not installed")
        return
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Far)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    settings = {"endpoint_url": f"http://127.0.0.1:{server.server_port}", "region_name": "us-east-1"}
    options = {"key": "testing", "secret": "testing", "client_kwargs": settings}
    first = Layered(DiskTarget(folder / "first machine"), RemoteTarget("s3://results/a", **options))
    first.put_many((key(number), VALUE, FACTS) for number in range(count))
    path = os.pathsep.join([str(Path(__file__).parent), *sys.path])
    arguments = [str(folder / "second machine"), "s3://results/a", json.dumps(options), str(count)]
    done = subprocess.run(
        [sys.executable, "-c", SECOND, *arguments], env={**os.environ, "PYTHONPATH": path}, text=True,
        stdout=subprocess.PIPE, check=True,
    )  # fmt: skip
    server.shutdown()
    server.server_close()
    first.close()
    names = ["the first, with all imports", "one more", f"each of {count - 51} in bulk", "again, from its own folder"]
    print(f"a request is {FAR * 1e3:.0f} ms on its way")
    for name, seconds in zip(names, json.loads(done.stdout)):
        print(f"second machine, {name}: {seconds * 1e3:.2f} ms")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--entries", type=int, default=0, help="how many entries at most (default 10⁶, quick 10⁴)")
    parser.add_argument("--part", choices=["growth", "contention", "first"], help="only one of them")
    options = parser.parse_args()
    most = options.entries or (10**4 if options.quick else 10**6)
    folder = Path(tempfile.mkdtemp())
    parts = {
        "growth": lambda: show_growth(folder, [10**power for power in range(4, 10) if 10**power <= most]),
        "contention": lambda: show_contention(folder, options.quick),
        "first": lambda: first_hit(folder, 200 if options.quick else 1000),
    }
    try:
        for name, show in parts.items():
            if options.part in (None, name):
                show()
                print()
    finally:
        shutil.rmtree(folder)


if __name__ == "__main__":
    main()
