"""Law 8, engines agree: in turn, in threads, in processes, on dask; and what an engine of one's own needs."""

from __future__ import annotations

import warnings
import weakref
from concurrent.futures import ProcessPoolExecutor
from contextlib import closing, suppress
from functools import partial

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from laws import pipelines, realised, sequences
from runs import library, needs_processes, needs_threads

from flowly_ckpt import UnhashableError, add_checkpoints, apply, chained, checkpoint, drop_checkpoints, ignore_globals
from flowly_ckpt.checkpoint.bulk import each
from flowly_ckpt.engines import local, pool, threads
from flowly_ckpt.errors import MutationWarning
from flowly_ckpt.lowering import Parallel, per_partition
from flowly_ckpt.lowering.itemwise import mapped_by
from flowly_ckpt.passes import observe
from flowly_ckpt.pipelines import aggregate, children, groupby, kv_valmap, reduction, seq
from flowly_ckpt.plan import plan
from flowly_ckpt.targets import DiskTarget

dask = library("dask")
TARGET: dict = {}
numbers = st.integers(-5, 5)
lists = st.lists(numbers, max_size=8)


class InTurn(Parallel):
    """Three parts, one after the other: the table alone, and no more than an engine must have."""

    width = 3

    def over(self, function, parts):
        return [function(part) for part in parts]


def on_dask(transform, obj):
    from flowly_ckpt.dsk import dask

    return dask(transform, obj, npartitions=3, scheduler="sync")


ENGINES = {"in turn": InTurn(), "threads": threads(2), "dask": on_dask}
needs = {"in turn": (), "threads": needs_threads, "dask": pytest.mark.skipif(not dask, reason="needs dask")}
every_engine = pytest.mark.parametrize(
    "engine", [pytest.param(engine, id=name, marks=needs[name]) for name, engine in ENGINES.items()]
)
inputs = st.one_of(st.tuples(pipelines(TARGET), numbers), st.tuples(sequences(TARGET), lists))


def refused(engine, target, pipeline, obj, place):
    """Return what is said about an iterator at a checkpoint that another follows, with early cutoff; None else."""
    target.clear()
    try:
        realised(apply(pipeline, obj, [place], engine=engine))
    except UnhashableError as error:
        return str(error).partition(": ")[2], error.__notes__, dict(target)
    return None


def agree(engine, target, pipeline, obj, place=add_checkpoints):
    """Run on an engine and here, each after the other, each from nothing; everything must be the same."""
    expected = realised(drop_checkpoints(pipeline)(obj))
    refusal = refused(local, target, pipeline, obj, place)
    if refusal is not None:
        assert refused(engine, target, pipeline, obj, place) == refusal
        return
    entries = []
    for first, second in ((local, engine), (engine, local)):
        target.clear()
        assert realised(apply(pipeline, obj, [place], engine=first)) == expected
        stored = dict(target)
        assert realised(apply(pipeline, obj, [place], engine=second)) == expected
        assert dict(target) == stored, "the second engine finds what the first stored, and nothing is missing"
        entries.append(stored)
    assert entries[0] == entries[1]


@every_engine
@given(case=inputs, place=st.sampled_from([add_checkpoints, partial(add_checkpoints, early_cutoff=True)]))
@settings(max_examples=60)
def test_8_engines_agree_and_find_the_entries_of_each_other(engine, case, place):
    agree(engine, TARGET, *case, place)


@every_engine
def test_thousands_of_checkpoints_are_no_matter_of_depth(engine):
    target = {}
    pipeline = chained(*[step for n in range(1500) for step in (abs, checkpoint(target, str(n)))], noted)
    for _ in range(2):
        assert apply(pipeline, -1, [add_checkpoints], engine=engine) == -1
    assert len(target) == 1500


@pytest.fixture(scope="module")
def shared(tmp_path_factory):
    with closing(DiskTarget(tmp_path_factory.mktemp("engines") / "results")) as target:
        yield target


@pytest.fixture(scope="module")
def in_processes():
    with ProcessPoolExecutor(2) as executor:
        yield pool(executor)


@needs_processes
@given(data=st.data())
@settings(max_examples=15)
def test_8_processes_agree(shared, in_processes, data):
    agree(in_processes, shared, *data.draw(st.tuples(sequences(shared), lists)))


RAN: list = []


@ignore_globals("RAN")
def noted(n):
    RAN.append(n)
    return -n


@every_engine
def test_what_is_stored_is_neither_run_nor_divided(engine):
    """A second run finds each item: the engine is given nothing to do."""
    target = {}
    RAN.clear()
    pipeline = chained(partial(map, chained(noted, checkpoint(target))), list, checkpoint(target, "all"), sum)
    assert apply(pipeline, range(10), [add_checkpoints], engine=engine) == -45
    assert sorted(RAN) == list(range(10))
    RAN.clear()
    assert apply(pipeline, range(10), [add_checkpoints], engine=engine) == -45
    del target[next(key for key in target if key[1] == "all")]
    assert apply(pipeline, range(12), [add_checkpoints], engine=engine) == -66
    assert sorted(RAN) == [10, 11], "items that are known are restored, the others computed"
    assert "restore" in str(apply(pipeline, range(12), [add_checkpoints], engine=plan))


FINISHED = set()  # in this process


@ignore_globals("FINISHED")
def tenth(n):
    FINISHED.add(10 // n)
    return 10 // n


@every_engine
def test_an_error_is_the_steps_own_and_what_was_finished_stays(engine):
    target = {}
    FINISHED.clear()
    pipeline = chained(partial(map, chained(tenth, checkpoint(target))), list)
    with pytest.raises(ZeroDivisionError) as caught:
        apply(pipeline, [1, 2, 0], [add_checkpoints], engine=engine)
    assert "in step 1 of 1, tenth, of chained(tenth)" in caught.value.__notes__
    stored = set(target.values())
    assert stored <= {10, 5}
    assert FINISHED <= stored or engine is on_dask, "what had not begun when another part failed need not be done"


@every_engine
@pytest.mark.parametrize("empty", [[], (), iter(()), {}], ids=["list", "tuple", "iterator", "dict"])
def test_nothing_is_a_sequence_too(engine, empty):
    items = list(empty)
    assert apply(chained(partial(map, abs), list), items, engine=engine) == []
    assert apply(reduction(len, sum), items, engine=engine) == 0
    assert apply(groupby(abs), items, engine=engine) == []
    with pytest.raises(ValueError, match=r"empty|iterable argument"):
        apply(reduction(max), items, engine=engine)


@every_engine
def test_parts_that_a_filter_leaves_empty_do_not_count(engine):
    pipeline = chained(partial(filter, lambda n: n > 10), reduction(max))
    assert apply(pipeline, [*range(10), 11, 12], engine=engine) == 12


@every_engine
def test_a_function_that_takes_any_part_is_marked(engine):
    def running(rows):
        for row in rows:
            yield 2 * row

    assert apply(chained(per_partition(running), sum), range(10), engine=engine) == 90
    assert apply(per_partition(running), range(3)) == [0, 2, 4]


@every_engine
def test_what_is_not_known_to_the_table_gets_the_whole(engine):
    """Applied to each part, these would give something else."""
    for function in (sorted, sum, list.copy, lambda rows: [len(list(rows))]):
        given = [3, 1, 2, 5, 4]
        assert apply(chained(list, function), given, engine=engine) == function(given)
    assert apply(chained(partial(map, abs), sorted), [-3, 1, -2], engine=engine) == [1, 2, 3]


@every_engine
def test_an_iterator_is_read_once(engine):
    numbers = iter([1, 2, 3])
    assert apply(seq(list, list), numbers, engine=engine) == [[1, 2, 3], []], "as it is here"
    assert apply(aggregate(n=len, total=sum), iter([1, 2, 3]), engine=engine) == {"n": 3, "total": 6}


@every_engine
def test_an_endless_iterator_is_refused(engine):
    from itertools import count

    with pytest.raises(TypeError, match=r"never ends; cut it with itertools\.islice first"):
        apply(partial(map, abs), count(), engine=engine)


def test_an_engine_says_what_it_lacks():
    with pytest.raises(NotImplementedError, match=r"Parallel: define over\(function, parts\)"):
        Parallel()(kv_valmap(abs), [("a", 1)])


STATE = 0


def moves(n):
    global STATE
    STATE += 1
    return n, STATE


def reads(pair):
    return pair, STATE


def stays(n):
    return [n]


@pytest.mark.parametrize("before", [(), (2, 3)], ids=["nothing stored", "some stored"])
@pytest.mark.parametrize("steps", [(moves,), (moves, reads), (reads, moves), (stays, moves, reads), (stays, stays)])
def test_an_item_is_filed_under_what_its_steps_read_when_it_was_its_turn(monkeypatch, before, steps):
    """``each(s, xs) == [s(x) for x in xs]``, with the same entries, whatever the steps change."""
    monkeypatch.setitem(globals(), "STATE", 0)
    entries, results = [], []
    for run in (lambda s, xs: [s(x) for x in xs], each):
        target = {}
        wrapper = add_checkpoints(chained(*(part for step in steps for part in (step, checkpoint(target)))))
        with warnings.catch_warnings(action="ignore", category=MutationWarning):
            for items in (before, [1, 2, 3, 1]):
                monkeypatch.setitem(globals(), "STATE", 0)
                if items is before:
                    wrapped = wrapper if len(steps) == 1 else add_checkpoints(chained(steps[0], checkpoint(target)))
                    [monkeypatch.setitem(globals(), "STATE", 0) or wrapped(item) for item in items]
                else:
                    results.append(run(wrapper, items))
        entries.append(target)
    assert results[0] == results[1]
    assert entries[0] == entries[1]


def half(n):
    return 10 / n


@pytest.mark.parametrize("items", [[1, 2, 5], [0]], ids=["well", "failing"])
@pytest.mark.parametrize("rest", [(), (str,)], ids=["all kept", "with a rest"])
@pytest.mark.parametrize("stored", [(), (2, 5)], ids=["nothing stored", "some stored"])
def test_items_that_are_observed_report_as_alone(items, rest, stored):
    seen = []
    for run in (lambda s, xs: [s(x) for x in xs], each):
        target, events = {}, []
        kept = add_checkpoints(chained(half, checkpoint(target), *rest))
        for item in stored:
            kept(item)
        (mapping,) = children(observe(events.append)(partial(map, kept)))
        with suppress(ZeroDivisionError):
            run(mapped_by(*children(mapping)), items)
        seen.append([(event.kind, event.step, type(event.error)) for event in events if event.of == "item"])
    assert seen[0] == seen[1]
    assert len(seen[0]) == 2 * len(items)


ALIVE: weakref.WeakSet = weakref.WeakSet()
SEEN: list = []


class Block:
    """Stand for something large."""

    nbytes = 4_000_000

    @ignore_globals("ALIVE")
    def __init__(self, n):
        self.n = n
        ALIVE.add(self)

    def __reduce__(self):
        return Block, (self.n,)


@ignore_globals("ALIVE", "SEEN")
def number(block):
    SEEN.append(len(ALIVE))
    return block.n


def test_large_results_are_not_held_longer_than_they_wait_to_be_stored(tmp_path):
    with DiskTarget(tmp_path / "results") as target:
        s = add_checkpoints(chained(Block, checkpoint(target), number))
        for _ in range(2):
            SEEN.clear()
            assert each(s, range(60)) == [*range(60)]
            assert max(SEEN) <= 10
