"""Change the core of the library line by line, and count the changes that no test notices.

python tests/stress/mutants.py FOLDER [--seconds 600]

mutmut works on a copy in FOLDER, the mutants with the fastest tests first, until the time is over. What nobody has got
to is counted too. Tests that look at tracebacks are left out: mutmut puts a call of its own before each function's.
Each mutant has a process of its own, since some warnings come once in a process.
"""

from __future__ import annotations

import argparse
import os
import shutil
import signal
import subprocess
import sys
from collections import Counter
from pathlib import Path

REPOSITORY = Path(__file__).parents[2]
CORE = ("hashing/kept.py", "hashing/plain.py", "targets/recall.py", "checkpoint/stages.py", "checkpoint/wrapper.py")
TESTS = ("tests/test_kept.py", "tests/test_recall.py", "tests/test_checkpoint.py", "tests/test_events.py")
LEFT_OUT = "not own_each and not says_the_same and not many_changes_one_after and not thousands"
CONFIG = f"""
[tool.mutmut]
process_isolation = "forkserver"
source_paths = ["flowly_ckpt"]
only_mutate = {[f"flowly_ckpt/{name}" for name in CORE]}
pytest_add_cli_args = ["-p", "no:cacheprovider", "-q", "-k", "{LEFT_OUT}"]
pytest_add_cli_args_test_selection = {list(TESTS)}
"""


def copied(folder: Path) -> None:
    shutil.rmtree(folder, ignore_errors=True)
    for name in ("flowly_ckpt", "tests"):
        shutil.copytree(REPOSITORY / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(REPOSITORY / "README.md", folder)
    text = (REPOSITORY / "pyproject.toml").read_text("utf-8")
    (folder / "pyproject.toml").write_text(text + CONFIG, "utf-8")


def outcomes(folder: Path) -> Counter[tuple[str, str]]:
    """Return how many mutants of each module came to which end, and print those that survived."""
    command = [sys.executable, "-m", "mutmut", "results", "--all", "true"]
    done = subprocess.run(command, cwd=folder, stdout=subprocess.PIPE, text=True, check=True)
    found: Counter[tuple[str, str]] = Counter()
    for line in done.stdout.splitlines():
        name, _, outcome = line.strip().rpartition(": ")
        module = next((path for path in CORE if name.startswith(f"flowly_ckpt.{path[:-3].replace('/', '.')}.")), None)
        if module is not None:
            found[module, outcome] += 1
            if outcome == "survived":
                print(name)
    return found


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--seconds", type=int, default=600)
    options = parser.parse_args()
    folder = options.folder / "mutation"
    copied(folder)
    command = [sys.executable, "-m", "mutmut", "run", "--max-children", "2"]
    run = subprocess.Popen(command, cwd=folder, stdout=subprocess.DEVNULL, start_new_session=True)
    try:
        print("all done, exit", run.wait(options.seconds))
    except subprocess.TimeoutExpired:
        os.killpg(run.pid, signal.SIGKILL)  # what is known by then is on the disk
        print(f"stopped after {options.seconds} seconds")
    found = outcomes(folder)
    print(f"{'module':<28} {'killed':>8} {'survived':>8} {'others':>8}")
    for module in CORE:
        ends = {outcome: count for (name, outcome), count in found.items() if name == module}
        killed = ends.get("killed", 0) + ends.get("timeout", 0)
        rest = sum(ends.values()) - killed - ends.get("survived", 0)
        print(f"{module:<28} {killed:>8} {ends.get('survived', 0):>8} {rest:>8}")
    return 0 if any(outcome == "killed" for _, outcome in found) else 1


if __name__ == "__main__":
    sys.exit(main())
