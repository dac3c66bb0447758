"""recall: the one place where a result is looked up or stored."""

from __future__ import annotations

import asyncio
import io
import itertools
import sys
import threading
import traceback
import warnings
from concurrent.futures import ThreadPoolExecutor
from pickle import PickleBuffer

import pytest
from runs import needs_loop, needs_processes, needs_threads, run_script

from flowly_ckpt import add_checkpoints, chained, checkpoint
from flowly_ckpt.errors import FlowlyError, MutationWarning, StoreWarning, UnhashableError
from flowly_ckpt.events import watching
from flowly_ckpt.hashing import ignore_globals
from flowly_ckpt.targets import DiskTarget, FileTarget, Serialized, pickled
from flowly_ckpt.targets.bulk import together
from flowly_ckpt.targets.claims import Claim
from flowly_ckpt.targets.filesystem import digest_of
from flowly_ckpt.targets.materialise import materialise
from flowly_ckpt.targets.protocol import as_target
from flowly_ckpt.targets.recall import MISSING, lookup, recall, recall_async
from flowly_ckpt.targets.single_flight import Flight, board, landings_elsewhere, own_copy
from flowly_ckpt.targets.steady import digest_noted, is_steady, note, noted
from flowly_ckpt.targets.wrappers import Wrapper

KEY = ("object", "tag", "transform")


class Refusing(dict):
    def __setitem__(self, key, value):
        raise OSError("no space left")


class HalfWay(dict):
    def __setitem__(self, key, value):
        super().__setitem__(key, value)
        raise OSError("no space left")


class Unreadable(dict):
    def __getitem__(self, key):
        raise EOFError("ran out of input")


def in_threads(count, work):
    """Run ``work`` in threads that all begin together; return what each gave or raised."""
    results, barrier = [], threading.Barrier(count)

    def run():
        barrier.wait()
        try:
            results.append(work())
        except Exception as error:  # noqa: BLE001  it is the result
            results.append(error)

    threads = [threading.Thread(target=run) for _ in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    return results


def test_none_is_a_value():
    target = {}
    assert recall(target, KEY, lambda: None) is None
    assert recall(target, KEY, lambda: 1) is None


def test_what_compute_raises_passes_unchanged_and_leaves_nothing():
    error, target = ValueError("mine"), {}

    def compute():
        raise error

    with pytest.raises(ValueError, match="mine") as caught:
        recall(target, KEY, compute)
    assert caught.value is error
    assert target == {}
    assert recall(target, KEY, lambda: 1) == 1


@pytest.mark.parametrize("kind", [Refusing, HalfWay])
def test_a_target_that_cannot_store_costs_only_the_storing(kind):
    target = kind()
    with pytest.warns(StoreWarning, match="did not store the result at 'tag': OSError: no space left"):
        assert recall(target, KEY, lambda: [1]) == [1]
    assert not target


def test_a_changed_value_that_cannot_be_removed_is_not_taken_for_good():
    class Undeletable(dict):
        def __delitem__(self, key):
            raise KeyError(key)

    target = Undeletable()
    recall(target, KEY, lambda: [1]).append(2)
    with pytest.warns(MutationWarning):
        assert recall(target, KEY, lambda: [1]) == [1]
    assert recall(target, KEY, lambda: [3]) == [1]


def test_a_value_that_was_changed_in_place_is_gone_even_where_it_cannot_be_computed_again():
    target = {}
    recall(target, KEY, lambda: [1]).append(2)
    with pytest.warns(MutationWarning), pytest.raises(ZeroDivisionError):
        recall(target, KEY, lambda: 1 / 0)
    assert target == {}


def test_an_entry_that_cannot_be_read_is_computed_again():
    with pytest.warns(StoreWarning, match="could not restore 'tag'.*EOFError"):
        assert recall(Unreadable(), KEY, lambda: 1) == 1


@pytest.mark.parametrize(
    ("unstorable", "why"),
    [
        (itertools.count, "never ends"),
        (lambda: itertools.cycle("ab"), "never ends"),
        (lambda: itertools.repeat(1), "never ends"),
        (io.StringIO, "open file"),
    ],
)
def test_what_cannot_be_a_result_is_handed_on_and_not_stored(unstorable, why):
    target, value = {}, unstorable()
    with pytest.warns(StoreWarning, match=why):
        assert recall(target, KEY, lambda: value) is value
    assert not target


def test_a_coroutine_is_never_stored():
    async def step():
        return 1

    target, coroutine = {}, step()
    with pytest.warns(StoreWarning, match="a coroutine is not a value yet"):
        assert recall(target, KEY, lambda: coroutine) is coroutine
    coroutine.close()
    assert not target


class Array:
    """A buffer that is stored in place."""

    def __init__(self, data):
        self.data = data

    def __reduce_ex__(self, protocol):
        return Array, (PickleBuffer(self.data),)


@needs_threads
@pytest.mark.parametrize(
    "make",
    [DiskTarget, lambda path: FileTarget(path / "{tag}", codec=pickled), lambda path: Serialized({})],
    ids=["disk", "file", "mapping"],
)
def test_a_buffer_that_another_thread_changes_while_it_is_stored_leaves_no_entry(tmp_path, make):
    target, value = make(tmp_path), Array(bytearray(100_000))
    encoded, changed = threading.Event(), threading.Event()

    class Watched(type(target)):
        def write_bytes(self, *args, **kwargs):
            encoded.set()
            changed.wait(30)
            super().write_bytes(*args, **kwargs)

    def change():
        encoded.wait(30)
        value.data[5] = 1
        changed.set()

    target.__class__ = Watched
    thread = threading.Thread(target=change)
    thread.start()
    with pytest.warns(StoreWarning, match="another thread changed it"):
        assert recall(target, KEY, lambda: value) is value
    thread.join()
    assert KEY not in target
    recall(target, KEY, lambda: value)
    assert target[KEY].data[5] == 1


@needs_threads
def test_what_was_noted_is_hashed_once_for_its_file_and_once_to_see_whether_it_is_as_it_was():
    done, data = threading.Event(), bytearray(100)
    parts, others = [b"head", memoryview(data)], [b"head", memoryview(bytearray(100)), b"tail"]
    before = digest_of(parts)
    thread, token = threading.Thread(target=done.wait, args=(30,)), noted.set([])
    thread.start()
    try:
        note(parts)
        assert is_steady(noted.get())
        data[5] = 1
        assert digest_noted(list(parts)) == before != digest_of(parts)
        assert digest_noted(others) == digest_of(others)
        assert not is_steady(noted.get())
    finally:
        noted.reset(token)
        done.set()
        thread.join()
    assert digest_noted(parts) == digest_of(parts)


def test_what_cannot_be_stored_is_an_error_of_the_package():
    with pytest.raises(FlowlyError, match="never ends") as caught:
        materialise(itertools.count())
    assert isinstance(caught.value, TypeError)


def test_what_an_iterator_raises_while_it_is_materialised_passes():
    with pytest.raises(ZeroDivisionError):
        recall({}, KEY, lambda: (1 // n for n in (1, 0)))


def test_finite_iterators_come_back_each_time():
    target = {}
    for _ in range(2):
        assert list(recall(target, KEY, lambda: itertools.repeat(1, 2))) == [1, 1]


@needs_threads
def test_one_thread_computes_and_the_others_wait():
    calls, go, target = [], threading.Event(), {}

    def compute():
        calls.append(1)
        assert go.wait(30)
        return [len(calls)]

    def release():
        go.set()
        return recall(target, KEY, compute)

    workers = itertools.count()
    results = in_threads(8, lambda: release() if next(workers) == 7 else recall(target, KEY, compute))
    assert (results, calls) == ([[1]] * 8, [1])


@needs_threads
def test_waiting_threads_share_the_exception_and_the_next_call_runs():
    started, go, calls = threading.Event(), threading.Event(), []

    def compute():
        calls.append(1)
        started.set()
        assert go.wait(30)
        raise ValueError("mine")

    target = {}

    def ask():
        with pytest.raises(ValueError, match="mine"):
            recall(target, KEY, compute)

    owner = threading.Thread(target=ask)
    owner.start()
    assert started.wait(30)
    waiters = [threading.Thread(target=ask) for _ in "ab"]
    for waiter in waiters:
        waiter.start()
    go.set()
    for thread in (owner, *waiters):
        thread.join(30)
        assert not thread.is_alive()
    assert not target
    assert recall(target, KEY, lambda: 2) == 2


def test_a_computation_that_asks_for_itself_does_not_wait_for_itself():
    target = {}
    assert recall(target, KEY, lambda: recall(target, KEY, lambda: 1) + 1) == 2


def test_an_interrupted_owner_leaves_the_work_to_those_who_wait():
    def interrupted():
        raise KeyboardInterrupt

    target = {}
    with pytest.raises(KeyboardInterrupt):
        recall(target, KEY, interrupted)
    assert recall(target, KEY, lambda: 1) == 1


def test_a_claim_is_held_while_computing_and_the_target_is_asked_again_under_it():
    class Shared(dict):
        """Another process stores the value while this one waits for the claim."""

        def claim(self, key):
            class Claim:
                def __enter__(claim):
                    self[key] = "theirs"

                def __exit__(claim, *exc):
                    return None

            return Claim()

    assert recall(Shared(), KEY, lambda: "mine") == "theirs"


@pytest.mark.parametrize("last", ["computed", "computing"])
def test_claims_that_raise_when_they_are_released_keep_nothing_from_being_stored_and_nobody_waiting(tmp_path, last):
    class Raising(Claim):
        def release(self):
            raise ValueError("lost")

    class Unreliable(DiskTarget):
        def claim(self, key):
            return Raising()

    target = Unreliable(tmp_path)
    keys = [(name, "tag", "transform") for name in "abc"]

    def work(batch):
        for key in keys:
            batch.once(target, key, lambda: 6, {})
        if last == "computing":
            batch.once(target, KEY, lambda: 1 / 0, {})

    with pytest.raises(ValueError, match="lost"):
        together(work, landings_elsewhere())
    assert sorted(target) == keys
    for key in [*keys, KEY]:
        mine = Flight((target.place, key))
        assert board(mine) is mine, "nobody is under way to it"
        mine.land()


def recall_awaited(target, key, compute, made_from=None):
    async def step():
        return compute()

    return asyncio.run(recall_async(target, key, step, made_from))


DOORS = pytest.mark.parametrize("door", [recall, pytest.param(recall_awaited, marks=needs_loop)])


@DOORS
def test_facts_reach_a_target_that_keeps_them(door):
    class Keeping(dict):
        isolates = True

        def put(self, key, value, facts):
            self[key] = (value, facts)

    target = Keeping()
    door(target, KEY, lambda: 1, {"after": None})
    value, facts = target[KEY]
    assert (value, facts.made_from) == (1, {"after": None})
    assert facts.seconds >= 0


@DOORS
def test_what_happened_to_a_key_is_told_to_who_watches(door):
    events, target = [], {}
    token = watching.set((events.append,))
    try:
        with pytest.raises(ZeroDivisionError) as caught:
            door(target, KEY, lambda: 1 / 0)
        assert [door(target, KEY, lambda: 6) for _ in range(2)] == [6, 6]
        for other, result in ((Refusing(), 6), ({}, itertools.count())):
            with pytest.warns(StoreWarning):
                assert door(other, KEY, lambda result=result: result) is result
    finally:
        watching.reset(token)
    kinds = ["start", "failed", "start", "stored", "restored", "start", "run", "start", "run"]
    assert [(event.kind, event.key) for event in events] == [(kind, KEY) for kind in kinds]
    assert {id(event.target) for event in events[:5]} == {id(target)}
    assert [type(event.target) for event in events[5:]] == [Refusing, Refusing, dict, dict]
    assert [event.error for event in events if event.error] == [caught.value]


@DOORS
def test_a_hit_on_an_iterator_is_an_iterator_of_its_own(door):
    target = {}
    assert next(door(target, KEY, lambda: iter([1, 2]))) == 1
    first, second, third = door(target, KEY, lambda: None), door(target, KEY, lambda: None), lookup(target, KEY)
    assert [next(first), next(first), next(second), next(third)] == [1, 2, 1, 1]


def test_lookup_tells_absence():
    assert lookup({}, KEY) is MISSING
    assert lookup({KEY: None}, KEY) is None


# ---- a failure that several share


def own_and_short(errors, step):
    """Whether each got an exception of its own: one correct note, and a traceback that did not grow with the others."""
    assert len({id(error) for error in errors}) == len(errors)
    for error in errors:
        assert type(error) is KeyError
        assert error.args == ("missing",)
        assert [note.split(",")[0] for note in getattr(error, "__notes__", [])] == step
        assert 2 <= len(traceback.extract_tb(error.__traceback__)) < 20


@needs_threads
def test_threads_that_share_a_failing_step_get_an_exception_of_their_own_each():
    all_have_asked, asking = threading.Event(), itertools.count(1)

    class Counting(dict):
        def __getitem__(self, key):
            if next(asking) == 8:
                all_have_asked.set()
            return super().__getitem__(key)

    @ignore_globals()
    def load(number):
        assert all_have_asked.wait(30)
        raise KeyError("missing")

    pipeline = add_checkpoints(chained(abs, load, checkpoint(Counting()), str))
    own_and_short(in_threads(8, lambda: pipeline(-1)), ["in step 2 of 3"])


@needs_threads
def test_threads_that_wait_for_one_failure_get_an_exception_of_their_own_each(monkeypatch):
    target = {}
    flight = Flight((as_target(target).place, KEY))
    assert board(flight) is flight
    error = KeyError("missing")
    error.add_note("in step 2")
    waiting = itertools.count(1)

    def wait(self):
        if next(waiting) == 8:
            flight.land(error=error)
        return wait_for(self)

    wait_for = Flight.wait
    monkeypatch.setattr(Flight, "wait", wait)
    errors = in_threads(8, lambda: recall(target, KEY, lambda: pytest.fail("computed")))
    assert error not in errors
    assert error.__traceback__ is None
    own_and_short(errors, ["in step 2"])


@needs_threads
def test_who_waits_for_a_step_that_fails_gets_the_failure_and_does_not_run_it_again(monkeypatch):
    somebody_waits, ran = threading.Event(), []

    def wait(self):
        somebody_waits.set()
        return wait_for(self)

    def fail():
        ran.append(1)
        assert somebody_waits.wait(30)
        raise KeyError("missing")

    wait_for = Flight.wait
    monkeypatch.setattr(Flight, "wait", wait)
    target = {}
    errors = in_threads(2, lambda: recall(target, KEY, fail))
    assert [type(error) for error in errors] == [KeyError] * 2
    assert ran == [1]


@needs_loop
def test_tasks_that_share_a_failing_step_get_an_exception_of_their_own_each():
    calls = []

    async def load():
        calls.append(1)
        await asyncio.sleep(0)
        error = KeyError("missing")
        error.add_note("in step 1, load")
        raise error

    async def ask(target):
        with pytest.raises(KeyError) as caught:
            await recall_async(target, KEY, load)
        return caught.value, traceback.format_tb(caught.value.__traceback__)

    async def main():
        target = {}
        return await asyncio.gather(*(ask(target) for _ in range(8)))

    raised = asyncio.run(main())
    own_and_short([error for error, _ in raised], ["in step 1"])
    for error, shown in raised:
        assert traceback.format_tb(error.__traceback__) == shown, "another task has written into its traceback"
    assert calls == [1]


class Particular(Exception):
    def __init__(self, code, place):
        super().__init__(f"{code} at {place}")
        self.code = code


@pytest.mark.parametrize(
    "error",
    [
        KeyError("a"),
        Particular(5, "here"),
        OSError(2, "no such file", "name"),
        ValueError([1, 2], {}),
        UnicodeDecodeError("ascii", b"x", 0, 1, "why"),
        ExceptionGroup("several", [ValueError("one")]),
        UnhashableError(object(), ("step 1",), "do"),
    ],
    ids=lambda error: type(error).__name__,
)
def test_a_copy_of_an_exception_says_the_same(error):
    error.add_note("where")
    copied = own_copy(error)
    assert copied is not error
    assert (type(copied), str(copied), copied.__notes__) == (type(error), str(error), ["where"])
    assert copied.__dict__.keys() == error.__dict__.keys()
    copied.add_note("more")
    assert error.__notes__ == ["where"]


# ---- threads, tasks and targets at once


@pytest.fixture(params=["dict", "FileTarget", "DiskTarget"])
def target(request, tmp_path):
    return {"dict": dict, "FileTarget": lambda: FileTarget(tmp_path), "DiskTarget": lambda: DiskTarget(tmp_path)}[
        request.param
    ]()


@needs_threads
def test_a_task_waits_for_a_thread_that_computes_the_same(target):
    started, go, calls = threading.Event(), threading.Event(), []

    def compute():
        calls.append("thread")
        started.set()
        assert go.wait(30)
        return [1]

    async def compute_too():
        calls.append("task")
        return [2]

    async def main():
        thread = asyncio.create_task(asyncio.to_thread(recall, target, KEY, compute))
        await asyncio.to_thread(started.wait, 30)
        task = asyncio.create_task(recall_async(target, KEY, compute_too))
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        go.set()
        return await asyncio.gather(thread, task)

    assert asyncio.run(main()) == [[1], [1]]
    assert calls == ["thread"]


@needs_threads
def test_a_thread_waits_for_a_task_that_computes_the_same(target):
    calls = []

    async def main():
        asked = asyncio.Event()
        loop = asyncio.get_running_loop()

        async def compute():
            calls.append("task")
            await asked.wait()
            return [1]

        def in_thread():
            loop.call_soon_threadsafe(asked.set)
            return recall(target, KEY, lambda: calls.append("thread"))

        task = asyncio.create_task(recall_async(target, KEY, compute))
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        return await asyncio.gather(task, asyncio.to_thread(in_thread))

    assert asyncio.run(main()) == [[1], [1]]
    assert calls == ["task"]


@needs_loop
def test_cancelling_the_first_of_several_tasks_leaves_the_others_their_result(target):
    calls = []

    async def main():
        started, go = asyncio.Event(), asyncio.Event()

        async def compute():
            calls.append(1)
            started.set()
            await go.wait()
            return [1]

        tasks = [asyncio.create_task(recall_async(target, KEY, compute)) for _ in range(4)]
        await started.wait()
        tasks[0].cancel()
        await asyncio.wait(tasks[:1])
        go.set()
        return await asyncio.gather(*tasks, return_exceptions=True)

    first, *others = asyncio.run(main())
    assert isinstance(first, asyncio.CancelledError)
    assert (others, calls) == ([[1]] * 3, [1])


@needs_threads
def test_the_event_loops_of_two_threads_share_one_computation():
    target, runs, begun, go = {}, [], threading.Event(), threading.Event()

    async def compute():
        runs.append(1)
        begun.set()
        await asyncio.to_thread(go.wait, 60)
        return 6

    def ask():
        return asyncio.run(recall_async(target, KEY, compute))

    with ThreadPoolExecutor(2) as pool:
        one = pool.submit(ask)
        begun.wait(60)
        other = pool.submit(ask)
        go.set()
        assert (one.result(60), other.result(60), runs) == (6, 6, [1])


@needs_loop
def test_a_computation_is_cancelled_with_the_last_task_that_waits_for_it():
    told, target = [], {}

    async def main():
        begun = asyncio.Event()

        async def compute():
            begun.set()
            try:
                await asyncio.Event().wait()
            except asyncio.CancelledError:
                told.append("cancelled")
                raise

        async def six():
            return 6

        tasks = [asyncio.create_task(recall_async(target, KEY, compute)) for _ in range(2)]
        await begun.wait()
        tasks[0].cancel()
        await asyncio.wait(tasks[:1])
        assert told == []
        tasks[1].cancel()
        assert [type(error) for error in await asyncio.gather(*tasks, return_exceptions=True)] == [
            asyncio.CancelledError
        ] * 2
        return await recall_async(target, KEY, six)

    assert asyncio.run(main()) == 6
    assert told == ["cancelled"]


@needs_loop
def test_a_computation_that_is_cancelled_from_within_is_begun_anew_by_those_who_wait():
    calls = []

    async def compute():
        calls.append(1)
        await asyncio.sleep(0)
        if len(calls) == 1:
            raise asyncio.CancelledError
        return 6

    async def main():
        target = {}
        return await asyncio.gather(*(recall_async(target, KEY, compute) for _ in range(3)), return_exceptions=True)

    first, *others = asyncio.run(main())
    assert isinstance(first, asyncio.CancelledError)
    assert (others, calls) == ([6, 6], [1, 1])


@needs_loop
def test_a_loop_that_asks_without_awaiting_does_not_wait_for_its_own_task(target):
    async def main():
        go = asyncio.Event()

        async def compute():
            await go.wait()
            return [1]

        task = asyncio.create_task(recall_async(target, KEY, compute))
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        at_once = recall(target, KEY, lambda: [1])
        go.set()
        return at_once, await task

    assert asyncio.run(asyncio.wait_for(main(), 30)) == ([1], [1])


@needs_loop
def test_tasks_get_a_copy_of_their_own_where_the_target_makes_one(tmp_path):
    async def compute():
        await asyncio.sleep(0)
        return []

    async def main():
        target = FileTarget(tmp_path)
        return await asyncio.gather(*(recall_async(target, KEY, compute) for _ in range(3)))

    results = asyncio.run(main())
    assert results == [[], [], []]
    assert len({id(result) for result in results}) == 3


@pytest.mark.parametrize("awaited", [False, pytest.param(True, marks=needs_loop)], ids=["recall", "recall_async"])
@pytest.mark.parametrize(("kind", "looks"), [("dict", 1), ("FileTarget", 2), ("DiskTarget", 2)])
def test_a_miss_looks_twice_at_most_and_a_hit_once(tmp_path, kind, looks, awaited):
    seen = []
    base = {"dict": dict, "FileTarget": FileTarget, "DiskTarget": DiskTarget}[kind]

    class Counted(base):
        def __getitem__(self, key):
            seen.append(key)
            return super().__getitem__(key)

    counted = Counted() if kind == "dict" else Counted(tmp_path)

    async def compute():
        return 6

    def ask():
        seen.clear()
        value = asyncio.run(recall_async(counted, KEY, compute)) if awaited else recall(counted, KEY, lambda: 6)
        return value, len(seen)

    assert [ask(), ask()] == [(6, looks), (6, 1)]


def endless():
    return itertools.count()


@needs_threads
@pytest.mark.parametrize("kind", [dict, DiskTarget])
def test_threads_do_not_share_what_cannot_be_stored(kind, tmp_path, monkeypatch):
    """Two readers of one open file, or of one endless iterator, would each get a part of it."""
    target = kind() if kind is dict else kind(tmp_path)
    waiting = threading.Semaphore(0)
    wait = Flight.wait
    monkeypatch.setattr(Flight, "wait", lambda flight: (waiting.release(), wait(flight)))
    runs = []

    def compute():
        runs.append(1)
        if len(runs) == 1:
            assert waiting.acquire(timeout=30)
            assert waiting.acquire(timeout=30)
        return endless()

    with pytest.warns(StoreWarning, match="never ends"):
        found = in_threads(3, lambda: list(itertools.islice(recall(target, KEY, compute), 3)))
    assert found == [[0, 1, 2]] * 3


@needs_threads
def test_threads_share_what_a_target_refuses(monkeypatch):
    waiting, wait = threading.Semaphore(0), Flight.wait
    monkeypatch.setattr(Flight, "wait", lambda flight: waiting.release() or wait(flight))
    target, runs = Refusing(), []

    def compute():
        runs.append(1)
        assert waiting.acquire(timeout=30)
        return 6

    with pytest.warns(StoreWarning, match="no space left"):
        assert in_threads(2, lambda: recall(target, KEY, compute)) == [6, 6]
    assert runs == [1]


@needs_loop
def test_tasks_that_share_an_iterator_get_one_each():
    async def compute():
        await asyncio.sleep(0)
        return iter([1, 2])

    async def main():
        found = await asyncio.gather(*[recall_async(target, KEY, compute) for _ in range(3)])
        return [next(items) for items in found]

    target = {}
    assert asyncio.run(main()) == [1, 1, 1]


@needs_loop
def test_tasks_do_not_share_what_cannot_be_stored():
    async def compute():
        await asyncio.sleep(0)
        return endless()

    async def main():
        found = await asyncio.gather(*[recall_async(target, KEY, compute) for _ in range(3)])
        return [list(itertools.islice(counts, 3)) for counts in found]

    target = {}
    with pytest.warns(StoreWarning, match="never ends"):
        assert asyncio.run(main()) == [[0, 1, 2]] * 3


def test_a_dict_at_the_place_of_one_that_is_gone_is_another():
    def fresh():
        return tuple(map(str, ("object", "tag", "transform")))

    places, seen = set(), 0
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for number in range(50):
            target = {}
            recall(target, fresh(), lambda number=number: [number])
            places.add((id(target), id(target[fresh()])))
            del target
            target = {fresh(): [number, "own"]}
            seen += (id(target), id(target[fresh()])) in places
            assert recall(target, fresh(), lambda: 1 / 0) == [number, "own"]
    assert seen or sys.implementation.name != "cpython"


def test_what_a_wrapper_stores_is_not_taken_for_what_was_at_its_place_before():
    def fresh():
        return tuple(map(str, ("object", "tag", "transform")))

    class Boxed(Wrapper):
        def wrapped(self, key, value):
            box[:] = [value]
            return box

        def unwrapped(self, key, stored):
            return stored[0]

    box, target = [], {}
    recall(target, fresh(), lambda: box)
    target.clear()
    recall(Boxed(target), fresh(), lambda: [1]).append("changed")
    with pytest.warns(MutationWarning, match="was changed in place"):
        assert recall(Boxed(target), fresh(), lambda: [1]) == [1]


TRACEBACKS_KEPT = """
    from flowly_ckpt import functional_hash
    from flowly_ckpt.targets import pickled
    from flowly_ckpt.targets.single_flight import own_copy

    class Mine(ValueError):
        pass

    def hashes():
        errors = ValueError("a"), Mine("b"), Mine, UnicodeDecodeError("ascii", b"x", 0, 1, "no")
        return list(map(functional_hash, errors))

    before = hashes()
    import tblib.pickling_support
    tblib.pickling_support.install()  # as distributed does
    assert hashes() == before
    error = KeyError("a")
    error.add_note("where")
    copied = own_copy(error)
    copied.add_note("more")
    assert (error.__notes__, copied.__notes__) == (["where"], ["where", "more"])
    for error in (error, ValueError("a"), Mine("b")):
        assert functional_hash(pickled.loads(pickled.dumps(error))) == functional_hash(error)
    print("held")
"""


@needs_processes
def test_what_a_library_registers_for_all_exceptions_changes_nothing(tmp_path):
    pytest.importorskip("tblib")
    assert run_script(tmp_path, TRACEBACKS_KEPT).stdout == "held\n"
