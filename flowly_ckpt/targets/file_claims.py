"""Claims between the processes of a machine: one computes what is missing, the others wait for it.

A claim is a lock on a region of one file, so that it costs next to nothing when nobody else is there, and a dead one's
is free. Who holds it is the number of the lock; whom its holder waits for is the number of a second one, which is taken
only by those who wait.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from functools import cache
from typing import NamedTuple

import xxhash

from ..typing import Key
from .claims import digest_of_key
from .facts import key_given
from .filesystem import PRIVATE
from .polling import Polled
from .regions import PLACES, Regions, guard, opened, remove_last, told_anywhere
from .waiting import is_waited_for

__all__ = ["Claims", "FileClaim"]

_NOTES = PLACES // 2  # from here on the places of the second locks
_PROCESS = 1 << 22  # no process of Linux has a larger number

held: dict[tuple[str, int], FileClaim] = {}


class FileClaim(Polled):
    """A lock on a place in a file, which the kernel releases when its holder dies.

    :param path: the file.
    :param key: what is computed.
    :param timeout: seconds to wait for a living holder; then the key is computed anyway.
    :param mode: of the file and its folder.
    :param root: where given, the file is removed after use if it is alone in its folder, as are empty folders up to it.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder, FileClaim(f"{folder}/claims.lock", ("a", "b", "c"), 60) as claim:
    ...     claim.is_mine(), claim.holder()
    (True, 'another process')
    """

    pauses = (0.001, 0.03, 0.03)
    look = 0.2

    def __init__(self, path: str, key: Key, timeout: float, mode: int = PRIVATE, root: str = "") -> None:
        super().__init__(key, timeout)
        self.path = path
        self.mode = mode
        self.root = root
        self.place = int.from_bytes(digest_of_key(key_given(key))[:4]) % _NOTES
        self.file: Regions | None = None
        self.awaits: int | None = None  # the place that this one cannot go on without
        self._notes: list[tuple[FileClaim, Regions]] = []

    def is_mine(self) -> bool:
        mine = held.get((self.path, self.place))
        return mine is not None and mine.thread == self.thread

    def lock(self) -> bool:
        with guard:
            file = opened.get(self.path) or Regions(self.path, self.mode)
            if self.file is not None and self.file is not file:  # it lost its name while this one waited
                self.file.leave(self)
            self.file = file
            file.enter(self)
            # Noted before it is locked: an interrupt in between leaves nothing that `release` does not undo.
            if held.setdefault((self.path, self.place), self) is not self:
                return False  # another thread computes it
            is_locked = False
            try:
                is_locked = file.lock(self.place, _mine[0])
            except FileNotFoundError:
                del opened[self.path]
            finally:
                if not is_locked:
                    del held[self.path, self.place]
            if is_locked or self.path in opened:
                return is_locked
            file.leave(self)
            return self.lock()

    def release(self) -> None:
        with guard:
            if self.file is None:
                return
            if held.get((self.path, self.place)) is self:
                if len(self.file.users) > 1:  # else it is closed
                    self.file.unlock(self.place)
                del held[self.path, self.place]
            self.file.leave(self)
            self.file = None
            if self.root:
                remove_last(self.path, self.root)

    def holder(self) -> str:
        number = self._number()
        if number is None:
            return super().holder()
        elsewhere = "" if number == _number_of(number) else " on another machine"
        return f"process {number % _PROCESS}{elsewhere}"

    def gives_up(self, waited: float) -> str:
        return "is stopped while it computes" if waited >= self.suspicion and _is_stopped(self._number()) else ""

    def circle(self, waited: float) -> Key | None:
        with guard:
            inside = held.get((self.path, self.place))
        if inside is not None:
            return self.key if is_waited_for(inside.thread, (), waited) else None
        if waited > self.suspicion and self._number() == _number_of(os.getppid()):
            return self.key  # a process that started this one, and perhaps waits for it
        with guard:
            self.stop_looking()
            self._note(waited)
            for place in _awaited_after(self.place):
                stuck = [mine for mine in _held_at(place) if mine.is_stuck(self, waited)]
                if stuck:
                    return stuck[0].key
        return None

    def _note(self, waited: float) -> None:
        """Let those who look for circles know which claims cannot go on without this one.

        It is told in the files of both, so that a chain of those who wait can be followed from file to file.
        """
        for claim in list(held.values()):
            if claim.is_stuck(self, waited):
                claim.awaits = self.place
                for file in {claim.file, self.file}:
                    if file is not None:
                        self._notes.append((claim, file))  # before it is told: an interrupt leaves nothing
                        file.unlock(_NOTES + claim.place)
                        file.tell(_NOTES + claim.place, self.place)

    def stop_looking(self) -> None:
        with guard:
            while self._notes:
                claim, file = self._notes[-1]
                file.unlock(_NOTES + claim.place)
                claim.awaits = None
                self._notes.pop()

    def _number(self) -> int | None:
        with guard:
            return None if self.file is None else self.file.number(self.place)


class Claims(NamedTuple):
    """Give the claims that processes on one machine, or on one file system, have on keys.

    :param path: the file whose regions are locked; made when it is first needed.
    :param timeout: seconds to wait for a living holder.
    :param mode: of its folder, and of the file without the right to be executed.
    :param root: where given, the file is removed after use if it is alone in its folder, as are empty folders up to it.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder, Claims(f"{folder}/claims.lock").claim(("a", "b", "c")):
    ...     Claims(f"{folder}/claims.lock").is_claimed(("a", "b", "c"))
    True
    """

    path: str
    timeout: float = 3600.0
    mode: int = PRIVATE
    root: str = ""

    def claim(self, key: Key) -> FileClaim:
        """Return the claim to compute a key."""
        return FileClaim(self.path, key, *self[1:])

    def is_claimed(self, key: Key) -> bool:
        """Return whether a living process computes this key."""
        claim = self.claim(key)
        try:
            return not claim.lock()
        except OSError:
            return False
        finally:
            claim.release()


def _number_of(process: int) -> int:
    """Return the number that tells a process: its own, and eight bits of the name of its machine."""
    return _machine() | process % _PROCESS


@cache
def _machine() -> int:
    name = os.uname().nodename if hasattr(os, "uname") else ""
    return xxhash.xxh3_64_intdigest(name.encode()) % 256 * _PROCESS


_mine: list[int] = [_number_of(os.getpid())]


def _start_anew() -> None:
    held.clear()
    _mine[:] = [_number_of(os.getpid())]


def _held_at(place: int) -> list[FileClaim]:
    return [claim for (_, at), claim in list(held.items()) if at == place]


def _awaited_after(place: int) -> Iterator[int]:
    """Yield the place that the holder of a place cannot go on without, then the one that its holder cannot, and so on.

    What is told in files that are not open here the system knows, where it lists all locks.
    """
    seen: set[int] = set()
    awaited = _awaited(place)
    while awaited is not None and awaited not in seen:
        yield awaited
        seen.add(awaited)
        following = _awaited(awaited)
        if following is None:
            locks = told_anywhere()
            beside = {file for file, *note in locks if note == [_NOTES + place, awaited]}
            following = next((n for file, at, n in locks if file in beside and at == _NOTES + awaited), None)
        place, awaited = awaited, following


def _awaited(place: int) -> int | None:
    """Return the place that the holder of a place cannot go on without, as far as a file that is open here tells."""
    told = [claim.awaits for claim in _held_at(place)]
    told += [file.number(_NOTES + place) for file in list(opened.values())]
    return next((other for other in told if other is not None), None)


def _is_stopped(number: int | None) -> bool:
    """Return whether a holder on this machine was stopped by a signal, as by Ctrl-Z, as far as the system says."""
    if number is None or number != _number_of(number):
        return False
    try:
        with open(f"/proc/{number % _PROCESS}/stat", "rb") as file:
            return file.read().rpartition(b") ")[2][:1] in (b"T", b"t")
    except OSError:
        return False


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_start_anew)
