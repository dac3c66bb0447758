"""Functions: what they do, and what they refer to in their own module."""

from __future__ import annotations

from .table import distinct, edits, same

BODY = """
def f(x, y=1, *args, k=2, **kw):
    total = x + 1
    for item in args:
        total += item.size * k
    if total > 3 and y:
        return [total, y, len(kw)]
    return {"a": total}
"""

HELPERS = """
K = 3
TABLE = {"a": [1, 2], "b": (3, 4)}

def deep(x):
    return x * 2

def helper(x, factor=10):
    return deep(x) * factor + K

def unused(x):
    return x

class Config:
    rate = 5
    def scale(self, x):
        return x * self.rate

def f(x):
    return helper(x) + TABLE["a"][0] + Config().scale(x)
"""

NESTED = """
N = 1
def helper(x):
    return x + 1

def f(xs):
    def inner(y):
        return [helper(z) + N for z in y if z in {"p", "q", "r"}]
    g = lambda v: inner(v) or 7
    return g(xs), {k: v for k, v in xs}, (a for a in xs)
"""

CLOSURE = """
def helper(x):
    return x + 1
def outer(a, b):
    c = a + 1
    def f(x):
        return helper(x) + a * b - c
    return f
f = outer(1, 2)
"""


def helper_in(expression: str) -> tuple[str, str, str]:
    """Texts in which a helper is reached by an expression, and the helper, or another function, is edited."""
    text = f"def unrelated(x):\n    return x * 100\n\ndef helper(x):\n    return x + 1\n\n{expression}\n"
    return text, text.replace("x + 1", "x + 2"), text.replace("x * 100", "x * 200")


def sees_helper(name: str, expression: str) -> list:
    base, edited, unrelated = helper_in(expression)
    return [distinct(f"{name}: the helper was edited", base, edited),
            same(f"{name}: something else was edited", base, unrelated)]


CASES = [
    distinct("edits of a body", *edits("body", BODY, ("x + 1", "x + 2"), ("x + 1", "x - 1"), ("+ 1", "+ True"),
             ("+ 1", "+ 1.0"), ("y=1", "y=2"), ("y=1", "y=True"), ("y=1", "y"), ("k=2", "k=3"), ("k=2", "k"),
             (".size", ".length"), ("len(kw)", "max(kw)"), ("> 3", ">= 3"), ("and y", "or y"), ("[total, y,", "[y, total,"),
             ('"a"', '"b"'), ('"a"', 'b"a"'), ("*args", "*, args=()"), ("total += item", "total -= item"),
             ("if total", "if not total"), ("return {", "yield {"), ("def f", "async def f"), ("x, y", "x, /, y"),
             ("for item in args", "for item in kw"), ("{\"a\": total}", "[\"a\", total]"), ("args:", "args[1:]:"))),
    same("what must not matter in a body", BODY, BODY.replace("    total = x", "\n\n    # a comment\n    total  =  x"),
         BODY.replace("\n    total = x", '\n    "What it does."\n    total = x'), "import os\n\nUNUSED = 3\n\n" + BODY,
         BODY.replace("total", "summe"), BODY.replace("item", "i"), BODY.replace("def f", "def g") + "\nf = g\n",
         BODY.replace("x, y=1", "x: int, y: 'float' = 1").replace("**kw)", "**kw: str) -> list[int]"),
         BODY.replace("[total, y, len(kw)]", "[\n            total,\n            y,\n            len(kw),\n        ]"),
         BODY.replace("total > 3 and y", "(\n        total > 3\n        and y\n    )"),
         BODY.replace("total = x + 1", "total: int = x + 1"), BODY.replace("    ", "        "),
         BODY.replace("x + 1", "(x) + (1)"), BODY.replace("args", "rest"), BODY.replace('"a"', "'a'"),
         BODY.replace("total = x + 1", "total = x + 1; pass"), "def make():\n" + BODY.replace("\n", "\n    ") +
         "\n    return f\n", "class A:\n" + BODY.replace("\n", "\n    ") + "\nf = A.f\n", BODY + "f.__module__ = 'x'\n",
         "code = compile(" + repr(BODY) + ", 'elsewhere', 'exec')\nexec(code)\n", BODY + "f.__name__ = 'g'; f.__qualname__ = 'h'\n"),
    distinct("names of parameters a caller could use", "def f(x, y): return x", "def f(x, z): return x",
             "def f(y, x): return y", "def f(x, *, y): return x", "def f(x, *, z): return x", "def f(x, y, /): return x",
             "def f(x, y=None): return x"),
    same("the name of the only parameter", "def f(x): return x + 1", "def f(value): return value + 1"),
    same("the names of parameters by position only", "def f(x, y, /): return x - y", "def f(a, b, /): return a - b"),
    same("lambda or def", "f = lambda x: x + 1", "def f(x): return x + 1", "def g(x):\n    return x + 1\nf = g"),
    same("a lambda on any line", "f = lambda x: x.a", "\n\n\nf = lambda x: x.a", "f = [lambda x: x.a, lambda x: x.b][0]",
         "f = (lambda\n     x:\n     x.a)"),
    distinct("lambdas that look alike", "f = lambda x: min(x)", "f = lambda x: max(x)", "f = lambda x: x.a",
             "f = lambda x: x.b", "f = lambda x: x.a()", "f = lambda x: x['a']", "f = lambda x: x[1]",
             "f = lambda x: x[True]", "f = lambda x: x[1.0]", "f = lambda x: (x, 1)", "f = lambda x: [x, 1]",
             "f = lambda: 1", "f = lambda x: 1", "f = lambda *x: 1", "f = lambda **x: 1", "f = lambda x=1: 1",
             "f = lambda x=1.0: 1", "f = lambda x=True: 1", "f = lambda *, x=1: 1", "f = lambda *, x=2: 1",
             "f = lambda *, y=1: 1", "f = lambda x: 0.0", "f = lambda x: -0.0", "f = lambda x: (1, 2)",
             "f = lambda x: (1, True)", "f = lambda x: ((1,), 2)", "f = lambda x: x < 1", "f = lambda x: x > 1",
             "f = lambda x: 1 < x", "f = lambda x: x is None", "f = lambda x: x is not None", "f = lambda x: x in (1, 2)",
             "f = lambda x: x not in (1, 2)", "f = lambda x: x in {1, 2}", "f = lambda x: x in [1, 2, 3]",
             "f = lambda x: f'{x}'", "f = lambda x: f'{x!r}'", "f = lambda x: f'{x:3}'", "f = lambda x: f'{x:4}'",
             "f = lambda x: f'{x!s}'", "f = lambda x: f'{x!a}'", "f = lambda x: x + 1", "f = lambda x: x - 1", "f = lambda x: x * 1",
             "f = lambda x: x @ 1", "f = lambda x: 1 + x", "f = lambda x: -x", "f = lambda x: ~x", "f = lambda x: not x",
             "f = lambda x: x(a=1)", "f = lambda x: x(b=1)", "f = lambda x: x(1)", "f = lambda x: x(*x)",
             "f = lambda x: x(**x)", "f = lambda x: [i for i in x]", "f = lambda x: {i for i in x}",
             "f = lambda x: (i for i in x)", "f = lambda x: [i for i in x if i]", "f = lambda x: [-i for i in x]",
             "f = lambda x: lambda: x", "f = lambda x: lambda y: x", "f = lambda x: lambda y: y", "f = lambda x: x[1:2]",
             "f = lambda x: x[1:3]", "f = lambda x: x[1:2:1]", "f = lambda x: (yield x)", "f = lambda x: x and 1",
             "f = lambda x: x or 1", "f = lambda x: 1 if x else 2", "f = lambda x: 2 if x else 1", "f = lambda x: ...",
             "f = lambda x: None", "f = lambda x: 'None'", "f = lambda x: x**2", "f = lambda x: x // 2",
             "f = lambda x: x / 2", "f = lambda x: x % 2", "f = lambda x: x << 2", "f = lambda x: x >> 2"),
    same("a set of constants", 'f = lambda x: x in {"a", "b", "c", "d"}', 'f = lambda x: x in {"d", "c", "b", "a"}'),
    distinct("statements", *(f"def f(x, y=0):\n    {body}\n    return x" for body in (
        "x.a = 1", "x.b = 1", "x[0] = 1", "del x.a", "del x[0]", "x += 1", "x -= 1", "assert x", "assert x, 'a'", "raise x",
        "raise x from y", "import os", "import sys", "from os import path", "from os import sep", "global G; G = 1",
        "global H; H = 1", "while x: x = y", "while x: break", "for i in x: continue", "for i in x: y = i", "print(x)",
        "print(y)", "x, y = y, x", "(x, *y) = x", "with x: pass", "with x as y: pass", "with x, y: pass",
        "try: x()\n    except ValueError: pass", "try: x()\n    except TypeError: pass", "try: x()\n    except: pass",
        "try: x()\n    finally: y()", "try: x()\n    except ValueError as e: raise", "try: x()\n    except* ValueError: pass",
        "try:\n        x(); y()\n    except ValueError: pass", "try: x()\n    except ValueError: pass\n    y()",
        "match x:\n        case 1: y = 1", "match x:\n        case 2: y = 1", "match x:\n        case [a, b]: y = a",
        "match x:\n        case {'k': v}: y = v", "match x:\n        case int(): y = 1", "if x: y = 1", "if x: y = 2",
        "if x: pass\n    else: y = 1", "y = [*x]", "y = {**x}", "y = x if y else 1", "y = (x := 3)", "nonlocal_ = x"))),
    same("what must not matter in statements", "def f(x):\n    if x: return 1\n    return 2",
         "def f(x):\n    if x:\n        return 1\n    return 2", "def f(x):\n    # why\n    if x:\n\n        return 1\n    return 2"),
    same("form of a loop", "def f(x):\n    for i in x:\n        if i: continue\n        print(i)\n    return x",
         "def f(x):\n    for i in x:\n        if i:\n            continue\n        print(i)\n    return x",
         "def f(x):\n\n    for k in x:\n        if k: continue  # skip\n\n        print(k)\n    return x"),
    same("form of conditions", "def f(x, y):\n    if (x and y) or not x: return 1",
         "def f(x, y):\n    if (x\n        and y) or \\\n            not x:\n        return 1",
         "def f(x, y):\n    if (\n        (x and y)\n        or not x\n    ):\n        return 1"),
    same("form of nested conditions", "def f(x, y):\n    while x and y:\n        x = g(x) if y else h(x)\n    return x",
         "def f(x, y):\n    while (\n        x\n        and y\n    ):\n        x = (\n            g(x)\n            if y\n"
         "            else h(x)\n        )\n    return x"),
    same("form of a try", "def f(x):\n    try: return x()\n    except ValueError: return None\n    finally: print(1)",
         "def f(x):\n    try:\n        # go\n        return x()\n    except ValueError:\n        return None\n"
         "    finally:\n        print(1)"),
    same("form of a with", "def f(x):\n    with x as y: return y",
         "def f(x):\n    with x as y:\n        return y", "def f(x):\n    with (\n        x as y\n    ):\n\n        return y"),
    same("form of an early return", "def f(x):\n    if x:\n        for i in x:\n            if i: print(i)\n",
         "def f(x):\n    if x:\n        for i in x:\n            if i:\n                print(i)\n            # on\n",
         "def f(x):\n    if x:\n        for i in x:\n            if i: print(i)\n            pass\n"),
    distinct("edits of helpers", *edits("helpers", HELPERS, ("K = 3", "K = 4"), ("K = 3", "K = 3.0"), ("[1, 2]", "[1, 3]"), ("TABLE", "TABELLE"),
             ("(3, 4)", "[3, 4]"), ("x * 2", "x * 3"), ("factor=10", "factor=11"), ("rate = 5", "rate = 6"),
             ("x * self.rate", "x + self.rate"), ("* factor + K", "* factor - K"), ('["a"]', '["b"]'), ('["a"][0]', '["a"][1]'))),
    same("what must not matter in helpers", HELPERS, HELPERS.replace("def unused(x):\n    return x", ""),
         HELPERS.replace("def deep(x):", "def deep(x):\n    'Doubles.'"), HELPERS.replace("deep", "doubled"),
         HELPERS.replace("class Config:", "class Config:\n    'Documented.'\n"), HELPERS.replace("def deep(x)", "def deep(v: int) -> int").replace("return x * 2", "return v * 2"),
         "import json\n" + HELPERS,
         HELPERS.replace("\ndef ", "\n\n\n# here\ndef ")),
    distinct("edits of nested code", *edits("nested", NESTED, ("N = 1", "N = 2"), ("x + 1", "x + 2"), ('"q"', '"s"'), ("or 7", "or 8"),
             ("{k: v for", "{v: k for"), ("(a for a in xs)", "(a for a in xs if a)"), ("helper(z)", "abs(z)"),
             ("inner(y)", "inner(y=0)"), ("lambda v:", "lambda v=1:"), ("lambda v:", "lambda *v:"))),
    same("what must not matter in nested code", NESTED, NESTED.replace("def inner(y):", "def inner(y: list) -> 'list':"),
         NESTED.replace("inner", "within"), NESTED.replace("def inner(y):", "def inner(y):\n        'Docs.'"),
         NESTED.replace("z", "zz"), NESTED.replace('{"p", "q", "r"}', '{"r", "q", "p"}'),
         NESTED.replace("g = lambda v: inner(v)", "g = lambda w: inner(w)"), NESTED.replace("def f(xs)", "def f(items)").replace("xs", "items"),
         NESTED.replace("def helper", "def helfer").replace("helper(z)", "helfer(z)")),
    same("the order of names in a closure", "def f(x):\n    a, b = x\n    def g(): return a - b\n    return g",
         "def f(x):\n    z, y = x\n    def g(): return z - y\n    return g"),
    distinct("which variable in a closure", "def f(x):\n    a, b = x\n    def g(): return a - b\n    return g",
             "def f(x):\n    a, b = x\n    def g(): return b - a\n    return g"),
    same("annotations of nested functions", *(
        f"import typing\nBASE = 3\ndef f(x):\n    c = x\n    def g(a{one} = 1, *, k{two} = 2){three}: return a + k + c\n    return g(x)"
        for one, two, three in [("", "", ""), (": int", ": 'str'", " -> float"), (": list[int]", ": typing.Any", ""),
                                (": BASE", ": typing.Optional[int]", " -> dict[str, tuple[int, ...]]"), ("", "", " -> None")])),
    distinct("defaults of nested functions", *(
        f"def f(x):\n    c = x\n    def g(a: int = {one}, *, k: 'str' = {two}) -> float: return a + k + c\n    return g"
        for one, two in [(1, 2), (1, 3), (2, 2), (1.0, 2), ("x", 2), (1, "x")])),
    distinct("closures", *edits("closure", CLOSURE, ("outer(1, 2)", "outer(1, 3)"), ("outer(1, 2)", "outer(2, 2)"),
             ("outer(1, 2)", "outer(1, True)"), ("outer(1, 2)", "outer(1.0, 2)"), ("a * b", "b * a"), ("x + 1", "x + 2"), ("a + 1", "a + 2"))),
    same("names in closures", CLOSURE, CLOSURE.replace("(a, b)", "(u, b)").replace("a + 1", "u + 1").replace("a * b", "u * b"),
         CLOSURE.replace("outer", "make_it"), CLOSURE.replace("(a, b)", "(z, b)").replace("a + 1", "z + 1").replace("a * b", "z * b")),
    distinct("functions in closures", *edits("closure functions", """
        def a(x): return x + 1
        def b(x): return x + 2
        def compose(g, h): return lambda x: g(h(x))
        f = compose(a, b)
        """, ("compose(a, b)", "compose(b, a)"), ("x + 1", "x + 3"), ("x + 2", "x + 3"), ("compose(a, b)", "compose(a, a)"))),
    same("an empty cell", "def outer():\n    def f(): return later\n    if False: later = 1\n    return f\nf = outer()",
         "def o():\n    def f(): return late\n    if False: late = 1\n    return f\nf = o()"),
    distinct("cells, full and empty", "def outer():\n    def f(): return later\n    if False: later = 1\n    return f\nf = outer()",
             "def outer():\n    def f(): return later\n    later = 1\n    return f\nf = outer()",
             "def outer():\n    def f(): return later\n    later = None\n    return f\nf = outer()"),
    distinct("nonlocal", *edits("nonlocal", "def outer():\n    n = 0\n    def f():\n        nonlocal n\n        n += 1\n        return n\n    return f\nf = outer()",
             ("n = 0", "n = 1"), ("n += 1", "n += 2"))),
    distinct("globals of every kind", *(f"G = {value}\ndef f(x): return x, G" for value in (
        "1", "True", "1.0", "'1'", "b'1'", "None", "[1]", "(1,)", "{1}", "{1: 1}", "[[1]]", "{'a': [1]}", "{'a': [2]}", "{'a': {'b': (1, [2])}}",
        "{'a': {'b': (1, [3])}}", "lambda x: x", "lambda x: -x", "int", "len", "range(3)", "object()", "type('A', (), {})", "__import__('decimal').Decimal(1)"))),
    same("globals that are not defined", "def f(x): return missing(x)", "def f(y): return missing(y)"),
    distinct("defined or not", "def f(x): return missing(x)", "missing = 1\ndef f(x): return missing(x)", "def f(x): return absent(x)",
             "missing = None\ndef f(x): return missing(x)", "missing = 'undefined'\ndef f(x): return missing(x)"),
    same("globals that shadow nothing", "def f(x): return len(x)", "import os\ndef f(x): return len(x)"),
    distinct("a builtin and its shadow", "def f(x): return len(x)", "def len(x): return 3\ndef f(x): return len(x)"),
    distinct("defaults", *(f"def f(x, y={value}): return y" for value in ("1", "True", "1.0", "[]", "()", "{}", "None", "'a'", "lambda: 1", "lambda: 2", "int"))),
    distinct("attributes of a function", "def f(x): return x", "def f(x): return x\nf.a = 1", "def f(x): return x\nf.a = 2", "def f(x): return x\nf.b = 1"),
    distinct("docstring or name that is read", "def g(x):\n    'one'\ndef f(x): return g.__doc__", "def g(x):\n    'two'\ndef f(x): return g.__doc__",
             "def g(x):\n    'one'\ndef f(x): return g.__name__", "def h(x):\n    'one'\ng = h\ndef f(x): return g.__name__"),
    same("docstring that is not read", "def g(x):\n    'one'\ndef f(x): return g(x)", "def g(x):\n    'two'\ndef f(x): return g(x)"),
    distinct("annotation that is read", "def g(x: int): pass\ndef f(x): return g.__annotations__", "def g(x: str): pass\ndef f(x): return g.__annotations__"),
    distinct("name read in a closure", "def d(g):\n    def w(x): return g.__name__, g(x)\n    return w\ndef one(x): return x\nf = d(one)",
             "def d(g):\n    def w(x): return g.__name__, g(x)\n    return w\ndef two(x): return x\nf = d(two)"),
    distinct("names of locals that are read", "def f(x):\n    a = 1\n    return locals()", "def f(x):\n    b = 1\n    return locals()",
             "def f(x):\n    a = 1\n    return eval('a')", "def f(x):\n    b = 1\n    return eval('a')"),
    distinct("local classes", *edits("local class", """
        def f(x):
            class C:
                "doc"
                a: int = 1
                b: str
                def m(self, v: int = 2) -> int: return v + self.a
            return C
        """, ("a: int = 1", "a: int = 2"), ("v: int = 2", "v: int = 3"), ("v + self.a", "v - self.a"), ("b: str", "c: str"),
        ("class C", "class C(dict)"), ("class C", "class D"), ("def m", "def n"), ("b: str", "b: ClassVar[str]"))),
    same("what must not matter in local classes", *edits("local class same", """
        def f(x):
            class C:
                "doc"
                a: int = 1
                b: str
                def m(self, v: int = 2) -> int: return v + self.a
            return C
        """, ('"doc"', '"docs"'), ('"doc"\n', "\n\n"), ("v: int = 2", "v = 2"), ("-> int", ""),
        ("def m", "\n        # m\n        def m"), ("def f(x)", "def f(z)"))),
    distinct("generators and coroutines", "def f(x): return x", "def f(x): yield x", "async def f(x): return x", "async def f(x): yield x",
             "async def f(x): return await x", "async def f(x):\n    async for i in x: pass", "async def f(x):\n    async with x: pass", "def f(x): yield from x"),
    distinct("recursion", *edits("recursion", "def f(n):\n    return 1 if n == 0 else n * f(n - 1)", ("n * f", "n + f"), ("n - 1", "n - 2"), ("return 1", "return 2"))),
    same("the name of a recursive function", "def f(n):\n    return 1 if n == 0 else n * f(n - 1)", "def g(m):\n    return 1 if m == 0 else m * g(m - 1)\nf = g"),
    distinct("mutual recursion", *edits("mutual", "def g(n): return n == 0 or h(n - 1)\ndef h(n): return n != 0 and g(n - 1)\nf = g",
             ("h(n - 1)", "h(n - 2)"), ("g(n - 1)", "g(n - 2)"), ("f = g", "f = h"), ("n != 0 and", "n != 0 or"), ("f = g", "f = [g, h]"), ("f = g", "f = [h, g]"))),
    same("mutual recursion in any order", "def g(n): return n == 0 or h(n - 1)\ndef h(n): return n != 0 and g(n - 1)\nf = g",
         "def h(n): return n != 0 and g(n - 1)\ndef g(n): return n == 0 or h(n - 1)\nf = g", "def odd(n): return n != 0 and even(n - 1)\ndef even(n): return n == 0 or odd(n - 1)\nf = even"),
    distinct("recursion through a helper and data", *edits("data", "def g(x): return TABLE['h'](x) + K\ndef h(x): return TABLE['g'](x)\nK = 1\nTABLE = {'g': g, 'h': h}\nf = g",
             ("K = 1", "K = 2"), ("TABLE['g'](x)", "TABLE['g'](-x)"), ("'h': h", "'h': g"))),
    distinct("recursive lambda", "f = lambda n: n and f(n - 1)", "f = lambda n: n and f(n - 2)", "f = lambda n: n or f(n - 1)"),
    *sees_helper("called", "def f(x): return helper(x)"),
    *sees_helper("helper of a helper", "def middle(x): return helper(x)\ndef f(x): return middle(x)"),
    *sees_helper("three deep", "def a(x): return helper(x)\ndef b(x): return a(x)\ndef f(x): return b(x)"),
    *sees_helper("in a comprehension", "def f(x): return [helper(i) for i in x]"),
    *sees_helper("in a generator expression", "def f(x): return sum(helper(i) for i in x)"),
    *sees_helper("in a lambda", "def f(x): return sorted(x, key=lambda v: helper(v))"),
    *sees_helper("in a nested function", "def f(x):\n    def inner(y): return helper(y)\n    return inner(x)"),
    *sees_helper("in a doubly nested function", "def f(x):\n    def inner(y):\n        def inner2(z): return helper(z)\n        return inner2(y)\n    return inner(x)"),
    *sees_helper("in a local class", "def f(x):\n    class C:\n        def m(self): return helper(x)\n    return C().m()"),
    *sees_helper("in the body of a local class", "def f(x):\n    class C:\n        a = helper(1)\n    return C.a"),
    *sees_helper("in a default", "def f(x, h=helper): return h(x)"),
    *sees_helper("in a keyword default", "def f(x, *, h=helper): return h(x)"),
    *sees_helper("as a value", "def f(x): return list(map(helper, x))"),
    *sees_helper("through another name", "alias = helper\ndef f(x): return alias(x)"),
    *sees_helper("in a dict", "TABLE = {'h': helper}\ndef f(x): return TABLE['h'](x)"),
    *sees_helper("in a list", "STEPS = [abs, helper]\ndef f(x): return [s(x) for s in STEPS]"),
    *sees_helper("in a nested table", "TABLE = {'a': [(1, {'b': helper})]}\ndef f(x): return TABLE['a'](x)"),
    *sees_helper("in an instance", "class C: pass\nc = C()\nc.h = helper\ndef f(x): return c.h(x)"),
    *sees_helper("in a method", "class C:\n    def m(self, x): return helper(x)\ndef f(x): return C().m(x)"),
    *sees_helper("in a base class", "class B:\n    def m(self, x): return helper(x)\nclass C(B): pass\ndef f(x): return C().m(x)"),
    *sees_helper("in a property", "class C:\n    @property\n    def p(self): return helper(self)\ndef f(x): return C().p"),
    *sees_helper("in a class method", "class C:\n    @classmethod\n    def p(cls): return helper(cls)\ndef f(x): return C.p()"),
    *sees_helper("in a static method", "class C:\n    @staticmethod\n    def p(): return helper(3)\ndef f(x): return C.p()"),
    *sees_helper("in a class attribute", "class C:\n    h = helper\ndef f(x): return C.h(x)"),
    *sees_helper("by a decorator", "def deco(g): return lambda x: helper(g(x))\n@deco\ndef f(x): return x"),
    *sees_helper("by a decorator with wraps", "import functools\ndef deco(g):\n    @functools.wraps(g)\n    def w(x): return helper(g(x))\n    return w\n@deco\ndef f(x): return x"),
    *sees_helper("decorated", "def deco(g): return lambda x: g(x)\nhelper = deco(helper)\ndef f(x): return helper(x)"),
    *sees_helper("by a class decorator", "class deco:\n    def __init__(self, g): self.g = g\n    def __call__(self, x): return helper(self.g(x))\n@deco\ndef f(x): return x"),
    *sees_helper("cached", "import functools\nh = functools.lru_cache(helper)\ndef f(x): return h(x)"),
    *sees_helper("in a partial", "import functools\nh = functools.partial(helper)\ndef f(x): return h(x)"),
    *sees_helper("in a partial of a partial", "import functools\nh = functools.partial(functools.partial(map, helper), [])\ndef f(x): return h(x)"),
    *sees_helper("in single dispatch", "import functools\n@functools.singledispatch\ndef h(x): return x\n@h.register(int)\ndef _(x): return helper(x)\ndef f(x): return h(x)"),
    *sees_helper("in a closure", "def outer(h): return lambda x: h(x)\nf = outer(helper)"),
    *sees_helper("in a generator", "def f(x):\n    for i in x: yield helper(i)"),
    *sees_helper("in a coroutine", "async def f(x): return helper(x)"),
    *sees_helper("in a made function", "exec('def f(x): return helper(x)')"),
    *sees_helper("under a condition", "def f(x):\n    if x: return helper(x)\n    return None"),
    *sees_helper("in an except", "def f(x):\n    try: return x()\n    except ValueError: return helper(x)"),
    *sees_helper("in a match", "def f(x):\n    match x:\n        case 1: return helper(x)"),
    *sees_helper("in an f-string", "def f(x): return f'{helper(x):>3}'"),
    *sees_helper("in a starred call", "def f(x): return print(*helper(x), **helper(x))"),
    *sees_helper("declared global", "def f(x):\n    global helper\n    return helper(x)"),
    *sees_helper("with an attribute read", "def f(x): return helper.__call__(x)"),
    *sees_helper("in a functools.reduce", "import functools\ndef f(x): return functools.reduce(lambda a, b: helper(a), x)"),
    *sees_helper("as the key of a method", "def f(x): x.sort(key=helper)"),
    *sees_helper("in a bound method of a builtin", "h = [helper].append\ndef f(x): return h(x)"),
    *sees_helper("in a mapping proxy", "import types\nT = types.MappingProxyType({'h': helper})\ndef f(x): return T['h'](x)"),
    *sees_helper("in a default dict", "import collections\nT = collections.defaultdict(helper)\ndef f(x): return T[x]"),
    *sees_helper("in a named tuple", "import collections\nT = collections.namedtuple('T', 'h')(helper)\ndef f(x): return T.h(x)"),
    *sees_helper("in a dataclass field", "import dataclasses\n@dataclasses.dataclass\nclass C:\n    h: object = helper\ndef f(x): return C().h(x)"),
    *sees_helper("in a default factory", "import dataclasses\n@dataclasses.dataclass\nclass C:\n    h: list = dataclasses.field(default_factory=helper)\ndef f(x): return C()"),
    *sees_helper("in an enumeration", "import enum\nclass E(enum.Enum):\n    A = 1\n    def m(self): return helper(self)\ndef f(x): return E.A.m()"),
    *sees_helper("in a metaclass", "class M(type):\n    def m(cls): return helper(cls)\nclass C(metaclass=M): pass\ndef f(x): return C.m()"),
    *sees_helper("in __call__", "class C:\n    def __call__(self, x): return helper(x)\nf = C()"),
    *sees_helper("in a bound method", "class C:\n    def m(self, x): return helper(x)\nf = C().m"),
    *sees_helper("in __getattr__", "class C:\n    def __getattr__(self, n): return helper(n)\nc = C()\ndef f(x): return c.foo"),
    *sees_helper("in a descriptor", "class D:\n    def __get__(self, o, t): return helper(o)\nclass C:\n    d = D()\ndef f(x): return C().d"),
    *sees_helper("in cached_property", "import functools\nclass C:\n    @functools.cached_property\n    def p(self): return helper(self)\ndef f(x): return C().p"),
    *sees_helper("in a context manager", "import contextlib\n@contextlib.contextmanager\ndef cm(): yield helper(1)\ndef f(x):\n    with cm() as c: return c"),
    *sees_helper("in a partial method", "import functools\nclass C:\n    def m(self, a): return helper(a)\n    n = functools.partialmethod(m, 1)\ndef f(x): return C().n()"),
    *sees_helper("in a single dispatch method", "import functools\nclass C:\n    @functools.singledispatchmethod\n    def m(self, a): return a\n    @m.register\n    def _(self, a: int): return helper(a)\ndef f(x): return C().m(x)"),
    *sees_helper("in a total ordering", "import functools\n@functools.total_ordering\nclass C:\n    def __lt__(self, o): return helper(o)\n    def __eq__(self, o): return True\ndef f(x): return C() > x"),
]
