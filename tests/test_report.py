"""The page about a run or a store: true to both, safe, and read in a real browser, wide and narrow."""

from __future__ import annotations

import os
import re
import tempfile
from html.parser import HTMLParser
from pathlib import Path

import pytest
from browser import CHROMIUM, SIZES, browser
from laws import double, increment, spread, total

from flowly_ckpt import add_checkpoints, apply, build_dict, chained, checkpoint
from flowly_ckpt.cli import main
from flowly_ckpt.draw import style
from flowly_ckpt.errors import StoreWarning
from flowly_ckpt.passes import Event
from flowly_ckpt.plan import plan
from flowly_ckpt.report import report, reporting
from flowly_ckpt.targets import DiskTarget, FileTarget, ReadOnly, RemoteTarget, Serialized, Snapshots

ARTEFACTS = Path(os.environ.get("FLOWLY_ARTEFACTS", Path(tempfile.gettempdir()) / "flowly_ckpt-artefacts"))
HOSTILE = '"><script>alert(1)</script><img src=http://example.com/x onerror=alert(2)>\x1b[31m'
RUN = [add_checkpoints]


class Words(HTMLParser):
    """Collect the tags of a page, and the words that stand in it."""

    def __init__(self, page):
        super().__init__()
        self.tags, self.words = set(), []
        self.feed(page)

    def handle_starttag(self, tag, attributes):
        self.tags.add(tag)

    def handle_data(self, data):
        self.words.append(data.strip())


def read(path):
    return Words(path.read_text("utf-8"))


def fail(n):
    raise ValueError(HOSTILE)


def pipeline(target, last=str):
    return chained(
        increment,
        checkpoint(target, "one"),
        spread,
        build_dict(low=min, high=max),
        checkpoint(target, HOSTILE),
        total,
        last,
    )


@pytest.fixture
def disk(tmp_path):
    with DiskTarget(tmp_path / "store") as target:
        yield target


def test_a_page_about_a_run_says_what_ran_and_why_what_is_stored_and_where(disk, tmp_path):
    path = tmp_path / "run.html"
    forecast = apply(pipeline(disk), 1, RUN, engine=plan)
    assert apply(pipeline(disk), 1, RUN, engine=reporting(path, title="One & two")) == "5"
    page = read(path)
    about_it = ["One & two", forecast[0].why, "increment", "build_dict", "one"]
    assert {*about_it, "Biggest entries", repr(disk), "toolz", "Python"} <= set(page.words)
    assert apply(pipeline(disk), 1, RUN, engine=reporting(path)) == "5"
    page = read(path)
    assert any(word.startswith("stored for this input and this code") for word in page.words)
    assert {"a later result is stored", "total"} <= set(page.words)
    times = len(page.words) - page.words[::-1].index("Times")
    assert "total" in page.words[times:]
    assert "increment" not in page.words[times:], "it did not run"


def test_a_run_that_fails_leaves_its_page(disk, tmp_path):
    with pytest.raises(ValueError, match="script"):
        apply(pipeline(disk, last=fail), 1, RUN, engine=reporting(tmp_path / "run.html"))
    assert "failed" in read(tmp_path / "run.html").words


def test_a_page_that_cannot_be_written_costs_neither_the_value_nor_the_error(tmp_path):
    (tmp_path / "gone").mkdir()
    engine = reporting(tmp_path / "gone" / "run.html")
    (tmp_path / "gone").rmdir()
    with pytest.warns(StoreWarning, match=r"run.html' is not complete: ValueError: there is no folder"):
        assert apply(increment, 1, engine=engine) == 2
    with pytest.warns(StoreWarning, match="not complete"), pytest.raises(ValueError, match="script"):
        apply(fail, 1, engine=engine)


class Far(dict):
    """Bytes that may be anywhere; to list them would take long."""

    def __iter__(self):
        raise AssertionError("it was listed")


def test_a_plan_that_cannot_be_made_stops_no_run(tmp_path, monkeypatch):
    monkeypatch.setattr("flowly_ckpt.report.forecast", fail)
    with pytest.warns(StoreWarning, match="not complete: TypeError"):
        assert apply(increment, 1, engine=reporting(tmp_path / "run.html")) == 2


def test_a_store_that_may_be_far_away_is_not_listed_unless_it_is_given(tmp_path):
    path = tmp_path / "run.html"
    pipeline = chained(increment, checkpoint(Snapshots(Serialized(Far()))))
    report(path, pipeline)
    assert any("not listed" in word for word in read(path).words)
    assert apply(pipeline, 1, RUN, engine=reporting(path)) == 2
    assert any("not listed" in word for word in read(path).words)
    report(path, chained(increment, checkpoint(ReadOnly(RemoteTarget("memory://a-page")))))
    assert any("not listed" in word for word in read(path).words)
    report(path, chained(increment, checkpoint(RemoteTarget(f"file://{tmp_path}/near"))))
    assert not any("not listed" in word for word in read(path).words)
    near = Serialized({})
    near["object", "near", "transform"] = 1
    report(path, chained(increment, checkpoint(near)), target=near)
    assert "near" in read(path).words


def test_a_page_shows_what_there_is(tmp_path):
    path = tmp_path / "page.html"
    report(path)
    assert {"A report", "Environment"} <= set(read(path).words)
    assert "Plan" not in read(path).words
    report(path, chained(increment, double), timings=[Event("increment", 2.0), Event("increment", 1.0)])
    assert {"3.0 s", "2×"} <= set(read(path).words)
    report(path, chained(increment), timings=[])
    assert "Nothing ran." in read(path).words
    report(path, target={})
    assert {"dict", "It is empty."} <= set(read(path).words)


def test_two_marks_into_one_store_list_it_once(disk, tmp_path):
    other = {}
    marks = chained(increment, checkpoint(disk), double, checkpoint(disk), checkpoint(other))
    apply(marks, 1, RUN)
    report(tmp_path / "page.html", add_checkpoints(marks), target=disk)
    words = read(tmp_path / "page.html").words
    assert (words.count(repr(disk)), "Store 2" in words, "Store 3" in words) == (1, True, False)


@pytest.mark.parametrize("given", ["plan", "timings", "target", "title"])
def test_foreign_words_are_escaped(given, tmp_path):
    target = FileTarget(tmp_path / "files")
    target["object", HOSTILE, "transform"] = 1
    step = Event(HOSTILE, 1.0)
    content = {
        "plan": {"plan": plan(chained(fail), 1)[0]._replace(steps=(HOSTILE,), tag=HOSTILE, why=HOSTILE)},
        "timings": {"timings": [step]},
        "target": {"target": target},
        "title": {"title": HOSTILE},
    }[given]
    if given == "plan":
        content["plan"] = [content["plan"]]
    report(tmp_path / "page.html", **content)
    page = (tmp_path / "page.html").read_text("utf-8")
    assert not {"script", "img"} & read(tmp_path / "page.html").tags
    assert "&lt;script&gt;" in page
    assert "\x1b" not in page


def test_the_command_line_writes_the_page_of_a_store(disk, tmp_path, capsys):
    apply(pipeline(disk), 1, RUN)
    disk.close()
    assert main(["report", disk.path, "-o", str(tmp_path / "store.html")]) == 0
    assert {repr(disk), "one", "Biggest entries"} <= set(read(tmp_path / "store.html").words)
    assert capsys.readouterr().out.split() == ["written", str(tmp_path / "store.html")]
    assert main(["report", str(tmp_path / "absent"), "-o", str(tmp_path / "absent.html")]) == 2
    assert not (tmp_path / "absent.html").exists()


def brightness(colour):
    parts = [int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5)]
    linear = [part / 12.92 if part <= 0.03928 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


@pytest.mark.parametrize("theme", [style.LIGHT, style.DARK], ids=["light", "dark"])
def test_words_stand_out_from_what_is_behind_them(theme):
    pairs = [(word, back) for word in ("text", "mute") for back in ("back", "sheet", "run-back", "restored-back")]
    pairs += [(name, f"{name}-back") for name in ("run", "restored", "failed", "skipped", "mark")]
    pairs += [("text", "failed-back"), ("mute", "failed-back")]
    for word, back in pairs:
        lighter, darker = sorted([brightness(theme[word]), brightness(theme[back])], reverse=True)
        assert (lighter + 0.05) / (darker + 0.05) >= 4.5, (word, back)


@pytest.mark.skipif(CHROMIUM is None, reason="no Chromium here: apt-get install chromium")
def test_in_a_browser(disk, tmp_path):
    path = tmp_path / "run.html"
    steps = [*[increment, double] * 12, checkpoint(disk, "many"), spread, build_dict(low=min, high=max), total]
    apply(pipeline(disk), 1, RUN)
    with pytest.raises(ValueError, match="script"):
        apply(chained(pipeline(disk), int, *steps, fail), 1, RUN, engine=reporting(path, title=HOSTILE))
    ARTEFACTS.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder, browser(Path(folder)) as page:
        for size in SIZES:
            backs = set()
            for theme in ("light", "dark"):
                page.show(path, size, theme)
                page.picture(ARTEFACTS / f"report-{size}-{theme}.png")
                backs.add(page.ask("getComputedStyle(document.body).backgroundColor"))
                assert page.ask("document.documentElement.scrollWidth <= innerWidth"), "only regions scroll sideways"
            assert len(backs) == 2
        reached = set()
        for _ in range(80):
            page.press("Tab")
            reached.add(
                page.ask("document.activeElement.getAttribute('aria-label') || document.activeElement.textContent")
            )
        assert {"Skip to the content", "Pipeline", "Plan", "Times", "Store", "Environment"} <= reached
        page.ask("document.querySelector('svg a').focus()")
        page.press("Enter")
        assert re.match(r"plan-\d+$", page.ask("location.hash.slice(1)"))
        assert page.ask("document.querySelector('tr:target') !== null"), "a step leads to its row of the plan"
    assert page.errors == []
    assert set(page.requests) == {path.as_uri()}


def test_what_is_no_path_is_told_before_a_run():
    for wrong in (report, reporting):
        with pytest.raises(TypeError, match="path must be the path of a file, got chained"):
            wrong(chained(increment))
