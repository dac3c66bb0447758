"""Files with sidecars, whatever keys they have: which there are, whether one is what was stored, which are forsaken."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from contextlib import suppress

from ..typing import Bytes
from .damage import DamagedError
from .filesystem import is_temporary, read_file
from .folder_lock import held_folder
from .provenance import FOLDER, Provenance, read_sidecar, sidecar_of

__all__ = ["collect_sidecars", "names_in", "read_intact", "written_below"]

MadeAt = Callable[[str, Bytes], "Provenance | None"]


def read_intact(path: str, made_at: MadeAt) -> bytearray | None:
    """Return the content of a file if it is what was stored; None where it is just being replaced.

    :param made_at: tells how a file with this content was made, None where its sidecar is about another one.
    :raises DamagedError: where it is not.

    >>> import tempfile
    >>> with tempfile.NamedTemporaryFile() as file:
    ...     read_intact(file.name, lambda path, data: Provenance(("a", "b", "c"), "pickled", 0, "", 0.0, 0.0))
    bytearray(b'')
    """
    data = read_file(path)
    if made_at(path, data) is not None:
        return data
    with held_folder(os.path.dirname(path)):  # somebody may be replacing the file and its sidecar
        facts = os.stat(path)
        data = read_file(path)
        if made_at(path, data) is not None:
            return data
    if not _is_being_replaced(path, facts):  # by somebody who could not wait, or where no folder is held
        raise DamagedError("its content is not what its sidecar says was stored")
    return None


def _is_being_replaced(path: str, facts: os.stat_result) -> bool:
    """Return whether what was read of a file is about to give way to another, or has just done so."""
    made = read_sidecar(path)
    if made is not None and made.created > facts.st_mtime:
        return True
    with suppress(OSError):
        return os.stat(path).st_ino != facts.st_ino
    return True


def names_in(folder: str) -> set[str]:
    """Return the names of the files in a folder, but for those that somebody is writing; of none, no names.

    >>> names_in("/no/such/folder")
    set()
    """
    try:
        return {name for name in os.listdir(folder) if not is_temporary(name)}
    except OSError:
        return set()


def written_below(root: str) -> Iterator[str]:
    """Yield the files below a folder that have sidecars, the first one before its folder is listed to the end.

    >>> list(written_below("/no/such/folder"))
    []
    """
    folders = [root]
    while folders:
        place = folders.pop()
        with suppress(OSError), os.scandir(os.path.join(place, FOLDER)) as made:
            yield from (os.path.join(place, entry.name) for entry in made if not is_temporary(entry.name))
        with suppress(OSError), os.scandir(place) as entries:
            inside = [entry.path for entry in entries if entry.is_dir(follow_symlinks=False)]
            folders += [path for path in inside if not os.path.basename(path).startswith(".")]


def collect_sidecars(root: str, older_than: float, remove: Callable[[str], object]) -> Iterator[tuple[str, int]]:
    """Remove the sidecars below a folder whose files are gone; give the path of each and its size in bytes.

    :param older_than: seconds since it was written; the file of a younger one may still be on its way.
    :param remove: removes the sidecar of a file.

    >>> list(collect_sidecars("/no/such/folder", 600.0, print))
    []
    """
    for folder, _, names in list(os.walk(root)):
        for name in names if os.path.basename(folder) == FOLDER else ():
            path = os.path.join(os.path.dirname(folder), name)
            if size := _forget(path, older_than, remove):
                yield sidecar_of(path), size


def _forget(path: str, older_than: float, remove: Callable[[str], object]) -> int:
    with suppress(OSError), held_folder(os.path.dirname(path)):
        facts = os.lstat(sidecar_of(path))
        is_old = time.time() - facts.st_mtime >= older_than
        if is_old and not os.path.lexists(path) and read_sidecar(path) is not None:
            remove(path)
            return facts.st_size
    return 0
