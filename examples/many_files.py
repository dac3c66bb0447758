"""Two thousand files, some of them broken: what was parsed is kept, what failed is named, Ctrl-C loses nothing.

Start it, press Ctrl-C, start it again: it goes on where it was. Mend a file that it names, and only that one is parsed.

    python examples/many_files.py [FOLDER]

Without a folder of your own it takes ``days``, and fills it first where it is not there.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from flowly_ckpt import DiskTarget, FileContent, chained, checkpoint, run
from flowly_ckpt.tz import FailedItemsError, attempt

results = DiskTarget("many-files-results")


def parse(path: Path) -> dict[str, Any]:
    """Read the measurements of one day."""
    print("parsing", Path(path).name, flush=True)
    return json.loads(Path(path).read_text(encoding="utf-8"))


def summarise(day: dict[str, Any]) -> tuple[str, float]:
    """Take the mean of a day."""
    return day["station"], sum(day["values"]) / len(day["values"])


def warmest(means: list[tuple[str, float]]) -> tuple[str, float]:
    """Find the warmest day."""
    return max(means, key=lambda mean: mean[1])


def sample(folder: Path) -> None:
    """Write files to try this with; one in a hundred lacks its end."""
    folder.mkdir()
    for number in range(2000):
        day = json.dumps({"station": f"s{number}", "values": [number % 7, number % 11, number % 13]})
        (folder / f"{number:04}.json").write_text(day[:-5] if number % 100 == 17 else day, encoding="utf-8")


def main(folder: Path) -> int:
    """Parse every file, even if some fail; then say what came out."""
    days = chained(attempt(chained(parse, summarise, checkpoint(results, tag="day"))), warmest)
    files = [FileContent(path) for path in sorted(folder.glob("*.json"))]
    try:
        station, mean = run(days, files)
    except FailedItemsError as error:
        print(error)
        station, mean = warmest(list(error.results.values()))
    except KeyboardInterrupt:
        print("interrupted;", len(results), "of", len(files), "files are done")
        return 130
    print(f"warmest: {station} with {mean:.1f}")
    return 0


if __name__ == "__main__":
    folder = Path(sys.argv[1] if len(sys.argv) > 1 else "days")
    if not folder.exists():
        sample(folder)
    sys.exit(main(folder))
