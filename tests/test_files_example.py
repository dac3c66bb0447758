"""The example with files, as a user runs it."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]


def run(folder, *arguments):
    command = [sys.executable, "-W", "error", str(ROOT / "examples" / "files.py"), *arguments]
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "PIPEX": ""}
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, timeout=120)


def steps(done):
    """The lines that say what ran."""
    assert done.returncode == 0, done.stderr
    return [line.split()[0] for line in done.stdout.splitlines() if line.startswith("  ") and line[2:3].isalpha()]


@pytest.fixture
def documents(tmp_path):
    (tmp_path / "one.txt").write_text("apple apple berry cherry")
    (tmp_path / "two.txt").write_text("apple berry banana the")
    return tmp_path


def test_only_what_is_missing_is_made(documents):
    done = run(documents, "one.txt", "two.txt")
    assert steps(done) == ["reading", "counting"] * 2 + ["adding"]
    assert done.stdout.endswith("    3  apple\n    2  berry\n    1  cherry\n    1  banana\n")
    assert done.stderr == "kept in working/commonest/top-05.pkl\n"
    assert steps(run(documents, "one.txt", "two.txt")) == []
    (documents / "working/counts/two.txt.pkl").unlink()
    assert steps(run(documents, "one.txt", "two.txt")) == ["counting"]
    assert steps(run(documents, "one.txt")) == ["adding"]


def test_the_tables_may_lie_in_a_database(documents):
    pytest.importorskip("sqlalchemy", reason="SQLAlchemy is not installed")
    for expected in (["reading", "counting", "adding"], []):
        assert steps(run(documents, "--database", "one.txt")) == expected
    assert (documents / "working/results.db").is_file()
    assert not (documents / "working/counts").exists()


def test_bad_input_is_one_clear_line(tmp_path):
    done = run(tmp_path, "nowhere.txt")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.splitlines()[-1] == "files.py: error: nowhere.txt: no such file"
