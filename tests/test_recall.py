"""recall: the one place where a result is looked up or stored."""

from __future__ import annotations

import io
import itertools
import threading

import pytest
from runs import needs_threads

from flowly_ckpt.errors import FlowlyError, MutationWarning, StoreWarning
from flowly_ckpt.targets.materialise import materialise
from flowly_ckpt.targets.recall import MISSING, lookup, recall

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
    with pytest.warns(StoreWarning, match="awaited"):
        assert recall(target, KEY, lambda: coroutine) is coroutine
    coroutine.close()
    assert not target


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


def test_facts_reach_a_target_that_keeps_them():
    class Keeping(dict):
        isolates = True

        def put(self, key, value, facts):
            self[key] = (value, facts)

    target = Keeping()
    recall(target, KEY, lambda: 1, {"after": None})
    value, facts = target[KEY]
    assert (value, facts.made_from) == (1, {"after": None})
    assert facts.seconds >= 0


def test_lookup_tells_absence():
    assert lookup({}, KEY) is MISSING
    assert lookup({KEY: None}, KEY) is None
