"""Run the tests in CPython for WebAssembly, which the npm package ``pyodide`` brings: ``run.py FOLDER [for pytest]``.

The folder receives pyodide and the packages. Without node or npm it says so, and that is no failure.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
PYODIDE = "pyodide@>=314 <315"  # the series of CPython 3.14
# numpy, pandas, pyarrow and polars have no wheels for it: what needs them is skipped.
PACKAGES = ["toolz", "cloudpickle", "xxhash", "pytest>=8", "hypothesis", "zict", "diskcache", "fsspec", "tzdata"]
NAMES = "hashing* laws pipelines checkpoint codecs* targets* disk protocol recall"
OPTIONS = ["-p", "no:cacheprovider", "--durations", "8"]


def installed(folder: Path) -> tuple[Path, Path]:
    """Return where pyodide and the packages for it are, put there if need be."""
    npm = [shutil.which("npm"), "install", "--prefix", folder, "--no-save", "--no-audit", "--no-fund", PYODIDE]
    subprocess.run(npm, check=True, stdout=sys.stderr)
    pyodide, site = folder / "node_modules" / "pyodide", folder / "site"
    about = json.loads((pyodide / "pyodide-lock.json").read_text(encoding="utf-8"))["info"]
    version, platform = about["python"].rpartition(".")[0], f"pyemscripten_{about['abi_version']}_{about['arch']}"
    wheels = ["--only-binary=:all:", "--platform", platform, "--python-version", version, "--implementation", "cp"]
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--upgrade", "--target", site]
    subprocess.run([*pip, *wheels, *PACKAGES], check=True)
    return pyodide, site


def main(folder: str, *arguments: str) -> int:
    missing = [name for name in ("node", "npm") if shutil.which(name) is None]
    if missing:
        print(f"skipped: the tests in WebAssembly need {' and '.join(missing)}")
        return 0
    pyodide, site = installed(Path(folder).resolve())
    found = [path for name in NAMES.split() for path in sorted(ROOT.glob(f"tests/test_{name}.py"))]
    tests = [] if any(".py" in argument for argument in arguments) else [path.relative_to(ROOT) for path in found]
    # Deeply nested values need a deep stack, which node takes from its own thread: half a megabyte of it stays free.
    node = ["node", "--stack-size=7500", HERE / "run.mjs", pyodide, site, ROOT, "-m", "pytest"]
    return subprocess.run([*node, *OPTIONS, *arguments, *tests], env={**os.environ, "CI": "1"}).returncode


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
