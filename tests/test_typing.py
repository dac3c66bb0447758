"""What a type checker says of a user's program: nothing where it is right, and the line where it is wrong."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

import flowly_ckpt

pytest.importorskip("mypy")

PROGRAM = """
from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from flowly_ckpt import (
    DiskTarget, FileContent, Memory, __version__, chained, checkpoint, clear_checkpoints, explain, ignore_globals, memo,
    observe, plan, resume, run, tz, with_checkpoint,
)
from flowly_ckpt.calls import cache_with_checkpoint
from flowly_ckpt.hashing import depends_on
from flowly_ckpt.recipes import arg, foreach, glob_files, recipe
from flowly_ckpt.targets import Expiring, Layered, RemoteTarget
from flowly_ckpt.tasks import flow, task

results: dict[Any, Any] = {}
memory = Memory(DiskTarget("results"))

@memo(results, ignore=["verbose"], valid=lambda entry: entry.seconds > 1)
def area(w: int, h: int = 4, *, verbose: bool = False) -> float:
    return w * h

@memo(results)
async def fetch(url: str) -> bytes:
    return url.encode()

@memo(results)
def upto(n: int) -> Iterator[int]:
    yield from range(n)

@memory.cache
def square(n: int) -> int:
    return n * n

@memory.cache(ignore=["verbose"])
def cube(n: int, verbose: bool = False) -> int:
    return n ** 3

class Model:
    @memo(results)
    def predict(self, x: int) -> str:
        return str(x)

    @staticmethod
    @memo(results)
    def static(x: int) -> str:
        return str(x)

    @property
    @memo(results)
    def size(self) -> int:
        return 1

async def main() -> bytes:
    return await fetch("a")

@task
def plus(n: int) -> int:
    return n + 1

@task(target="{path}/{n}.pkl", changed="rerun")
def minus(n: int) -> int:
    return n - 1

@flow
def all_of_them() -> int:
    return 1

@flow(name="all")
def named() -> int:
    return 1

@recipe()
def rows() -> list[int]:
    return [1]

@recipe([rows, arg(5, "n")], name="second")
def second(found: list[int], n: int) -> list[int]:
    return found

@foreach(second, ingredients=[glob_files("files", ".", "*")])
def each_row(row: int, files: list[Any]) -> str:
    return str(row)

@cache_with_checkpoint(id="n")
def call(n: int) -> str:
    return str(n)

@depends_on(area)
@ignore_globals("results")
def ignoring(n: int) -> str:
    return str(n)

keeping = with_checkpoint(checkpoint(results, tag="abs"), abs)
with DiskTarget("results", max_bytes="10GB", max_age="30d") as disk:
    clear_checkpoints(Layered({}, Expiring(RemoteTarget("memory://x"), 3600)), older_than="30d")

reveal_type(area(3, h=4, verbose=True))
reveal_type(area.uncached(3))
reveal_type(area.plan(3))
reveal_type(area.clear())
reveal_type(list(upto(3)))
reveal_type(square(3))
reveal_type(cube(3, verbose=True))
reveal_type(Model().predict(3))
reveal_type(Model().predict.uncached(3))
reveal_type(Model.static(3))
reveal_type(Model().size)
reveal_type(plus.at(3).exists())
reveal_type(minus.with_options(retries=3))
reveal_type(named())
reveal_type(all_of_them())
reveal_type(rows.brew())
reveal_type(second.status())
reveal_type(each_row.brew(jobs=2))
reveal_type(call(3))
reveal_type(ignoring(3))
reveal_type(keeping(3))
reveal_type(disk)
reveal_type(FileContent("a.csv").path)
reveal_type(tz.attempt(int)(["1"]))
for item in resume.over(range(3)):
    reveal_type(item)
reveal_type(run(chained(abs, area, checkpoint(results)), 3, [observe(print)], plan))
reveal_type(__version__)
reveal_type(explain(3))
area("3")  # wrong
area(3, depth=1)  # wrong
Model().predict("x")  # wrong
memo(results)(3)  # wrong
call("3")  # wrong
checkpoint(5)  # wrong
task(3)  # wrong
"""
TYPES = [
    "float", "float", "flowly_ckpt.plan.forecasts.Plan", "int", "list[int]", "int", "int", "str", "str", "str", "int",
    "bool",
    "flowly_ckpt.tasks.decorators.Task", "Any", "Any", "list[int]", "flowly_ckpt.recipes.bound.Status", "Any", "str",
    "str", "Any", "flowly_ckpt.targets.disk.DiskTarget", "str", "list[Any]", "int", "Any", "str", "str",
]  # fmt: skip


def test_mypy_accepts_a_program_and_knows_its_types(tmp_path):
    file = tmp_path / "program.py"
    file.write_text(PROGRAM)
    command = [sys.executable, "-m", "mypy", "--strict", "--no-error-summary", "--cache-dir", str(tmp_path), str(file)]
    root = Path(flowly_ckpt.__file__).parents[1]
    environment = {**os.environ, "MYPYPATH": "" if "site-packages" in root.parts else str(root)}
    done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=200)
    lines = [line for line in done.stdout.splitlines() if line.startswith("program.py:")]
    notes = [line.partition("Revealed type is ")[2].strip('"') for line in lines if "Revealed type" in line]
    assert [note.replace("builtins.", "").replace("typing.", "") for note in notes] == TYPES
    wrong = [number for number, line in enumerate(PROGRAM.splitlines(), 1) if line.endswith("# wrong")]
    errors = [line for line in lines if ": error: " in line]
    assert [int(line.split(":")[1]) for line in errors] == wrong, done.stdout
