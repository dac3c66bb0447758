"""Notes on how a result was made: by which code, with which arguments; kept in a hidden file beside the result."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING, Any, NamedTuple

import xxhash

from ..targets.filesystem import replace_file

if TYPE_CHECKING:
    from .stores import Store

__all__ = ["Note", "differences", "mark_of", "path_of_note", "read_note"]

_END = 4096  # bytes at each end of a file that its mark is made of
PYTHON = f"{sys.version_info[0]}.{sys.version_info[1]}"


class Note(NamedTuple):
    """Hold digests of what a result was made from; an empty one could not be told, and is never compared.

    :param task: the name of the function.
    :param python: the version whose compiler made the code that was hashed.
    :param code: of the function.
    :param arguments: by name; a store counts as what it holds.
    :param value: of the result itself.
    :param seconds: how long it took.

    >>> Note("load", code="1a").arguments
    {}
    """

    task: str
    python: str = PYTHON
    code: str = ""
    arguments: dict[str, str] = {}  # noqa: RUF012
    value: str = ""
    seconds: float = 0.0

    def text(self) -> str:
        """Write the note as JSON."""
        import json

        return json.dumps(self._asdict())


def note_of(text: str) -> Note | None:
    import json

    try:
        fields = json.loads(text)
        return Note(**{name: fields[name] for name in Note._fields if name in fields})
    except (ValueError, TypeError):
        return None  # written by something else; then nothing is known


def read_note(store: Store) -> Note | None:
    """Return what is noted about what a store holds now, or None.

    >>> from flowly_ckpt.tasks import Filestore
    >>> read_note(Filestore("/no/such/file")) is None
    True
    """
    text = store.noted()
    return None if text is None else note_of(text)


def differences(then: Note, now: Note) -> tuple[str, ...]:
    """Return what differs between two ways of making a result, in words.

    >>> differences(Note("f", code="1a", arguments={"n": "2b"}), Note("f", code="1c", arguments={"n": "2d"}))
    ('code', "argument 'n'")
    """
    found = []
    # Another version of Python compiles the same text to other code.
    if then.python == now.python and _differ(then.code, now.code):
        found.append("code")
    names = sorted({*then.arguments, *now.arguments})
    changed = [repr(name) for name in names if _differ(then.arguments.get(name), now.arguments.get(name))]
    if changed:
        found.append(f"argument{'s' if len(changed) > 1 else ''} {', '.join(changed)}")
    return tuple(found)


def _differ(then: str | None, now: str | None) -> bool:
    return then != now and then != "" and now != ""


def path_of_note(loc: str) -> str:
    """Return the hidden file that holds the note about a file.

    >>> path_of_note(os.path.join("working", "load", "a"))
    'working/load/.made/a'
    """
    folder, name = os.path.split(os.path.normpath(loc))
    return os.path.join(folder, ".made", name)


def mark_of(loc: str) -> str | None:
    """Return a digest of a file's size and ends, which ties a note to its file; None where there is none.

    >>> mark_of("/no/such/file") is None
    True
    """
    try:
        with open(loc, "rb") as file:
            size = os.fstat(file.fileno()).st_size
            hasher = xxhash.xxh3_64(b"%d:" % size)
            hasher.update(file.read(_END))
            if size > _END:
                file.seek(max(size - _END, _END))
                hasher.update(file.read(_END))
    except OSError:
        return None
    return hasher.hexdigest()


def write_beside(loc: str, text: str) -> None:
    replace_file(path_of_note(os.path.abspath(loc)), [f"{mark_of(loc)}\n{text}\n".encode()])


def read_beside(loc: str) -> str | None:
    try:
        with open(path_of_note(loc), encoding="utf-8") as file:
            mark, _, text = file.read().partition("\n")
    except (OSError, UnicodeDecodeError):
        return None
    return text if mark and mark == mark_of(loc) else None


def digest(value: Any) -> str:
    """Return the content hash of a value, or the empty text where it cannot be told."""
    from ..hashing import functional_hash

    try:
        return functional_hash(value)
    except Exception:  # noqa: BLE001  a digest serves to report changes; without one nothing is reported
        return ""
