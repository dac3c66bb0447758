"""retry: a step that fails is tried again, no other step is, and nothing else changes."""

from __future__ import annotations

import sys

import pytest
from laws import Counted, double, increment, steps_in

from flowly_ckpt import add_checkpoints, apply, chained, checkpoint, functional_hash
from flowly_ckpt.draw import draw
from flowly_ckpt.passes import observe, retry

stamina = pytest.importorskip("stamina")


class Busy:
    """A step that raises so many times before it answers."""

    def __init__(self, times):
        self.left = times

    def __flowly_hash__(self):
        return "busy"

    def __call__(self, n):
        self.left -= 1
        if self.left >= 0:
            raise OSError("busy")
        return n


def test_a_step_that_fails_is_tried_again_and_no_other_is():
    before, after = Counted(increment), Counted(double)
    assert apply(chained(before, Busy(2), after), 1, [retry(on=OSError, wait=0)]) == 4
    assert (before.calls, after.calls) == (1, 1)


def test_after_the_last_attempt_the_error_passes_and_nothing_is_stored():
    target: dict = {}
    step = Busy(3)
    with pytest.raises(OSError, match="busy") as caught:
        apply(chained(increment, step, checkpoint(target)), 1, [retry(on=OSError, attempts=3, wait=0), add_checkpoints])
    assert (step.left, target) == (0, {})
    assert caught.value.__notes__[0].startswith("in step 2 of 2, Busy")


@pytest.mark.parametrize(
    ("on", "again"),
    [
        (OSError, True),
        (Exception, True),
        (ValueError, False),
        ((ValueError, OSError), True),
        ((), False),
        (lambda error: "busy" in str(error), True),
        (lambda error: False, False),
        (lambda error: 0.0, True),
    ],
)
def test_it_is_said_what_is_tried_again(on, again):
    step = Busy(1)
    if again:
        assert apply(step, 1, [retry(on=on, wait=0)]) == 1
    else:
        with pytest.raises(OSError, match="busy"):
            apply(step, 1, [retry(on=on, wait=0)])
        assert step.left == 0


def test_waits_grow_and_begin_with_the_given_one(monkeypatch):
    waits = []
    stamina.instrumentation.set_on_retry_hooks([lambda details: waits.append(details.wait_for)])
    monkeypatch.setattr("time.sleep", lambda seconds: None)
    try:
        apply(Busy(4), 1, [retry(on=OSError, attempts=5, wait=10)])
    finally:
        stamina.instrumentation.set_on_retry_hooks(None)
    assert len(waits) == 4
    assert all(low <= round(wait, 6) <= low + rest for wait, low, rest in zip(waits, [10, 20, 40, 60], [10, 10, 10, 0]))


def test_the_order_of_passes_says_what_is_observed():
    again = retry(on=OSError, wait=0)
    every, last = [], []
    apply(Busy(2), 1, [again, observe(every.append)])
    apply(Busy(2), 1, [observe(last.append), again])
    assert [type(event.error) for event in steps_in(every)] == [OSError, OSError, type(None)]
    assert [event.error for event in steps_in(last)] == [None]


def test_neither_the_key_nor_the_picture_changes():
    pipeline = chained(increment, checkpoint({}), double)
    again = retry(on=OSError)(pipeline)
    assert functional_hash(again) == functional_hash(pipeline)
    assert draw(again).svg == draw(pipeline).svg


@pytest.mark.parametrize(
    ("options", "kind", "words"),
    [
        ({"on": "OSError"}, TypeError, "a tuple of them, or a function of one, got 'OSError'"),
        ({"on": KeyboardInterrupt}, TypeError, "on must be an exception"),
        ({"on": (OSError, str)}, TypeError, "on must be an exception"),
        ({"on": (OSError, abs)}, TypeError, "on must be an exception"),
        ({"on": OSError, "attempts": 0}, ValueError, "attempts must be a whole number, 1 or more, got 0"),
        ({"on": OSError, "attempts": "3"}, TypeError, "got '3'"),
        ({"on": OSError, "wait": -1}, ValueError, "wait must be a number of seconds, 0 or more, .*, got -1"),
    ],
)
def test_wrong_options_are_told_when_the_pass_is_made(options, kind, words):
    with pytest.raises(kind, match=f"retry: .*{words}"):
        retry(**options)


def test_without_stamina_it_is_said_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "stamina", None)
    with pytest.raises(ModuleNotFoundError, match="pip install stamina"):
        retry(on=OSError)
