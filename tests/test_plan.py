"""plan: what a run would restore and compute, and why, without running or loading anything."""

from __future__ import annotations

from functools import partial

from laws import Counted, LoggedTarget, double, increment

from flowly_ckpt import add_checkpoints, apply, calls, chained, checkpoint
from flowly_ckpt.passes import observe
from flowly_ckpt.plan import plan
from flowly_ckpt.targets import DiskTarget
from flowly_ckpt.tasks import task

ask = partial(apply, rewrites=[add_checkpoints], engine=plan)
do = partial(apply, rewrites=[add_checkpoints])


def actions(forecasts):
    return [(row.action, row.steps) for row in forecasts]


def pipeline(target, clean=double, fit=increment):
    return chained(
        increment, checkpoint(target, "load"), clean, checkpoint(target, "clean"), fit, checkpoint(target, "fit"), str
    )


def test_nothing_runs_and_nothing_is_loaded():
    step, target = Counted(increment), LoggedTarget()
    transform = chained(step, checkpoint(target), double)
    do(transform, 1)
    target.loads = 0
    ask(transform, 1)
    ask(transform, 2)
    assert (step.calls, target.loads) == (1, 0)


def test_the_forecast_comes_true():
    target = {}
    assert [row.action for row in ask(pipeline(target), 1)] == ["run"] * 4
    do(pipeline(target), 1)
    assert [row.action for row in ask(pipeline(target), 1)] == ["skip", "skip", "restore", "run"]
    assert actions(ask(pipeline(target, fit=abs), 1)) == [
        ("skip", ("increment",)),
        ("restore", ("double",)),
        ("run", ("abs",)),
        ("run", ("str",)),
    ]


def test_why_it_would_run():
    target = {}
    assert {row.why for row in ask(pipeline(target), 1)[:3]} == {"nothing is stored under this tag yet"}
    do(pipeline(target), 1)
    assert ask(pipeline(target), 2)[0].why == "the input is new"
    assert ask(pipeline(target, fit=abs), 1)[2].why == "the code is new for this input"


def test_a_target_that_keeps_manifests_lets_the_changed_step_be_named(tmp_path):
    target = DiskTarget(tmp_path / "results")

    def edited(n):
        return 3 * n

    do(pipeline(target), 1)
    assert ask(pipeline(target, clean=edited), 1)[1].why == "it was another step: double"
    edited.__qualname__ = "double"
    forecast = ask(pipeline(target, clean=edited), 1)
    assert [row.why for row in forecast[1:3]] == ["double changed", "a step before its segment changed"]
    target.close()


def test_without_checkpoints_everything_runs():
    assert actions(plan(chained(increment, double), 1)) == [("run", ("increment", "double"))]
    assert plan(chained(), 1) == ()
    assert actions(plan(abs, 1)) == [("run", ("abs",))]


def test_other_passes_do_not_hide_the_checkpoints():
    target = {}
    do(pipeline(target), 1)
    passes = [add_checkpoints, observe(lambda event: None)]
    assert [row.action for row in apply(pipeline(target), 1, passes, plan)] == ["skip", "skip", "restore", "run"]


def test_a_task_in_a_pipeline_tells_whether_its_file_is_there(tmp_path, monkeypatch):
    monkeypatch.setenv("PIPEX", "cache")
    double_task = task(target=f"{tmp_path}/doubled_{{n}}")(double)
    transform = chained(double_task.transform, increment)
    assert actions(ask(transform, 1)) == [("run", ("double",)), ("run", ("increment",))]
    assert do(transform, 1) == 3
    assert actions(ask(transform, 1)) == [("restore", ("double",)), ("run", ("increment",))]
    assert ask(chained(increment, double_task.transform), 1)[1].why == "which file it makes is known when it runs"


def test_a_cached_call_in_a_pipeline_tells_whether_its_id_was_seen(tmp_path):
    calls.init_checkpoint("index", {"artifacts_dir": str(tmp_path)})
    transform = chained(calls.cache_with_checkpoint(id="n")(double), increment)
    assert actions(ask(transform, 1)) == [("run", ("double",)), ("run", ("increment",))]
    assert do(transform, 1) == 3
    assert actions(ask(transform, 1)) == [("restore", ("double",)), ("run", ("increment",))]
