"""Measure this library beside its peers and beside what the machine itself needs, all in one run.

python tests/bench/run.py [--quick] [--write] [--only SECTION]

``--quick`` takes some three minutes, with smaller values. ``--write`` puts the figures and the picture of them beside
docs/explanation/performance.md, and the table into it. Each section runs in processes of its own, several times, in
which the contenders take turns and begin in another order; the best figure of each counts.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import sys
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from drawing import drawn, in_a_page, printed
from fresh import SECTIONS, section

PAGE = Path(__file__).parents[2] / "docs" / "explanation" / "performance.md"
PEERS = ("joblib", "diskcache", "cachier", "dask", "streamlit", "marimo", "sf-hamilton", "pipefunc", "redun", "zict",
         "lmdb", "toolz", "numpy", "pandas", "xxhash")  # fmt: skip
ONCE = ("sharing", "starting", "space")  # they start a process for each contender, or tell no time


def installed(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return "not installed"


def best(turns: list[dict[str, Any]]) -> dict[str, Any]:
    """Return the rows with the least figure of each contender, over all turns."""
    rows: dict[str, Any] = {}
    for turn in turns:
        for name, row in turn.items():
            known = rows.setdefault(name, row)["figures"]
            for who, figure in row["figures"].items():
                known[who] = min(figure, known.get(who, figure))
    return rows


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="smaller values, within some three minutes")
    parser.add_argument("--write", action="store_true", help="write the page's figures, picture and table")
    parser.add_argument("--only", choices=SECTIONS, help="one section")
    options = parser.parse_args()
    if options.write and options.only:
        parser.error("--write takes all sections: leave out --only")
    rows: dict[str, Any] = {}
    for name in SECTIONS:
        if options.only in (None, name):
            turns = 1 if name in ONCE or (options.quick and name == "items") else 2 if options.quick else 5
            found = best([section(name, options.quick, turn) for turn in range(turns)])
            print(printed(found), flush=True)
            rows |= found
    about = {
        "command": "tox -e bench" + " -- --quick" * options.quick,
        "python": platform.python_version(),
        "system": f"{platform.system()} {platform.machine()}, {os.cpu_count()} processors",
        "packages": {name: installed(name) for name in PEERS},
    }
    print(
        "left out:", ", ".join(name for name, found in about["packages"].items() if found == "not installed") or "none"
    )
    if options.write:
        figures = {"about": about, "rows": rows}
        PAGE.with_suffix(".json").write_text(json.dumps(figures, indent=1, ensure_ascii=False) + "\n", "utf-8")
        PAGE.with_suffix(".svg").write_text(drawn(rows), "utf-8")
        PAGE.write_text(in_a_page(PAGE.read_text("utf-8"), rows, about), "utf-8")


if __name__ == "__main__":
    sys.exit(main())
