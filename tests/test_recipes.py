"""Recipes: the statements S4.1–S4.17, a scenario for each."""

from __future__ import annotations

import json
import os
from pathlib import Path

import numpy as np
import pytest
from runs import run_script

from flowly_ckpt import ignore_globals
from flowly_ckpt.errors import StoreWarning
from flowly_ckpt.recipes import (
    AlkymiConfig,
    CacheType,
    FileChecksumMethod,
    Status,
    arg,
    file,
    foreach,
    glob_files,
    recipe,
    statuses,
    zip_results,
)
from flowly_ckpt.targets import tree

pytestmark = pytest.mark.usefixtures("home")
uncounted = ignore_globals("calls", "counts", "broken")  # what a test counts with is no part of a function


def run(code, folder, name="steps.py"):
    """Run a script in a process of its own, and return what it printed, line by line."""
    done = run_script(folder, code, name=name)
    assert done.stderr == ""
    return done.stdout.splitlines()


def records(folder):
    found = [json.loads(path.read_text()) for path in Path(folder, ".alkymi_cache").rglob("cache.json")]
    return {record["name"].partition(":")[2]: record for record in found}


def data_files(folder):
    paths = (path for path in Path(folder, ".alkymi_cache").rglob("*") if path.is_file())
    return sorted(path for path in paths if path.name != "cache.json")


def again(made):
    """Define a recipe anew, as a new run of the script would, with nothing in memory."""
    copy = type(made)(made.func, made.ingredients, made.name, made.transient, made.doc, made.cache,
                      keywords=(), state=made.state, code=made.code, module=made.tag.partition(":")[0])  # fmt: skip
    assert copy.tag == made.tag
    return copy


def test_S4_1_data_is_retained_between_executions(home):
    code = """
        from flowly_ckpt.recipes import recipe

        @recipe()
        def answer():
            print("called")
            return 42

        print(answer.brew(), answer.status())
    """
    assert run(code, home) == ["called", "42 Ok"]
    assert run(code, home) == ["42 Ok"]


@pytest.mark.parametrize(
    ("enabled", "kind", "on_disk"),
    [
        (True, CacheType.Auto, True),
        (False, CacheType.Auto, False),
        (True, CacheType.NoCache, False),
        (False, CacheType.Cache, True),
    ],
)
def test_S4_2_outputs_are_cached_to_disk_if_enabled(home, enabled, kind, on_disk):
    AlkymiConfig.get().cache = enabled
    calls = []

    @recipe(cache=kind)
    @uncounted
    def words():
        calls.append(1)
        return ["to", "be"]

    @recipe(cache=kind)
    def count(words):
        return len(words)

    AlkymiConfig.get().cache = not enabled  # it was asked when the recipes were made
    assert [count.brew(), count.brew(), words.brew()] == [2, 2, ["to", "be"]]
    assert calls == [1]
    assert count.status() is Status.Ok
    assert Path(".alkymi_cache").exists() == on_disk
    assert (count.cache is CacheType.Cache) == on_disk


class Point:
    def __init__(self, x, y):
        self.x, self.y = x, y

    def __eq__(self, other):
        return (self.x, self.y) == (other.x, other.y)

    __hash__ = None


VALUES = {
    "str": "text", "empty": "", "int": -3, "huge": 10**6000,
    "float": 0.1, "inf": float("-inf"), "bool": True, "none": None,
    "list": [1, "a", None], "tuple": (1, (2,), []), "dict": {"a": 1, 2: "b"}, "bytes": b"\0\xff", "set": {1, 2},
    "frozenset": frozenset("ab"), "path": Path("no/such/file"), "object": Point(1, [2]), "complex": 1 - 2j,
    "surrogate": "\udc80", "marker": "!#pickle#!/etc/passwd", "like a node": {"pickle": ["x", 1, "y"]},
    "range": range(1, 9, 2), "bytearray": bytearray(b"x"),
}  # fmt: skip


@pytest.mark.parametrize("name", VALUES)
def test_S4_3_arbitrary_return_values(home, name):
    value = VALUES[name]

    def give():
        return value

    made = recipe()(give)
    assert made.brew() == value
    reloaded = again(made).outputs
    assert reloaded == value
    assert type(reloaded) is type(value)


def test_S4_3_dates_and_numbers_need_no_pickle(home):
    import datetime as dt
    import decimal
    import uuid

    AlkymiConfig.get().allow_pickling = False
    moment = dt.datetime(2020, 2, 29, 1, 2, 3, 4)
    value = [moment, moment.date(), moment.time(), dt.timedelta(1, 2, 3), decimal.Decimal("1.50"), uuid.UUID(int=5)]
    value += [np.float32(0.1), np.datetime64("2020-02-29"), np.str_("x"), np.bool_(True)]

    def give():
        return value

    made = recipe()(give)
    made.brew()
    reloaded = again(made).outputs
    assert reloaded == value
    assert [type(item) for item in reloaded] == [type(item) for item in value]


def test_S4_4_each_recipe_saves_outputs_and_checksums_in_the_working_directory(home):
    @recipe()
    def words():
        return ["to", "be"]

    @recipe()
    def count(words):
        return len(words)

    count.brew()
    assert [path.name for path in home.iterdir()] == [".alkymi_cache"]
    saved = records(home)
    assert saved.keys() == {"words", "count"}
    assert saved["count"]["outputs"] == 2
    assert saved["count"]["output_checksum"] == count.output_checksum
    assert saved["count"]["input_checksums"] == {"words": saved["words"]["output_checksum"]}
    assert saved["count"]["function_hash"] == count.function_hash
    assert count.input_checksums == (words.output_checksum,)
    assert home / ".alkymi_cache" in Path(count.cache_path).parents


def test_S4_5_location_is_set_on_the_singleton(home, tmp_path):
    config = AlkymiConfig.get()
    assert config is AlkymiConfig.get()
    with pytest.raises(RuntimeError, match=r"AlkymiConfig\.get\(\) returns it"):
        AlkymiConfig()
    with pytest.raises(ValueError, match="is not a folder"):
        config.cache_path = tmp_path / "missing"
    place = tmp_path / "elsewhere"
    place.mkdir()
    config.cache_path = place
    assert config.cache_path == place

    @recipe()
    def five():
        return 5

    five.brew()
    assert list(records(place)) == ["five"]
    assert not Path(".alkymi_cache").exists()


def test_S4_6_a_list_of_strings_stands_in_the_json(home):
    @recipe()
    def words():
        return ["to", "be", "!#ndarray#!x"]

    words.brew()
    assert records(home)["words"]["outputs"] == ["to", "be", "!#ndarray#!x"]
    assert data_files(home) == []


ARRAYS = {
    "ints": np.arange(6).reshape(2, 3),
    "columns": np.asfortranarray(np.arange(6.0).reshape(2, 3)),
    "view": np.arange(20).reshape(4, 5)[::2, 1:3],
    "empty": np.zeros((0, 3), "f4"),
    "none": np.array(5, "u1"),
    "dates": np.array(["2020-02-29"], "M8[D]"),
    "text": np.array(["a", "bc"]),
    "fields": np.array([(1, 2.0)], dtype=[("a", "i4"), ("b", "f8")]),
    "swapped": np.arange(3, dtype=">i2"),
}


@pytest.mark.parametrize("name", ARRAYS)
def test_S4_7_an_array_goes_into_a_file_of_its_own(home, name):
    value = ARRAYS[name]

    def give():
        return value

    made = recipe()(give)
    made.brew()
    (path,) = data_files(home)
    assert path.suffix == ".npy"
    np.testing.assert_array_equal(np.load(path, allow_pickle=False), value)
    assert records(home)["give"]["outputs"] == {"numpy.ndarray": int(path.stem, 16)}
    reloaded = again(made).outputs
    np.testing.assert_array_equal(reloaded, value)
    assert (reloaded.dtype, reloaded.shape) == (value.dtype, value.shape)
    if reloaded.size:
        reloaded[...] = reloaded.flat[0]  # it can be written to


def test_S4_8_nested_values_keep_their_types(home):
    class Key(np.ndarray):
        """An array that can be a key."""

        def __hash__(self):
            return hash(self.tobytes())

        def __eq__(self, other):
            return self.tobytes() == other.tobytes()

    arrays = [np.arange(3), np.eye(2, dtype="f4")]
    value = {"a": [arrays[0], {"b": arrays[1]}], (1, 2): "x", b"k": "y", np.int8(3): None, arrays[0].view(Key): "array"}

    def give():
        return value

    made = recipe()(give)
    made.brew()
    reloaded = again(made).outputs
    np.testing.assert_array_equal(reloaded["a"][0], arrays[0])
    np.testing.assert_array_equal(reloaded["a"][1]["b"], arrays[1])
    assert [type(key) for key in reloaded] == [type(key) for key in value]
    assert list(reloaded.values())[1:] == ["x", "y", None, "array"]
    assert reloaded[1, 2] == "x"
    assert reloaded[arrays[0].view(Key)] == "array"


@pytest.mark.parametrize("text", ['{"format": 999, "what": "ever"}', '{"format": 0}'])
def test_S4_9_a_cache_of_another_version_is_a_miss(home, text):
    calls = []

    @recipe()
    @uncounted
    def five():
        calls.append(1)
        return 5

    five.brew()
    (path,) = Path(".alkymi_cache").rglob("cache.json")
    path.write_text(text)
    assert five.status() is not Status.Ok
    assert (five.brew(), five.status(), calls) == (5, Status.Ok, [1, 1])


CHAIN = """
    import sys
    from pathlib import Path
    import numpy as np
    from flowly_ckpt.recipes import recipe, statuses

    read = []

    def note(event, arguments):
        if event == "open" and str(arguments[0]).endswith((".npy", ".pkl", ".bin")):
            read.append(Path(arguments[0]).parent.parent.name)

    sys.addaudithook(note)

    @recipe()
    def image():
        print("called")
        return np.arange(12).reshape(3, 4)

    @recipe()
    def bright(image):
        return {"pixels": image + 1, "more": [image * 2]}

    @recipe()
    def total(bright):
        return np.array([bright["pixels"].sum()])
"""


def test_S4_10_only_the_requested_value_is_read(home):
    run(CHAIN + "    total.brew()", home)
    ask = "\n    print(total.status(), image.status(), read)\n    print(bright.brew()['more'][0].sum(), read)"
    assert run(CHAIN + ask, home) == ["Ok Ok []", "132 ['bright', 'bright']"]
    for path in Path(home, ".alkymi_cache").rglob("image/*/*.npy"):
        path.unlink()
    ask = "\n    print(*map(str, statuses(total).values()), read)\n    print(total.brew(), read)"
    assert run(CHAIN + ask, home) == ["OutputsInvalid IngredientDirty IngredientDirty []", "called", "[78] ['total']"]


def test_S4_11_status_and_a_clean_brew_load_nothing_that_is_not_asked_for(home):
    assert run(CHAIN + "    print(total.brew())", home) == ["called", "[78]"]
    ask = "\n    print(*map(str, statuses(total).values()), read)\n    print(total.brew(), read)"
    assert run(CHAIN + ask, home) == ["Ok Ok Ok []", "[78] ['total']"]


def test_S4_12_what_json_cannot_hold_goes_into_a_file_and_types_of_ones_own_may_say_how(home):
    @recipe()
    def pickled():
        return [Point(1, 2)]

    pickled.brew()
    assert [path.suffix for path in data_files(home)] == [".pkl"]

    class Picture:
        def __init__(self, data):
            self.data = data

    tree.register(Picture, lambda picture: picture.data, Picture, name="picture")

    @recipe()
    def picture():
        return {"a": Picture(b"pixels" * 100)}

    AlkymiConfig.get().allow_pickling = False
    assert picture.brew()["a"].data == b"pixels" * 100
    (path,) = [path for path in data_files(home) if path.suffix == ".bin"]
    assert path.read_bytes() == b"pixels" * 100
    assert again(picture).outputs["a"].data == b"pixels" * 100


def test_S4_13_a_change_of_the_function_or_of_what_it_captures_runs_it_again(home):
    calls = []

    def make(value, extra=0):
        def bound():
            calls.append(value)
            return value + extra if extra else value

        return recipe(name="bound")(uncounted(bound))

    assert make(42).brew() == 42
    assert make(42).status() is Status.Ok
    changed = make(1337)
    assert changed.status() is Status.BoundFunctionChanged
    assert (changed.brew(), changed.status()) == (1337, Status.Ok)

    @recipe(name="bound")
    def bound():
        return 5

    assert (bound.status(), bound.brew()) == (Status.BoundFunctionChanged, 5)
    assert (make(42).brew(), calls) == (42, [42, 1337])


def test_S4_14_a_change_upstream_makes_what_follows_dirty(home):
    calls = []
    year = arg(2020, "year")

    @recipe()
    @uncounted
    def title(year):
        calls.append(year)
        return f"Report of {year}"

    @recipe()
    def page(title):
        return [title]

    assert [status.name for status in statuses(page).values()] == ["NotEvaluatedYet"] * 3
    assert page.brew() == ["Report of 2020"]
    year.set(2021)
    assert list(map(str, statuses(page).values())) == ["CustomDirty", "IngredientDirty", "IngredientDirty"]
    assert page.brew() == ["Report of 2021"]
    with pytest.raises(TypeError, match="'year' must be of type int, got 'next' of type str"):
        year.set("next")
    assert (page.status(), calls) == (Status.Ok, [2020, 2021])


def test_S4_15_none_is_a_result_like_any_other(home):
    code = """
        from flowly_ckpt.recipes import recipe

        @recipe()
        def nothing():
            print("called")

        print(nothing.brew(), nothing.status())
    """
    assert run(code, home) == ["called", "None Ok"]
    assert run(code, home) == ["None Ok"]


@pytest.mark.parametrize("jobs", [1, 3])
@pytest.mark.parametrize("kind", [CacheType.Cache, CacheType.NoCache])
def test_S4_16_a_failure_is_not_cached_and_what_came_before_it_is(home, jobs, kind):
    numbers = arg([0, 1, 2, 3, 4], "numbers", cache=CacheType.NoCache)
    counts, broken = [0] * 5, {2}

    @foreach(numbers, cache=kind)
    @uncounted
    def checked(number):
        counts[number] += 1
        if number in broken:
            raise ValueError("stop here")
        return number

    with pytest.raises(ValueError, match="stop here") as caught:
        checked.brew(jobs=jobs)
    assert caught.value.__notes__ == ["at item 2 (2)", "in recipe 'checked'"]
    assert counts[:3] == [1, 1, 1]
    assert checked.status() is not Status.Ok
    with pytest.raises(ValueError, match="stop here"):
        checked.brew(jobs=jobs)
    assert counts[:3] == [1, 1, 2]
    broken.clear()
    assert checked.brew(jobs=jobs) == [0, 1, 2, 3, 4]
    assert counts == [1, 1, 3, 1, 1]
    assert (checked.brew(), checked.status()) == ([0, 1, 2, 3, 4], Status.Ok)


@pytest.mark.parametrize("method", FileChecksumMethod)
def test_S4_17_outside_files_count(home, method):
    AlkymiConfig.get().file_checksum_method = method
    source = home / "source.txt"
    source.write_text("one")
    calls = []

    @recipe()
    @uncounted
    def copied():
        calls.append("copied")
        copy = Path("copy.txt")
        copy.write_text(source.read_text())
        return {"here": [copy]}

    @recipe()
    @uncounted
    def length(copied):
        calls.append("length")
        return len(copied["here"][0].read_text())

    assert length.brew() == 3
    assert length.status() is Status.Ok
    Path("copy.txt").write_text("changed")
    assert list(map(str, statuses(length).values())) == ["OutputsInvalid", "IngredientDirty"]
    assert length.brew() == 3
    by_content = method is FileChecksumMethod.HashContents
    assert calls == ["copied", "length", "copied"] + ["length"] * (not by_content)
    facts = os.stat("copy.txt")
    os.utime("copy.txt", ns=(facts.st_atime_ns, facts.st_mtime_ns + 5_000_000_000))
    assert (copied.status() is Status.Ok) == by_content
    Path("copy.txt").unlink()
    assert copied.status() is Status.OutputsInvalid
    assert (length.brew(), length.status()) == (3, Status.Ok)


def test_glob_file_arg_and_zip_results(home):
    for name in ("b.txt", "a.txt", "c.dat"):
        Path(name).write_text(name)
    Path("sub").mkdir()
    Path("sub", "d.txt").write_text("d")
    texts = glob_files("texts", Path("."), "*.txt", recursive=False)
    deep = glob_files("deep", home, "*.txt", recursive=True)
    one = file("one", "c.dat")
    calls = []

    @foreach(texts)
    @uncounted
    def size(path):
        calls.append(path.name)
        return len(path.read_bytes())

    @recipe()
    def content(one):
        return one.read_text()

    both = zip_results("both", [texts, size])
    assert both.brew() == [(Path("a.txt"), 5), (Path("b.txt"), 5)]
    assert [path.relative_to(home).as_posix() for path in deep.brew()] == ["a.txt", "b.txt", "sub/d.txt"]
    assert content.brew() == "c.dat"
    assert {status for made in (both, deep, content) for status in statuses(made).values()} == {Status.Ok}
    Path("a.txt").write_text("longer text")
    Path("e.txt").write_text("e")
    Path("c.dat").write_text("new")
    assert texts.status() is Status.CustomDirty
    assert one.status() is Status.OutputsInvalid
    assert both.brew() == [(Path("a.txt"), 11), (Path("b.txt"), 5), (Path("e.txt"), 1)]
    assert calls == ["a.txt", "b.txt", "a.txt", "e.txt"]
    assert content.brew() == "new"
    with pytest.raises(ValueError, match="the lengths differ: 3, 1"):
        zip_results("odd", [texts, arg([1], "single")]).brew()
    with pytest.raises(ValueError, match="int and list"):
        zip_results("odd", [texts, arg(1, "number")]).brew()


def test_ingredients_are_found_by_the_names_of_arguments(home):
    left, right = arg(1, "left"), arg(2, "right")

    @recipe([right])
    def both(first, left, factor=10, *, right):
        return (first, left, factor, right)

    assert both.brew() == (2, 1, 10, 2)
    assert both(5, 6, right=7) == (5, 6, 10, 7)
    with pytest.raises(RuntimeError, match="no recipe named 'unknown' for its argument"):

        @recipe()
        def lost(unknown):
            return unknown

    with pytest.raises(RuntimeError, match="the name refers to PosixPath"):

        @recipe()
        def wrong(home):
            return home

    with pytest.raises(RuntimeError, match="takes 0 arguments, got 1 ingredients"):

        @recipe([left])
        def none():
            return 1

    with pytest.raises(TypeError, match="an ingredient must be a recipe, got 5"):
        recipe([5])


def test_without_pickling_a_value_is_returned_and_not_stored_with_a_warning(home):
    calls = []

    @recipe()
    @uncounted
    def point():
        calls.append(1)
        return {"a": [Point(1, 2)]}

    point.brew()
    AlkymiConfig.get().allow_pickling = False
    assert point.status() is Status.OutputsInvalid
    with pytest.warns(StoreWarning, match=r"cannot encode .*Point, at value\['a'\]\[0\]"):
        assert point.brew() == {"a": [Point(1, 2)]}
    assert calls == [1, 1]
