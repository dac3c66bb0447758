"""Where in the folder of a cache an entry lies, and how its files are read."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import Any

import xxhash

from ..targets.codecs import Bytes
from ..targets.damage import DamagedError
from ..targets.key_names import quoted, unquoted
from ..typing import Key

__all__ = ["RECORD", "digest_of_pieces", "entry_of", "fetch", "folder_of", "keys_in", "size_of", "unfinished"]

RECORD = "cache.json"


@lru_cache(4096)
def folder_of(tag: str) -> str:
    """Return the folder of a recipe, from the root of the cache, by its tag ``module:name``.

    >>> folder_of("pkg.steps:load").replace(os.sep, "/")
    'pkg/steps/load'
    """
    module, _, name = tag.rpartition(":")
    return os.path.join(*map(quoted, module.split(".")), quoted(name))


def entry_of(key: Key) -> str:
    """Return the folder of an entry, from that of its recipe.

    >>> entry_of(("0a", "steps:load", "1b"))
    '0a.1b'
    """
    return f"{quoted(key[0])}.{quoted(key[2])}"


def keys_in(root: str) -> Iterator[Key]:
    """List the keys of the entries below the root of a cache; strangers' files are passed over.

    >>> list(keys_in("/no/such/folder"))
    []
    """
    for place, folders, names in os.walk(root):
        folders[:] = [name for name in folders if not name.startswith(".")]
        if RECORD in names:
            *module, name, entry = os.path.relpath(place, root).split(os.sep)
            obj, _, code = entry.partition(".")
            try:
                yield (unquoted(obj), f"{'.'.join(map(unquoted, module))}:{unquoted(name)}", unquoted(code))
            except ValueError:
                continue


def unfinished(root: str, older_than: float) -> Iterator[str]:
    """List the folders of entries that were never finished: they have no record, and have not changed for a while.

    :param older_than: seconds since the last change.

    >>> list(unfinished("/no/such/folder", 0))
    []
    """
    for place, folders, names in os.walk(root):
        folders[:] = [name for name in folders if not name.startswith(".")]
        if "." in os.path.basename(place) and place != root and not folders and RECORD not in names:
            try:
                old = time.time() - os.stat(place).st_mtime >= older_than
            except FileNotFoundError:
                continue  # someone else was faster
            if old:
                yield place


def size_of(path: str) -> int:
    """Return the size of a file in bytes, or -1 where there is none.

    >>> size_of("/no/such/file")
    -1
    """
    try:
        return os.stat(path).st_size
    except OSError:
        return -1


def digest_of_pieces(pieces: Sequence[Bytes]) -> str:
    """Return the digest of a file that is given in pieces.

    >>> digest_of_pieces([b"ab", b"c"]) == digest_of_pieces([b"abc"])
    True
    """
    hasher = xxhash.xxh3_128()
    for piece in pieces:
        hasher.update(piece)
    return str(hasher.hexdigest())


def fetch(path: str, part: Sequence[Any]) -> bytearray:
    """Read a file of the cache, and see that it is what was written.

    :param part: its name, size and digest.
    :raises DamagedError: when it is another, or not there.

    >>> import tempfile
    >>> with tempfile.NamedTemporaryFile() as file:
    ...     fetch(file.name, ["part", 0, digest_of_pieces([])])
    bytearray(b'')
    """
    data = bytearray(part[1])
    try:
        with open(path, "rb", buffering=0) as file:
            view, done = memoryview(data), 0
            while count := file.readinto(view[done:]):
                done += count
    except OSError as error:
        raise DamagedError(f"{path} cannot be read: {error}") from error
    if done != part[1] or digest_of_pieces([data]) != part[2]:
        raise DamagedError(f"{path} is not what was written")
    return data
