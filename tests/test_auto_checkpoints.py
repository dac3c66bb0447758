"""auto_checkpoints: results are kept where that saves time, by what earlier runs have shown."""

from __future__ import annotations

import hypothesis.strategies as st
import pytest
from hypothesis import given
from laws import Counted, double, increment, pipelines

from flowly_ckpt import apply, build_dict, chained, checkpoint, drop_checkpoints, functional_hash, ignore_globals
from flowly_ckpt.passes import auto_checkpoints, observe
from flowly_ckpt.passes.automatic import TAG
from flowly_ckpt.plan import plan
from flowly_ckpt.targets import DiskTarget

CLOCK = [0.0]


@pytest.fixture(autouse=True)
def _clock(monkeypatch):
    monkeypatch.setattr("time.perf_counter", lambda: CLOCK[0])


@ignore_globals("CLOCK")
def fast(x):
    CLOCK[0] += 0.25
    return x + 1


@ignore_globals("CLOCK")
def slow(x):
    CLOCK[0] += 10.0
    return x * 2


@ignore_globals("CLOCK")
def odd(x):
    CLOCK[0] += 10.0 if x > 5 else 0.25
    return x


class Slow(dict):
    """A target that takes long to store into and to restore from."""

    seconds = 0.0

    def __setitem__(self, key, value):
        CLOCK[0] += self.seconds if key[1] != TAG else 0.0
        super().__setitem__(key, value)


def tags(target):
    return sorted(key[1] for key in target if key[1] != TAG)


def ran(transform, obj, target):
    """Run and return the steps that ran, in order."""
    events = []
    apply(transform, obj, [auto_checkpoints(target), observe(events.append)])
    return [event.step for event in events if (event.of, event.kind) == ("step", "run")]


@pytest.mark.parametrize("make", [lambda path: {}, DiskTarget], ids=["dict", "DiskTarget"])
def test_the_first_run_keeps_what_took_long(tmp_path, make):
    target, transform = make(tmp_path / "results"), chained(fast, slow, fast)
    assert ran(transform, 1, target) == ["fast", "slow", "fast"]
    assert tags(target) == ["slow"]
    assert ran(transform, 1, target) == ["fast"]
    assert ran(transform, 2, target) == ["fast", "slow", "fast"]
    assert tags(target) == ["slow", "slow"]
    if isinstance(target, DiskTarget):
        target.close()


def test_short_steps_that_are_long_together_are_kept_once_that_is_known():
    target, transform = {}, chained(*[fast] * 6)
    assert len(ran(transform, 1, target)) == 6
    assert tags(target) == []
    assert len(ran(transform, 1, target)) == 6
    assert tags(target) == ["fast"], "after the fourth, which makes a second"
    assert len(ran(transform, 1, target)) == 2


def test_what_takes_longer_to_store_than_to_run_is_not_kept():
    target = Slow()
    target.seconds = 11.0
    transform = chained(slow, fast)
    for _ in range(2):  # first each step is tried, then the two together
        assert len(ran(transform, 1, target)) == 2
        assert tags(target) == []
    row, *_ = apply(transform, 1, [auto_checkpoints(target)], plan)
    assert row.why == "not kept, as storing and restoring it takes 11.0 s and running it 10.0 s"


def test_a_step_that_has_become_slow_is_kept_from_then_on():
    target, transform = {}, chained(odd, fast)
    for obj in (1, 7):
        ran(transform, obj, target)
        assert tags(target) == []
    ran(transform, 8, target)
    assert tags(target) == ["odd"]


def test_marks_that_are_there_and_branches():
    target, other = {}, {}
    transform = chained(slow, checkpoint(other, "mine"), build_dict(a=slow, b=fast))
    assert ran(transform, 1, target) == ["slow", "slow", "fast"]
    assert (tags(target), tags(other)) == (["slow"], ["mine"])
    assert ran(transform, 1, target) == ["fast"]
    assert ran(slow, 3, target) == ["slow"]
    assert ran(slow, 3, target) == []


def test_the_plan_shows_the_choice():
    target, transform = {}, chained(fast, slow, fast)

    def ask():
        return [(row.name, row.action, row.why) for row in apply(transform, 1, [auto_checkpoints(target)], plan)]

    assert ask() == [
        ("fast", "run", "never run; kept if it takes 1.0 s or more"),
        ("slow", "run", "never run; kept if it takes 1.0 s or more"),
        ("fast", "run", "never run; kept if it takes 1.0 s or more"),
    ]
    ran(transform, 1, target)
    assert ask() == [
        ("fast, slow", "restore", "stored for this input and this code"),
        ("fast", "run", "not kept, as it took 250 ms"),
    ]
    target.pop(next(key for key in target if key[1] == "slow"))
    assert ask()[0] == ("fast, slow", "run", "removed since it was stored; kept, as it took 10.2 s")


def test_steps_that_took_the_same_time_have_a_row_each():
    target, transform = {}, chained(fast, fast, lambda x: fast(x))
    ran(transform, 1, target)
    rows = apply(transform, 1, [auto_checkpoints(target)], plan)
    assert [(row.name, row.why) for row in rows] == [
        (name, "not kept, as it took 250 ms") for name in ("fast", "fast", rows[2].name)
    ]


@given(pipelines({}), st.integers(-5, 5))
def test_the_pass_changes_neither_meaning_nor_hash(pipeline, number):
    target = {}
    rewrite = auto_checkpoints(target, min_seconds=0)
    for _ in range(2):
        assert rewrite(pipeline)(number) == drop_checkpoints(pipeline)(number)
        assert functional_hash(rewrite(pipeline)) == functional_hash(pipeline)


def test_what_is_learnt_is_checked_and_the_arguments_too():
    target, step = {}, Counted(increment)
    target[functional_hash(step), TAG, ""] = ["soon", None]
    assert apply(chained(step, double), 1, [auto_checkpoints(target, min_seconds=0)]) == 4
    with pytest.raises(ValueError, match=r"min_seconds must be a number of seconds, 0 or more, or text .* got -1"):
        auto_checkpoints({}, min_seconds=-1)
    with pytest.raises(TypeError, match="target must be a mutable mapping"):
        auto_checkpoints([])
