"""Pipelines as plain data: terms, combinators, strategies, and the notes on exceptions."""

from __future__ import annotations

import copy
import pickle
import sys
from functools import partial
from operator import add

import pytest
import toolz

from flowly_ckpt import tz
from flowly_ckpt.checkpoint import add_checkpoints, checkpoint, with_checkpoint
from flowly_ckpt.errors import UnreachableWarning
from flowly_ckpt.pipelines import (
    bottom_up,
    chained,
    children,
    effective_steps,
    flatten,
    leaves,
    map_children,
    on,
    rebuild,
    role,
    show,
    top_down,
    walk,
    when,
)


def first(x):
    return x + 1


def normalize(x):
    raise ValueError("no zeros, please")


EVERY = [
    (tz.chained(abs, str), -1, "1"),
    (tz.seq(abs, str), -1, [1, "-1"]),
    (tz.build_dict(a=abs, b=str), -1, {"a": 1, "b": "-1"}),
    (tz.build_dict({("k", 1): abs}), -1, {("k", 1): 1}),
    (tz.itemsetter(b=len), {"a": 1}, {"a": 1, "b": 1}),
    (tz.itemsetter(a=len, b=lambda d: d["a"]), {"a": 5}, {"a": 1, "b": 5}),
    (tz.apply_concat(sorted, list), [2, 1], [1, 2, 2, 1]),
    (tz.apply_concat([sorted, list]), [2, 1], [1, 2, 2, 1]),
    (tz.apply_map_concat(abs, str), [-1, 2], [1, 2, "-1", "2"]),
    (tz.groupby(abs), [1, -1, 2], [(1, [1, -1]), (2, [2])]),
    (tz.reduceby(abs, add), [1, -1, 2], [(1, 0), (2, 2)]),
    (tz.reduceby(abs, add, 10), [1, -1, 2], [(1, 10), (2, 12)]),
    (tz.reduction(sum), [1, 2], 3),
    (tz.reduction(len, sum), [1, 2], 2),
    (tz.reduction(len), [1, 2], 2),
    (tz.reduction(None, sum), iter([1, 2]), 3),
    (tz.reductionby(abs, len, sum), [1, -1, 2], [(1, 2), (2, 1)]),
    (tz.reductionby(abs, len), [1, -1, 2], [(1, 2), (2, 1)]),
    (tz.reductionby(abs, None, sum), [1, -1, 2], [(1, 0), (2, 2)]),
    (tz.aggregate(n=len, total=sum), iter([1, 2]), {"n": 2, "total": 3}),
    (
        tz.aggregate({"v": [min, max], "w": len}),
        [{"v": 3, "w": 1}],
        {("v", "min"): 3, ("v", "max"): 3, ("w", "len"): 1},
    ),
    (tz.frequencies, "aba", [("a", 2), ("b", 1)]),
    (tz.each(abs), iter([-1, 2]), [1, 2]),
    (tz.attempt(abs), (-1, 2), [1, 2]),
    (tz.kv_keymap(str), [(1, 2)], [("1", 2)]),
    (tz.kv_valmap(str), [(1, 2)], [(1, "2")]),
    (tz.kv_map(str, float), [(1, 2)], [("1", 2.0)]),
    (tz.kv_mapcat(str.split), [("a", "x y")], [("a", "x"), ("a", "y")]),
    (tz.kv_valmap(str), {"ab": 1}, [("ab", "1")]),
    (tz.kv_reductionby(len), {"ab": 1}, [("ab", 1)]),
    (tz.kv_reductionby(None, sum), [("a", 1), ("a", 3)], [("a", 4)]),
    (tz.collect, [("a", 1), ("b", 2), ("a", 3)], [("a", [1, 3]), ("b", [2])]),
    (tz.kv_aggregateby({"v": [min]}), [("a", {"v": 1})], [("a", {("v", "min"): 1})]),
    (tz.tupled(add), (1, 2), 3),
    (tz.kv_reduceby(add), [("a", 1), ("b", 2), ("a", 3)], [("a", 4), ("b", 2)]),
    (tz.kv_reduceby(add, 10), [("a", 1), ("a", 3)], [("a", 14)]),
    (tz.kv_reductionby(len, sum), [("a", 1), ("a", 3)], [("a", 2)]),
    (tz.kv_aggregateby(n=len, top=max), [("a", 1), ("a", 3)], [("a", {"n": 2, "top": 3})]),
]


@pytest.mark.parametrize(("transform", "obj", "expected"), EVERY, ids=[show(case[0]) for case in EVERY])
def test_what_each_combinator_computes(transform, obj, expected):
    assert transform(obj) == expected


@pytest.mark.parametrize("transform", [case[0] for case in EVERY if role(case[0]) != "leaf"], ids=show)
def test_each_combinator_comes_apart_and_together(transform):
    assert rebuild(transform, children(transform)) == transform
    assert map_children(lambda f: f, transform) is transform
    assert hash(copy.copy(transform)) == hash(transform)
    if "lambda" not in repr(transform):
        assert pickle.loads(pickle.dumps(transform)) == transform
    changed = rebuild(transform, [float] * len(children(transform)))
    assert type(changed) is type(transform)
    assert (changed == transform) is (not children(transform))


def test_chained_is_plain_data():
    chain = chained(abs, float)
    assert chain.funcs == (abs, float)
    assert list(chain) == [abs, float]
    assert chain + chained(str) == chained(abs, float, str)
    assert repr(chain) == "chained(abs, float)"
    assert chained()(5) == 5
    assert chain != chained(float, abs)
    assert len({chained(abs), chained(abs)}) == 1
    with pytest.raises(TypeError):
        chain + abs


def test_a_step_that_cannot_be_called_is_told_at_once():
    with pytest.raises(TypeError, match="chained: step 2 of 3 is 'b', which cannot be called"):
        chained(abs, "b", str)
    with pytest.raises(TypeError, match="build_dict: 'a' is 5"):
        tz.build_dict(a=5)
    with pytest.raises(TypeError, match="must be given by name"):
        tz.build_dict(abs)


class Wild:
    """Looks like neither: not ours, no methods."""

    def __call__(self, x):
        return x


@pytest.mark.parametrize(
    ("transform", "expected"),
    [
        (abs, "leaf"),
        (int, "leaf"),
        (Wild(), "leaf"),
        (chained(), "sequential"),
        (toolz.compose(abs, str), "sequential"),
        (toolz.juxt(abs), "combinator"),
        (checkpoint({}), "mark"),
        (add_checkpoints(checkpoint({})), "transparent"),
    ],
)
def test_roles(transform, expected):
    assert role(transform) == expected


def test_partial_and_curry_are_made_of_the_terms_among_their_arguments():
    inner = chained(abs)
    for bound in (partial(map, inner), toolz.curried.map(inner), partial(inner), partial(map, f=inner)):
        assert list(children(bound)) == [inner]
        other = rebuild(bound, [chained(str)])
        assert type(other) is type(bound)
        assert list(children(other)) == [chained(str)]
    assert list(children(partial(map, abs))) == []


def test_effective_steps_are_flat():
    term = chained(abs, checkpoint({}), chained(str, toolz.compose(len, str)), tz.seq(chained(abs)))
    assert effective_steps(add_checkpoints(term)) == effective_steps(term) == [abs, str, str, len, tz.seq(chained(abs))]


def test_walk_meets_everything_outermost_first():
    term = chained(abs, tz.seq(float))
    assert list(walk(term)) == [term, abs, tz.seq(float), float]


class Asked:
    """A step made of a step, which counts how often it is asked for it."""

    def __init__(self, inner, counts):
        self.inner, self.counts = inner, counts

    def __call__(self, x):
        return self.inner(x)

    def __flowly_children__(self):
        self.counts.append(self)
        return (self.inner,)

    def __flowly_rebuild__(self, parts):
        return Asked(*parts, self.counts)


@pytest.mark.parametrize("rewrite", [add_checkpoints, flatten, leaves(lambda f: f), lambda term: list(walk(term))])
@pytest.mark.parametrize("marks", [(), (checkpoint({}),)], ids=["plain", "marked"])
def test_a_pass_asks_each_transform_for_its_parts_once(rewrite, marks):
    counts = []
    term = chained(Asked(chained(Asked(abs, counts), *marks), counts), chained(Asked(str, counts)))
    rewrite(term)
    assert len(counts) == len(set(map(id, counts))) == 3


def test_rewriting_a_short_pipeline_takes_few_calls():
    pipeline, calls = chained(first, abs, checkpoint({})), []
    add_checkpoints(pipeline)
    before = sys.getprofile()
    sys.setprofile(lambda frame, event, argument: calls.append(frame) if event == "call" else None)
    try:
        add_checkpoints(pipeline)
    finally:
        sys.setprofile(before)
    assert len(calls) <= 25


def swap(transform):
    return int if transform is float else transform


@pytest.mark.parametrize("strategy", [bottom_up, top_down, leaves])
def test_strategies_apply_a_rule_everywhere_and_keep_what_does_not_change(strategy):
    term = chained(float, tz.build_dict(a=toolz.juxt(float, abs)), toolz.curried.map(chained(float)))
    changed = strategy(swap)(term)
    assert float not in list(walk(changed))
    assert strategy(swap)(changed) is changed


def test_leaves_leave_marks_bare():
    mark = checkpoint({})
    assert leaves(lambda leaf: str)(chained(abs, mark)) == chained(str, mark)


def test_when_and_on_choose_where():
    term = chained(abs, chained(float))
    assert bottom_up(on(chained, lambda c: chained(*c, str)))(term) == chained(abs, chained(float, str), str)
    assert bottom_up(when(lambda t: t is abs, lambda t: str))(term) == chained(str, chained(float))


def test_flatten_joins_chains_in_chains_only():
    assert flatten(chained(abs, chained(float, chained()), tz.seq(chained(str)))) == chained(
        abs, float, tz.seq(chained(str))
    )


FAILING = {
    "flat": chained(first, first, normalize, abs),
    "nested": chained(first, chained(first, chained(normalize)), abs),
    "marked": chained(first, checkpoint({}), first, checkpoint({}), normalize, abs),
    "compose": chained(toolz.compose(first, first), normalize, abs),
}


@pytest.mark.parametrize("rewrites", [[], [add_checkpoints], [partial(add_checkpoints, early_cutoff=True)]])
@pytest.mark.parametrize("transform", FAILING.values(), ids=FAILING)
def test_an_exception_arrives_unchanged_with_a_note_where(transform, rewrites):
    with pytest.raises(ValueError, match="no zeros") as caught:
        tz.apply(transform, 1, rewrites)
    assert caught.value.args == ("no zeros, please",)
    assert caught.value.__notes__ == ["in step 3 of 4, normalize, of chained(first, first, normalize, abs)"]


def test_what_a_mark_raises_is_told_by_the_step_before_it():
    with pytest.raises(UnreachableWarning, match="only a mark") as caught:
        chained(abs, chained(str, checkpoint({}, "told by the step before")), len)(-5)
    assert caught.value.__notes__ == ["in step 2 of 3, str, of chained(abs, str, len)"]


def test_notes_lead_from_the_inside_out():
    transform = chained(first, tz.build_dict(a=chained(abs, normalize)))
    with pytest.raises(ValueError, match="no zeros") as caught:
        transform(1)
    assert caught.value.__notes__ == [
        "in step 2 of 2, normalize, of chained(abs, normalize)",
        "in step 2 of 2, build_dict(a=chained(…)), of chained(first, build_dict(…))",
    ]


def test_a_long_chain_has_a_short_note():
    with pytest.raises(ValueError, match="no zeros") as caught:
        chained(*[first] * 1000, normalize)(1)
    assert caught.value.__notes__ == [
        "in step 1001 of 1001, normalize, of chained(first, first, first, first, first, …)"
    ]


def train(x, C=1.0):
    """Fit a model."""
    return x


def test_a_pipeline_reads_as_it_is_written():
    fit = partial(train, C=0.1)
    pipeline = chained(abs, checkpoint({}, tag="clean"), fit, toolz.curry(train)(C=2), toolz.curried.map(chained(fit)))
    assert repr(pipeline) == (
        "chained(abs, checkpoint(tag='clean'), train(C=0.1), train(C=2), map(chained(train(C=0.1))))"
    )
    assert show(partial(train, "x" * 1000)).startswith("train('xxx")
    assert len(show(partial(train, "x" * 1000))) < 50


def test_a_kept_function_is_known_by_its_own_name():
    kept = with_checkpoint(checkpoint({}), train)
    assert (kept.__name__, kept.__qualname__, kept.__doc__) == ("train", "train", "Fit a model.")
    assert with_checkpoint.__doc__.startswith("Apply a transform, or return")
    assert copy.copy(kept).__name__ == pickle.loads(pickle.dumps(kept)).__name__ == "train"
    assert not hasattr(with_checkpoint(checkpoint({}), chained(abs, str)), "__name__")
    with pytest.raises(AttributeError, match="'with_checkpoint' object has no attribute 'named'"):
        kept.named


def test_a_kept_function_is_shown_and_compared_with_its_checkpoint():
    rows, other = checkpoint({}, "rows"), checkpoint({}, "other")
    assert repr(with_checkpoint(rows, train)) == "with_checkpoint(checkpoint(tag='rows'), train)"
    assert with_checkpoint(rows, train) == with_checkpoint(rows, train) != with_checkpoint(other, train)
