"""A cluster of worker processes: everything once, a worker killed in the middle, one with other code."""

from __future__ import annotations

import logging
import os
import signal
import sys
from collections import Counter
from concurrent.futures import CancelledError
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path
from threading import Thread

import cloudpickle
import pytest

from flowly_ckpt import add_checkpoints, apply, chained, checkpoint, functional_hash, seq
from flowly_ckpt.engines import pool
from flowly_ckpt.errors import StoreError
from flowly_ckpt.passes import observe
from flowly_ckpt.targets import DiskTarget

distributed = pytest.importorskip("distributed")

from flowly_ckpt import dsk  # noqa: E402

ITEMS = 400


@contextmanager
def cluster_of(workers):
    options = {"n_workers": workers, "threads_per_worker": 1, "processes": True, "dashboard_address": ":0"}
    with distributed.LocalCluster(**options) as cluster, distributed.Client(cluster) as client:
        yield client


@pytest.fixture(scope="module")
def client():
    with cluster_of(2) as client:
        yield client


@pytest.fixture
def ran(tmp_path):
    (tmp_path / "ran").mkdir()
    return tmp_path / "ran"


@pytest.fixture
def target(tmp_path):
    with DiskTarget(tmp_path / "results") as target:
        yield target


def count(ran, n):
    with open(Path(ran) / str(n), "a") as file:
        file.write("x")
    return -n


def counts(ran):
    return {int(path.name): path.stat().st_size for path in Path(ran).iterdir()}


def test_each_item_once_then_none_and_then_none_here(client, ran, target):
    pipeline = chained(partial(map, chained(partial(count, ran), checkpoint(target))), list)
    run = partial(dsk.apply_to_local, pipeline, range(ITEMS), [add_checkpoints])
    expected = [-n for n in range(ITEMS)]
    assert run(client=client) == expected
    assert counts(ran) == dict.fromkeys(range(ITEMS), 1)
    assert run(client=client) == expected
    made = dsk.apply(pipeline, range(ITEMS), [add_checkpoints], client=client)
    assert len(made.__dask_graph__()) == 1, "of what is stored nothing is built; what is left is list"
    assert apply(pipeline, range(ITEMS), [add_checkpoints]) == expected
    assert counts(ran) == dict.fromkeys(range(ITEMS), 1)
    assert len(target) == ITEMS


def test_a_bag_whose_items_nobody_knows_yet_is_looked_up_on_the_workers(client, ran, target):
    import dask.bag

    pipeline = partial(map, chained(partial(count, ran), checkpoint(target)))
    for _ in range(2):
        bag = dask.bag.from_sequence(range(40), npartitions=4).map(int)
        assert dsk.apply(pipeline, bag, [add_checkpoints]).compute() == [-n for n in range(40)]
    assert counts(ran) == dict.fromkeys(range(40), 1)


def persisted(kind):
    import dask.bag

    bag = dask.bag.from_sequence(range(20), npartitions=4).map(abs)
    made = {"not persisted": bag, "persisted": bag.persist(), "mapped since": bag.persist().map(int)}
    return made[kind]


@pytest.mark.parametrize("kind", ["not persisted", "persisted", "mapped since"])
def test_a_bag_may_be_held_by_the_cluster_already(client, ran, target, kind):
    by_item = partial(map, chained(partial(count, ran), checkpoint(target)))
    for _ in range(2):
        made = dsk.apply(by_item, persisted(kind), [add_checkpoints])
        assert made.persist().compute() == [-n for n in range(20)]
    assert counts(ran) == dict.fromkeys(range(20), 1)
    for _ in range(2):
        whole = chained(by_item, list, checkpoint(target, "whole"), sum)
        assert dsk.apply(whole, persisted(kind), [add_checkpoints]).compute() == -sum(range(20))
    assert len(target) == 21


def test_a_result_of_the_whole_is_stored_on_a_worker(client, ran, target):
    pipeline = chained(partial(map, partial(count, ran)), list, checkpoint(target), len)
    for _ in range(2):
        assert dsk.apply_to_local(pipeline, range(20), [add_checkpoints], client=client) == 20
    assert apply(pipeline, range(20), [add_checkpoints]) == 20
    assert counts(ran) == dict.fromkeys(range(20), 1)


def test_the_clients_executor_is_an_executor_like_any_other(client, ran, target):
    pipeline = chained(partial(map, chained(partial(count, ran), checkpoint(target))), sum)
    for _ in range(2):
        assert apply(pipeline, range(40), [add_checkpoints], engine=pool(client.get_executor())) == -sum(range(40))
    assert counts(ran) == dict.fromkeys(range(40), 1)


def many(ran, size):
    count(ran, size)
    return bytes(size)


def test_a_large_stored_result_is_read_by_the_workers_and_does_not_pass_through_this_process(client, ran, target):
    size = 20_000_000
    kept = chained(partial(many, ran), checkpoint(target))
    run = partial(dsk.apply, rewrites=[add_checkpoints], client=client)
    assert apply(kept, size, [add_checkpoints]) == bytes(size)
    made = run(chained(kept, seq(len, max)), size)
    assert len(cloudpickle.dumps(dict(made.__dask_graph__()))) < size // 100
    assert made.compute() == [size, 0]
    assert dsk.apply_to_local(kept, size, [add_checkpoints], client=client) == bytes(size)
    assert counts(ran) == {size: 1}
    later = run(chained(kept, len), size)
    target.clear()
    assert later.compute() == size, "where it is gone meanwhile it is computed"
    assert (counts(ran), len(target)) == ({size: 2}, 1)


def kill_once(folder, n):
    """Kill the worker in the middle of a part: it holds the claims of what it has not stored yet."""
    flag = Path(folder) / "killed"
    if n == 150 and not flag.exists():
        with DiskTarget(Path(folder) / "results") as target:
            flag.write_text(" ".join(str(-value) for value in target.values()))
        os.kill(os.getpid(), signal.SIGKILL)
    return count(Path(folder) / "ran", n)


def test_a_worker_that_is_killed_takes_nothing_with_it(client, ran, target, tmp_path):
    pipeline = chained(partial(map, chained(partial(kill_once, tmp_path), checkpoint(target))), list)
    run = partial(dsk.apply_to_local, pipeline, range(ITEMS), [add_checkpoints], npartitions=8, client=client)
    assert run() == [-n for n in range(ITEMS)]
    stored_before = {int(n) for n in (tmp_path / "killed").read_text().split()}
    found = counts(ran)
    assert set(found) == set(range(ITEMS))
    assert set(found.values()) <= {1, 2}, "what the dead worker had not stored is computed once more"
    assert all(found[n] == 1 for n in stored_before), "what it had stored is not"
    assert not target.verify()
    assert len(target) == ITEMS
    assert run() == apply(pipeline, range(ITEMS), [add_checkpoints]) == [-n for n in range(ITEMS)]
    assert counts(ran) == found


def end(n):
    os.kill(os.getpid(), signal.SIGKILL)


def test_the_error_of_a_step_that_no_worker_survives_names_it_and_what_was_stored_stays(ran, target):
    kept = chained(partial(map, partial(count, ran)), list, checkpoint(target))
    with cluster_of(1) as client:
        client.cluster.scheduler.allowed_failures = 0
        with pytest.raises(distributed.KilledWorker) as caught:
            dsk.apply_to_local(chained(kept, len, end), range(20), [add_checkpoints], client=client)
    (note,) = caught.value.__notes__
    assert note.startswith("in len-end: the workers that ran it ended abruptly")
    assert "memory_limit" in note
    assert apply(kept, range(20), [add_checkpoints]) == [-n for n in range(20)]
    assert counts(ran) == dict.fromkeys(range(20), 1)


def wait_but_in_one_part(folder, n):
    part = str(n // 10)
    with suppress(FileExistsError), open(f"{folder}.first", "x") as first:
        first.write(part)
    if Path(f"{folder}.first").read_text() != part:
        distributed.Event(str(folder)).wait()
    return count(folder, n)


def test_a_run_that_is_cancelled_in_the_middle_says_where_and_another_goes_on_there(client, ran, target):
    pipeline = chained(partial(map, chained(partial(wait_but_in_one_part, ran), checkpoint(target))), list)
    run = partial(dsk.apply_to_local, pipeline, range(40), npartitions=4, client=client)

    def cancel():
        client.cancel([distributed.Future(key, client) for key in list(client.futures)])

    canceller = Thread(target=cancel)
    begun = lambda event: event.kind == "stored" and canceller.ident is None and canceller.start()
    with pytest.raises(CancelledError) as caught:
        run([add_checkpoints, observe(begun)])
    canceller.join()
    (note,) = caught.value.__notes__
    assert note.startswith("in list: it was cancelled, as by a restart of the cluster")
    assert list(counts(ran).values()) == [1] * 10
    distributed.Event(str(ran), client).set()
    assert run([add_checkpoints]) == [-n for n in range(40)]
    assert counts(ran) == dict.fromkeys(range(40), 1), "what was stored is not computed again"


def test_a_target_in_memory_is_refused_before_anything_runs(client, ran):
    pipeline = chained(partial(count, ran), lambda n: [n], partial(map, chained(abs, checkpoint({}))), sum)
    with pytest.raises(StoreError, match=r"use DiskTarget\(path\), or RemoteTarget\(url\)"):
        dsk.apply_to_local(pipeline, 1, [add_checkpoints], client=client)
    assert not counts(ran)


def listen():
    """Keep what the package logs on a worker."""
    logger = logging.getLogger("flowly_ckpt")
    logger.heard = []
    handler = logging.Handler()
    handler.emit = lambda record: logger.heard.append(record.getMessage())
    logger.addHandler(handler)


def heard():
    return logging.getLogger("flowly_ckpt").heard


def test_a_worker_with_other_code_keeps_what_it_computes_to_itself_and_says_so(client, target, tmp_path, monkeypatch):
    for name, change in (("ours", "+ 1"), ("theirs", "+ 1000")):
        (tmp_path / name).mkdir()
        (tmp_path / name / "sent_steps.py").write_text(f"def step(n):\n    return n {change}\n")
    monkeypatch.syspath_prepend(str(tmp_path / "ours"))
    import sent_steps

    path = lambda folder: sys.path.insert(0, str(folder))
    client.wait_for_workers(2)
    workers = list(client.nthreads())
    for worker, name in zip(workers, ("theirs", "ours")):
        client.run(path, tmp_path / name, workers=[worker])
    client.run(listen)
    by_item = chained(partial(map, chained(sent_steps.step, checkpoint(target))), sum)
    whole = chained(partial(map, sent_steps.step), list, checkpoint(target, "whole"))
    for pipeline in (by_item, whole):
        dsk.apply_to_local(pipeline, range(60), [add_checkpoints], npartitions=20, client=client)
    ours = functional_hash(chained(sent_steps.step))
    kept = Counter((key[2] == ours, value < 1000) for key, value in target.items() if key[1] != "whole")
    assert set(kept) <= {(True, True), (False, False)}, "each under the key of the code that computed it"
    assert kept[False, False] > 0
    assert not [key for key in target if key[1] == "whole"], "made by both, it is stored under neither"
    assert "has another version of the code" in client.run(heard, workers=[workers[0]])[workers[0]][0]
    assert apply(by_item, range(60), [add_checkpoints]) == sum(range(1, 61))


def broken(n):
    raise ValueError(f"no {n}")


@pytest.mark.parametrize("order", [1, -1], ids=["observed first", "kept first"])
def test_events_of_workers_arrive_in_this_process(client, ran, target, order):
    events = []
    passes = [observe(events.append), add_checkpoints][::order]
    pipeline = chained(partial(map, chained(partial(count, ran), checkpoint(target))), sum)
    kinds = lambda of: Counter(event.kind for event in events if event.of == of and event.kind != "start")
    for kind in ("stored", "restored"):
        events.clear()
        assert dsk.apply_to_local(pipeline, range(40), passes, client=client, npartitions=4) == -sum(range(40))
        assert (kinds("item"), kinds("checkpoint")) == ({"run": 40}, {kind: 40})
        assert [event.step for event in events if event.kind == "run" and event.of == "step"][-1] == "sum"
    assert {event.key for event in events if event.key} == set(target)


def test_events_arrive_when_a_collection_is_computed_later_and_from_whoever_watches(client, target):
    events, watched = [], []
    by_item = partial(map, chained(abs, checkpoint(target)))
    made = dsk.apply(by_item, range(6), [observe(events.append), add_checkpoints])
    assert not [event for event in events if event.of == "checkpoint"]
    assert made.compute() == [*range(6)]
    assert Counter(event.kind for event in events if event.of == "checkpoint") == {"start": 6, "stored": 6}
    with observe(watched.append):
        dsk.apply_to_local(by_item, range(8), [add_checkpoints], client=client)
    assert Counter(event.kind for event in watched if event.of == "checkpoint") == {
        "restored": 6, "start": 2, "stored": 2,
    }  # fmt: skip


def test_the_event_of_a_step_that_fails_on_a_worker_arrives_too(client):
    events = []
    with pytest.raises(ValueError, match="no 1"):
        dsk.apply_to_local(partial(map, chained(broken)), [1], [observe(events.append)], client=client)
    assert [str(event.error) for event in events if event.of == "item" and event.kind == "failed"] == ["no 1"]
