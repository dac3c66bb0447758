"""The target of recipes: for every result a folder with ``cache.json`` and the files that it names."""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, suppress
from functools import partial
from typing import Any

from ..targets.claims import Claims
from ..targets.damage import DamagedError, warn_once
from ..targets.facts import Entry, Selection
from ..targets.filesystem import collect_temporaries, is_temporary, replace_file
from ..targets.key_names import unquoted
from ..targets.protocol import BaseTarget
from ..typing import Bytes, Facts, Key
from .config import AlkymiConfig
from .external import unchanged
from .layout import RECORD, digest_of_pieces, entry_of, fetch, folder_of, keys_in, size_of, unfinished
from .outputs import Output
from .records import Record, read_record, write_record
from .tree import file_reader, file_writer

__all__ = ["FOLDER", "CacheTarget", "target_at"]

FOLDER = ".alkymi_cache"
_targets: dict[str, CacheTarget] = {}


def target_at(home: str | os.PathLike[str]) -> CacheTarget:
    """Return the target in a folder, one for all recipes of this process.

    >>> target_at("/work") is target_at("/work")
    True
    """
    return _targets.setdefault(os.path.abspath(home), CacheTarget(os.path.join(home, FOLDER)))


class CacheTarget(BaseTarget):
    """Keep results as JSON and files, in a folder that may be moved together with the project it lies in.

    A key is (digest of the inputs, ``module:recipe``, digest of the function); its entry is the folder
    ``module/recipe/inputs.function``. An entry is absent when its record is damaged or of another format, when a file
    of it is missing, and when an outside file that the result names has changed. Looking reads no file but the record.

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

    isolates = True

    def __init__(self, root: str | os.PathLike[str]) -> None:
        self.root = os.path.abspath(root)
        self.base = os.path.dirname(self.root)
        self.claims = Claims(os.path.join(self.root, ".claims"))
        self._bad: set[str] = set()  # files that are not what was written
        self._unread: set[Key] = set()  # entries whose value could not be read

    def __repr__(self) -> str:
        return f"CacheTarget({self.root!r})"

    def folder(self, tag: str) -> str:
        """Return where the entries of a recipe lie, by its tag ``module:recipe``."""
        return os.path.join(self.root, folder_of(tag))

    def path(self, key: Key) -> str:
        """Return the record of an entry, whether it is there or not."""
        return os.path.join(self.folder(key[1]), entry_of(key), RECORD)

    def __getitem__(self, key: Key) -> Output:
        record = self.record(key)
        if record is None or key in self._unread or not self.is_whole(record):
            raise KeyError(key)
        with suppress(OSError):
            os.utime(self.path(key), ns=(time.time_ns(), os.stat(self.path(key)).st_mtime_ns))
        return record.output(self._reader(key, record.parts))

    def record(self, key: Key) -> Record | None:
        """Return what is written of an entry, or None where there is nothing that can be used."""
        try:
            with open(self.path(key), "rb") as file:
                return read_record(file.read())
        except (FileNotFoundError, NotADirectoryError):
            return None
        except (DamagedError, OSError) as error:
            warn_once(self.root, os.path.relpath(self.path(key), self.root), error, stacklevel=6)
            return None

    def is_whole(self, record: Record) -> bool:
        """Tell whether the files of an entry are there and may be read, and the outside ones are as they were."""
        if record.home not in ("", self.base):
            return False  # it was pickled with paths of where the project lay then
        if not AlkymiConfig.get().allow_pickling and any(name.endswith(".pkl") for name, _, _ in record.parts):
            return False
        folder = self.folder(record.name)
        sizes = ((os.path.join(folder, *name.split("/")), size) for name, size, _ in record.parts)
        here = all(path not in self._bad and size_of(path) == size for path, size in sizes)
        return here and unchanged(record.files, self.base)

    def peek(self, key: Key) -> tuple[bool, str | None]:
        """Tell whether there is an entry, and the digest of its value where it can be used."""
        record = self.record(key)
        if record is None:
            return False, None
        usable = key not in self._unread and self.is_whole(record)
        return True, record.output_checksum if usable else None

    def _reader(self, key: Key, parts: Iterable[Sequence[Any]]) -> Callable[[Any], Any]:
        """Return what reads the nodes of an entry; what cannot be read counts as absent from then on."""
        folder, known = self.folder(key[1]), {int(part[2], 16): part for part in parts}

        def file(number: int) -> bytearray:
            path = os.path.join(folder, *known[number][0].split("/"))
            try:
                return fetch(path, known[number])
            except DamagedError:
                self._bad.add(path)
                raise

        reader = file_reader(file, self.base, AlkymiConfig.get().allow_pickling)

        def read(node: Any) -> Any:
            try:
                return reader.read(node)
            except Exception as error:  # unpickling may raise anything
                self._unread.add(key)
                raise DamagedError(f"{type(error).__name__}: {error}") from error

        return read

    def __setitem__(self, key: Key, output: Output) -> None:
        self.put(key, output, Facts(0.0))

    def put(self, key: Key, output: Output, facts: Facts) -> None:
        """Store a result: its files first, then the record that names them."""
        folder = os.path.dirname(self.path(key))
        parts: list[list[Any]] = []

        def keep(suffix: str, pieces: list[Bytes]) -> str:
            digest, size = digest_of_pieces(pieces), sum(memoryview(piece).nbytes for piece in pieces)
            path = os.path.join(folder, digest + suffix)
            if size_of(path) != size or path in self._bad:
                replace_file(path, pieces)
                self._bad.discard(path)
            parts.append([f"{entry_of(key)}/{digest}{suffix}", size, digest])
            return digest

        write = file_writer(keep, self.base, AlkymiConfig.get().allow_pickling).write
        record = Record.of(key, output, write, self.base, parts, facts)
        replace_file(self.path(key), [write_record(record)])
        _tidy(folder, {part[0].rpartition("/")[2] for part in parts})
        self._unread.discard(key)
        output.keep((record.outputs, parts), partial(self._reader(key, parts), record.outputs))

    def condemn(self, key: Key, what: object) -> None:
        """Warn that a value could not be read, and count its entry as absent until it is written again."""
        self._unread.add(key)
        warn_once(self.root, os.path.relpath(self.path(key), self.root), what, stacklevel=5)

    def __delitem__(self, key: Key) -> None:
        path = self.path(key)
        try:
            os.unlink(path)
        except (FileNotFoundError, NotADirectoryError):
            raise KeyError(key) from None
        shutil.rmtree(os.path.dirname(path), ignore_errors=True)
        folder = os.path.dirname(os.path.dirname(path))
        with suppress(OSError):  # folders that are empty now go too; the others refuse
            while folder != self.root:
                os.rmdir(folder)
                folder = os.path.dirname(folder)

    def __contains__(self, key: object) -> bool:
        return os.path.exists(self.path(key))  # type: ignore[arg-type]

    def __iter__(self) -> Iterator[Key]:
        return keys_in(self.root)

    def __len__(self) -> int:
        return sum(1 for _ in self)

    def siblings(self, tag: str) -> Iterator[tuple[str, str]]:
        """List the digests of inputs and function of the results of a recipe."""
        folder = self.folder(tag)
        with suppress(FileNotFoundError, NotADirectoryError):
            for name in os.listdir(folder):
                obj, dot, code = name.partition(".")
                if obj and dot and os.path.exists(os.path.join(folder, name, RECORD)):
                    yield unquoted(obj), unquoted(code)

    def claim(self, key: Key) -> AbstractContextManager[None]:
        """Hold the claim to compute a key among processes; wait while another holds it."""
        return self.claims.claim(key)

    def clear_where(self, *, dry_run: bool = False, **selection: Any) -> int:
        """Delete the entries selected, as :meth:`flowly_ckpt.targets.DiskTarget.clear_where` does; return how many."""
        chosen = Selection(**selection)
        count = 0
        for key in [key for key in self if chosen.matches(key)]:
            with suppress(FileNotFoundError, KeyError):  # someone else was faster
                facts = os.stat(self.path(key))
                if chosen.is_due(Entry(key, created=facts.st_mtime, used=facts.st_atime)):
                    if not dry_run:
                        del self[key]
                    count += 1
        return count

    def gc(self, older_than: float = 3600.0) -> int:
        """Remove what killed writers left, if it is older than so many seconds; return how many files."""
        count = sum(1 for _ in collect_temporaries(self.root, older_than))
        for folder in unfinished(self.root, older_than):
            count += len(os.listdir(folder))
            shutil.rmtree(folder, ignore_errors=True)
        return count


def _tidy(folder: str, named: set[str]) -> None:
    """Remove what an earlier result under the same key left."""
    for name in os.listdir(folder):
        if name != RECORD and name not in named and not is_temporary(name):
            with suppress(OSError):
                os.unlink(os.path.join(folder, name))
