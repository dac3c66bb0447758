"""The law of every codec: what comes back has the hash of what was stored, or it is refused before it is stored."""

from __future__ import annotations

import copy
import importlib
import signal
import sys
import warnings
from dataclasses import dataclass
from typing import ClassVar

import pytest
from hashing_cases import arrays, beside, containers, libraries, scalars, tables
from hashing_cases.table import Group, source
from hypothesis import given
from hypothesis import strategies as st

from flowly_ckpt.errors import StoreWarning
from flowly_ckpt.hashing import UnhashableError, functional_hash
from flowly_ckpt.targets import Serialized, compressed, gzipped, pickled, plain_pickle, tree
from flowly_ckpt.targets.recall import recall

pytest.importorskip("numpy")
pytest.importorskip("pandas")
pytest.importorskip("pyarrow")
pytest.importorskip("polars")

CODECS = [pickled, plain_pickle, gzipped, compressed(1), tree]
SLOW = ("sharing", "long chain", "zarr", "large", "million", "deep", "stored")
GROUPS = [
    group
    for family in (arrays, beside, containers, libraries, scalars, tables)
    for group in family.CASES
    if group.expect != "error" and group.needs not in ("torch", "zarr") and not any(w in group.name for w in SLOW)
]


class TooLong(BaseException):
    pass


def too_long(*args):
    raise TooLong


def values(group: Group, folder, monkeypatch):
    monkeypatch.syspath_prepend(folder)
    for number, text in enumerate(group.texts):
        if "\n#-- " in text:
            continue
        name = f"law_{abs(hash(group.name))}_{number}"
        (folder / f"{name}.py").write_bytes(source(text).encode("utf-8", "surrogatepass"))
        importlib.invalidate_caches()
        try:
            yield text, importlib.import_module(name).make()
        finally:
            sys.modules.pop(name + ".", None)


def holds(codec, value, before) -> bool:
    signal.signal(signal.SIGALRM, too_long)
    signal.alarm(5)  # what is shared a million times is written as often
    try:
        data = codec.dumps(value)
    except (Exception, TooLong):  # noqa: BLE001
        return True
    finally:
        signal.alarm(0)
    return functional_hash(codec.loads(data)) == before


@pytest.mark.parametrize("group", GROUPS, ids=[group.name for group in GROUPS])
def test_what_comes_back_has_the_same_hash(group, tmp_path, monkeypatch):
    if group.needs:
        pytest.importorskip(group.needs)
    lost = []
    with warnings.catch_warnings(action="ignore"):
        for text, value in values(group, tmp_path, monkeypatch):
            try:
                before = functional_hash(value)
            except UnhashableError:
                continue
            lost += [(codec.name, text[-100:]) for codec in CODECS if not holds(codec, value, before)]
    assert not lost


ATOMS = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.complex_numbers()
    | st.text()
    | st.binary(max_size=2000)
)
ATOMS |= st.text(st.characters(categories=["Cs", "Lu"]), max_size=3) | st.datetimes() | st.decimals() | st.fractions()
KEYS = st.none() | st.booleans() | st.integers() | st.text() | st.text(st.characters(categories=["Cs"]), max_size=2)
VALUES = st.recursive(
    ATOMS,
    lambda inner: st.lists(inner) | st.tuples(inner, inner) | st.dictionaries(KEYS, inner) | st.frozensets(KEYS),
    max_leaves=15,
)


@pytest.mark.parametrize("codec", CODECS, ids=lambda codec: codec.name)
@given(value=VALUES)
def test_any_value_comes_back_with_the_same_hash(codec, value):
    assert functional_hash(codec.loads(codec.dumps(value))) == functional_hash(value)


def test_two_surrogates_are_not_joined():
    value = {"\ud83d\ude00": 1, "\U0001f600": 2, "a": "\ud83d\ude00"}
    assert tree.loads(tree.dumps(value)) == value


@tree.register
@dataclass
class Counted:
    made: ClassVar[int] = 3
    value: int = 0


def test_class_variables_stay_with_their_class():
    assert vars(tree.loads(tree.dumps(Counted(1)))) == {"value": 1}


def test_the_cause_of_an_error_comes_back():
    error = KeyError("a")
    error.__cause__ = ValueError("b")
    for codec in CODECS[:4]:
        back = codec.loads(codec.dumps([error]))[0]
        assert repr(back.__cause__) == repr(error.__cause__)
        assert back.__suppress_context__


def test_a_value_that_is_too_deep_says_how_deep_it_is_and_where():
    value = []
    for _ in range(60_000):
        value = [value]
    with pytest.raises(RecursionError, match="list nests 60001 levels deep"):
        pickled.dumps(value)
    assert functional_hash(copy.copy(value))


@pytest.mark.parametrize("codec", CODECS, ids=lambda codec: codec.name)
@pytest.mark.skipif(sys.version_info >= (3, 15), reason="such are written and read there")
def test_a_store_says_which_result_is_too_deep(codec):
    value = {number: [number] for number in range(1000)}
    for _ in range(10_000):
        value[7] = [value[7], ...]
    with pytest.warns(StoreWarning, match=r"Serialized.* at 'fit'.*: dict nests 10003 levels deep at \[7\] → \[0\]"):
        assert recall(Serialized({}, codec), ("a", "fit", "f"), lambda: value) is value


def test_a_slice_of_arrow_is_stored_without_the_rest():
    import pyarrow as pa

    table = pa.table({"a": range(100_000), "b": [str(i) for i in range(100_000)]}, metadata={"k": "v"})
    ten = pa.concat_tables([table.slice(i * 10_000, 10_000) for i in range(10)])
    assert len(pickled.dumps(ten)) < 1.5 * table.nbytes
    for part in (
        table.slice(5, 10),
        table.to_batches()[0].slice(5, 10),
        table["b"].slice(5, 10),
        table["a"].chunk(0)[:9],
    ):
        data = pickled.dumps(part)
        assert len(data) < 5_000
        assert type(pickled.loads(data)) is type(part)
        assert pickled.loads(data).equals(part)


def test_tensors_are_stored_in_place_and_parts_of_them_alone():
    torch = pytest.importorskip("torch")
    whole = torch.arange(100_000.0)
    assert pickled.parts(whole)[1].obj.ctypes.data == whole.data_ptr()
    parts = whole[5:9], whole[5:9].requires_grad_(), torch.nn.Parameter(whole[:3]), whole.to(torch.float8_e5m2)[:3]
    for part in parts:
        data = pickled.dumps(part)
        assert len(data) < 5_000
        assert functional_hash(pickled.loads(data)) == functional_hash(part)
    pickled.loads(pickled.dumps(whole)).add_(1)  # in memory of its own
    assert whole[0] == 0
