"""Whether a folder is a store of ours, may become one, or must be left alone."""

from __future__ import annotations

import os

from ...errors import StoreError
from ...wording import plain
from ..filesystem import PRIVATE, is_temporary, make_folder, open_file, read_file, read_into, replace_file

__all__ = [
    "APPLICATION", "BLOBS", "CLAIMS", "EVICTED", "FORMAT", "check_folder", "index_files", "mark_folder", "network_of",
    "next_index",
]  # fmt: skip

FORMAT = 2
APPLICATION = 0x464C4F57  # SQLite's application_id of our indexes: "FLOW"
MARKER = "flowly-ckpt.txt"
_FIRST_LINE = "flowly-ckpt store, format "
_MARKER_TEXT = (
    f"{_FIRST_LINE}{FORMAT}\nLook into it with `flowly-ckpt ls` and `flowly-ckpt stats`; any part may be deleted.\n"
)
BLOBS, CLAIMS, EVICTED = "blobs", "claims.lock", "evicted"
# All that a store writes into its folder but indexes, which say themselves whose they are, and temporary files.
_OWN = {BLOBS, CLAIMS, EVICTED, MARKER}
_LOGS = "-wal", "-shm", "-journal"  # what SQLite adds to the name of an index

# Where SQLite's write-ahead log cannot work: its shared memory does not reach other machines.
_NETWORK = {"9p", "afs", "beegfs", "ceph", "cifs", "davfs", "fuse.davfs", "fuse.glusterfs", "fuse.rclone", "fuse.s3fs",
            "fuse.sshfs", "gfs2", "glusterfs", "lustre", "ncpfs", "nfs", "nfs4", "ocfs2", "smb3", "smbfs"}  # fmt: skip


def check_folder(path: str) -> bool:
    """Return whether a folder holds a store already; touch nothing.

    :raises StoreError: when it is something else, of another format, or where a store cannot be safe.

    >>> check_folder("/no/such/folder")
    False
    """
    try:
        names = set(os.listdir(path))
    except FileNotFoundError:
        return False
    except NotADirectoryError:
        raise StoreError(f"{path}: is a file, not a folder of results; choose another path") from None
    except PermissionError:
        raise StoreError(f"{path}: you may not read this folder; choose another, or ask its owner") from None
    kind = network_of(path)
    if kind:
        raise StoreError(
            f"{path}: is on a network file system ({kind}), where a DiskTarget would be corrupted; "
            "use FileTarget or RemoteTarget there"
        )
    version = _marked(os.path.join(path, MARKER))
    if version == FORMAT:
        return True
    if version is not None and not any(_is_index(os.path.join(path, name), FORMAT) for name in index_files(path)):
        raise StoreError(
            f"{path}: store of format {version}, this version reads format {FORMAT}; choose another folder"
        )
    return _unmarked(path, names)


def _unmarked(path: str, names: set[str]) -> bool:
    """Judge a folder whose marker is missing or unreadable."""
    indexes = index_files(path)
    if any(_is_index(os.path.join(path, name)) for name in indexes):
        return True
    others = {name for name in names - _OWN if not (is_temporary(name) or _is_log(name))}
    if others:
        some = plain(", ".join(sorted(others)[:3]))
        raise StoreError(f"{path}: not a store of this library ({some} in it); choose another folder")
    return False


def _is_log(name: str) -> bool:
    """Return whether a file is what SQLite leaves beside an index, also where the index itself was deleted."""
    return any(name.endswith(end) and _is_index_name(name.removesuffix(end)) for end in _LOGS)


def _marked(path: str) -> int | None:
    try:
        line = read_file(path, 1000).decode().partition("\n")[0]
    except (OSError, UnicodeDecodeError):
        return None
    number = line.removeprefix(_FIRST_LINE)
    return int(number) if line != number and number.isdecimal() else None


def _is_index(path: str, version: int | None = None) -> bool:
    # Only reached where the marker is damaged: opening and closing the file would drop the locks that SQLite
    # connections of this very process hold on it.
    try:
        descriptor = open_file(path)
    except OSError:
        return False
    try:
        head = bytes(read_into(descriptor, 100))
    finally:
        os.close(descriptor)
    is_ours = head[:16] == b"SQLite format 3\0" and head[68:72] == APPLICATION.to_bytes(4, "big")
    return is_ours and (version is None or head[60:64] == version.to_bytes(4, "big"))


def mark_folder(path: str, mode: int = PRIVATE) -> None:
    """Make a folder a store: by default only for its owner, with a note for people who wonder what it is.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     mark_folder(f"{folder}/results"), check_folder(f"{folder}/results")
    (None, True)
    """
    make_folder(path, mode)
    replace_file(os.path.join(path, MARKER), [_MARKER_TEXT.encode()], mode=mode)


def index_files(path: str) -> list[str]:
    """Return the names of a store's indexes, the valid one last; a damaged one is followed by a new generation.

    >>> index_files("/no/such/folder")
    []
    """
    try:
        names = os.listdir(path)
    except OSError:
        return []
    numbers = {_generation(name): name for name in names if _is_index_name(name)}
    return [numbers[number] for number in sorted(numbers)]


def _is_index_name(name: str) -> bool:
    return name.startswith("index") and name.endswith(".sqlite") and _generation(name) > 0


def next_index(path: str) -> str:
    """Return the path of the generation after an index.

    >>> next_index("results/index.sqlite"), next_index("results/index-2.sqlite")
    ('results/index-2.sqlite', 'results/index-3.sqlite')
    """
    folder, name = os.path.split(path)
    return os.path.join(folder, f"index-{_generation(name) + 1}.sqlite")


def _generation(name: str) -> int:
    number = name.removeprefix("index").removesuffix(".sqlite")
    return 1 if not number else int(number[1:]) if number[:1] == "-" and number[1:].isdecimal() else 0


def network_of(path: str, mounts: str | None = None) -> str:
    """Return the kind of network file system a path lies on, or an empty string for a local one.

    :param mounts: text in the form of ``/proc/self/mountinfo``, which is read where there is one.

    >>> network_of("/mnt/share/results", "36 35 0:29 / /mnt/share rw - nfs4 server:/share rw")
    'nfs4'
    >>> network_of("/home/me", "36 35 8:1 / / rw - ext4 /dev/sda1 rw")
    ''
    """
    real = os.path.realpath(path)
    if mounts is None:
        try:
            if os.major(os.stat(real).st_dev):
                return ""  # a device of its own, so not the network
            with open("/proc/self/mountinfo", encoding="utf-8", errors="replace") as file:
                mounts = file.read()
        except (OSError, AttributeError):
            return ""
    best, kind = "", ""
    for line in mounts.splitlines():
        before, _, after = line.partition(" - ")
        place = before.split(" ")[4].replace("\\040", " ")
        inside = real == place or real.startswith(place.rstrip("/") + "/")
        if inside and len(place) >= len(best):
            best, kind = place, after.split(" ")[0]
    return kind if kind in _NETWORK else ""
