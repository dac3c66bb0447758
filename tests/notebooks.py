"""Run a notebook with a real kernel, and store what comes out.

python tests/notebooks.py examples/bike_rides.ipynb
"""

from __future__ import annotations

import os
import sys
import tempfile
from pathlib import Path
from typing import Any

import nbclient
import nbformat

REPOSITORY = Path(__file__).parents[1]


def run(path: Path, folder: Path) -> Any:
    """Return a notebook as it is after all of its cells have run in a folder."""
    notebook = nbformat.read(path, as_version=4)
    client = nbclient.NotebookClient(
        notebook,
        timeout=120,
        kernel_name="python3",
        coalesce_streams=True,
        record_timing=False,
        resources={"metadata": {"path": folder}},
    )
    client.execute(
        env={**os.environ, "PYTHONPATH": os.pathsep.join([str(REPOSITORY), os.environ.get("PYTHONPATH", "")])}
    )
    notebook.metadata["language_info"] = {"name": "python"}  # and no version: it is not about one
    return notebook


if __name__ == "__main__":
    for name in sys.argv[1:]:
        with tempfile.TemporaryDirectory() as place:
            made = run(Path(name), Path(place))
        nbformat.write(made, name)
