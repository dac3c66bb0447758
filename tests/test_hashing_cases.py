"""Every row of the tables in hashing_cases, evaluated in two processes with different hash seeds."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from hashing_cases.table import Group, absent, all_groups, fault
from runs import IN_BROWSER

ROOT = Path(__file__).resolve().parent.parent
GROUPS = all_groups()


def start(seed: str) -> subprocess.Popen[str]:
    env = {**os.environ, "PYTHONHASHSEED": seed, "PYTHONPATH": os.pathsep.join([str(ROOT), str(ROOT / "tests")])}
    command = [sys.executable, "-m", "hashing_cases.table"]
    return subprocess.Popen(command, cwd=ROOT / "tests", env=env, stdout=subprocess.PIPE, text=True)


@pytest.fixture(scope="module")
def results() -> list[dict[str, list[str]]]:
    if IN_BROWSER:
        import js  # wasm/run.mjs lends its way to ask another Python

        return [json.loads(js.run_module(seed, "hashing_cases.table")) for seed in "12"]
    both = [start("1"), start("2")]
    texts = [process.communicate()[0] for process in both]
    assert [process.returncode for process in both] == [0, 0]
    return [json.loads(text) for text in texts]


@pytest.mark.parametrize("group", GROUPS, ids=[group.name for group in GROUPS])
def test_case(group: Group, results: list[dict[str, list[str]]]) -> None:
    if absent(group):
        pytest.skip(f"needs {', '.join(absent(group))}")
    one, other = (result[group.name] for result in results)
    if any(value.startswith("failed: ModuleNotFoundError") for value in one):
        pytest.skip(one[0])
    assert not fault(group, one, other)
