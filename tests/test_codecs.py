"""Laws of codecs: what is decoded is what was encoded, and damage never passes for a value."""

import datetime
import gzip
import io
import math
import pickle
from collections import OrderedDict, namedtuple
from decimal import Decimal

import pytest
from runs import library

from flowly_ckpt.targets import Codec, codec_named, compressed, gzipped, pickled, plain_pickle, register_codec
from flowly_ckpt.targets.codecs import parts_of, runs_code
from flowly_ckpt.targets.codecs.compression import HEAD as HEAD_OF_COMPRESSED
from flowly_ckpt.targets.codecs.frames import HEAD
from flowly_ckpt.targets.damage import DamagedError

np = library("numpy")
Point = namedtuple("Point", "x y")

CODECS = [pickled, plain_pickle, gzipped, compressed(), compressed(1, plain_pickle), compressed(method="zlib")]
VALUES = [
    None,
    True,
    0,
    -1,
    1 << 200,
    1.5,
    math.inf,
    -0.0,
    1j,
    "",
    "lone \udc80 surrogate",
    b"\x00" * 10_000,
    bytearray(b"x" * 5000),
    [],
    [[1], (2,), {3}, frozenset([4])],
    {"a": 1, 2: "b", (1, 2): None},
    OrderedDict(b=1, a=2),
    Point(1, [2]),
    Decimal("1.00"),
    datetime.datetime(2020, 1, 2, tzinfo=datetime.UTC),
    list(range(3000)),
]
ARRAYS = [
    np.arange(12.0),
    np.zeros((0, 3)),
    np.array(5),
    np.arange(4000).reshape(40, 100),
    np.asfortranarray(np.arange(4000.0).reshape(40, 100)),
    np.arange(8000)[::2],
    np.array(["a", "bc"]),
    np.array([None, 1, "x"], dtype=object),
    np.zeros(300, dtype=[("a", "i4"), ("b", "f8")]),
    np.arange(2000).astype(">i4"),
] if np else []  # fmt: skip


@pytest.mark.parametrize("codec", CODECS, ids=lambda codec: codec.name)
@pytest.mark.parametrize("value", VALUES, ids=lambda value: repr(value)[:30])
def test_round_trip(codec, value):
    back = codec.loads(codec.dumps(value))
    assert type(back) is type(value)
    assert back == value
    assert repr(back) == repr(value)
    assert isinstance(codec.dumps(value), bytes)
    assert b"".join(parts_of(codec, value)) == codec.dumps(value)


@pytest.mark.parametrize("codec", CODECS, ids=lambda codec: codec.name)
@pytest.mark.parametrize("array", ARRAYS, ids=lambda array: f"{array.dtype}{array.shape}")
def test_arrays_come_back_writable(codec, array):
    for data in (codec.dumps(array), bytearray(codec.dumps(array)), memoryview(codec.dumps(array))):
        back = codec.loads(data)
        assert back.dtype == array.dtype
        assert back.shape == array.shape
        assert back.tolist() == array.tolist()
        assert back.flags.writeable
        assert back.flags.f_contiguous == array.flags.f_contiguous or not array.flags.forc


def test_a_read_only_array_stays_read_only():
    array = np.arange(5000)
    array.flags.writeable = False
    assert not pickled.loads(pickled.dumps(array)).flags.writeable


def test_writing_to_a_decoded_array_does_not_reach_the_bytes():
    data = pickled.dumps(np.arange(5000))
    pickled.loads(data)[:] = 0
    assert pickled.loads(data)[1] == 1


def test_large_buffers_are_not_copied_and_are_aligned():
    arrays = [np.arange(1001 + step, dtype="u1") for step in (500, 701, 4000)]
    parts = parts_of(pickled, arrays)
    views = [part for part in parts if isinstance(part, memoryview)]
    assert [view.obj is not None and np.shares_memory(np.frombuffer(view, "u1"), a) for view, a in zip(views, arrays)]
    data = bytearray(b"".join(parts))
    start = np.frombuffer(data, "u1").ctypes.data
    assert all((array.ctypes.data - start) % 64 == 0 for array in pickled.loads(data))
    assert all(np.shares_memory(array, np.frombuffer(data, "u1")) for array in pickled.loads(data))


def test_shared_objects_stay_shared():
    array = np.arange(5000)
    first, second = pickled.loads(pickled.dumps([array, array]))
    assert first is second


@pytest.mark.parametrize("codec", CODECS, ids=lambda codec: codec.name)
def test_what_plain_pickle_refuses_goes_through_cloudpickle(codec):
    factor = 3
    assert codec.loads(codec.dumps(lambda x: x * factor))(2) == 6
    function, array = codec.loads(codec.dumps([lambda x: x + 1, np.arange(4000)]))
    assert (function(1), array.sum()) == (2, np.arange(4000).sum())


@pytest.mark.parametrize("codec", CODECS, ids=lambda codec: codec.name)
def test_what_nobody_can_pickle_raises_and_says_so(codec):
    with pytest.raises(TypeError, match="generator"):
        codec.dumps(x for x in ())


def test_other_programs_read_the_plain_ones(tmp_path):
    value = {"a": np.arange(3000), "b": [1, "two"]}
    (tmp_path / "plain").write_bytes(plain_pickle.dumps(value))
    (tmp_path / "gzip").write_bytes(gzipped.dumps(value))
    with open(tmp_path / "plain", "rb") as file:
        assert repr(pickle.load(file)) == repr(value)
    with gzip.open(tmp_path / "gzip") as file:
        assert repr(pickle.load(file)) == repr(value)
    assert pickle.load(io.BytesIO(gzip.decompress(gzipped.dumps([1])))) == [1]


@pytest.mark.parametrize("protocol", range(6))
def test_pickles_made_by_others_are_read(protocol):
    assert plain_pickle.loads(pickle.dumps({"x": [1, 2]}, protocol)) == {"x": [1, 2]}
    assert gzipped.loads(gzip.compress(pickle.dumps({"x": [1, 2]}, protocol))) == {"x": [1, 2]}


def test_equal_values_give_equal_gzip():
    assert gzipped.dumps([1, 2]) == gzipped.dumps([1, 2])


@pytest.mark.parametrize("codec", [plain_pickle, gzipped, compressed(method="zlib")], ids=lambda codec: codec.name)
def test_no_flipped_byte_and_no_cut_passes_for_another_value(codec):
    value = {"numbers": list(range(50)), "text": "abc" * 20}
    data = codec.dumps(value)
    for place in range(len(data)):
        for flip in (0x01, 0x80, 0xFF):
            broken = bytearray(data)
            broken[place] ^= flip
            assert _load(codec, broken) in (value, "damaged")
    for length in range(len(data)):
        assert _load(codec, data[:length]) in (value, "damaged")
    assert _load(codec, data + b"more") == "damaged"


def _load(codec, data):
    try:
        return codec.loads(bytes(data))
    except Exception:  # noqa: BLE001
        return "damaged"


def test_a_frame_whose_lengths_do_not_add_up_is_refused_before_it_is_read():
    data = pickled.dumps(np.arange(4000))
    magic, count, size = HEAD.unpack_from(data)
    for wrong in ((count + 1, size), (1 << 60, size), (count, 1 << 62), (0, size)):
        with pytest.raises((DamagedError, ValueError)):
            pickled.loads(HEAD.pack(magic, *wrong) + data[HEAD.size :])
    for length in (8, 20, HEAD.size, len(data) - 1):
        with pytest.raises((DamagedError, ValueError, EOFError)):
            pickled.loads(data[:length])
    with pytest.raises(DamagedError, match="does not end"):
        pickled.loads(data + b"x")


def test_bytes_that_claim_to_unpack_to_more_than_they_can_are_refused():
    codec = compressed(method="zlib")
    data = bytearray(codec.dumps([0] * 100))
    data[1:9] = (1 << 60).to_bytes(8, "little")
    with pytest.raises(DamagedError, match="are left"):
        codec.loads(bytes(data))
    bomb = bytearray(codec.dumps(bytes(10_000_000)))
    bomb[1:9] = (1000).to_bytes(8, "little")
    with pytest.raises(DamagedError):
        codec.loads(bytes(bomb))


def test_compressed_is_smaller_and_wraps_any_codec():
    value = list(range(100)) * 100
    assert len(compressed(9).dumps(value)) < len(pickled.dumps(value)) / 2
    assert compressed(inner=gzipped).name == "compressed+gzipped"
    assert compressed(1) != compressed(9)
    assert compressed(1).name == compressed(9).name


def test_zstd_where_it_is_installed():
    pytest.importorskip("zstandard")
    data = compressed(method="zstd").dumps([1, 2])
    assert data[:1] == b"s"
    assert compressed(method="zlib").loads(data) == [1, 2]


def test_codecs_are_found_by_name_and_pickle():
    for codec in CODECS:
        assert isinstance(codec, Codec)
        assert codec_named(codec.name).name == codec.name
        assert pickle.loads(pickle.dumps(codec)) == codec
        assert runs_code(codec)
    with pytest.raises(LookupError, match="register_codec"):
        codec_named("unheard of")


class Upper:
    name = "test-upper"
    runs_code = False

    def dumps(self, value):
        return value.upper().encode()

    def loads(self, data):
        return bytes(data).decode()


def test_register_codec():
    mine = register_codec(Upper())
    assert codec_named("test-upper") is mine
    assert parts_of(mine, "ab") == [b"AB"]
    assert not runs_code(mine)
    assert not compressed(inner=mine).runs_code
    assert codec_named("compressed+test-upper").loads(compressed(inner=mine).dumps("ab")) == "AB"
    with pytest.raises(ValueError, match="another name"):
        register_codec(Upper())


def zstd_frames():
    zstandard = pytest.importorskip("zstandard")
    return zstandard, compressed(method="zstd")


def test_a_zstd_frame_carries_its_checksum():
    _, codec = zstd_frames()
    value = [bytes([n % 251]) * 9 for n in range(300)]
    data = codec.dumps(value)
    for place in range(len(data)):
        flipped = bytearray(data)
        flipped[place] ^= 0x10
        try:
            assert codec.loads(bytes(flipped)) == value
        except AssertionError:
            raise
        except Exception:  # noqa: BLE001  whatever it raises, it is noticed
            continue


def test_a_zstd_frame_that_lies_about_its_size_takes_no_memory():
    import tracemalloc

    zstandard, _ = zstd_frames()
    from flowly_ckpt.targets.codecs.compression import HEAD

    bomb = zstandard.ZstdCompressor().compress(bytes(1 << 28))
    tracemalloc.start()
    with pytest.raises(DamagedError):
        compressed().loads(HEAD.pack(b"s", 1000) + bomb)
    with pytest.raises(DamagedError):
        compressed().loads(HEAD.pack(b"s", 1 << 40) + bomb)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 1 << 24


def test_a_frame_of_zstd_that_says_it_has_no_checksum_is_damage():
    pytest.importorskip("zstandard", reason="zstandard is not installed")
    codec = compressed(method="zstd")
    data = bytearray(codec.dumps([1, 2, 3]))
    assert codec.loads(bytes(data)) == [1, 2, 3]
    data[HEAD_OF_COMPRESSED.size + 4] ^= 4
    with pytest.raises(DamagedError, match="checksum"):
        codec.loads(bytes(data))
