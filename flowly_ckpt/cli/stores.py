"""What the command line can open: DiskTargets, and the folders of files that the front doors keep."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, MutableMapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from ..errors import StoreError
from ..recipes.folder import FOLDER, CacheTarget
from ..targets.disk import DiskTarget
from ..targets.disk.folder import check_folder
from ..targets.facts import Collected, Entry, Selection, TagStats
from ..targets.filesystem import collect_temporaries
from ..tasks.results import Results
from ..typing import Key

__all__ = ["FolderStore", "KeyedFolder", "Store", "open_store"]


class FolderStore:
    """A folder where each entry is a readable file.

    :param path: the folder.

    >>> list(FolderStore("/no/such/folder").entries())
    []

    See also: :class:`flowly_ckpt.targets.FileTarget`.
    """

    def __init__(self, path: str) -> None:
        self.path = path

    def entries(self, **selection: Any) -> Iterator[Entry]:
        """Give what the file system knows of each selected entry."""
        chosen = Selection(**selection)
        for path in sorted(self._places()):
            entry = _entry(self.path, path)
            if entry is not None and chosen.matches(entry.key) and chosen.is_due(entry):
                yield entry

    def _places(self) -> Iterator[str]:
        for place, folders, names in os.walk(self.path):
            folders[:] = [name for name in folders if not name.startswith(".")]
            yield from (os.path.join(place, name) for name in names if not name.startswith("."))

    def clear_where(self, *, dry_run: bool = False, **selection: Any) -> int:
        """Delete the entries selected and the folders that are empty then; return how many entries there were."""
        chosen = list(self.entries(**selection))
        for entry in [] if dry_run else chosen:
            self._remove(entry)
        return len(chosen)

    def _remove(self, entry: Entry) -> None:
        path = os.path.join(self.path, entry.file or "")
        Path(path).unlink(missing_ok=True)
        with suppress(OSError):  # what is not empty refuses
            while (path := os.path.dirname(path)) != self.path:
                os.rmdir(path)

    def stats(self) -> list[TagStats]:
        """Count entries and bytes by tag; files tell nothing of hits."""
        found: dict[str, TagStats] = {}
        for entry in self.entries():
            tag = entry.key[1]
            before = found.get(tag, TagStats(tag, 0, 0, 0, 0.0, 0.0))
            newest = max(before.used, entry.used)
            found[tag] = before._replace(entries=before.entries + 1, bytes=before.bytes + entry.size, used=newest)
        return [found[tag] for tag in sorted(found)]

    def verify(self, *, repair: bool = False, progress: Callable[[int, int], object] | None = None) -> list[str]:
        """Check what carries a checksum, without unpickling it; tell what is damaged, one line each."""
        lines = []
        entries = list(self.entries())
        for number, entry in enumerate(entries, 1):
            path = os.path.join(self.path, entry.file or "")
            fault = _fault(path) if os.path.isfile(path) else ""
            if fault:
                lines.append(f"{entry.file}: {fault}")
                if repair:
                    Path(path).unlink(missing_ok=True)
            if progress is not None:
                progress(number, len(entries))
        return lines

    def gc(self, *, older_than: float = 600.0) -> Collected:
        """Remove what killed writers left, if it is older than so many seconds."""
        found = list(collect_temporaries(self.path, older_than))
        return Collected(0, len(found), sum(size for _, size in found))

    def close(self) -> None:
        """Do nothing: no file is kept open."""


class KeyedFolder(FolderStore):
    """A folder whose entries a front door knows by key, be it among files that are none of its own.

    :param target: gives the keys, and removes an entry with all that belongs to it.
    :param place: tells where an entry lies, by its key.

    >>> KeyedFolder("/no/such/folder", {("squares/2", "square", ""): 4}, lambda key: key[0]).stats()
    []
    """

    def __init__(self, path: str, target: MutableMapping[Key, Any], place: Callable[[Key], str]) -> None:
        super().__init__(path)
        self.target = target
        self.place = place

    def entries(self, **selection: Any) -> Iterator[Entry]:
        """Give what is known of each selected entry."""
        chosen = Selection(**selection)
        for key in sorted(self.target):
            entry = _entry(self.path, os.path.join(self.path, self.place(key)))
            if entry is not None and chosen.matches(key) and chosen.is_due(entry):
                yield entry._replace(key=key)

    def _remove(self, entry: Entry) -> None:
        del self.target[entry.key]


Store = DiskTarget | FolderStore | CacheTarget


def _entry(root: str, path: str) -> Entry | None:
    """Tell what the file system knows of an entry; its tag is the folder it lies in."""
    try:
        files = [os.path.join(place, name) for place, _, names in os.walk(path) for name in names] or [path]
        facts = [os.stat(file) for file in files]
    except OSError:
        return None  # cleared meanwhile
    relative = os.path.relpath(path, root)
    created = max(fact.st_mtime for fact in facts)
    codec = "recipe" if os.path.isdir(path) else os.path.splitext(path)[1].lstrip(".") or "file"
    key = ("", os.path.dirname(relative) or ".", os.path.basename(relative))
    return Entry(key, codec, sum(fact.st_size for fact in facts), created, created, 0.0, 0, {}, relative)


def _fault(path: str) -> str:
    import gzip
    import pickletools

    try:
        data = Path(path).read_bytes()
        if not data:
            return "it is empty"
        if path.endswith(".pzip"):
            data = gzip.decompress(data)
        if path.endswith((".pzip", ".pkl")):
            last = 0
            for operation, _, place in pickletools.genops(data):  # reads the pickle, runs nothing
                last = place or 0 if operation.name == "STOP" else last
            rest = data[last + 1 :]
            if path.endswith(".pkl") and rest and rest != plain_pickle_trailer(data[: last + 1]):
                return "the pickle does not match its digest"
    except (OSError, EOFError, ValueError, gzip.zlib.error) as error:  # type: ignore[attr-defined]
        return f"{type(error).__name__}: {error}"
    return ""


def plain_pickle_trailer(stream: bytes) -> bytes:
    """Return what follows a plain pickle in its file.

    >>> len(plain_pickle_trailer(b""))
    38
    """
    import xxhash

    from ..targets.codecs import TRAILER

    return TRAILER + xxhash.xxh3_128_digest(stream)


def open_store(path: str) -> Store:
    """Open what lies at a path: a DiskTarget, or a folder that a front door keeps.

    :raises StoreError: when it is neither; nothing is touched.

    >>> open_store("/no/such/folder")
    Traceback (most recent call last):
        ...
    flowly_ckpt.errors.StoreError: /no/such/folder: there is no store here
    """
    path = os.path.abspath(os.path.expanduser(path))
    if not os.path.isdir(path):
        raise StoreError(f"{path}: there is no store here")
    if os.path.basename(path) == FOLDER:
        return CacheTarget(path)
    if _is_front_door(path):
        return FolderStore(path)
    if Results.are_at(path):
        return KeyedFolder(path, Results(path), lambda key: key[0])
    if not check_folder(path):
        raise StoreError(f"{path}: there is no store here")
    return DiskTarget(path)


def _is_front_door(path: str) -> bool:
    name, above = os.path.basename(path), os.path.basename(os.path.dirname(path))
    known = name == ".checkpoints" or (name in ("checkpoint", "checkpoints") and above == "artifacts")
    return known or os.path.isdir(os.path.join(path, ".claims"))
