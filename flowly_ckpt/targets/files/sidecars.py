"""Files with sidecars, whatever keys they have: which there are, whether one is what was stored, which are forsaken.

A file and its sidecar change as one, under a lock on their folder.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from itertools import chain

from ...typing import Bytes, Key
from ..damage import DamagedError
from ..facts import Entry
from ..filesystem import is_temporary, read_file, remove_empty, remove_file, replace_file
from ..folder_lock import held_folder
from ..provenance import FOLDER, Provenance, is_about, read_sidecar, remove_sidecar, sidecar_of

__all__ = [
    "collect_sidecars", "entry_in", "files_in", "names_in", "read_intact", "remove_with_sidecar",
    "replace_with_sidecar", "written_below",
]  # fmt: skip

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


def replace_with_sidecar(
    path: str,
    pieces: Sequence[Bytes],
    made: Provenance,
    record: Callable[[str, Provenance], object],
    durable: bool,
    mode: int,
) -> None:
    """Put a file in its place, and what says how it was made.

    :param record: keeps how a file was made.
    :raises OSError: when it cannot be written; what stood there still stands.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     made = Provenance(("a", "fit", "f"), "pickled", 4, "0a", 0.0, 2.0)
    ...     replace_with_sidecar(os.path.join(folder, "a"), [b"data"], made, lambda path, made: None, False, 0o700)
    ...     os.listdir(folder)
    ['a']
    """

    @contextmanager
    def after_its_sidecar(written: os.stat_result) -> Iterator[None]:
        # So whoever is killed in between leaves a file that is not there yet, and none that is damaged.
        with held_folder(os.path.dirname(path)):
            own = made._replace(created=written.st_mtime)
            record(path, own)
            yield
            if not is_about(read_sidecar(path), path):  # somebody could not wait; the last file counts
                record(path, own)

    replace_file(path, pieces, durable, mode, after_its_sidecar)


def remove_with_sidecar(path: str, root: str, remove_locks: Callable[[str], object]) -> bool:
    """Remove a file and its sidecar, and folders that are empty then; return whether the file was there.

    :param remove_locks: called with the folder of the sidecar.

    >>> remove_with_sidecar("/no/such/file", "/no", lambda folder: None)
    False
    """
    with held_folder(os.path.dirname(path)):
        try:
            remove_file(path, root)
        except FileNotFoundError:
            return False
        finally:
            _remove_sidecar(path, root, remove_locks)
    return True


def _remove_sidecar(path: str, root: str, remove_locks: Callable[[str], object]) -> None:
    remove_sidecar(path)
    remove_locks(os.path.dirname(sidecar_of(path)))
    remove_empty(os.path.dirname(path), root)


def entry_in(path: str, key: Key, root: str, made: Provenance | None, codec: str) -> Entry | None:
    """Return what is known of the entry in a file, or None where it has gone.

    :param made: how it was made, if that is known.
    :param codec: encodes the files of which it is not known.

    >>> entry_in("/no/such/file", ("a", "fit", "f"), "/no", None, "pickled") is None
    True
    """
    file = os.path.relpath(path, root)
    if made is not None:
        return made.entry(file)._replace(key=key)
    try:
        facts = os.stat(path)
    except OSError:
        return None  # cleared meanwhile
    return Entry(key, codec, facts.st_size, facts.st_mtime, facts.st_mtime, file=file)


def files_in(
    folders: Iterable[str], written_in: Callable[[str, Sequence[str], Sequence[str]], Iterable[str]]
) -> Iterator[str]:
    """Yield the files that a store has written in folders and below, in order; hidden folders are left out.

    :param written_in: tells which files those are, by a folder and the names of folders and files in it.

    >>> list(files_in(["/no/such/folder"], lambda folder, folders, names: names))
    []
    """
    for place, inside, names in chain.from_iterable(map(os.walk, folders)):
        written = written_in(place, inside, names)
        inside[:] = sorted(name for name in inside if not name.startswith("."))
        yield from (os.path.join(place, name) for name in sorted(written))


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


def collect_sidecars(root: str, older_than: float, remove_locks: Callable[[str], object]) -> Iterator[tuple[str, int]]:
    """Remove the sidecars below a folder whose files are gone; give the path of each and its size in bytes.

    :param older_than: seconds since it was written; the file of a younger one may still be on its way.
    :param remove_locks: called with the folder of each.

    >>> list(collect_sidecars("/no/such/folder", 600.0, print))
    []
    """
    for folder, _, names in list(os.walk(root)):
        for name in names if os.path.basename(folder) == FOLDER else ():
            path = os.path.join(os.path.dirname(folder), name)
            if size := _forget(path, root, older_than, remove_locks):
                yield sidecar_of(path), size


def _forget(path: str, root: str, older_than: float, remove_locks: Callable[[str], object]) -> int:
    with suppress(OSError), held_folder(os.path.dirname(path)):
        facts = os.lstat(sidecar_of(path))
        is_old = time.time() - facts.st_mtime >= older_than
        if is_old and not os.path.lexists(path) and read_sidecar(path) is not None:
            _remove_sidecar(path, root, remove_locks)
            return facts.st_size
    return 0
