"""Signed: nothing of an entry is decoded before its signature is known to be right."""

import os
import pickle
import sqlite3
import warnings
from contextlib import closing
from pathlib import Path

import pytest
import zict
from runs import IN_BROWSER, library

from flowly_ckpt.errors import StoreWarning
from flowly_ckpt.targets import DiskTarget, FileTarget, RemoteTarget, Serialized, Signed, gzipped, tree
from flowly_ckpt.targets.recall import recall
from flowly_ckpt.typing import Facts

np = library("numpy")
SECRET = b"0123456789abcdef"
A, B = ("0a", "tag", "1b"), ("0b", "tag", "1b")
RAN = []


class Evil:
    """Run code when it is unpickled."""

    def __reduce__(self):
        return (RAN.append, ("code was run",))


@pytest.fixture(params=["dict", "disk", "blobs", "files", "remote", "serialized"])
def inner(request, tmp_path):
    target = {
        "dict": dict,
        "disk": lambda: DiskTarget(tmp_path / "store"),
        "blobs": lambda: DiskTarget(tmp_path / "store", inline_bytes=0),
        "files": lambda: FileTarget(tmp_path / "store"),
        "remote": lambda: RemoteTarget(f"memory://{tmp_path}"),
        "serialized": lambda: Serialized({}),
    }[request.param]()
    yield target
    RAN.clear()
    if isinstance(target, DiskTarget):
        target.close()


def write(inner, key, data):
    """Store bytes as somebody without the secret could."""
    if isinstance(inner, dict):
        inner[key] = data
    else:
        inner.write_bytes(key, [data], None, "signed+pickled")


def read(inner, key):
    return bytes(inner[key] if isinstance(inner, dict) else inner.read_bytes(key))


def missed(target, key, match):
    with pytest.warns(StoreWarning, match=match):
        assert target.get(key) is None
    assert RAN == []


def test_what_is_signed_comes_back(inner):
    target = Signed(inner, SECRET)
    array = np.arange(100_000)
    target[A], target[B] = {"a": 1}, array
    again = Signed(inner, SECRET.decode())
    assert again[A] == {"a": 1}
    assert (again[B] == array).all()
    assert again[B].flags.writeable
    assert sorted(again) == [A, B]


def test_unsigned_entries_are_not_even_unpickled(inner):
    target = Signed(inner, SECRET)
    write(inner, A, pickle.dumps(Evil()))
    missed(target, A, "not signed")
    write(inner, B, b"")
    missed(target, B, "not signed")
    assert recall(target, A, lambda: 5) == 5
    assert target[A] == 5


def test_forged_and_moved_entries_are_not_even_unpickled(inner):
    target = Signed(inner, SECRET)
    target[A] = "good"
    good = read(inner, A)
    write(inner, B, good)
    missed(target, B, "signature does not match")
    write(inner, B, good[:64] + pickle.dumps(Evil()))
    missed(target, B, "signature does not match")
    Signed(inner, b"another secret of sixteen")[A] = Evil()
    missed(target, A, "signature does not match")


def test_no_flipped_byte_passes(inner):
    target = Signed(inner, SECRET)
    target[A] = ["good"] * 3
    good = read(inner, A)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", StoreWarning)
        for place in range(len(good)):
            write(inner, B, good[:place] + bytes([good[place] ^ 1]) + good[place + 1 :])
            assert target.get(B) is None
    assert RAN == []


def test_another_codec_does_not_pass_for_ones_own(inner):
    Signed(inner, SECRET, gzipped)[A] = 1
    missed(Signed(inner, SECRET), A, "signature does not match")


def test_who_lacks_the_secret_leaves_the_entry(tmp_path):
    plain = DiskTarget(tmp_path)
    Signed(plain, SECRET)[A] = 1
    with pytest.warns(StoreWarning, match="no codec 'signed"):
        assert plain.get(A) is None
    assert Signed(plain, SECRET)[A] == 1
    assert plain.verify() == []
    plain.close()


def test_facts_and_claims_pass(tmp_path):
    plain = DiskTarget(tmp_path)
    target = Signed(plain, SECRET)
    target.put(A, 1, Facts(2.0, {"input": "0a"}))
    entry = plain.entry(A)
    assert (entry.seconds, entry.made_from, entry.codec) == (2.0, {"input": "0a"}, "signed+pickled")
    with target.claim(A):
        assert IN_BROWSER or plain._claims.is_claimed(A)
    plain.close()


def test_a_target_that_decodes_by_itself_is_refused():
    with pytest.raises(TypeError, match="decodes its entries by itself"):
        Signed(zict.LRU(10, {}), SECRET)
    with pytest.raises(ValueError, match="too short"):
        Signed({}, "short")
    assert SECRET.decode() not in repr(Signed({}, SECRET))


# stores that somebody has prepared


def test_an_index_row_cannot_name_a_file_outside(tmp_path):
    victim = tmp_path / "victim.bin"
    victim.write_bytes(pickle.dumps(Evil()))
    target = DiskTarget(tmp_path / "store", inline_bytes=0)
    target[A] = 1
    target.close()
    for blob in (b"../../victim", os.fsencode(victim), b"", b"\xff" * 40, "text", 5, None):
        with closing(sqlite3.connect(tmp_path / "store" / "index.sqlite")) as connection:
            connection.execute("update entries set blob = ?, data = null", (blob,))
            connection.commit()
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", StoreWarning)
            assert DiskTarget(tmp_path / "store").get(A) is None
        assert victim.exists()
        assert RAN == []
        target[A] = 1
        assert target[A] == 1
        target.close()


def test_tags_cannot_climb(tmp_path):
    secret = tmp_path / "secret"
    secret.write_text("precious")
    for tag in ("../secret", "/etc/passwd", "..", ".", "a/../../secret", "..\\secret", "\0", "~", "%2e%2e/secret"):
        for target in (
            DiskTarget(tmp_path / "store"),
            FileTarget(tmp_path / "files"),
            RemoteTarget(f"file://{tmp_path}/remote"),
        ):
            target["o", tag, "f"] = tag
            assert target["o", tag, "f"] == tag
            target.clear_where(tag=tag) if hasattr(target, "clear_where") else target.clear()
            assert len(target) == 0
            getattr(target, "close", int)()
    assert secret.read_text() == "precious"
    assert {path.name for path in tmp_path.iterdir()} == {"secret", "store", "files", "remote"}


def test_sizes_that_lie_are_refused_before_memory_is_taken(tmp_path):
    target = DiskTarget(tmp_path / "store", codec=tree, inline_bytes=0)
    target[A] = np.arange(10)
    path = next(Path(target.path, "blobs").rglob("*.bin"))
    with closing(sqlite3.connect(tmp_path / "store" / "index.sqlite")) as connection:
        connection.execute("update entries set size = ?", (1 << 45,))
        connection.commit()
    missed(target, A, f"the file has {path.stat().st_size} bytes")
    target.close()
