"""What is whole of a damaged index is saved, wherever the damage is, and the store works again at once."""

from __future__ import annotations

import itertools
import os
import random
import shutil
import sqlite3
import warnings

import pytest

from flowly_ckpt.errors import StoreWarning
from flowly_ckpt.targets import DiskTarget
from flowly_ckpt.targets.disk.entries import digest_of_row
from flowly_ckpt.targets.disk.recovery import whole_rows
from flowly_ckpt.targets.disk.schema import is_damage
from flowly_ckpt.targets.facts import is_key
from flowly_ckpt.targets.recall import recall

PAGE = 4096
COUNT = 300


def key(number):
    return (f"{number:03}", "tag", "f")


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    folder = tmp_path_factory.mktemp("whole") / "store"
    target = DiskTarget(folder)
    for number in range(COUNT):
        target[key(number)] = [number] * 30
    target.close()
    return folder


def kept(folder):
    """Use a damaged store; return how many entries it still has, all of them right, and able to take more."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", StoreWarning)
        target = DiskTarget(folder)
        found = [target.get(key(number)) for number in range(COUNT)]
        assert all(value is None or value == [number] * 30 for number, value in enumerate(found))
        target["new", "tag", "f"] = 1
        assert target["new", "tag", "f"] == 1
        target.verify(repair=True)
        target.close()
        target = DiskTarget(folder)
        assert target["new", "tag", "f"] == 1
        assert target.verify() == []
        count = sum(target.get(key(number)) is not None for number in range(COUNT))
        target.close()
    return count


def pages(path):
    return path.stat().st_size // PAGE


@pytest.mark.parametrize("what", ["zeros", "noise"])
def test_damage_to_any_page_costs_only_what_was_on_it(whole, tmp_path, what):
    last = pages(whole / "index.sqlite")
    counts = []
    for page in range(last):
        folder = tmp_path / str(page)
        shutil.copytree(whole, folder)
        with open(folder / "index.sqlite", "r+b") as file:
            file.seek(page * PAGE)
            file.write(bytes(PAGE) if what == "zeros" else os.urandom(PAGE))
        counts.append(kept(folder))
        shutil.rmtree(folder)
    # All but the pages that lead to the others cost a leaf of some twenty rows at the most.
    assert sorted(counts)[4] >= COUNT - 40, counts


def test_the_last_whole_row_before_a_damaged_stretch_is_saved(whole, tmp_path):
    rows = [row[0] for row in whole_rows(os.fspath(whole / "index.sqlite"))]
    assert rows == list(range(1, COUNT + 1))
    folder = tmp_path / "store"
    shutil.copytree(whole, folder)
    path = folder / "index.sqlite"
    data = bytearray(path.read_bytes())
    page = data.index(b"pickled", pages(path) // 2 * PAGE) // PAGE
    data[page * PAGE : (page + 1) * PAGE] = os.urandom(PAGE)
    path.write_bytes(data)
    found = sorted(row[0] for row in whole_rows(os.fspath(path)))
    gaps = [(one, other) for one, other in itertools.pairwise(found) if other != one + 1]
    assert len(gaps) <= 1
    assert len(found) >= COUNT - 30


def test_every_flipped_bit_of_the_schema_text_is_survived(whole, tmp_path):
    data = (whole / "index.sqlite").read_bytes()
    start = min(data.index(word) for word in (b"CREATE", b"create"))
    places = [place for place in range(start, PAGE) if data[place]]
    for number, place in enumerate(places[::2]):
        folder = tmp_path / str(number)
        shutil.copytree(whole, folder)
        damaged = bytearray(data)
        damaged[place] ^= 0x80 if number % 2 else 0x20
        (folder / "index.sqlite").write_bytes(damaged)
        kept_of(folder)
        shutil.rmtree(folder)


def kept_of(folder):
    """Look into a damaged store and store something; what SQLite raises must not come through."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", StoreWarning)
        target = DiskTarget(folder)
        found = target.get(key(7))
        assert found is None or found == [7] * 30
        target["new", "tag", "f"] = 1
        assert target["new", "tag", "f"] == 1
        list(target.entries())
        target.close()


def test_every_flipped_byte_of_a_small_index_is_survived(tmp_path):
    target = DiskTarget(tmp_path / "whole")
    for number in range(3):
        target[key(number)] = [number] * 30
    target.close()
    data = (tmp_path / "whole" / "index.sqlite").read_bytes()
    places = [place for place in range(len(data)) if data[place] or place < 200]
    for number, place in enumerate(places[::5]):
        folder = tmp_path / str(number)
        shutil.copytree(tmp_path / "whole", folder)
        damaged = bytearray(data)
        damaged[place] ^= 1 << number % 8
        (folder / "index.sqlite").write_bytes(damaged)
        for again in range(2):
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", StoreWarning)
                target = DiskTarget(folder)
                for one in range(3):
                    found = target.get(key(one))
                    assert found is None or found == [one] * 30
                target["new", "tag", "f"] = again
                assert target["new", "tag", "f"] == again
                list(target), target.stats(), list(target.entries())
                target.close()
        shutil.rmtree(folder)


ODD = ["text", b"\xff\xfe", 1.5, -1, 2**63 - 1, "", "[" * 10_000]


@pytest.mark.parametrize(
    "column", ["tag", "object", "codec", "size", "created", "seconds", "made_from", "blob", "data"]
)
@pytest.mark.parametrize("max_age", [None, 3600.0])
def test_a_row_of_odd_types_is_a_miss_and_nothing_else(tmp_path, column, max_age):
    for number, odd in enumerate(ODD):
        target = DiskTarget(tmp_path / str(number), max_age=max_age)
        for name in ("one", "two"):
            target[name, "tag", "f"] = [1]
        target.close()
        with sqlite3.connect(tmp_path / str(number) / "index.sqlite") as connection:
            row = dict(
                zip(("tag", "object", "transform", "codec", "created", "data"), connection.execute(
                    "select tag, object, transform, codec, created, data from entries where object = 'one'").fetchone())
            )  # fmt: skip
            row[column] = odd
            try:  # as somebody would make it who knows how
                payload = row.get("blob", row["data"])
                digest = digest_of_row((row["object"], row["tag"], "f"), row["codec"], row["created"], payload)
            except TypeError:
                digest = b""
            connection.execute(f"update entries set {column} = ?, digest = ? where object = 'one'", (odd, digest))
        connection.close()
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", StoreWarning)
            target = DiskTarget(tmp_path / str(number), max_age=max_age)
            assert target.get(("one", "tag", "f")) in (None, [1])
            assert target["two", "tag", "f"] == [1]
            target.stats(), len(target), target.size()
            for entry in target.entries():
                told = (entry.size, entry.created, entry.used, entry.seconds, entry.hits)
                assert {type(number) for number in told} <= {int, float}
                assert is_key(entry.key)
                assert type(entry.made_from) is dict
            assert all(map(is_key, target))
            target.clear_where(older_than=100, dry_run=True)
            target.verify(repair=True)
            target.gc()
            target["one", "tag", "f"] = [2]
            assert target["one", "tag", "f"] == [2]
            target.clear()
            target.close()


@pytest.mark.parametrize("column", ["codec", "blob", "data"])
def test_a_row_whose_text_cannot_be_read_is_a_miss_and_can_be_stored_again(tmp_path, column):
    with DiskTarget(tmp_path / "store") as target:
        target[key(1)], target[key(2)] = 1, 2
    index = sqlite3.connect(tmp_path / "store" / "index.sqlite")
    index.execute(f"update entries set {column} = cast(x'ff' as text) where object = '001'")
    index.commit()
    index.close()
    with DiskTarget(tmp_path / "store") as target:
        with pytest.warns(StoreWarning):
            assert target.get(key(1)) is None
        assert recall(target, key(1), lambda: 3) == 3
        assert target.get_many([key(1), key(2)]) == {key(1): 3, key(2): 2}


@pytest.mark.parametrize(
    "hostile",
    [
        "drop table entries; create view entries as with recursive n(id) as (select 1 union all select id + 1 from n) "
        "select id, 't' tag, 'o' object, 'f' transform, 'tree' codec, 0 size, x'' digest, 0 created, 0.0 seconds, "
        "null made_from, null blob, x'' data from n",
        "create trigger bomb before insert on entries begin insert into uses with recursive n(i) as "
        "(select 1 union all select i + 1 from n) select i, 0, 0 from n; end",
    ],
    ids=["view", "trigger"],
)
def test_an_index_with_tables_of_somebody_else_is_not_used(tmp_path, hostile):
    target = DiskTarget(tmp_path / "store")
    target[key(1)] = 1
    target.close()
    with sqlite3.connect(tmp_path / "store" / "index.sqlite") as connection:
        connection.executescript(hostile)
    connection.close()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", StoreWarning)
        target = DiskTarget(tmp_path / "store")
        assert target.get(key(1)) in (None, 1)
        target[key(2)] = 2
        assert target[key(2)] == 2
        target.close()


def test_no_row_of_a_damaged_tree_is_met_twice(tmp_path):
    with DiskTarget(tmp_path / "store") as target:
        for number in range(40):
            target[str(number), "t", "f"] = ["x" * 100, number]
    path = tmp_path / "store" / "index.sqlite"
    whole = path.read_bytes()
    for seed in range(60):
        damaged = bytearray(whole)
        at = len(whole) - 4096 + 7  # where the last page of the rows says where its rows are
        damaged[at : at + 64] = random.Random(seed).randbytes(64)
        path.write_bytes(damaged)
        found = [row[0] for row in itertools.islice(whole_rows(str(path)), 500)]
        assert len(found) == len(set(found)), seed


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        (sqlite3.SQLITE_IOERR_SHORT_READ, True),
        (sqlite3.SQLITE_CORRUPT_VTAB, True),
        (sqlite3.SQLITE_IOERR_READ, False),
        (sqlite3.SQLITE_FULL, False),
    ],
    ids=["short", "corrupt", "unreadable", "full"],
)
def test_a_file_that_ends_too_soon_is_damaged_and_one_that_cannot_be_read_is_not(code, expected):
    error = sqlite3.OperationalError("disk I/O error")
    error.sqlite_errorcode = code
    assert is_damage(error) is expected


LOG_LOST = {
    "deleted": os.unlink,
    "emptied": lambda log: os.truncate(log, 0),
    "cut to its head": lambda log: os.truncate(log, 32),
}


@pytest.mark.skipif(os.name != "posix", reason="elsewhere nobody can cut a file that is in use")
@pytest.mark.parametrize("lose", LOG_LOST.values(), ids=LOG_LOST)
def test_a_log_that_is_lost_while_others_hold_the_index_costs_only_what_was_in_it(tmp_path, lose):
    with DiskTarget(tmp_path) as holder:
        for number in range(COUNT):
            holder[key(number)] = [number] * 30
        assert holder.clear_where(object=key(0)[0]) == 1  # which moves the log into the index
        with warnings.catch_warnings(action="ignore"):
            holder["in the log", "tag", "f"] = 1
            lose(tmp_path / "index.sqlite-wal")
            with DiskTarget(tmp_path) as other:
                found = [other.get(key(number)) for number in range(COUNT)]
                assert found == [None, *([number] * 30 for number in range(1, COUNT))]
            holder["new", "tag", "f"] = 2
    with DiskTarget(tmp_path) as later:
        assert len(later) >= COUNT
        assert later["new", "tag", "f"] == 2
        assert later.verify() == []
