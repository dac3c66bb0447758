"""What a hit and a miss may cost: looks at the target, statements of SQL, Python calls."""

from __future__ import annotations

import collections
import sys
from functools import partial

import pytest
from toolz import curried

from flowly_ckpt import add_checkpoints, apply, chained, checkpoint, ignore_globals, with_checkpoint
from flowly_ckpt.checkpoint import clear_stale
from flowly_ckpt.pipelines import each
from flowly_ckpt.targets import DiskTarget, Snapshots
from flowly_ckpt.targets.wrappers import Wrapper
from flowly_ckpt.typing import Facts

run = partial(apply, rewrites=[add_checkpoints])
FACTOR = 2


def scaled(x):
    return x + FACTOR


def doubled(x):
    return [x] * 2


@pytest.fixture
def disk(tmp_path):
    with DiskTarget(tmp_path / "store") as target:
        yield target


class Counting(Wrapper):
    """Count the looks at each key."""

    def __init__(self, target):
        super().__init__(target)
        self.looks = collections.Counter()

    def __getitem__(self, key):
        self.looks[key] += 1
        return super().__getitem__(key)


def calls_of(work):
    """Return how many Python functions a piece of work calls, apart from comprehensions."""
    count = 0

    def profile(frame, event, argument):
        nonlocal count
        count += event == "call" and not frame.f_code.co_name.endswith("comp>")

    sys.setprofile(profile)
    try:
        work()
    finally:
        sys.setprofile(None)
    return count


def test_a_hit_looks_once_and_a_miss_twice(disk):
    for target, most in ((Counting(disk), 2), (Counting({}), 1)):
        pipeline = chained(scaled, checkpoint(target), doubled, checkpoint(target, tag="second"))
        run(pipeline, 1)
        assert set(target.looks.values()) == {most}
        target.looks.clear()
        run(pipeline, 1)
        assert list(target.looks.values()) == [1]


STATEMENTS = []
ASKED = []


@ignore_globals("STATEMENTS", "ASKED")
def measured(x):
    ASKED.append(len(STATEMENTS))
    return x


def test_a_missing_checkpoint_costs_two_statements_before_it_is_computed(disk):
    pipeline = chained(measured, checkpoint(disk), measured, checkpoint(disk, tag="second"))
    run(pipeline, 0)
    for connection in disk._entries.index._all:
        connection.set_trace_callback(STATEMENTS.append)
    ASKED.clear()
    run(pipeline, 1)
    first, second = ASKED
    assert first == 3, "one look for each checkpoint, and one more under the claim of the first"
    assert second - first == 2, "one to store the first, one more look for the second"
    STATEMENTS.clear()
    run(pipeline, 1)
    assert len(STATEMENTS) == 1


@pytest.mark.parametrize("wrap", [lambda target: target, Snapshots])
def test_taking_some_entry_out_costs_the_same_however_many_there_are(disk, wrap):
    costs = []
    for count in (50, 3000):
        disk.put_many([((str(n), "tag", "f"), n, Facts(0.0)) for n in range(count)])
        wrap(disk).popitem()
        costs.append(calls_of(wrap(disk).popitem))
    assert costs[1] <= costs[0] + 5


def test_looking_for_many_goes_through_the_index(disk):
    disk["0a", "tag", "1b"] = 1
    seen = []
    for connection in disk._entries.index._all:
        connection.set_trace_callback(seen.append)
    keys = [(f"{number}", "tag", "1b") for number in range(3)]
    assert disk.get_many([*keys, ("0a", "tag", "1b")]) == {("0a", "tag", "1b"): 1}
    (asked,) = seen
    plan = [row[-1] for row in disk._entries.index.rows(f"explain query plan {asked}")]
    assert not [step for step in plan if step.startswith("SCAN entries")]


def test_a_warm_hit_and_a_warm_miss_call_few_functions(disk):
    pipeline = chained(scaled, doubled, checkpoint(disk, tag="rows"), str)
    for x in (1, 1, 2, 2):
        run(pipeline, x)
    assert calls_of(lambda: run(pipeline, 1)) <= 58
    assert calls_of(lambda: run(pipeline, 3)) <= 155, "what it was made from is noted, and the steps are hashed again"


class Rate:
    def __init__(self, of):
        self.of = of


RATE = Rate(1.5)


def priced(x):
    return x * RATE.of


@pytest.mark.parametrize(("in_memory", "hit", "miss"), [(True, 35, 100), (False, 45, 144)])
def test_each_item_of_a_lazy_map_calls_few_functions(disk, in_memory, hit, miss):
    mapped = add_checkpoints(curried.map(chained(scaled, priced, checkpoint({} if in_memory else disk))))
    list(mapped(range(10)))
    assert calls_of(lambda: list(mapped(range(10)))) <= 10 * hit, "an object of atoms is looked at, not encoded"
    assert calls_of(lambda: list(mapped(range(20, 30)))) <= 10 * miss


def test_a_hit_at_the_end_of_a_chain_costs_the_same_however_long_it_is():
    def cost(count):
        target = {}
        kept = add_checkpoints(chained(*[part for _ in range(count) for part in (scaled, checkpoint(target))]))
        for _ in range(3):
            kept(1)
        return calls_of(lambda: kept(1))

    assert cost(80) == cost(5)


def test_items_in_a_row_call_few_functions_each():
    pipeline = add_checkpoints(each(chained(scaled, doubled, checkpoint({}))))
    pipeline(range(10))
    assert calls_of(lambda: pipeline(range(10, 210))) <= 115 * 200
    assert calls_of(lambda: pipeline(range(10, 210))) <= 48 * 200


@pytest.mark.parametrize("earlier", [0, 4])
def test_a_hit_asks_its_input_once_what_it_is(earlier):
    asked = []

    class Rows:
        @ignore_globals("asked")
        def __flowly_hash__(self):
            asked.append(self)
            return "rows"

    keep, rows = with_checkpoint(checkpoint({}), str), Rows()
    for x in (*range(earlier), rows):
        keep(x)
    asked.clear()
    keep(rows)
    assert asked == [rows]


def test_finding_what_is_stale_costs_the_same_for_each_checkpoint():
    def cost(count):
        target = {}
        pipeline = chained(*[part for n in range(count) for part in (scaled, checkpoint(target, tag=f"at {n}"))])
        return calls_of(lambda: clear_stale(target, pipeline))

    assert cost(160) < 2.5 * cost(80)
