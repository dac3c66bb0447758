"""What a store makes is for its owner, and what lies outside of it, or is no file, is left alone."""

from __future__ import annotations

import os
import pickle
import stat
import sys

import numpy as np
import pytest
from runs import run_script

from flowly_ckpt.errors import StoreError, StoreWarning
from flowly_ckpt.targets import DiskTarget, FileTarget, tree
from flowly_ckpt.targets.disk import schema
from flowly_ckpt.targets.recall import recall

SMALL, LARGE = ("0a", "small", "1b"), ("0a", "large", "1b")
POSIX = pytest.mark.skipif(os.name != "posix", reason="modes, links and pipes as POSIX has them")
KINDS = pytest.mark.parametrize("kind", [DiskTarget, FileTarget])


def modes(folder):
    return {
        (stat.S_ISDIR(path.lstat().st_mode), stat.S_IMODE(path.lstat().st_mode))
        for path in [folder, *folder.rglob("*")]
    }


@pytest.fixture
def umask():
    before = os.umask(0o022)
    yield
    os.umask(before)


def filled(kind, path, **options):
    target = kind(path, **options)
    recall(target, SMALL, lambda: 1)
    recall(target, LARGE, lambda: np.arange(200_000.0))
    return target


@POSIX
@KINDS
def test_what_a_store_makes_is_for_its_owner_alone(tmp_path, kind, umask):
    target = filled(kind, tmp_path / "new" / "store")
    with target.claim(("0a", "held", "1b")):
        found = modes(tmp_path / "new")
    assert found <= {(True, 0o700), (False, 0o600), (False, 0o400)}
    target.close()


@POSIX
@KINDS
def test_a_shared_store_is_for_whom_the_umask_lets_in(tmp_path, kind, umask):
    target = filled(kind, tmp_path / "store", shared=True)
    with target.claim(("0a", "held", "1b")):
        found = modes(tmp_path / "store")
    assert found <= {(True, 0o755), (False, 0o644), (False, 0o444)}
    target.close()


@POSIX
def test_a_large_value_is_in_a_file_that_nobody_can_write(tmp_path):
    target = filled(DiskTarget, tmp_path / "store")
    assert [stat.S_IMODE(path.stat().st_mode) for path in tmp_path.rglob("*.bin")] == [0o400]
    target.close()


def test_a_value_that_is_not_mapped_stays_when_its_file_is_overwritten_and_cut(tmp_path):
    code = """
    import os, pathlib
    import numpy as np
    from flowly_ckpt.targets import DiskTarget
    target = DiskTarget("store", mapped=False)
    target["a", "t", "f"] = np.arange(500_000.0)
    value = target["a", "t", "f"]
    (blob,) = pathlib.Path("store").rglob("*.bin")
    os.chmod(blob, 0o600)
    with open(blob, "r+b") as file:
        file.seek(4096)
        file.write(bytes(10_000))
        file.truncate(20_000)
    assert (value == np.arange(500_000.0)).all()
    target.close()
    """
    run_script(tmp_path, code)


def within_seconds(tmp_path, code, *arguments):
    """Run a program that must not wait for a pipe: it is stopped after a while."""
    return run_script(tmp_path, "import signal; signal.alarm(20)\n" + code, *arguments).stdout


PIPES = """
import os, pathlib, sys, warnings
import numpy as np
from flowly_ckpt.targets import DiskTarget, FileTarget
from flowly_ckpt.targets.recall import recall
warnings.simplefilter("ignore")
kind = globals()[sys.argv[1]]
with kind("store") as target:
    recall(target, ("0a", "t", "1b"), lambda: np.arange(9000.0))
number = 0
for path in sorted(path for path in pathlib.Path("store").rglob("*") if path.is_file()):
    if path.name.startswith("index"):
        continue
    path.unlink()
    os.mkfifo(path)
    with kind("store") as target:
        target.verify(), list(target), target.entry(("0a", "t", "1b")), target.gc(older_than=0)
        assert len(recall(target, ("0a", "t", "1b"), lambda: np.arange(9000.0))) == 9000
        target.clear()
        recall(target, ("0a", "t", "1b"), lambda: np.arange(9000.0))
    number += 1
print(number)
"""


@POSIX
@pytest.mark.parametrize("kind", ["DiskTarget", "FileTarget"])
def test_pipes_in_the_place_of_files_are_not_waited_for(tmp_path, kind):
    assert int(within_seconds(tmp_path, PIPES, kind)) >= 2


@POSIX
@pytest.mark.parametrize("link", ["blobs", "blobs/*"])
def test_nothing_beyond_a_link_in_the_place_of_a_folder_is_touched(tmp_path, link):
    target = filled(DiskTarget, tmp_path / "store")
    target.close()
    folder = next((tmp_path / "store").glob(link))
    elsewhere = tmp_path / "elsewhere"
    folder.rename(elsewhere)
    (elsewhere / "mine.lock").write_text("mine")
    os.symlink(elsewhere, folder)
    before = sorted(elsewhere.rglob("*"))
    target = DiskTarget(tmp_path / "store")
    del target[LARGE]
    target.gc(older_than=0)
    if link == "blobs":
        with pytest.warns(StoreWarning, match="leads out of the store"):
            recall(target, LARGE, lambda: np.arange(300_000.0))
    else:
        recall(target, LARGE, lambda: np.arange(300_000.0))
    target.clear()
    target.gc(older_than=0)
    assert sorted(elsewhere.rglob("*")) == before
    target.close()


@POSIX
def test_a_linked_folder_of_sidecars_is_not_written_through(tmp_path):
    target = FileTarget(tmp_path / "store", lambda key: key[1])
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "store").mkdir()
    os.symlink(tmp_path / "elsewhere", tmp_path / "store" / ".made")
    with pytest.warns(StoreWarning, match="leads out of the store"):
        assert recall(target, SMALL, lambda: 1) == 1
    assert list((tmp_path / "elsewhere").iterdir()) == []


@pytest.mark.parametrize("content", [False, True])
def test_a_folder_in_the_place_of_a_large_value_heals(tmp_path, content):
    target = filled(DiskTarget, tmp_path / "store")
    (blob,) = tmp_path.rglob("*.bin")
    blob.unlink()
    blob.mkdir()
    if content:
        (blob / "somebody's").write_text("file")
    with pytest.warns(StoreWarning, match="cannot be used"):
        assert len(recall(target, LARGE, lambda: np.arange(200_000.0))) == 200_000
    assert len(target[LARGE]) == 200_000
    assert not content or [path.read_text() for path in tmp_path.rglob("somebody's")] == ["file"]
    target.close()


def test_a_value_equal_to_a_damaged_file_is_stored(tmp_path):
    target = filled(DiskTarget, tmp_path / "store")
    (blob,) = tmp_path.rglob("*.bin")
    size = blob.stat().st_size
    blob.chmod(0o600)
    blob.write_bytes(bytes(size))
    target["another", "t", "f"] = np.arange(200_000.0)
    assert (target["another", "t", "f"] == np.arange(200_000.0)).all()
    target.close()


def test_what_killed_writers_left_is_collected_before_there_is_an_index(tmp_path):
    store = tmp_path / "store"
    (store / "blobs" / "ab").mkdir(parents=True)
    (store / "blobs" / "ab" / f"{'cd' * 15}.bin").write_bytes(b"left over")
    (store / ".tmp-1-0123456789ab").write_bytes(b"left over")
    assert DiskTarget(store).gc(older_than=0).files == 2
    assert [path for path in store.rglob("*") if path.is_file()] == []


@pytest.mark.parametrize("kind", ["missing", "refused"])
def test_stores_do_without_hard_links(tmp_path, monkeypatch, kind):
    def refuse(*_):
        raise PermissionError("no hard links here")

    if kind == "missing":
        monkeypatch.delattr(schema.os, "link")
    else:
        monkeypatch.setattr(schema.os, "link", refuse)
    target = DiskTarget(tmp_path / "store")
    target[SMALL] = 1
    assert target[SMALL] == 1
    with pytest.warns(StoreWarning, match="for the test"):
        target._entries.index.renew("for the test")
    target.close()
    assert DiskTarget(tmp_path / "store")[SMALL] == 1
    assert not list(tmp_path.rglob("*.new"))


HOSTILE = ("0a", "tag \x1b]0;owned\x07\x1b[2J", "1b")


@KINDS
def test_no_escape_of_a_store_reaches_the_terminal(tmp_path, kind):
    target = kind(tmp_path / "store", codec=tree, **({"inline_bytes": 1} if kind is DiskTarget else {}))
    target[HOSTILE] = [1, 2, 3]
    for path in [path for path in tmp_path.rglob("*") if path.is_file() and path.parent.name not in (".made", "store")]:
        path.chmod(0o600)
        path.write_bytes(b"damage")
    lines = kind(tmp_path / "store", codec=tree).verify()
    assert lines
    assert all(line.isprintable() for line in lines), lines
    with pytest.warns(StoreWarning) as caught:
        assert target.get(HOSTILE) is None
    assert all(str(warning.message).isprintable() for warning in caught)
    target.close()


def test_no_escape_of_a_foreign_folder_reaches_the_terminal(tmp_path):
    (tmp_path / "\x1b[2Jowned").write_text("")
    with pytest.raises(StoreError, match="not a store") as caught:
        DiskTarget(tmp_path)
    assert str(caught.value).isprintable()


@pytest.mark.skipif(sys.platform == "win32", reason="a name that is no text")
def test_a_file_of_other_origin_is_never_deleted_by_its_link(tmp_path):
    (tmp_path / "data").write_bytes(pickle.dumps(1))
    target = FileTarget(tmp_path / "store", lambda key: key[1])
    target[SMALL] = 2
    (tmp_path / "store" / "small").unlink()
    os.symlink(tmp_path / "data", tmp_path / "store" / "small")
    assert target.get(SMALL) is None
    target.clear()
    assert pickle.loads((tmp_path / "data").read_bytes()) == 1


def test_a_flipped_number_in_the_note_does_not_lock_the_store(tmp_path):
    target = filled(DiskTarget, tmp_path / "store")
    target.close()
    note = tmp_path / "store" / "flowly-ckpt.txt"
    note.write_bytes(note.read_bytes().replace(b"format 2", b"format 3"))
    target = DiskTarget(tmp_path / "store")
    assert target[SMALL] == 1
    target.close()
