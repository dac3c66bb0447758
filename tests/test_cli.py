"""The command line: what it shows, what it clears, what it refuses, and the codes it exits with."""

import contextlib
import io
import json
import os
import sqlite3
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from flowly_ckpt import add_checkpoints, apply, chained, checkpoint, resume
from flowly_ckpt.calls import LocalStorageCheckpoint
from flowly_ckpt.cli import SORTS, _parser, main
from flowly_ckpt.cli.commands import COMMANDS
from flowly_ckpt.cli.printing import Printer
from flowly_ckpt.recipes import CacheTarget
from flowly_ckpt.recipes.outputs import computed
from flowly_ckpt.targets import DiskTarget, FileTarget, Null
from flowly_ckpt.targets.facts import Entry
from flowly_ckpt.tasks import task
from flowly_ckpt.typing import Facts

ROOT = Path(__file__).parents[1]


@pytest.fixture
def store(tmp_path):
    target = DiskTarget(tmp_path / "store")
    target.put(("aa11", "clean", "ff"), [1, 2], Facts(2.0, {"input": "aa11"}))
    target.put(("bb22", "clean", "ff"), "x" * 500, Facts(0.5))
    target.put(("aa11", "fit [bold]", "ee"), np.arange(10_000), Facts(90.0))
    assert target["aa11", "clean", "ff"] == [1, 2]
    target.close()
    return target


def run(capsys, *arguments):
    code = main([str(argument) for argument in arguments])
    out = capsys.readouterr()
    return code, out.out, out.err


def test_ls(store, capsys):
    code, out, err = run(capsys, "ls", store.path)
    assert (code, err) == (0, "")
    lines = out.splitlines()
    assert lines[0].split() == ["tag", "object", "transform", "size", "stored", "unused", "took", "hits", "input"]
    assert [line.split()[0] for line in lines[1:]] == ["clean", "clean", "fit"]
    assert "fit [bold]" in out
    assert "80.2 kB" in out
    assert len(run(capsys, "ls", store.path, "--tag", "clean", "--limit", 1)[1].splitlines()) == 2


def test_ls_as_json(store, capsys):
    code, out, _ = run(capsys, "ls", store.path, "--json", "--object", "aa11", "--tag", "clean")
    (entry,) = json.loads(out)
    assert code == 0
    assert (entry["object"], entry["hits"], entry["saved"], entry["codec"]) == ("aa11", 1, 2.0, "pickled")
    assert entry["made_from"] == {"input": "aa11"}


def test_show(store, capsys):
    code, out, _ = run(capsys, "show", store.path, "aa11/clean/ff", "--value")
    assert code == 0
    assert "made_from\n  input  aa11\n" in out
    assert [json.loads(run(capsys, "show", store.path, key, "--json")[1])["tag"] for key in ("aa/clean/", "bb22")] == [
        "clean", "clean",
    ]  # fmt: skip
    assert out.splitlines()[-1].split(maxsplit=1) == ["value", "[1, 2]"]
    assert len(run(capsys, "show", store.path, "aa", "--json")[1].splitlines()) == 2
    code, out, err = run(capsys, "show", store.path, "nothing")
    assert (code, out) == (2, "")
    assert "no entry matches 'nothing'" in err


@pytest.mark.parametrize("name", ["prog.Model.area", "Model.ar", "area"])
def test_a_remembered_function_is_shown_by_its_name(tmp_path, capsys, name):
    with DiskTarget(tmp_path / "store") as target:
        target["0a", "prog.Model.area", "1b"] = 12
        target["0a", "prog.subarea", "1b"] = 13
    assert run(capsys, "show", target.path, name, "--value")[1].splitlines()[-1].split() == ["value", "12"]


def test_stats(store, capsys):
    code, out, _ = run(capsys, "stats", store.path)
    assert code == 0
    assert [line.split()[:2] for line in out.splitlines()[1:2]] == [["clean", "2"]]
    assert "2.0 s" in out
    assert out.splitlines()[-1].split()[:2] == ["all", "3"]
    clean, fit = json.loads(run(capsys, "stats", store.path, "--json")[1])
    assert (clean["saved"], fit["bytes"] > 80_000) == (2.0, True)


def test_clear(store, capsys):
    assert run(capsys, "clear", store.path, "--tag", "clean", "--dry-run")[1] == "would be removed  2\n"
    assert run(capsys, "clear", store.path, "--older-than", "1h")[1] == "removed  0\n"
    assert run(capsys, "clear", store.path, "--tag", "clean", "--object", "bb22", "--json")[1] == '{"removed": 1}\n'
    code, out, err = run(capsys, "clear", store.path)
    assert (code, out) == (2, "")
    assert "--all" in err
    assert len(DiskTarget(store.path)) == 2
    assert run(capsys, "clear", store.path, "--all")[1] == "removed  2\n"


def test_gc(store, capsys):
    store._values.blobs.add([b"x" * 1000])
    assert run(capsys, "gc", store.path)[1].split() == ["files", "removed", "0", "freed", "0", "B"]
    found = json.loads(run(capsys, "gc", store.path, "--older-than", "0s", "--json")[1])
    assert found == {"expired": 0, "files": 1, "bytes": 1000, "evicted": 0}


def test_verify(store, capsys):
    assert run(capsys, "verify", store.path) == (0, "damaged  0\n", "")
    path = next(Path(store.path, "blobs").rglob("*.bin"))
    path.write_bytes(path.read_bytes()[:-1] + b"x")
    code, out, _ = run(capsys, "verify", store.path)
    assert code == 1
    assert "aa11 fit [bold] ee: DamagedError: the file does not match its digest" in out
    assert len(json.loads(run(capsys, "verify", store.path, "--json")[1])["damaged"]) == 1
    assert run(capsys, "verify", store.path, "--repair")[0] == 1
    assert run(capsys, "verify", store.path)[0] == 0


@pytest.mark.parametrize("command", ["ls", "show", "stats", "clear", "gc", "verify"])
@pytest.mark.parametrize("kind", ["missing", "file", "folder", "empty"])
def test_a_path_that_is_no_store_is_one_line_and_untouched(tmp_path, capsys, command, kind):
    path = tmp_path / kind
    if kind == "file":
        path.write_text("x")
    elif kind != "missing":
        path.mkdir()
        if kind == "folder":
            (path / "precious.pkl").write_bytes(b"x")
    before = sorted((str(p), p.stat().st_mtime_ns) for p in tmp_path.rglob("*"))
    more = {"show": ["key"], "clear": ["--all"]}.get(command, [])
    code, out, err = run(capsys, command, path, *more)
    assert (code, out) == (2, "")
    assert err.startswith(f"flowly-ckpt: {path}: ")
    assert err.count("\n") == 1
    assert sorted((str(p), p.stat().st_mtime_ns) for p in tmp_path.rglob("*")) == before


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["dance"],
        ["ls"],
        ["clear", "x", "--older-than", "soon"],
        ["ls", "x", "--older-than", "5y"],
        ["ls", "x", "--older-than=-1d"],
        ["gc", "x", "--max-bytes", "many"],
        ["ls", "x", "--sort", "beauty"],
        ["why", "x", "one"],
    ],
)
def test_wrong_usage_exits_with_2(capsys, arguments):
    with pytest.raises(SystemExit) as caught:
        main(arguments)
    assert caught.value.code == 2
    assert "usage" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("text", "seconds"), [("90", 90), ("90s", 90), ("1.5h", 5400), ("2d", 172_800), ("1w", 604_800)]
)
def test_times(store, capsys, text, seconds):
    code, out, _ = run(capsys, "clear", store.path, "--unused-for", text, "--dry-run", "--json")
    assert (code, json.loads(out)) == (0, {"would be removed": 0})
    assert seconds > 0


def folders(tmp_path):
    calls = LocalStorageCheckpoint("index_a", tmp_path / "artifacts")
    for number in (1, 2):
        calls.load_or_run(abs, number, number)
    resume.Checkpoint("primes", folder=tmp_path / ".checkpoints").save(primes=[2, 3])
    files = FileTarget(tmp_path / "files", lambda key: f"{key[1]}.pkl")
    files["a", "fit", "f"] = 1
    recipes = tmp_path / ".alkymi_cache"
    CacheTarget(recipes)["0a", "mod:load", "1b"] = computed([b"x" * 1000], str(tmp_path))
    return tmp_path / "artifacts" / "checkpoint", tmp_path / ".checkpoints", tmp_path / "files", recipes


def test_the_folders_of_the_front_doors(tmp_path, capsys):
    for folder, count in zip(folders(tmp_path), (2, 1, 1, 1)):
        (folder / "README.md").write_text("mine")
        code, out, _ = run(capsys, "ls", folder, "--json")
        assert (code, len(json.loads(out))) == (0, count)
        assert run(capsys, "verify", folder)[0] == 0
        assert run(capsys, "stats", folder)[0] == 0
        assert run(capsys, "gc", folder)[0] == 0
        assert run(capsys, "clear", folder, "--older-than", "1h")[1] == "removed  0\n"
        assert run(capsys, "clear", folder, "--all")[1] == f"removed  {count}\n"
        assert [path.name for path in folder.iterdir()] == ["README.md"]


def test_keys_are_those_of_the_door(tmp_path, capsys):
    calls = LocalStorageCheckpoint("index_a", tmp_path)
    assert calls.load_or_run(len, "id", "text") == 4
    (entry,) = json.loads(run(capsys, "ls", tmp_path / "checkpoint", "--json")[1])
    assert (entry["object"], entry["tag"], entry["transform"]) == calls.key("id", len)
    code, out, _ = run(capsys, "show", tmp_path / "checkpoint", "/".join(calls.key("id", len)), "--value")
    assert (code, out.splitlines()[-1].split()) == (0, ["value", "4"])


def test_front_door_folders_by_tag_and_age(tmp_path, capsys):
    for name in ("index_a", "index_b"):
        LocalStorageCheckpoint(name, tmp_path).load_or_run(abs, 1, 1)
    calls = tmp_path / "checkpoint"
    assert run(capsys, "clear", calls, "--older-than", "2h")[1] == "removed  0\n"
    assert run(capsys, "clear", calls, "--tag", "index_a")[1] == "removed  1\n"
    assert [path.name for path in calls.iterdir()] == ["index_b"]


def test_results_of_tasks_are_told_from_files_that_are_none_of_theirs(tmp_path, capsys, monkeypatch):
    monkeypatch.setenv("PIPEX", "cache")
    square = task(target=f"{tmp_path}/squares/{{n}}")(lambda n: n * n)
    for n in range(3):
        square(n)
    (tmp_path / "squares" / "mine.txt").write_text("notes")
    code, out, _ = run(capsys, "ls", str(tmp_path), "--json")
    assert code == 0
    assert sorted(entry["object"] for entry in json.loads(out)) == [f"{tmp_path}/squares/{n}" for n in range(3)]
    assert run(capsys, "clear", str(tmp_path), "--all")[0] == 0
    assert [path.name for path in (tmp_path / "squares").iterdir()] == ["mine.txt"]


def test_front_door_files_are_checked_without_running_them(tmp_path, capsys):
    target = FileTarget(tmp_path / "artifacts" / "checkpoint", suffix=".pkl")
    target["a", "t", "f"] = list(range(100))
    target["b", "t", "f"] = list(range(100))
    path = Path(target.path(("a", "t", "f")))
    data = bytearray(path.read_bytes())
    data[60] ^= 1
    path.write_bytes(data)
    code, out, _ = run(capsys, "verify", target.root)
    assert code == 1
    assert out.count("\n") == 1
    assert run(capsys, "verify", target.root, "--repair")[0] == 1
    assert list(target) == [("b", "t", "f")]


def test_a_warning_is_a_line(store, capsys):
    with open(Path(store.path, "index.sqlite"), "r+b") as file:
        file.truncate(5000)
    code, _, err = run(capsys, "ls", store.path)
    assert code == 0
    assert err.startswith(f"flowly-ckpt: {store.path}: the index was damaged")


def test_a_table_is_no_wider_than_the_terminal(store, capsys, monkeypatch):
    target = DiskTarget(store.path)
    name = "package.module.function_with_a_long_name"
    target.put(("0a" * 16, name, "1b" * 16), 1, Facts(0.5, {"input": "[" * 60}))
    target.close()
    wide = run(capsys, "ls", store.path)[1].splitlines()
    monkeypatch.setattr("sys.stdout.isatty", lambda: True, raising=False)
    for columns in (200, 120, 80):
        monkeypatch.setenv("COLUMNS", str(columns))
        lines = run(capsys, "ls", store.path)[1].splitlines()
        assert len(lines) == len(wide) == 5
        assert max(map(len, lines)) <= columns
        assert lines[0].split()[:3] == ["tag", "object", "transform"]
        assert "0a0a0a0a" in lines[-1]
        assert (name in lines[-1]) == (columns > 80)


@pytest.mark.parametrize("as_json", [False, True])
def test_entries_are_listed_while_they_are_found(as_json):
    found = []

    class Large(Null):
        def entries(self, **selection):
            for number in range(10_000):
                found.append(number)
                yield Entry((str(number), "t", "f"))

    class Full(io.StringIO):
        def write(self, text):
            super().write(text)
            if "1200" in text:
                raise BrokenPipeError
            return len(text)

    options = _parser().parse_args(["ls", "store"])
    with contextlib.redirect_stdout(Full()), pytest.raises(BrokenPipeError):
        COMMANDS["ls"](Large(), options, Printer(as_json))
    assert len(found) < 1300


def test_the_first_of_many_are_sorted_as_all_of_them_are(store, capsys):
    for name in SORTS:
        lines = run(capsys, "ls", store.path, "--sort", name)[1].splitlines()
        assert [line.split()[:3] for line in lines[:3]] == [
            line.split()[:3] for line in run(capsys, "ls", store.path, "--sort", name, "--limit", "2")[1].splitlines()
        ]


def test_without_rich_nothing_but_a_bar_is_missing(store):
    code = """if 1:
        import sys
        sys.modules["rich"] = None
        from flowly_ckpt.cli import main
        sys.stderr.isatty = lambda: True  # a terminal, where a bar would be shown
        codes = main(["ls", sys.argv[1]]), main(["verify", sys.argv[1]]), main(["ls", sys.argv[1], "--json"])
        print(codes)
    """
    out = subprocess.run([sys.executable, "-c", code, store.path], capture_output=True, text=True, check=True, cwd=ROOT)
    assert out.stdout.endswith("(0, 0, 0)\n")
    assert out.stdout.splitlines()[0].split()[:3] == ["tag", "object", "transform"]


def test_as_a_module_and_into_a_closed_pipe(store):
    command = [sys.executable, "-m", "flowly_ckpt", "ls", store.path, "--json"]
    out = subprocess.run(command, capture_output=True, text=True, check=True, cwd=ROOT)
    assert len(json.loads(out.stdout)) == 3
    target = DiskTarget(store.path)
    for number in range(3000):
        target[str(number), "many", "f"] = number
    target.close()
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, cwd=ROOT) as process:
        process.stdout.readline()
        process.stdout.close()
        assert process.stderr.read() == b""
    assert process.returncode == 0


def test_help_documents_the_exit_codes(capsys):
    with pytest.raises(SystemExit) as caught:
        main(["--help"])
    assert caught.value.code == 0
    assert "exit codes: 0 done, 1 verify found damage, 2" in " ".join(capsys.readouterr().out.split())


def test_stores_in_one_folder_with_the_same_keys_are_kept_apart(tmp_path, capsys):
    keys = [("a", "t", "f"), ("b", "t", "f")]
    targets = [FileTarget(tmp_path / name, suffix=".pkl") for name in ("one", "two")]
    for target in targets:
        for key in keys:
            target[key] = str(target.root)
    assert run(capsys, "clear", str(tmp_path), "--object", "a", "--dry-run")[1] == "would be removed  2\n"
    assert run(capsys, "clear", str(tmp_path), "--object", "a")[1] == "removed  2\n"
    assert [list(target) for target in targets] == [keys[1:], keys[1:]]
    shown = run(capsys, "show", str(tmp_path), "b", "--value", "--json")[1].splitlines()
    assert [json.loads(line)["value"] for line in shown] == [repr(target.root) for target in targets]
    path = Path(targets[1].path(keys[1]))
    path.write_bytes(path.read_bytes()[:-1])
    assert run(capsys, "verify", str(tmp_path), "--repair")[0] == 1
    assert [list(target) for target in targets] == [keys[1:], []]


def test_a_sidecar_that_is_about_another_file_names_no_entry(tmp_path, capsys):
    target = FileTarget(tmp_path)
    target["a", "t", "f"], target["b", "t", "f"] = 1, 22
    sidecars = [tmp_path / "t" / ".made" / name for name in ("a.f", "b.f")]
    texts = [path.read_bytes() for path in sidecars]
    for path, text in zip(sidecars, reversed(texts)):
        path.write_bytes(text)
    assert run(capsys, "clear", str(tmp_path), "--object", "a")[1] == "removed  0\n"
    assert (target["a", "t", "f"], target["b", "t", "f"]) == (1, 22)


def test_what_an_entry_was_made_of_is_listed_and_told_apart(tmp_path, capsys):
    with DiskTarget(tmp_path / "store") as target:
        for step in (len, sorted):
            for text in ("a.csv", "b.csv"):
                apply(chained(str.strip, step, checkpoint(target, step.__name__)), text, rewrites=[add_checkpoints])
        apply(chained(abs, checkpoint(target, "len")), -5, rewrites=[add_checkpoints])
        secret = {"path": "a.csv", "password": "hunter2"}
        for obj in (secret, {**secret, "path": "b.csv", "rows": 3}):
            apply(chained(len, checkpoint(target)), obj, rewrites=[add_checkpoints])
        keys = {(entry.key[1], entry.made_from["input"]): "/".join(entry.key) for entry in target.entries()}
    listed = run(capsys, "ls", target.path, "--sort", "size")[1]
    assert "'a.csv'" in listed
    assert "'password': …" in listed
    assert b"hunter2" not in b"".join(path.read_bytes() for path in Path(target.path).glob("index*"))
    code, out, _ = run(capsys, "why", target.path, keys["len", "'a.csv'"], keys["len", "'b.csv'"])
    assert (code, out.strip()) == (0, "the input differs: 'a.csv' and 'b.csv'")
    out = run(capsys, "why", target.path, keys["len", "'a.csv'"], keys["sorted", "'b.csv'"], "--json")[1]
    assert json.loads(out)["differences"] == [
        "the input differs: 'a.csv' and 'b.csv'", "the tag differs: 'len' and 'sorted'", "step 2 is len, and sorted",
    ]  # fmt: skip
    assert (
        "step 1 is str.strip, and abs" in run(capsys, "why", target.path, keys["len", "'a.csv'"], keys["len", "-5"])[1]
    )
    (one,), (other,) = (
        ["/".join(key) for key in target if key[1] == "<untagged>" and target[key] == n] for n in (2, 3)
    )
    assert json.loads(run(capsys, "why", target.path, one, other, "--json")[1])["differences"][1:] == [
        "in the input: ['rows'] is new", "in the input: ['path'] 'a.csv' → 'b.csv'",
    ]  # fmt: skip
    code, _, err = run(capsys, "why", target.path, keys["len", "-5"], "s")
    assert (code, "several entries match 's'" in err) == (2, True)
    advised = err.rpartition(" ")[2].strip()
    assert run(capsys, "why", target.path, advised, advised)[:2] == (0, "the keys are equal: it is one entry\n")


def test_ls_is_sorted_as_asked(store, capsys):
    def tags(*arguments):
        return [entry["size"] for entry in json.loads(run(capsys, "ls", store.path, "--json", *arguments)[1])]

    sizes = tags("--sort", "size")
    assert sizes == sorted(tags(), reverse=True)
    assert tags("--sort", "took", "--limit", "1") == sizes[:1]
    for name in SORTS:
        assert len(tags("--sort", name)) == 3


def test_clear_stale_leaves_what_todays_code_finds(tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    program = """
from flowly_ckpt import chained, checkpoint, memo
from flowly_ckpt.targets import DiskTarget
target = DiskTarget("store")
def load(x): return x + {0}
@memo(target)
def area(w, h=4): return w * h + {0}
pipeline = chained(load, checkpoint(target, "load"), str, checkpoint(target, "text"), repr, checkpoint(target))
"""
    run_it = "from flowly_ckpt import *; import stale_steps as s; run(s.pipeline, 1); s.area(3)"
    for number in (1, 2):
        (tmp_path / "stale_steps.py").write_text(program.format(number))
        environment = {**os.environ, "PYTHONPATH": str(ROOT), "PYTHONDONTWRITEBYTECODE": "1"}
        subprocess.run([sys.executable, "-c", run_it], check=True, cwd=tmp_path, env=environment)
    with DiskTarget("store") as target:
        target["a", "other", "f"] = 1
        assert len(target) == 9
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "stale_steps", raising=False)
    arguments = ("clear", "store", "--stale", "stale_steps:pipeline")
    assert run(capsys, *arguments, "--tag", "text", "--dry-run")[1] == "would be removed  1\n"
    assert run(capsys, "clear", "store", "--stale", "stale_steps:area", "--dry-run")[1] == "would be removed  1\n"
    assert run(capsys, "clear", "store", "--stale", "stale_steps")[1] == "removed  3\n"
    assert run(capsys, *arguments)[1] == "removed  0\n"
    with DiskTarget("store") as target:
        assert sorted(entry.tag for entry in target.stats()) == [
            "<untagged>", "load", "other", "stale_steps.area", "text",
        ]  # fmt: skip
        assert len(target) == 6
    for name in ("nosuch_module", "json", "stale_steps:nosuch"):
        code, _, err = run(capsys, "clear", "store", "--stale", name)
        assert (code, err.startswith(f"flowly-ckpt: {name}: ")) == (2, True)
    sys.modules.pop("stale_steps").target.close()


def test_gc_shrinks_on_demand(store, capsys):
    assert "entries evicted" in run(capsys, "gc", store.path, "--max-bytes", "1kB")[1]
    assert sum(entry["size"] for entry in json.loads(run(capsys, "ls", store.path, "--json")[1])) <= 1000


def test_an_address_is_no_folder(capsys):
    code, _, err = run(capsys, "ls", "s3://bucket/x")
    assert code == 2
    assert "RemoteTarget('s3://bucket/x')" in err


def test_the_version(capsys):
    with pytest.raises(SystemExit) as caught:
        main(["--version"])
    assert caught.value.code == 0
    assert capsys.readouterr().out.startswith("flowly-ckpt")


EVIL = "\x1b[2J\x1b]0;owned\x07\u202e\r\udc80"


class Shown:
    def __repr__(self):
        return EVIL


def hostile(folder, kind):
    """Make a store in which all that can be text is commands for a terminal, and the rest is odd."""
    made_from = {EVIL: EVIL, "odd": [float("inf"), float("nan"), {"a": [[[]]]}]}
    for _ in range(500):
        made_from["odd"] = [made_from["odd"]]
    for number in range(3):
        key = (EVIL + str(number), EVIL, EVIL)
        if kind == "DiskTarget":
            with DiskTarget(folder) as target:
                target.put(key, Shown(), Facts(float("inf"), made_from))
        else:
            target = FileTarget(folder, lambda key: f"a\x1b[2J{key[0][-1]}")
            target.put(key, Shown(), Facts(2.0, made_from))
    if kind == "DiskTarget":
        connection = sqlite3.connect(f"{folder}/index.sqlite")
        connection.execute("update entries set digest = x'00', codec = ? where id = 2", (EVIL[:-1],))
        connection.execute("update entries set size = 9e999, created = -9e999, seconds = 'x' where id = 3")
        connection.commit()
        connection.close()
    else:
        Path(folder, "a\x1b[2J1").write_bytes(b"damaged")


@pytest.mark.parametrize("kind", ["DiskTarget", "FileTarget"])
@pytest.mark.parametrize("form", [[], ["--json"]])
def test_no_text_of_a_store_is_a_command_to_the_terminal(tmp_path, capsys, kind, form):
    folder = tmp_path / "store"
    hostile(folder, kind)
    for arguments in (
        ["ls"], ["stats"], ["show", "\x1b", "--value"], ["show", "none\x1b[2J"], ["verify"], ["gc"],
        ["ls", "--tag", EVIL],
        ["clear", "--older-than", "90d"], ["verify", "--repair"], ["clear", "--all"],
    ):  # fmt: skip
        command, *rest = arguments
        code, out, err = run(capsys, command, folder, *rest, *form)
        assert code in (0, 1, 2)
        for line in f"{out}\n{err}".split("\n"):
            assert line.isprintable(), (arguments, line)
        if form and out:
            assert "u001b" in out or command != "ls" or rest
            documents = out if out.lstrip().startswith("[") else "[" + ",".join(out.splitlines()) + "]"
            json.loads(documents, parse_constant=pytest.fail)


def test_all_of_several_stores_is_asked_for_by_name(tmp_path, capsys):
    for name in ("a", "b"):
        target = FileTarget(tmp_path / name)
        target["0a", "t", "1b"] = target["0a", "u", "1b"] = 1
    code, _, err = run(capsys, "clear", tmp_path, "--all")
    assert (code, str(tmp_path / "a") in err, str(tmp_path / "b") in err) == (2, True, True)
    assert run(capsys, "clear", tmp_path, "--all", "--dry-run", "--json")[1] == '{"would be removed": 4}\n'
    assert run(capsys, "clear", tmp_path / "a", "--all", "--json")[1] == '{"removed": 2}\n'
    assert run(capsys, "clear", tmp_path, "--all", "--json")[1] == '{"removed": 2}\n'
    for name in ("a", "b"):
        FileTarget(tmp_path / name)["0a", "t", "1b"] = 1
    assert run(capsys, "clear", tmp_path, "--all", "--recursive", "--json")[1] == '{"removed": 2}\n'


def test_a_number_of_entries_is_none_below_0(store, capsys):
    with pytest.raises(SystemExit):
        main(["ls", store.path, "--limit", "-1"])
    assert "0 or more" in capsys.readouterr().err


def test_a_value_whose_parts_stand_in_many_places_is_shown_in_short(tmp_path, capsys):
    value = [1]
    for _ in range(64):
        value = [value, value]
    with DiskTarget(tmp_path / "store") as target:
        target["0a", "deep", "1b"] = value
    code, out, _ = run(capsys, "show", tmp_path / "store", "0a", "--value")
    assert code == 0
    assert "[[[[[[" in out
