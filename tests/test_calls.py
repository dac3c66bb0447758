"""Cached calls: one test for each statement of what the checkpoints of calls do, by its number."""

from __future__ import annotations

import asyncio
import enum
import inspect
import os
import pickle
import sqlite3
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from types import SimpleNamespace

import pytest
from folders import TARGETS, readable
from runs import in_module, run_script

from flowly_ckpt import add_checkpoints, apply, chained, checkpoint, functional_hash
from flowly_ckpt.calls import (
    Checkpoint,
    IdError,
    LocalStorageCheckpoint,
    NotInitializedError,
    NullCheckpoint,
    cache_with_checkpoint,
    current,
    get_checkpoint,
    init_checkpoint,
)
from flowly_ckpt.errors import FlowlyError, MutationWarning, StoreWarning, UnhashableError
from flowly_ckpt.passes import observe
from flowly_ckpt.pipelines import children, role
from flowly_ckpt.plan import plan
from flowly_ckpt.targets.protocol import as_target


@pytest.fixture(autouse=True)
def _no_checkpoint_in_use(monkeypatch, tmp_path):
    monkeypatch.setattr(current, "_current", None)
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def local(tmp_path):
    return init_checkpoint("index_a", SimpleNamespace(artifacts_dir=tmp_path / "artifacts"))


@pytest.fixture
def ran():
    """What ran, in order."""
    return []


def files(tmp_path):
    """The results kept below a folder."""
    return readable(tmp_path, "*.pkl")


class Question(SimpleNamespace):
    pass


TWO_RUNS = """
    import sys
    from flowly_ckpt.calls import cache_with_checkpoint, init_checkpoint

    @cache_with_checkpoint(id="arg2['id']")
    def method(arg1, arg2):
        print("ran")
        return [arg1, arg2]

    init_checkpoint("index_a", {})
    print(method(sys.argv[1], {"id": 7}))
"""


def test_S1_01_a_method_called_with_an_id_seen_before_is_not_executed_also_in_another_run(tmp_path):
    assert run_script(tmp_path, TWO_RUNS, "first").stdout == "ran\n['first', {'id': 7}]\n"
    assert run_script(tmp_path, TWO_RUNS, "second").stdout == "['first', {'id': 7}]\n"


@pytest.mark.parametrize("arguments", [("index_a", {}), ({},), ("index_a",), ()], ids=str)
def test_S1_02_init_takes_a_name_and_a_configuration_or_the_configuration_alone(arguments):
    made = init_checkpoint(*arguments)
    assert isinstance(made, LocalStorageCheckpoint)
    assert made is get_checkpoint()
    assert made.load_or_run(len, "id", "text") == 4


def test_S1_03_the_id_is_an_expression_over_the_arguments(local, ran):
    @cache_with_checkpoint(id="arg2.id")
    def method(arg1, arg2):
        ran.append(arg1)
        return f"{arg1} {arg2.id}"

    assert method("a", Question(id=1)) == "a 1"
    assert method("b", Question(id=1)) == "a 1"
    assert method("c", Question(id=2)) == "c 2"
    assert ran == ["a", "c"]


def test_S1_04_load_or_run_equals_the_decorator_and_shares_its_entries(local, ran):
    def method(arg1, arg2):
        ran.append(arg1)
        return arg1

    decorated = cache_with_checkpoint(id="arg2.id")(method)
    arg2 = Question(id=1)
    assert get_checkpoint().load_or_run(method, arg2.id, "a", arg2) == "a"
    assert decorated("b", arg2) == "a"
    assert get_checkpoint().load_or_run(decorated, arg2.id, "c", arg2) == "a"
    assert ran == ["a"]


def test_S1_05_only_the_id_tells_calls_apart_however_the_arguments_are_given(local, ran):
    @cache_with_checkpoint(id="arg2")
    def method(arg1, arg2, *, arg3=None):
        ran.append(arg2)

    method(1, 2)
    method(arg2=2, arg1=0)
    method(3, arg2=2, arg3="other")
    assert ran == [2]


def test_S1_06_on_a_miss_the_method_runs_with_its_arguments_and_the_result_is_kept(local, tmp_path):
    assert get_checkpoint().load_or_run(divmod, "id", 7, 2) == (3, 1)
    (file,) = files(tmp_path)
    assert pickle.loads((tmp_path / file).read_bytes()) == (3, 1)


def test_S1_06_what_the_method_raises_passes_unchanged_and_nothing_is_kept(local, tmp_path):
    error = ValueError("mine")

    def failing():
        raise error

    with pytest.raises(ValueError, match="mine") as caught:
        local.load_or_run(failing, "id")
    assert caught.value is error
    assert files(tmp_path) == []


class InMemory(Checkpoint):
    def __init__(self):
        self.data = {}

    def _has_data(self, id, method):
        return (id, method.__name__) in self.data

    def _load(self, id, method):
        return self.data[id, method.__name__]

    def _save(self, data, id, method):
        self.data[id, method.__name__] = data


def test_S1_07_a_subclass_with_three_methods_is_a_checkpoint(ran):
    def method(arg):
        ran.append(arg)
        return [arg]

    own = current.use(InMemory())
    decorated = cache_with_checkpoint(id="'the id'")(method)
    assert (decorated("a"), decorated("b"), own.load_or_run(method, "the id", "c")) == (["a"], ["a"], ["a"])
    assert ran == ["a"]
    assert own.data == {("the id", "method"): ["a"]}
    decorated("b").append("changed by a caller")
    with pytest.warns(MutationWarning, match="changed in place"):
        assert decorated("b") == ["b"]


def test_S1_07_a_subclass_with_three_methods_cannot_list_what_it_keeps():
    with pytest.raises(TypeError, match="InMemory cannot list its results"):
        InMemory().clear()


@pytest.mark.parametrize("missing", ["_has_data", "_load", "_save"])
def test_S1_07_a_subclass_that_lacks_a_method_is_told_so(missing):
    lacking = type("Lacking", (InMemory,), {missing: getattr(Checkpoint, missing)})()
    asked = {"_has_data": ("id", len), "_load": ("id", len), "_save": (1, "id", len)}[missing]
    with pytest.raises(NotImplementedError, match=f"Lacking must .*{missing}"):
        getattr(lacking, missing)(*asked)


def test_S1_08_there_is_one_checkpoint_and_the_decorator_uses_the_current_one(tmp_path, ran):
    @cache_with_checkpoint(id="arg")
    def method(arg):
        ran.append(arg)

    init_checkpoint("first", {})
    method(1)
    second = init_checkpoint("second", {})
    assert get_checkpoint() is second
    method(1)
    assert ran == [1, 1]
    assert sorted(name.split("/")[2] for name in files(tmp_path)) == ["first", "second"]


def test_S1_09_asking_before_init_fails():
    with pytest.raises(NotInitializedError) as caught:
        get_checkpoint()
    assert str(caught.value) == "Checkpoint not initialized yet. Call init_checkpoint() first."
    assert isinstance(caught.value, RuntimeError)
    assert isinstance(caught.value, FlowlyError)


class Environment(enum.Enum):
    LOCAL = "local"
    AZURE_ML = "azure-ml"


@pytest.mark.parametrize(
    ("config", "kind"),
    [
        ({}, LocalStorageCheckpoint),
        (None, LocalStorageCheckpoint),
        ({"use_checkpoints": False}, NullCheckpoint),
        (SimpleNamespace(USE_CHECKPOINTS=False), NullCheckpoint),
        (SimpleNamespace(use_checkpoints=True, USE_CHECKPOINTS=False), LocalStorageCheckpoint),
        (SimpleNamespace(execution_environment=Environment.LOCAL), LocalStorageCheckpoint),
        (SimpleNamespace(execution_environment=Environment.AZURE_ML), NullCheckpoint),
        (SimpleNamespace(EXECUTION_ENVIRONMENT="azure_ml", USE_CHECKPOINTS=True), NullCheckpoint),
        (SimpleNamespace(EXECUTION_ENVIRONMENT=Environment.AZURE_ML, USE_CHECKPOINTS=False), NullCheckpoint),
    ],
    ids=str,
)
def test_S1_10_the_configuration_chooses_the_implementation(config, kind):
    assert type(init_checkpoint("index_a", config)) is kind


@pytest.mark.parametrize("config", [{"artifacts_dir": "out"}, {"path": {"artifacts_dir": "out"}}], ids=str)
def test_S1_10_the_configuration_says_where(config, tmp_path):
    init_checkpoint("index_a", config).load_or_run(len, "id", "text")
    assert files(tmp_path)[0].startswith("out/checkpoint/index_a/")


@pytest.mark.parametrize("make", TARGETS.values(), ids=TARGETS)
def test_S1_10_results_are_kept_in_any_target(make, tmp_path, ran):
    @cache_with_checkpoint(id="arg")
    def method(arg):
        ran.append(arg)
        return [arg]

    target = make()
    for name in ("index_a", "index_b"):
        assert repr(init_checkpoint(name, {}, target=target)).startswith(f"TargetCheckpoint('{name}', ")
        assert [method(1), method(1), method(2)] == [[1], [1], [2]]
    keep = get_checkpoint()
    assert ran == [1, 2, 1, 2]
    assert sorted(target) == sorted(
        LocalStorageCheckpoint(n).key(i, method) for n in ("index_a", "index_b") for i in (1, 2)
    )
    assert [type(key) for key in target] == [tuple] * 4
    assert not (tmp_path / "artifacts").exists()
    assert (keep._has_data(1, method), keep._load(1, method), keep._has_data(3, method)) == (True, [1], False)
    assert (keep.clear(len), keep.clear(method, id=1, dry_run=True), keep.clear(method, id=1)) == (0, 1, 1)
    if as_target(target).keeps_times:
        assert keep.clear(older_than=3600) == 0
    else:
        with pytest.raises(ValueError, match="keeps no times"):
            keep.clear(older_than=3600)
    assert (keep.clear(), len(target)) == (1, 2)
    keep._save([3], 3, method)
    assert method(3) == [3]


def test_S1_10_a_target_is_a_mapping_and_is_not_used_where_nothing_is_to_be_kept():
    with pytest.raises(TypeError, match="target must be a mutable mapping, got list"):
        init_checkpoint("index_a", {}, target=[])
    assert isinstance(init_checkpoint("index_a", {"use_checkpoints": False}, target={}), NullCheckpoint)
    assert get_checkpoint().clear() == 0


def test_S1_11_each_step_and_index_has_a_checkpoint_of_its_own(ran):
    @cache_with_checkpoint(id="arg")
    def method(arg):
        ran.append(get_checkpoint().checkpoint_name)
        return ran[-1]

    def under(name):
        init_checkpoint(name, {})
        return method(1)

    assert [under(name) for name in ("index_a", "Index_a", "index_b", "index_a")] == [
        "index_a", "Index_a", "index_b", "index_a"
    ]  # fmt: skip
    assert ran == ["index_a", "Index_a", "index_b"]


def test_S1_12_local_storage_is_plain_pickle_in_readable_files(tmp_path):
    LocalStorageCheckpoint("index_a", tmp_path).load_or_run(inspect.cleandoc, "some id", " text")
    name = f"checkpoint/index_a/inspect.cleandoc___{functional_hash('some id')}.pkl"
    assert files(tmp_path) == [name]
    with open(tmp_path / name, "rb") as file:
        assert pickle.load(file) == "text"


def test_S1_13_data_lies_in_artifacts_checkpoint_by_default(tmp_path):
    LocalStorageCheckpoint("index_a").load_or_run(len, "id", "text")
    assert len(files(tmp_path / "artifacts" / "checkpoint" / "index_a")) == 1


def test_S1_14_the_null_checkpoint_keeps_nothing(tmp_path, ran):
    @cache_with_checkpoint(id="arg")
    def method(arg):
        ran.append(arg)

    init_checkpoint("index_a", {"use_checkpoints": False})
    method(1)
    method(1)
    NullCheckpoint().load_or_run(method, "id", 1)
    assert ran == [1, 1, 1]
    assert list(tmp_path.iterdir()) == []
    assert not NullCheckpoint()._has_data("id", len)
    NullCheckpoint()._save(4, "id", len)


def test_S1_15_the_data_can_be_cleared_by_the_command_line(tmp_path):
    pytest.importorskip("flowly_ckpt.cli", reason="the command line is not there")
    run_script(tmp_path, TWO_RUNS, "first")
    done = in_module(tmp_path, "flowly_ckpt", "clear", "artifacts/checkpoint", "--all")
    assert done.returncode == 0, done.stderr
    assert files(tmp_path) == []
    assert run_script(tmp_path, TWO_RUNS, "second").stdout.startswith("ran\n")


def test_S1_15_the_data_can_be_cleared_by_method_and_id(local, tmp_path):
    other = LocalStorageCheckpoint("index_b", tmp_path / "artifacts")
    for kept in (local, other):
        for method in (len, repr):
            for id in ("one", "two"):
                kept.load_or_run(method, id, "text")
    assert local.clear(len, id="one", dry_run=True) == 1
    assert local.clear(len, id="one") == 1
    assert local.clear(repr) == 2
    assert local.clear() == 1
    assert len(files(tmp_path)) == 4


class Model:
    name = "small"


MODEL = Model()


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("chunk['content']", "text"),
        ("chunk['content']+embedding_model.name", "textsmall"),
        ("chunk['content']+str(config.index.chunking.generate_title)", "textTrue"),
        ("user_prompt+output_prompt+qna_context+index_config.index_name()", "abci"),
        ("index_name", "i"),
        ("[part + index_name for part in user_prompt]", ["ai"]),
        ("sorted(part + index_name for part in chunk)", ["contenti"]),
        ("chunk['content'] + MODEL.name  # a global of the function's module", "textsmall"),
        ("chunk['content'] + suffix", "text!"),
        (" len(args), sorted(options) ", (1, ["more"])),
        (lambda chunk, *args, **options: chunk["content"], "text"),
    ],
)
def test_S1_16_an_id_is_any_expression_over_the_arguments(expression, expected):
    suffix = "!"

    def method(
        chunk,
        embedding_model,
        config,
        user_prompt,
        output_prompt,
        qna_context,
        index_config,
        index_name,
        *args,
        **options,
    ):
        return suffix

    seen, chunking = [], SimpleNamespace(generate_title=True)
    config = SimpleNamespace(index=SimpleNamespace(chunking=chunking))
    keep = current.use(InMemory())
    keep._has_data = lambda id, method: bool(seen.append(id))
    keep._save = lambda data, id, method: None
    cache_with_checkpoint(id=expression)(method)(
        {"content": "text"}, MODEL, config, "a", "b", "c", SimpleNamespace(index_name=lambda: "i"), "i", 0, more=1,
    )  # fmt: skip
    assert seen[0] == expected


# ---- what the original could not


def test_beats_S1_1_a_method_that_changes_its_arguments_is_reported(local):
    @cache_with_checkpoint(id="text")
    def add(index, text, *, notes=()):
        index.append(text)

    with pytest.warns(MutationWarning, match=r"add changed its argument 1 in place"):
        add([], "text")
    with pytest.warns(MutationWarning, match=r"changed its argument 'index', 'notes' in place"):
        local.load_or_run(lambda index, notes: (index.append(1), notes.append(1)), "id", index=[], notes=[])


def test_beats_S1_1_arguments_that_cannot_be_told_are_let_be(local):
    assert local.load_or_run(lambda lock, rows: len(rows), "id", threading.Lock(), [1]) == 1


def test_beats_S1_2_functions_of_one_name_do_not_share_results(local):
    class First:
        @cache_with_checkpoint(id="arg")
        def method(self, arg):
            return "first"

    class Second:
        @cache_with_checkpoint(id="arg")
        def method(self, arg):
            return "second"

    assert (First().method(1), Second().method(1)) == ("first", "second")
    assert (First().method(1), Second().method(1)) == ("first", "second")


def test_beats_S1_2_what_has_no_name_is_told_by_its_code(local):
    one, two = chained(abs, float), chained(abs, str)
    assert [local.load_or_run(each, "id", -1) for each in (one, two, lambda x: x, lambda x: -x)] == [1.0, "1", -1, 1]
    assert local.load_or_run(chained(abs, chained(str)), "id", -2) == "1"


EDITED = """
    from flowly_ckpt.calls import cache_with_checkpoint, init_checkpoint

    @cache_with_checkpoint(id="arg", code={code})
    def method(arg):
        return {value}

    init_checkpoint("index_a", {{}})
    print(method(1))
"""


@pytest.mark.parametrize(("code", "after"), [(False, "1"), (True, "2")])
def test_beats_S1_2_an_edit_keeps_results_unless_code_is_part_of_the_key(tmp_path, code, after):
    assert run_script(tmp_path, EDITED.format(code=code, value=1)).stdout.strip() == "1"
    assert run_script(tmp_path, EDITED.format(code=code, value=2)).stdout.strip() == after


def test_beats_S1_2_code_can_be_asked_of_the_checkpoint(tmp_path, ran):
    keep = LocalStorageCheckpoint("index_a", tmp_path, code=True)

    def method():
        return 1

    first = keep.load_or_run(method, "id")

    def method():
        return 2

    assert (first, keep.load_or_run(method, "id")) == (1, 2)


def test_beats_S1_3_defaults_are_seen_by_the_id(local, ran):
    @cache_with_checkpoint(id="k")
    def method(a, k="default"):
        ran.append(k)

    method(1)
    method(1, "default")
    method(1, k="other")
    assert ran == ["default", "other"]


@pytest.mark.parametrize(
    "ids", [(1, 2), (1, "1"), (1, True), ((1, 2), [1, 2]), (None, ""), (b"a", "a"), (1.0, 1)], ids=str
)
def test_beats_S1_4_ids_are_any_values_told_by_content(local, ids):
    assert [local.load_or_run(lambda x: x, id, i) for i, id in enumerate(ids)] == [0, 1]
    assert [local.load_or_run(lambda x: x, id, 9) for id in ids] == [0, 1]


def test_beats_S1_4_an_id_that_cannot_be_told_says_so(local):
    with closing(sqlite3.connect(":memory:")) as connection, pytest.raises(UnhashableError):
        local.load_or_run(len, connection, "text")


@pytest.mark.parametrize("name", ["func", "get_checkpoint_", "call_id", "evaluate"])
def test_beats_S1_5_the_id_sees_nothing_of_the_decorator(local, name):
    method = cache_with_checkpoint(id=f"arg + {name}(arg)")(lambda arg: arg)
    with pytest.raises(IdError, match=r"Failed to evaluate the provided expression: arg \+ ") as caught:
        method("a")
    assert isinstance(caught.value, ValueError)
    assert isinstance(caught.value.__cause__, NameError)
    assert str(pickle.loads(pickle.dumps(caught.value))) == str(caught.value)


def test_beats_S1_5_parameters_may_be_called_id_and_method(local):
    assert local.load_or_run(lambda id, method: (id, method), "the id", id=1, method=2) == (1, 2)

    @cache_with_checkpoint(id="id + method")
    def named(id, method):
        return id

    assert named(id=1, method=2) == 1


@pytest.mark.parametrize(
    ("arguments", "error"),
    [({}, ValueError), ({"id": "arg2."}, SyntaxError), ({"id": "a) + (b"}, SyntaxError), ({"id": 5}, TypeError)],
    ids=str,
)
def test_beats_S1_5_a_wrong_id_shows_when_decorating(arguments, error):
    with pytest.raises(error):
        cache_with_checkpoint(**arguments)(lambda a, b: a)


def test_beats_S1_5_the_decorator_without_its_id_says_how_to_write_it():
    with pytest.raises(ValueError, match="'id' must be provided to the cache_with_checkpoint decorator"):

        @cache_with_checkpoint
        def method(arg):
            return arg


def test_beats_S1_5_wrong_arguments_are_a_type_error_as_without_the_decorator(local):
    with pytest.raises(TypeError, match="missing a required argument: 'arg'"):
        cache_with_checkpoint(id="arg")(lambda arg: arg)()


@cache_with_checkpoint(id="arg", code=True)
def documented(arg: int) -> int:
    """Say what it does."""
    return arg + 1


def test_beats_S1_6_a_decorated_function_keeps_name_signature_and_docstring():
    assert documented.__name__ == "documented"
    assert documented.__doc__ == "Say what it does."
    assert str(inspect.signature(documented)) == "(arg: 'int') -> 'int'"
    assert repr(documented) == "cached(documented)"
    assert pickle.loads(pickle.dumps(documented)) is documented


def test_beats_S1_6_a_decorated_function_can_be_sent_to_another_process():
    import cloudpickle

    sent = cloudpickle.dumps(cache_with_checkpoint(id="arg + 1")(lambda arg: arg))
    current.use(NullCheckpoint())
    assert pickle.loads(sent)(3) == 3


def test_beats_S1_7_a_result_that_cannot_be_pickled_is_returned_and_leaves_no_file(local, tmp_path):
    with pytest.warns(StoreWarning, match="did not store"):
        assert isinstance(local.load_or_run(threading.Lock, "id"), type(threading.Lock()))
    assert files(tmp_path) == []


@pytest.mark.parametrize("harm", ["truncated", "emptied", "flipped", "deleted"])
def test_beats_S1_7_a_damaged_file_is_a_miss_that_heals(local, tmp_path, harm):
    local.load_or_run(lambda x: x, "id", "long enough a text")
    (name,) = files(tmp_path)
    path = tmp_path / name
    data = path.read_bytes()
    flipped = bytes([*data[:-30], data[-30] ^ 1, *data[-29:]])
    {
        "truncated": lambda: path.write_bytes(data[:9]),
        "emptied": lambda: path.write_bytes(b""),
        "flipped": lambda: path.write_bytes(flipped),
        "deleted": path.unlink,
    }[harm]()
    again = LocalStorageCheckpoint("index_a", tmp_path / "artifacts")
    if harm == "deleted":
        assert again.load_or_run(lambda x: x, "id", "healed") == "healed"
    else:
        with pytest.warns(StoreWarning, match="cannot be used"):
            assert again.load_or_run(lambda x: x, "id", "healed") == "healed"
    assert again.load_or_run(lambda x: x, "id", "not run") == "healed"


def test_beats_S1_7_what_another_process_stored_is_seen_at_once(tmp_path):
    keep = LocalStorageCheckpoint("index_a")
    run_script(tmp_path, TWO_RUNS, "other")
    key = next(iter(keep.target))
    assert key[1:] == ("index_a", "script.method")
    assert keep.target[key] == ["other", {"id": 7}]


def test_beats_S1_7_strangers_files_are_no_entries(local, tmp_path):
    local.load_or_run(len, "id", "text")
    folder = tmp_path / "artifacts" / "checkpoint" / "index_a"
    for name in (".foo.pkl.swp", "notes.pkl", "a___b.txt", "Foo.f___ab.pkl"):
        (folder / name).write_text("not ours")
    assert len(local.target) == 1


@pytest.mark.parametrize("tag", ["index_a", "Index/../A", "", "nul", ".hidden", "ä" * 200, "a" * 400])
def test_beats_S1_8_file_names_are_valid_everywhere_and_give_back_the_key(tmp_path, tag):
    keep = LocalStorageCheckpoint(tag, tmp_path)

    def method():
        return (lambda: 1)()

    long = SimpleNamespace(f=lambda: 1)
    long.f.__qualname__ = "Outer.<locals>." * 40 + "f"
    for each in (method, lambda: 1, long.f, len):
        assert keep.load_or_run(each, "id", *["text"] * (each is len)) in (1, 4)
    assert set(keep.target) == {tuple(keep.key("id", each)) for each in (method, keep.key and long.f, len)} | {
        key for key in keep.target if "lambda" in key[2]
    }
    for name in files(tmp_path):
        for part in name.split("/"):
            assert len(part.encode()) < 256
            assert not part.startswith(".")
            assert set(part) <= set("abcdefghijklmnopqrstuvwxyz0123456789_-%.~")


def test_beats_S1_9_a_stand_in_for_a_configuration_makes_no_odd_folder(tmp_path):
    class Anything:
        def __getattr__(self, name):
            return Anything()

    keep = init_checkpoint("index_a", Anything())
    assert isinstance(keep, LocalStorageCheckpoint)
    keep.load_or_run(len, "id", "text")
    assert os.listdir(tmp_path) == ["artifacts"]


def test_beats_S1_10_results_expire_where_one_says_so(tmp_path, ran):
    keep = LocalStorageCheckpoint("index_a", tmp_path, max_age=3600)
    keep.load_or_run(ran.append, "id", 1)
    keep.load_or_run(ran.append, "id", 2)
    (name,) = files(tmp_path)
    os.utime(tmp_path / name, (1, 1))
    keep.load_or_run(ran.append, "id", 3)
    assert ran == [1, 3]


def test_beats_S1_10_threads_run_a_method_once_for_an_id(local):
    started, ran = threading.Barrier(4), []

    @cache_with_checkpoint(id="arg")
    def method(arg):
        ran.append(arg)
        return [arg]

    def work(arg):
        started.wait(30)
        return method(arg)

    with ThreadPoolExecutor(4) as pool:
        results = list(pool.map(work, [1, 1, 1, 1]))
    assert results == [[1]] * 4
    assert ran == [1]


WAITING = """
    import sys, time
    from pathlib import Path
    from flowly_ckpt.calls import LocalStorageCheckpoint

    def method(name):
        Path(f"started-{name}").touch()
        while not Path("go").exists():
            time.sleep(0.005)
        return name

    Path(f"asked-{sys.argv[1]}").touch()
    print(LocalStorageCheckpoint("index_a").load_or_run(method, "id", sys.argv[1]))
"""


def test_beats_S1_10_processes_run_a_method_once_for_an_id(tmp_path):
    with ThreadPoolExecutor(3) as pool:
        first = pool.submit(run_script, tmp_path, WAITING, "a", name="waiting.py")
        while not first.done() and not (tmp_path / "started-a").exists():
            pass
        second = pool.submit(run_script, tmp_path, WAITING, "b", name="waiting.py")
        while not second.done() and not (tmp_path / "asked-b").exists():
            pass
        (tmp_path / "go").touch()
        assert (first.result().stdout, second.result().stdout) == ("a\n", "a\n")
    assert not (tmp_path / "started-b").exists()


# ---- asynchronous methods


def test_async_methods_are_awaited_and_kept(local, ran):
    @cache_with_checkpoint(id="arg")
    async def method(arg):
        await asyncio.sleep(0)
        ran.append(arg)
        return [arg]

    async def main():
        return [await method(1), await method(1), await get_checkpoint().load_or_run(method, 1, 2)]

    assert asyncio.run(main()) == [[1]] * 3
    assert ran == [1]
    assert inspect.iscoroutinefunction(method) or asyncio.iscoroutinefunction(method)


def test_async_calls_at_once_share_one_run(local, ran):
    @cache_with_checkpoint(id="'same'")
    async def method(arg):
        ran.append(arg)
        await asyncio.sleep(0)
        return [arg]

    async def main():
        return await asyncio.gather(*map(method, range(5)))

    assert asyncio.run(main()) == [[0]] * 5
    assert ran == [0]


def test_async_calls_at_once_share_what_is_raised_and_keep_nothing(local, ran):
    @cache_with_checkpoint(id="'same'")
    async def method(arg):
        ran.append(arg)
        await asyncio.sleep(0)
        raise ValueError("mine")

    async def main():
        return await asyncio.gather(*map(method, range(3)), return_exceptions=True)

    assert [str(error) for error in asyncio.run(main())] == ["mine"] * 3
    assert ran == [0]
    assert len(local.target) == 0


def test_async_a_cancelled_task_does_not_disturb_the_others(local, ran):
    async def main():
        started, go = asyncio.Event(), asyncio.Event()

        @cache_with_checkpoint(id="'same'")
        async def method(arg):
            ran.append(arg)
            started.set()
            await go.wait()
            return arg

        tasks = [asyncio.create_task(method(arg)) for arg in range(3)]
        await started.wait()
        tasks[0].cancel()
        await asyncio.wait(tasks[:1])
        go.set()
        return await asyncio.gather(*tasks, return_exceptions=True)

    first, *others = asyncio.run(main())
    assert isinstance(first, asyncio.CancelledError)
    assert (others, ran) == ([0, 0], [0])


def test_async_a_call_is_cancelled_with_the_last_task_that_waits_for_it(local, ran):
    async def main():
        started, cancelled, never = asyncio.Event(), asyncio.Event(), asyncio.Event()

        @cache_with_checkpoint(id="'same'")
        async def method(arg):
            ran.append(arg)
            if arg > 1:
                return arg
            started.set()
            try:
                await never.wait()
            except asyncio.CancelledError:
                cancelled.set()
                raise

        tasks = [asyncio.create_task(method(arg)) for arg in range(2)]
        await started.wait()
        for task in tasks:
            task.cancel()
        await cancelled.wait()
        return await method(2)

    assert asyncio.run(main()) == 2
    assert ran == [0, 2]
    assert len(local.target) == 1


# ---- one house


def plus(number):
    return number + 1


def test_a_cached_call_stands_in_a_pipeline_and_hashes_as_its_function(local):
    decorated = cache_with_checkpoint(id="number")(plus)
    line = chained(abs, decorated, str)
    assert line(-3) == "4"
    assert functional_hash(line) == functional_hash(chained(abs, plus, str))
    assert functional_hash(decorated) == functional_hash(plus)
    assert (role(decorated), list(children(decorated))) == ("transparent", [plus])


def test_a_function_that_calls_a_cached_one_hashes_as_if_it_were_not_cached(local):
    def make(inner):
        return lambda x: inner(x) * 2

    assert functional_hash(make(cache_with_checkpoint(id="number")(plus))) == functional_hash(make(plus))


def test_passes_go_into_a_cached_call_and_leave_its_entries(local, ran):
    decorated = cache_with_checkpoint(id="number", code=True)(plus)
    events, results = [], {}
    passes = [observe(events.append), add_checkpoints]
    line = chained(abs, decorated, checkpoint(results, "all"))
    assert apply(line, -3, passes) == 4
    results.clear()
    assert apply(line, -3, passes) == 4
    assert decorated(3) == 4
    ran = [event.step for event in events if (event.of, event.kind) == ("step", "run")]
    assert ran == ["abs", "plus", "abs"]
    assert len(local.target) == 1


def test_a_plan_sees_through_a_cached_call(local):
    results = {}
    line = chained(abs, cache_with_checkpoint(id="number")(plus), checkpoint(results, "all"), str)
    assert "plus" in str(plan(add_checkpoints(line), -3))
    assert apply(line, -3, [add_checkpoints]) == "4"
    assert "restore" in str(plan(add_checkpoints(line), -3))


def test_generators_are_kept_whole_and_handed_out_afresh(local):
    @cache_with_checkpoint(id="n")
    def count(n):
        yield from range(n)

    assert [list(count(3)), list(count(3))] == [[0, 1, 2], [0, 1, 2]]


def test_a_recursive_method_can_be_cached_with_its_code(local):
    @cache_with_checkpoint(id="n", code=True)
    def fibonacci(n):
        return n if n < 2 else fibonacci(n - 1) + fibonacci(n - 2)

    assert fibonacci(30) == 832040
    assert len(local.target) == 31


def test_static_and_class_methods_can_be_cached(local):
    class Holder:
        @staticmethod
        @cache_with_checkpoint(id="arg")
        def static(arg):
            return arg

        @classmethod
        @cache_with_checkpoint(id="arg")
        def of_class(cls, arg):
            return cls.__name__, arg

        @cache_with_checkpoint(id="self.name + arg")
        def method(self, arg):
            return arg

        name = "holder"

    assert (Holder.static(1), Holder.of_class(2), Holder().method("3")) == (1, ("Holder", 2), "3")
    assert local.load_or_run(Holder().method, "holder3", "not run") == "3"


def test_threads_that_ask_a_checkpoint_of_ones_own_for_the_first_time_wait_for_each_other():
    checkpoint = InMemory()
    first, checkpoint._target = checkpoint.target, None
    second = checkpoint.target  # as another thread makes it that has found none either
    assert first is not second
    assert first.place == second.place
