"""The embedded default: an SQLite index with small values inline, large ones in files beside it."""

from __future__ import annotations

import os
import weakref
from collections.abc import MutableMapping
from contextlib import AbstractContextManager
from functools import partial
from typing import Any

from ..typing import Key
from .blobs import Blobs
from .claims import Claims
from .codecs import Codec, pickled
from .damage import warn_once
from .index import Index
from .opening import check_folder
from .reading import Reading
from .storing import Storing
from .upkeep import Upkeep
from .uses import Uses

__all__ = ["DiskTarget"]


class DiskTarget(Reading, Storing, Upkeep, MutableMapping[Key, Any]):
    """Keep results in a folder: fast, whole or not at all, shared by any number of threads and processes.

    ``DiskTarget(path)[key] = value`` and then ``DiskTarget(path)[key] == value`` in every later process

    :param path: the folder; made, for its owner only, when the first entry is stored.
    :param codec: turns values into bytes; entries of other codecs stay readable, except that a codec which runs no
        code never lets one that does.
    :param verify: ``True`` checks each value against its digest; ``"lazy"`` leaves large ones to :meth:`verify`.
    :param max_bytes: evict what saves the least time per byte when the values exceed this.
    :param max_age: seconds; older entries count as absent, and :meth:`gc` deletes them.
    :param inline_bytes: values of at most this encoded size lie in the index, larger ones in files.
    :param durable: wait at each store until the disk has it, so that it survives a loss of power.
    :param claim_timeout: seconds to wait for a living process that computes the same key.
    :raises StoreError: when the path is something else, of another format, or on a network file system.

    >>> import tempfile
    >>> folder = tempfile.TemporaryDirectory()
    >>> target = DiskTarget(folder.name)
    >>> target["object", "tag", "transform"] = [1, 2]
    >>> DiskTarget(folder.name)["object", "tag", "transform"]
    [1, 2]
    >>> target.close(); folder.cleanup()

    See also: :class:`flowly_ckpt.targets.FileTarget`, :class:`flowly_ckpt.targets.RemoteTarget`.
    """

    isolates = True

    def __init__(
        self,
        path: str | os.PathLike[str],
        *,
        codec: Codec = pickled,
        verify: bool | str = True,
        max_bytes: int | None = None,
        max_age: float | None = None,
        inline_bytes: int = 32_768,
        durable: bool = False,
        claim_timeout: float = 3600.0,
    ) -> None:
        if verify not in (True, "lazy"):
            raise ValueError(f"verify is True or 'lazy', not {verify!r}")
        self.path = os.path.abspath(os.path.expanduser(path))
        self.options = {"codec": codec, "verify": verify, "max_bytes": max_bytes, "max_age": max_age,
                        "inline_bytes": inline_bytes, "durable": durable, "claim_timeout": claim_timeout}  # fmt: skip
        self.codec = codec
        self.max_bytes = max_bytes
        self.max_age = max_age
        self.inline_bytes = inline_bytes
        self.verifies_large = verify is True
        check_folder(self.path)
        self._index = Index(self.path, partial(warn_once, self.path, None, stacklevel=8), durable)
        self._blobs = Blobs(os.path.join(self.path, "blobs"), durable)
        self._claims = Claims(os.path.join(self.path, "claims"), claim_timeout)
        self._uses = Uses(self._index)
        weakref.finalize(self, self._uses.close)  # when nobody refers to the target any more, or at exit

    def __repr__(self) -> str:
        return f"DiskTarget({self.path!r})"

    def __reduce__(self) -> tuple[Any, ...]:
        return (_again, (self.path, self.options))

    def __eq__(self, other: object) -> bool:
        # By place: comparing contents, as mappings do, would read all of both.
        return isinstance(other, DiskTarget) and (self.path, self.codec) == (other.path, other.codec)

    def __hash__(self) -> int:
        return hash(self.path)

    def clear(self) -> None:
        """Delete all entries."""
        self.clear_where()

    def claim(self, key: Key) -> AbstractContextManager[None]:
        """Hold the claim to compute a key among processes; wait while another holds it."""
        return self._claims.claim(key)

    def close(self) -> None:
        """Write what is noted of uses and close the connections; the next access opens them again."""
        self._uses.close()


def _again(path: str, options: dict[str, Any]) -> DiskTarget:
    return DiskTarget(path, **options)
