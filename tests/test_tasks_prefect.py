"""Tasks on the real Prefect 3: every scenario of prefect_scenarios.py, run once in a process of its own."""

from __future__ import annotations

import ast
import importlib.util
import os
import signal
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree

import pytest

SCENARIOS = Path(__file__).with_name("prefect_scenarios.py")
NAMES = [
    node.name
    for node in ast.parse(SCENARIOS.read_text()).body
    if isinstance(node, ast.FunctionDef) and node.name.startswith("test_")
]

pytestmark = pytest.mark.skipif(
    importlib.util.find_spec("prefect") is None,
    reason="prefect is not installed: pip install 'flowly-ckpt[prefect]'",
)


@pytest.fixture(scope="module")
def outcomes(tmp_path_factory):
    """What became of each scenario: None where it passed, else what pytest says."""
    report = tmp_path_factory.mktemp("prefect") / "report.xml"
    command = [
        sys.executable, "-m", "pytest", str(SCENARIOS), "-q", f"--junitxml={report}", "-p", "no:cacheprovider",
        "-W", "ignore", "-W", "error::flowly_ckpt.errors.FlowlyWarning",
    ]  # fmt: skip
    with subprocess.Popen(
        command, cwd=SCENARIOS.parents[1], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        start_new_session=True,
    ) as process:  # fmt: skip
        try:
            told, _ = process.communicate(timeout=280)
        except BaseException:
            os.killpg(process.pid, signal.SIGKILL)  # with the server that it started
            raise
    assert report.exists(), told
    cases = ElementTree.parse(report).getroot().iter("testcase")
    return {case.get("name"): "\n".join(part.text or "" for part in case) or None for case in cases}


@pytest.mark.parametrize("name", NAMES)
def test_on_prefect(outcomes, name):
    assert name in outcomes
    assert outcomes[name] is None, outcomes[name]
