"""observe: the events of a run are what happened in it; the sinks that show, time, log and trace it."""

from __future__ import annotations

import asyncio
import collections
import contextvars
import io
import json
import logging
import os
import pickle
import sys
import threading
from functools import partial

import hypothesis.strategies as st
import pytest
import toolz
from hypothesis import given
from laws import Counted, double, increment, negate

from flowly_ckpt import add_checkpoints, apply, build_dict, calls, chained, checkpoint, functional_hash, ignore_globals
from flowly_ckpt.engines import threads
from flowly_ckpt.errors import FlowlyWarning, StoreWarning
from flowly_ckpt.events import watching
from flowly_ckpt.passes import Event, Timings, jsonl, log_to, observe, progress, spans
from flowly_ckpt.pipelines import walk
from flowly_ckpt.plan import plan
from flowly_ckpt.recipes import foreach, recipe
from flowly_ckpt.resume import Checkpoint
from flowly_ckpt.targets import DiskTarget
from flowly_ckpt.targets.protocol import as_target
from flowly_ckpt.targets.recall import recall, recall_async
from flowly_ckpt.targets.single_flight import Flight
from flowly_ckpt.targets.wrappers import Wrapper
from flowly_ckpt.tasks import task
from flowly_ckpt.typing import Facts


def kinds(events, of="checkpoint"):
    return [(event.kind, event.step) for event in events if event.of == of]


class Tally(dict):
    """A target that counts for itself what is stored in it and what is found."""

    def __init__(self):
        super().__init__()
        self.stored, self.found = collections.Counter(), collections.Counter()

    def __setitem__(self, key, value):
        super().__setitem__(key, value)
        self.stored[key[1]] += 1

    def __getitem__(self, key):
        value = super().__getitem__(key)
        self.found[key[1]] += 1
        return value


def steps_of(names):
    """Build a pipeline by a list of names: a mark for a tag, a counted step for a function."""
    target = Tally()
    made = {"one": Counted(increment), "two": Counted(double), "three": Counted(negate)}
    terms = [made.get(name) or checkpoint(target, name) for name in names]
    return chained(*terms), target, made


@given(st.lists(st.sampled_from(["one", "two", "three", "a", "b"]), max_size=8), st.booleans())
def test_the_events_of_a_run_are_what_happened(names, marks_first):
    pipeline, target, made = steps_of(names)
    events = []
    passes = [add_checkpoints, observe(events.append)]
    for _ in range(2):
        apply(pipeline, 3, passes if marks_first else passes[::-1])
    steps = collections.Counter(kinds(events, "step"))
    ran = sum(step.calls for step in made.values())
    assert sum(count for (kind, _), count in steps.items() if kind == "run") == ran
    assert sum(count for (kind, _), count in steps.items() if kind == "start") == ran
    checkpoints = collections.Counter(kinds(events))
    assert {tag: count for (kind, tag), count in checkpoints.items() if kind == "stored"} == target.stored
    assert {tag: count for (kind, tag), count in checkpoints.items() if kind == "restored"} == target.found
    skipped = [name for name in names if name in "ab"][:-1]
    assert [tag for kind, tag in kinds(events) if kind == "skipped"] == skipped
    assert all(event.target is target for event in events if event.of == "checkpoint")
    assert collections.Counter(kinds(events, "run")) == {("start", "chained"): 2, ("run", "chained"): 2}


def broken(x):
    raise ValueError(x)


def test_what_fails_is_reported_with_its_error_at_each_level():
    events, target = [], {}
    pipeline = chained(increment, broken, checkpoint(target, "kept"))
    with pytest.raises(ValueError, match="2"):
        apply(pipeline, 1, [observe(events.append), add_checkpoints])
    failed = [(event.of, event.step) for event in events if event.kind == "failed"]
    assert failed == [("step", "broken"), ("checkpoint", "kept"), ("run", "chained")]
    assert len({id(event.error) for event in events if event.kind == "failed"}) == 1


def test_items_of_a_mapping_are_reported_as_they_are_drawn():
    events, target = [], {}
    each = toolz.curried.map(chained(increment, checkpoint(target, "item")))
    for _ in range(2):
        drawn = apply(each, [1, 2, 3], [observe(events.append), add_checkpoints])
        assert type(drawn) is map
        assert list(drawn) == [2, 3, 4]
        assert functional_hash(observe(events.append)(each)) == functional_hash(each)
    assert kinds(events, "map") == [("start", "map"), ("run", "map")] * 2
    assert [event.total for event in events if event.of == "map"] == [3] * 4
    assert collections.Counter(kinds(events, "item")) == {("start", "chained"): 6, ("run", "chained"): 6}
    assert len(kinds(events, "step")) == 2 * 3, "the steps of restored items do not run"


def test_items_drawn_after_the_run_are_restored_and_stored_unseen_but_counted():
    """The mapping itself is drawn where the pipeline's caller draws it."""
    events = []
    each = toolz.curried.map(chained(increment))
    drawn = apply(each, [1, 2], [observe(events.append)])
    assert kinds(events, "item") == []
    assert list(drawn) == [2, 3]
    assert len(kinds(events, "item")) == 4


def test_observing_twice_reports_to_both_and_a_sink_that_watches_already_hears_once():
    one, two = [], []
    apply(chained(increment, checkpoint({}, "kept")), 1, [observe(one.append), observe(two.append), add_checkpoints])
    assert kinds(one) == kinds(two) == [("start", "kept"), ("stored", "kept")]
    events = []
    inner = observe(events.append)(add_checkpoints(chained(increment, checkpoint({}, "kept"))))
    with observe(events.append):
        inner(1)
    assert kinds(events) == [("start", "kept"), ("stored", "kept")]
    assert len(kinds(events, "run")) == 2


def test_a_sink_that_fails_is_warned_of_once_and_the_run_goes_on(monkeypatch):
    monkeypatch.setattr("flowly_ckpt.once._said", set())

    def full(event):
        raise OSError("the disk is full")

    events = []
    with pytest.warns(FlowlyWarning) as caught:
        assert apply(chained(increment), 1, [observe(full, events.append)]) == 2
    (warning,) = caught
    assert str(warning.message) == "a sink failed at the event 'start' of 'chained': OSError: the disk is full"
    assert warning.filename == __file__
    assert kinds(events, "step") == [("start", "increment"), ("run", "increment")]


def test_threads_that_wait_for_one_computation_report_a_restored_result_each():
    events, go, target = [], threading.Event(), {}

    def compute():
        go.wait(60)
        return 6

    def ask():
        recall(target, ("o", "tag", "f"), compute)

    with observe(events.append):
        threads = [threading.Thread(target=contextvars.copy_context().run, args=(ask,)) for _ in range(4)]
        for thread in threads:
            thread.start()
        go.set()
        for thread in threads:
            thread.join()
    assert collections.Counter(kind for kind, _ in kinds(events)) == {"start": 1, "stored": 1, "restored": 3}
    assert all(event.target is target for event in events if event.of == "checkpoint")


def test_a_failure_is_reported_by_who_computed_and_not_by_who_waited(monkeypatch):
    events, waiting, target, wait = [], threading.Event(), {}, Flight.wait

    def wait_and_say(flight):
        waiting.set()
        return wait(flight)

    def compute():
        waiting.wait(60)
        raise ValueError("mine")

    def ask():
        with pytest.raises(ValueError, match="mine"):
            recall(target, ("o", "tag", "f"), compute)

    monkeypatch.setattr(Flight, "wait", wait_and_say)
    with observe(events.append):
        threads = [threading.Thread(target=contextvars.copy_context().run, args=(ask,)) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    found = collections.Counter(kind for kind, _ in kinds(events))
    assert found["failed"] == found["start"] > 0


def test_tasks_that_wait_for_one_computation_report_a_restored_result_each():
    events = []

    async def six():
        await asyncio.sleep(0)
        return 6

    target = {}

    async def main():
        with observe(events.append):
            await asyncio.gather(*(recall_async(target, ("o", "tag", "f"), six) for _ in range(3)))
            await recall_async(target, ("o", "tag", "f"), six)

    asyncio.run(main())
    assert collections.Counter(kind for kind, _ in kinds(events)) == {"start": 1, "stored": 1, "restored": 3}
    assert all(event.target is target for event in events if event.of == "checkpoint")


def called(folder):
    checkpoint = calls.init_checkpoint("index", {"artifacts_dir": str(folder)})
    return partial(checkpoint.load_or_run, increment, "id", 1)


def made_by_task(folder):
    return lambda: task(target=f"{folder}/made_{{n}}")(increment)(1).load()


@pytest.mark.parametrize("door", [called, made_by_task], ids=["calls", "tasks"])
def test_the_doors_report_to_who_watches(tmp_path, monkeypatch, door):
    monkeypatch.setenv("PIPEX", "cache")
    events, work = [], door(tmp_path)
    with observe(events.append):
        work()
        work()
    assert [kind for kind, _ in kinds(events)] == ["start", "stored", "restored"]


def test_a_recipe_reports_its_own_results_those_of_its_items_and_its_steps(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)

    @recipe()
    def numbers():
        return [1, 2, 3]

    @foreach(numbers)
    def twice(n):
        return 2 * n

    for jobs in (1, 2):
        events = []
        twice.brew(jobs=jobs, rewrites=[observe(events.append)])
        twice.brew(jobs=jobs, rewrites=[observe(events.append)])
        found = collections.Counter(kind for kind, _ in kinds(events))
        if jobs == 1:
            assert (found["stored"], found["restored"]) == (5, 2)
            assert len([kind for kind, _ in kinds(events, "step") if kind == "run"]) == 4
        else:
            assert (found["stored"], found["restored"]) == (0, 4)
        assert kinds(events, "run") == [("start", ""), ("run", "")] * 2


def test_a_saved_state_is_reported():
    events, kept = [], {}
    with observe(events.append):
        Checkpoint("i", target=kept).put({"i": 1})
    assert [kind for kind, _ in kinds(events)] == ["stored"]


def test_asking_for_a_plan_reports_nothing():
    events, target = [], {}
    pipeline = chained(increment, checkpoint(target))
    apply(pipeline, 1, [add_checkpoints])
    apply(pipeline, 1, [add_checkpoints, observe(events.append)], plan)
    assert events == []


class Ticking:
    """A clock for a test: each step takes as many seconds as it says."""

    now = 0.0

    def __call__(self):
        return Ticking.now


def taking(seconds, name):
    @ignore_globals("Ticking")
    def step(x):
        Ticking.now += seconds
        return x

    step.__qualname__ = name
    return step


@pytest.fixture
def ticking(monkeypatch):
    monkeypatch.setattr("time.perf_counter", Ticking())


def test_a_lazy_mapping_is_counted_once(ticking):
    timings = Timings()
    each = toolz.curried.map(chained(taking(2.0, "slow")))
    apply(chained(each, list, taking(1.0, "last")), [1, 2, 3], [observe(timings)])
    assert [(row.step, row.action, row.times, row.seconds) for row in timings] == [
        ("slow", "run", 3, 6.0),
        ("list", "run", 1, 0.0),
        ("last", "run", 1, 1.0),
    ]
    assert timings.seconds == sum(row.seconds for row in timings) == 7.0


class Slow(dict):
    """A target that takes two seconds to find something, and three to store it."""

    def __getitem__(self, key):
        Ticking.now += 2.0
        return super().__getitem__(key)

    def __setitem__(self, key, value):
        Ticking.now += 3.0
        super().__setitem__(key, value)


class Forgetful(dict):
    def __setitem__(self, key, value):
        """Keep nothing."""


def test_what_a_checkpoint_takes_is_told_and_is_not_a_steps_own_time(ticking):
    target, events, results = Slow(), [], [6]

    def asking(x):
        Ticking.now += 1.0
        return recall(target, ("a", "tag", "f"), lambda: taking(4.0, "")(results.pop()))

    asking = ignore_globals("Ticking")(asking)
    for _ in range(2):
        assert apply(asking, 1, [observe(events.append)]) == 6
    told = [(event.kind, event.seconds, event.own) for event in events if event.of != "run" and event.kind != "start"]
    looked, computed, stored, asked = 2.0, 4.0, 3.0, 1.0
    assert told == [
        ("stored", computed, 0.0),
        ("run", asked + looked + computed + stored, asked + looked + computed),
        ("restored", looked, 0.0),
        ("run", asked + looked, asked),
    ]


class Stuck(dict):
    """A target that keeps what it could not store whole, and cannot delete it."""

    def __setitem__(self, key, value):
        super().__setitem__(key, value)
        raise OSError("no space left")

    def __delitem__(self, key):
        raise OSError("no space left")


def test_what_is_not_kept_took_as_long_as_it_did(ticking):
    events, key = [], ("a", "tag", "f")
    token = watching.set((events.append,))
    try:
        for target in (Forgetful(), {key: 5}):
            recall(target, key, lambda: taking(4.0, "")(6))
        with pytest.warns(StoreWarning, match="no space left"):
            recall(Stuck(), key, lambda: taking(4.0, "")(6))
        with pytest.warns(StoreWarning, match="open file"):
            recall({}, key, lambda: taking(4.0, "")(io.StringIO()))
        with pytest.raises(ZeroDivisionError):
            recall({}, key, lambda: taking(4.0, "")(1) / 0)
    finally:
        watching.reset(token)
    told = [(event.kind, event.seconds) for event in events if event.kind != "start"]
    assert told == [("run", 4.0), ("restored", 0.0), ("run", 4.0), ("run", 4.0), ("failed", 4.0)]


def test_timings_tell_what_was_restored_and_what_that_saved(ticking, tmp_path):
    with DiskTarget(tmp_path / "results") as target:
        pipeline = chained(taking(4.0, "<i>slow</i>"), checkpoint(target, "kept"))
        timings = Timings()
        apply(pipeline, 1, [add_checkpoints, observe(timings)])
        apply(pipeline, 1, [add_checkpoints, observe(timings)])
        assert [(row.step, row.action, row.saved) for row in timings] == [
            ("<i>slow</i>", "run", 0.0),
            ("kept", "stored", 0.0),
            ("kept", "restored", 4.0),
        ]
        assert timings.saved == 4.0
        assert repr(timings).splitlines()[0].endswith("█" * 30)
        assert repr(timings).splitlines()[2].endswith("saved 4.0 s")
        assert "<i>" not in timings._repr_mimebundle_()["text/html"]
        timings.clear()
        assert (len(timings), repr(timings)) == (0, "")


def test_events_as_lines_of_a_log(caplog):
    with caplog.at_level(logging.INFO), pytest.raises(ValueError, match="2"):
        apply(chained(increment, broken), 1, [observe(log_to("my.run"))])
    lines = [(record.levelname, record.getMessage().partition(" in ")[0]) for record in caplog.records]
    assert lines[1:4] == [
        ("INFO", "step 'increment' starts"),
        ("INFO", "step 'increment' ran"),
        ("INFO", "step 'broken' starts"),
    ]
    assert lines[4][0] == "ERROR"
    assert caplog.records[4].getMessage().endswith("ValueError: 2")


def test_events_as_lines_of_json(tmp_path):
    path, target = tmp_path / "run.jsonl", {}
    pipeline = chained(toolz.curried.map(chained(increment)), list, checkpoint(target, "kept"))
    for _ in range(2):
        apply(pipeline, [1, 2], [observe(jsonl(path)), add_checkpoints])
    lines = [json.loads(line) for line in path.read_text().splitlines()]
    (key,) = target
    assert [line["key"] for line in lines if line["kind"] in ("stored", "restored")] == [list(key)] * 2
    assert [line["total"] for line in lines if line["of"] == "map" and line["kind"] == "start"] == [2]


def test_events_as_spans():
    sdk = pytest.importorskip("opentelemetry.sdk.trace")
    export = pytest.importorskip("opentelemetry.sdk.trace.export")
    memory = pytest.importorskip("opentelemetry.sdk.trace.export.in_memory_span_exporter").InMemorySpanExporter()
    provider = sdk.TracerProvider()
    provider.add_span_processor(export.SimpleSpanProcessor(memory))
    sink = spans(provider.get_tracer("test"))
    with pytest.raises(ValueError, match="2"):
        apply(chained(increment, checkpoint({}, "kept"), broken), 1, [observe(sink), add_checkpoints])
    found = {span.name: span for span in memory.get_finished_spans()}
    ids = {name: span.context.span_id for name, span in found.items()}
    parents = {name: span.parent and span.parent.span_id for name, span in found.items()}
    assert parents == {"chained": None, "kept": ids["chained"], "increment": ids["kept"], "broken": ids["chained"]}
    assert found["broken"].events[0].attributes["exception.type"] == "ValueError"
    assert found["kept"].attributes["flowly.kind"] == "stored"


def test_spans_of_results_that_are_stored_together_end_with_their_own(tmp_path):
    sdk = pytest.importorskip("opentelemetry.sdk.trace")
    export = pytest.importorskip("opentelemetry.sdk.trace.export")
    memory = pytest.importorskip("opentelemetry.sdk.trace.export.in_memory_span_exporter").InMemorySpanExporter()
    provider = sdk.TracerProvider()
    provider.add_span_processor(export.SimpleSpanProcessor(memory))
    with DiskTarget(tmp_path / "results") as target:
        pipeline = chained(partial(map, chained(increment, checkpoint(target))), list)
        passes = [observe(spans(provider.get_tracer("test"))), add_checkpoints]
        apply(pipeline, range(40), passes, engine=threads(1))
    found = [(span.attributes["flowly.of"], span.attributes["flowly.kind"]) for span in memory.get_finished_spans()]
    assert found.count(("checkpoint", "stored")) == found.count(("item", "run")) == 40
    assert len({span.attributes.get("flowly.key") for span in memory.get_finished_spans()}) == 41


def shown_in_a_terminal(work):
    """Return what a piece of work writes to a terminal that it is given."""
    leader, follower = pytest.importorskip("pty").openpty()
    written = []

    def read():
        while True:
            try:
                data = os.read(leader, 65536)
            except OSError:
                return
            if not data:
                return
            written.append(data)

    reader = threading.Thread(target=read)
    reader.start()
    try:
        with open(follower, "w", buffering=1) as terminal:
            work(terminal)
    finally:
        reader.join()
        os.close(leader)
    return b"".join(written).decode()


def test_progress_in_a_terminal(monkeypatch):
    pytest.importorskip("rich")
    monkeypatch.setenv("TERM", "xterm")
    target, seen = {}, []

    @ignore_globals("sink", "seen", "texts")
    def look(x):
        seen.append([(row.depth, row.name, row.total, row.done) for row in sink.rows])
        return x

    each = toolz.curried.map(chained(look, checkpoint(target, "item")))
    pipeline = chained(each, list)

    def work(terminal):
        nonlocal sink
        sink = progress(terminal)
        sink_of_end = sink.summary
        monkeypatch.setattr(sys.modules["flowly_ckpt.passes.progress"], "LONG", 0.0)
        apply(pipeline, [1, 2], [observe(sink), add_checkpoints])
        assert sink_of_end(60.0) == "1.0 min: 3 steps ran"
        apply(pipeline, [1, 2], [observe(sink), add_checkpoints])

    sink = None
    text = shown_in_a_terminal(work)
    assert seen[1] == [(0, "list", None, 0), (1, "map", 2, 1), (2, "item", None, 0), (3, "look", None, 0)]
    assert "3 steps ran" in text
    assert "1 step ran; 2 restored" in text
    assert sink.rows == []


class Terminal(io.StringIO):
    def isatty(self):
        return True


def test_progress_knows_from_an_earlier_run_how_long_a_checkpoint_takes(monkeypatch):
    target, texts = {}, []
    as_target(target).put(("o", "kept", "f"), 1, Facts(600.0))

    @ignore_globals("sink", "seen", "texts")
    def look(x):
        texts.append(sink.rows[0].text)
        return x

    pytest.importorskip("rich")
    sink = progress(Terminal())
    apply(chained(look, checkpoint(target, "kept")), 1, [observe(sink), add_checkpoints])
    assert texts == ["about 10.0 min left"]


class Far(Wrapper):
    """A store whose entries take long to list."""

    is_far = True
    lists = 0

    def latest(self, **selection):
        self.lists += 1
        return super().latest(**selection)


def test_progress_does_not_list_a_store_that_may_be_far_away():
    pytest.importorskip("rich")
    far = Far({})
    apply(chained(increment, checkpoint(far, "kept")), 1, [observe(progress(Terminal())), add_checkpoints])
    assert (len(far), far.lists) == (1, 0)


def test_progress_is_quiet_off_a_terminal(capfd):
    apply(chained(increment, checkpoint({})), 1, [observe(progress()), add_checkpoints])
    assert capfd.readouterr() == ("", "")


def test_a_pipeline_that_is_watched_goes_to_another_process(tmp_path):
    sinks = [progress(), Timings(), jsonl(tmp_path / "run.jsonl"), log_to("my.run")]
    watched = pickle.loads(pickle.dumps(observe(*sinks)(chained(abs, float))))
    assert watched(-5) == 5.0
    assert functional_hash(watched) == functional_hash(chained(abs, float))
    assert len((tmp_path / "run.jsonl").read_text().splitlines()) == 6


def test_an_event_has_what_older_sinks_read():
    event = Event("fit", 0.5)
    assert (event.step, event.seconds, event.error, event.kind, event.of) == ("fit", 0.5, None, "run", "step")
    terms = [type(term).__name__ for term in walk(observe(print)(build_dict(a=abs, b=chained())))]
    assert terms == ["watched", "build_dict", "observed", "builtin_function_or_method", "chained"]
