"""What an attacker tried: modules as values, names read where nobody looks, hidden generators, modules that fail."""

from __future__ import annotations

from .table import distinct, error, same

H = "\n#-- helpers.py\n"

CASES = [
    distinct("met: @curry helper used", *(f"from toolz import curry\n@curry\ndef g(x, y): return x {o} y\ndef f(x): return g(1)(x)" for o in "+-")),
    distinct("met: @curry partially applied", *(f"from toolz import curry\n@curry\ndef g(x, y): return x {o} y\nf = g({a})" for o, a in (("+", 1), ("-", 1), ("+", 2)))),
    same("met: contextmanager moved", "from contextlib import contextmanager\n@contextmanager\ndef g(): yield 1\ndef f(x):\n    with g() as y: return x + y", "from other import g\ndef f(x):\n    with g() as y: return x + y\n#-- other.py\nfrom contextlib import contextmanager\n@contextmanager\ndef g(): yield 1"),
    distinct("met: module constant in a comprehension, import in body", *(f"def f(x):\n    import helpers\n    return [helpers.K * i for i in x]{H}K = {k}\n" for k in (1, 2))),
    distinct("met: module constant in a lambda, import in body", *(f"def f(x):\n    import helpers\n    return sorted(x, key=lambda i: helpers.K * i){H}K = {k}\n" for k in (1, -1))),
    distinct("met: module const of import in body used in nested def", *(f"def f(x):\n    from helpers import K\n    def g(): return K\n    return g(){H}K = {k}\n" for k in (1, 2))),
    distinct("met: module aliased locally", *(f"import helpers\ndef f(x):\n    h = helpers\n    return h.K{H}K = {k}\n" for k in (1, 2))),
    distinct("met: getattr of module const", *(f"import helpers\ndef f(x): return getattr(helpers, 'K'){H}K = {k}\n" for k in (1, 2))),
    distinct("met: conditional module", *(f"import helpers, other\ndef f(x): return (helpers if x else other).K{H}K = {k}\n#-- other.py\nK = 7\n" for k in (1, 2))),
    distinct("met: module passed to a function", *(f"import helpers\ndef g(m): return m.K\ndef f(x): return g(helpers){H}K = {k}\n" for k in (1, 2))),
    distinct("met: module in a list", *(f"import helpers\nMODS = [helpers]\ndef f(x): return MODS[0].K{H}K = {k}\n" for k in (1, 2))),
    distinct("met: module default arg", *(f"import helpers\ndef f(x, m=helpers): return m.K{H}K = {k}\n" for k in (1, 2))),
    distinct("met: module re-exported helper, aliased", *(f"import helpers\ndef f(x):\n    h = helpers\n    return h.g(x)\n#-- helpers.py\nfrom other import g\n#-- other.py\ndef g(x): return x + {k}\n" for k in (1, 2))),
    distinct("met: module object: __dict__", *(f"import helpers\ndef f(x): return helpers.__dict__['K']{H}K = {k}\n" for k in (1, 2))),
    distinct("met: vars(module)", *(f"import helpers\ndef f(x): return vars(helpers)['K']{H}K = {k}\n" for k in (1, 2))),
    distinct("met: try fast except slow, import as", *(f"def f(x):\n    try:\n        import fast as impl\n    except ImportError:\n        import slow as impl\n    return impl.g(x)\n#-- fast.py\ndef g(x): return {k}\n#-- slow.py\ndef g(x): return 0\n" for k in (1, 2))),
    distinct("met: try from fast except from slow", *(f"def f(x):\n    try:\n        from fast import g\n    except ImportError:\n        from slow import g\n    return g(x)\n#-- fast.py\ndef g(x): return {k}\n#-- slow.py\ndef g(x): return 0\n" for k in (1, 2))),
    distinct("met: if a else b imports", *(f"def f(x):\n    if x:\n        from fast import g\n    else:\n        from slow import g\n    return g(x)\n#-- fast.py\ndef g(x): return {k}\n#-- slow.py\ndef g(x): return 0\n" for k in (1, 2))),
    same("met: random.random", "import random\ndef f(x): return random.random() + x", "import random\nrandom.random()\ndef f(x): return random.random() + x"),
    same("met: random.choice", "import random\ndef f(x): return random.choice(x)", "import random\nrandom.random()\ndef f(x): return random.choice(x)"),
    same("met: from random import choice", "from random import choice, seed\ndef f(x):\n    seed(1)\n    return choice(x)", "from random import choice, seed\nseed(3)\ndef f(x):\n    seed(1)\n    return choice(x)"),
    same("met: np.random.rand", "import numpy as np\ndef f(x):\n    np.random.seed(0)\n    return np.random.rand(3)", "import numpy as np\nnp.random.rand()\ndef f(x):\n    np.random.seed(0)\n    return np.random.rand(3)"),
    same("met: np.random.normal from-import", "from numpy.random import normal\ndef f(x): return normal(x)", "from numpy.random import normal\nnormal(1)\ndef f(x): return normal(x)"),
    distinct("met: doc read via inspect", *(f"import inspect\ndef g():\n    '{k}'\ndef f(x): return inspect.getdoc(g)" for k in "ab")),
    distinct("met: annotations read via get_type_hints", *(f"import typing\ndef g(a: {k}): pass\ndef f(x): return typing.get_type_hints(g)['a'](x)" for k in ("int", "str"))),
    distinct("met: annotations read via signature", *(f"import inspect\ndef g(a: {k}): pass\ndef f(x): return inspect.signature(g).parameters['a'].annotation(x)" for k in ("int", "str"))),
    distinct("met: annotations read in a decorator at run time", *(f"import typing, functools\ndef coerce(fn):\n    @functools.wraps(fn)\n    def w(x): return fn(typing.get_type_hints(fn)['a'](x))\n    return w\n@coerce\ndef f(a: {k}): return a" for k in ("int", "str"))),
    distinct("met: dataclass field types read", *(f"import dataclasses\n@dataclasses.dataclass\nclass C:\n    a: {k}\ndef f(x): return C(*(fl.type(x) for fl in dataclasses.fields(C)))" for k in ("int", "str"))),
    distinct("met: class annotations read", *(f"class C:\n    a: {k}\ndef f(x): return C.__annotations__['a'](x)" for k in ("int", "str"))),
    same("met: class attribute logger, moved", "import logging\nclass C:\n    log = logging.getLogger(__name__)\n    def m(self): self.log.info('x')\nf = C()", "from other import C\nf = C()\n#-- other.py\nimport logging\nclass C:\n    log = logging.getLogger(__name__)\n    def m(self): self.log.info('x')"),
    same("met: closure logger, moved", "import logging\ndef mk():\n    log = logging.getLogger(__name__)\n    def f(x): log.info(x)\n    return f\nf = mk()", "from other import f\n#-- other.py\nimport logging\ndef mk():\n    log = logging.getLogger(__name__)\n    def f(x): log.info(x)\n    return f\nf = mk()"),
    distinct("met: a private constant of a module", *(f"import helpers\ndef f(x): return getattr(helpers, '_K'){H}_K = {k}\n" for k in (1, 2))),
    distinct("met: an instance in a module", *(f"import helpers\ndef f(x): return getattr(helpers, 'c').m(){H}class C:\n    def m(self): return {k}\nc = C()\n" for k in (1, 2))),
    distinct("met: a module that holds a lock", *(f"import helpers\ndef f(x): return getattr(helpers, 'K'){H}import threading\nlock, K = threading.Lock(), {k}\ndef g(): return globals()['lock']\n" for k in (1, 2))),
    distinct("met: a module that uses itself", *(f"import helpers\ndef f(x): return getattr(helpers, 'K'){H}import sys\nme = sys.modules[__name__]\nK = {k}\ndef g(): return me, getattr(sys.modules[__name__], 'K')\ndef h():\n    import helpers as m\n    return m\n" for k in (1, 2))),
    same("met: a secret choice", "import secrets\ndef f(x): return secrets.choice(x)", "import secrets\nsecrets.choice([1])\ndef f(y): return secrets.choice(y)"),
    *(distinct(f"met: a module that fails to import: {fault}", *(f"def f(x):\n    try:\n        import helpers\n        return helpers.K\n    except Exception:\n        return {k}{H}{fault}\n" for k in (1, 2))) for fault in ("raise ValueError", "1 +", "raise SystemExit(3)", "raise ImportError")),
    distinct("met: a module whose attributes fail", *(f"import helpers\ndef f(x): return helpers.K + {k}{H}def __getattr__(name):\n    raise (RuntimeError if name == 'K' else AttributeError)(name)\n" for k in (1, 2))),
    distinct("met: an object that refuses to be looked at", *(f"class C:\n    @property\n    def __class__(self): raise RuntimeError\nc = C()\ndef f(x): return c, {k}\n" for k in (1, 2))),
    distinct("met: names of parameters read by a signature", *(f"import inspect\ndef g({k}): pass\ndef f(x): return inspect.signature(g)\n" for k in "ab")),
    same("met: attributes called like what looks at names", "def f(x):\n    y = x.eval('a')\n    x.dir = y\n    return x.vars, y", "def f(x):\n    z = x.eval('a')\n    x.dir = z\n    return x.vars, z"),
    distinct("met: what looks at names", "def f(x):\n    y = 1\n    return eval('y')", "def f(x):\n    z = 1\n    return eval('y')"),
    distinct("met: what looks at names in nested code", "def f(x):\n    y = 1\n    def g(z): return y, locals()\n    return g", "def f(x):\n    w = 1\n    def g(z): return w, locals()\n    return g"),
    error("met: a reduction without end", "class C:\n    def __reduce__(self): return (C, (C(),))\nf = C()", "does not end"),
]
