"""Programs run in a process and a folder of their own, for what is promised across runs."""

from __future__ import annotations

import os
import subprocess
import sys
import textwrap
from pathlib import Path

ROOT = Path(__file__).parents[1]
ENVIRONMENT = {**os.environ, "PYTHONPATH": str(ROOT)}


def command(folder, code, *arguments, name="script.py"):
    """Write a program into a folder, and return how to call it: any warning ends it."""
    path = folder / name
    path.write_text(textwrap.dedent(code))
    return [sys.executable, "-W", "error", str(path), *arguments]


def run_script(folder, code, *arguments, name="script.py", code_expected=0):
    """Run a program to its end and return what it wrote."""
    done = subprocess.run(
        command(folder, code, *arguments, name=name),
        cwd=folder, env=ENVIRONMENT, capture_output=True, text=True, timeout=60,
    )  # fmt: skip
    assert done.returncode == code_expected, done.stderr
    return done


def start_script(folder, code, *arguments, name="script.py"):
    """Start a program, to be killed."""
    return subprocess.Popen(
        command(folder, code, *arguments, name=name),
        cwd=folder, env=ENVIRONMENT, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip


def in_module(folder, module, *arguments):
    """Run a module of the library as a program."""
    line = [sys.executable, "-m", module, *arguments]
    return subprocess.run(line, cwd=folder, env=ENVIRONMENT, capture_output=True, text=True, timeout=60)
