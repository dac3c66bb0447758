"""Four processes that want the same results at once, from one store: how long until all of them have all.

Only this library computes each result once; the peers' processes compute it again where they do not see it in time.
"""

from __future__ import annotations

import random
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from fresh import ENVIRONMENT
from peers import ON_DISK, PLAIN, Remember
from row import Prepare, Row, Work

PROCESSES = 4
WAYS: dict[str, Remember] = {**ON_DISK, **PLAIN}
del WAYS["cachier"]  # its processes wait for each other without an end
del WAYS["Hamilton"]  # it takes ten seconds


def step(number: int) -> dict[str, int]:
    return {"number": sum(range(1000)) + number}


def child(who: str, folder: str, place: int, count: int) -> None:
    """Be ready, wait for the word, and get all results in an order of one's own."""
    call = WAYS[who](Path(folder))(step)
    call(-1)
    numbers = random.Random(place).sample(range(count), count)
    print("ready", flush=True)
    sys.stdin.readline()
    for number in numbers:
        call(number)
    print("done", flush=True)
    sys.stdin.readline()


def together(who: str, count: int) -> Prepare:
    def prepare(folder: Path) -> Work:
        WAYS[who](folder)(step)(-1)  # a store that is there
        code = "import sys, rows_sharing; rows_sharing.child(sys.argv[1], sys.argv[2], *map(int, sys.argv[3:]))"
        started = [
            subprocess.Popen([sys.executable, "-c", code, who, str(folder), str(place), str(count)], env=ENVIRONMENT,
                             stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
            for place in range(PROCESSES)
        ]  # fmt: skip

        def work(number: int) -> float:
            everybody(started, "ready")
            start = time.perf_counter()
            everybody(started, "done")
            return (time.perf_counter() - start) * 1000

        return work

    return prepare


def everybody(started: list[Any], word: str) -> None:
    """Give the word to all, once each of them has said theirs."""
    for process in started:
        if process.stdout.readline().strip() != word:
            raise RuntimeError("a process failed")
    for process in started:
        process.stdin.write("\n")
        process.stdin.flush()


def rows(quick: bool) -> list[Row]:
    count = 200 if quick else 2000
    works = {who: together(who, count) for who in WAYS}
    return [Row(f"{PROCESSES} processes, the same {count:,} results, cold", None, works, unit="ms")]
