"""SqlTarget on a real PostgreSQL server, and on SQLite where there is none."""

from __future__ import annotations

import itertools
import os
import pickle
import sqlite3
import threading
import traceback
import warnings
from contextlib import closing
from functools import partial

import pytest
from hypothesis import HealthCheck, settings
from hypothesis.stateful import run_state_machine_as_test
from postgres import server
from runs import start_script
from test_target_machines import LikeADict

from flowly_ckpt import add_checkpoints, apply, chained, checkpoint, clear_checkpoints
from flowly_ckpt.errors import StoreError, StoreWarning
from flowly_ckpt.targets import DiskTarget, Expiring, SqlTarget, check_target, plain_pickle
from flowly_ckpt.targets.claims import digest_of_key
from flowly_ckpt.targets.recall import recall
from flowly_ckpt.typing import Facts

A, B = ("0a", "tag", "1b"), ("2c", "other", "3d")
run = partial(apply, rewrites=[add_checkpoints])
tables = itertools.count()


@pytest.fixture(scope="module")
def postgres():
    with server() as started:
        yield started


@pytest.fixture(params=["postgresql", "sqlite"])
def url(request, tmp_path):
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/results.db"
    return request.getfixturevalue("postgres").url


@pytest.fixture
def make(url):
    """Make targets with a table of their own."""
    made = []

    def fresh(**options):
        made.append(SqlTarget(url, table=f"t{next(tables)}", **options))
        return made[-1]

    yield fresh
    for target in made:
        target.close()


on_postgres = pytest.mark.parametrize("url", ["postgresql"], indirect=True)  # SQLite is among the batteries


@on_postgres
@pytest.mark.parametrize("large", [False, True])
def test_it_holds_the_laws_of_every_target(make, large):
    check_target(lambda: make(large={}, inline_bytes=50) if large else make())


@on_postgres
@pytest.mark.parametrize("large", [False, True])
def test_it_is_like_a_dict(make, large):
    class Machine(LikeADict):
        make = staticmethod(lambda: make(large={}, inline_bytes=50) if large else make())

    few = settings(max_examples=6, stateful_step_count=20, suppress_health_check=list(HealthCheck))
    with warnings.catch_warnings():
        warnings.simplefilter("error", StoreWarning)
        run_state_machine_as_test(Machine, settings=few)


def test_another_process_s_results_are_found_and_cleared(make):
    target = make()
    pipeline = chained(sorted, checkpoint(target, "sorted"), sum)
    assert [run(pipeline, [3, 1, 2]), run(pipeline, [3, 1, 2])] == [6, 6]
    with pickle.loads(pickle.dumps(target)) as other:
        assert list(other.values()) == [[1, 2, 3]]
        assert (clear_checkpoints(other, tag="sorted"), len(target)) == (1, 0)


def test_many_rows_are_listed_selected_and_counted(make):
    target = make()
    keys = [(f"{number:x}", "even" if number % 2 == 0 else "x" * 500, "f") for number in range(2500)]
    target.put_many((key, number, Facts(1.5, {"input": key[0]})) for number, key in enumerate(keys))
    assert sorted(target) == sorted(keys)
    assert target.get_many(keys) == {key: number for number, key in enumerate(keys)}
    assert {found.tag: found.entries for found in target.stats()} == {"even": 1250, "x" * 500: 1250}
    assert sum(1 for _ in target.entries(tag="x" * 500)) == 1250
    objects = [key[0] for key in keys[:1000]] + [f"no {number}" for number in range(6000)]
    assert target.clear_where(object=objects, tag="even", dry_run=True) == 500
    assert target.clear_where(object=objects, tag="even") == 500
    assert len(target) == 2000
    assert target.entry(keys[1]).made_from == {"input": "1"}


def change(target, **values):
    """Change a row behind the target's back."""
    table = target._rows.table
    with target._database.engine().connect() as connection:
        connection.execute(table.update().values(**values))


def test_a_changed_row_counts_as_absent_and_is_found_by_verify(make):
    target = make()
    target[A] = [1, 2]
    change(target, data=b"something else")
    with pytest.warns(StoreWarning, match="does not match its digest"):
        assert target.get(A) is None
    assert recall(target, A, lambda: [3]) == [3]
    assert target[A] == [3]
    change(target, made="not a line")
    assert target.verify() == ["0a tag 1b: the first of its 10 bytes do not say how it was made"]
    assert list(target.entries()) == []
    assert (len(target.verify(repair=True)), target.verify(), len(target)) == (1, [], 0)


def test_an_entry_in_another_s_place_is_not_taken_for_it(make):
    target = make()
    target[A], target[B] = "a", "b"
    line = next(iter(target.find([A]))).line.decode()
    change(target, made=line)
    with pytest.warns(StoreWarning, match="it is the entry of"):
        assert target.get(B) is None
    assert target[A] == "a"


def test_large_values_go_beside_and_go_with_their_rows(make, tmp_path):
    beside = DiskTarget(tmp_path / "beside")
    beside[B] = "of somebody else"
    target = make(large=beside, inline_bytes=1000)
    target[A], target[B] = b"x" * 5000, "small"
    assert (len(beside), target[A]) == (2, b"x" * 5000)
    target[A] = b"y" * 5000
    assert (len(beside), target[A]) == (2, b"y" * 5000)
    target[A] = "small now"
    assert list(beside) == [B]
    target.put_many([(A, b"x" * 5000, Facts(0.0)), (B, b"y" * 5000, Facts(0.0))])
    assert len(beside) == 3
    assert clear_checkpoints(target, tag="tag") == 1
    assert len(beside) == 2
    lost = next(key for key in beside if key != B)
    del beside[lost]
    with pytest.warns(StoreWarning, match="does not match its digest"):
        assert target.get(B) is None
    beside.close()


def test_what_a_killed_writer_left_beside_is_collected(make, tmp_path):
    beside = DiskTarget(tmp_path / "beside")
    target, other = make(large=beside, inline_bytes=10), make(large=beside, inline_bytes=10)
    target[A] = other[A] = "a value that is large here"
    beside[B] = "of somebody else"
    store, table, _ = next(key for key in beside if key[1] == target._rows.table.name)
    beside.write_bytes((store, table, "left"), [b"bytes"])
    assert target.gc().files == 0  # it may just be being stored
    while (found := target.gc(older_than=0)).files == 0:  # the clock may be coarse
        pass
    assert (found.files, found.bytes, len(beside)) == (1, 5, 3)
    assert target[A] == other[A] == beside["2c", "other", "3d"].replace("of somebody else", other[A])
    beside.close()


CLAIMING = """
import sys
from flowly_ckpt.targets import SqlTarget
from flowly_ckpt.targets.claims import digest_of_key
from flowly_ckpt.targets.recall import recall

target = SqlTarget(sys.argv[1], table=sys.argv[2])
def compute():
    print("computing", flush=True)
    sys.stdin.read()
recall(target, ("0a", "tag", "1b"), compute)
"""


def test_a_killed_holder_s_claim_is_free(make, url, tmp_path):
    target = make()
    len(target)
    holder = start_script(tmp_path, CLAIMING, url, target._rows.table.name, stdin=-1)
    try:
        assert holder.stdout.readline() == "computing\n"
        claim = target.claim(A)
        assert next(claim.waits(), None) is not None
        holder.kill()
        holder.wait()
        with claim:
            assert claim.is_shared
        assert recall(target, A, lambda: "computed here") == "computed here"
    finally:
        holder.kill()
        holder.communicate()


COUNTING = """
import sys, time
from pathlib import Path
from flowly_ckpt.targets import SqlTarget
from flowly_ckpt.targets.claims import digest_of_key
from flowly_ckpt.targets.recall import recall

target = SqlTarget(sys.argv[1], table=sys.argv[2])
print("ready", flush=True)
sys.stdin.readline()
for number in range(20):
    def compute():
        with open(f"computed-{number}", "a") as file:
            file.write("x")
        time.sleep(0.005)
        return number
    assert recall(target, (str(number), "tag", "f"), compute) == number
"""


def test_processes_compute_each_key_once(make, url, tmp_path):
    target = make()
    len(target)
    arguments = (COUNTING, url, target._rows.table.name)
    workers = [start_script(tmp_path, *arguments, name=f"{n}.py", stdin=-1) for n in range(3)]
    for worker in workers:
        assert worker.stdout.readline() == "ready\n"
    for worker in workers:
        worker.stdin.write("\n")
        worker.stdin.flush()
    assert [worker.wait(60) for worker in workers] == [0, 0, 0]
    for worker in workers:
        worker.communicate()
    assert [(tmp_path / f"computed-{number}").read_text() for number in range(20)] == ["x"] * 20
    assert len(target) == 20


CIRCLE = """
import sys, warnings
from concurrent.futures import ThreadPoolExecutor
from flowly_ckpt.targets import SqlTarget
from flowly_ckpt.targets.claims import digest_of_key
from flowly_ckpt.targets.recall import recall

target = SqlTarget(sys.argv[1], table=sys.argv[2])
first, second = (key, "tag", "f"), ({"a": "b", "b": "a"}[key], "tag", "f")
warnings.simplefilter("default")

def outer():
    print("holds", flush=True)
    sys.stdin.readline()
    if sys.argv[4] == "here":
        return ["outer", recall(target, second, lambda: "inner")]
    with ThreadPoolExecutor(1) as pool:
        return ["outer", pool.submit(recall, target, second, lambda: "inner").result()]

print(recall(target, first, outer), flush=True)
""".replace("(key,", "(sys.argv[3],").replace("[key]", "[sys.argv[3]]")


@pytest.mark.parametrize("way", ["here", "worker"])
def test_processes_that_wait_for_each_other_notice(make, url, tmp_path, way):
    target = make()
    len(target)
    arguments = (CIRCLE, url, target._rows.table.name)
    both = [start_script(tmp_path, *arguments, name, way, name=f"{name}.py", stdin=-1) for name in "ab"]
    for one in both:
        assert one.stdout.readline() == "holds\n"
    for one in both:
        one.stdin.write("\n")
        one.stdin.flush()
    assert [one.wait(60) for one in both] == [0, 0]
    for one in both:
        one.communicate()
    assert sorted(target) == [("a", "tag", "f"), ("b", "tag", "f")]


def test_a_forked_child_has_connections_and_claims_of_its_own(postgres):
    target = SqlTarget(postgres.url, table=f"t{next(tables)}")
    target[A] = 1
    with target.claim(B):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)
            child = os.fork()
        if child == 0:
            is_waiting = next(target.claim(B).waits(), None) is not None
            target[B] = 2
            os._exit(0 if is_waiting and target[A] == 1 else 1)
        assert os.waitpid(child, 0)[1] == 0
        assert (target[A], target[B]) == (1, 2)
    target.close()


def test_a_server_that_was_restarted_is_found_again(tmp_path):
    with server() as own, SqlTarget(own.url) as target:
        target[A] = [1]
        with target.claim(A):
            own.stop()
            with pytest.raises(StoreError, match=r"postgres.*:\*\*\*@"):
                target.get(A)
            with pytest.warns(StoreWarning, match="could not restore|did not store") as caught:
                assert recall(target, B, lambda: "computed anyway") == "computed anyway"
            assert not [one for one in caught if "hidden-word" in str(one.message)]
            own.start()
            assert target[A] == [1]
        with target.claim(A) as claim:
            assert claim.is_mine()


def test_a_transaction_that_the_server_ends_is_tried_again(postgres):
    """Somebody else locks the rows in the other order; the server ends whoever looks first, which is the target."""
    import sqlalchemy as sa

    first = SqlTarget(postgres.url, table=f"t{next(tables)}", connect_args={"options": "-c deadlock_timeout=2s"})
    first.put_many([(A, 1, Facts(0.0)), (B, 1, Facts(0.0))])
    table = first._rows.table
    low, high = sorted(map(digest_of_key, (A, B)))
    writer = threading.Thread(target=first.put_many, args=([(A, 2, Facts(0.0)), (B, 2, Facts(0.0))],))
    engine = sa.create_engine(postgres.url)
    with engine.begin() as other:
        other.execute(sa.text("set deadlock_timeout = '60s'"))
        other.execute(table.update().where(table.c.key == high).values(size=0))
        writer.start()
        while not other.execute(sa.text("select count(*) from pg_locks where not granted")).scalar():
            pass
        other.execute(table.update().where(table.c.key == low).values(size=0))
    writer.join(60)
    assert dict(first.items()) == {A: 2, B: 2}
    engine.dispose()
    first.close()


def test_no_password_is_shown(postgres):
    url = "postgresql+psycopg://ann:hidden-word@127.0.0.1:9/results"
    target = SqlTarget(url)
    assert "hidden-word" not in repr(target)
    assert ":***@" in repr(target)
    with pytest.raises(StoreError) as caught:
        len(target)
    assert "hidden-word" not in "".join(traceback.format_exception(caught.value))
    assert "127.0.0.1" in str(caught.value)


WRONG = [
    ("results.db", ValueError, "is not the address of a database"),
    ("mysql://host/results", ValueError, "knows PostgreSQL and SQLite, not 'mysql'"),
    ("sqlite://", ValueError, "use a dict, or name a file"),
    ("sqlite:///file:results?mode=memory&uri=true", ValueError, "name a file by its path"),
    ("sqlite:///:memory:", ValueError, "use a dict, or name a file"),
    ("postgresql+nothing://host/results", ValueError, "postgresql"),
    ("postgresql+pg8000://host/results", ModuleNotFoundError, r"flowly-ckpt\[sql\].*psycopg"),
]


@pytest.mark.parametrize(("wrong", "kind", "words"), WRONG, ids=[row[0] for row in WRONG])
def test_a_wrong_address_says_what_to_write(wrong, kind, words):
    with pytest.raises(kind, match=words):
        SqlTarget(wrong)


def test_large_needs_bytes_and_a_table_of_another_format_is_refused(make):
    with pytest.raises(TypeError, match="large must be a target that keeps bytes"):
        make(large=Expiring({}, 60))
    target = make()
    target[A] = 1
    with target._database.engine().connect() as connection:
        connection.execute(target._rows.about.update().values(format=99))
    with pytest.raises(StoreError, match="has format 99, this version reads 1"):
        pickle.loads(pickle.dumps(target)).get(A)


def test_a_value_that_no_row_can_hold_says_what_to_do(tmp_path):
    import sqlalchemy as sa

    with SqlTarget(f"sqlite:///{tmp_path}/results.db", codec=plain_pickle) as target:
        target[A] = [1]
        engine = target._database.engine()
        sa.event.listen(engine, "connect", lambda made, _: made.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, 100_000))
        with pytest.raises(StoreError, match=r"results\.db: .*; give .* by large=: DataError"):
            target[B] = bytes(200_000)
        assert dict(target.items()) == {A: [1]}


def test_text_that_a_disk_has_changed_makes_its_row_a_miss(tmp_path):
    path = tmp_path / "results.db"
    with SqlTarget(f"sqlite:///{path}") as target:
        target[A] = [1, 2]
    path.write_bytes(path.read_bytes().replace(b'"codec"', b'"c\xffdec"'))
    with SqlTarget(f"sqlite:///{path}") as target, pytest.warns(StoreWarning, match="cannot be used"):
        assert target.get(A) is None


ODD = [5, 1.5, b"\xff\xfe", "text", "text+", "%zz", "+x", "[" * 5000, -1, 2**62, float("inf")]


@pytest.mark.parametrize("column", ["tag", "object", "transform", "size", "created", "made", "data", "beside", "key"])
def test_a_row_whose_columns_are_anything_is_a_miss_at_worst(tmp_path, column):
    """SQLite keeps whatever it is given, of any type."""
    with closing(sqlite3.connect(tmp_path / "odd.db")) as connection:
        for odd in ODD:
            with SqlTarget(f"sqlite:///{tmp_path}/odd.db") as target, warnings.catch_warnings(action="ignore"):
                target[A], target[B] = [1, 2], [3]
                try:
                    connection.execute(f"update flowly_entries set {column} = ? where tag = 'tag'", (odd,))
                except sqlite3.IntegrityError:
                    continue
                connection.commit()
                assert target.get(A) in ([1, 2], None), odd
                assert target[B] == [3], odd
                assert B in target, odd
                assert B in set(target), odd
                assert [entry.key for entry in target.entries(tag=B[1])] == [B], odd
                assert sum(one.entries for one in target.stats()) == 2, odd
                target.verify(repair=True)
                target.gc(older_than=0)
                assert recall(target, A, lambda: [1, 2]) == [1, 2] == target[A], odd
                target.clear()
