"""Show what runs while it runs: in a terminal with rich, in a notebook, nowhere else."""

from __future__ import annotations

import html
import sys
import threading
import time
from typing import Any, TextIO

from ..events import Event, Listener
from ..forks import renewed
from ..given import wrong
from ..targets.protocol import as_target
from ..wording import duration
from .timings import Timings

__all__ = ["progress"]

LONG = 1.0  # seconds; a run that took longer is summed up in a line
PAUSE = 0.2  # seconds between two pictures in a notebook
ENDS = ("run", "stored", "failed")


class _Row:
    """What runs now: a step, a checkpoint, or a mapping with some of its items done."""

    def __init__(self, event: Event, depth: int, expected: float | None) -> None:
        self.what = (event.of, event.step)
        self.name = event.step.rpartition("<locals>.")[2]
        self.depth = depth
        self.total, self.done = event.total, 0
        self.start = time.monotonic()
        self.expected = expected

    @property
    def share(self) -> float | None:
        """How much of it is done, from 0 to 1, by its items or by the time it took before; None if not known."""
        if self.total is not None:
            return self.done / max(self.total, 1)
        return None if not self.expected else min((time.monotonic() - self.start) / self.expected, 0.99)

    @property
    def text(self) -> str:
        """The items done, the time that has passed, and about how much remains."""
        passed, share = time.monotonic() - self.start, self.share
        words = [f"{self.done}/{self.total}"] if self.total is not None else []
        words.append(duration(round(passed, 1)) if passed >= 0.1 else "")
        if share and share < 1:
            left = passed / share - passed if self.total is not None else max((self.expected or 0) - passed, 0)
            words.append(f"about {duration(max(left, 0.1))} left")
        return "  ".join(filter(None, words))


def _earlier(event: Event) -> float | None:
    """Return the seconds that a checkpoint took the last time."""
    if event.of != "checkpoint" or event.target is None:
        return None
    try:
        target = as_target(event.target)
        before = None if target.is_far else target.latest(tag=event.step)  # it would list them while the run waits
    except Exception:  # noqa: BLE001  a target that cannot list what it has can be used all the same
        return None
    return before.seconds or None if before is not None else None


class progress(Listener):
    """Show the steps, checkpoints and mappings that run, how far they have come and about how long they will take.

    What a checkpoint took in an earlier run shows how much remains of it now. After a run that took over a second
    one line sums it up. Nothing is shown where the stream is neither a terminal nor a notebook.

    :param file: where to show it; None for the standard error.
    :raises ModuleNotFoundError: in a terminal, where rich is not installed.

    >>> from flowly_ckpt import apply, chained
    >>> from flowly_ckpt.passes import observe
    >>> apply(chained(abs, float), -5, [observe(progress())])
    5.0

    See also: :func:`observe`, :class:`Timings`.
    """

    _guard: Any

    def __init__(self, file: TextIO | None = None) -> None:
        if file is not None and not callable(getattr(file, "write", None)):
            raise wrong("file", "a text stream such as sys.stderr", file)
        self.file = file
        self.rows: list[_Row] = []
        self.timings = Timings()
        self._earlier: dict[str, float | None] = {}
        self._runs = 0
        renewed(self, "_guard", threading.RLock)
        self._stacks = threading.local()
        self._screen: Any = None

    def __reduce__(self) -> tuple[Any, ...]:
        return (type(self), ())  # what happens in another process is not shown here

    def __call__(self, event: Event) -> None:
        """Take an event."""
        with self._guard:
            if event.of == "run":
                self._run(event)
            elif self._screen is not None:
                self.timings(event)
                self._note(event)
                self._screen.update()

    def _run(self, event: Event) -> None:
        if event.kind == "start":
            self._runs += 1
            if self._runs == 1:
                self._earlier.clear()
                self.timings.clear()
                self._screen = _screen(self)
            return
        self._runs -= 1
        if self._runs == 0 and self._screen is not None:
            screen, self._screen = self._screen, None
            self.rows.clear()
            self._stacks = threading.local()
            text = ""
            try:
                text = self.summary(event.seconds) if event.seconds >= LONG else ""
            finally:
                screen.close(text)

    def _note(self, event: Event) -> None:
        stack: list[_Row] = self._stacks.__dict__.setdefault("rows", [])
        if event.of == "item":
            mapped = next((row for row in reversed(stack) if row.what[0] == "map"), None)
            if mapped is not None and event.kind in ENDS:
                mapped.done += 1
        elif event.kind == "start":
            if event.of == "checkpoint" and event.step not in self._earlier:
                self._earlier[event.step] = _earlier(event)
            row = _Row(event, len(stack), self._earlier[event.step] if event.of == "checkpoint" else None)
            stack.append(row)
            self.rows.append(row)
        elif event.kind in ENDS:
            ended = next((row for row in reversed(stack) if row.what == (event.of, event.step)), None)
            if ended is not None:
                stack.remove(ended)
                self.rows.remove(ended)

    def summary(self, seconds: float) -> str:
        """Return a line about a run that took so many seconds."""
        count = {"run": 0, "restored": 0, "failed": 0}
        for row in self.timings:
            if row.action in count:
                count[row.action] += row.times
        told = [f"{duration(seconds)}: {count['run']} step{'s' * (count['run'] != 1)} ran"]
        if count["restored"]:
            saved = self.timings.saved
            told.append(f"{count['restored']} restored" + (f", which saved {duration(saved)}" if saved >= 0.1 else ""))
        if count["failed"]:
            told.append(f"{count['failed']} failed")
        return "; ".join(told)


class _Terminal:
    """A table of bars, drawn anew several times a second by a thread of rich's."""

    def __init__(self, shown: progress, file: TextIO) -> None:
        from rich.console import Console
        from rich.live import Live

        self.shown = shown
        self.console = Console(file=file)
        self.live = Live(console=self.console, get_renderable=self.table, transient=True, refresh_per_second=8)
        self.live.start()

    def table(self) -> Any:
        from rich.progress_bar import ProgressBar
        from rich.table import Table
        from rich.text import Text

        table = Table.grid(padding=(0, 2))
        for row in list(self.shown.rows):
            share = row.share
            bar = ProgressBar(
                total=None if share is None else 1.0, completed=share or 0.0, width=24, pulse=share is None
            )
            table.add_row(Text("  " * row.depth + row.name), bar, Text(row.text, "dim"))
        return table

    def update(self) -> None:
        """Do nothing: rich looks by itself."""

    def close(self, summary: str) -> None:
        self.live.stop()
        if summary:
            self.console.print(summary, markup=False, highlight=False)


class _Notebook:
    """A text below the cell, drawn anew with the events."""

    def __init__(self, shown: progress) -> None:
        from IPython.display import display

        self.shown = shown
        self.last = 0.0
        self.handle: Any = display(self.picture(""), display_id=True)

    def picture(self, text: str) -> Any:
        from IPython.display import HTML

        return HTML(f"<pre>{html.escape(text)}</pre>" if text else "<span></span>")

    def update(self) -> None:
        if time.monotonic() - self.last < PAUSE:
            return
        self.last = time.monotonic()
        lines = []
        for row in self.shown.rows:
            share = row.share
            bar = "" if share is None else "━" * round(24 * share) + "╌" * (24 - round(24 * share)) + "  "
            lines.append(f"{'  ' * row.depth}{row.name}  {bar}{row.text}")
        self.handle.update(self.picture("\n".join(lines)))

    def close(self, summary: str) -> None:
        self.handle.update(self.picture(summary))


def _screen(shown: progress) -> Any:
    """Return what shows the progress here, or None."""
    if shown.file is None and _in_notebook():
        return _Notebook(shown)
    file = shown.file or sys.stderr
    if file is None or not file.isatty():
        return None
    try:
        return _Terminal(shown, file)
    except ModuleNotFoundError as error:
        if str(error.name).partition(".")[0] != "rich":
            raise
        raise ModuleNotFoundError(
            "progress needs rich: run `pip install 'flowly-ckpt[progress]'`", name="rich"
        ) from None


def _in_notebook() -> bool:
    ipython = sys.modules.get("IPython")
    shell = ipython.get_ipython() if ipython is not None else None
    return type(shell).__name__ == "ZMQInteractiveShell"
