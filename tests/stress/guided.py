"""Let coverage guide the mutations of encodings, and print a table: what, tried, how long, what it broke.

python tests/stress/guided.py [--seconds 20] [--only TEXT]

What is decoded, and what may come of it, is that of ``mutations.py``; atheris looks which mutations come to new places
of the library, and goes on from there. It is to be had for Linux: ``pip install atheris``.
"""

from __future__ import annotations

import argparse
import re
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

MEMORY = 2048  # megabytes, of all the libraries too


def fuzz(name: str, options: list[str]) -> None:
    """Mutate in this process, which ends at the first fault."""
    import random

    import atheris

    with atheris.instrument_imports(include=["flowly_ckpt.targets", "flowly_ckpt.recipes", "flowly_ckpt.resume"]):
        import mutations

    subject, expected = mutations.prepared(name)
    for number, data in enumerate(subject.encodings):
        Path(options[-1], str(number)).write_bytes(data)

    def other(data: bytes, most: int, seed: int) -> bytes:
        chance = random.Random(seed)
        if subject.form is not None and chance.random() < 0.3:
            try:
                return subject.form(data, chance)[:most]
            except (ValueError, LookupError, TypeError, AttributeError, RecursionError, mutations.DamagedError):
                pass  # it is of no such form any more
        found: Any = atheris.Mutate(data, most)
        return bytes(found)

    def one(data: bytes) -> None:
        mutations.is_refused(subject, data, expected)

    atheris.Setup([sys.argv[0], *options], one, custom_mutator=other)
    atheris.Fuzz()


def row(name: str, seconds: int) -> bool:
    """Print the row of one subject; return whether it held."""
    with tempfile.TemporaryDirectory() as scratch:
        Path(scratch, "corpus").mkdir()
        limits = [f"-max_total_time={seconds}", "-timeout=10", f"-rss_limit_mb={MEMORY}", "-max_len=20000"]
        line = [sys.executable, str(Path(__file__).resolve()), "--child", name, *limits, "corpus"]
        done = subprocess.run(
            line, cwd=scratch, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace"
        )
    said = done.stdout
    tried = re.findall(r"^#(\d+)", said, re.M)
    places = re.findall(r"cov: (\d+)", said)
    held = done.returncode == 0
    print(
        f"{name:<40} {tried[-1] if tried else 0:>8} {places[-1] if places else 0:>8} {'yes' if held else 'no':>8}",
        flush=True,
    )
    if not held:
        print("    " + said[-3000:].replace("\n", "\n    "))
    return held


def main() -> int:
    if sys.argv[1:2] == ["--child"]:
        fuzz(sys.argv[2], sys.argv[3:])
        return 0
    parser = argparse.ArgumentParser()
    parser.add_argument("--seconds", type=int, default=20)
    parser.add_argument("--only", default="")
    options = parser.parse_args()
    import mutations

    print(f"{'mutated encodings, by coverage':<40} {'tried':>8} {'places':>8} {'held':>8}", flush=True)
    names = [name for name in [*mutations.SUBJECTS, *mutations.IN_FOLDERS] if options.only in name]
    held = [row(name, options.seconds) for name in names]
    return int(not all(held))


if __name__ == "__main__":
    sys.exit(main())
