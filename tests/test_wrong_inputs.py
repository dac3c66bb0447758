"""Wrong inputs: each is an error that says what to write instead, and nothing is lost."""

from __future__ import annotations

from pathlib import Path

import pytest

from flowly_ckpt import add_checkpoints, apply, chained, checkpoint
from flowly_ckpt.targets import DiskTarget

ROWS = [
    # a target that is none
    (lambda: checkpoint(5), "target must be a mutable mapping, got int"),
    (lambda: checkpoint([]), "target must be a mutable mapping, got list"),
    (lambda: checkpoint(None), "target must be a mutable mapping, got NoneType"),
    (lambda: checkpoint(dict), "got the class dict; make one: dict(…)"),
    (lambda: checkpoint(DiskTarget), "got the class DiskTarget; make one: DiskTarget(…)"),
    (lambda: checkpoint("cache"), "for a folder of results write DiskTarget('cache')"),
    (lambda: checkpoint(Path("cache")), "for a folder of results write DiskTarget('cache')"),
    (lambda: checkpoint(len), "not around it: chained(len, checkpoint(results))"),
    (lambda: checkpoint({}, tag=3), "tag must be a string, got int"),
    # a pipeline that is none
    (lambda: apply(5, abs), "the pipeline comes first and must be callable, got int; pipeline and object seem to be"),
    (lambda: apply(None, 5), "the pipeline comes first and must be callable, got NoneType"),
    (lambda: apply([abs, str], 5), "a pipeline is made of its steps with chained(…), got a list"),
    (lambda: chained(abs, 5), "5, which cannot be called"),
    # passes and engines
    (lambda: apply(abs, 5, rewrites=add_checkpoints), "rewrites must be a list of passes: rewrites=[add_checkpoints]"),
    (lambda: apply(abs, 5, rewrites=[None]), "a pass must be a function of a pipeline, got None in rewrites"),
    (lambda: apply(abs, 5, rewrites="add_checkpoints"), "rewrites must be a list of passes, got str"),
    (lambda: apply(abs, 5, rewrites=5), "rewrites must be a list of passes, got int"),
    (lambda: apply(abs, 5, engine="plan"), "engine must be a function of a pipeline and an object, got 'plan'"),
]


@pytest.mark.parametrize(("act", "words"), ROWS, ids=[words for _, words in ROWS])
def test_a_wrong_input_says_what_to_write(act, words):
    with pytest.raises(TypeError) as caught:
        act()
    assert words in str(caught.value)


def test_an_error_within_a_pass_is_its_own():
    def broken(transform):
        raise TypeError("of the pass")

    with pytest.raises(TypeError, match="of the pass"):
        apply(abs, 5, rewrites=[broken])
