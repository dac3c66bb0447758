"""The examples of cached calls and resumable loops, run as a user runs them."""

from __future__ import annotations

import re
import shutil

import pytest
from folders import readable
from runs import ROOT, run_script


def run(tmp_path, name, *arguments, code_expected=0):
    code = (ROOT / "examples" / name).read_text(encoding="utf-8")
    return run_script(tmp_path, code, *arguments, name=name, code_expected=code_expected)


@pytest.mark.skipif(shutil.which("kill") is None, reason="needs a system whose processes can be killed")
def test_primes_are_found_by_three_processes_two_of_them_killed(tmp_path):
    lines = run(tmp_path, "primes.py", "--count", "4000").stdout.splitlines()
    begun = [int(re.search(r"begins with (\d+) primes", line)[1]) for line in lines if "begins" in line]
    assert begun == [1, 900, 1960]  # those below 7000 and 17000, the last saves before the 1000th and 2000th
    assert [line for line in lines if "…" in line] == ["  … killed", "  … killed", "  … done"]
    assert lines[-2] == "prime number 4000 is 37813"


def test_an_index_is_embedded_once(tmp_path):
    first, second = (run(tmp_path, "rag_index.py").stdout for _ in range(2))
    chunks, now = map(int, re.search(r"^(\d+) chunks of \d+ documents, (\d+) embedded now", first).groups())
    assert 0 < now <= chunks
    assert re.match(rf"{chunks} chunks of \d+ documents, 0 embedded now", second)
    assert first.splitlines()[1:] == second.splitlines()[1:]
    assert len(readable(tmp_path / "artifacts/checkpoint/index_python")) == now
    assert re.search(r"release a resource.*?\?\n  0\.\d\d  \w+: ", first, re.S)


def test_after_an_edit_only_the_changed_chunk_is_embedded(tmp_path):
    notes = tmp_path / "notes"
    notes.mkdir()
    (notes / "one.md").write_text("We decided to keep the garden.\n")
    (notes / "two.txt").write_text("The roof is to be repaired in spring.\n")

    def embedded():
        return re.search(r"(\d+) embedded now", run(tmp_path, "rag_index.py", "--folder", "notes", "roof").stdout)[1]

    assert [embedded(), embedded()] == ["2", "0"]
    (notes / "two.txt").write_text("The roof has been repaired.\n")
    (notes / "one.md").rename(notes / "renamed.md")
    assert embedded() == "1"


def test_a_folder_without_documents_is_one_clear_line(tmp_path):
    (tmp_path / "empty").mkdir()
    done = run(tmp_path, "rag_index.py", "--folder", "empty", code_expected=1)
    assert done.stderr == "rag_index.py: empty: no .md, .rst or .txt files\n"
