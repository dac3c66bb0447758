"""Resumable loops: what the original could not, and the forms that need no frames: over, state."""

from __future__ import annotations

import random
import sys
import threading
from types import ModuleType, SimpleNamespace

import pytest
from folders import TARGETS, readable
from runs import run_script

from flowly_ckpt import resume
from flowly_ckpt.errors import FlowlyError, StoreWarning
from flowly_ckpt.resume import ChangedError, Checkpoint, State
from flowly_ckpt.resume.randomness import capture, reinstate
from flowly_ckpt.resume.storing import folder_of_states
from flowly_ckpt.targets import DiskTarget, Expiring, Layered


@pytest.fixture(autouse=True)
def _in_a_folder_of_its_own(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    state = random.getstate()
    yield
    random.setstate(state)


def kept(tmp_path):
    return [name.rpartition("/")[2] for name in readable(tmp_path, "*.pzip")]


class Interrupted(Exception):
    pass


# ---- what the original could not (1, the random numbers, is S2_10)


def test_beats_S2_2_a_name_means_one_file_and_no_other(tmp_path):
    a = "other"
    (tmp_path / "sub").mkdir()
    for name in ("compute_prime", "sub/prime", "primeX"):
        Checkpoint(name).save()
    a = "placeholder"
    for name in ("prime", "prim.", "prime."):
        assert not Checkpoint(name).restore()
    assert a == "placeholder"


def jobs(place):
    class First:
        def job(self):
            chp = Checkpoint()
            a = f"first of {place}"
            chp.restore()
            chp.save()
            return a

    class Second:
        def job(self):
            chp = Checkpoint()
            a = "second"
            chp.restore()
            chp.save()
            return a

    return First().job, Second().job


def test_beats_S2_3_functions_of_one_name_have_a_state_each(tmp_path):
    assert [job() for job in jobs("here")] == ["first of here", "second"]
    assert [job() for job in jobs("there")] == ["first of here", "second"]
    assert [name.split("@")[0] for name in kept(tmp_path)] == ["job", "job"]
    assert len(folder_of_states(".checkpoints")) == 2
    assert folder_of_states(".checkpoints").clear_where(transform="test_resume_limits.jobs.<locals>.First.job") == 1


def test_beats_S2_4_making_a_checkpoint_writes_nothing(tmp_path):
    Checkpoint()
    Checkpoint(clean=True)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("data", [b"", b"not gzip", b"\x1f\x8b\x08", None], ids=["empty", "no gzip", "cut", "half"])
def test_beats_S2_5_a_damaged_state_is_reported_and_healed(tmp_path, data):
    def work():
        chp = Checkpoint("s")
        a = "placeholder"
        chp.restore()
        chp.save()
        return a

    a = "saved"
    Checkpoint("s").save()
    path = tmp_path / ".checkpoints" / "s.pzip"
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) // 2] if data is None else data)
    with pytest.warns(StoreWarning, match=r"s\.pzip cannot be used"):
        assert work() == "placeholder"
    assert (work(), a) == ("placeholder", "saved")


def test_beats_S2_5_an_element_that_cannot_be_pickled_leaves_the_rest_and_is_named(tmp_path):
    def work(first):
        chp = Checkpoint("s", rate=0)
        results, count = [threading.Lock()] if first else [], 0
        chp.restore()
        count += 1
        chp.sync()
        chp.sync()
        return results, count

    with pytest.warns(StoreWarning, match="not kept, because they contain what cannot be pickled: results;") as told:
        work(True)
    assert len(told) == 1
    assert work(False) == ([], 2)


def test_beats_S2_5_a_store_that_fails_is_a_warning_and_the_state_before_holds(tmp_path):
    kept_here = {}
    a = 1
    Checkpoint("s", target=kept_here).save()

    class Full(dict):
        def __setitem__(self, key, value):
            raise OSError("no space left")

    with pytest.warns(StoreWarning, match="did not store the state .*no space left; the previous one is still valid"):
        Checkpoint("s", target=Full(kept_here)).save()
    assert Checkpoint("s", target=kept_here).restore()
    assert a == 1


def test_beats_S2_5_a_state_of_another_format_is_let_be():
    target = {}
    Checkpoint("s", target=target).save()
    (key,) = target
    target[key] = {"format": 99}
    with pytest.warns(StoreWarning, match="the state .* cannot be used, starting over"):
        assert not Checkpoint("s", target=target).restore()


def test_beats_S2_7_a_helper_restores_and_saves_for_the_function_that_made_the_checkpoint():
    def restore(chp):
        total = "the helper's own"
        chp.restore()
        return total

    def save(chp):
        total = "the helper's own"
        chp.save()
        return total

    def work():
        chp = Checkpoint("s")
        total = 0
        helped = restore(chp)
        total += 1
        save(chp)
        return helped, total

    assert work() == ("the helper's own", 1)
    assert work() == ("the helper's own", 2)


def test_beats_S2_7_each_of_several_runs_on_the_stack_has_its_own_variables():
    def work(depth):
        chp = Checkpoint(f"depth-{depth}")
        a = depth * 10
        if depth:
            work(depth - 1)
        chp.restore()
        a += 1
        chp.save()
        return a

    assert work(2) == 21
    assert work(2) == 22
    assert work(1) == 13


def test_beats_S2_7_a_checkpoint_made_by_a_module_serves_the_function_that_asks():
    namespace = {"Checkpoint": Checkpoint}
    code = """
chp = Checkpoint("shared")
count = "the module's"
def work():
    count = 0
    chp.restore()
    count += 1
    chp.save()
    return count
first = work()
"""
    exec(code, namespace)
    exec(code, namespace)
    assert (namespace["first"], namespace["count"]) == (2, "the module's")


def test_beats_S2_7_a_subclass_with_an_init_of_its_own_belongs_to_its_caller():
    class Hourly(Checkpoint):
        def __init__(self, **options):
            super().__init__(rate=3600, **options)

    def work():
        chp = Hourly()
        a = 0
        chp.restore()
        a += 1
        chp.save()
        return a, chp.name

    assert work()[0] == 1
    assert work() == (2, f"{__name__}.{work.__qualname__}")


def test_beats_S2_8_values_saved_besides_come_back_besides():
    a = 1
    Checkpoint("s").save(note="kept", a=5)
    chp = Checkpoint("s")
    assert chp.restore(absent="default", a=2)
    assert (a, chp.extra) == (5, {"note": "kept", "absent": "default"})
    assert not chp.restore()


def test_beats_S2_9_making_a_checkpoint_without_a_state_leaves_the_random_numbers_alone():
    random.seed(1)
    before = random.getstate()
    Checkpoint("nothing saved")
    assert random.getstate() == before


def test_variables_that_share_an_object_share_it_again():
    def work(first):
        chp = Checkpoint("s")
        a = []
        b = {"a": a} if first else None
        chp.restore()
        chp.save()
        return b["a"] is a

    assert work(True)
    assert work(False)


any_target = pytest.mark.parametrize("make", TARGETS.values(), ids=TARGETS)


@any_target
def test_any_target_keeps_states_as_they_were(make):
    target = make()

    def work(n):
        chp = Checkpoint(target=target, rate=0)
        found = []
        chp.restore()
        found.append(n)
        chp.save()
        found.append("after the save")
        return found

    assert work(1) == [1, "after the save"]
    assert work(2) == [1, 2, "after the save"]
    assert list(target) == [("", "resume", f"{__name__}.{work.__qualname__}")]


@any_target
def test_any_target_keeps_the_place_of_a_loop_until_it_is_done(make, tmp_path):
    target = make()

    def work(stop):
        total = 0
        for item in resume.over([1, 2, 3, 4], "sum", target=target, rate=0):
            if item == stop:
                raise Interrupted
            total += item
        return total

    with pytest.raises(Interrupted):
        work(3)
    assert list(target) == [("sum", "resume", "")]
    assert work(None) == 10
    assert len(target) == 0
    assert kept(tmp_path) == []


@any_target
def test_any_target_keeps_the_values_of_a_state(make, tmp_path):
    target = make()
    for expected in ([2], [2, 3], [2, 3, 3]):
        with resume.state("primes", target=target, primes=[2]) as s:
            assert s.primes == expected
            s.primes.append(3)
        s.primes.append("after the save")
    s.forget()
    assert len(target) == 0
    assert kept(tmp_path) == []


@any_target
def test_a_state_in_any_target_expires_too(make):
    target = make()
    Checkpoint("s", target=target).save()
    assert Checkpoint("s", target=target, max_age=3600).restore()
    assert not Checkpoint("s", target=target, max_age=0).restore()


def test_a_target_is_a_mapping_and_given_once():
    for make in (Checkpoint, resume.state, lambda name, target: resume.over([1], name, target=target)):
        with pytest.raises(TypeError, match="target must be a mutable mapping, got int"):
            make("s", target=5)
    for make in (resume.state, lambda checkpoint, target: resume.over([1], checkpoint, target=target)):
        with pytest.raises(TypeError, match=r"target must be given to Checkpoint\(…\) itself"):
            make(Checkpoint("s", target={}), target={})


@pytest.mark.parametrize("name", ["a b", "Ä", "x" * 200, "50%", "a@b", "a.b", "@"])
def test_names_that_are_given_name_the_file(tmp_path, name):
    a = name
    Checkpoint(name).save()
    assert kept(tmp_path) == [f"{name}.pzip"]
    a = None
    assert Checkpoint(Checkpoint(name).filename).restore()
    assert a == name
    assert len(folder_of_states(".checkpoints")) == 1  # "a@b" is the state of a function b.a


def test_states_are_listed_and_strangers_files_are_not(tmp_path):
    Checkpoint("one").save()
    Checkpoint().save()
    for name in ("notes.txt", "x.pzip.tmp", "README"):
        (tmp_path / ".checkpoints" / name).write_text("not ours")
    function = f"{__name__}.{sys._getframe().f_code.co_qualname}"
    assert set(folder_of_states(".checkpoints")) == {("one", "resume", ""), ("", "resume", function)}


def test_deep_functions_have_file_names_every_system_takes(tmp_path):
    namespace = {"Checkpoint": Checkpoint}
    depth = 30
    lines = [f"{' ' * level}def outer_function_{level}():" for level in range(depth)]
    lines += [f"{' ' * depth}Checkpoint().save()"]
    lines += [f"{' ' * (level + 1)}outer_function_{level + 1}()" for level in reversed(range(depth - 1))]
    exec("\n".join(lines) + "\nouter_function_0()", namespace)
    assert len(folder_of_states(".checkpoints")) == 1
    assert all(len(part) < 256 for path in tmp_path.rglob("*") for part in path.parts)


def test_random_numbers_of_torch_go_on_where_it_is_loaded(monkeypatch):
    """The calls that are made; with torch itself below."""
    states = {"cpu": "begun", "cuda": ["begun"]}
    torch, cuda = ModuleType("torch"), SimpleNamespace()
    torch.get_rng_state = lambda: states["cpu"]
    torch.set_rng_state = lambda state: states.update(cpu=state)
    cuda.is_initialized = lambda: True
    cuda.get_rng_state_all = lambda: states["cuda"]
    cuda.set_rng_state_all = lambda state: states.update(cuda=state)
    torch.cuda = cuda
    monkeypatch.setitem(sys.modules, "torch", torch)
    before = capture()
    states.update(cpu="gone on", cuda=["gone on"])
    reinstate(before)
    assert states == {"cpu": "begun", "cuda": ["begun"]}


def test_random_numbers_of_torch_itself_go_on():
    torch = pytest.importorskip("torch", reason="torch is not installed")
    before = capture()
    first = torch.rand(3).tolist()
    reinstate(before)
    assert torch.rand(3).tolist() == first


def test_random_states_that_do_not_fit_are_reported():
    with pytest.warns(StoreWarning, match="the random numbers of random cannot be continued"):
        reinstate({"random": "no state"})


# ---- loops


def total_of(items, stop=None, target=None, **options):
    chp = Checkpoint(rate=0, **({} if target is None else {"target": target}), **options)
    total = 0
    chp.restore()
    for item in chp.over(items):
        if item == stop:
            raise Interrupted
        total += item
    return total


@pytest.mark.parametrize("make", [list, tuple, iter, lambda items: (i for i in items), lambda items: range(10)])
@pytest.mark.parametrize("stop", [0, 1, 5, 9])
def test_over_continues_where_the_last_run_stopped(make, stop):
    with pytest.raises(Interrupted):
        total_of(make(range(10)), stop)
    with pytest.raises(Interrupted):
        total_of(make(range(10)), stop)
    assert total_of(make(range(10))) == 45
    assert total_of(make(range(10))) == 45
    if make is not list:
        return
    assert total_of(list(range(12))) == 66


def test_over_skips_a_long_range_at_once():
    with pytest.raises(Interrupted):
        total_of(range(10**15), stop=3)
    target = {}
    chp = Checkpoint(target=target)
    chp._loops._saved[(0,)] = (10**15 - 1, "")
    assert list(chp.over(range(10**15))) == [10**15 - 1]


@pytest.mark.parametrize("items", [[0, 7, 2, 3], [0, 1], []], ids=str)
def test_over_says_when_the_items_are_other_ones(items):
    with pytest.raises(Interrupted):
        total_of([0, 1, 2, 3], stop=3)
    with pytest.raises(ChangedError, match="the last run had done 3 items, the last of them 2; now") as caught:
        total_of([0, 1, 5, 3] if items == [0, 7, 2, 3] else items)
    assert (caught.value.done, caught.value.expected) == (3, "2")
    assert isinstance(caught.value, ValueError)
    assert total_of([5], clean=True) == 5


def test_over_of_items_that_cannot_be_told_trusts_their_number():
    seen = []

    def work(items):
        for item in resume.over(items, rate=0):
            seen.append(item["n"])
            if len(seen) == 2:
                raise Interrupted

    with pytest.raises(Interrupted):
        work([{"n": 1}, {"n": 2}, {"n": 3}])
    work([{"n": 1}, {"n": 2}, {"n": 3}])
    assert seen == [1, 2, 2, 3]


def visits(stop, epochs=3):
    """Loops in a row, and one within another, all under one checkpoint."""
    chp = Checkpoint("visits", rate=0)
    seen = []
    chp.restore()
    for letter in chp.over("ab"):
        interrupt_at(stop, seen)
        seen.append(letter)
    for i in chp.over(range(3)):
        seen.append(("outer", i))
        chp.sync()
        for j in chp.over(range(2)):
            interrupt_at(stop, seen)
            seen.append((i, j))
        for k in chp.over("xyz"):
            if k == "y":
                break
            interrupt_at(stop, seen)
            seen.append((i, k))
    for epoch in range(epochs):  # an ordinary loop around is run through again
        for letter in chp.over("cd"):
            interrupt_at(stop, seen)
            seen.append((epoch, letter))
    return seen


def interrupt_at(stop, seen):
    if len(seen) == stop:
        raise Interrupted


def test_over_keeps_the_places_of_loops_in_a_row_and_within_another(tmp_path):
    whole = visits(None)
    (tmp_path / ".checkpoints/visits.pzip").unlink()
    interrupted = 0
    for stop in range(len(whole)):
        try:
            visits(stop)
        except Interrupted:
            interrupted += 1
            seen = visits(None)
            # An outer body that was interrupted is begun again; nothing is lost, and inner items are not done twice.
            assert [item for item in seen if item[0] != "outer"] == [item for item in whole if item[0] != "outer"]
        (tmp_path / ".checkpoints/visits.pzip").unlink()
    assert interrupted == len(whole) - 3


def test_resume_over_is_the_shortest_form(tmp_path):
    def work(stop):
        total, seen = 0, []
        for item in resume.over([1, 2, 3, 4], rate=0):
            if item == stop:
                raise Interrupted
            total += item
            seen.append(item)
        return total, seen

    with pytest.raises(Interrupted):
        work(3)
    assert len(kept(tmp_path)) == 1
    assert work(None) == (10, [1, 2, 3, 4])
    assert kept(tmp_path) == []
    assert work(None) == (10, [1, 2, 3, 4])


OVER = """
    import sys
    from flowly_ckpt import resume

    def work(stop):
        total = 0
        for item in resume.over(range(100), rate=0):
            if item == stop:
                sys.exit(3)
            total += item
            print(item)
        return total

    print("total", work(int(sys.argv[1])))
"""


def test_resume_over_goes_on_in_another_process(tmp_path):
    first = run_script(tmp_path, OVER, "60", code_expected=3).stdout.split()
    second = run_script(tmp_path, OVER, "-1").stdout.split()
    assert [int(item) for item in first + second[:-2]] == list(range(100))
    assert second[-2:] == ["total", "4950"]


def test_resume_over_at_module_level(tmp_path):
    code = """
    import sys
    from flowly_ckpt import resume

    done = []
    for item in resume.over("abcd", rate=0):
        if len(done) == int(sys.argv[1]):
            sys.exit(3)
        done.append(item)
    print(done)
    """
    run_script(tmp_path, code, "2", code_expected=3)
    assert run_script(tmp_path, code, "-1").stdout == "['a', 'b', 'c', 'd']\n"


def test_resume_over_twice_in_one_function_wants_names():
    def work():
        for _ in resume.over([1]):
            pass
        for _ in resume.over([2]):
            pass

    with pytest.raises(FlowlyError, match="two loops over the same saved state; name them"):
        work()

    def named():
        return [list(resume.over([1, 2], name)) for name in ("one", "two")]

    assert named() == [[1, 2]] * 2


def test_resume_over_in_a_loop_begins_anew_each_time():
    def work():
        seen = []
        for epoch in range(2):
            for item in resume.over("ab", rate=0):
                seen.append((epoch, item))
        return seen

    assert work() == [(0, "a"), (0, "b"), (1, "a"), (1, "b")]


# ---- state


def test_state_holds_values_and_finds_them_again():
    for expected in ([2], [2, 3], [2, 3, 4]):
        with resume.state("primes", i=0, primes=[2]) as s:
            assert s.primes == expected
            s.i += 1
            s.primes.append(s.i + 2)
    assert repr(resume.state("primes", j=1)) == "State(j=1, i=3, primes=[2, 3, 4, 5])"


def test_state_keeps_what_was_kept_last_when_an_exception_passes():
    def work():
        with resume.state(Checkpoint("s", rate=0), i=0) as s:
            s.i = 1
            assert s.sync()
            s.i = 2
            raise Interrupted

    with pytest.raises(Interrupted):
        work()
    assert resume.state("s", i=0).i == 1


def test_state_syncs_at_the_rate_and_loops():
    now = 0.0
    seen = []

    def work(stop):
        nonlocal now
        s = resume.state(Checkpoint("s", rate=10, clock=lambda: now), total=0)
        for item in s.over(range(6)):
            if item == stop:
                raise Interrupted
            seen.append(item)
            s.total += item
            now += 6
        return s.total

    with pytest.raises(Interrupted):
        work(3)
    assert work(None) == 15
    assert seen == [0, 1, 2, 2, 3, 4, 5]


def test_state_goes_on_with_the_random_numbers():
    def draw(stop):
        s = resume.state(Checkpoint("s", rate=0), drawn=[])
        while len(s.drawn) < 6:
            if len(s.drawn) == stop:
                raise Interrupted
            s.drawn.append(random.random())
            s.sync()
        s.forget()
        return s.drawn

    random.seed(1)
    uninterrupted = draw(None)
    random.seed(1)
    with pytest.raises(Interrupted):
        draw(4)
    random.seed(2)
    assert draw(None) == uninterrupted


def test_state_says_what_it_has_and_has_not():
    s = State(Checkpoint("s"), {"i": 1})
    with pytest.raises(AttributeError, match="the state has no value 'j'; it has i"):
        s.j
    with pytest.raises(AttributeError, match="'save' is a method of the state"):
        s.save = 1
    del s.i
    with pytest.raises(AttributeError, match="it has none"):
        s.i


def test_state_needs_no_frames(monkeypatch):
    monkeypatch.setattr("flowly_ckpt.resume.checkpoint.variables", None)
    monkeypatch.setattr("flowly_ckpt.resume.checkpoint.assign", None)
    with resume.state("s", i=0) as s:
        s.i += 1
    assert resume.state("s", i=0).i == 1


def test_import_costs_no_heavy_module_and_does_nothing(tmp_path):
    code = """
    import os, sys, threading
    before = dict(os.environ)
    import flowly_ckpt.calls, flowly_ckpt.resume
    heavy = {"cloudpickle", "sqlite3", "importlib.metadata", "inspect", "dis", "dataclasses", "concurrent.futures",
             "uuid", "decimal", "ctypes", "asyncio", "ast", "gzip", "numpy", "torch", "random"} & set(sys.modules)
    heavy -= {"ast"} if sys.version_info >= (3, 15) else set()  # what makes a NamedTuple there imports it
    print(heavy or "none", threading.active_count(), dict(os.environ) == before, os.listdir())
    """
    assert run_script(tmp_path, code).stdout == "none 1 True ['script.py']\n"


@pytest.mark.parametrize("around", [lambda target: target, lambda target: Expiring(target, 3600)])
def test_the_newest_state_counts_whatever_a_layer_remembers(tmp_path, around):
    with DiskTarget(tmp_path / "store") as disk:
        here, there = (around(Layered({}, disk)) for _ in range(2))  # as in two processes
        Checkpoint("loop", target=here).put({"i": 1})
        Checkpoint("loop", target=there).put({"i": 2})
        assert Checkpoint("loop", target=here).take() == {"i": 2}
