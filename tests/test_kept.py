"""What is kept of the hash of code from one call to the next never hides a change: after any assignment, of whatever a
function can read, the hash is that of a fresh walk."""

from __future__ import annotations

import abc
import builtins
import copyreg
import hashlib
import numbers
import pkgutil
import random
import sys
import types
from contextlib import suppress
from functools import partial

import pytest

from flowly_ckpt import functional_hash, hashing, ignore_globals, pipelines
from flowly_ckpt.checkpoint.hashed import Hashed
from flowly_ckpt.hashing import depends_on, kept
from flowly_ckpt.hashing.digests import digest, prefix_hashes
from flowly_ckpt.hashing.hints import IGNORES
from flowly_ckpt.hashing.kept import Keeper, Knowing
from flowly_ckpt.hashing.walk import Walk

SOURCE = """
import abc, builtins, collections, contextlib, dataclasses, enum, functools, json, logging, math, operator, textwrap
import toolz
from dataclasses import dataclass, field

RATE, NAME, TABLE, LIST, NOTHING = 0.5, "a", {"k": [1]}, [1, 2], None
HELD, PLACES = [math], [0]
COUNT = 0

def helper(x): return x * RATE
def other(x): return x + 1
def third(x): return x - 1

class Base:
    factor = 2
    def scale(self, x): return x * self.factor

class Scale(Base):
    parts = [1, 2]
    def __init__(self, k): self.k = k
    def up(self, x): return x * self.k + RATE
    @property
    def double(self): return self.k * 2
    @classmethod
    def make(cls, k): return cls(helper(k))
    @staticmethod
    def twice(x): return other(x)

def fresh(): return [RATE]

@dataclass
class Config:
    depth: int = 1
    names: list = field(default_factory=fresh)
    def total(self): return self.depth + len(self.names)

class Kind(enum.Enum):
    A = 1
    B = 2

Pair = collections.namedtuple("Pair", "a b")
SCALE = Scale(3)
CONFIG = Config()
TWO = functools.partial(helper)

def counter(start):
    seen, step = [start], third
    def count(x): return step(x) + len(seen)
    return count

count = counter(1)

def decorated(f):
    @functools.wraps(f)
    def inner(*args): return f(*args)
    return inner

@decorated
def wrapped(x): return helper(x)

class Unit:
    def __init__(self, size): self.size, self.name = size, "m"
    def of(self, x): return x * self.size

class Ruler:
    unit = Unit(2)
    def read(self, x): return self.unit.of(x)

class Foreign:
    __attrs_attrs__ = ()
    def __init__(self): self.size = 5
    def of(self, x): return x * self.size

UNIT, FOREIGN = Unit(3), Foreign()
Alias = int
class Told:
    size: "Alias" = 1

def generator(): yield NAME

@contextlib.contextmanager
def managed(): yield RATE

LOG = logging.Logger("users_own")
def logged(log): return (lambda x: log.level + x), (lambda xs: sorted(xs, key=log))
logs_in, hands_log_in = logged(LOG)
def logs(x): return LOG.level + x
def hands_log(xs): return sorted(xs, key=LOG)

GETTER = toolz.itertoolz.getter([PLACES])

def plain(x): return x + 1
def nothing(x): return NOTHING, x
def held(x): return HELD
def passes(xs): return sorted(xs, key=managed)
def taking(f): return lambda xs: sorted(xs, key=f)
passes_in = taking(managed)
def ignores(x): return helper(x) + RATE + len(NAME)
ignores.mark = 1
def given(xs, by=managed, *, to=managed): return sorted(xs, key=by)
def told(x): return Told.size + x
def gets(x): return GETTER(x)
def dents(x): return textwrap.dedent(x)
def reads(x): return helper(x) + RATE + len(NAME)
def data(x): return TABLE["k"][0] + LIST[0] + x
def instance(x): return SCALE.up(x) + SCALE.double
def classes(x): return Scale.make(x), Scale.twice(x), Base.factor
def config(x): return CONFIG.total() + Config(2).total()
def kinds(x): return Kind.A, Pair(x, x)
def defaults(x, y=RATE, *, z=other, w=LIST): return z(x) + y
def closure(x): return count(x)
def hands(xs): return sorted(map(helper, xs), key=other)
def modules(x): return math.sqrt(x) + json.dumps(x) + operator.add(x, x)
def fact(n): return 1 if n < 2 else n * fact(n - 1)
def odd(n): return n and even(n - 1)
def even(n): return not n or odd(n - 1)
def late(x): return undefined_yet(x)
def bound(x): return SCALE_UP(x)
def partly(x): return TWO(x) + wrapped(x)
def named(x): return helper.__name__, x
def nested(x):
    def inner(y): return y * RATE + third(y)
    return inner(x)

SCALE_UP = SCALE.up

class Meta(type):
    def size(cls): return 1

class Meta2(Meta):
    def size(cls): return 2

class Made(metaclass=Meta):
    pass

class Knows:
    def all(self): return type(self).__subclasses__()

class Looping:
    def go(self, x): return LOOP.size + x

LOOP = Looping()
LOOP.size = 1

class Virtual(abc.ABC):
    pass

class Other:
    size = 1

Virtual.register(Other)
QUERY = "a > @RATE"

def document(f): return f.__doc__
def metaclass(x): return Made.size()
def knows(x): return Knows().all()
def looping(x): return LOOP.go(x)
def virtual(x): return isinstance(x, Virtual)
def query(df): return df.query(QUERY)
def shows(x): return document(helper)
def manages(x): return managed()
def pairs(x): return Pair(x)
def keywords(x, *, z=other): return z(x)
def factory(x): return Config().names, x
def units(x, unit=Unit(4)): return UNIT.of(x) + unit.of(x) + Ruler().read(x) + UNIT.size
def foreign(x): return FOREIGN.of(x)
"""

STEPS = """
plain nothing held passes passes_in ignores given told gets dents reads data instance classes config kinds
defaults closure hands modules fact logs logs_in hands_log hands_log_in odd late bound partly named nested
metaclass knows looping virtual query shows manages pairs keywords factory units foreign
""".split()  # noqa: SIM905


def made():
    module = sys.modules["users_own"] = types.ModuleType("users_own")
    exec(compile(SOURCE, "users_own.py", "exec", dont_inherit=True), vars(module))
    return module


def swap(function):
    """Return a function of other code for a name."""
    return lambda x, k=function: (x, "other")


def reducing(kind, r):
    size = r.random()
    return lambda self: (kind, (size,))


def fresh(r):
    """Return a function of code that there was not before."""
    return eval(f"lambda x: {r.random()}")


CHANGES = {
    "a global": lambda m, r: setattr(m, "RATE", r.random()),
    "a global to another type": lambda m, r: setattr(m, "RATE", r.choice([1, 1.0, True])),
    "a global to data": lambda m, r: setattr(m, "RATE", [r.random()]),
    "a global to code": lambda m, r: setattr(m, "NAME", r.choice([m.other, m.third, len])),
    "a text": lambda m, r: setattr(m, "NAME", str(r.random())),
    "data in place": lambda m, r: m.TABLE["k"].append(r.random()),
    "a list in place": lambda m, r: m.LIST.append(1),
    "a list anew": lambda m, r: setattr(m, "LIST", [r.random(), 2]),
    "a helper": lambda m, r: setattr(m, "helper", r.choice([m.other, m.third, swap(r)])),
    "a helper to a builtin": lambda m, r: setattr(m, "helper", r.choice([abs, float])),
    "a helper to a class": lambda m, r: setattr(m, "other", r.choice([m.Scale, m.Base])),
    "a helper's code": lambda m, r: setattr(m.third, "__code__", fresh(r).__code__),
    "a helper's name": lambda m, r: setattr(m.wrapped, "__name__", str(r.random())),
    "a helper's attribute": lambda m, r: setattr(m.wrapped, "mark", r.random()),
    "a helper's first attribute": lambda m, r: setattr(m.plain, "mark", r.random()),
    "a helper's wrapped": lambda m, r: setattr(m.wrapped, "__wrapped__", r.choice([m.plain, m.reads])),
    "what is ignored": lambda m, r: ignore_globals(r.choice(["RATE", "NAME"]))(m.reads),
    "what is ignored instead": lambda m, r: vars(m.ignores).update(
        {IGNORES: ("RATE",) if vars(m.ignores).get(IGNORES) == ("NAME",) else ("NAME",)}
    ),
    "an instance": lambda m, r: setattr(m.SCALE, "k", r.random()),
    "an instance's class": lambda m, r: setattr(m.SCALE, "__class__", r.choice([m.Scale, m.Base])),
    "an attribute to another type": lambda m, r: setattr(m.UNIT, "size", r.choice([3, 3.0, True, [3], m.plain])),
    "an instance's new attribute": lambda m, r: setattr(m.UNIT, f"new{r.randrange(3)}", r.random()),
    "an instance's attribute deleted": lambda m, r: vars(m.UNIT).pop("name", None),
    "an instance's attributes in another order": lambda m, r: vars(m.UNIT).update(name=vars(m.UNIT).pop("name", "m")),
    "an instance's attributes anew": lambda m, r: setattr(m.UNIT, "__dict__", {"size": r.random(), "name": "m"}),
    "an instance's other class": lambda m, r: setattr(m.UNIT, "__class__", m.Ruler),
    "an instance of a class": lambda m, r: setattr(m.Ruler.unit, "size", r.random()),
    "an instance of a class anew": lambda m, r: setattr(m.Ruler, "unit", r.choice([m.Unit(r.random()), [1]])),
    "an instance among the defaults": lambda m, r: setattr(m.units.__defaults__[0], "size", r.random()),
    "an instance anew": lambda m, r: setattr(m, "UNIT", m.Unit(r.random())),
    "a method of a class as of attrs": lambda m, r: setattr(m.Foreign, "of", swap(r)),
    "how instances are reduced": lambda m, r: setattr(m.Unit, "__reduce__", reducing(m.Unit, r)),
    "an attribute of a class": lambda m, r: setattr(m.Scale, "factor", r.random()),
    "an attribute of a base": lambda m, r: setattr(m.Base, "factor", r.random()),
    "a new attribute of a class": lambda m, r: setattr(m.Scale, f"new{r.randrange(3)}", r.random()),
    "an attribute deleted": lambda m, r: vars(m.Scale).get("factor") and delattr(m.Scale, "factor"),
    "a list of a class": lambda m, r: m.Scale.parts.append(1),
    "a method": lambda m, r: setattr(m.Scale, "up", swap(r)),
    "a property": lambda m, r: setattr(m.Scale, "double", property(swap(r))),
    "a static method": lambda m, r: setattr(m.Scale, "twice", staticmethod(r.choice([m.plain, m.third]))),
    "a method of a dataclass": lambda m, r: setattr(m.Config, "total", swap(r)),
    "an annotation of a dataclass": lambda m, r: m.Config.__annotations__.update(depth=r.choice([int, float, m.Scale])),
    "a dataclass's instance": lambda m, r: m.CONFIG.names.append(r.random()),
    "the bases": lambda m, r: setattr(m.Scale, "__bases__", (r.choice([m.Base, type("Mixin", (m.Base,), {"k": 1})]),)),
    "a class anew": lambda m, r: setattr(m, "Scale", type("Scale", (m.Base,), {"make": swap(r), "twice": swap(r)})),
    "defaults": lambda m, r: setattr(m.defaults, "__defaults__", (r.random(),)),
    "a default in place": lambda m, r: m.defaults.__kwdefaults__["w"].append(1),
    "keyword defaults": lambda m, r: m.defaults.__kwdefaults__.update(z=fresh(r)),
    "keyword defaults anew": lambda m, r: setattr(m.defaults, "__kwdefaults__", {"z": m.plain, "w": r.random()}),
    "data in a closure": lambda m, r: m.count.__closure__[0].cell_contents.append(1),
    "code in a closure": lambda m, r: setattr(m.count.__closure__[1], "cell_contents", fresh(r)),
    "an undefined name": lambda m, r: setattr(m, "undefined_yet", r.choice([m.plain, 1, [2]])),
    "a name among the builtins": lambda m, r: setattr(m.builtins, "undefined_yet", r.random()),
    "a builtin's name": lambda m, r: setattr(m, "len", r.choice([m.plain, len])),
    "the builtins": lambda m, r: setattr(m, "__builtins__", {**vars(builtins), "len": r.choice([m.plain, m.third])}),
    "a None deleted": lambda m, r: vars(m).pop("NOTHING", None),
    "a module in a list": lambda m, r: m.HELD.__setitem__(0, r.choice([m.json, m.operator])),
    "data in a closure of an installed function": lambda m, r: m.PLACES.append(1),
    "what an installed function depends on": lambda m, r: depends_on(r.random())(m.textwrap.dedent),
    "what a text in an annotation names": lambda m, r: setattr(m, "Alias", r.choice([float, m.Scale, [r.random()]])),
    "a name deleted": lambda m, r: vars(m).pop("len", None),
    "a module": lambda m, r: setattr(m, "math", r.choice([m.json, m.operator])),
    "an attribute of a module": lambda m, r: m.fake(r),
    "a partial": lambda m, r: setattr(m, "TWO", r.choice([m.plain, m.functools.partial(m.third)])),
    "recursion": lambda m, r: setattr(m, "even", r.choice([m.plain, m.third])),
    "a logger's level": lambda m, r: m.LOG.setLevel(r.randrange(1, 50)),
    "a logger's name": lambda m, r: setattr(m.LOG, "name", str(r.random())),
    "the name of what is handed on": lambda m, r: setattr(m.managed, "__name__", str(r.random())),
    "a handed helper's name": lambda m, r: setattr(m.helper, "__name__", str(r.random())),
    "a handed helper's docstring": lambda m, r: setattr(m.helper, "__doc__", str(r.random())),
    "a metaclass": lambda m, r: setattr(m.Made, "__class__", r.choice([m.Meta2, m.Meta])),
    "a class's name": lambda m, r: setattr(m.Scale, "__name__", str(r.random())),
    "a new subclass": lambda m, r: setattr(m, "Sub", type("Sub", (m.Knows,), {"size": r.random()})),
    "data that leads back": lambda m, r: setattr(m.LOOP, "size", r.random()),
    "what is registered": lambda m, r: setattr(m.Other, "size", r.random()),
    "a text with names": lambda m, r: setattr(m, "QUERY", r.choice(["a > @NAME", "a > @RATE and 1"])),
    "what a generator reads": lambda m, r: setattr(m.managed.__wrapped__, "__code__", m.generator.__code__),
    "a named tuple's defaults": lambda m, r: setattr(m.Pair.__new__, "__defaults__", (r.random(),)),
    "a dataclass's default": lambda m, r: setattr(m.Config.__dataclass_fields__["depth"], "default", r.random()),
    "itself": lambda m, r: setattr(m, "fact", m.plain),
}


@pytest.fixture
def module(monkeypatch):
    monkeypatch.setitem(sys.modules, "users_own", None)  # put back afterwards
    made_now = made()
    other = types.ModuleType("users_helpers")
    other.size = 1
    monkeypatch.setitem(sys.modules, "users_helpers", other)
    made_now.json_ = other

    def fake(r):
        other.size = r.choice([made_now.plain, made_now.third, r.random()])
        made_now.json = other
        other.dumps = r.choice([made_now.plain, made_now.third])

    made_now.fake = fake
    made_now.textwrap.dedent.note = "an attribute that does not count"
    yield made_now
    vars(made_now.textwrap.dedent).clear()
    vars(builtins).pop("undefined_yet", None)


def of(walk, steps):
    return [digest(walk, step) for step in steps]


def checked(keeper, step):
    """Return the hash of a step that is hashed, and learnt, again and again."""
    for _ in range(4):
        walk = keeper.walk()
        assert of(walk, [step]) == [functional_hash(step)]
        keeper.learn(walk)
    return functional_hash(step)


@pytest.mark.parametrize("change", CHANGES)
def test_one_change_after_the_code_is_known(module, change):
    names = dict(vars(module))
    for name in STEPS:
        vars(module).clear()
        vars(module).update(names)
        steps, keeper = [getattr(module, name)], Keeper()
        before = prefix_hashes(steps)
        for _ in range(4):
            known = Hashed(1, steps, keeper)
            assert known.steps == before, name
        CHANGES[change](module, random.Random(name))
        after = prefix_hashes(steps)
        assert before == after or not known.code_holds(), name
        for _ in range(4):
            assert Hashed(1, steps, keeper).steps == after, name


@pytest.mark.parametrize("seed", range(20))
def test_many_changes_one_after_another(module, seed):
    chosen = random.Random(seed)
    steps = [getattr(module, name) for name in chosen.sample([*STEPS, "SCALE_UP"], 5)]
    hasher = partial(hashlib.blake2b, digest_size=16, key=b"own") if seed % 2 else None
    keeper = Keeper(hasher)
    for _ in range(60):
        if chosen.random() < 0.4:
            with suppress(AttributeError, TypeError):  # an earlier change took away what this one changes
                CHANGES[chosen.choice(sorted(CHANGES))](module, chosen)
        obj = chosen.choice([1, module.SCALE, [module.Scale, module.helper], module.LOOP])
        known = Hashed(obj, steps, keeper)
        assert known.obj == functional_hash(obj, hasher=hasher)
        assert known.steps == prefix_hashes(steps, hasher=hasher)


def test_what_others_register_for_a_class_is_seen(module):
    keeper = Keeper()
    abstract = abc.ABCMeta("Abstract", (), {"__module__": "users_own", "go": module.plain})
    module.Abstract = abstract
    exec("def asks(x): return isinstance(x, Abstract), Scale(1)", vars(module))

    checked(keeper, module.asks)
    abstract.register(module.Scale)
    checked(keeper, module.asks)
    copyreg.pickle(module.Scale, module.plain)
    try:
        checked(keeper, module.asks)
    finally:
        del copyreg.dispatch_table[module.Scale]
    checked(keeper, module.asks)


@pytest.mark.parametrize(
    "register",
    [
        lambda kind: hashing.register(kind, lambda unit: "a unit"),
        lambda kind: pipelines.register(kind, lambda unit: (), lambda unit, parts: unit, role="sequential"),
    ],
    ids=["as a value", "as a run of steps"],
)
def test_how_objects_are_hashed_is_seen(module, register):
    keeper, step = Keeper(), module.units

    before = checked(keeper, step)
    register(module.Unit)
    assert checked(keeper, step) != before


EMPTY_SLOT = """
class Slotted: __slots__ = ("size",)
class Shifted(Slotted): pass
HELD = Shifted()
HELD.name = "m"
def asks(x): return getattr(HELD, "size", 0)
"""
SYNTHESIZED = """
@dataclass
class Sized:
    size: int = 1
def filled(self, size=1): self.size = 2
def asks(x): return Sized().size
"""


@pytest.mark.parametrize(
    ("source", "edit"),
    [
        (EMPTY_SLOT, "HELD.size = 1"),
        (SYNTHESIZED, "Sized.__init__.__code__ = filled.__code__"),
        (SYNTHESIZED, "GENERIC.register(Sized)(filled)"),
        (SYNTHESIZED, "Number.register(Sized)"),
    ],
    ids=["a slot beside attributes", "a synthesized method's code", "a generic function", "an abstract class"],
)
def test_what_was_not_there_or_only_a_mark_is_seen_once_it_is_there(module, source, edit):
    module.GENERIC, module.Number = pkgutil.iter_importer_modules, numbers.Number
    exec(compile(source, "users_own.py", "exec", dont_inherit=True), vars(module))
    keeper, step = Keeper(), module.asks

    before = checked(keeper, step)
    exec(edit, vars(module))
    assert checked(keeper, step) != before


def test_an_object_of_atoms_is_not_encoded_again(module, monkeypatch):
    keeper = Keeper()
    for _ in range(3):
        walk = keeper.walk()
        of(walk, [module.units])
        keeper.learn(walk)
    monkeypatch.setattr(kept, "encode", None)
    assert type(keeper.walk()) is Knowing


@pytest.mark.parametrize(
    "name", ["plain", "reads", "instance", "classes", "config", "closure", "hands", "fact", "nested", "units"]
)
def test_code_is_not_expanded_again(module, name):
    steps, keeper = [getattr(module, name)], Keeper()
    for _ in range(4):
        known = Hashed(1, steps, keeper)
    assert type(known.walk) is Knowing
    assert id(steps[0]) in known.walk.memo
    assert not [each for each in known.walk.expanded[::3] if isinstance(each, types.FunctionType | type)]
    assert known.code_holds()
    assert Hashed(1, steps, keeper).steps is known.steps


def test_code_that_changes_each_time_is_learnt_ever_less_often_and_known_once_it_stands_still(module):
    keeper, learnt = Keeper(), 0

    def is_known():
        nonlocal learnt
        walk = keeper.walk()
        learnt += type(walk) not in (Walk, Knowing)
        of(walk, [module.reads])
        keeper.learn(walk)
        return type(walk) is Knowing

    for rate in range(1000):
        module.RATE = rate
        assert not is_known()
    assert 1 < learnt < 10
    known = [is_known() for _ in range(300)]
    assert known == sorted(known), "once it is known, it stays so"
    assert known[-1]
    module.RATE = 0.5
    assert [is_known() for _ in range(4)][-1], "a change now and then is soon forgotten"
