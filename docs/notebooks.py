"""Show a notebook as a page: its text, its code, and what was stored as coming out, pictures too."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

PAGES = {"tutorial/notebook": Path(__file__).parents[1] / "examples" / "bike_rides.ipynb"}


def setup(app: Any) -> None:
    """Let Sphinx put the notebook into the page that is about it, after the notebook's first cell."""
    app.connect("source-read", fill)
    app.connect("env-get-outdated", lambda app, env, added, changed, removed: [*PAGES])


def fill(app: Any, page: str, source: list[str]) -> None:
    if page in PAGES:
        first, *rest = json.loads(PAGES[page].read_text("utf-8"))["cells"]
        source[0] = "\n\n".join([*blocks_of(first), source[0], *(block for cell in rest for block in blocks_of(cell))])


def blocks_of(cell: dict[str, Any]) -> Iterator[str]:
    text = "".join(cell["source"])
    if cell["cell_type"] == "markdown":
        yield text
        return
    yield fenced("python", text)
    for output in cell["outputs"]:
        shown = {
            kind: "".join(data) for kind, data in output.get("data", {"text/plain": output.get("text", "")}).items()
        }
        if "image/png" in shown:
            picture = f'<img alt="{shown["text/plain"]}" src="data:image/png;base64,{shown["image/png"].strip()}">'
            yield fenced("{raw} html", picture)
        elif "text/html" in shown:
            yield fenced("{raw} html", f'<div class="cell-output">{shown["text/html"]}</div>')
        else:
            yield fenced("output", shown["text/plain"])


def fenced(kind: str, text: str) -> str:
    return f"~~~~~{kind}\n{text.rstrip()}\n~~~~~"
