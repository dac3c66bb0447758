"""Recipes: what they do better than their model, each bug or limit of it a scenario; and the house they live in."""

from __future__ import annotations

import asyncio
import errno
import itertools
import json
import os
import re
import shutil
import signal
import sqlite3
import threading
from pathlib import Path

import numpy as np
import pytest
from runs import in_module, run_script, start_script

from flowly_ckpt import add_checkpoints, apply, chained, checkpoint, clear_checkpoints, functional_hash, ignore_globals
from flowly_ckpt.errors import MutationWarning, StoreWarning
from flowly_ckpt.passes import observe
from flowly_ckpt.pipelines import children, rebuild, walk
from flowly_ckpt.plan import plan
from flowly_ckpt.recipes import (
    AlkymiConfig,
    CacheTarget,
    CacheType,
    Recipe,
    Status,
    arg,
    file,
    foreach,
    glob_files,
    recipe,
    statuses,
    zip_results,
)

NO = CacheType.NoCache
pytestmark = pytest.mark.usefixtures("home")
uncounted = ignore_globals("calls", "switch", "gate")  # what a test counts with is no part of a function


def run(code, folder, name="steps.py"):
    """Run a script in a process of its own, and return what it printed, line by line."""
    done = run_script(folder, code, name=name)
    assert done.stderr == ""
    return done.stdout.splitlines()


def files(folder, pattern):
    return sorted(Path(folder, ".alkymi_cache").rglob(pattern))


def again(made):
    """Define a recipe anew, as a new run of the script would, with nothing in memory."""
    return type(made)(made.func, made.ingredients, made.name, made.transient, made.doc, made.cache,
                      state=made.state, code=made.code, module=made.tag.partition(":")[0])  # fmt: skip


def kept(value):
    """Return a value as it comes back from the cache."""

    def give():
        return value

    made = Recipe(give, name=f"give{functional_hash(value)}")
    made.brew()
    assert made.status() is Status.Ok
    return again(made).outputs


def same(a, b):
    return type(a) is type(b) and (a == b or (a != a and b != b))


def test_beats_S4_1_tuples_stay_tuples_and_any_number_survives(home):
    for value in [(1, (2, [3])), {(1, 2): (3,)}, [(), {}, set()], float("nan"), float("inf"), -0.0, 1.0, True, 2**100]:
        assert same(kept(value), value)
    for path in files(home, "cache.json"):
        json.loads(path.read_text(), parse_constant=lambda text: pytest.fail(f"{text} is no JSON"))


def test_beats_S4_2_no_text_is_taken_for_anything_but_text(home):
    nasty = ["!#pickle#!/etc/passwd", "!#hello#! world", '{"pickle": 1}', "</script>", "\0", "\n", '"', "\ud800"]
    assert kept(nasty) == nasty
    for value in [{"pickle": ["../../x", 3, "00"]}, {"file": ["numpy.ndarray", []]}, {"dict": []}, [["a", 3, "00"]]]:
        assert kept(value) == value


def test_beats_S4_2_without_pickling_a_forged_cache_runs_no_code(home):
    @recipe()
    def five():
        return [5]

    five.brew()
    (path,) = files(home, "cache.json")
    forged = json.loads(path.read_text())
    forged["outputs"] = {"pickle": ["../../../evil.pkl", 4, "00"]}
    path.write_text(json.dumps(forged))
    AlkymiConfig.get().allow_pickling = False
    with pytest.warns(StoreWarning, match="does not match its digest"):
        assert five.brew() == [5]


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (lambda x: min(x), lambda x: max(x)),
        (lambda x: x.real, lambda x: x.imag),
        (lambda x: (lambda: 1)(), lambda x: (lambda: 2)()),
        (lambda x, *, k=1: k, lambda x, *, k=2: k),
        (lambda x: (x, 1), lambda x: (x, True)),
    ],
)
def test_beats_S4_3_every_change_of_a_function_is_seen(home, before, after):
    one = arg(5, "one", cache=NO)
    first, second = Recipe(before, [one], "f", module="m"), Recipe(after, [one], "f", module="m")
    assert first.function_hash != second.function_hash


LIMIT = 10


def test_beats_S4_3_globals_count(home, monkeypatch):
    @recipe()
    def limit():
        return LIMIT

    assert limit.brew() == 10
    monkeypatch.setitem(globals(), "LIMIT", 11)
    assert (limit.status(), limit.brew()) == (Status.BoundFunctionChanged, 11)


def test_beats_S4_4_and_S4_5_values_that_differ_have_digests_that_differ(home):
    values = [
        np.zeros((2, 3)), np.zeros((3, 2)), np.zeros((2, 3), "i8"), np.zeros((2, 3))[::1, ::2],
        ["a<class 'str'>b"], ["a", "b"], [None, 1], [1], [[1], [2]], [[1, [2]]], [1], [True], (1,), {1},
        {"a": 1}, {"a": None},
        {"a": [1]}, "1", 1, 1.0, b"1", Path("1"),
    ]  # fmt: skip
    digests = {}
    for value in values:
        made = Recipe(lambda value=value: value, name="v", cache=NO)
        made.brew()
        digests.setdefault(made.output_checksum, value)
    assert len(digests) == len({repr(value) for value in values})


def test_beats_S4_5_the_order_of_a_set_does_not_count(home):
    code = "from flowly_ckpt.recipes import recipe\n\n@recipe()\ndef words(): return set('abcdefgh'), {'x', 'y'}\n\n"
    code += "words.brew()\nprint(words.output_checksum)"
    assert run(code, home) == run(code.replace("words.brew()", "assert str(words.status()) == 'Ok'"), home)


@pytest.mark.parametrize(
    "wrap", [lambda p: p, lambda p: {"a": [p]}, lambda p: {p: 1}, lambda p: ({"b": (p,)},), "object"]
)
def test_beats_S4_6_a_path_counts_wherever_it_is(home, wrap):
    class Holder:
        def __init__(self, path):
            self.path = path

    wrap = Holder if wrap == "object" else wrap
    source = Path("source.txt")
    source.write_text("one")

    @recipe()
    def holding():
        return wrap(source)

    holding.brew()
    before = holding.output_checksum
    assert holding.status() is Status.Ok
    source.write_text("two")
    assert holding.status() is Status.OutputsInvalid
    holding.brew()
    assert holding.output_checksum != before
    source.unlink()
    assert holding.status() is Status.OutputsInvalid


@pytest.mark.parametrize("kind", CacheType)
def test_beats_S4_7_foreach_over_a_dict_reuses_items(home, kind):
    calls = []
    numbers = arg({"a": 1, ("b", 2): 2}, "numbers", cache=kind)

    @foreach(numbers, cache=kind)
    @uncounted
    def doubled(number):
        calls.append(number)
        return [2 * number]

    assert doubled.brew() == {"a": [2], ("b", 2): [4]}
    numbers.set({"c": 3, "a": 1, ("b", 2): 2})
    assert list(doubled.brew().items()) == [("c", [6]), ("a", [2]), (("b", 2), [4])]
    numbers.set({"a": 2})
    assert doubled.brew() == {"a": [4]}
    assert calls == [1, 2, 3]


def test_foreach_over_a_list_runs_only_new_items(home):
    calls = []
    numbers, factor = arg([1, 2, 3], "numbers"), arg(10, "factor")

    @foreach(numbers)
    @uncounted
    def scaled(number, factor):
        calls.append((number, factor))
        return np.full(2, number * factor)

    def brewed():
        return [int(item[0]) for item in scaled.brew()]

    assert brewed() == [10, 20, 30]
    numbers.set([3, 4, 1, 1])
    assert brewed() == [30, 40, 10, 10]
    assert calls == [(1, 10), (2, 10), (3, 10), (4, 10)]
    factor.set(100)
    assert brewed() == [300, 400, 100, 100]
    assert len(calls) == 7
    factor.set(10)
    assert (brewed(), len(calls)) == ([30, 40, 10, 10], 7)
    assert (scaled.brew(jobs=4)[1][0], scaled.status()) == (40, Status.Ok)
    with pytest.raises(TypeError, match="'factor' must give a list or a dict, got int"):
        foreach(factor)(lambda item: item).brew()


def test_foreach_after_foreach_loads_only_the_items_that_are_new(home):
    code = """
        import sys
        from pathlib import Path
        import numpy as np
        from flowly_ckpt.recipes import arg, foreach, recipe

        read = []
        sys.addaudithook(lambda event, a: event == "open" and str(a[0]).endswith(".npy") and read.append(a[0]))
        count = arg(3, "count")

        @recipe()
        def numbers(count):
            return list(range(count))

        @foreach(numbers)
        def images(number):
            return np.full(4, number)

        @foreach(images)
        def sums(image):
            return int(image.sum())

        count.set(int(Path("count").read_text()))
        print(sums.brew(), len(read))
    """
    Path("count").write_text("3")
    assert run(code, home) == ["[0, 4, 8] 3"]
    assert run(code, home) == ["[0, 4, 8] 0"]
    Path("count").write_text("5")
    assert run(code, home) == ["[0, 4, 8, 12, 16] 2"]
    assert run(code.replace("int(image.sum())", "int(image.max())"), home) == ["[0, 1, 2, 3, 4] 5"]


@pytest.mark.parametrize("damage", ["cut", "flipped", "emptied", "gone", "no json"])
def test_beats_S4_8_a_damaged_record_is_a_miss_and_heals(home, damage):
    calls = []

    @recipe()
    @uncounted
    def words():
        calls.append(1)
        return ["to", "be"]

    words.brew()
    (path,) = files(home, "cache.json")
    data = path.read_bytes()
    damaged = {"cut": data[:-9], "flipped": data.replace(b"be", b"me"), "emptied": b"", "no json": b"?"}
    if damage == "gone":
        path.unlink()
        assert (words.status(), words.brew()) == (Status.NotEvaluatedYet, ["to", "be"])
    else:
        path.write_bytes(damaged[damage])
        with pytest.warns(StoreWarning, match="cannot be used"):
            assert again(words).brew() == ["to", "be"]
    assert (words.status(), calls) == (Status.Ok, [1, 1])


@pytest.mark.parametrize("damage", ["cut", "flipped", "gone"])
@pytest.mark.parametrize("value", [np.arange(100), b"bytes" * 100, {1: object}])
def test_beats_S4_8_a_damaged_file_is_noticed_and_computed_again(home, damage, value):
    calls = []

    @recipe()
    @uncounted
    def data():
        calls.append("data")
        return [value]

    @recipe()
    @uncounted
    def size(data):
        calls.append("size")
        return len(repr(data))

    expected = size.brew()
    (path,) = [path for path in files(home, "*") if path.is_file() and path.name != "cache.json"]
    content = path.read_bytes()
    if damage == "gone":
        path.unlink()
    else:
        path.write_bytes(content[:-1] if damage == "cut" else content[:-1] + bytes([content[-1] ^ 1]))
    if damage == "flipped":
        assert (size.brew(), calls) == (expected, ["data", "size"])  # it is not looked into before it is needed
        with pytest.warns(StoreWarning, match="not what was written"):
            assert repr(data.brew()) == repr([value])
    else:
        assert list(map(str, statuses(size).values())) == ["OutputsInvalid", "IngredientDirty"]
        assert size.brew() == expected
    assert calls == ["data", "size", "data"]
    assert (repr(again(data).outputs), size.status()) == (repr([value]), Status.Ok)


def test_beats_S4_8_a_damaged_item_of_a_foreach_is_computed_again_and_no_other(home):
    calls = []
    numbers = arg([1, 2, 3], "numbers")

    @foreach(numbers)
    @uncounted
    def images(number):
        calls.append(number)
        return np.full(4, number)

    @foreach(images)
    def sums(image):
        return int(image.sum())

    images.brew()
    path = files(home, "images/*/*.npy")[1]
    number = int(np.load(path)[0])
    path.write_bytes(path.read_bytes()[:-1] + b"?")
    with pytest.warns(StoreWarning, match="not what was written"):
        assert sums.brew() == [4, 8, 12]
    assert calls == [1, 2, 3, number]
    assert [int(image[0]) for image in again(images).brew()] == [1, 2, 3]


def test_beats_S4_8_a_run_killed_while_it_writes_leaves_no_entry(home):
    code = """
        import os, signal, sys
        import numpy as np
        from flowly_ckpt.recipes import recipe

        class Slow:
            def __flowly_hash__(self):
                return "slow"

            def __reduce__(self):
                print("writing", flush=True)
                signal.pause()

        @recipe()
        def pair():
            return [np.arange(1000), Slow() if len(os.listdir(".")) < 3 else 5]

        print(pair.brew()[1], pair.status())
    """
    process = start_script(home, code, name="steps.py")
    try:
        assert process.stdout.readline() == "writing\n"
    finally:
        process.send_signal(signal.SIGKILL)
        process.communicate(timeout=60)
    assert files(home, "cache.json") == []
    (array,) = files(home, "*.npy")
    target = CacheTarget(".alkymi_cache")
    assert (list(target), target.gc().files, array.exists()) == ([], 0, True)
    size = array.stat().st_size
    assert (target.gc(older_than=0)[1:3], array.exists()) == ((1, size), False)
    Path("go").touch()
    assert run(code, home) == ["5 Ok"]


def test_what_is_pickled_with_a_path_of_the_project_is_made_again_elsewhere(tmp_path):
    code = """
        from pathlib import Path
        from flowly_ckpt.recipes import recipe

        class Holder:
            def __init__(self, path):
                self.path = path

        @recipe()
        def held():
            print("called")
            return Holder(Path(__file__).resolve())

        print(held.brew().path.parent.name, held.status())
    """
    (tmp_path / "first").mkdir()
    assert run(code, tmp_path / "first") == ["called", "first Ok"]
    assert run(code, tmp_path / "first") == ["first Ok"]
    shutil.move(tmp_path / "first", tmp_path / "second")
    assert run(code, tmp_path / "second") == ["called", "second Ok"]


@pytest.mark.parametrize("absolute", [False, True])
def test_moving_the_project_folder_keeps_results(tmp_path, absolute):
    code = f"""
        from pathlib import Path
        import numpy as np
        from flowly_ckpt.recipes import foreach, glob_files, recipe, statuses

        HERE = Path(__file__).resolve().parent if {absolute} else Path(".")
        sources = glob_files("sources", HERE / "data", "*.txt", recursive=False)

        @foreach(sources)
        def counted(path):
            print("called")
            return np.array(len(path.read_text()))

        @recipe()
        def total(counted):
            (HERE / "total.txt").write_text(str(sum(counted)))
            return {{"written": HERE / "total.txt"}}

        print(total.brew()["written"].read_text(), *map(str, statuses(total).values()))
        assert not {absolute} or total.brew()["written"].parent == HERE
    """
    first, second = tmp_path / "first", tmp_path / "deep" / "second"
    (first / "data").mkdir(parents=True)
    (first / "data" / "a.txt").write_text("hello")
    assert run(code, first) == ["called", "5 Ok Ok Ok"]
    second.parent.mkdir()
    shutil.move(first, second)
    assert run(code, second) == ["5 Ok Ok Ok"]


def test_beats_S4_9_recipes_of_one_name_do_not_overwrite_each_other(home):
    code = """
        from flowly_ckpt.recipes import recipe

        @recipe()
        def load():
            print("called")
            return {value!r}

        print(load.brew(), load.status())
    """
    for expected in (["called"], []):
        for script, value in [("a.py", "one"), ("b.py", "two")]:
            assert run(code.format(value=value), home, script) == [*expected, f"{value} Ok"]
    calls = []

    def make(value):
        @recipe(name="twin")
        @uncounted
        def twin():
            calls.append(value)
            return value

        return twin

    assert [make(value).brew() for value in "abab"] == list("abab")
    assert calls == ["a", "b"]


def test_beats_S4_9_cells_of_a_notebook_find_their_results_after_a_restart(home):
    cell = "@recipe()\ndef load():\n    print('called')\n    return 5\n\nprint(load.brew())"
    kernel = f"""
import sys, types
main = types.ModuleType("__main__")
sys.modules["__main__"] = main
exec("from flowly_ckpt.recipes import recipe", vars(main))
exec(compile({cell!r}, "/tmp/ipykernel_" + str(__import__("os").getpid()) + "/1.py", "exec"), vars(main))
"""
    assert run(kernel, home) == ["called", "5"]
    assert run(kernel, home) == ["5"]


def test_a_module_that_is_run_and_one_that_is_imported_share_their_results(home):
    code = """
        from flowly_ckpt.recipes import recipe

        @recipe()
        def load():
            print("called")
            return 5

        load.brew()
    """
    assert run(code, home) == ["called"]
    assert run("import steps", home, "other.py") == []


@pytest.mark.parametrize("kind", [CacheType.Cache, NO])
def test_beats_S4_11_what_is_returned_is_the_callers(home, kind):
    calls = []

    @recipe(cache=kind)
    @uncounted
    def numbers():
        calls.append(1)
        return [1, 2, 3]

    numbers.brew().append(99)
    if kind is NO:
        with pytest.warns(MutationWarning, match="changed in place"):
            assert numbers.brew() == [1, 2, 3]
    else:
        assert numbers.brew() == [1, 2, 3]
        numbers.outputs.append(5)
        assert numbers.outputs == [1, 2, 3]
    assert len(calls) == (2 if kind is NO else 1)


@pytest.mark.parametrize("kind", [CacheType.Cache, NO])
@pytest.mark.parametrize("jobs", [1, 2])
def test_beats_S4_11_an_argument_changed_by_one_is_not_seen_by_another(home, kind, jobs):
    @recipe(cache=kind)
    def numbers():
        return [1, 2, 3]

    @recipe(cache=kind)
    def emptied(numbers):
        numbers.clear()
        return "emptied"

    @recipe(cache=kind)
    def total(numbers, emptied):
        return sum(numbers)

    if kind is NO:
        with pytest.warns(MutationWarning, match="changed in place"):
            assert total.brew(jobs=jobs) == 6
    else:
        assert total.brew(jobs=jobs) == 6
    assert total.status() is Status.Ok


@pytest.mark.parametrize("kind", [CacheType.Cache, NO])
def test_beats_S4_11_an_item_does_not_see_what_another_did_to_a_shared_argument(home, kind):
    numbers, more = arg([1, 2, 3], "numbers", cache=NO), arg([10], "shared", cache=CacheType.Cache)

    @foreach(numbers, [more], cache=kind)
    def added(number, shared):
        shared.append(number)
        return sum(shared)

    assert added.brew() == [11, 12, 13]


def test_an_argument_is_set_by_set_alone(home):
    numbers = arg([1, 2], "numbers")

    @recipe()
    def emptied(numbers):
        numbers.clear()
        return numbers

    assert (emptied.brew(), emptied.status(), numbers.brew()) == ([], Status.Ok, [1, 2])


def test_beats_S4_12_earlier_results_are_found_and_clearing_leaves_nothing(home):
    calls = []
    year = arg(2020, "year")

    @recipe()
    @uncounted
    def data(year):
        calls.append(year)
        return np.full(3, year)

    for value in (2020, 2021, 2020, 2021):
        year.set(value)
        assert data.brew()[0] == value
        assert data.status() is Status.Ok
    assert calls == [2020, 2021]
    target = CacheTarget(".alkymi_cache")
    assert sorted({key[1].partition(":")[2] for key in target}) == ["data", "year"]
    assert clear_checkpoints(target, tag="test_recipes_limits:data") == 2
    assert data.status() is Status.NotEvaluatedYet
    assert len(target) == 2
    assert clear_checkpoints(target, older_than=3600) == 0
    assert clear_checkpoints(target) == 2
    assert list(Path(".alkymi_cache").rglob("*")) == []


def test_beats_S4_12_a_result_that_is_replaced_leaves_no_file_behind(home):
    source = Path("source.txt")

    @recipe()
    def copy():
        return [source, np.frombuffer(source.read_bytes(), "u1")]

    for text in ("one", "two", "three"):
        source.write_text(text)
        assert bytes(copy.brew()[1]) == text.encode()
    assert len(files(home, "*.npy")) == 1


def test_beats_S4_13_recursion_builtins_and_cycles(home):
    def factorial(n):
        return 1 if n < 2 else n * factorial(n - 1)

    five = arg(5, "five")
    assert recipe([five], name="factorial")(factorial).brew() == 120
    assert recipe([five], name="abs")(abs).brew() == 5
    assert recipe([arg([3, 1, 2], "numbers")], name="in order")(sorted).brew() == [1, 2, 3]
    assert kept([len, print]) == [len, print]
    cycle = [1]
    cycle.append(cycle)
    back = kept(cycle)
    assert back[1] is back
    deep = []
    for _ in range(400):
        deep = [deep]
    assert kept(deep) == deep


def test_beats_S4_14_a_transient_recipe_runs_each_time_and_what_follows_only_for_a_new_result(home):
    calls, switch = [], [1]

    @recipe(transient=True)
    @uncounted
    def now():
        calls.append("now")
        return switch[0]

    @recipe()
    @uncounted
    def page(now):
        calls.append("page")
        return f"at {now}"

    assert [page.brew(), page.brew()] == ["at 1", "at 1"]
    switch[0] = 2
    assert page.brew() == "at 2"
    assert calls == ["now", "page", "now", "now", "page"]
    assert list(map(str, statuses(page).values())) == ["NotEvaluatedYet", "IngredientDirty"]


def test_a_state_outside_is_part_of_the_key(home):
    switch = ["v1"]

    @recipe(state=lambda: switch[0])
    @uncounted
    def table():
        return f"table {switch[0]}"

    assert (table.brew(), table.status()) == ("table v1", Status.Ok)
    switch[0] = "v2"
    assert (table.status(), table.brew()) == (Status.CustomDirty, "table v2")


@pytest.mark.parametrize("jobs", [1, 3])
def test_beats_S4_15_brewing_works_where_an_event_loop_runs(home, jobs):
    @recipe()
    def five():
        return 5

    async def main():
        return five.brew(jobs=jobs)

    assert asyncio.run(main()) == 5


@pytest.mark.parametrize("jobs", [2, 0, -1])
def test_recipes_that_do_not_need_each_other_run_at_once(home, jobs):
    gate = threading.Barrier(2, timeout=100)

    @recipe(cache=NO)
    @uncounted
    def left():
        gate.wait()
        return 1

    @recipe(cache=NO)
    @uncounted
    def right():
        gate.wait()
        return 2

    @recipe(cache=NO)
    def both(left, right):
        return left + right

    assert both.brew(jobs=jobs) == 3

    @foreach(arg([1, 2], "numbers", cache=NO), cache=NO)
    @uncounted
    def together(number):
        gate.wait()
        return number

    assert together.brew(jobs=jobs) == [1, 2]


def test_two_processes_compute_once(home):
    code = """
        from flowly_ckpt.recipes import recipe

        @recipe()
        def slow():
            with open("calls", "a") as file:
                file.write("x")
            with open("go") as pipe:  # waits until the test opens it too
                return pipe.read()

        print("started", flush=True)
        print(slow.brew())
    """
    os.mkfifo("go")
    processes = [start_script(home, code, name="steps.py") for _ in range(3)]
    try:
        assert [process.stdout.readline() for process in processes] == ["started\n"] * 3
        Path("go").write_text("done")
        assert [process.communicate(timeout=60)[0] for process in processes] == ["done\n"] * 3
    finally:
        for process in processes:
            process.kill()
            process.communicate()
    assert Path("calls").read_text() == "x"


def test_a_chain_of_many_recipes_and_a_ladder_of_shared_ones(home):
    made = arg(0, "start", cache=NO)
    for number in range(600):
        made = Recipe(lambda value: value + 1, [made], f"step{number}", cache=NO)
    assert (made.brew(), made.status()) == (600, Status.Ok)
    ladder = arg(1, "start", cache=NO)
    for number in range(40):
        ladder = Recipe(lambda a, b: (a + b) % 1000, [ladder, ladder], f"rung{number}", cache=NO)
    assert ladder.brew(jobs=2) == 2**40 % 1000


def test_an_iterator_is_handed_out_afresh(home):
    @recipe()
    def lines():
        return (line for line in ["a", "b"])

    for _ in range(2):
        assert list(lines.brew()) == ["a", "b"]
    assert list(lines.outputs) == ["a", "b"]
    assert foreach(lines)(str.upper).brew() == ["A", "B"]

    @recipe()
    def counter():
        return itertools.count()

    with pytest.raises(TypeError, match="never ends") as caught:
        counter.brew()
    assert caught.value.__notes__ == ["in recipe 'counter'"]


def test_what_cannot_be_told_by_content_still_works_in_memory(home):
    opened = []

    @recipe(cache=NO)
    @ignore_globals("opened")
    def connection():
        opened.append(sqlite3.connect(":memory:"))
        return opened[-1]

    @recipe(cache=NO)
    def is_busy(connection):
        return connection.in_transaction

    with pytest.warns(StoreWarning, match="would not be noticed"):
        assert is_busy.brew() is False
    assert (is_busy.brew(), is_busy.status()) == (False, Status.Ok)
    opened.pop().close()


def test_where_nothing_can_be_written_values_are_still_right(home):
    @recipe()
    def numbers():
        return [1, 2]

    @recipe()
    def total(numbers):
        return sum(numbers)

    Path(".alkymi_cache").write_text("a file where the folder would be")
    with pytest.warns(StoreWarning, match="did not store the result"):
        assert total.brew() == 3
    assert total.status() is Status.NotEvaluatedYet


def test_a_recipe_is_a_pipeline_underneath(home):
    year = arg(2020, "year")

    @recipe()
    def months(year):
        return [f"{year}-{month:02}" for month in range(1, 4)]

    @foreach(months)
    def label(month):
        return month.upper()

    whole = recipe([label], name="joined")(chained(sorted, ", ".join))
    transform = whole.transform
    assert rebuild(transform, children(transform)) == transform
    assert [term for term in walk(transform) if term is year.transform] == [year.transform]
    assert repr(transform).startswith("brewed('joined', brewed('label', brewed('months', brewed('year', ")
    events = []
    watched = observe(events.append)(transform)
    assert functional_hash(watched) == functional_hash(transform)
    assert watched(None) == whole.brew() == "2020-01, 2020-02, 2020-03"

    def ran():
        found = [event.step for event in events if (event.of, event.kind) == ("step", "run")]
        return [step.rpartition(".")[2] for step in found]

    first = ran()
    assert first == ["_give", "months", "label", "label", "label", "sorted", "join"]
    assert whole.brew(rewrites=[observe(events.append)]) == whole.brew()
    assert ran() == first
    year.set(2021)
    assert whole.brew(rewrites=[observe(events.append)]).startswith("2021")
    assert len(ran()) == 2 * len(first)


def test_a_recipe_that_a_function_calls_is_part_of_its_code(home):
    def made(by):
        @recipe(name="scaled")
        def scaled():
            return by * 2

        @recipe(name="called")
        def called():
            return scaled() + scaled.brew()

        return called

    first, second = made(1), made(2)
    assert (first.brew(), first.status()) == (4, Status.Ok)
    assert (second.status(), second.brew()) == (Status.BoundFunctionChanged, 8)


def test_an_error_names_the_recipe_wherever_it_stands(home):
    @recipe(cache=NO)
    def broken():
        raise KeyError("no such thing")

    with pytest.raises(KeyError) as caught:
        chained(broken.transform, str)(None)
    first, second = caught.value.__notes__
    assert first == "in recipe 'broken'"
    assert second.startswith("in step 1 of 2, brewed('broken', ")


def test_beats_S4_2_a_forged_record_reaches_no_file_outside(home):
    from flowly_ckpt.recipes.records import recorded

    @recipe()
    def data():
        return b"x" * 500

    data.brew()
    (path,) = files(home, "cache.json")
    record = recorded.loads(path.read_bytes())
    path.write_bytes(recorded.dumps(record._replace(parts=(("../../../secret", 500, record.parts[0][2]),))))
    with pytest.warns(StoreWarning, match="outside the cache"):
        assert data.brew() == b"x" * 500


def test_a_recipe_in_a_chain_and_a_checkpoint_in_a_recipe(home):
    target = {}
    year = arg(2020, "year")
    source = Path("source.txt")
    source.write_text("one")

    @recipe([year, file("text", source)])
    def title(year, text):
        return f"{year}: {text.read_text()}"

    pipeline = chained(title.transform, str.upper, checkpoint(target))
    for _ in range(2):
        assert apply(pipeline, None, [add_checkpoints]) == "2020: ONE"
    assert len(target) == 1
    year.set(2021)
    assert apply(pipeline, None, [add_checkpoints]) == "2021: ONE"
    source.write_text("two")
    assert apply(pipeline, None, [add_checkpoints]) == "2021: TWO"
    assert len(target) == 3
    inner = {}
    whole = recipe([title], name="whole")(chained(str.lower, checkpoint(inner), str.split))
    assert whole.brew(rewrites=[add_checkpoints]) == ["2021:", "two"]
    assert list(inner.values()) == ["2021: two"]


def test_a_plan_says_what_would_run_and_why(home):
    year = arg(2020, "year")

    @recipe()
    def title(year):
        return f"Report of {year}"

    assert [row.action for row in title.plan()] == ["run", "run"]
    title.brew()
    skipped, restored = str(title.plan()).splitlines()
    assert skipped == "skip     year   year   a later result is stored"
    assert re.match(r"restore  title  title  stored for these inputs and this code \(\d+ B", restored)
    assert [row[:4] for row in plan(title.transform, None)] == [row[:4] for row in title.plan()]
    rows = plan(chained(title.transform, str.upper), None)
    assert [(row.action, row.steps) for row in rows] == [
        ("skip", ("year",)), ("restore", ("title",)), ("run", ("str.upper",)),
    ]  # fmt: skip
    year.set(2021)
    assert [row.why for row in title.plan()] == [
        "its value or state has changed",
        "an ingredient has to run first",
    ]


def test_the_cache_can_be_listed_and_is_never_searched_for_sources(home):
    everything = glob_files("everything", home, "*.json", recursive=True)
    assert everything.brew() == []
    assert everything.status() is Status.Ok
    both = zip_results("both", [arg([1], "one"), arg([2], "two")])
    assert both.brew() == [(1, 2)]
    names = sorted(tag.partition(":")[2] for _, tag, _ in CacheTarget(home / ".alkymi_cache"))
    assert names == ["both", "everything", "one", "two"]


def test_the_command_line_lists_and_clears_the_cache(home):
    @foreach(arg([1, 2], "numbers"))
    def doubled(number):
        return np.full(3, 2 * number)

    doubled.brew()

    def command(*arguments):
        done = in_module(home, "flowly_ckpt", *arguments, ".alkymi_cache")
        assert (done.returncode, done.stderr) == (0, "")
        return json.loads(done.stdout)

    assert len(command("ls", "--json")) == 4
    command("clear", "--all", "--json")
    assert len(CacheTarget(".alkymi_cache")) == 0
    assert doubled.status() is Status.NotEvaluatedYet


@pytest.mark.parametrize("jobs", [1, 2])
def test_files_that_cannot_be_opened_do_not_keep_a_brew_going_round(home, jobs):
    code = f"""
        import sys
        import warnings
        import numpy as np
        from flowly_ckpt import ignore_globals
        from flowly_ckpt.recipes import arg, foreach, recipe

        calls = []

        def refuse(event, arguments):
            if event == "open" and str(arguments[0]).endswith(".npy"):
                raise OSError(24, "Too many open files")

        sys.addaudithook(refuse)

        @foreach(arg([1, 2, 3], "numbers"))
        @ignore_globals("calls")
        def images(number):
            calls.append(number)
            if len(calls) > 100:
                raise SystemExit("it goes round and round")
            return np.full(4, number)

        @recipe()
        def total(images):
            return sum(int(image.sum()) for image in images)

        with warnings.catch_warnings(record=True) as told:
            warnings.simplefilter("always")
            print(total.brew(jobs={jobs}), len(calls) <= 12)
        print(sum("kept in memory" in str(one.message) for one in told))
    """
    assert run(code, home) == ["24 True", "1"]


@pytest.fixture
def frozen(home, monkeypatch):
    """Make everything below the project's folder read-only, root or not, when it is called."""

    def freeze():
        def refused(*arguments, **named):
            raise OSError(errno.EROFS, "Read-only file system")

        for name in ("replace", "rename", "unlink", "rmdir", "mkdir", "utime"):
            monkeypatch.setattr(os, name, refused)

    return freeze


@pytest.mark.filterwarnings("ignore::flowly_ckpt.errors.StoreWarning")
@pytest.mark.parametrize("damaged", ["data", "items"])
def test_a_damaged_file_in_a_cache_that_is_read_only_is_computed(home, frozen, damaged):
    @recipe()
    def data():
        return [np.arange(100)]

    @foreach(arg([1, 2, 3], "numbers"))
    def items(number):
        return np.full(4, number)

    @recipe()
    def total(data, items):
        return int(data[0].sum()) + sum(int(item.sum()) for item in items)

    assert [data.brew()[0].sum(), len(items.brew())] == [4950, 3]
    path = files(home, f"{damaged}/*/*.npy")[0]
    path.write_bytes(path.read_bytes()[:-1] + b"?")
    frozen()
    for _ in range(2):
        assert total.brew() == 4974
        assert [data.brew()[0].sum(), [int(item[0]) for item in items.brew()]] == [4950, [1, 2, 3]]
        assert again(data).outputs is None or again(data).outputs[0].sum() == 4950


def test_an_item_does_not_see_what_another_recipe_did_to_it(home):
    @foreach(arg([1, 2], "numbers", cache=NO), cache=NO)
    def lists(number):
        return [number]

    @foreach(lists, cache=NO)
    def emptied(item):
        item.clear()
        return "emptied"

    @recipe(cache=NO)
    def total(emptied, lists):
        return [len(item) for item in lists]

    with pytest.warns(MutationWarning, match="changed in place"):
        assert total.brew() == [1, 1]


def test_only_what_the_cache_wrote_is_deleted(home):
    @recipe()
    def data():
        return [np.arange(3)]

    data.brew()
    (entry,) = [path.parent for path in files(home, "cache.json")]
    mine = [entry / "notes.txt", entry / "mine.npy", entry.parent / "0a.1b" / "cache.json", entry / "more" / "a.txt"]
    for path in mine:
        path.parent.mkdir(exist_ok=True)
        path.write_text("{}")
    target = CacheTarget(".alkymi_cache")
    assert len(target) == len(list(target.entries())) == 1
    target.gc(older_than=0)
    assert data.status() is Status.Ok
    assert clear_checkpoints(target) == 1
    assert sorted(path for path in Path(".alkymi_cache").resolve().rglob("*") if path.is_file()) == sorted(mine)


def test_the_cache_knows_how_each_entry_was_made_and_verifies_it(home):
    @recipe()
    def data():
        return [np.arange(100)]

    @recipe()
    def size(data):
        return len(data[0])

    size.brew()
    target = CacheTarget(".alkymi_cache")
    assert {entry.key for entry in target.entries()} == set(target)
    made = target.made(next(key for key in target if key[1].endswith(":size")))
    assert (made.made_from["parts"], made.seconds > 0) == ({":result of 'data'": f"{data.output_checksum} cut "}, True)
    (entry,) = target.entries(tag=data.tag)
    assert entry.size == sum(path.stat().st_size for path in files(home, "data/*/*"))
    assert {count.tag: count.entries for count in target.stats()} == {data.tag: 1, size.tag: 1}
    assert target.verify() == []
    (path,) = files(home, "*.npy")
    path.write_bytes(path.read_bytes()[:-1] + b"?")
    (line,) = target.verify(repair=True)
    assert "is not what was written" in line
    assert (data.status(), size.status()) == (Status.NotEvaluatedYet, Status.IngredientDirty)


def test_the_cache_knows_when_an_entry_was_last_used(home):
    @recipe()
    def five():
        return 5

    five.brew()
    (path,) = files(home, "cache.json")
    for place in (path, path.parent):
        os.utime(place, (path.stat().st_mtime - 1000,) * 2)
    target = CacheTarget(".alkymi_cache")
    assert len(list(target.entries())) == 1  # to look is not to use
    assert target.clear_where(unused_for=900, dry_run=True) == 1
    five.brew()
    assert target.clear_where(unused_for=900, dry_run=True) == 0
    assert target.clear_where(older_than=900) == 1


def brews_within(made):
    """A step, and a recipe, that brew another recipe themselves; what they give beside it."""

    def step(x):
        return x, made.brew()

    @recipe(cache=NO)
    def inner():
        return made.brew()

    target = {}
    pipeline = chained(step, checkpoint(target))
    return lambda: (apply(pipeline, 1, [add_checkpoints]), inner.brew())


def test_what_brews_a_recipe_by_itself_runs_again_with_another_argument(home):
    number = arg(5, "number", cache=NO)
    doubled = foreach(arg([1, 2], "items", cache=NO), [number], cache=NO)(lambda item, factor: item * factor)
    first, second = brews_within(number), brews_within(doubled)
    assert (first(), second()) == (((1, 5), 5), ((1, [5, 10]), [5, 10]))
    number.set(6)
    assert (first(), second()) == (((1, 6), 6), ((1, [6, 12]), [6, 12]))
    number.set(5)
    assert (first(), second()) == (((1, 5), 5), ((1, [5, 10]), [5, 10]))


def test_what_brews_a_recipe_by_itself_runs_again_with_another_file(home):
    Path("data.txt").write_text("one")
    read = recipe([file("data", "data.txt", cache=NO)], cache=NO)(lambda path: path.read_text())
    now = brews_within(read)
    assert now() == ((1, "one"), "one")
    Path("data.txt").write_text("two")
    assert now() == ((1, "two"), "two")


def test_what_brews_a_recipe_by_itself_runs_again_with_another_state(home):
    states = ["monday"]

    @recipe(cache=NO, state=lambda: states[0])
    @ignore_globals("states")
    def day():
        return states[0]

    now = brews_within(day)
    assert now() == ((1, "monday"), "monday")
    states[0] = "tuesday"
    assert now() == ((1, "tuesday"), "tuesday")


@pytest.mark.parametrize("kind", [CacheType.Cache, NO])
def test_an_ingredient_that_goes_to_another_argument_makes_another_result(home, kind):
    def pair(a=0, b=0):
        return a, b

    def with_first():
        a = arg(5, "value")
        return recipe(cache=kind)(pair), a

    def with_second():
        b = arg(5, "value")
        return recipe(cache=kind)(pair), b

    assert [made()[0].brew() for made in (with_first, with_second, with_first)] == [(5, 0), (0, 5), (5, 0)]


def test_the_order_of_names_counts_where_ingredients_go_by_name(home):
    def less(x, y):
        return x - y

    five, two = arg(5, "five"), arg(2, "two")
    made = [Recipe(less, [five, two], "less", keywords=names) for names in (("x", "y"), ("y", "x"))]
    assert [one.brew() for one in made] == [3, -3]
    assert [one.status() for one in made] == [Status.Ok, Status.Ok]
