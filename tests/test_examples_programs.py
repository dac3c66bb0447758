"""Programs as users write them, run as they run them: each a process of its own, and once more."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from runs import library, needs_processes

pytestmark = needs_processes
EXAMPLES = Path(__file__).parents[1] / "examples"
PLACES = os.pathsep.join([str(EXAMPLES.parent), str(EXAMPLES)])
ENVIRONMENT = {**os.environ, "PYTHONPATH": PLACES, "PYTHONUNBUFFERED": ""}  # lines of several processes stay whole
# A compiled file is known by the size and the second of its source: an edit within a second would go unseen.
ENVIRONMENT["PYTHONDONTWRITEBYTECODE"] = "1"
STRICT = [sys.executable, "-W", "error"]


def run(folder, *arguments, python=STRICT):
    done = subprocess.run(
        [*python, *map(str, arguments)], cwd=folder, env=ENVIRONMENT, capture_output=True, text=True, timeout=200
    )
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout.splitlines()


def test_pandas_and_scikit_learn(tmp_path):
    if not (library("pandas") and library("sklearn")):
        pytest.skip("needs pandas and scikit-learn")

    def forest():
        return run(tmp_path, EXAMPLES / "forest.py", python=[sys.executable])  # their own warnings are not ours

    first = forest()
    assert first[:2] == ["reading trees.csv", "cleaning"]
    assert "searching" in first
    again = forest()
    assert again == [line for line in first if line not in ("reading trees.csv", "cleaning", "searching")]
    table = (tmp_path / "trees.csv").read_text()
    (tmp_path / "trees.csv").write_text("".join(table.splitlines(keepends=True)[:200]))
    assert {"reading trees.csv", "cleaning", "searching"} <= set(forest()), "another table"
    (tmp_path / "trees.csv").write_text(table)
    assert forest() == again, "what was stored for the first is still there"


FILES = 2000
BROKEN = range(17, FILES, 100)


def parsed(lines):
    return [line.split()[1] for line in lines if line.startswith("parsing")]


@pytest.mark.skipif(os.name != "posix", reason="sends SIGINT")
def test_two_thousand_files_with_failures_and_an_interrupt(tmp_path):
    command = [*STRICT, str(EXAMPLES / "many_files.py")]
    with subprocess.Popen(command, cwd=tmp_path, env=ENVIRONMENT, stdout=subprocess.PIPE, text=True) as process:
        before = [process.stdout.readline() for _ in range(300)]
        process.send_signal(signal.SIGINT)
        before += process.stdout.read().splitlines()
    assert process.returncode == 130
    done = int(re.fullmatch(r"interrupted; (\d+) of 2000 files are done", before[-1].strip())[1])
    names = parsed(before)
    failed = [f"{number:04}.json" for number in BROKEN]
    assert 0 <= len(names) - done - len(set(failed) & set(names)) <= 1, "all but what was being parsed"

    rest = run(tmp_path, EXAMPLES / "many_files.py", "days")
    assert len(parsed(rest)) == FILES - done, "what was parsed before, and did not fail, is not parsed again"
    assert rest[-8] == "parse, summarise failed for 20 of 2000 items:"
    assert re.fullmatch(r"  item 17 \('days/0017.json'\): JSONDecodeError: .*", rest[-7])
    assert rest[-2] == "  … 15 more, in .failures"
    assert rest[-1] == "warmest: s1000 with 9.3"
    assert parsed(run(tmp_path, EXAMPLES / "many_files.py", "days")) == failed

    for number in BROKEN:
        (tmp_path / f"days/{number:04}.json").write_text('{"station": "mended", "values": [99]}')
    mended = run(tmp_path, EXAMPLES / "many_files.py", "days")
    assert parsed(mended) == failed[:1], "they hold the same now"
    assert mended[-1] == "warmest: mended with 99.0"


def test_several_modules_with_a_pool_of_processes(tmp_path):
    (tmp_path / "texts").mkdir()
    (tmp_path / "survey").mkdir()
    for module in (EXAMPLES / "survey").glob("*.py"):
        (tmp_path / "survey" / module.name).write_text(module.read_text())
    for number in range(8):
        text = "one extraordinary text, and one word more" + f" {'abcdefgh'[number]}" * (number + 1)
        (tmp_path / f"texts/{number}.txt").write_text(text)

    def survey():
        lines = run(tmp_path, "-m", "survey", "texts")
        measured = [line.split(" in ")[0] for line in lines if line.startswith("measuring")]
        return sorted(measured), [line for line in lines if re.match("words|long|commonest", line)]

    def edit(module, old, new):
        text = (tmp_path / "survey" / module).read_text()
        assert old in text
        (tmp_path / "survey" / module).write_text(text.replace(old, new))

    files = [f"measuring texts/{number}.txt" for number in range(8)]
    ran, shown = survey()
    assert ran == files
    assert shown == ["words: 92", "long: 0.125", "commonest: and extraordinary more"]
    assert survey() == ([], shown)
    (tmp_path / "texts/3.txt").write_text("another extraordinary text")
    assert survey()[0] == files[3:4], "one file was edited"
    edit("texts.py", "Split a text", "Take a text")
    assert survey()[0] == [], "a docstring does not count"
    edit("measures.py", "LONG = 7", "LONG = 4")
    assert survey()[0] == files, "a constant of another function does"
    edit("texts.py", "[a-z]+", "[a-z']+")
    assert survey()[0] == files, "so does one of another module"
