"""Ordinary things that stand in modules: they are hashed, in every process alike, and are not changed by being used."""

from __future__ import annotations

from .table import distinct, error, same

ORM = """
import sqlalchemy as sa
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column
class Base(DeclarativeBase): pass
class User(Base):
    __tablename__ = 'users'
    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(sa.String(30))
    def hello(self): return 'hello'
"""
GLOBALS = {
    "a lock": "import threading\nm = threading.Lock()",
    "a reentrant lock": "import threading\nm = threading.RLock()",
    "an event": "import threading\nm = threading.Event()",
    "a condition": "import threading\nm = threading.Condition()",
    "a semaphore": "import threading\nm = threading.BoundedSemaphore(2)",
    "a barrier": "import threading\nm = threading.Barrier(2)",
    "a lock of asyncio": "import asyncio\nm = asyncio.Lock()",
    "a lock of processes": "import multiprocessing\nm = multiprocessing.Lock()",
    "a context variable": "import contextvars\nm = contextvars.ContextVar('a')",
    "a console": "import rich.console\nm = rich.console.Console()",
    "a progress bar": "import tqdm\nm = tqdm.tqdm(disable=True)",
    "an executor": "import concurrent.futures\nm = concurrent.futures.ThreadPoolExecutor()",
    "a handler": "import logging, sys\nm = logging.StreamHandler(sys.stderr)",
    "a weak dictionary of caches": "import weakref\nm = weakref.WeakKeyDictionary()",
    "a struct": "import struct\nm = struct.Struct('<i')",
    "a decoder of JSON": "import json\nm = json.JSONDecoder()",
    "an encoder of JSON": "import json\nm = json.JSONEncoder(indent=2)",
    "a decoder of msgspec": "import msgspec\nm = msgspec.json.Decoder(list[int])",
    "an encoder of msgspec": "import msgspec\nm = msgspec.msgpack.Encoder()",
    "a key for sorting": "import functools\nm = functools.cmp_to_key(lambda a, b: a - b)",
    "an engine": "import sqlalchemy\nm = sqlalchemy.create_engine('sqlite://')",
    "a structure of C": "import ctypes\nclass S(ctypes.Structure):\n    _fields_ = [('a', ctypes.c_int)]\nm = S",
    "an instance of a structure of C": "import ctypes\nclass S(ctypes.Structure):\n    _fields_ = [('a', ctypes.c_int)]\nm = S(3)",
    "an environment of jinja2": "import jinja2\nm = jinja2.Environment()",
    "an environment of jinja2 once used": "import jinja2\nm = jinja2.Environment(loader=jinja2.DictLoader({'a': '{{ x }}'}))\nm.get_template('a').render(x=1)",
    "a descriptor with weak keys": "import weakref\nclass D:\n    def __init__(self): self.seen = weakref.WeakKeyDictionary()\n    def __get__(self, o, t): return 1\nclass C:\n    d = D()\nm = C",
    "a bound method with single dispatch": "import functools\nclass C:\n    @functools.singledispatchmethod\n    def m(self, a): return a\n    @m.register\n    def _(self, a: int): return -a\nm = C().m",
    "a class with a lock": "import threading\nclass C:\n    lock = threading.Lock()\n    def __init__(self): self.own = threading.RLock()\nm = C()",
    "a class with names of its body": "import threading\nn = iter([])\nclass C:\n    n = 3\n    k = n + 1\nm = C",
    "a class with a property set in its body": "p = iter([])\nclass C:\n    @property\n    def p(self): return 1\n    @p.setter\n    def p(self, v): pass\nm = C",
    "a mapped class": ORM + "m = User",
    "an instance of a mapped class": ORM + "m = User(id=1)",
    "a query": ORM + "m = sa.select(User.id).where(User.name == 'a')",
    "a logger of loguru": "import loguru\nm = loguru.logger",
    "a cache of joblib": "import joblib\nm = joblib.Memory(None, verbose=0)",
}
HOLDS = {"in a global": "def f(x): return m, x", "as a value": "f = [m]", "in a closure": "def outer(m): return lambda x: (m, x)\nf = outer(m)"}

SHELL = """
class InteractiveShell:
    def __init__(self): self.socket = iter([])
    def get_ipython(self): return self
"""
USED = {
    "a cached property": ("import functools\nclass C:\n    @functools.cached_property\n    def p(self): return 1\nf = C()\n", "f.p"),
    "a cached property of a dataclass": ("import dataclasses, functools\n@dataclasses.dataclass\nclass C:\n    a: int = 1\n    @functools.cached_property\n    def p(self): return [self.a]\nf = C()\n", "f.p"),
    "an event": ("import threading\ne = threading.Event()\ndef f(x): return e\n", "e.set()"),
    "a lock": ("import threading\ne = threading.Lock()\ndef f(x): return e\n", "e.acquire()"),
    "a cache by weak keys": ("import weakref\nclass C: pass\nc = C()\nd = weakref.WeakKeyDictionary()\ndef f(x): return d\n", "d[c] = 1"),
    "a remembered function": ("import functools\n@functools.cache\ndef g(x): return x\ndef f(x): return g(x)\n", "f(1)"),
    "a decoder": ("import json\nd = json.JSONDecoder()\ndef f(x): return d.decode(x)\n", "f('[1]')"),
    "an environment of jinja2": ("import jinja2\ne = jinja2.Environment()\ndef f(x): return e.from_string(x)\n", "f('{{ a }}').render(a=1)"),
    "a compiled function": ("import numba\n@numba.njit\ndef f(x): return x + 1\n", "f(1)"),
    "a function of joblib": ("import joblib\nf = joblib.Memory(None, verbose=0).cache(lambda x: x)\n", "f(1)"),
    "an abstract class": ("import collections.abc\ndef f(x): return isinstance(x, collections.abc.Sized)\n", "f(1)"),
    "a progress bar": ("import tqdm\nb = tqdm.tqdm(disable=True)\ndef f(x): b.update(1)\n", "f(1)"),
}

CASES = [
    distinct("ordinary: mapped classes", *(ORM.replace(*change) + "def f(x): return User(id=x)" for change in (("", ""), ("String(30)", "String(40)"), ("Mapped[str]", "Mapped[str | None]"), ("'hello'", "'bye'"), ("'users'", "'people'")))),
    distinct("ordinary: queries", *(ORM + f"f = sa.select(User).where({k})" for k in ("User.id == 1", "User.id == 2", "User.name == '1'", "User.id > 1"))),
    distinct("ordinary: instances of mapped classes", *(ORM + f"f = User(id={k})" for k in (1, 2))),
    *(same(f"ordinary: {name} {place}", f"{text}\n{how}", f"\n\n{text}\n\n{how}") for name, text in GLOBALS.items() for place, how in HOLDS.items()),
    *(same(f"ordinary: {name} once used", text, text + more) for name, (text, more) in USED.items()),
    distinct("ordinary: structs", *(f"import struct\nf = struct.Struct('{k}')" for k in ("<i", ">i", "<q"))),
    distinct("ordinary: decoders of JSON", *(f"import json\nf = json.JSONDecoder(parse_float={k})" for k in ("float", "str", "lambda x: x"))),
    distinct("ordinary: decoders of msgspec", *(f"import msgspec\nf = msgspec.json.Decoder({k})" for k in ("int", "str", "list[int]"))),
    distinct("ordinary: keys for sorting", *(f"import functools\nf = functools.cmp_to_key(lambda a, b: a {k} b)" for k in "+-")),
    distinct("ordinary: engines", *(f"import sqlalchemy\nf = sqlalchemy.create_engine('sqlite://{k}')" for k in ("", "/a.db", "/b.db"))),
    distinct("ordinary: structures of C", *(f"import ctypes\nclass f(ctypes.Structure):\n    _fields_ = [{k}]" for k in ("('a', ctypes.c_int)", "('b', ctypes.c_int)", "('a', ctypes.c_double)"))),
    distinct("ordinary: instances of structures of C", *(f"import ctypes\nclass S(ctypes.Structure):\n    _fields_ = [('a', ctypes.c_int)]\nf = S({k})" for k in (1, 2))),
    distinct("ordinary: locks and events", "import threading\nf = threading.Lock()", "import threading\nf = threading.RLock()", "import threading\nf = threading.Event()", "import threading\nf = threading.Semaphore()"),
    distinct("ordinary: context variables", *(f"import contextvars\nf = contextvars.ContextVar('{k}')" for k in "ab")),
    distinct("ordinary: compiled functions", *(f"import numba\n@numba.njit\ndef f(x): return x + {k}" for k in (1, 2))),
    distinct("ordinary: functions that joblib remembers", *(f"import joblib\n@joblib.Memory(None, verbose=0).cache\ndef f(x): return x + {k}" for k in (1, 2))),
    distinct("ordinary: functions that are checked", *(f"import beartype\n@beartype.beartype\ndef f(x: {t}): return x + {k}" for t, k in (("int", 1), ("int", 2), ("float", 1)))),
    same("ordinary: a function that is checked", *(f"{line}import beartype\n@beartype.beartype\ndef f(x: int): return x + 1" for line in ("", "\n\n"))),
    distinct("ordinary: environments of jinja2", *(f"import jinja2\nf = jinja2.Environment({k})" for k in ("", "trim_blocks=True", "loader=jinja2.DictLoader({'a': 'b'})"))),
    *(distinct(f"ordinary: fields of a model of {name}", *(text.format(t=t) for t in ("int", "str", "list[int]"))) for name, text in {
        "attrs": "import attrs\n@attrs.define\nclass C:\n    a: {t}\nf = C", "attrs by attr.ib": "import attr\n@attr.s\nclass C:\n    a = attr.ib(type={t})\nf = C",
        "pydantic": "import pydantic\nclass C(pydantic.BaseModel):\n    a: {t}\nf = C", "msgspec": "import msgspec\nclass C(msgspec.Struct):\n    a: {t}\nf = C",
        "attrs, used": "import attrs\n@attrs.define\nclass C:\n    a: {t}\ndef f(x): return C(x)", "pydantic, used": "import pydantic\nclass C(pydantic.BaseModel):\n    a: {t}\ndef f(x): return C(a=x)",
        "msgspec, used": "import msgspec\nclass C(msgspec.Struct):\n    a: {t}\ndef f(x): return msgspec.json.decode(x, type=C)", "pydantic's adapter": "import dataclasses, pydantic\n@dataclasses.dataclass\nclass C:\n    a: {t}\ndef f(x): return pydantic.TypeAdapter(C).validate_python(x)",
        "cattrs": "import dataclasses, cattrs\n@dataclasses.dataclass\nclass C:\n    a: {t}\ndef f(x): return cattrs.structure(x, C)", "dacite": "import dataclasses, dacite\n@dataclasses.dataclass\nclass C:\n    a: {t}\ndef f(x): return dacite.from_dict(C, x)",
        "omegaconf": "import dataclasses, omegaconf\n@dataclasses.dataclass\nclass C:\n    a: {t}\ndef f(x): return omegaconf.OmegaConf.structured(C)"}.items()),
    error("ordinary: a shell of the user's own", SHELL + "m = InteractiveShell()\ndef f(x): return m.socket", "socket"),
]
