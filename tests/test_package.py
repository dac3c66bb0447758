"""The package as a whole: which room imports from which, what is documented, what an import costs, what lies where."""

from __future__ import annotations

import ast
import importlib
import inspect
import os
import pkgutil
import re
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest
from statements import BEATEN, KEPT

import flowly_ckpt

PACKAGE = Path(flowly_ckpt.__file__).parent
REPOSITORY = Path(__file__).parents[1]
SOURCES = sorted(PACKAGE.rglob("*.py"))

# A module imports from its own room and from those before it, wherever in the module it imports.
ROOMS = """
typing errors forks dispatch given labels once events logs later wording showing
pipelines
hashing
targets
checkpoint
rewriting
plan
passes
lowering pools
draw report
engines
asynchronous
memo memory
dsk
tz
calls resume tasks recipes
cli __main__
"""
RANK = {room: rank for rank, room in enumerate(ROOMS.split())}


def module_of(path: Path) -> tuple[str, ...]:
    parts = path.relative_to(PACKAGE).with_suffix("").parts
    return parts[:-1] if parts[-1] == "__init__" else parts


def imported(path: Path) -> Iterator[tuple[int, str]]:
    """Yield line and room of everything of ours that a module imports; "" is the package's own top."""
    package = list(path.relative_to(PACKAGE).parent.parts)
    for node in ast.walk(ast.parse(path.read_bytes())):
        if isinstance(node, ast.Import):
            names = [alias.name.split(".") for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            start = ["flowly_ckpt", *package[: len(package) - node.level + 1]] if node.level else []
            base = start + (node.module.split(".") if node.module else [])
            names = [[*base, alias.name] for alias in node.names]
        else:
            continue
        for name in names:
            if name[0] == "flowly_ckpt":
                yield node.lineno, name[1] if len(name) > 1 else ""


def test_each_module_has_a_room():
    homeless = {module_of(path)[0] for path in SOURCES if module_of(path)} - RANK.keys()
    assert not homeless, "say in ROOMS where they stand"


def test_a_module_imports_only_from_rooms_above_it():
    offenders = []
    for path in SOURCES:
        module = module_of(path)
        if not module:
            continue  # the top of the package shows what all rooms have
        for line, room in imported(path):
            if room != module[0] and RANK.get(room, len(RANK)) >= RANK.get(module[0], 0):
                offenders.append(f"{path.relative_to(PACKAGE)}:{line} imports {room or 'the whole package'}")
    assert not offenders


def graph() -> dict[str, set[str]]:
    """Return for each module of the package those that it imports, wherever in it, for types alone too."""
    names = {path: ".".join(["flowly_ckpt", *module_of(path)]) for path in SOURCES}
    known = set(names.values())
    found: dict[str, set[str]] = {}
    for path, name in names.items():
        package = name.split(".") if path.name == "__init__.py" else name.split(".")[:-1]
        needs: set[str] = set()
        for node in ast.walk(ast.parse(path.read_bytes())):
            if isinstance(node, ast.Import):
                needs |= {alias.name for alias in node.names}
            elif isinstance(node, ast.ImportFrom):
                start = package[: len(package) - node.level + 1] if node.level else []
                base = ".".join([*start, *(node.module or "").split(".")]).rstrip(".")
                needs |= {full if (full := f"{base}.{alias.name}") in known else base for alias in node.names}
        # A room is not above the modules in it: importing one of them runs its `__init__` anyway.
        found[name] = {need for need in needs & known if need != name and not name.startswith(f"{need}.")}
    return found


def test_no_imports_go_in_circles():
    order = TopologicalSorter(graph())
    try:
        order.prepare()
    except CycleError as error:
        pytest.fail(f"a circle of imports: {' → '.join(error.args[1])}")


DOORS = {"calls", "resume", "tasks", "recipes"}


def test_a_door_imports_no_other_door():
    offenders = [
        f"{path.relative_to(PACKAGE)}:{line} imports {room}"
        for path in SOURCES
        if DOORS.intersection(module_of(path)[:1])
        for line, room in imported(path)
        if room in DOORS and room != module_of(path)[0]
    ]
    assert not offenders


def modules() -> Iterator[str]:
    yield "flowly_ckpt"
    for found in pkgutil.walk_packages([str(PACKAGE)], "flowly_ckpt."):
        if not found.name.endswith("__main__"):
            yield found.name


@pytest.mark.parametrize("name", list(modules()))
def test_public_names_are_listed_and_each_has_an_example(name):
    try:
        module = importlib.import_module(name)
    except ModuleNotFoundError as error:
        if str(error.name).startswith("flowly_ckpt"):
            raise
        pytest.skip(f"needs {error.name}")
    assert module.__doc__, "say in one line what the module is for"
    assert hasattr(module, "__all__")
    assert not [public for public in module.__all__ if not hasattr(module, public)]
    public = [getattr(module, public) for public in module.__all__]
    ours = [
        thing
        for thing in public
        if (inspect.isclass(thing) or inspect.isfunction(thing)) and thing.__module__.startswith("flowly_ckpt")
    ]
    assert not [thing.__qualname__ for thing in ours if ">>>" not in (thing.__doc__ or "")], "no doctest"


def test_only_the_command_line_prints_and_what_is_for_printing():
    offenders = [
        f"{path.relative_to(PACKAGE)}:{node.lineno}"
        for path in SOURCES
        if module_of(path)[:1] not in [("cli",), ("__main__",)] and module_of(path) != ("pipelines", "console")
        for node in ast.walk(ast.parse(path.read_bytes()))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in ("print", "breakpoint")
    ]
    assert not offenders


SLOW_TO_IMPORT = """
asyncio cloudpickle concurrent.futures ctypes dask dis fsspec importlib.metadata inspect joblib json linecache logging
multiprocessing numpy pandas pathlib pickle polars prefect pyarrow queue rich sqlite3 sqlalchemy textwrap tokenize toolz
torch traceback unittest urllib.parse uuid
"""
NEEDED_BY_RUNS = """
datetime enum numbers opcode re typing xxhash
flowly_ckpt.checkpoint.stages flowly_ckpt.events flowly_ckpt.hashing flowly_ckpt.pipelines.foreign
flowly_ckpt.plan.forecasts flowly_ckpt.plan.stretches flowly_ckpt.targets.protocol flowly_ckpt.targets.recall
flowly_ckpt.typing
"""
SELDOM_NEEDED = """
checkpoint.bulk checkpoint.clearing checkpoint.stale draw dsk hashing.explaining hashing.wording lowering memory passes
pipelines.grouping pipelines.items pipelines.pairs plan.forecasts pools targets.bulk targets.codecs targets.disk
targets.reasons tz
"""
BUILT = """
from functools import partial
from flowly_ckpt import add_checkpoints, apply, build_dict, chained, checkpoint, flatten, plan, run, seq
run = partial(apply, rewrites=[add_checkpoints])
pipeline = chained(sorted, checkpoint({}, "sorted"), seq(sum, len), checkpoint({}), build_dict(of=len))
"""


def loaded_by(code: str) -> set[str]:
    code = f"import sys; before = set(sys.modules)\n{code}\nprint(*set(sys.modules) - before)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return set(done.stdout.split())


@pytest.mark.parametrize("code", ["import flowly_ckpt", BUILT], ids=["imported", "built"])
def test_what_runs_a_pipeline_is_not_loaded_before_one_runs(code):
    """What takes long to import is imported by what needs it, when it needs it."""
    assert not {*SLOW_TO_IMPORT.split(), *NEEDED_BY_RUNS.split()} & loaded_by(code)


def test_a_run_loads_nothing_that_is_seldom_needed():
    loaded = loaded_by(f"{BUILT}for _ in range(2): run(pipeline, [3, 1, 2])")
    assert "flowly_ckpt.targets.recall" in loaded
    assert not {f"flowly_ckpt.{name}" for name in SELDOM_NEEDED.split()} & loaded


def test_what_is_loaded_at_the_first_call_is_what_type_checkers_are_told():
    calls = 0
    for path in SOURCES:
        nodes = list(ast.walk(ast.parse(path.read_bytes())))
        assigned = {ast.unparse(node.targets[0]): node.value for node in nodes if isinstance(node, ast.Assign)}
        told = {
            (f"{'.' * node.level}{node.module or ''}", alias.name)
            for node in nodes
            if isinstance(node, ast.ImportFrom)
            for alias in node.names
        }
        for node in nodes:
            if isinstance(node, ast.Call) and ast.unparse(node.func) == "on_call":
                homes = ast.literal_eval(assigned.get(ast.unparse(node.args[1]), node.args[1]))
                assert {(home, name) for home, names in homes.items() for name in names.split()} <= told, path
                calls += 1
    assert calls


def test_threads_may_be_the_first_to_run_together():
    code = f"""{BUILT}
import threading
results, start = [], threading.Barrier(8)
def first(number):
    start.wait()
    results.append(run(pipeline, [number, 2]))
threads = [threading.Thread(target=first, args=(number,)) for number in range(8)]
for thread in threads: thread.start()
for thread in threads: thread.join()
assert sorted(each["of"] for each in results) == [2] * 8, results
"""
    subprocess.run([sys.executable, "-c", code], check=True, timeout=120)


WITH_ROWS = """
import collections, datetime, decimal, functools, pathlib, re, tempfile
import numpy as np
from flowly_ckpt import chained, checkpoint, run, seq, threads
from flowly_ckpt.hashing import functional_hash
from flowly_ckpt.targets import DiskTarget
from flowly_ckpt.targets.codecs import pickled
from flowly_ckpt.targets.codecs.tree import tree
class Model:
    size = 3
    def fit(self, x): return re.sub("a", "b", x), np.mean(x)
values = [datetime.date(2020, 1, 2), decimal.Decimal("1.0"), collections.deque([1]), pathlib.Path("a"), np.arange(3)]
values += [Model, Model(), Model.fit, functools.partial(Model.fit, 1), frozenset([1]), ValueError("a"), re.compile("a")]
print([functional_hash(value) for value in values], tree.loads(tree.dumps(values[:5])))
for codec in pickled, tree:
    with tempfile.TemporaryDirectory() as folder, DiskTarget(folder, codec=codec) as target:
        pipeline = chained(np.cumsum, checkpoint(target, tag="made"), seq(sum, len), checkpoint(target, tag="both"))
        print(run(pipeline, [1, 2]), run(pipeline, [1, 2], engine=threads(2)), sorted(target))
"""


@pytest.mark.skipif(sys.version_info < (3, 15), reason="imports can be lazy since Python 3.15")
def test_where_all_imports_are_lazy_results_and_keys_are_the_same():
    ways = [["-X", f"lazy_imports={way}"] for way in ("normal", "all")]
    told = [subprocess.run([sys.executable, *way, "-c", WITH_ROWS], text=True, capture_output=True) for way in ways]
    assert [one.returncode for one in told] == [0, 0], told[1].stderr
    assert told[0].stdout == told[1].stdout


def test_what_is_loaded_after_its_import_was_undone_belongs_to_what_was_imported():
    code = """
import sys
from unittest.mock import patch
with patch.dict(sys.modules):
    import flowly_ckpt
    from flowly_ckpt import chained, checkpoint, plan, run
    from flowly_ckpt.hashing import functional_hash
assert "flowly_ckpt" not in sys.modules
results = {}
pipeline = chained(sorted, checkpoint(results), flowly_ckpt.seq(len), flowly_ckpt.checkpoint(results))
assert run(pipeline, [3, 1]) == run(pipeline, [3, 1]) == [2] and len(results) == 2
assert "restore" in str(run(pipeline, [3, 1], engine=plan))
import flowly_ckpt as again
assert again is flowly_ckpt and again.functional_hash is functional_hash
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert not done.returncode, done.stderr


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
@pytest.mark.parametrize("way", ["on_call", "later"])
def test_a_fork_waits_for_what_another_thread_is_loading(tmp_path, way):
    """What is half-way at a fork stays so in the child, and locked: it would wait for ever."""
    (tmp_path / "pack").mkdir()
    (tmp_path / "pack" / "__init__.py").write_text(f"""
from flowly_ckpt.later import later, on_call
if "{way}" == "on_call":
    on_call(__name__, {{".slow": "answer", ".other": "helper"}})
else:
    __getattr__, __dir__ = later(__name__, {{"slow": "answer", "other": "helper"}})
""")
    (tmp_path / "pack" / "slow.py").write_text("""
import __main__, pack
pack.helper()
__main__.begun.set()
assert __main__.forking.wait(30)
def answer(): return 42
""")
    (tmp_path / "pack" / "other.py").write_text("def helper(): pass")
    code = """
import os, signal, sys, threading, warnings
warnings.simplefilter("ignore")
begun, forking, found = threading.Event(), threading.Event(), []
os.register_at_fork(before=lambda: found.append(hasattr(sys.modules["pack.slow"], "answer")))  # called last
import pack
os.register_at_fork(before=forking.set)  # called first
thread = threading.Thread(target=lambda: pack.answer())
thread.start()
assert begun.wait(30)
pid = os.fork()
if not pid:
    signal.alarm(30)
    os._exit(pack.answer())
thread.join()
print(*found, os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
"""
    env = {**os.environ, "PYTHONPATH": os.pathsep.join([str(tmp_path), str(REPOSITORY)])}
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, env=env)
    assert done.stdout == "True 42\n"


def test_names_that_are_loaded_later_are_listed_before_and_given_by_a_star():
    code = """
import flowly_ckpt
from flowly_ckpt import checkpoint, engines, hashing, pipelines, targets
for room in (flowly_ckpt, __import__("sys").modules["flowly_ckpt.checkpoint"], engines, hashing, pipelines, targets):
    waiting = set(room.__all__) - vars(room).keys()
    assert waiting <= set(dir(room)), room
    given = {}
    exec(f"from {room.__name__} import *", given)
    assert given.keys() >= set(room.__all__), room
    assert all(given[name] is vars(room)[name] for name in waiting), room
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert not done.returncode, done.stderr


def test_rooms_are_there_without_an_import_of_their_own():
    code = "import flowly_ckpt as f; print(f.pools.pmap is f.pmap, f.targets.DiskTarget is f.DiskTarget, f.typing.Key)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "True True tuple[str, str, str]\n"


TOP = "pyproject.toml flowly_ckpt tests docs examples tox.ini README.md LICENSE CHANGELOG.md Makefile .ci"


@pytest.mark.skipif(not (REPOSITORY / ".git").exists() or shutil.which("git") is None, reason="needs a git checkout")
def test_the_top_level_holds_what_was_agreed():
    done = subprocess.run(["git", "ls-files"], cwd=REPOSITORY, capture_output=True, text=True, check=True)
    top = {line.partition("/")[0] for line in done.stdout.splitlines()}
    assert not {name for name in top - set(TOP.split()) if not name.startswith(".")}
    assert not set(TOP.split()) - top


def test_the_version_stands_twice_and_is_one():
    text = (REPOSITORY / "pyproject.toml").read_text()
    assert f'\nversion = "{flowly_ckpt.__version__}"\n' in text


def test_a_command_that_installs_an_extra_can_be_typed_into_any_shell():
    """zsh takes bare brackets for a pattern of file names."""
    pages = [REPOSITORY / "README.md", *(REPOSITORY / "docs").rglob("*.md")]
    texts = [path.read_text("utf-8") for path in (*SOURCES, *pages)]
    found = {each for text in texts for each in re.findall(r"""pip install (["']?)([\w.-]+)\[(\w+)\]""", text)}
    assert found
    assert not [each for each in found if not each[0]]
    metadata = tomllib.loads((REPOSITORY / "pyproject.toml").read_text("utf-8"))["project"]
    assert {extra for _, name, extra in found if name in (".", metadata["name"])} <= {
        *metadata["optional-dependencies"]
    }


def test_names_at_the_top_are_what_they_say():
    """A module may have the name of what it defines: at the top it is the function, whatever was imported before."""
    code = "import flowly_ckpt.plan, flowly_ckpt.memo, flowly_ckpt\n"
    code += "from flowly_ckpt.plan import plan\nfrom flowly_ckpt.memo import memo\n"
    code += "assert flowly_ckpt.plan is plan and flowly_ckpt.memo is memo\n"
    code += "print(*[name for name in flowly_ckpt.__all__ if type(getattr(flowly_ckpt, name)).__name__ == 'module'])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == []


def test_numbers_in_the_names_of_tests_stand_in_the_list_of_statements():
    text = "".join(path.read_text() for path in Path(__file__).parent.glob("*.py"))
    found = [re.findall(r"(beats_)?(S\d)_(\d+)", name) for name in re.findall(r"def (test_\w+)", text)]
    used = {(bool(kind), door, int(number)) for numbers in found for kind, door, number in numbers}
    assert not [use for use in used if use[2] not in (BEATEN if use[0] else KEPT)[use[1]]], "say in statements.py"
    missing = {(False, door, number) for door, kept in KEPT.items() for number in kept} - used
    assert not missing, "statements that no test holds"
