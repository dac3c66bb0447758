"""Claims between processes, which are forks of this one: who is waited for, and for how long."""

from __future__ import annotations

import asyncio
import multiprocessing
import os
import signal
import sys
import threading
import warnings
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, nullcontext
from types import SimpleNamespace

import pytest

from flowly_ckpt.targets import DiskTarget, FileTarget, RemoteTarget, file_claims, regions
from flowly_ckpt.targets.claims import AllClaims, Claim, EnteredClaim
from flowly_ckpt.targets.file_claims import Claims, FileClaim
from flowly_ckpt.targets.recall import recall, recall_async

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="numbers are told by open file description locks")

KEY, OTHER, THIRD = ("0a", "first", "1b"), ("0a", "second", "1b"), ("0a", "third", "1b")
LONG = 60.0  # seconds, which no test waits


@pytest.fixture(autouse=True)
def _nothing_is_left():
    yield
    assert [file_claims.held, regions.opened, regions._open] == [{}, {}, set()]


@pytest.fixture
def forked():
    """Start forks of this process, each with an end of a pipe to talk to it; none is left."""
    fork = multiprocessing.get_context("fork")
    running = []

    def start(work):
        mine, its = fork.Pipe()
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)  # of forks beside threads
            running.append(fork.Process(target=work, args=(its,), daemon=True))
            running[-1].start()
        its.close()
        return running[-1], mine

    yield start
    for process in running:
        process.kill()
        process.join()


def told(pipe):
    assert pipe.poll(LONG), "nothing was said"
    return pipe.recv()


@pytest.fixture
def on_machine(monkeypatch):
    """Change the name of the machine."""

    def be(name):
        monkeypatch.setattr(os, "uname", lambda: SimpleNamespace(nodename=name))
        look_again()

    def look_again():
        file_claims._machine.cache_clear()
        file_claims._start_anew()

    yield be
    monkeypatch.undo()
    look_again()


@pytest.fixture
def holder(forked, tmp_path, on_machine):
    """A process of the machine "one" that holds the claim on a key, with the pipe that lets it go on."""

    def hold(pipe):
        with Claims(f"{tmp_path}/claims.lock").claim(KEY):
            pipe.send("held")
            pipe.recv()
        pipe.send("free")

    on_machine("one")
    process, pipe = forked(hold)
    assert told(pipe) == "held"
    return process, pipe


@pytest.fixture
def impatient(monkeypatch):
    """Let whoever waits look at once at what the holder does."""
    monkeypatch.setattr(FileClaim, "look", 0.0)
    monkeypatch.setattr(FileClaim, "suspicion", 0.0)


def attempts(claim, most=10):
    """Count the attempts until somebody is not waited for any longer, at most so many; it is given back."""
    try:
        return sum(1 for _, _ in zip(range(most), claim.waits(), strict=False))
    finally:
        claim.release()


def warned(work):
    """Return what work gives, and the warnings."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        return work(), [str(each.message) for each in caught]


# one holds it


def test_one_process_holds_a_claim_until_it_gives_it_back(tmp_path, holder):
    claims = Claims(f"{tmp_path}/claims.lock")
    assert claims.is_claimed(KEY)
    assert not claims.is_claimed(OTHER)
    holder[1].send("go on")
    assert told(holder[1]) == "free"
    assert not claims.is_claimed(KEY)


def test_a_claim_given_back_beside_others_is_free_for_other_processes(tmp_path, forked):
    claims = Claims(f"{tmp_path}/claims.lock")

    def ask(pipe):
        pipe.send([claims.is_claimed(key) for key in (KEY, OTHER)])

    with claims.claim(KEY):
        with claims.claim(OTHER):
            assert told(forked(ask)[1]) == [True, True]
        assert told(forked(ask)[1]) == [True, False]
    assert told(forked(ask)[1]) == [False, False]


def test_a_thread_that_asks_twice_holds_it_until_the_first_gives_it_back(tmp_path, forked):
    claims = Claims(f"{tmp_path}/claims.lock")
    with claims.claim(KEY):
        assert attempts(claims.claim(KEY)) == 0
        assert told(forked(lambda pipe: pipe.send(claims.is_claimed(KEY)))[1])


@pytest.mark.parametrize("key", [("a", "\udc80", "b"), ("\0", "a\0b", "c"), ("é", "../..", "x" * 5000)])
def test_any_three_strings_are_claimed(tmp_path, key):
    claims = Claims(f"{tmp_path}/claims.lock")
    with claims.claim(key):
        assert claims.is_claimed(key)
        assert not claims.is_claimed(KEY)


@pytest.mark.parametrize("beside", [False, True])
def test_a_file_with_a_root_is_gone_with_its_folders_after_use(tmp_path, beside):
    claims = Claims(f"{tmp_path}/a/b/claims.lock", root=str(tmp_path / "a"))
    with claims.claim(KEY):
        assert os.path.exists(claims.path)
        if beside:
            (tmp_path / "a" / "beside").touch()
    assert os.listdir(tmp_path / "a") == (["beside"] if beside else [])
    stays = Claims(f"{tmp_path}/stays.lock")
    assert not stays.is_claimed(KEY)
    assert os.path.exists(stays.path)


@pytest.mark.parametrize("mode", [0o700, 0o770])
def test_others_may_use_the_file_as_far_as_its_mode_says(tmp_path, mode):
    before = os.umask(0)
    try:
        with Claims(f"{tmp_path}/folder/claims.lock", mode=mode).claim(KEY) as claim:
            assert os.stat(claim.path).st_mode & 0o777 == mode & 0o666
            assert os.stat(tmp_path / "folder").st_mode & 0o777 == mode
    finally:
        os.umask(before)


def test_what_has_been_held_is_given_back_when_the_wait_for_the_next_is_interrupted(tmp_path):
    class Interrupted(Claim):
        def waits(self):
            yield 0.0
            raise KeyboardInterrupt

    claims = Claims(f"{tmp_path}/claims.lock")
    with pytest.raises(KeyboardInterrupt):
        AllClaims([claims.claim(KEY), Interrupted()]).__enter__()
    assert not claims.is_claimed(KEY)


def test_several_claims_are_shared_if_one_is():
    shared = EnteredClaim(nullcontext())
    assert AllClaims([Claim(), shared]).is_shared
    assert not AllClaims([Claim(), Claim()]).is_shared


def test_what_one_of_several_claims_raises_keeps_none_of_the_others_held(tmp_path):
    class Broken(Claim):
        def release(self):
            raise ValueError("broken")

    claims = Claims(f"{tmp_path}/claims.lock")
    with pytest.raises(ValueError, match="broken"), AllClaims([claims.claim(KEY), Broken(), claims.claim(OTHER)]):
        assert claims.is_claimed(KEY)
    assert not claims.is_claimed(KEY)
    assert not claims.is_claimed(OTHER)


def test_a_claim_of_ones_own_is_left_when_its_work_is_done():
    seen = []

    @contextmanager
    def own():
        seen.append("entered")
        yield
        seen.append("left")

    with EnteredClaim(own()) as claim:
        assert seen == ["entered"]
    assert seen == ["entered", "left"], claim


# others wait for it


def test_who_does_not_wait_any_longer_is_told_for_whom_and_for_what(tmp_path, holder, caplog):
    claims = Claims(f"{tmp_path}/claims.lock", timeout=0.0)
    assert attempts(claims.claim(KEY)) == 1
    assert f"process {holder[0].pid} still computes {KEY} after 0 s" in caplog.text
    assert attempts(claims._replace(timeout=LONG).claim(KEY)) == 10


def test_what_computes_on_another_machine_is_told(tmp_path, holder, on_machine, caplog):
    on_machine("two")
    assert attempts(Claims(f"{tmp_path}/claims.lock", timeout=0.0).claim(KEY)) == 1
    assert f"process {holder[0].pid} on another machine still computes" in caplog.text


@pytest.mark.parametrize("elsewhere", [False, True])
@pytest.mark.usefixtures("impatient")
def test_only_what_is_stopped_on_this_machine_is_not_waited_for(tmp_path, holder, on_machine, caplog, elsewhere):
    claim = Claims(f"{tmp_path}/claims.lock").claim(KEY)
    os.kill(holder[0].pid, signal.SIGSTOP)
    os.waitid(os.P_PID, holder[0].pid, os.WSTOPPED | os.WNOWAIT)
    if elsewhere:
        on_machine("two")
    assert attempts(claim) == (10 if elsewhere else 1)
    assert (f"is stopped while it computes {KEY} after" in caplog.text) is not elsewhere
    os.kill(holder[0].pid, signal.SIGCONT)


@pytest.mark.usefixtures("impatient")
def test_what_lives_and_was_not_started_for_it_is_waited_for(tmp_path, holder, forked):
    claims = Claims(f"{tmp_path}/claims.lock")
    assert attempts(claims.claim(KEY)) == 10, "by its parent"
    assert told(forked(lambda pipe: pipe.send(attempts(claims.claim(KEY))))[1]) == 10, "by another child"
    with claims.claim(OTHER):
        found, lines = told(forked(lambda pipe: pipe.send(warned(lambda: attempts(claims.claim(OTHER)))))[1])
        assert found == 1, "by a child of its holder"
        assert [line.count(str(OTHER)) for line in lines] == [2]


def test_who_was_started_by_its_holder_waits_a_while(tmp_path, forked, monkeypatch):
    monkeypatch.setattr(FileClaim, "look", 0.0)
    claims = Claims(f"{tmp_path}/claims.lock")
    with claims.claim(KEY):
        assert told(forked(lambda pipe: pipe.send(attempts(claims.claim(KEY))))[1]) == 10


@pytest.mark.usefixtures("impatient")
def test_what_is_computed_is_waited_for_in_a_file_that_has_lost_its_name(tmp_path, holder):
    claims = Claims(f"{tmp_path}/claims.lock")
    with claims.claim(OTHER):
        os.unlink(claims.path)
        assert attempts(claims.claim(KEY)) == 10


def test_what_was_asked_for_in_a_file_that_has_lost_its_name_is_free_there(tmp_path, forked):
    claims = Claims(f"{tmp_path}/claims.lock")

    def ask(pipe):
        with claims.claim(THIRD):
            pipe.send("open")
            pipe.recv()
            pipe.send(claims.is_claimed(OTHER))

    pipe = forked(ask)[1]
    assert told(pipe) == "open"
    with claims.claim(KEY):
        os.unlink(claims.path)
        with claims.claim(OTHER):
            assert os.path.exists(claims.path), "a new one, in which it is held"
        pipe.send("go on")
        assert not told(pipe)


def test_where_no_file_can_be_made_nothing_is_claimed_and_nobody_waits(tmp_path):
    claims = Claims(str(tmp_path))
    with claims.claim(KEY):
        assert not claims.is_claimed(KEY)


# nobody waits for what waits for him


def by_another_thread(work):
    """Let another thread work while this one waits for it."""
    found = []
    thread = threading.Thread(target=lambda: found.append(work()))
    thread.start()
    thread.join()
    return found[0]


@pytest.mark.usefixtures("impatient")
def test_a_thread_does_not_wait_for_one_that_waits_for_it(tmp_path):
    claims, most = Claims(f"{tmp_path}/claims.lock"), 10**6

    def ask():
        return warned(lambda: attempts(claims.claim(KEY), most))

    with claims.claim(KEY):
        found, lines = by_another_thread(ask)
    assert found < most
    assert [line.count(str(KEY)) for line in lines] == [2]


@pytest.mark.usefixtures("impatient")
def test_a_thread_waits_for_one_that_does_not_wait_for_it(tmp_path):
    claims, held, over = Claims(f"{tmp_path}/claims.lock"), threading.Event(), threading.Event()

    def hold():
        with claims.claim(KEY):
            held.set()
            over.wait()

    thread = threading.Thread(target=hold)
    thread.start()
    held.wait()
    with claims.claim(OTHER):
        assert attempts(claims.claim(KEY)) == 10
    over.set()
    thread.join()
    assert attempts(claims.claim(KEY)) == 0


@pytest.mark.parametrize("kind", [DiskTarget, FileTarget])
@pytest.mark.parametrize("names", [("store", "store"), ("a", "b")], ids=["one store", "two stores"])
def test_two_processes_that_wait_for_each_other_go_on(tmp_path, forked, kind, names):
    def crossing(first, second):
        def work(pipe):
            here, there = (kind(tmp_path / name) for name, _ in (first, second))

            def compute():
                pipe.send("computing")
                pipe.recv()
                return 1 + recall(there, second[1], lambda: 10)

            pipe.send(warned(lambda: recall(here, first[1], compute)))

        return work

    a, b = (names[0], KEY), (names[1], OTHER)
    pipes = [forked(crossing(*both))[1] for both in ((a, b), (b, a))]
    assert [told(pipe) for pipe in pipes] == ["computing", "computing"]
    for pipe in pipes:
        pipe.send("go on")
    found = [told(pipe) for pipe in pipes]
    assert {value for value, _ in found} <= {11, 12}
    assert any(str(KEY) in line and str(OTHER) in line for _, lines in found for line in lines), found


def test_a_process_waits_for_a_thread_although_another_one_beside_it_waits_for_the_process(
    tmp_path, forked, monkeypatch
):
    monkeypatch.setattr(FileClaim, "look", 0.0)
    claims = Claims(f"{tmp_path}/claims.lock")

    def hold(pipe):
        held, over = threading.Event(), threading.Event()

        def work():
            with claims.claim(KEY):
                held.set()
                over.wait()

        threading.Thread(target=work).start()
        held.wait()
        waiting = claims.claim(OTHER)
        pauses = waiting.waits()
        for _ in range(10):
            next(pauses)
        pipe.send("waiting")
        pipe.recv()
        over.set()

    with claims.claim(OTHER):
        pipe = forked(hold)[1]
        assert told(pipe) == "waiting"
        assert attempts(claims.claim(KEY)) == 10
        pipe.send("go on")


@pytest.mark.parametrize("named", [True, False])
@pytest.mark.parametrize("still", [True, False])
def test_who_waits_no_longer_is_waited_for(tmp_path, forked, monkeypatch, still, named):
    monkeypatch.setattr(FileClaim, "look", 0.0)
    claims = Claims(f"{tmp_path}/claims.lock")

    def hold(pipe):
        with claims.claim(KEY):
            waiting = claims.claim(OTHER)
            pauses = waiting.waits()
            next(pauses)
            if not named:
                os.unlink(claims.path)
            for _ in range(10):
                next(pauses)
            if not still:
                pauses.close()
                waiting.release()
            pipe.send("waiting" if still else "no longer")
            pipe.recv()

    with claims.claim(OTHER):
        pipe = forked(hold)[1]
        assert told(pipe) == ("waiting" if still else "no longer")
        found, lines = warned(lambda: attempts(claims.claim(KEY)))
        assert found == (1 if still else 10)
        assert [line.count(str(OTHER)) for line in lines] == ([1] if still else [])
        pipe.send("go on")


def leased(folder):
    pytest.importorskip("fsspec")
    return RemoteTarget(f"file://{folder}", lease=30.0)


def test_a_task_is_taken_to_wait_for_another_one_of_its_loop_after_a_while(tmp_path):
    held, waiting = (FileClaim(f"{tmp_path}/claims.lock", key, LONG) for key in (KEY, OTHER))
    held.computes, waiting.is_awaited = ("a place",), True
    assert [held.is_stuck(waiting, waited) for waited in (1.0, 10.0)] == [False, True]


def test_a_child_that_is_forked_while_leases_are_renewed_takes_its_own(tmp_path, forked):
    claim = leased(tmp_path).claim(KEY)
    with claim.leases._guard:
        pipe = forked(lambda pipe: pipe.send((claim.lock(), claim.release())))[1]
        assert told(pipe) == (True, None)


@pytest.mark.skipif(not os.path.exists("/proc/locks"), reason="only the files that are open here tell who waits")
def test_a_circle_through_stores_that_nobody_has_all_open_goes_on(tmp_path, forked):
    count = 4

    def link(number):
        def work(pipe):
            mine, following = ((str(n % count), "tag", "f") for n in (number, number + 1))
            here, there = (DiskTarget(tmp_path / key[0]) for key in (mine, following))

            def compute():
                pipe.send("computing")
                pipe.recv()
                return 1 + recall(there, following, lambda: 10)

            pipe.send(warned(lambda: recall(here, mine, compute)))

        return work

    pipes = [forked(link(number))[1] for number in range(count)]
    assert [told(pipe) for pipe in pipes] == ["computing"] * count
    for pipe in pipes:
        pipe.send("go on")
    found = [told(pipe) for pipe in pipes]
    assert {value for value, _ in found} <= {10 + n for n in range(1, count + 1)}
    assert any("would never end" in line for _, lines in found for line in lines), found


class Crossing:
    """What one process computes in several threads: each key when all of them have begun, and then others."""

    def __init__(self, store, threads):
        self.target = DiskTarget(store)
        self.begun = threading.Barrier(threads + 1)
        self.go_on = threading.Event()

    def get(self, key, then=lambda: 0, target=None):
        def compute():
            if not self.go_on.is_set():
                self.begun.wait(LONG)
                self.go_on.wait(LONG)
            return 1 + then()

        return recall(self.target if target is None else target, key, compute)

    def here(self):
        """The first waits for the second, which the other process computes."""
        return self.get(KEY, lambda: self.get(OTHER))

    def threads(self, target=None):
        """The second waits for the third, which another thread computes, and which waits for the first."""
        with ThreadPoolExecutor(2) as pool:
            third = pool.submit(self.get, THIRD, lambda: self.get(KEY), target)
            second = pool.submit(self.get, OTHER, lambda: self.get(THIRD, target=target))
            return second.result() + third.result()

    def flights(self):
        """As before, but the third is computed in a dict, so that only this process knows of it."""
        return self.threads({})

    def worker(self):
        """The second waits for a thread of a pool, which waits for the first."""

        def ask():
            with ThreadPoolExecutor(1) as pool:
                return pool.submit(self.get, KEY).result()

        return self.get(OTHER, ask)


@pytest.mark.parametrize("way", ["threads", "flights", "worker"])
def test_a_circle_through_threads_and_processes_goes_on(tmp_path, forked, way):
    def crossing(name, threads):
        def work(pipe):
            mine = Crossing(tmp_path / "store", threads)

            def begin():
                mine.begun.wait(LONG)
                pipe.send("computing")
                pipe.recv()
                mine.go_on.set()

            threading.Thread(target=begin).start()
            pipe.send(warned(getattr(mine, name)))

        return work

    pipes = [forked(crossing("here", 1))[1], forked(crossing(way, 1 if way == "worker" else 2))[1]]
    assert [told(pipe) for pipe in pipes] == ["computing", "computing"]
    for pipe in pipes:
        pipe.send("go on")
    found = [told(pipe) for pipe in pipes]
    assert all(value > 0 for value, _ in found), found
    assert any("would never end" in line for _, lines in found for line in lines), found


@pytest.mark.parametrize("kind", [DiskTarget, leased])
def test_a_task_that_waits_holds_up_no_other_task_of_its_loop(tmp_path, forked, monkeypatch, kind):
    target = kind(tmp_path)
    claim = type(target.claim(KEY))
    monkeypatch.setattr(claim, "look", 0.0)
    circle = claim.circle

    def ask(pipe):
        claims = kind(tmp_path)
        with claims.claim(OTHER):
            pipe.send("held")
            pipe.recv()
            pipe.send(warned(lambda: attempts(claims.claim(KEY))))
            pipe.recv()

    pipe = forked(ask)[1]

    async def both():
        begun, over, looked = asyncio.Event(), asyncio.Event(), asyncio.Event()

        def look(claim, waited):
            found = circle(claim, waited)
            looked.set()
            return found

        async def compute():
            begun.set()
            await over.wait()
            return "computed"

        monkeypatch.setattr(claim, "circle", look)
        first = asyncio.create_task(recall_async(target, KEY, compute))
        await begun.wait()
        second = asyncio.create_task(recall_async(target, OTHER, compute))
        await looked.wait()
        pipe.send("ask")
        found = await asyncio.to_thread(told, pipe)
        looked.clear()
        await looked.wait()
        assert not second.done()
        over.set()
        pipe.send("go on")
        return found, await first, await second

    assert told(pipe) == "held"
    assert warned(lambda: asyncio.run(both())) == (((10, []), "computed", "computed"), [])
