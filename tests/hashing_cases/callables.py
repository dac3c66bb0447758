"""Callables that are not plain functions: partial, curry, compose, methods, builtins, pipelines."""

from __future__ import annotations

from .table import distinct, same

P = "import functools, operator, toolz, toolz.curried as curried\nfrom flowly_ckpt import *\nfrom flowly_ckpt.checkpoint import *\n"
P += "def a(x): return x + 1\ndef b(x): return x * 2\ndef c(x, y=1): return x - y\n"


def pipeline(text: str) -> str:
    return P + "f = " + text


CASES = [
    distinct("builtins", "len", "max", "min", "abs", "str.upper", "str.lower", "'a'.upper", "'b'.upper", "[].append", "[1].append", "dict.fromkeys",
             "collections.OrderedDict.fromkeys", "int.__add__", "(1).__add__", "(2).__add__", "math.sin", "math.cos", "operator.add", "sys.getsizeof", "print",
             "int.from_bytes", "object.__init__", "type.mro", "type.__call__", "int.real", "[].__len__"),
    distinct("numpy functions", "np.add", "np.subtract", "np.add.reduce", "np.add.accumulate", "np.multiply.reduce", "np.mean", "np.median", "np.linalg.norm", "np.sum",
             "np.array", "np.random.default_rng", "np.fft.fft", "np.vectorize(lambda x: x)", "np.vectorize(lambda x: -x)", "np.vectorize(lambda x: x, otypes='d')", "np.float64"),
    distinct("functions of distributions", "toolz.merge", "toolz.pluck", "pd.concat", "pd.DataFrame", "pd.DataFrame.sum", "pa.table", "pl.DataFrame", "pl.col", "string.capwords",
             "pd.read_csv", "toolz.curry", "toolz.compose"),
    distinct("partial", *map(pipeline, ("a", "functools.partial(a)", "functools.partial(b)", "functools.partial(c, 1)", "functools.partial(c, 2)", "functools.partial(c, y=1)",
             "functools.partial(c, y=2)", "functools.partial(c, 1, y=2)", "functools.partial(c, True)", "functools.partial(functools.partial(c, 1), 2)"))),
    same("partial of a partial", pipeline("functools.partial(c, 1, y=2)"), pipeline("functools.partial(functools.partial(c, 1), y=2)")),
    distinct("partial method", *(f"import functools\nclass C:\n    def m(self, a): return a\n    n = functools.partialmethod(m, {v})\nf = C" for v in (1, 2, "True"))),
    distinct("curry", *map(pipeline, ("toolz.curry(c)", "toolz.curry(a)", "toolz.curry(c, 1)", "toolz.curry(c, y=1)", "curried.map(a)", "curried.map(b)", "curried.filter(a)", "map"))),
    distinct("a decorator that curries", *(f"import toolz\n@toolz.curry\ndef f(x, y): return x {op} y" for op in "+-")),
    same("a memo and its content", P + "f = toolz.memoize(a)", P + "f = toolz.memoize(a)\nf(1); f(2)"),
    same("curry in two ways", pipeline("toolz.curry(c)(y=3)"), pipeline("toolz.curry(c, y=3)")),
    distinct("toolz", *map(pipeline, ("toolz.compose(a, b)", "toolz.compose(b, a)", "toolz.compose(a, b, a)", "toolz.juxt(a, b)", "toolz.juxt(b, a)", "toolz.juxt(a)", "toolz.complement(a)",
             "toolz.complement(b)", "toolz.excepts(ValueError, a)", "toolz.excepts(TypeError, a)", "toolz.excepts(ValueError, b)", "toolz.excepts(ValueError, a, b)", "toolz.flip(c)", "toolz.memoize(a)", "toolz.memoize(b)"))),
    same("toolz by content", pipeline("toolz.compose(a, b)"), pipeline("toolz.compose(lambda v: v + 1, lambda v: v * 2)"), pipeline("toolz.compose_left(b, a)")),
    distinct("caches", *map(pipeline, ("functools.lru_cache(a)", "functools.lru_cache(b)", "a"))),
    same("a cache and its content", P + "f = functools.lru_cache(a)", P + "f = functools.lru_cache(a)\nf(1); f(2)", P + "f = functools.cache(a)", P + "f = functools.lru_cache(maxsize=3)(a)"),
    distinct("single dispatch", *(f"import functools\n@functools.singledispatch\ndef f(x): return {d}\n@f.register({t})\ndef _(x): return {v}" for d, t, v in ((0, "int", 1), (1, "int", 1), (0, "str", 1), (0, "int", 2)))),
    same("single dispatch in any order", "import functools\n@functools.singledispatch\ndef f(x): return 0\nf.register(int)(lambda x: 1)\nf.register(str)(lambda x: 2)",
         "import functools\n@functools.singledispatch\ndef f(x): return 0\nf.register(str)(lambda x: 2)\nf.register(int)(lambda x: 1)",
         "import functools\n@functools.singledispatch\ndef f(x): return 0\nf.register(str)(lambda x: 2)\nf.register(int)(lambda x: 1)\nf('a'); f(2.0)"),
    distinct("bound methods", *(f"class C:\n    def __init__(self, v): self.v = v\n    def m(self): return self.v{e}\n    def n(self): return self.v\nf = C({v}).{m}" for v, m, e in ((1, "m", ""), (2, "m", ""), (1, "n", " + 1"), (1, "m", " + 1")))),
    same("method by instance or class", "class C:\n    def m(self): return 1\nf = C().m", "class C:\n    def m(self): return 1\nc = C()\nf = c.m"),
    distinct("wrapped functions", *(f"import functools\ndef deco(n):\n    def d(g):\n        @functools.wraps(g)\n        def w(*args): return g(*args) {op} n\n        return w\n    return d\n@deco({n})\ndef f(x): return x + {k}"
             for n, op, k in ((1, "+", 1), (2, "+", 1), (1, "-", 1), (1, "+", 2)))),
    same("wrapped functions, other names", *(f"import functools\ndef deco(n):\n    def d(g):\n        @functools.wraps(g)\n        def {w}(*args):\n            '{doc}'\n            return g(*args) + n\n        return {w}\n    return d\n@deco(1)\ndef f(x):\n    '{doc}'\n    return x + 1" for w, doc in (("w", "a"), ("wrapper", "b")))),
    distinct("callable instances", *(f"class C:\n    def __init__(self, v): self.v = v\n    def __call__(self, x): return x {op} self.v\nf = C({v})" for op, v in (("+", 1), ("+", 2), ("-", 1)))),
    # pipelines
    same("one step alone", pipeline("a"), pipeline("chained(a)"), pipeline("chained(chained(a))"), pipeline("chained(a, checkpoint({}))"), pipeline("with_checkpoint(checkpoint({}), a)"),
         pipeline("add_checkpoints(chained(a, checkpoint({})))"), pipeline("lambda y: y + 1"), pipeline("chained(checkpoint({1: 2}, tag='t'), a)")),
    same("associativity", pipeline("chained(a, b, c)"), pipeline("chained(a, chained(b, c))"), pipeline("chained(chained(a, b), c)"), pipeline("chained(chained(a), chained(), chained(b, chained(c)))"),
         pipeline("chained(a, checkpoint({}), b, checkpoint({}, tag='x'), c)"), pipeline("add_checkpoints(chained(a, checkpoint({}), b, checkpoint({}), c))"),
         pipeline("chained(with_checkpoint(checkpoint({}), chained(a, b)), c)"), pipeline("toolz.compose(c, b, a)")),
    same("no step at all", pipeline("chained()"), pipeline("checkpoint({})"), pipeline("chained(checkpoint({}), chained())"), pipeline("checkpoint({}, tag='t')")),
    distinct("chains", *map(pipeline, ("chained()", "chained(a)", "chained(a, b)", "chained(b, a)", "chained(a, a)", "chained(a, a, a)", "chained(b)", "chained(a, b, c)", "[a, b]", "(a, b)", "[a]", "build_dict(a=a)", "seq(a, b)", "seq(chained(a, b))"))),
    distinct("dicts of steps", *map(pipeline, ("build_dict(u=a, v=b)", "build_dict(u=b, v=a)", "build_dict(u=a)", "build_dict(w=a, v=b)", "itemsetter(u=a)", "itemsetter(u=b)"))),
    same("checkpoints inside combinators", pipeline("build_dict(u=chained(a, b))"), pipeline("build_dict(u=chained(a, checkpoint({}), b))"), pipeline("add_checkpoints(build_dict(u=chained(a, checkpoint({}), b)))")),
    same("a pipeline in a closure", pipeline("(lambda p: lambda x: p(x))(chained(a, b))"), pipeline("(lambda p: lambda x: p(x))(chained(a, checkpoint({}), b))")),
    same("curried map of a chain", pipeline("curried.map(chained(a, b))"), pipeline("curried.map(chained(a, checkpoint({}), b))"), pipeline("add_checkpoints(curried.map(chained(a, checkpoint({}), b)))")),
    distinct("mocks", "__import__('unittest.mock').mock.Mock()", "__import__('unittest.mock').mock.Mock(return_value=1)", "__import__('unittest.mock').mock.Mock(return_value=2)",
             "__import__('unittest.mock').mock.MagicMock()", "__import__('unittest.mock').mock.Mock(side_effect=ValueError('a'))"),
    same("a mock and its past", "from unittest.mock import Mock\nf = Mock(return_value=1)", "from unittest.mock import Mock\nf = Mock(return_value=1)\nf(2); f.a.b.c(3)"),
]
