"""Keys are the same in another process, under another hash seed, from another folder."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import toolz
from laws import LEAVES, Counted, double, increment, negate, spread, total

from flowly_ckpt import add_checkpoints, build_dict, chained, checkpoint, functional_hash, itemsetter, seq

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
