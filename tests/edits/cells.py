"""Edits of one cell, as a table: the part that was changed is named, whichever door asks."""

# What a cell defines, what is replaced in it, and how the plan names the part that was changed.
EDITS = {
    "the body": ("def step(x):\n    y = x + 1\n    return y", "x + 1", "x - 1", "step changed at line 2"),
    "a constant in the body": ("def step(x):\n    return x + 1", "1", "1.0", "step changed at line 2"),
    "a default": ("def step(x, n=3):\n    return x + n", "=3", "=5", "step: default of n 3 → 5"),
    "a keyword's default": ("def step(x, *, n=3):\n    return x + n", "=3", "=5", "step: default of n 3 → 5"),
    "a nested function": (
        "def step(x):\n    def inner(y):\n        return y + 1\n    return inner(x)", "y + 1", "y + 2",
        "step changed at line 3",
    ),
    "a lambda": ("step = lambda x: x + 1", "1", "2", "<lambda> changed at line 1"),
    "a format": ("def step(x):\n    return f'{x:>5}'", ">5", ">6", "step changed at line 2"),
    "a comprehension": ("def step(x):\n    return [x * i for i in (1, 2)]", "x * i", "x + i", "step changed at line 2"),
    "a handler": (
        "def step(x):\n    try:\n        return x\n    except KeyError:\n        return 0", "KeyError", "ValueError",
        "step changed at line 4",
    ),
    "a global": ("SCALE = 0.5\ndef step(x):\n    return x * SCALE", "0.5", "0.7", "step: global SCALE 0.5 → 0.7"),
    "a global of another type": ("K = 1\ndef step(x):\n    return x * K", "K = 1", "K = 1.0", "step: global K 1 → 1.0"),
    "a list": ("KINDS = [1, 2]\ndef step(x):\n    return KINDS", "2]", "3]", "step: global KINDS [1, 2] → [1, 3]"),
    "a value deep in a dict": (
        "T = {'a': {'b': [5]}}\ndef step(x):\n    return T", "5", "6", "step: global T['a']['b'] [5] → [6]",
    ),
    "a key of a dict": (
        "T = {'a': 1}\ndef step(x):\n    return T", "{'a'", "{'b'", "step: global T['b'] is new, global T['a'] is gone",
    ),
    "a regular expression": (
        "import re\nWORD = re.compile('a+')\ndef step(x):\n    return WORD.pattern", "a+", "b+",
        "step: argument 0 of global WORD 'a+' → 'b+'",
    ),
    "a helper": (
        "def clean(x):\n    y = x\n    return y + 1\ndef step(x):\n    return clean(x)", "y + 1", "y + 2",
        "step: helper clean changed at line 3",
    ),
    "a helper's helper": (
        "def low(x): return x + 1\ndef clean(x): return low(x)\ndef step(x):\n    return clean(x)", "x + 1", "x + 2",
        "step: helper low changed at line 1",
    ),
    "a global of a helper": (
        "K = 1\ndef clean(x): return x + K\ndef step(x):\n    return clean(x)", "K = 1", "K = 2",
        "step: global K in clean 1 → 2",
    ),
    "a helper's default": (
        "def clean(x, n=3): return x + n\ndef step(x):\n    return clean(x)", "=3", "=5",
        "step: default of n in clean 3 → 5",
    ),
    "which helper is in a table": (
        "def one(x): return 1\ndef two(x): return 2\nT = {'a': one}\ndef step(x):\n    return T['a'](x)", "a': one",
        "a': two", "step: global T['a'] one → two",
    ),
    "a closure": (
        "def make(n):\n    def step(x):\n        return x + n\n    return step\nstep = make(3)", "make(3)", "make(4)",
        "step: closure n 3 → 4",
    ),
    "the body of a closure": (
        "def make(n):\n    def step(x):\n        return x + n\n    return step\nstep = make(3)", "x + n", "x - n",
        "step changed at line 3",
    ),
    "a partial's argument": (
        "from functools import partial\ndef add(n, x): return x + n\nstep = partial(add, 3)", "add, 3", "add, 4",
        "add: arguments (3,) → (4,)",
    ),
    "a partial's function": (
        "from functools import partial\ndef add(n, x): return x + n\nstep = partial(add, 3)", "x + n", "x - n",
        "add: helper add changed at line 2",
    ),
    "a method": (
        "class Model:\n    def fit(self, x):\n        return x + 1\ndef step(x):\n    return Model().fit(x)", "x + 1",
        "x + 2", "step: method Model.fit changed at line 3",
    ),
    "a method of a base": (
        "class Base:\n    def fit(self, x): return x + 1\nclass Model(Base): pass\n"
        "def step(x):\n    return Model().fit(x)", "x + 1", "x + 2", "step: method Base.fit changed at line 2",
    ),
    "a class attribute": (
        "class Rate:\n    value = 2\ndef step(x):\n    return x * Rate.value", "= 2", "= 3",
        "step: attribute Rate.value 2 → 3",
    ),
    "a property": (
        "class Rate:\n    @property\n    def value(self): return 2\ndef step(x):\n    return x * Rate().value",
        "return 2", "return 3", "step: method Rate.value changed at line 3",
    ),
    "a dataclass's default": (
        "from dataclasses import dataclass\n@dataclass\nclass P:\n    n: int = 1\ndef step(x):\n    return P().n",
        "= 1", "= 2", "step: attribute P.n 1 → 2",
    ),
    "the state of an instance": (
        "class Adder:\n    def __init__(self, n): self.n = n\n    def __call__(self, x): return x + self.n\n"
        "step = Adder(3)", "Adder(3)", "Adder(4)", "Adder: attribute n 3 → 4",
    ),
    "a decorator": (
        "import functools\ndef plus(f):\n    @functools.wraps(f)\n    def made(x): return f(x) + 1\n    return made\n"
        "@plus\ndef helper(x): return x\ndef step(x):\n    return helper(x)", "f(x) + 1", "f(x) + 2",
        "step: helper helper changed at line 4",
    ),
    "what is decorated": (
        "from functools import lru_cache\n@lru_cache\ndef helper(x): return x + 1\ndef step(x):\n    return helper(x)",
        "x + 1", "x + 2", "step: helper helper changed at line 3",
    ),
}  # fmt: skip
