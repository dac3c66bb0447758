"""What a person sees in a notebook: cells run by a real Jupyter kernel, edited, run again, and after a restart."""

from __future__ import annotations

from pathlib import Path
from typing import Any, NamedTuple

import pytest

import flowly_ckpt

pytest.importorskip("ipykernel")
client = pytest.importorskip("jupyter_client")

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning:jupyter_client", "ignore::DeprecationWarning:zmq")

SETUP = """
from functools import partial
from flowly_ckpt import add_checkpoints, apply, chained, checkpoint
from flowly_ckpt.targets import DiskTarget
apply = partial(apply, rewrites=[add_checkpoints])
"""
HELPER = "def helper(x):\n    return x + 1"
STEP = "def step(x):\n    print('ran')\n    return helper(x)"
RUN = "apply(chained(step, checkpoint(results)), 1)"


class Shown(NamedTuple):
    """What stands below a cell."""

    result: str = ""
    printed: str = ""
    errors: str = ""


class Notebook:
    """Send cells to a kernel, one after another, and return what stands below the last."""

    def __init__(self, folder: Any) -> None:
        self.manager, self.client = client.manager.start_new_kernel(kernel_name="python3", cwd=str(folder))

    def __call__(self, *cells: str) -> Shown:
        for cell in cells:
            shown = {"result": "", "stdout": "", "stderr": ""}

            def take(message: Any, shown: Any = shown) -> None:
                content = message["content"]
                if message["msg_type"] == "stream":
                    shown[content["name"]] += content["text"]
                elif message["msg_type"] == "execute_result":
                    shown["result"] = content["data"]["text/plain"]
                elif message["msg_type"] == "error":
                    shown["stderr"] += "\n".join(content["traceback"])

            self.client.execute_interactive(cell, output_hook=take, timeout=60)
        return Shown(*shown.values())

    def restart(self) -> None:
        self.manager.restart_kernel(now=True)
        self.client.wait_for_ready(timeout=60)

    def close(self) -> None:
        self.client.stop_channels()
        self.manager.shutdown_kernel(now=True)


@pytest.fixture
def notebook(tmp_path, monkeypatch):
    for name in ("IPYTHONDIR", "JUPYTER_CONFIG_DIR", "JUPYTER_DATA_DIR", "JUPYTER_RUNTIME_DIR"):
        (tmp_path / name).mkdir()
        monkeypatch.setenv(name, str(tmp_path / name))
    monkeypatch.setenv("PYTHONPATH", str(Path(flowly_ckpt.__file__).parents[1]))
    opened = Notebook(tmp_path)
    yield opened
    opened.close()


RAN = "ran\n"


def test_a_step_runs_again_when_it_or_its_helper_is_redefined_and_not_otherwise(notebook):
    notebook(SETUP, "results = {}")
    assert notebook(HELPER, STEP, RUN) == Shown("2", RAN)
    assert notebook(RUN) == Shown("2"), "the same cell again"
    assert notebook(HELPER, STEP, RUN) == Shown("2"), "all cells again"
    assert notebook(STEP.replace("x", "number") + "  # a comment", RUN) == Shown("2"), "reformatted"
    assert notebook(STEP + " * 10", RUN) == Shown("20", RAN), "the body"
    assert notebook(STEP, HELPER.replace("1", "2"), RUN) == Shown("3", RAN), "the helper"
    assert notebook(HELPER, RUN) == Shown("2"), "back to the beginning"
    assert notebook("len(results)") == Shown("3"), "all results are still there"
    assert notebook("results.clear()", RUN) == Shown("2", RAN)


# Each gives twice the input; the edit makes of every 2 a 3.
STEPS = {
    "global": """
rate = 2
def step(x):
    print('ran')
    return x * rate
""",
    "default": """
def step(x, rate=2):
    print('ran')
    return x * rate
""",
    "lambda": """
step = lambda x: print('ran') or x * 2
""",
    "class": """
class Step:
    def __call__(self, x):
        print('ran')
        return x * 2
step = Step()
""",
    "class attribute": """
class Rate:
    value = 2
def step(x):
    print('ran')
    return x * Rate.value
""",
    "closure": """
def times(n):
    def inner(x):
        print('ran')
        return x * n
    return inner
step = times(2)
""",
    "partial": """
from functools import partial
def times(n, x):
    print('ran')
    return x * n
step = partial(times, 2)
""",
    "comprehension": """
import math
def step(x):
    print('ran')
    return sum([math.trunc(n * 2.0) for n in [x]])
""",
}


@pytest.mark.parametrize("definition", STEPS.values(), ids=STEPS)
def test_whatever_a_cell_defines_counts_when_it_changes(notebook, definition):
    notebook(SETUP, "results = {}")
    assert notebook(definition, RUN) == Shown("2", RAN)
    assert notebook(definition, RUN) == Shown("2")
    assert notebook(definition.replace("2", "3"), RUN) == Shown("3", RAN)
    assert notebook(definition, RUN) == Shown("2")


def test_results_on_disk_are_found_after_a_restart(notebook):
    cells = SETUP, "results = DiskTarget('results')", HELPER, STEP
    assert notebook(*cells, RUN) == Shown("2", RAN)
    notebook.restart()
    assert notebook(*cells, RUN) == Shown("2")
    assert notebook(STEP + " * 10", RUN) == Shown("20", RAN)


def test_instances_of_classes_from_the_notebook_are_kept(notebook):
    point = "class Point:\n  def __init__(self, x): self.x = x\n  def __repr__(self): return f'Point({self.x})'"
    step = "def step(x):\n    print('ran')\n    return Point(x)"
    cells = SETUP, "results = DiskTarget('results')", point, step
    assert notebook(*cells, RUN) == Shown("Point(1)", RAN)
    assert notebook(RUN) == Shown("Point(1)")
    notebook.restart()
    assert notebook(*cells, RUN) == Shown("Point(1)")


def test_an_edited_module_counts_when_it_is_reloaded(notebook, tmp_path):
    module = tmp_path / "edited.py"
    module.write_text("def step(x):\n    print('ran')\n    return x + 1\n")
    notebook(SETUP, "results = {}", "import importlib, edited")
    run = "apply(chained(edited.step, checkpoint(results)), 1)"
    assert notebook(run) == Shown("2", RAN)
    module.write_text("def step(x):\n    print('ran')\n    return x + 1000\n")
    assert notebook(run) == Shown("2"), "what runs is still the old code"
    assert notebook("_ = importlib.reload(edited)", run) == Shown("1001", RAN)


def test_an_edited_module_counts_when_ipython_reloads_it(notebook, tmp_path):
    module = tmp_path / "edited.py"
    module.write_text("def step(x):\n    print('ran')\n    return x + 1\n")
    notebook(SETUP, "results = {}", "%load_ext autoreload\n%autoreload 2", "from edited import step")
    assert notebook(RUN) == Shown("2", RAN)
    module.write_text("def step(x):\n    print('ran')\n    return x + 1000\n")
    assert notebook(RUN) == Shown("1001", RAN)


def test_an_error_shows_the_step_and_nothing_is_stored(notebook):
    notebook(SETUP, "results = {}", "def step(x):\n    return 1 / (x - 1)")
    shown = notebook("apply(chained(abs, step, checkpoint(results), str), 1)")
    assert "ZeroDivisionError" in shown.errors
    assert "step 2" in shown.errors
    assert notebook("results") == Shown("{}")


@pytest.mark.parametrize("line", ["get_ipython().run_line_magic('who_ls', '')", "names = %who_ls", "out = !true"])
def test_a_step_may_use_magics(notebook, line):
    step = f"def step(x):\n    print('ran')\n    {line}\n    return x + 1"
    notebook(SETUP, "results = {}", step)
    assert notebook(RUN) == Shown("2", RAN)
    assert notebook(RUN) == Shown("2")
    assert notebook(step + " + 1", RUN) == Shown("3", RAN)
