"""The pages about tests and costs: what they name is there, and their figures are those that were measured."""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parents[1]
PAGES = REPOSITORY / "docs" / "explanation"
PERFORMANCE = PAGES / "performance.md"


@pytest.fixture
def drawing(monkeypatch):
    monkeypatch.syspath_prepend(str(REPOSITORY / "tests" / "bench"))
    import drawing

    yield drawing
    for name in ("drawing", "row"):
        sys.modules.pop(name)


def test_every_file_that_the_page_about_tests_names_is_there():
    named = re.findall(r"tests/[\w/]+\.py", (PAGES / "how-it-is-tested.md").read_text("utf-8"))
    assert len(set(named)) > 30
    assert not [name for name in named if not (REPOSITORY / name).exists()]


def test_every_environment_that_the_page_about_tests_names_is_there():
    named = re.findall(r"tox -e (\w+)", (PAGES / "how-it-is-tested.md").read_text("utf-8"))
    tox = (REPOSITORY / "tox.ini").read_text("utf-8")
    assert named
    assert not [name for name in named if f"[testenv:{name}]" not in tox]


def test_the_page_about_costs_shows_what_was_measured(drawing):
    text = PERFORMANCE.read_text("utf-8")
    measured = json.loads(PERFORMANCE.with_suffix(".json").read_text("utf-8"))
    assert drawing.in_a_page(text, measured["rows"], measured["about"]) == text


def test_a_row_in_which_a_peer_needs_less_says_so(drawing):
    figures = {drawing.OURS: 2.0, "slow": 3.0, "fast": 1.0, "bare": 0.5}
    row = {"unit": "s", "limit": "bare", "figures": figures, "missing": {}}
    assert drawing.columns("work", row) == [
        "work", "2.0 s", "1.0 s (fast)", "2.00 ×", "500 ms (bare)", "4.00 ×", "not first: fast",
    ]  # fmt: skip
    del figures["fast"]
    assert drawing.columns("work", row)[-1] == "first"


def test_the_picture_has_a_bar_for_each_row_with_a_peer(drawing):
    rows = json.loads(PERFORMANCE.with_suffix(".json").read_text("utf-8"))["rows"]
    with_peers = [name for name, row in rows.items() if drawing.place_of(row).best is not None]
    picture = PERFORMANCE.with_suffix(".svg").read_text("utf-8")
    assert picture.count("<rect") == len(with_peers) + 1  # and the sheet behind them
    assert "prefers-color-scheme:dark" in picture
