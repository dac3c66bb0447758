"""The lines of a function, each as two letters: enough to say later at which line it was changed."""

from __future__ import annotations

import weakref
from collections.abc import Sequence
from functools import partial
from types import CodeType
from typing import Any

import xxhash

from .instructions import read

__all__ = ["changed_line", "letters", "lines_of"]

LETTERS = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ-_"
MOST = 120  # lines of a function that are told apart

_known: dict[int, tuple[Any, str, list[int]]] = {}


def lines_of(code: CodeType) -> tuple[str, list[int]]:
    """Return the digests of the lines that do something, without the names of variables, and their numbers.

    >>> one, other = (lambda x: x + 1), (lambda y: y + 1)
    >>> lines_of(one.__code__)[0] == lines_of(other.__code__)[0]
    True
    """
    known = _known.get(id(code))
    if known is None:
        content: dict[int, list[Any]] = {}
        note(code, content)
        numbers = sorted(content)[:MOST]
        digests = "".join(letters(xxhash.xxh3_64_digest(repr(content[number]).encode())) for number in numbers)
        known = weakref.ref(code, partial(_forget, id(code))), digests, numbers
        _known[id(code)] = known
    return known[1:]


def _forget(key: int, _: Any) -> None:
    _known.pop(key, None)


def letters(digest: bytes) -> str:
    """Return the beginning of a digest as two letters, in which one of 4096 others looks the same.

    >>> letters(bytes([0, 0])), letters(bytes([255, 255]))
    ('00', '__')
    """
    start = int.from_bytes(digest[:2], "big")
    return LETTERS[start >> 10] + LETTERS[start >> 4 & 63]


def note(code: CodeType, content: dict[int, list[Any]]) -> None:
    """Note what stands on each line of a code object and of the code nested in it."""
    numbers: dict[str, int] = {}
    lines = {start: line for start, _, line in code.co_lines() if line}
    line = code.co_firstlineno
    for instruction in read(code):
        line = lines.get(instruction.offset, line)
        value = instruction.value
        if instruction.name in ("RESUME", "NOP", "CACHE", "MAKE_CELL", "COPY_FREE_VARS"):
            continue
        if instruction.kind == "variable":
            value = numbers.setdefault(value, len(numbers))
        elif instruction.kind == "jump":
            value = None
        elif type(value) is CodeType:
            note(value, content)
            value = value.co_name
        elif type(value) is frozenset:
            value = sorted(map(repr, value))
        content.setdefault(line, []).append((instruction.name, value))


def changed_line(before: str, after: str, numbers: Sequence[int]) -> int | None:
    """Return the number of the first line that is not as it was, by the digests of all lines.

    >>> changed_line("aabbcc", "aaddcc", [10, 11, 14]), changed_line("aabb", "aa", [10])
    (11, 10)
    """
    from difflib import SequenceMatcher

    old, new = ([text[i : i + 2] for i in range(0, len(text), 2)] for text in (before, after))
    for kind, _, _, at, _ in SequenceMatcher(None, old, new, autojunk=False).get_opcodes():
        if kind != "equal" and numbers:
            return numbers[min(at, len(numbers) - 1)]
    return None
