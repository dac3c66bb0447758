"""Steps that change what they are told apart by while they run: nobody is left wondering why nothing is found."""

from __future__ import annotations

import functools
import re
import sys
import threading
import types
import warnings
from functools import partial

import pytest

from flowly_ckpt import (
    FileContent,
    add_checkpoints,
    apply,
    chained,
    checkpoint,
    drop_checkpoints,
    ignore_globals,
    memo,
    pipe,
    plan,
    run,
)
from flowly_ckpt.checkpoint import hashed
from flowly_ckpt.errors import MutationWarning, UnreachableWarning
from flowly_ckpt.recipes import arg, foreach, recipe
from flowly_ckpt.tasks import task


@pytest.fixture(autouse=True)
def _anew(monkeypatch):
    monkeypatch.setattr("flowly_ckpt.once._said", set())
    monkeypatch.setattr(hashed, "_QUICK", 600.0)


class Holder:
    def __init__(self):
        self.calls = 0
        self.deep = {"a": [0]}

    def __call__(self, x):
        self.calls += 1
        return x

    def method(self, x):
        self.deep["a"].append(x)
        return x


history: list[int] = []
count = 0
connection = None
holder = Holder()


def appends(x):
    history.append(x)
    return x


def counts(x):
    global count
    count += 1
    return x


def keeps(x, seen=[]):  # noqa: B006
    seen.append(x)
    return x


def fit(x, model):
    model.calls = x
    return x


def calls_one(x):
    return appends(x)


def uses_holder(x):
    return holder.method(x)


def closes_over():
    seen = []
    return lambda x: seen.append(x) or x


def counted(func):
    @functools.wraps(func)
    def inner(x):
        inner.calls += 1
        return func(x)

    inner.calls = 0
    return inner


STEPS = [
    (appends, "'appends' changed global 'history', so its result will not be found again: @ignore_globals('history')"),
    (counts, "'counts' changed global 'count', so its result will not be found again: @ignore_globals('count')"),
    (keeps, "'keeps' changed default 'seen', so its result will not be found again: seen=None"),
    (Holder(), "'Holder' changed .calls, so its result will not be found again: leave .calls out by a __flowly_hash__"),
    (counted(lambda x: x), "changed .calls, so its result will not be found again: keep what .calls holds in a global"),
    (Holder().method, "'Holder.method' changed self → .deep"),
    (partial(fit, model=Holder()), "'fit' changed keywords → ['model'] → .calls"),
    (calls_one, "'calls_one' changed global 'appends' → global 'history', so its result will not be found again: @ig"),
    (uses_holder, "'uses_holder' changed global 'holder' → .deep, so its result will not be found again: @ignore_glob"),
    (closes_over(), "changed closure 'seen', so its result will not be found again: @ignore_globals('seen')"),
]


@pytest.mark.parametrize(("step", "words"), STEPS, ids=[words[:30] for _, words in STEPS])
def test_a_step_that_changes_its_own_key_is_told_once(step, words):
    pipeline = chained(abs, step, checkpoint({}), str)
    with pytest.warns(MutationWarning, match=re.escape(words)) as caught:
        assert [run(pipeline, 1), run(pipeline, 1)] == ["1", "1"]
    assert len(caught) == 1
    assert caught[0].filename == __file__


def test_a_step_that_another_one_changes_is_named_with_both():
    table = {}
    exec("config = None\ndef load(x):\n    global config\n    config = x\n    return x", table)
    exec("def use(x):\n    return config, x", table)
    words = "running 'load, use' changed global 'config' of 'use', so its result will not be found again"
    with pytest.warns(MutationWarning, match=words):
        run(chained(table["load"], checkpoint({}), table["use"], checkpoint({})), 3)


@pytest.mark.parametrize(("step", "words"), STEPS[:2], ids=["appends", "counts"])
def test_memo_tells_the_same(step, words):
    with pytest.warns(MutationWarning, match=re.escape(words)):
        memo({})(step)(1)


@pytest.mark.parametrize(("step", "words"), STEPS[:2], ids=["appends", "counts"])
@pytest.mark.parametrize("door", ["task", "recipe", "foreach"])
def test_tasks_and_recipes_tell_the_same(step, words, door, tmp_path, monkeypatch):
    monkeypatch.setenv("PIPEX", "cache")
    one = arg([1], "one", target={})
    doors = {
        "task": partial(task(target=f"{tmp_path}/{{x}}", changed="rerun")(step), 1),
        "recipe": recipe([one], target={})(step).brew,
        "foreach": foreach(one, target={})(step).brew,
    }
    with pytest.warns(MutationWarning, match=re.escape(words.partition(":")[0])) as caught:
        doors[door]()
    assert [warning.filename for warning in caught] == [__file__]


def test_a_task_whose_helper_is_redefined_meanwhile_is_not_said_to_be_lost(tmp_path, monkeypatch):
    monkeypatch.setenv("PIPEX", "cache")
    table = {}
    exec("def helper(x):\n    return x", table)
    exec("def slow(x):\n    redefine()\n    return helper(x)", table)

    @ignore_globals()
    def redefine():
        exec("def helper(x):\n    return -x", table)

    table["redefine"] = redefine
    made = task(target=f"{tmp_path}/{{x}}")(table["slow"])
    with pytest.warns(MutationWarning, match="helper.* was redefined while 'slow' ran; .* is kept: remove it"):
        made(1)


def test_a_step_that_opens_what_cannot_be_hashed_is_told_before_the_next_run_fails(monkeypatch):
    def opens(x):
        global connection
        connection = iter([])
        return x

    monkeypatch.setitem(globals(), "connection", None)
    reads = chained(opens, lambda x: (connection, x)[1], checkpoint({}))
    with pytest.warns(MutationWarning, match="left .*lambda>' so that the next run will fail: cannot hash list_iter"):
        assert run(reads, 1) == 1


def test_a_generator_of_random_numbers_is_told_and_goes_on():
    """Compiled classes that it refers to have ``__annotations__`` that are those of their instances."""
    np = pytest.importorskip("numpy")
    rng, target = np.random.default_rng(7), {}

    @memo(target)
    def draw(n):
        return rng.normal(size=n)

    with pytest.warns(MutationWarning, match="changed closure 'rng'"):
        draws = [draw(2).tolist() for _ in range(6)]
    assert len({tuple(draw) for draw in draws}) == len(target) == 6


def test_what_changes_while_it_runs_is_filed_under_what_it_was():
    table = {"rate": 1}
    exec("def step(x):\n    global rate\n    rate += 1\n    return x * rate", table)
    target, step = {}, table["step"]
    with pytest.warns(MutationWarning, match="global 'rate'"):
        assert run(chained(step, checkpoint(target)), 5) == 10
    assert run(chained(step, checkpoint(target)), 5) == 15, "it began with another rate"
    table["rate"] = 1
    assert run(chained(step, checkpoint(target)), 5) == 10
    assert table["rate"] == 1, "restored"


def test_what_ran_while_its_code_was_redefined_is_not_kept():
    table = {"redefine": lambda: exec(HELPER.replace("1", "100"), table)}
    HELPER = "def helper(x):\n    return x + 1"
    exec(HELPER, table)
    exec("def step(x):\n    before = helper(x)\n    redefine()\n    return before + helper(x)", table)
    step = ignore_globals("redefine")(table["step"])
    for target, ask in (
        ({}, lambda target: run(chained(step, checkpoint(target)), 1)),
        ({}, lambda t: memo(t)(step)(1)),
    ):
        exec(HELPER, table)
        hashed.warn_once.__globals__["_said"].clear()
        with pytest.warns(
            MutationWarning, match="global 'helper' was redefined while 'step' ran; the result, of which"
        ):
            assert ask(target) == 103
        assert target == {}
        assert ask(target) == 202
        assert len(target) == 1, "nothing changed this time"


def test_of_nested_checkpoints_what_was_stored_before_stays_when_code_is_redefined():
    table = {"redefine": lambda: exec("def helper(x): return x + 100", table)}
    exec("def helper(x): return x + 1", table)
    exec("def step(x):\n    redefine()\n    return helper(x)", table)
    first, second, third = {}, {}, {}
    known = chained(abs, checkpoint(first))
    assert run(known, -1) == 1
    step = ignore_globals("redefine")(table["step"])
    with pytest.warns(MutationWarning, match="global 'helper' was redefined while"):
        assert run(chained(known, step, checkpoint(second), abs, checkpoint(third)), -1) == 101
    assert (len(first), second, third) == (1, {}, {})


LATE = 5  # calls after which code is known, and not hashed anew for each


@pytest.mark.parametrize("door", ["checkpoint", "memo"])
def test_what_imports_something_late_is_kept(door, monkeypatch):
    class Importing(dict):
        def __setitem__(self, key, value):
            if value == -LATE:
                monkeypatch.setitem(sys.modules, "late_comer", types.ModuleType("late_comer"))
            super().__setitem__(key, value)

    ask, target = late_door(door, lambda x: -x, Importing())
    with warnings.catch_warnings(action="error"):
        assert list(map(ask, range(LATE + 1))) == [-x for x in range(LATE + 1)]
    assert len(target) == LATE + 1


@pytest.mark.parametrize("door", ["checkpoint", "memo"])
@pytest.mark.parametrize(
    ("late", "words", "count"),
    [
        ("rate = 2", "changed global 'rate', so its result will not be found again: @ignore_globals('rate')", LATE + 1),
        ("helper = eval('lambda x: x + 9')", "global 'helper' was redefined while 'step' ran", LATE),
        ("helper.__code__ = (lambda x: x + 9).__code__", "code of 'helper' was redefined while 'step' ran", LATE),
        ("Kind.method = lambda self: 9", "attribute 'method' was redefined while 'step' ran", LATE),
        ("bound.__closure__[0].cell_contents = lambda x: x + 9", "its code was redefined while 'step' ran", LATE),
    ],
    ids=["an atom", "a function", "code", "a method", "a function in a closure"],
)
def test_what_changes_late_is_told_as_if_at_first(door, late, words, count):
    table = {"__name__": __name__, "rate": 1}
    exec("def helper(x):\n    return x + 1\nclass Kind:\n    def method(self):\n        return 1", table)
    exec("def make(inner):\n    return lambda x: inner(x)\nbound = make(lambda x: x)", table)
    exec(f"def change():\n    global rate, helper\n    {late}", table)
    text = "def step(x):\n    if x == LATE:\n        change()\n    return helper(x) * rate + Kind().method() + bound(0)"
    exec(text.replace("LATE", str(LATE)), table)
    ask, target = late_door(door, ignore_globals("change")(table["step"]))
    with warnings.catch_warnings(action="error"):
        for x in range(LATE):
            ask(x)
    with pytest.warns(MutationWarning, match=re.escape(words)):
        ask(LATE)
    assert len(target) == count


def late_door(door, step, target=None):
    target = {} if target is None else target
    if door == "memo":
        return memo(target, "late")(step), target
    return add_checkpoints(chained(step, checkpoint(target))), target


def test_an_input_changed_in_place_is_told():
    def fill(rows):
        rows.setdefault("b", []).append(1)
        return len(rows)

    def shared(rows):
        rows["a"].calls += 1
        return 1

    with pytest.warns(MutationWarning, match="fill' changed its input in place, which a run that restores the result"):
        run(chained(fill, checkpoint({})), {"a": 1})
    with pytest.warns(MutationWarning, match="shared' changed its input 'a' in place"):
        run(chained(shared, checkpoint({})), {"a": Holder(), "b": Holder()})


def test_a_file_that_is_gone_afterwards_costs_no_result(tmp_path):
    (tmp_path / "rows").write_text("rows")

    def move(file):
        (tmp_path / "rows").unlink()
        return 4

    with pytest.warns(MutationWarning, match="move' changed its input in place"):
        assert run(chained(move, checkpoint({})), FileContent(tmp_path / "rows")) == 4


def test_what_takes_long_is_hashed_again_once(monkeypatch):
    monkeypatch.setattr(hashed, "_QUICK", 0.0)
    monkeypatch.setattr(hashed, "_SHARE", 0.0)
    monkeypatch.setattr(hashed, "_costly", {})
    asked = []

    class Rows:
        @ignore_globals("asked")
        def __flowly_hash__(self):
            asked.append(self)
            return "rows"

    def step(rows):
        return 1

    for number in (2, 1, 1):
        asked.clear()
        run(chained(step, checkpoint({})), Rows())
        assert len(asked) == number


def test_ordinary_steps_are_not_told_of(recwarn):
    cache = {}

    def pure(rows):
        return [*rows, len(cache)]

    run(chained(pure, checkpoint({}), sorted, checkpoint({}), len, Holder().deep.get), [1])
    assert not recwarn.list


# Marks without their pass


def test_a_forgotten_pass_is_told_once_per_tag_at_the_users_line():
    rows, other = checkpoint({}, "rows"), checkpoint({}, "other")
    pipeline = chained(abs, rows)
    with pytest.warns(UnreachableWarning) as caught:
        assert [apply(pipeline, -1), pipe(-1, pipeline), pipeline(-1), chained(pipeline, other)(-1)] == [1, 1, 1, 1]
    assert [str(each.message) for each in caught] == [
        f"checkpoint(tag='{tag}') is only a mark here: pass rewrites=[add_checkpoints], or call run(pipeline, obj)"
        for tag in ("rows", "other")
    ]
    assert {each.filename for each in caught} == {__file__}


def test_an_engine_of_other_passes_forgot_it_too():
    with pytest.warns(UnreachableWarning, match="is only a mark here"):
        apply(chained(abs, checkpoint({}, "rows")), -1, [lambda transform: transform])


def test_without_checkpoints_on_purpose_it_is_silent(recwarn):
    pipeline = chained(abs, checkpoint({}, "rows"))
    assert apply(pipeline, -1, ()) == apply(pipeline, -1, rewrites=[]) == pipe(-1, pipeline, rewrites=()) == 1
    assert drop_checkpoints(pipeline)(-1) == run(pipeline, -1) == apply(pipeline, -1, [add_checkpoints]) == 1
    assert [row.why for row in apply(pipeline, -1, (), plan)] == ["no checkpoint follows"]
    assert not recwarn.list


def test_a_hidden_mark_is_told_of_once():
    hidden = checkpoint({}, "hidden")
    with pytest.warns(UnreachableWarning) as caught:
        run(chained(lambda x: hidden(x)), 1)
    assert [str(each.message)[:40] for each in caught] == ["checkpoint(tag='hidden') is hidden in 't"]


def test_each_thread_gets_its_result_when_warnings_are_errors():
    pipeline, found = chained(appends, checkpoint({})), []

    def ask():
        with warnings.catch_warnings():
            found.append(run(pipeline, 3))

    with pytest.warns(MutationWarning):
        ask()
    threads = [threading.Thread(target=ask) for _ in range(3)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    assert found == [3, 3, 3, 3]
