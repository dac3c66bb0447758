"""Pictures of pipelines: the same under every pass, legible, true to plans and runs, and safe from foreign names."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ElementTree
from functools import partial
from itertools import combinations
from pathlib import Path

import pytest
import toolz
from hypothesis import given
from hypothesis import strategies as st
from laws import double, increment, pipelines, spread, total
from pages import run_page

from flowly_ckpt import add_checkpoints, apply, build_dict, chained, checkpoint, drop_checkpoints, flatten, seq
from flowly_ckpt.draw import draw
from flowly_ckpt.passes import Event, observe
from flowly_ckpt.pipelines import attempt, each
from flowly_ckpt.plan import Forecast, plan
from flowly_ckpt.targets import DiskTarget

SVG = "{http://www.w3.org/2000/svg}"
TARGET: dict = {}
RUN = [add_checkpoints]


def named(name, function=increment):
    def step(n):
        return function(n)

    step.__qualname__ = name
    return step


def elements(svg, kind):
    return ElementTree.fromstring(svg).iter(f"{SVG}{kind}")


def words(svg):
    return ["".join(text.itertext()) for text in elements(svg, "text")]


def kinds(drawing):
    """Return what the box of each step is coloured as, by its name."""
    groups = [
        group for group in elements(drawing.svg, "g") if group.get("class", "").split()[:1] in (["step"], ["fork"])
    ]
    return {
        next("".join(t.itertext()) for t in group.iter(f"{SVG}text")): group.get("class").split()[1:]
        for group in groups
    }


PASSES = {
    "add_checkpoints": add_checkpoints,
    "early_cutoff": partial(add_checkpoints, early_cutoff=True),
    "flatten": flatten,
    "observe": observe(lambda event: None),
}


@pytest.mark.parametrize("rewrite", PASSES.values(), ids=PASSES)
@given(pipelines(TARGET))
def test_a_pass_does_not_change_the_picture(rewrite, pipeline):
    assert draw(rewrite(pipeline)).svg == draw(pipeline).svg
    assert draw(rewrite(pipeline)).mermaid == draw(pipeline).mermaid


@given(pipelines(TARGET))
def test_boxes_lie_within_the_picture_and_do_not_cut_each_other(pipeline):
    svg = draw(pipeline).svg
    root = ElementTree.fromstring(svg)
    boxes = []
    for rect in elements(svg, "rect"):
        if rect.get("class") != "sheet":
            x, y, width, height = (float(rect.get(name)) for name in ("x", "y", "width", "height"))
            boxes.append((rect.get("class"), x, y, x + width, y + height))
            assert 0 <= x
            assert 0 <= y
            assert x + width <= float(root.get("width"))
            assert y + height <= float(root.get("height"))
    for (_, left, top, right, bottom), (_, left2, top2, right2, bottom2) in combinations(
        [box for box in boxes if box[0] != "frame"], 2
    ):
        assert right <= left2 or right2 <= left or bottom <= top2 or bottom2 <= top


def test_what_a_picture_shows():
    pipeline = chained(
        increment,
        checkpoint({}, "one"),
        toolz.curry(map)(chained(double, checkpoint({}))),
        build_dict(low=min, high=max),
    )
    assert words(draw(pipeline).svg) == [
        "increment", "one", "map", "double", "checkpoint", "build_dict", "low", "min", "high", "max"
    ]  # fmt: skip
    frames = [rect for rect in elements(draw(pipeline).svg, "rect") if rect.get("class") == "frame"]
    assert len(frames) == 4, "a frame for the branches, and three sheets of a stack"


def test_map_over_a_plain_function_is_a_stack_too():
    assert words(draw(chained(spread, toolz.curry(map)(double), partial(map, double), total)).svg) == [
        "spread", "map", "double", "map", "double", "total"
    ]  # fmt: skip


def test_what_is_applied_to_each_item_is_a_stack():
    drawing = draw(chained(each(double), attempt(chained(double, checkpoint({}, "one")))))
    assert words(drawing.svg) == ["each", "double", "attempt", "double", "one"]
    assert sum(rect.get("class") == "frame" for rect in elements(drawing.svg, "rect")) == 6
    assert "1.0 s" in words(draw(each(double), timings=[Event("double", 1.0)]).svg)


@pytest.mark.parametrize(
    "name", ['<script>alert("1")</script>', "&amp;", "]]>", "\x00\x1b[31m", "\ud800", "\u202eabc", "a" * 10**6]
)
def test_foreign_names_are_escaped_and_shortened(name):
    pipeline = chained(named(name), seq(named(name)), checkpoint({}, name), build_dict({name: named(name)}))
    run = [Event(name, 1.0, ValueError(name))]
    drawing = draw(pipeline, plan=apply(pipeline, 1, RUN, engine=plan), timings=run)
    assert "script" not in {element.tag.rpartition("}")[2] for element in ElementTree.fromstring(drawing.svg).iter()}
    assert all(len(text) <= 40 for text in words(drawing.svg))
    assert len(drawing.svg) < 20_000
    for line in drawing.mermaid.splitlines():
        assert not set("<>&\"'`") & set(re.sub(r'\["|"\]|-->', "", line))
        assert line.isprintable()


@given(st.text(max_size=20), st.text(max_size=20))
def test_whatever_the_names_it_is_xml(name, tag):
    drawing = draw(chained(named(name), build_dict({name: named(tag)}), checkpoint({}, tag)))
    ElementTree.fromstring(drawing.svg)
    drawing.svg.encode()
    drawing.mermaid.encode()


def test_a_plan_colours_the_steps():
    target: dict = {}

    def pipeline(last):
        return chained(increment, checkpoint(target, "one"), double, checkpoint(target, "two"), last, str)

    apply(pipeline(abs), 1, RUN)
    forecast = apply(pipeline(float), 1, RUN, engine=plan)
    drawing = draw(pipeline(float), plan=forecast)
    assert kinds(drawing) == {"increment": ["skipped"], "double": ["restored"], "float": ["run"], "str": ["run"]}
    assert forecast[-1].why in words(drawing.svg)
    assert [text for text in words(drawing.svg) if text in ("run", "restored", "skipped", "failed")] == [
        "run", "restored", "skipped"
    ], "a legend of what is there"  # fmt: skip


def test_a_reason_stands_once_at_the_step_that_it_names():
    pipeline = chained(increment, double, named("fit"))
    rows = [Forecast(("increment", "double", "fit"), "run", None, "double: global RATE 1 → 2")]
    assert words(draw(pipeline, plan=rows).svg) == ["increment", "double", rows[0].why, "fit", "run"]
    rows = [rows[0]._replace(why="the input is new")]
    assert words(draw(pipeline, plan=rows).svg) == ["increment", rows[0].why, "double", "fit", "run"]


def test_a_step_and_a_tag_of_one_name_are_told_apart():
    target: dict = {}
    pipeline = chained(named("clean"), checkpoint(target, "clean"), named("fit"))
    apply(pipeline, 1, RUN)
    assert kinds(draw(pipeline, plan=apply(pipeline, 1, RUN, engine=plan))) == {"clean": ["restored"], "fit": ["run"]}


def test_what_ran_and_what_failed_is_shown_with_times():
    pipeline = chained(increment, spread, toolz.curry(map)(double), list, build_dict(a=total, b=named("half")), str)
    events = [Event("increment", 0.5), *[Event("double", 0.25)] * 4, Event("half", 2.0, ValueError())]
    forecast = plan(pipeline, 1)
    drawing = draw(pipeline, plan=forecast, timings=events)
    assert kinds(drawing) == {
        "increment": ["run"], "spread": ["run"], "map": ["run"], "double": ["run"], "list": ["run"],
        "build_dict": ["failed"], "total": ["run"], "half": ["failed"], "str": [],
    }  # fmt: skip
    assert {"500 ms", "4× 1.0 s", "2.0 s"} <= set(words(drawing.svg))


def test_a_step_that_stands_twice_has_each_time_at_its_place():
    pipeline = chained(increment, double, increment)
    events = [Event("increment", 1.0), Event("double", 2.0), Event("increment", 3.0)]
    assert [text for text in words(draw(pipeline, timings=events).svg) if text.endswith("s")] == [
        "1.0 s",
        "2.0 s",
        "3.0 s",
    ]


class Row:
    def __init__(self, step, action, seconds):
        self.step, self.action, self.seconds = step, action, seconds


def test_events_may_say_that_a_checkpoint_was_restored():
    pipeline = chained(increment, checkpoint({}, "one"), double, checkpoint({}, "two"), str)
    rows = [Row("two", "restored", 0.01), Row("str", "run", 1.0), Row("str", "start", 0.0)]
    assert kinds(draw(pipeline, timings=rows)) == {"increment": ["skipped"], "double": ["restored"], "str": ["run"]}


def test_large_pipelines_stay_small_pictures():
    steps = [part for n in range(2000) for part in (named(f"step{n}"), checkpoint(TARGET, f"{n}"))]
    svg = draw(add_checkpoints(chained(*steps))).svg
    assert "… 3,880 more …" in words(svg)
    assert len(svg) < 100_000
    assert "… 88 more" in words(draw(seq([abs] * 100)).svg)
    nested = abs
    for _ in range(3000):
        nested = seq(nested)
    assert "seq…" in words(draw(nested).svg)
    assert draw(nested).mermaid.count("subgraph") == 3000


def test_nothing_is_a_picture_too():
    assert words(draw(chained()).svg) == []
    assert draw(chained()).mermaid == "flowchart TD"
    assert (
        "n0_1" in draw(build_dict(a=abs, b=chained())).mermaid or "n1_1" in draw(build_dict(a=abs, b=chained())).mermaid
    )


def test_a_picture_is_saved_as_svg_or_mermaid_and_nothing_else(tmp_path):
    drawing = draw(chained(increment, double))
    drawing.save(tmp_path / "a.svg")
    drawing.save(tmp_path / "a.mmd")
    assert (tmp_path / "a.svg").read_text("utf-8") == drawing.svg
    assert (tmp_path / "a.mmd").read_text("utf-8") == drawing.mermaid + "\n"
    with pytest.raises(ValueError, match=r"saved as \.svg or \.mmd, got '.*a.png'"):
        drawing.save(tmp_path / "a.png")


def test_a_notebook_shows_pipelines_plans_and_stores(tmp_path):
    pipeline = chained(named("<b>"), checkpoint(DiskTarget(tmp_path / "<i>"), "<u>"), str)
    forecast = apply(pipeline, 1, RUN, engine=plan)
    apply(pipeline, 1, RUN)
    target = pipeline.funcs[1].target
    for shown in (pipeline, forecast, target, draw(pipeline), drop_checkpoints(pipeline)):
        bundle = shown._repr_mimebundle_()
        assert bundle["text/plain"] == repr(shown)
        assert not re.search("<[biu]>", bundle["text/html"])
    assert "&lt;u&gt;" in target._repr_mimebundle_()["text/html"]
    assert pipeline._repr_mimebundle_()["text/html"] == draw(pipeline).svg
    assert list((DiskTarget(tmp_path / "absent"))._repr_mimebundle_()) == ["text/plain", "text/html"]
    assert not (tmp_path / "absent").exists(), "a look makes nothing"
    target.close()


@pytest.mark.parametrize(("page", "picture"), [("how-to/draw.md", "drawing.svg"), ("index.md", "pipeline.svg")])
def test_the_page_shows_the_picture_that_its_code_makes(tmp_path, monkeypatch, page, picture):
    monkeypatch.chdir(tmp_path)
    path = Path(__file__).parents[1] / "docs" / page
    run_page(path, {"__name__": "__main__"})
    assert (tmp_path / picture).read_text("utf-8") == path.with_name(picture).read_text("utf-8")


@pytest.mark.parametrize(
    ("arguments", "options", "words"),
    [
        ((5,), {}, "a pipeline must be callable, got 5"),
        ((abs,), {"plan": plan}, "plan must be what apply.* gave, got function"),
        ((abs,), {"plan": [Event("abs", 1.0)]}, "plan must be .* gave, got Event"),
        ((abs,), {"timings": observe}, "timings must be what observe reported.*, got function"),
        ((abs,), {"timings": plan(abs, 1)}, "timings must be .*, got Forecast"),
    ],
)
def test_what_cannot_be_drawn_is_told(arguments, options, words):
    with pytest.raises(TypeError, match=f"^{words}"):
        draw(*arguments, **options)
