"""The toolkit as the seed has it: each name of flowly's, and what it computes there."""

from __future__ import annotations

import itertools
import logging
from functools import partial
from operator import add

import pytest
import toolz

from flowly_ckpt import add_checkpoints, apply, chained, checkpoint, drop_checkpoints, functional_hash, tz
from flowly_ckpt.pipelines import children, rebuild

ROWS = [{"a": 1, "b": 2}, {"a": 3, "b": 4}]
KEYED = [("x", 1), ("y", 2), ("x", 3)]


def halves(n):
    return [n / 2, n / 2]


@pytest.mark.parametrize(
    ("found", "expected"),
    [
        (
            lambda: chained(tz.groupby(lambda s: s[:2]), tz.kv_valmap(len))(["abc", "abd", "xyz"]),
            [("ab", 2), ("xy", 1)],
        ),
        (lambda: tz.kv_valmap(len)({"ab": "x", "cd": "yy"}), [("ab", 1), ("cd", 2)]),
        (lambda: tz.kv_keymap(len)({"abc": 1}), [(3, 1)]),
        (lambda: tz.kv_reduceby(add)({"ab": 1}), [("ab", 1)]),
        (lambda: tz.kv_aggregateby(n=len)({"ab": 1}), [("ab", {"n": 1})]),
        (lambda: tz.kv_reductionby(len)(KEYED), [("x", 2), ("y", 1)]),
        (lambda: tz.kv_reductionby(None, sum)(KEYED), [("x", 4), ("y", 2)]),
        (lambda: tz.reduction(None, len)([1, 2, 3]), 3),
        (lambda: tz.reductionby(abs, None, sum)([1, -1, 2]), [(1, 0), (2, 2)]),
        (lambda: tz.aggregate({"a": [min, max], "b": sum})(ROWS), {("a", "min"): 1, ("a", "max"): 3, ("b", "sum"): 6}),
        (lambda: tz.kv_aggregateby({"a": [max]})([("x", row) for row in ROWS]), [("x", {("a", "max"): 3})]),
        (lambda: tz.seq(1, 2), [1, 2]),
        (lambda: tz.seq([1], [2]), [[1], [2]]),
        (lambda: tz.seq([1]), [[1]]),
        (lambda: tz.sliced(itertools.count(), 2), [0, 1]),
        (lambda: tz.get_all_items("a", "b")(iter(ROWS)), ([1, 3], [2, 4])),
        (lambda: tz.get_all_optional_items(None, "b")(iter(ROWS)), (None, [2, 4])),
        (lambda: tz.tupled(add)((1, 2)), 3),
    ],
)
def test_what_it_computes(found, expected):
    assert found() == expected


@pytest.mark.parametrize(
    ("transform", "expected"),
    [
        (toolz.curried.map(lambda x: -x), [("x", -1), ("y", -2), ("x", -3)]),
        (partial(map, abs), KEYED),
        (toolz.curried.reduce(add), [("x", 4), ("y", 2)]),
        (tz.reduction(None, list), [("x", [1, 3]), ("y", [2])]),
        (tz.reduction(len, sum), [("x", 2), ("y", 1)]),
        (tz.aggregate(n=len), [("x", {"n": 2}), ("y", {"n": 1})]),
        (toolz.curried.mapcat(halves), [("x", 0.5), ("x", 0.5), ("y", 1.0), ("y", 1.0), ("x", 1.5), ("x", 1.5)]),
        (chained(toolz.curried.map(halves), toolz.concat, tz.reduction(sum)), [("x", 4.0), ("y", 2.0)]),
        (chained(toolz.curried.map(halves), itertools.chain.from_iterable, tz.reduction(len)), [("x", 4), ("y", 2)]),
    ],
)
def test_a_transform_of_values_becomes_one_of_pairs(transform, expected):
    assert tz.kv_transform(transform)(KEYED) == expected


def test_what_has_no_meaning_for_pairs_is_refused():
    with pytest.raises(ValueError, match=r"kv_transform does not know what 'sorted' means.*kv_valmap\(sorted\)"):
        tz.kv_transform(chained(tz.reduction(sum), sorted))


def test_two_functions_of_one_name_for_a_key_are_refused():
    with pytest.raises(ValueError, match="two functions"):
        tz.aggregate({"a": [lambda values: 1, lambda values: 2]})
    with pytest.raises(TypeError, match="'a' is 5; give a function, or a list of them"):
        tz.aggregate({"a": 5})


def test_a_part_left_out_is_no_child_and_stays_out():
    for transform in (tz.reduction(sum), tz.reductionby(abs, None, sum), tz.kv_reductionby(sum)):
        assert None not in children(transform)
        assert rebuild(transform, children(transform)) == transform
    assert functional_hash(tz.reduction(sum)) != functional_hash(tz.reduction(sum, sum))


def test_checkpoints_are_found_in_all_of_them():
    target = {}
    mark = checkpoint(target)
    pipelines = [
        (tz.aggregate({"a": [chained(sum, mark)]}), ROWS),
        (tz.kv_transform(chained(toolz.curried.map(chained(abs, mark)))), KEYED),
        (tz.reduction(chained(sum, mark)), [1, 2]),
        (tz.tupled(chained(abs, mark)), (7,)),
    ]
    for number, (pipeline, obj) in enumerate(pipelines):
        before = len(target)
        assert apply(pipeline, obj, rewrites=[add_checkpoints]) == drop_checkpoints(pipeline)(obj), number
        assert len(target) > before


class TestOptional:
    def test_a_value_or_another(self):
        assert +tz.optional(3).or_else(5) == 3
        assert +tz.optional().or_else(5) == 5
        assert tz.optional(tz.optional(3)) == tz.optional(3)
        assert +tz.optional(None).or_else_call(lambda x: x + 1, 1) == 2
        assert +tz.optional(0).or_else_call(lambda: 1) == 0

    def test_transform_needs_a_value_and_pipe_does_not(self):
        assert +tz.optional(3).transform(add, 1) == 4
        assert tz.optional(None).transform(add, 1) == tz.Nothing()
        assert +tz.optional(None).pipe(lambda x: [x]) == [None]
        assert +tz.optional(3).pipe() == 3

    def test_all_and_any(self):
        assert +tz.optional.all(1, 2) == [1, 2]
        assert tz.optional.all(1, None) == tz.Nothing()
        assert +tz.optional.any(None, 2) == 2
        assert tz.optional.any(None, None) == tz.Nothing()

    def test_what_is_missing_is_told(self):
        with pytest.raises(ValueError, match="there is no value"):
            tz.optional(None).get()
        assert repr(tz.not_none(3)) == "Just(3)"


class TestTryCall:
    def test_a_result_or_a_way_out(self):
        assert +tz.try_call(int, "7").then(add, 1) == 8
        assert +tz.try_call(int, "x").then(add, 1).recover(lambda error: 0) == 0
        assert tz.try_call.of(tz.Success(1)) == tz.Success(1)
        with pytest.raises(ValueError, match="'x'"):
            tz.try_call(int, "x").get()

    def test_all_and_any(self):
        failed = tz.try_call(tz.raise_, ValueError, "no")
        assert +tz.try_call.all(tz.Success(1), 2) == [1, 2]
        assert +tz.try_call.any(failed, 2) == 2
        for outcome in (tz.try_call.all(failed, 1), tz.try_call.any(failed)):
            with pytest.raises(ValueError, match="calls failed") as caught:
                outcome.get()
            assert caught.value.__cause__ is failed.exception


def test_what_is_printed(capsys):
    tz.printf("{:.0%} of {what}", 0.5, what="all")
    tz.printf()
    tz.printf.wrap("word " * 20)
    tz.printf.wrap()
    assert (tz.show | 42) == 42 == (tz.show % "<{}>" | 42) == chained(tz.show)(42)
    lines = capsys.readouterr().out.splitlines()
    assert lines[:2] == ["50% of all", ""]
    assert max(map(len, lines)) <= 80
    assert lines[-3:] == ["42", "<42>", "42"]


def test_what_is_timed(caplog):
    with caplog.at_level(logging.DEBUG), tz.timed():
        pass
    with caplog.at_level(logging.DEBUG), pytest.raises(KeyError), tz.timed("100%", level=logging.DEBUG):
        raise KeyError
    assert [record.name for record in caplog.records] == [__name__] * 2
    assert [record.levelno for record in caplog.records] == [logging.INFO, logging.DEBUG]
    assert caplog.messages[0].startswith("took ")
    assert caplog.messages[1].startswith("100% took ")


def test_where_it_differs_from_flowly():
    """As the page says: lists, the order of apply_map_concat, each item of itemsetter from what came, no hints."""
    assert tz.kv_keymap(abs)([(-1, 2)]) == [(1, 2)]
    assert tz.apply_map_concat(abs, str)([-1, 2]) == [1, 2, "-1", "2"]
    by_itself, flowlys = tz.itemsetter(a=len, b=lambda d: d["a"]), chained(tz.itemsetter(a=len), tz.itemsetter(b=len))
    assert by_itself({"a": 5}) == {"a": 1, "b": 5}
    assert flowlys({}) == {"a": 0, "b": 1}
    assert tz.seq(min, max)([1, 2]) == [1, 2]
    for make in (lambda: tz.reduction(None, sum, split_every=2), lambda: tz.apply_concat([abs], chunks=2)):
        with pytest.raises(TypeError, match="unexpected keyword argument"):
            make()
    assert len(functional_hash(1)) == 32
