"""What an object has beside what its reduction, its row or its library tells: attributes, hooks, notes, what is lazy."""

from __future__ import annotations

from .table import after, distinct, needing, same

HUNG = """
from collections import Counter, OrderedDict, defaultdict, deque
def hung(obj, **attributes):
    for name, value in attributes.items(): setattr(obj, name, value)
    return obj
def used(obj, *uses):
    for use in uses: use(obj)
    return obj
"""
BUILTINS = HUNG + """
class Words(Counter): pass
class Table(defaultdict): pass
class Moment(datetime.datetime): pass
class Day(datetime.date): pass
class Span(datetime.timedelta): pass
class Money(decimal.Decimal): pass
class Net(ipaddress.IPv4Network): pass
class Place(pathlib.PurePosixPath): pass
class Flaw(Exception): __slots__ = ("where",)
class Queue(deque): pass
class Text(str): pass
class Number(int): pass
class Bag(set): pass
class Half(fractions.Fraction): pass
class Dice(random.Random): pass
class Space(types.SimpleNamespace): pass
class Rows(__import__("array").array): pass
class Sorted(OrderedDict): pass
class Bound(functools.partial): pass
class Ratio(float): pass
class Raw(bytearray): pass
class Items(list): pass
class Named(dict): pass
class Setting(decimal.Context): pass
"""
MADE = (
    "Words(a=1)", "Table(int, a=1)", "Moment(2020, 1, 1)", "Day(2020, 1, 1)", "Span(1)", "Money('1')", "Place('a')",
    "Net('1.2.3.0/24')", "Queue([1])", "Text('a')", "Number(1)", "Bag([1])", "io.BytesIO(b'a')", "Flaw('a')",
    "Half(1, 2)", "Dice(1)", "Space(a=1)", "Rows('i', [1])", "Sorted(a=1)", "Bound(len)", "Ratio(1)", "Raw(b'a')",
    "Items([1])", "Named(a=1)", "Setting()",
)  # fmt: skip
# The same classes with slots (which Python has for none of int), and as if an installed library had written them.
SLOTTED = BUILTINS.replace(": pass", ": __slots__ = ('note', 'other')").replace('("where",)', "('note', 'other')")
SLOTTED = SLOTTED.replace("(int): __slots__ = ('note', 'other')", "(int): pass")
FOREIGN = "\nfor each in (" + ", ".join(made.partition("(")[0] for made in MADE) + "):\n    if each is not io.BytesIO: each.__module__ = 'toolz'\n"
OF_SLOTS = tuple(made for made in MADE if made not in ("Number(1)", "io.BytesIO(b'a')"))
HUNG_ONTO = (
    ("", BUILTINS, MADE), (" with slots", SLOTTED, OF_SLOTS),
    (" of a library", BUILTINS + FOREIGN, MADE), (" of a library, with slots", SLOTTED + FOREIGN, OF_SLOTS),
)  # fmt: skip
ERRORS = HUNG + """
class Two(Exception):
    def __init__(self, place, name):
        super().__init__(f"{place}: {name}")
        self.place, self.name = place, name
class Named(ValueError):
    def __init__(self, *, code):
        self.code = code
class Again(ValueError):
    def __init__(self, number):
        super().__init__(f"failed {number}")
        self.number = number
class System(OSError):
    def __init__(self, number): super().__init__(number, "no")
class New(Exception):
    def __new__(cls, a, b): return super().__new__(cls, a)
    def __init__(self, a, b): self.b = b
class Slotted(Exception):
    __slots__ = ("where",)
class Group(ExceptionGroup):
    def derive(self, errors): return Group(self.message, errors)
def noted(error, *notes):
    for note in notes: error.add_note(note)
    return error
"""
NEW = HUNG + """
class Degrees(float):
    def __new__(cls, value, unit):
        made = super().__new__(cls, value)
        made.unit = unit
        return made
class Symbol(str):
    def __new__(cls, value, *, kind):
        made = super().__new__(cls, value)
        made.kind = kind
        return made
class Pair(tuple):
    def __new__(cls, a, b): return super().__new__(cls, (a, b))
class Needs:
    def __new__(cls, a): return super().__new__(cls)
    def __init__(self, a): self.a = a
class Kind:
    def __new__(cls, a=None): return super().__new__(Special if a is None else cls)
    def __init__(self, a=None): self.a = a
class Special(Kind): pass
class Proxy:
    def __init__(self, inner): self.inner = inner
    def __getattr__(self, name): return getattr(self.inner, name)
class Slots:
    __slots__ = ("inner",)
    def __init__(self, inner): self.inner = inner
    def __getattr__(self, name): return getattr(self.inner, name)
class Any:
    def __init__(self, a): self.__dict__["a"] = a
    def __getattr__(self, name): return Any(name)
class Open(dict):
    __getattr__, __setattr__ = dict.__getitem__, dict.__setitem__
class Own(dict):
    def __init__(self, **items):
        super().__init__(**items)
        self.__dict__ = self
NOTHING = object()
"""
TORCH = HUNG + """
import torch
def net(hooks=0, before=0):
    for _ in range(before): torch.nn.ReLU().register_forward_hook(hook)
    torch.manual_seed(0)
    made = torch.nn.Linear(2, 1)
    for number in range(hooks): made.register_forward_hook(hook, with_kwargs=number == 1)
    return made
def hook(*args): pass
def learnt(module, times):
    for _ in range(times): module(torch.ones(1, 2)).sum().backward()
    return module
t = torch.arange(6.)
"""
ATTRS = HUNG + """
import attrs
@attrs.define(slots=False, unsafe_hash=True, cache_hash=True)
class Kept:
    name: str = "a"
"""
LIBRARY = HUNG + """
import http
from importlib.util import find_spec
if find_spec("pendulum"): import pendulum
"""
OF_LIBRARIES = (
    ("pendulum", "pendulum.datetime(2020, 1, 1)"), ("pendulum", "pendulum.date(2020, 1, 1)"), ("pendulum", "pendulum.timezone('Europe/Rome')"),
    ("pendulum", "pendulum.interval(pendulum.date(2020, 4, 1), pendulum.date(2020, 5, 1))"), ("markupsafe", "markupsafe.Markup('a')"),
    ("sqlalchemy", "sqlalchemy.sql.elements.quoted_name('a', True)"), ("yarl", "yarl.URL('http://a/b?c=d')"), ("multidict", "multidict.istr('a')"),
    ("sortedcontainers", "sortedcontainers.SortedDict(a=1)"), ("traitlets", "traitlets.Bunch(a=1)"), ("polars", "pl.Schema({'a': pl.Int64})"),
    ("xarray", "xarray.DataArray([1, 2], attrs={'a': 1})"),
)  # fmt: skip

CASES = [
    *(distinct(f"hung onto {each}{of}", *after(classes, each, f"hung({each}, note=1)", f"hung({each}, note=2)", f"hung({each}, other=2)"))
      for of, classes, mades in HUNG_ONTO for each in mades),
    distinct("a generator that keeps a number for later", *after(BUILTINS, "Dice(1)", *(f"used(Dice(1), *[lambda dice: dice.gauss(0, 1)] * {times})" for times in (1, 2)))),
    distinct("notes and slots of exceptions", *after(ERRORS, "ValueError('a')", "noted(ValueError('a'), 'n')", "noted(ValueError('a'), 'm')", "noted(ValueError('a'), 'n', 'm')", "Slotted('a')", "hung(Slotted('a'), where=1)", "hung(Slotted('a'), where=2)", "NameError('a', name='b')", "NameError('a', name='c')", "AttributeError('a', name='b')", "AttributeError('a', name='c')")),
    distinct("exceptions with constructors of their own", *after(ERRORS, "Two('a', 1)", "Two('a', 2)", "Named(code=1)", "Named(code=2)", "Again(1)", "Again(2)", "System(1)", "System(2)", "New(1, 2)", "New(1, 3)", "Group('a', [ValueError(1)])", "Group('a', [Two('a', 1)])",
             "UnicodeDecodeError('utf8', b'a', 0, 1, 'r')", "__import__('json').JSONDecodeError('a', 'b', 0)", "__import__('subprocess').CalledProcessError(1, 'a')")),
    distinct("classes that make their objects otherwise", *after(NEW, "Degrees(1, 'C')", "Degrees(1, 'F')", "Symbol('a', kind=1)", "Symbol('a', kind=2)", "Pair(1, 2)", "Pair(1, 3)", "Needs(1)", "Needs(2)", "Kind(1)", "Kind(2)", "Kind()")),
    distinct("objects that answer to any name", *after(NEW, "Proxy([1])", "Proxy([2])", "Slots([1])", "Slots([2])", "Any(1)", "Any(2)", "Open(a=1)", "Open(a=2)", "Own(a=1)", "Own(a=2)", "Own(b=2)")),
    distinct("sentinels in values", *after(NEW, "NOTHING", "[NOTHING]", "Proxy(NOTHING)", "Proxy([NOTHING])")),
    distinct("what a proxy of a mapping stands for", *after(HUNG, *(f"types.MappingProxyType({each})" for each in ("{'a': 1}", "{'a': 2}", "OrderedDict(a=1)", "defaultdict(int, a=1)", "Counter(a=1)", "types.MappingProxyType({'a': 1})")))),
    distinct("views of ordered dicts", *(f"{kind}(a=1).{view}()" for kind in ("dict", "collections.OrderedDict") for view in ("keys", "values", "items"))),
    distinct("places in buffers", *after(HUNG, "io.BytesIO(b'ab')", "used(io.BytesIO(b'ab'), io.BytesIO.read)", "io.StringIO('ab')", "io.StringIO('ab', newline='')", "io.StringIO('a')")),
    distinct("rows of sqlite", *after("import sqlite3\ndef row(text):\n    base = sqlite3.connect(':memory:')\n    base.row_factory = sqlite3.Row\n    return base.execute(text).fetchone()", *(f"row('select {text}')" for text in ("1 as a", "2 as a", "1 as b", "1 as a, 2 as b", "1.0 as a")))),
    same("zones from the cache or not", "zoneinfo.ZoneInfo('Europe/Rome')", "zoneinfo.ZoneInfo.no_cache('Europe/Rome')"),
    distinct("names of UTC", "datetime.timezone.utc", "datetime.timezone(datetime.timedelta(0), 'UTC')", "datetime.timezone(datetime.timedelta(0), 'Z')", "zoneinfo.ZoneInfo('UTC')"),
    distinct("how safe a uuid is", "uuid.UUID(int=1)", "uuid.UUID(int=1, is_safe=uuid.SafeUUID.safe)", "uuid.UUID(int=1, is_safe=uuid.SafeUUID.unsafe)"),
    same("generators of the system", "random.SystemRandom()", "__import__('secrets').SystemRandom()"),
    *needing("attrs", same("a hash that attrs keeps", *after(ATTRS, "Kept()", "used(Kept(), hash)"))),
    *(distinct(f"hung onto {each}", *after(HUNG, each, f"hung({each}, note=1)", f"hung({each}, note=2)"))
      for each in ("np.matrix([[1]])", "np.zeros(1, 'i4,i4').view(np.recarray)", "np.ma.array([1, 2], mask=[0, 1])", "np.memmap(tempfile(), 'i4', 'w+', shape=2)".replace("tempfile()", "__import__('tempfile').mktemp()"),
                   "pd.DataFrame({'a': [1]})", "pd.Series([1])", "pl.DataFrame({'a': [1]})", "pl.Series([1])")),
    same("a record array before and after numpy.rec is imported", *after(HUNG, "np.zeros(1, 'i4,i4').view(np.recarray)", "pickle.loads(pickle.dumps(np.zeros(1, 'i4,i4').view(np.recarray)))")),
    same("the usual value to fill texts with", *after(HUNG, "np.ma.array(['a', 'b'], mask=[0, 1])", "np.ma.array(['a', 'b'], mask=[0, 1]).copy()", "used(np.ma.array(['a', 'b'], mask=[0, 1]), lambda m: m.fill_value)", "pickle.loads(pickle.dumps(np.ma.array(['a', 'b'], mask=[0, 1])))")),
    same("the usual value to fill objects with", *after(HUNG, "np.ma.array(np.array([1, 2], object), mask=[0, 1])", "pickle.loads(pickle.dumps(np.ma.array(np.array([1, 2], object), mask=[0, 1])))")),
    distinct("values to fill with", *(f"np.ma.array({values}, mask=[0, 1], fill_value={fill})" for values, fill in (("[1, 2]", "None"), ("[1, 2]", "5"), ("['a', 'b']", "None"), ("['a', 'b']", "'x'"), ("[1., 2.]", "None"), ("[1., 2.]", "np.nan")))),
    distinct("zeros at the end of texts", "np.bytes_(b'a')", "np.bytes_(b'a\\0')", "np.bytes_(b'a\\0\\0')", "np.str_('a')", "np.str_('a\\0')"),
    distinct("ends of dates", "np.array(['2020-01-01'], 'M8[D]')", "np.array(['2020-01-01'], '>M8[D]')", "np.array([1], '>m8[s]')", "np.array([1], 'm8[s]')", "np.array([[1, 2]], '>m8[s]').T"),
    distinct("limits of numbers", "np.finfo('f4')", "np.finfo('f8')", "np.iinfo('i4')", "np.iinfo('i8')"),
    distinct("the generator of numpy", *after(HUNG, "np.random.mtrand._rand", "np.random.RandomState(1)", "[np.random.mtrand._rand]")),
    distinct("indexes of objects", "pd.Index(['a', 'b'])", "pd.Index(['a', 'b'], dtype=object)", "pd.Index(['a', None], dtype=object)", "pd.MultiIndex.from_arrays([['a', 'b']])", "pd.MultiIndex.from_arrays([pd.Index(['a', 'b'], dtype=object)])", "pd.MultiIndex.from_arrays([pd.Index(['a', 'b'], dtype=object)] * 2)",
             "pd.MultiIndex(levels=[[1]], codes=[[-1]])", "pd.DataFrame({'a': [1, 2]}, index=pd.Index(['a', 'b'], dtype=object))"),
    distinct("NaN and NA", "pd.array([1.5, None], dtype='Float64')", "pd.Series(pd.arrays.FloatingArray(np.array([1.5, np.nan]), np.array([False, False])))", "pd.Series([1.5, None], dtype='Float64')"),
    *needing("scipy",
        distinct("hung onto a sparse matrix", *after(HUNG + "import scipy.sparse as sp", "sp.csr_matrix((2, 2))", "hung(sp.csr_matrix((2, 2)), note=1)", "hung(sp.csr_matrix((2, 2)), note=2)", "sp.lil_matrix((2, 2))", "sp.dok_matrix((2, 2))")),
        same("a frozen distribution and its pickle", *after("import scipy.stats as st\nfrom flowly_ckpt.targets import pickled", "st.norm(1)", "pickled.loads(pickled.dumps(st.norm(1)))")),
        same("a spline and its pickle", *after("import scipy.interpolate as si", "si.CubicSpline([1, 2, 3], [1, 2, 3])", "pickle.loads(pickle.dumps(si.CubicSpline([1, 2, 3], [1, 2, 3])))")),
        distinct("distributions", *after("import scipy.stats as st", "st.norm", "st.norm(1)", "st.norm(2)", "st.gamma(1)", "st.multivariate_normal([0, 1])", "st.Normal(mu=1) if hasattr(st, 'Normal') else 1")),
    ),
    *needing("sklearn", same("a bunch and its pickle", *after("from sklearn.utils import Bunch", "Bunch(a=1)", "pickle.loads(pickle.dumps(Bunch(a=1)))"))),
    *needing("torch",
        distinct("gradients", *after(TORCH, "net()", "learnt(net(), 1)", "learnt(net(), 2)", "t.clone().requires_grad_()", "hung(t.clone().requires_grad_(), grad=t)", "hung(t.clone().requires_grad_(), grad=t + 1)")),
        same("hooks are counted in each module", *after(TORCH, "net(2)", "net(2, before=3)", "copy.deepcopy(net(2))")),
        distinct("hooks", *after(TORCH, "net()", "net(1)", "net(2)")),
        same("storages", *after(TORCH, "t.untyped_storage()", "t.clone().untyped_storage()", "copy.deepcopy(t.untyped_storage())")),
        distinct("storages of torch", *after(TORCH, "t.untyped_storage()", "(t + 1).untyped_storage()", "t.storage()", "t.int().storage()", "torch.finfo(torch.float32)", "torch.finfo(torch.float64)", "torch.iinfo(torch.int8)")),
        distinct("wide unsigned numbers", *after(TORCH, *(f"torch.tensor({value}, dtype=torch.uint{bits})" for bits in (8, 16, 32, 64) for value in ("1", "[1]", "[[1, 2]]")))),
    ),
    *needing("pendulum",
        distinct("months, days and hours of pendulum", *after(LIBRARY, "pendulum.duration(months=1)", "pendulum.duration(days=30)", "pendulum.duration(hours=720)", "datetime.timedelta(30)", "pendulum.interval(pendulum.date(2020, 4, 1), pendulum.date(2020, 5, 1))")),
        same("a duration of pendulum that was used", *after(LIBRARY, "pendulum.duration(months=1, hours=5)", "used(pendulum.duration(months=1, hours=5), *(operator.attrgetter(name) for name in ('hours', 'minutes', 'remaining_seconds', 'invert', 'years')), str, hash)")),
    ),
    *needing("nltk", same("frequencies whose sum was asked for", *after(HUNG + "from nltk import FreqDist", "FreqDist('aab')", "used(FreqDist('aab'), FreqDist.N)", "pickle.loads(pickle.dumps(FreqDist('aab')))"))),
    *(same(f"used, copied and pickled: {value}", *after(LIBRARY, value, f"used({value}, str, repr, hash)", f"copy.copy({value})", f"copy.deepcopy({value})", f"pickle.loads(pickle.dumps({value}))"))
      for value in ("http.HTTPStatus.OK", "re.I | re.M", "np.float64(1)", "pd.Timestamp('2020', tz='UTC')", "pd.Timedelta(1, 'D')", "pd.NaT")),
    *(group for library, value in OF_LIBRARIES
      for group in needing(library, same(f"used, copied and pickled: {value}", *after(LIBRARY + f"import {library}", value, f"used({value}, str, repr)", f"copy.copy({value})", f"copy.deepcopy({value})", f"pickle.loads(pickle.dumps({value}))")))),
    *needing("pyrsistent", same("maps without an order", *after("from pyrsistent import pmap, pset", "[pmap({'a': 1, 'b': 2, 'c': 3}), pset('abc')]", "[pmap({'c': 3, 'b': 2, 'a': 1}), pset('cba')]"))),
    *needing("immutables", same("maps of immutables", *after("from immutables import Map", "Map(a=1, b=2, c=3)", "Map(c=3, b=2, a=1)"))),
    *needing("plotly", same("a figure and its pickle", *after("import plotly.graph_objects as go", "go.Figure(go.Scatter(x=[1], y=[2]))", "pickle.loads(pickle.dumps(go.Figure(go.Scatter(x=[1], y=[2]))))"))),
]
