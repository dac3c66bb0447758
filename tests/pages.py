"""Run the Python of a Markdown page as a reader would, block after block, and hold the page to what it shows.

In a block marked ``python``, ``expression  # -> shown`` says what the expression gives: its ``repr``, or, where it
gives ``None``, what it printed. A block of ``>>>`` lines is a doctest. A block marked ``output`` right after a block
of Python is what that block printed. How long a step takes is up to the machine, and no page may depend on it: a
thousandth of it is measured.
"""

from __future__ import annotations

import ast
import contextlib
import doctest
import io
import re
import sys
import time
import types
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

FENCE = re.compile(
    r"^(?P<indent> *)(?P<fence>`{3,}|~{3,})(?P<kind>[^\n`]*)\n(?P<text>.*?)^(?P=indent)(?P=fence) *$", re.M | re.S
)
ARROW = re.compile(r"#\s*->\s*(.*?)\s*$")
DOCTEST = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE


class Block(NamedTuple):
    """A fenced block: its kind, its text, and the line of the page its text begins at."""

    kind: str
    text: str
    line: int


def blocks_of(page: str) -> list[Block]:
    found = []
    for match in FENCE.finditer(page):
        indent = len(match["indent"])
        text = "".join(line[indent:] if line.strip() else "\n" for line in match["text"].splitlines(keepends=True))
        found.append(Block(match["kind"].strip(), text, page.count("\n", 0, match.start("text")) + 1))
    return found


@contextlib.contextmanager
def as_on_a_fast_machine() -> Iterator[None]:
    """Let the clock by which steps are measured run a thousand times slower."""
    clock = time.perf_counter
    time.perf_counter = lambda: clock() / 1000
    try:
        yield
    finally:
        time.perf_counter = clock


@as_on_a_fast_machine()
def run_page(path: Path, namespace: dict[str, Any]) -> int:
    """Run every block of Python of a page in one namespace, and return how many there were."""
    blocks = blocks_of(path.read_text(encoding="utf-8"))
    count = 0
    for block, after in zip(blocks, [*blocks[1:], None]):
        if block.kind != "python":
            continue
        count += 1
        printed = run_doctest(block, path, namespace) if ">>> " in block.text else run_script(block, path, namespace)
        if after is not None and after.kind == "output":
            assert printed.rstrip() == after.text.rstrip(), f"{path.name}:{after.line}"
    return count


def run_doctest(block: Block, path: Path, namespace: dict[str, Any]) -> str:
    test = doctest.DocTestParser().get_doctest(block.text, {}, path.name, str(path), block.line - 1)
    test.globs = namespace
    report = io.StringIO()
    failures = doctest.DocTestRunner(optionflags=DOCTEST).run(test, out=report.write, clear_globs=False).failed
    assert not failures, report.getvalue()
    return ""


def run_script(block: Block, path: Path, namespace: dict[str, Any]) -> str:
    lines = block.text.splitlines()
    tree = ast.parse(block.text, str(path))
    everything = ""
    for statement in tree.body:
        end = statement.end_lineno or 1
        arrow = ARROW.search(lines[end - 1]) or ARROW.match("".join(lines[end : end + 1]).strip())
        ast.increment_lineno(statement, block.line - 1)  # so that a traceback shows the line of the page
        with contextlib.redirect_stdout(io.StringIO()) as printed:
            value = run_statement(statement, path, namespace)
        everything += printed.getvalue()
        if arrow:
            shown = printed.getvalue().rstrip() if value is None and printed.getvalue() else repr(value)
            assert shown == arrow[1], f"{path.name}:{block.line + end - 1} gives {shown}, the page shows {arrow[1]}"
    return everything


def run_statement(statement: ast.stmt, path: Path, namespace: dict[str, Any]) -> Any:
    if isinstance(statement, ast.Expr):
        return eval(compile(ast.Expression(statement.value), str(path), "eval"), namespace)
    exec(compile(ast.Module([statement], []), str(path), "exec"), namespace)
    if isinstance(statement, ast.Assign) and isinstance(statement.targets[0], ast.Name):
        return namespace[statement.targets[0].id]
    return None


if __name__ == "__main__":
    # The page's own module stands where a script's or notebook's would.
    sys.modules["__main__"] = main = types.ModuleType("__main__")
    try:
        run_page(Path(sys.argv[1]), vars(main))
    except ModuleNotFoundError as error:
        if str(error.name).startswith("flowly_ckpt"):
            raise
        sys.exit(f"missing: {error.name}")
