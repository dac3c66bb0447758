"""How the cost of a chain of checkpoints grows with its length: rewrite, cold run, its second hash, warm run, watching.

    python tests/bench/chain.py [--quick]

Prints milliseconds, and each divided by the number of checkpoints: the quotient should not grow. A step that is
observed by a sink that does nothing should cost 2 µs more at most.
"""

from __future__ import annotations

import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from typing import Any

from flowly_ckpt import add_checkpoints, chained, checkpoint
from flowly_ckpt.checkpoint.hashed import Hashed, warn_of_changes
from flowly_ckpt.hashing.kept import Keeper
from flowly_ckpt.passes import observe
from flowly_ckpt.targets import DiskTarget


def increment(n: int) -> int:
    return n + 1


def milliseconds(work: Callable[[], Any], repeat: int) -> float:
    """Return the median time of ``work``, which is set up anew by the caller where it must be."""
    taken = []
    for _ in range(repeat):
        start = time.perf_counter()
        work()
        taken.append(time.perf_counter() - start)
    return 1000 * statistics.median(taken)


def main() -> None:
    repeat = 3 if "--quick" in sys.argv else 9
    titles = " ".join(f"{title:>16}" for title in ("rewrite", "cold run", "hashed again", "warm run"))
    print(f"{'checkpoints':>11} {titles}   ms, and µs per checkpoint")
    for length in (100, 1000, 2000):
        target: dict[Any, Any] = {}
        chain = chained(*(part for _ in range(length) for part in (increment, checkpoint(target))))
        rewritten = add_checkpoints(chain)

        def cold(pipeline: Any = rewritten, target: dict[Any, Any] = target) -> None:
            target.clear()
            pipeline(0)

        steps = [increment] * length
        before = Hashed(0, steps, Keeper())

        def again(before: Hashed = before, steps: list[Any] = steps) -> None:
            warn_of_changes(before, 0, steps, None)

        figures = [
            milliseconds(lambda chain=chain: add_checkpoints(chain), repeat),
            milliseconds(cold, repeat),
            milliseconds(again, repeat),
            milliseconds(lambda pipeline=rewritten: pipeline(0), repeat),
        ]
        print(f"{length:>11} " + " ".join(f"{figure:>8.2f} {1000 * figure / length:>7.1f}" for figure in figures))
    plain = chained(*[increment] * 1000)
    watched = observe(lambda event: None)(plain)
    alone, seen = (milliseconds(lambda pipeline=pipeline: pipeline(0), 5 * repeat) for pipeline in (plain, watched))
    print(f"observed by a sink that does nothing: {seen - alone:.2f} µs more a step (at most 2)")
    print(miss(30 if "--quick" in sys.argv else 300))


def miss(count: int) -> str:
    """Say which part of a miss of one small step is spent on hashing its code and its input once more."""
    numbers = iter(range(10**9))
    steps = [increment]
    with tempfile.TemporaryDirectory() as folder, DiskTarget(folder) as disk:
        shares = []
        for target in (disk, {}):
            pipeline = add_checkpoints(chained(increment, checkpoint(target)))
            whole = milliseconds(lambda pipeline=pipeline: pipeline(next(numbers)), count)
            before = Hashed([1], steps, Keeper())
            again = milliseconds(lambda before=before: warn_of_changes(before, [1], steps, None), count)
            shares.append(f"{1000 * again:.0f} of {1000 * whole:.0f} µs in a {type(target).__name__}")
    return f"hashed again after a miss: {', '.join(shares)}"


if __name__ == "__main__":
    main()
