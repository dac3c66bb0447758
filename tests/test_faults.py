"""Real faults: killed processes, flipped bytes, cut and deleted files, full and read-only disks, many at once."""

import contextlib
import os
import shutil
import signal
import subprocess
import sys
import textwrap
import threading
import warnings
from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from flowly_ckpt.errors import StoreError, StoreWarning
from flowly_ckpt.targets import DiskTarget, FileTarget
from flowly_ckpt.targets.recall import recall

ROOT = Path(__file__).parents[1]
SMALL, LARGE = ("0a", "small", "1b"), ("0a", "large", "1b")
VALUES = {SMALL: {"a": list(range(40))}, LARGE: np.arange(5_000)}


def start(code, *arguments):
    """Start a process that runs the code; its standard output is read line by line."""
    command = [sys.executable, "-c", textwrap.dedent(code), *map(str, arguments)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=ROOT)


def finish(process):
    out, err = process.communicate(timeout=120)
    assert process.returncode == 0, err
    return out


def right(target, key):
    """Recall a key; tell whether it was computed, and the warnings that named damage."""
    computed = []
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        value = recall(target, key, lambda: computed.append(key) or VALUES[key])
    assert np.array_equal(value, VALUES[key])
    assert all(issubclass(warning.category, StoreWarning) for warning in told)
    return bool(computed), [str(warning.message) for warning in told]


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """A closed store with a value in the index and one in a file."""
    folder = tmp_path_factory.mktemp("whole") / "store"
    target = DiskTarget(folder)
    for key, value in VALUES.items():
        target[key] = value
    target.close()
    return folder


@pytest.fixture
def copy(whole, tmp_path):
    numbers = iter(range(10**6))

    def make():
        folder = tmp_path / str(next(numbers))
        shutil.copytree(whole, folder)
        return folder

    return make


def heals(folder):
    """Hold a damaged store to the law: right at once, damage named, healed for the processes after it."""
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        session(folder)
        # Damage in what no look-up reads is found by whoever lists or verifies.
        target = DiskTarget(folder)
        target.verify(repair=True)
        assert set(target) <= set(VALUES)
        target.close()
        session(folder)
    assert all(issubclass(warning.category, StoreWarning) for warning in told)
    assert len(told) <= 3, [str(warning.message) for warning in told]
    assert session(folder) == [(False, [])] * len(VALUES)
    target = DiskTarget(folder)
    assert target.verify() == []
    assert target.gc(older_than=0).expired == 0
    target.close()
    assert session(folder) == [(False, [])] * len(VALUES)
    return [str(warning.message) for warning in told]


def session(folder):
    target = DiskTarget(folder)
    found = [right(target, key) for key in VALUES]
    target.close()
    for _, told in found:
        for line in told:
            warnings.warn(line, StoreWarning, stacklevel=1)
    return found


def blob_of(folder):
    return next(path for path in (folder / "blobs").rglob("*.bin"))


def test_a_flipped_byte_in_a_file_is_noticed_wherever_it_is(copy, whole):
    size = blob_of(whole).stat().st_size
    for place in [*range(0, 200, 3), *range(200, size, 997), size - 1]:
        folder = copy()
        flip(blob_of(folder), place)
        told = heals(folder)
        assert len(told) == 1
        assert "does not match its digest" in told[0]


def flip(path, place, mask=0x40):
    with open(path, "r+b") as file:
        file.seek(place)
        byte = file.read(1)[0]
        file.seek(place)
        file.write(bytes([byte ^ mask]))


def test_a_flipped_byte_in_the_index_never_gives_a_wrong_value(copy, whole):
    data = (whole / "index.sqlite").read_bytes()
    used = [place for place in range(len(data)) if data[place]]
    places = [*range(120), *used[::19]]
    for place in places:
        folder = copy()
        flip(folder / "index.sqlite", place)
        heals(folder)


def test_a_flipped_byte_in_the_note_does_no_harm(copy, whole):
    for place in range(0, (whole / "flowly-ckpt.txt").stat().st_size, 5):
        folder = copy()
        flip(folder / "flowly-ckpt.txt", place, mask=0x80)
        assert heals(folder) == []


def test_every_byte_of_an_inline_value_is_covered(copy):
    for place in range(0, 150, 5):
        folder = copy()
        data = (folder / "index.sqlite").read_bytes()
        start = data.index(b"pickled", data.index(b"small"))
        flip(folder / "index.sqlite", start + place)
        heals(folder)


@pytest.mark.parametrize("name", ["index.sqlite", "flowly-ckpt.txt", "blobs/*/*.bin"])
@pytest.mark.parametrize("part", [0, 1, 99, 4096, 5000, 9000, 20_000])
def test_a_cut_file_is_noticed(copy, name, part):
    folder = copy()
    path = next(folder.glob(name))
    with open(path, "r+b") as file:
        file.truncate(min(part, path.stat().st_size - 1))
    heals(folder)


@pytest.mark.parametrize("name", ["index.sqlite", "flowly-ckpt.txt", "blobs/*/*.bin", "blobs", "blobs/*"])
def test_a_deleted_file_is_a_miss(copy, name):
    folder = copy()
    path = next(folder.glob(name))
    shutil.rmtree(path) if path.is_dir() else path.unlink()
    heals(folder)


def test_a_file_replaced_by_a_link_is_not_followed(copy, tmp_path):
    folder = copy()
    victim = tmp_path / "victim"
    shutil.copy(blob_of(folder), victim)
    before = victim.read_bytes()
    path = blob_of(folder)
    path.unlink()
    path.symlink_to(victim)
    assert len(heals(folder)) == 1
    assert victim.read_bytes() == before
    assert not blob_of(folder).is_symlink()


def test_a_folder_replaced_by_a_link_is_not_written_through(copy, tmp_path):
    folder = copy()
    elsewhere = tmp_path / "elsewhere"
    blob_of(folder).parent.rename(elsewhere)
    (folder / "blobs" / elsewhere.name).unlink(missing_ok=True)
    place = folder / "blobs" / blob_name(folder)[:2]
    place.symlink_to(elsewhere)
    target = DiskTarget(folder)
    del target[LARGE]
    shutil.rmtree(elsewhere)
    elsewhere.mkdir()
    computed, told = right(target, LARGE)
    assert computed
    assert "leads out of the store" in told[0]
    assert list(elsewhere.iterdir()) == []
    target.close()


def blob_name(folder):
    target = DiskTarget(folder)
    name = target.entry(LARGE).file
    target.close()
    return name.removeprefix("blobs/").replace("/", "")


def test_swapped_rows_are_noticed(copy):
    import sqlite3

    folder = copy()
    with contextlib.closing(sqlite3.connect(folder / "index.sqlite")) as connection:
        connection.execute("insert into entries select id + 10, tag, 'other', transform, codec, size, digest, created, "
                           "seconds, made_from, blob, data from entries")  # fmt: skip
        connection.commit()
    target = DiskTarget(folder)
    for tag in ("small", "large"):
        with pytest.warns(StoreWarning, match="row does not match"):
            assert target.get(("other", tag, "1b")) is None
    target.close()
    assert heals(folder) == []


def test_damage_is_told_by_verify_and_repaired_on_demand(copy):
    folder = copy()
    flip(blob_of(folder), 1000)
    target = DiskTarget(folder)
    for _ in range(2):
        assert [line.split(":")[0] for line in target.verify()] == ["0a large 1b"]
    assert len(target.verify(repair=True)) == 1
    assert target.verify() == []
    assert list(target) == [SMALL]
    target.close()


def test_lazy_leaves_large_values_to_verify(copy):
    folder = copy()
    flip(blob_of(folder), blob_of(folder).stat().st_size - 1)
    target = DiskTarget(folder, verify="lazy")
    assert len(target[LARGE]) == 5_000
    assert len(target.verify()) == 1
    target.close()


def test_an_index_that_damage_made_read_only_is_replaced(copy):
    folder = copy()
    flip(folder / "index.sqlite", 18)
    target = DiskTarget(folder)
    with pytest.warns(StoreWarning, match="readonly"):
        target["new", "t", "f"] = 1
    assert sorted(target) == sorted([*VALUES, ("new", "t", "f")])
    target.close()


def test_an_index_of_a_newer_format_behind_a_valid_note_is_replaced(copy):
    folder = copy()
    flip(folder / "index.sqlite", 63, mask=8)
    assert len(heals(folder)) >= 1
    assert (folder / "index-2.sqlite").exists()


def test_whole_rows_of_a_damaged_index_are_saved(tmp_path):
    target = DiskTarget(tmp_path / "store")
    for number in range(2_000):
        target[str(number), "t", "f"] = [number] * 20
    target.close()
    path = tmp_path / "store" / "index.sqlite"
    with open(path, "r+b") as file:
        file.seek(4096 * (path.stat().st_size // 4096 // 2))
        file.write(os.urandom(4096))
    with pytest.warns(StoreWarning, match="malformed"):
        kept = [target.get((str(number), "t", "f")) == [number] * 20 for number in range(2_000)]
    assert sum(kept) > 0
    assert len(target) > 1_500
    assert target.verify() == []
    target.close()


# killed processes

WRITER = """
import sys, itertools
import numpy as np
from flowly_ckpt.targets import DiskTarget
target = DiskTarget(sys.argv[1], max_bytes=int(sys.argv[2]) or None)
for number in itertools.count():
    target[str(number % 7), "small", "f"] = {"number": number, "text": "x" * (number % 50 * 100)}
    target[str(number % 5), "large", "f"] = np.full(5_000 + number % 3 * 400_000, number)
    if number % 11 == 0:
        del target[str(number % 5), "large", "f"]
    print(number, flush=True)
"""


@pytest.mark.parametrize("bound", [0, 8_000_000])
@pytest.mark.parametrize("rounds", [1, 2, 5, 9, 17, 40])
def test_kill_at_any_moment_leaves_whole_entries_only(tmp_path, rounds, bound):
    process = start(WRITER, tmp_path / "store", bound)
    for _ in range(rounds):
        assert process.stdout.readline()
    process.send_signal(signal.SIGKILL)
    process.communicate()
    target = DiskTarget(tmp_path / "store")
    assert target.verify() == []
    for key in list(target):
        value = target[key]
        assert len(set(value)) == 1 if key[1] == "large" else value["text"] == "x" * (value["number"] % 50 * 100)
    target.gc(older_than=0)
    named = {entry.file for entry in target.entries() if entry.file}
    found = {str(path.relative_to(target.path)) for path in Path(target.path, "blobs").rglob("*") if path.is_file()}
    assert found == named
    target[SMALL] = 1
    assert target[SMALL] == 1
    target.close()


BLOCKED = """
import sys, time
from flowly_ckpt.targets import DiskTarget, FileTarget
from flowly_ckpt.targets.recall import recall
class Blocks:
    def __reduce__(self):
        print("encoding", flush=True)
        time.sleep(1000)
def compute():
    print("computing", flush=True)
    if sys.argv[3] == "compute":
        time.sleep(1000)
    return Blocks()
recall(globals()[sys.argv[1]](sys.argv[2]), ("0a", "small", "1b"), compute)
"""


@pytest.mark.parametrize("kind", [DiskTarget, FileTarget])
@pytest.mark.parametrize("moment", ["compute", "encode"])
def test_a_killed_holder_leaves_nothing_and_its_claim_is_taken_over(tmp_path, kind, moment):
    process = start(BLOCKED, kind.__name__, tmp_path / "store", moment)
    assert process.stdout.readline() == "computing\n"
    assert moment == "compute" or process.stdout.readline() == "encoding\n"
    target = kind(tmp_path / "store")
    results = []
    waiter = threading.Thread(target=lambda: results.append(recall(target, SMALL, lambda: "computed here")))
    waiter.start()
    waiter.join(0.2)
    assert results == [], "the other process lives and holds the claim"
    process.send_signal(signal.SIGKILL)
    process.communicate()
    waiter.join(60)
    assert results == ["computed here"]
    assert target[SMALL] == "computed here"
    assert len(target) == 1
    getattr(target, "close", int)()


def test_a_claim_that_lasts_too_long_is_passed_with_a_line_in_the_log(tmp_path, caplog):
    process = start(BLOCKED, "DiskTarget", tmp_path / "store", "compute")
    assert process.stdout.readline() == "computing\n"
    target = DiskTarget(tmp_path / "store", claim_timeout=1.2)
    with caplog.at_level("INFO", "flowly_ckpt"):
        assert recall(target, SMALL, lambda: 5) == 5
    assert f"waiting for process {process.pid}" in caplog.text
    assert "computing it here as well" in caplog.text
    process.kill()
    process.communicate()
    target.close()


def test_a_forked_child_does_not_keep_its_parents_claim(tmp_path):
    code = """
    import os, sys, time
    from flowly_ckpt.targets import DiskTarget
    target = DiskTarget(sys.argv[1])
    with target.claim(("0a", "small", "1b")):
        child = os.fork()
        if not child:
            time.sleep(1000)
        print(child, flush=True)
        time.sleep(1000)
    """
    process = start(code, tmp_path / "store")
    child = int(process.stdout.readline())
    process.send_signal(signal.SIGKILL)
    process.wait()
    target = DiskTarget(tmp_path / "store")
    with target.claim(SMALL):
        os.kill(child, 0)
    os.kill(child, signal.SIGKILL)
    process.communicate()


# many at once

SAME_KEYS = """
import os, sys, time
from flowly_ckpt.targets import DiskTarget, FileTarget
from flowly_ckpt.targets.recall import recall
target = globals()[sys.argv[1]](sys.argv[2])
print("ready", flush=True)
sys.stdin.readline()
for number in range(20):
    def compute():
        with open(sys.argv[3], "ab", 0) as log:
            log.write(b"%d\\n" % number)
        time.sleep(0.02)
        return [number] * 10_000
    assert recall(target, (str(number), "t", "f"), compute) == [number] * 10_000
"""


@pytest.mark.parametrize("kind", ["DiskTarget", "FileTarget"])
def test_four_processes_compute_each_key_once(tmp_path, kind):
    command = [sys.executable, "-c", SAME_KEYS, kind, str(tmp_path / "store"), str(tmp_path / "log")]
    processes = [
        subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, cwd=ROOT)
        for _ in range(4)
    ]
    for process in processes:
        assert process.stdout.readline() == b"ready\n"
    for process in processes:
        process.stdin.write(b"go\n")
        process.stdin.flush()
    for process in processes:
        _, err = process.communicate(timeout=120)
        assert process.returncode == 0, err.decode()
    assert Counter((tmp_path / "log").read_text().split()) == Counter(map(str, range(20)))


READER = """
import sys, warnings
import numpy as np
from flowly_ckpt.targets import DiskTarget
from flowly_ckpt.targets.recall import recall
warnings.simplefilter("error")
target = DiskTarget(sys.argv[1])
print("ready", flush=True)
for step in range(300):
    for number in range(4):
        value = recall(target, (str(number), "t", "f"), lambda: np.full(6_000, number))
        assert (value == number).all() and len(value) == 6_000
"""


def test_a_store_cleared_while_others_read_and_write_never_gives_a_wrong_value(tmp_path):
    readers = [start(READER, tmp_path / "store") for _ in range(2)]
    for reader in readers:
        assert reader.stdout.readline() == "ready\n"
    target = DiskTarget(tmp_path / "store")
    while any(reader.poll() is None for reader in readers):
        target.clear_where(object=["0", "1"])
        target.clear()
        target.gc()
    for reader in readers:
        finish(reader)
    target.close()


def test_a_folder_deleted_under_a_target_is_made_anew(tmp_path):
    target = DiskTarget(tmp_path / "store")
    for key, value in VALUES.items():
        target[key] = value
    shutil.rmtree(tmp_path / "store")
    for key in VALUES:
        right(target, key)
    target["new", "t", "f"] = VALUES[LARGE]
    other = DiskTarget(tmp_path / "store")
    assert (other["new", "t", "f"] == VALUES[LARGE]).all()
    other.close()
    target.close()


# disks that refuse


@pytest.fixture
def small_disk(tmp_path):
    """A file system of two megabytes of its own, where this machine lets us have one."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mount = shutil.which("mount")
    command = [mount or "mount", "-t", "tmpfs", "-o", "size=2m", "tmpfs", str(folder)]
    if mount is None or subprocess.run(command, capture_output=True, check=False).returncode:
        pytest.skip("no file system can be mounted here")
    yield folder
    subprocess.run(["umount", str(folder)], check=True)


@pytest.mark.parametrize("kind", [DiskTarget, FileTarget])
def test_a_full_disk_costs_no_result(small_disk, kind):
    target = kind(small_disk / "store")
    target[SMALL] = 1
    for number in range(40):
        value = os.urandom(20_000 if number % 2 else 300_000)
        with warnings.catch_warnings(record=True) as told:
            warnings.simplefilter("always")
            assert recall(target, (str(number), "t", "f"), lambda value=value: value) == value
        if told:
            break
    assert "did not store" in str(told[0].message)
    assert target[SMALL] == 1
    assert list(small_disk.rglob(".tmp-*")) == []
    target.clear()
    target[SMALL] = 2
    assert kind(small_disk / "store")[SMALL] == 2
    getattr(target, "close", int)()


@pytest.mark.parametrize("delete", ["clear_where", "pop"])
def test_a_full_disk_can_be_emptied(small_disk, delete):
    with DiskTarget(small_disk / "store", inline_bytes=0) as target:
        target[SMALL] = 1
        sizes = [100_000] * 10 + [100] * 10_000  # small ones at the end: the index is full as well
        keys = ((str(number), "t", "f") for number in range(len(sizes)))
        with pytest.raises(OSError, match=r"full|No space"):
            target.update((key, os.urandom(size)) for key, size in zip(keys, sizes))
        for number in range(10):
            if delete == "pop":
                target.pop((str(number), "t", "f"))
            else:
                assert target.clear_where(object=str(number)) == 1
        target["new", "t", "f"] = 2
        assert (target[SMALL], target["new", "t", "f"]) == (1, 2)


def test_a_limit_on_file_size_costs_no_result(tmp_path):
    code = """
    import resource, signal, sys, warnings
    from flowly_ckpt.targets import DiskTarget
    from flowly_ckpt.targets.recall import recall
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    target = DiskTarget(sys.argv[1])
    target["a", "t", "f"] = 1
    resource.setrlimit(resource.RLIMIT_FSIZE, (200_000, 200_000))
    for size in (300_000, 50_000_000):
        with warnings.catch_warnings(record=True) as told:
            warnings.simplefilter("always")
            assert recall(target, (str(size), "t", "f"), lambda: bytes(size)) == bytes(size)
        assert "did not store" in str(told[0].message), told
    print(list(target))
    """
    assert finish(start(code, tmp_path / "store")) == "[('a', 't', 'f')]\n"
    assert [path for path in tmp_path.rglob("*") if path.suffix in (".bin", "") and "tmp" in path.name] == []


@pytest.mark.parametrize("kind", [DiskTarget, FileTarget])
def test_a_read_only_disk_is_read(small_disk, kind):
    target = kind(small_disk / "store")
    for key, value in VALUES.items():
        target[key] = value
    getattr(target, "close", int)()
    subprocess.run(["mount", "-o", "remount,ro", str(small_disk)], check=True)
    target = kind(small_disk / "store")
    assert [right(target, key) for key in VALUES] == [(False, []), (False, [])]
    with pytest.warns(StoreWarning, match="did not store"):
        assert recall(target, ("new", "t", "f"), lambda: 7) == 7
    with pytest.raises(OSError, match=r"(?i)read.?only"):
        target["new", "t", "f"] = 7
    assert sorted(target) == sorted(VALUES)
    getattr(target, "close", int)()


def test_a_read_only_disk_with_damage_is_a_miss(small_disk):
    target = DiskTarget(small_disk / "store")
    target[LARGE] = VALUES[LARGE]
    target.close()
    flip(blob_of(small_disk / "store"), 500)
    subprocess.run(["mount", "-o", "remount,ro", str(small_disk)], check=True)
    target = DiskTarget(small_disk / "store")
    computed, told = right(target, LARGE)
    assert computed
    assert "does not match" in told[0]
    with pytest.raises(StoreError):
        target.clear()
    target.close()


def test_a_folder_without_leave_to_write_is_read(tmp_path):
    if os.geteuid() == 0:
        pytest.skip("root may write everywhere; the read-only disk is tried instead")
    target = DiskTarget(tmp_path / "store")
    target[SMALL] = 1
    target.close()
    for path in [tmp_path / "store", *(tmp_path / "store").rglob("*")]:
        path.chmod(0o500 if path.is_dir() else 0o400)
    target = DiskTarget(tmp_path / "store")
    assert target[SMALL] == 1
    with pytest.warns(StoreWarning, match="did not store"):
        assert recall(target, LARGE, lambda: 7) == 7
    target.close()
    (tmp_path / "store").chmod(0o700)
