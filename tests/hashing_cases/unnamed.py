"""What code uses without naming it: operators that somebody set, readers under other names, what texts name."""

from __future__ import annotations

from .table import after, distinct, needing, same


def edited(text: str, one: str = "1", other: str = "2") -> tuple[str, str]:
    """A text in which something is one thing or another."""
    return text.replace("BODY", one), text.replace("BODY", other)


def documented(text: str) -> tuple[str, str]:
    return edited("def g(x):\n    'doc BODY'\n    return x\n" + text)


def annotated(text: str) -> tuple[str, str]:
    return edited("def g(x: BODY):\n    return x\n" + text, "int", "str")


def named(text: str) -> tuple[str, str]:
    return edited(text, "one", "other")


def of_module(text: str) -> tuple[str, str]:
    return edited(text + "\n#-- a.py\ndef b(): return BODY\nclass C:\n    def m(self): return BODY\n")


def of_package(text: str) -> tuple[str, str]:
    return edited(text + "\n#-- p/__init__.py\nfrom . import q\n#-- p/q.py\ndef b(): return BODY")


FOREIGN = "import string\nstring.Made = Made = type('Made', (), {'__module__': 'string', 'plain': str})\n"
"""A class of a library's that nobody else uses, so that what is set there disturbs nobody."""


def on_foreign(text: str) -> tuple[str, str]:
    return edited(FOREIGN + text)


def set_on(method: str, use: str, value: str = "BODY") -> tuple[str, str]:
    """A special method of a foreign class, and a function that uses it."""
    return on_foreign(f"Made.{method} = lambda *given: {value}\ndef f(p): {use}")


SET = {
    "+": set_on("__add__", "return p + 'x'"),
    "+ from the right": set_on("__radd__", "return 'x' + p"),
    "+=": set_on("__iadd__", "p += 'x'; return p"),
    "-": set_on("__sub__", "return p - 'x'"),
    "*": set_on("__mul__", "return p * 2"),
    "@": set_on("__matmul__", "return p @ p"),
    "//": set_on("__floordiv__", "return p // p"),
    "%": set_on("__mod__", "return p % p"),
    "**": set_on("__pow__", "return p ** 2"),
    "|": set_on("__or__", "return p | p"),
    "&": set_on("__and__", "return p & p"),
    "^": set_on("__xor__", "return p ^ p"),
    "<<": set_on("__lshift__", "return p << 1"),
    ">>": set_on("__rshift__", "return p >> len"),
    "negated": set_on("__neg__", "return -p"),
    "inverted": set_on("__invert__", "return ~p"),
    "called": set_on("__call__", "return p(1)"),
    "subscript": set_on("__getitem__", "return p['a']"),
    "slice": set_on("__getitem__", "return p[1:2]"),
    "set item": set_on("__setitem__", "p['a'] = 1"),
    "delete item": set_on("__delitem__", "del p['a']"),
    "in": set_on("__contains__", "return 1 in p"),
    "equal": set_on("__eq__", "return p == 1"),
    "less": set_on("__lt__", "return p < 1"),
    "loop": set_on("__iter__", "return [x for x in p]", "iter([BODY])"),
    "unpacked": set_on("__iter__", "(a,) = p; return a", "iter([BODY])"),
    "starred": set_on("__iter__", "return [*p]", "iter([BODY])"),
    "list": set_on("__iter__", "return list(p)", "iter([BODY])"),
    "len": set_on("__len__", "return len(p)"),
    "len by map": set_on("__len__", "return list(map(len, p))"),
    "abs": set_on("__abs__", "return abs(p)"),
    "hash": set_on("__hash__", "return hash(p)"),
    "str": set_on("__str__", "return str(p)", "'BODY'"),
    "f-string": set_on("__format__", "return f'{p:x}'", "'BODY'"),
    "repr in an f-string": set_on("__repr__", "return f'{p!r}'", "'BODY'"),
    "truth": set_on("__bool__", "return 1 if p else 2", "BODY > 1"),
    "not": set_on("__bool__", "return not p", "BODY > 1"),
    "sorted": set_on("__lt__", "return sorted(p)", "BODY > 1"),
    "sum": set_on("__add__", "return sum(p)"),
    "attribute": set_on("__getattr__", "return p.zzz"),
    "not in": set_on("__contains__", "return 1 not in p"),
    "by operator": set_on("__add__", "import operator; return operator.add(p, 1)"),
    "operator folded": on_foreign("import functools, operator\nMade.__add__ = lambda a, b: BODY\ndef f(p): return functools.reduce(operator.add, p)"),
    "with": on_foreign("Made.__enter__ = lambda s: BODY\nMade.__exit__ = lambda *a: None\ndef f(p):\n    with p as q: return q"),
    "in a helper": on_foreign("Made.__add__ = lambda a, b: BODY\ndef h(p): return p + 1\nT = [h]\ndef f(p): return T[0](p)"),
    "in nested code": on_foreign("Made.__add__ = lambda a, b: BODY\ndef f(p): return [q + 1 for q in p]"),
    "named function": on_foreign("def add(a, b): return BODY\nMade.__add__ = add\ndef f(p): return p + 1"),
    "through another one": on_foreign("def h(): return BODY\nMade.__add__ = lambda a, b: h()\ndef f(p): return p + 1"),
    "how it is made": on_foreign("old = Made.__init__\nMade.__init__ = lambda s, *a: setattr(s, 'a', BODY)\ndef f(x): return string.Made(3)"),
    "frame": edited("import pandas as pd\npd.DataFrame.__matmul__ = lambda a, b: BODY\ndef f(df): return df @ df"),
    "ufunc": set_on("__array_ufunc__", "import numpy as np; return np.sin(p)"),
    "expression": edited("import polars as pl\npl.Expr.__matmul__ = lambda a, b: BODY\ndef f(df): return pl.col('a') @ pl.col('b')"),
    "method replaced after somebody looked": on_foreign("from flowly_ckpt import functional_hash\nMade.m = str.upper\nfunctional_hash(lambda p: p.m())\nimport later\ndef f(p): return p.m()\n#-- later.py\nimport string\nstring.Made.m = lambda *a: BODY"),
    "operator replaced after somebody looked": on_foreign("from flowly_ckpt import functional_hash\nMade.__add__ = Made.__init__\nfunctional_hash(lambda p: p + 1)\nimport later\ndef f(p): return p + 1\n#-- later.py\nimport string\nstring.Made.__add__ = lambda *a: BODY"),
}  # fmt: skip

READ = {
    "signature": annotated("import inspect\nsig = inspect.signature\ndef f(x): return sig(g)"),
    "signature imported": annotated("from inspect import signature as s\ndef f(x): return s(g)"),
    "signature in a body": annotated("def f(x):\n    from inspect import signature as s\n    return s(g)"),
    "doc imported": documented("from inspect import getdoc as d\ndef f(x): return d(g)"),
    "doc in a dict": documented("import inspect\nT = {'d': inspect.getdoc}\ndef f(x): return T['d'](g)"),
    "doc in a list of a class": documented("import inspect\nclass R:\n    ALL = [inspect.getdoc]\ndef f(x): return R.ALL[0](g)"),
    "doc in a class": documented("import inspect\nclass R:\n    d = staticmethod(inspect.getdoc)\ndef f(x): return R.d(g)"),
    "doc in an instance": documented("import inspect\nclass R:\n    def __init__(self, d): self.d = d\nr = R(inspect.getdoc)\ndef f(x): return r.d(g)"),
    "doc in a closure": documented("import inspect\ndef mk(d):\n    def f(x): return d(g)\n    return f\nf = mk(inspect.getdoc)"),
    "doc in a default": documented("import inspect\ndef f(x, d=inspect.getdoc): return d(g)"),
    "doc in a partial": documented("import inspect, functools\np = functools.partial(inspect.getdoc, g)\ndef f(x): return p()"),
    "doc in a step": documented("import inspect\nfrom flowly_ckpt import chained\ndef pick(x): return g\nf = chained(pick, inspect.getdoc)"),
    "doc by a getter": documented("import operator\nd = operator.attrgetter('__doc__')\ndef f(x): return d(g)"),
    "doc by a getter of two": documented("import operator\nd = operator.attrgetter('__name__', '__doc__')\ndef f(x): return d(g)"),
    "doc by a getter in a dict": documented("import operator\nT = {'d': operator.attrgetter('__doc__')}\ndef f(x): return T['d'](g)"),
    "doc by a method of a text": documented("d = '{.__doc__}'.format\ndef f(x): return d(g)"),
    "doc by a constant": documented("N = '__doc__'\ndef f(x): return getattr(g, N)"),
    "doc by its reader": documented("r = object.__getattribute__\ndef f(x): return r(g, '__doc__')"),
    "types in a list": annotated("import typing\nL = [typing.get_type_hints]\ndef f(x): return [l(g) for l in L]"),
    "globals evaluated": edited("def g(x): return BODY\ne = eval\ndef f(x): return e('g(1)')"),
    "globals in their dict": edited("def g(x): return BODY\nG = globals\ndef f(x): return G()['g'](1)"),
    "order of a class": edited("class C:\n    BODY\nv = vars\ndef f(x): return list(v(C))", "a = 1; b = 2", "b = 2; a = 1"),
    "own name by a frame": named("import sys\nframe = sys._getframe\ndef BODY(x): return frame().f_code.co_name\nf = BODY"),
    "own name by the stack": named("from inspect import stack as s\ndef BODY(x): return s()[0].function\nf = BODY"),
    "source": edited("import inspect\ns = inspect.getsource\ndef g(x): return 1  # BODY\ndef f(x): return s(g)"),
}  # fmt: skip

TEXTS = {
    "locate": of_module("import pydoc\ndef f(x): return pydoc.locate('a.b')()"),
    "locate imported": of_module("from pydoc import locate\ndef f(x): return locate('a.b')()"),
    "locate under another name": of_module("import pydoc\nL = pydoc.locate\ndef f(x): return L('a.b')()"),
    "locate a method": of_module("from pydoc import locate\ndef f(x): return locate('a.C.m')"),
    "resolve with a colon": of_module("import pkgutil\ndef f(x): return pkgutil.resolve_name('a:b')()"),
    "resolve": of_module("import pkgutil\ndef f(x): return pkgutil.resolve_name('a.b')()"),
    "resolve under another name": of_module("import pkgutil\nr = pkgutil.resolve_name\ndef f(x): return r('a.b')()"),
    "resolve from a table": of_module("import pkgutil\nT = {'s': 'a.b'}\ndef f(x): return pkgutil.resolve_name(T['s'])()"),
    "resolve from a default": of_module("import pkgutil\ndef f(x, s='a.b'): return pkgutil.resolve_name(s)()"),
    "resolve from an attribute": of_module("import pkgutil\nclass P:\n    target = 'a.b'\ndef f(x): return pkgutil.resolve_name(P.target)()"),
    "a helper that imports": of_module("import importlib\ndef get(path):\n    m, _, n = path.rpartition('.')\n    return getattr(importlib.import_module(m), n)\ndef f(x): return get('a.b')()"),
    "a configuration": of_module("import importlib\nCONF = {'_target_': 'a.b', 'alpha': 1}\ndef get(path):\n    m, _, n = path.rpartition('.')\n    return getattr(importlib.import_module(m), n)\ndef f(x): return get(CONF['_target_'])()"),
    "a configuration of a class": of_module("import importlib\nCONF = [{'cls': 'a:C'}]\ndef get(path):\n    m, _, n = path.partition(':')\n    return getattr(importlib.import_module(m), n)\ndef f(x): return [get(c['cls'])() for c in CONF]"),
    "an entry point": of_module("from importlib.metadata import EntryPoint\ndef f(x): return EntryPoint('n', 'a:b', 'g').load()()"),
    "an entry point as a global": of_module("from importlib.metadata import EntryPoint\nE = EntryPoint('n', 'a:b', 'g')\ndef f(x): return E.load()()"),
    "a getter of a module": of_module("import operator, a\ndef f(x): return operator.attrgetter('b')(a)()"),
    "a method caller": of_module("import operator, a\ndef f(x): return operator.methodcaller('b')(a)"),
    "a getter below a package": of_package("import operator, p\ndef f(x): return operator.attrgetter('q.b')(p)()"),
    "getattr below a package": of_package("import p\ndef f(x): return getattr(p, 'q').b()"),
    "a path below a package": of_package("import functools, p\ndef f(x): return functools.reduce(getattr, 'q.b'.split('.'), p)()"),
    "a path below a package, handed on": of_package("import p\ndef get(m, path):\n    for n in path.split('.'): m = getattr(m, n)\n    return m\ndef f(x): return get(p, 'q.b')()"),
}  # fmt: skip

OWN_BASES = {
    "datetime.timedelta": "3",
    "datetime.date": "2020, 1, 1",
    "datetime.datetime": "2020, 1, 1",
    "datetime.time": "1",
    "int": "1",
    "float": "1.0",
    "complex": "1",
    "str": "'a'",
    "bytes": "b'a'",
    "tuple": "(1,)",
    "frozenset": "(1,)",
    "decimal.Decimal": "1",
    "fractions.Fraction": "1, 2",
}
WITH_MORE = """\
class Own({base}):
    def __new__(cls, more, *given):
        made = super().__new__(cls, *given)
        made.more = more
        return made
    def __init__(self, *given): pass
"""

CASES = [distinct(f"set by hand: {name}", *texts) for name, texts in SET.items()]
CASES += [distinct(f"read under another name: {name}", *texts) for name, texts in READ.items()]
CASES += [distinct(f"named in a text: {name}", *texts) for name, texts in TEXTS.items()]
CASES += [
    distinct(f"more than a {base} holds", *after(WITH_MORE.format(base=base), f"Own(1, {given})", f"Own(2, {given})"))
    for base, given in OWN_BASES.items()
]
CASES += needing(
    "pendulum",
    distinct("durations", *after("import pendulum", *(f"pendulum.duration({k})" for k in ("months=1", "days=30", "years=1", "days=365", "days=31")))),
    same("a duration, used", *after("import pendulum\nd = pendulum.duration(months=1)\nd.in_words(), d.total_days(), hash(d), repr(d)", "d", "pendulum.duration(months=1)")),
)  # fmt: skip
CASES += [
    same("set by hand, another operator", *set_on("__add__", "return p - 1")),
    same("set by hand, not used", *set_on("__len__", "return p - 1")),
    same("set by hand, for attributes that code only calls", *set_on("__matmul__", "return p.as_posix()")),
    same("names of variables beside np.stack", "import numpy as np\ndef g(a): b = a; return b\ndef f(x): return np.stack([g(x)])", "import numpy as np\ndef g(c): d = c; return d\ndef f(x): return np.stack([g(x)])"),
    same("names beside Series.ne", *edited("LIMIT = BODY\nT = ['LIMIT']\ndef g(s): return s.ne(1)\ndef f(s): return g(s), T")),
    same("names beside modules of a network", *edited("LIMIT = BODY\nT = ['LIMIT']\ndef g(s): return list(s.modules())\ndef f(s): return g(s), T")),
    same("a text that names a file", *of_module("import importlib\ndef f(x): return importlib.import_module(x), open('a.py'), 'a.csv'")),
]  # fmt: skip
