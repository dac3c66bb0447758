"""What a person sees in a notebook: cells run by a real Jupyter kernel, edited, run again, and after a restart."""

from __future__ import annotations

from pathlib import Path
from typing import Any, NamedTuple

import pytest
from edits.cells import EDITS

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


HELD = "is not called; make the pipeline anew, in a notebook by running its cell"
MAKE = "pipeline = chained(abs, step, checkpoint(results))"


@pytest.mark.parametrize("ask", ["apply(pipeline, 1)", "plan(pipeline, 1)", "run(pipeline, 1)"])
def test_a_pipeline_that_holds_an_earlier_function_says_so_once(notebook, ask):
    notebook(SETUP, "from flowly_ckpt import memo, plan, run", "results = {}", HELPER, STEP, MAKE)
    assert not notebook(ask).errors
    assert not notebook(HELPER.replace("1", "2"), ask).errors, "the helper is looked up when it is called"
    assert not notebook(STEP + "  # a comment", ask).errors, "the same function again"
    shown = notebook(STEP + " * 10", ask).errors
    assert "RedefinedWarning: the pipeline holds an earlier 'step': __main__ has another function of that name" in shown
    assert HELD in shown
    assert not notebook(ask).errors, "said once"
    assert "the pipeline holds an earlier 'step'" in notebook(STEP + " * 100", ask).errors, "edited again"
    assert not notebook(MAKE, ask).errors
    assert notebook("run(pipeline, 1)").result == "300"


def test_a_pipeline_that_holds_an_earlier_class_or_decorated_function_says_so(notebook):
    step = "class Step:\n  def __call__(self, x):\n    return x * 2"
    other = "@memo({})\ndef other(x):\n  return x + 1"
    make = "pipeline = chained(Step(), other, checkpoint(results))"
    notebook(SETUP, "from flowly_ckpt import memo, run", "results = {}", step, other, make)
    assert notebook("run(pipeline, 1)") == Shown("3")
    assert (
        "holds an earlier 'Step': __main__ has another class"
        in notebook(step.replace("2", "3"), "run(pipeline, 1)").errors
    )
    assert "holds an earlier 'other'" in notebook(other.replace("1", "5"), "run(pipeline, 1)").errors


@pytest.mark.parametrize("ask", ["total.brew()", "total.status()"])
def test_a_recipe_that_holds_an_earlier_one_says_so(notebook, ask):
    rows = "@recipe()\ndef rows():\n  return [1, 2]"
    total = "@recipe(ingredients=[rows])\ndef total(rows):\n  return sum(rows)"
    notebook("from flowly_ckpt.recipes import recipe", rows, total)
    assert not notebook(ask, ask).errors
    shown = notebook(rows.replace("2", "3"), ask).errors
    assert "RedefinedWarning: recipe 'total' holds an earlier 'rows': __main__ has another function" in shown
    assert not notebook(ask).errors, "said once"
    assert not notebook(total, ask).errors
    assert notebook("total.brew()").result == "4"


def test_a_remembered_function_runs_again_when_its_cell_was_edited(notebook):
    cells = (
        "from flowly_ckpt import DiskTarget, memo",
        "results = DiskTarget('results')",
        HELPER,
        "@memo(results)\n" + STEP,
    )
    assert notebook(*cells, "step(1)") == Shown("2", RAN)
    assert notebook(*cells, "step(x=1)") == Shown("2")
    assert notebook(HELPER.replace("1", "2"), "step(1)") == Shown("3", RAN)
    notebook.restart()
    assert notebook(*cells, "step(1)") == Shown("2")
    assert notebook("step.plan(1)").result.startswith("restore  step  __main__.step")


def test_a_forgotten_pass_shows_below_the_cell_of_the_user(notebook):
    notebook("from flowly_ckpt import apply, chained, checkpoint", HELPER)
    shown = notebook("apply(chained(helper, checkpoint({}, 'rows')), 1)")
    assert shown.result == "2"
    assert "checkpoint(tag='rows') is only a mark here: pass rewrites=[add_checkpoints]" in shown.errors
    assert "flowly_ckpt/" not in shown.errors, "the line of the user, not of the library"


ASK = """
from flowly_ckpt.plan import plan
ask = lambda x: apply(chained(step, checkpoint(results)), x, engine=plan)[0].why
"""


def test_the_plan_names_the_part_of_a_cell_that_was_changed(notebook):
    notebook(SETUP, ASK)
    wrong = {}
    for name, (cell, old, new, why) in EDITS.items():
        assert cell.count(old) == 1, name
        notebook("results = {}", cell)
        assert notebook("ask(5)").result == "'never run'"
        notebook("_ = apply(chained(step, checkpoint(results)), 5)", cell)
        assert notebook("ask(5)").result == "'stored for this input and this code'"
        shown = notebook(cell.replace(old, new), "print(ask(5))")
        if shown.printed != f"{why}\n":
            wrong[name] = shown
    assert not wrong


def test_a_plan_and_timings_are_tables_and_progress_is_shown_below_the_cell(notebook):
    notebook(SETUP, "results = {}", STEP, HELPER, ASK, "from flowly_ckpt.passes import Timings, observe, progress")
    shown = notebook(
        "passes = [observe(progress(), timings := Timings()), add_checkpoints]\n"
        "_ = apply.func(chained(step, checkpoint(results)), 1, passes)"
    )
    assert (shown.printed, shown.errors) == (RAN, "")
    assert notebook("'<table' in timings._repr_mimebundle_()['text/html']").result == "True"
    table = "apply(chained(step, checkpoint(results)), 1, engine=plan)"
    assert notebook(table).result == "restore  step  <untagged>  stored for this input and this code"
