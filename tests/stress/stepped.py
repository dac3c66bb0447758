"""Processes that stop before every step that others can see, and schedules that say who goes on."""

from __future__ import annotations

import fcntl
import gc
import os
import random
import signal
import sqlite3
import struct
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable
from typing import Any, NamedTuple

from forked import ended, started

from flowly_ckpt.targets.disk import schema

CALLS = ("open", "close", "write", "writev", "fstat", "lstat", "stat", "replace", "rename", "unlink", "link", "mkdir",
         "rmdir", "listdir", "scandir", "utime", "access", "readlink")  # fmt: skip
LOCKS = ("fcntl", "flock", "lockf")
RESOLVING = ("realpath", "_joinrealpath")  # links, of which there are none
TO_ANOTHER = ("replace", "rename", "link")
# The steps at which it matters who is first.
MATTERS = ("open", "fcntl", "flock", "unlink", "mkdir", "rmdir", "utime", "execute", "commit", *TO_ANOTHER)
TOLD = "told"
BUSY = 0.01, 5.0  # seconds between attempts of SQLite, and of all of them
_TIME = struct.Struct("d")


class Steps:
    """Let a process do nothing of what others can see before it has been told to."""

    def __init__(self, folder: str, are_fine: bool, ends: tuple[int, int]) -> None:
        self.folder = folder
        self.are_fine = are_fine
        self.ears, self.mouth = ends
        self.now = 0.0
        self.thread = threading.get_ident()
        self.files: dict[int, str] = {}
        self.write, self.read = os.write, os.read

    def ask(self, what: str, pause: float = 0.0) -> None:
        """Wait for the go-ahead, which says how late it is; threads that only look after a lease go on."""
        if threading.get_ident() == self.thread:
            self.write(self.mouth, f"{pause:f} {what}\n".encode())
            (self.now,) = _TIME.unpack(self.read(self.ears, _TIME.size))

    def take(self) -> None:
        """Put a step before every call."""
        for module, names in ((os, CALLS), (fcntl, LOCKS)):
            for name in names:
                if self.are_fine or name in MATTERS or name == "close":
                    setattr(module, name, Step(self, name, getattr(module, name)))
        time.sleep = lambda seconds: self.ask("sleep", max(seconds, 1e-6))
        time.monotonic = lambda: self.now
        for name in ("execute", "close"):
            setattr(schema.Connection, name, self.statement(name, getattr(sqlite3.Connection, name)))
        cursor = type("Cursor", (sqlite3.Cursor,), {"execute": self.statement("execute", sqlite3.Cursor.execute)})
        methods = {name: self.statement(name, getattr(sqlite3.Connection, name)) for name in ("commit", "close")}
        methods["cursor"] = lambda connection: sqlite3.Connection.cursor(connection, cursor)
        watched, connect = type("Watched", (sqlite3.Connection,), methods), sqlite3.dbapi2.connect
        sqlite3.dbapi2.connect = lambda *args, **more: connect(*args, **{"factory": watched, **more, "timeout": 0})
        sqlite3.connect = lambda *args, **more: connect(*args, **{**more, "timeout": 0})

    def statement(self, name: str, real: Callable[..., Any]) -> Callable[..., Any]:
        """Put a step before a statement, and before each attempt of one that finds the file locked."""

        def run(connection: Any, *arguments: Any) -> Any:
            if arguments and "busy_timeout" in arguments[0]:
                return None  # the pauses are below
            self.ask(f"{name} {' '.join(' '.join(arguments[:1]).split()[:6]).replace('/', '')}")
            end = self.now + BUSY[1]
            while True:
                try:
                    return real(connection, *arguments)
                except sqlite3.OperationalError as error:
                    is_stale = getattr(error, "sqlite_errorcode", 0) == sqlite3.SQLITE_BUSY_SNAPSHOT
                    if "locked" not in str(error) or is_stale or self.now > end:
                        raise
                self.ask("sleep", BUSY[0])

        return run


class Step(NamedTuple):
    """A call that has to wait; it hashes as the same in each process."""

    steps: Steps
    name: str
    real: Callable[..., Any]

    def __call__(self, place: Any = ".", *arguments: Any, **more: Any) -> Any:
        steps = self.steps
        path = steps.files.get(place, "") if type(place) is int else str(place)
        if path.startswith(f"{steps.folder}/") and sys._getframe(1).f_code.co_name not in RESOLVING:
            to = str(arguments[0]) if self.name in TO_ANOTHER else path
            if steps.are_fine or self.name != "close":
                steps.ask(f"{self.name} {to[len(steps.folder) + 1 :]}")
        if self.name == "close":
            steps.files.pop(place, None)
        found = self.real(place, *arguments, **more)
        if self.name == "open":
            steps.files[found] = path
        return found

    def __flowly_hash__(self) -> str:
        return self.name


class Actor:
    """A process that is told when to go on.

    :param work: what it does, forked.
    :param folder: whose files others can see.
    """

    def __init__(self, work: Callable[[], Any], folder: str, are_fine: bool) -> None:
        ears, self._mouth = os.pipe()
        self._ears, mouth = os.pipe()

        def run() -> Any:
            os.close(self._mouth)
            os.close(self._ears)
            gc.disable()  # else connections are closed at any time
            steps = Steps(folder, are_fine, (ears, mouth))
            steps.ask("begin")
            steps.take()
            return work()

        self.pid, self._end = started(run)
        os.close(ears)
        os.close(mouth)
        self._told = open(self._ears, "rb")  # noqa: SIM115  closed at the end
        self.wakes, self.what = 0.0, ""
        self.code, self.said = 0, ""
        self.hear(0.0)

    @property
    def name(self) -> str:
        """The name that the next step is about, if it matters who is first; a statement has none of its own."""
        call, _, path = self.what.partition(" ")
        return path.rpartition("/")[2] if call in MATTERS and ".tmp-" not in path else ""

    def hear(self, now: float) -> None:
        """Wait until it stops again, or has ended."""
        line = self._told.readline().decode()
        pause, _, self.what = line.rstrip().partition(" ")
        if line:
            self.wakes = now + float(pause)
        else:
            self.finish()

    def go(self, now: float) -> None:
        """Let it take its next step."""
        os.write(self._mouth, _TIME.pack(now))
        self.hear(now)

    def kill(self) -> None:
        """Kill it before its next step."""
        os.kill(self.pid, signal.SIGKILL)
        self.finish()

    def finish(self) -> None:
        """Take what it said in the end."""
        self._told.close()
        os.close(self._mouth)
        self.code, self.said = ended(self.pid, self._end)
        self.wakes, self.what = float("inf"), ""


class Schedule:
    """Say who goes next: at random; or the first until he stops at a step that matters, to become the last.

    He stops at a few such steps (PCT: Burckhardt et al., "A randomized scheduler with probabilistic guarantees of
    finding bugs", ASPLOS 2010), or with some probability at each; of all steps, or of those about one name.

    :param matters: how many steps there are by the name that they are about, where each process goes alone.
    :param slow: each step takes so long that others do not wait for it.
    """

    def __init__(self, chance: random.Random, actors: list[Actor], matters: Counter[str], slow: bool) -> None:
        self.chance = chance
        self.is_walk = bool(matters) and chance.random() < 0.2
        self.step = chance.choice([0.2, 1.0]) if slow else chance.choice([1e-4, 1e-3, 5e-3])
        self.order = chance.sample(actors, len(actors)) if matters else [*actors]
        self.names = set(matters)
        if matters and chance.random() < 0.5:
            self.names = {TOLD, *chance.choices(sorted(matters), [matters[name] for name in sorted(matters)])}
        most = sum(matters[name] for name in self.names) or 1
        self.rate = chance.choice([0.0, 0.0, 0.06, 0.12, 0.25])
        self.changes = set() if self.rate else {chance.randrange(most) for _ in range(chance.randint(1, 4))}
        self.death = chance.randrange(most)
        self.seen: Counter[str] = Counter()
        self.now, self.count, self.place = 0.0, 0, -1

    def next(self, living: list[Actor]) -> Actor:
        """Return who takes the next step."""
        self.count += 1
        self.now = max(self.now + self.step, min(actor.wakes for actor in living))
        ready = [actor for actor in self.order if actor in living and actor.wakes <= self.now]
        if self.is_walk:
            ready = self.chance.sample(ready, len(ready))
        elif self.is_change(ready[0]):
            self.put_last(ready[0])
            ready = [*ready[1:], ready[0]]
        if ready[0].what == "sleep":  # whoever looks again and again lets all others go on in between
            self.put_last(ready[0])
        return ready[0]

    def is_change(self, first: Actor) -> bool:
        """Return whether the first one stops here, for others to go on."""
        name = first.name
        self.seen.update([name] if name else [])
        self.place += name in self.names
        return name in self.names and (self.place in self.changes or self.chance.random() < self.rate)

    def put_last(self, actor: Actor) -> None:
        self.order.remove(actor)
        self.order.append(actor)
