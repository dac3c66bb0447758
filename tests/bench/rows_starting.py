"""What it takes to begin: an import, and a hit in a new process."""

from __future__ import annotations

from pathlib import Path

from fresh import python
from row import OURS, Prepare, Row

LIMIT = "a bare interpreter"
IMPORTS = {
    OURS: "flowly_ckpt", "joblib": "joblib", "diskcache": "diskcache", "cachier": "cachier", "dask": "dask.base",
    "zict": "zict", "toolz.compose": "toolz", "Hamilton": "hamilton.driver", "pipefunc": "pipefunc",
    "streamlit": "streamlit", "marimo": "marimo", LIMIT: "sys",
}  # fmt: skip
HIT = """
import sys
from pathlib import Path
{}
def step(number):
    return {{"number": number}}
{}
"""
FOLDER = "Path(sys.argv[1])"
WAYS = {
    OURS: (
        "from flowly_ckpt import DiskTarget, add_checkpoints, apply, chained, checkpoint",
        f"apply(chained(step, checkpoint(DiskTarget({FOLDER} / 'store'), tag='step')), 5, [add_checkpoints])",
    ),
    "joblib": ("import joblib", f"joblib.Memory({FOLDER}, verbose=0).cache(step)(5)"),
    "diskcache": ("import diskcache", "diskcache.Cache(sys.argv[1]).memoize(name='step')(step)(5)"),
    "cachier": ("from cachier import cachier", f"cachier(cache_dir={FOLDER})(step)(5)"),
    LIMIT: ("", ""),
}


def imported(name: str) -> Prepare:
    def prepare(folder: Path):
        python("-c", f"import {name}")  # compiles it
        return lambda number: python("-c", f"import {name}")

    return prepare


def hit(imports: str, call: str) -> Prepare:
    def prepare(folder: Path):
        script = folder / "script.py"
        script.write_text(HIT.format(imports, call), "utf-8")
        python(str(script), str(folder))
        return lambda number: python(str(script), str(folder))

    return prepare


def rows(quick: bool) -> list[Row]:
    return [
        Row("start Python and import", LIMIT, {who: imported(name) for who, name in IMPORTS.items()}),
        Row("start Python, and a hit on disk", LIMIT, {who: hit(*way) for who, way in WAYS.items()}),
    ]
