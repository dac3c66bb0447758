"""Wrong inputs: each is an error that says what to write instead, and nothing is lost."""

from __future__ import annotations

from pathlib import Path

import pytest

from flowly_ckpt import add_checkpoints, apply, chained, checkpoint, clear_checkpoints, run, seq, with_checkpoint
from flowly_ckpt.calls import TargetCheckpoint, init_checkpoint
from flowly_ckpt.passes import observe
from flowly_ckpt.plan import plan
from flowly_ckpt.recipes import AlkymiConfig, recipe
from flowly_ckpt.targets import DiskTarget
from flowly_ckpt.tasks import task

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
    (lambda: checkpoint(lambda x: x), "the decorator is @memo(results)"),
    (lambda: checkpoint({})(lambda x: x), "the decorator is @memo(results)"),
    (lambda: with_checkpoint(checkpoint({})), "the transform is missing: with_checkpoint(checkpoint(results), f)"),
    (lambda: with_checkpoint(abs, checkpoint({})), "the checkpoint comes first, then the transform"),
    (lambda: chained(abs, checkpoint), "chained: step 2 of 2 is the class checkpoint; make one: checkpoint(results)"),
    (lambda: seq(checkpoint, abs), "seq: step 1 of 2 is the class checkpoint; make one: checkpoint(results)"),
    (lambda: checkpoint({}, tag=3), "tag must be a string, got int"),
    # a pipeline that is none
    (lambda: apply(5, abs), "the pipeline comes first and must be callable, got int; pipeline and object seem to be"),
    (lambda: apply(None, 5), "the pipeline comes first and must be callable, got NoneType"),
    (lambda: apply([abs, str], 5), "a pipeline is made of its steps with chained(…), got a list"),
    (lambda: chained(abs, 5), "5, which cannot be called"),
    # passes and engines
    (lambda: apply(abs, 5, rewrites=add_checkpoints), "rewrites must be a list of passes: rewrites=[add_checkpoints]"),
    (lambda: run(abs, 5, rewrites=add_checkpoints), "rewrites must be a list of passes: rewrites=[add_checkpoints]"),
    (lambda: run(abs, 5, 5), "rewrites must be a list of passes, got int"),
    (lambda: run(5, abs), "the pipeline comes first and must be callable, got int; pipeline and object seem to be"),
    (lambda: apply(abs, 5, rewrites=[None]), "a pass must be a function of a pipeline, got None in rewrites"),
    (lambda: apply(abs, 5, rewrites="add_checkpoints"), "rewrites must be a list of passes, got str"),
    (lambda: apply(abs, 5, rewrites=5), "rewrites must be a list of passes, got int"),
    (lambda: apply(abs, 5, engine="plan"), "engine must be a function of a pipeline and an object, got 'plan'"),
    (lambda: observe([]), "sink must be a function of an event, got []; for a list write events.append"),
    # the same for everything that takes a target
    (lambda: clear_checkpoints("cache"), "got str; for a folder of results write DiskTarget('cache')"),
    (lambda: clear_checkpoints(chained(abs)), "target must be a mutable mapping, got chained"),
    (lambda: recipe(target="cache")(lambda: 1), "got str; for a folder of results write DiskTarget('cache')"),
    (lambda: task(target=[])(abs), "target must be a template or a mutable mapping, got list"),
    # calls
    (lambda: init_checkpoint("index", "out"), "config must be an object or a mapping, got 'out'"),
    (
        lambda: TargetCheckpoint("index", {}).load_or_run(7, len, "text"),
        "method must be callable, got 7; the id comes second",
    ),
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


def test_a_misspelt_setting_is_refused():
    with pytest.raises(AttributeError, match="cache_pth"):
        AlkymiConfig.get().cache_pth = "results"


def test_a_plan_says_that_the_pass_was_forgotten():
    pipeline = chained(abs, checkpoint({}, "rows"), str)
    (row,) = apply(pipeline, -1, engine=plan)
    assert row.why.startswith("checkpoint(tag='rows') is only a mark here: pass rewrites=[add_checkpoints]")
    assert [row.why for row in apply(pipeline, -1, (), engine=plan)] == ["no checkpoint follows"], "said on purpose"
    assert [row.why for row in apply(chained(abs, str), -1, engine=plan)] == ["no checkpoint follows"]


def test_a_task_takes_a_path_as_template(tmp_path):
    assert str(task(target=tmp_path / "size.pkl")(len)("abc")) == str(tmp_path / "size.pkl")
