"""What is read elsewhere: by a helper, by a library, through a container, by a name in a text, by its order."""

from __future__ import annotations

from .table import distinct, error, same


def fields(name: str, text: str) -> list:
    """Texts with a class of fields; its types, their order and what they are called count wherever they are read."""
    forms = [text.replace("§", kind) for kind in ("int", "str", "float", "list[int]")]
    return [distinct(f"seen: types of fields: {name}", *forms)]


CONFIGS = {
    "a dataclass": "import dataclasses\n@dataclasses.dataclass\nclass C:\n    a: §\n    b: bytes = b''\n",
    "a frozen dataclass with slots": "import dataclasses\n@dataclasses.dataclass(frozen=True, slots=True)\nclass C:\n    a: §\n    b: bytes = b''\n",
    "a named tuple": "import typing\nclass C(typing.NamedTuple):\n    a: §\n    b: bytes = b''\n",
    "a typed dict": "import typing\nclass C(typing.TypedDict):\n    a: §\n    b: bytes\n",
    "a plain class": "class C:\n    a: §\n    b: bytes = b''\n    def __init__(self, a): self.a = a\n",
    "a subclass": "class B:\n    a: §\nclass C(B):\n    def __init__(self, a): self.a = a\n",
    "a field made by a library": "import dataclasses\n@dataclasses.dataclass\nclass C:\n    a: dict[str, §]\n",
    "a class variable": "import dataclasses, typing\n@dataclasses.dataclass\nclass C:\n    a: int\n    k: typing.ClassVar[§] = None\n",
    "a nested class of fields": "import dataclasses\n@dataclasses.dataclass\nclass Inner:\n    x: §\n@dataclasses.dataclass\nclass C:\n    a: Inner\n",
    "a nested class named by a text": "import dataclasses\n@dataclasses.dataclass\nclass C:\n    a: 'Inner'\n@dataclasses.dataclass\nclass Inner:\n    x: §\n",
    "a nested class in a list named by a text": "import dataclasses\n@dataclasses.dataclass\nclass C:\n    a: list['Inner']\n@dataclasses.dataclass\nclass Inner:\n    x: §\n",
    "annotations as texts": "from __future__ import annotations\nimport dataclasses\n@dataclasses.dataclass\nclass Inner:\n    x: §\n@dataclasses.dataclass\nclass C:\n    a: list[Inner]\n",
}
USES = {
    "handed to a helper": "import dataclasses\ndef read(cls): return [f.type for f in dataclasses.fields(cls)]\ndef f(x): return read(C)\n",
    "handed to a library": "import json\ndef f(x): return json.loads(x, object_hook=C)\n",
    "as an input": "f = C\n",
    "in a list": "f = [C]\n",
    "made by a step": "def f(x): return C(x)\n",
    "in a table": "MODELS = {'c': C}\ndef f(x): return MODELS['c']\n",
    "in a partial": "import functools\nf = functools.partial(print, C)\n",
}

# What is done with functions that are handed on; the name then counts, and it does not where they are only called.
HANDED = {
    "in a list": "METRICS = [m]\ndef f(x): return {g.__name__: g(x) for g in METRICS}",
    "in a tuple": "METRICS = (m, len)\ndef f(x): return {g.__name__: g(x) for g in METRICS}",
    "in a set": "METRICS = {m}\ndef f(x): return {g.__name__: g(x) for g in METRICS}",
    "in a dict": "METRICS = {1: m}\ndef f(x): return {g.__name__: g(x) for g in METRICS.values()}",
    "as a key": "METRICS = {m: 1}\ndef f(x): return {g.__name__: g(x) for g in METRICS}",
    "in a list in a list": "METRICS = [[m]]\ndef f(x): return METRICS",
    "in a list of the body": "def f(x): return x.agg([m, 'sum'])",
    "as an argument": "def f(x): return x.agg(m)",
    "as a keyword argument": "def f(x): return x.pivot_table(aggfunc=m)",
    "as an argument of a helper": "def name(g): return g.__name__\ndef f(x): return name(m)",
    "returned": "def f(x): return m",
    "yielded": "def f(x): yield m",
    "bound to a variable": "def f(x):\n    g = m\n    return g.__name__",
    "as a default": "def f(x, g=m): return g.__name__",
    "as a default by keyword": "def f(x, *, g=m): return g.__name__",
    "in a closure": "def outer(g):\n    def f(x): return [g], x\n    return f\nf = outer(m)",
    "in a closure of a closure": "def outer(g):\n    def f(x):\n        def h(): return [g]\n        return h()\n    return f\nf = outer(m)",
    "in an instance": "class S:\n    def __init__(self, g): self.g = g\n    def __call__(self, x): return self.g.__name__\nf = S(m)",
    "in an instance with slots": "class S:\n    __slots__ = ('g',)\n    def __init__(self, g): self.g = g\n    def __call__(self, x): return self.g.__name__\nf = S(m)",
    "in a dataclass": "import dataclasses\n@dataclasses.dataclass\nclass S:\n    g: object\n    def __call__(self, x): return self.g.__name__\nf = S(m)",
    "in a named tuple": "import collections\nf = collections.namedtuple('S', 'g')(m)",
    "in a namespace": "import types\nf = types.SimpleNamespace(g=m)",
    "in a partial": "import functools\ndef call(g, x): return g.__name__\nf = functools.partial(call, m)",
    "in a partial by keyword": "import functools\ndef call(x, g): return g.__name__\nf = functools.partial(call, g=m)",
    "in a curried function": "import toolz\n@toolz.curry\ndef call(g, x): return g.__name__\nf = call(m)",
    "in a default dict": "import collections\nf = collections.defaultdict(list, a=m)",
    "in an ordered dict": "import collections\nf = collections.OrderedDict(a=m)",
    "in a deque": "import collections\nf = collections.deque([m])",
    "in a mapping proxy": "import types\nf = types.MappingProxyType({'a': m})",
    "in a class attribute": "class S:\n    METRICS = [m]\nf = S()",
    "with its documentation read by a helper": "m.__doc__ = m.__name__\ndef doc(g): return g.__doc__\ndef f(x): return doc(m)",
    "of another module": "import helpers\nhelpers.m = m\ndef f(x): return x.agg([helpers.m])\n#-- helpers.py\n",
}
CALLED = {
    "called": "def f(x): return m(x)",
    "called in a comprehension": "def f(x): return [m(i) for i in x]",
    "called with keywords": "def f(x): return m(x=x)",
    "called with stars": "def f(x): return m(*x, **x)",
    "called twice": "def f(x): return m(m(x))",
    "called in a closure": "def outer(g):\n    def f(x): return g(x)\n    return f\nf = outer(m)",
    "called in a closure of a closure": "def outer(g):\n    def f(x):\n        def h(): return g(x)\n        return h()\n    return f\nf = outer(m)",
    "called in a module": "import helpers\nhelpers.m = m\ndef f(x): return helpers.m(x)\n#-- helpers.py\n",
    "called by a partial": "import functools\nf = functools.partial(m)",
    "called by a chain": "from flowly_ckpt import chained\nf = chained(m, len)",
    "called by combinators": "from flowly_ckpt import build_dict, chained, seq\nf = chained(build_dict(a=m), seq(m, m), build_dict(b=chained(m)))",
    "a step alone": "f = m",
    "cached": "import functools\nf = functools.lru_cache(m)",
    "by its method": "class S:\n    g = m\nf = S().g",
    "in a property": "class S:\n    g = property(m)\nf = S",
}

# What a nested function shows of itself; every pair differs in the name, the docstring, an annotation or a parameter.
NESTED = "def f(x):\n    {deco}def {name}({p}: {kind}):\n        '{doc}'\n        return {p}\n    {use}"
NESTED_FORMS = ({}, {"name": "h"}, {"doc": "b"}, {"kind": "str"}, {"p": "q"})
NESTED_HANDED = {"returned": "return {name}", "in a list": "return [{name}]", "in a dict": "return dict(a={name})", "as an argument": "return x.apply({name})", "through a variable": "k = {name}\n    return k",
                 "through a lambda": "return lambda: {name}", "yielded": "yield {name}", "read here": "return {name}.__name__, {name}.__doc__, {name}.__annotations__, {name}.__code__"}
NESTED_CALLED = {"called": "return {name}(x)", "called in a lambda": "return (lambda y: {name}(y))(x)", "called in a comprehension": "return [{name}(i) for i in x]", "not used": "return x"}


def nested(use: str, deco: str = "", **change: str) -> str:
    values = {"name": "g", "doc": "a", "kind": "int", "p": "p", **change}
    return NESTED.format(**values, deco=deco, use=use.format(**values))


H = "\n#-- helpers.py\n"

# A name that only a text holds.
TEXTS = {
    "df.query": "K = {k}\ndef f(df): return df.query('a >= @K')",
    "df.query, two names": "J = 0\nK = {k}\ndef f(df): return df.query('a >= @J and b < @K')",
    "df.query in an f-string": "K = {k}\ndef f(df, c): return df.query(f'{{c}} >= @K')",
    "df.query with an attribute": "class P: pass\nP.low = {k}\ndef f(df): return df.query('a >= @P.low')",
    "df.query with a function": "def g(x): return x + {k}\ndef f(df): return df.query('a >= @g(b)')",
    "df.eval": "K = {k}\ndef f(df): return df.eval('c = a + @K')",
    "pd.eval": "import pandas as pd\nK = {k}\ndef f(df): return pd.eval('df.a + K')",
    "a query that is a constant": "K = {k}\nQUERY = 'a >= @K'\ndef f(df): return df.query(QUERY)",
    "a query in a method": "K = {k}\nclass C:\n    def m(self, df): return df.query('a >= @K')\nf = C().m",
    "a query in a nested function": "K = {k}\ndef f(dfs): return [(lambda d: d.query('a >= @K'))(df) for df in dfs]",
    "eval": "K = {k}\ndef f(x): return eval('x + K')",
    "exec": "K = {k}\ndef f(x):\n    exec('y = K')\n    return 1",
    "eval of a call": "def g(x): return x + {k}\ndef f(x): return eval('g(x)')",
    "globals": "K = {k}\ndef f(x): return globals()['K']",
    "globals().get": "K = {k}\ndef f(x): return globals().get('K')",
    "globals to call": "def g(x): return x + {k}\ndef f(x): return globals()['g'](x)",
    "vars()": "K = {k}\ndef f(x): return vars()['K']",
    "the module itself": "import sys\nK = {k}\ndef f(x): return getattr(sys.modules[__name__], 'K')",
    "the module itself to call": "import sys\ndef g(x): return x + {k}\ndef f(x): return getattr(sys.modules[__name__], 'g')(x)",
    "the dict of the module": "import sys\nK = {k}\ndef f(x): return sys.modules[__name__].__dict__['K']",
    "the globals of a function": "K = {k}\ndef f(x): return f.__globals__['K']",
    "import_module": "from importlib import import_module\ndef f(x): return import_module('helpers').g(x)" + H + "def g(x): return x + {k}\n",
    "importlib.import_module": "import importlib\ndef f(x): return importlib.import_module('helpers').g(x)" + H + "def g(x): return x + {k}\n",
    "importlib imported inside": "def f(x):\n    import importlib\n    return importlib.import_module('helpers').g(x)" + H + "def g(x): return x + {k}\n",
    "import_module and getattr": "import importlib\ndef f(x): return getattr(importlib.import_module('helpers'), 'g')(x)" + H + "def g(x): return x + {k}\n",
    "__import__": "def f(x): return __import__('helpers').g(x)" + H + "def g(x): return x + {k}\n",
    "import_module relative": "from pkg.user import f\n#-- pkg/__init__.py\n\n#-- pkg/user.py\nfrom importlib import import_module\ndef f(x): return import_module('.leaf', __package__).g(x)\n#-- pkg/leaf.py\ndef g(x): return x + {k}\n",
}

# What hangs on a class of somebody else.
HUNG = {
    "an accessor of pandas": "import pandas as pd\n@pd.api.extensions.register_dataframe_accessor('geo_case')\nclass A:\n    def __init__(self, df): self.df = df\n    def total(self): return self.df.sum() + {k}\ndef f(df): return df.geo_case.total()",
    "an accessor of a series": "import pandas as pd\n@pd.api.extensions.register_series_accessor('geo_case2')\nclass A:\n    def __init__(self, df): self.df = df\n    def total(self): return self.df.sum() + {k}\ndef f(df): return df.a.geo_case2.total()",
    "an accessor of an index": "import pandas as pd\n@pd.api.extensions.register_index_accessor('geo_case3')\nclass A:\n    def __init__(self, df): self.df = df\n    def total(self): return self.df.sum() + {k}\ndef f(df): return df.index.geo_case3.total()",
    "a namespace of polars": "import polars as pl\n@pl.api.register_dataframe_namespace('geo_case')\nclass A:\n    def __init__(self, df): self.df = df\n    def total(self): return self.df.sum() + {k}\ndef f(df): return df.geo_case.total()",
    "a namespace of expressions": "import polars as pl\n@pl.api.register_expr_namespace('geo_case4')\nclass A:\n    def __init__(self, df): self.df = df\n    def total(self): return self.df.sum() + {k}\ndef f(df): return df.select(pl.col('a').geo_case4.total())",
    "a method of a frame": "import pandas as pd\ndef clean_case(df): return df + {k}\npd.DataFrame.clean_case = clean_case\ndef f(df): return df.clean_case()",
    "a method of a series by a lambda": "import pandas as pd\npd.Series.clean_case2 = lambda s: s + {k}\ndef f(df): return df.a.clean_case2()",
    "a property of a frame": "import pandas as pd\npd.DataFrame.prop_case = property(lambda df: {k})\ndef f(df): return df.prop_case",
    "a method of a base": "import pandas as pd\nfrom pandas.core.generic import NDFrame\nNDFrame.clean_case3 = lambda s: s + {k}\ndef f(df): return df.clean_case3()",
    "a method called in a helper": "import pandas as pd\npd.DataFrame.clean_case4 = lambda s: s + {k}\ndef g(df): return df.clean_case4()\ndef f(df): return g(df)",
    "a method by getattr": "import pandas as pd\npd.DataFrame.clean_case5 = lambda s: s + {k}\ndef f(df): return getattr(df, 'clean_case5')()",
    "a method of the standard library": "import pathlib\npathlib.PurePath.read_case = lambda p: {k}\ndef f(p): return p.read_case()",
    "a method of toolz": "import toolz\ntoolz.functoolz.Compose.case_case = lambda p: {k}\ndef f(p): return p.case_case()",
    "an accessor of xarray": "import xarray as xr\n@xr.register_dataarray_accessor('geo_case')\nclass A:\n    def __init__(self, da): self.da = da\n    def total(self): return self.da.sum() + {k}\ndef f(da): return da.geo_case.total()",
    "subclasses": "class B: pass\nclass C(B):\n    def m(self): return {k}\ndef f(x): return [c().m() for c in B.__subclasses__()]",
    "subclasses of subclasses": "class B: pass\nclass C(B): pass\nclass D(C):\n    def m(self): return {k}\ndef walk(b): return [b, *(d for c in b.__subclasses__() for d in walk(c))]\ndef f(x): return walk(B)",
    "subclasses in a class method": "class B:\n    @classmethod\n    def all(cls): return cls.__subclasses__()\nclass C(B):\n    def m(self): return {k}\ndef f(x): return B.all()",
    "a registry of subclasses": "class B:\n    known = []\n    def __init_subclass__(cls): B.known.append(cls)\nclass C(B):\n    def m(self): return {k}\ndef f(x): return [c().m() for c in B.known]",
    "a virtual subclass": "import abc\nclass B(abc.ABC):\n    def m(self): return 0\nclass C: pass\nclass D: pass\nB.register({k2})\ndef f(x): return isinstance(x, B)",
    "copyreg": "import copy, copyreg\nclass C:\n    def __init__(self, v): self.v = v\ncopyreg.pickle(C, lambda c: (C, (c.v + {k},)))\ndef f(x): return copy.copy(C(x))",
    "single dispatch registered elsewhere": "import helpers\ndef f(x): return helpers.g(x)" + H + "import functools\n@functools.singledispatch\ndef g(x): return 0\nimport other\n#-- other.py\nfrom helpers import g\n@g.register\ndef _(x: int): return {k}\n",
}

# What hides behind a reduction that only names it.
REDUCED = {
    "a wrapper that pickles by name": "import functools\nclass W:\n    def __init__(self, g):\n        functools.update_wrapper(self, g)\n    def __call__(self, x): return self.__wrapped__(x)\n    def __reduce__(self): return self.__qualname__\n@W\ndef f(x): return x + {k}",
    "a wrapper that pickles by name in func": "class W:\n    def __init__(self, g): self.func, self.__name__ = g, g.__name__\n    def __call__(self, x): return self.func(x)\n    def __reduce__(self): return self.__name__\n@W\ndef f(x): return x + {k}",
    "a wrapper with slots": "class W:\n    __slots__ = ('func',)\n    def __init__(self, g): self.func = g\n    def __call__(self, x): return self.func(x)\n    def __reduce__(self): return self.func.__name__\n@W\ndef f(x): return x + {k}",
    "an argument of a wrapper": "class W:\n    def __init__(self, n): self.n = n\n    def __reduce__(self): return 'f'\nf = W({k})",
    "a wrapper used by a step": "class W:\n    def __init__(self, g): self.func = g\n    def __call__(self, x): return self.func(x)\n    def __reduce__(self): return self.func.__name__\n@W\ndef g(x): return x + {k}\ndef f(x): return g(x)",
    "a state setter": "def put{k}(obj, state): obj.v = {k}\nclass C:\n    def __reduce__(self): return C, (), {{'v': 1}}, None, None, put{k}\nf = C()",
    "a state setter by what it does": "def put(obj, state): obj.v = {k}\nclass C:\n    def __reduce__(self): return C, (), {{'v': 1}}, None, None, put\nf = C()",
    "polars map_elements": "import polars as pl\ndef g(x): return x + {k}\nf = pl.col('a').map_elements(g, return_dtype=pl.Int64)",
    "polars map_elements of a lambda": "import polars as pl\nf = pl.col('a').map_elements(lambda x: x + {k}, return_dtype=pl.Int64)",
    "polars map_elements with a global": "import polars as pl\nK = {k}\ndef g(x): return x + K\nf = pl.col('a').map_elements(g, return_dtype=pl.Int64)",
    "polars map_batches": "import polars as pl\ndef g(x): return x + {k}\nf = pl.col('a').map_batches(g)",
    "polars in a step": "import polars as pl\ndef g(x): return x + {k}\ne = pl.col('a').map_elements(g, return_dtype=pl.Int64)\ndef f(df): return df.select(e)",
    "wrapt": "import wrapt\n@wrapt.decorator\ndef deco(wrapped, instance, args, kwargs): return wrapped(*args) * 2\n@deco\ndef f(x): return x + {k}",
    "wrapt, the decorator": "import wrapt\n@wrapt.decorator\ndef deco(wrapped, instance, args, kwargs): return wrapped(*args) * {k}\n@deco\ndef f(x): return x",
    "Deprecated": "from deprecated import deprecated\n@deprecated(version='1')\ndef f(x): return x + {k}",
    "Deprecated, used by a step": "from deprecated import deprecated\n@deprecated(version='1')\ndef g(x): return x + {k}\ndef f(x): return g(x)",
}

ORDERED = {
    "keywords of a partial": ("import functools\nf = functools.partial(dict, a=1, b=2)", "import functools\nf = functools.partial(dict, b=2, a=1)"),
    "keywords of a curried function": ("import toolz\nf = toolz.curry(dict, a=1, b=2)", "import toolz\nf = toolz.curry(dict, b=2, a=1)"),
    "attributes of an instance": ("class C: pass\nf = C()\nf.a = 1; f.b = 2", "class C: pass\nf = C()\nf.b = 2; f.a = 1"),
    "attributes of a namespace": ("import types\nf = types.SimpleNamespace(a=1, b=2)", "import types\nf = types.SimpleNamespace(b=2, a=1)"),
    "slots": ("class C:\n    __slots__ = ('a', 'b')\nf = C()", "class C:\n    __slots__ = ('b', 'a')\nf = C()"),
    "slots of a class": ("class C:\n    __slots__ = ('a', 'b')\ndef f(x): return C.__slots__", "class C:\n    __slots__ = ('b', 'a')\ndef f(x): return C.__slots__"),
    "annotations": ("class C:\n    a: int\n    b: int\nf = C", "class C:\n    b: int\n    a: int\nf = C"),
    "fields of a dataclass": ("import dataclasses\n@dataclasses.dataclass\nclass C:\n    a: int = 1\n    b: int = 1\nf = C", "import dataclasses\n@dataclasses.dataclass\nclass C:\n    b: int = 1\n    a: int = 1\nf = C"),
    "fields of a typed dict": ("import typing\nclass C(typing.TypedDict):\n    a: int\n    b: int\nf = C", "import typing\nclass C(typing.TypedDict):\n    b: int\n    a: int\nf = C"),
    "vars of a class": ("class C:\n    a = 1\n    b = 2\ndef f(x): return list(vars(C))", "class C:\n    b = 2\n    a = 1\ndef f(x): return list(vars(C))"),
    "the dict of a class": ("class C:\n    a = 1\n    b = 2\ndef f(x): return list(C.__dict__)", "class C:\n    b = 2\n    a = 1\ndef f(x): return list(C.__dict__)"),
    "vars of a class in a helper": ("class C:\n    a = 1\n    b = 2\ndef names(c): return list(vars(c))\ndef f(x): return names(C)", "class C:\n    b = 2\n    a = 1\ndef names(c): return list(vars(c))\ndef f(x): return names(C)"),
    "vars of a class in a method": ("class C:\n    a = 1\n    b = 2\n    @classmethod\n    def names(cls): return list(vars(cls))\nf = C.names", "class C:\n    b = 2\n    a = 1\n    @classmethod\n    def names(cls): return list(vars(cls))\nf = C.names"),
}

LOG = "import logging\nlog = logging.getLogger('{n}')\n"
CASES = [
    *(group for name, config in CONFIGS.items() for use, how in USES.items() for group in fields(f"{name}, {use}", config + how)),
    *(distinct(f"seen: a local class of fields, {name}", *(f"import dataclasses\ndef f(x):\n    @dataclasses.dataclass\n    class C:\n        a: {kind}\n    return {use}" for kind in ("int", "str", "'float'"))) for name, use in {"returned": "C", "made": "C(x)", "handed on": "x.map(C)"}.items()),
    *(distinct(f"seen: the name of a function {name}", *(f"def {n}(x): return x\nm = {n}\n{text}" for n in ("mae", "rmse"))) for name, text in HANDED.items()),
    *(same(f"seen: the name of a function {name} is not read", *(f"def {n}(x): return x\nm = {n}\n{text}" for n in ("mae", "rmse"))) for name, text in CALLED.items()),
    *(distinct(f"seen: documentation {name}", *(f"def g(x):\n    '{doc}'\n{text}" for doc in "ab")) for name, text in {
        "in a list": "ALL = [g]\ndef f(x): return [h.__doc__ for h in ALL]", "in a dict": "ALL = {'g': g}\ndef f(x): return {k: h.__doc__ for k, h in ALL.items()}",
        "by a helper": "def doc(h): return h.__doc__\ndef f(x): return doc(g)", "by a helper from a list": "ALL = [g]\ndef docs(hs): return [h.__doc__ for h in hs]\ndef f(x): return docs(ALL)",
        "by a helper of a helper": "def doc(h): return h.__doc__\ndef outer(h): return doc(h)\ndef f(x): return outer(g)", "by inspect": "import inspect\nALL = [g]\ndef f(x): return [inspect.getdoc(h) for h in ALL]"}.items()),
    *(distinct(f"seen: a signature {name}", *(f"def g(a: {kind}): pass\n{text}" for kind in ("int", "str"))) for name, text in {
        "in a list": "import inspect\nALL = [g]\ndef f(x): return [inspect.signature(h) for h in ALL]", "by a helper": "import typing\ndef hints(h): return typing.get_type_hints(h)\ndef f(x): return hints(g)"}.items()),
    *(distinct(f"seen: a nested function {name}", *(nested(use, **form) for form in NESTED_FORMS)) for name, use in NESTED_HANDED.items()),
    *(same(f"seen: a nested function {name}", *(nested(use, **form) for form in NESTED_FORMS)) for name, use in NESTED_CALLED.items()),
    distinct("seen: a decorated nested function", *(nested("return x", "@register\n    ", **form) for form in NESTED_FORMS)),
    *(distinct(f"seen: named in a text: {name}", *(text.format(k=k) for k in (1, 2))) for name, text in TEXTS.items()),
    same("seen: a text that names nothing", "K = 1\ndef f(df): return df.query('a >= 3')", "K = 2\ndef f(df): return df.query('a >= 3')"),
    same("seen: a text that nobody looks up", "K = 1\ndef f(df): return df.rename('K')", "K = 2\ndef f(df): return df.rename('K')"),
    *(distinct(f"seen: hung on: {name}", *(text.format(k=k, k2="C" if k == 1 else "D") for k in (1, 2))) for name, text in HUNG.items()),
    same("seen: hung on, but not used", *(f"import pandas as pd\npd.DataFrame.unused_case = lambda s: {k}\ndef f(df): return df.used_case()" for k in (1, 2))),
    *(distinct(f"seen: reduced to a name: {name}", *(text.format(k=k) for k in (1, 2))) for name, text in REDUCED.items()),
    *(distinct(f"seen: the order of {name}", *texts) for name, texts in ORDERED.items()),
    same("seen: a function handed on by an ignored variable", *(f"from flowly_ckpt import ignore_globals\ndef {n}(x): return x\ndef outer(g):\n    @ignore_globals('g')\n    def f(x): return [g]\n    return f\nf = outer({n})" for n in ("mae", "rmse"))),
    same("seen: a function handed on by an ignored global", *(f"from flowly_ckpt import ignore_globals\ndef {n}(x): return x\ng = {n}\n@ignore_globals('g')\ndef f(x): return [g]" for n in ("mae", "rmse"))),
    distinct("seen: sentinels as inputs", "A = object()\nB = object()\nf = A", "A = object()\nB = object()\nf = B"),
    distinct("seen: sentinels in a list", "A = object()\nB = object()\nf = [A, 1]", "A = object()\nB = object()\nf = [B, 1]"),
    distinct("seen: sentinels of other modules", "from helpers import A as f" + H + "A = object()\nB = object()\n", "from helpers import B as f" + H + "A = object()\nB = object()\n"),
    distinct("seen: sentinels as arguments", *(f"import functools\nA = object()\nB = object()\nf = functools.partial(print, {k})" for k in "AB")),
    distinct("seen: sentinels that a step hands on", *(f"A = object()\nB = object()\ndef f(x): return x.get(1, {k})" for k in "AB")),
    same("seen: a sentinel of a step", "MISSING = object()\ndef f(x): return x is MISSING", "import os\nMISSING = object()\ndef f(y): return y is MISSING"),
    same("seen: a sentinel as a default", "def f(x, y=object()): return y", "def f(x, y=object()):  # none\n    return y"),
    same("seen: a sentinel of a class", "class C:\n    unset = object()\n    def m(self, x): return x is self.unset\nf = C()", "class C:\n    unset = object()\n\n    def m(self, x): return x is self.unset\nf = C()"),
    same("seen: a sentinel of a dataclass", "import dataclasses\nU = object()\n@dataclasses.dataclass\nclass C:\n    a: object = U\n    def m(self): return self.a is U\nf = C", "import dataclasses\nU = object()\n@dataclasses.dataclass\nclass C:\n    a: object = U\n\n    def m(self): return self.a is U\nf = C"),
    same("seen: a sentinel in a closure", "def make_it():\n    unset = object()\n    return lambda x: x is unset\nf = make_it()", "def make_it():\n    unset = object()\n    return lambda y: y is unset\nf = make_it()"),
    error("seen: a sentinel that nothing holds", "[object()]", "object"),
    distinct("seen: loggers as inputs", *(LOG.format(n=n) + "f = log" for n in "ab")),
    distinct("seen: loggers in a list", *(LOG.format(n=n) + "f = [log]" for n in "ab")),
    distinct("seen: loggers handed on", *(LOG.format(n=n) + "def f(x): return x.run(log)" for n in "ab")),
    distinct("seen: the name of a logger", *(LOG.format(n=n) + "def f(x): return log.name" for n in "ab")),
    distinct("seen: the level of a logger", *(LOG.format(n="level") + f"log.setLevel({level})\ndef f(x): return log.level" for level in (10, 20))),
    distinct("seen: the level of a logger in a closure", *(LOG.format(n="level2") + f"log.setLevel({level})\ndef outer(log): return lambda x: log.level\nf = outer(log)" for level in (10, 20))),
    same("seen: a logger that is written to", *(LOG.format(n=n) + "def f(x):\n    log.info('x')\n    if log.isEnabledFor(10): log.debug(x)\n    return x" for n in "ab")),
    distinct("seen: an import for what it does", *(f"REGISTRY = {{}}\ndef f(x):\n    import plug\n    return 1\n#-- plug.py\nimport case\ndef g(x): return {k}\n" for k in (1, 2))),
    distinct("seen: an import for what it does, in a helper", *(f"def g(x):\n    import plug\ndef f(x):\n    g(x)\n    return 1\n#-- plug.py\nK = {k}\n" for k in (1, 2))),
    distinct("seen: an import of a submodule for what it does", *(f"def f(x):\n    import pkg.plug\n    return 1\n#-- pkg/__init__.py\n\n#-- pkg/plug.py\nK = {k}\n" for k in (1, 2))),
    distinct("seen: an import for what it does, under another name", *(f"def f(x):\n    import plug as _\n    return 1\n#-- plug.py\nK = {k}\n" for k in (1, 2))),
    same("seen: an import that is used counts by what is used", *(f"def f(x):\n    import plug\n    return plug.g(x)\n#-- plug.py\nK = {k}\ndef g(x): return x\n" for k in (1, 2))),
]
