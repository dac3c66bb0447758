"""Random small programs whose names read each other, and changes of one name: by a cell, or in place.

Each form of a definition has two places for numbers, ``K`` and ``L``, two for uses of earlier names, ``A`` and ``B``
(``A3`` where there is no ``x``), and ``N`` for its own name; beside it stands how it is used.
"""

from __future__ import annotations

import random
import re
from functools import partial
from types import FunctionType, ModuleType
from typing import Any

HEAD = "import abc, collections, contextlib, dataclasses, enum, functools, sys, types, typing\n"
DEF = "def N(x):\n    "
OF = "class Of_N:\n    def __init__(self, k=K):\n        self.k = "

FORMS = {
    "a constant": ("N = K", "N"),
    "a text": ("N = 'tK'", "N"),
    "a list": ("N = [K, [L, 'a']]", "N"),
    "a dict": ("N = {'a': K, 'b': {'c': [L]}}", "sorted(N.items(), key=str)"),
    "a set": ("N = {K, L, 1}", "sorted(N)"),
    "a deque": ("N = collections.deque([K, L])", "list(N)"),
    "a module": (
        "N = types.ModuleType('users_N')\nexec('a = K\\ndef f(x): return a + x', vars(N))\nsys.modules['users_N'] = N",
        "N.f(x)",
    ),
    "a function": ("def N(x):\n    y = x + K\n    return y, A", "N(x)"),
    "a function of two": ("def N(x):\n    if x > L:\n        return K, B\n    return A", "N(x)"),
    "a lambda": ("N = lambda x: (x * K, A)", "N(x)"),
    "a default": ("def N(x, k=K, *, l=[L]):\n    return x, k, l, A", "N(x)"),
    "a nested function": ("def N(x):\n    def inner(y):\n        return y + K, A\n    return inner(x), L", "N(x)"),
    "a comprehension": ("def N(x):\n    return [(x + i, A) for i in range(K % 4)]", "N(x)"),
    "a generator": ("def N(x):\n    yield x + K\n    yield A", "list(N(x))"),
    "a handler": ("def N(x):\n    try:\n        return {}[x]\n    except KeyError:\n        return K, A", "N(x)"),
    "a closure": (
        "def make_N(k):\n    held = [L]\n    def f(x):\n        return x + k, held, A\n    return f\nN = make_N(K)",
        "N(x)",
    ),
    "a partial": ("def base_N(k, x, l=0):\n    return k, x, l, A\nN = functools.partial(base_N, K, l=L)", "N(x)"),
    "a table of functions": ("N = {'f': lambda x: (K, A), 'g': abs}", "N['f'](x)"),
    "a mapped function": (
        "def one_N(x):\n    return x + K, A\ndef N(x):\n    return list(map(one_N, [x, x + 1]))", "N(x)",
    ),
    "a decorated function": (
        "def deco_N(f):\n    @functools.wraps(f)\n    def inner(*args):\n        return f(*args), L\n    return inner\n"
        "@deco_N\ndef N(x):\n    return K, A",
        "N(x)",
    ),
    "a dispatch": (f"@functools.singledispatch\n{DEF}return K\n@N.register\ndef _(x: int):\n    return A", "N(x)"),
    "a context manager": (
        f"@contextlib.contextmanager\ndef open_N():\n    yield K\n{DEF}with open_N() as k:\n        return k, A",
        "N(x)",
    ),
    "a docstring": ("def told_N(x):\n    'It is K.'\ndef N(x):\n    return told_N.__doc__, A", "N(x)"),
    "annotations": (f"class Told_N:\n    a: int\n    bK: str\n{DEF}return list(Told_N.__annotations__), A", "N(x)"),
    "a name in a text": ("Val_N = K\ndef N(x):\n    return eval('Val_N'), A", "N(x)"),
    "a class": ("class N:\n    size = K\n    def go(self, x):\n        return self.size + x, A", "N().go(x)"),
    "a subclass": (
        "class Base_N:\n    k = K\n    def go(self, x):\n        return self.k, A\n"
        "class N(Base_N):\n    def go(self, x):\n        return super().go(x), L",
        "N().go(x)",
    ),
    "an abstract class": (
        "class Base_N(abc.ABC):\n    @abc.abstractmethod\n    def go(self, x): ...\n"
        "class N(Base_N):\n    def go(self, x):\n        return L, A",
        "N().go(x)",
    ),
    "a metaclass": (
        "class Meta_N(type):\n    def size(cls):\n        return K, A3\nclass N(metaclass=Meta_N): ...",
        "N.size()",
    ),
    "a property": ("class N:\n    @functools.cached_property\n    def p(self):\n        return K, A3", "N().p"),
    "a descriptor": (
        "class Desc_N:\n    def __init__(self, k):\n        self.k = k\n    def __get__(self, obj, kind):\n"
        "        return self.k, A3\nclass N:\n    d = Desc_N(K)",
        "N.d",
    ),
    "a dataclass": (
        "@dataclasses.dataclass\nclass N:\n    a: int = K\n"
        "    b: list = dataclasses.field(default_factory=lambda: [L])\n"
        "    def go(self, x):\n        return self.a, self.b, A",
        "N().go(x)",
    ),
    "a named tuple": ("N = collections.namedtuple('N', 'a b', defaults=[K, L])", "tuple(N())"),
    "an enumeration": (
        "class N(enum.Enum):\n    ONE = K\n    TWO = L + 100\n    def go(self, x):\n        return self.value, A",
        "[e.go(x) for e in N]",
    ),
    "an instance": (f"{OF}k\n    def go(self, x):\n        return self.k, A\nN = Of_N()", "N.go(x)"),
    "an instance of data": (f"{OF}[k, [L]]\n    def go(self, x):\n        return self.k, A\nN = Of_N()", "N.go(x)"),
    "an instance to call": (f"{OF}k\n    def __call__(self, x):\n        return self.k, A\nN = Of_N(L)", "N(x)"),
    "a bound method": (f"{OF}k\n    def go(self, x):\n        return self.k, A\nN = Of_N(L).go", "N(x)"),
    "slots": ("class Of_N:\n    __slots__ = ('k',)\nN = Of_N()\nN.k = K", "N.k"),
    "a subclass of a counter": (
        "class Of_N(collections.Counter):\n    k = K\nN = Of_N('aab')\nN.note = L", "(N.k, N.note, sorted(N.items()))",
    ),
}  # fmt: skip


def class_of(value: Any) -> Any:
    return value if isinstance(value, type) else type(value)


def is_plain_function(value: Any) -> bool:
    return type(value) is FunctionType and not value.__code__.co_freevars and not value.__code__.co_flags & 0x20


CHANGES = {
    "another value": lambda m, n, k: setattr(m, n, k),
    "deleted": lambda m, n, k: delattr(m, n),
    "a list in place": lambda m, n, k: getattr(m, n).append(k),
    "a dict in place": lambda m, n, k: getattr(m, n).update(new=k),
    "an attribute": lambda m, n, k: setattr(getattr(m, n), "k" if k % 2 else "note", k),
    "an attribute to data": lambda m, n, k: setattr(getattr(m, n), "k", [k]),
    "data of an attribute": lambda m, n, k: getattr(m, n).k.append(k),
    "an attribute of a module": lambda m, n, k: setattr(m.sys.modules[f"users_{n}"], "a", k),
    "an attribute of a class": lambda m, n, k: setattr(class_of(getattr(m, n)), "k" if k % 2 else "size", k),
    "a method": lambda m, n, k: class_of(getattr(m, n)).go and setattr(class_of(getattr(m, n)), "go", lambda *_: k),
    "a base": lambda m, n, k: setattr(getattr(m, f"Base_{n}"), "k", k),
    "the bases": lambda m, n, k: setattr(
        getattr(m, n), "__bases__", (type("Mixin", (getattr(m, f"Base_{n}"),), {"k": k, "__module__": m.__name__}),)
    ),
    "the class of an instance": lambda m, n, k: setattr(
        getattr(m, n),
        "__class__",
        type("Sub", (getattr(m, f"Of_{n}"),), {"go": lambda *_: k, "__module__": m.__name__}),
    ),
    "a metaclass": lambda m, n, k: setattr(getattr(m, f"Meta_{n}"), "size", lambda cls: k),
    "a descriptor": lambda m, n, k: setattr(vars(getattr(m, n))["d"], "k", k),
    "the value of a member": lambda m, n, k: setattr(getattr(m, n).ONE, "_value_", k),
    "defaults of a named tuple": lambda m, n, k: setattr(getattr(m, n).__new__, "__defaults__", (k, k)),
    "code": lambda m, n, k: (
        is_plain_function(getattr(m, n))
        and setattr(getattr(m, n), "__code__", eval(f"lambda x, *a, **b: {k}").__code__)
    ),
    "defaults": lambda m, n, k: getattr(m, n).__defaults__ and setattr(getattr(m, n), "__defaults__", (k,)),
    "a keyword's default": lambda m, n, k: getattr(m, n).__kwdefaults__.update(l=k),
    "a keyword's default in place": lambda m, n, k: getattr(m, n).__kwdefaults__["l"].append(k),
    "a number in a closure": lambda m, n, k: setattr(getattr(m, n).__closure__[-1], "cell_contents", k),
    "a list in a closure": lambda m, n, k: getattr(m, n).__closure__[0].cell_contents.append(k),
    "a keyword of a partial": lambda m, n, k: getattr(m, n).keywords.update(l=k),
    "what is registered": lambda m, n, k: getattr(m, n).register(bool if k % 2 else int, lambda x: k),
    "a docstring": lambda m, n, k: setattr(getattr(m, f"told_{n}"), "__doc__", str(k)),
    "annotations": lambda m, n, k: getattr(m, f"Told_{n}").__annotations__.update({f"c{k}": int}),
    "what a text names": lambda m, n, k: setattr(m, f"Val_{n}", getattr(m, f"Val_{n}") + k),
}
UNCHANGED = (AttributeError, TypeError, ValueError, KeyError, IndexError)
"""What a change raises where there is nothing of its kind."""


class Program:
    """Make a module at random, and change it.

    ``texts`` are the definitions by name, ``step`` the text of the function that reads some of them.
    """

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)
        self.texts: dict[str, str] = {}
        self.uses: dict[str, str] = {}
        self.forms: dict[str, str] = {}
        for name in (f"n{number}" for number in range(self.random.randrange(3, 8))):
            self.forms[name] = self.random.choice(sorted(FORMS))
            self.texts[name], self.uses[name] = self.defined(name)
        used = self.random.sample(sorted(self.uses), 2)
        self.step = f"def step(x):\n    return x, {self.uses[used[0]]}, {self.uses[used[1]]}\n"
        self.module = ModuleType("users_program")

    def defined(self, name: str) -> tuple[str, str]:
        """Return a definition of a name, in its form, and how it is used."""
        text, use = FORMS[self.forms[name]]
        earlier = [each for each in self.uses if each < name][-3:]
        a, b = (self.uses[self.random.choice(earlier)] if earlier else "0" for _ in "ab")
        holes = {"A3": partial(re.sub, r"\bx\b", "3", a), "A": lambda: a, "B": lambda: b}
        text = re.sub(r"\b(A3|A|B)\b", lambda found: holes[found[0]](), text)
        text = re.sub(r"(?<![A-Z])[KL](?![A-Za-z])", lambda _: str(self.random.randrange(50)), text)
        return re.sub(r"(\b|(?<=_))N\b", name, text), re.sub(r"\bN\b", name, use)

    def text(self) -> str:
        return "\n".join([HEAD, *self.texts.values(), self.step])

    def reached(self) -> set[str]:
        """Return the names that the step leads to."""
        found: set[str] = set()
        waiting = [self.step]
        for text in waiting:  # which grows
            new = set(re.findall(r"n\d", text)) - found
            found |= new
            waiting += [self.texts[name] for name in new]
        return found

    def change(self) -> tuple[str, str]:
        """Change a name, and return it and how; a cell defines it again, in its own form."""
        name, k = self.random.choice(sorted(self.texts)), self.random.randrange(50)
        how = "a cell" if self.random.random() < 0.4 else self.random.choice(sorted(CHANGES))
        try:
            if how == "a cell":
                text = self.defined(name)[0]
                exec(compile(text, "cell.py", "exec", dont_inherit=True), vars(self.module))
                self.texts[name] = text
            else:
                CHANGES[how](self.module, name, k)
        except (*UNCHANGED, NameError):
            how = "nothing"
        return name, how
