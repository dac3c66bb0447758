"""The tree codec: values come back with their types, nothing of theirs is ever code, and what has no form says so."""

import collections
import datetime as dt
import decimal
import enum
import fractions
import json
import math
import pathlib
import pickle
import sys
import uuid
from dataclasses import dataclass, field
from typing import NamedTuple
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st
from runs import library

from flowly_ckpt.errors import StoreWarning
from flowly_ckpt.targets import DiskTarget, FileTarget, compressed, tree
from flowly_ckpt.targets.budget import Budget
from flowly_ckpt.targets.codecs.frames import framed
from flowly_ckpt.targets.codecs.tree import Reader, Row, Writer
from flowly_ckpt.targets.damage import DamagedError

np, pd, pl, pa = library("numpy"), library("pandas"), library("polars"), library("pyarrow")


@tree.register
class Color(enum.Enum):
    RED = 1
    BLUE = "b"


@tree.register
class Point(NamedTuple):
    x: int
    y: object


@tree.register
@dataclass
class Sample:
    name: str
    values: list
    extra: dict = field(default_factory=dict)


@tree.register
@dataclass(frozen=True, slots=True)
class Frozen:
    a: int


class Own:
    def __init__(self, value):
        self.value = value

    def __eq__(self, other):
        return type(other) is Own and other.value == self.value

    __hash__ = None


tree.register(Own, lambda own: {"value": own.value}, lambda plain: Own(plain["value"]))

VALUES = [
    None, True, False, 0, -5, 1 << 64, -(1 << 5000), 0.1, -0.0, 1e300, math.inf, -math.inf, "", "text",
    "lone \udc80", "!#pickle#!/etc/passwd", '{"tuple": [1]}', b"", b"abc", b"x" * 5_000, bytearray(b"y" * 500),
    [], [1, [2, [3]]], (), (1, (2,)), set(), {1, "a", (2, 3)}, frozenset({frozenset({1})}),
    {}, {"tuple": [1]}, {"map": 1, "dict": 2}, {1: 2, "1": 3, (1, 2): [4], None: 5, b"k": 6, 1.5: 7, frozenset({1}): 8},
    1j, complex(math.inf, -0.0), range(1, 10, 2), ...,
    dt.datetime(2020, 1, 2, 3, 4, 5, 6), dt.datetime(2020, 1, 2, tzinfo=dt.UTC),
    dt.datetime(2020, 10, 25, 2, 30, fold=1),
    dt.datetime(2020, 1, 2, tzinfo=dt.timezone(dt.timedelta(hours=-5, minutes=-30))),
    dt.datetime(2020, 1, 2, tzinfo=dt.timezone(dt.timedelta(hours=1), "CET")),
    dt.datetime(2020, 10, 25, 2, 30, fold=1, tzinfo=ZoneInfo("Europe/Berlin")),
    dt.date(1, 1, 1), dt.time(23, 59, 59, 999999), dt.timedelta(-1, 5, 7), dt.UTC,
    decimal.Decimal("1.00"), decimal.Decimal("-0E+5"), fractions.Fraction(-1, 3), uuid.UUID(int=5),
    pathlib.Path("a/../b"), pathlib.PureWindowsPath("C:\\x"), pathlib.PurePosixPath("/x"),
    collections.OrderedDict(b=1, a=[2]), collections.Counter("aab"), collections.deque([1, 2], maxlen=3),
    Color.RED, [Color.BLUE], Point(1, [2]), Sample("a", [1, (2,)], {"k": Color.RED}), Frozen(3), Own([Own(1)]),
]  # fmt: skip
VALUES += [
    np.float64(1.5), np.int8(-3), np.bool_(True), np.datetime64("2020-01-02", "D"), np.str_("é"), np.complex64(1j),
    np.dtype("<f4"), np.dtype([("a", "i4"), ("b", "f8")]), [np.dtype("M8[ns]")],
    pd.Timestamp("2020-01-02", tz="Europe/Berlin"), pd.Timestamp(5), pd.Timedelta(7), pd.NaT, pd.NA,
] if np and pd else []  # fmt: skip

ARRAYS = [
    np.arange(5), np.zeros((0, 3)), np.zeros((3, 0), order="F"), np.array(7.5), np.arange(6.0).reshape(2, 3).T,
    np.arange(20)[::2], np.arange(4, dtype=">i2"), np.array(["a", "bcd"]), np.array([b"a", b"bcd"]),
    np.array(["2020-01-01", "NaT"], dtype="M8[s]"), np.ones(3, dtype=[("a", "i4"), ("b", "f8", (2,))]),
    np.array([None, 1, "x", [2], (3,)], dtype=object).reshape(5, 1), np.array([True, False]), np.array([1 + 2j]),
    np.array([], dtype=object),
] if np else []  # fmt: skip


@pytest.mark.parametrize("value", VALUES, ids=lambda value: type(value).__name__)
def test_values_come_back_with_their_types(value):
    back = tree.loads(tree.dumps(value))
    assert type(back) is type(value)
    assert back is value or back == value or repr(back) == repr(value)
    assert repr(back) == repr(value) or isinstance(value, set | frozenset | Own)
    if isinstance(value, dt.datetime):
        assert (back.fold, back.tzinfo) == (value.fold, value.tzinfo)
    assert _kinds(back) == _kinds(value)


def _kinds(value):
    if type(value) in (list, tuple):
        return (type(value), [_kinds(item) for item in value])
    if type(value) is dict:
        return [(_kinds(key), _kinds(item)) for key, item in value.items()]
    return type(value)


def test_nan_comes_back():
    assert math.isnan(tree.loads(tree.dumps([math.nan]))[0])
    assert np.isnan(tree.loads(tree.dumps(np.float32("nan"))))


@pytest.mark.parametrize("array", ARRAYS, ids=lambda array: f"{array.dtype}{array.shape}")
def test_arrays_come_back(array):
    for data in (tree.dumps(array), bytearray(tree.dumps(array))):
        back = tree.loads(data)
        assert (back.dtype, back.shape, repr(back)) == (array.dtype, array.shape, repr(array))
        assert back.flags.writeable
        assert back.flags.f_contiguous == array.flags.f_contiguous or not array.flags.forc
    (nested,) = tree.loads(tree.dumps({"a": [array]})).values()
    assert repr(nested[0]) == repr(array)


FRAMES = {
    "plain": lambda: pd.DataFrame({"a": [1, 2], "b": [0.5, np.nan]}),
    "strings": lambda: pd.DataFrame({"s": ["x", None, "é"]}),
    "objects": lambda: pd.DataFrame({"o": pd.Series(["x", None, 1, np.nan, [2]], dtype=object), "n": range(5)}),
    "empty": lambda: pd.DataFrame(),
    "no rows": lambda: pd.DataFrame({"a": np.zeros(0), "b": pd.Series([], dtype=object)}),
    "no columns": lambda: pd.DataFrame(index=[1, 5, 7]),
    "dates": lambda: pd.DataFrame({"d": pd.date_range("2020", periods=2, tz="Asia/Tokyo"), "t": pd.to_timedelta(2)}),
    "date index": lambda: pd.DataFrame({"v": range(3)}, index=pd.date_range("2020", periods=3, freq="D", name="when")),
    "categories": lambda: pd.DataFrame({"c": pd.Categorical(["b", "a", None], ["b", "a", "z"], ordered=True)}),
    "nullable": lambda: pd.DataFrame({"i": pd.array([1, None], "Int64"), "b": pd.array([True, None], "boolean")}),
    "odd columns": lambda: pd.DataFrame([[1, 2.0, "x"]], columns=pd.Index([("a", 1), "a", 5], dtype=object)),
    "double columns": lambda: pd.DataFrame([[1, 2.5]], columns=["a", "a"]),
    "levels": lambda: pd.DataFrame(
        np.arange(4.0).reshape(2, 2),
        index=pd.MultiIndex.from_tuples([("x", 1), ("y", 2)], names=["k", None]),
        columns=pd.MultiIndex.from_tuples([("a", "b"), ("a", "c")]),
    ),
    "named": lambda: pd.DataFrame({"a": [1]}, index=pd.RangeIndex(5, 6, name="n")).rename_axis(columns="cols"),
    "periods": lambda: pd.DataFrame({"p": pd.period_range("2020", periods=2, freq="M")}),
    "arrow": lambda: pd.DataFrame({"a": pd.array([1, None], dtype="int64[pyarrow]")}),
    "sliced": lambda: pd.DataFrame({"a": range(10), "s": list("abcdefghij")})[3:6],
}  # fmt: skip


@pytest.mark.parametrize("name", FRAMES)
def test_frames_come_back(name):
    frame = FRAMES[name]()
    frame.attrs["source"] = "here"
    back = tree.loads(tree.dumps(frame))
    pd.testing.assert_frame_equal(back, frame, check_freq=True)
    assert back.attrs == frame.attrs
    assert type(back.index) is type(frame.index)
    for column in range(frame.shape[1]):
        pd.testing.assert_series_equal(tree.loads(tree.dumps(frame.iloc[:, column])), frame.iloc[:, column])
    pd.testing.assert_index_equal(tree.loads(tree.dumps(frame.index)), frame.index)


def test_objects_in_frames_keep_their_types():
    back = tree.loads(tree.dumps(FRAMES["objects"]()))["o"].tolist()
    assert back[0] == "x"
    assert back[1] is None
    assert type(back[2]) is int
    assert math.isnan(back[3])
    assert back[4] == [2]


def test_tables_of_others_come_back():
    frame = pl.DataFrame({"a": [1, 2, None], "s": ["x", "y", None], "l": [[1], [], None]})
    assert tree.loads(tree.dumps([frame]))[0].equals(frame)
    assert tree.loads(tree.dumps(frame["s"])).equals(frame["s"])
    table = pa.table({"a": [1, 2], "b": pa.array([{"x": 1}, None])}).replace_schema_metadata({"k": "v"})
    back = tree.loads(tree.dumps({"t": table}))["t"]
    assert back.equals(table, check_metadata=True)


# what has no form


class Unknown:
    pass


class Listy(list):
    pass


@pytest.mark.parametrize(
    ("value", "way"),
    [
        (Unknown(), "test_codecs_tree.Unknown, at value;"),
        ({"a": [1, (Unknown(),)]}, r"at value\['a'\]\[1\]\[0\]"),
        ([Listy()], r"Listy, at value\[0\]"),
        (lambda: 1, "function"),
        ({Unknown: 1}, r"at value.keys\(\)"),
        (collections.defaultdict(list), "defaultdict"),
        (Own(Unknown()), "Unknown"),
    ]
    + ([(np.rec.array([(1,)], dtype=[("a", "i4")]), "recarray"), (np.ma.array([1]), "MaskedArray")] if np else []),
)
def test_an_unknown_type_is_a_clear_error(value, way):
    with pytest.raises(TypeError, match=way):
        tree.dumps(value)


def test_a_value_that_contains_itself_is_a_clear_error():
    value = [1]
    value.append({"again": value})
    with pytest.raises(TypeError, match=r"contains itself, at value\[1\]\['again'\]"):
        tree.dumps(value)


def test_what_is_shared_is_written_once_and_comes_back_as_one():
    value = [1]
    for _ in range(100):
        value = [value, (value, {"a": value})]
    back = tree.loads(tree.dumps(value))
    assert len(tree.dumps(value)) < 10_000
    for _ in range(100):
        assert back[0] is back[1][0] is back[1][1]["a"]
        back = back[0]
    assert back == [1]
    data = b"x" * 1_000_000
    assert len(tree.dumps([data] * 1000)) < 1_100_000
    key = (1, (2, 3))
    assert tree.loads(tree.dumps([key, {key: key}, {key}, key])) == [key, {key: key}, {key}, key]


def test_what_was_written_in_vain_is_not_referred_to():
    rest = Row("rest", lambda value, to: type(value).__name__, lambda plain, of: plain)
    inner = [1]
    breaks = Row("breaks", lambda value, to: [to.write([inner]), len(None)], None)
    writer = Writer(lambda pieces: 0, {KeyError: breaks}, rest)
    refs = [{"rest": "KeyError"}, {"ref": 0}, {"ref": 0}]
    assert writer.write([KeyError(), inner, inner]) == {"shared": [[[1]], refs]}


BOMBS = {
    "a range as the items of a tuple": '{"tuple": {"range": [0, 100000000, 1]}}',
    "a range as the items of a set": '{"set": {"range": [0, 100000000, 1]}}',
    "a range as the items of a deque": '{"collections.deque": [null, {"range": [0, 100000000, 1]}]}',
    "a reference to itself": '{"shared": [[[{"ref": 0}]], {"ref": 0}]}',
    "a reference in a key": '{"shared": [[{"tuple": [1, 2]}], {"dict": [[{"ref": 0}, 1]]}]}',
    "a reference to nothing": '{"shared": [[], {"ref": 0}]}',
    "a reference without a table": '{"ref": 0}',
    "a table in a table": '{"shared": [[{"shared": [[1], {"ref": 0}]}], {"ref": 0}]}',
    "keys of equal hash": json.dumps({"dict": [[n * sys.hash_info.modulus, 0] for n in range(30_000)]}),
    "items of equal hash": json.dumps({"set": [n * sys.hash_info.modulus for n in range(30_000)]}),
}


@pytest.mark.parametrize("name", BOMBS)
def test_what_would_take_more_than_is_stored_is_refused(name):
    with pytest.raises(DamagedError):
        tree.loads(BOMBS[name].encode())


def test_a_part_is_read_once():
    def named(times):
        return b"".join(framed(b"FLOWTREE", json.dumps([{"bytes": 0}] * times).encode(), [[b"x" * 10_000]]))

    assert tree.loads(named(1)) == [b"x" * 10_000]
    with pytest.raises(DamagedError, match="part 0 takes 10000 bytes"):
        tree.loads(named(2))


@pytest.mark.parametrize("dtype", ["S0", "U0", "V0"])
def test_items_without_bytes_are_counted(dtype):
    array = np.ndarray((3,), dtype, bytearray())
    back = tree.loads(tree.dumps(array))
    assert (back.shape, back.dtype) == (array.shape, array.dtype)
    with pytest.raises(DamagedError, match="items without bytes"):
        tree.loads(tree.dumps(np.ndarray((10**12,), dtype, bytearray())))


def test_columns_of_nulls_are_counted():
    whole = tree.dumps(pa.table({"a": pa.nulls(123_457)}))
    assert tree.loads(whole).num_rows == 123_457
    with pytest.raises(DamagedError, match="steps"):
        tree.loads(whole.replace((123_457).to_bytes(8, "little"), (10**12).to_bytes(8, "little")))


def test_a_table_that_is_compressed_is_refused():
    sink, table = pa.BufferOutputStream(), pa.table({"a": pa.array([0] * 1_000_000)})
    with pa.ipc.new_stream(sink, table.schema, options=pa.ipc.IpcWriteOptions(compression="zstd")) as stream:
        stream.write_table(table)
    with pytest.raises(DamagedError, match="compressed"):
        tree.loads(b"".join(framed(b"FLOWTREE", b'{"pyarrow.Table":0}', [[sink.getvalue()]])))


def test_a_column_of_lists_of_one_length_comes_back():
    frame = pd.DataFrame({"o": pd.Series([[1, 2], [3, 4]], dtype=object)})
    pd.testing.assert_frame_equal(tree.loads(tree.dumps(frame)), frame)


def test_register_says_what_it_needs():
    with pytest.raises(TypeError, match=r"give tree\.register encode and decode"):
        tree.register(Unknown)
    with pytest.raises(ValueError, match="already belongs to Point"):
        tree.register(Unknown, vars, vars, name=f"{Point.__module__}:Point")
    assert tree.register(Point) is Point


def test_what_cannot_be_written_goes_to_the_row_given_for_it():
    rest = Row("rest", lambda value, to: type(value).__name__, lambda plain, of: plain)
    writer = Writer(lambda pieces: 0, {uuid.UUID: Row("own", lambda value, to: value.int, None)}, rest)
    assert writer.write([Unknown(), {"a": uuid.UUID(int=5)}]) == [{"rest": "Unknown"}, {"map": {"a": {"own": 5}}}]
    inner = [1]
    cyclic = (inner, [inner])
    inner.append(cyclic)
    assert writer.write(cyclic) == {"rest": "tuple"}, "what contains itself is written as a whole"
    inner.pop()
    refs = [{"ref": 0}, {"tuple": [{"ref": 0}, {"ref": 0}]}]
    assert writer.write([inner, (inner, inner)]) == {"shared": [[[1]], refs]}, "and is forgotten after"
    assert writer.write([inner]) == [[1]]
    assert Reader(memoryview, Budget(100), [rest]).read([{"rest": "x"}, {"tuple": [1]}]) == ["x", (1,)]


# what it must never do


class Evil:
    def __reduce__(self):
        return (pytest.fail, ("code was run",))


def test_bytes_that_are_pickles_are_no_values():
    for protocol in range(6):
        with pytest.raises((ValueError, UnicodeDecodeError)):
            tree.loads(pickle.dumps(Evil(), protocol))


def test_arrays_of_objects_are_never_unpickled():
    import io

    stream = io.BytesIO()
    np.save(stream, np.array([Evil()], dtype=object), allow_pickle=True)
    data = bytearray(tree.dumps(np.arange(1000)))
    whole = tree.dumps(np.zeros(len(stream.getvalue()) - 128, "u1"))
    forged = whole[: -len(stream.getvalue())] + stream.getvalue()
    with pytest.raises(DamagedError):
        tree.loads(forged)
    assert len(data) > 1000


@pytest.mark.parametrize(
    "text",
    [
        '{"os.system": "true"}', '{"builtins:eval": "1"}', '{"tuple": [1], "set": [1]}', "{}", '{"bytes": 0}',
        '{"numpy.ndarray": 5}', '{"numpy.ndarray": -1}', '{"pickle": "gASVAAAA"}', '{"pandas.Evil": 1}', "[1",
        '{"tests:Evil": 1}', '{"bytes": "%%%"}',
    ],
)  # fmt: skip
def test_forged_json_is_damage(text):
    with pytest.raises((DamagedError, ValueError, TypeError, KeyError, ModuleNotFoundError)):
        tree.loads(text.encode())


def test_an_array_that_claims_more_than_it_has_is_refused():
    whole = tree.dumps(np.zeros(1000))
    place = whole.index(b"(1000,)")
    forged = whole[:place] + b"(9000,)" + whole[place + 7 :]
    with pytest.raises(DamagedError, match="not an array"):
        tree.loads(forged)


def test_a_tree_store_reads_no_pickles(tmp_path):
    open_store = DiskTarget(tmp_path / "store")
    open_store["a", "t", "f"] = Evil()
    target = DiskTarget(tmp_path / "store", codec=tree)
    with pytest.warns(StoreWarning, match="could run code"):
        assert target.get(("a", "t", "f")) is None
    target["a", "t", "f"] = [1, np.arange(5)]
    assert target["a", "t", "f"][0] == 1
    assert open_store["a", "t", "f"][1].tolist() == [0, 1, 2, 3, 4]
    target.close()
    open_store.close()


# in targets


def test_json_is_readable_and_parts_are_aligned(tmp_path):
    assert json.loads(tree.dumps(["a", 1, {"k": None}])) == ["a", 1, {"map": {"k": None}}]
    target = FileTarget(tmp_path, codec=tree, suffix=".json")
    target["o", "t", "f"] = ["a", "b"]
    assert json.loads(pathlib.Path(target.path(("o", "t", "f"))).read_text()) == ["a", "b"]
    data = bytearray(tree.dumps({"x": np.arange(1000.0), "y": np.arange(5)}))
    back = tree.loads(data)
    assert np.shares_memory(back["x"], np.frombuffer(data, "u1"))


def test_parts_of_a_mapped_file_are_read_when_touched(tmp_path):
    target = DiskTarget(tmp_path / "store", codec=tree, verify="lazy")
    target["o", "t", "f"] = {"big": np.arange(1_000_000), "small": [1]}
    value = target["o", "t", "f"]
    assert value["small"] == [1]
    base = value["big"]
    while getattr(base, "base", None) is not None:
        base = base.base
    assert type(getattr(base, "obj", base)).__name__ in ("mmap", "memoryview")
    value["big"][:] = 0
    assert target["o", "t", "f"]["big"][5] == 5
    target.close()


def test_it_compresses():
    assert compressed(inner=tree).loads(compressed(inner=tree).dumps((1, np.zeros(9)))) is not None
    assert not compressed(inner=tree).runs_code


NUMBERS = [st.integers(), st.floats(allow_nan=False), st.complex_numbers(allow_nan=False), st.decimals(allow_nan=False)]
ATOMS = st.one_of(st.none(), st.booleans(), st.text(), st.binary(max_size=300), st.datetimes(), st.uuids(), *NUMBERS)
KEYS = st.recursive(ATOMS, lambda inner: st.tuples(inner, inner) | st.frozensets(inner, max_size=3), max_leaves=4)
TREES = st.recursive(
    ATOMS,
    lambda inner: (
        st.lists(inner) | st.tuples(inner, inner) | st.dictionaries(KEYS, inner) | st.frozensets(KEYS, max_size=3)
    ),
    max_leaves=20,
)


@given(TREES)
def test_any_tree_comes_back(value):
    back = tree.loads(tree.dumps(value))
    assert back == value
    assert _kinds(back) == _kinds(value)
