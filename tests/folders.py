"""What lies in a folder, for tests of the stores that keep readable files."""

from __future__ import annotations

from pathlib import Path


def readable(folder, pattern="*"):
    """List the files below a folder that a user reads, in order; not the facts about them in ``.made``."""
    found = (path.relative_to(folder) for path in Path(folder).rglob(pattern) if path.is_file())
    return sorted(path.as_posix() for path in found if ".made" not in path.parts)
