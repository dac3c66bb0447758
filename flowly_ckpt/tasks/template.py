"""Templates: the name of a result, filled from the arguments and the context when the task is called."""

from __future__ import annotations

import ast
import os
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from .errors import TemplateError
from .expressions import evaluate, has_call, names_in, parse
from .scanning import scan

__all__ = ["Template"]

_CONVERT: dict[str, Callable[[Any], Any]] = {"": lambda value: value, "r": repr, "s": str, "a": ascii}
_APART = "/\\" if os.name == "nt" else "/"
_BARRED = _APART + "\0" + ('<>:"|?*' if os.name == "nt" else "")
_QUOTED = str.maketrans({letter: f"%{ord(letter):02X}" for letter in _BARRED})


class _Part(NamedTuple):
    source: str
    tree: ast.expr
    conversion: str
    format: Template | None
    flat: bool


class Template:
    """Fill a text as an f-string is filled; what it may do is looked through when it is made.

    Values keep their types, so ``{n:03d}`` works. An argument that is put in as it is becomes one part of a path: its
    slashes are quoted, unless the template begins with it. What a call or a format with slashes gives keeps them.

    :param text: literal text and fields in braces.
    :param whole: names whose values keep their slashes.
    :raises TemplateError: for a field that cannot be parsed or does what is not for templates.

    >>> Template("{path}/{n:03d}_{os.path.basename(fn)}.pkl").fill({"path": "working", "n": 7, "fn": "data/a.csv"})
    'working/007_a.csv.pkl'
    >>> Template("{path}/{fn}").fill({"path": "working", "fn": "data/a.csv"})
    'working/data%2Fa.csv'

    See also: :mod:`flowly_ckpt.tasks.expressions` for what a field may do.
    """

    def __init__(self, text: str, whole: frozenset[str] = frozenset({"path", "base"})) -> None:
        self.text = text
        self.parts: list[str | _Part] = []
        for piece in scan(text):
            self.parts.append(piece if isinstance(piece, str) else self._part(*piece, whole))

    def _part(self, expression: str, conversion: str, form: str, whole: frozenset[str]) -> _Part:
        try:
            tree = parse(expression)
        except ValueError as error:
            raise TemplateError(self.text, expression, str(error)) from None
        inner = Template(form, whole) if form else None
        # What the template itself says of folders is meant: at its start, by a call, in a format, by os.sep.
        said = not self.parts or has_call(tree) or "/" in form or not names_in(tree) or expression in whole
        return _Part(expression, tree, conversion, inner, not said)

    def __repr__(self) -> str:
        return f"Template({self.text!r})"

    @property
    def names(self) -> frozenset[str]:
        """The names that filling needs."""
        found: set[str] = set()
        for part in self.parts:
            if isinstance(part, _Part):
                found |= names_in(part.tree) | (part.format.names if part.format else frozenset())
        return frozenset(found)

    def fill(self, names: Mapping[str, Any]) -> str:
        """Return the text with its fields filled.

        :param names: values by name.
        :raises TemplateError: for a name that is not among them, or a field whose evaluation fails.
        """
        return "".join([part if isinstance(part, str) else self._filled(part, names) for part in self.parts])

    def _filled(self, part: _Part, names: Mapping[str, Any]) -> str:
        try:
            value = _CONVERT[part.conversion](evaluate(part.tree, names))
            text = format(value, part.format.fill(names)) if part.format else str(value)
        except NameError as error:
            reason = f"nothing is called {error.name!r}; there are {', '.join(sorted(names))}, os and datetime"
            raise TemplateError(self.text, part.source, reason) from None
        except Exception as error:
            raise TemplateError(self.text, part.source, f"{type(error).__name__}: {error}") from error
        return component(text) if part.flat else text


def component(text: str) -> str:
    """Write any text as one part of a path.

    >>> component("a/b"), component("..")
    ('a%2Fb', '%2E%2E')
    """
    return "%2E" * len(text) if text in (".", "..") else text.translate(_QUOTED)
