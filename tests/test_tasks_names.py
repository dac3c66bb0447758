"""Templates of names: what they may say, and what they refuse."""

from __future__ import annotations

import datetime
import os
from collections import namedtuple
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flowly_ckpt.tasks import Store, Template, TemplateError

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
        ("{n!r}{n!s}{name!a}", "77'Ada'"),
        ("{n=}", "n=7"),
        ("{f'{n:03d}'}", "007"),
        ("{name}\\", "Ada\\"),
        ('"{n}"', '"7"'),
        ("'{n}'", "'7'"),
        ('"""{d["a"]}\'', '"""1\''),
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
        ("{path}/{evil.lower()}", "working/..%2F..%2Fevil"),
        ("{path}/{os.path.normpath(evil)}/x", "working/..%2F..%2Fevil/x"),
        ("{path}/{str(p)}", "working/data%2Fa.csv"),
        ("{path}/{evil:>15}", "working/     ..%2F..%2Fevil"),
        ("{path}/{os.path.dirname(evil)}/x", "working/%2E%2E/%2E%2E/x"),
        ("{path}/{os.path.join(evil, 'x')}", "working/%2E%2E/%2E%2E/evil/x"),
        ("{path}{os.sep}{evil}", "working/..%2F..%2Fevil"),
        ("{path}/{os.path.dirname('/etc/passwd')}/x", "working//etc/x"),
        ("{path}/{evil:/<11}", "working/%2E%2E/%2E%2E/evil/"),
        ("{path}/{n:{fill}>3}", "working/%2F%2F7"),
        ("{path}/{dot}{dot}/x", "working/%2E%2E/x"),
        ("{evil}/x", "../../evil/x"),
    ],
)
def test_a_field_is_one_component_unless_it_begins_the_path_or_speaks_of_folders(template, expected):
    assert Template(template).fill({**NAMES, "up": "..", "evil": "../../evil", "dot": ".", "fill": "/"}) == expected


FIELDS = ["{v}", "{v.lower()}", "{v!s}", "{v:>4}", "{os.path.join('a', v)}", "{os.path.dirname(v)}", "{v + os.sep}"]


@given(st.lists(st.sampled_from(FIELDS), min_size=1), st.lists(st.sampled_from(["..", ".", "/", "a"])).map("".join))
def test_no_field_leads_out_of_the_folder(fields, value):
    for joint in ("", "/"):
        filled = os.path.normpath(Template(f"root/{joint.join(fields)}").fill({"v": value}))
        assert filled == "root" or filled.startswith("root/")


@pytest.mark.parametrize(
    ("template", "reason"),
    [
        ("{", "cannot be parsed"),
        ("a}", "cannot be parsed .*single '}'"),
        ("{}", "cannot be parsed"),
        ("{n", "cannot be parsed .*expecting '}'"),
        ("{n:3", "cannot be parsed .*expecting '}'"),
        ("{d['a}", "cannot be parsed"),
        ("{n!x}", "cannot be parsed .*conversion"),
        ("{n n}", "cannot be parsed .*invalid syntax"),
        ("{n:{}}", "cannot be parsed"),
        ("{n}\0", "cannot be parsed .*null"),
        ("{n}\ud800", "cannot be parsed"),
        ("{n}\r", "carriage returns"),
        ("'''\"\"\"", "triple quotes"),
        ("{n:{(lambda: 1)()}}", "Lambda is not allowed in templates"),
        ("{(lambda: 1)()}", "Lambda is not allowed in templates"),
        ("{[i for i in row]}", "ListComp is not allowed in templates"),
        ("{n.__class__}", "private"),
        ("{n ** n}", "Pow is not allowed in templates"),
        ("{max(**d)}", r"\*\* is not allowed in templates"),
        ("{(n := 3)}", "NamedExpr is not allowed in templates"),
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
        ("{missing}", "unknown name 'missing'; known are base, .*, os and datetime"),
        ("{os.system('true')}", "os.system is not allowed in templates"),
        ("{os.path.os.remove('x')}", "os.path.os is not allowed in templates"),
        ("{datetime.sys.exit()}", "datetime.sys is not allowed in templates"),
        ("{d.pop('a')}", "d.pop is not allowed in templates; call it before"),
        ("{p.unlink()}", "p.unlink is not allowed in templates"),
        ("{p.exists()}", "p.exists is not allowed in templates"),
        ("{name.format(n)}", "name.format is not allowed in templates"),
        ("{row.append(1)}", "row.append is not allowed in templates"),
        ("{store.load()}", "store.load is not allowed in templates"),
        ("{eval('1')}", "unknown name 'eval'"),
        ("{open('x')}", "unknown name 'open'"),
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
    with pytest.raises(TemplateError, match="f is not allowed in templates"):
        Template("{f()}").fill({"f": lambda: called.append(1)})
    assert called == []


def test_the_names_a_template_needs():
    assert Template("{path}/{os.path.join(a, b.c[d])}_{n:{width}}").names == {"path", "a", "b", "d", "n", "width"}


LITERAL = st.text(st.characters(exclude_characters="\r\0", exclude_categories=["Cs"]))


@given(LITERAL, st.text(min_size=1))
def test_literal_text_is_kept_and_no_value_adds_a_part_to_the_path(literal, value):
    escaped = literal.replace("{", "{{").replace("}", "}}")
    assert Template(escaped).fill({}) == literal
    filled = Template("x/{value}").fill({"value": value})
    assert filled.count("/") == 1
    assert os.path.dirname(os.path.normpath(filled)) == "x"
