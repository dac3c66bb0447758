"""A folder that one writer holds at a time, so that what lies in two files changes as one."""

from __future__ import annotations

import os
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

from .patience import Patience

__all__ = ["held_folder"]

_PAUSES = 0.0003, 0.002  # between looks, growing from the first to the second
_patience = Patience(2.0, 0.02)  # seconds that others are waited for; one of them may be stopped
# The folders that this process has open. A forked child closes them, or it would hold what its parent has released.
_open: set[int] = set()
_guard = threading.Lock()


@contextmanager
def held_folder(folder: str) -> Iterator[bool]:
    """Hold a folder, as far as the system lets it and others give it back in time; tell whether it is held.

    The death of who holds it releases it. Not to be entered twice by one thread.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder, held_folder(folder) as is_held:
    ...     is_held == (sys.platform != "win32")
    True
    """
    opened: list[int] = []
    try:
        yield _is_locked(folder, opened)
    finally:
        try:
            _close(opened)
        finally:
            _close(opened)  # does the rest where an interrupt came in between


def _is_locked(folder: str, opened: list[int]) -> bool:
    if sys.platform == "win32":
        return False
    import fcntl

    end = time.monotonic() + _patience.seconds
    pause, longest = _PAUSES
    try:
        while True:
            if not opened:
                with _guard:  # no fork comes between the opening and the note of it
                    opened.extend(map(os.open, (folder,), (os.O_RDONLY | getattr(os, "O_DIRECTORY", 0),)))
                    _open.update(opened)
            try:
                fcntl.flock(opened[0], fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                if time.monotonic() > end:
                    _patience.was_in_vain()
                    return False
                time.sleep(pause)
                pause = min(2 * pause, longest)
                continue
            if os.fstat(opened[0]).st_nlink:
                _patience.was_rewarded()
                return True
            _close(opened)  # it was removed meanwhile: hold the one that is there now
    except OSError:  # the folder is not there, or its file system knows no locks
        return False


def _close(opened: list[int]) -> None:
    with _guard:
        _open.difference_update(opened)
        list(map(os.close, map(opened.pop, range(len(opened)))))


def _let_go() -> None:
    for descriptor in _open:
        os.close(descriptor)
    _open.clear()
    _guard.release()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(before=_guard.acquire, after_in_parent=_guard.release, after_in_child=_let_go)
