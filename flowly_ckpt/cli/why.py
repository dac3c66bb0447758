"""Why two entries are not one: what differs in what they were made from."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from ..hashing.wording import changes
from ..targets.facts import Entry
from ..targets.reasons import is_table

__all__ = ["why"]


def why(one: Entry, other: Entry) -> Iterator[str]:
    """Yield what differs between two entries, in words.

    >>> made = [{"input": name, "steps": [["load", "1a"], ["fit", code]]} for name, code in ("a2", "b3")]
    >>> for line in why(*[Entry((name, "fit", code), made_from=facts) for name, code, facts in zip("ab", "23", made)]):
    ...     print(line)
    the input differs: a and b
    step 2, fit, differs
    """
    if one.key == other.key:
        yield "the keys are equal: it is one entry"
        return
    (obj, tag, transform), (obj2, tag2, transform2) = one.key, other.key
    if obj != obj2:
        labels = [entry.made_from.get("input") for entry in (one, other)]
        yield "the input differs" + (f": {labels[0]} and {labels[1]}" if all(labels) else "")
        yield from _parts(one.made_from.get("parts"), other.made_from.get("parts"))
    if tag != tag2:
        yield f"the tag differs: {tag!r} and {tag2!r}"
    if transform != transform2:
        yield from _code(one.made_from, other.made_from)
    for name in sorted(one.made_from.keys() & other.made_from.keys() - {"input", "parts", "steps", "after"}):
        if one.made_from[name] != other.made_from[name]:
            yield f"{name} differs"


def _parts(one: Any, other: Any) -> Iterator[str]:
    if is_table(one) and is_table(other):
        yield from (f"in the input: {change}" for change in changes(one, other) if change.about)


def _changes(one: list[Any], other: list[Any]) -> list[str]:
    """Say what differs between the parts of two steps, where both were kept."""
    if one and other and is_table(one[0]) and is_table(other[0]):
        return [str(change) for change in changes(one[0], other[0])]
    return []


def _code(one: dict[str, Any], other: dict[str, Any]) -> Iterator[str]:
    steps, steps2 = one.get("steps"), other.get("steps")
    if not (isinstance(steps, list) and isinstance(steps2, list)):
        yield "the code differs"
        return
    if one.get("after") != other.get("after"):
        yield "a step before their segment differs"
    for number, (step, step2) in enumerate(zip(steps, steps2), 1):
        if step[0] != step2[0]:
            yield f"step {number} is {step[0]}, and {step2[0]}"
            return
        if step[1] != step2[1]:
            # The hash of a step is that of all up to it, so what comes after the first difference says nothing.
            found = _changes(step[2:], step2[2:])
            yield f"step {number}, {step[0]}" + (f": {'; '.join(found)}" if found else ", differs")
            return
    if len(steps) != len(steps2):
        yield f"one has {len(steps)} steps, the other {len(steps2)}"
