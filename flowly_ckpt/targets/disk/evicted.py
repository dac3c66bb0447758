"""What a store has evicted, for those who ask why it is not there: a file of short digests of keys."""

from __future__ import annotations

import os
from collections.abc import Iterable
from contextlib import suppress

from ...typing import Key
from ..claims import digest_of_key
from ..filesystem import PRIVATE, read_file, replace_file
from .folder import EVICTED

__all__ = ["forget_evicted", "note_evicted", "was_evicted"]

SIZE = 8  # bytes of a digest
MOST = 8192  # digests


def note_evicted(folder: str, keys: Iterable[Key], mode: int = PRIVATE) -> None:
    """Remember that entries were evicted; the earliest are forgotten where there are many.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     note_evicted(folder, [("a", "fit", "f")])
    ...     was_evicted(folder, ("a", "fit", "f")), was_evicted(folder, ("b", "fit", "f"))
    (True, False)
    """
    known = _read(folder) + b"".join(map(_digest, keys))
    with suppress(OSError):  # to remember is not worth a failure
        replace_file(os.path.join(folder, EVICTED), [known[-MOST * SIZE :]], mode=mode)


def was_evicted(folder: str, key: Key) -> bool:
    """Return whether an entry that is absent was evicted.

    >>> was_evicted("/no/such/folder", ("a", "fit", "f"))
    False
    """
    known, wanted = _read(folder), _digest(key)
    return any(known[at : at + SIZE] == wanted for at in range(0, len(known), SIZE))


def forget_evicted(folder: str) -> None:
    """Forget all, as when entries are cleared, which may have been evicted and stored again before.

    >>> forget_evicted("/no/such/folder")
    """
    with suppress(OSError):
        os.unlink(os.path.join(folder, EVICTED))


def _read(folder: str) -> bytes:
    try:
        return bytes(read_file(os.path.join(folder, EVICTED), MOST * SIZE))
    except OSError:
        return b""


def _digest(key: Key) -> bytes:
    return digest_of_key(key)[:SIZE]
