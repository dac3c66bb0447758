"""Run the steps of edited copies of the project, each with its own copy of the stored results.

Reads from standard input, as JSON, a list of folders, each with a project and a store in it; prints for each folder
which steps ran, which returned something else than they do without a store, and why the plan said they would run.
"""

from __future__ import annotations

import importlib
import json
import sys
from pathlib import Path
from typing import Any

from flowly_ckpt import add_checkpoints, apply, chained, checkpoint, ignore_globals
from flowly_ckpt.plan import plan
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


def outcome(place: Path) -> dict[str, Any]:
    folder, target = place / "project", DiskTarget(place / "store")
    ran, wrong, why = [], [], {}
    try:
        for name, step in steps_of(folder).items():
            RAN.clear()
            pipeline = chained(seen, step, checkpoint(target))
            (forecast,) = apply(pipeline, INPUT, [add_checkpoints], plan)
            found = apply(pipeline, INPUT, [add_checkpoints])
            if RAN:
                ran.append(name)
            if forecast.action == "run":
                why[name] = forecast.why
            if found != step(INPUT):
                wrong.append(name)
    finally:
        forget(folder)
    return {"ran": ran, "wrong": wrong, "why": why}


if __name__ == "__main__":
    sys.dont_write_bytecode = True
    json.dump([outcome(Path(place)) for place in json.load(sys.stdin)], sys.stdout)
