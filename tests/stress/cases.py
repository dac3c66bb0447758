"""Print how the tables of hash cases hold on this Python, kind by kind, as the row of a table.

Run as a script: ``PYTHONPATH=tests python tests/stress/cases.py``; it takes a minute or two.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

TESTS = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(TESTS.parent), str(TESTS)]

from hashing_cases.table import absent, all_groups, fault, kinds  # noqa: E402


def hashes(seed: str) -> subprocess.Popen[str]:
    env = {**os.environ, "PYTHONHASHSEED": seed, "PYTHONPATH": os.pathsep.join(sys.path[:2])}
    command = [sys.executable, "-m", "hashing_cases.table"]
    return subprocess.Popen(command, cwd=TESTS, env=env, stdout=subprocess.PIPE, text=True)


def main() -> None:
    one, other = (json.loads(process.communicate()[0]) for process in [hashes("1"), hashes("2")])
    groups = {group.name: group for group in all_groups()}
    print("kind | groups | texts | hold | left out, as a library is missing | fail")
    for kind, names in kinds().items():
        left_out = [n for n in names if absent(groups[n]) or any("ModuleNotFoundError" in text for text in one[n])]
        tried = [name for name in names if name not in left_out]
        failing = [name for name in tried if fault(groups[name], one[name], other[name])]
        texts = sum(len(groups[name].texts) for name in names)
        print(kind, len(names), texts, len(tried) - len(failing), len(left_out), failing or 0, sep=" | ")


if __name__ == "__main__":
    main()
