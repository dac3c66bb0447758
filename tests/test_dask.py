"""Pipelines on dask: its collections as objects, its schedulers of one machine, targets that workers cannot reach."""

from __future__ import annotations

import os
from concurrent.futures import BrokenExecutor
from functools import partial
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from laws import is_even, realised, sequences
from runs import library

from flowly_ckpt import add_checkpoints, apply, chained, checkpoint, drop_checkpoints, ignore_globals, seq, threads
from flowly_ckpt.errors import StoreError
from flowly_ckpt.lowering import per_partition
from flowly_ckpt.passes import observe
from flowly_ckpt.pipelines import frequencies, groupby, kv_reductionby, kv_valmap, reduction
from flowly_ckpt.targets import DiskTarget

pytest.importorskip("dask")
import dask
import dask.bag

from flowly_ckpt import dsk

pandas, dataframe, array = library("pandas"), library("dask.dataframe"), library("dask.array")
TARGET: dict = {}
RAN: list = []


@pytest.fixture(autouse=True)
def _fresh():
    TARGET.clear()
    RAN.clear()


@ignore_globals("RAN")
def noted(n):
    RAN.append(n)
    return -n


def bag(items, npartitions=3):
    return dask.bag.from_sequence(items, npartitions=npartitions)


def computed(collection):
    return collection.compute(scheduler="sync")


@given(pipeline=sequences(TARGET), items=st.lists(st.integers(-5, 5), min_size=1, max_size=8))
@settings(max_examples=40)
def test_8_a_bag_gives_what_its_items_give_and_the_entries_are_the_same(pipeline, items):
    TARGET.clear()
    expected = realised(drop_checkpoints(pipeline)(items))
    on_bag = lambda: computed(dsk.apply(pipeline, bag(items), [add_checkpoints], scheduler="sync"))
    given = on_bag()
    is_sequence = isinstance(expected, (list, tuple)) and isinstance(given, list)
    assert given == (expected[1] if is_sequence and expected[:1] == ("iterator",) else expected)
    stored = dict(TARGET)
    assert realised(apply(pipeline, items, [add_checkpoints])) == expected
    assert dict(TARGET) == stored, "the local run finds all, and misses none"
    assert on_bag() == given


def test_nothing_is_computed_before_it_is_asked_for():
    made = dsk.apply(chained(partial(map, chained(noted, checkpoint(TARGET)))), bag(range(6)), scheduler="sync")
    assert (RAN, type(made)) == ([], dask.bag.Bag)
    assert computed(made) == [*range(0, -6, -1)]


def test_what_is_stored_is_looked_up_while_the_graph_is_built_and_not_built():
    pipeline = chained(partial(map, noted), list, checkpoint(TARGET, "all"), len)
    for tasks, ran in ((range(5, 100), 6), (range(1, 3), 0)):
        RAN.clear()
        made = dsk.apply(pipeline, list(range(6)), [add_checkpoints], npartitions=3, scheduler="sync")
        assert len(made.__dask_graph__()) in tasks
        assert (computed(made), len(RAN)) == (6, ran)
    items = chained(partial(map, chained(noted, checkpoint(TARGET))), list)
    assert apply(items, range(6), [add_checkpoints], engine=partial(dsk.dask, scheduler="sync")) == [*range(0, -6, -1)]
    made = dsk.apply(items, range(6), [add_checkpoints], npartitions=3, scheduler="sync")
    assert len(made.__dask_graph__()) == 1, "no task for the items: what is left is list"


def squares(rows):
    return (row * row for row in rows)


by_item = partial(map, chained(noted, checkpoint(TARGET)))
twice = {
    "listed": chained(by_item, list),
    "read by a generator": chained(by_item, squares, sum),
    "kept as a whole": chained(by_item, checkpoint(TARGET, "all"), list),
    "an iterator": chained(iter, list),
    "branches": chained(by_item, seq(list, sum)),
}


@pytest.mark.parametrize("pipeline", twice.values(), ids=twice)
@pytest.mark.parametrize("stored", [0, 2, 4])
@pytest.mark.parametrize("kind", [list, iter])
def test_what_is_computed_twice_is_the_same_twice(pipeline, stored, kind):
    if kind is iter and pipeline is twice["kept as a whole"]:
        kind = tuple  # an iterator has no key
    apply(chained(by_item, list), range(stored), [add_checkpoints])
    made = dsk.apply(pipeline, kind([0, 1, 2, 3]), [add_checkpoints], scheduler="sync")
    assert computed(made) == computed(made) == drop_checkpoints(pipeline)(kind([0, 1, 2, 3]))


def test_items_that_are_new_are_all_that_is_built():
    pipeline = partial(map, chained(noted, checkpoint(TARGET)))
    engine = partial(dsk.dask, npartitions=4, scheduler="sync")
    list(apply(pipeline, range(100), [add_checkpoints], engine=engine))
    RAN.clear()
    made = dsk.apply(pipeline, range(102), [add_checkpoints], npartitions=4, scheduler="sync")
    names = [str(key) for key in made.__dask_graph__()]
    assert len([name for name in names if name.startswith("noted-")]) == 2
    assert (computed(made), sorted(RAN)) == ([-n for n in range(102)], [100, 101])


@pytest.mark.parametrize("order", [1, -1], ids=["observed first", "kept first"])
def test_items_that_are_observed_are_looked_up_together_and_not_built(order):
    events = []
    passes = [observe(events.append), add_checkpoints][::order]
    pipeline = chained(partial(map, chained(noted, checkpoint(TARGET))), list)
    engine = partial(dsk.dask, npartitions=3, scheduler="sync")
    kinds = lambda of: [event.kind for event in events if event.of == of and event.kind != "start"]
    apply(pipeline, range(6), passes, engine=engine)
    assert (kinds("item"), kinds("checkpoint")) == (["run"] * 6, ["stored"] * 6)
    events.clear()
    made = dsk.apply(pipeline, range(6), passes, npartitions=3, scheduler="sync")
    assert len(made.__dask_graph__()) == 1, "no task for the items: what is left is list"
    assert (kinds("item"), kinds("checkpoint")) == (["run"] * 6, ["restored"] * 6)
    events.clear()
    apply(pipeline, range(8), passes, engine=engine)
    assert (kinds("item"), sorted(kinds("checkpoint"))) == (["run"] * 8, ["restored"] * 6 + ["stored"] * 2)


def test_the_entry_of_a_sequence_says_how_long_it_took(tmp_path):
    with DiskTarget(tmp_path / "results") as target:
        computed(dsk.apply(chained(partial(map, hard), list, checkpoint(target)), [1, 2], [add_checkpoints]))
        (entry,) = target.entries()
        assert entry.seconds > 0
        assert [name for name, *_ in entry.made_from["steps"]] == ["map", "list"]


def hard(n):
    return sum(range(100_000)) + n


def test_a_checkpoint_inside_a_branch_is_kept_by_the_branch():
    pipeline = chained(
        list, seq(chained(partial(map, noted), sorted, checkpoint(TARGET)), chained(sum, checkpoint(TARGET)))
    )
    for expected in (4, 0):
        RAN.clear()
        made = dsk.apply(pipeline, bag([3, 1, 2, 5]), [add_checkpoints], scheduler="sync")
        assert computed(made) == [[-5, -3, -2, -1], 11]
        assert len(RAN) == expected
    RAN.clear()
    assert apply(pipeline, [3, 1, 2, 5], [add_checkpoints]) == [[-5, -3, -2, -1], 11]
    assert not RAN


# --- collections ---


def test_a_delayed_object():
    made = dask.delayed(range)(6)
    assert computed(dsk.apply(chained(partial(map, abs), sum), made)) == 15
    pipeline = chained(partial(map, noted), list, checkpoint(TARGET))
    for ran in (6, 0):
        RAN.clear()
        assert computed(dsk.apply(pipeline, made, [add_checkpoints], scheduler="sync")) == [0, -1, -2, -3, -4, -5]
        assert len(RAN) == ran
    assert apply(pipeline, range(6), [add_checkpoints])[1] == -1
    assert not RAN, "the key of a delayed object is that of its value"


def test_a_table_gets_to_functions_as_it_is_and_is_kept_as_a_whole():
    table = pandas.DataFrame({"a": [1, 2, 3, 4], "b": [1.0, 2.0, 3.0, 4.0]})
    lazy = dataframe.from_pandas(table, npartitions=2)
    kinds = []

    def halves(rows):
        kinds.append(type(rows))
        return rows.assign(b=rows.b / 2)

    made = dsk.apply(halves, lazy)
    assert kinds == [type(lazy)], "what knows tables of dask works on them"
    pandas.testing.assert_frame_equal(computed(made), halves(table))
    pipeline = chained(noted_rows, checkpoint(TARGET), lambda rows: rows.b.sum())
    for ran in (1, 0):
        RAN.clear()
        assert computed(dsk.apply(pipeline, lazy, [add_checkpoints], scheduler="sync")) == 5.0
        assert len(RAN) == ran
    assert apply(pipeline, table, [add_checkpoints]) == 5.0
    assert not RAN


@pytest.mark.parametrize("converts", [True, False], ids=["strings of pyarrow", "as they are"])
def test_a_table_has_the_key_of_what_it_computes_to(converts):
    table = pandas.DataFrame({"a": ["x", "y", None], "b": [1.0, 2.0, 3.0]}).astype({"a": object})
    with dask.config.set({"dataframe.convert-string": converts}):
        lazy = dataframe.from_pandas(table, npartitions=2)
    pipeline = chained(noted_rows, checkpoint(TARGET), lambda rows: rows.b.sum())
    assert computed(dsk.apply(pipeline, lazy, [add_checkpoints], scheduler="sync")) == 3.0
    assert apply(pipeline, computed(lazy), [add_checkpoints]) == 3.0
    assert apply(pipeline, table, [add_checkpoints]) == 3.0
    assert (len(RAN), len(TARGET)) == ((2, 2) if converts else (1, 1)), "what dask has converted is another table"


@ignore_globals("RAN")
def noted_rows(rows):
    RAN.append(rows)
    return rows.assign(b=rows.b / 2)


def test_an_array_gets_to_functions_as_it_is():
    import numpy

    made = dsk.apply(chained(lambda a: a + 1, lambda a: a.sum()), array.ones((4, 4), chunks=2))
    assert isinstance(made, array.Array)
    assert computed(made) == 32
    summed = dsk.apply(
        chained(numpy.sum, checkpoint(TARGET)), array.ones(4, chunks=2), [add_checkpoints], scheduler="sync"
    )
    assert computed(summed) == apply(chained(numpy.sum, checkpoint(TARGET)), numpy.ones(4), [add_checkpoints]) == 4
    assert len(TARGET) == 1


def test_parallel_forms_are_parallel():
    """A task for each partition, and one that joins."""
    pairs = bag([(n % 2, n) for n in range(10)], 5)
    for transform, name in (
        (groupby(lambda pair: pair[0]), "_group"),
        (kv_reductionby(len, sum), "_reduce_groups"),
        (reduction(len, sum), "_reduce"),
    ):
        made = dsk.apply(transform, pairs)
        assert len([key for key in made.__dask_graph__() if str(key).startswith(f"{name}-")]) == 5
        assert computed(made) == transform([(n % 2, n) for n in range(10)])


def test_what_may_be_given_any_part_runs_on_each():
    made = dsk.apply(per_partition(lambda rows: [len(list(rows))]), bag(range(9), 3))
    assert computed(made) == [3, 3, 3]
    assert computed(dsk.apply(frequencies, bag("abca"))) == [("a", 2), ("b", 1), ("c", 1)]


def test_an_object_of_this_process():
    assert dsk.apply_to_local(kv_valmap(abs), [("a", -1), ("b", 2)], npartitions=1) == [("a", 1), ("b", 2)]
    assert computed(dsk.apply(abs, -1)) == 1
    assert computed(dsk.apply(chained(), [1])) == [1]
    assert next(dsk.apply_to_local(partial(map, abs), [-1])) == 1, "an iterator, as it is without dask"


def no_two(n):
    return 1 // (n - 2)


@pytest.mark.parametrize("at", [partial(map, no_two), kv_valmap(no_two)], ids=["map", "kv_valmap"])
def test_the_error_of_an_item_names_the_step(at):
    pipeline = chained(enumerate, dict, dict.items if isinstance(at, kv_valmap) else dict.keys, at, list)
    engine = partial(dsk.dask, scheduler="threads")
    for run in (engine, threads(2)):
        with pytest.raises(ZeroDivisionError) as caught:
            run(pipeline, [0, 1, 2, 2])
        (note,) = caught.value.__notes__
        assert note.startswith("in step 4 of 5, ")


def generated(n):
    return (i for i in range(n))


read_twice = {
    "branches": chained(generated, seq(list, sum)),
    "stored": chained(generated, checkpoint(TARGET), seq(list, sum)),
    "in parts": chained(generated, seq(chained(partial(map, abs), list), list)),
    "one after the other": chained(generated, seq(next, next, list)),
    "read once": chained(generated, partial(map, abs), list),
}


@pytest.mark.parametrize("scheduler", ["sync", "threads"])
@pytest.mark.parametrize("pipeline", read_twice.values(), ids=read_twice)
def test_an_iterator_between_steps_gives_what_it_gives_without_dask(pipeline, scheduler):
    expected = drop_checkpoints(pipeline)(5)
    for _ in range(2):
        assert dsk.apply_to_local(pipeline, 5, [add_checkpoints], scheduler=scheduler) == expected
    assert next(dsk.apply_to_local(generated, 5, scheduler=scheduler)) == 0
    assert next(computed(dsk.apply(generated, 5))) == 0


def test_an_iterator_between_steps_is_sent_to_other_processes():
    with dask.config.set(num_workers=2):
        assert dsk.apply_to_local(read_twice["branches"], 5, scheduler="processes") == [[0, 1, 2, 3, 4], 0]


def test_an_error_of_a_step_is_the_steps_own():
    with pytest.raises(ZeroDivisionError) as caught:
        dsk.apply_to_local(chained(abs, lambda n: 1 // n, str), 0)
    assert caught.value.__notes__[0].startswith("in step 2 of 3")


def test_observed_steps_report():
    events = []
    dsk.apply_to_local(chained(partial(map, chained(abs)), sum), [-1, 2], [observe(events.append)], scheduler="threads")
    ended = [event.step for event in events if (event.of, event.kind) == ("step", "run")]
    assert ended == ["abs", "abs", "sum"]


# --- schedulers and what they reach ---


def count(folder, n):
    with open(Path(folder) / str(n), "a") as file:
        file.write("x")
    return -n


@pytest.mark.parametrize("scheduler", ["threads", "processes"])
def test_beats_S0_16_each_item_is_computed_once_on_dask(scheduler, tmp_path):
    (tmp_path / "ran").mkdir()
    with DiskTarget(tmp_path / "results") as target, dask.config.set(num_workers=2):
        each = chained(partial(count, tmp_path / "ran"), checkpoint(target))
        pipeline = chained(partial(map, each), groupby(is_even), checkpoint(target, "groups"))
        run = partial(apply, rewrites=[add_checkpoints], engine=partial(dsk.dask, scheduler=scheduler, npartitions=4))
        groups = run(pipeline, range(20))
        assert set(dict(groups)) == {True, False}
        assert len(target) == 21
        assert run(pipeline, range(20)) == apply(pipeline, range(20), [add_checkpoints]) == groups
        assert {path.stat().st_size for path in (tmp_path / "ran").iterdir()} == {1}
        assert not target.verify()


def end(n):
    os._exit(1)


def test_a_process_that_ends_abruptly_is_an_error_that_says_what_to_do():
    with dask.config.set(num_workers=2), pytest.raises(BrokenExecutor) as caught:
        dsk.apply_to_local(partial(map, end), [1], scheduler="processes")
    (note,) = caught.value.__notes__
    assert note.startswith("a worker ended abruptly")
    assert note.endswith("what was finished is stored, and another run goes on there")


def test_a_target_in_memory_is_refused_before_anything_runs():
    for pipeline in (
        chained(noted, checkpoint({})),
        chained(noted, lambda n: [n], partial(map, chained(abs, checkpoint({}))), sum),
    ):
        with pytest.raises(
            StoreError, match=r"dask's workers cannot reach it: use DiskTarget\(path\), or RemoteTarget"
        ):
            dsk.apply_to_local(pipeline, 1, [add_checkpoints], scheduler="processes")
    with pytest.raises(StoreError, match=r"dask's workers cannot reach it"):
        dsk.apply(
            partial(map, chained(abs, checkpoint({}))), bag([1]), [add_checkpoints]
        )  # dask runs bags in processes
    assert not RAN


def test_a_graph_built_for_threads_is_not_run_elsewhere_with_a_target_in_memory():
    made = dsk.apply(
        partial(map, chained(abs, checkpoint(TARGET))), bag([1, 2]), [add_checkpoints], scheduler="threads"
    )
    with pytest.raises(StoreError, match=r"built for threads: compute it with scheduler='threads', or use DiskTarget"):
        made.compute(scheduler="processes")
    assert made.compute(scheduler="threads") == [1, 2]
    assert len(TARGET) == 2


def test_without_dask_the_extra_is_named(tmp_path):
    from runs import run_script

    code = """
        import sys
        sys.modules["dask"] = None
        from flowly_ckpt import apply
        from flowly_ckpt.dsk import dask
        try:
            apply(abs, -1, engine=dask)
        except ModuleNotFoundError as error:
            assert "pip install 'flowly-ckpt[dask]'" in str(error), error
        else:
            raise AssertionError
    """
    run_script(tmp_path, code)
    assert os.listdir(tmp_path) == ["script.py"]


@pytest.mark.parametrize(("count", "kind"), [(0, ValueError), (-1, ValueError), ("2", TypeError)])
def test_a_number_of_parts_that_is_none_is_refused(count, kind):
    with pytest.raises(kind, match="npartitions must be a whole number, 1 or more, got"):
        dsk.dask(chained(partial(map, abs), list), [-1], npartitions=count)
