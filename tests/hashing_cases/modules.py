"""Helpers in other modules: attributes, imports inside the body, packages, what is installed."""

from __future__ import annotations

from .table import distinct, same

HELP = """
K = 3
TABLE = {"k": [1]}
def deep(x): return x + 1
def helper(x): return deep(x)
def unrelated(x): return x
class C:
    def m(self): return deep(1)
c = C()
"""


def two(main: str, *changes: tuple[str, str], files: str = "helpers.py") -> tuple[str, ...]:
    """Return texts of a main module and a helper module, with the helper module edited."""
    base = f"{main}\n#-- {files}\n{HELP}"
    return (base, *(f"{main}\n#-- {files}\n{edited(HELP, *change)}" for change in changes))


def edited(text: str, old: str, new: str) -> str:
    assert old in text, old
    return text.replace(old, new)


def reaches(name: str, main: str, files: str = "helpers.py", more: str = "") -> list:
    seen = two(main, ("x + 1", "x + 2"), files=files)
    unseen = two(main, ("unrelated(x): return x", "unrelated(x): return -x"), ("K = 3", "\n# moved\nK = 3"), files=files)
    return [distinct(f"{name}: the helper was edited", *(text + more for text in seen)),
            same(f"{name}: something else was edited", *(text + more for text in unseen))]


PACKAGE = "\n#-- pkg/__init__.py\n\n#-- pkg/sub/__init__.py\n"
DEEP = "pkg/sub/leaf.py"

CASES = [
    *reaches("from-imported", "from helpers import helper\ndef f(x): return helper(x)"),
    *reaches("module attribute", "import helpers\ndef f(x): return helpers.helper(x)"),
    *reaches("module under another name", "import helpers as h\ndef f(x): return h.helper(x)"),
    *reaches("method of a class in a module", "import helpers\ndef f(x): return helpers.C().m()"),
    *reaches("instance in a module", "import helpers\ndef f(x): return helpers.c.m()"),
    *reaches("import inside the body", "def f(x):\n    import helpers\n    return helpers.helper(x)"),
    *reaches("import inside the body under another name", "def f(x):\n    import helpers as h\n    return h.helper(x)"),
    *reaches("from-import inside the body", "def f(x):\n    from helpers import helper\n    return helper(x)"),
    *reaches("from-import inside the body under another name", "def f(x):\n    from helpers import helper as h, K as k\n    return h(x)"),
    *reaches("import inside a nested function", "def f(x):\n    def g(y):\n        from helpers import helper\n        return helper(y)\n    return g(x)"),
    *reaches("import inside a lambda's caller", "def f(x):\n    from helpers import helper\n    return [helper(i) for i in x]"),
    *reaches("from-import used by a nested function", "def f(x):\n    from helpers import helper\n    def g(y): return helper(y)\n    return g(x)"),
    *reaches("import inside a helper", "def g(x):\n    from helpers import helper\n    return helper(x)\ndef f(x): return g(x)"),
    *reaches("import in a method", "class D:\n    def m(self, x):\n        from helpers import helper\n        return helper(x)\nf = D()"),
    *reaches("import under a condition", "def f(x):\n    if x:\n        from helpers import helper\n        return helper(x)"),
    *reaches("import in a try", "def f(x):\n    try:\n        from helpers import helper\n    except ImportError:\n        helper = None\n    return helper(x)"),
    *reaches("package attribute", "import pkg.sub.leaf\ndef f(x): return pkg.sub.leaf.helper(x)", DEEP, PACKAGE),
    *reaches("from a package", "from pkg.sub import leaf\ndef f(x): return leaf.helper(x)", DEEP, PACKAGE),
    *reaches("import of a package inside the body", "def f(x):\n    import pkg.sub.leaf\n    return pkg.sub.leaf.helper(x)", DEEP, PACKAGE),
    *reaches("import of a package inside the body under another name", "def f(x):\n    import pkg.sub.leaf as leaf\n    return leaf.helper(x)", DEEP, PACKAGE),
    *reaches("from a package inside the body", "def f(x):\n    from pkg.sub import leaf\n    return leaf.helper(x)", DEEP, PACKAGE),
    *reaches("from a package module inside the body", "def f(x):\n    from pkg.sub.leaf import helper\n    return helper(x)", DEEP, PACKAGE),
    *reaches("namespace package", "def f(x):\n    import space.leaf\n    return space.leaf.helper(x)", "space/leaf.py"),
    *reaches("relative import inside a body", "from pkg.sub.user import f", DEEP, PACKAGE + "\n#-- pkg/sub/user.py\ndef f(x):\n    from .leaf import helper\n    return helper(x)\n"),
    *reaches("relative import of a module inside a body", "from pkg.sub.user import f", DEEP, PACKAGE + "\n#-- pkg/sub/user.py\ndef f(x):\n    from . import leaf\n    return leaf.helper(x)\n"),
    *reaches("relative import two up", "from pkg.sub.user import f", "pkg/leaf.py", PACKAGE + "\n#-- pkg/sub/user.py\ndef f(x):\n    from ..leaf import helper\n    return helper(x)\n"),
    *reaches("relative import at the top", "from pkg.sub.user import f", DEEP, PACKAGE + "\n#-- pkg/sub/user.py\nfrom .leaf import helper\ndef f(x): return helper(x)\n"),
    *reaches("through a second module", "from middle import g\ndef f(x): return g(x)", "helpers.py", "\n#-- middle.py\nimport helpers\ndef g(x): return helpers.helper(x)\n"),
    *reaches("re-exported", "import pkg\ndef f(x): return pkg.helper(x)", "pkg/inner.py", "\n#-- pkg/__init__.py\nfrom .inner import helper\n"),
    *reaches("partial of a module's function", "import functools, helpers\nf = functools.partial(helpers.helper)"),
    *reaches("in a pipeline", "import helpers\nfrom flowly_ckpt import chained\nf = chained(helpers.helper, len)"),
    *reaches("module bound to a local variable", "import helpers\ndef f(x):\n    h = helpers\n    return h.helper(x)") [:1],
    *reaches("helper by getattr", "import helpers\ndef f(x): return getattr(helpers, 'helper')(x)")[:1],
    *reaches("named by depends_on", "import helpers as h\nfrom flowly_ckpt.hashing import depends_on\n@depends_on(h.helper)\ndef f(x): return eval('hel' + 'per(x)')"),
    distinct("a constant imported for nested code", *two("def f(x):\n    import helpers\n    return [(lambda: helpers.K + i)() for i in x], (lambda: helpers.K)", ("K = 3", "K = 4"))),
    same("of a module imported for nested code, what is used", *two("def f(x):\n    import helpers\n    return lambda: helpers.K", ("x + 1", "x + 2"))),
    distinct("a module in a closure", *two("def outer():\n    import helpers\n    return lambda: helpers.K\nf = outer()", ("K = 3", "K = 4"), ("x + 1", "x + 2"))),
    distinct("one of two imports", *(f"def f(x):\n    try:\n        from one import g\n    except ImportError:\n        from other import g\n    return g(x)\n#-- one.py\ndef g(x): return {a}\n#-- other.py\ndef g(x): return {b}" for a, b in ((1, 2), (2, 2), (1, 1), (2, 1)))),
    distinct("a constant of a module", *two("import helpers\ndef f(x): return helpers.K", ("K = 3", "K = 4"), ("K = 3", "K = 3.0"), ("K = 3", "K = [3]"))),
    distinct("a table of a module", *two("import helpers\ndef f(x): return helpers.TABLE['k']", ("[1]", "[2]"), ("[1]", "(1,)"))),
    distinct("a constant imported inside the body", *two("def f(x):\n    from helpers import K\n    return K", ("K = 3", "K = 4"))),
    distinct("a monkeypatched attribute of a module", "import helpers\ndef f(x): return helpers.helper(x)\n#-- helpers.py\ndef helper(x): return x",
             "import helpers\nhelpers.helper = lambda x: -x\ndef f(x): return helpers.helper(x)\n#-- helpers.py\ndef helper(x): return x"),
    same("moved to another module", "def helper(x): return x + 1\ndef f(x): return helper(x)", "from helpers import helper\ndef f(x): return helper(x)\n#-- helpers.py\ndef helper(x): return x + 1",
         "from helpers import f\n#-- helpers.py\ndef helper(x): return x + 1\ndef f(x): return helper(x)"),
    same("an attribute that is not there", "import helpers\ndef f(x): return helpers.missing(x)\n#-- helpers.py\n", "import helpers\ndef f(y): return helpers.missing(y)\n#-- helpers.py\nK = 1"),
    same("a module that is not there", "def f(x):\n    import not_there\n    return not_there.g(x)", "def f(y):\n    import not_there\n    return not_there.g(y)"),
    same("a module that fails to import", "def f(x):\n    import failing\n    return failing.g(x)\n#-- failing.py\nimport not_there_either\n", "def f(y):\n    import failing\n    return failing.g(y)\n#-- failing.py\nimport not_there_either\n"),
    same("a module that imports itself back", "import helpers\nK = 1\ndef g(x): return K\ndef f(x): return helpers.helper(x)\n#-- helpers.py\ndef helper(x):\n    import case\n    return case.g(x)",
         "import helpers\nL = 2\nK = 1\ndef g(x): return K\ndef f(x): return helpers.helper(x)\n#-- helpers.py\n\ndef helper(y):\n    import case\n    return case.g(y)"),
    distinct("installed functions by name", "import numpy as np\ndef f(x): return np.mean(x)", "import numpy as np\ndef f(x): return np.median(x)", "import numpy\ndef f(x): return numpy.linalg.norm(x)",
             "def f(x):\n    import numpy as np\n    return np.mean(x)", "def f(x):\n    import numpy as np\n    return np.median(x)"),
    same("an installed module in any place", "import numpy as np\ndef f(x): return np.mean(x)", "\n\nimport os\nimport numpy as np\ndef f(y): return np.mean(y)"),
    same("state of the process is not part", "import os, sys\ndef f(x): return os.environ, sys.argv, sys.path, sys.modules, sys.stdout", "import os, sys\nos.environ['CASE'] = '1'\nsys.argv = sys.argv + ['a']\ndef f(x): return os.environ, sys.argv, sys.path, sys.modules, sys.stdout"),
    same("the environment however named", "from os import environ\ndef f(x): return environ['HOME']", "from os import environ\nenviron['CASE2'] = '1'\ndef f(x): return environ['HOME']"),
    same("objects of installed modules count by name", "import numpy as np\ndef f(x): return np.random.mtrand._rand.random(), np.ma.masked, np.nditer, np.mean(x)", "import numpy as np\nnp.random.seed(3)\ndef f(y): return np.random.mtrand._rand.random(), np.ma.masked, np.nditer, np.mean(y)"),
    distinct("what the user puts into an installed module", "import toolz\ntoolz.hook = lambda x: x\ndef f(x): return toolz.hook(x)", "import toolz\ntoolz.hook = lambda x: -x\ndef f(x): return toolz.hook(x)",
             "import toolz\nclass C:\n    def __call__(self, x): return x\ntoolz.hook = C()\ndef f(x): return toolz.hook(x)", "import toolz\nclass C:\n    def __call__(self, x): return -x\ntoolz.hook = C()\ndef f(x): return toolz.hook(x)", "import toolz\ntoolz.hook = 3\ndef f(x): return toolz.hook", "import toolz\ntoolz.hook = 4\ndef f(x): return toolz.hook"),
    same("loggers", "import logging\nlog = logging.getLogger('a')\ndef f(x): log.info(x)", "import logging\nlog = logging.getLogger('b')\ndef f(x): log.info(x)", "import logging\nlog = logging.getLogger('b')\nlog.setLevel(3)\ndef f(x): log.info(x)"),
    distinct("modules as values", "math", "string", "np", "np.linalg", "pd"),
    distinct("user modules as values", *two("import helpers as f", ("x + 1", "x + 2"))),
    same("a function that prints to a stream", "import sys\nerr = sys.stderr\ndef f(x): print(x, file=err)", "from sys import stderr as err\ndef f(x): print(x, file=err)"),
    same("ignored globals", *(f"from flowly_ckpt import ignore_globals\nconn, n = {c}, {n}\n@ignore_globals('conn', 'n')\ndef f(x): return conn, n" for c, n in ((1, 2), (2, 3), ("open('/dev/null')", 3), ("iter([])", 3)))),
    same("all globals ignored", *(f"from flowly_ckpt import ignore_globals\nconn, n = {c}, {n}\n@ignore_globals()\ndef f(x): return conn, n" for c, n in ((1, 2), (2, 3), ("iter([])", 3)))),
    distinct("one global ignored", *(f"from flowly_ckpt import ignore_globals\nconn, n = {c}, {n}\n@ignore_globals('conn')\ndef f(x): return conn, n" for c, n in ((1, 2), (2, 3)))),
    same("an ignored closure variable", *(f"from flowly_ckpt import ignore_globals\ndef outer(conn):\n    @ignore_globals('conn')\n    def f(x): return conn, x\n    return f\nf = outer({c})" for c in ("1", "2", "iter([])"))),
    same("ignored globals of nested code", *(f"from flowly_ckpt import ignore_globals\nn = {n}\n@ignore_globals('n')\ndef f(x): return [n for i in x], (lambda: n)" for n in (1, 2))),
    distinct("ignored names only", *(f"from flowly_ckpt import ignore_globals\nn = 1\n@ignore_globals('n')\ndef f(x): return n, x {op} 1" for op in "+-")),
]
