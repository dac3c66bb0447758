"""What is promised of stores holds at every kind of store: real processes, pipes, links and forks."""

from __future__ import annotations

import os
import sys
import textwrap
from pathlib import Path

import pytest
from every_store import NEEDS, STORES
from runs import needs_processes, run_script

SMALL, LARGE = ("0a", "small", "1b"), ("0a", "large", "1b")
POSIX = pytest.mark.skipif(os.name != "posix" or sys.platform == "emscripten", reason="as POSIX has them")
HEAD = f"""
import os, signal, sys, threading, time, warnings
from pathlib import Path
sys.path.append({str(Path(__file__).parent)!r})
import numpy as np
from every_store import STORES
from flowly_ckpt.targets.recall import recall
make, folder = STORES[sys.argv[1]], os.path.abspath("store")
SMALL, LARGE = {SMALL!r}, {LARGE!r}
signal.alarm(50)
warnings.filterwarnings("ignore", module="sqlalchemy")
warnings.filterwarnings("ignore", category=DeprecationWarning)

def fill(target):
    assert recall(target, SMALL, lambda: 1) == 1
    assert recall(target, LARGE, lambda: np.arange(20_000.0))[-1] == 19_999

"""


@pytest.fixture(params=list(STORES))
def kind(request):
    pytest.importorskip("numpy")
    for start, name in NEEDS.items():
        if request.param.startswith(start):
            pytest.importorskip(name)
    return request.param


def run(folder, kind, code):
    return run_script(folder, HEAD + textwrap.dedent(code), kind).stdout


@POSIX
def test_what_it_makes_is_for_its_owner_alone(tmp_path, kind):
    run(tmp_path, kind, """
    os.umask(0)
    with make(folder) as target, target.claim(("0a", "held", "1b")):
        fill(target)
        for path in [Path(folder), *Path(folder).rglob("*")]:
            assert path.lstat().st_mode & 0o077 == 0, path
    """)  # fmt: skip


@POSIX
def test_a_pipe_in_the_place_of_a_file_is_a_miss_that_heals(tmp_path, kind):
    run(tmp_path, kind, """
    warnings.simplefilter("ignore")
    with make(folder) as target:
        fill(target)
    for path in sorted(path for path in Path(folder).rglob("*") if path.is_file()):
        if not path.exists() or path.name.startswith(("index", "results.db")):
            continue
        path.unlink()
        os.mkfifo(path)
        with make(folder) as target:
            target.verify(), list(target), target.entry(LARGE), target.gc(older_than=0)
            fill(target)
        with make(folder) as target:
            assert target[SMALL] == 1, path
            assert len(target[LARGE]) == 20_000, path
    """)  # fmt: skip


@POSIX
def test_nothing_beyond_a_link_in_the_place_of_a_folder_is_read_or_touched(tmp_path, kind):
    run(tmp_path, kind, """
    import shutil
    warnings.simplefilter("ignore")
    with make(folder) as target:
        fill(target)
        with target.claim(("0a", "held", "1b")):
            folders = sorted(str(path)[len(folder):] for path in Path(folder).rglob("*") if path.is_dir())
    whole, there = folder, 0
    for name in folders:
        if name in ("/fast", "/slow", "/large"):
            continue  # the root of a store may be a link
        folder, elsewhere = f"{whole} {there}", Path(f"{whole} {there} elsewhere")
        shutil.copytree(whole, folder)
        os.makedirs(folder + name, exist_ok=True)
        os.rename(folder + name, elsewhere)
        (elsewhere / "mine.lock").write_text("mine")
        os.symlink(elsewhere, folder + name)
        def seen():
            return sorted((path, path.is_file() and path.read_bytes()) for path in elsewhere.rglob("*"))
        before = seen()
        with make(folder) as target:
            fill(target)
            for work in (lambda: target.pop(SMALL, None), target.clear, lambda: target.gc(older_than=0)):
                try:
                    work()
                except OSError as error:
                    assert "outside" in str(error) or "leads out" in str(error), error
            with target.claim(("0a", "held", "1b")):
                pass
        assert seen() == before, name
        there += 1
    """)  # fmt: skip


@needs_processes
@POSIX
def test_a_fork_while_threads_store_leaves_the_child_free(tmp_path, kind):
    run(tmp_path, kind, """
    target, over = make(folder), threading.Event()
    fill(target)

    def use(name):
        number = 0
        while not over.is_set():
            number += 1
            key = (name, str(number % 20), "f")
            assert recall(target, key, lambda: np.full(20_000, number % 20))[0] == number % 20
            if number % 7 == 0:
                target.pop(key, None)

    threads = [threading.Thread(target=use, args=(name,)) for name in "ab"]
    for thread in threads:
        thread.start()
    for number in range(5):
        pid = os.fork()
        if pid == 0:
            try:
                signal.alarm(20)
                assert target[SMALL] == 1
                assert recall(target, ("c", str(number), "f"), lambda: [number]) == [number]
                assert target["c", str(number), "f"] == [number]
                assert len(recall(target, ("d", str(number), "f"), lambda: np.arange(20_000.0))) == 20_000
                target.close()
                os._exit(0)
            finally:
                os._exit(1)
        assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0
    over.set()
    for thread in threads:
        thread.join()
    target.close()
    """)  # fmt: skip


@POSIX
def test_a_store_that_is_emptied_while_it_is_open_is_made_anew(tmp_path, kind):
    run(tmp_path, kind, """
    import shutil
    warnings.simplefilter("ignore")
    with make(folder) as target:
        fill(target)
        for path in Path(folder).iterdir():
            shutil.rmtree(path, ignore_errors=True) if path.is_dir() else path.unlink(missing_ok=True)
        fill(target)
        fill(target)  # what the file that was deleted still gave is asked for in the new one
    with make(folder) as target:
        assert target[SMALL] == 1
        assert len(target[LARGE]) == 20_000
    """)  # fmt: skip


@POSIX
@pytest.mark.parametrize("kind", ["DiskTarget", "SqlTarget"], indirect=True)
def test_a_writer_that_was_stopped_holds_up_once_and_not_for_each_result(tmp_path, kind):
    run(tmp_path, kind, """
    import sqlite3
    warnings.simplefilter("ignore")
    with make(folder) as target:
        fill(target)
        (file,) = [*Path(folder).glob("*.sqlite"), *Path(folder).glob("*.db")]
        stopped = sqlite3.connect(file, isolation_level=None)
        stopped.execute("begin immediate")
        for number in range(12):  # five seconds for each would be too long
            assert recall(target, ("c", str(number), "f"), lambda: [number]) == [number]
            assert target[SMALL] == 1
        stopped.execute("rollback")
        stopped.close()
        recall(target, ("c", "0", "f"), lambda: [0])
        assert target["c", "0", "f"] == [0]
    """)  # fmt: skip


@POSIX
def test_a_repair_that_cannot_read_what_is_there_removes_nothing(tmp_path, kind):
    pytest.importorskip("resource")
    run(tmp_path, kind, """
    import resource
    most = resource.getrlimit(resource.RLIMIT_NOFILE)

    def open_none(*progress):
        free = os.dup(0)
        os.close(free)
        resource.setrlimit(resource.RLIMIT_NOFILE, (free, most[1]))

    with make(folder) as target:
        fill(target)
        assert target.verify() == []
        for before in (open_none, int):  # it can list nothing, or read nothing but the first entry
            before()
            try:
                target.verify(repair=True, progress=open_none)
            except OSError:
                pass
            finally:
                resource.setrlimit(resource.RLIMIT_NOFILE, most)
            assert sorted(target) == sorted([SMALL, LARGE])
            assert (target[SMALL], len(target[LARGE]), target.verify()) == (1, 20_000, [])
    """)  # fmt: skip
