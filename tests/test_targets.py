"""What holds for every target, and what each wrapper adds."""

import os
import pickle
import sys
import threading
import time
import warnings
from queue import SimpleQueue

import pytest
from batteries import makers
from runs import IN_BROWSER, library, needs_threads

from flowly_ckpt import memo
from flowly_ckpt.errors import StoreError, StoreWarning
from flowly_ckpt.targets import (
    Bounded,
    DiskTarget,
    Expiring,
    FileTarget,
    Layered,
    Null,
    ReadOnly,
    Refreshed,
    RemoteTarget,
    Serialized,
    Snapshots,
    SqlTarget,
    check_target,
)
from flowly_ckpt.targets.conformance import LAWS
from flowly_ckpt.targets.recall import recall
from flowly_ckpt.typing import Facts

np = library("numpy")
A, B, C = (("0a", tag, "1b") for tag in "abc")
NAMES = list(makers(None)[0])


@pytest.fixture
def make(tmp_path, request):
    kinds, opened = makers(tmp_path)
    yield kinds[request.param]
    for thing in opened:
        thing.close()


@pytest.mark.parametrize("make", NAMES, indirect=True)
@pytest.mark.parametrize("law", LAWS)
def test_law(make, law):
    check_target(make, skip=[name for name in LAWS if name != law])


@pytest.mark.parametrize("make", NAMES, indirect=True)
def test_recall_computes_once_and_returns_what_was_computed(make):
    target = make()
    calls = []

    def compute():
        calls.append(1)
        return {"array": list(range(50)), "text": "x" * 100}

    results = [recall(target, A, compute) for _ in range(3)]
    assert results == [{"array": list(range(50)), "text": "x" * 100}] * 3
    assert len(calls) == 1
    assert len(target) == 1


@pytest.mark.parametrize("make", NAMES, indirect=True)
def test_recall_hands_out_iterators_afresh(make):
    target = make()
    assert [list(recall(target, A, lambda: iter([1, 2]))) for _ in range(3)] == [[1, 2]] * 3


@pytest.mark.parametrize("make", NAMES, indirect=True)
def test_a_changed_value_never_reaches_the_next_hit(make):
    target = make()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for _ in range(4):
            value = recall(target, A, lambda: [1, 2])
            assert value == [1, 2]
            value.append("changed")


@pytest.mark.parametrize("make", NAMES, indirect=True)
def test_it_is_known_when_this_process_has_stored_a_result(make):
    target, seen = make(), []
    before = time.time() - 3  # some keep whole seconds
    step = memo(target, valid=lambda entry: seen.append(entry.created) or entry.created > before)(lambda x: [x])
    assert ([step(2), step(2)], len(seen), seen > [before]) == ([[2], [2]], 1, True)


# The database behind shelve may be used by one thread only; diskcache leaves open what its threads have opened.
THREADED = [name for name in NAMES if "shelve" not in name and "diskcache" not in name]


@needs_threads
@pytest.mark.parametrize("make", THREADED, indirect=True)
def test_threads_compute_once(make):
    target, calls, results = make(), [], []

    def work():
        results.append(recall(target, A, lambda: calls.append(1) or [7]))

    threads = [threading.Thread(target=work) for _ in range(5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (results, len(calls)) == ([[7]] * 5, 1)


def test_check_target_names_the_law_that_is_broken():
    class Forgetful(dict):
        def __contains__(self, key):
            return False

    with pytest.raises(AssertionError) as caught:
        check_target(Forgetful)
    assert caught.value.__notes__ == ["while checking the law 'what_is_stored_is_found'"]
    check_target(Forgetful, skip=["what_is_stored_is_found", "facts_are_taken", "entries_can_be_selected"])
    with pytest.raises(ValueError, match="unknown law nonsense"):
        check_target(dict, skip=["nonsense"])


def test_what_never_keeps_holds_to_the_other_laws():
    never = [name for name in LAWS if name not in ("is_empty_at_first", "misses_raise_key_error")]
    check_target(Null, skip=never)
    check_target(lambda: Refreshed({}), skip=never)
    check_target(lambda: ReadOnly({}), skip=[*never, "misses_raise_key_error"])


# wrappers, one by one


def test_null_keeps_nothing():
    target, calls = Null(), []
    for _ in range(3):
        recall(target, A, lambda: calls.append(1))
    assert (len(calls), len(target), repr(target)) == (3, 0, "Null()")


def test_read_only_uses_and_never_stores():
    inner = {A: 1}
    target = ReadOnly(inner)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert (recall(target, A, lambda: 2), recall(target, B, lambda: 2), inner) == (1, 2, {A: 1})
    for act in (lambda: target.__setitem__(A, 1), lambda: target.__delitem__(A), target.clear, target.popitem):
        with pytest.raises(StoreError, match="read-only"):
            act()
    assert inner == {A: 1}


@pytest.mark.parametrize("kind", [dict, "disk"])
def test_refreshed_computes_anew_and_stores(tmp_path, kind):
    inner = {} if kind is dict else DiskTarget(tmp_path)
    inner[A] = "old"
    assert recall(Refreshed(inner), A, lambda: "new") == "new"
    assert recall(inner, A, lambda: "never") == "new"


def test_snapshots_keep_arrays_apart():
    target = Snapshots({})
    value = np.zeros(3)
    recall(target, A, lambda: value)
    value[0] = 5
    recall(target, A, lambda: 1)[1] = 7
    assert recall(target, A, lambda: 1).tolist() == [0, 0, 0]
    counted = []
    assert Snapshots({A: 1}, copy=lambda value: counted.append(value) or value)[A] == 1
    assert counted == [1]


def test_expiring(monkeypatch):
    inner = {B: "of unknown age"}
    target = Expiring(inner, max_age=60)
    target.put(A, 1, Facts(1.0))
    assert (target[A], A in target, list(target), len(target), B in target) == (1, True, [A], 1, False)
    now = time.time()
    for later, alive in ((30, True), (90, False), (-30, True), (-90, False)):
        monkeypatch.setattr(time, "time", lambda later=later: now + later)
        assert (target.get(A) == 1) is alive
        assert (A in target, len(target)) == (alive, int(alive))
    assert recall(target, A, lambda: 2) == 2
    assert target[A] == 2
    assert repr(target) == "Expiring(dict, max_age=60)"


def test_layered_reads_through_and_writes_both(tmp_path):
    slow = DiskTarget(tmp_path)
    slow[A] = "slow"
    fast = {}
    target = Layered(fast, slow)
    assert (target[A], fast) == ("slow", {A: "slow"})
    del slow[A]
    assert target[A] == "slow"
    target.put(B, [1], Facts(2.0, {"input": "x"}))
    assert (slow[B], fast[B], slow.entry(B).seconds) == ([1], [1], 2.0)
    assert sorted(target) == [A, B]
    del target[A], target[B]
    assert (len(target), len(fast), len(slow)) == (0, 0, 0)
    with pytest.raises(KeyError):
        del target[A]
    slow.close()


def test_layered_leaves_what_is_too_large_to_the_slow_one():
    fast, slow = Bounded({}, 500), {}
    target = Layered(fast, slow)
    target[A] = "small"
    target[A] = b"x" * 1000
    assert target[A] == b"x" * 1000
    assert A not in fast


class Away(dict):
    """A store that cannot be reached."""

    def __getitem__(self, key):
        raise StoreError("no connection")

    __setitem__ = __delitem__ = __contains__ = lambda *arguments: Away.__getitem__(*arguments[:2])


def test_layered_keeps_near_while_the_slow_one_cannot_be_reached():
    fast = {A: "near"}
    target = Layered(fast, Away())
    with pytest.warns(StoreWarning, match="could not restore|is kept in dict only: no connection"):
        assert recall(target, B, lambda: "computed") == "computed"
    assert fast == {A: "near", B: "computed"}
    assert recall(target, B, lambda: 1 / 0) == "computed"
    with pytest.warns(StoreWarning, match="no connection"):
        assert target.get_many([A, B, C]) == {A: "near", B: "computed"}
    with pytest.warns(StoreWarning, match="is kept in dict only"):
        target.put_many([(C, 3, Facts(0.0))])
    assert fast[C] == 3


class Midst(dict):
    """A store in whose work something else happens once: before it, or after it."""

    def at(self, when, act):
        self.acts = {when: act}
        return self

    def _around(self, work, *what):
        self.acts.pop("before", bool)()
        try:
            return work(*what)
        finally:
            self.acts.pop("after", bool)()

    def __getitem__(self, key):
        return self._around(super().__getitem__, key)

    def __setitem__(self, key, value):
        self._around(super().__setitem__, key, value)

    def __delitem__(self, key):
        self._around(super().__delitem__, key)

    def clear(self):
        self._around(super().clear)


MEANWHILE = {
    "read": lambda target: target.get(A),
    "read many": lambda target: target.get_many([A, B]),
    "store": lambda target: target.put(A, "newer", Facts(0.0)),
    "store many": lambda target: target.put_many([(A, "newer", Facts(0.0)), (B, 1, Facts(0.0))]),
    "store bytes": lambda target: target.write_bytes(A, [b"newer"]),
    "delete": lambda target: target.pop(A, None),
    "clear": lambda target: target.clear(),
}


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("second", MEANWHILE)
@pytest.mark.parametrize("first", MEANWHILE)
def test_layered_keeps_nothing_near_that_is_otherwise_in_the_slow_one(first, second, when):
    slow, fast = Midst({A: "old"}), {}
    target = Layered(fast, slow)
    slow.at(when, lambda: MEANWHILE[second](target))
    MEANWHILE[first](target)
    assert slow.acts == {}
    assert fast.items() <= slow.items()
    fast.clear()
    assert (target.get(A), fast.get(A)) == (slow.get(A), slow.get(A)), "later ones are near again"


def test_layered_loses_nothing_that_threads_store_at_once_while_the_slow_one_cannot_be_reached():
    class Waiting(Away):
        def __setitem__(self, key, value):
            if value == "first":
                target[key] = "second"
            raise StoreError("no connection")

    target = Layered(fast := {}, Waiting())
    with pytest.warns(StoreWarning, match="is kept in dict only"):
        target[A] = "first"
    assert fast == {A: "first"}


def test_bounded_evicts_what_saves_least_per_byte():
    target = Bounded({}, max_bytes=1000, measure=len)
    for name, seconds, size in [("dear", 100, 300), ("cheap", 1, 300), ("large", 50, 350)]:
        target.put(("o", name, "f"), b"x" * size, Facts(seconds))
    target.put(("o", "new", "f"), b"x" * 100, Facts(0))
    assert sorted(key[1] for key in target) == ["dear", "large", "new"]


def test_bounded_evicts_the_least_recently_used_on_ties():
    target = Bounded({}, max_bytes=1000, measure=len)
    for name in "abc":
        target["o", name, "f"] = b"x" * 300
    assert target["o", "a", "f"]
    target["o", "d", "f"] = b"x" * 300
    assert sorted(key[1] for key in target) == ["a", "c", "d"]


def test_bounded_counts_what_was_there_before():
    inner = {("o", name, "f"): b"x" * 300 for name in "abc"}
    target = Bounded(inner, 1000, measure=len)
    target["o", "d", "f"] = b"x" * 300
    assert len(target) == 3
    assert ("o", "d", "f") in target
    with pytest.raises(StoreError, match="larger than max_bytes"):
        target[A] = b"x" * 1001
    target.clear()
    for name in "abc":
        target["o", name, "f"] = b"x" * 300
    assert len(target) == 3


def test_bounded_measures_arrays_and_what_cannot_be_pickled():
    target = Bounded({}, 10_000)
    target[A] = np.zeros(1000)
    target[B] = (x for x in ())
    assert A in target
    with pytest.raises(StoreError):
        target[C] = np.zeros(2000)
    assert pickle.loads(pickle.dumps(Bounded({A: 1}, 10_000)))[A] == 1


def test_wrappers_pass_on_facts_claims_and_isolation(tmp_path):
    disk = DiskTarget(tmp_path)
    for number, wrap in enumerate(
        [lambda t: Bounded(t, 10**6), lambda t: Layered(Snapshots({}), t), Snapshots, lambda t: Expiring(t, 60)]
    ):
        target = wrap(disk)
        key = ("o", str(number), "f")
        target.put(key, [1], Facts(3.0, {"input": "x"}))
        assert disk.entry(key).made_from == {"input": "x"}
        assert target.isolates
        with target.claim(key):
            assert IN_BROWSER or disk._claims.is_claimed(key)
    assert not Bounded({}, 1).isolates
    assert not Layered({}, disk).isolates
    disk.close()


# serialized and remote


def test_serialized_notices_damage_and_swaps():
    entries = {}
    target = Serialized(entries)
    target[A], target[B] = [1] * 50, 2
    names = list(entries)
    whole = dict(entries)
    for place in range(len(whole[names[0]])):
        data = bytearray(whole[names[0]])
        data[place] ^= 0x20
        entries[names[0]] = bytes(data)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", StoreWarning)
            assert target.get(A, "miss") == "miss"
    for broken in (b"", whole[names[0]][:-1], whole[names[0]] + b"x", whole[names[1]]):
        entries[names[0]] = broken
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", StoreWarning)
            assert target.get(A, "miss") == "miss"
    entries["c.0a.1b"] = whole[names[0]]
    with pytest.warns(StoreWarning, match="it is the entry of"):
        assert target.get(C) is None
    target[A] = [1] * 50
    assert target[A] == [1] * 50


def test_serialized_leaves_strangers_alone():
    target = Serialized({"config": b"theirs", "+odd": b"theirs"})
    target[A] = 1
    assert (list(target), len(target)) == ([A], 1)
    target.clear()
    assert target.mapping == {"config": b"theirs", "+odd": b"theirs"}


def test_serialized_holds_long_keys():
    key = ("o", "tag" * 200, "f")
    target = Serialized({})
    target[key] = 1
    assert (list(target), target[key], max(map(len, target.mapping)) < 100) == ([key], 1, True)


@pytest.mark.parametrize("scheme", ["memory", "file"])
def test_remote_targets_pickle_and_are_shared(tmp_path, scheme):
    url = f"{scheme}://{tmp_path}/results"
    target = RemoteTarget(url)
    target[A] = np.arange(5_000)
    again = pickle.loads(pickle.dumps(target))
    assert again[A].sum() == target[A].sum()
    assert again[A].flags.writeable
    again[B] = 1
    assert sorted(target) == [A, B]
    del again[A]
    assert A not in target
    assert repr(target) == f"RemoteTarget({url!r})"
    target.clear()


WRONG = [
    ("nothing://results", ValueError, "no file system is known for 'nothing://results'; give s3://"),
    ("gs://results", ModuleNotFoundError, "needs gcsfs for gs://: run `pip install gcsfs`"),
]


@pytest.mark.parametrize(("url", "kind", "words"), WRONG, ids=[row[0] for row in WRONG])
def test_a_wrong_address_says_what_to_write(url, kind, words):
    pytest.importorskip("fsspec", reason="fsspec is not installed")
    with pytest.raises(kind, match=words):
        RemoteTarget(url)


@pytest.mark.parametrize("module", ["fsspec", "sqlalchemy"])
def test_a_missing_extra_is_named(monkeypatch, module):
    for name in [name for name in sys.modules if name.partition(".")[0] == module]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, module, None)
    make, extra = {
        "fsspec": (lambda: RemoteTarget("memory://results"), "remote"),
        "sqlalchemy": (lambda: SqlTarget("sqlite:///results.db"), "sql"),
    }[module]
    with pytest.raises(ModuleNotFoundError, match=rf"pip install 'flowly-ckpt\[{extra}\]'"):
        make()


@needs_threads
@pytest.mark.parametrize("lease", [None, 30.0])
def test_remote_claims_are_leases_where_they_are_asked_for(tmp_path, lease):
    first, second = (RemoteTarget(f"file://{tmp_path}", lease=lease) for _ in range(2))
    with first.claim(A):
        assert (next(second.claim(A).waits(), None) is not None) is (lease is not None)
        assert list(first) == []
    with second.claim(A) as claim:
        assert claim.is_shared is (lease is not None)
    with pytest.raises(ValueError, match="lease must be a number of seconds above 0"):
        RemoteTarget("memory://results", lease=0)


@needs_threads
def test_a_lease_whose_holder_was_killed_before_it_was_written_ends_too(tmp_path):
    target = RemoteTarget(f"file://{tmp_path}", lease=0.05)
    target[B] = 1
    path = tmp_path / target.claim(A).name
    path.parent.mkdir(exist_ok=True)
    path.touch()
    claim = target.claim(A)
    assert next(claim.waits()) > 0  # it may be written yet
    with target.claim(A):
        assert path.read_bytes()


def waiting_for_the_dead(folder):
    """Return two claims whose waiters have both seen that the holder no longer renews his."""
    one, other = (RemoteTarget(f"file://{folder}", lease=3600.0).claim(A) for _ in range(2))
    assert one.leases.objects.create(one.name, b"a dead one")
    for claim in (one, other):
        assert not claim.lock()
        claim._seen = (b"a dead one", float("-inf"))
    return one, other


@needs_threads
@pytest.mark.parametrize("step", ["read", "create", "write"])
def test_one_of_those_who_wait_takes_over_what_a_dead_one_held(tmp_path, monkeypatch, step):
    one, other = waiting_for_the_dead(tmp_path)
    objects, locked = one.leases.objects, []
    real = getattr(objects, step)

    def late(*arguments):
        monkeypatch.setattr(objects, step, real)
        found = real(*arguments)
        found = list(found) if step == "read" else found
        locked.append(other.lock())
        return found

    monkeypatch.setattr(objects, step, late)
    locked.append(one.lock())
    assert sorted(locked) == [False, True]
    for claim in (one, other):
        claim.release()
    assert list(objects.names()) == []


@needs_threads
def test_a_right_to_take_over_that_a_killed_one_left_is_given_to_the_next(tmp_path):
    one, other = waiting_for_the_dead(tmp_path)
    one.leases.objects.remove = lambda names: None  # killed before he could
    one.leases.objects.write = lambda contents: None
    assert one.lock()
    assert not other.lock()
    assert not other.lock()
    other._barred = float("-inf")
    assert not other.lock()
    assert other.lock()
    other.release()
    assert list(other.leases.objects.names()) == []


def taken_over(folder):
    """Return a claim whose holder was stopped for long, and that of another machine, which has it by now."""
    stopped, other, third = (RemoteTarget(f"file://{folder}", lease=3600.0).claim(A) for _ in range(3))
    assert stopped.lock()
    stopped.written = (float("-inf"),) * 2
    content = stopped.leases.read(stopped.name)
    assert not other.lock()
    other._seen = (content, float("-inf"))
    assert other.lock()
    return stopped, other, third


@needs_threads
@pytest.mark.parametrize("work", ["release", "renew"])
def test_who_was_stopped_does_not_touch_the_lease_of_the_next_one(tmp_path, work):
    stopped, other, third = taken_over(tmp_path)
    content = other.leases.read(other.name)
    if work == "renew":
        stopped.leases.renew([stopped])
    stopped.release()
    assert other.leases.read(other.name) == content
    assert not third.lock()
    assert other.leases.held == {other.name: other}
    other.release()
    assert third.lock()
    third.release()
    assert list(third.leases.objects.names()) == []


@needs_threads
def test_who_was_stopped_goes_on_where_nobody_has_taken_it_over(tmp_path):
    """What it holds still stands, or was removed as that of a dead one."""
    stopped, other = (RemoteTarget(f"file://{tmp_path}", lease=3600.0).claim(A) for _ in range(2))
    assert stopped.lock()
    for is_removed in (False, True):
        if is_removed:
            stopped.leases.objects.remove([stopped.name])
        stopped.written = (float("-inf"),) * 2
        stopped.leases.renew([stopped])
        assert stopped.is_fresh()
        assert not other.lock()
    stopped.written = (float("-inf"),) * 2
    stopped.release()
    assert list(other.leases.objects.names()) == []


@needs_threads
@pytest.mark.parametrize("step", ["names", "read", "forsaken", "create", "remove"])
@pytest.mark.parametrize("when", ["before", "after"])
def test_a_lease_that_is_taken_while_the_dead_are_collected_stays(tmp_path, monkeypatch, step, when):
    one, other = waiting_for_the_dead(tmp_path)
    objects, locked = one.leases.objects, []
    os.utime(tmp_path / one.name, (0, 0))
    real = getattr(objects, step)

    def interrupted(*arguments):
        monkeypatch.setattr(objects, step, real)
        if when == "before":
            locked.append(other.lock())
        found = real(*arguments)
        found = found if found is None or isinstance(found, bool) else list(found)
        if when == "after":
            locked.append(other.lock())
        return found

    monkeypatch.setattr(objects, step, interrupted)
    one.leases.collect(0)
    assert (tmp_path / other.name).exists() is locked[0]
    other.release()
    assert list(objects.names()) == []


@needs_threads
def test_what_is_being_renewed_is_released_afterwards(tmp_path, monkeypatch):
    claim = RemoteTarget(f"file://{tmp_path}", lease=0.03).claim(A)
    objects, renewals = claim.leases.objects, SimpleQueue()
    write = objects.write
    monkeypatch.setattr(objects, "write", lambda found: (renewals.put(claim.leases._guard.locked()), write(found)))
    with claim:
        assert renewals.get(timeout=60)
    assert list(objects.names()) == []


def test_leases_that_wait_for_each_other_are_noticed(tmp_path):
    """The two targets have nothing in common but the store, like two machines."""
    first, second = (RemoteTarget(f"file://{tmp_path}", lease=30.0) for _ in range(2))
    holds = threading.Barrier(2)

    def work(target, own, wanted):
        with target.claim(own):
            holds.wait(60)
            with target.claim(wanted):
                target[own] = target[wanted] = [own]

    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        threads = [threading.Thread(target=work, args=args) for args in ((first, A, B), (second, B, A))]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(60)
    assert sorted(first) == [A, B]
    assert "would never end" in str(caught[0].message)
    with first.claim(A), second.claim(B):
        pass


def test_addresses_show_no_secret():
    target = RemoteTarget("memory://ann:hidden-word@host/results?token=hidden-too")
    assert repr(target) == "RemoteTarget('memory://ann:***@host/results?token=***')"


def test_files_beside_remote_files_are_safe(tmp_path):
    remote, files = RemoteTarget(f"file://{tmp_path}"), FileTarget(tmp_path)
    remote[A] = 1
    assert list(files) == []  # it lists what it has written itself
    with pytest.warns(StoreWarning, match="cannot be used"):
        assert files.get(A) is None
    files[A] = 2
    with pytest.warns(StoreWarning, match="do not say how it was made"):
        assert remote.get(A) is None


def test_serialized_takes_what_is_no_bytes_for_absent():
    entries = {"fit.0a.1b": 5, "fit.0c.1d": "text", "fit.0e.1f": None, "+00": [1]}
    target, keys = Serialized(entries), [("0a", "fit", "1b"), ("0c", "fit", "1d"), ("0e", "fit", "1f")]
    with pytest.warns(StoreWarning, match="counts as absent"):
        assert (target.get_many(keys), list(target.entries()), len(target.verify())) == ({}, [], 3)
    assert recall(target, keys[0], lambda: 6) == 6
