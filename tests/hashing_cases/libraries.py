"""Values of libraries whose types have parameters, subclasses with state, and objects that change by being used."""

from __future__ import annotations

from .table import after, distinct, error, needing, same

DTYPES = (
    "np.dtype('i4,i4')", "np.dtype('i4,i1')", "np.dtype('i4,i1', align=True)", "np.dtype('i4', metadata={'a': 1})",
    "np.dtype({'names': ['f0', 'f1'], 'formats': ['i4', 'i4'], 'offsets': [0, 8]})",
    "np.dtype({'names': ['f0', 'f1'], 'formats': ['i4', 'i4'], 'offsets': [0, 8], 'itemsize': 20})",
    "np.dtype({'names': ['f0', 'f1'], 'formats': ['i4', 'i4'], 'titles': ['x', 'y']})",
    "np.dtype('i4', metadata={'a': 2})", "np.dtype('i4')", "np.dtype((np.record, 'i4,i4'))", "np.dtype('(2,)i4')",
    "np.dtype('V8')", "np.dtype([('f0', 'i4', (1,)), ('f1', 'i4')])", "np.dtype([('f0', 'i4'), ('f2', 'i4')])",
)  # fmt: skip
NAN = (("f2", "half"), ("f4", "single"), ("f8", "double"), ("g", "long double"), ("c8", "complex"), (">f8", "other end"))
SUBCLASSES = """
class Info(np.ndarray):
    pass
class Slots(np.ndarray):
    __slots__ = ("note",)
class Number(np.float64):
    pass
class Masked(np.ma.MaskedArray):
    pass
class Frame(pd.DataFrame):
    _metadata = ["name", "unit"]
    _constructor = property(lambda self: Frame)
class Series(pd.Series):
    _metadata = ["_name", "unit"]
    _constructor = property(lambda self: Series)
class Polars(pl.DataFrame):
    pass
class Map(np.memmap):
    pass
def with_note(obj, note, name="note"):
    setattr(obj, name, note)
    return obj
"""
ZONES = """
class Zone(datetime.tzinfo):
    def __init__(self, hours=0): self.hours = hours
    def utcoffset(self, moment): return datetime.timedelta(hours=self.hours)
    def dst(self, moment): return datetime.timedelta(0)
    def tzname(self, moment): return "Zone"
    def __repr__(self): return "Zone"
    __str__ = __repr__
"""
EACH_ZONE = (
    "datetime.timezone(datetime.timedelta(hours=1))", "datetime.timezone(datetime.timedelta(hours=1), 'X')",
    "zoneinfo.ZoneInfo('Europe/Rome')", "zoneinfo.ZoneInfo('Europe/Berlin')", "datetime.UTC", "Zone(1)", "Zone(2)",
)  # fmt: skip
EXTENSION = """
from pandas.api.extensions import ExtensionArray, ExtensionDtype
class Unit(ExtensionDtype):
    name = "unit"
    type = float
    def __init__(self, unit): self.unit = unit
    @classmethod
    def construct_array_type(cls): return Units
class Units(ExtensionArray):
    dtype = property(lambda self: self._dtype)
    nbytes = 0
    def __init__(self, values, unit): self.values, self._dtype = np.asarray(values, float), Unit(unit)
    def __len__(self): return len(self.values)
    def __getitem__(self, item):
        found = self.values[item]
        return found if np.isscalar(found) else Units(found, self._dtype.unit)
    def isna(self): return np.isnan(self.values)
    def copy(self): return Units(self.values.copy(), self._dtype.unit)
"""
OFFSETS = "from pandas.tseries.offsets import CustomBusinessDay as Days"
ARROW_TYPES = (
    "pa.struct([('a: int64, b', pa.int64())])", "pa.struct([('a', pa.int64()), ('b', pa.int64())])",
    "pa.struct([('a', pa.int64())])", "pa.struct([pa.field('a', pa.int64(), nullable=False)])",
    "pa.struct([pa.field('a', pa.int64(), metadata={'k': 'v'})])", "pa.list_(pa.int64())", "pa.list_(pa.int64(), 2)",
    "pa.large_list(pa.int64())", "pa.map_(pa.string(), pa.int64())", "pa.map_(pa.string(), pa.int64(), True)",
    "pa.dictionary(pa.int8(), pa.string())", "pa.dictionary(pa.int8(), pa.string(), True)", "pa.timestamp('s')",
    "pa.dictionary(pa.int16(), pa.string())", "pa.timestamp('s', 'UTC')", "pa.decimal128(5, 1)",
    "pa.decimal256(5, 1)", "pa.binary(3)", "pa.binary(4)", "pa.run_end_encoded(pa.int32(), pa.int64())",
    "pa.dense_union([pa.field('a', pa.int64())])", "pa.sparse_union([pa.field('a', pa.int64())])",
    "pa.sparse_union([pa.field('a', pa.int64())], [5])", "pa.list_view(pa.int64())", "pa.string_view()", "pa.uuid()",
    "pa.bool8()", "pa.month_day_nano_interval()", "pa.fixed_shape_tensor(pa.int32(), [2])",
    "pa.fixed_shape_tensor(pa.int32(), [3])", "pa.opaque(pa.int8(), 'a', 'b')", "pa.opaque(pa.int8(), 'a', 'c')",
)  # fmt: skip
MAPS = "M = pa.map_(pa.string(), pa.int64())\nE = pa.map_(pa.field('x', pa.string(), nullable=False), pa.field('x', pa.int64()))"
DICTIONARY = "D = pa.DictionaryArray.from_arrays\ndef d(codes, values): return D(pa.array(codes, pa.int8()), pa.array(values))"
UNION = """
def sparse(codes, *children): return pa.UnionArray.from_sparse(pa.array(codes, pa.int8()), list(map(pa.array, children)))
def dense(codes, places, *children):
    return pa.UnionArray.from_dense(pa.array(codes, pa.int8()), pa.array(places, pa.int32()), list(map(pa.array, children)))
"""
VIEWS = "V = pa.string_view()\nR = pa.RunEndEncodedArray.from_arrays\nL = pa.list_view(pa.int64())"
POLARS = ("pl.Int128", "pl.Int64", "pl.UInt8", "pl.Float32", "pl.Decimal(10, 1)", "pl.Decimal(10, 2)", "pl.UInt128")
ERRORS = """
class Mine(Exception):
    pass
def caused(error, cause):
    error.__cause__ = cause
    return error
"""
LINKED = """
class Node:
    __slots__ = ("value", "next")
    def __init__(self, value, next): self.value, self.next = value, next
def linked(*values):
    node = None
    for value in values: node = Node(value, node)
    return node
"""
CACHED = """
class Circle:
    def __init__(self, radius): self.radius = radius
    @functools.cached_property
    def area(self): return self.radius ** 2
def used(circle):
    circle.area
    return circle
"""
ANSWERS = """
class Meta(type):
    def __getattr__(cls, name): return lambda *args: 1
class Answering(metaclass=Meta):
    def __init__(self, value): self.value = value
"""
LAZY_SPARSE = """
import scipy.sparse as sp
class Sub(sp.csr_matrix): pass
def sub(note):
    made = Sub(np.eye(3))
    made.note = note
    return made
def used(matrix):
    matrix.has_sorted_indices, matrix.has_canonical_format, matrix @ matrix
    return matrix
"""
TORCH = """
import torch
t = torch.arange(6.)
class Sub(torch.Tensor): pass
def noted(tensor, note):
    tensor.note = note
    return tensor
def per_channel(*scales):
    return torch.quantize_per_channel(t.reshape(2, 3), torch.tensor(scales), torch.tensor([0, 0]), 0, torch.qint8)
def used(distribution):
    distribution.logits, distribution.sample()
    return distribution
"""

LABELLED = """
import xarray as xr
def ds(value=1, **attrs):
    return xr.Dataset({"a": (("x", "y"), np.full((2, 3), value))}, {"x": [1, 2], "t": ("y", pd.date_range("2020", periods=3))}, attrs)
def used(data):
    data.sum(), data.sel(x=1), repr(data), data.indexes, data.x.to_index(), data.nbytes
    return data
"""
STORED = """
import tempfile, zarr
def stored(value, **more):
    place = tempfile.mkdtemp() + "/z"
    made = zarr.create_array(place, data=np.full((5, 3), value), **more)
    return zarr.open_array(place)
def opened(value):
    import xarray as xr
    place = tempfile.mkdtemp() + "/z"
    xr.Dataset({"a": (("x", "y"), np.full((2, 3), value))}).to_zarr(place, consolidated=False)
    return xr.open_zarr(place, consolidated=False, chunks=None)
"""
GRAPHS = """
import networkx as nx
def used(graph):
    graph.nodes, graph.edges, graph.degree, graph.adj, nx.shortest_path(graph, 0, 1), nx.to_dict_of_dicts(graph)
    return graph
"""
MODELS = """
from sklearn.feature_extraction.text import CountVectorizer, TfidfVectorizer
from sklearn.neighbors import BallTree, KDTree, KNeighborsClassifier
from sklearn.linear_model import LogisticRegression
from scipy.spatial import KDTree as Tree
X, y = np.random.default_rng(0).random((50, 3)), np.arange(50) % 2
def used(model, name, *args):
    getattr(model, name)(*args)
    return model
"""

CASES = [
    distinct("structure of dtypes", *DTYPES),
    distinct("arrays by the structure of their dtype", *(f"np.zeros(2, {dtype})" for dtype in DTYPES)),
    distinct("long doubles from the other end", *(f"np.array([{v}], '>g')" for v in ("1", "np.nextafter(np.longdouble(1), 2)", "-1", "2")), "np.array([1], 'g')"),
    *(same(f"each NaN is one: {name}", f"np.array([np.nan, 0], '{kind}')", f"(np.copysign(np.array([np.nan, 0], '{kind}'), -1) + 0).astype('{kind}')" if kind[0] != "c" else f"(-np.array([np.nan, 0], '{kind}') + 0)") for kind, name in NAN),
    same("each NaN is one: scalars", "np.float64(np.nan)", "np.copysign(np.float64(np.nan), -1)"),
    same("each NaN is one: columns", "pd.Series([np.nan])", "pd.Series([np.copysign(np.nan, -1)])"),
    same("each NaN is one: arrow", "pa.array([np.nan])", "pa.array([np.copysign(np.nan, -1)])"),
    same("each NaN is one: polars", "pl.Series([np.nan])", "pl.Series([np.copysign(np.nan, -1)])"),
    distinct(
        "subclasses with state", *after(SUBCLASSES, "np.zeros(2)", "np.zeros(2).view(Info)", "with_note(np.zeros(2).view(Info), 1)", "with_note(np.zeros(2).view(Info), 2)",
        "with_note(np.zeros(2).view(Slots), 1)", "with_note(np.zeros(2).view(Slots), 2)", "np.float64(1)", "Number(1)", "with_note(Number(1), 1)", "with_note(Number(1), 2)",
        "np.ma.array([1, 2], mask=[0, 1])", "np.ma.array([1, 2], mask=[0, 1]).view(Masked)", "with_note(np.ma.array([1, 2], mask=[0, 1]).view(Masked), 1)", "np.ma.array([1, 2], mask=[0, 1], fill_value=5)",
        "np.ma.array([1, 2], mask=[0, 1], hard_mask=True)", "pd.DataFrame({'a': [1]})", "Frame({'a': [1]})", "with_note(Frame({'a': [1]}), 'x', 'name')", "with_note(Frame({'a': [1]}), 'y', 'name')",
        "with_note(Frame({'a': [1]}), 'y', 'unit')", "Series([1])", "Series([1], name='x')", "with_note(Series([1]), 'x', 'unit')", "pd.Series([1])", "pl.DataFrame({'a': [1]})", "Polars({'a': [1]})",
        "with_note(Polars({'a': [1]}), 1)", "with_note(Polars({'a': [1]}), 2)"),
    ),
    same("a subclass and its copies", *after(SUBCLASSES, "with_note(np.zeros(2).view(Info), 1)", "with_note(np.zeros(4)[::2].view(Info), 1)")),
    same("a pickled subclass of a frame", *after(SUBCLASSES, "with_note(Frame({'a': [1]}), 'y', 'unit')", "pickle.loads(pickle.dumps(with_note(Frame({'a': [1]}), 'y', 'unit')))")),
    distinct("time zones of columns", *after(ZONES, *(f"pd.Series(pd.date_range('2020', periods=2, tz={zone}))" for zone in EACH_ZONE), *(f"pd.DatetimeTZDtype('ns', {zone})" for zone in EACH_ZONE))),
    same("a time zone of one's own", *after(ZONES, "pd.Series(pd.date_range('2020', periods=2, tz=Zone(1)))", "pd.Series(pd.date_range('2020', periods=3, tz=Zone(1)))[:2]")),
    distinct("extension dtypes", *after(EXTENSION, "Unit(1)", "Unit(2)", "Units([1], 1)", "Units([1], 2)", "Units([2], 2)", "pd.Series(Units([1.], 1))", "pd.Series(Units([1.], 2))")),
    same("an extension dtype with an address", *after(EXTENSION + "Unit.__repr__ = object.__repr__", "Units([1], 1)", "Units([1, 2], 1)[:1]")),
    distinct("parameters of dtypes", "pd.StringDtype('python')", "pd.StringDtype('pyarrow')", "pd.StringDtype('python', na_value=np.nan)", "pd.StringDtype('pyarrow', na_value=np.nan)", "pd.SparseDtype('f8', 0)", "pd.SparseDtype('f8')",
             "pd.SparseDtype('f8', 1)", "pd.IntervalDtype('i8', 'left')", "pd.IntervalDtype('i8', 'right')", "pd.IntervalDtype('f8', 'right')", "pd.PeriodDtype('D')", "pd.PeriodDtype('2D')", "pd.Int64Dtype()", "pd.ArrowDtype(pa.int64())",
             "pd.ArrowDtype(pa.struct([('a: int64, b', pa.int64())]))", "pd.ArrowDtype(pa.struct([('a', pa.int64()), ('b', pa.int64())]))", "pd.CategoricalDtype(['a'])", "pd.CategoricalDtype()"),
    distinct("frequencies", *after(OFFSETS, *(f"pd.date_range('2020-01-06', periods=3, freq={freq})" for freq in ("'D'", "Days()", "Days(holidays=['2020-12-24'])", "Days(holidays=['2020-12-25'])", "Days(weekmask='Mon Tue Wed')")))),
    same("a frequency pickled", *after(OFFSETS, "pd.date_range('2020-01-06', periods=3, freq=Days(holidays=['2020-12-24']))", "pickle.loads(pickle.dumps(pd.date_range('2020-01-06', periods=3, freq=Days(holidays=['2020-12-24']))))")),
    distinct("groups and windows", *(f"pd.DataFrame({{'a': [1, 2]}}).{call}" for call in ("groupby('a')", "groupby('a', sort=False)", "groupby([0, 1])", "groupby(level=0)", "rolling(1)", "rolling(2)", "rolling(2, center=True)", "expanding()", "ewm(1)", "ewm(2)"))),
    same("groups once used", "pd.DataFrame({'a': [1, 2]}).groupby('a')", "(lambda g: (g.sum(), g.groups, len(g), g.ngroups, g.indices, list(g), g)[-1])(pd.DataFrame({'a': [1, 2]}).groupby('a'))"),
    same("a window once used", "pd.DataFrame({'a': [1, 2]}).rolling(2)", "(lambda g: (g.sum(), g.mean(), g)[-1])(pd.DataFrame({'a': [1, 2]}).rolling(2))"),
    distinct("arrow types", *ARROW_TYPES, *(f"pa.nulls(2, {kind})" for kind in ARROW_TYPES)),
    same("maps", *after(MAPS, "pa.array([[('a', 1)], None, [('b', 2), ('c', 3)]], M)", "pa.array([[('z', 1)], [('a', 1)], None, [('b', 2), ('c', 3)]], M).slice(1)", "pa.chunked_array([pa.array([[('a', 1)], None], M), pa.array([[('b', 2), ('c', 3)]], M)])",
                        "pa.MapArray.from_arrays(pa.array([0, 1, 2, 4], pa.int32()), pa.array(['a', 'q', 'b', 'c']), pa.array([1, 9, 2, 3]), mask=pa.array([False, True, False]))")),
    distinct("pairs of maps", *after(MAPS, *(f"pa.array({value}, M)" for value in ("[[('a', 1)]]", "[[('a', 2)]]", "[[('a', 1), ('a', 1)]]", "[[('a', 1)], []]", "[[], [('a', 1)]]", "[[('a', 1)], None]")), "pa.array([[('a', 1)]], E)", "pa.array([[('a', 2)]], E)", "pa.array([[('a', 1)]], E)[0]", "pa.array([[('a', 2)]], E)[0]")),
    same("dictionaries", *after(DICTIONARY, "d([0, 1, None, 0], ['a', 'b'])", "d([1, 0, None, 1], ['b', 'a'])", "d([1, 0, None, 2], ['b', 'a', 'a'])", "d([1, 0, 2, 1], ['b', 'a', None])", "pa.chunked_array([d([0], ['a']), d([0, None, 1], ['b', 'a'])])", "d([1, 1, 0, None, 1], ['b', 'a']).slice(1)")),
    distinct("values of dictionaries", *after(DICTIONARY, "d([0, 1, None, 0], ['a', 'b'])", "d([0, 1, None, 0], ['b', 'a'])", "d([0, 1, 0, 0], ['a', 'b'])", "d([0, 1, 0, 0], [1, 2])", "d([None], ['a'])", "d([], ['a'])")),
    same("dense unions", *after(UNION, "dense([0, 1], [0, 0], [1], ['y'])", "dense([0, 1], [1, 0], [5, 1], ['y'])")),
    same("sparse unions", *after(UNION, "sparse([0, 1], [1, 2], ['x', 'y'])", "sparse([0, 1], [1, 7], ['z', 'y'])")),
    distinct("unions", *after(UNION, "sparse([0, 1], [1, 2], ['x', 'y'])", "dense([0, 1], [0, 0], [1], ['y'])", "sparse([1, 0], [1, 2], ['x', 'y'])", "sparse([0, 1], [1, 2], ['x', 'y'])[0]", "sparse([0, 1], [1, 2], ['x', 'y'])[1]")),
    same("runs", *after(VIEWS, "R([2, 4], [1, 2])", "R([1, 2, 4], [1, 1, 2])")),
    same("views of texts", *after(VIEWS, "pa.array(['a' * 100, None, 'b'], V)", "pa.array(['x', 'a' * 100, None, 'b'], V).slice(1)", "pa.chunked_array([pa.array(['a' * 100], V), pa.array([None, 'b'], V)])")),
    distinct("texts in views", *after(VIEWS, "pa.array(['a' * 100, None, 'b'], V)", "pa.array(['a' * 100, '', 'b'], V)", "pa.array(['a' * 100, None, 'b'])", "pa.array(['a' * 100, None, 'b'], pa.binary_view())")),
    same("views of lists", *after(VIEWS, "pa.array([[1], None, [2, 3]], L)", "pa.array([[0], [1], None, [2, 3]], L).slice(1)")),
    distinct("decimals and bytes with nulls", "pa.array([decimal.Decimal('1.1'), None])", "pa.array([decimal.Decimal('1.2'), None])", "pa.array([None, decimal.Decimal('1.2')])", "pa.array([b'ab', None], pa.binary(2))", "pa.array([b'ac', None], pa.binary(2))", "pa.array([b'ac', b'\\0\\0'], pa.binary(2))"),
    distinct("arrow scalars", "pa.scalar(1)", "pa.scalar(2)", "pa.scalar(None)", "pa.scalar(1, pa.int8())", "pa.scalar([1])", "pa.scalar({'a': 1})", "pa.scalar(True)", "pa.array(['a'], pa.string_view())[0]"),
    distinct("types of polars", "pl.Int64", "pl.Int64()", "pl.Struct({'a': pl.Int64})", "pl.Struct({'a': pl.Int32})", "pl.Enum(['a'])", "pl.Enum(['b'])", "pl.Schema({'a': pl.Int64})", "pl.Schema({'a': pl.Int32})"),
    distinct("columns of polars", *(f"pl.Series([1, 2], dtype={kind})" for kind in POLARS), "pl.Series([1, 3], dtype=pl.Int128)", "pl.Series([1, None], dtype=pl.Int128)", "pl.Series(['a'], dtype=pl.Enum(['a', 'b']))", "pl.Series(['a'], dtype=pl.Enum(['a', 'c']))", "pl.Series(['a'], dtype=pl.Categorical)",
             "pl.Series([[1, 2]])", "pl.Series([[1, 2]], dtype=pl.Array(pl.Int64, 2))", "pl.Series([datetime.datetime(2020, 1, 1)])", "pl.Series([datetime.datetime(2020, 1, 1)], dtype=pl.Datetime('ms'))", "pl.Series([{'a': 1}], dtype=pl.Struct({'a': pl.Int128}))", "pl.Series([[1]], dtype=pl.List(pl.Int128))"),
    distinct("causes of exceptions", *after(ERRORS, *(f"caused(Mine('a'), {cause})" for cause in ("None", "ValueError()", "ValueError(1)", "KeyError()")), "ExceptionGroup('a', [Mine('a')])", "ExceptionGroup('a', [caused(Mine('a'), ValueError())])")),
    distinct("answers of a metaclass", *after(ANSWERS, "Answering(1)", "Answering(2)")),
    same("a property once used", *after(CACHED, "Circle(2)", "used(Circle(2))")),
    distinct("long chains", *after(LINKED, "linked(*range(10_000))", "linked(1, *range(1, 10_000))")),
    *needing("scipy",
        distinct("sparse matrices", *after(LAZY_SPARSE, "sp.csr_matrix(np.eye(3))", "sub(1)", "sub(2)", "sp.csc_matrix(np.eye(3))", "sp.csr_array(np.eye(3))", "sp.coo_array(np.eye(3))", "sp.dok_array(np.eye(3))", "sp.lil_array(np.eye(3))", "sp.dia_array(np.eye(3))", "sp.bsr_array(np.eye(4), blocksize=(2, 2))")),
        same("a sparse matrix once used", *after(LAZY_SPARSE, "sub(1)", "used(sub(1))")),
    ),
    *needing("torch",
        same("tensors of one value", *after(TORCH, "torch.arange(6.)[3:4]", "torch.tensor([3.])", "torch.arange(6.)[3::7]")),
        same("each NaN is one: tensors", *after(TORCH, "torch.tensor([np.nan], dtype=torch.float32)", "torch.tensor([np.copysign(np.nan, -1)], dtype=torch.float32)")),
        same("each NaN is one: brain floats", *after(TORCH, "torch.tensor([np.nan]).bfloat16()", "torch.tensor([np.copysign(np.nan, -1)]).bfloat16()")),
        distinct("tensors", *after(TORCH, "t", "noted(t.clone().as_subclass(Sub), 1)", "noted(t.clone().as_subclass(Sub), 2)", "noted(t.clone(), 1)", "t.bfloat16()", "t.half()", "torch.zeros(6, device='meta')", "torch.zeros(6, 3, device='meta')", "torch.zeros(6)",
                 "t.to(torch.complex64)", "torch.conj(t.to(torch.complex64) * 1j)", "t.to(torch.complex64) * 1j", "t.to(torch.float8_e4m3fn)", "torch.nn.Parameter(t)", "t.reshape(2, 3).to_sparse()", "t.reshape(2, 3).to_sparse_csr()",
                 "t.reshape(2, 3).to_sparse_csc()", "t.reshape(2, 3)", "torch.nested.nested_tensor([t, t[:2]])", "torch.nested.nested_tensor([t, t[:3]])")),
        distinct("quantised tensors", *after(TORCH, "torch.quantize_per_tensor(t, .1, 0, torch.quint8)", "torch.quantize_per_tensor(t, .2, 0, torch.quint8)", "torch.quantize_per_tensor(t, .1, 1, torch.quint8)", "per_channel(.1, .1)", "per_channel(.1, .2)")),
        same("a distribution once used", *after(TORCH, "torch.distributions.Categorical(torch.ones(2))", "used(torch.distributions.Categorical(torch.ones(2)))")),
    ),
    *needing("xarray",
        same("a dataset once used", *after(LABELLED, "ds()", "used(ds())", "pickle.loads(pickle.dumps(used(ds())))")),
        same("labelled arrays once used", *after(LABELLED, "ds().a", "used(ds().a)", "pickle.loads(pickle.dumps(ds().a))")),
        distinct("labelled arrays", *after(LABELLED, "ds()", "ds(2)", "ds(k=1)", "ds().a", "ds().a.variable", "ds().rename(a='b')", "ds().assign_coords(x=[1, 3])", "ds().a.rename('q')", "ds().drop_indexes('x')", "ds().drop_vars('t')")),
    ),
    *needing("zarr",
        same("arrays that are stored", *after(STORED, "stored(1)", "stored(1)", "stored(1, chunks=(2, 2))")),
        distinct("content that is stored", *after(STORED, "stored(1)", "stored(2)", "stored(1.)", "opened(1)", "opened(2)")),
        same("a dataset that is stored", *after(STORED, "opened(1)", "opened(1)", "opened(1).load()")),
    ),
    *needing("networkx",
        same("a graph once used", *after(GRAPHS, "nx.path_graph(4)", "used(nx.path_graph(4))", "pickle.loads(pickle.dumps(used(nx.path_graph(4))))", "nx.path_graph(4).copy()")),
        same("views of a graph", *after(GRAPHS, "nx.path_graph(4).edges", "used(nx.path_graph(4)).edges", "pickle.loads(pickle.dumps(nx.path_graph(4).edges))")),
        distinct("graphs", *after(GRAPHS, "nx.path_graph(4)", "nx.path_graph(3)", "nx.DiGraph([(0, 1)])", "nx.Graph([(0, 1)])", "nx.Graph([(0, 1, {'w': 1})])", "nx.MultiGraph([(0, 1)])", "nx.path_graph(4).edges", "nx.path_graph(4).nodes", "nx.path_graph(4).degree")),
    ),
    *needing("sklearn",
        same("trees of neighbours once asked", *after(MODELS, "KDTree(X)", "used(KDTree(X), 'query', X, 2)", "pickle.loads(pickle.dumps(KDTree(X)))")),
        same("a classifier once asked", *after(MODELS, "KNeighborsClassifier().fit(X, y)", "used(KNeighborsClassifier().fit(X, y), 'predict', X)", "pickle.loads(pickle.dumps(KNeighborsClassifier().fit(X, y)))")),
        same("counted words", *after(MODELS, "TfidfVectorizer(stop_words='english').fit(['a bc', 'bc de'])", "used(TfidfVectorizer(stop_words='english').fit(['a bc', 'bc de']), 'transform', ['bc'])")),
        same("a tree of scipy", *after(MODELS, "Tree(X)", "used(Tree(X), 'query', X)", "pickle.loads(pickle.dumps(Tree(X)))")),
        distinct("models", *after(MODELS, "KDTree(X)", "KDTree(-X)", "BallTree(X)", "Tree(X)", "Tree(-X)", "CountVectorizer().fit(['a bc'])", "CountVectorizer().fit(['a bd'])", "LogisticRegression().fit(X, y)", "LogisticRegression().fit(X, 1 - y)", "LogisticRegression(C=2)")),
    ),
    *needing("sympy",
        distinct("symbols", "import sympy\nf = sympy.Function('f')", "import sympy\nf = sympy.Function('g')", "import sympy\nf = sympy.Function('f', real=True)", "import sympy\nf = sympy.Function('f')(sympy.Symbol('x'))", "import sympy\nf = sympy.Symbol('x')", "import sympy\nf = sympy.Symbol('x', real=True)"),
        error("a symbol unlike any other", "import sympy\nf = [sympy.Dummy('x')]", "[0]", "Symbol"),
    ),
    *needing("dask",
        same("a collection once used", "import dask.array as da\nf = da.ones((4, 4), chunks=2)", "import dask.array as da\nf = da.ones((4, 4), chunks=2)\nf.sum().compute(scheduler='sync'); f.dask; repr(f)"),
    ),
    error("a handle: shelve", "import shelve, tempfile\nf = [shelve.open(tempfile.mkdtemp() + '/a')]", "[0]", "place"),
    error("a handle: dumb dbm", "import dbm.dumb, tempfile\nf = [dbm.dumb.open(tempfile.mkdtemp() + '/a')]", "[0]", "place"),
    error("a plan that reads a file", "import polars as pl\nf = [pl.scan_csv('x.csv', schema={'a': pl.Int64})]", "[0]", "collect"),
    error("a data set in files", "import pyarrow.dataset as ds, tempfile\nf = [ds.dataset(tempfile.mkdtemp())]", "[0]", "place"),
    *(error(f"what raises: {name}", f"class Raises:\n    def {method}(self, *a): {body}\nf = [1, {{'a': Raises()}}]", "[1] → ['a']", "Raises") for name, method, body in (
        ("reduction", "__reduce__", "raise KeyError(1)"), ("no reduction", "__reduce__", "return 5"), ("an empty reduction", "__reduce__", "return ()"), ("state", "__getstate__", "raise OSError('x')"),
        ("hash", "__flowly_hash__", "return 1 / 0"), ("hash without end", "__flowly_hash__", "raise RecursionError"), ("a reduction without end", "__reduce__", "raise RecursionError"),
    )),
]
