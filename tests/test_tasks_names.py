"""Templates of names: what they may say, and what they refuse."""

from __future__ import annotations

import datetime
import os
from collections import namedtuple
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flowly_ckpt.tasks import Store, TemplateError
from flowly_ckpt.tasks.scanning import Field, scan
from flowly_ckpt.tasks.template import Template

Point = namedtuple("Point", "x y")
NAMES = {
    "path": "working", "base": "b", "n": 7, "x": 0.5, "name": "Ada", "fn": "data/a.csv", "p": Path("data/a.csv"),
    "d": {"a": 1, "b:c": 2, "}": 3}, "row": [1, 2, 3], "point": Point(3, 4), "day": datetime.date(2020, 1, 2),
    "store": Store("working/load/a"), "width": 5, "nothing": None,
}  # fmt: skip


@pytest.mark.parametrize(
    ("template", "expected"),
    [
        ("{path}/{base}", "working/b"),
        ("a{{b}}c", "a{b}c"),
        ("{n:03d}_{x:.2f}_{name!r:>8}", "007_0.50_   'Ada'"),
        ("{n:0{width}d}", "00007"),
        ("{d['a']}_{d['b:c']}_{d['}']}", "1_2_3"),
        ('{d["a"]}\'s', "1's"),
        ("C:\\data\\{n}", "C:\\data\\7"),
        ("{row[0]}{row[-1]}{row[1:]}", "13[2, 3]"),
        ("{point.x + point.y * 2 - 1}", "10"),
        ("{n // 2}{n % 4}{n / 2}{-n}", "333.5-7"),
        ("{os.path.splitext(os.path.basename(fn))[0]}", "a"),
        ("x{os.sep}{os.path.join('a', str(n))}", "x/a/7"),
        ("{p.stem}_{p.parent}", "a_data"),
        ("{name.lower()}{name.replace('A', 'E')}", "adaEda"),
        ("{day:%Y/%m}", "2020/01"),
        ("{day.year}_{day.isoformat()}_{datetime.date(2021, 2, 3).strftime('%d')}", "2020_2020-01-02_03"),
        ("{(day + datetime.timedelta(days=1)).day}", "3"),
        ("{store}.clean", "working/load/a.clean"),
        ("{os.path.basename(store)}", "a"),
        ("{'many' if len(row) else 'none'}{nothing or n}{not n}", "many7False"),
        ("{d.get('z', n)}{max(row)}{'%03d' % n}", "73007"),
        ("{n!r}", "7"),
        ("{ n }", "7"),
        ("", ""),
    ],
)
def test_a_template_is_filled_as_an_f_string_is(template, expected):
    assert Template(template).fill(NAMES) == expected


@pytest.mark.parametrize(
    ("template", "expected"),
    [
        ("{path}/{fn}", "working/data%2Fa.csv"),
        ("{path}/{p}.pkl", "working/data%2Fa.csv.pkl"),
        ("{fn}.pkl", "data/a.csv.pkl"),
        ("{path}/{os.path.dirname(fn)}/x", "working/data/x"),
        ("{path}/{day:%Y/%m}/x", "working/2020/01/x"),
        ("{path}/{store}", "working/working%2Fload%2Fa"),
        ("{path}/{up}/x", "working/%2E%2E/x"),
        ("{path}/{base}", "working/b"),
    ],
)
def test_a_value_is_one_part_of_the_path_unless_it_begins_it_or_is_called_for(template, expected):
    assert Template(template).fill({**NAMES, "up": ".."}) == expected


@pytest.mark.parametrize(
    ("template", "reason"),
    [
        ("{", "not closed"),
        ("a}", "stands alone"),
        ("{}", "nothing between"),
        ("{n", "not closed"),
        ("{n:3", "not closed"),
        ("{d['a}", "not closed"),
        ("{n!x}", "!r, !s or !a"),
        ("{n n}", "it is no expression"),
        ("{n:{}}", "nothing between"),
        ("{(lambda: 1)()}", "Lambda is not for templates"),
        ("{[i for i in row]}", "ListComp is not for templates"),
        ("{n.__class__}", "private"),
        ("{n ** n}", "Pow is not for templates"),
        ("{f'{n}'}", "JoinedStr is not for templates"),
        ("{max(**d)}", r"\*\* is not for templates"),
        ("{(n := 3)}", "NamedExpr is not for templates"),
    ],
)
def test_what_is_wrong_with_a_template_shows_when_it_is_made(template, reason):
    with pytest.raises(TemplateError, match=reason) as caught:
        Template(template)
    assert caught.value.template
    assert isinstance(caught.value, ValueError)


@pytest.mark.parametrize(
    ("template", "reason"),
    [
        ("{missing}", "nothing is called 'missing'; there are base, .*, os and datetime"),
        ("{os.system('true')}", "os.system is not for templates"),
        ("{os.path.os.remove('x')}", "os.path.os is not for templates"),
        ("{datetime.sys.exit()}", "datetime.sys is not for templates"),
        ("{d.pop('a')}", "d.pop is not for templates; call it before"),
        ("{p.unlink()}", "p.unlink is not for templates"),
        ("{p.exists()}", "p.exists is not for templates"),
        ("{name.format(n)}", "name.format is not for templates"),
        ("{row.append(1)}", "row.append is not for templates"),
        ("{store.load()}", "store.load is not for templates"),
        ("{eval('1')}", "nothing is called 'eval'"),
        ("{open('x')}", "nothing is called 'open'"),
        ("{n / 0}", "ZeroDivisionError"),
        ("{name:d}", "ValueError"),
        ("{d['z']}", "KeyError"),
    ],
)
def test_what_a_template_may_not_do_is_refused_when_it_is_filled(template, reason):
    with pytest.raises(TemplateError, match=reason):
        Template(template).fill(NAMES)
    assert NAMES["d"] == {"a": 1, "b:c": 2, "}": 3}


def test_a_function_given_as_an_argument_is_not_called():
    called = []
    with pytest.raises(TemplateError, match="f is not for templates"):
        Template("{f()}").fill({"f": lambda: called.append(1)})
    assert called == []


def test_the_names_a_template_needs():
    assert Template("{path}/{os.path.join(a, b.c[d])}_{n:{width}}").names == {"path", "a", "b", "d", "n", "width"}


@given(st.text(), st.text(min_size=1))
def test_literal_text_is_kept_and_no_value_adds_a_part_to_the_path(literal, value):
    escaped = literal.replace("{", "{{").replace("}", "}}")
    assert Template(escaped).fill({}) == literal
    filled = Template("x/{value}").fill({"value": value})
    assert filled.count("/") == 1
    assert os.path.dirname(os.path.normpath(filled)) == "x"


def test_scanning_gives_the_pieces():
    assert list(scan("a{b!r:>{c}}{{d")) == ["a", Field("b", "r", ">{c}"), "{d"]
