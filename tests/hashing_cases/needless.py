"""What changes nothing: how lines are broken, how modules are cut into cells, copies that are made by value."""

from __future__ import annotations

import sys

from .table import same


def narrow(name: str, *texts: str) -> list:
    return [same(f"needless: {name}", *texts)]


PICKLED = "import cloudpickle, dataclasses, enum, typing\nT = typing.TypeVar('T')\n{text}\nf = C\n"
CLASSES = {
    "a class": "class C:\n    x = 1\n    def m(self): return 1",
    "a dataclass": "@dataclasses.dataclass\nclass C:\n    a: int\n    b: list = dataclasses.field(default_factory=list)",
    "a generic class": "class C(typing.Generic[T]):\n    def m(self, x: T) -> T: return x",
    "an enumeration": "class C(enum.Enum):\n    A = 1",
    "a class with slots": "class C:\n    __slots__ = ('a', 'b')",
}

CASES = [
    *narrow("numpy in another cell", "import numpy as np\ndef f(v): return np.mean(v)", "exec('import numpy as np')\ndef f(v): return np.mean(v)", "np = __import__('numpy')\ndef f(v): return np.mean(v)"),
    *narrow("a module of a module in another cell", "import numpy as np\ndef f(v): return np.linalg.norm(np.sum(v, axis=0))", "exec('import numpy as np')\ndef f(v): return np.linalg.norm(np.sum(v, axis=0))"),
    *narrow("a helper in another cell", "import helpers\ndef f(v): return helpers.g(v)\n#-- helpers.py\ndef g(x): return x", "exec('import helpers')\ndef f(v): return helpers.g(v)\n#-- helpers.py\ndef g(x): return x"),
    *narrow("an assignment to two over lines", "def f(a, b):\n    x, y = b, a\n    return x", "def f(a, b):\n    (\n        x,\n        y,\n    ) = (\n        b,\n        a,\n    )\n    return x"),
    *narrow("an assignment to three over lines", "def f(a, b):\n    x, y, z = b, a, 1\n    return x", "def f(a, b):\n    (\n        x,\n        y,\n        z,\n    ) = (\n        b,\n        a,\n        1,\n    )\n    return x"),
    *narrow("a swap over lines", "def f(a, b):\n    a, b = b, a + b\n    return a", "def f(a, b):\n    (\n        a,\n        b,\n    ) = (\n        b,\n        a + b,\n    )\n    return a"),
    *narrow("a loop over lines", "def f(a, b):\n    for i, (c, d) in enumerate(zip(a, b)):\n        a, b = b, a + c if c else d\n    return a", "def f(a, b):\n    for (\n        i,\n        (c, d),\n    ) in enumerate(\n        zip(a, b)\n    ):\n        a, b = (\n            b,\n            (\n                a + c\n                if c\n                else d\n            ),\n        )\n    return a"),
    *narrow("a condition over lines", "def f(a, b):\n    x = a and b or a.c\n    return x and (1 < a < 3 or a is not None)", "def f(a, b):\n    x = (\n        a\n        and b\n        or a.c\n    )\n    return x and (\n        1\n        < a\n        < 3\n        or a\n        is not None\n    )"),
    *(same(f"needless: {name} pickled by value", PICKLED.format(text=text), PICKLED.format(text=text) + "cloudpickle.loads(cloudpickle.dumps(C))", PICKLED.format(text=text) + "import sys\ncloudpickle.register_pickle_by_value(sys.modules[__name__])\nf = cloudpickle.loads(cloudpickle.dumps(C))\n") for name, text in CLASSES.items()),
    same("needless: a type variable moved", "import typing\nT = typing.TypeVar('T')\nf = [T]", "from helpers import T\nf = [T]\n#-- helpers.py\nimport typing\nT = typing.TypeVar('T')\n"),
]
BEFORE_3_14 = [  # since then, a variable that a lazy annotation reads is a cell: another code, which counts
    *narrow("an annotation with a condition", "def f(x):\n    def g(a: int if x else str): return a\n    return g(x)", "def f(x):\n    def g(a): return a\n    return g(x)", "def f(x):\n    def g(a: (int if x else str) if x > 1 else float, b: 'x' = None): return a\n    return g(x)".replace(", b: 'x' = None", "")),
    *narrow("annotations with conditions over a closure", "def f(x):\n    y = x\n    def g(a: int if x else str, b: list[int or str] = 1): return a + y\n    return g(x)", "def f(x):\n    y = x\n    def g(a, b=1): return a + y\n    return g(x)"),
]  # fmt: skip

CASES += BEFORE_3_14 if sys.version_info < (3, 14) else []
