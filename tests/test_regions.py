"""Locks on regions of a file, on which claims between processes rest."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest
from runs import run_script, start_script

from flowly_ckpt.targets import DiskTarget, regions
from flowly_ckpt.targets.file_claims import Claims, FileClaim
from flowly_ckpt.targets.recall import recall
from flowly_ckpt.targets.regions import LARGEST, PLACES, Regions, opened, remove_last

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="numbers are told by open file description locks")

KEY = ("object", "tag", "transform")
OTHER = ("other", "tag", "transform")


def start(folder, code, *arguments):
    return start_script(folder, code, *map(str, arguments), stdin=subprocess.PIPE)


HOLDER = """
    import sys
    from flowly_ckpt.targets.regions import Regions
    file = Regions(sys.argv[1])
    file.enter("it")
    assert file.lock(int(sys.argv[2]), int(sys.argv[3]))
    print("locked", flush=True)
    sys.stdin.read()
"""


ASK = """
    import sys
    from flowly_ckpt.targets.file_claims import Claims
    print(Claims(sys.argv[1]).is_claimed(tuple(sys.argv[2:])))
"""


@pytest.mark.parametrize(("place", "number"), [(0, 0), (1, 7), (PLACES // 2 - 1, LARGEST), (PLACES - 1, LARGEST)])
def test_a_lock_tells_its_number_until_its_holder_dies(tmp_path, place, number):
    process = start(tmp_path, HOLDER, tmp_path / "locks", place, number)
    assert process.stdout.readline() == "locked\n"
    file = Regions(str(tmp_path / "locks"))
    file.enter("me")
    assert not file.lock(place)
    assert file.number(place) == number
    for beside in {max(place - 1, 0), min(place + 1, PLACES - 1)} - {place}:
        assert file.number(beside) is None
        assert file.lock(beside, LARGEST)
    process.kill()
    process.communicate()
    assert file.number(place) is None
    assert file.lock(place)
    file.leave("me")
    assert not opened


@pytest.mark.parametrize("number", [0, LARGEST])
def test_a_place_that_was_released_can_be_locked_whole(tmp_path, number):
    mine = Regions(str(tmp_path / "locks"))
    mine.enter("me")
    assert mine.lock(1, number)
    mine.unlock(1)
    process = start(tmp_path, HOLDER, tmp_path / "locks", 1, LARGEST)
    assert process.stdout.readline() == "locked\n"
    mine.leave("me")
    process.kill()
    process.communicate()


def test_a_file_is_removed_with_its_folder_once_nobody_holds_a_place(tmp_path):
    path = str(tmp_path / "folder" / "locks")
    claims = Claims(path)
    with claims.claim(KEY):
        remove_last(path, str(tmp_path))
        assert os.path.exists(path)
    process = start(tmp_path, HOLDER, path, 5, 5)
    assert process.stdout.readline() == "locked\n"
    remove_last(path, str(tmp_path))
    assert os.path.exists(path)
    process.kill()
    process.communicate()
    (tmp_path / "folder" / "beside").touch()
    remove_last(path, str(tmp_path))
    assert os.path.exists(path)
    (tmp_path / "folder" / "beside").unlink()
    remove_last(path, str(tmp_path))
    assert not os.path.exists(tmp_path / "folder")
    assert not opened


def test_a_claim_on_a_file_that_was_removed_is_made_on_the_one_that_is_there_now(tmp_path):
    claims = Claims(str(tmp_path / "claims.lock"))
    before = os.listdir("/proc/self/fd")
    with claims.claim(KEY):
        os.unlink(claims.path)
        with claims.claim(OTHER):
            assert claims.is_claimed(KEY), "by the thread that holds it, in the file that has lost its name"
            assert run_script(tmp_path, ASK, claims.path, *OTHER).stdout == "True\n"
    assert not opened
    assert len(os.listdir("/proc/self/fd")) <= len(before)


def test_a_file_that_has_lost_its_name_is_not_locked(tmp_path):
    file = Regions(str(tmp_path / "locks"))
    file.enter("me")
    try:
        os.unlink(file.path)
        for lock in (file.lock_all, lambda: file.lock(0)):
            with pytest.raises(FileNotFoundError):
                lock()
    finally:
        file.leave("me")


def test_who_comes_late_to_remove_the_file_leaves_the_next_one_alone(tmp_path, monkeypatch):
    path = str(tmp_path / "locks")
    running = []
    lock_all = Regions.lock_all

    def lock_all_late(file):
        os.unlink(path)
        running.append(start(tmp_path, HOLDER, path, 5, 5))
        assert running[0].stdout.readline() == "locked\n"
        return lock_all(file)

    with Claims(path).claim(KEY):
        pass
    monkeypatch.setattr(Regions, "lock_all", lock_all_late)
    remove_last(path, str(tmp_path))
    assert os.path.exists(path)
    assert not opened
    running[0].kill()
    running[0].communicate()


@pytest.mark.filterwarnings("ignore:.*multi-threaded:DeprecationWarning")  # by a thread that another test has left
def test_a_forked_child_holds_nothing_and_claims_for_itself(tmp_path):
    claims = Claims(str(tmp_path / "claims.lock"))
    with claims.claim(KEY) as mine:
        child = os.fork()
        if not child:
            held = not opened and claims.is_claimed(KEY)
            mine.release()
            held = held and claims.is_claimed(KEY) and not claims.is_claimed(OTHER)
            os._exit(0 if held else 1)
        assert os.waitpid(child, 0)[1] == 0


COMING_AND_GOING = """
    import os, sys
    from flowly_ckpt.targets.regions import Regions, guard, remove_last
    path = sys.argv[1]
    for _ in range(1000):
        with guard:
            file = Regions(path)
            file.enter("it")
            file.leave("it")
        remove_last(path, os.path.dirname(os.path.dirname(path)))
"""


def test_a_file_whose_folder_others_make_and_remove_can_be_opened(tmp_path):
    running = [start(tmp_path, COMING_AND_GOING, tmp_path / "folder" / "locks") for _ in range(3)]
    assert [(process.communicate(timeout=200), process.returncode)[1] for process in running] == [0, 0, 0]


def test_a_link_in_the_place_of_the_file_is_not_followed(tmp_path):
    (tmp_path / "elsewhere").write_text("mine")
    target = DiskTarget(tmp_path / "store")
    target[KEY] = 1
    os.symlink(tmp_path / "elsewhere", tmp_path / "store" / "claims.lock")
    assert recall(target, OTHER, lambda: 2) == 2
    target.close()
    assert (tmp_path / "elsewhere").read_text() == "mine"
    assert not opened


CIRCLE = """
    import sys, warnings
    from flowly_ckpt.targets import DiskTarget
    from flowly_ckpt.targets.recall import recall
    warnings.simplefilter("ignore")
    first, second = DiskTarget(sys.argv[1]), DiskTarget(sys.argv[2])

    def inside():
        print("inside", flush=True)
        sys.stdin.readline()
        return recall(second, (sys.argv[4], "tag", "f"), lambda: 2)

    print(recall(first, (sys.argv[3], "tag", "f"), inside), flush=True)
"""


def test_processes_that_wait_for_each_other_in_two_stores_go_on(tmp_path):
    one = start(tmp_path, CIRCLE, tmp_path / "a", tmp_path / "b", "x", "y")
    two = start(tmp_path, CIRCLE, tmp_path / "b", tmp_path / "a", "y", "x")
    for process in (one, two):
        assert process.stdout.readline() == "inside\n"
    for process in (one, two):
        process.stdin.write("\n")
        process.stdin.flush()
    assert [process.communicate(timeout=60)[0] for process in (one, two)] == ["2\n", "2\n"]


def test_a_file_that_lost_its_name_while_one_waited_is_closed_with_its_last_user(tmp_path):
    path = str(tmp_path / "claims.lock")
    holder, waiter, other = (FileClaim(path, ("a", "b", name), 60) for name in "xxy")
    waiter.thread = -1
    assert holder.lock()
    assert not waiter.lock()
    os.unlink(path)
    assert other.lock(), "in a new file of this name"
    assert not waiter.lock()
    for claim in (waiter, holder, other):
        claim.release()
    assert not regions._open


def test_a_file_whose_closing_fails_costs_no_result(tmp_path):
    file = Regions(str(tmp_path / "claims.lock"))
    file.enter("me")
    os.close(file._descriptors[0])  # as a daemon closes all that is open; a mount that is gone refuses it, too
    file.leave("me")
    assert (file in regions._open, file.path in opened) == (False, False)
