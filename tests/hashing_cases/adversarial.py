"""What an attacker tried: classes that are made in unusual ways, what is read where nobody looks, what has no value."""

from __future__ import annotations

from .table import distinct, error, same

DATA = "from dataclasses import dataclass, field\n@dataclass{options}\nclass C:\n    a: int = {a}\n    b: list = field(default_factory={b}, repr={repr})\n    def m(self): return {m}\nf = C()"
TUPLE = "from typing import NamedTuple\nclass C(NamedTuple):\n    a: int = {a}\n    {b}: int = 2\n    def m(self): return {m}\nf = C()"

DEPENDS = "from flowly_ckpt.hashing import depends_on\nimport functools, contextlib, toolz\ndef h(x): return {k}\n{text}"
DEPENDING = {
    "a cached function": "@depends_on(h)\n@functools.lru_cache\ndef f(x): return x",
    "a partial": "f = depends_on(h)(functools.partial(max, 1))",
    "what an installed decorator made": "@depends_on(h)\n@contextlib.contextmanager\ndef f(x): yield x",
    "a generic function": "@depends_on(h)\n@functools.singledispatch\ndef f(x): return x",
    "a class": "@depends_on(h)\nclass f:\n    pass",
    "a curried function": "@depends_on(h)\n@toolz.curry\ndef f(x, y): return x",
    "an instance": "class C:\n    def __call__(self, x): return x\nf = depends_on(h)(C())",
    "a vectorized function": "import numpy as np\nf = depends_on(h)(np.vectorize(lambda x: x))",
}

CASES = [
    *(distinct(f"depends_on on {name}", *(DEPENDS.format(k=k, text=text) for k in (1, 2))) for name, text in DEPENDING.items()),
    same("ignore_globals above another decorator", *(f"from flowly_ckpt import ignore_globals\nimport functools\nn = {n}\n@ignore_globals('n')\n@functools.lru_cache\ndef f(x): return n" for n in (1, 2))),
    same("made: dataclass moved", "from dataclasses import dataclass\n@dataclass\nclass C:\n    a: int = 1\nf = C()", "from other import C\nf = C()\n#-- other.py\nfrom dataclasses import dataclass\n@dataclass\nclass C:\n    a: int = 1"),
    same("made: frozen slots dataclass moved", "from dataclasses import dataclass\n@dataclass(frozen=True, slots=True, order=True)\nclass C:\n    a: int = 1\nf = C()", "from other import C\nf = C()\n#-- other.py\nfrom dataclasses import dataclass\n@dataclass(frozen=True, slots=True, order=True)\nclass C:\n    a: int = 1"),
    same("made: namedtuple moved", "from typing import NamedTuple\nclass C(NamedTuple):\n    a: int = 1\nf = C()", "from other import C\nf = C()\n#-- other.py\nfrom typing import NamedTuple\nclass C(NamedTuple):\n    a: int = 1"),
    same("made: collections.namedtuple moved", "from collections import namedtuple\nC = namedtuple('C', 'a b')\nf = C(1, 2)", "from other import C\nf = C(1, 2)\n#-- other.py\nfrom collections import namedtuple\nC = namedtuple('C', 'a b')"),
    same("made: enum moved", "from enum import Enum, auto\nclass C(Enum):\n    A = auto()\n    B = auto()\nf = C.A", "from other import C\nf = C.A\n#-- other.py\nfrom enum import Enum, auto\nclass C(Enum):\n    A = auto()\n    B = auto()"),
    same("made: flag moved", "from enum import Flag, auto\nclass C(Flag):\n    A = auto()\n    B = auto()\nf = C.A | C.B", "from other import C\nf = C.B | C.A\n#-- other.py\nfrom enum import Flag, auto\nclass C(Flag):\n    A = auto()\n    B = auto()"),
    same("made: abc moved", "from abc import ABC, abstractmethod\nclass A(ABC):\n    @abstractmethod\n    def m(self): ...\nclass C(A):\n    def m(self): return 1\nf = C()", "from other import C\nf = C()\n#-- other.py\nfrom abc import ABC, abstractmethod\nclass A(ABC):\n    @abstractmethod\n    def m(self): ...\nclass C(A):\n    def m(self): return 1"),
    same("made: protocol moved", "from typing import Protocol\nclass A(Protocol):\n    def m(self): ...\nclass C(A):\n    def m(self): return 1\nf = C()", "from other import C\nf = C()\n#-- other.py\nfrom typing import Protocol\nclass A(Protocol):\n    def m(self): ...\nclass C(A):\n    def m(self): return 1"),
    same("made: typeddict moved", "from typing import TypedDict\nclass C(TypedDict):\n    a: int\ndef f(x): return C(a=x)", "from other import C\ndef f(x): return C(a=x)\n#-- other.py\nfrom typing import TypedDict\nclass C(TypedDict):\n    a: int"),
    same("made: total_ordering moved", "from functools import total_ordering\n@total_ordering\nclass C:\n    def __eq__(s, o): return 1\n    def __lt__(s, o): return 0\nf = C()", "from other import C\nf = C()\n#-- other.py\nfrom functools import total_ordering\n@total_ordering\nclass C:\n    def __eq__(s, o): return 1\n    def __lt__(s, o): return 0"),
    same("made: class with super and cached_property moved", "from functools import cached_property\nclass C:\n    def __init__(self): super().__init__()\n    @cached_property\n    def p(self): return 1\nf = C()", "from other import C\nf = C()\n#-- other.py\nfrom functools import cached_property\nclass C:\n    def __init__(self): super().__init__()\n    @cached_property\n    def p(self): return 1"),
    distinct("made: exec-made class in a bare namespace", *(f"ns = {{}}\nexec('class C:\\n    def m(self): return {k}', ns)\nf = ns['C']" for k in (1, 2))),
    distinct("made: exec-made class instance in a bare namespace", *(f"ns = {{}}\nexec('class C:\\n    K = {k}', ns)\nf = ns['C']()" for k in (1, 2))),
    distinct("made: exec-made function in a bare namespace", *(f"ns = {{}}\nexec('def g(x): return h(x)\\ndef h(x): return {k}', ns)\nf = ns['g']" for k in (1, 2))),
    distinct("made: types.new_class", *(f"import types\nf = types.new_class('C', (), {{}}, lambda ns: ns.update(m=lambda self: {k}))" for k in (1, 2))),
    distinct("made: types.new_class attrs", *(f"import types\nf = types.new_class('C', (), {{}}, lambda ns: ns.update(m={k}))" for k in (1, 2))),
    distinct("made: ABCMeta called", *(f"import abc\nf = abc.ABCMeta('C', (), {{'m': lambda self: {k}}})" for k in (1, 2))),
    distinct("made: make_dataclass", *(f"import dataclasses\nf = dataclasses.make_dataclass('C', {k})" for k in ("[('a', int)]", "[('b', int)]", "[('a', int, 3)]", "[('a', int, 4)]"))),
    distinct("made: make_dataclass instances", *(f"import dataclasses\nf = dataclasses.make_dataclass('C', {k})" for k in ("[('a', int, 1)]", "[('a', int, 1)], namespace={'m': lambda s: 1}", "[('a', int, 1)], namespace={'m': lambda s: 2}"))),
    distinct("made: type() called", *(f"f = type('C', (), {{'m': lambda self: {k}}})" for k in (1, 2))),
    distinct("made: Enum functional", *(f"import enum\nf = enum.Enum('C', {k!r})" for k in ("A B", "B A", "A C"))),
    distinct("made: namedtuple functional", *(f"import collections\nf = collections.namedtuple('C', {k})" for k in ("'a b'", "'b a'", "'a b', defaults=[1]", "'a b', defaults=[2]"))),
    distinct("made: NewType", *(f"import typing\nf = typing.NewType('C', {k})" for k in ("int", "str"))),
    distinct("made: TypedDict", *(f"import typing\nf = typing.TypedDict('C', {k})" for k in ("{'a': int}", "{'b': int}"))),
    distinct("made: property subclass edited", *(f"class P(property):\n    def __get__(self, o, t=None): return super().__get__(o, t) + {k}\nclass C:\n    @P\n    def m(self): return 1\ndef f(x): return C().m" for k in (1, 2))),
    distinct("made: partial subclass edited", *(f"import functools\nclass P(functools.partial):\n    def __call__(self, *a): return super().__call__(*a) + {k}\nf = P(len)" for k in (1, 2))),
    distinct("made: cached_property subclass", *(f"import functools\nclass P(functools.cached_property):\n    def __get__(self, o, t=None): return super().__get__(o, t) + {k}\nclass C:\n    @P\n    def m(self): return 1\nf = C" for k in (1, 2))),
    distinct("made: classmethod subclass", *(f"class P(classmethod):\n    def __get__(self, o, t=None): return {k}\nclass C:\n    @P\n    def m(self): return 1\nf = C" for k in (1, 2))),
    distinct("made: staticmethod subclass", *(f"class P(staticmethod):\n    K = {k}\nclass C:\n    @P\n    def m(self): return 1\nf = C" for k in (1, 2))),
    distinct("made: enum with label attribute", *(f"import enum\nclass C(bytes, enum.Enum):\n    def __new__(cls, value, label):\n        obj = bytes.__new__(cls, [value])\n        obj._value_ = value\n        obj.label = label\n        return obj\n    PX = (0, '{k}')\ndef f(x): return C.PX.label" for k in "ab")),
    distinct("made: enum member with label attribute", *(f"import enum\nclass C(enum.Enum):\n    def __new__(cls, value, label):\n        obj = object.__new__(cls)\n        obj._value_ = value\n        obj.label = label\n        return obj\n    PX = (0, '{k}')\nf = C.PX" for k in "ab")),
    distinct("made: flag boundary", *(f"import enum\nclass C(enum.Flag, boundary=enum.{k}):\n    A = 1\n    B = 2\nf = C" for k in ("KEEP", "STRICT", "CONFORM", "EJECT"))),
    distinct("made: enum _missing_", *(f"import enum\nclass C(enum.Enum):\n    A = 1\n    @classmethod\n    def _missing_(cls, v): return cls.A if v == {k} else None\ndef f(x): return C(x)" for k in (1, 2))),
    distinct("made: enum method/property", *(f"import enum\nclass C(enum.Enum):\n    A = 1\n    @property\n    def p(self): return {k}\n    @enum.property\n    def q(self): return {q}\nf = C.A" for k, q in ((1, 1), (2, 1), (1, 2)))),
    distinct("made: orig bases read", *(f"import typing\nT = typing.TypeVar('T')\nclass B(typing.Generic[T]):\n    def m(self, x): return typing.get_args(type(self).__orig_bases__[0])[0](x)\nclass C(B[{k}]): pass\ndef f(x): return C().m(x)" for k in ("int", "str"))),
    distinct("made: doc read by method", *(f"class C:\n    '{k}'\n    def m(self): return self.__doc__\nf = C().m" for k in "ab")),
    same("made: getset descriptors", "int.real"),
    distinct("made: getset owners", "int.real", "float.real"),
    distinct("what makes a dataclass", *(DATA.format(**{"options": "", "a": 1, "b": "list", "repr": True, "m": 1, **one}) for one in ({}, {"options": "(frozen=True)"}, {"options": "(order=True)"}, {"options": "(eq=False)"}, {"a": 2}, {"b": "dict"}, {"repr": False}, {"m": 2})),
             DATA.format(options="", a=1, b="list", repr=True, m=1).replace("f = C()", "C.__eq__ = lambda self, other: True\nf = C()"), DATA.format(options="", a=1, b="list", repr=True, m=1).replace("f = C()", "del C.__eq__\nf = C()")),
    distinct("what makes a named tuple", *(TUPLE.format(**{"a": 1, "b": "b", "m": 1, **one}) for one in ({}, {"a": 2}, {"b": "c"}, {"m": 2})),
             TUPLE.format(a=1, b="b", m=1).replace("f = C()", "C.__new__.__defaults__ = (1, 3)\nf = C"), TUPLE.format(a=1, b="b", m=1).replace("f = C()", "C.__new__.__defaults__ = (1, 4)\nf = C"), TUPLE.format(a=1, b="b", m=1).replace("f = C()", "C._replace = lambda self: self\nf = C()")),
    same("a dataclass documented", DATA.format(options="", a=1, b="list", repr=True, m=1), DATA.format(options="", a=1, b="list", repr=True, m=1).replace("class C:", "class C:\n    'doc'")),
    distinct("a docstring read by a base class", *(f"class B:\n    def m(self): return self.__doc__\nclass C(B):\n    '{doc}'\nf = C()" for doc in "ab")),
    error("an address in the state", "class C:\n    def __init__(self): self.key = id(self)\nf = C()", "address"),
    error("an address in a text of the state", "class C:\n    def __init__(self): self.key = repr(self)\nf = C()", "address"),
    error("an address within an argument", "class C:\n    def __reduce__(self): return (C, ((id(self),),))\nf = C()", "address"),
    distinct("libraries of C", "import ctypes\nlib = ctypes.CDLL(None)\ndef f(x): return lib.abs(x)", "import ctypes\nlib = ctypes.PyDLL(None)\ndef f(x): return lib.abs(x)", "import ctypes\nabs_ = ctypes.CDLL(None).abs\ndef f(x): return abs_(x)", "import ctypes\nabs_ = ctypes.CDLL(None).labs\ndef f(x): return abs_(x)"),
]
