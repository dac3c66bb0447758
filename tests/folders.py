"""Stores that tests make in the current folder, and what lies in a folder."""

from __future__ import annotations

import uuid
from pathlib import Path

import pytest

from flowly_ckpt.targets import DiskTarget, FileTarget, Layered, RemoteTarget, SqlTarget


def readable(folder, pattern="*"):
    """List the files below a folder that a user reads, in order; not the facts about them in ``.made``."""
    found = (path.relative_to(folder) for path in Path(folder).rglob(pattern) if path.is_file())
    return sorted(path.as_posix() for path in found if ".made" not in path.parts)


def remote():
    pytest.importorskip("fsspec", reason="fsspec is not installed")
    return RemoteTarget(f"memory://{uuid.uuid4().hex}")


def sql():
    pytest.importorskip("sqlalchemy", reason="SQLAlchemy is not installed")
    return SqlTarget("sqlite:///results.db")


TARGETS = {
    "dict": dict,
    "DiskTarget": lambda: DiskTarget("results"),
    "FileTarget": lambda: FileTarget("results"),
    "RemoteTarget": remote,
    "SqlTarget": sql,
    "Layered": lambda: Layered({}, DiskTarget("results")),
}
