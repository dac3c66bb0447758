"""Tasks on the real Prefect 3: one server of its own on loopback, with an SQLite file, for the whole module.

Run by test_tasks_prefect.py in a process of its own, since Prefect leaves threads and sockets behind in its process.
"""

from __future__ import annotations

import os
import pickle
import time
from pathlib import Path
from uuid import uuid4

import prefect
import pytest

from flowly_ckpt.tasks import Filestore, current_target, flow, gcontext, task


@pytest.fixture(scope="module", autouse=True)
def server(tmp_path_factory):
    """Prefect's own ephemeral server, in a home that is thrown away."""
    home = tmp_path_factory.mktemp("prefect")
    settings = {
        "PREFECT_HOME": str(home),
        "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
        "DO_NOT_TRACK": "1",
        "PREFECT_LOGGING_LEVEL": "ERROR",
        "PREFECT_LOGGING_TO_API_ENABLED": "false",
    }
    with pytest.MonkeyPatch.context() as patch:
        for name, value in settings.items():
            patch.setenv(name, value)
        from prefect.settings import (
            PREFECT_FLOWS_HEARTBEAT_FREQUENCY,
            PREFECT_HOME,
            PREFECT_LOGGING_LEVEL,
            temporary_settings,
        )
        from prefect.testing.utilities import prefect_test_harness

        with (
            temporary_settings(
                {
                    PREFECT_HOME: home,
                    PREFECT_LOGGING_LEVEL: "ERROR",
                    PREFECT_FLOWS_HEARTBEAT_FREQUENCY: None,  # a flow waits a second for its last one
                }
            ),
            prefect_test_harness(server_startup_timeout=200),
        ):
            yield


@pytest.fixture(autouse=True)
def folder(monkeypatch, tmp_path):
    """A folder to work in, with Prefect and files."""
    monkeypatch.setenv("PIPEX", "prefect.cache")
    monkeypatch.chdir(tmp_path)
    with gcontext.using(path="working", base="file1"):
        yield tmp_path


class Ran(list):
    """What ran, in order; no part of what the functions that note it do."""

    def __flowly_hash__(self):
        return "ran"


@pytest.fixture
def ran():
    return Ran()


def task_runs(flow_name):
    """What Prefect's own client knows of the task runs of a flow, in the end: their names and states.

    The server learns of them from a stream of events. One more task, after all the others, tells when it has.
    """
    last = f"last-{uuid4()}"
    marker = prefect.task(task_run_name=last)(lambda: None)
    prefect.flow(name=last)(lambda: marker())()
    deadline = time.monotonic() + 60
    while seen(last) != [(last, "Completed")] and time.monotonic() < deadline:
        time.sleep(0.05)
    return sorted(seen(flow_name))


def seen(flow_name):
    from prefect.client.orchestration import get_client
    from prefect.client.schemas.filters import FlowFilter, FlowFilterName

    chosen = FlowFilter(name=FlowFilterName(any_=[flow_name]))
    with get_client(sync_client=True) as client:
        # The server may know of a run before it knows its state.
        return [(run.name, run.state.name if run.state else "") for run in client.read_task_runs(flow_filter=chosen)]


def flow_states(flow_name):
    from prefect.client.orchestration import get_client
    from prefect.client.schemas.filters import FlowFilter, FlowFilterName

    with get_client(sync_client=True) as client:
        runs = client.read_flow_runs(flow_filter=FlowFilter(name=FlowFilterName(any_=[flow_name])))
        return [run.state.name for run in runs]


def pipeline(ran, name):
    """A flow of squares and their sum."""

    @task(target="{path}/square/{n}.pkl", name_template="sq_{n}")
    def square(n):
        ran.append(n)
        return n * n

    @task(name_template="add_{base}")
    def add(squares):
        ran.append("add")
        return sum(squares)

    @flow(name=name)
    def main(count):
        futures = [square.submit(n) for n in range(count)]
        total = add.submit(futures)
        return [type(future).__name__ for future in (*futures, total)], total.result()

    return main


def test_S3_8_prefect_alone_ignores_what_is_not_its_own(monkeypatch, folder, ran):
    monkeypatch.setenv("PIPEX", "prefect")

    @task(
        target="{path}/{n}", store=Filestore, save=False, name_template="a_{n}", skip=False, changed="rerun", retries=1
    )
    def square(n):
        ran.append(n)
        if len(ran) == 1:
            raise ValueError("the first time")
        return n * n

    @flow(name="S3.8")
    def main():
        return square(3) + square.submit(4).result() + sum(square.map([1, 2]).result())

    assert main() == 9 + 16 + 1 + 4
    assert (sorted(ran), os.listdir(folder)) == ([1, 2, 3, 3, 4], [])
    assert [name.split("-")[0] for name, state in task_runs("S3.8")] == ["square"] * 4


def test_S3_9_S3_16_missing_files_run_and_existing_ones_never_reach_the_scheduler(folder, ran):
    main = pipeline(ran, "S3.9")
    kinds, total = main(3)
    assert (kinds, total, total.load()) == (["PrefectConcurrentFuture"] * 4, Filestore("working/add/file1"), 5)
    assert sorted(ran, key=str) == [0, 1, 2, "add"]
    runs = [(name, "Completed") for name in ("add_file1", "sq_0", "sq_1", "sq_2")]
    assert task_runs("S3.9") == runs

    assert main(3) == (["Skipped"] * 4, total)
    assert (len(ran), task_runs("S3.9"), flow_states("S3.9")) == (4, runs, ["Completed", "Completed"])

    os.unlink("working/square/1.pkl")
    kinds, total = main(3)
    assert kinds == ["Skipped", "PrefectConcurrentFuture", "Skipped", "Skipped"]
    assert (ran[4:], pickle.loads(Path("working/square/1.pkl").read_bytes())) == ([1], 1)


def test_S3_9_a_task_that_is_called_returns_its_store(ran):
    @task(target="{path}/{n}.pkl", retries=2)
    def square(n):
        ran.append(n)
        if len(ran) < 3:
            raise ValueError("not yet")
        return n * n

    @task
    def add(one, other):
        return one + other

    @flow(name="called")
    def main():
        return add(square(3), other=square(4))

    assert main().load() == 25
    assert main() == Filestore("working/add/file1")
    assert ran == [3, 3, 3, 4]  # two retries
    assert len(task_runs("called")) == 3


def test_S3_9_a_failing_task_fails_as_prefect_has_it_and_leaves_no_file(ran):
    @task(target="{path}/{n}.pkl", name_template="bad_{n}")
    def fails(n):
        raise ZeroDivisionError("always")

    @flow(name="fails")
    def main():
        return fails.submit(1).result()

    with pytest.raises(ZeroDivisionError):
        main()
    assert (task_runs("fails"), flow_states("fails")) == ([("bad_1", "Failed")], ["Failed"])
    assert not Path("working/1.pkl").exists()


def test_the_place_is_that_of_the_moment_of_submission(ran):
    @task
    def where():
        return current_target()

    @flow(name="place")
    def main():
        futures = []
        for base in ("a", "b", "c"):
            with gcontext.using(base=base):
                futures.append(where.submit())
        return [future.result() for future in futures]

    places = [f"working/where/{base}" for base in "abc"]
    assert [(str(store), store.load()) for store in main()] == [(place, place) for place in places]


def test_a_task_can_be_named_after_one_that_has_not_run_yet(ran):
    @task(target="{path}/{n}.pkl")
    def square(n):
        return n * n

    @task(target="{os.path.dirname(x)}/next_to_{os.path.basename(x)}")
    def double(x):
        return 2 * x

    @flow(name="after")
    def main():
        return double.submit(square.submit(3)).result()

    assert (str(main()), main().load()) == ("working/next_to_3.pkl", 18)


def test_plain_prefect_tasks_and_these_take_each_others_futures(ran):
    @prefect.task
    def plain(x):
        return x.load() + 1 if isinstance(x, Filestore) else x + 1

    @task(target="{path}/{funcname}.pkl")
    def kept(x):
        return 10 * x

    @task(target="{path}/{funcname}_{x}.pkl")
    def named(x):
        return 100 * x

    @flow(name="mixed")
    def main():
        future = kept.submit(plain.submit(1))
        return plain.submit(future).result(), named.submit(plain.submit(4)).result()

    for _ in range(2):
        found, store = main()
        assert (found, str(store), store.load()) == (21, "working/named_5.pkl", 500)


def test_futures_can_be_returned_waited_for_and_mapped(ran):
    from prefect.futures import as_completed, wait

    @task(target="{path}/{n}.pkl")
    def square(n):
        ran.append(n)
        return n * n

    @flow(name="futures")
    def main():
        square(1)
        futures = square.map([1, 2, 3])
        assert not wait(list(futures)).not_done
        assert {future.result().loc for future in as_completed(list(futures))} == {
            f"working/{n}.pkl" for n in (1, 2, 3)
        }
        state = square.submit(1, return_state=True)
        assert (state.name, state.is_completed(), square(2, return_state=True).name) == ("Skipped", True, "Skipped")
        last = square.submit(4, wait_for=[*futures])
        return [*futures, last]

    assert [store.loc for store in (future.result() for future in main())] == [f"working/{n}.pkl" for n in range(1, 5)]
    assert flow_states("futures") == ["Completed"]
    assert sorted(ran) == [1, 2, 3, 4]


def test_with_skip_false_prefect_sees_every_task(ran):
    @task(target="{path}/{n}.pkl", skip=False, name_template="seen_{n}")
    def square(n):
        ran.append(n)
        return n * n

    @flow(name="seen")
    def main(n):
        return square.submit(n).result().load()

    assert (main(3), main(3), ran) == (9, 9, [3])
    assert task_runs("seen") == [("seen_3", "Completed")] * 2


def test_async_tasks_and_flows(ran):
    import asyncio

    @task(target="{path}/{n}.pkl")
    async def square(n):
        ran.append(n)
        return n * n

    @flow(name="async")
    async def main():
        return [(await square(n)).load() for n in (2, 3)]

    assert [asyncio.run(main()), asyncio.run(main())] == [[4, 9]] * 2
    assert ran == [2, 3]


def test_without_a_store_data_are_given_and_returned(folder):
    @task(target="{path}.pkl")
    def one():
        return 1

    @task(store=None)
    def add(x, y):
        return x + y

    @flow(name="no store")
    def main():
        return add(one(), 1), add.submit(one.submit(), 2).result()

    assert main() == (2, 3)


def test_save_false_returns_data(ran):
    @task(save=False, target="{path}.txt")
    def write(n):
        ran.append(n)
        Path(current_target()).write_text("x")
        return n

    @flow(name="data")
    def main():
        return write.submit(3).result()

    assert (main(), main(), ran) == (3, Filestore("working.txt"), [3])


def test_a_function_that_saves_its_own_output_is_told_where_by_prefect_alone_too(monkeypatch, folder):
    monkeypatch.setenv("PIPEX", "prefect")

    @task(save=False, target="{path}.txt")
    def write(n):
        Path(current_target()).write_text("x")
        return n

    @flow(name="own output")
    def main():
        return write.submit(3).result(), write(4)

    assert (main(), os.listdir(folder)) == ((3, 4), ["working.txt"])


class Loader:
    @task(target="{path}/{n}.pkl")
    def load(self, n):
        return n


def test_methods(ran):
    @flow(name="methods")
    def main():
        return Loader().load.submit(3).result(), Loader().load(4)

    assert [store.load() for store in main()] == [3, 4]


def test_a_flow_can_be_had_as_prefect_knows_it():
    @flow(name="known", retries=2)
    def main():
        return 1

    assert isinstance(main.prefect, prefect.Flow)
    assert (main.prefect.name, main.prefect.retries) == ("known", 2)
