"""Classes and their instances."""

from __future__ import annotations

from .table import distinct, edits, same

PLAIN = """
class Base:
    shared = [1, 2]
    def inherited(self): return 1

class C(Base):
    "doc"
    limit: int = 10
    def __init__(self, x): self.x = x
    def m(self, y=1): return self.x + y
    @property
    def p(self): return self.x
    @p.setter
    def p(self, v): self.x = v
    @classmethod
    def c(cls): return cls.limit
    @staticmethod
    def s(v): return v
    def __eq__(self, o): return self.x == o.x
    __hash__ = None
"""
CHANGES = (("limit: int = 10", "limit: int = 11"), ("self.x + y", "self.x - y"), ("y=1", "y=2"), ("def p(self): return self.x", "def p(self): return -self.x"),
           ("self.x = v", "self.x = -v"), ("return cls.limit", "return -cls.limit"), ("def s(v): return v", "def s(v): return -v"), ("[1, 2]", "[1, 3]"),
           ("return 1\n", "return 2\n"), ("C(Base)", "C"), ("@staticmethod", "@classmethod"), ("== o.x", "!= o.x"), ("def m(", "def n("), ("__hash__ = None", "__hash__ = Base.__hash__"))
NOTHING = (('"doc"', '"other"'), ('    "doc"\n', ""), ("(self, y=1)", "(self, y: int = 1) -> int"), ("    def m", "\n    # m\n    def m"),
           ("class Base:", "class Base:\n    'Docs.'"), ("self.x = x", "self.x=x"))

DATA = """
import dataclasses, typing
@dataclasses.dataclass
class C:
    a: int = 1
    b: list = dataclasses.field(default_factory=list)
    c: typing.ClassVar[int] = 3
"""

ENUM = """
import enum
class E(enum.Enum):
    "doc"
    A = 1
    B = "two"
    ALIAS = 1
    def m(self): return self.value
    @classmethod
    def _missing_(cls, value): return cls.A
"""

SLOTS = """
class C:
    __slots__ = ("a", "b")
    def __init__(self, a): self.a = a
f = C(1)
"""

MADE = """
import contextlib, dataclasses, enum, functools
@dataclasses.dataclass(order=True, frozen=True)
class D:
    x: int
class E(enum.Enum):
    A = 1
@contextlib.contextmanager
def cm(): yield 1
@functools.lru_cache
def w(x): return x
"""

CASES = [
    distinct("edits of a class", *edits("class", PLAIN + "f = C", *CHANGES)),
    distinct("edits of the class of an instance", *edits("instance", PLAIN + "f = C(1)", *CHANGES, ("C(1)", "C(2)"), ("C(1)", "C(True)"))),
    distinct("edits of the class a function uses", *edits("used", PLAIN + "def f(v): return C(v)", *CHANGES)),
    distinct("edits of the class of a bound method", *edits("bound", PLAIN + "f = C(1).m", *(change for change in CHANGES if change[0] != "def m("))),
    distinct("edits of the class of an instance a function uses", *edits("global instance", PLAIN + "c = C(1)\ndef f(v): return c.m(v)", *CHANGES, ("C(1)", "C(2)"))),
    same("what must not matter in a class", *edits("class same", PLAIN + "f = C", *NOTHING)),
    same("what must not matter in the class of an instance", *edits("instance same", PLAIN + "f = C(1)", *NOTHING)),
    same("a class moved", PLAIN + "f = C(1)", "\n\n\nimport os\n" + PLAIN + "f = C(1)", "def make():" + PLAIN.replace("\n", "\n    ") + "\n    return C(1)"),
    distinct("the name of a class counts", "class C: pass\nf = C", "class D: pass\nf = D"),
    same("order of methods", "class C:\n    a = 1\n    def m(self): pass\nf = C", "class C:\n    def m(self): pass\n    a = 1\nf = C"),
    distinct("attributes of an instance", "class C: pass\nf = C()", "class C: pass\nf = C()\nf.a = 1", "class C: pass\nf = C()\nf.a = 2", "class C: pass\nf = C()\nf.b = 1", "class C: pass\nf = C()\nf.a = '1'", "class C: pass\nf = C()\nf.a = 1; f.b = None"),
    distinct("slots", *edits("slots", SLOTS, ("C(1)", "C(2)"), ('"b"', '"c"'), ("self.a = a", "self.b = a"), ("self.a = a", "self.a = a; self.b = a"))),
    distinct("slots and a dict", *(f"class B:\n    __slots__ = ('a',)\nclass C(B):\n    pass\nf = C()\nf.a = {a}\nf.b = {b}" for a, b in ((1, 1), (1, 2), (2, 1)))),
    distinct("dataclasses", *edits("dataclass", DATA + "f = C()", ("a: int = 1", "a: int = 2"), ("a: int", "z: int"), ("factory=list", "factory=tuple"), ("] = 3", "] = 4"), ("C()", "C(2)"), ("dataclass\n", "dataclass(frozen=True)\n"),
             ("dataclass\n", "dataclass(eq=False)\n"), ("dataclass\n", "dataclass(order=True)\n"), ("dataclass\n", "dataclass(slots=True)\n"), ("c: typing.ClassVar[int]", "c: int"), ("C()", "C")),),
    distinct("annotations of a dataclass", *edits("dataclass types", DATA + "f = C()", ("a: int", "a: float"), ("a: int", "a: 'typing.Any'"), ("b: list", "b: list[int]"), ("ClassVar[int]", "ClassVar[str]"))),
    same("documentation of a dataclass", *edits("dataclass same", DATA + "f = C()", ("class C:", "class C:\n    'Docs.'"))),
    distinct("data left out of comparison", *(f"import dataclasses\n@dataclasses.dataclass\nclass C:\n    a: int = dataclasses.field(default=1, compare=False)\nf = C({v})" for v in (1, 2))),
    distinct("enumerations", *edits("enum", ENUM + "f = E.A", ("A = 1\n    B", "A = 2\n    B"), ("f = E.A", "f = E.B"), ("self.value", "self.name"), ("return cls.A", "return cls.B"), ('    B = "two"\n', ""), ("f = E.A", "f = 1")), *edits("enum2", ENUM + "f = E", ('    B = "two"\n', ""), ("B =", "C ="), ("ALIAS = 1", "ALIAS = 'two'"))),
    same("what must not matter in an enumeration", *edits("enum same", ENUM + "f = E.A", ('"doc"', '"docs"'))),
    distinct("kinds of enumerations", *(f"import enum\nclass E({base}):\n    A = {v}\n    B = 2\nf = E.{m}" for base, v, m in (("enum.Enum", 1, "A"), ("enum.IntEnum", 1, "A"), ("enum.Flag", 1, "A"), ("enum.IntFlag", 1, "A"), ("enum.Enum", 1, "B"), ("enum.Flag", 1, "A | E.B"), ("str, enum.Enum", "'1'", "A"), ("int, enum.Enum", 1, "A")))),
    same("a decorator that is a class copies names and docs", *(f"import functools\nclass Deco:\n    def __init__(self, g):\n        functools.update_wrapper(self, g)\n        self.g = g\n    def __call__(self, x): return self.g(x)\n@Deco\ndef {name}(x: {kind}):\n    '{doc}'\n    return x\nf = {name}" for name, kind, doc in (("a", "int", "one"), ("a", "str", "two")))),
    same("what is made in another module", "from other import *\nf = [D(1), E.A, cm, w]\n#-- other.py\n" + MADE, MADE + "f = [D(1), E.A, cm, w]"),
    distinct("members with a constructor", *(f"import enum\nclass E(enum.Enum):\n    A = (1, 2)\n    def __init__(self, x, y): self.z = x {op} y\nf = E.A" for op in "+-")),
    distinct("super", *edits("super", "class B:\n    def m(self): return 1\nclass C(B):\n    def m(self): return super().m() + 1\nf = C", ("return 1\n", "return 2\n"), ("m() + 1", "m() + 2"), ("super().m()", "super(C, self).m()"), ("f = C", "f = C()"))),
    distinct("methods that name their class", *edits("self", "class C:\n    def m(self): return C()\n    def n(self): return 1\nf = C", ("return C()", "return C"), ("return 1", "return 2"), ("f = C", "f = C()"), ("def n", "def k"))),
    distinct("two classes that name each other", *edits("pair", "class A:\n    def m(self): return B()\nclass B:\n    def m(self): return A()\nf = A", ("f = A", "f = B"), ("return A()", "return A"), ("f = A", "f = [A, B]"), ("f = A", "f = [B, A]"))),
    distinct("an instance that knows itself", *edits("instance cycle", "class C: pass\nf = C()\nf.me = f\nf.x = 1", ("f.x = 1", "f.x = 2"), ("f.me = f", "f.me = C()"), ("f.me = f", "f.me = None"), ("f.me = f", "f.me = [f]"))),
    distinct("metaclasses", *edits("meta", "class M(type):\n    def m(cls): return 1\n    def __new__(m, n, b, d): return super().__new__(m, n, b, {**d, 'k': 1})\nclass C(metaclass=M): pass\nf = C", ("return 1\n", "return 2\n"), ("'k': 1", "'k': 2"), ("metaclass=M", "metaclass=type"), ("class C", "class D(metaclass=M): pass\nclass C"))[:4]),
    distinct("abstract classes", *edits("abc", "import abc\nclass B(abc.ABC):\n    @abc.abstractmethod\n    def m(self): pass\nclass C(B):\n    def m(self): return 1\nf = C()", ("return 1", "return 2"), ("def m(self): pass", "def m(self): return 3"), ("abc.ABC", "object"))),
    same("an abstract class in use", *("import abc\nclass B(abc.ABC):\n    def m(self): pass\nclass C(B): pass\nf = C()\n" + more for more in ("", "isinstance(1, B); issubclass(int, B)\n"))),
    distinct("generic classes", *edits("generic", "import typing\nT = typing.TypeVar('T')\nclass S(typing.Generic[T]):\n    def m(self): return 1\nf = S()", ("return 1", "return 2"), ("f = S()", "f = S"), ("f = S()", "f = S[int]"), ("f = S()", "f = S[str]"))),
    distinct("protocols", *edits("protocol", "import typing\nclass P(typing.Protocol):\n    def m(self): ...\nclass C(P):\n    def m(self): return 1\nf = C()", ("return 1", "return 2"), ("def m(self): ...", "def k(self): ..."))),
    distinct("named tuple classes", *edits("named", "import typing\nclass P(typing.NamedTuple):\n    x: int = 1\n    y: int = 2\n    def m(self): return 1\nf = P()", ("x: int = 1", "x: int = 3"), ("return 1", "return 2"), ("y: int", "z: int"), ("P()", "P(1, 3)"))),
    distinct("annotations of a named tuple", *edits("named same", "import typing\nclass P(typing.NamedTuple):\n    x: int = 1\nf = P()", ("x: int", "x: str"))),
    distinct("typed dicts", *edits("typed", "import typing\nclass T(typing.TypedDict):\n    x: int\ndef f(v): return T(x=v)", ("x: int", "y: int"), ("TypedDict)", "TypedDict, total=False)"))),
    distinct("descriptors", *edits("descriptor", "class D:\n    def __init__(self, n): self.n = n\n    def __get__(self, o, t): return self.n\nclass C:\n    d = D(1)\nf = C()", ("D(1)", "D(2)"), ("return self.n", "return -self.n"))),
    distinct("cached properties", *edits("cached", "import functools\nclass C:\n    @functools.cached_property\n    def p(self): return 1\nf = C()", ("return 1", "return 2"), ("functools.cached_property", "property"))),
    distinct("class attributes that are instances", *edits("attr", "class A:\n    def __init__(self, v): self.v = v\nclass C:\n    a = A(1)\nf = C", ("A(1)", "A(2)"), ("self.v = v", "self.w = v"))),
    same("own reduction leaves out a counter", *("class Count:\n    def __init__(self, func): self.func, self.count = func, 0\n    def __call__(self, x):\n        self.count += 1\n        return self.func(x)\n    def __reduce__(self): return (Count, (self.func,))\nf = Count(abs)\n" + more for more in ("", "f(1); f(2)\n"))),
    distinct("own reduction", *("class Count:\n    def __init__(self, func): self.func, self.count = func, 0\n    def __call__(self, x): return self.func(x)\n    def __reduce__(self): return (Count, (self.func,))\nf = Count(" + g + ")\n" for g in ("abs", "len", "lambda x: x", "lambda x: -x"))),
    same("own state leaves out a cache", *("class C:\n    def __init__(self): self.a, self._cache = 1, {}\n    def __getstate__(self): return {'a': self.a}\nf = C()\n" + more for more in ("", "f._cache[1] = 2\n"))),
    distinct("own state", *(f"class C:\n    def __init__(self): self.a, self._cache = {v}, 1\n    def __getstate__(self): return {{'a': self.a}}\nf = C()\n" for v in (1, 2))),
    distinct("own hash", *(f"class C:\n    def __init__(self, v): self.v = v\n    def __flowly_hash__(self): return self.v{e}\nf = C({v})" for v, e in ((1, ""), (2, ""), ("[1]", ""), (1, " + 1")))),
    same("own hash leaves out the rest", *(f"class C:\n    def __init__(self, v, w): self.v, self.w = v, w\n    def __flowly_hash__(self): return self.v\nf = C(1, {w})" for w in ("2", "3", "open('/dev/null')", "iter([])"))),
    distinct("registered types", *(f"from flowly_ckpt.hashing import register\nclass C:\n    def __init__(self, v, w): self.v, self.w = v, w\n@register(C)\ndef parts(c): return c.v\nf = C({v}, {w})" for v, w in ((1, 2), (2, 2)))),
    same("registered types leave out the rest", *(f"from flowly_ckpt.hashing import register\nclass C:\n    def __init__(self, v, w): self.v, self.w = v, w\n@register(C)\ndef parts(c): return c.v\nf = C(1, {w})" for w in ("2", "open('/dev/null')"))),
    distinct("subclasses of registered types", *(f"from flowly_ckpt.hashing import register\nclass C:\n    def __init__(self, v): self.v = v\nregister(C, lambda c: c.v)\nclass D(C): pass\nf = {k}({v})" for k, v in (("C", 1), ("D", 1), ("D", 2)))),
    same("monkeypatched and written", "class C:\n    def m(self): return 1\nC.m = lambda self: 2\nf = C()", "class C:\n    def m(self): return 2\nf = C()"),
    distinct("monkeypatched", "class C:\n    def m(self): return 1\nf = C()", "class C:\n    def m(self): return 1\nC.m = lambda self: 2\nf = C()", "class C:\n    def m(self): return 1\nf = C()\nf.m = 3"),
    distinct("inner classes", *edits("inner", "class C:\n    class D:\n        x = 1\n    def m(self): return self.D.x\nf = C()", ("x = 1", "x = 2"), ("class D", "class E"))),
    distinct("class keywords and hooks", *edits("hooks", "class B:\n    def __init_subclass__(cls, k=0): cls.k = k\nclass C(B, k=1): pass\nf = C", ("k=1", "k=2"), ("cls.k = k", "cls.j = k"))),
    distinct("exceptions of the user's", *edits("exc", "class E(Exception):\n    def __str__(self): return 'a'\nf = E(1)", ("'a'", "'b'"), ("E(1)", "E(2)"), ("(Exception)", "(ValueError)"))),
    distinct("multiple inheritance", *edits("mro", "class A:\n    def m(self): return 1\nclass B:\n    def m(self): return 2\nclass C(A, B): pass\nf = C", ("C(A, B)", "C(B, A)"), ("return 2", "return 3"))),
    distinct("operators", *edits("ops", "class V:\n    def __init__(self, x): self.x = x\n    def __add__(self, o): return V(self.x + o.x)\n    def __mul__(self, o): return V(self.x * o.x)\na = V(2)\ndef f(x): return a + x", ("V(2)", "V(3)"), ("self.x + o.x", "self.x - o.x"), ("a + x", "a * x"))),
    distinct("subclass of an array", *edits("array", "import numpy as np\nclass A(np.ndarray):\n    def m(self): return 1\nf = np.zeros(3).view(A)", ("return 1", "return 2"), ("zeros", "ones"), (".view(A)", ""))),
    distinct("subclass of a frame", *edits("frame", "import pandas as pd\nclass F(pd.DataFrame):\n    _metadata = ['unit']\n    def m(self): return 1\nf = F({'a': [1]})\nf.unit = 'm'", ("return 1", "return 2"), ("[1]", "[2]"), ("= 'm'", "= 'km'"))),
]
