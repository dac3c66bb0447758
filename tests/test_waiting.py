"""Nobody waits for what waits for him: among threads, tasks and processes; nor long for a process that was stopped."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import threading
import time
import warnings
from concurrent.futures import ThreadPoolExecutor
from multiprocessing.pool import ThreadPool

import pytest
from runs import ENVIRONMENT, run_script

from flowly_ckpt.errors import StoreWarning
from flowly_ckpt.targets import DiskTarget
from flowly_ckpt.targets.recall import recall, recall_async
from flowly_ckpt.targets.waiting import waits

A, B = ("0a", "first", "1b"), ("0a", "second", "1b")


@pytest.fixture(autouse=True)
def _nobody_is_left_waiting():
    yield
    assert not waits


def within(seconds, work):
    """Run work in a thread; return what it gives and the warnings, or fail when it takes longer."""
    found = []
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        thread = threading.Thread(target=lambda: found.append(work()), daemon=True)
        thread.start()
        thread.join(seconds)
    assert found, f"still waiting after {seconds} s"
    return found[0], [str(w.message) for w in caught if issubclass(w.category, StoreWarning)]


def test_two_threads_that_wait_for_each_other_go_on(tmp_path):
    target, meet = DiskTarget(tmp_path / "store"), threading.Barrier(2)

    def compute(other):
        def first():
            meet.wait()
            return 1 + recall(target, other, lambda: 10)

        return first

    def both():
        with ThreadPoolExecutor(2) as pool:
            one = pool.submit(recall, target, A, compute(B))
            two = pool.submit(recall, target, B, compute(A))
            return {one.result(), two.result()}

    found, told = within(60, both)
    assert found <= {11, 12}
    assert any(str(A) in line and str(B) in line for line in told), told
    target.close()


def by_thread(work):
    found = []
    thread = threading.Thread(target=lambda: found.append(work()))
    thread.start()
    thread.join()
    return found[0]


def by_event(work):
    found, over = [], threading.Event()

    def run():
        found.append(work())
        over.set()

    threading.Thread(target=run).start()
    over.wait()
    return found[0]


def by_executor(work):
    with ThreadPoolExecutor(1) as pool:
        return next(pool.map(lambda _: work(), [0]))


@pytest.fixture(params=["thread", "event", "executor", "old executor", "old pool"])
def hand(request):
    """What hands work to another thread; those of the old ones were started before."""
    with ThreadPoolExecutor(1) as executor, ThreadPool(1) as pool:
        executor.submit(int).result()
        hands = {
            "thread": by_thread, "event": by_event, "executor": by_executor,
            "old executor": lambda work: executor.submit(work).result(), "old pool": pool.apply,
        }  # fmt: skip
        yield hands[request.param]


@pytest.mark.parametrize("kind", [DiskTarget, dict])
def test_a_worker_that_asks_for_what_its_own_step_computes_computes_it(tmp_path, hand, kind):
    target = DiskTarget(tmp_path / "store") if kind is DiskTarget else {}
    found, told = within(60, lambda: recall(target, A, lambda: hand(lambda: recall(target, A, lambda: 1)) + 1))
    assert found == 2
    assert any("would never end" in line and str(A) in line for line in told), told
    getattr(target, "close", int)()


def test_threads_that_ask_while_a_pool_computes_do_not_compute_it_too(tmp_path):
    """The owner waits for workers of its own, but not for those who ask."""
    target, runs = {}, []

    def compute():
        runs.append(1)
        with ThreadPoolExecutor(1) as pool:
            return pool.submit(lambda: time.sleep(1.5) or 1).result()

    with warnings.catch_warnings(), ThreadPoolExecutor(4) as pool:
        warnings.simplefilter("error")
        assert list(pool.map(lambda _: recall(target, A, compute), range(4))) == [1] * 4
    assert runs == [1]


def test_two_tasks_that_wait_for_each_other_go_on():
    import asyncio

    target = {}

    async def main():
        meet = asyncio.Event()
        begun = []

        async def compute(other):
            begun.append(other)
            if len(begun) == 2:
                meet.set()
            await meet.wait()

            async def ten():
                return 10

            return 1 + await recall_async(target, other, ten)

        return await asyncio.wait_for(
            asyncio.gather(
                recall_async(target, A, lambda: compute(B)), recall_async(target, B, lambda: compute(A))
            ), 10
        )  # fmt: skip

    assert set(asyncio.run(main())) <= {11, 12}


def test_a_task_whose_thread_asks_for_what_it_computes_goes_on():
    import asyncio

    target = {}

    async def compute():
        return 1 + await asyncio.to_thread(recall, target, A, lambda: 1)

    assert asyncio.run(asyncio.wait_for(recall_async(target, A, compute), 10)) == 2


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
@pytest.mark.parametrize("method", ["fork", "spawn"])
def test_a_worker_process_that_asks_for_what_its_own_step_computes_computes_it(tmp_path, method):
    code = """
    import multiprocessing, sys, warnings
    from flowly_ckpt.targets import DiskTarget
    from flowly_ckpt.targets.recall import recall

    KEY = ("0a", "tag", "1b")

    def inner():
        return 1

    def ask():
        warnings.simplefilter("ignore")
        return recall(DiskTarget("store"), KEY, inner)

    def step():
        with multiprocessing.get_context(sys.argv[1]).Pool(1) as pool:
            return pool.apply(ask) + 1

    if __name__ == "__main__":
        print(recall(DiskTarget("store"), KEY, step))
    """
    assert run_script(tmp_path, code, method).stdout == "2\n"


STOPPED = """
    import os, signal, sqlite3, sys
    connection = sqlite3.connect("store/index.sqlite", isolation_level=None)
    connection.execute("begin immediate")
    print("ready", flush=True)
    sys.stdin.readline()
"""


@pytest.mark.skipif(not hasattr(signal, "SIGSTOP"), reason="needs SIGSTOP")
def test_a_stopped_writer_costs_the_others_a_few_seconds_once(tmp_path):
    import textwrap

    target = DiskTarget(tmp_path / "store")
    target[A] = 1
    process = subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(STOPPED)], cwd=tmp_path, text=True,
        stdin=subprocess.PIPE, stdout=subprocess.PIPE,
    )  # fmt: skip
    assert process.stdout.readline() == "ready\n"
    process.send_signal(signal.SIGSTOP)
    try:
        start = time.monotonic()
        for number in range(10):
            with pytest.warns(StoreWarning, match="did not store"):
                assert recall(target, (str(number), "t", "f"), lambda number=number: bytes(number * 9_000)) is not None
            assert target[A] == 1
        assert time.monotonic() - start < 40  # five seconds for each would be fifty
    finally:
        process.send_signal(signal.SIGCONT)
        process.communicate("go\n", timeout=100)
    target["after", "t", "f"] = 2
    assert target["after", "t", "f"] == 2
    target.close()


@pytest.mark.skipif(not os.path.isdir("/proc/self"), reason="needs /proc")
def test_a_stopped_holder_of_a_claim_is_not_waited_for_long(tmp_path, caplog):
    code = """
    import sys
    from flowly_ckpt.targets import DiskTarget
    with DiskTarget("store").claim(("0a", "first", "1b")):
        print("ready", flush=True)
        sys.stdin.readline()
    """
    import textwrap

    process = subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(code)], cwd=tmp_path, env=ENVIRONMENT, text=True,
        stdin=subprocess.PIPE, stdout=subprocess.PIPE,
    )  # fmt: skip
    assert process.stdout.readline() == "ready\n"
    process.send_signal(signal.SIGSTOP)
    try:
        target = DiskTarget(tmp_path / "store")
        assert within(60, lambda: recall(target, A, lambda: 1))[0] == 1
        assert re.search(rf"process {process.pid} .*stopped", caplog.text)
        target.close()
    finally:
        process.send_signal(signal.SIGCONT)
        process.communicate("go\n", timeout=100)
