"""Resumable loops: one test for each statement of what a checkpoint in a function does, by its number."""

from __future__ import annotations

import gzip
import io
import os
import pickle
import random
import signal
import sys
import time
from datetime import datetime
from fractions import Fraction
from pathlib import Path

import pytest
from folders import readable
from runs import run_script, start_script

from flowly_ckpt.resume import Checkpoint, NullCheckpoint

np = pytest.importorskip("numpy")


@pytest.fixture(autouse=True)
def _in_a_folder_of_its_own(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    states = random.getstate(), np.random.get_state()
    yield
    random.setstate(states[0])
    np.random.set_state(states[1])


def kept(tmp_path):
    return [name.rpartition("/")[2] for name in readable(tmp_path, "*.pzip")]


def compute_primes(n=10):
    "compute n next primes"
    chp = Checkpoint()
    # define initial state of the algorithm
    i = 2
    primes = [i]
    candidate = primes[-1]

    # restore previous work (if any)
    chp.restore()  # note that calling argument 'n' will be preserve

    # continue from last time (or initial state)
    while n > 0:
        candidate += 1
        for p in primes:
            if not candidate % p:
                break
        else:
            primes.append(candidate)
            n -= 1
    # dump current state to disk. Next call will continue from here
    chp.save()
    return primes


def test_S2_01_a_second_run_continues_the_first():
    first = compute_primes()
    assert first == [2, 3, 5, 7, 11, 13, 17, 19, 23, 29, 31]
    second = compute_primes(n=5)
    assert second == [*first, 37, 41, 43, 47, 53]
    assert len(second) == len(first) + 5
    assert len(first) == 11


def test_S2_02_an_interrupted_run_continues_where_it_was():
    visited = []

    def work(stop):
        chp = Checkpoint(rate=0)
        i = 0
        total = 0
        chp.restore()
        while i < 10:
            if i == stop:
                raise KeyboardInterrupt
            visited.append(i)
            total += i
            i += 1
            chp.sync()
        return total

    with pytest.raises(KeyboardInterrupt):
        work(4)
    with pytest.raises(KeyboardInterrupt):
        work(7)
    assert work(None) == 45
    assert visited == list(range(10))


def test_S2_03_a_first_run_keeps_its_placeholders():
    chp = Checkpoint()
    a, b = 1, [2]
    assert chp.restore() is False
    assert (a, b) == (1, [2])


def restored_in_a_function(first):
    chp = Checkpoint("s", clean=first)
    a = "new" if first else "placeholder"
    chp.restore()
    if first:
        chp.save()
    return a


def restored_in_a_cell(first):
    chp = Checkpoint("s", clean=first)
    a = "new" if first else "placeholder"

    def inner():
        return a

    chp.restore()
    if first:
        chp.save()
    return inner()


def restored_nonlocal(first):
    a = "new" if first else "placeholder"

    def inner():
        nonlocal a
        chp = Checkpoint("s", clean=first)
        chp.restore()
        if first:
            chp.save()
        a = a + ""

    inner()
    return a


def restored_in_a_generator(first):
    def generate():
        chp = Checkpoint("s", clean=first)
        a = "new" if first else "placeholder"
        yield None
        chp.restore()
        yield None
        if first:
            chp.save()
        yield a

    return list(generate())[-1]


def restored_in_a_coroutine(first):
    async def wait():
        chp = Checkpoint("s", clean=first)
        a = "new" if first else "placeholder"
        chp.restore()
        if first:
            chp.save()
        return a

    with pytest.raises(StopIteration) as caught:
        wait().send(None)
    return caught.value.value


def restored_in_a_method(first):
    class Holder:
        def method(self):
            chp = Checkpoint("s", clean=first)
            a = "new" if first else "placeholder"
            chp.restore()
            if first:
                chp.save()
            return a

    return Holder().method()


def restored_while_traced(first):
    sys.settrace(lambda *event: None)
    try:
        return restored_in_a_function(first)
    finally:
        sys.settrace(None)


def restored_at_module_level(first):
    code = "chp = Checkpoint('s', clean=first)\na = 'new' if first else 'placeholder'\nchp.restore()\n"
    namespace = {"first": first, "Checkpoint": Checkpoint}
    exec(code + ("chp.save()" if first else ""), namespace)
    return namespace["a"]


PLACES = [
    restored_in_a_function, restored_in_a_cell, restored_nonlocal, restored_in_a_generator, restored_in_a_coroutine,
    restored_in_a_method, restored_while_traced, restored_at_module_level,
]  # fmt: skip


@pytest.mark.parametrize("place", PLACES, ids=lambda place: place.__name__)
def test_S2_04_restore_sets_the_variables_themselves(place):
    assert place(first=True) == "new"
    assert place(first=False) == "new"


def test_S2_05_arguments_keep_their_new_values():
    class Holder:
        def method(self, given, /, also, *more, only=0, **options):
            chp = Checkpoint()
            local = given
            chp.restore()
            chp.save()
            get = lambda: (self, given, more)  # closed over, and arguments still
            return get(), also, only, options, local

    one, two = Holder(), Holder()
    assert one.method(1, 2, 3, only=4, x=5) == ((one, 1, (3,)), 2, 4, {"x": 5}, 1)
    assert two.method("a", "b", "c", only="d", y="e") == ((two, "a", ("c",)), "b", "d", {"y": "e"}, 1)


def first_job():
    chp = Checkpoint()
    done = "first"
    chp.restore()
    chp.save()
    return done


def second_job():
    chp = Checkpoint()
    done = "second"
    chp.restore()
    chp.save()
    return done


def test_S2_06_the_name_is_that_of_the_function(tmp_path):
    assert [first_job(), second_job(), first_job(), second_job()] == ["first", "second"] * 2
    assert kept(tmp_path) == ["first_job@test_resume.pzip", "second_job@test_resume.pzip"]


COUNT = """
    import sys
    from flowly_ckpt.resume import Checkpoint

    def count(n):
        chp = Checkpoint()
        done = 0
        chp.restore()
        while n:
            done, n = done + 1, n - 1
        chp.save()
        return done

    print(count(int(sys.argv[1])))
"""


def test_S2_07_the_next_execution_finds_the_state(tmp_path):
    assert [run_script(tmp_path, COUNT, n).stdout for n in ("3", "4")] == ["3\n", "7\n"]
    assert kept(tmp_path) == ["count@script.pzip"]


@pytest.mark.parametrize(
    ("rate", "steps", "written"),
    [
        (30, [10, 31, 40, 61], [False, True, False, True]),
        (0, [0, 0, 1], [True, True, True]),
        (30, [30], [True]),
        (30, [29.9], [False]),
    ],
)
def test_S2_08_sync_saves_after_the_rate(tmp_path, rate, steps, written):
    now = 0.0
    chp = Checkpoint("s", rate=rate, clock=lambda: now)
    for step, expected in zip(steps, written):
        now = step
        assert chp.sync() is expected
        assert len(kept(tmp_path)) == expected
        chp.forget()


def test_S2_08_the_rate_counts_from_the_save_of_the_former_run(tmp_path):
    now = 0.0
    i = 1
    Checkpoint("s", clock=lambda: now).save()
    now = 5.0
    assert not Checkpoint("s", rate=30, clock=lambda: now).sync()
    assert Checkpoint("s", rate=1e-9, clock=lambda: now).sync()
    assert i == 1


def test_S2_09_save_always_saves(tmp_path):
    chp = Checkpoint("s", rate=3600)
    for i in range(3):
        chp.save()
        assert pickle.loads(gzip.decompress((tmp_path / ".checkpoints/s.pzip").read_bytes()))["locals"]["i"] == i


def draw_ten(stop, seed, draw, kept_in=None):
    """Draw ten numbers; leave the process, as it were, after some."""
    chp = Checkpoint("draws", rate=0)
    rng = np.random.default_rng(seed)
    own = random.Random(seed)
    np.random.seed(seed)
    random.seed(seed)
    drawn = []
    chp.restore()
    while len(drawn) < 10:
        if len(drawn) == stop:
            return None
        drawn.append(draw(rng, own))
        chp.sync()
    chp.forget()
    return drawn


STREAMS = {
    "numpy.random": lambda rng, own: float(np.random.random()),
    "numpy.random.normal": lambda rng, own: float(np.random.normal()),  # keeps every other number for the next call
    "Generator": lambda rng, own: float(rng.random()),
    "random": lambda rng, own: random.random(),
    "random.gauss": lambda rng, own: random.gauss(0, 1),
    "Random": lambda rng, own: own.random(),
}


@pytest.mark.parametrize("draw", STREAMS.values(), ids=STREAMS)
@pytest.mark.parametrize("stop", [0, 1, 5, 9])
def test_S2_10_rng_stream_is_that_of_an_uninterrupted_run(draw, stop):
    uninterrupted = draw_ten(None, 1, draw)
    assert draw_ten(stop, 1, draw) is None
    assert draw_ten(None, 2 if stop else 1, draw) == uninterrupted


DRAW = """
    import random, sys
    import numpy as np
    from flowly_ckpt.resume import Checkpoint

    def draw(stop, seed):
        chp = Checkpoint(rate=0)
        np.random.seed(seed)
        random.seed(seed)
        drawn = []
        chp.restore()
        while len(drawn) < 10:
            if len(drawn) == stop:
                sys.exit(1)
            drawn.append((float(np.random.normal()), random.random()))
            chp.sync()
        print(drawn)

    draw(int(sys.argv[1]), int(sys.argv[2]))
"""


def test_S2_10_rng_stream_goes_on_in_another_process(tmp_path):
    uninterrupted = run_script(tmp_path, DRAW, "-1", "1", name="once.py").stdout
    run_script(tmp_path, DRAW, "5", "1", code_expected=1)
    assert run_script(tmp_path, DRAW, "-1", "2").stdout == uninterrupted


def test_S2_10_making_the_checkpoint_again_rewinds_to_its_first_making():
    def sequence(clean):
        chp = Checkpoint("seeds", clean=clean)
        shuffled = np.arange(100)
        np.random.shuffle(shuffled)
        drawn = np.random.random(), random.random()
        chp.save()
        return shuffled.tolist(), drawn

    first = sequence(clean=True)
    assert sequence(clean=False) == first
    assert sequence(clean=False) == first
    assert sequence(clean=True) != first


def test_S2_11_the_state_is_a_gzipped_pickle(tmp_path):
    compute_primes()
    path = Checkpoint("compute_primes@test_resume").filename
    assert Path(path).read_bytes()[:2] == b"\x1f\x8b"
    with gzip.open(path) as file:
        state = pickle.load(file)
    assert state["locals"]["primes"][-1] == 31
    assert state["of"] == "test_resume.compute_primes"
    assert "chp" not in state["locals"]
    assert "n" not in state["locals"]


def test_S2_12_states_lie_in_a_hidden_folder_by_default(tmp_path, monkeypatch):
    done = 1
    Checkpoint("run").save()
    Checkpoint("run", folder="elsewhere").save()
    Checkpoint("sub/run.pzip").save()
    monkeypatch.setenv("PLACE", str(tmp_path / "home"))
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    Checkpoint("$PLACE/a").save()
    Checkpoint("~/b").save()
    own = type("Own", (Checkpoint,), {"folder": "own", "ext": ".state"})
    own("run").save()
    assert readable(tmp_path) == [
        ".checkpoints/run.pzip", "elsewhere/run.pzip", "home/a.pzip", "home/b.pzip", "own/run.state", "sub/run.pzip"
    ]  # fmt: skip
    assert done == 1


@pytest.mark.parametrize(
    ("hours", "options", "restored"),
    [
        (-25, {}, False),
        (-23, {}, True),
        (-25, {"max_age": None}, True),
        (-2, {"max_age": 3600}, False),
        (-9999, {"max_age": None}, True),
    ],
)
def test_S2_13_an_old_state_is_left_alone(tmp_path, hours, options, restored):
    def work():
        chp = Checkpoint("s", **options)
        a = 0
        found = chp.restore()
        return found, a

    def save():
        a = 1
        Checkpoint("s").save()
        return a

    save()
    (path,) = (tmp_path / ".checkpoints").glob("*.pzip")
    before = path.read_bytes()
    os.utime(path, (time.time() + hours * 3600,) * 2)
    assert work() == (restored, int(restored))
    assert path.read_bytes() == before


def test_S2_13_the_age_is_an_attribute_of_the_class(tmp_path):
    a = 1
    Checkpoint("s").save()
    os.utime(next((tmp_path / ".checkpoints").glob("*.pzip")), (time.time() - 7200,) * 2)
    patient = type("Patient", (Checkpoint,), {"CACHE_EXPIRE": None})
    hasty = type("Hasty", (Checkpoint,), {"CACHE_EXPIRE": 3600})
    assert [kind("s").restore() for kind in (patient, hasty, Checkpoint)] == [True, False, True]
    assert a == 1


VALUES = [
    True, 1, 2.5, 3 + 4j, "text", None, b"bytes", bytearray(b"ab"), [1, [2]], (1, (2,)), {"a": {"b": 1}}, {1, 2},
    frozenset([1]), range(3), datetime(2020, 1, 2), Fraction(1, 3), Path("a/b"), 10**40, float("inf"), "\udc80", ...,
]  # fmt: skip
ARRAYS = [
    np.arange(6).reshape(2, 3), np.float32(2.5), np.int8(3), np.bool_(True), np.array(["a", "b"]),
    np.array([(1, 2.0)], dtype="i4,f8"), np.arange(6)[::2], np.datetime64("2020-01-02"), np.array(None),
]  # fmt: skip


@pytest.mark.parametrize("saved", VALUES + ARRAYS, ids=repr)
def test_S2_14_basic_and_numpy_values_are_kept(saved):
    def work(value):
        chp = Checkpoint("s")
        local = value
        chp.restore()
        chp.save()
        return local

    work(saved)
    found = work("placeholder")
    assert type(found) is type(saved)
    assert np.array_equal(found, saved) if isinstance(saved, np.ndarray | np.generic) else found == saved


def test_S2_14_what_is_bound_to_the_process_is_left_out_in_silence(tmp_path):
    import sqlite3
    import threading

    def work(n):
        chp = Checkpoint()
        file = open(__file__)  # noqa: SIM115
        buffer, lock, module, function, kind = io.StringIO(), threading.Lock(), os, work, Path
        generator, connection = (x for x in range(3)), sqlite3.connect(":memory:")
        _private, private_, total = n, n, n
        chp.restore()
        chp.save()
        connection.close()
        file.close()
        return _private, private_, total, buffer, lock, module, function, kind, generator

    assert work(1)[:3] == (1, 1, 1)
    assert work(2)[:3] == (2, 2, 1)
    (path,) = (tmp_path / ".checkpoints").glob("*.pzip")
    assert set(pickle.loads(gzip.decompress(path.read_bytes()))["locals"]) == {"total"}


def test_S2_15_three_lines_make_a_function_resumable():
    import inspect

    lines = inspect.getsource(compute_primes).splitlines()
    assert sum("chp" in line for line in lines) == 3


def test_S2_16_this_python_lets_variables_be_set():
    assert sys.version_info >= (3, 11)
    assert restored_in_a_function(True) == restored_in_a_function(False)


def test_S2_17_pythons_own_random_numbers_go_on_too():
    draw = STREAMS["random"]
    uninterrupted = draw_ten(None, 3, draw)
    draw_ten(4, 3, draw)
    random.seed(99)
    assert draw_ten(None, 4, draw) == uninterrupted


def test_S2_18_a_clean_start_ignores_the_state_and_leaves_it_until_the_first_save(tmp_path):
    compute_primes()
    (path,) = (tmp_path / ".checkpoints").glob("*.pzip")
    before = path.read_bytes()

    def compute_primes_anew():
        chp = Checkpoint(str(path), clean=True)
        primes = []
        chp.restore()
        assert path.read_bytes() == before
        chp.save()
        return primes

    assert compute_primes_anew() == []
    assert path.read_bytes() != before


def test_a_saved_value_comes_back_to_a_checkpoint_made_by_file_name():
    chp = Checkpoint(clean=True)
    foo = "bar"
    chp.save()
    filename = chp.filename
    del chp
    chp2 = Checkpoint(filename)
    foo = "buzz"
    chp2.restore()
    assert foo == "bar"


def test_the_null_checkpoint_does_nothing(tmp_path):
    chp = NullCheckpoint("name", rate=0)
    a = 1
    chp.save(a=2)
    assert (chp.restore(), chp.sync(), list(chp.over([1, 2])), a) == (False, False, [1, 2], 1)
    chp.forget()
    assert list(tmp_path.iterdir()) == []


SAVING = """
    from flowly_ckpt.resume import Checkpoint

    def work():
        chp = Checkpoint(rate=0)
        i, ballast = 0, bytes(20000)
        chp.restore()
        print(i, flush=True)
        assert ballast == bytes([i % 251]) * 20000
        while True:
            i += 1
            ballast = bytes([i % 251]) * 20000
            chp.sync()
            print(i, flush=True)

    work()
"""


def test_kill_9_at_any_time_keeps_the_last_good_state(tmp_path):
    last = 0
    for lines in (3, 7, 11, 20, 33):
        with start_script(tmp_path, SAVING) as process:
            first = int(process.stdout.readline())
            assert last <= first <= last + 1
            for _ in range(lines):
                last = int(process.stdout.readline())
            process.kill()
            last = int([last, *process.stdout.read().split("\n")[:-1]][-1])
        assert process.returncode == -signal.SIGKILL
    assert last >= 74


BLOCKED = """
    import os, time
    from flowly_ckpt.resume import Checkpoint

    class Slow:
        def __reduce__(self):
            if os.path.exists("block"):
                print("saving", flush=True)
                time.sleep(60)
            return (Slow, ())

    def work():
        chp = Checkpoint()
        i, slow = 0, Slow()
        chp.restore()
        print(i, flush=True)
        i += 1
        chp.save()
        open("block", "w").close()
        i += 1
        chp.save()

    work()
"""


def test_kill_9_in_the_middle_of_a_save_keeps_the_last_good_state(tmp_path):
    for first in ("0\n", "1\n"):
        with start_script(tmp_path, BLOCKED) as process:
            assert [process.stdout.readline() for _ in range(2)] == [first, "saving\n"]
            process.kill()
        (tmp_path / "block").unlink()
