"""The example with pictures, as a user runs it."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
pytest.importorskip("numpy")


def run(folder, *arguments):
    command = [sys.executable, "-W", "error", str(ROOT / "examples" / "images.py"), *arguments]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, timeout=120)


def ran(text):
    return re.findall(r"^  ran +(.*)$", text, re.M)


def test_only_new_pictures_are_worked_on(tmp_path):
    done = run(tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    first, second, third = ran(done.stdout)
    assert "read_picture 8 ×, scale 8 ×" in first
    assert second == "nothing"
    assert "read_picture 2 ×, scale 2 ×" in third
    assert list(tmp_path.iterdir()) == []


def test_a_folder_of_ones_own(tmp_path):
    scans = tmp_path / "scans"
    scans.mkdir()
    (scans / "red.ppm").write_bytes(b"P6\n2 1\n255\n" + b"\xff\0\0" * 2)
    for expected in ("read_picture 1 ×", "nothing"):
        done = run(tmp_path, "--folder", "scans")
        assert (done.returncode, done.stderr) == (0, "")
        assert expected in ran(done.stdout)[0]
        assert "brightest  red.ppm, 33% of white" in done.stdout
    assert (scans / "sheet.png").read_bytes().startswith(b"\x89PNG")


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        (["--folder", "nowhere"], "images.py: nowhere: no such folder"),
        (["--wrong"], "images.py: error: unrecognized arguments: --wrong"),
    ],
)
def test_bad_input_is_one_clear_line(tmp_path, arguments, line):
    done = run(tmp_path, *arguments)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.splitlines()[-1] == line
