"""Every target that is shipped, and those of others, for the one battery that holds for all: ``check_target``."""

import collections
import itertools
import shelve

import diskcache
import fsspec
import pytest
import zict

from flowly_ckpt.targets import (
    Bounded,
    DiskTarget,
    Expiring,
    FileTarget,
    Layered,
    RemoteTarget,
    Serialized,
    Signed,
    Snapshots,
    SqlTarget,
    compressed,
    gzipped,
    tree,
)

SECRET = "a secret of the tests"


def makers(folder):
    """Give a name and a maker of new, empty targets for each kind; what they open is closed by the second answer."""
    numbers = itertools.count()
    opened = []

    def fresh():
        return str(folder / str(next(numbers)))

    def closing(thing):
        opened.append(thing)
        return thing

    def disk(**options):
        return DiskTarget(fresh(), **options)

    kinds = {
        "dict": dict,
        "OrderedDict": collections.OrderedDict,
        "disk": disk,
        "disk, files only": lambda: disk(inline_bytes=0),
        "disk, lazy": lambda: disk(verify="lazy"),
        "disk, gzipped": lambda: disk(codec=gzipped),
        "disk, compressed": lambda: disk(codec=compressed()),
        "disk, tree": lambda: disk(codec=tree),
        "disk, bounded and expiring": lambda: disk(max_bytes=10**9, max_age=3600),
        "disk, durable": lambda: disk(durable=True),
        "files": lambda: FileTarget(fresh()),
        "files, gzipped": lambda: FileTarget(fresh(), codec=gzipped, suffix=".pkl.gz"),
        "files, tree": lambda: FileTarget(fresh(), codec=tree),
        "files, expiring": lambda: FileTarget(fresh(), max_age=3600, durable=True),
        "remote, memory": lambda: RemoteTarget(f"memory://{fresh()}"),
        "remote, file": lambda: RemoteTarget(f"file://{fresh()}"),
        "remote, tree": lambda: RemoteTarget(f"memory://{fresh()}", tree),
        "sql": lambda: sql(fresh()),
        "sql, large beside": lambda: sql(fresh(), large=disk(), inline_bytes=50),
        "Bounded": lambda: Bounded({}, 10**9),
        "Bounded disk": lambda: Bounded(disk(), 10**9),
        "Expiring": lambda: Expiring({}, 3600),
        "Expiring files": lambda: Expiring(FileTarget(fresh()), 3600),
        "Layered": lambda: Layered({}, disk()),
        "Layered, private": lambda: Layered(Snapshots({}), FileTarget(fresh())),
        "Snapshots": lambda: Snapshots({}),
        "Snapshots of Bounded": lambda: Snapshots(Bounded({}, 10**9)),
        "Signed dict": lambda: Signed({}, SECRET),
        "Signed disk": lambda: Signed(disk(), SECRET),
        "Signed disk, files only": lambda: Signed(disk(inline_bytes=0), SECRET),
        "Signed files": lambda: Signed(FileTarget(fresh()), SECRET),
        "Signed remote": lambda: Signed(RemoteTarget(f"memory://{fresh()}"), SECRET),
        "Serialized dict": lambda: Serialized({}),
        "Serialized shelve": lambda: Serialized(closing(shelf(fresh()))),
        "Serialized zict.File": lambda: Serialized(zict.File(fresh())),
        "Serialized zict.LRU": lambda: Serialized(zict.LRU(10**9, {})),
        "Serialized FSMap": lambda: Serialized(fsspec.get_mapper(f"memory://{fresh()}")),
        "Serialized diskcache": lambda: Serialized(closing_index(opened, fresh())),
        "zict.LRU": lambda: zict.LRU(10**9, {}),
        "zict.Buffer": lambda: zict.Buffer({}, {}, 10**9),
        "diskcache.Index": lambda: closing_index(opened, fresh()),
    }
    return kinds, opened


def sql(path, **options):
    """Make a target in an SQLite database."""
    pytest.importorskip("sqlalchemy", reason="SQLAlchemy is not installed")
    return SqlTarget(f"sqlite:///{path}.db", **options)


def shelf(path):
    """Open a shelf; browsers have no such database."""
    pytest.importorskip("dbm")
    return shelve.open(path)


def closing_index(opened, folder):
    """Open diskcache's mapping, to be closed at the end."""
    index = diskcache.Index(folder)
    opened.append(index.cache)
    return index
