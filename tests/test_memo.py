"""memo: a function of any arguments runs again only if these or its code have changed."""

from __future__ import annotations

import asyncio
import copy
import functools
import logging
import pickle
import subprocess
import sys
import textwrap
import threading
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path

import cloudpickle
import pytest

import flowly_ckpt
from flowly_ckpt import (
    DiskTarget,
    add_checkpoints,
    apply,
    chained,
    checkpoint,
    clear_checkpoints,
    functional_hash,
    ignore_globals,
    memo,
    observe,
    plan,
    run,
)
from flowly_ckpt.checkpoint import clear_stale
from flowly_ckpt.cli import main
from flowly_ckpt.errors import MutationWarning, UnhashableError

RAN: list[object] = []
KEPT: dict[object, object] = {}
counts = ignore_globals("RAN")


@pytest.fixture(autouse=True)
def _anew():
    RAN.clear()
    KEPT.clear()


@memo(KEPT)
@counts
def area(w, h=4, *more, scale=1, **names):
    RAN.append(w)
    return [w, h, more, scale, names]


@pytest.mark.parametrize("ask", [
    lambda: area(3), lambda: area(3, 4), lambda: area(3, h=4), lambda: area(w=3, h=4), lambda: area(h=4, w=3),
    lambda: area(3, scale=1), lambda: area(3, 4, scale=1),
])  # fmt: skip
def test_however_the_arguments_are_passed_it_is_one_entry(ask):
    area(3)
    assert ask() == [3, 4, (), 1, {}]
    assert (RAN, len(KEPT)) == ([3], 1)


@pytest.mark.parametrize("ask", [
    lambda: area(4), lambda: area(3, 5), lambda: area(3, 4, 5), lambda: area(3, scale=2), lambda: area(3, colour=1),
    lambda: area(3.0), lambda: area(True), lambda: area([3]),
])  # fmt: skip
def test_whatever_differs_is_another_entry(ask):
    area(3)
    first, second = ask(), ask()
    assert first == second
    assert (len(RAN), len(KEPT)) == (2, 2)


def test_what_is_ignored_does_not_count_and_still_arrives():
    @memo({}, ignore=["verbose", "seed"])
    def fit(rows, verbose=False, **options):
        return [rows, verbose, options]

    assert fit(1, verbose=True, seed=3) == [1, True, {"seed": 3}]
    assert fit(1, seed=4) == [1, True, {"seed": 3}]
    assert fit(1, seed=4, depth=2) == [1, False, {"seed": 4, "depth": 2}]


def test_it_is_the_function_in_name_signature_and_hash():
    import inspect

    assert (area.__name__, area.__module__) == ("area", __name__)
    assert str(inspect.signature(area)) == "(w, h=4, *more, scale=1, **names)"
    assert functional_hash(area) == functional_hash(area.uncached)
    assert repr(area) == f"memoized(checkpoint(tag='{__name__}.area'), area)"


def versions(text, target):
    """Return the function a module would have after an edit, decorated."""
    table = {"__name__": "edited", "target": target, "memo": memo}
    exec(text, table)
    return table


def test_an_edit_of_it_or_of_what_it_calls_counts():
    target = {}
    text = "def helper(x):\n return x + 1\n@memo(target)\ndef step(x, by=2):\n return helper(x) * by\n"
    assert versions(text, target)["step"](1) == 4
    assert versions(text.replace("x + 1", "x + 1  # one"), target)["step"](1) == 4
    assert len(target) == 1
    assert versions(text.replace("+ 1", "+ 2"), target)["step"](1) == 6
    assert versions(text.replace("by=2", "by=3"), target)["step"](1) == 6
    assert versions(text.replace("by=2", "by=2, more=0"), target)["step"](1) == 4
    assert len(target) == 4, "a parameter more is other code"


def test_two_functions_of_one_name_keep_apart():
    def make(factor):
        @memo(KEPT)
        def step(x):
            return factor * x

        return step

    assert [make(2)(1), make(3)(1), make(2)(1)] == [2, 3, 2]
    assert len(KEPT) == 2


def test_a_recursive_function_asks_itself():
    @memo(KEPT)
    def fib(n):
        return n if n < 2 else fib(n - 1) + fib(n - 2)

    assert fib(60) == 1548008755920
    assert len(KEPT) == 61


@dataclass
class Model:
    factor: int

    @memo(KEPT)
    @counts
    def times(self, x, more=0):
        RAN.append(x)
        return self.factor * x + more

    @memo(KEPT, ignore=["self"])
    @counts
    def plain(self, x):
        RAN.append(x)
        return x

    @memo(KEPT)
    @classmethod
    def named(cls, x):
        return [cls.__name__, x]

    @classmethod
    @memo(KEPT)
    def named_too(cls, x):
        return [cls.__name__, x]

    @memo(KEPT)
    @staticmethod
    def alone(x):
        return [x]

    @staticmethod
    @memo(KEPT)
    def alone_too(x):
        return [x]

    @property
    @memo(KEPT)
    def half(self):
        return self.factor / 2


class Other(Model):
    pass


def test_the_instance_of_a_method_counts_by_content():
    assert [Model(2).times(3), Model(2).times(3, more=0), Model(5).times(3)] == [6, 6, 15]
    assert RAN == [3, 3]
    assert Model(2).times.uncached(3) == 6
    assert [Model(1).plain(7), Model(2).plain(7)] == [7, 7]
    assert RAN == [3, 3, 3, 7]
    assert [row.action for row in (*Model(2).times.plan(3), *Model(3).times.plan(3))] == ["restore", "run"]


def test_an_instance_counts_where_its_method_is_a_step():
    steps = [chained(Model(n).times, str, checkpoint(KEPT, "text")) for n in (2, 5, 2)]
    assert [run(step, 3) for step in steps] == ["6", "15", "6"]


def test_methods_of_classes_and_of_nothing():
    for model in (Model, Other):
        for give in (model, model(1)):
            assert give.named(1) == give.named_too(1) == [model.__name__, 1]
            assert give.alone(1) == give.alone_too(1) == [1]
    assert Model(3).half == 1.5
    assert Model.named.plan(1)[0].action == Model.alone.plan(1)[0].action == "restore"


def test_generators_are_stored_by_their_items():
    @memo({})
    @counts
    def upto(n):
        RAN.append(n)
        yield from range(n)

    assert [list(upto(3)), list(upto(3)), next(upto(3))] == [[0, 1, 2], [0, 1, 2], 0]
    assert RAN == [3]


def test_tasks_of_a_loop_share_one_computation():
    @memo({})
    @counts
    async def fetch(x):
        RAN.append(x)
        await asyncio.sleep(0)
        return [x]

    async def ask():
        return await asyncio.gather(*[fetch(x) for x in (1, 1, 2, 1)])

    assert asyncio.run(ask()) == asyncio.run(ask()) == [[1], [1], [2], [1]]
    assert sorted(RAN) == [1, 2]


def test_a_cancelled_call_stores_nothing():
    @memo(KEPT)
    async def wait(x):
        await asyncio.Event().wait()

    async def ask():
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(wait(1), 0.01)

    asyncio.run(ask())
    assert KEPT == {}


def test_what_it_raises_passes_and_nothing_is_stored():
    @memo(KEPT)
    @counts
    def fail(x):
        RAN.append(x)
        raise ValueError(x)

    for _ in range(2):
        with pytest.raises(ValueError, match="3"):
            fail(3)
    assert (RAN, KEPT) == ([3, 3], {})


def test_an_entry_that_is_not_valid_is_computed_again():
    asked = []

    def young(entry):
        asked.append(entry.key[1])
        return len(asked) != 2

    @memo(KEPT, "young", valid=young)
    @counts
    def step(x):
        RAN.append(x)
        return x

    step(1), step(1)
    assert (RAN, asked) == ([1], ["young"])
    step(1)
    assert (RAN, asked) == ([1, 1], ["young", "young"])
    asked.clear()
    assert step.plan(1)[0].action == "restore"
    assert step.plan(1)[0].why == "what is stored is no longer valid"


def test_plan_clear_and_uncached():
    assert area.plan(3)[0].action == "run"
    area(3)
    (row,) = area.plan(w=3)
    assert row[:4] == (("area",), "restore", f"{__name__}.area", "stored for these arguments and this code")
    assert area.plan(17)[0].why.startswith("the input")
    assert area.uncached(3) == area(3)
    Model(1).times(2)
    assert (area.clear(dry_run=True), area.clear(), area.clear(), len(KEPT)) == (1, 1, 0, 1)


def test_the_code_is_the_reason_on_a_target_that_keeps_facts(tmp_path):
    text = "@memo(target)\ndef step(x):\n return x + 1\n"
    with DiskTarget(tmp_path) as target:
        versions(text, target)["step"](1)
        edited = versions(text.replace("1", "2"), target)["step"]
        assert edited.plan(1)[0].why == "step changed at line 3"


def test_a_pipeline_is_remembered_too(tmp_path):
    with DiskTarget(tmp_path) as target:
        assert [memo(target, "p")(chained(abs, increment, str))(-1) for _ in range(2)] == ["2", "2"]
        assert memo(target, "p")(chained(abs, square, str)).plan(-1)[0].why == "it was another step: increment"
        assert [memo(target)(chained())(-1), len(target)] == [-1, 2]


def test_a_parameter_may_be_called_self():
    @memo(KEPT)
    def step(self, args=1, kwargs=2):
        return [self, args, kwargs]

    assert step(self=0) == step(0) == step(0, kwargs=2) == [0, 1, 2]
    assert step.plan(self=0)[0].action == "restore"


def test_clear_checkpoints_and_the_command_line_know_its_entries(tmp_path, capsys):
    area(3), area(4)
    assert clear_checkpoints(KEPT, transform=area) == 2
    area(3)
    assert clear_checkpoints(KEPT, tag=f"{__name__}.area") == 1
    with DiskTarget(tmp_path) as target:
        memo(target, "area")(area.uncached)(3)
    main(["ls", str(tmp_path)])
    assert "area" in capsys.readouterr().out


def test_in_a_pipeline_passes_go_through_it():
    events = []
    pipeline = chained(abs, area, len, checkpoint(KEPT, "size"))
    assert apply(pipeline, -3, [observe(events.append), add_checkpoints]) == 5
    steps = [event.step for event in events if (event.of, event.kind) == ("step", "run")]
    assert steps == ["abs", "area", "len"]
    assert {key[1] for key in KEPT} == {f"{__name__}.area", "size"}
    plain = chained(abs, area.uncached, len, checkpoint(KEPT, "size"))
    assert functional_hash(pipeline) == functional_hash(plain)
    assert run(plain, -3) == 5
    assert RAN == [3]


def test_plan_of_a_pipeline_asks_it():
    area(3)
    assert [(row.action, row.tag) for row in plan(chained(area, len), 3)] == [
        ("restore", f"{__name__}.area"),
        ("run", None),
    ]
    assert plan(chained(abs, area), 3)[1].why == "its argument is known when it runs"


@pytest.mark.parametrize("function", [max, dict, str.upper, functools.partial(pow, 2), lambda x: x, chained(abs, str)])
def test_what_is_not_written_with_def(function):
    argument = "ab" if function in (max, str.upper) else [("a", 1)] if function is dict else 3
    remembered = memo(KEPT)(function)
    assert remembered(argument) == remembered(argument) == function(argument)
    assert len(KEPT) == 1


def test_functions_of_numpy():
    np = pytest.importorskip("numpy")
    rows = np.arange(6.0)
    for function in (np.sum, np.sqrt, np.linalg.norm):
        remembered = memo(KEPT)(function)
        assert np.array_equal(remembered(rows), remembered(rows.copy()))
        assert np.array_equal(remembered(rows), function(rows))
    assert np.array_equal(memo(KEPT)(np.add)(rows, rows), 2 * rows)
    assert len(KEPT) == 4


def test_defaults_that_are_told_by_their_place_count_as_in_code():
    @memo(KEPT)
    def step(x, missing=object(), log=logging.getLogger("step")):  # noqa: B008
        return x

    assert [step(1), step(1)] == [1, 1]
    assert len(KEPT) == 1


def test_threads_compute_once():
    start = threading.Barrier(4)

    @memo({})
    @ignore_globals("start", "RAN")
    def slow(x):
        RAN.append(x)
        return [x]

    def ask(x):
        start.wait()
        return slow(x)

    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(ask, [1, 1, 1, 1])) == [[1]] * 4
    assert RAN == [1]


def work(folder, n):
    return memo(DiskTarget(folder))(square)(n)


def increment(n):
    return n + 1


def square(n):
    return n * n


def test_it_pickles_as_a_function_does():
    for dumps in (pickle.dumps, cloudpickle.dumps):
        assert pickle.loads(dumps(area)) is area
        method = pickle.loads(dumps(Model(2).times))
        assert method(3) == 6
        assert method.uncached.__func__ is Model.times.uncached
        assert pickle.loads(dumps(Model.named))(1) == ["Model", 1]
    assert copy.deepcopy(area) is area
    local = memo({})(lambda x: x + 1)
    assert cloudpickle.loads(cloudpickle.dumps(local))(1) == 2


def test_processes_share_a_store(tmp_path):
    with ProcessPoolExecutor(2, mp_context=get_context("spawn")) as pool:
        assert list(pool.map(functools.partial(work, tmp_path), [2, 3, 2])) == [4, 9, 4]
    assert len(DiskTarget(tmp_path)) == 2


SCRIPT = """
import sys
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
import cloudpickle
from flowly_ckpt import DiskTarget, memo

results = DiskTarget(sys.argv[1])

@memo(results)
def fib(n):
    return n if n < 2 else fib(n - 1) + fib(n - 2)

if __name__ == "__main__":
    fib(5)
    for method in ("spawn", "fork") if sys.platform == "linux" else ("spawn",):
        with ProcessPoolExecutor(1, mp_context=get_context(method)) as pool:
            print(*pool.map(fib, [5, 6]))
    taken_apart = cloudpickle.loads(cloudpickle.dumps(fib))
    print(taken_apart(7), taken_apart.__wrapped__.__globals__["fib"] is taken_apart, len(results))
"""


def test_what_a_script_defines_goes_to_processes_and_has_one_tag_there(tmp_path):
    script = tmp_path / "script.py"
    script.write_text(SCRIPT)
    command = [sys.executable, "-W", "ignore::DeprecationWarning", str(script), str(tmp_path / "results")]
    root = str(Path(flowly_ckpt.__file__).parents[1])
    done = subprocess.run(
        command, capture_output=True, text=True, check=True, env={**_environment(), "PYTHONPATH": root}
    )
    assert done.stdout.splitlines()[-1] == "13 True 8"
    assert set(done.stdout.splitlines()[:-1]) == {"5 8"}
    with DiskTarget(tmp_path / "results") as results:
        assert {key[1] for key in results} == {"script.fib"}


def _environment():
    import os

    return dict(os.environ)


WRONG = [
    (lambda: memo(area.uncached), TypeError, "say where the results of area are kept: @memo(results)"),
    (lambda: memo("cache"), TypeError, "for a folder of results write DiskTarget('cache')"),
    (lambda: memo(dict), TypeError, "got the class dict; make one: dict(…)"),
    (lambda: memo({})(5), TypeError, "memo decorates a function, got 5"),
    (lambda: memo({})(property(len)), TypeError, "put it below @property"),
    (lambda: memo({}, ignore=["w"])(len), ValueError, "len has no parameter 'w', only obj"),
    (lambda: memo({}, tag=3)(len), TypeError, "tag must be a string, got 3"),
    (lambda: area(), TypeError, "missing a required argument: 'w'"),
    (lambda: memo({})(len)(iter([])), UnhashableError, "argument 'obj': "),
    (lambda: Model(iter([])).times(1), UnhashableError, "or leave it out with ignore=['self']"),
    (lambda: memo({})(lambda a, b: a)(1, iter([])), UnhashableError, "or leave it out with ignore=['b']"),
]


@pytest.mark.parametrize(("act", "kind", "words"), WRONG, ids=[words for _, _, words in WRONG])
def test_a_wrong_input_says_what_to_write(act, kind, words):
    with pytest.raises(kind) as caught:
        act()
    assert words in str(caught.value)


def test_an_asynchronous_generator_is_refused():
    async def items():
        yield 1

    with pytest.raises(TypeError, match="let it return a list of its items"):
        memo({})(items)


def test_an_argument_changed_in_place_is_told():
    @memo({})
    def drop(rows, labels, n=1):
        return [labels.pop() for _ in range(n)]

    with pytest.warns(MutationWarning, match="drop' changed its input in place"):
        assert drop([1], ["a", "b"]) == ["b"]
    assert drop([1], ["a", "b"]) == ["b"]


def test_results_of_code_that_is_no_more_are_stale():
    target = {}

    def made(number):
        table = {"memo": memo, "target": target, "__name__": __name__}
        source = f"""
        @memo(target)
        def area(w, h=4):
            return w * h + {number}

        @memo(target, "static")
        def fixed(w):
            return w + {number}

        class Model:
            def __init__(self, k):
                self.k = k

            @memo(target)
            def method(self, x):
                return self.k * x + {number}

            @memo(target, ignore=["self"])
            def selfless(self, x):
                return x + {number}
        """
        exec(textwrap.dedent(source), table)
        return table

    for number in (1, 2):
        table = made(number)
        one, other = table["Model"](1), table["Model"](2)
        for call in (table["area"], table["fixed"], one.method, other.method, one.selfless):
            call(3)
    area, fixed, Model = table["area"], table["fixed"], table["Model"]
    assert len(target) == 10
    assert clear_stale(target, Model.method, one.method) == 0, "which instances there will be is not known"
    assert clear_stale(target, area, dry_run=True) == 1
    assert clear_stale(target, chained(area, str), fixed, Model.selfless) == 3
    assert len(target) == 7
    assert [row.action for function in (area, fixed) for row in function.plan(3)] == ["restore", "restore"]
