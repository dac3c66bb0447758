"""What is measured of a text."""

import os
from collections import Counter
from pathlib import Path

from flowly_ckpt import memo

from .store import results
from .texts import words

LONG = 7


@memo(results)
def measure(path: Path) -> dict[str, float]:
    """Measure one file."""
    print("measuring", os.fspath(path), "in", os.getpid(), flush=True)
    found = words(Path(path).read_text(encoding="utf-8"))
    return {"words": len(found), "different": len(set(found)), "long": share_of_long(found)}


@memo(results)
def commonest(paths: list[Path], n: int = 3) -> list[str]:
    """Find the words that most files have."""
    print("counting", len(paths), "files", flush=True)
    counts = Counter(word for path in paths for word in set(words(Path(path).read_text(encoding="utf-8"))))
    return [word for word, _ in sorted(counts.items(), key=lambda item: (-item[1], item[0]))[:n]]


def share_of_long(found: list[str]) -> float:
    """Return which share of words is long."""
    return sum(len(word) >= LONG for word in found) / max(1, len(found))
