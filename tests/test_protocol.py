"""What a target can do beyond a mapping: through every wrapper, by every caller, whatever the mapping."""

from __future__ import annotations

import hashlib
import pickle
import threading
import time
from collections import UserDict
from functools import partial

import pytest
from runs import needs_processes

from flowly_ckpt import add_checkpoints, apply, chained, checkpoint, clear_checkpoints
from flowly_ckpt.plan import plan
from flowly_ckpt.targets import (
    BaseTarget,
    Bounded,
    DiskTarget,
    Expiring,
    FileTarget,
    Hashed,
    Layered,
    ReadOnly,
    Refreshed,
    RemoteTarget,
    Serialized,
    Signed,
    Snapshots,
    as_target,
)
from flowly_ckpt.targets.claims import UNCLAIMED
from flowly_ckpt.targets.facts import Entry, Selection
from flowly_ckpt.targets.protocol import described, settled
from flowly_ckpt.targets.recall import recall
from flowly_ckpt.targets.wrappers import Wrapper
from flowly_ckpt.typing import Facts

A, B = ("0a", "tag", "1b"), ("2c", "other", "3d")
SECRET = b"sixteen bytes and more"
run = partial(apply, rewrites=[add_checkpoints])

WRAPPERS = {
    "Signed": lambda inner: Signed(inner, SECRET),
    "Layered": lambda inner: Layered({}, inner),
    "Bounded": lambda inner: Bounded(inner, 10**6),
    "Hashed": lambda inner: Hashed(inner, hashlib.blake2b),
    "Expiring": lambda inner: Expiring(inner, 3600),
    "Snapshots": Snapshots,
    "Refreshed": Refreshed,
    "Signed in Bounded in Layered": lambda inner: Layered({}, Bounded(Signed(inner, SECRET), 10**6)),
}
wrapped = pytest.mark.parametrize("wrap", WRAPPERS.values(), ids=WRAPPERS)


@pytest.fixture(params=["disk", "files", "serialized", "remote"])
def inner(request, tmp_path):
    made = {
        "disk": lambda: DiskTarget(tmp_path / "disk"),
        "files": lambda: FileTarget(tmp_path / "files"),
        "serialized": lambda: Serialized({}),
        "remote": lambda: RemoteTarget(f"memory://{tmp_path}"),
    }[request.param]()
    with made:
        yield made


@wrapped
def test_entries_are_cleared_by_age_through_every_wrapper(inner, wrap):
    target = wrap(inner)
    for key in (A, B):
        target.put(key, [key], Facts(1.0))
    assert clear_checkpoints(target, older_than=3600) == 0
    assert len(inner) == 2
    while clear_checkpoints(target, tag="tag", older_than=0) == 0:  # the clock may be coarse
        pass
    assert list(inner) == [B]


@wrapped
def test_what_is_known_of_an_entry_comes_through_every_wrapper(inner, wrap):
    target = as_target(wrap(inner))
    target.put(A, [1], Facts(1.5, {"input": "0a"}))
    entry = target.entry(A)
    assert (entry.seconds, entry.made_from) == (1.5, {"input": "0a"})
    assert abs(time.time() - entry.created) < 60
    assert target.latest(tag="tag").made_from == {"input": "0a"}
    assert target.latest(tag="other") is None
    assert (target.fate(A), target.fate(B)) == ("", "")
    assert [stats.tag for stats in target.stats()] == ["tag"]
    assert target.verify() == []
    assert target.gc().expired == 0


@needs_processes
@wrapped
@pytest.mark.parametrize("kind", [DiskTarget, FileTarget])
def test_claims_come_through_every_wrapper(tmp_path, wrap, kind):
    inner = kind(tmp_path)
    with wrap(inner).claim(A):
        claims = inner._claims if kind is DiskTarget else inner.claims
        assert claims.is_claimed(A)
    assert not claims.is_claimed(A)
    with wrap(inner).claim_many([B, A]):
        assert claims.is_claimed(A)
        assert claims.is_claimed(B)
    assert not claims.is_claimed(B)


@wrapped
def test_several_at_once_through_every_wrapper(inner, wrap):
    target = wrap(inner)
    target.put_many([(A, [1], Facts(0.0)), (B, [2], Facts(0.0))])
    expected = {} if isinstance(target, Refreshed) else {A: [1], B: [2]}
    assert target.get_many([A, B, ("x", "y", "z")]) == expected
    assert sorted(inner) == [A, B]


def test_a_wrapper_of_ones_own_changes_values_in_one_place(inner):
    class Halved(Wrapper):
        def wrapped(self, key, value):
            return value // 2

        def unwrapped(self, key, stored):
            return stored * 2

    target = Halved(inner)
    target[A] = 4
    target.put_many([(B, 8, Facts(0.0))])
    assert inner.get_many([A, B]) == {A: 2, B: 4}
    assert (target[A], target.get_many([B])) == (4, {B: 8})


def test_read_only_refuses_what_would_change_the_target(inner):
    inner[A] = 1
    target = ReadOnly(inner)
    refused = [
        lambda: target.clear_where(tag="tag"),
        lambda: target.verify(repair=True),
        lambda: target.gc(),
        lambda: target.__delitem__(A),
        lambda: clear_checkpoints(target),
    ]
    for act in refused:
        with pytest.raises(OSError, match="read-only"):
            act()
    assert (target.clear_where(tag="tag", dry_run=True), target.verify(), list(inner)) == (1, [], [A])
    target.put_many([(B, 2, Facts(0.0))])
    Signed(target, SECRET).put(B, 2, Facts(0.0))
    assert list(inner) == [A]


@pytest.mark.parametrize("wrap", [Bounded, Expiring], ids=["Bounded", "Expiring"])
def test_bytes_do_not_pass_a_wrapper_by_that_looks_at_values(inner, wrap):
    with pytest.raises(TypeError, match="decodes its entries by itself"):
        Signed(wrap(inner, 100), SECRET)
    target = wrap(Signed(inner, SECRET), 10_000)
    target[A] = [1]
    assert target[A] == [1]


@pytest.mark.parametrize("target", [{}, Snapshots({}), Layered({}, {})], ids=repr)
def test_ages_asked_of_what_keeps_no_times_are_an_error(target):
    target[A] = 1
    with pytest.raises(ValueError, match="keeps no times"):
        clear_checkpoints(target, older_than=1)
    assert list(target) == [A]


@pytest.mark.parametrize("criterion", ["older_than", "unused_for"])
def test_a_negative_age_is_an_error_and_deletes_nothing(inner, criterion):
    inner[A] = 1
    with pytest.raises(
        ValueError, match=f"{criterion} must be a number of seconds, 0 or more, or text such as .*got -1"
    ):
        clear_checkpoints(inner, **{criterion: -1})
    assert list(inner) == [A]


def normalize(rows):
    return [row / max(rows) for row in rows]


def scale(rows):
    return [row / sum(rows) for row in rows]


@wrapped
def test_plan_names_the_changed_step_through_every_wrapper(inner, wrap):
    if wrap is Refreshed:
        pytest.skip("it shows nothing of what is stored to a look-up")
    target = wrap(inner)
    run(chained(sorted, normalize, checkpoint(target, tag="rows")), [3, 1])
    found = run(chained(sorted, scale, checkpoint(target, tag="rows")), [3, 1], engine=plan)
    assert "normalize" in str(found)


def test_a_mapping_brings_what_it_can_do_itself():
    class Kept(dict):
        isolates = True

        def put(self, key, value, facts):
            self[key] = (value, facts.seconds)

    target = Kept()
    as_target(target).put(A, 1, Facts(2.0))
    assert (target[A], as_target(target).isolates, as_target({}).isolates) == ((1, 2.0), True, False)


class Table(BaseTarget):
    def __init__(self):
        self.rows = {}

    def __getitem__(self, key):
        return self.rows[key]

    def __setitem__(self, key, value):
        self.rows[key] = value

    def __delitem__(self, key):
        del self.rows[key]

    def __iter__(self):
        return iter(self.rows)

    def __len__(self):
        return len(self.rows)


def test_defaults_of_a_target_of_ones_own(tmp_path):
    with Table() as target:
        assert run(chained(sorted, checkpoint(target)), [2, 1]) == [1, 2]
        assert len(target) == 1
        assert target.claim(A) is UNCLAIMED
        for act in (lambda: target.read_bytes(A), lambda: target.write_bytes(A, [b"x"])):
            with pytest.raises(TypeError, match="keeps values, not bytes"):
                act()
        with pytest.raises(TypeError, match="decodes its entries by itself"):
            Signed(target, SECRET)
        assert clear_checkpoints(target) == 1


def test_a_target_of_ones_own_has_the_abilities_of_a_mapping():
    target = Table()
    target.put(A, 1, Facts(0.5))
    assert (target[A], target.entry(A), target.entry(B)) == (1, Entry(A), None)
    assert (target.pop(B, "absent"), target.pop(A, "absent"), list(target)) == ("absent", 1, [])
    assert target.settled is target
    with pytest.raises(ValueError, match="older_than must be"):
        target.gc(older_than=-1)


def test_the_latest_of_a_target_of_ones_own_is_the_one_stored_last():
    class Timed(Table):
        def entry(self, key):
            return Entry(key, created=self.rows[key])

    target = Timed()
    target[A], target[B] = 2.0, 1.0
    assert target.latest().key == A
    assert target.latest(tag="other").key == B
    assert target.latest(tag="none") is None


@pytest.mark.parametrize("kind", [Table, dict])
def test_what_is_computed_for_one_target_is_not_taken_for_another(kind):
    one, other = kind(), kind()

    def compute():
        thread = threading.Thread(target=recall, args=(other, A, lambda: "other"))
        thread.start()
        thread.join()
        return "one"

    assert recall(one, A, compute) == "one"
    assert (one[A], other[A]) == ("one", "other")


class Rows(UserDict):
    """A mapping that is neither a dict nor a target."""

    def __repr__(self):
        return f"Rows of {len(self)}"


@pytest.mark.parametrize("kind", [dict, Rows])
def test_a_mapping_with_every_ability_is_the_mapping_itself(kind):
    mapping = kind()
    target = as_target(mapping)
    target[A], target[B] = 1, 2
    assert (mapping[A], len(target), A in target, list(target)) == (1, 2, True, [A, B])
    del target[B]
    assert (len(mapping), B in target) == (1, False)
    assert pickle.loads(pickle.dumps(target))[A] == 1
    assert target.gc() == (0, 0, 0, 0)
    assert settled(mapping) is mapping
    assert described(mapping) == ("dict" if kind is dict else "Rows of 1")
    for wrong, error in (
        ({"max_bytes": 1}, f"{described(mapping)} does not know"),
        ({"max_bytes": -1}, "max_bytes must"),
    ):
        with pytest.raises(ValueError, match=f"^{error}"):
            target.gc(**wrong)
    target.clear()
    assert len(mapping) == 0


def test_what_somebody_else_deletes_meanwhile_is_not_counted_as_deleted():
    class Losing(Table):
        def __delitem__(self, key):
            del self.rows[key]
            if key == B:
                raise KeyError(key)

    target = Losing()
    target[A], target[B] = 1, 2
    assert (target.clear_where(), len(target)) == (1, 0)


def test_a_mapping_keeps_bytes_if_it_is_a_dict_or_says_how_to_read_them():
    class Files(Rows):
        def read_bytes(self, key):
            return self[key]

    assert [as_target(each).keeps_bytes for each in ({}, Rows(), Files())] == [True, False, True]


def test_what_is_no_mapping_is_told_with_what_to_use():
    with pytest.raises(TypeError, match=r"got list; use a dict, or a target from flowly_ckpt\.targets$"):
        as_target([])


@pytest.mark.parametrize("kind", [dict, Rows])
def test_it_is_known_of_a_mapping_what_this_process_has_stored_there(kind):
    mapping = kind()
    target = as_target(mapping)
    for key, made in ((B, "b"), (A, "a")):
        target.put(key, [made], Facts(1.5, {"input": made}))
    assert [(found.seconds, found.made_from["input"]) for found in map(target.entry, (A, B))] == [
        (1.5, "a"),
        (1.5, "b"),
    ]
    assert (target.latest().key, target.latest(tag="other").key, target.latest(tag="none")) == (A, B, None)
    assert (target.fate(A), target.fate(("never", "tag", "f"))) == ("", "")
    mapping.pop(A)
    assert (target.entry(A), target.latest().key) == (None, B)
    assert target.fate(A) == "removed since it was stored"
    mapping[B] = ["another"]
    assert target.entry(B).made_from == ({} if kind is dict else {"input": "b"})


def test_storing_and_finding_lists_no_target():
    """A slow target may have many entries; and other threads add to the fast one meanwhile."""

    class Unlisted(dict):
        def __iter__(self):
            raise AssertionError("it is listed")

        __len__ = keys = items = __iter__

    target = Layered({}, Unlisted())
    for number in range(200):
        key = (str(number), "tag", "f")
        assert recall(target, key, lambda number=number: [number]) == [number]
        assert recall(target, key, lambda: None) == [number]


def test_layers_are_listed_while_other_threads_store():
    fast = {(str(number), "tag", "f"): number for number in range(5)}

    class Busy(dict):
        def __contains__(self, key):
            fast[str(len(fast)), "tag", "f"] = 0
            return super().__contains__(key)

    assert sum(1 for _ in Layered(fast, Busy())) == 5


def test_entries_are_selected_while_other_threads_store(monkeypatch):
    target = {(str(number), "tag", "f"): number for number in range(5)}
    matches = Selection.matches

    def busy(selection, key):
        target[str(len(target)), "tag", "f"] = 0
        return matches(selection, key)

    monkeypatch.setattr(Selection, "matches", busy)
    assert len(list(as_target(target).entries(tag="tag"))) == 5


def test_what_somebody_else_deletes_meanwhile_pops_as_absent(inner, monkeypatch):
    inner[A] = 1
    find = type(inner).__getitem__

    def find_and_lose(target, key):
        value = find(target, key)
        target._removed(key)
        return value

    monkeypatch.setattr(type(inner), "__getitem__", find_and_lose)
    assert inner.pop(A, None) is None
    inner[A] = 1
    with pytest.raises(KeyError):
        inner.pop(A)


def test_clearing_goes_on_after_an_entry_that_cannot_be_read():
    class Damaged(Table):
        def __getitem__(self, key):
            if self.rows[key] == "damaged":
                raise KeyError(key)
            return super().__getitem__(key)

    target = Damaged()
    target[A], target[B] = "damaged", 1
    target.clear()
    assert len(target) == 0


def test_evicting_reads_no_value():
    class Unread(dict):
        def pop(self, *args):
            raise AssertionError("it is read")

        __getitem__ = pop

    target = Bounded(Unread(), 2000)
    for name in "abc":
        target.put((name, "tag", "f"), bytes(800), Facts(1.0))
    assert [key[0] for key in target] == ["b", "c"]


@wrapped
def test_a_store_is_shrunk_on_demand_through_every_wrapper(inner, wrap):
    target = as_target(wrap(inner))
    target.put(A, bytes(5000), Facts(0.0))
    target.put(B, b"x" * 5000, Facts(9.0))
    assert target.gc(max_bytes="1 MB").evicted == 0
    assert target.gc(max_bytes=6000).evicted == 1
    assert list(inner) == [B]
    assert target.gc(max_bytes=0).evicted == 1
    assert len(inner) == 0


@pytest.mark.parametrize(
    ("young", "old"),
    [
        (DiskTarget, partial(DiskTarget, max_age=0)),
        (FileTarget, partial(FileTarget, max_age=0)),
        (lambda path: Expiring(DiskTarget(path), 60), lambda path: Expiring(DiskTarget(path), 0)),
    ],
    ids=["disk", "files", "Expiring"],
)
def test_what_has_expired_cannot_be_deleted_and_is_collected(tmp_path, young, old):
    with young(tmp_path / "store") as target:
        target[A] = 1
    with old(tmp_path / "store") as target:
        assert A not in target
        for act in (lambda: target[A], lambda: target.__delitem__(A), lambda: target.pop(A), target.popitem):
            with pytest.raises(KeyError):
                act()
    with young(tmp_path / "store") as target:
        assert target[A] == 1
        if not isinstance(target, FileTarget):  # there, files that have expired stay
            assert old(tmp_path / "store").gc().expired == 1
            assert len(target) == 0


def test_some_entry_is_taken_out(inner):
    inner[A], inner[B] = 1, 2
    assert sorted([inner.popitem(), inner.popitem()]) == [(A, 1), (B, 2)]
    with pytest.raises(KeyError, match="is empty"):
        inner.popitem()


def test_every_target_is_a_context_manager(tmp_path):
    for inner in ({}, DiskTarget(tmp_path / "a"), FileTarget(tmp_path / "b"), Serialized({})):
        with as_target(inner) as target, Layered({}, inner) as layered, Snapshots(inner) as copies:
            target[A] = 1
            assert layered[A] == copies[A] == 1
        assert target[A] == 1, "it opens again when it is used"
        target.close()
