"""The folder store of recipes: each entry is a ``cache.json``, and beside it the files that hold parts of the value."""

from __future__ import annotations

import os
import re
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from functools import lru_cache
from pathlib import Path
from typing import Any

import xxhash

from ..given import seconds
from ..targets.budget import Budget
from ..targets.damage import DamagedError
from ..targets.facts import Collected, Entry, Selection, names_of
from ..targets.files import FileTarget
from ..targets.filesystem import digest_of, open_file, read_file, read_into, remove_empty, replace_file, size_of
from ..targets.key_names import cut, quoted, uncut, unquoted
from ..targets.provenance import Provenance
from ..typing import Age, Bytes, Facts, Key
from .config import AlkymiConfig
from .outputs import Output
from .parts import SUFFIXES, file_reader, file_writer
from .records import HEAD, RECORD, Part, Record, entry_of, recorded

__all__ = ["FOLDER", "CacheTarget", "folder_at"]

FOLDER = ".alkymi_cache"
_OFTEN, _FREE = 64, 1 << 30  # how often each part may stand in an untrusted value, and so many bytes beside
_PART = re.compile(rf"[0-9a-f]{{32}}({'|'.join(map(re.escape, SUFFIXES))})")


@lru_cache(None)
def folder_at(home: str) -> CacheTarget:
    """Return the folder store of a project, one for all recipes of this process.

    >>> folder_at("/work") is folder_at("/work")
    True
    """
    return CacheTarget(os.path.join(home, FOLDER))


class CacheTarget(FileTarget):
    """Keep results as JSON and files, in a folder that can be moved together with its project.

    A key is (digest of the inputs, ``module:recipe``, digest of the function); its entry is the folder
    ``module/recipe/inputs.function``. An entry is absent when its record is damaged or of another format, or a file
    of it is missing. Looking it up reads the record only; values are read when they are asked for.

    :param root: the folder, ``.alkymi_cache``; made when the first result is stored.

    >>> import tempfile
    >>> from flowly_ckpt.recipes.outputs import computed
    >>> with tempfile.TemporaryDirectory() as home:
    ...     target = CacheTarget(f"{home}/.alkymi_cache")
    ...     target["0a", "steps:load", "1b"] = computed(["x"], home)
    ...     (list(target), target["0a", "steps:load", "1b"].value())
    ([('0a', 'steps:load', '1b')], ['x'])

    See also: :class:`flowly_ckpt.targets.DiskTarget`, which is faster and keeps the values of any pipeline.
    """

    def __init__(self, root: str | os.PathLike[str]) -> None:
        super().__init__(root, _path_of, _key_of, codec=recorded)
        self.base = os.path.dirname(self.root)
        self._bad_parts: set[str] = set()

    def folder(self, tag: str) -> str:
        """Return where the entries of a recipe lie, by its tag ``module:recipe``."""
        return os.path.join(self.root, _folder_of(tag))

    def __getitem__(self, key: Key) -> Output:
        output: Output | None = super().__getitem__(key)
        if output is None:
            raise KeyError(key)
        with suppress(OSError):  # the time of the folder says when the entry was last used
            os.utime(os.path.dirname(self.path(key)))
        return output

    def decode(self, key: Key, data: Bytes) -> Output | None:
        """Return the output of a record, or None where it cannot be used here and now."""
        record = recorded.loads(data)
        if record is None or not self._is_whole(record):
            return None
        if record.key != key:
            raise DamagedError(f"it is the entry of {record.key}")
        output: Output = record.output(self._reader(key, record))
        return output

    def _is_whole(self, record: Record) -> bool:
        """Return whether the parts of an entry are there and may be read."""
        if record.home not in ("", self.base):
            return False  # it was pickled with paths of where the project lay then
        if not AlkymiConfig.get().allow_pickling and any(name.endswith(".pkl") for name, _, _ in record.parts):
            return False
        paths = ((self._part(record.key, name), size) for name, size, _ in record.parts)
        return all(path not in self._bad_parts and _size(path) == size for path, size in paths)

    def _part(self, key: Key, name: str) -> str:
        return os.path.join(self.folder(key[1]), *name.split("/"))

    def _reader(self, key: Key, record: Record) -> Callable[[Any], Any]:
        """Return a function that reads nodes; an entry that cannot be read counts as absent from then on."""
        known = {int(part[2], 16): part for part in record.parts}

        def fetched(number: int) -> bytearray:
            name, size, digest = known[number]
            path = self._part(key, name)
            try:
                return _fetched(path, size, digest)
            except DamagedError:
                self._bad_parts.add(path)
                raise

        def read(node: Any) -> Any:
            pickling = AlkymiConfig.get().allow_pickling
            try:
                return file_reader(fetched, self.base, pickling, Budget(_stored(record, pickling))).read(node)
            except Exception as error:  # unpickling may raise anything
                self.condemn(key, error)
                raise DamagedError(f"{type(error).__name__}: {error}") from error

        return read

    def put(self, key: Key, value: Output, facts: Facts) -> None:
        """Store a result: its parts first, then the record that names them."""
        data = self.encode(key, value, facts)
        self.write_bytes(key, data, facts)
        record = recorded.loads(data[0])
        self._remove_parts(os.path.dirname(self.path(key)), {os.path.basename(part[0]) for part in record.parts})
        value.read_from(record.output(self._reader(key, record)))

    def encode(self, key: Key, value: Output, facts: Facts) -> Sequence[Bytes]:
        """Return the bytes of the record of an output, and write the parts that it names."""
        parts: list[Part] = []

        def keep(suffix: str, pieces: list[Bytes]) -> str:
            digest, size = digest_of(pieces).hex(), size_of(pieces)
            name = f"{entry_of(key)}/{digest}{suffix}"
            path = self._part(key, name)
            if _size(path) != size or path in self._bad_parts:
                replace_file(path, pieces, self.durable)
                self._bad_parts.discard(path)
            parts.append((name, size, digest))
            return digest

        write = file_writer(keep, self.base, AlkymiConfig.get().allow_pickling).write
        return [recorded.dumps(Record.of(key, value, write, self.base, parts, facts))]

    def remove_at(self, path: str) -> bool:
        """Remove an entry: its record, and the parts beside it."""
        was_there = super().remove_at(path)
        self._remove_parts(os.path.dirname(path))
        return was_there

    def _remove_parts(self, folder: str, kept: Iterable[str] = ()) -> None:
        for path in _parts_in(folder):
            if os.path.basename(path) not in kept:
                with suppress(OSError):
                    os.unlink(path)
        remove_empty(folder, self.root)

    def made_at(self, path: str, data: Bytes | None = None) -> Provenance | None:
        """Return how an entry was made: its record says so, and needs no sidecar."""
        try:
            data = read_file(path) if data is None else data
            record = recorded.loads(data)
            created = os.stat(path).st_mtime
        except (OSError, DamagedError):
            return None
        if record is None:
            return None
        size = len(data) + sum(size for _, size, _ in record.own_parts)
        digest = xxhash.xxh3_128_hexdigest(data)
        return Provenance(record.key, recorded.name, size, digest, created, record.seconds, record.made_from)

    def is_of(self, key: Key, path: str, data: Bytes | None = None) -> bool:
        """Return True: the record says what it is, and is asked when it is decoded."""
        return True

    def record(self, path: str, made: Provenance) -> None:
        """Do nothing: the record says how an entry was made."""

    def is_own(self, path: str) -> bool:
        """Return True: a record is known by how it begins, and one that was damaged since is ours, too."""
        return True

    def written_in(self, folder: str, folders: Sequence[str], names: Sequence[str]) -> Iterable[str]:
        """Return the record of an entry's folder, if this store has written it."""
        if RECORD in names:
            with suppress(OSError):
                if (_beginning(os.path.join(folder, RECORD)) or HEAD) == HEAD:  # one that was cut is ours, too
                    return [RECORD]
        return ()

    def _any_keys(self) -> Iterator[Key]:
        return iter(self)  # there are no sidecars to find them by

    def folders_of(self, chosen: Selection) -> Iterable[str]:
        """Return the folders of the selected recipes, or of those of their entries that may be selected."""
        tags, objects = names_of(chosen.tag), names_of(chosen.object)
        if tags is None or objects is None:
            return [self.root] if tags is None else map(self.folder, tags)
        starts = tuple(entry_of((obj, "", "")).partition("/")[0].rstrip("%") for obj in objects)
        return [path for tag in tags for path in _listed(self.folder(tag)) if os.path.basename(path).startswith(starts)]

    def entry_at(self, key: Key, path: str) -> Entry | None:
        found = super().entry_at(key, path)
        with suppress(OSError):
            return found and found._replace(used=os.stat(os.path.dirname(path)).st_mtime)
        return None

    def fault_at(self, path: str) -> str:
        try:
            record = recorded.loads(read_file(path))
            for name, size, digest in [] if record is None else record.own_parts:
                _fetched(self._part(record.key, name), size, digest)
        except DamagedError as error:
            if isinstance(error.__cause__, OSError):  # of a part, which may be whole
                raise error.__cause__ from None
            return str(error)
        return ""

    def gc(self, *, older_than: Age = 600.0, max_bytes: int | str | None = None) -> Collected:
        """Remove what killed writers left more than so many seconds ago: parts without a record, too."""
        found = super().gc(older_than=older_than, max_bytes=max_bytes)
        files, size = found.files, found.bytes
        for path, facts in list(self._unfinished(seconds("older_than", older_than))):
            with suppress(OSError):
                os.unlink(path)
                files, size = files + 1, size + facts.st_size
                remove_empty(os.path.dirname(path), self.root)
        return found._replace(files=files, bytes=size)

    def _unfinished(self, older_than: float) -> Iterator[tuple[str, os.stat_result]]:
        for folder, _, names in os.walk(self.root):
            for path in _parts_in(folder) if RECORD not in names else ():
                with suppress(FileNotFoundError):
                    facts = os.stat(path)
                    if time.time() - facts.st_mtime >= older_than:
                        yield path, facts


@lru_cache(4096)
def _folder_of(tag: str) -> str:
    module, _, name = tag.rpartition(":")
    return "/".join(cut(quoted(part)) for part in (*module.split("."), name))


def _path_of(key: Key) -> str:
    return f"{_folder_of(key[1])}/{entry_of(key)}/{RECORD}"


def _key_of(path: Path) -> Key | None:
    *module, name, entry, _ = uncut(path.as_posix()).split("/")
    obj, _, code = entry.partition(".")
    try:
        key = (unquoted(obj), f"{'.'.join(map(unquoted, module))}:{unquoted(name)}", unquoted(code))
    except ValueError:
        return None
    return key if _path_of(key) == path.as_posix() else None


def _stored(record: Record, pickling: bool) -> int:
    """Return how many bytes the parts of a value have; equal ones lie in one file, and count each.

    Where the folder is not trusted, that a part counts often is believed up to a bound only.
    """
    named = sum([size for _, size, _ in record.parts])
    return named if pickling else min(named, _OFTEN * sum([size for _, size, _ in set(record.parts)]) + _FREE)


def _parts_in(folder: str) -> Iterator[str]:
    """Yield the files in an entry's folder that this store has written: named by the digest of their content."""
    return (path for path in _listed(folder) if _PART.fullmatch(os.path.basename(path)))


def _listed(folder: str) -> list[str]:
    try:
        return [os.path.join(folder, name) for name in os.listdir(folder)]
    except (FileNotFoundError, NotADirectoryError):
        return []


def _size(path: str) -> int:
    try:
        return os.lstat(path).st_size
    except OSError:
        return -1


def _beginning(path: str) -> bytearray:
    descriptor = open_file(path)
    try:
        return read_into(descriptor, len(HEAD))
    finally:
        os.close(descriptor)


def _fetched(path: str, size: int, digest: str) -> bytearray:
    """Read a part; raise DamagedError when it is not what was written, or not there."""
    try:
        data = read_file(path, size)
    except OSError as error:
        raise DamagedError(f"{path} cannot be read: {error}") from error
    if len(data) != size or digest_of([data]).hex() != digest:
        raise DamagedError(f"{path} is not what was written")
    return data
