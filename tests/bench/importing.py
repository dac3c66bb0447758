"""What ``import flowly_ckpt`` costs over a bare Python: the median of fresh processes.

python tests/bench/importing.py [--quick]
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import time

# As users import: from the compiled files of an earlier import.
ENVIRONMENT = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}


def milliseconds(code: str, repeat: int) -> float:
    taken = []
    for _ in range(repeat):
        start = time.perf_counter()
        subprocess.run([sys.executable, "-c", code], check=True, env=ENVIRONMENT)
        taken.append(time.perf_counter() - start)
    return 1000 * statistics.median(taken)


if __name__ == "__main__":
    repeat = 5 if "--quick" in sys.argv else 21
    bare = milliseconds("pass", repeat)
    for name in ("flowly_ckpt", "flowly_ckpt.targets.disk", "numpy", "pandas"):
        print(f"import {name:<25} {milliseconds(f'import {name}', repeat) - bare:>7.1f} ms over {bare:.1f} ms")
