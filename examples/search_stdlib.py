"""Search the definitions of Python's own standard library, or of any folder of Python files.

    python examples/search_stdlib.py                       # a built-in query
    python examples/search_stdlib.py parse dates quickly
    python examples/search_stdlib.py --folder src retry

It runs one pipeline four times, and before each run shows the plan: what will be restored, what will run, and why.
Between the runs it edits one of the files and one of its own functions, both in copies. Each file is parsed once, also
for later processes. Results are kept in the user's cache folder, or where --target says.
"""

from __future__ import annotations

import argparse
import ast
import math
import os
import re
import subprocess
import sys
import sysconfig
import tempfile
import textwrap
import time
from array import array
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from toolz import curry

from flowly_ckpt import add_checkpoints, apply, chained, checkpoint, plan
from flowly_ckpt.errors import StoreError
from flowly_ckpt.passes import Timings, observe
from flowly_ckpt.targets import DiskTarget
from flowly_ckpt.typing import Target

QUERY = "read lines of a compressed file"
LEFT_OUT = {"site-packages", "dist-packages", "test", "tests", "idle_test", "__pycache__"}
WORD = re.compile(r"[A-Z]?[a-z]{2,}|[A-Z]{2,}")
ENDING = re.compile(r"(?<=...)(ings?|ed|es|e|s|ly|ers?)$")
IN_NAME = 3  # times that a word of a name counts


@dataclass(frozen=True)
class Source:
    """A module as it lies on disk."""

    name: str
    text: bytes


class Definition(NamedTuple):
    """A function or class, and how often each word occurs in its full name and docstring."""

    name: str
    summary: str
    words: dict[str, int]


class Broken(NamedTuple):
    """A file that is no Python."""

    name: str
    why: str


class Index(NamedTuple):
    """For each word, the slice of ``definitions`` and ``weights`` where its postings stand."""

    names: list[str]
    summaries: list[str]
    postings: dict[str, tuple[int, int]]
    definitions: array[int]
    weights: array[float]
    broken: list[Broken]


def files_in(folder: Path) -> Iterator[Path]:
    """Yield every module below a folder, but tests and installed packages."""
    for place, folders, files in os.walk(folder):
        folders[:] = sorted(set(folders) - LEFT_OUT)
        yield from (Path(place, file) for file in sorted(files) if file.endswith(".py"))


def read_folder(folder: Path) -> list[Source]:
    """Read every module below a folder."""
    return [Source(".".join(f.relative_to(folder).with_suffix("").parts), f.read_bytes()) for f in files_in(folder)]


def parse(source: Source) -> tuple[str, ast.Module] | Broken:
    """Parse one module."""
    try:
        return source.name, ast.parse(source.text)
    except (SyntaxError, ValueError) as error:
        return Broken(source.name, f"line {getattr(error, 'lineno', None) or '?'}: {getattr(error, 'msg', error)}")


def collect(parsed: tuple[str, ast.Module] | Broken) -> list[Definition] | Broken:
    """Collect the definitions of a parsed module."""
    if isinstance(parsed, Broken):
        return parsed
    name, module = parsed
    return list(definitions_in(module, name))


def definitions_in(node: ast.AST, prefix: str) -> Iterator[Definition]:
    """Yield what is defined in a node, with its full name."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
            name, text = f"{prefix}.{child.name}", ast.get_docstring(child) or ""
            words = Counter([*words_of(name) * IN_NAME, *words_of(text)])
            yield Definition(name, text.partition("\n")[0], dict(words))
            yield from definitions_in(child, name)


def words_of(text: str) -> list[str]:
    """Split text into lower-case words without their endings; ``readLines`` and ``reading_line`` are the same two."""
    return [ENDING.sub("", word.lower()) for word in WORD.findall(text)]


def build_index(modules: list[list[Definition] | Broken]) -> Index:
    """Weigh every word of every definition."""
    found = [definition for module in modules if not isinstance(module, Broken) for definition in module]
    by_word: dict[str, list[tuple[int, int]]] = {}
    for number, definition in enumerate(found):
        for word, count in definition.words.items():
            by_word.setdefault(word, []).append((number, count))
    lengths = [sum(definition.words.values()) for definition in found]
    mean = sum(lengths) / len(lengths) if lengths else 0.0
    postings, numbers, weights = {}, array("l"), array("d")
    for word, places in by_word.items():
        postings[word] = (len(numbers), len(numbers) + len(places))
        numbers.extend(number for number, _ in places)
        rare = math.log(1 + len(found) / len(places))
        weights.extend(rare * weight(count, lengths[number] / mean) for number, count in places)
    names, summaries = [d.name for d in found], [d.summary for d in found]
    return Index(names, summaries, postings, numbers, weights, [m for m in modules if isinstance(m, Broken)])


def weight(count: int, length: float) -> float:
    """Weigh a word that a definition of a length, as a multiple of the mean, has so many times (BM25)."""
    return count * 2.2 / (count + 1.2 * (0.25 + 0.75 * length))


@curry
def answer(query: str, best: int, index: Index) -> tuple[list[tuple[float, str, str]], list[Broken]]:
    """Return the best definitions for a query, and what could not be searched."""
    weights: Counter[int] = Counter()
    matches: Counter[int] = Counter()
    for word in set(words_of(query)):
        places = slice(*index.postings.get(word, (0, 0)))
        matches.update(index.definitions[places])
        for number, found in zip(index.definitions[places], index.weights[places]):
            weights[number] += found
    scores = {number: found * matches[number] for number, found in weights.items()}  # the more words, the better
    ranked = sorted(scores.items(), key=lambda item: (-item[1], index.names[item[0]]))[:best]
    return [(score, index.names[number], index.summaries[number]) for number, score in ranked], index.broken


def search(query: str, target: Target, best: int = 10) -> chained:
    """Return the whole pipeline, from sources to answers."""
    definitions = chained(parse, collect, checkpoint(target, tag="definitions"))
    return chained(curry(map)(definitions), list, build_index, checkpoint(target, tag="index"), answer(query, best))


def run(folder: Path, pipeline: chained) -> Any:
    """Show what a run on a folder will do, run it, and show how long everything took."""
    sources, timings = read_folder(folder), Timings()
    print(f"{indented(apply(pipeline, sources, [add_checkpoints], engine=plan))}\n")
    found = apply(pipeline, sources, [observe(timings), add_checkpoints])
    print(f"{indented(timings)}\n\n  {timings.seconds:.2f} s in all\n", flush=True)
    return found


def indented(shown: Any) -> str:
    return textwrap.indent(str(shown), "  ")


def copied(folder: Path, place: Path) -> Path:
    """Copy the modules below a folder, so that they can be edited."""
    place.mkdir()
    for file in files_in(folder):
        copy = place / file.relative_to(folder)
        copy.parent.mkdir(parents=True, exist_ok=True)
        copy.write_bytes(file.read_bytes())
    return place


def edit_a_file(folder: Path) -> str:
    """Add a function to the last file of a folder, and return the name of the file."""
    file = max(files_in(folder), default=folder / "added.py")
    with file.open("a", encoding="utf-8") as opened:
        opened.write(f"\n\ndef added():\n    'Added {time.time_ns()} ns after 1970.'\n")
    return str(file.relative_to(folder))


def with_edited_function(place: Path) -> Path:
    """Copy this program, and edit ``weight`` in the copy."""
    copy = place / "search_stdlib.py"
    copy.write_text(Path(__file__).read_text("utf-8").replace("0.25 + 0.75 * length", "0.3 + 0.7 * length"), "utf-8")
    return copy


def cache_folder() -> Path:
    """Return where this system keeps what can be computed again."""
    if sys.platform == "win32":
        base = Path(os.environ.get("LOCALAPPDATA") or Path.home() / "AppData" / "Local")
    elif sys.platform == "darwin":
        base = Path.home() / "Library" / "Caches"
    else:
        base = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    return base / "flowly_ckpt" / "search_stdlib"


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Search the definitions in Python files by words.")
    parser.add_argument("query", nargs="*", help=f"words to look for (default: {QUERY!r})")
    parser.add_argument("--folder", type=Path, default=sysconfig.get_paths()["stdlib"], help="where the files are")
    parser.add_argument("--target", type=Path, default=cache_folder(), help="where results are kept")
    parser.add_argument("--once", action="store_true", help="run once, and edit nothing")
    options = parser.parse_args()
    if not Path(options.folder).is_dir():
        parser.exit(2, f"{parser.prog}: {options.folder}: no such folder\n")
    return options


def main() -> int:
    options = arguments()
    query = " ".join(options.query) or QUERY
    try:
        target = DiskTarget(options.target, max_bytes="500MB")
    except StoreError as error:
        print(f"search_stdlib.py: {error}", file=sys.stderr)
        return 2
    pipeline, folder = search(query, target), Path(options.folder)
    if options.once:
        with target:
            tell(query, *run(folder, pipeline))
        return 0
    with tempfile.TemporaryDirectory() as place:
        with target:
            folder = copied(folder, Path(place, "folder"))
            for title in ("first run", "second run"):
                print(f"{title}\n")
                run(folder, pipeline)
            print(f"after an edit of {edit_a_file(folder)}\n")
            run(folder, pipeline)
        print("after an edit of the function weight\n", flush=True)
        command = [sys.executable, with_edited_function(Path(place)), "--once", "--folder", folder]
        return subprocess.run([*command, "--target", options.target, "--", *options.query]).returncode


def tell(query: str, answers: list[tuple[float, str, str]], broken: list[Broken]) -> None:
    """Print the answers, and what could not be searched."""
    for name, why in broken:
        print(f"left out: {name} does not parse, {why}", file=sys.stderr)
    print(f"best answers to {query!r}")
    for score, name, summary in answers:
        print(f"  {score:5.2f}  {name:<44} {summary[:70]}")


if __name__ == "__main__":
    sys.exit(main())
