"""FileTarget: one readable file per entry, whole or not at all."""

import os
import pickle
import shutil
import subprocess
import sys
import warnings
from pathlib import Path

import pytest
from runs import ENVIRONMENT, command, library, needs_processes

from flowly_ckpt import chained, checkpoint, run
from flowly_ckpt.errors import StoreError, StoreWarning
from flowly_ckpt.recipes.records import Record, recorded
from flowly_ckpt.targets import FileTarget, gzipped, plain_pickle, tree
from flowly_ckpt.targets.damage import DamagedError
from flowly_ckpt.targets.key_names import key_of_name, key_of_path, name_of_key, path_of_key, quoted, unquoted
from flowly_ckpt.targets.provenance import Provenance, read_line, write_line
from flowly_ckpt.targets.recall import recall
from flowly_ckpt.typing import Facts

np = library("numpy")
KEY = ("0a1b", "clean", "2c3d")
TEXTS = ["", "a", "A", "Straße", "a/b", "../..", ".", "con", "nul", "a.b", "%", "~", " ", "\udc80", "\0", "C:\\x"]
TEXTS += ["x" * 500, "é" * 300]


@pytest.mark.parametrize("text", TEXTS, ids=ascii)
def test_names_are_safe_and_turn_back(text):
    name = quoted(text)
    assert unquoted(name) == text
    assert name == name.lower()
    assert set(name) <= set("abcdefghijklmnopqrstuvwxyz0123456789_-%")
    for key in [(text, "t", "f"), ("o", text, "f"), ("o", "t", text)]:
        assert key_of_name(name_of_key(key)) == key
        assert key_of_path(path_of_key(key)) == key
        assert all(len(part) < 200 and not part.startswith(".") for part in path_of_key(key).split("/"))


def test_names_of_all_texts_differ():
    names = {path_of_key(("o", tag, text)).lower() for tag in TEXTS for text in TEXTS}
    assert len(names) == len(TEXTS) ** 2


@pytest.mark.parametrize("name", ["README.md", "a.b", "a.b.c.d", "A.b.c", "%zz.b.c", "a%2.b.c", ".b.c", "%4.b.c"])
def test_names_of_strangers_are_no_keys(name):
    assert key_of_name(name) is None


@needs_processes
def test_a_value_survives_the_process(tmp_path):
    target = FileTarget(tmp_path / "store", suffix=".pkl")
    target[KEY] = {"a": [1, 2]}
    store = f"FileTarget({str(tmp_path / 'store')!r}, suffix='.pkl')"
    code = f"from flowly_ckpt.targets import FileTarget; print({store}[{KEY!r}])"
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=_root())
    assert out.stdout == "{'a': [1, 2]}\n"
    with open(tmp_path / "store" / "clean" / "0a1b.2c3d.pkl", "rb") as file:
        assert pickle.load(file) == {"a": [1, 2]}


def _root():
    return Path(__file__).parents[1]


def test_own_names_and_their_keys(tmp_path):
    target = FileTarget(tmp_path, lambda key: f"{key[2]}___{key[0]}.pkl", _key_of, codec=gzipped)
    target["ab", "", "fit"] = 1
    assert sorted(path.name for path in tmp_path.iterdir()) == [".made", "fit___ab.pkl"]
    (tmp_path / "notes.txt").write_text("mine")
    (tmp_path / ".fit___zz.pkl.swp").write_text("mine")
    assert list(target) == [("ab", "", "fit")]
    target.clear()
    assert sorted(path.name for path in tmp_path.iterdir()) == [".fit___zz.pkl.swp", "notes.txt"]


def _key_of(path):
    name, _, digest = path.stem.partition("___")
    return (digest, "", name) if path.suffix == ".pkl" and digest else None


def test_own_names_are_listed_by_their_sidecars(tmp_path):
    target = FileTarget(tmp_path, lambda key: key[1])
    target[KEY] = 1
    assert target[KEY] == 1
    assert KEY in target
    assert list(target) == [KEY]


@pytest.mark.parametrize("name", ["../x", "/etc/x", "a/../../x", "", ".", ".made/x", "a/.made/x"])
def test_a_path_that_leaves_the_root_is_refused(tmp_path, name):
    target = FileTarget(tmp_path / "root", lambda key: name)
    for act in (lambda: target.__setitem__(KEY, 1), lambda: target[KEY], lambda: KEY in target):
        with pytest.raises(StoreError, match="outside"):
            act()
    assert not (tmp_path / "x").exists()


def test_the_whole_disk_may_be_the_root(tmp_path):
    target = FileTarget("/", lambda key: tmp_path / key[1])
    target[KEY] = 5
    assert target[KEY] == 5
    assert (tmp_path / "clean").is_file()


def test_a_linked_folder_that_leaves_the_root_is_refused(tmp_path):
    (tmp_path / "root").mkdir()
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "root" / "clean").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(StoreError, match="outside"):
        FileTarget(tmp_path / "root")[KEY] = 1
    assert not list((tmp_path / "elsewhere").iterdir())


def test_a_linked_file_is_replaced_and_what_it_points_to_stays(tmp_path):
    target = FileTarget(tmp_path / "root")
    (tmp_path / "victim").write_text("precious")
    target[KEY] = 1
    path = Path(target.path(KEY))
    path.unlink()
    path.symlink_to(tmp_path / "victim")
    target[KEY] = 2
    assert (target[KEY], (tmp_path / "victim").read_text()) == (2, "precious")


def test_hits_are_private_copies(tmp_path):
    target = FileTarget(tmp_path)
    value = [1]
    target[KEY] = value
    value.append(2)
    target[KEY].append(3)
    assert target[KEY] == [1]
    assert target.isolates


def test_damage_is_a_miss_with_one_warning_and_heals(tmp_path):
    target = FileTarget(tmp_path)
    target[KEY] = list(range(100))
    path = Path(target.path(KEY))
    whole = path.read_bytes()
    for broken in (b"", whole[:20], whole[:30] + b"\xff" + whole[31:], b"no pickle at all"):
        path.write_bytes(broken)
        os.utime(path, (1, len(broken)))
        with pytest.warns(StoreWarning, match=r"clean.0a1b\.2c3d.*counts as absent"):
            assert target.get(KEY) is None
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            assert KEY not in target
            assert target.get(KEY) is None
            assert list(target) == []
        target[KEY] = [1]
        assert (target[KEY], KEY in target, len(target)) == ([1], True, 1)


def test_what_cannot_be_encoded_leaves_nothing(tmp_path):
    target = FileTarget(tmp_path)
    with pytest.raises(TypeError):
        target[KEY] = (x for x in ())
    target[KEY] = 1
    with pytest.raises(TypeError):
        target[KEY] = (x for x in ())
    assert target[KEY] == 1
    files = [path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("*") if path.is_file()]
    assert sorted(files) == ["clean/.made/0a1b.2c3d", "clean/0a1b.2c3d"]


def test_expired_is_absent_but_stays(tmp_path):
    target = FileTarget(tmp_path, max_age=3600)
    target[KEY] = 1
    path = Path(target.path(KEY))
    now = path.stat().st_mtime
    for age, alive in ((3500, True), (3700, False), (-3500, True), (-3700, False)):
        os.utime(path, (now - age, now - age))
        assert (KEY in target, target.get(KEY), len(target)) == ((True, 1, 1) if alive else (False, None, 0))
        assert path.exists()
    assert FileTarget(tmp_path)[KEY] == 1


def test_deleting_takes_empty_folders_along(tmp_path):
    target = FileTarget(tmp_path / "root")
    target[KEY] = target["ff", "clean", "x"] = 1
    del target[KEY]
    with pytest.raises(KeyError):
        del target[KEY]
    assert len(target) == 1
    target.clear()
    assert list((tmp_path / "root").iterdir()) == []


def test_leftovers_of_killed_writers_are_skipped_and_collected(tmp_path):
    target = FileTarget(tmp_path, suffix="")
    target[KEY] = 1
    (tmp_path / "clean" / ".tmp-1-0123456789ab").write_bytes(b"half")
    assert list(target) == [KEY]
    assert target.gc().files == 0
    assert target.gc(older_than=0).files == 1
    assert target[KEY] == 1


def test_put_and_clear_where(tmp_path):
    target = FileTarget(tmp_path)
    for obj in ("a", "b"):
        for tag in ("x", "y"):
            target.put((obj, tag, "f"), np.arange(3), Facts(0.1))
    assert target.clear_where(tag="x", object={"a", "z"}, dry_run=True) == 1
    assert target.clear_where(tag="x", object={"a", "z"}) == 1
    assert target.clear_where(older_than=1000) == 0
    assert sorted(target) == [("a", "y", "f"), ("b", "x", "f"), ("b", "y", "f")]
    assert target.clear_where() == 3


def test_a_file_where_a_folder_should_be_is_a_miss(tmp_path):
    (tmp_path / "clean").write_text("in the way")
    target = FileTarget(tmp_path)
    assert target.get(KEY) is None
    with pytest.raises(OSError, match="clean"):
        target[KEY] = 1


def test_it_pickles(tmp_path):
    target = FileTarget(tmp_path, codec=gzipped, max_age=9.0)
    target[KEY] = 1
    again = pickle.loads(pickle.dumps(target))
    assert (again[KEY], again.max_age, again.codec) == (1, 9.0, gzipped)


def test_who_reads_in_the_midst_of_a_store_sees_no_damage(tmp_path):
    reader, seen = FileTarget(tmp_path, codec=tree), []

    class Watched(FileTarget):
        def record(self, path, made):
            seen.append(reader.get(KEY))
            super().record(path, made)
            seen.append(reader.get(KEY))

    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for value in ([1], [2]):
            Watched(tmp_path, codec=tree)[KEY] = value
            assert (reader.get(KEY), KEY in reader, list(reader)) == (value, True, [KEY])
    assert seen == [None, None, [1], None]


def test_a_file_put_in_the_place_of_an_entry_is_of_other_origin(tmp_path):
    target = FileTarget(tmp_path, codec=gzipped)
    target[KEY] = target["ff", "clean", "x"] = 1
    path = Path(target.path(KEY))
    path.unlink()
    path.write_bytes(b"my notes")
    assert (list(target), len(target)) == ([("ff", "clean", "x")], 1)
    assert [entry.key for entry in target.entries()] == [("ff", "clean", "x")]
    assert target.verify() == ["clean/0a1b.2c3d: its content is not what its sidecar says was stored"]
    assert target.clear_where() == 1
    target.clear()
    assert path.read_bytes() == b"my notes"


def test_a_folder_that_was_copied_is_still_listed(tmp_path):
    FileTarget(tmp_path / "a")[KEY] = 1
    shutil.copytree(tmp_path / "a", tmp_path / "b", copy_function=shutil.copyfile)  # the times are new
    target = FileTarget(tmp_path / "b")
    assert (dict(target), target.verify(), target.clear_where()) == ({KEY: 1}, [], 1)


@pytest.mark.parametrize("path_of", [None, lambda key: f"{key[1]}/{key[0]}"])
def test_a_store_below_another_is_of_other_origin(tmp_path, path_of):
    outer, inner = FileTarget(tmp_path, path_of), FileTarget(tmp_path / "inner", path_of)
    outer[KEY], inner["ff", "clean", "x"] = 1, 2
    assert (dict(outer), len(outer), dict(inner)) == ({KEY: 1}, 1, {("ff", "clean", "x"): 2})
    assert (outer.verify(), outer.clear_where()) == ([], 1)
    outer.clear()
    assert dict(inner) == {("ff", "clean", "x"): 2}


def test_of_two_that_store_at_once_the_last_file_has_its_own_sidecar(tmp_path):
    class Overtaken(FileTarget):
        def record(self, path, made):
            super().record(path, made)
            if not overtaken:
                overtaken.append(True)
                other.put(KEY, [1, 2, 3], Facts(2.0))

    for codec in (gzipped, tree):
        overtaken, other = [], FileTarget(tmp_path, codec=codec)
        target = Overtaken(tmp_path, codec=codec)
        target.put(KEY, [4], Facts(1.0))
        assert (target[KEY], list(target), target.made(KEY).seconds, target.verify()) == ([4], [KEY], 1.0, [])


@needs_processes
def test_processes_that_overwrite_an_entry_see_no_damage(tmp_path):
    script = """
        import sys
        from flowly_ckpt.targets import FileTarget, tree

        target, key = FileTarget("store", codec=tree), ("0a", "clean", "1b")
        print("ready", flush=True)
        sys.stdin.read(1)
        for number in range(100):
            target[key] = [sys.argv[1]] * (number % 3 + 1)
            assert set(target.get(key, [])) <= {"a", "b"}
            assert target.verify() == []
            if number % 50 == 0:
                target.pop(key, None)
    """
    both = [
        subprocess.Popen(command(tmp_path, script, name), cwd=tmp_path, env=ENVIRONMENT, stdin=-1, stdout=-1, stderr=-1)
        for name in "ab"
    ]
    for one in both:
        one.stdout.readline()
    for one in both:
        one.stdin.write(b"x")
        one.stdin.flush()
    assert [one.communicate(timeout=60)[1].decode() for one in both] == ["", ""]
    target = FileTarget(tmp_path / "store", codec=tree)
    assert (target[("0a", "clean", "1b")][0] in "ab", len(target), target.verify()) == (True, 1, [])


def test_the_sidecar_of_a_file_that_is_gone_is_collected(tmp_path):
    target = FileTarget(tmp_path)
    target[KEY] = target["ff", "clean", "x"] = 1
    notes = tmp_path / "clean" / ".made" / "notes"
    notes.write_text("of other origin")
    Path(target.path(KEY)).unlink()
    assert target.gc().files == 0, "it may still be written"
    assert target.gc(older_than=0).files == 1
    assert sorted(path.name for path in notes.parent.iterdir()) == ["ff.x", "notes"]
    assert dict(target) == {("ff", "clean", "x"): 1}


@pytest.mark.parametrize("number", [10**400, float("inf"), float("nan")], ids=["long", "endless", "none"])
@pytest.mark.parametrize("name", ["size", "created", "seconds"])
def test_a_line_of_numbers_that_nothing_can_have_is_damaged(name, number):
    """Whoever knows the format can write it with its digest."""
    made = Provenance(("a", "b", "c"), "tree", 4, "0a", 0.0, 2.0)._replace(**{name: number})
    with pytest.raises(DamagedError, match="ill-formed"):
        read_line(write_line(made))


def test_a_record_of_a_recipe_that_took_longer_than_a_number_can_say_is_damaged():
    record = Record("steps:load", "0a", "1b", "2c", {}, 10**400, "", (), (), None, ["x"])
    with pytest.raises(DamagedError, match="ill-formed"):
        recorded.loads(recorded.dumps(record))


def _swap(one, other):
    aside = one.with_name("aside")
    one.rename(aside), other.rename(one), aside.rename(other)


@pytest.mark.parametrize("codec", [plain_pickle, tree], ids=lambda codec: codec.name)
def test_files_that_changed_places_with_their_sidecars_are_not_each_others(tmp_path, codec):
    target = FileTarget(tmp_path, codec=codec)
    one, other = ("0a", "fit", "1b"), ("0a", "test", "1b")
    target[one], target[other] = "one", "other"
    for name in ("0a.1b", ".made/0a.1b"):
        _swap(tmp_path / "fit" / name, tmp_path / "test" / name)
    with pytest.warns(StoreWarning, match="entry of another key"):
        assert one not in target.get_many([one])
    with pytest.warns(StoreWarning, match="entry of another key"):
        assert recall(target, other, lambda: "other") == "other"
    assert FileTarget(tmp_path, codec=codec)[other] == "other"


@pytest.mark.parametrize("codec", [plain_pickle, tree], ids=lambda codec: codec.name)
@pytest.mark.parametrize("key_of", [None, lambda path: ("", path.stem, "")], ids=["", "key_of"])
def test_of_several_keys_with_one_path_the_last_one_stored_has_the_file(tmp_path, codec, key_of):
    target = FileTarget(tmp_path, lambda key: f"{key[1]}.pkl", key_of, codec=codec)
    old, new = ("0a", "fit", "1b"), ("0c", "fit", "1b")
    assert recall(target, old, lambda: "old") == "old"
    assert (new in target, target.get(new), target.entry(new), target.pop(new, None)) == (False, None, None, None)
    assert list(target.items()) == [(old, "old")]
    assert recall(target, new, lambda: "new") == "new"
    assert list(target.items()) == [(new, "new")]
    assert old not in target


def test_a_writer_killed_after_the_sidecar_leaves_the_file_to_no_key(tmp_path):
    target = FileTarget(tmp_path, lambda key: f"{key[1]}.pkl")
    old, new = ("0a", "fit", "1b"), ("0c", "fit", "1b")
    target[new] = "new"
    made = (tmp_path / ".made" / "fit.pkl").read_bytes()
    target[old] = "old"
    (tmp_path / ".made" / "fit.pkl").write_bytes(made)
    assert (target.get(old), target.get(new)) == (None, None)


def test_a_step_of_another_input_never_gets_the_file_of_its_tag(tmp_path):
    target = FileTarget(tmp_path, lambda key: f"{key[1]}.pkl")
    pipeline = chained(abs, checkpoint(target, tag="size"), str)
    assert [run(pipeline, number) for number in (-1, -2, -2, -1)] == ["1", "2", "2", "1"]


def test_an_entry_with_very_much_to_say_of_its_origin_is_listed_without_it(tmp_path):
    target = FileTarget(tmp_path)
    target.put(KEY, 1, Facts(2.0, {"parts": "x" * (1 << 24)}))
    assert [(entry.key, entry.seconds, entry.made_from) for entry in target.entries()] == [(KEY, 2.0, {})]
    assert target.verify() == []


def test_an_item_is_taken_without_listing_the_others(tmp_path, monkeypatch):
    target = FileTarget(tmp_path)
    for number in range(300):
        target[str(number), "fit", "f"] = number
    looked, real = [], os.lstat
    monkeypatch.setattr(os, "lstat", lambda path, **more: looked.append(path) or real(path, **more))
    target.popitem()
    assert len(looked) < 100
    monkeypatch.undo()
    while target:
        target.popitem()
    assert list(tmp_path.iterdir()) == []
