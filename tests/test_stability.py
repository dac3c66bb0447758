"""Keys are the same in another process, under another hash seed, from another folder, with another release."""

from __future__ import annotations

import os
import subprocess
import sys
from datetime import date, timedelta
from pathlib import Path
from types import FunctionType

import pytest
import toolz
from laws import LEAVES, Counted, double, increment, negate, spread, total

from flowly_ckpt import add_checkpoints, build_dict, chained, checkpoint, functional_hash, itemsetter, seq
from flowly_ckpt.hashing.digests import digest
from flowly_ckpt.hashing.rows import expand
from flowly_ckpt.hashing.walk import VERSION, Walk

LIMITS = {"low", "high", "mid"}


def within(word):
    return word in LIMITS or word in {"a", "b", "c"}


def make_adder(n):
    return lambda x: x + n


def keys():
    """Return the keys that a set of pipelines leaves in a target."""
    target = {}
    mark = checkpoint(target, "t")
    cases = [
        (chained(increment, mark, double, mark, negate), 3),
        (chained(Counted(spread), mark, toolz.curried.map(chained(make_adder(2), mark)), total), 1),
        (build_dict(a=chained(*LEAVES, mark), b=chained(seq(increment, double), mark)), 5),
        (chained(within, mark), "low"),
        (chained(itemsetter(n=chained(len, mark)), sorted, mark), {"b": {1, 2}, "a": frozenset("xyz")}),
        (chained(toolz.compose(str, make_adder(1.5)), mark), -0.0),
    ]
    for pipeline, obj in cases:
        add_checkpoints(pipeline)(obj)
    return [*sorted(map("/".join, target)), functional_hash(LIMITS), functional_hash(cases)]


def test_keys_are_equal_in_processes_with_different_hash_seeds(tmp_path):
    here = Path(__file__).parent
    found = []
    for seed in ("0", "1", "4711"):
        path = os.pathsep.join([str(here), str(here.parent), os.environ.get("PYTHONPATH", "")])
        env = {**os.environ, "PYTHONHASHSEED": seed, "PYTHONPATH": path}
        code = "import test_stability; print(*test_stability.keys(), sep='\\n')"
        done = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, env=env, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        found.append(done.stdout.split())
    assert found[0] == found[1] == found[2] == keys()


NAN, INF = float("nan"), float("inf")
SIZES = (0, 1, 7, 8, 9, 15, 16, 17, 63, 64, 65, 2047, 2048, 2049, 5000)
LENGTHS = range(40, 80)


class Record:
    tag = b"<instance>"

    def __init__(self, *values):
        self.values = values


class Rows(Record):
    tag = b"<rows>"


def by_name(obj):
    """Describe code by its name alone, which is the same on every Python."""
    if isinstance(obj, FunctionType | type(abs)):
        return b"<function>", [obj.__name__.encode(), None]
    if isinstance(obj, Record):
        return obj.tag, ["a record", *obj.values]
    return expand(obj)


def nested(depth):
    return [1, nested(depth - 1)] if depth else [2.5]


def loop(*values):
    made = [*values]
    made.append(made)
    return made


def of_each(make, counts=SIZES):
    return [made for count in counts for made in make(count)]


NAMED = [[by_name] * 20, [by_name] * 2100, [abs, by_name] * 1100]
DEEP = [[[-NAN, 1.0], [2]], [["a", -NAN], [2]], [[INF], [-INF, NAN]], [[1.0] * 100 + [-NAN]]]
FORMAT = {
    "atoms": lambda: [None, True, 1, -(10**30), -0.5, NAN, -NAN, complex(1, -NAN), complex(NAN, 2), "\xfc", ..., ""],
    "texts and bytes": lambda: of_each(lambda n: ["a" * n, b"a" * n, ["a" * n], {b"a": "a" * n}], LENGTHS),
    "buffers": lambda: of_each(lambda n: [bytearray(n), memoryview(bytes(n))]),
    "atoms in a row": lambda: of_each(lambda n: [[*range(n)], (1,) * n, dict.fromkeys(range(n)), [0.5, "a"] * n]),
    "bytes in a row": lambda: [[bytes(1 << 18)] * 4, [bytes(1 << 18)] * 4 + [b"a"], *of_each(lambda n: [[b"a"] * n])],
    "objects in a row": lambda: of_each(lambda n: [[date(2026, 1, 1) + timedelta(i) for i in range(n)], ({1},) * n]),
    "a mixture": lambda: of_each(lambda n: [[b"a", *range(n)], {b"a": 1, 2: [{3}] * n}, (0.5, -NAN, {1}) * n]),
    "sets": lambda: of_each(lambda n: [{*range(n)}, {*map(str, range(n))}, {(i,) for i in range(n)}, {0.5, None, "a"}]),
    "sets of a mixture": lambda: [{1, "a", (b"a",)}, frozenset({NAN, b"a", 1}), {frozenset({1}), 2}, {b"a"}],
    "records": lambda: of_each(lambda n: [Record(*range(n)), [Record("a", NAN, 0.5, [n], abs)] * n], SIZES[:8]),
    "functions": lambda: [by_name, [by_name], {"a": by_name}, (abs, by_name), {by_name, 1}, Record(by_name), *NAMED],
    "no number": lambda: [[1.0] * n + [NAN] for n in SIZES] + [[INF, -INF], [[INF, -INF]], [0, "a", -NAN], *DEEP],
    "depth": lambda: [*map(nested, range(12)), [{0: {1, 2}}], [None, True, 1, 0.5, "a", ..., [], (), {}]],
    "size": lambda: [[[0] * 65_535] * 2, [[0] * 65_536] * 2, [[0] * 400] * 300, [{0: [0]}] * 3000, Rows(*range(3000))],
    "chains": lambda: [chained(), *map(chained, NAMED[2][:2]), chained(abs, by_name), [chained(abs, abs, by_name)]],
    "a chain of one": lambda: [[chained(by_name)], {chained(abs)}],
    "cycles": lambda: [loop(), loop(1, {2}), [loop(by_name, b"a")] * 2, loop(*range(9)), loop(*[loop({1})] * 20)],
}

KEYS = {
    "atoms": "5f29ae653e9b3c07edb779323a4901b0",
    "texts and bytes": "b80f3a7269a0bba99b4b69ae5cc9947c",
    "buffers": "12439f8a8c0cb06fcf0acadb5d4611c1",
    "atoms in a row": "fd87b80c1037f1de042c503cf5a58583",
    "bytes in a row": "23d28cec0efa222064331d15b91999bd",
    "objects in a row": "4d30f714a8afd87d880b7b20a129c1bf",
    "a mixture": "ba50db905d9bcda2ba4d5f443d0c7ace",
    "sets": "b3d4c5bc8d2c77ade25a0953e18a252f",
    "sets of a mixture": "b905141f454e753f10b9624f9dd2af99",
    "records": "3687665bca86000bde63c1a0a271f581",
    "functions": "da259f050c52bf3ff59d5eb7f3679194",
    "no number": "e9a386d9a6a9bec8005db6bb0b2dd0a3",
    "depth": "22b7097bbe9f87c1b1d395284b5ce1e5",
    "size": "26d402762faee53c334ad7e7f81dcd6a",
    "chains": "a516976e0a7d89aabb2088173d2f63df",
    "a chain of one": "8b47212aa89a8f03fb2483c976f2c7b4",
    "cycles": "294498f94308803c6ba815342101bae8",
}


@pytest.mark.parametrize("kind", FORMAT)
def test_keys_are_those_of_the_format_on_every_python(kind):
    assert VERSION == b"flowly 1\0", "another version has other keys, which are to stand below"
    found = [digest(Walk(expand=by_name), obj) for obj in FORMAT[kind]()]
    assert functional_hash(found) == KEYS[kind], (
        "what was stored is not found again; where this is meant, change VERSION"
    )
