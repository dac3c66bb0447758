"""The folder store: one readable file per entry, named by a function of the key, with its facts in a sidecar."""

from __future__ import annotations

import os
import stat
import time
from collections.abc import Callable, Hashable, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from itertools import chain
from pathlib import Path
from typing import Any

from .. import given
from ..errors import StoreError
from ..typing import Age, Facts, Key
from ..wording import plain
from .claims import UNCLAIMED, Claim
from .codecs import Bytes, Codec, checks_itself, codec_given, parts_of, plain_pickle
from .damage import DamagedError, warn_once
from .facts import Collected, Entry, Selection, is_key, key_given
from .file_claims import Claims
from .filesystem import (
    PRIVATE,
    SHARED,
    collect_temporaries,
    read_file,
    remove_empty,
    remove_file,
    replace_file,
    size_of,
)
from .folder_lock import held_folder
from .key_names import key_of_path, path_of_key
from .protocol import BaseTarget, Progress
from .provenance import (
    FOLDER,
    Provenance,
    is_about,
    provenance_of,
    read_sidecar,
    remove_sidecar,
    sidecar_of,
    write_sidecar,
)
from .regions import remove_last
from .sidecars import collect_sidecars, names_in, read_intact, written_below

__all__ = ["FileTarget", "NamedByPlace"]

CLAIMS = ".claims.lock"  # in the folder of the sidecars
PathOf = Callable[[Key], "str | Path"]
KeyOf = Callable[[Path], "Key | None"]


class FileTarget(BaseTarget):
    """Keep each value in a file of its own below a folder; a damaged or expired file is an absent entry.

    ``FileTarget(root)[key] = value`` survives the process; the file is written beside its place and renamed into it.
    Facts about it are kept in a sidecar, ``.made/<name>``. Where several keys have one path, the file is the entry of
    the key it was stored under last, and no other's. Files of other origin, also in the place of an entry, are
    read where the codec can check them, but neither listed nor deleted.

    :param root: the folder; made when the first entry is stored.
    :param path_of: returns the file of a key, relative to ``root``; by default ``tag/object.transform``, quoted so that
        it is a name on every system. Of keys with one file, the last that was stored is there.
    :param key_of: returns the key of a path relative to ``root``, None if it is not known; for files that no sidecar
        names.
    :param codec: turns values into the file's bytes.
    :param max_age: seconds, a timedelta, or text such as ``30d``; an older file counts as absent, and stays.
    :param suffix: ends the default file names.
    :param durable: wait at each store until the disk has it.
    :param claim_timeout: seconds to wait for another process that computes the same key.
    :param shared: let others read and write what is made here, as far as the umask does.
    :raises StoreError: for an entry whose path would lie outside ``root``.

    >>> import pathlib, pickle, tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     target = FileTarget(folder, lambda key: f"{key[1]}.pkl", lambda path: ("", path.stem, ""))
    ...     target["", "primes", ""] = [2, 3, 5]
    ...     (list(target), pickle.loads(pathlib.Path(folder, "primes.pkl").read_bytes()))
    ([('', 'primes', '')], [2, 3, 5])

    See also: :class:`flowly_ckpt.targets.DiskTarget`, which is faster and can be bounded.
    """

    isolates = True
    keeps_bytes = True
    keeps_times = True
    codec: Codec

    def __init__(
        self,
        root: str | os.PathLike[str],
        path_of: PathOf | None = None,
        key_of: KeyOf | None = None,
        *,
        codec: Codec = plain_pickle,
        max_age: Age | None = None,
        suffix: str = "",
        durable: bool = False,
        claim_timeout: Age = 3600.0,
        shared: bool = False,
    ) -> None:
        self.root = given.folder("root", root)
        self.path_of = given.optional(given.function, "path_of", path_of, "a key that returns a path")
        self.key_of = given.optional(given.function, "key_of", key_of, "a path that returns a key")
        self.codec = codec_given(codec)
        self.max_age = given.optional(given.seconds, "max_age", max_age)
        self.suffix = given.text("suffix", suffix)
        self.durable = given.switch("durable", durable)
        self.mode = SHARED if given.switch("shared", shared) else PRIVATE
        timeout = given.seconds("claim_timeout", claim_timeout)
        self.claims = Claims(os.path.join(self.root, FOLDER, CLAIMS), timeout, self.mode, self.root)
        self._bad: dict[str, tuple[int, int]] = {}

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.root!r})"

    @property
    def place(self) -> Hashable:
        return (type(self), self.root, self.path_of, self.suffix)

    def path(self, key: Key) -> str:
        """Return where the entry of a key lies, whether it is there or not.

        :raises StoreError: when that is outside the root, or inside by name and outside by a link.
        """
        key_given(key)
        name = self.path_of(key) if self.path_of is not None else path_of_key(key) + self.suffix
        if not isinstance(name, str | os.PathLike):
            raise TypeError(f"path_of must return a path, got {name!r:.60} for the key {key}")
        path = os.path.normpath(os.path.join(self.root, name))
        inside = self.root if self.root.endswith(os.sep) else self.root + os.sep
        real = os.path.realpath(self.root)
        hidden = FOLDER in path[len(inside) :].split(os.sep)
        if not path.startswith(inside) or hidden or os.path.commonpath([real, _real(path)]) != real:
            raise StoreError(
                f"{self.root}: the entry {key} would be at {name}, outside the folder; choose another path"
            )
        return path

    def __getitem__(self, key: Key) -> Any:
        data = self.read_bytes(key)
        try:
            return self.decode(key, data)
        except Exception as error:  # unpickling damaged bytes may raise anything
            self.condemn(key, error)
            raise KeyError(key) from error

    def decode(self, key: Key, data: Bytes) -> Any:
        """Return the value of an entry's bytes; a store with a form of its own overrides it, and :meth:`encode`."""
        return self.codec.loads(data)

    def encode(self, key: Key, value: Any, facts: Facts) -> Sequence[Bytes]:
        """Return the bytes of an entry's file, in pieces."""
        return parts_of(self.codec, value)

    def read_bytes(self, key: Key) -> Bytes:
        path = self.path(key)
        if not self._is_live(path):
            raise KeyError(key)
        try:
            data = read_file(path) if checks_itself(self.codec) else read_intact(path, self.made_at)
            if data is not None and not self.is_of(key, path, data):
                if self.path_of is None:  # its name is its key: it was moved here, with its sidecar
                    raise DamagedError("it is the entry of another key")
                data = None
        except (FileNotFoundError, IsADirectoryError, NotADirectoryError):
            raise KeyError(key) from None
        except DamagedError as error:
            self.condemn(key, error)
            raise KeyError(key) from error
        if data is None:
            raise KeyError(key)
        return data

    def is_of(self, key: Key, path: str, data: Bytes | None = None) -> bool:
        """Return whether a file is the entry of a key, rather than of another one that has the same path.

        A store whose files say so themselves overrides it.
        """
        made = read_sidecar(path)
        if is_about(made, path, data):
            return made is not None and made.key == key
        if self.path_of is None:
            return True
        if self.key_of is not None:
            return bool(self.key_of(Path(os.path.relpath(path, self.root))) == key)
        return made is None  # of other origin; else its sidecar is of a file that was to be, or was, in its place

    def condemn(self, key: Key, what: object) -> None:
        """Warn that an entry is damaged, and count it as absent until it is written again."""
        path = self.path(key)
        with suppress(OSError):
            facts = os.stat(path)
            self._bad[path] = (facts.st_mtime_ns, facts.st_size)
        warn_once(self.root, os.path.relpath(path, self.root), what, of=self._bad.get(path))

    def __setitem__(self, key: Key, value: Any) -> None:
        self.put(key, value, Facts(0.0))

    def put(self, key: Key, value: Any, facts: Facts) -> None:
        self.write_bytes(key, self.encode(key, value, facts), facts)

    def write_bytes(self, key: Key, parts: Sequence[Bytes], facts: Facts | None = None, codec: str = "") -> None:
        path, pieces = self.path(key), list(parts)
        name, size, known = codec or self.codec.name, size_of(pieces), facts or Facts(0.0)
        made = provenance_of(key, name, pieces, size, 0.0, known)

        @contextmanager
        def after_its_sidecar(written: os.stat_result) -> Iterator[None]:
            # So whoever is killed in between leaves a file that is not there yet, and none that is damaged.
            with held_folder(os.path.dirname(path)):
                own = made._replace(created=written.st_mtime)
                self.record(path, own)
                yield
                if not is_about(read_sidecar(path), path):  # somebody could not wait; the last file counts
                    self.record(path, own)

        replace_file(path, pieces, self.durable, self.mode, after_its_sidecar)
        self._bad.pop(path, None)

    def note(self, key: Key, facts: Facts) -> None:
        """Write the facts of an entry into its sidecar; the file may be of other origin.

        :raises OSError: where there is no file.
        """
        path = self.path(key)
        with held_folder(os.path.dirname(path)):
            made = self.made_at(path)
            if made is None:
                data, created = read_file(path), os.stat(path).st_mtime
                made = provenance_of(key, "", [data], len(data), created, facts)
            self.record(path, made._replace(key=key, seconds=facts.seconds, made_from=facts.made_from))

    def made(self, key: Key) -> Provenance | None:
        """Return how the file that is there now was made, or None where that is not known."""
        return self.made_at(self.path(key))

    def made_at(self, path: str, data: Bytes | None = None) -> Provenance | None:
        """Return how a file was made; a store whose files say so themselves overrides it, with the next two.

        :param data: the content of the file, if it has been read.
        """
        made = read_sidecar(path)
        return made if is_about(made, path, data) else None

    def record(self, path: str, made: Provenance) -> None:
        """Keep how a file was made."""
        write_sidecar(path, made, self.mode)

    def written_in(self, folder: str, folders: Sequence[str], names: Sequence[str]) -> Iterable[str]:
        """Return the names of the files in a folder that this store has written."""
        return names_in(os.path.join(folder, FOLDER)).intersection(names) if FOLDER in folders else ()

    def folders_of(self, chosen: Selection) -> Iterable[str]:
        """Return the folders that the selected entries lie in or below; by default the one of all."""
        return [self.root]

    def __delitem__(self, key: Key) -> None:
        path = self.path(key)
        if self._has_expired(path) or self._is_of_another(key, path) or not self.remove_at(path):
            raise KeyError(key)

    def _is_of_another(self, key: Key, path: str) -> bool:
        return self.path_of is not None and not self.is_of(key, path)

    def remove_at(self, path: str) -> bool:
        """Remove the file of an entry, and its sidecar; return whether it was there."""
        with held_folder(os.path.dirname(path)):
            try:
                remove_file(path, self.root)
            except FileNotFoundError:
                return False
            finally:
                self._remove_sidecar(path)
        return True

    def _remove_sidecar(self, path: str) -> None:
        remove_sidecar(path)
        for place in {self.claims.path, os.path.join(os.path.dirname(sidecar_of(path)), CLAIMS)}:
            if not os.path.islink(os.path.dirname(place)):
                remove_last(place, self.root)  # also of a store whose root is this file's folder
        remove_empty(os.path.dirname(path), self.root)

    def clear(self) -> None:
        """Delete all entries, without reading their values."""
        self.clear_where()

    def clear_where(self, *, dry_run: bool = False, **selection: Any) -> int:
        paths = [path for path, _ in self._selected(**selection)]
        return len(paths) if dry_run else sum(map(self.remove_at, paths))

    def __contains__(self, key: object) -> bool:
        return is_key(key) and self._live_path(key) is not None

    def __iter__(self) -> Iterator[Key]:
        return (key for key, _ in self._listed(Selection()))

    def _any_keys(self) -> Iterator[Key]:
        for path in written_below(self.root):
            if self._is_live(path) and self.is_own(path) and (key := self._key_at(path)) is not None:
                yield key

    def __len__(self) -> int:
        return sum(1 for _ in self)

    def _listed(self, chosen: Selection) -> Iterator[tuple[Key, str]]:
        """Yield the keys and paths of the entries, as far as the key is selected."""
        return ((key, path) for key, path in self._written(chosen) if self.is_own(path))

    def is_own(self, path: str) -> bool:
        """Return whether a file is the one that this store has written there; another one is of other origin."""
        return self.made_at(path) is not None

    def _written(self, chosen: Selection) -> Iterator[tuple[Key, str]]:
        """Yield the keys and paths of what this store has written, whatever has become of it since."""
        for place, folders, names in chain.from_iterable(map(os.walk, self.folders_of(chosen))):
            written = self.written_in(place, folders, names)
            folders[:] = sorted(name for name in folders if not name.startswith("."))
            for name in sorted(written):
                path = os.path.join(place, name)
                key = self._key_at(path) if self._is_live(path) else None
                if key is not None and chosen.matches(key):
                    yield key, path

    def _key_at(self, path: str) -> Key | None:
        name = Path(os.path.relpath(path, self.root))
        if self.path_of is None and (key := self._key_by_name(name)) is not None:
            return key
        if (made := read_sidecar(path)) is not None:
            with suppress(Exception):  # to a function for other keys, one of another store below may be anything
                if self.path(made.key) == path:
                    return made.key
        return None if self.key_of is None else self.key_of(name)

    def _key_by_name(self, path: Path) -> Key | None:
        name = path.as_posix()
        if self.path_of is not None or not name.endswith(self.suffix):
            return None
        return key_of_path(name[: len(name) - len(self.suffix)])

    def _live_path(self, key: Key) -> str | None:
        path = self.path(key)
        return path if self._is_live(path) and not self._is_of_another(key, path) else None

    def _is_live(self, path: str) -> bool:
        """Return whether a file is there, young enough and not known to be damaged."""
        try:
            facts = os.lstat(path)
        except OSError:
            return False
        if not stat.S_ISREG(facts.st_mode) or self._bad.get(path) == (facts.st_mtime_ns, facts.st_size):
            return False
        return self._is_young(facts)

    def _is_young(self, facts: os.stat_result) -> bool:
        # A date in the future shows a clock that was set back: such a file lives no longer than any other.
        return self.max_age is None or abs(time.time() - facts.st_mtime) < self.max_age

    def _has_expired(self, path: str) -> bool:
        with suppress(OSError):
            return self.max_age is not None and not self._is_young(os.lstat(path))
        return False

    def claim(self, key: Key) -> Claim:
        # Beyond a link no lock file is made either.
        return UNCLAIMED if os.path.islink(os.path.join(self.root, FOLDER)) else self.claims.claim(key)

    def entry(self, key: Key) -> Entry | None:
        path = self._live_path(key)
        return None if path is None else self._entry(key, path)

    def fate(self, key: Key) -> str:
        path = self.path(key)
        return "expired" if self.max_age is not None and os.path.isfile(path) and not self._is_live(path) else ""

    def entries(self, **selection: Any) -> Iterator[Entry]:
        return (entry for _, entry in self._selected(**selection))

    def _selected(self, **selection: Any) -> Iterator[tuple[str, Entry]]:
        chosen = Selection.of(**selection)
        for key, path in self._listed(chosen):
            if (entry := self._entry(key, path)) is not None and chosen.is_due(entry):
                yield path, entry

    def _entry(self, key: Key, path: str) -> Entry | None:
        file = os.path.relpath(path, self.root)
        made = self.made_at(path)
        if made is not None:
            return made.entry(file)._replace(key=key)
        try:
            facts = os.stat(path)
        except OSError:
            return None  # cleared meanwhile
        return Entry(key, self.codec.name, facts.st_size, facts.st_mtime, facts.st_mtime, file=file)

    def verify(self, *, repair: bool = False, progress: Progress | None = None) -> list[str]:
        lines = []
        found = list(self._written(Selection()))
        for number, (_, path) in enumerate(found, 1):
            fault = self._fault(path)
            if fault:
                lines.append(plain(f"{os.path.relpath(path, self.root)}: {fault}"))
                if repair:
                    self.remove_at(path)
            if progress is not None:
                progress(number, len(found))
        return lines

    def _fault(self, path: str) -> str:
        try:
            read_intact(path, self.made_at)
        except DamagedError as error:
            return str(error)
        except FileNotFoundError:
            return ""  # cleared meanwhile
        except OSError as error:
            return f"{type(error).__name__}: {error}"
        return ""

    def gc(self, *, older_than: Age = 600.0, max_bytes: int | str | None = None) -> Collected:
        evicted = self._shrink(max_bytes)
        age = given.seconds("older_than", older_than)
        found = [*collect_temporaries(self.root, age), *collect_sidecars(self.root, age, self._remove_sidecar)]
        remove_last(self.claims.path, self.root)
        return Collected(0, len(found), sum(size for _, size in found), evicted)


class NamedByPlace(FileTarget):
    """A folder of results that are named by where they lie: a file is the entry of every key with its path.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     target = NamedByPlace(folder, lambda key: "state")
    ...     target["by one name", "", ""] = 6
    ...     target["by another", "", ""]
    6
    """

    def is_of(self, key: Key, path: str, data: Bytes | None = None) -> bool:
        """Return True, whatever key it was stored under and whoever wrote it."""
        return True


def _real(path: str) -> str:
    """Resolve the links of a path; of an entry itself only where it is one, since writing replaces the link."""
    return os.path.join(os.path.realpath(os.path.dirname(path)), os.path.basename(path))
