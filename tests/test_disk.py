"""DiskTarget: a mapping that stays, is fast, bounded, and looks after itself."""

import errno
import gzip
import os
import pickle
import shutil
import sqlite3
import subprocess
import sys
import threading
import time
import warnings
from functools import partial
from pathlib import Path

import pytest
from runs import IN_BROWSER, library, needs_processes, needs_threads

from flowly_ckpt.errors import StoreError, StoreWarning
from flowly_ckpt.targets import DiskTarget, compressed, gzipped, pickled, plain_pickle
from flowly_ckpt.targets.disk import values as values_module
from flowly_ckpt.targets.disk.folder import network_of
from flowly_ckpt.targets.disk.schema import make_index
from flowly_ckpt.targets.file_claims import Claims
from flowly_ckpt.targets.recall import recall
from flowly_ckpt.typing import Facts

np, pd = library("numpy"), library("pandas")
ROOT = Path(__file__).parents[1]
KEY = ("0a1b", "clean", "2c3d")


@pytest.fixture
def store(tmp_path):
    target = DiskTarget(tmp_path / "store")
    yield target
    target.close()


def fresh(target, **options):
    return DiskTarget(target.path, **{**target.options, **options})


def files(target):
    return sorted(path for path in Path(target.path, "blobs").rglob("*") if path.is_file())


def age(target, seconds):
    """Make every entry older, as if the clock had been set back while it was stored."""
    entries = [(entry.key, target.read_bytes(entry.key)) for entry in target.entries()]
    past = time.time_ns() - int(seconds * 1e9)
    real = time.time_ns
    time.time_ns = lambda: past + real() % 1_000_000
    try:
        for key, data in entries:
            target.write_bytes(key, [bytes(data)])
    finally:
        time.time_ns = real


# what is kept


@needs_processes
def test_a_value_survives_the_process(store):
    store[KEY] = {"a": (1, 2)}
    store["big", "t", "f"] = np.arange(100_000)
    code = f"""if 1:
        from flowly_ckpt.targets import DiskTarget
        target = DiskTarget({store.path!r})
        print(target[{KEY!r}], target["big", "t", "f"].sum(), len(target))
    """
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT)
    assert out.stdout == "{'a': (1, 2)} 4999950000 2\n"


def test_nothing_is_made_before_something_is_stored(tmp_path):
    target = DiskTarget(tmp_path / "a" / "b")
    assert (list(target), len(target), KEY in target, target.get(KEY)) == ([], 0, False, None)
    assert target.clear_where() == target.clear_where(tag="x") == 0
    assert (target.stats(), list(target.entries()), target.size(), target.verify()) == ([], [], 0, [])
    target.gc()
    with pytest.raises(KeyError):
        del target[KEY]
    assert not (tmp_path / "a").exists()
    target[KEY] = 1
    assert target[KEY] == 1
    assert (tmp_path / "a" / "b").stat().st_mode & 0o077 == 0
    target.close()


def test_large_arrays_come_back_writable_and_private(store):
    array = np.arange(1_000_000.0)
    store[KEY] = array
    first = store[KEY]
    first[:] = 0
    assert (store[KEY] == array).all()
    assert (fresh(store)[KEY] == array).all()
    kept = store[KEY]
    store[KEY] = "something else"
    store.clear()
    assert (kept == array).all()


@pytest.mark.parametrize("verify", [True, "lazy"])
@pytest.mark.parametrize("size", [10, 5_000, 60_000, 3_000_000])
def test_frames_come_back(store, verify, size):
    target = fresh(store, verify=verify)
    frame = pd.DataFrame({"a": np.arange(size // 10), "b": [f"text {i}" for i in range(size // 10)]})
    target[KEY] = frame
    pd.testing.assert_frame_equal(target[KEY], frame)
    changed = target[KEY]
    changed.iloc[0, 0] = 7
    pd.testing.assert_frame_equal(target[KEY], frame)
    target.close()


def test_equal_values_are_stored_once(store):
    for name in "abc":
        store[name, "t", "f"] = np.ones(10_000)
    assert len(files(store)) == 1
    assert store.size() == files(store)[0].stat().st_size
    del store["a", "t", "f"], store["b", "t", "f"]
    assert len(files(store)) == 1
    assert store["c", "t", "f"].sum() == 10_000
    del store["c", "t", "f"]
    assert files(store) == []


def test_a_replaced_value_takes_its_file_along(store):
    for value in (np.ones(10_000), 5, np.zeros(10_000), np.zeros(10_001)):
        store[KEY] = value
    assert len(files(store)) == 1
    assert (len(store), len(store[KEY])) == (1, 10_001)
    store[KEY] = store[KEY]
    assert len(store[KEY]) == 10_001


def test_inline_bytes(store):
    target = fresh(store, inline_bytes=0)
    target[KEY] = 1
    assert (len(files(target)), target[KEY], store[KEY]) == (1, 1, 1)
    store[KEY] = np.zeros(3_000)
    assert (len(files(target)), target[KEY].flags.writeable) == (0, True)
    target.close()


def test_what_no_row_can_hold_is_in_a_file_however_much_is_asked_for(store, monkeypatch):
    monkeypatch.setattr(values_module, "_LONGEST", 1000)  # instead of values of a gigabyte
    target = fresh(store, inline_bytes="8GB")
    target[KEY] = bytes(100)
    assert files(target) == []
    target[KEY] = bytes(2000)
    assert (len(files(target)), target[KEY]) == (1, bytes(2000))
    target.close()


def test_a_number_that_no_index_can_hold_costs_the_index_nothing(store):
    store[KEY] = 1
    with pytest.raises(StoreError, match="too large"):
        store.put(("new", "t", "f"), 2, Facts(10**400))
    assert (dict(store), [path.name for path in Path(store.path).glob("*.sqlite")]) == ({KEY: 1}, ["index.sqlite"])


@pytest.mark.parametrize("key", [("", "", ""), ("a", "\udc80", "b"), ("\0", "a\0b", "c"), ("é", "../..", "x" * 5000)])
def test_any_three_strings_are_a_key(store, key):
    store[key] = 1
    assert (store[key], list(store), key in store, store.entry(key).key) == (1, [key], True, key)
    assert store.clear_where(object=key[0], tag=[key[1], "other"], transform=key[2]) == 1
    store[key] = 2
    del store[key]
    assert len(store) == 0


@pytest.mark.parametrize("key", [5, "abc", ("a", "b"), ("a", 1, "b"), None])
def test_what_is_no_key(store, key):
    store[KEY] = 1
    assert key not in store
    for act in (partial(store.__setitem__, key, 1), partial(store.__getitem__, key), partial(store.__delitem__, key)):
        with pytest.raises(TypeError, match="a key must be a tuple of three strings"):
            act()
    assert list(store) == [KEY]


def test_what_cannot_be_encoded_changes_nothing(store):
    store[KEY] = 1
    with pytest.raises(TypeError):
        store[KEY] = (x for x in ())
    assert store[KEY] == 1
    assert files(store) == []


def test_listing_goes_in_pages(store):
    keys = {(f"{i:05}", f"tag{i % 3}", "f") for i in range(6_001)}
    store.put_many((key, None, Facts(0.0)) for key in keys)
    assert len(store) == 6_001
    assert sorted(store) == sorted(entry.key for entry in store.entries()) == sorted(keys)
    assert len(list(store.entries(tag="tag1"))) == 2_000
    assert store.clear_where(object={key[0] for key in list(keys)[:3_000]}) == 3_000


# what is known of entries


def test_facts_hits_and_stats(store):
    store.put(KEY, "x" * 100, Facts(2.0, {"input": "0a1b", "odd": object}))
    for _ in range(3):
        assert store[KEY] == "x" * 100
    entry = store.entry(KEY)
    assert (entry.seconds, entry.hits, entry.saved, entry.made_from["input"]) == (2.0, 3, 6.0, "0a1b")
    assert entry.made_from["odd"] == repr(object)
    assert time.time() - 60 < entry.created <= entry.used < time.time() + 1
    store["other", "t2", "f"] = np.zeros(10_000)
    assert store.entry(("other", "t2", "f")).file.startswith("blobs")
    first, second = store.stats()
    assert (first.tag, first.entries, first.hits, first.saved) == ("clean", 1, 3, 6.0)
    assert (second.tag, second.bytes) == ("t2", files(store)[0].stat().st_size)
    assert (first.used, second.used) == (entry.used, store.entry(("other", "t2", "f")).created)
    assert fresh(store).entry(KEY).hits == 3
    store[KEY] = 1
    assert (store.entry(KEY).hits, store.entry(KEY).size) == (0, len(store.read_bytes(KEY)))


def test_clear_where(store):
    for obj in "ab":
        for tag in "xyz":
            store[obj, tag, "f"] = obj + tag
    assert store.clear_where(object="a", tag=["x", "y"], dry_run=True) == 2
    assert len(store) == 6
    assert store.clear_where(object="a", tag=["x", "y"]) == 2
    assert store.clear_where(tag=[]) == 0
    assert store.clear_where(transform="g") == 0
    assert sorted(key[:2] for key in store) == [("a", "z"), ("b", "x"), ("b", "y"), ("b", "z")]
    age(store, 5_000)
    store["new", "x", "f"] = 1
    assert store["b", "x", "f"] == "bx"
    assert store.clear_where(older_than=4_000, unused_for=4_000, dry_run=True) == 3
    assert store.clear_where(unused_for=4_000) == 3
    assert store.clear_where(older_than=4_000) == 1
    assert list(store) == [("new", "x", "f")]
    assert store.clear_where() == 1


def test_max_age(store):
    store[KEY] = 1
    target = fresh(store, max_age=3_600)
    for seconds, alive in ((3_500, True), (3_700, False), (-3_500, True), (-3_700, False)):
        age(store, seconds)
        assert (KEY in target, target.get(KEY), list(target), len(target)) == (
            (True, 1, [KEY], 1) if alive else (False, None, [], 0)
        )
        assert store[KEY] == 1
    age(store, 3_700)
    assert target.gc().expired == 1
    assert KEY not in store
    target.close()


# bounds


def test_max_bytes_evicts_what_saves_least_per_byte(store):
    target = fresh(store, max_bytes=100_000)
    for number in range(9):
        target.put((str(number), "t", "f"), bytes(10_000), Facts(float(number)))
    assert target["0", "t", "f"]
    target.put(("9", "t", "f"), bytes(10_000), Facts(0.0))
    kept = sorted(key[0] for key in target)
    assert "0" not in kept, "the cheapest goes first, used or not"
    assert "9" in kept, "the newest stays for now"
    assert target.size() <= 90_100
    target.close()


def test_max_bytes_evicts_the_least_recently_used_on_ties(store):
    target = fresh(store, max_bytes=100_000)
    for number in range(9):
        target[str(number), "t", "f"] = bytes(10_000)
    stored = time.time_ns()
    while time.time_ns() == stored:  # the clock may be coarse
        pass
    assert target["0", "t", "f"]
    target["9", "t", "f"] = bytes(10_000)
    kept = {key[0] for key in target}
    assert "1" not in kept
    assert {"0", "9"} <= kept
    target.close()


def test_max_bytes_keeps_what_is_new_where_the_clock_was_set_back(store, monkeypatch):
    target = fresh(store, max_bytes=100_000)
    for number in range(5):
        target[str(number), "t", "f"] = bytes(10_000)
    now = time.time_ns()
    monkeypatch.setattr(time, "time_ns", lambda: now - 365 * 24 * 3600 * 10**9)
    for number in range(5, 12):
        target[str(number), "t", "f"] = bytes(10_000)
        assert target[str(number), "t", "f"]
    kept = {key[0] for key in target}
    assert {"0", "1"}.isdisjoint(kept)
    assert {"6", "7", "8", "9", "10", "11"} <= kept
    target.close()


def test_max_bytes_counts_shared_files_once(store):
    target = fresh(store, max_bytes=300_000, inline_bytes=100)
    for number in range(20):
        target[str(number), "t", "f"] = b"x" * 100_000
    assert len(target) == 20
    target["other", "t", "f"] = b"y" * 100_000
    assert len(target) == 21
    target["more", "t", "f"] = b"z" * 100_000
    assert target.size() <= 300_000
    assert target["more", "t", "f"] == b"z" * 100_000
    target.close()


def test_a_value_larger_than_the_bound_is_refused_and_recall_still_returns_it(store):
    target = fresh(store, max_bytes=1_000)
    target[KEY] = 1
    with pytest.raises(StoreError, match="larger"):
        target["b", "t", "f"] = bytes(2_000)
    with pytest.warns(StoreWarning, match="larger"):
        assert recall(target, ("b", "t", "f"), lambda: bytes(2_000)) == bytes(2_000)
    assert list(target) == [KEY]
    target.close()


def test_the_bound_holds_over_many_stores(store):
    target = fresh(store, max_bytes=200_000)
    for number in range(1_000):
        target.put((str(number), "t", "f"), bytes(number % 7 * 1_000), Facts(number % 5))
        assert number % 50 or target.size() <= 200_000
    assert target.size() <= 200_000
    assert files(store) == []
    target.close()


# codecs


@pytest.mark.parametrize("codec", [pickled, plain_pickle, gzipped, compressed(3)], ids=lambda codec: codec.name)
def test_every_codec_reads_what_another_wrote(store, codec):
    target = fresh(store, codec=codec)
    value = {"a": np.arange(20_000), "b": 1}
    target[KEY] = value
    assert target[KEY]["a"].sum() == store[KEY]["a"].sum() == value["a"].sum()
    assert target[KEY]["a"].flags.writeable
    assert store.entry(KEY).codec == codec.name
    target.close()


def test_gzipped_files_are_gzip(store):
    target = fresh(store, codec=gzipped, inline_bytes=0)
    target[KEY] = [1, 2]
    assert pickle.loads(gzip.decompress(files(store)[0].read_bytes())) == [1, 2]
    target.close()


class Lines:
    name = "test-lines"
    runs_code = False

    def dumps(self, value):
        return "\n".join(value).encode()

    def loads(self, data):
        return bytes(data).decode().split("\n")


def test_a_codec_that_runs_no_code_lets_no_other_run_it(store):
    target = fresh(store, codec=Lines())
    target["a", "t", "f"] = ["x", "y"]
    assert target["a", "t", "f"] == ["x", "y"]
    store[KEY] = 1
    with pytest.warns(StoreWarning, match="could run code"):
        assert KEY not in dict(target.items() if False else [(k, 1) for k in target if target.get(k) is not None])
    with pytest.warns(StoreWarning, match="register_codec"):
        assert store.get(("a", "t", "f")) is None
    target.close()


# folders


def test_a_path_that_is_no_store_is_refused_and_untouched(tmp_path):
    (tmp_path / "file").write_text("x")
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / "notes.txt").write_text("x")
    (tmp_path / "foreign").mkdir()
    with sqlite3.connect(tmp_path / "foreign" / "index.sqlite") as connection:
        connection.execute("pragma journal_mode = wal")
        connection.execute("create table entries (a)")
    connection.close()
    (tmp_path / "future").mkdir()
    (tmp_path / "future" / "flowly-ckpt.txt").write_text("flowly-ckpt store, format 99\n")
    before = {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*")}
    for name, text in [
        ("file", "not a folder"),
        ("folder", "notes.txt"),
        ("foreign", "index"),
        ("future", "format 99"),
    ]:
        with pytest.raises(StoreError, match=text):
            DiskTarget(tmp_path / name)
    assert {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*")} == before


def test_a_path_that_is_too_long_for_the_index_is_told(tmp_path):
    folder = tmp_path.joinpath(*["x" * 100] * 5)
    with DiskTarget(folder) as target, pytest.raises(StoreError, match=r"no index can be made .* choose a shorter one"):
        target[KEY] = 1


def test_an_empty_folder_becomes_a_store(tmp_path):
    target = DiskTarget(tmp_path)
    target[KEY] = 1
    assert DiskTarget(tmp_path)[KEY] == 1
    assert "flowly-ckpt ls" in (tmp_path / "flowly-ckpt.txt").read_text()
    target.close()


def test_the_note_may_be_lost(store):
    store[KEY] = 1
    Path(store.path, "flowly-ckpt.txt").unlink()
    assert fresh(store)[KEY] == 1


def test_all_that_is_left_without_note_and_index_may_be_used(tmp_path):
    with DiskTarget(tmp_path, max_bytes=200_000) as target, target.claim(KEY):
        for number in range(8):
            target[str(number), "t", "f"] = os.urandom(60_000)
        for name in ("flowly-ckpt.txt", "index.sqlite"):
            (tmp_path / name).unlink()
        left = {"blobs", "claims.lock", "evicted", "index.sqlite-wal", "index.sqlite-shm"}
        assert {path.name for path in tmp_path.iterdir()} == left
        with DiskTarget(tmp_path) as again:
            again[KEY] = [1]
            assert again[KEY] == [1]
    for name in sorted(left):
        alone = tmp_path / "alone"
        alone.mkdir()
        (alone / name).mkdir() if name == "blobs" else (alone / name).touch()
        with DiskTarget(alone) as again:
            again[KEY] = [1]
        shutil.rmtree(alone)
    (tmp_path / "alone").mkdir()
    (tmp_path / "alone" / "index.html-wal").touch()
    with pytest.raises(StoreError, match="not a store"):
        DiskTarget(tmp_path / "alone")


@pytest.mark.parametrize(
    ("path", "kind"),
    [("/data/x", "nfs4"), ("/data", "nfs4"), ("/database", ""), ("/data/local/y", ""), ("/with space/x", "cifs")],
)
def test_network_file_systems_are_told(path, kind):
    mounts = """1 0 8:1 / / rw - ext4 /dev/sda1 rw
2 1 0:40 / /data rw,relatime shared:3 - nfs4 server:/x rw
3 2 8:2 / /data/local rw - ext4 /dev/sdb1 rw
4 1 0:41 / /with\\040space rw - cifs //server/y rw
"""
    assert network_of(path, mounts) == kind


def test_network_file_systems_are_refused(tmp_path, monkeypatch):
    monkeypatch.setattr("flowly_ckpt.targets.disk.folder.network_of", lambda path: "nfs4")
    with pytest.raises(StoreError, match="FileTarget or RemoteTarget"):
        DiskTarget(tmp_path)


def test_targets_are_equal_by_place_and_pickle(store):
    store[KEY] = 1
    again = pickle.loads(pickle.dumps(fresh(store, codec=gzipped, max_age=5.0)))
    assert (again[KEY], again.options["max_age"], again.codec) == (1, 5.0, gzipped)
    assert store == fresh(store) != again
    assert hash(store) == hash(again)
    assert store != {KEY: 1}
    assert repr(store) == f"DiskTarget({store.path!r})"
    with pytest.raises(ValueError, match="lazy"):
        DiskTarget(store.path, verify="never")


def test_a_symbolic_link_to_a_store_is_a_store(store, tmp_path):
    store[KEY] = 1
    (tmp_path / "link").symlink_to(store.path)
    assert DiskTarget(tmp_path / "link")[KEY] == 1


def test_close_is_not_the_end(store):
    store[KEY] = 1
    store.close()
    store.close()
    assert store[KEY] == 1


# upkeep


def test_gc_collects_orphans_and_leftovers(store):
    store[KEY] = np.zeros(10_000)
    keep = files(store)
    orphan = store._values.blobs.add([b"x" * 50_000])
    Path(store.path, "blobs", ".tmp-1-0123456789ab").write_bytes(b"half")
    assert store.gc() == (0, 0, 0, 0)
    assert Path(store._values.blobs.path(orphan.digest)).exists()
    found = store.gc(older_than=0)
    assert (found.files, found.bytes) == (2, 50_004)
    assert files(store) == keep


def test_gc_gives_space_back(store):
    for number in range(300):
        store[str(number), "t", "f"] = os.urandom(20_000)
    store.close()
    before = Path(store.path, "index.sqlite").stat().st_size
    store.clear()
    store.gc()
    store.close()
    assert Path(store.path, "index.sqlite").stat().st_size < before / 10


def test_verify_tells_progress(store):
    for number in range(500):
        store[str(number), "t", "f"] = number
    seen = []
    assert store.verify(progress=lambda done, total: seen.append((done, total))) == []
    assert seen == [(200, 500), (400, 500), (500, 500)]


# threads and processes


@needs_threads
def test_threads_share_a_target(store):
    errors = []

    def work(number):
        try:
            for step in range(50):
                key = (str(step), f"t{number}", "f")
                store[key] = [number, step]
                assert store[key] == [number, step]
                store["shared", "t", "f"] = np.full(5_000 + number, number)
                array = store["shared", "t", "f"]
                assert (array == len(array) - 5_000).all()
        except BaseException as error:  # noqa: BLE001
            errors.append(error)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []
    assert len(store) == 301
    assert len(files(store)) == 1


@pytest.mark.parametrize("answer", [AttributeError("link"), PermissionError(1, "Operation not permitted")])
def test_a_store_needs_no_hard_links(store, monkeypatch, answer):
    """Browsers have none, exFAT refuses them: the index takes its name under a claim then, and only if it is free."""
    claimed, rename = [], os.replace

    def refuse(source, path):
        raise answer

    def replace(source, path):
        if path.endswith("index.sqlite"):
            claimed.append(Claims(os.path.join(store.path, "claims.lock")).is_claimed(("index.sqlite", "", "")))
        rename(source, path)

    monkeypatch.setattr(os, "link", refuse, raising=False)
    monkeypatch.setattr(os, "replace", replace)
    store[KEY] = 1
    make_index(store.path, "index.sqlite")  # as a process that was slower
    assert fresh(store)[KEY] == 1
    assert claimed == [not IN_BROWSER]  # where nobody else is, nothing is locked


@pytest.mark.skipif(not hasattr(os, "posix_fallocate"), reason="room is not taken beforehand here")
def test_room_is_taken_beforehand_only_where_the_file_system_can(store, monkeypatch):
    def refuse(number):
        def reserve(descriptor, start, size):
            raise OSError(number, os.strerror(number))

        monkeypatch.setattr(os, "posix_fallocate", reserve)

    value = [b"x" * (1 << 20), 1]
    refuse(errno.ENOSPC)
    with pytest.raises(OSError, match="space"):
        store[KEY] = value
    assert (len(store), files(store)) == (0, [])
    for number in (errno.EINVAL, errno.EOPNOTSUPP):
        refuse(number)
        store[KEY] = value
        assert (store[KEY], store.verify(), len(files(store))) == (value, [], 1)
        store.clear()


@needs_processes
def test_a_forked_child_opens_its_own_connections(store):
    store[KEY] = 1
    assert store[KEY] == 1
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        child = os.fork()
    if child == 0:
        status = 1
        try:
            assert store[KEY] == 1
            store["child", "t", "f"] = np.arange(10_000)
            store.close()
            status = 0
        finally:
            os._exit(status)
    assert os.waitpid(child, 0)[1] == 0
    assert store["child", "t", "f"].sum() == np.arange(10_000).sum()
    store["parent", "t", "f"] = 1
    assert len(fresh(store)) == 3


def test_readers_do_not_wait_for_a_writer(store):
    store[KEY] = 1
    writer = sqlite3.connect(Path(store.path, "index.sqlite"), isolation_level=None)
    writer.execute("begin immediate")
    writer.execute("delete from entries")
    assert store[KEY] == 1
    assert fresh(store)[KEY] == 1
    writer.execute("rollback")
    writer.close()


@needs_processes
def test_uses_are_written_at_exit(store):
    store[KEY] = 1
    code = f"from flowly_ckpt.targets import DiskTarget; DiskTarget({store.path!r})[{KEY!r}]"
    subprocess.run([sys.executable, "-c", code], check=True, cwd=ROOT)
    assert store.entry(KEY).hits == 1


def test_an_unwanted_write_ahead_log_does_not_stay(store):
    store[KEY] = 1
    store.close()
    assert {path.name for path in Path(store.path).iterdir()} - {"claims.lock"} == {"flowly-ckpt.txt", "index.sqlite"}
