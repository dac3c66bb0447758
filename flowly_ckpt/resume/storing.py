"""Where the state of a computation is kept: a gzipped pickle in a folder, or any target."""

from __future__ import annotations

import os
import time
import warnings
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

from ..calls.naming import dotted_name, plain_dotted
from ..errors import StoreWarning
from ..targets.codecs import gzipped
from ..targets.files import FileTarget
from ..targets.key_names import cut, quoted, uncut, unquoted
from ..targets.recall import MISSING, lookup
from ..typing import Key, Target

__all__ = ["EXTENSION", "FORMAT", "Place", "folder_of_states", "key_of_path", "path_of_key"]

FORMAT = 1
EXTENSION = ".pzip"
Snapshot = dict[str, Any]


def path_of_key(key: Key, extension: str = EXTENSION) -> str:
    """Return the file of a state: the name given, or ``function@where``.

    >>> path_of_key(("my run", "resume", "")), path_of_key(("", "resume", "primes.compute_primes"))
    ('my run.pzip', 'compute_primes@primes.pzip')
    """
    given, _, function = key
    if not function:
        return given + extension
    where, _, name = function.rpartition(".")
    return cut(f"{quoted(name)}@{dotted_name(where)}") + extension


def key_of_path(path: Path, extension: str = EXTENSION) -> Key | None:
    """Return the key whose file this is, or None for a stranger's.

    >>> key_of_path(Path("compute_primes@primes.pzip")), key_of_path(Path("notes.txt"))
    (('', 'resume', 'primes.compute_primes'), None)
    """
    text = path.as_posix()
    if not text.endswith(extension):
        return None
    stem = text.removesuffix(extension)
    name, _, where = uncut(stem).partition("@")
    try:
        key = ("", "resume", f"{plain_dotted(where)}.{unquoted(name)}")
        if where and path_of_key(key, extension) == text:
            return key
    except ValueError:
        pass  # a name that was given
    return None if "/" in stem else (stem, "resume", "")


def folder_of_states(
    folder: str | os.PathLike[str], max_age: float | None = None, extension: str = EXTENSION
) -> FileTarget:
    """Return a folder of states as a target, which can be listed and cleared like any other.

    >>> len(folder_of_states("/no/such/folder"))
    0
    """
    path_of, key_of = partial(path_of_key, extension=extension), partial(key_of_path, extension=extension)
    # A state is worth hours: it is on the disk before the old one goes.
    return FileTarget(folder, path_of, key_of, codec=gzipped, max_age=max_age, durable=True)


class Place(NamedTuple):
    """Load and save the state kept under one key.

    >>> place = Place({}, ("my run", "resume", ""))
    >>> place.save({"locals": {"i": 3}})
    >>> place.load()["locals"]
    {'i': 3}
    """

    target: Target
    key: Key
    max_age: float | None = None

    def load(self) -> Snapshot | None:
        """Return the state, or None where there is none, or none that can be used."""
        kept = lookup(self.target, self.key)
        if kept is MISSING:
            return None
        try:
            snapshot = gzipped.loads(kept) if isinstance(kept, bytes) else kept
            if snapshot["format"] != FORMAT:
                raise ValueError(f"format {snapshot['format']!r}, this version reads {FORMAT}")
            has_expired = self.max_age is not None and abs(time.time() - snapshot["saved_at"]) > self.max_age
        except Exception as error:  # noqa: BLE001  whatever it is, it is no state of ours: begin anew
            text = f"{self.target!r}: the state {self.key} cannot be used, beginning anew: {error!r}"
            warnings.warn(text, StoreWarning, stacklevel=4)
            return None
        return None if has_expired and not isinstance(self.target, FileTarget) else snapshot

    def save(self, values: Snapshot) -> None:
        """Keep a state in place of the one before; whatever the target raises passes."""
        snapshot = {"format": FORMAT, "saved_at": time.time(), **values}
        # A target that keeps the very objects would see them change as the computation goes on.
        isolates = getattr(self.target, "isolates", False)
        self.target[self.key] = snapshot if isolates else gzipped.dumps(snapshot)

    def forget(self) -> None:
        """Remove the state, if there is one."""
        self.target.pop(self.key, None)
