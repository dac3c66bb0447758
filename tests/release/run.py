"""Build what would be published, check it, and use it where nothing else is installed: ``run.py FOLDER``.

The sdist and the wheel are each installed into an empty environment, where only the core dependencies may follow, and
a first program stores a result and restores it in a second process.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tarfile
import venv
import zipfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
CORE = {"flowly-ckpt", "toolz", "cloudpickle", "xxhash"}
PROGRAM = """
from functools import partial
from flowly_ckpt import add_checkpoints, apply, chained, checkpoint
from flowly_ckpt.targets import DiskTarget

def load(name):
    print("loading", name)
    return [3, 1, 2]

with DiskTarget("results") as results:
    print(apply(chained(load, sorted, checkpoint(results), sum), "a", [add_checkpoints]))
"""


def run(*command: object, **options: object) -> str:
    done = subprocess.run([str(part) for part in command], capture_output=True, text=True, check=False, **options)  # type: ignore[call-overload]
    if done.returncode:
        sys.exit(f"{' '.join(map(str, command))}: exit status {done.returncode}\n{done.stdout}{done.stderr}")
    return str(done.stdout)


def build(folder: Path) -> tuple[Path, Path]:
    """Return the sdist, and the wheel that is built from it."""
    run(sys.executable, "-m", "build", "--outdir", folder, ROOT)
    (sdist,), (wheel,) = folder.glob("*.tar.gz"), folder.glob("*.whl")
    run(sys.executable, "-m", "twine", "check", "--strict", sdist, wheel)
    return sdist, wheel


def check_contents(sdist: Path, wheel: Path) -> None:
    """The wheel holds the package with its marker of types and nothing else; the sdist all that its tests need."""
    with zipfile.ZipFile(wheel) as archive:
        names = {name for name in archive.namelist() if ".dist-info/" not in name}
    sources = {path.relative_to(ROOT).as_posix() for path in (ROOT / "flowly_ckpt").rglob("*.py")}
    assert names == sources | {"flowly_ckpt/py.typed"}, sorted(names ^ sources)
    with tarfile.open(sdist) as archive:
        kept = {name.partition("/")[2] for name in archive.getnames()}
    wanted = {"README.md", "LICENSE", "CHANGELOG.md", "tox.ini", "docs/index.md", "tests/conftest.py"} | sources
    assert wanted <= kept, sorted(wanted - kept)


def use(file: Path, folder: Path) -> None:
    """Install one file into an empty environment and run a program there twice."""
    venv.create(folder, with_pip=True, clear=True)
    python = folder / ("Scripts" if os.name == "nt" else "bin") / "python"
    before = set(run(python, "-m", "pip", "list", "--format", "freeze").split())
    run(python, "-m", "pip", "install", "--quiet", file)
    added = set(run(python, "-m", "pip", "list", "--format", "freeze").split()) - before
    assert {line.partition("==")[0].partition(" ")[0] for line in added if "==" in line} == CORE, added
    (folder / "program.py").write_text(PROGRAM, encoding="utf-8")
    shown = [run(python, "-I", "program.py", cwd=folder) for _ in range(2)]
    assert shown == ["loading a\n6\n", "6\n"], shown
    (entry,) = json.loads(run(python, "-I", "-m", "flowly_ckpt", "ls", "results", "--json", cwd=folder))
    assert entry["size"] > 0, entry
    print(f"{file.name}: installs with {', '.join(sorted(CORE - {'flowly-ckpt'}))} alone, and runs")


def main(place: str) -> None:
    folder = Path(place).resolve()
    for old in folder.glob("flowly_ckpt-*"):
        old.unlink()
    sdist, wheel = build(folder)
    check_contents(sdist, wheel)
    for file in (sdist, wheel):
        use(file, folder / f"env-{file.suffix.strip('.')}")


if __name__ == "__main__":
    main(sys.argv[1])
