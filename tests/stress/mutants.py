"""Change the core of the library place by place, and count the changes that no test notices.

python tests/stress/mutants.py FOLDER [--seconds 1800] [--only targets/recall.py ...] [--tests recall ...]
    [--work 5] [--again changes.txt]

All tests are collected once, by one process. A fork of it runs one test, to learn its time and which lines of the core
it comes by; then, for each change, a fork puts it in place and runs the tests that come by there: first those that have
noticed a change of the same function, then the fastest. The first that fails ends it, and so does one that takes much
longer than before. What runs in a process that is started anew, and not forked, does not see the change.
"""

from __future__ import annotations

import argparse
import faulthandler
import gc
import importlib
import os
import sys
import time
import warnings
from collections import Counter
from importlib.util import find_spec
from pathlib import Path
from types import CodeType

import pytest
from changed import Change, changes, living
from forked import in_forks

TESTS = Path(__file__).parents[1]
CORE = (
    "targets/recall.py",
    "targets/single_flight.py",
    "checkpoint/stages.py",
    "checkpoint/wrapper.py",
    "hashing/kept.py",
    "hashing/places.py",
    "hashing/plain.py",
    "targets/claims.py",
    "targets/file_claims.py",
    "targets/regions.py",
    "targets/disk/entries.py",
    "targets/protocol.py",
    "hashing/walk.py",
)
SUITE = (
    *("kept", "changes", "hashing", "recall", "checkpoint", "events", "laws", "memo", "plan", "protocol"),
    *("economy", "mapping", "pipelines", "stability", "wrong_inputs", "regions", "claims", "waiting", "asynchronous"),
    *("targets", "targets_files", "faults", "interrupts", "disk", "disk_files", "disk_recovery", "disk_processes"),
)
AT_ONCE = ("pandas", "polars", "pyarrow.parquet", "sqlalchemy", "fsspec", "asyncio", "concurrent.futures.process")
LONG = 4.0  # seconds of work of a test that is not run for each change
WAITS = 5.5  # seconds that it takes with what it waits
HANGS = 5.0  # seconds after which, and after ten times its time, a test is not waited for


def worked() -> float:
    """Return the seconds that this process and those it has waited for have worked: others' work does not count."""
    return sum(os.times()[:4])


class Mutation:
    """The loop of pytest that runs tests in forks, for each change those that come by it."""

    def __init__(self, options: argparse.Namespace) -> None:
        self.options = options
        self.failed = False
        self.ends: Counter[tuple[str, str]] = Counter()
        self.tests: dict[str, pytest.Item] = {}
        self.times: dict[str, float] = {}  # seconds of work
        self.lasts: dict[str, float] = {}  # seconds with what it waits
        self.lines: dict[tuple[str, int], set[str]] = {}
        self.noticed: dict[tuple[Path, str], list[str]] = {}
        package = find_spec("flowly_ckpt")
        assert package is not None
        self.package = Path(str(package.origin)).parent

    @pytest.hookimpl(tryfirst=True)
    def pytest_collection(self) -> None:
        from hypothesis import Phase, settings

        phases = (Phase.explicit, Phase.generate)
        settings.register_profile("mutants", settings.get_profile("ci"), max_examples=20, phases=phases)
        settings.load_profile("mutants")

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        self.failed = self.failed or report.failed

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        self.session = session
        self.tests = {item.nodeid: item for item in session.items}
        for name in AT_ONCE:
            importlib.import_module(name)
        self.living = {path: living(path) for path in (self.package / name for name in self.options.only)}
        session.config._tmp_path_factory.getbasetemp()  # one for all forks
        gc.freeze()
        began = time.monotonic()
        self.measure()
        work = sum(self.times.values())
        print(f"\n{len(self.times)} of {len(self.tests)} tests come by, {work:.0f} s of work", flush=True)
        print(f"measured in {time.monotonic() - began:.0f} s", flush=True)
        self.try_all()
        print(f"all in {time.monotonic() - began:.0f} s")
        self.show()
        return True

    def passes(self, test: str) -> bool:
        self.failed = False
        self.session.config.hook.pytest_runtest_protocol(item=self.tests[test], nextitem=None)
        return not self.failed

    def measure(self) -> None:
        """Learn what each test comes by, and how long it takes."""
        for test, found in in_forks(self.tests, self.measured, self.options.folder):
            if found is None or found[0] > LONG or found[1] > WAITS:
                print("left out:", test, None if found is None else f"{found[0]:.1f} s")
            elif found[2]:
                self.times[test], self.lasts[test] = found[:2]
                for line in found[2]:
                    self.lines.setdefault(line, set()).add(test)

    def measured(self, test: str) -> tuple[float, float, set[tuple[str, int]]] | None:
        files = {str(self.package / name) for name in self.options.only}
        path = self.options.folder / f"lines-{os.getpid()}"
        seen = os.open(path, os.O_CREAT | os.O_WRONLY | os.O_APPEND)  # what forks of it come by is noted too

        def line(code: CodeType, number: int) -> object:
            if code.co_filename in files:
                os.write(seen, f"{number} {code.co_filename}\n".encode())
            return sys.monitoring.DISABLE

        sys.monitoring.use_tool_id(4, "mutants")
        sys.monitoring.register_callback(4, sys.monitoring.events.LINE, line)
        sys.monitoring.set_events(4, sys.monitoring.events.LINE)
        began, then = worked(), time.monotonic()
        faulthandler.dump_traceback_later(20, exit=True)
        if not self.passes(test):
            return None
        work, last = worked() - began, time.monotonic() - then
        lines = (line.split(" ", 1) for line in path.read_text().splitlines())
        path.unlink()
        return work, last, {(name, int(number)) for number, name in lines}

    def try_all(self) -> None:
        until = time.monotonic() + self.options.seconds
        before = None if self.options.again is None else survivors(self.options.again.read_text())
        every = (change for name in self.options.only for change in changes(self.package / name))
        wanted = (change for change in every if before is None or self.named(change) in before)
        with (self.options.folder / "changes.txt").open("w") as self.log:
            due = (change for change in wanted if self.is_due(change, until))
            for change, test in in_forks(due, self.tried, self.options.folder):
                self.count(change, "hung" if test is None else "killed" if test else "survived", test)
                self.noticed.setdefault((change.path, change.function), []).extend([test] if test else [])

    def is_due(self, change: Change, until: float) -> bool:
        end = "not tried" if time.monotonic() > until else None if self.coming_by(change) else "not reached"
        if end is not None:
            self.count(change, end)
        return end is None

    def count(self, change: Change, end: str, test: str | None = "") -> None:
        self.ends[str(change.path.relative_to(self.package)), end] += 1
        print(f"{end:<11} {change.lines.start:>4}  {self.named(change)}  # {test}", file=self.log, flush=True)

    def named(self, change: Change) -> str:
        """Return what a change is called as long as its function is what it is, wherever it stands."""
        return f"{change.path.relative_to(self.package)} {change.function}: {change.text}"

    def coming_by(self, change: Change) -> list[str]:
        """Return the tests of a change in their order, as many as there is time for."""
        by = set().union(*(self.lines.get((str(change.path), line), ()) for line in change.lines))
        noticed = Counter(self.noticed.get((change.path, change.function), ()))
        chosen, total = [], 0.0
        for test in sorted(by, key=lambda test: (-noticed[test], self.lasts[test], test)):
            total += self.times[test]
            if total < self.options.work:
                chosen.append(test)
        return chosen

    def tried(self, change: Change) -> str:
        """Return the test that notices a change, or an empty string."""
        change.put_in_place(self.living[change.path])
        for test in self.coming_by(change):
            faulthandler.dump_traceback_later(HANGS + 10 * self.times[test] + self.lasts[test], exit=True)
            if not self.passes(test):
                return test
        return ""

    def show(self) -> None:
        kinds = ("killed", "hung", "survived", "not reached", "not tried")
        print(f"{'module':<28}" + "".join(f"{kind:>12}" for kind in kinds))
        for name in self.options.only:
            print(f"{name:<28}" + "".join(f"{self.ends[name, kind]:>12}" for kind in kinds))


def survivors(log: str) -> set[str]:
    """Return the names of the changes that an earlier run counts among those that no test notices."""
    return {row[18:].partition("  # ")[0] for row in log.splitlines() if row.startswith(("survived", "not "))}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--seconds", type=float, default=1800)
    parser.add_argument("--work", type=float, default=5, help="seconds of tests for each change")
    parser.add_argument("--again", type=Path, help="the changes.txt of an earlier run: try what no test noticed then")
    parser.add_argument("--only", nargs="+", default=CORE, choices=CORE, help="these modules")
    parser.add_argument("--tests", nargs="+", default=SUITE, choices=SUITE, help="these tests, so that it is soon done")
    options = parser.parse_args()
    options.folder.mkdir(parents=True, exist_ok=True)
    os.environ["CI"] = "1"
    os.environ["OPENBLAS_NUM_THREADS"] = "1"
    warnings.simplefilter("ignore")
    mutation = Mutation(options)
    arguments = ["-q", "-p", "no:cacheprovider", "-s", f"--basetemp={options.folder / 'tests'}"]
    arguments += ["-o", "tmp_path_retention_policy=failed"]
    pytest.main([*arguments, *(str(TESTS / f"test_{name}.py") for name in options.tests)], plugins=[mutation])
    return 0 if any(end == "killed" for _, end in mutation.ends) else 1


if __name__ == "__main__":
    sys.exit(main())
