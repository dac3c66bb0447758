"""One of each kind of store that keeps its entries in files, made from a folder."""

from __future__ import annotations

import os

from flowly_ckpt.targets import DiskTarget, FileTarget, RemoteTarget, SqlTarget, tree
from flowly_ckpt.targets.wrappers import Bounded, Expiring, Layered, Signed

SECRET = "a secret of the tests"


def database(folder, **options):
    os.makedirs(folder, 0o700, exist_ok=True)
    return SqlTarget(f"sqlite:///{folder}/results.db", **options)


def objects(folder, **options):
    return RemoteTarget(f"file://{folder}", **options)


STORES = {
    "DiskTarget": DiskTarget,
    "DiskTarget, files": lambda folder: DiskTarget(folder, inline_bytes=0),
    "FileTarget": FileTarget,
    "FileTarget, tree": lambda folder: FileTarget(folder, codec=tree),
    "SqlTarget": database,
    "SqlTarget, large": lambda folder: database(folder, large=FileTarget(f"{folder}/large"), inline_bytes=100),
    "RemoteTarget": objects,
    "RemoteTarget, leases": lambda folder: objects(folder, lease=3.0),
    "Signed": lambda folder: Signed(DiskTarget(folder), SECRET),
    "Signed objects": lambda folder: Signed(objects(folder), SECRET),
    "Layered": lambda folder: Layered(DiskTarget(f"{folder}/fast"), FileTarget(f"{folder}/slow")),
    "Expiring": lambda folder: Expiring(FileTarget(folder), 3600),
    "Bounded": lambda folder: Bounded(FileTarget(folder), 10**9),
}
NEEDS = {"SqlTarget": "sqlalchemy", "RemoteTarget": "fsspec", "Signed objects": "fsspec"}
