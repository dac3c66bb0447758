"""Every target that is shipped does, whatever the order of what is asked of it, what a dict does."""

import copy
import itertools
import os
import pickle
import traceback
import warnings

import pytest
from batteries import makers
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test

from flowly_ckpt.errors import StoreWarning
from flowly_ckpt.targets import DiskTarget, Expiring, FileTarget, RemoteTarget, SqlTarget, as_target
from flowly_ckpt.typing import Facts

# What a folder, a name or a statement of SQL could take for one another.
PARTS = ["a", "A", "", ".", "..", ".made", "con", "a.b", "a/b", "~", "%", "\udc80", "\0", "é", "x" * 180, "x" * 400]
KEYS = [
    *itertools.product("aA", "bB", "cC"),
    *[(part, "b", "c") for part in PARTS],
    *[("a", part, "c") for part in PARTS],
    *[("a", "b", part) for part in PARTS],
    ("a.c", "b", ""),
    ("a", "b", "c.pkl"),
]
SHARED = (DiskTarget, FileTarget, RemoteTarget, SqlTarget)
keys = st.sampled_from(KEYS[:4]) | st.sampled_from(KEYS)  # some often
values = st.sampled_from([None, False, 0, "", b"", [], [1, [2]], {"a": [1]}, "text", "large", (1, (2,)), {1, 2}])
PLACES = {name: st.sampled_from(sorted({key[place] for key in KEYS}))
          for place, name in enumerate(["object", "tag", "transform"])}  # fmt: skip
selections = st.fixed_dictionaries(
    {}, optional={name: st.one_of(parts, st.lists(parts, max_size=3)) for name, parts in PLACES.items()}
)


def value_of(drawn):
    """Make a value of its own, a large one not for hypothesis to print."""
    return b"\0" * 40_000 if drawn == "large" else copy.deepcopy(drawn)


def aged(target):
    """Open a target again with all its entries too old, where that is one of its options; else return None."""
    if isinstance(target, Expiring):
        return Expiring(target.target, 0)
    if isinstance(target, DiskTarget) and target.options["max_age"] is not None:
        return DiskTarget(target.path, **{**target.options, "max_age": 0})
    return None


def selected(key, selection):
    for part, name in zip(key, PLACES):
        wanted = selection.get(name)
        if wanted is not None and part not in ([wanted] if isinstance(wanted, str) else wanted):
            return False
    return True


class LikeADict(RuleBasedStateMachine):
    make = dict

    @initialize()
    def begin(self):
        self.target = self.make()
        self.full = as_target(self.target)
        self.model = {}

    @rule(key=keys, value=values)
    def set(self, key, value):
        self.target[key] = value_of(value)
        self.model[key] = value_of(value)

    @rule(key=keys, value=values)
    def put(self, key, value):
        self.full.put(key, value_of(value), Facts(1.5, {"input": "0a"}))
        self.model[key] = value_of(value)

    @rule(items=st.lists(st.tuples(keys, values), max_size=4))
    def put_many(self, items):
        self.full.put_many((key, value_of(value), Facts(0.5)) for key, value in items)
        self.model.update((key, value_of(value)) for key, value in items)

    @rule(items=st.lists(st.tuples(keys, values), max_size=3))
    def update(self, items):
        self.target.update({key: value_of(value) for key, value in items})
        self.model.update((key, value_of(value)) for key, value in items)

    @rule(key=keys, value=values)
    def setdefault(self, key, value):
        assert self.target.setdefault(key, value_of(value)) == self.model.setdefault(key, value_of(value))

    @rule(key=keys)
    def get(self, key):
        assert self.target.get(key, "none") == self.model.get(key, "none")
        assert (key in self.target) == (key in self.model)

    @rule(wanted=st.lists(keys, max_size=5))
    def get_many(self, wanted):
        found = self.full.get_many(iter(wanted))
        assert found == {key: self.model[key] for key in wanted if key in self.model}

    @rule(key=keys)
    def delete(self, key):
        if key in self.model:
            del self.model[key]
            del self.target[key]
        else:
            with pytest.raises(KeyError):
                del self.target[key]

    @rule(key=keys)
    def pop(self, key):
        assert self.target.pop(key, "none") == self.model.pop(key, "none")

    @rule()
    def popitem(self):
        if self.model:
            key, value = self.target.popitem()
            assert self.model.pop(key) == value
        else:
            with pytest.raises(KeyError):
                self.target.popitem()

    @rule(selection=selections)
    def entries(self, selection):
        found = list(self.full.entries(**selection))
        assert sorted(entry.key for entry in found) == sorted(key for key in self.model if selected(key, selection))
        for entry in found:
            known = self.full.entry(entry.key)
            assert known.key == entry.key
            assert known.size == entry.size
            assert entry.created > 0 or not self.full.keeps_times

    @rule(key=keys)
    def entry(self, key):
        found = self.full.entry(key)
        assert (found is not None) == (key in self.model)
        assert found is None or found.key == key

    @rule(selection=selections, dry_run=st.booleans())
    def clear_where(self, selection, dry_run):
        chosen = [key for key in self.model if selected(key, selection)]
        assert self.full.clear_where(dry_run=dry_run, **selection) == len(chosen)
        for key in [] if dry_run else chosen:
            del self.model[key]

    @rule(selection=selections)
    def clear_what_is_old(self, selection):
        if self.full.keeps_times:
            assert self.full.clear_where(older_than=3600, **selection) == 0
            assert self.full.clear_where(unused_for=3600, **selection) == 0

    @rule()
    def clear(self):
        self.target.clear()
        self.model.clear()

    @rule()
    def collect(self):
        self.full.gc(older_than=0)

    @rule(key=keys)
    def claim(self, key):
        with self.full.claim(key), self.full.claim_many([key, KEYS[0]]):
            self.get(key)

    @rule(key=keys)
    def change_what_is_handed_out(self, key):
        value = self.model.get(key)
        if self.full.isolates and isinstance(value, list):
            self.target[key].append(3)
            self.full.get_many([key])[key].append(4)

    @rule()
    def close(self):
        self.full.close()

    @rule()
    def go_on_in_another_process(self):
        if isinstance(self.target, SHARED):
            self.target = self.full = pickle.loads(pickle.dumps(self.target))

    @rule(key=keys, value=values)
    def let_another_process_write(self, key, value):
        is_in_memory = "memory://" in repr(self.target)
        if not isinstance(self.target, SHARED) or is_in_memory or not hasattr(os, "fork"):
            return
        pid = os.fork()
        if pid == 0:
            code = 1
            try:
                assert dict(self.target.items()) == self.model
                self.target[key] = value_of(value)
                self.full.close()
                code = 0
            except BaseException:  # noqa: BLE001  a child must not go on with the test
                traceback.print_exc()
            finally:
                os._exit(code)
        assert os.waitpid(pid, 0)[1] == 0
        self.model[key] = value_of(value)

    @rule(share=st.sampled_from([0.0, 0.3, 0.9, 1.0]))
    def evict(self, share):
        sizes = {entry.key: entry.size for entry in self.full.entries()}
        if not all(sizes.values()):  # it does not know how large they are
            return
        bound = int(sum(sizes.values()) * share)
        evicted = self.full.gc(max_bytes=bound, older_than=0).evicted
        kept = set(self.target)
        assert kept <= set(self.model)
        assert evicted == len(self.model) - len(kept)
        once = {repr(self.model[key]): sizes[key] for key in kept}  # a store may keep equal values in one place
        assert sum(once.values()) <= bound
        for key in self.model.keys() - kept:
            del self.model[key]

    @rule(collects=st.booleans())
    def expire(self, collects):
        expired = aged(self.target)
        if expired is None:
            return
        assert len(expired) == 0
        assert dict(expired) == {}
        assert all(expired.fate(key) == "expired" for key in self.model)
        if collects:
            assert expired.gc().expired == len(self.model)
            self.model.clear()
        expired.close()

    @invariant()
    def count(self):
        assert len(self.target) == len(self.model)

    def teardown(self):
        if hasattr(self, "target"):
            assert sorted(self.target) == sorted(self.model)
            assert dict(self.target.items()) == self.model
            assert {tag.tag: tag.entries for tag in self.full.stats()} == {
                tag: sum(key[1] == tag for key in self.model) for tag in {key[1] for key in self.model}
            }
            assert self.full.verify() == []
            self.full.close()


NAMES = list(makers(None)[0])


@pytest.mark.parametrize("name", NAMES)
def test_a_target_is_like_a_dict(name, tmp_path):
    kinds, opened = makers(tmp_path)

    class Machine(LikeADict):
        make = staticmethod(kinds[name])

    few = settings(max_examples=6, stateful_step_count=20, suppress_health_check=list(HealthCheck))
    with warnings.catch_warnings():
        warnings.simplefilter("error", StoreWarning)
        try:
            run_state_machine_as_test(Machine, settings=few)
        finally:
            for thing in opened:
                thing.close()
