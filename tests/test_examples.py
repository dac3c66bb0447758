"""The main job as a user runs it: a process of its own, on real files."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path

import pytest

EXAMPLES = Path(__file__).parents[1] / "examples"
sys.path.insert(0, str(EXAMPLES))

import search_stdlib  # noqa: E402

from flowly_ckpt import add_checkpoints, apply  # noqa: E402
from flowly_ckpt.passes import observe  # noqa: E402


@pytest.fixture
def run(tmp_path_factory):
    """Run the example in a process of its own, with results kept in a folder of the test's."""
    cache = tmp_path_factory.mktemp("cache")

    def run(*arguments):
        command = [sys.executable, str(EXAMPLES / "search_stdlib.py"), *arguments]
        env = {**os.environ, "XDG_CACHE_HOME": str(cache), "LOCALAPPDATA": str(cache), "HOME": str(cache)}
        return subprocess.run(command, capture_output=True, text=True, timeout=120, env=env)

    return run


@pytest.fixture
def corpus(tmp_path):
    """A copy of two real packages."""
    for name in ("json", "email"):
        shutil.copytree(Path(sysconfig.get_paths()["stdlib"]) / name, tmp_path / name)
    return tmp_path


def test_it_answers_and_tells_what_was_restored(run, corpus):
    done = run("--folder", str(corpus), "decode", "a", "json", "document")
    assert (done.returncode, done.stderr) == (0, "")
    first, second = done.stdout.split("second run")
    assert re.search(r"ran +parse +\d+ ×", first)
    assert "restored  index" in second
    assert "parse" not in second.split("best answers")[0]
    assert len(re.findall(r"^  \d+\.\d\d  \S", second, re.M)) == 10
    assert "json.decoder.JSONDecoder.decode" in second


def test_a_second_process_restores(run, corpus, tmp_path):
    target = str(tmp_path / "elsewhere")
    reports = [run("--folder", str(corpus), "--target", target, "json").stdout.split("best answers")[0] for _ in "ab"]
    assert "ran       parse" in reports[0]
    assert "ran       parse" not in reports[1]
    assert reports[1].count("restored  index") == 2


def test_after_an_edit_one_module_is_parsed_again(corpus):
    target = {}

    def parsed():
        events = []
        passes = [observe(events.append), add_checkpoints]
        apply(search_stdlib.search("json", target), search_stdlib.read_folder(corpus), passes)
        return [event.step for event in events if event.kind == "run"].count("parse")

    assert parsed() == len(list(corpus.rglob("*.py")))
    assert parsed() == 0
    with (corpus / "json" / "decoder.py").open("a") as file:
        file.write("\ndef added():\n    'A definition added by hand.'\n")
    assert parsed() == 1


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        (["--folder", "nowhere"], "search_stdlib.py: nowhere: no such folder"),
        (["--target", str(EXAMPLES)], f"search_stdlib.py: {EXAMPLES}: not a store of this library"),
        (["--wrong"], "search_stdlib.py: error: unrecognized arguments: --wrong"),
    ],
)
def test_bad_input_is_one_clear_line(run, arguments, line):
    done = run(*arguments)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.splitlines()[-1].startswith(line)


def test_a_file_that_does_not_parse_is_named_and_the_others_are_searched(run, corpus):
    (corpus / "json" / "broken.py").write_text("def f(:\n")
    done = run("--folder", str(corpus), "json")
    assert done.returncode == 0
    assert done.stderr == "left out: json.broken does not parse, line 1: invalid syntax\n"
    assert "best answers" in done.stdout
