"""Tasks with named files: one test for each statement of what they do, by its number."""

from __future__ import annotations

import copy
import itertools
import os
import pickle
import subprocess
import sys
import tempfile
import textwrap
import threading
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

import cloudpickle
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from flowly_ckpt import add_checkpoints, apply, chained, checkpoint, clear_checkpoints, functional_hash, run
from flowly_ckpt.calls import LocalStorageCheckpoint
from flowly_ckpt.errors import MutationWarning, StoreWarning, UnhashableError, UnreachableWarning
from flowly_ckpt.pipelines import children, role
from flowly_ckpt.resume.storing import folder_of_states
from flowly_ckpt.targets import DiskTarget, FileTarget, Layered, RemoteTarget, SqlTarget, as_target
from flowly_ckpt.tasks import (
    Context,
    Filestore,
    ModeError,
    Results,
    StaleError,
    StaleWarning,
    Store,
    TemplateError,
    current_target,
    flow,
    gcontext,
    logged,
    mode,
    task,
)
from flowly_ckpt.tasks.keeping import _Result

ROOT = str(Path(__file__).parents[1])


@pytest.fixture(autouse=True)
def folder(monkeypatch, tmp_path):
    """A folder to work in, and the context as it is at the start."""
    monkeypatch.delenv("PIPEX", raising=False)
    monkeypatch.chdir(tmp_path)
    before = gcontext.values()
    yield tmp_path
    for name in gcontext.values():
        delattr(gcontext, name)
    for name, value in before.items():
        setattr(gcontext, name, value)


class Ran(list):
    """What ran, in order; no part of what the functions that note it do."""

    def __flowly_hash__(self):
        return "ran"


@pytest.fixture
def ran():
    return Ran()


def script(folder, code, *arguments, check=True, **environment):
    """Run a program in a process of its own."""
    path = folder / "script.py"
    path.write_text(textwrap.dedent(code))
    variables = {name: value for name, value in os.environ.items() if name != "PIPEX"}
    return subprocess.run(
        [sys.executable, "-W", "error", str(path), *arguments],
        cwd=folder, check=check, capture_output=True, text=True,
        env={**variables, "PYTHONPATH": ROOT, **environment},
    )  # fmt: skip


def files(folder):
    """The files that a person sees."""
    return sorted(
        path.relative_to(folder).as_posix()
        for path in folder.rglob("*")
        if path.is_file() and not any(part.startswith(".") for part in path.relative_to(folder).parts)
    )


def steps(ran):
    """Three tasks in a row, which note when they run."""

    @task(target="{path}/{funcname}/{base}")
    def load(n):
        ran.append("load")
        return list(range(n))

    @task
    def clean(rows):
        ran.append("clean")
        return [row for row in rows if row % 2]

    @task
    def report(rows):
        ran.append("report")
        return f"{len(rows)} rows"

    return load, clean, report


def test_S3_1_do_nothing_runs_the_functions_directly(monkeypatch, folder, ran):
    monkeypatch.setenv("PIPEX", "do_nothing")

    @task
    def load(n):
        return list(range(n))

    @task(target="{path}/x/{nothing}", retries=3)
    def total(rows):
        return sum(rows)

    @flow
    def bare(n):
        return total(load(n))

    @flow(name="with options")
    def main(n):
        return total.submit(load.submit(n)).result()

    assert (bare(4), main(4), load(2)) == (6, 6, [0, 1])
    assert files(folder) == []


def test_S3_2_the_target_is_filled_at_the_call(folder):
    @task(target="{path}/{funcname}/{base}")
    def load():
        return 1

    gcontext.base = "file1"
    assert str(load()) == "working/load/file1"
    assert files(folder) == ["working/load/file1"]


def test_S3_3_tasks_whose_file_is_there_are_skipped(folder, ran):
    gcontext.base = "file1"
    load, *_ = steps(ran)
    assert load(3) == load(3)
    assert ran == ["load"]


def test_S3_3_also_when_another_process_made_the_file(folder):
    code = """
        from flowly_ckpt.tasks import gcontext, task
        @task(target="{path}/{funcname}/{n}.pkl")
        def square(n):
            print("ran", n)
            return n * n
        print(square(3).load())
    """
    assert script(folder, code).stdout == "ran 3\n9\n"
    assert script(folder, code).stdout == "9\n"


def test_S3_3_also_when_someone_else_made_the_file(folder, ran):
    gcontext.base = "file1"
    (folder / "working/load").mkdir(parents=True)
    (folder / "working/load/file1").write_bytes(pickle.dumps("by hand"))
    load, *_ = steps(ran)
    assert (load(3).load(), ran) == ("by hand", [])


def test_S3_4_data_are_loaded_from_the_files_given(ran):
    gcontext.base = "file1"
    load, clean, report = steps(ran)
    assert clean(load(5)).load() == [1, 3]
    assert report(rows=clean(load(5))).load() == "2 rows"


def test_S3_5_output_is_saved_as_a_pickle(folder, ran):
    gcontext.base = "file1"
    steps(ran)[0](3)
    with open(folder / "working/load/file1", "rb") as file:
        assert pickle.load(file) == [0, 1, 2]


def test_S3_6_a_store_is_returned_and_not_the_data(ran):
    gcontext.base = "file1"
    result = steps(ran)[0](3)
    assert isinstance(result, Store)
    assert (str(result), os.fspath(result), repr(result)) == (
        *["working/load/file1"] * 2,
        "Filestore(working/load/file1)",
    )
    assert (result.load(), result, hash(result)) == ([0, 1, 2], Filestore(result.loc), hash(Filestore(result.loc)))


def test_S3_6a_a_chain_that_is_complete_loads_nothing(monkeypatch, ran):
    gcontext.base = "file1"
    load, clean, report = steps(ran)
    report(clean(load(5)))
    loads = []
    monkeypatch.setattr(Filestore, "load", lambda store: loads.append(store))
    assert str(report(clean(load(5)))) == "working/report/file1"
    assert (loads, len(ran)) == ([], 3)


def test_S3_6a_results_are_small_to_send(ran):
    gcontext.base = "file1"
    result = steps(ran)[0](100_000)
    assert len(pickle.dumps(result)) < 200
    assert pickle.loads(pickle.dumps(result)) == result


@pytest.mark.parametrize("removed", ["load", "clean", "report"])
def test_S3_7_only_the_task_whose_file_was_removed_runs_again(folder, ran, removed):
    gcontext.base = "file1"
    load, clean, report = steps(ran)
    for _ in range(2):
        report(clean(load(5)))
        ran_then, ran[:] = list(ran), []
        (folder / "working" / removed / "file1").unlink()
    report(clean(load(5)))
    assert (ran_then, ran) == ([removed], [removed])


def test_S3_7_a_store_removes_its_file(ran):
    gcontext.base = "file1"
    load, *_ = steps(ran)
    load(3).remove()
    load.at(3).remove()
    assert not load.at(3).exists()
    load(3)
    assert ran == ["load", "load"]


def test_S3_10_the_default_is_path_funcname_base_in_a_pickle(folder):
    @task
    def load():
        return 1

    gcontext.base = "a/b"
    assert load() == Filestore("working/load/a/b")


@pytest.mark.parametrize(
    ("template", "expected"),
    [
        ("{path}/{funcname}/{base}_{n}.pkl", "working/call/b_7.pkl"),
        ("{path}/t/{os.path.basename(fn)}_{datetime.date(2020,1,2)}", "working/t/a.csv_2020-01-02"),
        ("{path}/{int(n)+1}", "working/8"),
        ("{path}/{n+1:03d}", "working/008"),
    ],
)
def test_S3_11_templates_may_use_modules(template, expected):
    @task(target=template)
    def call(n, fn="data/a.csv"):
        return n

    gcontext.base = "b"
    assert str(call(7)) == expected


def test_S3_11_the_name_of_an_upstream_file_can_be_used(ran):
    gcontext.base = "file1"
    load, *_ = steps(ran)

    @task(target="{path}/{funcname}/{os.path.basename(rows)}.txt")
    def count(rows):
        return len(rows)

    assert str(count(load(3))) == "working/count/file1.txt"


def test_S3_12_path_and_base_are_set_at_run_time(ran):
    load, *_ = steps(ran)
    places = []
    for path, base in [("working", "a"), ("working", "b"), ("else/where", "b")]:
        gcontext.path, gcontext.base = path, base
        places.append(str(load(3)))
    assert places == ["working/load/a", "working/load/b", "else/where/load/b"]
    assert len(ran) == 3


def test_S3_12_a_task_may_have_a_path_of_its_own(ran):
    square = square_of(ran, target=None, path="elsewhere", base="b")
    gcontext.base = "file1"
    assert str(square(3)) == str(square.with_options(retries=1).at(3)) == "elsewhere/square/b"


def test_S3_12_they_can_be_set_for_one_thread(ran):
    load, *_ = steps(ran)

    def one(base):
        with gcontext.using(base=base):
            return str(load(3))

    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(one, "abcd")) == [f"working/load/{base}" for base in "abcd"]


def test_S3_13_any_store_can_be_used(ran):
    rows = {}

    class Row(Store):
        def save(self, data):
            rows[self.loc] = data

        def load(self):
            return rows[self.loc]

        def exists(self):
            return self.loc in rows

    @task(target="{funcname}:{n}", store=Row)
    def square(n):
        ran.append(n)
        return n * n

    assert (square(3).load(), square(3), ran, rows) == (9, Row("square:3"), [3], {"square:3": 9})


def test_S3_13_a_store_in_a_database(folder, ran):
    pytest.importorskip("sqlalchemy", reason="SQLAlchemy is not installed")
    sys.path.insert(0, str(Path(ROOT) / "examples"))
    from files import Tablestore, database

    engine = database(f"sqlite:///{folder}/results.db")

    @task(target="{funcname}/{n}", store=partial(Tablestore, engine=engine))
    def square(n):
        ran.append(n)
        return n * n

    @task(target="{funcname}", store=partial(Tablestore, engine=engine))
    def total(squares):
        return sum(squares)

    for _ in range(2):
        assert total([square(n) for n in range(4)]).load() == 14
    assert ran == [0, 1, 2, 3]
    assert files(folder) == ["results.db"]
    engine.dispose()


def test_S3_14_without_saving_the_data_are_returned(folder, ran):
    @task(save=False, target="{path}/{n}.txt")
    def plain(n):
        ran.append(n)
        return n * n

    assert (plain(3), plain(3), ran, files(folder)) == (9, 9, [3, 3], [])


def test_S3_14_a_function_saves_its_own_output(folder, ran):
    @task(save=False, target="{path}/{n}.txt")
    def write(n):
        ran.append(n)
        os.makedirs("working", exist_ok=True)
        Path(current_target()).write_text("x" * n)
        return n

    assert write(3) == 3
    assert write(3) == Filestore("working/3.txt")
    assert (ran, files(folder)) == ([3], ["working/3.txt"])
    with pytest.raises(LookupError, match="no task is running"):
        current_target()


@pytest.mark.parametrize("asked", ["cache", "do_nothing"])
def test_S3_14_it_is_told_where_in_every_mode(monkeypatch, folder, asked):
    import asyncio

    monkeypatch.setenv("PIPEX", asked)

    @task(save=False, target="{path}_{n}.txt")
    def write(n):
        Path(current_target()).write_text("x")

    @task(save=False, target="{path}_{n}.txt")
    async def write_later(n):
        await asyncio.sleep(0)
        Path(current_target()).write_text("x")

    write(3)
    asyncio.run(write_later(4))
    assert files(folder) == ["working_3.txt", "working_4.txt"]


def test_S3_14_without_a_store_nothing_is_kept(folder, ran):
    @task(store=None)
    def load(n):
        ran.append(n)
        return n

    assert (load(3), load(3), ran, files(folder)) == (3, 3, [3, 3], [])
    assert load(square_of(ran)(2)) == 4  # what it is given is loaded all the same


def test_S3_15_files_have_meaningful_names(folder):
    @task(target="{path}/{funcname}/{city}/{year}.pkl")
    def weather(city, year):
        return (city, year)

    for city in ("Oslo", "Rome"):
        weather(city, 2020)
    assert files(folder) == ["working/weather/Oslo/2020.pkl", "working/weather/Rome/2020.pkl"]


def test_S3_17_importing_and_running_writes_nothing_elsewhere_and_starts_no_thread(folder):
    home = folder / "home"
    home.mkdir()
    code = """
        import os, threading
        before = dict(os.environ)
        from flowly_ckpt.tasks import gcontext, task
        assert threading.active_count() == 1 and not os.listdir(".") , os.listdir(".")
        gcontext.base = "a"
        @task
        def load():
            return 1
        load()
        assert threading.active_count() == 1 and dict(os.environ) == before
        print(sorted(os.listdir(".")))
    """
    (folder / "script.py").write_text(textwrap.dedent(code))
    where = folder / "place"
    where.mkdir()
    done = subprocess.run(
        [sys.executable, str(folder / "script.py")], cwd=where, capture_output=True, text=True,
        env={**os.environ, "PYTHONPATH": ROOT, "HOME": str(home), "PYTHONDONTWRITEBYTECODE": "1"},
    )  # fmt: skip
    assert (done.stdout, done.stderr, os.listdir(home)) == ("['working']\n", "", [])


def test_S3_17_log_lines_say_where_they_come_from(ran):
    import io

    gcontext.base = "file1"
    told = io.StringIO()
    with logged(stream=told):
        steps(ran)[0](3)
    assert "recall.py:" in told.getvalue()
    assert "'load'" in told.getvalue()


def test_S3_18_prefect_need_not_be_installed(folder):
    code = """
        import sys
        sys.modules["prefect"] = None
        from flowly_ckpt.tasks import flow, task
        @task(target="{path}/{n}", retries=2)
        def square(n):
            return n * n
        @flow
        def main():
            return square(3).load()
        print(main())
    """
    assert script(folder, code).stdout == "9\n"


@pytest.mark.parametrize("asked", ["prefect", "prefect.cache"])
def test_S3_18_where_it_is_asked_for_and_missing_the_error_says_so(folder, asked):
    code = """
        import sys
        class Absent:
            def find_spec(self, name, path=None, target=None):
                if name.partition(".")[0] == "prefect":
                    raise ModuleNotFoundError(name, name=name)
        sys.meta_path.insert(0, Absent())
        from flowly_ckpt.tasks import flow, task
        made = {"task": task, "flow": flow}[sys.argv[1]](lambda n: n)
        try:
            made(3)
        except ImportError as error:
            print(type(error).__name__, error)
    """
    for kind in ("task", "flow"):
        told = script(folder, code, kind, PIPEX=asked).stdout
        needs = "needs Prefect 3: run `pip install 'flowly-ckpt[prefect]'`"
        assert told == f"MissingPrefectError PIPEX={asked!r} {needs}\n"


def test_S3_19_an_unknown_mode_is_a_clear_error(monkeypatch):
    monkeypatch.setenv("PIPEX", "bad")
    with pytest.raises(ValueError, match=r"'bad' is not a mode: use do_nothing, cache, prefect or prefect\.cache"):
        task(abs)(-1)
    with pytest.raises(ModeError):
        flow(abs)(-1)


# What the original got wrong.


def test_beats_S3_1_the_mode_is_read_when_a_task_is_called(monkeypatch, folder):
    @task(target="{path}/{n}")
    def square(n):
        return n * n

    monkeypatch.setenv("PIPEX", "do_nothing")
    assert (mode(), square(3)) == ("do_nothing", 9)
    monkeypatch.setenv("PIPEX", "cache")
    assert square(3) == Filestore("working/3")
    monkeypatch.setenv("PIPEX", "")
    assert mode() == "cache"


def test_beats_S3_2_the_default_works_before_base_is_set(folder, ran):
    load, *_ = steps(ran)

    @task
    def all_of_them():
        return 1

    @task
    def named(city, *, year=2020, rows=()):
        return city

    @task
    def long(rows):
        return rows

    load(3), load(4), all_of_them(), named("New York/USA", rows=[1])
    long(["x" * 100])
    found = files(folder)
    assert found[:4] == ["working/all_of_them/all_of_them", "working/load/n=3", "working/load/n=4", found[3]]
    assert found[4].startswith("working/named/city=New York%2FUSA,year=2020,rows=")
    assert load(3).load() == [0, 1, 2]
    gcontext.base = "file1"
    assert load(5).load() == list(range(5))


VALUES = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(allow_nan=False), st.text(), st.binary(),
    st.sampled_from(["1", "1.0", "True", "None", "'1'", "nan", "a/b", "a%2Fb", "..", "\ud800", "x" * 61]),
    st.lists(st.integers(), max_size=3), st.tuples(st.text(max_size=3)),
)  # fmt: skip


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(st.lists(VALUES, max_size=8))
def test_beats_S3_2_by_default_no_two_calls_share_a_file(values):
    @task
    def kind(value):
        return [type(value).__name__, value]

    with tempfile.TemporaryDirectory() as root, gcontext.using(path=root):
        stores = [kind(value) for value in values]
        assert [store.load() for store in stores] == [[type(value).__name__, value] for value in values]


def square_of(ran, target="{path}/squares.pkl", extra=0, **options):
    @task(target=target, **options)
    def square(n):
        ran.append(n)
        return n * n + extra

    return square


def test_beats_S3_3_a_file_made_with_other_arguments_is_reported(ran):
    square = square_of(ran)
    square(3)
    with pytest.warns(
        StaleWarning, match="working/squares.pkl was made from different argument 'n'; remove it"
    ) as told:
        assert square(4).load() == 9
    assert [warning.filename for warning in told] == [__file__]
    square(3)
    assert ran == [3]


def test_beats_S3_3_in_another_process_too(folder):
    code = """
        import sys
        from flowly_ckpt.tasks import task
        @task(target="{path}/squares.pkl")
        def square(n):
            return n * n
        print(square(int(sys.argv[1])).load())
    """
    assert script(folder, code, "3").stdout == "9\n"
    assert script(folder, code, "3", PYTHONHASHSEED="5").stdout == "9\n"
    assert "StaleWarning: working/squares.pkl" in script(folder, code, "4", check=False).stderr


def test_beats_S3_3_also_one_that_the_function_saved_itself(ran):
    @task(save=False, target="{path}.txt")
    def write(n):
        Path(current_target()).write_text("x" * n)

    write(3), write(3)
    with pytest.warns(StaleWarning, match="argument 'n'"):
        write(4)


def test_beats_S3_4_a_file_made_by_other_code_is_reported(ran):
    square_of(ran)(3)
    with pytest.warns(StaleWarning, match=r"made from different code \(.*square: closure extra 0 → 1\); remove it"):
        assert square_of(ran, extra=1)(3).load() == 9


def test_beats_S3_4_it_is_made_again_where_that_is_wanted(ran):
    square_of(ran)(3)
    again = square_of(ran, extra=1, changed="rerun")
    assert (again(3).load(), again(3).load(), again(4).load(), ran) == (10, 10, 17, [3, 3, 4])


def test_beats_S3_4_or_an_error_or_of_no_interest(ran):
    square_of(ran)(3)
    with pytest.raises(
        StaleError, match=r"different code \(.*square: closure extra 0 → 1\) and argument 'n'"
    ) as caught:
        square_of(ran, extra=1, changed="raise")(4)
    assert (caught.value.loc, caught.value.differences) == ("working/squares.pkl", ("code", "argument 'n'"))
    assert square_of(ran, extra=1, changed="ignore")(4).load() == 9
    with pytest.raises(ValueError, match="changed='never'"):
        square_of(ran, changed="never")


def test_beats_S3_4_new_data_from_upstream_are_noticed(folder, ran):
    gcontext.base = "file1"
    load, clean, _ = steps(ran)
    clean(load(5))

    @task
    def load(n):
        return [1] * n

    Filestore("working/load/file1").remove()
    rows = load(5)
    with pytest.warns(StaleWarning, match="working/clean/file1 was made from different argument 'rows'"):
        clean(rows)
    # The same data made once more are no news, nor is a folder that was moved.
    Filestore("working/load/file1").remove()
    clean(steps(ran)[0](5))
    (folder / "working").rename(folder / "moved")
    gcontext.path = "moved"
    clean(load.at(5))


def test_beats_S3_4_a_file_replaced_by_hand_is_not_judged_by_its_old_note(folder, ran):
    square = square_of(ran)
    square(3)
    (folder / "working/squares.pkl").write_bytes(pickle.dumps("by hand"))
    assert square(4).load() == "by hand"


def test_beats_S3_5_a_result_that_cannot_be_saved_leaves_no_file(folder, ran):
    gcontext.base = "file1"

    @task
    def broken():
        return [1, threading.Lock()]

    with pytest.warns(StoreWarning, match="did not store"):
        result = broken()
    assert (files(folder), result.exists(), result.load()[0]) == ([], False, 1)

    @task
    def first(rows):
        return rows[0]

    assert first(result).load() == 1  # the tasks after it get it all the same


def test_beats_S3_5_where_rerunning_cannot_be_saved_the_old_file_is_not_passed_off_as_new(ran):
    square_of(ran)(3)

    @task(target="{path}/squares.pkl", changed="rerun")
    def square(n):
        return threading.Lock()

    with pytest.warns(StoreWarning, match="did not store"):
        assert square(3).load() != 9
    assert Filestore("working/squares.pkl").load() == 9


def test_beats_S3_5_an_empty_file_is_not_a_result(folder, ran):
    square = square_of(ran)
    (folder / "working").mkdir()
    (folder / "working/squares.pkl").touch()
    with pytest.warns(StoreWarning, match="is empty and counts as absent"):
        assert square(3).load() == 9


def test_a_file_that_goes_away_while_it_is_looked_at_is_no_error(folder):
    leaving = []

    class Leaving(Filestore):
        def exists(self):
            is_there = super().exists()
            for path in leaving:
                os.unlink(path)
            leaving.clear()
            return is_there

    square = task(target=f"{folder}/{{n}}", store=Leaving)(lambda n: n * n)
    leaving.append(str(square(3)))
    assert square(3) == square.at(3)
    assert square(3).load() == 9


def test_beats_S3_5_a_damaged_file_says_what_to_do(folder, ran):
    square = square_of(ran)
    path = Path(square(3))
    path.write_bytes(path.read_bytes()[:-3])
    with pytest.raises(OSError, match=r"squares.pkl cannot be read \(.*\); remove it, and the task"):
        square.at(3).load()
    square.at(3).remove()
    with pytest.raises(FileNotFoundError, match=r"squares.pkl is not there"):
        square.at(3).load()
    assert square(3).load() == 9


def test_beats_S3_5_a_task_that_is_killed_leaves_no_file(folder):
    code = """
        import os, signal
        from flowly_ckpt.tasks import task
        class Deadly:
            def __reduce__(self):
                os.kill(os.getpid(), signal.SIGKILL)
        @task(target="{path}/a")
        def load():
            return [bytes(1_000_000), Deadly()]
        load()
    """
    assert script(folder, code, check=False).returncode == -9
    assert files(folder) == ["script.py"]


def test_beats_S3_7_stores_in_lists_and_dicts_are_loaded(ran):
    square = square_of(ran, target="{path}/{n}")

    @task(target="{path}/all")
    def every(rows, named, *more, **words):
        return rows, named, more, words

    assert every([square(1), (square(2),)], {"a": {square(3)}}, square(4), word=square(5)).load() == (
        [1, (4,)], {"a": {9}}, (16,), {"word": 25},
    )  # fmt: skip


def test_beats_S3_7_values_with_slashes_make_no_folders(folder):
    @task(target="{path}/{funcname}/{fn}")
    def load(fn):
        return fn

    for fn in ("data/a.csv", "/etc/passwd", "..", "a", "\ud800"):
        assert load(fn).load() == fn
    assert files(folder) == sorted(
        f"working/load/{name}" for name in ("data%2Fa.csv", "%2Fetc%2Fpasswd", "%2E%2E", "a", "%D800")
    )

    @task(target="{fn}.clean")
    def clean(fn):
        return fn

    assert str(clean("data/a.csv")) == "data/a.csv.clean"


class Loader:
    def __init__(self, name):
        self.name = name

    @task(target="{path}/{self.name}/{n}")
    def load(self, n):
        """Load rows."""
        return (self.name, n)

    @classmethod
    @task(target="{path}/class/{n}")
    def of_class(cls, n):
        return (cls.__name__, n)

    @staticmethod
    @task(target="{path}/static/{n}")
    def of_none(n):
        return n

    @task
    def bare(self, n):
        return n


def test_beats_S3_8_methods_are_tasks_too():
    one, two = Loader("one"), Loader("two")
    assert (one.load(1).load(), two.load(1).load()) == (("one", 1), ("two", 1))
    assert str(two.load.at(n=3)) == "working/two/3"
    assert str(one.bare.at(3)) == "working/bare/n=3"
    assert [future.result().load() for future in one.load.map([1, 2])] == [("one", 1), ("one", 2)]
    assert (one.of_class(2).load(), one.of_none(3).load()) == (("Loader", 2), 3)
    assert (Loader.load.__name__, Loader.load.__doc__, Loader.load.fn(one, 2)) == ("load", "Load rows.", ("one", 2))


def test_beats_S3_10_an_argument_stands_before_the_context():
    @task(target="{path}/{base}")
    def read(path, base="x"):
        return path

    gcontext.base = "file1"
    assert str(read("elsewhere")) == "elsewhere/x"
    with gcontext.using(day="Monday"):
        assert str(task(target="{gcontext.path}/{day}")(lambda path: 1)(0)) == "working/Monday"


# What goes beyond.


def test_one_script_runs_with_futures_in_every_mode(ran):
    square = square_of(ran, target="{path}/{n}")

    @task(target="{path}/total")
    def total(squares):
        return sum(squares)

    squares = square.map([1, 2, 3])
    result = total.submit(squares, wait_for=[squares]).result(timeout=100)
    assert (result.load(), squares.result()[2].load(), ran) == (14, 9, [1, 2, 3])
    squares.wait()
    with pytest.raises(ValueError, match="got no collection"):
        square.map(3)


def test_threads_share_one_run(ran):
    gate = threading.Barrier(4)

    @task(target="{path}/a")
    def load():
        ran.append(1)
        return 1

    def one(_):
        gate.wait()
        return load().load()

    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(one, range(4))) == [1] * 4
    assert ran == [1]


def test_processes_share_one_run_and_send_names_only(folder):
    code = """
        from concurrent.futures import ProcessPoolExecutor
        from multiprocessing import get_context
        from flowly_ckpt.tasks import task
        @task(target="{path}/{n}")
        def rows(n):
            with open("ran.txt", "a") as file:
                file.write(f"{n} ")
            return [n] * 1000
        if __name__ == "__main__":
            with ProcessPoolExecutor(2, get_context("spawn")) as pool:
                print([str(store) for store in pool.map(rows, [7] * 4)])
    """
    assert script(folder, code).stdout == f"{['working/7'] * 4}\n"
    assert (folder / "ran.txt").read_text() == "7 "


def test_async_functions_are_tasks_and_those_who_wait_share_one_run(ran):
    import asyncio

    @task(target="{path}/{n}")
    async def load(n):
        ran.append(n)
        await asyncio.sleep(0)
        return [n]

    async def main():
        return await asyncio.gather(load(1), load(1), load(2))

    for _ in range(2):
        assert [store.load() for store in asyncio.run(main())] == [[1], [1], [2]]
    assert ran == [1, 2]

    async def submitted():
        with gcontext.using(path="elsewhere"):
            return load.submit(3).result()

    assert load.submit(3).result() == Filestore("working/3")
    assert asyncio.run(submitted()) == Filestore("elsewhere/3")


def test_one_of_those_who_wait_may_be_cancelled_and_the_last_one_ends_it(ran):
    import asyncio

    async def main():
        started, gate = asyncio.Event(), asyncio.Event()

        @task(target="{path}/{n}")
        async def load(n):
            ran.append(n)
            started.set()
            try:
                await gate.wait()
            except asyncio.CancelledError:
                ran.append("cancelled")
                raise
            return [n]

        first, second = (asyncio.ensure_future(load(1)) for _ in range(2))
        await started.wait()
        first.cancel()  # the very one that started it
        await asyncio.wait([first])
        gate.set()
        assert (first.cancelled(), (await second).load(), ran) == (True, [1], [1])

        gate.clear()
        started.clear()
        waiting = [asyncio.ensure_future(load(2)) for _ in range(2)]
        await started.wait()
        for one in waiting:
            one.cancel()
        await asyncio.wait(waiting)
        while "cancelled" not in ran:
            await asyncio.sleep(0)
        assert not load.at(2).exists()
        gate.set()
        assert ((await load(2)).load(), ran) == ([2], [1, 2, "cancelled", 2])

    asyncio.run(asyncio.wait_for(main(), 60))


def test_an_async_function_saves_its_own_output(folder, ran):
    import asyncio

    @task(save=False, target="{path}_{n}.txt")
    async def write(n):
        ran.append(n)
        Path(current_target()).write_text("x" * n)
        return n

    assert [asyncio.run(write(3)), asyncio.run(write(3)), ran] == [3, Filestore("working_3.txt"), [3]]


def test_what_somebody_else_made_otherwise_meanwhile_is_reported(ran):
    gate, entered = threading.Event(), threading.Event()

    @task(target="{path}/squares.pkl")
    def square(n):
        ran.append(n)
        entered.set()
        gate.wait(60)
        return n * n

    with ThreadPoolExecutor(2) as pool:
        first = pool.submit(square, 3)
        entered.wait(60)
        second = pool.submit(square, 4)
        while not waits_for_a_flight():
            assert not second.done()
        with pytest.warns(StaleWarning, match="argument 'n'"):
            assert (gate.set(), second.result().load()) == (None, 9)
        assert (first.result().load(), ran) == (9, [3])


def waits_for_a_flight():
    """Whether some thread waits for what another one computes."""
    frames = sys._current_frames().values()
    return any(frame.f_code.co_name == "wait" and "single_flight" in frame.f_code.co_filename for frame in frames)


def test_an_iterator_is_a_list_in_its_file(folder):
    @task(target="{path}/a")
    def rows():
        yield from "abc"

    assert rows().load() == list("abc")
    with open("working/a", "rb") as file:
        assert pickle.load(file) == list("abc")


def test_a_function_that_fails_leaves_nothing_and_runs_again(folder, ran):
    @task(target="{path}/{n}")
    def fails(n):
        ran.append(n)
        if len(ran) == 1:
            raise ZeroDivisionError("once")
        return

    with pytest.raises(ZeroDivisionError) as caught:
        fails(1)
    assert caught.value.__notes__ == ["in task fails, which makes working/1"]
    assert files(folder) == []
    assert (fails(1).load(), fails(1).load(), ran) == (None, None, [1, 1])


def test_a_misspelt_option_is_refused_and_prefects_own_are_not():
    with pytest.raises(TypeError, match="has an option 'traget'; did you mean 'target'"):
        task(traget="{path}/a")
    with pytest.raises(TypeError, match="decorates a function, got 3"):
        task(3)
    assert task(retries=2, tags=["a"], name="b")(abs).options == {"retries": 2, "tags": ["a"], "name": "b"}


def test_a_task_stands_in_a_pipeline_and_a_pipeline_in_a_task(ran):
    gcontext.base = "file1"
    load, clean, report = steps(ran)
    assert chained(load, clean, report)(5).load() == "2 rows"
    assert chained(load.transform, sum)(5) == 10

    results = {}
    made = task(target="{path}/pipeline")(chained(abs, checkpoint(results, "in a task"), str))
    with pytest.warns(UnreachableWarning, match="'in a task'.* is only a mark here"):
        assert made(-3).load() == "3"
    assert role(made.transform) == "transparent"
    assert functional_hash(made.transform) == functional_hash(chained(abs, str))
    made.at(-3).remove()
    assert apply(chained(made.transform, len), -3, [add_checkpoints]) == 1
    assert len(results) == 1
    assert children(made) == (made.fn,)
    assert pickle.loads(pickle.dumps(made)).at(-3) == made.at(-3)


def test_a_store_given_to_a_pipeline_counts_as_what_it_holds(ran):
    store = Filestore("working/a")
    results = {}
    pipeline = chained(lambda given: ran.append(1) or sum(given.load()), checkpoint(results))
    for rows, expected in [([1, 2], 3), ([1, 2], 3), ([4], 4)]:
        store.save(rows)
        assert apply(pipeline, store, [add_checkpoints]) == expected
    assert ran == [1, 1]


def test_with_options_is_another_task_of_the_same_function(ran):
    square = square_of(ran)
    other = square.with_options(target="{path}/{n}", retries=1)
    assert (str(other.at(3)), other.options, str(square.at(3))) == ("working/3", {"retries": 1}, "working/squares.pkl")


def test_an_unknown_name_in_a_template_is_a_clear_error(ran):
    with pytest.raises(TemplateError, match=r"unknown name 'm'; known are .*funcname.* n, path, os and datetime"):
        square_of(ran, target="{path}/{m}")(3)
    with pytest.raises(AttributeError, match="gcontext has no 'day'"):
        gcontext.day


def test_results_are_listed_and_cleared_and_other_files_are_let_be(folder, ran):
    gcontext.base = "file1"
    load, clean, report = steps(ran)
    report(clean(load(5)))
    (folder / "working/load/notes.txt").write_text("mine")
    assert Results.are_at("working")
    results = Results("working")
    assert sorted(results) == [(f"{name}/file1", name, "") for name in ("clean", "load", "report")]
    assert (results["clean/file1", "clean", ""], len(results)) == ([1, 3], 3)
    assert clear_checkpoints(results, tag="clean") == 1
    report(clean(load(5)))
    assert ran == ["load", "clean", "report", "clean"]
    assert clear_checkpoints(results) == 3
    assert (files(folder), os.listdir("working")) == (["working/load/notes.txt"], ["load"])
    results.clear()
    assert not Results.are_at("working")


def test_what_is_left_of_a_killed_writer_is_no_result(folder, ran):
    square_of(ran)(3)
    for half in ("working/.tmp-1-0123456789aa", "working/.made/.tmp-1-0123456789aa"):
        (folder / half).write_bytes(b"half")
    results = Results("working")
    assert list(results) == [("squares.pkl", "square", "")]
    assert (results.gc(older_than=0).files, list(results)) == (2, [("squares.pkl", "square", "")])


def test_arguments_that_cannot_be_told_are_no_obstacle(ran):
    class Holder:
        def __init__(self, held):
            self.held = held

    @task(target="{path}/a")
    def count(lock, rows, holder):
        return sum(rows)

    for _ in range(2):
        assert count(threading.Lock(), (n for n in range(3)), Holder(Filestore("nowhere"))).load() == 3


# Results in any target.


def disk(folder):
    return DiskTarget(folder / "disk")


def remote(folder):
    pytest.importorskip("fsspec", reason="fsspec is not installed")
    return RemoteTarget(f"memory://{folder}")


def sql(folder):
    pytest.importorskip("sqlalchemy", reason="SQLAlchemy is not installed")
    return SqlTarget(f"sqlite:///{folder}/results.db")


TARGETS = {
    "dict": lambda folder: {},
    "disk": disk,
    "layered": lambda folder: Layered({}, disk(folder)),
    "remote": remote,
    "sql": sql,
}


@pytest.fixture(params=TARGETS)
def target(request, folder):
    made = TARGETS[request.param](folder)
    yield made
    as_target(made).close()


@pytest.mark.parametrize("how", ["store", "target"])
def test_a_mapping_keeps_results_under_their_names(target, how, folder, ran):
    gcontext.base = "a"

    @task(**{how: target})
    def square(n):
        ran.append(n)
        return [n, n * n]

    @task(store=target, target="{n:03d}")
    def total(squares, n):
        return (i for row in squares for i in row)

    for _ in range(2):
        result = square(3)
        assert (str(result), result.exists(), result.load(), ran) == ("working/square/a", True, [3, 9], [3])
    assert isinstance(result, Store)
    assert total([result, [1]], 5).load() == [3, 9, 1]
    assert set(target) == {("working/square/a", "square", ""), ("005", "total", "")}
    assert target["working/square/a", "square", ""] == [3, 9]
    assert not {name for name in files(folder) if name.startswith("working")}
    result.remove()
    assert (result.exists(), square(3).load(), ran) == (False, [3, 9], [3, 3])
    assert (result == square(3), hash(result) == hash(square(3)), square.at(3) == total.at([], 1)) == (
        True,
        True,
        False,
    )
    result.remove(), result.remove()
    with pytest.raises(LookupError, match="working/square/a is not there: the task"):
        result.load()


def test_a_mapping_tells_what_was_made_otherwise(target, ran):
    gcontext.base = "a"
    square_of(ran, None, store=target)(3)
    made_from = as_target(target).entry(("working/square/a", "square", "")).made_from
    other = square_of(ran, None, extra=1, store=target)
    assert set(made_from) == {"python", "steps", "code", "arguments", "value"}
    with pytest.warns(StaleWarning, match=r"working/square/a was made from different code \(.*\) and argument 'n'"):
        assert other(4).load() == 9
    with pytest.raises(StaleError):
        other.with_options(changed="raise")(4)
    assert other.with_options(changed="rerun")(4).load() == 17
    assert other(4).load() == 17
    assert ran == [3, 4]


def test_new_data_in_a_mapping_are_noticed_downstream(target, ran):
    rows = square_of(ran, "rows", store=target)
    count = task(target="{path}/count")(lambda rows: rows)
    count(rows(3))
    count(rows(3))
    rows.at(3).save(10)
    with pytest.warns(StaleWarning, match="argument 'rows'"):
        assert count(rows(3)).load() == 9


def test_a_value_of_a_dict_that_was_changed_in_place_is_computed_again(ran):
    results = {}

    @task(store=results, target="{n}")
    def rows(n):
        ran.append(n)
        return [n]

    rows(1).load().append(2)
    with pytest.warns(MutationWarning, match="changed in place"):
        assert (rows(1).load(), ran) == ([1], [1, 1])


def test_what_a_mapping_cannot_keep_is_held(ran):
    class Full(dict):
        def __setitem__(self, key, value):
            raise OSError("disk full")

    square = square_of(ran, store=Full())
    with pytest.warns(StoreWarning, match="disk full"):
        result = square(3)
    assert (result.load(), result.exists(), square.store) == (9, False, {})


def test_threads_share_one_run_in_a_mapping(target, ran):
    gate = threading.Barrier(4)
    square = square_of(ran, "{n}", store=target)

    def one(_):
        gate.wait()
        return square(3).load()

    with ThreadPoolExecutor(4) as pool:
        assert (list(pool.map(one, range(4))), ran) == ([9] * 4, [3])


def test_a_task_with_a_mapping_is_hashed_without_its_content(ran):
    results = {}
    square = square_of(ran, "{n}", store=results)
    before = functional_hash(square)
    square(3)
    assert functional_hash(square) == before
    assert functional_hash(square.transform) == functional_hash(square.fn)


def test_what_keeps_nothing_is_refused():
    with pytest.raises(TypeError, match="store must be a Store class or a mutable mapping, got tuple"):
        task(store=())
    with pytest.raises(TypeError, match="are both targets"):
        task(target={}, store={})
    with pytest.raises(TypeError, match="save=False"):
        task(store={}, save=False)


# Facts beside files.


def test_how_a_file_was_made_is_in_its_sidecar(folder, ran):
    class Text(Filestore):
        def save(self, data):
            Path(self.loc).write_text(str(data))

        def load(self):
            return Path(self.loc).read_text()

    (folder / "working").mkdir()
    square_of(ran, "{path}/a")(3)
    square_of(ran, "{path}/b", store=Text)(3)
    square_of(ran, "{path}/c", store=Text, changed="ignore")(3)
    entries = list(Results("working").entries())
    assert [(entry.key, entry.codec, entry.size) for entry in entries] == [
        (("a", "square", ""), "plain-pickle", os.path.getsize("working/a")),
        (("b", "square", ""), "", 1),
        (("c", "square", ""), "", 1),
    ]
    a, b, c = (entry.made_from for entry in entries)
    assert (a, set(a), c) == (b, {"python", "steps", "code", "arguments", "value"}, {})
    assert Results("working").stats()[0][:2] == ("square", 3)
    # A file that was changed since, at another time, is somebody else's; one that decayed is damaged.
    facts = os.stat("working/b")
    (folder / "working/b").write_text("8")
    (folder / "working/c").write_text("8")
    os.utime("working/b", ns=(facts.st_atime_ns, facts.st_mtime_ns))
    os.utime("working/c", (1, 1))
    assert Results("working").verify() == ["b: its content is not what its sidecar says was stored"]
    assert len(Results("working").verify(repair=True)) == 1
    assert files(folder) == ["working/a", "working/c"]


def test_a_folder_that_a_function_made_is_let_be(folder, ran):
    class Folder(Filestore):
        def exists(self):
            return os.path.isdir(self.loc)

    @task(target="{path}/{n}", store=Folder, save=False)
    def make(n):
        ran.append(n)
        os.makedirs(current_target())

    assert (make(1), make(1), ran) == (None, Folder("working/1"), [1])


@pytest.mark.parametrize("changed", ["warn", "ignore"])
def test_what_cannot_be_stored_is_handed_on_as_it_is(folder, changed):
    (folder / "lines.txt").write_text("one\ntwo\n")

    @task(target="{path}/count", changed=changed)
    def numbers():
        return itertools.count(3)

    @task(target="{path}/lines", changed=changed)
    def lines():
        return open(folder / "lines.txt")

    with pytest.warns(StoreWarning, match="never ends"):
        assert list(itertools.islice(numbers().load(), 2)) == [3, 4]
    with pytest.warns(StoreWarning, match="is an open file"), lines().load() as file:
        assert file.read() == "one\ntwo\n"


def test_other_stores_below_the_folder_are_no_results_of_tasks(folder, ran):
    square_of(ran, "{path}/a")(3)
    others = [
        FileTarget("working/store"),
        LocalStorageCheckpoint("index", "working").target,
        folder_of_states("working"),
    ]
    for other in others:
        other["my run", "resume", ""] = 1
    assert list(Results("working")) == [("a", "square", "")]
    assert Results("working").clear_where() == 1
    assert [len(other) for other in others] == [1, 1, 1]


def test_the_newest_result_counts_whatever_a_layer_remembers(tmp_path):
    with DiskTarget(tmp_path / "store") as disk:
        results = []
        for value in (1, 2):  # as in two processes

            @task(target="number", store=Layered({}, disk))
            def number(value=value):
                return value

            results.append(number)
        assert results[0]().load() == 1
        with pytest.warns(StaleWarning):
            results[1]().remove()
        assert results[1]().load() == 2
        with pytest.warns(StaleWarning):
            assert results[0]().load() == 2


def prefixed(name):
    return f"{gcontext.base}/{name}"


def test_a_step_that_reads_the_context_runs_again_when_it_holds_something_else():
    target, found = {}, []
    pipeline = chained(prefixed, checkpoint(target))
    for base in ("a", "b", "a"):
        with gcontext.using(base=base):
            found.append(run(pipeline, "x"))
    gcontext.base = "c"
    found.append(run(pipeline, "x"))
    assert found == ["a/x", "b/x", "a/x", "c/x"]
    assert len(target) == 3


@pytest.mark.parametrize("dumps", [pickle.dumps, cloudpickle.dumps])
def test_what_reads_the_context_can_be_sent_elsewhere(dumps):
    assert pickle.loads(dumps(gcontext)) is gcontext
    own = pickle.loads(dumps(Context(day="Monday")))
    assert (own.day, copy.copy(own).day) == ("Monday", "Monday")


def test_a_function_of_a_notebook_that_reads_the_context_can_be_sent(monkeypatch):
    monkeypatch.setattr(prefixed, "__module__", "__main__")
    with gcontext.using(base="a"):
        assert pickle.loads(cloudpickle.dumps(prefixed))("x") == "a/x"


class Model:
    """Holds what cannot be hashed, and what makes a difference beside it."""

    def __init__(self, weight):
        self.rows, self.weight = iter([weight]), weight


@pytest.mark.parametrize(
    "value", [lambda: iter([1]), lambda: [iter([1])], lambda: {"rows": iter([1])}, lambda: Model(1)]
)
def test_an_argument_that_cannot_be_hashed_makes_no_name(folder, value):
    @task(target="{path}/")
    def given(rows, n=1):
        return n

    with pytest.raises(UnhashableError, match=r"argument 'rows'.*name of the result of given.*target='\{path\}"):
        given(value())
    assert task(target="{path}/{n}")(lambda rows, n: n)(value(), 3).load() == 3


def test_long_arguments_beside_a_store_that_is_not_there_yet_have_a_name_of_their_own(folder):
    @task(target="{path}/")
    def joined(store, first, second, third):
        return first, second, third

    text = "x" * 50
    places = [joined.at(Filestore("not there"), text, text, text + end) for end in "ab"]
    assert places[0] != places[1]


def test_a_result_that_another_process_makes_and_removes_in_between_is_not_the_store_itself(monkeypatch):
    kept = {}
    squared = task(target="{number}", store=kept)(lambda number: number**2)
    squared(3)
    others = dict(kept)
    kept.clear()
    look = _Result.__getitem__

    def fleeting(result, key):
        kept.update(others)
        try:
            return look(result, key)
        finally:
            kept.clear()
            others.clear()

    monkeypatch.setattr(_Result, "__getitem__", fleeting)
    store = squared(3)
    with pytest.raises(LookupError):
        store.load()
    monkeypatch.undo()
    assert squared(3).load() == 9
