"""Do with every target, in long random orders, what a dict does too, and print a table: target, programs, held.

python tests/stress/machines.py [--quick] [--programs 2000] [--only TEXT]

The programs are those of ``tests/test_target_machines.py``, longer and more of them.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import traceback
import warnings
from pathlib import Path

from forked import Table
from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import run_state_machine_as_test

TESTS = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(TESTS.parent), str(TESTS)]

from batteries import makers  # noqa: E402
from test_target_machines import NAMES, LikeADict  # noqa: E402


def fault(name: str, programs: int, folder: Path) -> list[str]:
    kinds, opened = makers(folder)
    machine = type(name, (LikeADict,), {"make": staticmethod(kinds[name])})
    many = settings(
        max_examples=programs, stateful_step_count=50, deadline=None, database=None,
        phases=[Phase.generate, Phase.shrink], suppress_health_check=list(HealthCheck),
    )  # fmt: skip
    try:
        run_state_machine_as_test(machine, settings=many)
    except Exception:  # noqa: BLE001  whatever it is, it did not hold
        return [traceback.format_exc()]
    finally:
        for thing in opened:
            thing.close()
    return []


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--full", action="store_true", help="as without it")
    parser.add_argument("--programs", type=int, default=2000)
    parser.add_argument("--only", default="")
    options = parser.parse_args()
    warnings.simplefilter("ignore")
    table = Table()
    print(f"{'target, as a dict':<62} {'tried':>6} {'held':>6}")
    for name in [name for name in NAMES if options.only in name]:
        programs = 10 if options.quick else options.programs
        with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
            table.row(name, programs, fault(name, programs, Path(folder)))
    return int(table.failed > 0)


if __name__ == "__main__":
    sys.exit(main())
