"""Programs run in a process and a folder of their own, for what is promised across runs; what not every Python has."""

from __future__ import annotations

import importlib
import os
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
ENVIRONMENT = {**os.environ, "PYTHONPATH": str(ROOT)}


IN_BROWSER = sys.platform == "emscripten"  # or in node: one thread of one process
needs_processes = pytest.mark.skipif(IN_BROWSER, reason="needs processes")
needs_threads = pytest.mark.skipif(IN_BROWSER, reason="needs threads")
needs_loop = pytest.mark.skipif(IN_BROWSER, reason="needs an event loop of its own")


class Absent:
    """A library that is not there: the test that uses it is skipped, the others of its module run."""

    def __init__(self, name):
        self.name = name

    def __getattr__(self, attribute):
        if attribute.startswith("_"):  # pytest looks at whatever a module holds
            raise AttributeError(attribute)
        pytest.skip(f"needs {self.name}")

    def __bool__(self):
        return False


def library(name):
    """Import a library that not every Python has; what stands for it is false where it is not there."""
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError:
        return Absent(name)


def command(folder, code, *arguments, name="script.py"):
    """Write a program into a folder, and return how to call it: any warning ends it."""
    path, text = folder / name, textwrap.dedent(code)
    if not path.exists() or path.read_text() != text:  # another process may be reading it
        path.write_text(text)
    return [sys.executable, "-W", "error", str(path), *arguments]


def run_script(folder, code, *arguments, name="script.py", code_expected=0):
    """Run a program to its end and return what it wrote."""
    done = subprocess.run(
        command(folder, code, *arguments, name=name),
        cwd=folder, env=ENVIRONMENT, capture_output=True, text=True, timeout=60,
    )  # fmt: skip
    assert done.returncode == code_expected, done.stderr
    return done


def start_script(folder, code, *arguments, name="script.py", stdin=None):
    """Start a program, to be killed."""
    return subprocess.Popen(
        command(folder, code, *arguments, name=name),
        cwd=folder, env=ENVIRONMENT, stdin=stdin, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip


def in_module(folder, module, *arguments):
    """Run a module of the library as a program."""
    line = [sys.executable, "-m", module, *arguments]
    return subprocess.run(line, cwd=folder, env=ENVIRONMENT, capture_output=True, text=True, timeout=60)
