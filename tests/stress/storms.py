"""Storm every door, and print a table: door, attacks, those that held.

python tests/stress/storms.py [--seconds 3] [--only TEXT] [--seed N]

Three processes of three threads use one store. In a calm, each value is computed once, whoever asks for it. Then,
for some seconds, processes are killed, and entries cleared, evicted and damaged; each value that is handed out is
right, nothing is computed oftener than something was lost, and a process that lives through it all ends with the
descriptors and threads that it began with, and with hardly more memory. In the calm after it everything is computed
once at most, then never; what is stored verifies, and an emptied store holds what an emptied new one does.
"""

from __future__ import annotations

import argparse
import gc
import os
import random
import re
import signal
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from forked import Table, child, ended, same, started

from flowly_ckpt import add_checkpoints, apply, chained, checkpoint, ignore_globals, memo
from flowly_ckpt.calls import LocalStorageCheckpoint, TargetCheckpoint
from flowly_ckpt.errors import StoreError
from flowly_ckpt.recipes import CacheTarget, Recipe
from flowly_ckpt.resume import Checkpoint, state
from flowly_ckpt.resume.storing import folder_of_states
from flowly_ckpt.targets import (
    DiskTarget,
    FileTarget,
    Layered,
    RemoteTarget,
    Signed,
    Snapshots,
    SqlTarget,
    as_target,
    tree,
)
from flowly_ckpt.targets.recall import recall
from flowly_ckpt.tasks import task
from flowly_ckpt.tasks.stores import Results
from flowly_ckpt.typing import Target

NUMBERS = range(30)
ITEMS = 8  # of a loop that is resumed
THREADS = 3
PROCESSES = 3
MEMORY = 64 << 20
Call = Callable[[int], Any]


class Told:
    """Write down each computation, whichever process makes it; to a hash it is nothing."""

    path = ""

    @ignore_globals("os")
    def __call__(self, number: int) -> None:
        descriptor = os.open(self.path, os.O_WRONLY | os.O_APPEND | os.O_CREAT)
        try:
            os.write(descriptor, b"%d\n" % number)
        finally:
            os.close(descriptor)

    def taken(self) -> Counter[int]:
        """Return how often each number was computed since it was asked last."""
        try:
            with open(self.path) as file:
                return Counter(map(int, file))
        finally:
            Path(self.path).write_bytes(b"")

    def __flowly_hash__(self) -> str:
        return "told"


told = Told()


def value_of(number: int) -> Any:
    """Return a value of its own for each number: a small one, or an array for a file of its own."""
    return np.full(9_000, number) if number % 3 == 0 else {"a": [number, 1.5], "b": str(number)}


def work(number: int) -> Any:
    told(number)
    return value_of(number)


def begin(number: int) -> Any:
    told(number)
    return number


# doors


class Door(NamedTuple):
    """How a store is opened: what gives a number's value, and the target that keeps it.

    :param steps: how often a number is told when its value is made.
    :param claims: whether those who want one value wait for the one who makes it.
    :param keeps: whether everything stays that was stored.
    :param lists: whether the target lists, and clears, all there is; tasks leave alone a file that has been changed.
    :param heals: whether damage is healed; that of a database is its own affair.
    """

    open: Callable[[str], tuple[Call, Target]]
    steps: int = 1
    claims: bool = True
    keeps: bool = True
    lists: bool = True
    heals: bool = True


def bare(make: Callable[[str], Target]) -> Callable[[str], tuple[Call, Target]]:
    def opened(path: str) -> tuple[Call, Target]:
        target = make(path)
        return lambda number: recall(target, (f"{number:x}", "t", "f"), partial(work, number)), target

    return opened


def sql(path: str) -> Target:
    os.makedirs(path, exist_ok=True)
    return SqlTarget(f"sqlite:///{path}/rows.db")


def pipeline(path: str) -> tuple[Call, Target]:
    target = DiskTarget(path)
    steps = chained(begin, checkpoint(target, "begun"), value_of, checkpoint(target, "made"))
    return lambda number: apply(steps, number, [add_checkpoints]), target


def remembered(path: str) -> tuple[Call, Target]:
    target = DiskTarget(path)
    return memo(target)(work), target


def called(make: Callable[[str], Any]) -> Callable[[str], tuple[Call, Target]]:
    def opened(path: str) -> tuple[Call, Target]:
        kept = make(path)
        return lambda number: kept.load_or_run(work, number, number), kept.target

    return opened


def tasks_in_files(path: str) -> tuple[Call, Target]:
    return loading(task(target=f"{path}/{{number}}.pkl")(work)), Results(path)


def tasks_in_a_target(path: str) -> tuple[Call, Target]:
    target = DiskTarget(path)
    return loading(task(target="{number}", store=target)(work)), target


def loading(made: Any) -> Call:
    """Load what a task has kept; as it is a handle, what it names may go away or be damaged before it is read."""

    def call(number: int) -> Any:
        for _ in range(100):
            store = made(number)
            try:
                return store.load()
            except LookupError:
                continue
            except FileNotFoundError:
                continue
            except StoreError:
                store.remove()  # as it says
        raise AssertionError(f"{number} is never there")

    return call


def recipes_in(target_of: Callable[[str], Any]) -> Callable[[str], tuple[Call, Target]]:
    def opened(path: str) -> tuple[Call, Target]:
        target = target_of(path)

        def call(number: int) -> Any:
            begun = Recipe(partial(begin, number), name=f"begin-{number}", target=target)
            return Recipe(value_of, [begun], name=f"made-{number}", target=target).brew()

        return call, target

    return opened


def loop(path: str) -> tuple[Call, Target]:
    def call(number: int) -> Any:
        kept = Checkpoint(f"{number}", folder=path, rate=0)
        total = 0
        kept.restore()
        for item in kept.over(range(ITEMS)):
            told(number)
            total += item
        return (total, value_of(number))[1] if total == sum(range(ITEMS)) else total

    return call, folder_of_states(path, None, ".pzip")


def state_of_loop(path: str) -> tuple[Call, Target]:
    target = DiskTarget(path)

    def call(number: int) -> Any:
        kept = state(Checkpoint(f"{number}", target=target, rate=0), total=0)
        for item in kept.over(range(ITEMS)):
            told(number)
            kept.total += item
        return value_of(number) if kept.total == sum(range(ITEMS)) else kept.total

    return call, target


DOORS: dict[str, Door] = {
    "recall, DiskTarget": Door(bare(DiskTarget)),
    "recall, DiskTarget, files, tree": Door(bare(lambda path: DiskTarget(path, codec=tree, inline_bytes=0))),
    "recall, DiskTarget, bounded": Door(bare(lambda path: DiskTarget(path, max_bytes=300_000)), keeps=False),
    "recall, FileTarget": Door(bare(FileTarget)),
    "recall, FileTarget, tree": Door(bare(lambda path: FileTarget(path, codec=tree))),
    "recall, SqlTarget": Door(bare(sql), heals=False),
    "recall, RemoteTarget": Door(bare(lambda path: RemoteTarget(f"file://{path}")), claims=False),
    "recall, RemoteTarget, lease": Door(bare(lambda path: RemoteTarget(f"file://{path}", lease=1.0))),
    "recall, Layered": Door(bare(lambda path: Layered(Snapshots({}), DiskTarget(path)))),
    "recall, Signed": Door(bare(lambda path: Signed(DiskTarget(path), b"a secret of 16 b"))),
    "pipeline, DiskTarget": Door(pipeline),
    "memo, DiskTarget": Door(remembered),
    "calls, files": Door(called(lambda path: LocalStorageCheckpoint("storm", path))),
    "calls, DiskTarget": Door(called(lambda path: TargetCheckpoint("storm", DiskTarget(path)))),
    "tasks, files": Door(tasks_in_files, lists=False),
    "tasks, DiskTarget": Door(tasks_in_a_target),
    "recipes, folder": Door(recipes_in(CacheTarget)),
    "recipes, DiskTarget": Door(recipes_in(DiskTarget)),
    "resume, files": Door(loop, ITEMS, claims=False),
    "resume, DiskTarget": Door(state_of_loop, ITEMS, claims=False),
}


# what is done to a store


def clear(target: Any, path: str, chance: random.Random) -> None:
    target = as_target(target)
    chosen = chance.sample([entry.key[0] for entry in target.entries()] or [""], 1)
    target.clear_where(**({} if chance.random() < 0.2 else {"object": chosen}))


def evict(target: Any, path: str, chance: random.Random) -> None:
    as_target(target).gc(max_bytes=chance.choice([0, 10_000, 200_000]))


def look(target: Any, path: str, chance: random.Random) -> None:
    target = as_target(target)
    for entry in target.entries():
        again = target.entry(entry.key)
        assert again is None or again.key == entry.key
    target.verify(repair=chance.random() < 0.5)
    target.stats()


def damage(target: Any, path: str, chance: random.Random) -> None:
    """Change a file: an index and its log in place, as a disk does; of others, which are mapped, a copy."""
    files = [each for each in files_below(path) if not LEFT_ALONE.search(each)]
    if not files:
        return
    place = Path(chance.choice(files))
    try:
        data = bytearray(place.read_bytes())
    except FileNotFoundError:
        return
    at = chance.randrange(len(data) or 1)
    match chance.randrange(5):
        case 0:
            data[at:] = b""
        case 1:
            data[at : at + 8] = b"\0" * len(data[at : at + 8])
        case 2:
            place.unlink(missing_ok=True)
            return
        case _:
            data[at : at + 1] = bytes(each ^ 1 << chance.randrange(8) for each in data[at : at + 1])
    if SQLITE.search(place.name):
        with place.open("r+b") as file:
            file.write(data)
            file.truncate()
        return
    copy = Path(f"{path}.{os.getpid()}")
    copy.write_bytes(data)
    copy.replace(place)


ATTACKS = [clear, clear, evict, look, damage, damage]
# What SQLite maps, and what others hold; and what says that a file is ours, without which any content of it counts.
LEFT_ALONE = re.compile(r"-shm$|claims|\.lock|/\.made/")
SQLITE = re.compile(r"\.(sqlite|db)(-wal)?$")


def files_below(path: str) -> list[str]:
    return sorted(os.path.join(place, name) for place, _, names in os.walk(path) for name in names)


# storms


def shared_out(door: Door, call: Call, mine: int) -> None:
    """Ask for every number, in threads; of a door without claims, for this process's own alone."""

    def ask(thread: int) -> None:
        chance, own = random.Random(), thread + THREADS * mine
        numbers = [n for n in NUMBERS if door.claims or n % (THREADS * PROCESSES) == own]
        chance.shuffle(numbers)
        for number in numbers:
            found = call(number)
            assert same(found, value_of(number)), f"{number}: {found!r:.200}"

    in_threads(ask)


def in_threads(ask: Callable[[int], None]) -> None:
    faults: list[BaseException] = []

    def guarded(thread: int) -> None:
        try:
            ask(thread)
        except BaseException as error:  # noqa: BLE001  raised again below
            faults.append(error)

    threads = [threading.Thread(target=guarded, args=(number,)) for number in range(THREADS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if faults:
        raise faults[0]


def calm(door: Door, path: str) -> Iterator[str]:
    """Yield what does not hold while nothing is lost."""

    def use(mine: int) -> None:
        call, target = door.open(path)
        shared_out(door, call, mine)
        as_target(target).close()

    running = [started(partial(use, mine)) for mine in range(PROCESSES)]
    for each in running:
        code, said = ended(*each)
        if code:
            yield f"calm: {said or f'exit {code}'}"


def storm(door: Door, path: str, seconds: float, chance: random.Random) -> tuple[int, list[str]]:
    """Use a store while it is attacked; return how many attacks there were, and what did not hold."""
    stop = f"{path}.stop"

    def use() -> None:
        call, target = door.open(path)
        own = random.Random()

        def ask(thread: int) -> None:
            while not os.path.exists(stop):
                number = own.choice(NUMBERS)
                found = call(number)
                assert same(found, value_of(number)), f"{number}: {found!r:.200}"

        in_threads(ask)
        as_target(target).close()

    def live_through() -> None:
        call, target = door.open(path)
        for number in NUMBERS:
            call(number)
        as_target(target).close()
        gc.collect()
        before = held()
        use()
        del call, target
        gc.collect()
        after = held()
        assert after[0] <= before[0], f"descriptors: {before[0]}, then {after[0]}"
        assert after[1] <= before[1], f"threads: {before[1]}, then {after[1]}"
        assert after[2] <= before[2] + MEMORY, f"bytes: {before[2]}, then {after[2]}"

    def attack(how: Callable[..., None], seed: int) -> None:
        _, target = door.open(path)
        how(target, path, random.Random(seed))
        as_target(target).close()

    limit = int(seconds) + 60
    survivor, mortals, faults, attacks = started(live_through, limit), {}, [], 0
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        while len(mortals) < PROCESSES - 1:
            pid, pipe = started(use, limit)
            mortals[pid] = pipe
        time.sleep(chance.uniform(0, 0.06))
        attacks += 1
        if chance.random() < 0.3:
            pid = chance.choice(sorted(mortals))
            os.kill(pid, signal.SIGKILL)
            code, said = ended(pid, mortals.pop(pid))
        else:
            pid, pipe = started(
                partial(attack, chance.choice(ATTACKS[: None if door.heals else -2]), chance.getrandbits(32)), limit
            )
            if chance.random() < 0.1:
                time.sleep(chance.uniform(0, 0.02))
                os.kill(pid, signal.SIGKILL)
            code, said = ended(pid, pipe)
        if code not in (0, -signal.SIGKILL):
            faults.append(said or f"exit {code}")
    Path(stop).touch()
    for pid, pipe in [survivor, *mortals.items()]:
        code, said = ended(pid, pipe)
        faults += [said or f"exit {code}"] if code else []
    os.unlink(stop)
    return attacks, faults


def held() -> tuple[int, int, int]:
    with open("/proc/self/statm") as file:
        size = int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    return len(os.listdir("/proc/self/fd")), threading.active_count(), size


def counted(when: str, found: Counter[int], least: int, most: int) -> Iterator[str]:
    for number in NUMBERS:
        if not least <= found[number] <= most:
            yield f"{when}: {number} computed {found[number]} times, not {least} to {most}"


def checked(door: Door, path: str) -> Iterator[str]:
    """Yield what does not hold after a storm."""

    def repair() -> None:
        _, target = door.open(path)
        as_target(target).verify(repair=True)
        as_target(target).close()

    def verify() -> None:
        _, target = door.open(path)
        found = as_target(target).verify()
        assert found == [], found
        entries = len(list(as_target(target).entries()))
        assert entries >= len(NUMBERS) or not (door.keeps and door.lists), f"{entries} entries"
        as_target(target).close()

    for work in (repair, verify):
        if work is verify:
            yield from calm(door, path)
            if door.keeps:
                yield from counted("after the storm", told.taken(), 0, door.steps)
                yield from calm(door, path)
                yield from counted("when all is there", told.taken(), 0, 0)
        code, said = child(work)
        if code:
            yield said or f"{work.__name__}: exit {code}"


def left(door: Door, path: str) -> set[str]:
    """Empty a store, and return the files that it still has."""

    def empty() -> None:
        _, target = door.open(path)
        as_target(target).clear_where()
        as_target(target).gc(older_than=0)
        as_target(target).close()

    code, said = child(empty)
    if code:
        return {said}
    return {re.sub(r"index(-\d+)?\.sqlite", "index.sqlite", os.path.relpath(each, path)) for each in files_below(path)}


def trial(door: Door, scratch: str, seconds: float, chance: random.Random) -> tuple[int, list[str]]:
    path, other = f"{scratch}/store", f"{scratch}/other"
    told.path = f"{scratch}/told"
    door.open(other)  # what it imports, forked processes need not
    faults = [*calm(door, path)]
    faults += counted("in the calm", told.taken(), door.steps, door.steps if door.keeps else 1 << 20)
    attacks, found = storm(door, path, seconds, chance)
    faults += found
    if door.claims and door.keeps:
        faults += counted("in the storm", told.taken(), 0, attacks)
    told.taken()
    faults += checked(door, path)
    faults += calm(door, other)
    if door.lists:
        faults += [f"left behind: {name}" for name in sorted(left(door, path) - left(door, other))]
    return attacks, faults


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("--seconds", type=float, default=3)
    parser.add_argument("--quick", action="store_true", help="as without it")
    parser.add_argument("--full", action="store_true", help="a minute for each door")
    parser.add_argument("--only", default="")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    table = Table()
    print(f"{'door':<62} {'tried':>6} {'held':>6}")
    for name, door in DOORS.items():
        if options.only in name:
            with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as scratch:
                chance = random.Random(f"{options.seed} {name}")
                table.row(name, *trial(door, scratch, 60 if options.full else options.seconds, chance))
    return int(table.failed > 0)


if __name__ == "__main__":
    sys.exit(main())
