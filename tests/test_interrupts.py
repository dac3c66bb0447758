"""Ctrl-C at random moments: no claim, flight, connection or file stays behind, and nobody waits for what is gone."""

from __future__ import annotations

import signal

import pytest
from runs import run_script

SCRIPT = """
    import gc, os, random, signal, sys, threading, time, warnings
    from flowly_ckpt.targets import DiskTarget, FileTarget, file_claims, regions, single_flight
    from flowly_ckpt.targets.bulk import together
    from flowly_ckpt.targets.recall import recall

    signal.signal(signal.SIGINT, signal.default_int_handler)  # what a shell starts behind ignores it
    kind, count = sys.argv[1], int(sys.argv[2])
    kind, _, many = kind.partition(" ")
    target = {"DiskTarget": DiskTarget, "FileTarget": FileTarget}[kind]("store") if kind != "dict" else {}
    values = random.Random(1)
    numbers = iter(range(10**9))

    def some():
        def work(batch):
            for number in (next(numbers), next(numbers), next(numbers)):
                batch.once(target, (str(number), "tag", "f"), lambda: [number] * (20 if number % 3 else 9000), {})
        together(work, single_flight.landings_elsewhere())

    def step():
        if many:
            return some()
        number = next(numbers)
        recall(target, (str(number), "tag", "f"), lambda: [number] * (20 if number % 3 else 9000))
        recall(target, (str(number), "tag", "f"), lambda: None)
        if number % 7 == 0:
            del target[str(number), "tag", "f"]

    for _ in range(20):
        step()
    start = time.perf_counter()
    for _ in range(20):
        step()
    span = (time.perf_counter() - start) / 20

    asked, over = threading.Semaphore(0), False

    def interrupt():
        while True:
            asked.acquire()
            if over:
                return
            end = time.perf_counter() + values.uniform(0, 3 * span)
            while time.perf_counter() < end:
                pass
            os.kill(os.getpid(), signal.SIGINT)

    sys.setswitchinterval(1e-5)
    thread = threading.Thread(target=interrupt, daemon=True)
    thread.start()
    opened = len(os.listdir("/proc/self/fd")) if os.path.isdir("/proc/self/fd") else 0
    caught = 0
    for _ in range(count):
        try:
            asked.release()
            while True:
                step()
        except KeyboardInterrupt:
            caught += 1
        assert not single_flight._flights, single_flight._flights
        assert not file_claims.held and not regions.opened, (file_claims.held, regions.opened)
        assert not single_flight._guard.locked() and not regions.guard._is_owned()
    assert caught == count
    over = True
    asked.release()
    thread.join()
    if kind == "DiskTarget":
        index = target._entries.index
        gc.collect()  # a connection and its cache of statements hold each other
        assert len(index._all) <= 1, index._all
        assert not any(connection.in_transaction for connection in index._all)
        target.close()
        assert not list(index._all)
    left = (len(os.listdir("/proc/self/fd")) if opened else 0) - opened
    links = [f"/proc/self/fd/{number}" for number in os.listdir("/proc/self/fd")] if opened else []
    assert left <= 0, sorted(os.readlink(link) for link in links if os.path.lexists(link))
    if kind != "dict":
        begin = time.monotonic()
        for number in range(next(numbers)):
            key = (str(number), "tag", "f")
            found = target.get(key)
            assert found is None or found[0] == number
        recall(target, ("after", "tag", "f"), lambda: 1)
        assert time.monotonic() - begin < 30
        target.gc(older_than=0)
        names = [name for _, _, names in os.walk("store") for name in names]
        left = [name for name in names if ".tmp-" in name]
        assert not left, left
    print("held")
"""


@pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="signals as POSIX has them")
@pytest.mark.parametrize("kind", ["DiskTarget", "FileTarget", "dict", "DiskTarget many"])
def test_an_interrupt_at_any_moment_releases_everything(tmp_path, kind):
    assert run_script(tmp_path, SCRIPT, kind, "400").stdout == "held\n"
