"""Measure the texts of a folder in several processes; what was measured before is only looked up.

cd examples && python -m survey FOLDER
"""

import sys
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

from flowly_ckpt import FileContent

from .measures import commonest, measure


def main(folder: str) -> None:
    """Print what was measured."""
    files = [FileContent(path) for path in sorted(Path(folder).glob("*.txt"))]
    with ProcessPoolExecutor(2) as pool:
        measured = list(pool.map(measure, files))
    print("words:", sum(each["words"] for each in measured))
    print("long: {:.3f}".format(max(each["long"] for each in measured)))
    print("commonest:", *commonest(files))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]) if len(sys.argv) == 2 else __doc__)
