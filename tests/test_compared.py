"""What the page says of joblib is what happens: a project is edited, and two later processes look what is restored."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parents[1]
PAGE = REPOSITORY / "docs" / "explanation" / "compared.md"

HELPERS = """
RATE = 3

def negated(f):
    return lambda x: -f(x)

def clean(x, least=0):
    return max(x * RATE, least)

class Model:
    def fit(self, x):
        return x + 1
"""
STEPS = """
from helpers_{n} import Model, clean

LIMIT = 10

def near(x):
    return x + 2

def step(x):
    print("ran")
    total = Model().fit(near(x))
    return clean(total) + LIMIT
"""
# What the page calls an edit: the file, what is replaced, and by what.
EDITS = {
    "the function itself": ("steps", "+ LIMIT", "- LIMIT"),
    "a helper beside it": ("steps", "x + 2", "x + 3"),
    "a helper in another module": ("helpers", "max(x", "max(1 + x"),
    "a constant it reads": ("steps", "LIMIT = 10", "LIMIT = 11"),
    "a constant its helper reads": ("helpers", "RATE = 3", "RATE = 4"),
    "a default of its helper": ("helpers", "least=0", "least=500"),
    "a method of a class it uses": ("helpers", "x + 1", "x + 4"),
    "a decorator above its helper": ("helpers", "def clean", "@negated\ndef clean"),
    "a comment": ("steps", "    return clean", "    # and then\n    return clean"),
    "the layout": ("steps", "Model().fit(near(x))", "Model().fit(\n        near(x)\n    )"),
    "the name of a local variable": ("steps", "total", "the_sum"),
    "a function it does not use": ("steps", "def near", "def unused():\n    return 1\n\ndef near"),
}
UNDONE = "an edit that is undone"

RUN = """
import contextlib, importlib, io, json, sys
import joblib
from flowly_ckpt import DiskTarget, memo

sys.path.insert(0, "project")
found = []
with DiskTarget("ours") as target:
    for n in range(int(sys.argv[1])):
        step = importlib.import_module(f"steps_{n}").step
        row = [step(1)]
        for cached in (joblib.Memory("theirs", verbose=0).cache(step), memo(target)(step)):
            with contextlib.redirect_stdout(io.StringIO()) as printed:
                value = cached(1)
            row.append([value, bool(printed.getvalue())])
        found.append(row)
print(json.dumps(found))
"""


def test_the_page_says_what_happens_after_each_edit(tmp_path):
    pytest.importorskip("joblib")
    project = tmp_path / "project"
    project.mkdir()
    texts = {(file, n): text.format(n=n) if file == "steps" else text
             for file, text in (("steps", STEPS), ("helpers", HELPERS)) for n in range(len(EDITS))}  # fmt: skip

    def write(texts):
        for (file, n), text in texts.items():
            (project / f"{file}_{n}.py").write_text(text)

    def run():
        command = [sys.executable, "-B", "-c", RUN, str(len(EDITS))]
        env = {**os.environ, "PYTHONPATH": str(REPOSITORY)}
        done = subprocess.run(command, cwd=tmp_path, env=env, capture_output=True, text=True, timeout=120)
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout.splitlines()[-1])

    def said(row, place):
        """Say what a cache did, by whether it ran the function and whether what it gave is right."""
        right, (value, ran) = row[0], row[1 + place]
        return "runs again" if ran else "restored" if value == right else "**stale result**"

    write(texts)
    before = run()
    assert all(ran and value == right for right, *pair in before for value, ran in pair)
    changed = dict(texts)
    for n, (file, old, new) in enumerate(EDITS.values()):
        assert texts[file, n].count(old) >= 1
        changed[file, n] = texts[file, n].replace(old, new)
    write(changed)
    after = run()
    happened = {name: [said(row, place) for place in (0, 1)] for name, row in zip(EDITS, after)}
    write(texts)
    happened[UNDONE] = [said(run()[0], place) for place in (0, 1)]

    rows = re.findall(r"^\| (.+?) \| (.+?) \| (.+?) \|$", PAGE.read_text("utf-8"), re.M)
    assert {name: told for name, *told in rows if name in happened} == happened


def test_the_readme_counts_what_the_page_lists():
    rows = re.findall(r"^\| (.+?) \| (.+?) \| (.+?) \|$", PAGE.read_text("utf-8"), re.M)
    stale = sum("stale" in joblib for name, joblib, _ in rows if name in EDITS)
    readme = (REPOSITORY / "README.md").read_text("utf-8")
    assert f"{stale} of {len(EDITS)} edits" in readme
