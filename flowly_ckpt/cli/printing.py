"""How the command line prints: tables and facts for people, or JSON for scripts."""

from __future__ import annotations

import json
import shutil
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from math import isfinite
from reprlib import Repr
from types import ModuleType
from typing import Any, NamedTuple

from ..targets.facts import Entry
from ..wording import age, date, duration, plain, size
from .tables import table_lines

__all__ = ["Printer", "entry_facts", "readable", "shown", "spelled"]

Progress = Callable[[int, int], object]
_MOST = 1_000_000  # parts of a value that are spelled out


class Printer(NamedTuple):
    """Print to standard output: a table, or JSON.

    :param as_json: print JSON; needs nothing installed.

    >>> Printer(as_json=True).facts({"removed": 2})
    {"removed": 2}
    """

    as_json: bool

    def table(self, headings: Sequence[str], rows: Iterable[Sequence[str]], data: Iterable[dict[str, Any]]) -> None:
        """Print rows as a table while they come; for scripts ``data``, the same with plain numbers."""
        room = shutil.get_terminal_size().columns if sys.stdout.isatty() else None
        for line in _listed(data) if self.as_json else table_lines(headings, rows, room):
            print(line)

    def facts(self, facts: dict[str, Any]) -> None:
        """Print a few facts, a line each."""
        if self.as_json:
            print(json.dumps(shown(facts)))
            return
        for line in _lines(shown(facts)):
            print(line)

    @contextmanager
    def progress(self, what: str) -> Iterator[Progress]:
        """Show a bar on a terminal once the work takes longer than a second."""
        bars = None if self.as_json or not sys.stderr.isatty() else _bars()
        if bars is None:
            yield lambda done, total: None
            return
        start = time.monotonic()
        task = bars.add_task(what, total=None)

        def show(done: int, total: int) -> None:
            if time.monotonic() - start > 1.0:
                bars.start()
            bars.update(task, completed=done, total=total)

        try:
            yield show
        finally:
            bars.stop()


def _listed(items: Iterable[Any]) -> Iterator[str]:
    """Yield the text of a list as JSON, an item at a time.

    >>> print(*_listed([{"a": 1}, {}]), sep="\\n")
    [
      {
        "a": 1
      },
      {}
    ]
    >>> print(*_listed([]))
    []
    """
    encoded = json.JSONEncoder(indent=2).encode
    texts = ("  " + encoded(shown(item)).replace("\n", "\n  ") for item in items)
    before = next(texts, None)
    if before is None:
        yield "[]"
        return
    yield "["
    for text in texts:
        yield f"{before},"
        before = text
    yield f"{before}\n]"


def _lines(facts: dict[str, Any], margin: str = "") -> Iterator[str]:
    """Yield a line for each fact, and below it what it holds.

    >>> for line in _lines({"tag": "fit", "steps": [["load", "1a", {"rate": 2}], ["fit", "2b"]]}):
    ...     print(line)
    tag  fit
    steps
      load  1a
        rate  2
      fit  2b
    """
    width = max([len(plain(name)) for name, value in facts.items() if not isinstance(value, (dict, list))], default=0)
    for name, value in facts.items():
        if isinstance(value, (dict, list)):
            yield margin + plain(name)
            yield from _within(value, margin + "  ")
        else:
            yield f"{margin}{plain(name):<{width}}  {plain(value)}".rstrip()


def _within(value: dict[str, Any] | list[Any], margin: str) -> Iterator[str]:
    if isinstance(value, dict):
        yield from _lines(value, margin)
        return
    for item in value:
        parts = item if isinstance(item, list) else [item]
        nested = [part for part in parts if isinstance(part, (dict, list))]
        yield margin + "  ".join([plain(part) for part in parts if not isinstance(part, (dict, list))])
        for part in nested:
            yield from _within(part, margin + "  ")


def _bars() -> Any:
    """Return rich's progress bars, or None without rich: a check works without a bar too."""
    try:
        from rich.console import Console
        from rich.progress import Progress as Bars
    except ModuleNotFoundError:
        return None
    return Bars(transient=True, console=Console(stderr=True))


def shown(value: Any, depth: int = 12) -> Any:
    """Return what a store holds in the types of JSON; what lies too deep becomes ``…``, any other object its repr.

    >>> shown({"a": [1, float("inf")], "b": {2: None}})
    {'a': [1, 'inf'], 'b': {'2': None}}
    """
    if value is None or isinstance(value, (str, int)) or (isinstance(value, float) and isfinite(value)):
        return value
    if depth and isinstance(value, dict):
        return {str(name): shown(inner, depth - 1) for name, inner in value.items()}
    if depth and isinstance(value, (list, tuple)):
        return [shown(inner, depth - 1) for inner in value]
    return "…" if isinstance(value, (dict, list, tuple)) else repr(value)


def spelled(value: Any) -> str:
    """Return the repr of a value; a short one where it would go on and on, since parts stand in many places.

    >>> nested = []
    >>> for _ in range(100):
    ...     nested = [nested, nested]
    >>> spelled([1, "a"]), spelled(nested)[:12], len(spelled(nested)) < 1000
    ("[1, 'a']", '[[[[[[[...],', True)
    """
    return _Short().repr(value) if _parts_beyond(value, _MOST) else repr(value)


def _parts_beyond(value: Any, most: int) -> bool:
    """Return whether there are more parts than so many, each counted as often as it is written."""
    todo = [value]
    for _ in range(most):
        if not todo:
            return False
        part = todo.pop()
        if isinstance(part, dict):
            todo += [*part.keys(), *part.values()]
        elif isinstance(part, (list, tuple, set, frozenset)):
            todo += part
        else:
            todo += getattr(part, "__dict__", {}).values() if not isinstance(part, (type, ModuleType)) else ()
    return True


class _Short(Repr):
    def repr_instance(self, x: Any, level: int) -> str:
        return f"<{type(x).__qualname__}>"


def entry_facts(entry: Entry) -> dict[str, Any]:
    """Return the facts of an entry, for JSON.

    >>> entry_facts(Entry(("a", "t", "f"), "pickled", 10, 0.0, 0.0, 2.0, 3, {}, None))["saved"]
    6.0
    """
    obj, tag, transform = entry.key
    facts = entry._asdict()
    del facts["key"]
    return {"object": obj, "tag": tag, "transform": transform, **facts, "saved": entry.saved}


def readable(facts: dict[str, Any]) -> dict[str, Any]:
    """Return the facts of an entry with sizes and times for people; what is not known is left out.

    >>> entry = Entry(("a", "t", "f"), "pickled", 2000, 1e9, 1e9, 2.0, 3, {}, None)
    >>> facts = readable(entry_facts(entry))
    >>> facts["size"], facts["seconds"], "file" in facts, facts["created"].endswith(" ago")
    ('2.0 kB', '2.0 s', False, True)
    """
    forms = {"size": size, "seconds": duration, "saved": duration, "created": _ago, "used": _ago}
    unknown = {name for name in ("created", "used") if not facts[name]}
    known = {name: value for name, value in facts.items() if value not in (None, {}) and name not in unknown}
    return {name: forms[name](value) if name in forms else value for name, value in known.items()}


def _ago(moment: float) -> str:
    return f"{date(moment)}, {age(moment)} ago"
