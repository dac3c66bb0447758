"""What this process knows of the entries of a mapping that keeps nothing beside the values, as a dict.

By the id of the mapping, so that nothing is kept alive. A note counts for the very mapping and value it was made for.
"""

from __future__ import annotations

import time
import weakref
from typing import Any

from ..typing import Facts, Key, Target
from .facts import Entry, Selection

__all__ = ["latest_noted", "note", "noted", "was_noted"]

MOST = 10_000  # notes about one mapping


class _Notes(dict[Key, tuple[int, Facts, float]]):
    """The notes about a mapping, the latest last; without ``of`` it is a dict, known by its values."""

    of: Any = None


_notes: dict[int, _Notes] = {}


def note(target: Target, key: Key, value: Any, facts: Facts) -> None:
    """Remember how an entry was made, and when.

    >>> target, key = {}, ("a", "fit", "f")
    >>> target[key] = 6
    >>> note(target, key, 6, Facts(0.5)), noted(target, key).seconds
    (None, 0.5)
    """
    notes = _notes_of(target)
    if notes is None:
        notes = _Notes()
        try:
            notes.of = weakref.ref(target)
        except TypeError:
            if not isinstance(target, dict):
                return  # another mapping may have its id one day
        _notes[id(target)] = notes
    notes.pop(key, None)
    if len(notes) >= MOST:
        notes.pop(next(iter(notes)), None)
    notes[key] = (id(value), facts, time.time())


def noted(target: Target, key: Key) -> Entry:
    """Return what is known of an entry that is there; no value is loaded for it.

    >>> noted({("a", "fit", "f"): 6}, ("a", "fit", "f")).seconds
    0.0
    """
    notes = _notes_of(target)
    known = notes.get(key) if notes is not None else None
    if known is None or (isinstance(target, dict) and id(dict.get(target, key)) != known[0]):
        return Entry(key)
    _, facts, created = known
    return Entry(key, created=created, seconds=facts.seconds, made_from=facts.made_from)


def was_noted(target: Target, key: Key) -> bool | None:
    """Return whether an entry was stored by this process, be it there or not; None where that is not sure.

    An empty dict may be another one than that of the notes, in whose place it has come.

    >>> was_noted({}, ("a", "fit", "f"))
    False
    """
    notes = _notes_of(target)
    if notes is None or key not in notes:
        return False
    if notes.of is not None:
        return True
    own: Any = target
    return any(id(dict.get(own, other)) == known for other, (known, *_) in notes.items()) or None


def latest_noted(target: Target, chosen: Selection) -> Entry | None:
    """Return what is known of the selected entry that was stored last and is there.

    >>> latest_noted({}, Selection()) is None
    True
    """
    for key in reversed(list(_notes_of(target) or ())):
        if chosen.matches(key) and key in target:
            return noted(target, key)
    return None


def _notes_of(target: Target) -> _Notes | None:
    notes = _notes.get(id(target))
    return notes if notes is None or notes.of is None or notes.of() is target else None
