"""The README and every page of the documentation run, and show what really comes out."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from pages import Block, blocks_of, run_script
from runs import ENVIRONMENT, needs_processes

import flowly_ckpt

REPOSITORY = Path(__file__).parents[1]
PAGES = [REPOSITORY / "README.md", *sorted((REPOSITORY / "docs").glob("**/*.md"))]
WITH_CODE = [page for page in PAGES if any(block.kind == "python" for block in blocks_of(page.read_text("utf-8")))]


def name_of(page):
    return str(page.relative_to(REPOSITORY))


@pytest.mark.parametrize("page", WITH_CODE, ids=name_of)
def test_a_page_does_what_it_shows(page, tmp_path):
    """Each page in a process of its own, since pages set what holds for a process."""
    path = os.pathsep.join([str(Path(flowly_ckpt.__file__).parents[1]), os.environ.get("PYTHONPATH", "")])
    strict = ["-W", "error", "-W", "ignore:unclosed database:ResourceWarning"]  # readers need not close a target
    command = [sys.executable, *strict, str(Path(__file__).with_name("pages.py")), str(page)]
    environment = {**os.environ, "PYTHONPATH": path}
    done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=200)
    if done.stderr.startswith("missing: "):
        pytest.skip(done.stderr.strip())
    assert done.returncode == 0, done.stderr


TIMED = """
from threading import Event
from flowly_ckpt import chained, checkpoint, plan, run

pipeline = chained(lambda x: x - Event().wait(0.15), checkpoint({}, "rows"))
_ = run(pipeline, 1)
print(pipeline.funcs[0](1), run(pipeline, 1, engine=plan))
"""


def test_a_page_does_not_tell_how_fast_the_machine_is(tmp_path):
    shown = "1 restore  <lambda>  rows  stored for this input and this code"
    page = tmp_path / "page.md"
    page.write_text(f"```python{TIMED}```\n```output\n{shown}\n```\n", "utf-8")
    test_a_page_does_what_it_shows(page, tmp_path)


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_links_between_pages_lead_somewhere(page):
    text = re.sub(r"^```.*?^```", "", page.read_text("utf-8"), flags=re.M | re.S)
    links = re.findall(r"\]\((?!https?:|mailto:|#)([^)#\s]+)[^)]*\)", text)
    assert not [link for link in links if not (page.parent / link).exists()]


@pytest.mark.parametrize("block", ["1 + 1  # -> 3", "print(1)  # -> 2", "x = [\n    1\n]  # -> [2]"])
def test_a_page_that_shows_what_does_not_come_out_fails(block):
    with pytest.raises(AssertionError, match="the page shows"):
        run_script(Block("python", block, 10), Path("page.md"), {})


def test_the_reference_lists_the_top_level():
    page = (REPOSITORY / "docs/reference/top-level.md").read_text("utf-8")
    assert set(re.findall(r"`(\w+)`", page)) - {"flowly_ckpt"} == set(flowly_ckpt.__all__)


WHERE = """
import importlib, sys
modules, singly = sys.argv[1].split(), sys.argv[2].split()
there = {}
for name in modules:
    module = importlib.import_module(name)
    shown = [getattr(module, each) for each in set(dir(module)) & set(module.__all__)]  # as Sphinx looks for them
    is_shown = (lambda each: True) if name == "flowly_ckpt.typing" else (lambda each: hasattr(each, "__name__"))
    there.update({id(each): each for each in shown if is_shown(each)})
for path in singly:
    module, _, name = path.rpartition(".")
    each = getattr(importlib.import_module(module), name)
    there[id(each)] = each
for package in sys.argv[3].split():
    module = importlib.import_module(package)
    for name in module.__all__:
        each = getattr(module, name)
        is_ours = str(getattr(each, "__module__", "flowly_ckpt")).startswith("flowly_ckpt")
        if is_ours and id(each) not in there and name != "__version__":
            print(f"{package}.{name}")
"""
PACKAGES = "calls checkpoint errors hashing passes pipelines recipes resume targets tasks typing tz"


@needs_processes
def test_the_reference_has_every_public_name():
    text = "".join(page.read_text("utf-8") for page in sorted((REPOSITORY / "docs/reference").glob("*.md")))
    modules = re.findall(r"automodule:: (\S+)\n   :members:", text)
    singly = re.findall(r"auto(?:class|data|exception|function):: (\S+)", text)
    packages = " ".join(["flowly_ckpt", *(f"flowly_ckpt.{name}" for name in PACKAGES.split())])
    command = [sys.executable, "-c", WHERE, " ".join(modules), " ".join(singly), packages]
    done = subprocess.run(command, env=ENVIRONMENT, capture_output=True, text=True, timeout=60)
    assert (done.stdout, done.stderr) == ("", "")
