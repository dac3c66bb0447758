"""Recipes keep their results in any target: a dict, a DiskTarget, layers of both, a remote store."""

from __future__ import annotations

import itertools
import json
import os
import pickle
import warnings
from contextlib import suppress
from pathlib import Path

import pytest
import xxhash

from flowly_ckpt import clear_checkpoints, ignore_globals
from flowly_ckpt.errors import MutationWarning, StoreWarning
from flowly_ckpt.recipes import (
    AlkymiConfig,
    CacheTarget,
    CacheType,
    Status,
    arg,
    file,
    foreach,
    glob_files,
    recipe,
    statuses,
    zip_results,
)
from flowly_ckpt.recipes.outputs import computed
from flowly_ckpt.targets import DiskTarget, Expiring, FileTarget, Layered, ReadOnly, RemoteTarget, Signed, tree
from flowly_ckpt.targets.damage import DamagedError

pytestmark = pytest.mark.usefixtures("home")
uncounted = ignore_globals("calls")  # what a test counts with is no part of a function
numbers_of_stores = itertools.count()

MAKE = {
    "dict": dict,
    "disk": lambda: DiskTarget("store"),
    "layered": lambda: Layered({}, DiskTarget("store")),
    "remote": lambda: RemoteTarget(f"memory://recipes{next(numbers_of_stores)}"),
    "disk, tree": lambda: DiskTarget("store", codec=tree),
    "files": lambda: FileTarget("store"),
    "signed": lambda: Signed(FileTarget("store", codec=tree), "a secret of the tests"),
    "expiring": lambda: Expiring(DiskTarget("store"), 3600),
    "cache folder": lambda: CacheTarget("elsewhere/.alkymi_cache"),
}


@pytest.fixture(params=MAKE)
def target(request, home):
    if request.param == "remote":
        pytest.importorskip("fsspec")
    return MAKE[request.param]()


def again(made):
    """Define a recipe anew, as a new run of the script would, with nothing in memory."""
    return type(made)(made.func, made.ingredients, made.name, made.transient, made.doc,
                      state=made.state, code=made.code, module=made.tag.split(":")[0], target=made.target)  # fmt: skip


def test_what_was_brewed_is_not_brewed_again(home, target):
    calls = []
    year = arg(2020, "year", target=target)

    @recipe(target=target)
    @uncounted
    def title(year):
        calls.append(year)
        return {"title": [f"Report of {year}"], "path": Path("no/such/file")}

    assert [status.name for status in statuses(title).values()] == ["NotEvaluatedYet"] * 2
    expected = {"title": ["Report of 2020"], "path": Path("no/such/file")}
    assert [title.brew(), title.brew(), again(title).brew(), again(title).outputs] == [expected] * 4
    assert (title.status(), calls) == (Status.Ok, [2020])
    year.set(2021)
    assert [status.name for status in statuses(title).values()] == ["CustomDirty", "IngredientDirty"]
    assert title.brew()["title"] == ["Report of 2021"]
    year.set(2020)
    assert (title.brew(), calls) == (expected, [2020, 2021])
    assert not Path(".alkymi_cache").exists()
    assert clear_checkpoints(target, tag=title.tag) == 2
    assert title.status() is Status.NotEvaluatedYet


def test_an_edit_of_an_outside_file_runs_it_again(home, target):
    calls = []
    Path("a.txt").write_text("one")
    Path("b.txt").write_text("two")
    texts = glob_files("texts", ".", "*.txt", target=target)
    one = file("one", "a.txt", target=target)

    @foreach(texts, target=target)
    @uncounted
    def words(path):
        calls.append(path.name)
        return [path.read_text()]

    @recipe(target=target)
    @uncounted
    def first(one):
        calls.append("first")
        return one.read_text()

    both = zip_results("both", [texts, words], target=target)
    for _ in range(2):
        assert both.brew() == [(Path("a.txt"), ["one"]), (Path("b.txt"), ["two"])]
        assert first.brew() == "one"
    assert calls == ["a.txt", "b.txt", "first"]
    Path("a.txt").write_text("three")
    assert (one.status(), texts.status()) == (Status.OutputsInvalid, Status.OutputsInvalid)
    assert (again(both).brew()[0][1], again(first).brew()) == (["three"], "three")
    assert calls == ["a.txt", "b.txt", "first", "a.txt", "first"]


@pytest.mark.parametrize("jobs", [1, 3])
def test_items_are_kept_one_by_one(home, target, jobs):
    calls = []
    numbers = arg({"a": 1, ("b", 2): 2}, "numbers", target=target)

    @foreach(numbers, target=target)
    @uncounted
    def lists(number):
        calls.append(number)
        if number == 9:
            raise ValueError("stop here")
        return [number]

    @foreach(lists, target=target)
    @uncounted
    def sums(item):
        calls.append(item)
        return sum(item)

    assert sums.brew(jobs=jobs) == {"a": 1, ("b", 2): 2}
    assert sorted(map(str, calls)) == ["1", "2", "[1]", "[2]"]
    calls.clear()
    numbers.set({"c": 3, ("b", 2): 2, "d": 9})
    with pytest.raises(ValueError, match="stop here"):
        sums.brew()
    numbers.set({"c": 3, "a": 1})
    assert again(sums).brew(jobs=jobs) == {"c": 3, "a": 1}
    assert calls == [3, 9, [3]]


@pytest.mark.filterwarnings("ignore::flowly_ckpt.errors.MutationWarning")
def test_what_is_returned_or_handed_on_is_the_callers(home, target):
    @recipe(target=target)
    def numbers():
        return [1, 2, 3]

    @recipe(target=target)
    def emptied(numbers):
        numbers.clear()
        return "emptied"

    @recipe(target=target)
    def total(numbers, emptied):
        return sum(numbers)

    assert total.brew() == 6
    numbers.brew().append(99)
    assert (numbers.brew(), again(total).brew(), total.status()) == ([1, 2, 3], 6, Status.Ok)


def test_a_transient_recipe_runs_each_time(home, target):
    calls = []

    @recipe(transient=True, target=target)
    @uncounted
    def now():
        calls.append(1)
        return len(calls) // 3

    assert [now.brew(), now.brew(), now.brew()] == [0, 0, 1]


def test_an_iterator_is_handed_out_afresh(home, target):
    @recipe(target=target)
    def lines():
        return (line for line in ["a", "b"])

    assert [list(made.brew()) for made in (lines, lines, again(lines))] == [["a", "b"]] * 3


def test_the_default_for_all_is_in_the_configuration(home):
    AlkymiConfig.get().target = results = DiskTarget("store")
    year = arg(2020, "year")

    @recipe()
    def title(year):
        return f"Report of {year}"

    @recipe(cache=CacheType.NoCache)
    def unkept(title):
        return len(title)

    own = {}

    @recipe(target=own)
    def apart(title):
        return title.upper()

    assert (unkept.brew(), apart.brew()) == (14, "REPORT OF 2020")
    assert {key[1] for key in results} == {year.tag, title.tag}
    assert [key[1] for key in own] == [apart.tag]
    assert (title.cache_path, title.cache) == (None, CacheType.Cache)
    AlkymiConfig.get().cache = False
    assert (again(title).target is results, recipe(lambda: 5).target) == (True, {})


@pytest.mark.parametrize("wrong", [["a list"], "a path", 5])
def test_a_target_must_be_a_mutable_mapping(home, wrong):
    with pytest.raises(TypeError, match=f"target must be a mutable mapping, got {type(wrong).__name__}"):
        arg(5, "five", target=wrong)


def test_no_cache_and_a_target_exclude_each_other(home):
    with pytest.raises(ValueError, match=r"NoCache and target=dict exclude each other"):
        arg(5, "five", cache=CacheType.NoCache, target={})


def test_only_the_last_result_stays_in_memory_without_a_cache(home):
    numbers = arg([1, 2], "numbers", cache=CacheType.NoCache)

    @foreach(numbers, cache=CacheType.NoCache)
    def doubled(number):
        return 2 * number

    assert (doubled.brew(), len(doubled.target)) == ([2, 4], 3)
    numbers.set([2, 3])
    assert (doubled.brew(), len(doubled.target)) == ([4, 6], 3)
    assert (doubled.brew(), len(doubled.target), len(numbers.target)) == ([4, 6], 3, 1)


def test_a_change_in_place_is_noticed_in_a_dict(home):
    calls = []

    @recipe(target={})
    @uncounted
    def numbers():
        calls.append(1)
        return [1, 2]

    numbers.brew().append(3)
    with pytest.warns(MutationWarning, match="changed in place"):
        assert (numbers.brew(), calls) == ([1, 2], [1, 1])


def test_what_else_lies_in_a_target_is_left_alone(home):
    target = {}

    @recipe(target=target)
    def five():
        return 5

    target[five.key([])] = other = "not the result of a recipe"
    target["a", "b", "c"] = other
    assert (five.status(), five.brew(), five.status()) == (Status.OutputsInvalid, 5, Status.Ok)
    assert target["a", "b", "c"] == other


def test_a_read_only_target_restores_and_computes(home):
    target = {}

    @recipe(target=target)
    def five():
        return 5

    five.brew()
    calls = []

    @recipe(target=ReadOnly(target))
    @uncounted
    def six(five):
        calls.append(five)
        return five + 1

    assert (six.brew(), six.brew(), six.status()) == (6, 6, Status.NotEvaluatedYet)
    assert (calls, len(target)) == ([5, 5], 1)


def test_a_stored_result_is_its_digest_its_outside_files_and_its_value(home):
    Path("a.txt").write_text("one")
    target = {}

    @recipe(target=target)
    def holding():
        return [Path("a.txt"), 5]

    holding.brew()
    (output,) = target.values()
    copy = pickle.loads(pickle.dumps(output))
    assert (copy.digest, copy.files, copy.value()) == (output.digest, output.files, [Path("a.txt"), 5])
    assert (copy.digest, os.fspath(copy.value()[0])) == (holding.output_checksum, "a.txt")


ODD = [
    None,
    -1,
    1 << 70,
    "text",
    [],
    [1],
    [[1, 2]],
    [["a", 1]],
    [["a", -1, "x"]],
    [["a", "b", "c"]],
    {},
    {"a": 1},
    True,
]


@pytest.mark.parametrize("field", ["name", "inputs", "function_hash", "output_checksum", "input_checksums", "seconds",
                                   "home", "files", "parts", "items", "outputs", "code"])  # fmt: skip
def test_a_record_of_the_right_digest_and_the_wrong_types_is_a_miss(tmp_path, field):
    key = ("0a", "steps:load", "1b")
    target = CacheTarget(tmp_path / ".alkymi_cache")
    target[key] = computed(["x", b"y" * 1000], str(tmp_path))
    path = Path(target.path(key))
    whole = path.read_bytes()
    for odd in ODD:
        found = json.loads(whole)
        del found["check"]
        text = json.dumps({**found, field: odd}).encode()[:-1]
        path.write_bytes(text + b', "check": "' + xxhash.xxh3_128_hexdigest(text).encode() + b'"}\n')
        again = CacheTarget(tmp_path / ".alkymi_cache")
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", StoreWarning)
            output = again.get(key)
            with suppress(DamagedError):
                _ = output and output.value()
            list(again.entries())
            again.verify()
            again.gc()


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs pipes")
def test_a_pipe_in_the_place_of_a_record_or_part_is_not_waited_for(tmp_path):
    key = ("0a", "steps:load", "1b")
    target = CacheTarget(tmp_path / ".alkymi_cache")
    target[key] = computed([b"y" * 1000], str(tmp_path))
    folder = Path(target.path(key)).parent
    (part,) = folder.glob("*.bin")
    part.unlink()
    os.mkfifo(part)
    assert (target.get(key), len(target.verify())) == (None, 1)
    Path(target.path(key)).unlink()
    os.mkfifo(target.path(key))
    assert (target.get(key), list(target), target.verify()) == (None, [], [])
