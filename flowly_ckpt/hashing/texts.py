"""Globals that are named in texts, where something looks names up: ``df.query("a > @LIMIT")``, ``eval``, SQL, formulas.

What looks them up may be a helper that is given the text, and the text may stand in a table, a class or a default. So
where anything does, all texts that the same object leads to are searched for globals of the modules it leads to.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from .code.held import as_held
from .code.references import loaded, names_in

__all__ = ["LOOK_UP", "looked_up", "texts_of"]

LOOK_UP = {"texts": ("eval",), "queries": ("query",)}
"""How texts are read, by what is read: as code with any names, or with names behind an ``@``."""
LONGEST = 10_000
MOST = 10_000


def looked_up(
    texts: Iterable[str], tables: Iterable[Mapping[str, Any]], used: tuple[str, ...]
) -> Iterator[tuple[str, Any]]:
    """Yield the globals that texts name, each with what a table has under that name.

    >>> list(looked_up(["a > @K", "K"], [{"K": 3, "a": 1}], ("query",)))
    [('K', 3)]
    """
    names = {name for text in texts if len(text) <= LONGEST for name in names_in(text, used)}
    for name in sorted(names):
        yield from ((name, as_held(loaded(table[name]))) for table in tables if name in table)


def texts_of(plain: Any) -> Iterator[str]:
    """Yield the first texts in a plain value.

    >>> list(texts_of({"a": ["b", 1]}))
    ['b', 'a']
    """
    waiting, left = [plain], MOST
    while waiting and left:
        value, left = waiting.pop(), left - 1
        if type(value) is str:
            yield value
        elif type(value) is dict:
            waiting += [*value][:MOST] + [*value.values()][:MOST]
        elif type(value) in (list, tuple):
            waiting += value[:MOST]
