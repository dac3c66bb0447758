"""What Python 3.14 and 3.15 bring: annotations made when somebody asks, template strings, lazy imports, and others."""

from __future__ import annotations

import sys

from .table import distinct, same

LATER = "from __future__ import annotations\n"
ANY_VERSION = [
    distinct("slices", *(f"def f(x): return x[{s}]" for s in ("1:2", "1:3", ":2", "1:", "1:2:1", "True:2", "'a':'b'", "1.0:2"))),
    distinct("slices of variables", *(f"def f(x, n): return x[{s}]" for s in ("1:n", "n:1", "n:", "n:n", "1:n:2"))),
    distinct("small numbers", *(f"def f(x): return {n}" for n in ("0", "1", "True", "False", "1.0", "255", "256", "-1", "None", "''"))),
    same("annotations that name nothing", "def f(x): return x", LATER + "def f(x: Missing) -> 'Other': return x"),
    same("annotations looked at before", "class C:\n    a: int\nf = C", "class C:\n    a: int\nC.__annotations__\nf = C"),
    same("none looked at before", "class C:\n    a = 1\nf = C", "class C:\n    a = 1\nC.__annotations__\nf = C"),
    same("annotations of a named tuple looked at", *(f"import typing\nclass C(typing.NamedTuple):\n    a: int\n{look}\nf = C" for look in ("", "C.__annotations__", "typing.get_type_hints(C)"))),
    same("annotations of a dataclass looked at", *(f"import dataclasses, inspect\n@dataclasses.dataclass\nclass C:\n    a: int\n{look}\nf = C(1)" for look in ("", "C.__annotations__", "inspect.signature(C)"))),
    same("names in a class looked at", *(f"import copy\nclass C:\n    a{kind}\nclass D(C):\n    b = 1\n{look}\ndef f(x): return list(vars(D)), list(C.__dict__)" for kind in (": int = 1",) for look in ("", "C.__annotations__", "D.__annotations__", "copy.copy(D())"))),
    same("annotations of functions looked at", *(f"def g(a: int): pass\n{look}\ndef f(x): return g.__annotations__" for look in ("", "g.__annotations__"))),
    same("a forward reference, resolved and not", "import typing\nf = typing.List['int']", "import typing\nf = typing.List['int']\ntyping.get_type_hints(typing.NamedTuple('C', [('a', f)]))"),
    distinct("forward references", "typing.List['int']", "typing.List['str']", "typing.List[int]"),
    distinct("fields of a local class", *(f"def f(x):\n    class C:\n        {fields}\n    return C" for fields in ("a: int", "b: int", "a: int; b: int", "b: int; a: int", "pass"))),
    distinct("types in a local class with a base", *(f"from typing import NamedTuple\ndef f(x):\n    class C(NamedTuple):\n        a: {kind}\n    return C" for kind in ("int", "str"))),
    distinct("fields of a local dataclass that are none", *(f"from dataclasses import dataclass\nfrom typing import ClassVar\ndef f(x):\n    @dataclass\n    class C:\n        a: {kind} = 1\n    return C" for kind in ("int", "ClassVar[int]"))),
    same("annotations that need the class around them", *(f"def f(x):\n    class C:\n        T = int\n        def m(self, a{kind}): return a\n    return C" for kind in ("", ": T", ": 'T'", ": list[T]"))),
]  # fmt: skip
SINCE_3_14 = [
    distinct("templates", "t'a{1}'", "t'b{1}'", "t'a{2}'", "t'a{1!r}'", "t'a{1!s}'", "t'a{1:x}'", "t'a{1}{1}'", "t'a{1}b'", "'a1'", "t'a{1.0}'", "t'a{0 + 1}'"),
    same("templates in other quotes", "t'a{1}'", 't"a{1}"', "t'''a{1}'''", "t'a' t'{1}'"),
    distinct("functions that make templates", *(f"def f(x): return t'{text}'" for text in ("a", "b", "a{x}", "a{x!r}", "a{x:3}", "a{x:4}", "a{x + 1}", "{x}a", "a{x=}")), "def f(x): return f'a{x}'", "def f(y): return t'a{y}'"),
    distinct("helpers called in templates", *(f"def g(x): return {k}\ndef f(x): return t'{{g(x)}}'" for k in (1, 2))),
    distinct("what an interpolation holds", *(f"from string.templatelib import Interpolation\nf = Interpolation({arguments})" for arguments in ("1", "2", "1, 'a'", "1, 'a', 'r'", "1, 'a', None, 'x'"))),
    same("lazy annotations that name nothing", "def f(x): return x", "def f(x: Missing) -> Other.thing[1 / 0]: return x"),
    distinct("annotations that name nothing, read", *(f"import inspect\ndef g(a: {k}): pass\ndef f(x): return inspect.signature(g)" for k in ("Missing", "Other", "'Missing'", "int", "list[Missing]", "Missing.x", "1 / 0"))),
    distinct("types beside what names nothing, read", *(f"import inspect\nclass K:\n    def m(self): return {k}\ndef g(a: list[K], b: Missing): pass\ndef f(x): return inspect.signature(g)" for k in (1, 2))),
    distinct("fields of types that name nothing, read", *(f"class C:\n    a: {k}\ndef f(x): return C.__annotations__" for k in ("Missing", "Other", "int"))),
    distinct("annotations read by the function that makes them", *(f"def g(a: {k}): pass\ndef f(x): return g.__annotate__(1)" for k in ("int", "str"))),
    distinct("annotations of a class read by what makes them", *(f"class C:\n    a: {k}\ndef f(x): return C.__annotate__(1)" for k in ("int", "str"))),
    same("a forward reference, resolved later", "class C:\n    a: D\nclass D: pass\nf = C", "class D: pass\nclass C:\n    a: D\nf = C"),
    same("exceptions without brackets", *(f"def f(x):\n    try: return int(x)\n    except {kinds}: return 0" for kinds in ("ValueError, TypeError", "(ValueError, TypeError)"))),
    distinct("placeholders", *(f"from functools import Placeholder as _, partial\nf = partial(pow, {given})" for given in ("2", "_, 2", "_, 3", "_, _, 2"))),
]  # fmt: skip

# A module of the user, and what lies in it, however it is brought in.
HELPERS = "\n#-- helpers.py\nK = {}\ndef h(x): return K"
SINCE_3_15 = [
    same("lazy imports, used before and not", *(f"lazy import json\nlazy from decimal import Decimal\n{use}\ndef f(x): return json.dumps(x), Decimal(1)" for use in ("", "json.dumps", "Decimal")), "import json\nfrom decimal import Decimal\ndef f(x): return json.dumps(x), Decimal(1)"),
    same("lazy imports of the user's, used before and not", *(f"{lazy}from helpers import h\n{lazy}import helpers\n{use}\ndef f(x): return h(x), helpers.h(x), helpers" + HELPERS.format(1) for lazy in ("", "lazy ") for use in ("", "h", "helpers.K"))),
    distinct("what lies behind a lazy import of a function", *("lazy from helpers import h\ndef f(x): return h(x)" + HELPERS.format(k) for k in (1, 2)), "lazy from helpers import h\ndef f(x): return h(x)"),
    distinct("what lies behind a lazy import of data", *("lazy from helpers import K\ndef f(x): return K" + HELPERS.format(k) for k in (1, 2))),
    distinct("what lies behind a lazy import of a module", *("lazy import helpers\ndef f(x): return helpers.K" + HELPERS.format(k) for k in (1, 2))),
    distinct("what lies behind a lazy import in a module", *("import helpers\ndef f(x): return helpers.g(x)\n#-- helpers.py\nlazy from plug import K\ndef g(x): return K\n#-- plug.py\nK = " + k for k in "12")),
    distinct("what lies behind a lazy import in a module handed on", *("import helpers\ndef f(x): return vars(helpers)\n#-- helpers.py\nlazy from plug import K\n#-- plug.py\nK = " + k for k in "12")),
    same("a lazy import in a module handed on, used before and not", *("import helpers\n" + use + "\ndef f(x): return [helpers]\n#-- helpers.py\nlazy from plug import K\n#-- plug.py\nK = 1" for use in ("", "helpers.K"))),
    same("lazy imports of what is not there", *(f"lazy import {name}\ndef f(x): return {name}.a" for name in ("no_such_module",))),
    distinct("constants that have an instruction", *(f"def f(x): return {k}" for k in ("None", "True", "False", "''", "-1", "-2", "1"))),
    distinct("defaults of an argument that have an instruction", *(f"def f(x): return x.get(1, {k})" for k in ("None", "True", "False", "''", "-1"))),
    distinct("what is unpacked in a comprehension", *(f"def f(x): return {text}" for text in ("[*a for a in x]", "[a for a in x]", "[(*a,) for a in x]", "{*a for a in x}", "{**a for a in x}", "(*a for a in x)"))),
    distinct("frozen dicts", "frozendict(a=1)", "frozendict(a=2)", "frozendict(b=1)", "frozendict(a=True)", "frozendict()", "dict(a=1)", "frozendict(a=1, b=2)"),
    same("equal frozen dicts", "frozendict(a=1, b=2)", "frozendict({'a': 1}) | {'b': 2}", "import pickle\nf = pickle.loads(pickle.dumps(frozendict(a=1, b=2)))"),
    distinct("frozen dicts of the user's", *(f"class C(frozendict): pass\nf = {made}" for made in ("C(a=1)", "C(a=2)", "frozendict(a=1)"))),
    distinct("sentinels", *(f"M = sentinel({made})\nf = M" for made in ("'M'", "'M', repr='m'")), "N = sentinel('N')\nf = N"),
    same("a sentinel", *(f"M = sentinel('M')\n{rest}" for rest in ("f = M", "import copy, pickle\nf = pickle.loads(pickle.dumps(copy.deepcopy(M)))"))),
    distinct("sentinels as defaults", *(f"{name} = sentinel('{name}')\ndef f(x={name}): return x" for name in "MN")),
]  # fmt: skip

CASES = ANY_VERSION
CASES += SINCE_3_14 if sys.version_info >= (3, 14) else []
CASES += SINCE_3_15 if sys.version_info >= (3, 15) else []
