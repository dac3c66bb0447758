"""Processes that are forked to be attacked, and the table of what held."""

from __future__ import annotations

import contextlib
import os
import pickle
import select
import signal
import traceback
import warnings
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any, TypeVar

import numpy as np

Job = TypeVar("Job")


class Table:
    """Print a row for each trial; what did not hold is counted."""

    failed = 0

    def row(self, title: str, tried: int, faults: list[str]) -> None:
        self.failed += len(faults)
        print(f"{title:<62} {tried:>6} {tried - len(faults):>6}", flush=True)
        for fault in faults[:2]:
            print("    " + fault.strip().replace("\n", "\n    ")[-1500:])


def same(one: Any, other: Any) -> bool:
    return type(one) is type(other) and bool(np.all(np.asarray(one, object) == np.asarray(other, object)))


def started(work: Callable[[], Any], seconds: int = 60) -> tuple[int, int]:
    """Run work in a forked process; return its number, and the end of a pipe that gives what it says."""
    ends = os.pipe()
    pid = os.fork()
    if pid == 0:
        code = 1
        try:
            os.close(ends[0])
            signal.alarm(seconds)
            warnings.simplefilter("ignore")
            os.write(ends[1], str(work()).encode())
            code = 0
        except BaseException:  # noqa: BLE001
            os.write(ends[1], traceback.format_exc().encode()[-4000:])
        finally:
            os._exit(code)
    os.close(ends[1])
    return pid, ends[0]


def ended(pid: int, end: int) -> tuple[int, str]:
    """Wait for a forked process; return how it ended, and what it said."""
    with open(end, "rb") as said:
        text = said.read().decode()
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]), text


def child(work: Callable[[], Any]) -> tuple[int, str]:
    """Run work in a forked process to its end."""
    return ended(*started(work))


def in_forks(jobs: Iterable[Job], work: Callable[[Job], Any], folder: Path) -> Iterator[tuple[Job, Any]]:
    """Do each job in a fork of this process, two at once, and yield what it returned; None if the fork died."""
    waiting = iter(enumerate(jobs))
    running: dict[int, tuple[int, Job, Path]] = {}
    while True:
        while len(running) < 2 and (following := next(waiting, None)) is not None:
            number, job = following
            answer = folder / f"answer-{number}"
            if (process := os.fork()) == 0:
                alone(work, job, answer)
            running[os.pidfd_open(process)] = process, job, answer
        if not running:
            return
        for end in select.select(list(running), [], [])[0]:
            process, job, answer = running.pop(end)
            os.close(end)
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process, signal.SIGKILL)  # and all that it has started
            os.waitpid(process, 0)
            yield job, pickle.loads(answer.read_bytes()) if answer.exists() else None
            answer.unlink(missing_ok=True)


def alone(work: Callable[[Job], Any], job: Job, answer: Path) -> None:
    """Do a job in a session of its own, say nothing, and end without what the parent has to do at its end."""
    try:
        os.setsid()
        nowhere = os.open(os.devnull, os.O_RDWR)
        for descriptor in (0, 1, 2):
            os.dup2(nowhere, descriptor)
        answer.write_bytes(pickle.dumps(work(job)))
    finally:
        os._exit(0)
