"""Run every benchmark in turn, each in a process of its own.

python tests/bench/run.py [--quick]
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

if __name__ == "__main__":
    failed = 0
    for script in sorted(Path(__file__).parent.glob("*.py")):
        if script.name != "run.py" and '__name__ == "__main__"' in script.read_text("utf-8"):
            print(f"\n== {script.name}", flush=True)
            failed += subprocess.run([sys.executable, str(script), *sys.argv[1:]]).returncode != 0
    sys.exit(failed)
