"""The notebook among the examples does what it shows, and the documentation shows it."""

from __future__ import annotations

import importlib.util
import re
from pathlib import Path

import pytest

pytest.importorskip("nbclient")
pytest.importorskip("ipykernel")
pytest.importorskip("matplotlib")
pytest.importorskip("pandas")

import nbformat
from notebooks import run

REPOSITORY = Path(__file__).parents[1]
QUANTITY = re.compile(r"\d[\d.]* (?:bytes|[kMG]?B|µs|ms|s|min)\b")
NOTEBOOK = REPOSITORY / "examples" / "bike_rides.ipynb"

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning:jupyter_client", "ignore::DeprecationWarning:zmq")


@pytest.fixture
def folder(tmp_path, monkeypatch):
    for name in ("IPYTHONDIR", "JUPYTER_CONFIG_DIR", "JUPYTER_DATA_DIR", "JUPYTER_RUNTIME_DIR", "MPLCONFIGDIR"):
        (tmp_path / name).mkdir()
        monkeypatch.setenv(name, str(tmp_path / name))
    return tmp_path


def shown(notebook):
    """Return what stands below each cell: what is printed, the text of results but for quantities, and their forms."""
    return {
        cell.source: [
            (
                output.get("text"),
                QUANTITY.sub("…", output.get("data", {}).get("text/plain", "")),
                sorted(output.get("data", {})),
            )
            for output in cell.outputs
        ]
        for cell in notebook.cells
        if cell.cell_type == "code"
    }


def test_it_does_what_it_shows(folder):
    stored = shown(nbformat.read(NOTEBOOK, as_version=4))
    again = "python tests/notebooks.py examples/bike_rides.ipynb stores what comes out now"
    assert shown(run(NOTEBOOK, folder)) == stored, again
    assert "Which days fill the bikes?" in (folder / "rides.html").read_text("utf-8")


def test_it_tells_its_story():
    outputs = [texts for output in shown(nbformat.read(NOTEBOOK, as_version=4)).values() for texts in output]
    printed = [text for text, _, _ in outputs if text]
    assert printed == ["load\nclean\ntrain\nplot\n"] * 2, "all steps at first, and after the edit; nothing in between"
    assert sum("image/png" in forms for _, _, forms in outputs) == 2
    assert sum("image/svg+xml" in forms for _, _, forms in outputs) == 2


def test_it_tells_nothing_of_the_machine_it_ran_on():
    text = NOTEBOOK.read_text("utf-8")
    assert not [word for word in ("/tmp", "/home", "/root", "/Users", str(REPOSITORY)) if word in text]


def test_its_page_has_all_of_it():
    spec = importlib.util.spec_from_file_location("docs_notebooks", REPOSITORY / "docs" / "notebooks.py")
    notebooks = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(notebooks)
    page = ["the words of the page"]
    notebooks.fill(None, "tutorial/notebook", page)
    assert page[0].startswith("# Which days fill the bikes?")
    assert "the words of the page" in page[0]
    assert page[0].count("<img ") == 2
    for cell in nbformat.read(NOTEBOOK, as_version=4).cells:
        assert cell.source in page[0]
    other = ["another page"]
    notebooks.fill(None, "index", other)
    assert other == ["another page"]
