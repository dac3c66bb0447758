"""Item by item: what failed is named, the rest goes on, and what went well is not lost."""

from __future__ import annotations

import collections
import json
import pickle
import traceback
import types
from pathlib import Path

import pytest
import toolz

from flowly_ckpt import FileContent, add_checkpoints, apply, chained, checkpoint, ignore_globals
from flowly_ckpt.labels import label
from flowly_ckpt.pipelines import FailedItemsError, attempt, each
from flowly_ckpt.recipes import CacheType, arg, foreach
from flowly_ckpt.targets import DiskTarget

NAMES = [f"{number}.json" for number in range(40)]


def parse(name):
    number = int(name.partition(".")[0])
    if number % 3 == 2:
        raise ValueError(f"no JSON in\n{name}")
    return number


@pytest.mark.parametrize(
    ("pipeline", "by"),
    [
        (chained(each(parse)), "each(parse)"),
        (chained(toolz.curried.map(parse), list), "map(parse)"),
        (chained(toolz.curried.map(parse), list, len), "map(parse)"),
        (chained(sorted, toolz.curried.map(chained(str.strip, parse)), sum), "map(str.strip, parse)"),
        (chained(tuple, each(chained(str.strip, parse))), "each(str.strip, parse)"),
    ],
    ids=str,
)
def test_the_item_that_failed_is_named(pipeline, by):
    for rewrites in ([], [add_checkpoints]):
        with pytest.raises(ValueError, match="no JSON") as caught:
            apply(pipeline, NAMES[:3], rewrites=rewrites)
        assert f"at item 2 ('2.json') of {by}" in caught.value.__notes__


def test_what_cannot_be_told_is_left_out():
    with pytest.raises(ValueError, match="no JSON") as caught:
        chained(toolz.curried.map(parse), list)(name for name in NAMES)
    assert not [note for note in caught.value.__notes__ if "item" in note]


def test_a_foreach_names_its_item():
    names = arg(NAMES, "names", cache=CacheType.NoCache)
    parsed = foreach(names, cache=CacheType.NoCache)(parse)
    with pytest.raises(ValueError, match="no JSON") as caught:
        parsed.brew()
    assert "at item 2 ('2.json')" in caught.value.__notes__


def test_an_attempt_goes_on_and_a_dozen_failures_take_a_few_lines():
    with pytest.raises(FailedItemsError) as caught:
        apply(attempt(parse), NAMES)
    error = caught.value
    assert [failed.place for failed in error.failures] == list(range(2, 40, 3))
    assert [failed.item for failed in error.failures] == NAMES[2::3]
    assert error.results == {n: n for n in range(40) if n % 3 != 2}
    lines = str(error).splitlines()
    assert lines[0] == "parse failed for 13 of 40 items:"
    assert lines[1] == "  item 2 ('2.json'): ValueError: no JSON in 2.json"
    assert len(lines) == 7
    assert lines[-1] == "  … 8 more, in .failures"
    assert len(traceback.format_exception(error)) < 15
    assert pickle.loads(pickle.dumps(error)).results == error.results


def test_what_went_well_is_restored_when_the_rest_is_tried_again(tmp_path):
    results, seen = {}, tmp_path / "seen"

    def read(name):
        with seen.open("a") as file:
            file.write(f"{name}\n")
        return json.loads((tmp_path / name).read_text())

    for number in range(4):
        (tmp_path / f"{number}.json").write_text("{" if number == 1 else str(number))
    pipeline = chained(attempt(chained(read, checkpoint(results, "read"))), checkpoint(results, "all"), sum)
    names = NAMES[:4]
    with pytest.raises(FailedItemsError, match=r"item 1 \('1.json'\): JSONDecodeError"):
        apply(pipeline, names, rewrites=[add_checkpoints])
    assert sorted(key[1] for key in results) == ["read"] * 3
    (tmp_path / "1.json").write_text("10")
    assert apply(pipeline, names, rewrites=[add_checkpoints]) == 15
    assert seen.read_text().split() == [*names, "1.json"]


def test_an_interrupt_ends_an_attempt():
    def interrupted(item):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        attempt(interrupted)([1, 2])


@pytest.mark.parametrize(
    ("obj", "text"),
    [
        (5, "5"),
        (10**100, "int of 333 bits"),
        (-0.5, "-0.5"),
        (None, "None"),
        (True, "True"),
        ("a.csv", "'a.csv'"),
        (b"ab", "b'ab'"),
        ("x" * 1000, "'" + "x" * 58 + "…"),
        (Path("a/b.csv"), "'a/b.csv'"),
        (FileContent("a/b.csv"), "'a/b.csv'"),
        (Path("x" * 100, "b.csv"), "'…" + "x" * 51 + "/b.csv'"),
        ([FileContent("a.csv"), Path("b.csv")], "['a.csv', 'b.csv']"),
        ([1, "a", None], "[1, 'a', None]"),
        ((1,) * 9, "(1, 1, 1, …9)"),
        ([[1, [2, [3]]]], "[[1, list of 2]]"),
        ({"user": "me", "API_KEY": "x", "Password": "y"}, "{'user': 'me', 'API_KEY': …, 'Password': …}"),
        (range(10), "range of 10"),
        (memoryview(b"abc"), "memoryview of 3"),
        (iter([]), "list_iterator"),
        (collections.OrderedDict(a=1), "OrderedDict of 1"),
        (len, "builtin_function_or_method"),
        (ValueError("secret"), "ValueError"),
    ],
)
def test_a_label_is_short_and_runs_no_code_of_the_object(obj, text):
    assert label(obj) == text


def test_a_label_of_what_cannot_be_described():
    class Hostile:
        def __repr__(self):
            raise AssertionError

        __len__ = __str__ = __iter__ = shape = property(__repr__)

    assert label(Hostile()) == "Hostile"
    released = memoryview(b"abc")
    released.release()
    assert label([released]) == "[memoryview]"
    assert label(types.MappingProxyType({})) == "mappingproxy of 0"


def test_tables_and_arrays_are_told_by_their_shape():
    np = pytest.importorskip("numpy")
    pd = pytest.importorskip("pandas")
    assert label(np.zeros((3, 4))) == "ndarray (3, 4)"
    assert label(pd.DataFrame({"a": [1, 2]})) == "DataFrame (2, 1)"
    assert label({"frame": pd.Series([1]), "n": np.int64(1)}) == "{'frame': Series (1,), 'n': int64 ()}"


def test_items_that_are_there_are_looked_up_and_stored_together(tmp_path):
    read = []

    class Counting(DiskTarget):
        def get_many(self, keys):
            read.append(len(keys))
            return super().get_many(keys)

    target, ran = Counting(tmp_path), []

    @ignore_globals("ran")
    def double(x):
        ran.append(x)
        return 2 * x

    pipeline = add_checkpoints(each(chained(double, checkpoint(target))))
    assert pipeline([1, 2, 3, 2]) == [2, 4, 6, 4]
    assert (ran, read) == ([1, 2, 3], [3])
    assert pipeline(iter([1, 2, 3])) == [2, 4, 6], "an iterator is not read ahead"
    assert (ran, read) == ([1, 2, 3], [3])
    assert pipeline([1, 2, 3, 4]) == [2, 4, 6, 8]
    assert (ran, read) == ([1, 2, 3, 4], [3, 4])


def test_many_items_leave_the_entries_that_one_after_the_other_leaves():
    items = [made(n) for n in range(12) for made in (int, str, lambda n: [n], lambda n: {"a": n})]
    together, alone = {}, {}
    some, one = (chained(repr, checkpoint(target), len, checkpoint(target)) for target in (together, alone))
    found = apply(each(some), items, rewrites=[add_checkpoints])
    assert found == [apply(one, item, rewrites=[add_checkpoints]) for item in items]
    assert together == alone
    assert len(together) == 2 * len(items)


def test_what_comes_after_the_checkpoints_follows_each_item_at_once():
    log = []

    @ignore_globals("log")
    def load(x):
        log.append(("load", x))
        return x

    @ignore_globals("log")
    def send(x):
        log.append(("send", x))

    apply(each(chained(load, checkpoint({}), send)), [1, 2], rewrites=[add_checkpoints])
    assert log == [("load", 1), ("send", 1), ("load", 2), ("send", 2)]


class Refusing:
    def __reduce__(self):
        raise TypeError("cannot be taken apart")


@pytest.mark.parametrize("bad", ["c.json", Refusing()])
def test_an_item_that_fails_among_many_is_named_and_what_was_computed_before_it_is_kept(tmp_path, bad):
    target = DiskTarget(tmp_path)
    with pytest.raises((TypeError, ValueError)) as caught:
        apply(each(chained(int, checkpoint(target))), [1, 0, bad], rewrites=[add_checkpoints])
    assert any(note.startswith("at item 2 (") for note in caught.value.__notes__), caught.value.__notes__
    assert len(target) == (2 if bad == "c.json" else 0), "what cannot be hashed is found out before anything runs"
