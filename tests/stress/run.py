"""Attack the stores, and print a table: fault, tried, held.

python tests/stress/run.py [--quick]

Each trial runs in a forked process. Faults come at the Nth of the calls that a store makes to the file system, for each
N there is (with --quick for every seventh; errors and forks for every third of those, lasting ones for every sixth):
killed before it, in it (half of what was to be written is) and after it; failing once, and for good.
SQLite's own calls are not among these; ``storms.py`` kills in the midst of them.
"""

from __future__ import annotations

import errno
import fcntl
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from forked import Table, child, same

from flowly_ckpt.errors import StoreWarning
from flowly_ckpt.targets import DiskTarget, FileTarget, Serialized, compressed, gzipped, pickled, plain_pickle, tree
from flowly_ckpt.targets.recall import recall

QUICK = "--quick" in sys.argv
CALLS = ("open", "close", "write", "writev", "pwrite", "ftruncate", "fstat", "lstat", "stat", "replace", "rename",
         "unlink", "link", "mkdir", "rmdir", "listdir", "scandir", "utime", "fsync", "access", "readlink")  # fmt: skip
ERRORS = (errno.ENOSPC, errno.EIO, errno.EMFILE, errno.EACCES)
KINDS: dict[str, Callable[[str], Any]] = {
    "DiskTarget": DiskTarget,
    "DiskTarget, durable": lambda path: DiskTarget(path, durable=True),
    "DiskTarget, bounded": lambda path: DiskTarget(path, max_bytes=1_000_000),
    "FileTarget": FileTarget,
    "FileTarget, tree": lambda path: FileTarget(path, codec=tree),
}
VALUES = {("0a", name, "1b"): value for name, value in [
    ("small", {"a": list(range(40))}), ("large", np.arange(9_000)), ("other", [1.5] * 30), ("file", np.ones(7_000)),
]}  # fmt: skip
OLD, NEW = list(VALUES)[:2], list(VALUES)[2:]


class Calls:
    """Count the calls to the file system, and do something at one of them."""

    def __init__(self, act: Callable[[Calls, str, Callable[..., Any], tuple[Any, ...]], bool]) -> None:
        self.count = 0
        self.act = act
        for module, name in [*((os, name) for name in CALLS if hasattr(os, name)), (fcntl, "flock")]:
            setattr(module, name, self.wrapped(name, getattr(module, name)))

    def wrapped(self, name: str, real: Callable[..., Any]) -> Callable[..., Any]:
        def call(*arguments: Any, **more: Any) -> Any:
            self.count += 1
            return None if self.act(self, name, real, arguments) else real(*arguments, **more)

        return call


def session(target: Any) -> None:
    """Use a store in every way; whatever fails, values are right."""
    for key in [*OLD, *NEW, *NEW]:
        assert same(recall(target, key, lambda key=key: VALUES[key]), VALUES[key]), key
    for work in (
        lambda: target.pop(NEW[0], None), target.verify, lambda: list(target.entries()), target.gc, target.close,
    ):  # fmt: skip
        try:
            work()
        except (OSError, KeyError):
            continue  # said to the caller, who asked for it by name


def check(make: Callable[[str], Any], path: str, keeps_old: bool = True) -> str:
    """Hold a store to the law after a fault: nothing wrong, nothing lost, nothing leaked, and it works."""

    def look() -> None:
        target = make(path)
        damage = target.verify()
        assert damage == [], damage
        for key, value in VALUES.items():
            found = target.get(key)
            assert (found is None and (key in NEW or not keeps_old)) or same(found, value), f"{key}: {found!r:.80}"
        for key, value in VALUES.items():
            assert same(recall(target, key, lambda value=value: value), value)
            assert same(target[key], value), f"{key} is not stored"
        target.close()
        target.gc(older_than=0)
        left = [name for _, _, names in os.walk(path) for name in names if name.startswith(".tmp")]
        assert not left, left

    code, said = child(look)
    return "" if code == 0 else said


def trials(make: Callable[[str], Any], act: Callable[..., bool], at: int, dies: bool) -> tuple[bool, str]:
    """Run a session with a fault at a call; return whether there was such a call, and what did not hold."""
    with tempfile.TemporaryDirectory(dir=SCRATCH) as folder:
        path = f"{folder}/store"
        shutil.copytree(BASES[make], path)

        def work() -> int:
            target = make(path)
            calls = Calls(lambda calls, *call: calls.count >= at and act(calls.count == at, *call))
            session(target)
            for thread in threads:
                thread.join()
            return calls.count

        code, said = child(work)
        if code == 0 and int(said) < at:
            return False, ""
        if code not in ((0, -signal.SIGKILL) if dies else (0,)):
            return True, said or f"exit {code}"
        return True, check(make, path)


def die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def before(first: bool, name: str, real: Any, arguments: tuple[Any, ...]) -> bool:
    die()
    return True


def during(first: bool, name: str, real: Any, arguments: tuple[Any, ...]) -> bool:
    if name in ("write", "writev", "pwrite"):
        data = b"".join(arguments[1]) if name == "writev" else bytes(arguments[1])
        real(arguments[0], [data[: len(data) // 2]] if name == "writev" else data[: len(data) // 2], *arguments[2:])
        die()
    return False


def after(first: bool, name: str, real: Any, arguments: tuple[Any, ...]) -> bool:
    if first:
        real(*arguments)
        die()
    return False


def failing(number: int, for_good: bool) -> Callable[..., bool]:
    def fail(first: bool, name: str, real: Any, arguments: tuple[Any, ...]) -> bool:
        if name != "close" and (first or for_good):
            raise OSError(number, os.strerror(number))
        return False

    return fail


def forking(first: bool, name: str, real: Any, arguments: tuple[Any, ...]) -> bool:
    """Fork in another thread, which has to wait until the store allows it."""
    if first:
        thread = threading.Thread(target=fork)
        thread.start()
        threads.append(thread)
        time.sleep(0.003)
    return False


def fork() -> None:
    pid = os.fork()
    if pid == 0:
        code = 1
        try:
            signal.alarm(30)
            target = DiskTarget(f"{SCRATCH}/forked")
            assert recall(target, ("0a", "forked", "1b"), lambda: [1] * 9) == [1] * 9
            target.close()
            code = 0
        finally:
            os._exit(code)
    if os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) != 0:
        os._exit(3)


def at_every_call(title: str, act: Callable[..., bool], dies: bool, step: int) -> None:
    for name, make in KINDS.items():
        tried, faults = 0, []
        for at in range(1, 10_000, step):
            there, fault = trials(make, act, at, dies)
            if not there:
                break
            tried += 1
            faults += [f"call {at}: {fault}"] if fault else []
        table.row(f"{title}: {name}", tried, faults)


def flips() -> None:
    """Flip every byte of small entries, for every store and codec."""
    value = {"a": [1, 2.5, "text"], "b": np.arange(4)}
    for codec in (pickled, plain_pickle, gzipped, tree, compressed(method="zlib"), compressed()):
        for name, make in {
            "FileTarget": lambda path, codec=codec: FileTarget(path, codec=codec),
            "DiskTarget, files": lambda path, codec=codec: DiskTarget(path, codec=codec, inline_bytes=0),
            "Serialized": lambda path, codec=codec: Serialized(SHELF, codec=codec),
        }.items():
            SHELF.clear()
            with tempfile.TemporaryDirectory(dir=SCRATCH) as folder:
                target = make(f"{folder}/store")
                target["a", "t", "f"] = value
                target.close()
                files = [path for path in Path(folder).rglob("*") if path.is_file() and "index" not in path.name]
                tried, wrong = 0, []
                for place, read, write in [
                    *((str(path), path.read_bytes, path.write_bytes) for path in files),
                    *((name, lambda name=name: SHELF[name], lambda data, name=name: SHELF.update({name: data}))
                      for name in SHELF),
                ]:  # fmt: skip
                    if os.path.exists(place):
                        os.chmod(place, 0o600)
                    whole = read()
                    for number in range(len(whole)):
                        damaged = bytearray(whole)
                        damaged[number] ^= 1 << random.randrange(8)
                        write(bytes(damaged))
                        again = make(f"{folder}/store")
                        found = again.get(("a", "t", "f"))
                        if found is None:
                            again.pop(("a", "t", "f"), None)
                            target = make(f"{folder}/store")
                            target["a", "t", "f"] = value
                            target.close()
                        elif found["a"] != value["a"] or not (found["b"] == value["b"]).all():
                            wrong.append(f"{place} at {number}")
                        again.close()
                        if os.path.exists(place):
                            os.chmod(place, 0o600)
                        write(whole)
                        tried += 1
                table.row(f"a byte flipped: {name}, {codec.name}", tried, wrong)


def interrupts() -> None:
    sys.path.append(str(Path(__file__).parents[1]))
    from runs import run_script
    from test_interrupts import SCRIPT

    for kind in ("DiskTarget", "FileTarget", "dict"):
        with tempfile.TemporaryDirectory(dir=SCRATCH) as folder:
            try:
                run_script(Path(folder), SCRIPT, kind, "300")
                table.row(f"an interrupt at a random moment: {kind}", 300, [])
            except (AssertionError, subprocess.TimeoutExpired) as error:
                table.row(f"an interrupt at a random moment: {kind}", 300, [str(error)])


table = Table()
threads: list[threading.Thread] = []
SHELF: dict[str, bytes] = {}
BASES: dict[Any, str] = {}

if __name__ == "__main__":
    warnings.simplefilter("ignore", StoreWarning)
    warnings.simplefilter("ignore", DeprecationWarning)
    with tempfile.TemporaryDirectory() as SCRATCH:
        for number, make in enumerate(KINDS.values()):
            BASES[make] = f"{SCRATCH}/base-{number}"
            store = make(BASES[make])
            for key in OLD:
                store[key] = VALUES[key]
            store.close()
        step = 7 if QUICK else 1
        print(f"{'fault':<62} {'tried':>6} {'held':>6}")
        at_every_call("killed before a call", before, True, step)
        at_every_call("killed in a call", during, True, step)
        at_every_call("killed after a call", after, True, step)
        for number in ERRORS:
            name = errno.errorcode[number]
            at_every_call(f"{name} once", failing(number, False), False, 3 * step)
            at_every_call(f"{name} from then on", failing(number, True), False, 6 * step)
        at_every_call("fork at a call", forking, False, 3 * step)
        flips()
        interrupts()
    sys.exit(table.failed > 0)
