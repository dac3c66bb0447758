"""The folder store: one readable file per entry, named by a function of the key, with its facts in a sidecar."""

from __future__ import annotations

import os
from collections.abc import Hashable, Iterable, Iterator, Sequence
from contextlib import suppress
from typing import Any

from ... import given
from ...typing import Age, Facts, Key
from ..claims import UNCLAIMED, Claim
from ..codecs import Bytes, Codec, checks_itself, codec_given, parts_of, plain_pickle
from ..damage import DamagedError, warn_once
from ..facts import Collected, Entry, Selection, is_key
from ..file_claims import Claims
from ..filesystem import PRIVATE, SHARED, read_file, size_of
from ..protocol import BaseTarget, Progress
from ..provenance import FOLDER, Provenance, is_about, provenance_of, read_sidecar, write_sidecar
from ..regions import remove_last
from . import sidecars
from .living import Living
from .names import FileNames, KeyOf, PathOf
from .upkeep import collect, fault_of, verify

__all__ = ["FileTarget"]

CLAIMS = ".claims.lock"  # in the folder of the sidecars


class FileTarget(BaseTarget):
    """Keep each value in a file of its own below a folder; a damaged or expired file is an absent entry.

    ``FileTarget(root)[key] = value`` survives the process; the file is written beside its place and renamed into it.
    Facts about it are kept in a sidecar, ``.made/<name>``. Where several keys have one path, the file is the entry of
    the key it was stored under last, and no other's. Files of other origin, also in the place of an entry, are
    read where the codec can check them, but neither listed nor deleted.

    :param root: the folder; made when the first entry is stored.
    :param path_of: returns the file of a key, relative to ``root``; by default ``tag/object.transform``, quoted so that
        it is a name on every system.
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
        path_of = given.optional(given.function, "path_of", path_of, "a key that returns a path")
        key_of = given.optional(given.function, "key_of", key_of, "a path that returns a key")
        self.codec = codec_given(codec)
        self.max_age = given.optional(given.seconds, "max_age", max_age)
        self.names = FileNames(self.root, path_of, key_of, given.text("suffix", suffix))
        self.durable = given.switch("durable", durable)
        self.mode = SHARED if given.switch("shared", shared) else PRIVATE
        timeout = given.seconds("claim_timeout", claim_timeout)
        self.claims = Claims(os.path.join(self.root, FOLDER, CLAIMS), timeout, self.mode, self.root)
        self._living = Living(self.max_age)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.root!r})"

    @property
    def place(self) -> Hashable:
        return (type(self), self.root, self.names.path_of, self.names.suffix)

    def path(self, key: Key) -> str:
        """Return where the entry of a key lies, whether it is there or not.

        :raises StoreError: when that is outside the root, or inside by name and outside by a link.
        """
        return self.names.path(key)

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
        if not self._living.has(path):
            raise KeyError(key)
        try:
            data = read_file(path) if checks_itself(self.codec) else sidecars.read_intact(path, self.made_at)
            if data is not None and not self.is_of(key, path, data):
                if self.names.are_keys:  # its name is its key: it was moved here, with its sidecar
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
        """Return whether a file is the entry of a key, rather than of another one that has the same path."""
        made = read_sidecar(path)
        if is_about(made, path, data):
            return made is not None and made.key == key
        if self.names.key_of is not None and not self.names.are_keys:
            return self.names.key_told(path) == key
        # Of other origin; else its sidecar is of a file that was to be, or was, in its place.
        return self.names.are_keys or made is None

    def condemn(self, key: Key, what: object) -> None:
        """Warn that an entry is damaged, and count it as absent until it is written again."""
        path = self.path(key)
        warn_once(self.root, os.path.relpath(path, self.root), what, of=self._living.condemn(path))

    def __setitem__(self, key: Key, value: Any) -> None:
        self.put(key, value, Facts(0.0))

    def put(self, key: Key, value: Any, facts: Facts) -> None:
        self.write_bytes(key, self.encode(key, value, facts), facts)

    def write_bytes(self, key: Key, parts: Sequence[Bytes], facts: Facts | None = None, codec: str = "") -> None:
        path, pieces = self.path(key), list(parts)
        name, size, known = codec or self.codec.name, size_of(pieces), facts or Facts(0.0)
        made = provenance_of(key, name, pieces, size, 0.0, known)
        sidecars.replace_with_sidecar(path, pieces, made, self.record, self.durable, self.mode)
        self._living.absolve(path)

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
        return sidecars.names_in(os.path.join(folder, FOLDER)).intersection(names) if FOLDER in folders else ()

    def folders_of(self, chosen: Selection) -> Iterable[str]:
        """Return the folders that the selected entries lie in or below; by default the one of all."""
        return [self.root]

    def __delitem__(self, key: Key) -> None:
        path = self.path(key)
        if self._living.has_expired(path) or self._is_of_another(key, path) or not self.remove_at(path):
            raise KeyError(key)

    def _is_of_another(self, key: Key, path: str) -> bool:
        return not self.names.are_keys and not self.is_of(key, path)

    def remove_at(self, path: str) -> bool:
        """Remove the file of an entry, and its sidecar; return whether it was there."""
        return sidecars.remove_with_sidecar(path, self.root, self._remove_locks)

    def _remove_locks(self, folder: str) -> None:
        """Remove the files of claims that nobody uses; a store below may have left one in a folder of sidecars."""
        for place in {self.claims.path, os.path.join(folder, CLAIMS)}:
            if not os.path.islink(os.path.dirname(place)):
                remove_last(place, self.root)

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
        for path in sidecars.written_below(self.root):
            if self._living.has(path) and self.is_own(path) and (key := self.key_at(path)) is not None:
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
        for path in sidecars.files_in(self.folders_of(chosen), self.written_in):
            key = self.key_at(path) if self._living.has(path) else None
            if key is not None and chosen.matches(key):
                yield key, path

    def key_at(self, path: str) -> Key | None:
        """Return the key of a file that this store has written, or None where it is not known."""
        if (key := self.names.key(path)) is not None:
            return key
        if (made := read_sidecar(path)) is not None:
            with suppress(Exception):  # to a function for other keys, one of another store below may be anything
                if self.path(made.key) == path:
                    return made.key
        return self.names.key_told(path)

    def _live_path(self, key: Key) -> str | None:
        path = self.path(key)
        return path if self._living.has(path) and not self._is_of_another(key, path) else None

    def claim(self, key: Key) -> Claim:
        # Beyond a link no lock file is made either.
        return UNCLAIMED if os.path.islink(os.path.join(self.root, FOLDER)) else self.claims.claim(key)

    def entry(self, key: Key) -> Entry | None:
        path = self._live_path(key)
        return None if path is None else self.entry_at(key, path)

    def fate(self, key: Key) -> str:
        path = self.path(key)
        return "expired" if self.max_age is not None and os.path.isfile(path) and not self._living.has(path) else ""

    def entries(self, **selection: Any) -> Iterator[Entry]:
        return (entry for _, entry in self._selected(**selection))

    def _selected(self, **selection: Any) -> Iterator[tuple[str, Entry]]:
        chosen = Selection.of(**selection)
        for key, path in self._listed(chosen):
            if (entry := self.entry_at(key, path)) is not None and chosen.is_due(entry):
                yield path, entry

    def entry_at(self, key: Key, path: str) -> Entry | None:
        """Return what is known of the entry in a file, or None where it has gone."""
        return sidecars.entry_in(path, key, self.root, self.made_at(path), self.codec.name)

    def verify(self, *, repair: bool = False, progress: Progress | None = None) -> list[str]:
        paths = [path for _, path in self._written(Selection())]
        return verify(self.root, paths, self.fault_at, self.remove_at if repair else None, progress)

    def fault_at(self, path: str) -> str:
        """Return what is wrong with the file of an entry, or an empty text; raise OSError where it cannot be read."""
        return fault_of(path, self.made_at)

    def gc(self, *, older_than: Age = 600.0, max_bytes: int | str | None = None) -> Collected:
        evicted = self._shrink(max_bytes)
        found = collect(self.root, given.seconds("older_than", older_than), self._remove_locks)
        remove_last(self.claims.path, self.root)
        return found._replace(evicted=evicted)
