"""How an entry was made, in the one form that every store of files and bytes keeps it in: a line of JSON.

The line ends in a digest of itself. It stands before the encoded value, or in a sidecar beside the value's file.
"""

from __future__ import annotations

import json
import os
from contextlib import suppress
from math import isfinite
from typing import Any, NamedTuple

import xxhash

from ..typing import Bytes, Facts, Key
from .damage import DamagedError
from .facts import Entry
from .filesystem import PRIVATE, digest_of, read_file, refuse_link, remove_file, replace_file
from .steady import digest_noted

__all__ = [
    "FOLDER", "Provenance", "is_about", "is_sealed", "read_line", "read_sidecar", "remove_sidecar", "sealed",
    "sidecar_of", "write_line", "write_sidecar",
]  # fmt: skip

FORMAT = 1
FOLDER = ".made"  # beside the files it is about
_LONGEST = 1 << 24  # bytes
_CHECK = b', "check": "'
_END = b'"}\n'
_HEAD = f'{{"format": {FORMAT}, '.encode()


class Provenance(NamedTuple):
    """Describe an entry and how it was made.

    :param key: the key, three strings.
    :param codec: the name of the codec that encoded the value.
    :param size: of the encoded value, in bytes.
    :param digest: the XXH3-128 of the encoded value, in hex.
    :param created: when it was stored, in seconds since the epoch.
    :param seconds: how long the value took to compute.
    :param made_from: what its key was made from, by name.

    >>> made = Provenance(("a", "fit", "f"), "pickled", 4, "0a", 0.0, 2.0)
    >>> read_line(write_line(made) + b"more") == (made, len(write_line(made)))
    True
    """

    key: Key
    codec: str
    size: int
    digest: str
    created: float
    seconds: float
    made_from: dict[str, Any] = {}  # noqa: RUF012

    def entry(self, file: str | None = None) -> Entry:
        """Return it as what is known of an entry."""
        return Entry(self.key, self.codec, self.size, self.created, self.created, self.seconds, 0, self.made_from, file)


_KINDS: dict[str, Any] = {
    "codec": str,
    "size": int,
    "digest": str,
    "created": (int, float),
    "seconds": (int, float),
    "made_from": dict,
}
_NUMBERS = ("size", "created", "seconds")


def write_line(made: Provenance) -> bytes:
    """Return a provenance as a line of JSON that ends in its digest; where it would be too long, without its origin.

    >>> write_line(Provenance(("a", "fit", "f"), "pickled", 4, "0a", 0.0, 2.0))[:40]
    b'{"format": 1, "key": ["a", "fit", "f"], '
    """
    line = sealed({"format": FORMAT, **made._asdict()}, default=repr)
    if len(line) > _LONGEST and made.made_from:  # as long as is read back
        return write_line(made._replace(made_from={}))
    return line


def sealed(members: dict[str, Any], **options: Any) -> bytes:
    """Return an object as a line of JSON whose last member is the digest of what stands before it.

    :param options: those of :func:`json.dumps`.

    >>> sealed({"format": 1})[:23]
    b'{"format": 1, "check": '
    """
    text = json.dumps(members, **options).encode()[:-1]
    return b"%b%b%b%b" % (text, _CHECK, xxhash.xxh3_128_hexdigest(text).encode(), _END)


def is_sealed(line: bytes) -> bool:
    """Return whether a line is what :func:`sealed` wrote.

    >>> is_sealed(sealed({"format": 1})), is_sealed(b'{"format": 1}\\n')
    (True, False)
    """
    text, _, check = line.rpartition(_CHECK)
    return check == xxhash.xxh3_128_hexdigest(text).encode() + _END


def read_line(data: Bytes) -> tuple[Provenance, int]:
    """Return the provenance that bytes begin with, and where its line ends.

    :raises DamagedError: where there is none, or not what was written.

    >>> read_line(b"something else")
    Traceback (most recent call last):
        ...
    flowly_ckpt.targets.damage.DamagedError: the first of its 14 bytes do not say how it was made
    """
    view = memoryview(data)
    start = bytes(view[: 1 << 16])
    end = start.find(b"\n") + 1 or bytes(view).find(b"\n") + 1
    line = bytes(view[:end])
    if not line.startswith(_HEAD) or not is_sealed(line):
        raise DamagedError(f"the first of its {len(view)} bytes do not say how it was made")
    try:
        found = json.loads(line)
        del found["format"], found["check"]
        key = tuple(found.pop("key"))
        is_key = len(key) == 3 and all(type(part) is str for part in key)
        is_known = is_key and all(isinstance(found[name], kind) for name, kind in _KINDS.items())
        if is_known and all(isfinite(found[name]) for name in _NUMBERS):
            return Provenance(key, **found), end
    except (ValueError, TypeError, KeyError, OverflowError, RecursionError):
        pass
    raise DamagedError("what says how it was made is ill-formed")


def sidecar_of(path: str) -> str:
    """Return the sidecar of a file.

    >>> sidecar_of(os.path.join("results", "fit", "a")).replace(os.sep, "/")
    'results/fit/.made/a'
    """
    folder, name = os.path.split(path)
    return os.path.join(folder, FOLDER, name)


def write_sidecar(path: str, made: Provenance, mode: int = PRIVATE) -> None:
    """Keep a provenance beside the file that it is about.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = os.path.join(folder, "a")
    ...     written = replace_file(path, [b"data"])
    ...     made = provenance_of(("a", "fit", "f"), "pickled", [b"data"], 4, written.st_mtime, Facts(2.0))
    ...     write_sidecar(path, made)
    ...     read_sidecar(path) == made
    True
    """
    replace_file(_own_sidecar(path), [write_line(made)], mode=mode)


def read_sidecar(path: str) -> Provenance | None:
    """Return what the sidecar of a file says, or None where there is none that can be read.

    >>> read_sidecar("/no/such/file") is None
    True
    """
    try:
        return read_line(read_file(_own_sidecar(path), _LONGEST))[0]
    except (OSError, DamagedError):
        return None


def remove_sidecar(path: str) -> None:
    """Remove the sidecar of a file, if it is there, and the folder of sidecars where it is empty then.

    >>> remove_sidecar("/no/such/file")
    """
    with suppress(FileNotFoundError, NotADirectoryError):
        remove_file(_own_sidecar(path), os.path.dirname(path))


def _own_sidecar(path: str) -> str:
    """Return the sidecar of a file; raise where its folder is a link, beyond which nothing is the store's."""
    sidecar = sidecar_of(path)
    refuse_link(os.path.dirname(sidecar))
    return sidecar


def is_about(made: Provenance | None, path: str, data: Bytes | None = None) -> bool:
    """Return whether a sidecar is about the file that is there now, and not about another content.

    :param data: the file's content, if it has been read; else size and time are compared first, then the content.

    >>> is_about(None, "/no/such/file")
    False
    """
    if made is None:
        return False
    try:
        facts = os.stat(path)
        if made.size != facts.st_size:
            return False
        if data is None and made.created == facts.st_mtime:
            return True
        if data is None:
            data = read_file(path)
    except OSError:
        return False
    return digest_of([data]).hex() == made.digest


def provenance_of(key: Key, codec: str, parts: list[Bytes], size: int, created: float, facts: Facts) -> Provenance:
    """Return the provenance of encoded bytes, given in pieces."""
    return Provenance(key, codec, size, digest_noted(parts).hex(), created, facts.seconds, facts.made_from)
