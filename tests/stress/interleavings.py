"""Explore how processes that use one store interleave, and print a table: door, schedules, those that held.

python tests/stress/interleavings.py [--schedules 50] [--only TEXT] [--seed N [--trace]]

Each process stops before every call of the file system, of a lock, of SQLite and before every pause; one at a time goes
on, as a schedule says that is drawn from a number. Time is the schedule's own: it passes while all pause, and a little
with each step. So what did not hold comes again with ``--only`` its row and ``--seed`` its number.

Held: each value is right and computed once, and once more at most for each removal, death or slowness that a scenario
has; nothing is raised or warned of; afterwards the store verifies, finds all it has, collects nothing that nobody
has lost, and emptied holds what an emptied new one does.
"""

from __future__ import annotations

import argparse
import logging
import os
import random
import signal
import sys
import tempfile
import warnings
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from functools import cache, partial
from glob import glob
from pathlib import Path
from typing import Any, NamedTuple

from forked import Table, child, same
from stepped import TOLD, Actor, Schedule
from storms import DOORS, Door, bare, left, told, value_of

from flowly_ckpt.targets import FileTarget, RemoteTarget, as_target
from flowly_ckpt.targets.file_claims import Claims
from flowly_ckpt.targets.wrappers import Bounded, Expiring

MOST = 20_000  # steps of a schedule, after which it is taken never to end


# scenarios


def claimed(path: str) -> tuple[Callable[[int], Any], Any]:
    """Return what claims and looks whether another one holds the same, with little else to see; and an empty target."""
    claims = Claims(f"{path}/.made/.claims.lock", root=path)

    def call(number: int) -> Any:
        with claims.claim((f"{number}", "", "")):
            mine = f"{path}.tmp-{number}-{os.getpid()}"
            os.mkdir(mine)
            told(number)
            others = glob(f"{path}.tmp-{number}-*")
            alive = [one for one in others if one != mine and os.path.exists(f"/proc/{one.rpartition('-')[2]}")]
            os.rmdir(mine)
            assert not alive, f"{number} is claimed twice"
        return value_of(number)

    os.makedirs(path, exist_ok=True)
    return call, {}


ALL_DOORS = {
    "claims": Door(claimed, keeps=False),
    **DOORS,
    "recall, RemoteTarget, lease": Door(bare(lambda path: RemoteTarget(f"file://{path}", lease=600))),
    "recall, Bounded": Door(bare(lambda path: Bounded(FileTarget(path), 10**9))),
    "recall, Expiring": Door(bare(lambda path: Expiring(FileTarget(path), 3600))),
}


class Scenario(NamedTuple):
    """What each process does: ask for numbers, and things of other names.

    :param dies: the first is killed at some step; or as soon as it computes, before the others begin.
    :param slow: processes are so slow that others cannot wait for them; then a result may be computed by each.
    """

    programs: list[list[Any]]
    dies: str = ""
    slow: bool = False


LOSSES = ("clear", "delete", "evict")
SCENARIOS: dict[str, Scenario] = {
    "two ask": Scenario([[0, 1], [0, 1]]),
    "two ask crosswise, again": Scenario([[0, 1, 0], [1, 0, 1]]),
    "two ask for one, again": Scenario([[1] * 6, [1] * 6]),
    "three ask for one": Scenario([[1], [1], [1]]),
    "three ask for a large one": Scenario([[0], [0], [0]]),
    "one closes": Scenario([[0, "close", 1], [1, "close", 0, "close"]]),
    "one clears": Scenario([[0, 1], [1, 0, 1], ["clear"]]),
    "two clear": Scenario([[1, "clear", 0], [0, "clear", 1]]),
    "one deletes": Scenario([[0, 1], [1, 0, 1], ["delete", "delete"]]),
    "one collects": Scenario([[0, 1], [1, 0], ["gc", "gc"]]),
    "one evicts": Scenario([[0, 1], [1, 0], ["evict"]]),
    "one looks": Scenario([[0, 1], [1, "delete", 0], ["look", "look"]]),
    "one dies": Scenario([[0, 1], [1, 0], [0, 1]], dies="some time"),
    "one is dead": Scenario([[1], [1], [1]], dies="at once"),
    "slow ones": Scenario([[0, 1], [1, 0], [0, 1]], slow=True),
}


def perform(door: Door, path: str, program: list[Any]) -> str:
    """Do what one process does; return what it was warned of."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        call, target = door.open(path)
        for step in program:
            if type(step) is int:
                found = call(step)
                assert same(found, value_of(step)), f"{step}: {found!r:.200}"
            else:
                DONE[step](as_target(target))
        as_target(target).close()
    return "".join(f"{each.category.__name__}: {each.message}\n" for each in caught)


def look(target: Any) -> None:
    for entry in target.entries():
        again = target.entry(entry.key)
        assert again is None or again.key == entry.key
    assert (found := target.verify()) == [], found


def delete(target: Any) -> None:
    for key in list(target)[:1]:
        target.pop(key, None)


DONE: dict[str, Callable[[Any], object]] = {
    "clear": lambda target: target.clear_where(),
    "close": lambda target: target.close(),
    "gc": lambda target: target.gc(),
    "evict": lambda target: target.gc(max_bytes=0),
    "delete": delete,
    "look": look,
}


def afterwards(door: Door, path: str, numbers: set[int], is_whole: bool) -> None:
    """Hold a store to the laws when all have left it."""
    call, target = door.open(path)
    told.taken()
    for number in sorted(numbers):
        assert same(call(number), value_of(number)), f"{number} is wrong afterwards"
    faults = [*counted("afterwards", told.taken(), numbers, 0, 0 if is_whole else 1 << 20)]
    assert not faults, faults
    full = as_target(target)
    assert (found := full.verify()) == [], found
    found = full.gc(older_than=0)
    assert not (is_whole and found.files), found
    full.close()


def counted(when: str, found: Counter[int], numbers: set[int], least: int, most: int) -> Iterator[str]:
    for number in sorted(numbers):
        if not least <= found[number] <= most:
            yield f"{when} {number} was computed {found[number]} times, not {least} to {most}"


# trials


def trial(door: Door, scenario: Scenario, scratch: str, seed: str, matters: Counter[str], trace: bool) -> list[str]:
    """Run a scenario by one schedule; return what did not hold.

    :param matters: which steps matter, by their names; without, all go one after another, and it is filled.
    """
    path, told.path = f"{scratch}/store", f"{scratch}/told"
    Path(told.path).touch()
    chance = random.Random(seed)
    are_fine = bool(matters) and chance.random() < 0.3
    actors = [Actor(partial(perform, door, path, program), scratch, are_fine) for program in scenario.programs]
    schedule = Schedule(chance, actors, matters, scenario.slow)
    while any(actor.what for actor in actors):
        is_first = scenario.dies == "at once" and actors[0].what
        actor = schedule.next(actors[:1] if is_first else [actor for actor in actors if actor.what])
        if trace:
            print(f"{schedule.now:9.4f}  {actors.index(actor)}  {actor.what}")
        is_due = schedule.seen[TOLD] if is_first else schedule.place >= schedule.death
        if schedule.count > MOST or (scenario.dies and actor is actors[0] and is_due):
            actor.kill()
        else:
            actor.go(schedule.now)
    matters.update({} if matters else schedule.seen)
    if schedule.count > MOST:
        return ["it does not end"]
    return [*faults_of(actors, scenario), *verdict(door, scenario, path)]


def faults_of(actors: list[Actor], scenario: Scenario) -> Iterator[str]:
    for number, actor in enumerate(actors):
        if actor.code not in (0, -signal.SIGKILL) or (actor.said and not scenario.slow):
            yield f"process {number}: {actor.said or actor.code}"


def verdict(door: Door, scenario: Scenario, path: str) -> Iterator[str]:
    steps = Counter(step for program in scenario.programs for step in program)
    losses = sum(steps[name] for name in LOSSES)
    numbers = {step for step in steps if type(step) is int}
    with open(told.path) as file:
        computed = Counter(map(int, file))
    is_once = door.claims and door.keeps and not scenario.slow
    most = door.steps * (1 + losses + bool(scenario.dies)) if is_once else 1 << 20
    yield from counted("in all", computed, numbers, door.steps, most)
    is_whole = door.keeps and not losses and not scenario.dies and not scenario.slow
    code, said = child(partial(afterwards, door, path, numbers, is_whole))
    if code:
        yield said or f"afterwards: exit {code}"
    elif door.lists:
        yield from (f"left behind: {name}" for name in sorted(left(door, path) - left_by_one(door)))


@cache
def left_by_one(door: Door) -> set[str]:
    """Return what an emptied store still has when all was well."""
    with tempfile.TemporaryDirectory() as scratch:
        told.path = f"{scratch}/told"
        perform(door, f"{scratch}/store", [0, 1])  # and import here what forked processes need not then
        return left(door, f"{scratch}/store")


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("--schedules", type=int, default=50, help="of each scenario at each door")
    parser.add_argument("--quick", action="store_true", help="two of each, and a row for each door")
    parser.add_argument("--full", action="store_true", help="a thousand of each")
    parser.add_argument("--only", default="", help="a part of 'door: scenario'")
    parser.add_argument("--seed", type=int, help="only this one")
    parser.add_argument("--start", type=int, default=0, help="the first of several")
    parser.add_argument("--trace", action="store_true", help="print the steps")
    options = parser.parse_args()
    logging.disable()
    count = 2 if options.quick else 1000 if options.full else options.schedules
    seeds = range(options.start, options.start + count) if options.seed is None else [options.seed]
    table = Table()
    print(f"{'door: scenario':<62} {'tried':>6} {'held':>6}")
    for name, door in ALL_DOORS.items():
        rows = {f"{name}: {title}": scenario for title, scenario in SCENARIOS.items()}
        chosen = {row: scenario for row, scenario in rows.items() if options.only in row}
        if chosen:
            left_by_one(door)
        faults = {row: [*explored(row, door, chosen[row], seeds, options.trace)] for row in chosen}
        for row in () if options.quick else chosen:
            table.row(row, len(seeds), faults[row])
        if options.quick:
            table.row(name, len(seeds) * len(chosen), [fault for row in chosen for fault in faults[row]])
    return int(table.failed > 0)


def explored(row: str, door: Door, scenario: Scenario, seeds: Iterable[int], trace: bool) -> Iterator[str]:
    matters: Counter[str] = Counter()
    for seed in sorted({0, *seeds}):
        with tempfile.TemporaryDirectory() as scratch:
            found = trial(door, scenario, scratch, f"{seed} {row}", matters, trace and seed in seeds)
        if found:
            yield f"--only '{row}' --seed {seed}\n" + "\n".join(found)


if __name__ == "__main__":
    sys.exit(main())
