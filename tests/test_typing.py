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

from flowly_ckpt import DiskTarget, Memory, __version__, chained, checkpoint, explain, memo, observe, plan, run

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

async def main() -> bytes:
    return await fetch("a")

reveal_type(area(3, h=4, verbose=True))
reveal_type(area.uncached(3))
reveal_type(area.plan(3))
reveal_type(area.clear())
reveal_type(list(upto(3)))
reveal_type(square(3))
reveal_type(cube(3, verbose=True))
reveal_type(Model().predict(3))
reveal_type(Model().predict.uncached(3))
reveal_type(run(chained(abs, area, checkpoint(results)), 3, [observe(print)], plan))
reveal_type(__version__)
reveal_type(explain(3))
area("3")  # wrong
area(3, depth=1)  # wrong
Model().predict("x")  # wrong
memo(results)(3)  # wrong
"""
TYPES = [
    "float", "float", "flowly_ckpt.plan.forecasts.Plan", "int", "list[int]",
    "int", "int", "str", "str", "Any", "str", "str",
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
