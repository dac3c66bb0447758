"""The laws that hold for every pipeline, input and pass. Numbers are those of docs/explanation/design.md."""

from __future__ import annotations

import copy
import pickle
from contextlib import closing
from functools import partial
from importlib.util import find_spec

import pytest
from hypothesis import given
from hypothesis import strategies as st
from laws import LEAVES, Counted, LoggedTarget, pipelines

from flowly_ckpt.checkpoint import add_checkpoints, checkpoint, drop_checkpoints, with_checkpoint
from flowly_ckpt.hashing import functional_hash, ignore_globals, prefix_hashes
from flowly_ckpt.passes import observe, retry
from flowly_ckpt.pipelines import Combinator, chained, children, flatten, rebuild, role, walk
from flowly_ckpt.targets import DiskTarget, Snapshots

TARGET: dict = {}
PASSES = {
    "add_checkpoints": add_checkpoints,
    "early_cutoff": partial(add_checkpoints, early_cutoff=True),
    "drop_checkpoints": drop_checkpoints,
    "flatten": flatten,
    "observe": observe(lambda event: None),
}
if find_spec("stamina") is not None:
    PASSES["retry"] = retry(on=OSError, wait=0)
every_pass = pytest.mark.parametrize("rewrite", PASSES.values(), ids=PASSES)
numbers = st.integers(-5, 5)


@pytest.fixture(autouse=True)
def _empty_target():
    TARGET.clear()


@given(pipelines(TARGET))
def test_1_shape_rebuild_undoes_children(pipeline):
    for term in walk(pipeline):
        if role(term) != "leaf":
            again = rebuild(term, children(term))
            assert type(again) is type(term)
            assert list(children(again)) == list(children(term))
            assert functional_hash(again) == functional_hash(term)
            if isinstance(term, Combinator):
                assert again == term


@given(pipelines(TARGET, marks=False))
def test_1_shape_a_pass_that_changes_nothing_returns_the_same_object(pipeline):
    assert add_checkpoints(pipeline) is pipeline
    assert drop_checkpoints(pipeline) is pipeline


@pytest.mark.filterwarnings("ignore:.*is only a mark here")
@every_pass
@given(pipelines(TARGET), numbers)
def test_2_meaning_a_pass_does_not_change_what_is_computed(rewrite, pipeline, number):
    expected = drop_checkpoints(pipeline)(number)
    assert rewrite(pipeline)(number) == expected
    assert rewrite(pipeline)(number) == expected, "and again, restored"


@every_pass
@given(pipelines(TARGET))
def test_3_identity_a_pass_does_not_change_the_hash(rewrite, pipeline):
    assert functional_hash(rewrite(pipeline)) == functional_hash(pipeline)


@given(pipelines(TARGET), numbers, st.permutations(["add_checkpoints", "observe"]))
def test_4_order_of_passes_does_not_change_the_entries(pipeline, number, order):
    entries = []
    for names in (order, order[::-1]):
        TARGET.clear()
        rewritten = pipeline
        for name in names:
            rewritten = PASSES[name](rewritten)
        rewritten(number)
        entries.append(dict(TARGET))
    assert entries[0] == entries[1]


@given(pipelines(TARGET), numbers)
def test_5_idempotence(pipeline, number):
    TARGET.clear()
    once = add_checkpoints(pipeline)
    value, entries = once(number), dict(TARGET)
    TARGET.clear()
    assert add_checkpoints(once) is once
    assert (add_checkpoints(once)(number), dict(TARGET)) == (value, entries)


@given(st.lists(st.sampled_from([*LEAVES, checkpoint(TARGET)]), max_size=6), st.data())
def test_6_associativity_nesting_changes_neither_hash_nor_entries(steps, data):
    cut = data.draw(st.integers(0, len(steps)))
    forms = [
        chained(*steps),
        chained(chained(*steps[:cut]), *steps[cut:]),
        chained(*steps[:cut], chained(*steps[cut:])),
        chained(chained(chained(*steps[:cut]), chained(*steps[cut:]))),
    ]
    assert len({functional_hash(form) for form in forms}) == 1
    entries = []
    for form in forms:
        TARGET.clear()
        add_checkpoints(form)(1)
        entries.append(dict(TARGET))
    assert all(entry == entries[0] for entry in entries)


@given(st.lists(st.sampled_from(LEAVES), max_size=6))
def test_6_prefixes_share_their_hashes(steps):
    assert prefix_hashes(steps) == [functional_hash(chained(*steps[: n + 1])) for n in range(len(steps))]


@given(st.integers(1, 4), st.integers(1, 3))
def test_7_economy_a_second_run_restores_only_the_last_value(segments, length):
    target = LoggedTarget()
    before = [Counted(LEAVES[n % 3]) for n in range(segments * length)]
    after = Counted(LEAVES[0])
    parts = []
    for n, step in enumerate(before, start=1):
        parts.append(step)
        if n % length == 0:
            parts.append(checkpoint(target))
    pipeline = add_checkpoints(chained(*parts, after))
    first = pipeline(3)
    target.loads = 0
    assert pipeline(3) == first
    assert [step.calls for step in before] == [1] * len(before)
    assert (after.calls, target.loads) == (2, 1)


HASHED: list = []


class Input:
    @ignore_globals("HASHED")
    def __flowly_hash__(self):
        HASHED.append(self)
        return 1


def test_7_economy_the_input_is_hashed_once():
    steps = [LEAVES[0], checkpoint({}), abs, checkpoint({}), float, checkpoint({})]
    pipeline = add_checkpoints(chained(lambda obj: 1, *steps))
    pipeline(Input())
    HASHED.clear()
    pipeline(Input())
    assert len(HASHED) == 1


@given(pipelines(TARGET))
def test_9_stability_keys_survive_a_pickle_round_trip(pipeline):
    assert functional_hash(pickle.loads(pickle.dumps(pipeline))) == functional_hash(pipeline)
    rewritten = add_checkpoints(pipeline)
    assert functional_hash(pickle.loads(pickle.dumps(rewritten))) == functional_hash(pipeline)


@given(pipelines(TARGET), numbers)
def test_11_a_step_that_raises_leaves_no_entry(pipeline, number):
    TARGET.clear()
    failing = add_checkpoints(chained(lambda n: 1 // 0, pipeline, checkpoint(TARGET)))
    with pytest.raises(ZeroDivisionError):
        failing(number)
    assert not TARGET


@given(st.lists(st.sampled_from(LEAVES), min_size=1, max_size=4), numbers, st.data())
def test_the_loop_over_nested_wrappers_does_what_the_nested_definition_says(steps, number, data):
    """The wrapper's loop is an optimisation; what it must do is what plain nesting does."""
    stored, plain = {}, {}
    transform = chained()
    for position, step in enumerate(steps):
        transform = with_checkpoint(checkpoint(stored, str(position)), chained(transform, step))

    def nested(depth, obj):
        key = (functional_hash(number), str(depth), functional_hash(chained(*steps[: depth + 1])))
        if key not in plain:
            plain[key] = steps[depth](nested(depth - 1, obj) if depth else obj)
        return plain[key]

    for _ in range(2):
        assert transform(number) == nested(len(steps) - 1, number)
        assert stored == plain
        for key in data.draw(st.sets(st.sampled_from(sorted(stored)))):
            del stored[key], plain[key]


@pytest.fixture(scope="module", params=["dict", "disk", "snapshots"])
def kept(request, tmp_path_factory):
    """A target of each kind, made once: hypothesis fills and clears it for every example."""
    if request.param == "disk":
        with closing(DiskTarget(tmp_path_factory.mktemp("laws") / "results")) as target:
            yield target
    else:
        yield {} if request.param == "dict" else Snapshots({})


values = st.recursive(
    st.lists(st.integers(), max_size=3), lambda inner: st.dictionaries(st.text(max_size=2), inner, max_size=3)
)
mutation_is_noticed = pytest.mark.filterwarnings("ignore::flowly_ckpt.errors.MutationWarning")


@mutation_is_noticed
@given(value=values)
def test_12_isolation_changing_what_was_returned_does_not_change_the_next_result(kept, value):
    kept.clear()
    pipeline = add_checkpoints(chained(copy.deepcopy, checkpoint(kept)))
    for _ in range(3):
        returned = pipeline(value)
        assert returned == value
        returned.clear()


@mutation_is_noticed
@given(value=values)
def test_12_isolation_changing_the_argument_does_not_change_the_next_result(kept, value):
    def take(holder):
        return holder

    kept.clear()
    pipeline = add_checkpoints(chained(take, checkpoint(kept)))
    for _ in range(3):
        argument = copy.deepcopy(value)
        assert pipeline(argument) == value
        argument.clear()


@given(items=st.lists(st.integers(), max_size=5))
def test_13_barrier_an_iterator_comes_back_afresh_at_each_hit(kept, items):
    kept.clear()
    step = Counted(iter)
    pipeline = add_checkpoints(chained(step, checkpoint(kept)))
    for _ in range(3):
        returned = pipeline(items)
        assert iter(returned) is returned
        assert list(returned) == items
    assert step.calls == 1
