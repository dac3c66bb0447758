"""Checkpoints: the statements S0.1–S0.15, and the faults of the original that must not come back."""

from __future__ import annotations

import collections
import hashlib
import logging
import pickle
import shelve
import subprocess
import sys
import types
from functools import partial

import pytest
import toolz
from laws import Counted, double, increment

import flowly_ckpt
from flowly_ckpt.checkpoint import (
    add_checkpoints,
    checkpoint,
    clear_checkpoints,
    drop_checkpoints,
    with_checkpoint,
)
from flowly_ckpt.errors import MutationWarning, StoreWarning, UnhashableError, UnreachableWarning
from flowly_ckpt.hashing import functional_hash
from flowly_ckpt.passes import observe
from flowly_ckpt.pipelines import build_dict, chained, itemsetter, kv_valmap, register, seq
from flowly_ckpt.targets import Hashed, Snapshots
from flowly_ckpt.tz import apply as plain_apply
from flowly_ckpt.tz import pipe

apply = partial(plain_apply, rewrites=[add_checkpoints])


def ones(obj):
    return [obj]


def test_S0_1_runs_again_only_if_input_or_code_changed():
    slow, plot, target = Counted(increment), Counted(double), {}
    transform = chained(slow, checkpoint(target=target), plot)
    assert [apply(transform, 1), apply(transform, 1)] == [4, 4]
    assert (slow.calls, plot.calls) == (1, 2)
    apply(transform, 2)
    assert slow.calls == 2
    changed = Counted(double)
    assert apply(chained(changed, checkpoint(target=target), plot), 1) == 4
    assert changed.calls == 1


def test_S0_2_once_per_input_by_content():
    slow = Counted(len)
    transform = chained(slow, checkpoint({}))
    for obj in ([1], [2], [1], [2]):
        apply(transform, obj)
    assert slow.calls == 2


def test_S0_3_a_plain_dict_is_filled():
    results = {}
    apply(chained(increment, checkpoint(target=results), double), 1)
    assert list(results.values()) == [2]
    assert all(isinstance(part, str) for key in results for part in key)


@pytest.mark.filterwarnings("ignore:.*is only a mark here")
def test_S0_4_without_the_pass_a_mark_is_the_identity():
    step, target = Counted(increment), {}
    transform = chained(step, checkpoint(target), double)
    assert [plain_apply(transform, 5), transform(5)] == [12, 12]
    assert (step.calls, target) == (2, {})


def test_S0_5_S0_6_rewrites_by_keyword_position_and_default():
    step, target = Counted(increment), {}
    transform = chained(step, checkpoint(target))
    plain_apply(transform, 1, [add_checkpoints])
    plain_apply(transform, 1, rewrites=[add_checkpoints])
    pipe(1, step, checkpoint(target), rewrites=[add_checkpoints])
    apply(transform, 1)
    assert step.calls == 1
    apply(transform, 1, rewrites=())
    assert step.calls == 2
    assert plain_apply(abs, -1, [lambda f: lambda x: x + 5]) == 4


def cell(source, namespace, number=[0]):  # noqa: B006
    """Run source as a notebook would: in one namespace, each time under another file name."""
    number[0] += 1
    exec(compile(source, f"<ipython-input-{number[0]}>", "exec"), namespace)


@pytest.fixture
def notebook():
    module = types.ModuleType("__main__")
    return vars(module)


def test_S0_7_redefinition_in_a_notebook(notebook):
    target, ran = {}, []
    notebook.update(apply=apply, chained=chained, checkpoint=checkpoint, target=target)
    notebook["note"] = flowly_ckpt.ignore_globals("ran")(lambda: ran.append(1))

    def run(helper="def helper(x): return x + 1", step="def step(x):\n    note()\n    return helper(x)"):
        cell(helper, notebook)
        cell(step, notebook)
        cell("value = apply(chained(step, checkpoint(target)), 1)", notebook)
        return notebook["value"], len(ran)

    notebook["ran"] = ran
    assert run() == (2, 1)
    assert run() == (2, 1), "the same cells again"
    assert run(step="def step(x):\n    # a comment\n\n    note()\n    return helper(x)") == (2, 1)
    assert run(step="def step(x):\n    note()\n    return helper(x) * 10") == (20, 2)
    assert run(helper="def helper(x): return x + 2") == (3, 3)
    assert run() == (2, 3), "back to the beginning"


def test_S0_7_classes_defined_in_a_notebook(notebook):
    target = {}
    notebook.update(apply=apply, chained=chained, checkpoint=checkpoint, target=target)
    source = (
        "class Step:\n    def __call__(self, x): return x + {}\nvalue = apply(chained(Step(), checkpoint(target)), 1)"
    )
    for number, entries in ((1, 1), (1, 1), (2, 2), (1, 2)):
        cell(source.format(number), notebook)
        assert notebook["value"] == 1 + number
        assert len(target) == entries


def test_S0_8_S0_9_results_collect_until_cleared():
    target, first, second = {}, Counted(increment), Counted(double)
    for step in (first, second, first):
        apply(chained(step, checkpoint(target)), 3)
    assert (len(target), first.calls) == (2, 1)
    target.clear()
    apply(chained(first, checkpoint(target)), 3)
    assert first.calls == 2


@pytest.fixture
def populated():
    target = {}
    transform = chained(increment, checkpoint(target, "a"), double, checkpoint(target, "b"))
    apply(transform, 1)
    apply(transform, 2)
    return target, transform


@pytest.mark.parametrize(
    ("criteria", "left"),
    [
        ({}, 0),
        ({"tag": "a"}, 2),
        ({"object": 1}, 2),
        ({"object": 1, "tag": "b"}, 3),
        ({"object": 7}, 4),
        ({"tag": "c"}, 4),
        ({"transform": chained(increment)}, 2),
        ({"transform": chained(increment, double), "object": 2}, 3),
    ],
)
def test_S0_10_clearing_by_criteria(populated, criteria, left):
    target, _ = populated
    assert clear_checkpoints(target, **criteria) == 4 - left
    assert len(target) == left


def test_S0_10_a_whole_pipeline_names_all_its_checkpoints(populated):
    target, transform = populated
    assert clear_checkpoints(target, transform=chained(transform, str), object=1) == 2


def test_S0_10_none_is_an_object_like_any_other():
    target = {}
    for obj in (None, 1):
        apply(chained(ones, checkpoint(target)), obj)
    assert clear_checkpoints(target, object=None) == 1
    assert len(target) == 1


def test_S0_10_literal_keys_and_foreign_keys():
    target = {("a", "b", "c"): 1, ("a", "d", "c"): 2, "mine": 3, ("two", "b"): 4}
    assert clear_checkpoints(target, tag="b") == 1
    assert set(target) == {("a", "d", "c"), "mine", ("two", "b")}
    with pytest.raises(ValueError, match="keeps no times"):
        clear_checkpoints(target, older_than=1)


def test_S0_11_with_checkpoint_by_itself():
    target, step = {}, Counted(increment)
    keep = with_checkpoint(checkpoint(target, "t"), step)
    assert [keep(1), keep(1), step.calls] == [2, 2, 1]
    assert target == {(functional_hash(1), "t", functional_hash(step)): 2}


def test_S0_12_nested_as_documented():
    one, two = checkpoint({}, "1"), checkpoint({}, "2")
    f, g, h = abs, float, str
    assert add_checkpoints(chained(f, f, one, g, two, h)) == chained(
        with_checkpoint(two, chained(with_checkpoint(one, chained(f, f)), g)), h
    )
    assert add_checkpoints(chained(one, f)) == chained(with_checkpoint(one, chained()), f)
    assert add_checkpoints(chained(f, chained(g, one, h), two)) == add_checkpoints(chained(f, g, one, h, two))
    assert add_checkpoints(chained()) == chained()


def test_S0_12_only_what_changed_after_the_first_checkpoint_runs():
    target, load, clean = {}, Counted(increment), Counted(double)
    apply(chained(load, checkpoint(target), clean, checkpoint(target)), 3)
    assert apply(chained(load, checkpoint(target), Counted(abs), checkpoint(target)), 3) == 4
    assert (load.calls, clean.calls) == (1, 1)


class Minimal(collections.abc.MutableMapping):
    def __init__(self):
        self.kept = {}

    def __getitem__(self, key):
        return self.kept[key]

    def __setitem__(self, key, value):
        self.kept[key] = value

    def __delitem__(self, key):
        del self.kept[key]

    def __iter__(self):
        return iter(self.kept)

    def __len__(self):
        return len(self.kept)


class Shelf(Minimal):
    def __init__(self, path):
        self.kept = shelve.open(path)  # noqa: SIM115  closed by the test

    def __getitem__(self, key):
        return self.kept["/".join(key)]

    def __setitem__(self, key, value):
        self.kept["/".join(key)] = value

    def __iter__(self):
        return (tuple(key.split("/")) for key in self.kept)


@pytest.mark.parametrize("make", [dict, collections.OrderedDict, Minimal, "shelf"])
def test_S0_13_any_mapping(make, tmp_path):
    if make == "shelf":
        pytest.importorskip("dbm")
    target = Shelf(str(tmp_path / "shelf")) if make == "shelf" else make()
    step = Counted(ones)
    transform = chained(step, checkpoint(target))
    assert [apply(transform, 1), apply(transform, 1)] == [[1], [1]]
    assert (step.calls, len(target)) == (1, 1)
    if make == "shelf":
        target.kept.close()


def test_S0_14_tags_and_the_log(caplog):
    target = {}
    transform = chained(increment, checkpoint(target, "one"), checkpoint(target, "two"))
    with caplog.at_level(logging.INFO, "flowly_ckpt"):
        apply(transform, 1)
        apply(transform, 1)
    assert sorted(key[1] for key in target) == ["one", "two"]
    messages = [record.getMessage() for record in caplog.records]
    assert messages[0].startswith("compute, then store object at 'one' (key (")
    assert messages[-1].startswith("restore object at 'two' (key (")
    assert {record.name for record in caplog.records} == {"flowly_ckpt"}


LOGGED = """
import sys
from flowly_ckpt import chained, checkpoint, run
from flowly_ckpt.logs import INFO, WARNING, heard
pipeline = chained(abs, checkpoint({}, tag="first"), checkpoint({}, tag="last"))
run(pipeline, -1)
assert heard(INFO) is None and "logging" not in sys.modules
heard(WARNING).warning("shown without handlers")
import logging
run(pipeline, -1)
logging.basicConfig(level="INFO", format="%(filename)s %(message).25s")
run(pipeline, -1)
"""


def test_the_log_is_heard_by_who_asks_for_it_after_the_first_run():
    done = subprocess.run([sys.executable, "-c", LOGGED], capture_output=True, text=True, check=True)
    assert done.stderr.splitlines() == ["shown without handlers", "recall.py restore object at 'last' "]


@pytest.mark.parametrize(
    ("around", "obj"),
    [
        (lambda f: build_dict(a=f), 1),
        (lambda f: seq(f, abs), 1),
        (lambda f: itemsetter(b=chained(len, f)), {"a": 1}),
        (lambda f: kv_valmap(f), [("k", 1)]),
        (lambda f: chained(toolz.curried.map(f), list), [1]),
        (lambda f: toolz.compose(str, f), 1),
        (lambda f: toolz.juxt(f, f), 1),
        (lambda f: chained(partial(map, f), list), [1]),
        (lambda f: toolz.excepts(ValueError, f, str), 1),
        (lambda f: observe(lambda event: None)(chained(f)), 1),
    ],
)
def test_S0_15_marks_inside_every_combinator_are_reached(around, obj):
    target, step = {}, Counted(increment)
    transform = around(chained(step, checkpoint(target)))
    assert apply(transform, obj) == apply(transform, obj)
    assert len(target) == 1
    assert step.calls == 1


def test_S0_15_a_mark_inside_compose_stands_in_its_order():
    target, first, second = {}, Counted(increment), Counted(double)
    transform = toolz.compose(second, checkpoint(target), first)
    assert [apply(transform, 1), apply(transform, 1)] == [4, 4]
    assert (first.calls, second.calls, list(target.values())) == (1, 2, [2])


class Box:
    def __init__(self, inner):
        self.inner = inner

    def __call__(self, obj):
        return self.inner(obj)


class Service:
    def __init__(self, inner):
        self.inner = inner

    def run(self, obj):
        return self.inner(obj)

    def apply(self, obj):
        return apply(self.inner, obj)


HIDING = [
    Box,
    lambda inner: lambda x: inner(x),
    lambda inner: lambda x, inner=inner: inner(x),
    lambda inner: Box([{"deep": inner}]),
    lambda inner: Service(inner).run,
    lambda inner: partial(lambda inner, x: inner[0](x), [inner]),
]


@pytest.mark.parametrize("hide", HIDING)
def test_S0_15_a_mark_no_pass_can_reach_is_reported(hide):
    inner = chained(increment, checkpoint({}, "lost"))
    with pytest.warns(UnreachableWarning, match=r"checkpoint\(tag='lost'\) is hidden in"):
        add_checkpoints(chained(hide(inner), abs))


def test_S0_15_a_step_that_applies_passes_itself_is_no_reason_to_warn():
    target = {}
    inner = chained(increment, checkpoint(target))
    assert apply(chained(lambda x: apply(inner, x), abs), 1) == 2
    assert apply(chained(Service(inner).apply, abs), 2) == 3
    assert len(target) == 2


def test_S0_15_foreign_combinators_join_by_methods_or_by_register():
    class Twice:
        def __init__(self, inner):
            self.inner = inner

        def __call__(self, obj):
            return self.inner(self.inner(obj))

        def __flowly_children__(self):
            return [self.inner]

        def __flowly_rebuild__(self, parts):
            return type(self)(*parts)

    class Joined(Box):
        pass

    register(Joined, lambda box: [box.inner], lambda box, parts: Joined(*parts))
    for kind, entries in ((Twice, 2), (Joined, 1)):
        target = {}
        transform = kind(chained(increment, checkpoint(target)))
        apply(transform, 1)
        assert len(target) == entries
        assert functional_hash(add_checkpoints(transform)) == functional_hash(transform)


def test_iterators_are_materialised_and_handed_out_afresh():
    transform = chained(toolz.curried.map(increment), checkpoint({}), list)
    assert [apply(transform, [1, 2]), apply(transform, [1, 2])] == [[2, 3], [2, 3]]


def test_an_iterator_that_is_not_at_the_end_of_a_result_is_not_stored():
    target = {}
    with pytest.warns(StoreWarning, match="did not store"):
        value = apply(chained(lambda n: {"items": iter([n])}, checkpoint(target)), 1)
    assert (list(value["items"]), target) == ([1], {})


def test_an_iterator_as_input_is_refused_unread():
    source = iter([1, 2])
    with pytest.raises(UnhashableError):
        apply(chained(list, checkpoint({})), source)
    assert list(source) == [1, 2]


def test_a_changed_result_is_noticed_reported_and_computed_again():
    step = Counted(ones)
    transform = chained(step, checkpoint({}, "list"))
    apply(transform, 1).append("changed")
    with pytest.warns(MutationWarning, match="'list' was changed in place"):
        assert apply(transform, 1) == [1]
    assert step.calls == 2
    assert apply(transform, 1) == [1]
    assert step.calls == 2


def test_a_step_that_changes_the_stored_value_in_place_is_noticed():
    def append(values):
        values.append(0)
        return values

    transform = chained(ones, checkpoint({}), append)
    assert apply(transform, 1) == [1, 0]
    with pytest.warns(MutationWarning):
        assert apply(transform, 1) == [1, 0]


def test_a_step_that_changes_its_argument_is_keyed_by_what_came_in():
    def drain(values):
        return [values.pop() for _ in range(len(values))]

    transform = chained(drain, checkpoint({}))
    with pytest.warns(MutationWarning, match="drain' changed its input in place, which a run that restores"):
        first = apply(transform, [1, 2])
    assert [first, apply(transform, [1, 2])] == [[2, 1], [2, 1]]


def test_keys_do_not_depend_on_the_target():
    one, two = {}, {}
    for target in (one, two):
        apply(chained(increment, checkpoint(target), double, checkpoint(target)), 1)
    assert one == two


def test_adding_moving_or_removing_a_mark_keeps_what_is_stored():
    target, f, g = {}, Counted(increment), Counted(double)
    apply(chained(f, g, checkpoint(target)), 1)
    apply(chained(f, checkpoint({}), g, checkpoint(target)), 1)
    assert (f.calls, g.calls) == (1, 1)


def test_early_cutoff_stops_where_an_edit_gives_an_equal_value():
    target, late = {}, Counted(double)
    cutoff = partial(add_checkpoints, early_cutoff=True)

    def run(first, rewrite):
        return plain_apply(chained(first, checkpoint(target, "a"), late, checkpoint(target, "b")), 3, [rewrite])

    assert run(lambda n: n + 1, cutoff) == 8
    assert run(lambda n: 1 + n, cutoff) == 8
    assert late.calls == 1
    assert run(lambda n: n - -1, add_checkpoints) == 8
    assert late.calls == 2, "without it, what follows an edit runs again"


def test_drop_checkpoints_takes_marks_and_wrappers_out():
    transform = chained(increment, checkpoint({}), build_dict(a=chained(double, checkpoint({}))))
    plain = chained(increment, build_dict(a=chained(double)))
    assert functional_hash(drop_checkpoints(transform)) == functional_hash(plain)
    assert drop_checkpoints(add_checkpoints(transform))(1) == plain(1)
    assert "checkpoint" not in repr(drop_checkpoints(add_checkpoints(transform)))


def test_thousands_of_checkpoints_are_no_stack_problem():
    target = {}
    parts = [part for _ in range(2000) for part in (increment, checkpoint(target))]
    rewritten = add_checkpoints(chained(*parts))
    assert [rewritten(0), rewritten(0), len(target)] == [2000, 2000, 2000]
    assert add_checkpoints(rewritten) is rewritten
    assert drop_checkpoints(rewritten)(1) == 2001
    assert rewritten == add_checkpoints(chained(*parts))
    assert hash(rewritten) == hash(add_checkpoints(chained(*parts)))
    assert len(repr(rewritten)) < 1000
    assert functional_hash(rewritten) == functional_hash(chained(*parts))
    copy = pickle.loads(pickle.dumps(drop_checkpoints(rewritten)))
    assert copy == drop_checkpoints(rewritten)


def test_a_rewritten_pipeline_of_thousands_can_be_sent_to_another_process():
    parts = [part for _ in range(2000) for part in (increment, checkpoint({}))]
    assert pickle.loads(pickle.dumps(add_checkpoints(chained(*parts))))(0) == 2000


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        (lambda: checkpoint(5), "target must be a mutable mapping, got int"),
        (lambda: checkpoint({}, tag=3), "tag must be a string, got int"),
        (lambda: with_checkpoint(abs, checkpoint({})), "the checkpoint comes first, then the transform"),
        (lambda: with_checkpoint(checkpoint({}), 5), r"with_checkpoint\(checkpoint\(\), 5\)"),
        (lambda: chained(abs, 5), "step 2 of 2 is 5, which cannot be called"),
    ],
)
def test_wrong_arguments_are_told_at_once(wrong, message):
    with pytest.raises(TypeError, match=message):
        wrong()


def test_a_target_may_ask_for_keys_of_another_hash_function():
    keyed = partial(hashlib.blake2b, digest_size=16, key=b"ours")
    plain, results = {}, {}
    step = Counted(increment)
    transform = chained(step, checkpoint(plain), double, checkpoint(Snapshots(Hashed(results, keyed)), "shared"))
    assert [apply(transform, 1), apply(transform, 1)] == [4, 4]
    assert step.calls == 1
    assert list(plain) == [(functional_hash(1), "<untagged>", functional_hash(step))]
    assert list(results) == [
        (functional_hash(1, hasher=keyed), "shared", functional_hash(chained(step, double), hasher=keyed))
    ]
    assert clear_checkpoints(Hashed(results, keyed), object=1, transform=transform) == 1


def test_nested_checkpoints_have_keys_of_their_own_hash_function_also_before_the_first_step():
    keyed = partial(hashlib.blake2b, digest_size=16, key=b"ours")
    given, plain, results = {}, {}, {}
    marks = checkpoint(Hashed(given, keyed), "t"), checkpoint(plain, "t"), checkpoint(Hashed(results, keyed), "t")
    transform = add_checkpoints(chained(marks[0], increment, marks[1], double, marks[2]))
    objects = range(6)
    for obj in objects:
        transform(obj)
    for target, steps, hasher in (
        (given, (), keyed),
        (plain, (increment,), None),
        (results, (increment, double), keyed),
    ):
        hashed = partial(functional_hash, hasher=hasher)
        assert list(target) == [(hashed(obj), "t", hashed(chained(*steps))) for obj in objects]


def test_a_wrapper_right_around_another_applies_nothing_twice():
    inner = with_checkpoint(checkpoint({}, "inner"), lambda n: n + 1)
    assert with_checkpoint(checkpoint({}, "outer"), inner)(1) == 2


class Changing:
    """A transform of a user's own, whose parts are changed in place."""

    def __init__(self, *funcs):
        self.funcs = list(funcs)

    def __call__(self, obj):
        return [func(obj) for func in self.funcs]

    def __flowly_children__(self):
        return tuple(self.funcs)

    def __flowly_rebuild__(self, parts):
        return Changing(*parts)


@pytest.mark.parametrize(
    ("inner", "change"),
    [
        (lambda: Changing(abs), lambda inner: inner.funcs.append(float)),
        (lambda: Changing(), lambda inner: inner.funcs.append(float)),
        (lambda: build_dict(a=abs), lambda inner: inner.funcs.update(a=float)),
        (lambda: chained(abs, float), lambda inner: setattr(inner, "funcs", (str,))),
        (lambda: chained(Changing(abs), float), lambda inner: inner.funcs[0].funcs.append(float)),
    ],
)
def test_a_pipeline_that_is_changed_in_place_is_rewritten_anew(inner, change):
    part = inner()
    pipeline = chained(abs, part, checkpoint({}), repr)
    before = add_checkpoints(pipeline)
    assert add_checkpoints(pipeline) is before, "nothing has changed"
    change(part)
    after = add_checkpoints(pipeline)
    assert after is not before
    assert functional_hash(after) == functional_hash(pipeline)
