"""Search the definitions of Python's own standard library, or of any folder of Python files.

    python examples/search_stdlib.py                       # a built-in query
    python examples/search_stdlib.py parse dates quickly
    python examples/search_stdlib.py --folder src retry

Each file is parsed and the index built once, also for later processes; after an edit, only the edited file is
parsed again. Results are kept in the user's cache folder, or where --target says.
"""

from __future__ import annotations

import argparse
import ast
import math
import os
import re
import sys
import sysconfig
import time
from array import array
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from toolz import curry

from flowly_ckpt import add_checkpoints, apply, chained, checkpoint
from flowly_ckpt.errors import StoreError
from flowly_ckpt.passes import Timings, observe
from flowly_ckpt.targets import DiskTarget
from flowly_ckpt.typing import Target

QUERY = "read lines of a compressed file"
LEFT_OUT = {"site-packages", "dist-packages", "test", "tests", "idle_test", "__pycache__"}
WORD = re.compile(r"[A-Z]?[a-z]{2,}|[A-Z]{2,}")


class Source(NamedTuple):
    """A module as it lies on disk."""

    name: str
    text: bytes


class Definition(NamedTuple):
    """A function or class, and how often each word occurs in its name and docstring."""

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


def read_folder(folder: Path) -> list[Source]:
    """Read every module below a folder, but tests and installed packages."""
    found = []
    for place, folders, files in os.walk(folder):
        folders[:] = sorted(set(folders) - LEFT_OUT)
        prefix = Path(place).relative_to(folder).parts
        for file in sorted(files):
            if file.endswith(".py"):
                found.append(Source(".".join((*prefix, file[:-3])), Path(place, file).read_bytes()))
    return found


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
            yield Definition(name, text.partition("\n")[0], dict(Counter(words_of(f"{child.name} {text}"))))
            yield from definitions_in(child, name)


def words_of(text: str) -> list[str]:
    """Split text into lower-case words; ``readLines`` and ``read_lines`` are two words each."""
    return [word.lower() for word in WORD.findall(text)]


def build_index(modules: list[list[Definition] | Broken]) -> Index:
    """Weigh every word of every definition by tf–idf, damped by the length of the definition."""
    found = [definition for module in modules if not isinstance(module, Broken) for definition in module]
    by_word: dict[str, list[tuple[int, int]]] = {}
    for number, definition in enumerate(found):
        for word, count in definition.words.items():
            by_word.setdefault(word, []).append((number, count))
    idf = {word: math.log(len(found) / len(places)) for word, places in by_word.items()}
    norms = [
        math.sqrt(sum((idf[word] * math.log1p(count)) ** 2 for word, count in definition.words.items())) or 1.0
        for definition in found
    ]
    postings, numbers, weights = {}, array("l"), array("d")
    for word, places in by_word.items():
        postings[word] = (len(numbers), len(numbers) + len(places))
        numbers.extend(number for number, _ in places)
        weights.extend(idf[word] * math.log1p(count) / math.sqrt(norms[number]) for number, count in places)
    names, summaries = [d.name for d in found], [d.summary for d in found]
    return Index(names, summaries, postings, numbers, weights, [m for m in modules if isinstance(m, Broken)])


@curry
def answer(query: str, best: int, index: Index) -> tuple[list[tuple[float, str, str]], list[Broken]]:
    """Return the best definitions for a query, and what could not be searched."""
    scores: Counter[int] = Counter()
    for word in set(words_of(query)):
        start, stop = index.postings.get(word, (0, 0))
        for number, weight in zip(index.definitions[start:stop], index.weights[start:stop]):
            scores[number] += weight
    ranked = sorted(scores.items(), key=lambda item: (-item[1], index.names[item[0]]))[:best]
    return [(score, index.names[number], index.summaries[number]) for number, score in ranked], index.broken


def search(query: str, target: Target, best: int = 10) -> chained:
    """Return the whole pipeline, from sources to answers."""
    definitions = chained(parse, collect, checkpoint(target, tag="definitions"))
    return chained(curry(map)(definitions), list, build_index, checkpoint(target, tag="index"), answer(query, best))


def run(title: str, folder: Path, pipeline: chained) -> Any:
    """Run the pipeline on a folder and report what was restored and what ran."""
    timings = Timings()
    start = time.perf_counter()
    found = apply(pipeline, read_folder(folder), rewrites=[observe(timings), add_checkpoints])
    print(f"{title}: {time.perf_counter() - start:.3f} s")
    for row in timings:
        if row.action == "restored":
            print(f"  restored  {row.step:<12} {row.times:>5} ×")
        elif row.action == "run":
            print(f"  ran       {row.step:<12} {row.times:>5} ×  {row.seconds:.3f} s")
    return found


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
    options = parser.parse_args()
    if not Path(options.folder).is_dir():
        parser.exit(2, f"{parser.prog}: {options.folder}: no such folder\n")
    return options


def main() -> int:
    options = arguments()
    query = " ".join(options.query) or QUERY
    try:
        target = DiskTarget(options.target)
    except StoreError as error:
        print(f"search_stdlib.py: {error}", file=sys.stderr)
        return 2
    pipeline = search(query, target)
    run("first run", Path(options.folder), pipeline)
    answers, broken = run("second run", Path(options.folder), pipeline)
    target.close()
    for name, why in broken:
        print(f"left out: {name} does not parse, {why}", file=sys.stderr)
    print(f"\nbest answers to {query!r}")
    for score, name, summary in answers:
        print(f"  {score:.2f}  {name:<44} {summary[:70]}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
