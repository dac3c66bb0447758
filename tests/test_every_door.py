"""What is promised of a result holds through every door, over every kind of store."""

from __future__ import annotations

import collections
import itertools
import math
import threading
import warnings
from concurrent.futures import ThreadPoolExecutor

import pytest
from every_door import BY_CODE, BY_INPUT, DOORS, STORES
from every_store import NEEDS

from flowly_ckpt import ignore_globals
from flowly_ckpt.errors import MutationWarning, StoreError, StoreWarning
from flowly_ckpt.targets import BaseTarget
from flowly_ckpt.targets.wrappers import Bounded, Expiring, Layered, ReadOnly

CALLS: list[object] = []
GIVES: list[object] = [None]
ITERATORS = [name for name in DOORS if not name.startswith(("task", "resume"))]  # a task keeps a list, resume nothing
FLIPPED = {"DiskTarget", "FileTarget", "RemoteTarget"}


@pytest.fixture(params=list(STORES))
def store(request, tmp_path):
    for name, library in NEEDS.items():
        if name == request.param:
            pytest.importorskip(library)
    CALLS.clear()
    made = STORES[request.param](str(tmp_path / "store"))
    yield made
    getattr(made, "close", lambda: None)()


@pytest.fixture(params=list(DOORS))
def door(request):
    CALLS.clear()
    return DOORS[request.param]


def doors(names):
    return pytest.mark.parametrize("door", [pytest.param(DOORS[name], id=name) for name in names])


@ignore_globals("CALLS", "GIVES")
def gives(obj):
    CALLS.append(obj)
    value = GIVES[0]
    return value() if callable(value) else value


@ignore_globals("CALLS")
def lists(obj):
    CALLS.append(obj)
    return [obj, [obj]]


class OwnError(Exception):
    def __init__(self, first, second):
        super().__init__(f"{first} {second}")
        self.first = first


def spelled(value):
    return (type(value), repr(value), getattr(value, "__dict__", None))


PLAIN = [
    *(None, False, 0, "", b"", (), [], {}, set(), math.nan, math.inf, ..., NotImplemented, -0.0, "\ud800", 10**400),
    *(range(3), slice(1, 2), bytearray(b"a"), collections.Counter("aab"), collections.deque([1], 3), int),
    *(KeyError("a", 1), OwnError(1, 2), StopIteration(3), ExceptionGroup("a", [ValueError(1)]), OSError(2, "no")),
]


def test_a_result_comes_back_as_it_was_and_is_computed_once(door, store):
    for place, value in enumerate([None, math.nan, NotImplemented, KeyError("a", 1), "", PLAIN]):
        GIVES[0] = lambda value=value: value
        if door is DOORS["resume"]:
            store.clear()
        for _ in range(2):
            found = door(gives, store, place)
            assert spelled(found) == spelled(value)
            assert value is not PLAIN or list(map(spelled, found)) == list(map(spelled, PLAIN))
        assert len(CALLS) == place + 1, value


def groups():
    return itertools.groupby("aab")


def chunks():
    source = iter(range(5))
    for first in source:
        yield itertools.chain([first], itertools.islice(source, 1))


Named = collections.namedtuple("Named", "name groups")


def nested():
    return (Named(name, {"groups": groups()}) for name in "xy")


READ = {
    groups: lambda found: [(key, list(group)) for key, group in found],
    chunks: lambda found: [list(chunk) for chunk in found],
    nested: lambda found: [(one.name, READ[groups](one.groups["groups"])) for one in found],
    lambda: map(abs, [-1, 2]): list,
    lambda: iter(()): list,
    lambda: (itertools.repeat(1, 2) for _ in range(40)): lambda found: [sum(one) for one in found],
}


@doors([name for name in DOORS if name != "resume"])
def test_an_iterator_comes_back_each_time_with_the_iterators_that_are_its_items(door, store):
    for place, (make, read) in enumerate(READ.items()):
        GIVES[0] = make
        assert [read(door(gives, store, place)) for _ in range(2)] == [read(make())] * 2
        assert len(CALLS) == place + 1


@doors(ITERATORS)
def test_what_was_an_iterator_is_one(door, store):
    GIVES[0] = groups
    for _ in range(2):
        found = door(gives, store, 1)
        assert next(next(found)[1]) == "a"


def test_an_open_file_in_a_result_is_handed_on_and_not_stored(door, store, tmp_path):
    (tmp_path / "text").write_text("text")
    GIVES[0] = lambda: {"file": (tmp_path / "text").open()}
    for count in (1, 2):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", StoreWarning)
            found = door(gives, store, 1)["file"]
        with found:
            assert found.name == str(tmp_path / "text")
        assert len(CALLS) == count


def test_what_a_caller_does_to_a_result_reaches_nobody_else(door, store):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", MutationWarning)
        for change in (list.clear, list.sort, lambda found: found[1].append(5), list.pop):
            found = door(lists, store, 7)
            assert found == [7, [7]]
            try:
                change(found)
            except TypeError:
                found[0] = "changed"
        assert door(lists, store, 7) == [7, [7]]


@pytest.mark.parametrize("wrapped", [lambda results: results, lambda results: Expiring(results, 3600),
                                     lambda results: Bounded(results, 10**9), ReadOnly,
                                     lambda results: Layered({}, results)])  # fmt: skip
def test_a_change_in_a_dict_is_noticed_through_whatever_is_around_it(door, wrapped):
    results = {}
    first = results if wrapped is ReadOnly else wrapped(results)
    door(lists, first, 7).append("changed")
    if door is DOORS["resume"]:
        assert door(lists, wrapped(results), 7) == [7, [7]]
        return
    with pytest.warns(MutationWarning, match="was changed in place"):
        assert door(lists, wrapped(results), 7) == [7, [7]]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", MutationWarning)
        assert door(lists, wrapped(results), 7) == [7, [7]]


@ignore_globals("CALLS", "GIVES")
def fails(obj):
    CALLS.append(obj)
    if len(CALLS) < 3:
        raise GIVES[0]
    return obj


@pytest.mark.parametrize("error", [OwnError(1, 2), KeyboardInterrupt()], ids=repr)
def test_what_fails_or_is_interrupted_leaves_nothing_and_is_done_again(door, store, error):
    GIVES[0] = error
    for _ in range(2):
        with pytest.raises(type(error)) as caught:
            door(fails, store, 7)
        assert caught.value.args == error.args
        assert len(store) == 0
    assert [door(fails, store, 7) for _ in range(2)] == [7, 7]
    assert len(CALLS) == 3


@doors(BY_INPUT)
def test_another_input_is_another_result(door, store):
    inputs = [1, True, "1", [1], "A", "a", "\u00e9", "e\u0301", "x" * 300, "../a"]
    for obj in inputs * 2:
        found = door(lists, store, obj)
        assert spelled(found[0]) == spelled(obj)
    assert len(CALLS) == len(inputs)


def helper(obj):
    return obj


@ignore_globals("CALLS")
def helped(obj):
    CALLS.append(obj)
    return helper(obj)


@doors(BY_CODE)
def test_other_code_is_another_result(door, store, monkeypatch):
    assert door(helped, store, 7) == 7
    monkeypatch.setitem(globals(), "helper", lambda obj: obj + 1)
    assert door(helped, store, 7) == 8
    monkeypatch.undo()
    assert door(helped, store, 7) == 7


STARTED = threading.Event()


@ignore_globals("CALLS", "STARTED")
def slow(obj):
    CALLS.append(obj)
    STARTED.wait(0.05)  # others come meanwhile
    return [obj]


@doors(BY_INPUT)
def test_threads_compute_once_and_share_nothing(door, store):
    barrier = threading.Barrier(4)

    def ask(_):
        barrier.wait()
        return door(slow, store, 7)

    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(ask, range(4)))
    assert found == [[7]] * 4
    assert len(CALLS) == 1


class Away(BaseTarget):
    """A store that cannot be reached."""

    def __init__(self, isolates):
        self.isolates = isolates

    def away(self, *asked):
        raise StoreError("away")

    __getitem__ = __setitem__ = __delitem__ = __contains__ = __iter__ = __len__ = entry = away


@pytest.mark.parametrize("isolates", [True, False])
def test_a_store_that_is_away_costs_no_result(door, isolates):
    for count in (1, 2):
        with pytest.warns(StoreWarning, match="away"):
            assert door(lists, Away(isolates), 7) == [7, [7]]
        assert len(CALLS) == count


@ignore_globals("CALLS")
def appends(obj):
    CALLS.append(obj)
    obj.append(1)
    return len(obj)


@doors([name for name in BY_INPUT if name not in ("recipe", "foreach")])  # which give each function a copy of its own
def test_an_argument_changed_in_place_is_told(door, monkeypatch):
    monkeypatch.setattr("flowly_ckpt.once._said", set())
    with pytest.warns(MutationWarning, match="changed its (input|argument).* in place"):
        assert door(appends, {}, [5]) == 2


@ignore_globals("CALLS")
def redefines(obj):
    CALLS.append(obj)
    found = helper(obj)
    globals()["helper"] = lambda obj: obj + len(CALLS)
    return found


@doors(BY_CODE)
def test_code_that_is_redefined_while_it_runs_is_told(door, monkeypatch):
    monkeypatch.setattr("flowly_ckpt.once._said", set())
    monkeypatch.setitem(globals(), "helper", helper)
    results = {}
    with pytest.warns(MutationWarning, match="was redefined while"):
        assert door(redefines, results, 7) == 7
    assert (len(results) == 0) == (door not in map(DOORS.get, KEPT))


KEPT = ("task", "task.transform", "recipe", "foreach")  # the warning says to remove it
