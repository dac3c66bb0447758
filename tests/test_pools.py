"""Pools on one machine: order, errors, events, branches, and what another process may and may not be sent."""

from __future__ import annotations

import contextvars
import logging
import os
import pickle
import sqlite3
import threading
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from functools import partial
from pathlib import Path

import pytest
from runs import needs_processes, needs_threads, run_script

from flowly_ckpt import add_checkpoints, apply, chained, checkpoint, functional_hash, ignore_globals, pmap, seq
from flowly_ckpt.engines import pool, processes, threads
from flowly_ckpt.errors import StoreError, UnhashableError, WorkerError
from flowly_ckpt.passes import observe
from flowly_ckpt.pipelines import build_dict, children, rebuild
from flowly_ckpt.targets import DiskTarget, Layered, Serialized, Snapshots
from flowly_ckpt.targets.reachable import check_reachable, is_reachable

pytestmark = needs_threads
kept = partial(apply, rewrites=[add_checkpoints])


@pytest.fixture(scope="module")
def two():
    with ProcessPoolExecutor(2) as executor:
        yield pool(executor)


engines = pytest.mark.parametrize("name", ["threads", pytest.param("two", marks=needs_processes)])


@pytest.fixture
def engine(name, request):
    return threads(2) if name == "threads" else request.getfixturevalue(name)


def negated(n):
    return -n


def count(folder, n):
    """Note in a file, which any process can, that an item was computed."""
    with open(Path(folder) / str(n), "a") as file:
        file.write("x")
    return -n


def counts(folder):
    return {int(path.name): path.stat().st_size for path in Path(folder).iterdir()}


@engines
def test_items_keep_their_order(engine):
    assert apply(chained(partial(map, negated), list), range(100), engine=engine) == [-n for n in range(100)]


@engines
def test_each_item_is_computed_once_and_stored_where_it_is_computed(engine, tmp_path):
    (tmp_path / "ran").mkdir()
    with DiskTarget(tmp_path / "results") as target:
        pipeline = chained(partial(map, chained(partial(count, tmp_path / "ran"), checkpoint(target))), sum)
        for _ in range(2):
            assert kept(pipeline, [*range(50), *range(50)], engine=engine) == -2 * sum(range(50))
        assert counts(tmp_path / "ran") == dict.fromkeys(range(50), 1)
        assert kept(pipeline, range(50)) == -sum(range(50)), "and a run without a pool finds them"
        assert counts(tmp_path / "ran") == dict.fromkeys(range(50), 1)


STARTED: list = []


@ignore_globals("STARTED")
def fails_at_once(n):
    STARTED.append(n)
    if n == 0:
        raise LookupError("no such item")
    return n


def test_the_first_error_cancels_the_rest_and_is_raised():
    STARTED.clear()
    with pytest.raises(LookupError, match="no such item"):
        apply(chained(partial(map, fails_at_once), list), range(1000), engine=threads(1))
    assert len(STARTED) == 1, "the rest of its part is not run, nor what had not begun"


def test_branches_run_at_the_same_time():
    meeting = threading.Barrier(2)
    wait = lambda n: meeting.wait(60) >= 0
    engine = threads(2)
    assert apply(seq(wait, wait), 1, engine=engine) == [True, True]
    divided = chained(wait, lambda done: [done] * 3, partial(map, int), sum)
    assert apply(build_dict(a=divided, b=divided), 1, engine=engine) == {"a": 3, "b": 3}
    assert apply(build_dict(a=divided, b=wait), 1, engine=engine) == {"a": 3, "b": True}


@needs_processes
@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs named pipes")
def test_branches_run_at_the_same_time_in_processes(two, tmp_path):
    """Opening a named pipe waits for whoever opens its other end."""
    os.mkfifo(tmp_path / "pipe")
    write = lambda text: (tmp_path / "pipe").write_text(text)
    read = lambda text: (tmp_path / "pipe").read_text()
    assert apply(seq(write, read), "met", engine=two) == [3, "met"]
    divided = chained(read, list, partial(map, str.upper), "".join)
    assert apply(seq(divided, write), "met", engine=two) == ["MET", 3]


def test_an_error_in_one_branch_cancels_the_parts_of_another():
    both = threading.Barrier(2)

    def fails(n):
        both.wait(60)
        raise LookupError("no branch")

    def waits(n):
        if n == 0:
            both.wait(60)
        return n

    branches = seq(chained(list, partial(map, waits), list), chained(fails, list, partial(map, abs), list))
    with pytest.raises(LookupError, match="no branch"):
        apply(branches, range(1000), engine=threads(2))


@engines
@pytest.mark.parametrize("order", [1, -1], ids=["observed first", "kept first"])
def test_events_arrive_in_this_process(engine, order, tmp_path):
    events = []
    with DiskTarget(tmp_path / "results") as target:
        pipeline = chained(partial(map, chained(negated, checkpoint(target))), list, seq(sum, max))
        passes = [observe(events.append), add_checkpoints][::order]
        assert apply(pipeline, range(20), passes, engine=engine) == [-190, 0]
        assert [event.step for event in events if event.kind == "run"].count("negated") == 20
        assert {"list", "sum", "max"} < {event.step for event in events}
        events.clear()
        apply(pipeline, range(20), passes, engine=engine)
        assert "negated" not in [event.step for event in events], "what is restored does not run"


@engines
def test_the_event_of_a_step_that_fails_arrives_too(engine):
    events = []
    with pytest.raises(ZeroDivisionError):
        apply(partial(map, chained(lambda n: 1 // n)), [1, 0], [observe(events.append)], engine=engine)
    assert any(isinstance(event.error, ZeroDivisionError) for event in events)


PLACE = contextvars.ContextVar("PLACE", default="nowhere")


def test_threads_see_the_context_they_were_started_in():
    token = PLACE.set("here")
    assert set(apply(partial(map, lambda n: PLACE.get()), range(10), engine=threads(2))) == {"here"}
    PLACE.reset(token)


# --- what other processes can reach, and be sent ---


@needs_processes
def test_a_target_in_memory_is_refused_before_anything_runs(two, tmp_path):
    (tmp_path / "ran").mkdir()
    first = partial(count, tmp_path / "ran")
    for target in ({}, Snapshots({}), Serialized({})):
        pipeline = chained(first, lambda n: [n], partial(map, chained(abs, checkpoint(target))), list)
        with pytest.raises(StoreError, match=r"in the memory of this process, where the .* use DiskTarget\(path\)"):
            kept(pipeline, 1, engine=two)
    assert not counts(tmp_path / "ran")


@needs_processes
def test_along_the_chain_any_target_will_do(two):
    """What is stored there is stored by this process."""
    target = {}
    pipeline = chained(list, partial(map, negated), checkpoint(target), sum)
    for _ in range(2):
        assert kept(pipeline, range(20), engine=two) == -190
    assert len(target) == 1


def test_which_targets_can_be_reached(tmp_path):
    from collections import OrderedDict

    class Database:
        def __getitem__(self, key):
            raise KeyError(key)

        def __setitem__(self, key, value):
            pass

        def __delitem__(self, key):
            pass

        def keys(self):
            return []

    disk = DiskTarget(tmp_path / "results")
    assert all(map(is_reachable, [disk, Snapshots(disk), Layered({}, disk), Database(), Serialized(Database())]))
    assert not any(map(is_reachable, [{}, OrderedDict(), Snapshots({}), Serialized({}), Layered({}, {})]))
    opened = Database()
    opened.connection = sqlite3.connect(":memory:")
    with pytest.raises(StoreError, match=r"cannot be pickled \(TypeError: .*\), so that nobody .* __reduce__"):
        check_reachable(Serialized(opened), "nobody")
    opened.connection.close()


@needs_processes
def test_functions_without_a_module_are_sent(two):
    offset = 3
    assert apply(chained(partial(map, lambda n: n + offset), list), [1, 2], engine=two) == [4, 5]


@needs_processes
def test_what_cannot_be_sent_says_what_to_do(two):
    lock = threading.Lock()
    with pytest.raises(TypeError, match="cannot pickle") as caught:
        apply(partial(map, lambda n: lock), [1, 2], engine=two)
    assert "threads(n) share anything" in " ".join(caught.value.__notes__)  # of which Python has its own since 3.14
    with pytest.raises(WorkerError, match=r"the result of .* cannot be sent .*cannot pickle.* threads\(n\)"):
        apply(partial(map, lambda n: threading.Lock()), [1, 2], engine=two)


@needs_processes
def test_what_cannot_be_hashed_in_a_process_is_said_as_it_is_here(two):
    for engine in (threads(2), two):
        with pytest.raises(UnhashableError, match="cannot hash generator"):
            apply(partial(map, lambda n: functional_hash([(x for x in [n])])), [1, 2], engine=engine)


class Picky(Exception):
    """An exception that cannot be read back: its arguments are not those of its constructor."""

    def __init__(self, code, text):
        super().__init__(f"{code}: {text}")


class Locked(Exception):
    """An exception that cannot be sent."""

    def __init__(self, text):
        super().__init__(text)
        self.lock = threading.Lock()


def picky(n):
    raise Picky(5, "no")


def locked(n):
    raise Locked("no")


@needs_processes
def test_an_exception_that_cannot_be_read_back_is_reported_and_the_pool_lives_on(two):
    events = []
    with pytest.raises(WorkerError, match=r"(?s)Locked: no.*in locked"):
        apply(partial(map, chained(locked)), [1, 2], [observe(events.append)], engine=two)
    assert WorkerError in [type(event.error) for event in events]
    with pytest.raises((WorkerError, Picky), match="5: no"):  # tblib, where it is installed, makes it readable
        apply(partial(map, chained(picky)), [1, 2], engine=two)
    assert apply(chained(partial(map, negated), list), [1, 2], engine=two) == [-1, -2]


@needs_processes
def test_an_exception_shows_where_it_was_raised(two):
    with pytest.raises(ZeroDivisionError) as caught:
        apply(chained(partial(map, lambda n: 1 // n), list), [1, 0], engine=two)
    assert "1 // n" in str(caught.value.__cause__)
    assert caught.value.__notes__[-1].startswith("in step 1 of 2")


def dies(folder, n):
    if n == 7 and not (Path(folder) / "died").exists():
        (Path(folder) / "died").touch()
        os._exit(9)
    return count(Path(folder) / "ran", n)


@needs_processes
def test_a_process_that_dies_takes_nothing_with_it_that_was_stored(tmp_path):
    (tmp_path / "ran").mkdir()
    with DiskTarget(tmp_path / "results") as target:
        pipeline = chained(partial(map, chained(partial(dies, tmp_path), checkpoint(target))), list)
        with pytest.raises(BrokenProcessPool) as caught:
            kept(pipeline, range(64), engine=processes(2))
        assert "what was finished is stored" in caught.value.__notes__[0]
        stored = len(target)
        assert kept(pipeline, range(64), engine=processes(2)) == [-n for n in range(64)]
        assert set(counts(tmp_path / "ran").values()) <= {1, 2}
        assert sum(counts(tmp_path / "ran").values()) <= 64 + 64 - stored
        assert not target.verify()


@needs_processes
def test_a_process_with_other_code_does_not_store_under_this_ones_keys(tmp_path):
    """A fresh process imports what the file says now; the key says what the file said when it was imported here."""
    code = """
        import logging, multiprocessing, sys
        from functools import partial
        from pathlib import Path
        from flowly_ckpt import add_checkpoints, apply, chained, checkpoint, processes
        sys.dont_write_bytecode = True

        if __name__ == "__main__":
            Path("steps.py").write_text("def step(n): return n + 1")
            import steps
            Path("steps.py").write_text("def step(n): return n + 1000")
            target = {}
            pipeline = chained(partial(map, steps.step), list, checkpoint(target), sum)
            engine = processes(2, context=multiprocessing.get_context("spawn"))
            logging.basicConfig()
            assert apply(pipeline, range(4), [add_checkpoints], engine=engine) == 10, target
            assert list(target.values()) == [[1, 2, 3, 4]]
    """
    assert "has another version of the code" in run_script(tmp_path, code).stderr


# --- executors of one's own ---


def test_an_executor_in_a_pipeline_does_not_break_the_hashing_of_what_comes_later():
    target, hashes = {}, []
    for _ in range(2):
        with ThreadPoolExecutor(2) as executor:
            pipeline = chained(partial(executor.map, negated), list, checkpoint(target), sum)
            hashes += [functional_hash(pipeline), kept(pipeline, range(5)), functional_hash(pipeline)]
    assert hashes[:3] == hashes[3:]
    assert hashes[0] == hashes[2], "what an executor has done is no part of a pipeline"
    assert len(target) == 1


def test_the_engine_that_a_step_uses_is_no_part_of_its_key():
    def step(rows, engine):
        return apply(pmap(abs), rows, engine=engine)

    with ThreadPoolExecutor(2) as executor:
        engines = [threads(2), threads(3), processes(2), pool(executor)]
        assert len({functional_hash(partial(step, engine=engine)) for engine in engines}) == 1


def test_ones_own_executor_stays_open():
    with ThreadPoolExecutor(3) as executor:
        for _ in range(2):
            assert apply(chained(partial(map, negated), list), range(9), engine=pool(executor)) == [*range(0, -9, -1)]
        with pytest.raises(ZeroDivisionError):
            apply(chained(partial(map, lambda n: 1 // n), list), [1, 0], engine=pool(executor))
        assert executor.submit(abs, -1).result() == 1


@pytest.mark.parametrize("engine", [threads(2), processes(2)], ids=repr)
def test_a_pipeline_that_names_its_engine_can_be_pickled(engine):
    again = pickle.loads(pickle.dumps(pmap(abs, engine)))
    assert repr(again.engine) == repr(engine)
    assert functional_hash(again) == functional_hash(pmap(abs))
    assert again.engine.shares_memory == engine.shares_memory


@pytest.mark.parametrize("count", [0, -1, 1.5, "2"])
def test_a_pool_needs_workers(count):
    for kind in (threads, processes):
        with pytest.raises(
            (TypeError, ValueError), match="the number of workers must be a whole number, 1 or more, got"
        ):
            kind(count)


def test_what_is_not_an_executor_is_refused():
    with pytest.raises(TypeError, match=r"an executor has a method submit, got 4; for a number write threads\(4\)"):
        pool(4)


# --- pmap ---


def test_pmap_has_one_key_whatever_runs_it():
    inner = chained(negated)
    assert functional_hash(pmap(inner)) == functional_hash(pmap(inner, threads(2)))
    assert functional_hash(pmap(inner)) != functional_hash(pmap(chained(abs)))
    assert pickle.loads(pickle.dumps(pmap(inner))) == pmap(inner)
    assert rebuild(pmap(inner, threads(2)), children(pmap(inner))).engine is not None


def test_pmap_runs_side_by_side_in_an_ordinary_run_and_passes_reach_into_it():
    target, meeting = {}, threading.Barrier(2)
    pipeline = chained(pmap(chained(negated, checkpoint(target)), threads(2)), sum)
    for engine in (None, threads(2)):
        assert kept(pipeline, range(10), **({} if engine is None else {"engine": engine})) == -45
    assert len(target) == 10
    assert set(pmap(lambda n: meeting.wait(60) >= 0, threads(2))([1, 2])) == {True}


@pytest.mark.parametrize(
    ("args", "text"), [((5,), "a function of an item comes first"), ((abs, 5), "must be an engine")]
)
def test_pmap_of_what_is_not_callable_is_refused(args, text):
    with pytest.raises(TypeError, match=text):
        pmap(*args)


# --- in bulk ---


def test_what_another_thread_computes_is_waited_for_and_nobody_waits_in_a_circle(tmp_path):
    """Two runs over the same items in opposite orders: each computes what the other has not begun."""
    (tmp_path / "ran").mkdir()
    with DiskTarget(tmp_path / "results") as target:
        each = chained(partial(count, tmp_path / "ran"), checkpoint(target))
        pipeline = add_checkpoints(chained(partial(map, each), list))
        with ThreadPoolExecutor(2) as executor:
            runs = [executor.submit(threads(2), pipeline, list(range(200))[::step]) for step in (1, -1)]
            assert sorted(runs[0].result()) == sorted(runs[1].result()) == [*range(-199, 1)]
        assert set(counts(tmp_path / "ran").values()) == {1}


@needs_processes
def test_processes_that_want_the_same_items_compute_each_once(tmp_path):
    (tmp_path / "ran").mkdir()
    with DiskTarget(tmp_path / "results") as target:
        each = chained(partial(count, tmp_path / "ran"), checkpoint(target))
        with ProcessPoolExecutor(2) as executor:
            runs = [executor.submit(run_all, each, list(range(300))[::step]) for step in (1, -1)]
            assert [len(run.result()) for run in runs] == [300, 300]
        assert set(counts(tmp_path / "ran").values()) == {1}


def run_all(each, items):
    return list(kept(partial(map, each), items, engine=threads(1)))


def test_a_thread_that_gathers_parts_is_not_taken_to_wait_for_whoever_was_started_since():
    """Two threads of a program ask for one result that takes long: the second waits, it does not compute it as well."""
    from flowly_ckpt.targets.waiting import is_waited_for

    begun, go = threading.Event(), threading.Event()

    def waits(n):
        begun.set()
        assert go.wait(60)
        return n

    with ThreadPoolExecutor(1) as program:
        run = program.submit(threads(2), chained(partial(map, waits), list), [1, 2])
        assert begun.wait(60)
        try:
            assert not is_waited_for(next(iter(program._threads)).ident, [], 60.0)
        finally:
            go.set()
        assert run.result() == [1, 2]


def test_a_value_that_cannot_be_stored_takes_no_other_with_it(tmp_path):
    with DiskTarget(tmp_path / "results") as target:
        pipeline = chained(partial(map, chained(lambda n: threading.Lock() if n == 3 else n, checkpoint(target))), list)
        with pytest.warns(match="did not store the result"):
            values = kept(pipeline, range(6), engine=threads(1))
        assert len(values) == 6
        assert sorted(target.values()) == [0, 1, 2, 4, 5]


def test_what_is_restored_and_computed_is_logged(tmp_path, caplog):
    caplog.set_level(logging.INFO, "flowly_ckpt")
    with DiskTarget(tmp_path / "results") as target:
        pipeline = chained(partial(map, chained(negated, checkpoint(target, "negated"))), list)
        for text in ("compute, then store object at 'negated'", "restore object at 'negated'"):
            caplog.clear()
            kept(pipeline, range(3), engine=threads(1))
            assert [record.getMessage().startswith(text) for record in caplog.records] == [True] * 3


def test_equal_items_get_values_of_their_own(tmp_path):
    with DiskTarget(tmp_path / "results") as target:
        pipeline = chained(partial(map, chained(lambda n: [n], checkpoint(target))), list)
        for _ in range(2):
            first, second = kept(pipeline, [1, 1], engine=threads(1))
            first.append(2)
            assert second == [1]
