"""Run the steps of edited copies of the project, each with its own copy of the stored results.

Reads from standard input, as JSON, a list of folders, each with a project and a store in it; prints for each folder
which steps ran, and which returned something else than they do without a store.
"""

from __future__ import annotations

import importlib
import json
import sys
from pathlib import Path
from typing import Any

from flowly_ckpt import add_checkpoints, apply, chained, checkpoint, ignore_globals
from flowly_ckpt.targets import DiskTarget

RAN: list[int] = []
INPUT = 5


@ignore_globals("RAN")
def seen(x: int) -> int:
    RAN.append(x)
    return x


def steps_of(folder: Path) -> dict[str, Any]:
    importlib.invalidate_caches()
    sys.path.insert(0, str(folder))
    return (
        importlib.import_module("steps").STEPS
        if (folder / "steps.py").exists()
        else importlib.import_module("renamed").STEPS
    )


def forget(folder: Path) -> None:
    sys.path.remove(str(folder))
    for name, module in list(sys.modules.items()):
        if (getattr(module, "__file__", None) or "").startswith(str(folder)):
            del sys.modules[name]


def outcome(place: Path) -> dict[str, list[str]]:
    folder, target = place / "project", DiskTarget(place / "store")
    ran, wrong = [], []
    try:
        for name, step in steps_of(folder).items():
            RAN.clear()
            found = apply(chained(seen, step, checkpoint(target)), INPUT, rewrites=[add_checkpoints])
            if RAN:
                ran.append(name)
            if found != step(INPUT):
                wrong.append(name)
    finally:
        forget(folder)
    return {"ran": ran, "wrong": wrong}


if __name__ == "__main__":
    sys.dont_write_bytecode = True
    json.dump([outcome(Path(place)) for place in json.load(sys.stdin)], sys.stdout)
