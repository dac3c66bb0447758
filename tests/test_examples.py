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


RUNS = ("first run", "second run", "after an edit of json/tool.py", "after an edit of the function weight", "best")


def parts(printed):
    """Return for each run what was planned and what happened, then the answers."""
    titles = "|".join(map(re.escape, RUNS))
    start, *rest = re.split(rf"^(?:{titles})", printed.replace(os.sep, "/"), flags=re.M)
    assert not start
    assert len(rest) == len(RUNS)
    return [text.strip("\n").split("\n\n")[:2] for text in rest[:-1]], rest[-1]


def test_it_shows_the_plan_before_each_run_and_then_what_happened(run, corpus):
    done = run("--folder", str(corpus), "decode", "a", "json", "document")
    assert (done.returncode, done.stderr) == (0, "")
    count = len(list(corpus.rglob("*.py")))
    planned, answers = parts(done.stdout)
    first, second, file, function = planned

    assert re.search(r"run .* index +never run", first[0])
    assert f"0 of {count} items stored; never run" in first[0]
    assert re.search(rf"run +parse +{count} ×", first[1])

    assert re.search(r"restore .* index +stored for this input and this code", second[0])
    assert re.search(r"restored +index +1 ×", second[1])
    assert "parse" not in second[1]

    assert f"{count - 1} of {count} items stored; the input differs in attribute text" in file[0]
    assert re.search(r"run +parse +1 ×", file[1])
    assert re.search(rf"restored +definitions +{count - 1} ×", file[1])

    assert "build_index: helper weight changed at line" in function[0]
    assert f"{count} of {count} items stored" in function[0]
    assert re.search(r"run +build_index +1 ×", function[1])
    assert "parse" not in function[1]

    assert len(re.findall(r"^  [ \d]+\.\d\d  \S", answers, re.M)) == 10
    assert "json.decoder.JSONDecoder.decode" in answers


def test_a_second_process_restores(run, corpus, tmp_path):
    target = str(tmp_path / "elsewhere")
    before, after = (parts(run("--folder", str(corpus), "--target", target, "json").stdout)[0][0] for _ in "ab")
    assert "parse" in before[1]
    assert "never run" in before[0]
    assert re.search(r"restored +index +1 ×", after[1])
    assert "parse" not in after[1]


def test_the_folder_itself_is_not_edited(run, corpus):
    before = {path: path.read_bytes() for path in corpus.rglob("*.py")}
    assert run("--folder", str(corpus), "json").returncode == 0
    assert {path: path.read_bytes() for path in corpus.rglob("*.py")} == before


def test_an_empty_folder_has_no_answers(run, tmp_path):
    done = run("--folder", str(tmp_path), "json")
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize(
    ("query", "about"),
    [("parse dates quickly", "date"), ("parsing a date", "date"), ("compressed files", "tar|zip|compress")],
)
def test_the_best_answer_is_about_what_was_asked(query, about):
    folder = Path(sysconfig.get_paths()["stdlib"])
    names = ("_pydatetime.py", "datetime.py", "_strptime.py", "difflib.py", "gzip.py", "zipfile.py", "tarfile.py")
    files = [folder / name for name in names if (folder / name).exists()]
    files += [path for room in ("json", "email", "http", "zipfile") for path in sorted((folder / room).rglob("*.py"))]
    sources = [search_stdlib.Source(".".join(f.relative_to(folder).parts)[:-3], f.read_bytes()) for f in files]
    answers, broken = apply(search_stdlib.search(query, {}, best=1), sources, [add_checkpoints])
    assert not broken
    ((_, name, summary),) = answers
    assert re.search(about, f"{name} {summary}", re.I)


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
