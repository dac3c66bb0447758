"""The content hash: laws over generated values, freshness within a process, what it costs and what it leaves alone."""

from __future__ import annotations

import collections.abc
import copy
import dataclasses
import hashlib
import importlib
import itertools
import marshal
import multiprocessing
import numbers
import os
import pickle
import shutil
import sqlite3
import subprocess
import sys
import sysconfig
import textwrap
import threading
import tracemalloc
from collections import Counter, OrderedDict, defaultdict, deque, namedtuple
from collections.abc import Callable
from contextlib import closing
from datetime import date, datetime, timedelta, timezone
from decimal import Decimal
from fractions import Fraction
from functools import partial
from pathlib import Path
from types import ModuleType
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st
from runs import ENVIRONMENT, needs_processes, needs_threads, run_script

from flowly_ckpt import chained, checkpoint, dispatch, with_checkpoint
from flowly_ckpt.errors import UnhashableError
from flowly_ckpt.hashing import (
    FileContent,
    base_hash,
    depends_on,
    differences,
    explain,
    functional_hash,
    ignore_globals,
    prefix_hashes,
    register,
)
from flowly_ckpt.hashing.cycles import encode, solve
from flowly_ckpt.hashing.plain import in_step, is_plain
from flowly_ckpt.hashing.rows import Blob, expand
from flowly_ckpt.hashing.several import several
from flowly_ckpt.hashing.walk import Walk

H = functional_hash
ROOT = Path(__file__).resolve().parent.parent

atoms = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(), st.complex_numbers(), st.text(), st.binary(), st.just(...)
)
keys = st.one_of(st.none(), st.booleans(), st.integers(), st.text(), st.binary(), st.tuples(st.integers(), st.text()))
values = st.recursive(
    atoms,
    lambda inner: st.one_of(
        st.lists(inner, max_size=5),
        st.lists(inner, max_size=5).map(tuple),
        st.dictionaries(keys, inner, max_size=5),
        st.sets(keys, max_size=5),
        st.frozensets(keys, max_size=5),
    ),
    max_leaves=20,
)


def general(value: Any) -> str:
    walk = Walk()
    return walk.hexdigest(solve(walk, value))


def module(text: str, **names: Any) -> dict[str, Any]:
    space = {"__name__": "written", **names}
    exec(text, space)
    return space


# laws


@given(values)
def test_a_copy_has_the_same_hash(value: Any) -> None:
    assert H(copy.deepcopy(value)) == H(value)
    assert H(pickle.loads(pickle.dumps(value))) == H(value)


@given(values)
def test_both_engines_agree(value: Any) -> None:
    assert general(value) == H(value)
    assert general([value, {"a": value}, chained]) == H([value, {"a": value}, chained])


@given(values, values)
def test_different_values_have_different_hashes(one: Any, other: Any) -> None:
    assert (H(one) == H(other)) == (spelled(one) == spelled(other))


@given(st.lists(values, max_size=4), st.integers(0, 3))
def test_sharing_does_not_count(parts: list[Any], times: int) -> None:
    assert H([parts] * times) == H([copy.deepcopy(parts) for _ in range(times)])


def spelled(value: Any) -> str:
    """Write a value so that equal texts are the same value; the order of a set does not count, every NaN is one."""
    if isinstance(value, set | frozenset):
        return f"{type(value).__name__}({sorted(map(spelled, value))})"
    if isinstance(value, dict):
        return f"dict({[(spelled(k), spelled(v)) for k, v in value.items()]})"
    if isinstance(value, list | tuple):
        return f"{type(value).__name__}({list(map(spelled, value))})"
    if isinstance(value, complex):
        return f"complex({value.real!r}, {value.imag!r})"
    return f"{type(value).__name__}:{value!r}"


def test_small_values_are_all_different() -> None:
    level: list[Any] = [None, 0, True, 0.0, "", "a", b"", b"a", "b", ()]
    found = list(level)
    for _ in range(2):
        some = found[:50]
        pairs = [*((a,) for a in some), *itertools.product(some, repeat=2)]
        made = [make(pair) for pair in pairs for make in (list, tuple)]
        made += [{pair[0]: pair[-1]} for pair in pairs if is_key(pair[0])]
        made += [make(pair) for pair in pairs if all(map(is_key, pair)) for make in (set, frozenset)]
        found += made
    by_spelling = {spelled(value): value for value in found}
    hashes = {H(value) for value in by_spelling.values()}
    assert len(by_spelling) > 5000
    assert len(hashes) == len(by_spelling)


def is_key(value: Any) -> bool:
    return isinstance(value, str | bytes | int | float | tuple | frozenset | None) and not isinstance(value, tuple)


@given(st.lists(st.lists(st.integers(0, 7), max_size=3), min_size=1, max_size=8), st.integers(0, 7))
def test_graphs_hash_by_their_shape(edges: list[list[int]], start: int) -> None:
    nodes: list[list[Any]] = [[i % 2] for i in range(len(edges))]
    for node, targets in zip(nodes, edges):
        node += [nodes[target % len(nodes)] for target in targets]
    root = nodes[start % len(nodes)]
    assert H(root) == H(copy.deepcopy(root)) == general(root)
    assert H([root, nodes]) == H(copy.deepcopy([root, nodes]))


@given(st.lists(st.sampled_from([abs, str, len, lambda x: x + 1, partial(max, 1)]), max_size=6))
def test_prefixes(steps: list[Any]) -> None:
    expected = [H(chained(*steps[: i + 1])) for i in range(len(steps))]
    assert prefix_hashes(steps) == expected
    assert prefix_hashes(iter(steps)) == expected


def test_prefixes_with_marks_and_chains() -> None:
    mark = checkpoint({})
    steps = [mark, chained(abs, str), chained(), with_checkpoint(mark, len), mark]
    expected = [H(chained(*steps[: i + 1])) for i in range(len(steps))]
    assert prefix_hashes(steps) == expected
    assert prefix_hashes(made_when_asked()) == prefix_hashes(list(made_when_asked()))


def made_when_asked() -> Any:
    for i in range(50):
        yield [lambda x: x, lambda x: -x][i % 2]


# freshness within a process


def test_a_rebound_helper_or_constant_is_seen_and_going_back_is_the_same() -> None:
    space = module("def helper(x): return x + K\nK = 1\ndef step(x): return [helper(i) for i in x]\n")
    first = H(space["step"])
    space["K"] = 2
    second = H(space["step"])
    space["helper"] = lambda x: x - space_k
    third = H(space["step"])
    exec("def helper(x): return x + K", space)
    space["K"] = 1
    assert len({first, second, third}) == 3
    assert H(space["step"]) == first


space_k = 1


def test_a_changed_closure_default_class_or_table_is_seen() -> None:
    text = "class C:\n    def m(self): return 1\nT = {'a': [1]}\ndef step(x, y=1): return C().m(), T\n"
    space = module(text)
    step, seen = space["step"], set()
    for change in ("pass", "T['a'].append(2)", "C.m = lambda self: 2", "step.__defaults__ = (2,)", "C.n = 1"):
        exec(change, space)
        seen.add(H(step))
    assert len(seen) == 5


@pytest.mark.parametrize("read", ["helper.__doc__", "shown(helper)", "Kind().all()"])
def test_what_functions_and_classes_show_counts_where_it_is_read(read: str) -> None:
    text = "def helper(x): return x\ndef shown(f): return f.__doc__\n"
    text += "class Kind:\n    def all(self): return type(self).__subclasses__()\n"
    space = module(f"{text}def other(x): return helper(x)\ndef step(x): return {read}\n")
    loop: list[Any] = [space["step"]]
    loop.append(loop)
    step, looped, other = H(space["step"]), H(loop), H(space["other"])
    space["helper"].__doc__ = "what it does"
    space["Sub"] = type("Sub", (space["Kind"],), {})
    assert H(space["step"]) != step
    assert H(loop) != looped
    assert H(space["other"]) == other


def test_cells_are_read_at_each_call() -> None:
    def outer() -> tuple[Any, Any]:
        n = 0

        def step(x: int) -> int:
            return x + n

        def bump() -> None:
            nonlocal n
            n += 1

        return step, bump

    step, bump = outer()
    before = H(step)
    assert H(step) == before
    bump()
    assert H(step) != before


def test_notebook_cells_redefined() -> None:
    cell = "class Scale:\n    def __init__(self, k): self.k = k\n    def __call__(self, x): return helper(x) * self.k\n"
    helper = "def helper(x):\n    return x + 1\n"
    space: dict[str, Any] = {"__name__": "__main__"}
    for number, text in enumerate([helper, cell]):
        exec(compile(text, f"<ipython-input-{number}>", "exec"), space)
    old = space["Scale"](2)
    before = H(old)
    for number, text in enumerate(["# again\n" + helper, "\n\n" + cell], start=2):
        exec(compile(text, f"<ipython-input-{number}>", "exec"), space)
    assert H(old) == before == H(space["Scale"](2))
    exec("def helper(x):\n    return x + 2\n", space)
    assert H(old) != before


PROMPT = """
from flowly_ckpt import functional_hash as H
rate = 2
step = lambda x: x * rate
open("keys", "a").write(H(step) + " ")
rate = 3
open("keys", "a").write(H(step) + " ")
step = lambda x: x + rate
open("keys", "a").write(H(step) + " ")
"""


@needs_processes
@pytest.mark.parametrize(
    "options", [["-i"], ["-m", "asyncio"], ["-i", "-m", "this"], ["-i", "-m", "xxhash.version"]], ids=" ".join
)
def test_what_is_written_at_a_prompt_counts_by_content_whatever_shows_the_prompt(
    tmp_path: Path, options: list[str]
) -> None:
    for _ in range(2):
        subprocess.run(
            [sys.executable, *options], input=PROMPT, cwd=tmp_path, env=ENVIRONMENT, capture_output=True, text=True,
            timeout=60, check=True,
        )  # fmt: skip
    keys = (tmp_path / "keys").read_text().split()
    assert (len(set(keys)), keys[:3]) == (3, keys[3:])


def test_the_running_code_counts_not_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    file = tmp_path / "edited_after_import.py"
    file.write_text("def step(x):\n    return x + 1\n")
    edited: ModuleType = importlib.import_module("edited_after_import")
    before = H(edited.step)
    file.write_text("def step(x):\n    return x + 2000\n")
    assert H(edited.step) == before
    assert H(importlib.reload(edited).step) != before


def test_a_traced_function_is_the_same_function() -> None:
    text = "def step(x):\n    try:\n        return [i + 1 for i in x]\n    except TypeError:\n        return None\n"
    before = H(module(text)["step"])
    watched = module(text)["step"]
    old = sys.gettrace()
    sys.settrace(lambda *_: lambda *_: None)
    try:
        watched([1])
        during = H(watched)
    finally:
        sys.settrace(old)
    for _ in range(5000):  # warm code is specialised in place
        watched([1])
    assert during == before == H(watched)


INSTALLED = """
import sys
from flowly_ckpt import functional_hash as H
import dist_of_ours as d
print(H(d.work), H(lambda x: d.work(x)), H(d.Thing), H([d.Thing()]), H(lambda x: len(x)))
"""


@needs_processes
def test_the_version_of_a_distribution_counts_not_its_text(tmp_path: Path) -> None:
    site = tmp_path / "site-packages"
    found = []
    for version, text in (("1.0", "x"), ("1.0", "x * 1"), ("1.1", "x * 1")):
        write(site / "dist_of_ours.py", f"def work(x): return {text}\nclass Thing: pass\n")
        for old in site.glob("*.dist-info"):
            old.rename(site / f"dist_of_ours-{version}.dist-info")
        (site / f"dist_of_ours-{version}.dist-info").mkdir(exist_ok=True)
        found.append(run(INSTALLED, site))
    assert found[0] == found[1]
    assert [a == b for a, b in zip(found[1], found[2])] == [False, False, False, False, True]


@needs_processes
def test_a_distribution_installed_from_a_folder_counts_by_its_files(tmp_path: Path) -> None:
    site = tmp_path / "site-packages"
    info = site / "dist_of_ours-1.0.dist-info"
    found = []
    for text in ("x", "x * 1"):
        write(site / "dist_of_ours.py", f"def work(x): return {text}\nclass Thing: pass\n")
        write(info / "direct_url.json", '{"url": "file:///work", "dir_info": {}}')
        digest = hashlib.sha256(text.encode()).hexdigest()
        write(info / "RECORD", f"dist_of_ours.py,sha256={digest},1\ndist_of_ours-1.0.dist-info/RECORD,,\n")
        found.append(run(INSTALLED, site))
    assert [a == b for a, b in zip(*found)] == [False, False, False, False, True]


@needs_processes
def test_what_no_distribution_owns_is_the_users_code(tmp_path: Path) -> None:
    site = tmp_path / "site-packages"
    found = []
    for text in ("x", "x * 1"):
        write(site / "dist_of_ours.py", f"def work(x): return {text}\nclass Thing: pass\n")
        found.append(run(INSTALLED, site))
    assert [a == b for a, b in zip(*found)] == [False, False, True, True, True]


def write(file: Path, text: str) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text)


def run(code: str, *paths: Path) -> list[str]:
    env = {**os.environ, "PYTHONPATH": os.pathsep.join(map(str, [*paths, ROOT])), "PYTHONDONTWRITEBYTECODE": "1"}
    done = subprocess.run([sys.executable, "-c", code], env=env, capture_output=True, text=True, check=True)
    return done.stdout.split()


def test_a_metaclass_without_a_hash_disturbs_nothing() -> None:
    class Compared(type):
        def __eq__(cls, other: object) -> bool:
            raise AssertionError("compared")

    kept = Compared("Kept", (), {}), Compared("Kept", (), {})
    sys.modules["made_now"] = ModuleType("made_now")  # classes are looked at again
    try:
        assert H(lambda x: x.first) != H(lambda x: x.second)
    finally:
        del sys.modules["made_now"], kept


@needs_processes
def test_what_pip_installs_into_a_folder_is_installed(tmp_path: Path) -> None:
    found = []
    for version, text in (("1.0", "x"), ("1.0", "x * 1"), ("1.1", "x * 1")):
        site = tmp_path / "vendored"
        write(site / "dist_of_ours.py", f"def work(x): return {text}\nclass Thing: pass\n")
        for old in site.glob("*.dist-info"):
            shutil.rmtree(old)
        write(site / f"another_name-{version}.dist-info" / "RECORD", "dist_of_ours.py,sha256=,1\n")
        found.append(run(INSTALLED, site))
    assert found[0] == found[1]
    assert [a == b for a, b in zip(found[1], found[2])] == [False, False, False, False, True]


COMPILED = """
#include <Python.h>
static PyObject *work(PyObject *self, PyObject *arg) {{ return PyLong_FromLong({k}); }}
static PyMethodDef methods[] = {{ {{"work", work, METH_O, ""}}, {{NULL}} }};
static struct PyModuleDef def = {{ PyModuleDef_HEAD_INIT, "quick", NULL, -1, methods }};
PyMODINIT_FUNC PyInit_quick(void) {{ return PyModule_Create(&def); }}
long value(long x) {{ return x + {k}; }}
"""


@pytest.mark.skipif(not shutil.which("gcc"), reason="there is no compiler")
def test_what_the_user_compiled_counts_by_its_content(tmp_path: Path) -> None:
    header = sysconfig.get_path("include")
    found = []
    for number, k in enumerate((1, 1, 2)):
        folder = tmp_path / str(number)
        write(folder / "quick.c", COMPILED.format(k=k))
        made = folder / f"quick{sysconfig.get_config_var('EXT_SUFFIX')}"
        command = ["gcc", "-shared", "-fPIC", f"-I{header}", "-o", str(made), "quick.c"]
        if subprocess.run(command, cwd=folder, check=False, capture_output=True).returncode:
            pytest.skip("the headers of Python are not installed")
        code = f"import quick, ctypes\nfrom flowly_ckpt import functional_hash as H\nlib = ctypes.CDLL({str(made)!r})\n"
        code += "print(H(quick.work), H(lambda x: quick.work(x)), H(lambda x: lib.value(x)), H(lambda x: len(x)))"
        found.append(run(code, folder))
    assert found[0][:2] == found[1][:2]
    assert [a == b for a, b in zip(found[1], found[2])] == [False, False, False, True]


@needs_processes
def test_an_error_behind_an_installed_object_names_the_users_line(tmp_path: Path) -> None:
    site = tmp_path / "site-packages"
    write(site / "dist_of_ours.py", "class Thing:\n    def __init__(self): self.rows = iter([])\n")
    (site / "dist_of_ours-1.0.dist-info").mkdir()
    write(
        tmp_path / "mine.py",
        "import dist_of_ours\nthing = dist_of_ours.Thing()\ndef f(x):\n    y = x\n    return thing, y\n",
    )
    code = (
        "import mine\nfrom flowly_ckpt import functional_hash as H\ntry: H([mine.f])\nexcept TypeError as e: print(e)"
    )
    shown = " ".join(run(code, site, tmp_path))
    assert "[0] → global 'thing' → .rows" in shown
    assert f"{tmp_path / 'mine.py'}, line 5, in f, brings it in" in shown
    assert "ignore_globals('thing')" in shown


# saying more


def test_a_hasher_of_ones_own() -> None:
    def recursive(n: int) -> int:
        return n and recursive(n - 1)

    loop: list[Any] = [1]
    loop.append(loop)
    objects = [1, "a" * 1000, [1, [2]], {1, "a"}, recursive, loop, chained(abs, str), list(range(5000)), b"x" * 1000]
    keyed = partial(hashlib.blake2b, digest_size=16, key=b"secret")
    other = partial(hashlib.blake2b, digest_size=16, key=b"other")
    for obj in objects:
        hashes = {H(obj), H(obj, hasher=keyed), H(obj, hasher=other), H(obj, hasher=hashlib.sha256)}
        assert len(hashes) == 4
        assert {len(each) for each in hashes} == {32}
        assert H(obj, hasher=keyed) == H(copy.deepcopy(obj), hasher=partial(keyed))
    steps = [abs, recursive]
    assert prefix_hashes(steps, hasher=keyed) == [H(chained(*steps[: i + 1]), hasher=keyed) for i in range(2)]


def test_base_hash_tells_places_apart() -> None:
    one, other = module("f = lambda x: x\n")["f"], module("\nf = lambda x: x\n")["f"]
    assert H(one) == H(other)
    assert base_hash(one) != base_hash(other)
    assert base_hash([1, {"a"}]) == H([1, {"a"}])
    one.__code__, one.__defaults__ = (lambda lines: lines).__code__, (iter([]),)
    with pytest.raises(UnhashableError, match="closure 'one' → default 'lines'"):
        base_hash(lambda: one)


def test_registering() -> None:
    class Box:
        def __init__(self, content: Any) -> None:
            self.content, self.numbers = content, iter([])

    with pytest.raises(UnhashableError):
        H(Box(1))
    register(Box, lambda box: box.content)
    assert H(Box(1)) == H(Box(1)) != H(Box(2))
    assert H([Box([1])]) == H([Box([1])])


def test_hints_add_up() -> None:
    space = module("a, b = 1, 2\ndef step(x): return a, b\n")
    step = ignore_globals("a")(ignore_globals("b")(space["step"]))
    before = H(step)
    space.update(a=3, b=4)
    assert H(step) == before
    assert H(depends_on(1)(depends_on("x")(step))) != before
    with pytest.raises(TypeError, match="names"):
        ignore_globals(space["step"])  # type: ignore[arg-type]


def test_an_error_carries_its_facts() -> None:
    database = sqlite3.connect(":memory:")

    def fetch(x: int) -> Any:
        return database, x

    with closing(database), pytest.raises(UnhashableError, match="step 2 'fetch' → closure 'database'") as caught:
        H(chained(abs, fetch))
    assert caught.value.obj is database
    assert caught.value.path == ("step 2 'fetch'", "closure 'database'")
    assert "ignore_globals" in caught.value.advice
    assert isinstance(caught.value.__cause__, TypeError)


def test_differences_are_named() -> None:
    before = {"rate": 0.1, "steps": [abs, {"deep": (1, 2)}], "same": [1]}
    after = {"rate": 0.2, "steps": [abs, {"deep": (1, 3)}], "same": [1]}
    assert differences(before, copy.deepcopy(before)) == []
    assert differences(before, after) == [
        "['rate'] 0.1 → 0.2",
        "['steps'][1]['deep'] (1, 2) → (1, 3)",
    ]
    one = module("K = 1\ndef helper(x): return K\ndef step(x): return helper(x)")["step"]
    other = module("K = 2\ndef helper(x): return K\ndef step(x): return helper(x)")["step"]
    assert differences(one, other) == ["global K in helper 1 → 2"]
    assert "global 'K' int 1" in explain(one)


def test_every_part_of_a_function_or_class_has_its_name() -> None:
    text = "import os\nclass B: pass\nclass C(B, metaclass=type('M', (type,), {})): size = 1\ndef make(c):\n"
    text += "    def step(x, y=1, *, z=2): return c, K, C, os.sep, len\n    return step\nstep = make(3)\n"
    shown = explain(module(text, K=[4])["step"], depth=3)
    for name in (
        *("default 'y' int 1", "default 'z' int 2", "closure 'c' int 3", "global 'K' list", "global 'os.sep' str"),
        *("global 'C' M C", "base 'B' type B", "metaclass type M", ".size int 1", "global 'len' builtin"),
    ):
        assert name in shown
    before, after = module(text, K=[4])["step"], module(text, K=[5])["step"]
    after.__kwdefaults__ = {"z": 3}
    assert differences(before, after) == ["default of z 2 → 3", "global K [4] → [5]"]


def test_the_content_of_a_file(tmp_path: Path) -> None:
    one, other = tmp_path / "a", tmp_path / "b"
    one.write_text("same")
    other.write_text("same")
    assert H(FileContent(one)) == H(FileContent(str(other)))
    before = H(FileContent(one))
    one.write_text("else")  # the same size, perhaps within one tick of the clock of the file system
    assert H(FileContent(one)) != before
    os.utime(one, ns=(1, 1))  # older than the last change of the file's times
    assert H(FileContent(one)) == H(FileContent(one)) != before
    with pytest.raises(FileNotFoundError):
        H(FileContent(tmp_path / "missing"))


# what hashing leaves alone, and what it costs


def test_nothing_is_consumed_or_changed() -> None:
    generator = (i for i in range(3))
    with pytest.raises(UnhashableError):
        H([generator])
    assert list(generator) == [0, 1, 2]

    class C:
        pass

    before = H(C)
    H(C())
    assert H(C) == before


def test_temporaries_are_not_mixed_up() -> None:
    class Made:
        def __init__(self, n: int) -> None:
            self.n = n

        def __reduce__(self) -> tuple[Any, ...]:
            return Made, ([self.n] * 20,)

    objects = [Made(i) for i in range(500)]
    walk = Walk()
    assert len({encode(walk, obj) for obj in objects}) == 500
    assert H(objects) == H([Made(i) for i in range(500)])


class Bag:
    def __init__(self, **attributes: Any) -> None:
        vars(self).update(attributes)


class Label(str):
    pass


Point = namedtuple("Point", "x y z")


class Slotted:
    __slots__ = ("__dict__", "inner", "number")

    def __init__(self, number: int, inner: Any = None, **attributes: Any) -> None:
        self.number, self.inner = number, inner
        vars(self).update(attributes)
        if number % 3 == 0:
            del self.inner


@dataclasses.dataclass(frozen=True, slots=True)
class Frozen:
    number: int
    ratio: float = float("nan")
    call: Any = H


class Stated(tuple[Any, ...]):
    def __getstate__(self) -> Any:
        return None if len(self) % 2 else {"length": len(self)}


def cyclic(number: int) -> Bag:
    one = Bag(number=number)
    one.other = Bag(back=one)
    return one


ALIKE: dict[str, Callable[[int], Any]] = {
    "attributes": lambda n: Bag(a=n, b=n / 2, c=str(n)),
    "attributes that differ": lambda n: Bag(**{f"a{n % 3}": n, "b": None}),
    "attributes of a name that is more than a text": lambda n: Bag(**{Label("a") if n % 2 else "a": n}),
    "NaN": lambda n: Bag(a=float("nan"), b=-float("nan"), c=n),
    "objects in objects": lambda n: Bag(inner=Bag(n=n), items=[Bag(n=n), {n}], call=len if n % 2 else H),
    "wrappers": lambda n: Bag(__wrapped__=len, __name__="f", n=n),
    "slots": lambda n: Slotted(n, n / 2),
    "slots and attributes": lambda n: Slotted(n, Slotted(n), note=[n]),
    "slots of a dataclass": lambda n: Frozen(n, *[n / 2] * (n % 2), *[Slotted(n)] * (n % 2)),
    "named tuples": lambda n: Point(n, str(n), n / 2),
    "named tuples of others": lambda n: Point(Point(n, len, Slotted), -float("nan"), (n, [H])),
    "tuples with a state": lambda n: Stated([n] * (n % 4)),
    "dates": lambda n: date(2026, 1, 1) + timedelta(n),
    "moments": lambda n: datetime(2026, 1, 1, tzinfo=timezone(timedelta(minutes=n % 5))),
    "spans": lambda n: timedelta(n, n, n),
    "decimals": lambda n: Decimal(n) / 7,
    "fractions": lambda n: Fraction(n, 7),
    "UUIDs": lambda n: UUID(int=n),
    "paths": lambda n: Path("x" * n),
    "ordered dicts": lambda n: OrderedDict(a=n, b=[n]),
    "counters": lambda n: Counter("a" * n),
    "default dicts": lambda n: defaultdict(list, a=n),
    "queues": lambda n: deque([n, Bag()], 4 + n % 2),
    "sets": lambda n: {n, str(n)},
    "bytes": lambda n: b"x" * n,
    "classes": lambda n: (int, str, Bag, Label)[n % 4],
    "functions": lambda n: (lambda: n) if n % 2 else len.__call__,
}


@pytest.mark.parametrize("make", ALIKE.values(), ids=ALIKE)
def test_many_objects_of_one_type_are_encoded_as_each_by_itself(make: Callable[[int], Any]) -> None:
    objs = [make(n) for n in range(40)]
    together, alone = Walk(), [Walk().enc(obj) for obj in objs]
    found = several(together, objs)
    assert found is None or [each for (each,) in found] == alone
    assert [together.enc(obj) for obj in objs] == alone
    again = [copy.deepcopy(obj) for obj in objs]
    assert H(objs) == H(again) == H([*again[:7], objs[7], *again[8:]])
    assert H([*objs, objs[3]]) != H([*objs, objs[4]])


def test_many_objects_that_contain_themselves() -> None:
    one, other = [cyclic(n) for n in range(40)], [cyclic(n) for n in range(40)]
    assert H(one) == H(other) != H([*other[:-1], cyclic(40)])
    chain = [Bag(n=n) for n in range(40)]
    for each, following in zip(chain, [*chain[1:], chain[0]]):
        each.following = following
    assert H(chain) == H(copy.deepcopy(chain)) != H(chain[::-1])


@pytest.mark.parametrize("make", [lambda n: Bag(number=n), Slotted], ids=["attributes", "slots"])
def test_an_address_among_many_objects_is_refused(make: Callable[[int], Any]) -> None:
    objs = [make(n) for n in range(40)]
    objs[20].number = f"<at {id(objs[20]):#x}>"
    with pytest.raises(UnhashableError, match="its address"):
        H(objs)


def test_what_one_of_many_objects_raises_is_a_refusal() -> None:
    class Broken(list[Any]):
        def __iter__(self) -> Any:
            yield 1
            raise ValueError("no more")

    with pytest.raises(UnhashableError, match="no more"):
        H([Broken() for _ in range(40)])


def test_bytes_that_cannot_be_read_are_a_refusal_that_names_what_holds_them() -> None:
    class Image:
        pass

    def rows() -> Any:
        yield b"first"
        raise ValueError("the rest is gone")

    register(Image, lambda image: Blob(rows()))
    with pytest.raises(UnhashableError, match=r"\['image'\].*ValueError: the rest is gone") as caught:
        H({"image": Image()})
    assert type(caught.value.__cause__) is ValueError


def test_many_slots_that_hold_each_other_or_what_cannot_be_hashed() -> None:
    def ring(last: int) -> list[Slotted]:
        objs = [Slotted(3 * n + 1) for n in range(40)]
        for each, following in zip(objs, [*objs[1:], objs[0]]):
            each.inner = following
        objs[-1].number = last
        return objs

    assert H(ring(1)) == H(ring(1)) != H(ring(2))
    with pytest.raises(UnhashableError, match="generator"):
        H([*ring(1), Slotted(1, (i for i in "a"))])


def test_shared_parts_are_looked_at_once() -> None:
    counted: list[Any] = []

    def counting(obj: Any) -> Any:
        counted.append(obj)
        return expand(obj)

    class Leaf:
        pass

    tower: Any = Leaf()
    for _ in range(60):
        tower = [tower, tower]
    encode(Walk(expand=counting), tower)
    assert len(counted) == 3  # the leaf, its class and the attributes of that


def test_plain_is_a_property_of_the_value() -> None:
    row = list(range(400))
    assert is_plain([row] * 300)
    assert not is_plain([row] * 400)
    assert H([row] * 300) == H([list(row) for _ in range(300)])
    assert H([row] * 400) == H([list(row) for _ in range(400)])


OTHERS = [
    True, 2**31, -(2**31) - 1, 1.0, float("nan"), "i", b"iiii", bytearray(b"i" * 5), memoryview(b"g" * 9), (), [1], {},
    frozenset(), None, ..., 1j, StopIteration, type("Int", (int,), {})(105), type("Float", (float,), {})(1.5),
]  # fmt: skip


@pytest.mark.parametrize("number", [0, 105, -(2**31), 2**31 - 1, 1.5, float("inf")], ids=repr)
def test_many_numbers_are_written_at_once_only_if_all_are_alike(number: Any) -> None:
    alike = [number] * 100
    written = in_step(alike)
    assert written == marshal.dumps(alike, 2)
    for other, place in itertools.product([*OTHERS, 1], [0, 50, 99]):
        parts = [*alike[:place], other, *alike[place + 1 :]]
        is_one_of_them = type(other) is type(number) and other == other and abs(other) < 2**31
        assert in_step(parts) == (marshal.dumps(parts, 2) if is_one_of_them else b"")
    assert len({H([*alike, other]) for other in OTHERS}) == len(OTHERS)


def test_many_numbers_around_what_is_shared_again_and_again() -> None:
    tower: Any = ()
    for _ in range(100):
        tower = (tower, tower)
    parts = [1] * 50 + [tower] + [1] * 50
    assert in_step(parts) == b""
    assert H(parts) == general(parts)


def test_constants_of_every_kind_count() -> None:
    def with_constant(value: Any) -> Any:
        f = lambda: "here"
        f.__code__ = f.__code__.replace(co_consts=tuple(value if c == "here" else c for c in f.__code__.co_consts))
        return f

    constants = [1, True, 1.0, (1,), (True,), frozenset({1}), slice(1, 2, 3), slice(1, 2, 4), ..., b"1", "1"]
    assert len({H(with_constant(constant)) for constant in constants}) == len(constants)


@needs_threads
def test_a_thread_waits_for_rows_that_another_is_loading() -> None:
    lock, met = threading.RLock(), threading.Event()

    class Watched:
        """Release the loading thread when another one asks for the lock, or got by without it."""

        def __enter__(self) -> None:
            if not lock.acquire(blocking=False):
                met.set()
                lock.acquire()

        def __exit__(self, *_: Any) -> None:
            lock.release()

    kind = type("Late", (), {"__module__": "late_package"})
    table, loading, found = dispatch.Dispatch[str](), threading.Event(), []
    table._lock = Watched()

    def load() -> None:
        loading.set()
        assert met.wait(30)
        table.register(kind)("row")

    def other() -> None:
        assert loading.wait(30)
        found.append(table.get(kind))
        met.set()

    table.register_lazy("late_package", load)
    thread = threading.Thread(target=other)
    thread.start()
    found.append(table[kind])
    thread.join()
    assert found == ["row", "row"]


@pytest.mark.parametrize("asks", [False, True], ids=["", "asked meanwhile"])
def test_rows_whose_loading_was_interrupted_are_loaded_at_the_next_look_up(asks: bool) -> None:
    kind = type("Late", (), {"__module__": "late_package"})
    table = dispatch.Dispatch[str](lambda kind: "any other")
    calls: list[str] = []

    def load(name: str) -> None:
        calls.append(name)
        if name == "second":
            assert not asks or table[kind] == "first"
            if calls.count(name) == 1:
                raise KeyboardInterrupt
        table.register(kind)(name)

    for name in ("first", "second", "third"):
        table.register_lazy("late_package", partial(load, name))
    with pytest.raises(KeyboardInterrupt):
        table[kind]
    assert table[kind] == table[kind] == "third"
    assert calls == ["first", "second", "second", "third"]


@needs_threads
def test_a_table_that_is_loading_holds_up_no_other() -> None:
    kind = type("Late", (), {"__module__": "late_package"})
    table, other = dispatch.Dispatch[str](), dispatch.Dispatch[str]()
    finished: list[bool] = []

    def load() -> None:
        """Import what another thread imports just now, which registers rows."""
        thread = threading.Thread(target=lambda: other.register(int)("row"), daemon=True)
        thread.start()
        thread.join(30)
        finished.append(not thread.is_alive())
        table.register(kind)("row")

    table.register_lazy("late_package", load)
    assert table[kind] == other[bool] == "row"
    assert finished == [True]


def test_the_order_of_a_set_counts_where_its_class_has_one() -> None:
    class Ordered(set):  # type: ignore[type-arg]
        def __init__(self, items: Any) -> None:
            self.items = [*items]
            super().__init__(self.items)

        def __iter__(self) -> Any:
            return iter(self.items)

        __slots__ = ("items",)

    class Unordered(set):  # type: ignore[type-arg]
        pass

    assert H(Ordered("ab")) == H(Ordered("ab")) != H(Ordered("ba"))
    assert H(Unordered("ab")) == H(Unordered("ba"))
    util = pytest.importorskip("sqlalchemy.util")
    assert H(util.OrderedSet("ab")) == H(util.OrderedSet("ab")) != H(util.OrderedSet("ba"))


def test_what_is_registered_for_a_type_counts_before_and_after_its_library_has_joined() -> None:
    code = """
    from fractions import Fraction
    from flowly_ckpt import functional_hash, hashing
    hashing.register_lazy("fractions", lambda: hashing.register(Fraction, lambda number: "from its library"))
    {first}
    hashing.register(Fraction, lambda number: "the user's")
    print(functional_hash(Fraction(1, 2)) == functional_hash(Fraction(1, 3)), functional_hash(Fraction(1, 2)))
    """
    late, early = (
        subprocess.run(
            [sys.executable, "-c", textwrap.dedent(code.format(first=first))],
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for first in ("functional_hash(Fraction(1, 2))", "")
    )
    assert late == early
    assert late.startswith("True")


@needs_threads
def test_threads_agree() -> None:
    text = "def g(x): return x + K\nK = 1\ndef f(x): return [g(i) for i in x]\n"
    expected, found = H(module(text)["f"]), []

    def work() -> None:
        found.extend(H(module(text)["f"]) for _ in range(50))

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert set(found) == {expected}
    assert len(found) == 200


def test_an_array_is_read_in_place() -> None:
    np = pytest.importorskip("numpy")
    array = np.zeros((4000, 4000))
    H(array)
    image = np.zeros((2000, 2000, 3)).transpose(2, 0, 1)
    for layout in (array, np.asfortranarray(array), array[:, ::2], array[::-1], image):
        tracemalloc.start()
        try:
            H(layout)
            peak = tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()
        assert peak < 8 << 20


@needs_processes
def test_nothing_heavy_is_imported() -> None:
    code = """
import sys
from flowly_ckpt.hashing import functional_hash
functional_hash([1, {"a": (2.0, None)}, {3}])
heavy = "numpy pandas pyarrow polars dis importlib.metadata sqlite3 cloudpickle decimal".split()
print(*[name for name in heavy if name in sys.modules])
"""
    assert run(code) == []


def test_what_is_assigned_through_a_descriptor_of_the_users_counts_whatever_its_name():
    class LazyField:
        def __set_name__(self, owner, name):
            self.name = name

        def __get__(self, obj, owner=None):
            return self if obj is None else vars(obj)[self.name]

        def __set__(self, obj, value):
            vars(obj)[self.name] = value

    class Model:
        rate = LazyField()

        def __init__(self, rate):
            self.rate = rate

    assert functional_hash(Model(1)) != functional_hash(Model(2))


BEFORE_AN_ANNOTATED_FUNCTION = {
    "a call under a condition": ("if p:\n  q.run()\n def g(a: T) -> T: return a", "if p", "if not p"),
    "a call under a comparison": ("if p is q:\n  q.run()\n def g(a: T) -> T: return a", "is", "is not"),
    "two conditions": ("if p or q:\n  def g(a: T) -> T: return a\n else:\n  g = None", "or", "and"),
    "a negated condition": ("if not p:\n  def g(a: T) -> T: return a\n else:\n  g = None", "not p", "not q"),
    "a branch each": (
        "if p is q:\n  def g(a: T) -> T: return a\n else:\n  def g(a: T) -> T: return a.b",
        "is",
        "is not",
    ),
    "nothing but a condition": ("if p:\n  pass\n else:\n  def g(a: T) -> T: return a", "if p", "if q"),
    "an early end": ("if p < q:\n  return 1\n def g(a: T) -> T: return a", "<", ">="),
    "an error": ("if p < q:\n  raise p\n def g(a: T) -> T: return a", "<", ">="),
    "an assertion": ("assert p\n def g(a: T) -> T: return a", "assert p", "assert q"),
    "a short way out": ("p and q.run()\n def g(a: T) -> T: return a", "and", "or"),
    "a loop": ("for x in p:\n  x.run()\n def g(a: T) -> T: return a", "in p", "in q"),
    "another loop": ("while p:\n  q.run()\n def g(a: T) -> T: return a", "while p", "while q"),
    "a name": ("if p:\n  r = q\n else:\n  r = p\n def g(a: T) -> T: return r", "if p", "if q"),
    "a conditional expression": ("r = p if q else q\n def g(a: T) -> T: return r", "if q", "if p"),
}


@pytest.mark.parametrize("kind", BEFORE_AN_ANNOTATED_FUNCTION)
@pytest.mark.parametrize("annotation", ["int", "t.Any", "int if t else str", "t.x or t.y"])
@pytest.mark.parametrize("where", ["", "lambda: "])
def test_what_stands_before_an_annotated_function_counts(kind, annotation, where):
    body, was, now = BEFORE_AN_ANNOTATED_FUNCTION[kind]

    def made(text):
        home = {"t": None}
        exec(f"def f(p, q):\n {text}\n return {where}g(p)".replace("T", annotation), home)
        return functional_hash(home["f"])

    assert body.replace(was, now) != body
    assert made(body.replace(was, now)) != made(body)


@needs_processes
def test_methods_that_libraries_make_by_exec_are_not_hung_on_by_the_user(tmp_path):
    code = """
        from flowly_ckpt import functional_hash
        def total(values): return sum(values.values())
        before = functional_hash(total)
        import multiprocessing.managers
        print(functional_hash(total) == before)
    """
    assert run_script(tmp_path, code).stdout.split() == ["True"]


@needs_processes
def test_a_method_that_is_hung_onto_a_library_counts_whenever_that_was_done(tmp_path):
    code = """
        import sys
        from fractions import Fraction
        moment, factor = sys.argv[1:]
        exec(f"def scaled(self): return self * {factor}")
        def hang(now):
            if now == moment:
                Fraction.scaled = scaled
        hang("before the import")
        from flowly_ckpt import chained, checkpoint, run
        hang("after the import")
        def step(x): return x.scaled()
        results = {}
        pipeline = chained(step, checkpoint(results))
        hang("before the first run")
        run(chained(abs, checkpoint({})), Fraction(3))
        hang("after the first run")
        assert run(pipeline, Fraction(3)) == 3 * int(factor)
        print(*results)
    """
    moments = [f"{when} the {what}" for when in ("before", "after") for what in ("import", "first run")]
    doubled = {run_script(tmp_path, code, moment, "2").stdout for moment in moments}
    assert len(doubled) == 1
    assert run_script(tmp_path, code, moments[-1], "3").stdout not in doubled


@pytest.mark.parametrize(("by", "method"), [("a cell", "limit_denominator"), ("a module", "as_integer_ratio")])
def test_a_method_of_a_library_that_is_replaced_counts(by, method, monkeypatch):
    main = sys.modules["__main__"]
    names = (f"users_patches_{number}" for number in itertools.count())

    def step(x):
        return x.limit_denominator(), x.as_integer_ratio()

    def other(self):
        return self

    def hashed():
        if by == "a cell":
            monkeypatch.setattr(main, "In", [*getattr(main, "In", ()), "the next cell"], raising=False)
        else:
            monkeypatch.setitem(sys.modules, name := next(names), ModuleType(name))
        return functional_hash(step)

    before, known = hashed(), getattr(Fraction, method)
    monkeypatch.setattr(Fraction, method, other)
    assert hashed() != before
    monkeypatch.setattr(Fraction, method, known)
    assert hashed() == before


def test_what_is_registered_with_an_abstract_class_of_a_library_counts():
    class Amount:
        pass

    found = {functional_hash(Amount)}
    for kind in numbers.Number, collections.abc.Sized:
        kind.register(Amount)
        found.update(functional_hash(each) for each in (Amount, Amount))
    assert len(found) == 3


def test_an_object_that_was_asked_for_its_attributes_is_the_same():
    error = ValueError("a")
    before = functional_hash(error)
    assert error.__dict__ == {}  # which is made when it is asked for
    assert functional_hash(error) == before


@needs_processes
def test_what_multiprocessing_offers_counts_by_name(monkeypatch):
    def met(xs):
        return multiprocessing.Pool(2).map(abs, xs)

    def other(xs):
        return multiprocessing.Manager(2).map(abs, xs)

    context = multiprocessing.context._default_context
    monkeypatch.setattr(context, "_actual_context", None)
    before = functional_hash(met)
    monkeypatch.setattr(context, "_actual_context", multiprocessing.get_context("spawn"))  # as the first use does
    assert functional_hash(met) == before != functional_hash(other)
