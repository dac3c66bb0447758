"""plan: what a run would restore and compute, and why, without running or loading anything."""

from __future__ import annotations

import hashlib
import json
import logging
import os
import subprocess
import sys
import warnings
from datetime import date
from functools import partial
from pathlib import Path

import pytest
from edits.cells import EDITS
from laws import Counted, LoggedTarget, double, increment

import flowly_ckpt
from flowly_ckpt import (
    FileContent,
    add_checkpoints,
    apply,
    build_dict,
    calls,
    chained,
    checkpoint,
    functional_hash,
    memo,
    pmap,
    run,
)
from flowly_ckpt.hashing.code.lines import changed_line, lines_of
from flowly_ckpt.hashing.parts import MOST, parts_of
from flowly_ckpt.hashing.walk import Walk
from flowly_ckpt.hashing.wording import changes
from flowly_ckpt.passes import observe
from flowly_ckpt.plan import Forecast, Plan, plan
from flowly_ckpt.recipes import arg, foreach, recipe
from flowly_ckpt.recipes.folder import CacheTarget
from flowly_ckpt.targets import Bounded, DiskTarget, Expiring, FileTarget, Hashed
from flowly_ckpt.targets.protocol import as_target
from flowly_ckpt.targets.reasons import compared
from flowly_ckpt.tasks import task
from flowly_ckpt.typing import Facts
from flowly_ckpt.tz import attempt, curry, each

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


UNSURE = "never run, or removed since it was stored"


class DictOfOwn(dict):
    """A mapping that can be told from one that was in its place before."""


def test_why_it_would_run():
    target = {}
    assert {row.why for row in ask(pipeline(target), 1)[:3]} == {"never run"}, "or it lies where another one was"
    do(pipeline(target), 1)
    assert ask(pipeline(target), 2)[0].why == "the input 1 → 2"
    assert ask(pipeline(target, fit=abs), 1)[2].why == "it was another step: increment"
    for key in [key for key in target if key[1] == "double"]:
        del target[key]
    assert ask(pipeline(target), 1)[1].why in ("removed since it was stored", "a later result is stored")
    target.clear()
    assert ask(pipeline(target), 1)[0].why == UNSURE
    target = DictOfOwn()
    assert {row.why for row in ask(pipeline(target), 1)[:3]} == {"never run"}
    do(pipeline(target), 1)
    target.clear()
    assert ask(pipeline(target), 1)[0].why == "removed since it was stored"


def test_a_target_that_keeps_manifests_lets_the_changed_step_be_named(tmp_path):
    target = DiskTarget(tmp_path / "results")

    def edited(n):
        return 3 * n

    do(pipeline(target), 1)
    assert ask(pipeline(target, clean=edited), 1)[1].why == "it was another step: double"
    edited.__qualname__ = "double"
    forecast = ask(pipeline(target, clean=edited), 1)
    line = edited.__code__.co_firstlineno + 1
    assert [row.why for row in forecast[1:3]] == [
        f"double changed at line {line}",
        "a step before its segment changed",
    ]
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
    assert ask(transform, 1)[0].why == "its id is new"
    assert actions(ask(transform, 1)) == [("run", ("double",)), ("run", ("increment",))]
    assert do(transform, 1) == 3
    assert actions(ask(transform, 1)) == [("restore", ("double",)), ("run", ("increment",))]
    assert ask(transform, 1)[0].size > 0


@pytest.mark.parametrize("changed", ["warn", "rerun", "ignore"])
def test_a_task_tells_what_is_there_and_what_it_was_made_from(tmp_path, monkeypatch, changed):
    monkeypatch.setenv("PIPEX", "cache")

    def made(factor):
        def scaled(n):
            return factor * n

        return task(target=f"{tmp_path}/scaled_{{n}}", changed=changed)(scaled)

    assert plan(made(2), 1)[0].why == "its file is not there"
    assert made(2)(1).load() == 2
    (row,) = plan(made(2), 1)
    assert (row.action, row.why) == ("restore", "its file is there")
    assert row.size > 0
    (row,) = plan(made(3), 1)
    assert (row.action, row.why) == {
        "warn": ("restore", "its file is there, made from different code (scaled: closure factor 2 → 3)"),
        "rerun": ("run", "it was made from different code (scaled: closure factor 2 → 3)"),
        "ignore": ("restore", "its file is there"),
    }[changed]
    with warnings.catch_warnings(action="ignore"):
        assert made(3)(1).load() == (3 if row.action == "run" else 2), "as the forecast says"
    kept = task(target=made(2).target, store={})(double)
    assert kept(1).load() == 2
    assert plan(kept, 1)[0].action == "restore"


def test_a_recipe_tells_which_of_its_ingredients_changed(tmp_path):
    with DiskTarget(tmp_path / "results") as target:
        rows, rate = arg([1, 2], "rows", target=target), arg(2, "rate", target=target)

        @recipe([rows, rate], target=target)
        def scaled_rows(rows, rate):
            return [row * rate for row in rows]

        assert scaled_rows.brew() == [2, 4]
        (*_, row) = scaled_rows.plan()
        assert row.action == "restore"
        assert row.size > 0
        rate.set(3)
        (*_, row) = scaled_rows.plan()
        rate.brew()
        (*_, row) = scaled_rows.plan()
        assert (row.action, row.why) == ("run", "the result of rate changed")


def ways_in(step, folder, kept):
    """Return the doors that look at code, each as a way to run a step and a way to ask why it would run."""
    marked = chained(step, checkpoint(kept["checkpoint"], "step"))
    remembered = memo(kept["memo"], "step")(step)
    filed = task(target=f"{folder}/step", changed="rerun")(step)
    five, rows = arg(5, "five", target=kept["args"]), arg([5], "rows", target=kept["args"])
    brewed = recipe([five], target=CacheTarget(folder / "recipes"))(step)
    mapped = foreach(rows, target=kept["foreach"])(step)
    calls.init_checkpoint("index", target=kept["calls"])
    called = calls.cache_with_checkpoint(id=lambda *given, **named: given[0], code=True)(step)
    return {
        "checkpoint": (lambda: do(marked, 5), lambda: ask(marked, 5)),
        "memo": (lambda: remembered(5), lambda: remembered.plan(5)),
        "task": (lambda: filed(5), lambda: plan(filed, 5)),
        "recipe": (brewed.brew, brewed.plan),
        "call": (lambda: called(5), lambda: plan(called, 5)),
        "foreach": (mapped.brew, mapped.plan),
    }


@pytest.mark.parametrize("name", EDITS)
def test_every_door_names_the_part_that_was_changed(tmp_path, monkeypatch, caplog, name):
    monkeypatch.setenv("PIPEX", "cache")
    monkeypatch.chdir(tmp_path)
    caplog.set_level(logging.INFO, logger="flowly_ckpt")
    cell, old, new, why = EDITS[name]

    def defined(text):
        table = {"__name__": __name__}
        exec(compile(text, "steps.py", "exec"), table)
        return table["step"]

    with DiskTarget("disk") as disk:
        kept = {"checkpoint": disk, "memo": {}, "args": {}, "foreach": {}, "calls": {}}
        for go, _ in ways_in(defined(cell), tmp_path, kept).values():
            go()
        for door, (go, forecast) in ways_in(defined(cell.replace(old, new)), tmp_path, kept).items():
            (*_, row) = forecast()
            assert row.action == "run", door
            assert why in row.why, door
            caplog.clear()
            go()
            assert why in caplog.text, door
            assert forecast()[-1].action == "restore", door


def test_the_line_of_a_changed_function_is_where_it_stands_now(caplog):
    caplog.set_level(logging.INFO, logger="flowly_ckpt")

    def run_of(text, target):
        table = {"__name__": __name__}
        exec(compile(text, "steps.py", "exec"), table)
        caplog.clear()
        run(chained(table["step"], checkpoint(target, tag="made")), 1)
        return caplog.text

    old, new = "def step(x):\n    return x + 7011", "def step(x):\n    return x + 7012"
    target, other = {}, {}
    run_of(old, target)
    assert "step changed at line 2" in run_of(new, target)
    run_of(old, other)
    assert "step changed at line 5" in run_of("\n\n\n" + new, other), "the same code, met before at another line"


def test_an_edited_line_is_seldom_taken_for_the_one_it_was():
    """Two letters a line tell 4096 apart; as many hex digits told 256, and the wrong line where two were equal."""

    def shown(number):
        return lines_of(compile(f"x = 1\ny = {number}\nz = 3", "steps.py", "exec"))

    before, _ = shown(0)
    told = [changed_line(before, *shown(number)) for number in range(1, 3000)]
    assert set(told) <= {2, None}, "no other line is named"
    assert told.count(None) <= 5


def test_inputs_and_code_that_changed_are_both_told_of_a_recipe():
    target, rate, rows = {}, arg(2, "rate", target={}), arg([1], "rows", target={})

    def scaled_by(factor):
        return recipe([rows, rate], target=target, name="scaled")(lambda rows, rate: rate * factor)

    scaled_by(3).brew()
    rate.set(3)
    rate.brew()
    assert scaled_by(3).plan()[-1].why == "the result of rate changed"
    assert scaled_by(4).plan()[-1].why == "the result of rate changed; scaled: closure factor 3 → 4"
    rows.set([2])
    rows.brew()
    assert scaled_by(3).plan()[-1].why == "the input differs in result of rows, result of rate"


class Service:
    def __init__(self, factor):
        self.factor = factor

    @calls.cache_with_checkpoint(id="n")
    def scaled(self, n):
        return self.factor * n


def test_a_cached_method_tells_so_too():
    calls.init_checkpoint("index", target={})
    transform = chained(Service(2).scaled, increment)
    assert ask(transform, 3)[0] == Forecast(("Service.scaled",), "run", "index", "its id is new")
    assert do(transform, 3) == 7
    assert ask(transform, 3)[0].action == "restore"
    assert ask(chained(increment, Service(2).scaled), 3)[1].why == "its id is known when it runs"


SCALE = 0.5


def scaled(rows, *, n=3):
    return [SCALE * row * n for row in rows]


def test_several_parts_that_changed_are_all_named(monkeypatch):
    target = {}
    transform = chained(scaled, checkpoint(target, "rows"))
    do(transform, [1])
    monkeypatch.setitem(globals(), "SCALE", 0.7)
    monkeypatch.setitem(scaled.__kwdefaults__, "n", 5)
    assert ask(transform, [1])[0].why == "scaled: default of n 3 → 5, global SCALE 0.5 → 0.7"
    assert ask(transform, [2])[0].why.startswith("the input [1] → [2]; scaled: default of n 3 → 5, global SCALE")


def value_of(item):
    return item["value"] if isinstance(item, dict) else item


@pytest.mark.parametrize("make", [dict, DiskTarget], ids=["dict", "disk"])
@pytest.mark.parametrize("mapping", [curry(map), each, attempt, pmap], ids=["map", "each", "attempt", "pmap"])
def test_an_item_is_compared_with_what_it_was_and_with_no_other_item(tmp_path, make, mapping):
    target = make() if make is dict else make(tmp_path / "results")
    transform = chained(mapping(chained(value_of, checkpoint(target, "item"))), list)
    items = [{"name": f"n{i}", "value": i, "rows": [i] * 3} for i in range(10)]
    do(transform, items)
    edited = [*items[:3], {**items[3], "value": 99}, *items[4:]]
    first = ask(transform, edited)[0]
    assert first.place == ("each item",)
    assert first.why == "9 of 10 items stored; the input differs in ['value'] 3 → 99"
    assert ask(transform, [*items, {"name": "n10", "value": 10, "rows": [10] * 3}])[0].why == (
        "10 of 11 items stored; the input is new"
    )
    assert ask(transform, edited[3:4])[0].why == "0 of 1 items stored; the input differs in ['value'] 3 → 99"
    assert ask(transform, [])[0].why == "there are no items"
    do(transform, edited)
    new = {"name": "n10", "value": 10, "rows": [10] * 3}
    assert ask(transform, [*edited, new])[0].why == "10 of 11 items stored; the input is new"
    do(transform, [1, 2, 3])
    assert ask(transform, [1, 2, 3, 7])[0].why == "3 of 4 items stored; the input is new"
    if make is not dict:
        target.close()


def test_a_file_is_compared_with_what_it_held(tmp_path):
    files = [tmp_path / name for name in ("a.csv", "b.csv", "c.csv")]
    for file in files:
        file.write_text(file.name)
    target = {}
    read = chained(Path, Path.read_text, checkpoint(target, "text"))
    for transform, inputs in ((read, files[1]), (chained(each(read), checkpoint(target, "all"), len), files)):
        do(transform, [*map(FileContent, inputs)] if isinstance(inputs, list) else FileContent(inputs))
    assert ask(read, FileContent(__file__))[0].why == "the input is new"
    files[0].write_text("edited")
    assert ask(read, FileContent(files[0]))[0].why == "the content of a.csv changed"
    whole, item, _ = ask(chained(each(read), checkpoint(target, "all"), len), [*map(FileContent, files)])
    assert whole.why == "the content of a.csv of [0] changed"
    assert item.why == "2 of 3 items stored; the content of a.csv changed"


@pytest.mark.parametrize(
    ("before", "after", "why"),
    [
        ("abc", "bac", "step str.title has moved"),
        ("abc", "acb", "step str.lower has moved"),
        ("abc", "ac", "step str.title is gone"),
        ("abc", "bc", "step str.strip is gone"),
        ("abc", "ab", "step str.lower is gone"),
        ("ac", "abc", "step str.title is new"),
        ("ac", "bac", "step str.title is new"),
        ("ab", "abc", "step str.lower is new"),
        ("ac", "abbc", "step str.title is new"),
        ("abc", "aec", "it was another step: str.title"),
        ("abc", "aecd", "it was another step: str.title, step str.swapcase is new"),
        ("aab", "ab", "step str.strip is gone"),
        ("ab", "aab", "step str.strip is new"),
        ("ab" * 20, "ba" * 20, "step str.title has moved"),
        ("a" * 90 + "b", "a" * 40 + "c" + "a" * 50 + "b", "step str.lower is new"),
    ],
)
def test_steps_that_came_went_or_moved_are_told_from_those_that_stayed(before, after, why):
    steps = {"a": str.strip, "b": str.title, "c": str.lower, "d": str.swapcase, "e": str.upper}
    target = {}
    for letters, expected in ((before, "never run"), (after, why)):
        transform = chained(*[steps[letter] for letter in letters], checkpoint(target, "text"))
        assert ask(transform, "x")[0].why == expected
        do(transform, "x")


def test_a_step_that_stands_twice_is_told_once(monkeypatch):
    target = {}
    transform = chained(scaled, scaled, checkpoint(target, "rows"))
    do(transform, [1])
    monkeypatch.setitem(globals(), "SCALE", 0.7)
    assert ask(transform, [1])[0].why == "scaled: global SCALE 0.5 → 0.7"


def test_the_input_is_compared_part_by_part(tmp_path):
    pd = pytest.importorskip("pandas")
    table = pd.DataFrame({"price": [1.0, 2.0], "name": ["a", "b"]})
    with DiskTarget(tmp_path / "results") as target:
        transform = chained(len, checkpoint(target, "count"))
        do(transform, table)
        do(transform, {"rate": 1, "deep": {"limits": [1, 2], "kind": "a"}})
        assert ask(transform, table.assign(price=[1.0, 3.0]))[0].why == "the input dict → DataFrame", (
            "beside the latest"
        )
        found = {"rate": 1, "deep": {"limits": [1, 3], "kind": "b"}}
        expected = "the input differs in ['deep']['limits'] [1, 2] → [1, 3], ['deep']['kind'] 'a' → 'b'"
        assert ask(transform, found)[0].why == expected
        do(transform, table)
        target.clear_where(object=functional_hash({"rate": 1, "deep": {"limits": [1, 2], "kind": "a"}}))
        assert ask(transform, table.assign(price=[1.0, 3.0]))[0].why == "the input differs in column price"


@pytest.mark.parametrize(
    ("before", "at", "why"),
    [
        (list(range(20)), 7, "the input differs in [7]"),
        ([str(i) for i in range(686)], 685, "the input differs in [672:686]"),
        (tuple(range(5000)), 0, "the input differs in [0:256]"),
        ({str(i): i for i in range(30)}, "7", "the input changed among its items: 8"),
        ({str(i): i for i in range(500)}, "77", "the input changed among its items: 65 to 80"),
        ({"rows": list(range(300))}, None, "the input differs in ['rows'][96:112]"),
    ],
)
def test_a_change_in_a_large_container_is_placed(before, at, why):
    target = {}
    transform = chained(len, checkpoint(target, "count"))
    do(transform, before)
    after = {"rows": [*range(100), -1, *range(101, 300)]} if at is None else type(before)(before)
    if isinstance(after, tuple):
        after = (-1, *after[1:])
    elif at is not None:
        after[at] = -1
    assert ask(transform, after)[0].why == why
    if isinstance(before, list):
        assert ask(transform, [*before, 1])[0].why == f"the input list of {len(before)} → list of {len(before) + 1}"
        assert ask(transform, before[::-1])[0].why.startswith("the input")


@pytest.mark.parametrize(
    ("before", "after", "why"),
    [
        ({1, 2}, {1, 3}, "the input {1, 2} → {1, 3}"),
        ({"words": {"a", "b"}}, {"words": {"a"}}, "the input differs in ['words'] {'a', 'b'} → {'a'}"),
        ({"a": 1}, {"a": 1, "b": 2}, "the input differs in ['b'] (new)"),
        ({"a": 1, "b": 2}, {"a": 1}, "the input differs in ['b'] (gone)"),
        (date(2020, 1, 1), date(2020, 1, 2), "the input datetime.date(2020, 1, 1) → datetime.date(2020, 1, 2)"),
        ({"password": date(2020, 1, 1)}, {"password": date(2020, 1, 2)}, "the input differs in ['password']"),
    ],
)
def test_what_differs_is_shown(before, after, why):
    target = {}
    transform = chained(str, checkpoint(target, "text"))
    do(transform, before)
    assert ask(transform, after)[0].why == why


def test_of_arrays_the_form_is_told_and_of_tables_the_columns():
    pd = pytest.importorskip("pandas")
    np = pytest.importorskip("numpy")
    table = pd.DataFrame({"a": [1, 2], "b": [3, 4]})
    for before, after, why in [
        (np.arange(10), np.arange(10.0), "the input ndarray of int64 (10,) → ndarray of float64 (10,)"),
        (np.arange(10), np.arange(10).reshape(5, 2), "the input ndarray of int64 (10,) → ndarray of int64 (5, 2)"),
        (np.arange(10), np.arange(10) + 1, "the input is new"),
        (table, table.assign(c=1), "the input differs in column c (new)"),
        (table, table[["a"]], "the input differs in column b (gone)"),
    ]:
        transform = chained(len, checkpoint(target := {}, "count"))
        do(transform, before)
        assert ask(transform, after)[0].why == why, target


def test_a_parameter_that_was_added_is_named():
    def made(text):
        return eval(text)

    target = {}
    for text, why in [
        ("lambda x, n=3: x + n", "never run"),
        ("lambda x, n=3, m=4: x + n", "<lambda>: default of m is new"),
    ]:
        transform = chained(made(text), checkpoint(target, "sum"))
        assert ask(transform, 1)[0].why == why
        do(transform, 1)


def test_what_is_secret_or_keyed_is_not_shown():
    target, keyed = {}, Hashed({}, hashlib.blake2b)
    for kept in (target, keyed):
        transform = chained(len, checkpoint(kept, "count"))
        do(transform, {"password": "old", "rate": 1})
        assert "old" not in str([entry.made_from for entry in (*Expiring(target, 9).full.entries(), *keyed.entries())])
        assert ask(transform, {"password": "new", "rate": 1})[0].why == "the input differs in ['password']"
    asked = ask(chained(len, checkpoint(keyed, "count")), {"password": "old", "rate": 2})
    assert asked[0].why == "the input differs in ['rate']"


@pytest.mark.parametrize(
    ("make", "why"),
    [
        (lambda path: Expiring({}, max_age=0), "expired"),
        (lambda path: DiskTarget(path, max_age=0), "expired"),
        (lambda path: FileTarget(path, max_age=0), "expired"),
        (lambda path: Bounded({}, max_bytes=100), "evicted"),
    ],
)
def test_expired_evicted_and_never_run_are_told_apart(tmp_path, make, why):
    target = make(str(tmp_path / "results"))
    transform = chained(bytes, checkpoint(target, "bytes"))
    assert ask(transform, 60)[0].why == "never run"
    do(transform, 60)
    do(transform, 61)
    assert ask(transform, 60)[0].why == why
    target.close()


def test_a_store_remembers_what_it_has_evicted(tmp_path):
    def noise(n):
        return os.urandom(3000 + n)

    def asked(n):
        with DiskTarget(tmp_path / "results") as later:
            return ask(chained(noise, checkpoint(later, "noise")), n)[0].why

    with DiskTarget(tmp_path / "results", max_bytes=10_000) as target:
        for n in range(8):
            do(chained(noise, checkpoint(target, "noise")), n)
        kept = [n for n in range(8) if functional_hash(n) in {key[0] for key in target}]
        (one, *_) = gone = sorted({*range(8)} - {*kept})
        assert {asked(n) for n in gone} == {"evicted"}
        assert asked(100) == "the input 7 → 100"
        do(chained(noise, checkpoint(target, "noise")), one)
        target.clear_where(tag="noise")
    assert asked(one) == "never run"


def test_what_would_be_restored_has_its_size_age_and_the_time_it_saves(tmp_path, monkeypatch):
    with DiskTarget(tmp_path / "results") as target:
        transform = chained(increment, checkpoint(target, "one"), double, checkpoint(target, "two"))
        do(transform, 1)
        one, two = (next(target.entries(tag=tag)) for tag in ("one", "two"))
        monkeypatch.setattr(sys.modules["flowly_ckpt.plan.forecasts"].time, "time", lambda: two.created + 7200)
        row = ask(transform, 1)[1]
        assert (row.size, round(row.age), row.saves) == (two.size, 7200, one.seconds + two.seconds)
        shown = row._replace(saves=None).reason  # on a slow machine, it is long enough to be told
        assert shown == f"stored for this input and this code ({two.size} B, 2.0 h old)"
        assert row._replace(saves=41.3).reason.endswith(", saves 41.3 s)")


def test_branches_and_items_are_looked_into():
    target = {}
    toolz = pytest.importorskip("toolz")
    each = toolz.curried.map(chained(double, checkpoint(target, "item")))
    branches = build_dict(low=chained(min, checkpoint(target, "low")), items=chained(each, list), high=max)
    transform = chained(branches, str)
    assert [(row.action, row.name, row.tag) for row in ask(transform, [1, 2])] == [
        ("run", "low › min", "low"),
        ("run", "items › each item › double", "item"),
        ("run", "items › list", None),
        ("run", "high › max", None),
        ("run", "str", None),
    ]
    do(transform, [1, 2])
    low, items, *_ = ask(transform, [1, 2, 3])
    assert (low.action, low.why) == ("run", "the input [1, 2] → [1, 2, 3]")
    assert (items.action, items.why) == ("run", "2 of 3 items stored; the input is new")
    low, items, *_ = ask(transform, [2, 1])
    assert (items.action, items.why) == ("restore", "2 of 2 items stored")
    later = ask(chained(sorted, transform), [1, 2])
    assert [row.why for row in later[1:3]] == ["its input is known when it runs"] * 2


def test_a_stretch_that_runs_shows_what_is_kept_inside_it():
    target = {}
    inner = build_dict(low=chained(min, checkpoint(target, "low")))
    do(chained(inner, checkpoint(target, "all")), [1, 2])
    rows = ask(chained(inner, len, checkpoint(target, "all")), [1, 2])
    assert [(row.action, row.tag) for row in rows] == [("run", "all"), ("restore", "low")]


def test_a_plan_is_a_table_and_json(monkeypatch):
    rows = Plan([Forecast(("<b>fit</b>",), "run", "model", "never run", place=("low",))])
    assert repr(rows) == "run      low › <b>fit</b>  model  never run"
    assert "<b>" not in rows._repr_mimebundle_()["text/html"]
    assert "low › &lt;b&gt;fit" in rows._repr_mimebundle_()["text/html"]
    (row,) = json.loads(rows.to_json())
    assert row == {**rows[0]._asdict(), "steps": ["<b>fit</b>"], "place": ["low"]}
    monkeypatch.setattr("sys.stdout.isatty", lambda: True, raising=False)
    assert "never run" in str(rows)


def test_a_hostile_store_shows_no_escapes():
    target = {}
    transform = chained(increment, checkpoint(target, "one"))
    evil = "\x1b[31mevil"
    made_from = {
        "after": None,
        "steps": [[evil, "0a", {":": f"0a function {evil}"}]],
        "parts": {":": f"0a value {evil}"},
    }
    for odd in (made_from, {"steps": 7}, {"steps": [7, [1, 2], ["increment", "x", {":": 5}]]}, {"parts": {":": 5}}):
        for obj in (functional_hash(1), "00"):
            target.clear()
            as_target(target).put((obj, "one", "ff"), 6, Facts(0.0, odd))
            assert "\x1b" not in ask(transform, 1)[0].why


def test_two_entries_are_compared_by_what_is_stored(tmp_path, monkeypatch):
    with DiskTarget(tmp_path / "results") as target:
        transform = chained(scaled, checkpoint(target, "rows"))
        do(transform, [1])
        monkeypatch.setitem(globals(), "SCALE", 0.7)
        do(transform, [1])
        one, other = sorted(target.entries(), key=lambda entry: entry.created)
        assert compared(target, one, other.key, other.made_from) == "scaled: global SCALE 0.5 → 0.7"
        assert compared(target, one, one.key, one.made_from) == "it is there by now"


def test_the_log_says_the_same_reason_when_a_checkpoint_is_computed_again(caplog, monkeypatch):
    target = {}
    transform = chained(scaled, checkpoint(target, "rows"))
    with caplog.at_level(logging.INFO, "flowly_ckpt"):
        do(transform, [1])
        monkeypatch.setitem(globals(), "SCALE", 0.7)
        why = ask(transform, [1])[0].why
        do(transform, [1])
    first, second = (record.getMessage() for record in caplog.records)
    assert first.endswith("): never run")
    assert second.endswith(f"): {why}")
    assert why == "scaled: global SCALE 0.5 → 0.7"


def test_a_target_that_cannot_list_what_it_has_is_used_all_the_same(caplog):
    class Closed(dict):
        def entries(self, **selection):
            raise TypeError("no list")

    target = Closed()
    transform = chained(increment, checkpoint(target, "one"))
    with caplog.at_level(logging.INFO, "flowly_ckpt"):
        assert do(transform, 1) == do(transform, 1) == 2
    assert caplog.records[0].getMessage().endswith("it is not known why (TypeError: no list)")
    assert ask(transform, 1)[0].action == "restore"
    assert ask(transform, 2)[0].why == "it is not known why (TypeError: no list)"


def test_what_an_entry_keeps_of_its_parts_is_bounded(tmp_path):
    names = {f"setting_{i}": i for i in range(1000)}
    text = "def step(x):\n" + "".join(f"    x += {name}\n" for name in names) + "    return x\n"
    exec(text, names)
    step = names["step"]
    before = parts_of(Walk(), step).rows
    assert len(before) <= MOST + 1
    names["setting_999"] = 0
    assert [str(change) for change in changes(before, parts_of(Walk(), step).rows)] == ["something further off changed"]
    with DiskTarget(tmp_path / "results") as target:
        for x in range(1, 101):
            do(chained(scaled, checkpoint(target, "rows")), list(range(100 * x)))
        sizes = [len(json.dumps(entry.made_from)) for entry in target.entries()]
        assert max(sizes) <= 470
        assert sum(size > 270 for size in sizes) == 12, "most do without the parts of the code, which are the same"
        assert ask(chained(scaled, checkpoint(target, "rows")), [0])[0].why.startswith("the input")


def odd_things():
    loop = [1]
    loop.append(loop)
    deep = []
    for _ in range(3000):
        deep = [deep]
    return {
        "a loop": loop,
        "deep": deep,
        "large": [list(range(200_000))],
        "a long integer": [1 << 100_000],
        "a long text": "x" * 1_000_000,
        "a surrogate": ["\ud800", "\x1b[0m"],
        "a set": {1, "a", (2,)},
        "functions": [increment, double, increment],
        "not a number": [float("nan")],
    }


@pytest.mark.parametrize("name", odd_things())
def test_the_parts_of_anything_are_few_and_the_same_in_each_walk(name):
    obj = odd_things()[name]
    rows = parts_of(Walk(), obj).rows
    assert rows == parts_of(Walk(), odd_things()[name]).rows
    assert len(json.dumps(rows)) < 4000
    assert changes(rows, rows) == []


def test_a_part_that_cannot_be_told_leaves_the_run_alone(monkeypatch):
    def broken(*arguments, **options):
        raise RuntimeError("a library that raises when it is asked twice")

    sources = sys.modules["flowly_ckpt.checkpoint.sources"]
    monkeypatch.setattr(sources, "parts_of", broken)
    monkeypatch.setattr(sources, "_tables", {})
    target = {}
    transform = chained(scaled, checkpoint(target, "rows"))
    assert do(transform, [1, 2]) == [1.5, 3.0]
    assert ask(transform, [1, 3])[0].why == "the input is new"


def test_the_plan_looks_at_few_entries_of_many(tmp_path):
    with DiskTarget(tmp_path / "results") as target:
        made = {"after": None, "steps": [["increment", "00"]]}
        target.put_many([((f"{i:032x}", "one", "ff"), i, Facts(1.0, made)) for i in range(20_000)])
        (row,) = ask(chained(increment, checkpoint(target, "one")), 1)
        assert row.why == "the input is new; increment changed"
        assert row.saves == 1.0


@pytest.mark.parametrize(
    ("before", "after", "told"),
    [
        ("pandas 2.2.3|pandas.read_csv", "pandas 3.0.0|pandas.read_csv", "pandas 2.2.3 → 3.0.0"),
        ("os.environ python 3.12", "os.environ python 3.13", "python 3.12 → 3.13"),
        ("python 3.12|builtins.str", "python 3.12|builtins.list", "global K builtins.str → builtins.list"),
    ],
)
def test_what_is_installed_is_told_by_its_version(before, after, told):
    (change,) = changes({":global 'K'": f"0a foreign {before}"}, {":global 'K'": f"0b foreign {after}"})
    assert str(change) == told


def test_an_upgraded_package_is_named(tmp_path):
    site, script = tmp_path / "site", tmp_path / "script.py"
    (site / "fakelib-1.0.dist-info").mkdir(parents=True)
    (site / "fakelib.py").write_text("def f(x):\n    return x + 1\n")
    script.write_text(
        "import fakelib\n"
        "from flowly_ckpt import add_checkpoints, apply, chained, checkpoint\n"
        "from flowly_ckpt.plan import plan\n"
        "from flowly_ckpt.targets import DiskTarget\n"
        "def step(x):\n    return fakelib.f(x)\n"
        f"pipeline = chained(step, checkpoint(DiskTarget({str(tmp_path / 'results')!r})))\n"
        "print(apply(pipeline, 1, [add_checkpoints], plan)[0].why)\n"
        "apply(pipeline, 1, [add_checkpoints])\n"
    )
    path = os.pathsep.join([str(site), str(Path(flowly_ckpt.__file__).parents[1])])

    def run():
        env = {**os.environ, "PYTHONPATH": path}
        done = subprocess.run([sys.executable, str(script)], env=env, capture_output=True, text=True, check=True)
        return done.stdout.strip()

    assert run() == "never run"
    (site / "fakelib-1.0.dist-info").rename(site / "fakelib-2.0.dist-info")
    assert run() == "step: fakelib 1.0 → 2.0"


def test_another_python_is_told_before_what_it_compiles_otherwise():
    target = {}
    transform = chained(increment, checkpoint(target, "one"))
    made = {"after": None, "python": "3.9", "steps": [["increment", "00", {":": "0a function 00"}]]}
    as_target(target).put((functional_hash(1), "one", "ff"), 2, Facts(1.0, made))
    version = f"{sys.version_info[0]}.{sys.version_info[1]}"
    assert ask(transform, 1)[0].why == f"python 3.9 → {version}"


def test_the_log_does_not_ask_a_far_target_for_all_that_it_has(tmp_path, caplog):
    class Far(DiskTarget):
        is_far = True

        def entries(self, **selection):
            raise AssertionError("a request for each miss")

        latest = entries

    with caplog.at_level("INFO", "flowly_ckpt"):
        assert do(chained(abs, checkpoint(Far(tmp_path), "size")), -1) == 1
    assert "nothing is stored for it; `plan` says why" in caplog.text
