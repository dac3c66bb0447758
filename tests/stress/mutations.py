"""Mutate encodings, decode them in processes of bounded memory, and print a table: what, tried, held, refused.

python tests/stress/mutations.py [--quick] [--count N] [--only TEXT]

Of each codec and library 100,000 mutated encodings are decoded (with --quick 1,000); of what lies in folders a tenth
of that.
It holds where a value comes out, the stored one where there is a digest, or the codec's own error; a crash, another
error, a warning of another kind, 256 MB more than before or ten seconds are faults.
"""

from __future__ import annotations

import argparse
import datetime as dt
import decimal
import fractions
import json
import os
import random
import resource
import shutil
import signal
import sqlite3
import struct
import subprocess
import sys
import tempfile
import traceback
import uuid
import warnings
from collections import Counter, OrderedDict, deque
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import xxhash

from flowly_ckpt.cli.printing import entry_facts, readable, shown
from flowly_ckpt.hashing import functional_hash
from flowly_ckpt.recipes import AlkymiConfig, CacheTarget
from flowly_ckpt.recipes.outputs import computed
from flowly_ckpt.recipes.records import RECORD, Record, recorded
from flowly_ckpt.resume.storing import Place, folder_of_states
from flowly_ckpt.targets import (
    DiskTarget,
    Expiring,
    FileTarget,
    Layered,
    RemoteTarget,
    Serialized,
    Signed,
    SqlTarget,
    as_target,
    compressed,
    gzipped,
    pickled,
    plain_pickle,
    tree,
)
from flowly_ckpt.targets.codecs.frames import framed, unframed
from flowly_ckpt.targets.damage import DamagedError
from flowly_ckpt.targets.disk.folder import MARKER
from flowly_ckpt.targets.provenance import Provenance, read_line, write_line
from flowly_ckpt.typing import Facts

MEMORY = 256 << 20
KEY = ("0a", "fit", "1b")
ABSENT = object()
WORDS = [0, 1, 2, 3, 7, 8, 127, 128, 255, 256, 65_535, 1 << 16, 1 << 31, (1 << 31) - 1, (1 << 32) - 1, (1 << 63) - 1,
         1 << 62, (1 << 64) - 1]  # fmt: skip

PLAIN = [
    {"a": [1, 2.5, "text", None, True], 3: (1, {2, "x"}), (1, 2): b"bytes" * 50, "r": range(3, 9, 2)},
    [dt.datetime(2020, 1, 2, tzinfo=ZoneInfo("Europe/Berlin")), dt.date(2020, 1, 1), dt.timedelta(1, 2, 3), dt.UTC],
    [decimal.Decimal("1.50"), fractions.Fraction(-3, 7), uuid.UUID(int=5), Path("a/b"), 1 << 300, float("nan"), 1j],
    [OrderedDict(b=1), Counter("aab"), deque([1, 2], 3), frozenset({frozenset({1})}), bytearray(b"x" * 200), "\udc80"],
    [[shared := [1, (2, 3)], shared, {"s": shared}], [shared] * 3],
]
NUMPY = [
    np.arange(40.0).reshape(5, 8), np.arange(6, dtype=">i2").reshape(2, 3).T, np.array(["a", "bcd"]), np.zeros((0, 3)),
    np.array([None, 1, "x", [2]], dtype=object).reshape(2, 2), np.ones(3, dtype=[("a", "i4"), ("b", "f8", (2,))]),
    [np.float32(1.5), np.datetime64("2020-01-02", "D"), np.dtype("<f4"), np.str_("é"), np.array(["NaT"], "M8[s]")],
]  # fmt: skip
PANDAS = [
    pd.DataFrame({"a": [1, 2, 3], "b": [0.5, np.nan, 1], "s": ["x", None, "é"], "t": [True, False, True]}),
    pd.DataFrame({"c": pd.Categorical(["b", "a", None], ["b", "a", "z"]), "o": pd.Series([[1], "x", 2], dtype=object)}),
    pd.DataFrame({"d": pd.date_range("2020", periods=3, tz="Asia/Tokyo")}, index=pd.date_range("2020", periods=3)),
    pd.DataFrame([[1.0, 2.0]], index=pd.MultiIndex.from_tuples([("x", 1)], names=["k", None]), columns=["a", "a"]),
    pd.Series(pd.array([1, None], "Int64"), name="n"), pd.period_range("2020", periods=3, freq="M"),
    [pd.Timestamp("2020-01-02", tz="Europe/Berlin"), pd.Timedelta(7), pd.NaT, pd.RangeIndex(5, name="r")],
]  # fmt: skip
PYARROW = [
    pa.table({"a": [1, 2, None], "s": ["x", "yy", None], "l": [[1], [], None], "b": [True, None, False]}),
    pa.table({"d": pa.array(["a", "b", "a"]).dictionary_encode(), "n": pa.nulls(3),
              "v": pa.array(["x"] * 3, pa.string_view())}),
    pa.table({"t": pa.array([{"x": 1, "y": "z"}, None]),
              "m": pa.array([[("k", 1)], []], pa.map_(pa.string(), pa.int64()))}),
    pa.table({"f": pa.array([b"ab", b"cd"], pa.binary(2)), "q": pa.array([1, 2], pa.decimal128(10, 2)),
              "z": pa.array([[1, 2], [3, 4]], pa.list_(pa.int32(), 2)), "e": pa.array([1.5, None], pa.float16())}),
]  # fmt: skip
POLARS = [
    pl.DataFrame({"a": [1, 2, None], "s": ["x", "a longer text than twelve", None], "l": [[1], [], None]}),
    pl.DataFrame({"b": [True, None], "d": [dt.date(2020, 1, 1), None], "t": [dt.datetime(2020, 1, 1), None]}),
    pl.DataFrame({"c": ["x", "y", "x"], "e": ["u", "v", "u"]}, schema={"c": pl.Categorical, "e": pl.Enum(["u", "v"])}),
    pl.DataFrame({"st": [{"x": 1, "y": "z"}], "n": [None], "y": [b"ab"], "ar": [[1, 2]]},
                 schema_overrides={"ar": pl.Array(pl.Int32, 2)}),
    pl.Series("s", [1.5, None]),
]  # fmt: skip
SMALL = {"a": [1, 2.5, "text"], "b": np.arange(4)}
ODD = [None, -1, 1 << 62, 10**400, 1e300, "text", "\x1b[2J", b"\xff\xfe", "[" * 5000, "{}", '{"a": 1e999}', b"",
       "9" * 5000]  # fmt: skip
Form = Callable[[bytes, random.Random], bytes]


class Subject(NamedTuple):
    """What is mutated: encodings, how one is decoded, and whether another value than the stored one is wrong."""

    encodings: list[bytes]
    decode: Callable[[bytes], Any]
    is_guarded: bool = False
    form: Form | None = None  # a mutation that keeps the form


def of_tree(values: list[Any]) -> Subject:
    return Subject([tree.dumps(value) for value in values], tree.loads, form=other_json)


def packed(method: str) -> Subject:
    codec = compressed(inner=tree, method=method)
    return Subject([codec.dumps(SMALL), codec.dumps(PLAIN)], codec.loads, True)


def stored(make: Callable[[dict[str, bytes]], Any]) -> Subject:
    """Mutate what a target keeps in a mapping from names to bytes."""

    def decode(data: bytes) -> Any:
        return used(make(dict.fromkeys(shelf, data)))

    shelf: dict[str, bytes] = {}
    make(shelf)[KEY] = SMALL
    return Subject(list(shelf.values()), decode, True, other_line)


def used(target: Any) -> Any:
    """Look at a store in every way; return what it has under the key."""
    full = as_target(target)
    for entry in full.entries():
        shown(readable(entry_facts(entry)))
    full.stats()
    full.verify()
    full.clear_where(dry_run=True, **({"older_than": 9e9} if full.keeps_times else {}))
    return target.get(KEY, ABSENT)


def filed(make: Callable[[str], Any], name: str, form: Form | None = None) -> Subject:
    """Mutate one of the files of a store in a folder; the others are as they were."""

    def decode(data: bytes) -> Any:
        shutil.rmtree(folder, ignore_errors=True)
        shutil.copytree(base, folder)
        Path(folder, name).write_bytes(data)
        target = make(folder)
        try:
            return used(target)
        finally:
            as_target(target).close()

    base, folder = f"{SCRATCH}/base", f"{SCRATCH}/folder"
    target = make(base)
    target[KEY] = SMALL
    as_target(target).close()
    return Subject([Path(base, name).read_bytes()], decode, True, form)


def named_files(path: str, codec: Any = tree) -> FileTarget:
    return FileTarget(path, lambda key: "a", codec=codec)


def states() -> Subject:
    """States of loops, which start over where theirs cannot be used."""

    def decode(data: bytes) -> Any:
        Path(folder).mkdir(exist_ok=True)
        Path(folder, "a.pzip").write_bytes(data)
        place = Place(folder_of_states(folder, None, ".pzip"), ("a", "resume", ""), None, set())
        found = place.load()
        return ABSENT if found is None else found["locals"]

    folder = f"{SCRATCH}/states"
    kept = Place(folder_of_states(folder, None, ".pzip"), ("a", "resume", ""), None, set())
    kept.save({"total": [1, 2.5], "name": "x"}, {"loops": {(0,): (2, "'b'")}, "random": None})
    return Subject([Path(folder, "a.pzip").read_bytes()], decode, True)


def caches() -> Subject:
    """Records in the folder of recipes, where nothing may be unpickled."""

    def decode(data: bytes) -> Any:
        shutil.rmtree(folder, ignore_errors=True)
        shutil.copytree(base, folder)
        Path(folder, ".alkymi_cache", name).write_bytes(data)
        target = CacheTarget(f"{folder}/.alkymi_cache")
        found = used(target)
        return found if found is ABSENT else found.value()

    AlkymiConfig.get().allow_pickling = False
    base, folder = f"{SCRATCH}/base", f"{SCRATCH}/folder"
    CacheTarget(f"{base}/.alkymi_cache")[KEY] = computed([np.arange(4), "text", {"a": 1.5}], base)
    (record,) = Path(base).rglob(RECORD)
    name = str(record.relative_to(f"{base}/.alkymi_cache"))
    return Subject([record.read_bytes()], decode, False, other_line)


def leases() -> Subject:
    """Claims in a folder that many machines share: one is had at once, or waited for."""

    def decode(data: bytes) -> Any:
        target = RemoteTarget(f"file://{folder}", lease=1e9)
        claim = target.claim(KEY)
        Path(folder, claim.name).write_bytes(data)
        assert next(claim.waits(), None) is not None, "what somebody holds was taken"
        claim.holder()
        claim.circle()
        return None

    folder = f"{SCRATCH}/leases"
    target = RemoteTarget(f"file://{folder}", lease=1e9)
    claim = target.claim(KEY)
    with claim:
        data = Path(folder, claim.name).read_bytes()
    return Subject([data], decode)


def indexes(name: str) -> Subject:
    """Mutate an index, or the log in which all that it has still lies."""

    def decode(data: bytes) -> Any:
        shutil.rmtree(folder, ignore_errors=True)
        shutil.copytree(base, folder)
        Path(folder, name).write_bytes(data)
        target = DiskTarget(folder)
        try:
            for number in range(0, 40, 7):
                assert target.get((str(number), "t", "f"), None) in (None, ["x" * 100, number]), "another value"
            found = target.get(KEY, ABSENT)
            list(target.entries())
            target.stats()
            target.verify(repair=True)
            target[KEY] = SMALL
            assert found is ABSENT or target.get(KEY) is not None, "what is stored anew is not found"
        finally:
            target.close()
        return found

    base, folder = f"{SCRATCH}/base", f"{SCRATCH}/folder"
    made = DiskTarget(f"{SCRATCH}/made")
    made[KEY] = SMALL
    made.put_many(((str(number), "t", "f"), ["x" * 100, number], Facts(0.0)) for number in range(40))
    if name == "index.sqlite":
        made.close()
        with sqlite3.connect(f"{made.path}/index.sqlite") as connection:
            connection.execute("pragma wal_checkpoint(truncate)")
        connection.close()
    shutil.copytree(made.path, base, ignore=shutil.ignore_patterns("*-shm"))
    made.close()
    return Subject([Path(base, name).read_bytes()], decode, True)


def rows(make: Callable[[str], Any], database: str, update: str, columns: list[str]) -> Subject:
    """Rows of the right digest whose other columns are anything: what somebody writes who knows the format."""

    def decode(data: bytes) -> Any:
        chance = random.Random(data)
        shutil.rmtree(folder, ignore_errors=True)
        shutil.copytree(base, folder)
        connection = sqlite3.connect(f"{folder}/{database}")
        connection.execute("pragma ignore_check_constraints = 1")
        for column in [] if data == b"rows" else chance.sample(columns, 3):
            try:
                connection.execute(update.format(column), (chance.choice(ODD),))
            except (sqlite3.IntegrityError, OverflowError):
                continue
        connection.commit()
        connection.close()
        target = make(folder)
        try:
            found = used(target)
            target.verify(repair=True)
            target.gc()
        finally:
            target.close()
        return found

    base, folder = f"{SCRATCH}/base", f"{SCRATCH}/rows"
    os.mkdir(base)
    target = make(base)
    target[KEY] = SMALL
    target.close()
    return Subject([b"rows"], decode, True)


LINE = Record("steps:load", "0a", "1b", "2c", {"x": "0a"}, 0.1, "", (), (("0a.1b/0.npy", 5, "0"),), None, ["x"])
MADE = Provenance(KEY, "pickled", 4, "0a", 0.0, 2.0, {"x": "y"})
SUBJECTS: dict[str, Callable[[], Subject]] = {
    "tree, plain values": lambda: of_tree(PLAIN),
    "tree, numpy": lambda: of_tree(NUMPY),
    "tree, pandas": lambda: of_tree(PANDAS),
    "tree, pyarrow": lambda: of_tree(PYARROW),
    "tree, polars": lambda: of_tree(POLARS),
    "zlib around tree": lambda: packed("zlib"),
    "zstd around tree": lambda: packed("zstd"),
    "Serialized, pickled": lambda: stored(Serialized),
    "Serialized, plain pickle": lambda: stored(lambda shelf: Serialized(shelf, plain_pickle)),
    "Serialized, tree in zstd": lambda: stored(lambda shelf: Serialized(shelf, compressed(inner=tree))),
    "Signed, pickled": lambda: stored(lambda shelf: Signed(Serialized(shelf), b"x" * 16)),
    "Signed, in a dict": lambda: stored(lambda shelf: Signed(shelf, b"x" * 16, pickled)),
    "Serialized, gzipped": lambda: stored(lambda shelf: Serialized(shelf, gzipped)),
    "Expiring, Layered": lambda: stored(lambda shelf: Expiring(Layered({}, Serialized(shelf)), 3600)),
    "records of recipes": lambda: Subject([recorded.dumps(LINE)], recorded.loads, False, other_line),
    "lines about entries": lambda: Subject([write_line(MADE)], read_line, False, other_line),
}
IN_FOLDERS: dict[str, Callable[[], Subject]] = {
    "folder of recipes": caches,
    "sidecars": lambda: filed(named_files, ".made/a", other_line),
    "files, plain pickle": lambda: filed(lambda path: named_files(path, plain_pickle), "a"),
    "files, tree": lambda: filed(named_files, "a"),
    "objects of RemoteTarget": lambda: filed(lambda path: RemoteTarget(f"file://{path}"), "fit/0a.1b", other_line),
    "states of loops": states,
    "leases": leases,
    "indexes": lambda: indexes("index.sqlite"),
    "logs of indexes": lambda: indexes("index.sqlite-wal"),
    "markers of stores": lambda: filed(DiskTarget, MARKER),
    "rows of an index": lambda: rows(
        DiskTarget,
        "index.sqlite",
        "update entries set {} = ? where tag = 'fit'",
        ["codec", "size", "digest", "created", "seconds", "made_from", "blob", "data"],
    ),
    "rows of a database": lambda: rows(
        lambda path: SqlTarget(f"sqlite:///{path}/rows.db"),
        "rows.db",
        "update flowly_entries set {} = ?",
        ["tag", "object", "transform", "size", "created", "made", "data", "beside"],
    ),
}


# mutations


def mutated(data: bytes, chance: random.Random, others: list[bytes]) -> bytes:
    found = bytearray(data)
    for _ in range(chance.choice([1, 1, 1, 2, 4, 8])):
        if not found:
            break
        at = chance.randrange(len(found))
        size = chance.choice([1, 2, 4, 8, 16, 64])
        match chance.randrange(8):
            case 0:
                found[at] ^= 1 << chance.randrange(8)
            case 1:
                found[at] = chance.randrange(256)
            case 2:
                word = chance.choice(WORDS).to_bytes(8, chance.choice(["little", "big"]))[:size]
                found[at : at + len(word)] = word
            case 3:
                del found[at : at + size]
            case 4:
                found[at:at] = found[at : at + size] * chance.choice([1, 2, 50])
            case 5:
                del found[at:]
            case 6:
                other = chance.choice(others)
                start = chance.randrange(len(other))
                found[at : at + size] = other[start : start + size]
            case 7:
                word = chance.choice(WORDS).to_bytes(8, "little")
                at -= at % 8
                found[at : at + 8] = word
    return bytes(found)


def other_json(data: bytes, chance: random.Random) -> bytes:
    """Exchange nodes of the JSON of a tree; the parts stay, but for a few that are mutated."""
    stream, parts = unframed(b"FLOWTREE", data)
    whole = [json.loads(bytes(stream))]
    for _ in range(chance.choice([1, 1, 2, 3])):
        places = list(below(whole))
        holder, name = chance.choice(places)
        other, another = chance.choice(places)
        odd = [None, -1, 0, 1 << 40, 1 << 62, 1e300, "", "x", "1", [], {}, [[]], True, len(parts)]
        new = chance.choice([other[another], chance.choice(odd), {chance.choice(TAGS): other[another]}])
        holder[name] = json.loads(json.dumps(new))
        if isinstance(holder, dict) and chance.random() < 0.3:
            holder[chance.choice(TAGS)] = holder.pop(name)
    pieces = [[mutated(bytes(part), chance, [bytes(part)]) if len(part) and chance.random() < 0.1 else bytes(part)]
              for part in parts]  # fmt: skip
    return b"".join(framed(b"FLOWTREE", json.dumps(whole[0]).encode(), pieces))


def other_line(data: bytes, chance: random.Random) -> bytes:
    """Exchange nodes of the JSON of a line that ends in its digest, which is made right again."""
    text, mark, rest = data.partition(b', "check": "')
    whole = json.loads(text + b"}")
    for _ in range(chance.choice([1, 1, 2, 3])):
        holder, name = chance.choice(list(below(whole)))
        other, another = chance.choice(list(below(whole)))
        odd = [each for each in ODD if type(each) is not bytes]
        holder[name] = json.loads(
            json.dumps(chance.choice([other[another], chance.choice(odd), [], {}, True, 1 << 40]))
        )
    text = json.dumps(whole).encode()[:-1]
    return text + mark + xxhash.xxh3_128_hexdigest(text).encode() + rest[32:]


def below(node: Any) -> Any:
    for name, inner in list(node.items() if isinstance(node, dict) else enumerate(node)):
        yield node, name
        if isinstance(inner, (dict, list)):
            yield from below(inner)


def tags_of(values: list[Any]) -> set[str]:
    found: set[str] = set()
    for value in values:
        stream, _ = unframed(b"FLOWTREE", tree.dumps(value))
        whole = [json.loads(bytes(stream))]
        found |= {name for _, name in below(whole) if isinstance(name, str)}
    return found


# processes


def attempt(subject: Subject, number: int, expected: list[str]) -> bool:
    """Decode one mutated encoding; return whether it was refused.

    :raises AssertionError: for what must not be.
    """
    chance = random.Random(number)
    data = chance.choice(subject.encodings)
    if subject.form is not None and chance.random() < 0.5:
        data = subject.form(data, chance)
    else:
        data = mutated(data, chance, subject.encodings)
    return is_refused(subject, data, expected)


def is_refused(subject: Subject, data: bytes, expected: list[str]) -> bool:
    """Decode bytes; return whether they were refused.

    :raises AssertionError: for what must not be.
    """
    try:
        found = subject.decode(data)
    except DamagedError:
        return True
    if found is ABSENT or found is None:
        return True
    if subject.is_guarded:
        assert functional_hash(found) in expected, f"another value: {found!r:.200}"
    return False


def prepared(name: str) -> tuple[Subject, list[str]]:
    """Return a subject, and the hashes of the values that may come of it; its files lie in the working directory."""
    global SCRATCH
    SCRATCH = os.getcwd()
    warnings.simplefilter("ignore")
    subject = {**SUBJECTS, **IN_FOLDERS}[name]()
    return subject, [functional_hash(subject.decode(data)) for data in subject.encodings] if subject.is_guarded else []


def run(name: str, start: int, end: int) -> tuple[int, int, list[str]]:
    """Try numbers in a process of its own; return how many were tried and refused, and what did not hold."""
    with tempfile.TemporaryDirectory() as scratch:
        line = [sys.executable, __file__, "--child", name, str(start), str(end)]
        polars = {"POLARS_MAX_THREADS": "1", "RUST_BACKTRACE": "0"}
        done = subprocess.run(line, cwd=scratch, stderr=subprocess.PIPE, env={**os.environ, **polars})
        progress, results = Path(scratch, "progress"), Path(scratch, "results")
        if not progress.exists():
            raise RuntimeError(done.stderr.decode()[-4000:])
        number, refused = struct.unpack("<qq", progress.read_bytes())
        faults = [text for text in results.read_text("utf-8", "replace").split("\0") if text]
    if done.returncode != 0:
        what = signal.Signals(-done.returncode).name if done.returncode < 0 else f"exit {done.returncode}"
        faults.append(f"number {number}: {what}")
    return number + 1 - start, refused, faults


def try_all(name: str, start: int, end: int) -> None:
    """Try numbers in this process, within bounds."""
    subject, expected = prepared(name)
    progress, results = os.open("progress", os.O_RDWR | os.O_CREAT), Path("results").open("w")  # noqa: SIM115
    with open("/proc/self/statm") as file:
        size = int(file.read().split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (size + MEMORY, size + MEMORY))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    os.dup2(os.open(os.devnull, os.O_WRONLY), 2)  # where Rust prints its panics
    refused = 0
    for number in range(start, end):
        os.pwrite(progress, struct.pack("<qq", number, refused), 0)
        signal.alarm(10)
        try:
            refused += attempt(subject, number, expected)
        except BaseException:  # noqa: BLE001
            print(f"number {number}: {traceback.format_exc()[-1200:]}", end="\0", flush=True, file=results)
        signal.alarm(0)
    os.pwrite(progress, struct.pack("<qq", end - 1, refused), 0)


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--full", action="store_true", help="as without it")
    parser.add_argument("--count", type=int, default=0)
    parser.add_argument("--start", type=int, default=0)
    parser.add_argument("--only", default="")
    parser.add_argument("--child", nargs=3)
    options = parser.parse_args()
    if options.child:
        try_all(options.child[0], *map(int, options.child[1:]))
        return 0
    total = options.count or (1_000 if options.quick else 100_000)
    failed = 0
    print(f"{'mutated encodings':<40} {'tried':>8} {'held':>8} {'refused':>8}", flush=True)
    for name in [*SUBJECTS, *IN_FOLDERS]:
        if options.only in name:
            failed += trials(name, options.start, options.start + (total if name in SUBJECTS else total // 10))
    return int(failed > 0)


def trials(name: str, start: int, end: int) -> int:
    """Print the row of one subject; return how much did not hold."""
    at, refused, faults = start, 0, []
    while at < end and len(faults) < 200:
        tried, some, found = run(name, at, min(at + 10_000, end))
        at, refused, faults = at + tried, refused + some, faults + found
    print(f"{name:<40} {at - start:>8} {at - start - len(faults):>8} {refused:>8}", flush=True)
    kinds = Counter(fault.strip().splitlines()[-1].rpartition("Error: ")[2][:120] for fault in faults)
    for kind, times in kinds.most_common(12):
        example = next(fault for fault in faults if kind in fault)
        print(f"    {times} × " + example.strip().replace("\n", "\n        ")[-1000:], flush=True)
    return len(faults)


SCRATCH = ""
TAGS = sorted(tags_of([*PLAIN, *NUMPY, *PANDAS, *PYARROW, *POLARS]) | {"ref", "shared", "map"})

if __name__ == "__main__":
    sys.exit(main())
