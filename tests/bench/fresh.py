"""Measure a section of the rows in a process of its own.

python tests/bench/fresh.py hashing [--quick] [--turn 1]
"""

from __future__ import annotations

import argparse
import contextlib
import gc
import importlib
import json
import logging
import os
import subprocess
import sys
import tempfile
import warnings
from pathlib import Path
from typing import Any

from row import OURS, Row, seconds

HERE = Path(__file__).parent
SECTIONS = ("hashing", "storing", "items", "entries", "sharing", "chains", "starting", "space")

#: As users start a program: from compiled files, with this checkout, each library saying nothing.
ENVIRONMENT = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"} | {
    "PYTHONPATH": os.pathsep.join([str(HERE.parents[1]), str(HERE), os.environ.get("PYTHONPATH", "")]),
    "PYTHONWARNINGS": "ignore", "DO_NOT_TRACK": "1", "HAMILTON_TELEMETRY_ENABLED": "false",
}  # fmt: skip


def python(*arguments: str) -> str:
    """Return what a new process prints."""
    done = subprocess.run([sys.executable, *arguments], env=ENVIRONMENT, stdout=subprocess.PIPE, check=True, text=True)
    return done.stdout


def section(name: str, quick: bool, turn: int) -> dict[str, Any]:
    """Measure a section in a new process; return figures and what is missing, by row and contender."""
    return json.loads(python(str(HERE / "fresh.py"), name, "--turn", str(turn), *["--quick"] * quick))


def figures(row: Row, quick: bool, turn: int) -> tuple[dict[str, float], dict[str, str]]:
    """Return the figure of each contender, who begin in another order at each turn, and why others have none."""
    found, missing = {}, {}
    names = list(row.works)
    for who in names[turn % len(names) :] + names[: turn % len(names)]:
        with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
            try:
                work = row.works[who](Path(folder))
                gc.collect()
                gc.freeze()  # what one contender has loaded costs the next one nothing
                found[who] = seconds(work, 0.05 if quick else 0.5) / row.per if row.unit == "s" else float(work(0))
            except Exception as error:
                if who in (OURS, row.limit):
                    raise
                missing[who] = f"{type(error).__name__}: {error}".splitlines()[0][:160]
    return found, missing


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("section", choices=SECTIONS)
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--turn", type=int, default=0)
    options = parser.parse_args()
    warnings.simplefilter("ignore")
    logging.disable(logging.CRITICAL)
    rows: list[Row] = importlib.import_module(f"rows_{options.section}").rows(options.quick)
    with contextlib.redirect_stdout(sys.stderr):  # some peers print
        measured = {row.name: figures(row, options.quick, options.turn) for row in rows}
    facts = {row.name: {"unit": row.unit, "limit": row.limit} for row in rows}
    done = {name: {**facts[name], "figures": found, "missing": missing} for name, (found, missing) in measured.items()}
    print(json.dumps(done), flush=True)
    os._exit(0)  # threads that peers leave behind are not waited for


if __name__ == "__main__":
    main()
