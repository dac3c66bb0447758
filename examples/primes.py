"""Compute primes in a function that is interrupted and, in another process, goes on where it was.

    python examples/primes.py                 # three processes, two of them killed on the way
    python examples/primes.py --count 20000

Three lines make the function resumable: it makes a checkpoint, restores, and saves now and then.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
from pathlib import Path

from flowly_ckpt.resume import Checkpoint


def compute_primes(count: int, die_after: int | None = None) -> list[int]:
    """Return the first primes; for the sake of the example, die after having found so many."""
    checkpoint = Checkpoint()
    primes = [2]
    candidate = 2
    checkpoint.restore()
    print(f"process {os.getpid()} begins with {len(primes)} primes, the last of them {primes[-1]}", flush=True)
    while len(primes) < count:
        candidate += 1
        if is_prime(candidate, primes):
            primes.append(candidate)
        if candidate % 1000 == 0:
            checkpoint.save()  # in a loop of hours: checkpoint.sync(), which saves every 30 seconds
        if len(primes) == die_after:
            os.abort() if os.name == "nt" else os.kill(os.getpid(), 9)
    return primes


def is_prime(candidate: int, primes: list[int]) -> bool:
    """Return whether none of the primes up to its square root divides a number."""
    for prime in primes:
        if prime * prime > candidate:
            return True
        if candidate % prime == 0:
            return False
    return True


def run_until_done(count: int) -> None:
    """Run this file in processes of their own, the first two of which are killed."""
    with tempfile.TemporaryDirectory() as folder:
        for die_after in (count // 4, count // 2, None):
            command = [sys.executable, os.path.abspath(__file__), "--count", str(count), "--one-run"]
            command += [] if die_after is None else ["--die-after", str(die_after)]
            code = subprocess.run(command, cwd=folder, check=False, env=with_this_library()).returncode
            print("  … killed" if code else "  … done", flush=True)  # in step with the processes' own lines


def with_this_library() -> dict[str, str]:
    """Return an environment in which a process finds the library where this one found it."""
    import flowly_ckpt

    here = str(Path(flowly_ckpt.__file__).parents[1])
    return {**os.environ, "PYTHONPATH": os.pathsep.join([here, os.environ.get("PYTHONPATH", "")])}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--count", type=int, default=10_000, help="how many primes (default 10000)")
    parser.add_argument("--one-run", action="store_true", help="run in this process, state in .checkpoints")
    parser.add_argument("--die-after", type=int, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if not options.one_run:
        run_until_done(options.count)
        return
    primes = compute_primes(options.count, options.die_after)
    print(f"prime number {len(primes)} is {primes[-1]}")


if __name__ == "__main__":
    main()
