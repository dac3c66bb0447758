"""The README and every page of the documentation run, and show what really comes out."""

from __future__ import annotations

import gc
import re
import sys
import types
from pathlib import Path

import pytest
from pages import Block, blocks_of, run_page, run_script

REPOSITORY = Path(__file__).parents[1]
PAGES = [REPOSITORY / "README.md", *sorted((REPOSITORY / "docs").glob("**/*.md"))]
WITH_CODE = [page for page in PAGES if any(block.kind == "python" for block in blocks_of(page.read_text("utf-8")))]


def name_of(page):
    return str(page.relative_to(REPOSITORY))


@pytest.fixture
def main(monkeypatch):
    """A module that stands where a script's or notebook's own would."""
    module = types.ModuleType("__main__")
    monkeypatch.setitem(sys.modules, "__main__", module)
    yield vars(module)
    # What a page leaves open goes now: no other test is to hear of it.
    vars(module).clear()
    gc.collect()


@pytest.mark.filterwarnings("ignore:unclosed database:ResourceWarning")  # readers need not close a target
@pytest.mark.parametrize("page", WITH_CODE, ids=name_of)
def test_a_page_does_what_it_shows(page, main, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    try:
        assert run_page(page, main)
    except ModuleNotFoundError as error:
        if str(error.name).startswith("flowly_ckpt"):
            raise
        pytest.skip(f"needs {error.name}")


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_links_between_pages_lead_somewhere(page):
    text = re.sub(r"^```.*?^```", "", page.read_text("utf-8"), flags=re.M | re.S)
    links = re.findall(r"\]\((?!https?:|mailto:|#)([^)#\s]+)[^)]*\)", text)
    assert not [link for link in links if not (page.parent / link).exists()]


@pytest.mark.parametrize("block", ["1 + 1  # -> 3", "print(1)  # -> 2", "x = [\n    1\n]  # -> [2]"])
def test_a_page_that_shows_what_does_not_come_out_fails(block):
    with pytest.raises(AssertionError, match="the page shows"):
        run_script(Block("python", block, 10), Path("page.md"), {})
