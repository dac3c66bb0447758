"""What results take of the disk, and work of memory beyond what it is given, as the system counts it."""

from __future__ import annotations

import gc
from pathlib import Path

from fresh import python
from peers import ON_DISK, PLAIN, Remember
from row import OURS, Prepare, Row, Work
from rows_storing import small

COUNT = 1000  # of small results
#: In a process of its own: `step` makes the value; `before` is ready, then `work` is done.
SCRIPT = """
import re, sys
from pathlib import Path
import numpy as np, pandas as pd
def memory(name):
    return int(re.search(name + r":\\s*(\\d+)", Path("/proc/self/status").read_text())[1]) / 1024
folder = Path(sys.argv[1])
def array(number):
    return np.full({cells}, float(number))
def frame(number):
    return pd.DataFrame({{"words": np.array([f"word {{i % 1000}}" for i in range({cells} // 20)], dtype=object)}})
{before}
start = memory("VmRSS")
Path("/proc/self/clear_refs").write_text("5")  # the peak begins anew
{work}
print(memory("VmHWM") - start)
"""
IMPORTS = {
    OURS: "from flowly_ckpt.hashing import functional_hash as hashed",
    "dask": "from dask.base import tokenize as hashed",
    "joblib": "from joblib import hash as hashed",
    "Hamilton": "from hamilton.caching.fingerprinting import hash_value as hashed",
}
REMEMBER = {
    who: f"from peers import ON_DISK\ncall = ON_DISK[{who!r}](folder)(array)" for who in (OURS, "joblib", "diskcache")
}


def measured(before: str, work: str, cells: int, first: str = "") -> Prepare:
    def prepare(folder: Path):
        if first:
            python("-c", SCRIPT.format(before=before, work=first, cells=cells), str(folder))
        return lambda number: max(
            0.1, float(python("-c", SCRIPT.format(before=before, work=work, cells=cells), str(folder)))
        )

    return prepare


def used(remember: Remember) -> Prepare:
    def prepare(folder: Path) -> Work:
        call = remember(folder)(small)
        for number in range(COUNT):
            call(number)
        del call
        gc.collect()  # a database that is closed gives up its log
        sizes = [path.stat().st_size for path in folder.rglob("*") if path.is_file()]
        return lambda number: sum(-(-size // 4096) * 4 for size in sizes) / COUNT

    return prepare


def rows(quick: bool) -> list[Row]:
    works = {who: used(remember) for who, remember in {**ON_DISK, **PLAIN}.items()}
    return [Row(f"disk that each of {COUNT} small results takes", None, works, unit="KiB"), *of_memory(quick)]


def of_memory(quick: bool) -> list[Row]:
    if not Path("/proc/self/clear_refs").exists():
        return []  # only Linux tells a peak that begins anew
    cells = 5 * 10**6 if quick else 10**7
    size = f"{8 * cells // 10**6} MB"
    found = []
    for name, value in (
        (f"hash: array of {size}, C order", "array(1)"),
        (f"hash: array of {size}, strided", "array(1).reshape(-1, 10)[:, ::2]"),
        (f"hash: {cells // 20:,} object strings", "frame(1)"),
    ):
        works = {
            who: measured(
                f"{way}\nvalue = {value}\nhashed(np.arange(9.0)), hashed(pd.DataFrame(dict(a=['b'])))",
                "hashed(value)",
                cells,
            )
            for who, way in IMPORTS.items()
        }
        found.append(Row(f"memory beyond the value, {name}", None, works, unit="MiB"))
    for name, work, first in (("miss", "call(2)", ""), ("hit", "call(3)", "call(3)")):
        works = {who: measured(way, work, cells, first) for who, way in REMEMBER.items()}
        works["the array"] = measured("", "value = array(1)", cells)
        found.append(Row(f"memory, {name} on disk, array of {size}", "the array", works, unit="MiB"))
    return found
