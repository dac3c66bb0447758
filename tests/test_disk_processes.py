"""A store on disk among processes: forks, replaced indexes, clocks that stand still, descriptors that run out."""

from __future__ import annotations

import contextlib
import os
import shutil
import sqlite3
import types
import warnings

import pytest
from runs import ROOT, run_script

from flowly_ckpt.errors import StoreWarning
from flowly_ckpt.targets import DiskTarget
from flowly_ckpt.targets.disk import entries as entries_module
from flowly_ckpt.targets.disk.blobs import Blobs
from flowly_ckpt.targets.disk.entries import Entries
from flowly_ckpt.targets.disk.index import Index

forks = pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
HEAD = """
    import os, sys, threading, time, warnings
    warnings.filterwarnings("ignore", category=DeprecationWarning)  # of forks with threads, which is what is tried
    from flowly_ckpt.targets import DiskTarget
    from flowly_ckpt.targets.recall import recall

    def key(number):
        return ("0a", "tag", str(number))

    def child(work):
        pid = os.fork()
        if pid == 0:
            try:
                work()
                os._exit(0)
            except BaseException:
                import traceback
                traceback.print_exc()
                os._exit(1)
        return pid

    def joined(pid):
        assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0
"""


def keys(folder):
    with DiskTarget(folder) as target:
        return {key[2] for key in target}


@forks
def test_what_a_forked_child_stores_after_its_parent_has_closed_is_found(tmp_path):
    code = (
        HEAD
        + """
    target = DiskTarget("store")
    target[key("parent")] = 1
    ready, go = os.pipe(), os.pipe()

    def work():
        target[key("early")] = 1
        os.write(ready[1], b"x")
        os.read(go[0], 1)
        for number in range(50):
            target[key(number)] = number
        target.close()

    pid = child(work)
    os.read(ready[0], 1)
    target.close()
    os.write(go[1], b"x")
    joined(pid)
    """
    )
    run_script(tmp_path, code)
    assert keys(tmp_path / "store") == {"parent", "early", *map(str, range(50))}


@forks
def test_a_fork_while_another_thread_stores_leaves_the_child_free(tmp_path):
    code = (
        HEAD
        + """
    target = DiskTarget("store")
    target[key("first")] = 1
    over = threading.Event()

    def store():
        number = 0
        while not over.is_set():
            target.put_many([(key(f"thread {number} {i}"), bytes(100), target_facts) for i in range(50)])
            number += 1

    from flowly_ckpt.typing import Facts
    target_facts = Facts(0.0)
    thread = threading.Thread(target=store)
    thread.start()
    start = time.monotonic()
    for number in range(20):
        def work():
            target[key(f"child {number}")] = number
            assert target[key(f"child {number}")] == number
            target.close()
        joined(child(work))
    took = time.monotonic() - start
    over.set()
    thread.join()
    target.close()
    print(took)
    """
    )
    took = float(run_script(tmp_path, code).stdout)
    assert took < 50, "a child that is locked out waits for 60 s"
    assert {f"child {number}" for number in range(20)} <= keys(tmp_path / "store")


@forks
def test_a_fork_while_another_thread_makes_the_store_leaves_the_child_free(tmp_path):
    code = (
        HEAD
        + """
    for number in range(8):
        target, about = DiskTarget(f"store {number}"), threading.Event()

        def store():
            about.set()
            target[key("of the parent")] = 1

        thread = threading.Thread(target=store)
        thread.start()
        about.wait()
        time.sleep(number / 2000)  # so that the fork comes at some place or other
        pid = child(lambda: target.update({key("of the child"): 1}))
        thread.join()
        joined(pid)
    """
    )
    run_script(tmp_path, code)
    for number in range(8):
        assert keys(tmp_path / f"store {number}") == {"of the parent", "of the child"}


@forks
@pytest.mark.parametrize("target", ["DiskTarget('store')", "{}"])
def test_a_fork_while_a_thread_computes_leaves_the_child_free_to_compute(tmp_path, target):
    code = (
        HEAD
        + f"""
    target = {target}
    begun, over = threading.Event(), threading.Event()

    def slow():
        begun.set()
        over.wait()
        return "of the parent"

    thread = threading.Thread(target=lambda: recall(target, key("K"), slow))
    thread.start()
    begun.wait()
    pid = child(lambda: print(recall(target if isinstance(target, dict) else DiskTarget("other"), key("K"),
                                     lambda: "of the child"), flush=True))
    joined(pid)
    over.set()
    thread.join()
    """
    )
    assert run_script(tmp_path, code).stdout == "of the child\n"


def damaged(folder):
    """Damage the index so that SQLite notices it at the next look."""
    path = folder / "index.sqlite"
    data = bytearray(path.read_bytes())
    data[4096:8192] = bytes(4096)
    path.write_bytes(data)


def test_what_is_stored_after_another_process_has_renewed_the_index_is_found(tmp_path):
    folder = tmp_path / "store"
    early = DiskTarget(folder)
    early["0a", "tag", "before"] = 1
    with sqlite3.connect(folder / "index.sqlite") as connection:
        connection.execute("pragma wal_checkpoint(truncate)")
    connection.close()
    renew = """
        import warnings
        from flowly_ckpt.targets import DiskTarget
        warnings.simplefilter("ignore")
        target = DiskTarget("store")
        target._entries.index.rows("select 1 from entries")
        target._entries.index.renew("for the test")
        target.close()
    """
    run_script(tmp_path, renew)
    assert (folder / "index-2.sqlite").exists()
    for number in range(50):
        early["0a", "tag", str(number)] = number
    early.close()
    assert keys(folder) >= {"before", *map(str, range(50))}


@pytest.mark.parametrize("clock", ["frozen", "coarse", "backwards"])
def test_entries_do_not_depend_on_the_clock(tmp_path, monkeypatch, clock):
    real = entries_module.time
    ticks = iter(range(10**6))
    now = {
        "frozen": lambda: 1_700_000_000_000_000_000,
        "coarse": lambda: real.time_ns() // 15_600_000 * 15_600_000,
        "backwards": lambda: 1_700_000_000_000_000_000 - next(ticks) * 10**9,
    }[clock]
    monkeypatch.setattr(entries_module, "time", types.SimpleNamespace(time_ns=now, time=real.time))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        target = DiskTarget(tmp_path / "store")
        for number in range(60):
            target["0a", "tag", str(number)] = number
            target["0a", "tag", str(number)] = number + 1
        assert [target["0a", "tag", str(number)] for number in range(60)] == list(range(1, 61))
        target.close()
    assert [path.name for path in (tmp_path / "store").glob("index*")] == ["index.sqlite"]
    assert len(keys(tmp_path / "store")) == 60


def test_few_file_descriptors_cost_no_entry(tmp_path):
    code = """
        import os, resource, warnings
        from flowly_ckpt.targets import DiskTarget
        warnings.simplefilter("ignore")
        target = DiskTarget("store", inline_bytes=10)
        for number in range(30):
            target["0a", "tag", str(number)] = bytes(1000 + number)
        resource.setrlimit(resource.RLIMIT_NOFILE, (64, 64))
        taken = []
        while True:
            try:
                taken.append(os.open(os.devnull, os.O_RDONLY))
            except OSError:
                break
        print([target.get(("0a", "tag", str(number))) for number in range(30)].count(None))
        for descriptor in taken:
            os.close(descriptor)
        print([target.get(("0a", "tag", str(number))) for number in range(30)].count(None))
        target.close()
    """
    pytest.importorskip("resource")
    assert run_script(tmp_path, code).stdout.split() == ["30", "0"]


@pytest.mark.skipif(os.name != "posix" or os.geteuid() != 0, reason="only root can become somebody else")
def test_a_reader_without_permission_costs_the_owner_nothing(tmp_path):
    shutil.copytree(ROOT / "flowly_ckpt", tmp_path / "package" / "flowly_ckpt")
    owner = DiskTarget(tmp_path / "store", inline_bytes=10)
    owner["0a", "tag", "1"] = bytes(1000)
    (blob,) = (tmp_path / "store").glob("blobs/*/*.bin")
    blob.chmod(0)
    # Root reads what nobody may: the refusal comes from opening it as a folder would refuse.
    blob.rename(tmp_path / "kept")
    os.symlink(tmp_path / "kept", blob)
    with pytest.warns(StoreWarning, match="cannot be used"):
        assert owner.get(("0a", "tag", "1")) is None
    os.unlink(blob)
    (tmp_path / "kept").rename(blob)
    assert owner["0a", "tag", "1"] == bytes(1000)
    owner.close()


OLD, NEW = ("0a", "tag", "old"), ("0a", "tag", "new")


def meanwhile(monkeypatch, owner, name, act):
    """Let something happen before the next call of a method, and only then."""
    real = getattr(owner, name)

    def call(*arguments, **options):
        monkeypatch.setattr(owner, name, real)
        act()
        return real(*arguments, **options)

    monkeypatch.setattr(owner, name, call)


def damage(folder, key):
    with contextlib.closing(sqlite3.connect(folder / "index.sqlite")) as connection:
        connection.execute("update entries set data = x'00' where transform = ?", (key[2],))
        connection.commit()


def test_what_is_deleted_while_it_is_verified_is_not_damaged(tmp_path, monkeypatch):
    target, other = DiskTarget(tmp_path / "store", inline_bytes=0), DiskTarget(tmp_path / "store")
    target[OLD] = [1]
    meanwhile(monkeypatch, Blobs, "load", lambda: other.pop(OLD))
    assert target.verify() == []
    target[OLD] = [1]
    meanwhile(monkeypatch, Blobs, "load", lambda: other.update({OLD: [2]}))
    assert target.verify() == []
    assert len(target) == 1


@pytest.mark.parametrize("way", ["look up", "repair"])
def test_removing_a_damaged_entry_leaves_the_one_that_came_to_have_its_number(tmp_path, monkeypatch, way):
    target, other = DiskTarget(tmp_path / "store"), DiskTarget(tmp_path / "store")
    target[OLD] = [1]
    damage(tmp_path / "store", OLD)

    def replace():
        del other[OLD]
        other[NEW] = [2]

    if way == "repair":
        meanwhile(monkeypatch, Entries, "remove_row", replace)
        assert len(target.verify(repair=True)) == 1
    else:
        meanwhile(monkeypatch, Index, "transact", replace)
        with pytest.warns(StoreWarning, match="does not match"):
            assert target.get(OLD) is None
    assert dict(other) == {NEW: [2]}
