"""A target of one readable file per entry, named by a function of the key."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator, MutableMapping
from contextlib import AbstractContextManager, suppress
from typing import TYPE_CHECKING, Any

from ..errors import StoreError
from ..typing import Facts, Key
from .claims import Claims
from .clearing import Selection, clear_keys
from .codecs import Bytes, Codec, parts_of, plain_pickle
from .damage import warn_once
from .names import key_of_path, path_of_key
from .writing import collect_temporaries, is_temporary, replace_file

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["FileTarget"]

PathOf = Callable[[Key], "str | Path"]
KeyOf = Callable[["Path"], "Key | None"]


class FileTarget(MutableMapping[Key, Any]):
    """Keep each value in a file of its own below a folder; a damaged or expired file is an absent entry.

    ``FileTarget(root)[key] = value`` survives the process; the file is written beside its place and renamed into it.

    :param root: the folder; made when the first entry is stored.
    :param path_of: gives the file of a key, relative to ``root``; by default ``tag/object.transform``, quoted so that
        it is a name on every system.
    :param key_of: gives the key of a file's path relative to ``root``, None for a stranger's file. Without it a
        target with its own ``path_of`` cannot be listed.
    :param codec: turns values into the file's bytes.
    :param max_age: seconds; an older file counts as absent, and stays.
    :param suffix: ends the default file names.
    :param durable: wait at each store until the disk has it.
    :param claim_timeout: seconds to wait for another process that computes the same key.
    :raises StoreError: for an entry whose path would lie outside ``root``; for listing without ``key_of``.

    >>> import pathlib, pickle, tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     target = FileTarget(folder, lambda key: f"{key[1]}.pkl", lambda path: ("", path.stem, ""))
    ...     target["", "primes", ""] = [2, 3, 5]
    ...     (list(target), pickle.loads(pathlib.Path(folder, "primes.pkl").read_bytes()))
    ([('', 'primes', '')], [2, 3, 5])

    See also: :class:`flowly_ckpt.targets.DiskTarget`, which is faster and bounded, and whose files nobody reads.
    """

    isolates = True

    def __init__(
        self,
        root: str | os.PathLike[str],
        path_of: PathOf | None = None,
        key_of: KeyOf | None = None,
        *,
        codec: Codec = plain_pickle,
        max_age: float | None = None,
        suffix: str = "",
        durable: bool = False,
        claim_timeout: float = 3600.0,
    ) -> None:
        self.root = os.path.abspath(os.path.expanduser(root))
        self.path_of = path_of
        self.key_of = key_of
        self.codec = codec
        self.max_age = max_age
        self.suffix = suffix
        self.durable = durable
        self.claims = Claims(os.path.join(self.root, ".claims"), claim_timeout)
        self._bad: dict[str, tuple[int, int]] = {}

    def __repr__(self) -> str:
        return f"FileTarget({self.root!r})"

    def path(self, key: Key) -> str:
        """Return where the entry of a key lies, whether it is there or not.

        :raises StoreError: when that is outside the root, or inside by name and outside by a link.
        """
        name = self.path_of(key) if self.path_of is not None else path_of_key(key) + self.suffix
        path = os.path.normpath(os.path.join(self.root, name))
        inside = self.root if self.root.endswith(os.sep) else self.root + os.sep
        hidden = path.startswith(self.claims.folder + os.sep)
        real = os.path.realpath(self.root)
        if not path.startswith(inside) or hidden or os.path.commonpath([real, _real(path)]) != real:
            raise StoreError(f"{self.root}: the entry {key} would lie at {name}, outside the folder; name it otherwise")
        return path

    def __getitem__(self, key: Key) -> Any:
        data = self.read_bytes(key)
        try:
            return self.codec.loads(data)
        except Exception as error:  # unpickling damaged bytes may raise anything
            self.condemn(key, error)
            raise KeyError(key) from error

    def read_bytes(self, key: Key) -> Bytes:
        """Return the stored bytes of an entry.

        :raises KeyError: when there are none, they have expired or are known to be damaged.
        """
        path = self.path(key)
        if not self._is_live(path):
            raise KeyError(key)
        try:
            with open(path, "rb") as file:
                data = bytearray(os.fstat(file.fileno()).st_size)  # writable, so that arrays can lie in it
                del data[file.readinto(data) :]
                return data
        except (FileNotFoundError, IsADirectoryError, NotADirectoryError):
            raise KeyError(key) from None

    def condemn(self, key: Key, what: object) -> None:
        """Warn that an entry is damaged, and count it as absent until it is written again."""
        path = self.path(key)
        with suppress(OSError):
            facts = os.stat(path)
            self._bad[path] = (facts.st_mtime_ns, facts.st_size)
        warn_once(self.root, os.path.relpath(path, self.root), what, stacklevel=5, of=self._bad.get(path))

    def __setitem__(self, key: Key, value: Any) -> None:
        self.write_bytes(key, parts_of(self.codec, value))

    def put(self, key: Key, value: Any, facts: Facts) -> None:
        """Store a value; what is known of it beside the value is not kept."""
        self[key] = value

    def write_bytes(self, key: Key, parts: list[Bytes], facts: Facts | None = None, codec: str = "") -> None:
        """Store encoded bytes, given in pieces."""
        path = self.path(key)
        replace_file(path, parts, self.durable)
        self._bad.pop(path, None)

    def __delitem__(self, key: Key) -> None:
        path = self.path(key)
        try:
            os.unlink(path)
        except (FileNotFoundError, IsADirectoryError, NotADirectoryError):
            raise KeyError(key) from None
        folder = os.path.dirname(path)
        with suppress(OSError):  # folders that are empty now go too; the others refuse
            while folder != self.root:
                os.rmdir(folder)
                folder = os.path.dirname(folder)

    def clear(self) -> None:
        """Delete all entries, without reading them."""
        self.clear_where()

    def __contains__(self, key: object) -> bool:
        return self._is_live(self.path(key))  # type: ignore[arg-type]

    def __iter__(self) -> Iterator[Key]:
        return (key for key, _ in self._entries())

    def __len__(self) -> int:
        return sum(1 for _ in self._entries())

    def _entries(self) -> Iterator[tuple[Key, str]]:
        from pathlib import Path

        key_of = self._key_of()
        for place, folders, names in os.walk(self.root):
            folders[:] = [name for name in folders if not name.startswith(".")]
            for name in names:
                path = os.path.join(place, name)
                key = None if is_temporary(name) else key_of(Path(os.path.relpath(path, self.root)))
                if key is not None and self._is_live(path):
                    yield key, path

    def _key_of(self) -> KeyOf:
        if self.key_of is not None:
            return self.key_of
        if self.path_of is not None:
            raise StoreError(f"{self.root}: files named by {self.path_of!r} cannot be listed; give key_of as well")
        return self._key_of_default

    def _key_of_default(self, path: Path) -> Key | None:
        name = path.as_posix()
        return key_of_path(name[: len(name) - len(self.suffix)]) if name.endswith(self.suffix) else None

    def _is_live(self, path: str) -> bool:
        """Tell whether a file is there, young enough and not known to be damaged."""
        try:
            facts = os.stat(path)
        except OSError:
            return False
        if not os.path.isfile(path) or self._bad.get(path) == (facts.st_mtime_ns, facts.st_size):
            return False
        # A date in the future shows a clock that was set back: such a file lives no longer than any other.
        return self.max_age is None or abs(time.time() - facts.st_mtime) <= self.max_age

    def claim(self, key: Key) -> AbstractContextManager[None]:
        """Hold the claim to compute a key among processes; wait while another holds it."""
        return self.claims.claim(key)

    def clear_where(self, **selection: Any) -> int:
        """Delete the entries selected, as :meth:`flowly_ckpt.targets.DiskTarget.clear_where` does; return how many."""
        chosen = Selection(**selection)
        return clear_keys(self, chosen, lambda key: os.stat(self.path(key)).st_mtime)

    def gc(self, older_than: float = 3600.0) -> int:
        """Remove what killed writers left, if it is older than so many seconds; return how many files."""
        return sum(1 for _ in collect_temporaries(self.root, older_than))


def _real(path: str) -> str:
    """Resolve the links of a path; of an entry itself only where it is one, since writing replaces the link."""
    return os.path.join(os.path.realpath(os.path.dirname(path)), os.path.basename(path))
