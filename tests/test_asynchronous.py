"""Pipelines with async steps: the values, keys and entries of other engines, one computation, nothing half-stored."""

from __future__ import annotations

import asyncio
import gc
from functools import partial

import pytest
import toolz
from hypothesis import given
from hypothesis import strategies as st
from laws import Counted, increment, pipelines, spread, steps_in, total

from flowly_ckpt import add_checkpoints, apply, build_dict, chained, checkpoint, functional_hash, itemsetter, seq
from flowly_ckpt.asynchronous import aapply, at_most, awaited
from flowly_ckpt.errors import MutationWarning
from flowly_ckpt.passes import Event, observe, retry
from flowly_ckpt.pipelines import Combinator, apply_concat, attempt, each, groupby, kv_valmap, leaves
from flowly_ckpt.pipelines.mapping import FailedItemsError
from flowly_ckpt.targets import DiskTarget

TARGET: dict = {}
RUN = [add_checkpoints]
numbers = st.integers(-5, 5)


def do(transform, obj, rewrites=RUN, engine=awaited):
    return asyncio.run(aapply(transform, obj, rewrites, engine))


async def later(n):
    await asyncio.sleep(0)
    return n + 1


async def fail(n):
    await asyncio.sleep(0)
    raise ValueError(n)


class around(Combinator):
    """A transform like any other that a pass puts around leaves; the engine runs it in a thread if they are async."""

    __flowly_role__ = "transparent"

    def __init__(self, transform):
        self.transform = transform

    def __call__(self, obj):
        return self.transform(obj)

    def __flowly_children__(self):
        return (self.transform,)

    def __flowly_rebuild__(self, parts):
        return type(self)(*parts)


class switched(around):
    """It says itself how it is awaited."""

    async def __flowly_await__(self, obj, run):
        await asyncio.sleep(0)
        return await run(self.transform, obj)


class itself(around):
    """It is an async function itself."""

    async def __call__(self, obj):
        await asyncio.sleep(0)
        return self.transform(obj)


@pytest.mark.parametrize("engine", [awaited, at_most(2)], ids=["all at once", "at most 2"])
@given(pipeline=pipelines(TARGET), number=numbers)
def test_8_engines_agree_and_each_finds_the_entries_of_the_other(engine, pipeline, number):
    TARGET.clear()
    expected = apply(pipeline, number, RUN)
    entries = dict(TARGET)
    assert do(pipeline, number, engine=engine) == expected
    assert TARGET == entries
    for rewrite in (leaves(switched), leaves(itself)):
        TARGET.clear()
        assert do(pipeline, number, [rewrite, add_checkpoints], engine) == expected
        # Items that wait for each other's results in another order may restore a later one, and store none before it.
        assert all(value == entries[key] for key, value in TARGET.items() if key in entries)
        assert apply(pipeline, number, RUN) == expected


async def double(n):
    return 2 * await later(n - 1)


def twice(n):
    return 2 * n


# Each with steps that are async, beside the same with steps that are not.
ALIKE = {
    "chained": lambda f, g: chained(f, g, abs),
    "nested": lambda f, g: chained(chained(f), chained(chained(g))),
    "compose": lambda f, g: toolz.compose(f, g),
    "seq": lambda f, g: chained(seq(f, g, abs), total),
    "juxt": lambda f, g: chained(toolz.juxt(f, g), total),
    "build_dict": lambda f, g: chained(build_dict(a=f, b=chained(g, f)), dict.items, sorted),
    "itemsetter": lambda f, g: chained(
        lambda n: {"a": n}, itemsetter(b=chained(lambda d: d["a"], f)), dict.items, sorted
    ),
    "apply_concat": lambda f, g: apply_concat(chained(f, spread), chained(g, spread)),
    "map": lambda f, g: chained(spread, toolz.curry(map)(f), partial(map, chained(g)), list),
    "each": lambda f, g: chained(spread, each(chained(f, g))),
    "attempt": lambda f, g: chained(spread, attempt(f), attempt(g)),
    "groupby": lambda f, g: chained(spread, groupby(chained(f, g)), list),
    "kv_valmap": lambda f, g: chained(spread, enumerate, kv_valmap(chained(f, g)), list),
    "excepts": lambda f, g: toolz.excepts(ZeroDivisionError, chained(f, lambda n: 1 // 0, g), lambda error: "caught"),
    "curry": lambda f, g: chained(toolz.curry(f), partial(g)),
    "a type of one's own": lambda f, g: chained(around(chained(f, around(g))), switched(f)),
}


@pytest.mark.parametrize("make", ALIKE.values(), ids=ALIKE)
@pytest.mark.parametrize("engine", [awaited, at_most(1)], ids=["all at once", "one"])
def test_a_pipeline_with_async_steps_gives_what_one_without_gives(make, engine):
    assert do(make(later, double), 3, engine=engine) == apply(make(increment, twice), 3)


class Asked:
    """An async step that keeps what it was asked."""

    def __init__(self):
        self.asked = []

    def __flowly_hash__(self):
        return "asked"

    async def __call__(self, n):
        self.asked.append(n)
        return await later(n)


def test_a_checkpoint_stores_what_was_awaited_and_the_step_is_not_awaited_again():
    target: dict = {}
    fetch = Asked()
    pipeline = chained(fetch, checkpoint(target, "one"), increment, checkpoint(target, "two"), str)
    assert [do(pipeline, 1), do(pipeline, 1)] == ["3", "3"]
    assert fetch.asked == [1]
    assert sorted(target.values()) == [2, 3]


def test_what_is_stored_on_disk_is_found_by_the_next_loop(tmp_path):
    with DiskTarget(tmp_path / "store") as target:
        pipeline = chained(later, checkpoint(target), double)
        assert [do(pipeline, 1), do(pipeline, 1)] == [4, 4]
        assert [entry.hits for entry in target.entries()] == [1]


def test_a_pass_does_not_change_the_key_of_an_async_step():
    pipeline = chained(later, checkpoint({}), double)
    for rewrite in (add_checkpoints, observe(lambda event: None), leaves(switched)):
        assert functional_hash(rewrite(pipeline)) == functional_hash(pipeline)


class Gate:
    """A step that waits until it is let through; counts who came."""

    def __init__(self):
        self.came, self.open = 0, asyncio.Event()

    def __flowly_hash__(self):
        return "gate"

    async def __call__(self, n):
        self.came += 1
        await self.open.wait()
        return n


async def until(condition):
    async with asyncio.timeout(30):
        while not condition():
            await asyncio.sleep(0)


def test_tasks_that_need_one_key_share_one_computation():
    async def main():
        gate, target = Gate(), {}
        pipeline = add_checkpoints(chained(gate, checkpoint(target)))
        tasks = [asyncio.ensure_future(awaited(pipeline, 1)) for _ in range(5)]
        await until(lambda: gate.came)
        gate.open.set()
        assert await asyncio.gather(*tasks) == [1] * 5
        assert (gate.came, len(target)) == (1, 1)

    asyncio.run(main())


@pytest.mark.parametrize("within", [chained, seq, groupby, lambda step: chained(spread, partial(map, step), list)])
def test_cancellation_stores_nothing_and_leaves_nothing_running(within):
    async def main():
        gate, target = Gate(), {}
        pipeline = add_checkpoints(
            chained(lambda n: [n], within(chained(gate, checkpoint(target))), checkpoint(target))
        )
        if within is not groupby:
            pipeline = add_checkpoints(chained(within(chained(gate, checkpoint(target))), checkpoint(target)))
        task = asyncio.ensure_future(awaited(pipeline, 1))
        await until(lambda: gate.came)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        await until(lambda: asyncio.all_tasks() == {asyncio.current_task()})
        gate.open.set()
        assert target == {}

    asyncio.run(main())


def test_one_who_waits_is_not_disturbed_when_another_is_cancelled():
    async def main():
        gate, target = Gate(), {}
        pipeline = add_checkpoints(chained(gate, checkpoint(target)))
        first, second = (asyncio.ensure_future(awaited(pipeline, 1)) for _ in range(2))
        await until(lambda: gate.came)
        await asyncio.sleep(0)
        first.cancel()
        await asyncio.wait([first])
        gate.open.set()
        assert await second == 1
        assert len(target) == 1

    asyncio.run(main())


async def cancelled(n):
    raise asyncio.CancelledError


@pytest.mark.parametrize(
    "within", [chained, seq, toolz.juxt, lambda step: chained(lambda n: [n], groupby(chained(step)))]
)
def test_a_step_that_cancels_itself_cancels_the_run(within):
    async def main():
        async with asyncio.timeout(30):
            with pytest.raises(asyncio.CancelledError):
                await awaited(add_checkpoints(chained(within(cancelled), checkpoint(TARGET))), 1)

    TARGET.clear()
    asyncio.run(main())
    assert not TARGET


def test_branches_and_items_are_awaited_together():
    async def main():
        gate = Gate()
        pipeline = chained(lambda n: [n] * 3, toolz.curry(map)(seq(gate, gate)), list)
        task = asyncio.ensure_future(awaited(pipeline, 1))
        await until(lambda: gate.came == 6)
        gate.open.set()
        assert await task == [[1, 1]] * 3

    asyncio.run(main())


def test_at_most_so_many_steps_are_awaited_at_once():
    under_way, most = [], []

    async def step(n):
        under_way.append(n)
        most.append(len(under_way))
        await asyncio.sleep(0)
        under_way.remove(n)
        return n

    assert do(chained(range, toolz.curry(map)(step), list), 20, [], at_most(3)) == list(range(20))
    assert max(most) == 3
    most.clear()
    assert do(chained(range, toolz.curry(map)(partial(step)), list), 20, []) == list(range(20))
    assert max(most) == 20
    with pytest.raises(ValueError, match="count must be a whole number, 1 or more, got 0"):
        at_most(0)


def test_of_several_that_fail_the_first_branch_is_told_and_the_others_are_cancelled():
    ended = []

    async def slow(n):
        try:
            await asyncio.Event().wait()
        finally:
            ended.append(n)

    with pytest.raises(ValueError, match="1") as caught:
        do(chained(seq(slow, fail, fail), str), 1)
    assert ended == [1]
    assert caught.value.__notes__[0].startswith("in step 1 of 2, seq(")


@pytest.mark.parametrize("mapped", [each, attempt])
def test_items_that_fail_are_told_as_by_apply(mapped):
    async def halved(n):
        await asyncio.sleep(0)
        if n % 2:
            raise ValueError(n)
        return n // 2

    def half(n):
        if n % 2:
            raise ValueError(n)
        return n // 2

    told = []
    for run in (lambda: do(mapped(halved), [0, 2, 3, 4, 5]), lambda: apply(mapped(half), [0, 2, 3, 4, 5])):
        with pytest.raises((ValueError, FailedItemsError)) as caught:
            run()
        error = caught.value
        notes = [note.partition(" of ")[0] for note in getattr(error, "__notes__", ())]
        told.append((str(error).partition(" failed ")[2], notes, getattr(error, "results", None)))
    assert told[0] == told[1]


def test_a_restored_checkpoint_is_reported_and_what_lies_before_it():
    target: dict = {}
    pipeline = chained(later, checkpoint(target, "one"), double, checkpoint(target, "two"), abs)
    events: list[Event] = []
    for _ in range(2):
        events.clear()
        do(pipeline, 1, [observe(events.append), add_checkpoints])
    found = [(event.step, event.kind) for event in events if event.of == "checkpoint"]
    assert sorted(found) == [("one", "skipped"), ("two", "restored")]


CALLS: list = []


def test_a_step_that_changes_its_own_key_is_told():
    async def step(n):
        CALLS.append(n)
        return n

    with pytest.warns(MutationWarning, match="CALLS"):
        do(chained(step, checkpoint({})), 1)


def test_an_error_names_its_step_and_leaves_no_entry():
    TARGET.clear()
    with pytest.raises(ValueError, match="2") as caught:
        do(chained(later, checkpoint(TARGET, "one"), fail, checkpoint(TARGET, "two"), abs), 1)
    assert caught.value.__notes__ == ["in step 2 of 3, fail, of chained(later, fail, abs)"]
    assert list(TARGET.values()) == [2]


def test_a_map_over_steps_that_are_not_async_stays_lazy():
    step = Counted(increment)
    made = do(chained(toolz.curry(map)(step), iter), iter([1, 2, 3]))
    assert step.calls == 0
    assert next(made) == 2


def test_steps_are_observed_while_they_are_awaited():
    events: list[Event] = []
    assert do(chained(later, double, abs), 1, [observe(events.append)]) == 4
    assert [event.step for event in steps_in(events)] == ["later", "double", "abs"]
    with pytest.raises(ValueError, match="2"):
        do(chained(later, fail), 1, [observe(events.append)])
    assert isinstance(steps_in(events)[-1].error, ValueError)


def test_a_step_that_is_awaited_is_tried_again():
    pytest.importorskip("stamina")
    tries = []

    async def busy(n):
        tries.append(n)
        if len(tries) < 3:
            raise OSError("busy")
        return n

    assert do(chained(busy, increment), 1, [retry(on=OSError, wait=0)]) == 2
    assert tries == [1, 1, 1]


def test_a_run_within_a_step_of_a_run():
    target: dict = {}
    inner = add_checkpoints(chained(later, checkpoint(target, "inner")))

    async def outer(n):
        return await awaited(inner, n)

    assert do(chained(seq(outer, outer), total), 1) == 4
    assert len(target) == 1


def test_nothing_is_left_that_was_never_awaited():
    with pytest.raises(ValueError, match="1"):
        do(chained(lambda n: [1, 2, 3], toolz.curry(map)(fail), list), 1)
    gc.collect()  # pytest raises for a coroutine that was never awaited, and for an error that was never asked for


# What is run by ``apply`` all the same


LEFT = pytest.mark.filterwarnings("ignore:coroutine .* was never awaited:RuntimeWarning")


@pytest.fixture
def collected():
    """Let coroutines that nobody awaits end with the test that leaves them, and not within another."""
    yield
    gc.collect()


def settled(coroutine):
    """Await what was handed on, as a step may."""
    return asyncio.run(coroutine)


class Later:
    async def __call__(self, n):
        return n


ASYNC = {
    "a function": later,
    "a partial": partial(later),
    "an instance": Later(),
    "a function that returns a coroutine": lambda n: later(n),
}


@LEFT
@pytest.mark.parametrize("step", ASYNC.values(), ids=ASYNC)
def test_a_coroutine_that_reaches_the_next_step_is_told_with_the_way_out(collected, step):
    with pytest.warns(RuntimeWarning, match=r"handed to the next step and never awaited: `await aapply\(") as caught:
        apply(chained(step, str), 1)
    assert [warning.filename for warning in caught if "next step" in str(warning.message)] == [__file__]
    with pytest.raises(TypeError) as raised:
        apply(chained(step, len), 1)
    assert any("the step was given a coroutine: `await aapply(" in note for note in raised.value.__notes__)


@LEFT
@pytest.mark.parametrize(
    "segment",
    [later, each(later), build_dict(a=later), chained(toolz.curry(map)(later), list), chained(later, lambda c: [c])],
    ids=["a step", "each", "build_dict", "map", "in a list"],
)
@pytest.mark.parametrize("kind", ["dict", "disk"])
def test_a_coroutine_is_never_stored(collected, tmp_path, segment, kind):
    target = {} if kind == "dict" else DiskTarget(tmp_path)
    obj = [1, 2] if segment is not later else 1
    with pytest.warns(Warning, match="aapply|cannot pickle"):
        apply(chained(segment, checkpoint(target)), obj, RUN)
    assert not len(target)


def test_a_step_may_await_what_it_is_given(recwarn):
    assert apply(chained(later, settled, str), 1) == "2"
    assert asyncio.run(apply(chained(later, lambda coroutine: asyncio.wait_for(coroutine, None)), 1)) == 2
    assert asyncio.run(apply(chained(int, later), 1)) == 2, "who runs it awaits the last step"
    assert not recwarn.list


def test_wrong_arguments_are_told_as_by_apply():
    with pytest.raises(TypeError, match="pipeline and object seem to be swapped"):
        do(1, later)
    with pytest.raises(TypeError, match="rewrites must be a list of passes"):
        do(later, 1, add_checkpoints)
