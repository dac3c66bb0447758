"""Cut a template into its literal text and its fields, as an f-string is cut, without running anything."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from .errors import TemplateError

__all__ = ["Field", "scan"]

_CLOSING = {"(": ")", "[": "]", "{": "}"}


class Field(NamedTuple):
    """Hold what stands between two braces: an expression, a conversion (``r``, ``s``, ``a``) and a format.

    >>> Field("n", "", "03d").format
    '03d'
    """

    expression: str
    conversion: str
    format: str


def scan(template: str) -> Iterator[str | Field]:
    """Yield literal texts and fields in order; ``{{`` and ``}}`` are braces.

    :raises TemplateError: for a brace without its other half, and for an empty field.

    >>> list(scan("{path}/a{{b}}_{d['x:y']:>{n}}"))
    [Field(expression='path', conversion='', format=''), '/a{b}_', Field(expression="d['x:y']", conversion='', format='>{n}')]
    """  # noqa: E501
    literal, position = "", 0
    while position < len(template):
        letter = template[position]
        if template[position : position + 2] in ("{{", "}}"):
            literal, position = literal + letter, position + 2
        elif letter == "}":
            raise TemplateError(template, template[position:], "a closing brace stands alone; double it if it is meant")
        elif letter == "{":
            if literal:
                yield literal
            field, position = _field(template, position + 1)
            yield field
            literal = ""
        else:
            literal, position = literal + letter, position + 1
    if literal:
        yield literal


def _field(template: str, start: int) -> tuple[Field, int]:
    end = _expression_end(template, start)
    expression = template[start:end].strip()
    if not expression:
        raise TemplateError(template, template[start - 1 :], "there is nothing between the braces")
    conversion = ""
    if template[end] == "!":
        conversion, end = template[end + 1 : end + 2], end + 2
        if conversion not in ("r", "s", "a") or template[end : end + 1] not in (":", "}"):
            raise TemplateError(template, template[start - 1 : end], "a conversion is !r, !s or !a")
    if template[end] == "}":
        return Field(expression, conversion, ""), end + 1
    close = _format_end(template, end + 1)
    return Field(expression, conversion, template[end + 1 : close]), close + 1


def _expression_end(template: str, start: int) -> int:
    """Return where an expression ends: at the first ``}``, ``:`` or ``!`` outside of brackets and quotes."""
    waiting: list[str] = []
    quote = ""
    for position in range(start, len(template)):
        letter = template[position]
        if quote:
            if letter == quote and template[position - 1] != "\\":
                quote = ""
        elif letter in "\"'":
            quote = letter
        elif letter in _CLOSING:
            waiting.append(_CLOSING[letter])
        elif waiting:
            if letter == waiting[-1]:
                waiting.pop()
        elif letter in "}:" or (letter == "!" and template[position + 1 : position + 2] != "="):
            return position
    raise TemplateError(template, template[start - 1 :], "the brace, bracket or quote is not closed")


def _format_end(template: str, start: int) -> int:
    depth = 0
    for position in range(start, len(template)):
        letter = template[position]
        if letter == "}" and not depth:
            return position
        depth += (letter == "{") - (letter == "}")
    raise TemplateError(template, template[start - 1 :], "the brace is not closed")
