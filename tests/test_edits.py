"""Edit a small project: in a second process exactly those steps run again whose result the edit may change.

The project has some fifty steps, each a pipeline with a checkpoint in a DiskTarget. It is run in one process; for
each edit a copy of project and store is then run in a second process with another hash seed. Two processes in all.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any, NamedTuple

import pytest

ROOT = Path(__file__).resolve().parent.parent
PROJECT = Path(__file__).parent / "edits" / "project"


class Edit(NamedTuple):
    """Say what is replaced where, and which steps must run again: all others must be restored."""

    name: str
    changes: tuple[tuple[str, str, str], ...]
    again: frozenset[str]


def edit(name: str, file: str, old: str, new: str, *again: str) -> Edit:
    return Edit(name, ((file, old, new),), frozenset(again))


def edits(name: str, changes: list[tuple[str, str, str]], *again: str) -> Edit:
    return Edit(name, tuple(changes), frozenset(again))


S, H, C, D, K, W, INNER, OUTER = (
    "steps.py",
    "helpers.py",
    "shapes.py",
    "deep.py",
    "config.py",
    "wrappers.py",
    "tools/inner.py",
    "tools/outer.py",
)
LOW = ("helper", "attribute_chain", "renamed_import")
SHAPE = ("method", "a_property", "class_methods", "operator", "bound")
ONE, TWO = ("table", "several", "chain"), ("table", "several", "chain")

EDITS = [
    # what a step does itself
    edit("the body", S, "total = x + 97", "total = x + 98", "own_body"),
    edit("an operator in the body", S, "total = x + 97", "total = x - 97", "own_body"),
    edit("a constant of another type", S, "total = x + 97", "total = x + 97.0", "own_body"),
    edit("a default", S, "shift=101", "shift=102", "own_default"),
    edit("a nested function", S, "in_nested(y) + 103", "in_nested(y) + 104", "nested"),
    edit("an inner comprehension", S, "x * level for", "x + level for", "a_list"),
    edit("a format", S, "{x:>5}", "{x:>6}", "text"),
    edit("a conversion in a format", S, "{x!r}", "{x!s}", "text"),
    edit("a handler", S, "return 113", "return 114", "caught"),
    edit("which exception is handled", S, "except ZeroDivisionError", "except ArithmeticError", "caught"),
    edit("a lambda", S, "lambda x: x + 127", "lambda x: x + 128", "anonymous"),
    edit("a generator", S, "yield i + 109", "yield i + 110", "generator"),
    # helpers
    edit("a helper", H, "bottom(x) + 1", "bottom(x) + 3", "helper"),
    edit("a helper by module attribute", H, "deep.bottom(x) * 2", "deep.bottom(x) * 3", "attribute_chain"),
    edit("a helper two levels down", D, "return x + OFFSET", "return x - OFFSET", *LOW),
    edit("a constant two levels down", D, "OFFSET = 10", "OFFSET = 11", *LOW),
    edit("a helper's default", H, "weight=4", "weight=5", "default_of_helper"),
    edit("a helper's keyword default", H, "base=100", "base=200", "keyword_of_helper"),
    edit("a helper imported inside the body", H, "return x - 7", "return x - 8", "imported_inside"),
    edit("a helper imported in a try inside the body", H, "return x * 6", "return x * 7", "either_inside"),
    edit("a helper in a comprehension", H, "x + 0.5", "x + 0.75", "comprehension"),
    edit("a helper in a lambda", H, "x + 0.25", "x + 0.375", "key_function"),
    edit("a helper in a nested function", H, "x + 0.125", "x + 1.125", "nested"),
    edit("a helper in a partial", H, "x * 10 + y", "x * 11 + y", "partial"),
    edit("an argument of a partial", S, "for_partial, 4", "for_partial, 6", "partial"),
    edit("a helper in a table and a list", H, "return x + 2", "return x + 3", *TWO),
    edit("which helper a table has", S, '"two": helpers.two', '"two": helpers.moved', "table"),
    edit("the order of a list of functions", S, "[helpers.one, helpers.two]", "[helpers.two, helpers.one]", "several"),
    edit("the order of a chain", S, "chained(helpers.one, helpers.two)", "chained(helpers.two, helpers.one)", "chain"),
    edit("a function that calls it back", H, "return False if n == 0", "return None if n == 0", "recursive"),
    edit("a helper named by depends_on", "plugins.py", "return x + 77", "return x + 78", "by_name"),
    edit("a method of a builtin", S, "str.upper", "str.lower", "methods_of_builtins"),
    edit("a builtin method's object", S, '"{}!".format', '"{}?".format', "methods_of_builtins"),
    # data
    edit("a constant of a module", K, "RATE = 3", "RATE = 4", "constant"),
    edit("a constant of another type in a module", K, "RATE = 3", "RATE = 3.0", "constant"),
    edit("a list", K, "LEVELS = [1, 2, 3]", "LEVELS = [1, 2, 4]", "a_list"),
    edit("a dict in a dict", K, '"b": 6', '"b": 7', "a_dict"),
    edit("a constant by star-import", K, "STARRED = 12", "STARRED = 13", "starred"),
    edit("a class attribute", K, "depth = 2", "depth = 3", "class_attribute"),
    edit(
        "a constant of a module imported inside the body", "lately.py", "FACTOR = 131", "FACTOR = 132", "module_inside"
    ),
    edit("what a closure holds", S, "closure(3)", "closure(4)", "closed"),
    edit("the function around a closure", S, "return x * factor", "return x - factor", "closed"),
    edit("a regular expression", S, '"[a-z]+"', '"[a-zA-Z]+"', "pattern"),
    edit("the flags of a regular expression", S, '"[a-z]+")', '"[a-z]+", re.IGNORECASE)', "pattern"),
    # classes
    edit("a method", C, "self.width * self.size()", "self.width + self.size()", *SHAPE),
    edit("a method of a base", C, "return 5", "return 6", *SHAPE),
    edit("an attribute of a base", C, "scale = 2", "scale = 3", *SHAPE),
    edit("a property", C, "self.width + 3", "self.width + 4", *SHAPE),
    edit("a cached property", C, "self.width * 11", "self.width * 12", *SHAPE),
    edit("a class method", C, "cls.sides + 1", "cls.sides + 2", *SHAPE),
    edit("a static method", C, "return 19", "return 20", *SHAPE),
    edit("an operator method", C, "other + 23", "other + 24", *SHAPE),
    edit("the bases", C, "class Shape(Base)", "class Shape(Base, Stamped, metaclass=Meta)", *SHAPE),
    edit("a metaclass", C, "stamp = 31", "stamp = 32", "metaclass"),
    edit("an implementation of an abstract class", C, "x + 29", "x + 30", "abstract"),
    edit("a descriptor", C, "return 37", "return 38", "descriptor"),
    edit("a member of an enumeration", C, "BLUE = 2", "BLUE = 3", "enumeration"),
    edit("a method of an enumeration", C, "self.value * 41", "self.value * 42", "enumeration"),
    edit("a dataclass's default", C, "y: int = 43", "y: int = 44", "data"),
    edit("a dataclass's default factory", C, "[47]", "[48]", "data"),
    edit("a dataclass's method", C, "self.x + self.y", "self.x - self.y", "data"),
    edit("a class with slots", C, "self.value = 59", "self.value = 60", "slots"),
    edit("a callable instance's class", C, "self.amount + 53", "self.amount + 54", "instance"),
    edit("a callable instance's state", S, "shapes.Adder(2)", "shapes.Adder(3)", "instance"),
    edit("a bound method's instance", S, "shapes.Shape(6)", "shapes.Shape(7)", "bound"),
    # decorators
    edit("a decorator", W, "function(function(x))", "function(x)", "decorated"),
    edit("what is decorated", W, "return x * 2", "return x * 3", "decorated"),
    edit("a decorator's argument", W, "@plus(13)", "@plus(14)", "parametrised"),
    edit("a decorator that is a class", W, "self.function(x) + 61", "self.function(x) + 62", "counted"),
    edit("what a class decorates", W, "return x + 1\n", "return x + 2\n", "counted"),
    edit("a cached function", W, "return x + 17", "return x + 18", "cached"),
    edit("a curried function", W, "x * y + 67", "x * y + 68", "curried"),
    edit("a context manager", W, "yield 71", "yield 72", "managed"),
    edit("single dispatch, one implementation", W, 'return "int"', 'return "integer"', "dispatched"),
    edit("single dispatch, another type", W, "x: str", "x: bytes", "dispatched"),
    # packages and imports
    edit("a re-exported helper", INNER, "relative(x) + 2", "relative(x) + 3", "package"),
    edit("a relative import", OUTER, "return x + 79", "return x + 80", "package"),
    edit("a constant of a module imported relatively", OUTER, "LIMIT = 73", "LIMIT = 74", "package_module"),
    edit("a relative import inside a body", OUTER, "return x + 83", "return x + 84", "package_late"),
    edit("a definition under a condition", S, "return x + 89", "return x + 90", "conditional"),
    edit(
        "what another module imports", H, "from deep import bottom", "from deep import other_bottom as bottom", "helper"
    ),
    # what must not matter
    edit("a comment", H, "# calls two levels down", "# goes down two levels, as before"),
    edit("a docstring", S, '"""Say nothing of it."""', '"""Say something of it."""'),
    edit("no docstring", S, '    """Say nothing of it."""\n', ""),
    edit("the docstring of a class", C, '"""A shape."""', '"""A shape; its area."""'),
    edit("the docstring of a decorated function", W, '"""Double."""', '"""Twice."""'),
    edit("the docstring of a function decorated by a class", W, '"""Count."""', '"""Add."""'),
    edit("the docstring of a module", S, '"""The steps of the project', '"""Steps of the project'),
    edit("annotations", S, "def constant(x: int) -> int", "def constant(x: float) -> float"),
    edit("no annotations", S, "def constant(x: int) -> int", "def constant(x)"),
    edit("annotations as strings", S, "import functools", "from __future__ import annotations\nimport functools"),
    edit("formatting", S, "return config.RATE * x", "return (\n        config.RATE\n        * x\n    )"),
    edit(
        "formatting of a condition",
        H,
        "return True if n == 0 else odd(n - 1)",
        "return (\n        True\n        if n == 0\n        else odd(n - 1)\n    )",
    ),
    edit("moved lines", H, "import deep\n", "import deep\n\n\n\n\n"),
    edit("moved lines everywhere", S, "import functools", "\n\n# more\n\nimport functools"),
    edits("a renamed local variable", [(S, "total = x + 97", "found = x + 97"), (S, "return total", "return found")]),
    edits(
        "a renamed parameter",
        [(S, "def own_body(x)", "def own_body(value)"), (S, "total = x + 97", "total = value + 97")],
    ),
    edit(
        "an unrelated function",
        H,
        "def unrelated(x):\n    return x\n",
        "def unrelated(x):\n    return -x\n",
        "either_inside",
    ),
    edit("a new function", H, "def unrelated(x)", "def newcomer(x):\n    return x\n\n\ndef unrelated(x)"),
    edit("a function less", C, "def never_used():\n    return 0\n", ""),
    edit(
        "another order of definitions",
        H,
        "def one(x):\n    return x + 1\n\n\ndef two(x):\n    return x + 2\n",
        "def two(x):\n    return x + 2\n\n\ndef one(x):\n    return x + 1\n",
    ),
    edit(
        "another order of attributes",
        C,
        '    """A shape."""\n\n    sides = 4\n\n    def __init__(self, width):\n        self.width = width\n',
        "    def __init__(self, width):\n        self.width = width\n\n    sides = 4\n",
    ),
    edit("an unused constant", K, 'UNUSED = "nobody reads this"', 'UNUSED = "still nobody"'),
    edit("a renamed unused constant", K, "UNUSED =", "LEFT_OVER ="),
    edit("an unused import", S, "import functools", "import functools\nimport os"),
    edit("an ignored global", S, "DEBUG = False", "DEBUG = None"),
    edits(
        "a renamed helper",
        [(H, "def middle(x)", "def central(x)"), (S, "helpers.middle(x)", "helpers.central(x)")],
        "helper",
    ),
    edits(
        "a renamed helper that was imported by name",
        [
            (H, "def moved(x)", "def stirred(x)"),
            (S, "from helpers import moved", "from helpers import stirred as moved"),
        ],
    ),
    edits(
        "a helper moved to another module",
        [
            (H, "def moved(x):\n    return x + 55\n", ""),
            (D, "OFFSET = 10", "def moved(x):\n    return x + 55\n\n\nOFFSET = 10"),
            (S, "from helpers import moved", "from deep import moved"),
        ],
    ),
    edits(
        "decorators moved to another module",
        [(S, "import wrappers\n", "import moved_wrappers as wrappers\n"), (W, "", "moved_wrappers.py")],
    ),
    edits(
        "classes moved to another module",
        [(S, "import shapes\n", "import moved_shapes as shapes\n"), (C, "", "moved_shapes.py")],
    ),
    edits("a renamed file", [(S, "", "renamed.py")]),
    Edit("nothing", (), frozenset()),
]

# What the plan says beforehand, after the name of the step.
WHY = {
    "the body": "changed at line 40",
    "an operator in the body": "changed at line 40",
    "a constant of another type": "changed at line 40",
    "a default": "default of shift 101 → 102",
    "a nested function": "changed at line 118",
    "an inner comprehension": "changed at line 49",
    "a format": "changed at line 228",
    "a conversion in a format": "changed at line 228",
    "a handler": "changed at line 264",
    "which exception is handled": "changed at line 263",
    "a lambda": "changed at line 326",
    "a generator": "helper produce changed at line 257",
    "a helper": "helper middle changed at line 10",
    "a helper by module attribute": "helper by_attribute changed at line 14",
    "a helper two levels down": "helper bottom changed at line 8",
    "a constant two levels down": "global OFFSET in bottom 10 → 11",
    "a helper's default": "default of weight in with_default 4 → 5",
    "a helper's keyword default": "default of base in with_keyword 100 → 200",
    "a helper imported inside the body": "helper from_inside changed at line 26",
    "a helper imported in a try inside the body": "helper fast changed at line 54",
    "a helper in a comprehension": "helper in_comprehension changed at line 30",
    "a helper in a lambda": "helper in_lambda changed at line 34",
    "a helper in a nested function": "helper in_nested changed at line 38",
    "a helper in a partial": "helper for_partial changed at line 42",
    "an argument of a partial": "arguments (4,) → (6,)",
    "which helper a table has": "global DISPATCH['two'] two → moved",
    "the order of a list of functions": "global CALLS[0] one → two, global CALLS[1] two → one",
    "the order of a chain": "step two has moved",
    "a function that calls it back": "helper odd changed at line 62",
    "a helper named by depends_on": "helper picked changed at line 6",
    "a method of a builtin": "it was another step: str.upper",
    "a builtin method's object": "self '{}!' → '{}?'",
    "a constant of a module": "global config.RATE 3 → 4",
    "a constant of another type in a module": "global config.RATE 3 → 3.0",
    "a list": "global config.LEVELS [1, 2, 3] → [1, 2, 4]",
    "a dict in a dict": "global config.TABLE['high']['b'] 6 → 7",
    "a constant by star-import": "global STARRED 12 → 13",
    "a class attribute": "attribute Options.depth 2 → 3",
    "a constant of a module imported inside the body": "import lately.FACTOR 131 → 132",
    "what a closure holds": "closure factor 3 → 4",
    "the function around a closure": "changed at line 125",
    "a regular expression": "argument 0 of global WORD '[a-z]+' → '[a-zA-Z]+'",
    "the flags of a regular expression": "argument 1 of global WORD 32 → 34",
    "a method": "method Shape.area changed at line 37",
    "a method of a base": "method Base.size changed at line 25",
    "an attribute of a base": "attribute Base.scale 2 → 3",
    "a property": "method Shape.edge changed at line 41",
    "a cached property": "method Shape.volume changed at line 45",
    "a class method": "method Shape.unit changed at line 49",
    "a static method": "method Shape.fixed changed at line 53",
    "an operator method": "method Shape.__add__ changed at line 56",
    "a metaclass": "method Meta.__call__ changed at line 13",
    "an implementation of an abstract class": "method Concrete.run changed at line 66",
    "a descriptor": "method Positive.__get__ changed at line 74",
    "a member of an enumeration": "attribute Color._members_ [('RED', 1), ('BLUE', 2)] → [('RED', 1), ('BLUE', 3)]",
    "a method of an enumeration": "method Color.shade changed at line 86",
    "a dataclass's default": "attribute Point.y 43 → 44",
    "a dataclass's default factory": "class Point changed",
    "a dataclass's method": "method Point.norm changed at line 96",
    "a class with slots": "method Slotted.__init__ changed at line 111",
    "a callable instance's class": "method Adder.__call__ changed at line 104",
    "a callable instance's state": "attribute amount 2 → 3",
    "a bound method's instance": "self.width 6 → 7",
    "a decorator": "helper doubled changed at line 13",
    "what is decorated": "helper doubled changed at line 41",
    "a decorator's argument": "closure amount in raised 13 → 14",
    "a decorator that is a class": "method Counted.__call__ changed at line 35",
    "what a class decorates": "helper counted changed at line 52",
    "a cached function": "helper cached changed at line 57",
    "a curried function": "helper curried changed at line 62",
    "a context manager": "helper opened changed at line 67",
    "single dispatch, one implementation": "helper _ changed at line 77",
    "single dispatch, another type": "global wrappers.shown[0] changed",
    "a re-exported helper": "helper reexported changed at line 7",
    "a relative import": "helper relative changed at line 6",
    "a constant of a module imported relatively": "global outer.LIMIT in by_module 73 → 74",
    "a relative import inside a body": "helper late changed at line 10",
    "a definition under a condition": "helper fallback changed at line 28",
    "what another module imports": "global bottom in middle bottom → other_bottom",
    "an unrelated function": "helper unrelated changed at line 70",
    "a renamed helper": "changed at line 65",
}


def cases() -> list[Any]:
    return [pytest.param(item, id=item.name) for item in EDITS]


def change(folder: Path, changes: tuple[tuple[str, str, str], ...]) -> None:
    for file, old, new in changes:
        path = folder / file
        if not old:
            path.rename(folder / new)
            continue
        before = path.read_text()
        assert before.count(old) == 1, (file, old, before.count(old))
        path.write_text(before.replace(old, new))


def run(folders: list[Path], seed: str) -> list[dict[str, Any]]:
    env = {**os.environ, "PYTHONHASHSEED": seed, "PYTHONPATH": str(ROOT)}
    command = [sys.executable, str(PROJECT.parent / "run.py")]
    text = json.dumps([str(folder) for folder in folders])
    done = subprocess.run(command, env=env, input=text, stdout=subprocess.PIPE, text=True, check=True)
    return json.loads(done.stdout)


@pytest.fixture(scope="module")
def outcomes(tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, Any]]:
    root = tmp_path_factory.mktemp("edits")
    base = root / "base"
    shutil.copytree(PROJECT, base / "project", ignore=shutil.ignore_patterns("__pycache__"))
    (first,) = run([base], "1")
    assert len(first["ran"]) >= 50
    folders = []
    for number, item in enumerate(EDITS):
        folders.append(root / f"edit{number}")
        shutil.copytree(base, folders[-1])
        change(folders[-1] / "project", item.changes)
    return dict(zip([item.name for item in EDITS], run(folders, "2")))


@pytest.mark.parametrize("item", cases())
def test_only_what_the_edit_may_change_runs_again(item: Edit, outcomes: dict[str, dict[str, Any]]) -> None:
    found = outcomes[item.name]
    assert not found["wrong"], "stale"
    assert set(found["ran"]) == item.again
    assert set(found["why"]) == item.again, "the forecast comes true"


@pytest.mark.parametrize("name", WHY)
def test_the_plan_names_exactly_the_part_that_was_changed(name: str, outcomes: dict[str, dict[str, Any]]) -> None:
    for why in outcomes[name]["why"].values():
        assert why == WHY[name] or re.fullmatch(r"[\w.<>]+:? ", why.removesuffix(WHY[name])), why


def test_names_of_edits_are_unique() -> None:
    names = [item.name for item in EDITS]
    assert len(set(names)) == len(names)
