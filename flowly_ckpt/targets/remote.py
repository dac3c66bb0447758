"""A target on any file system that fsspec knows: S3, GCS, HTTP stores, memory, plain folders."""

from __future__ import annotations

import os
from collections.abc import Hashable, Iterator, MutableMapping
from typing import Any

from .. import given
from .codecs import Codec, pickled
from .facts import key_given
from .filesystem import is_temporary, replace_file
from .key_names import key_of_path, path_of_key
from .serialized import Serialized

__all__ = ["RemoteTarget"]


class RemoteTarget(Serialized):
    """Keep each entry as an object below an address; damage is noticed, whole objects replace each other.

    Processes may share it; each stores whole objects, so the worst of two at once is that both compute.

    :param url: such as ``s3://bucket/results``, ``memory://results`` or ``file:///net/results``.
    :param codec: turns values into bytes.
    :param storage_options: what fsspec's file system takes, such as credentials.
    :raises ModuleNotFoundError: where fsspec, or what it needs for the address, is not installed.

    >>> target = RemoteTarget("memory://results")
    >>> target["object", "tag", "transform"] = [1, 2]
    >>> target["object", "tag", "transform"], len(target), target.clear()
    ([1, 2], 1, None)

    See also: :class:`flowly_ckpt.targets.Layered`, to keep what is read near.
    """

    def __init__(self, url: str, codec: Codec = pickled, **storage_options: Any) -> None:
        if "://" not in given.text("url", url):
            raise ValueError(
                f"url must be an address such as 's3://bucket/results', got {url!r}; write DiskTarget({url!r})"
            )
        super().__init__(_Objects(url, storage_options), codec, path_of_key, key_of_path)
        self.url = url

    def __repr__(self) -> str:
        return f"RemoteTarget({self.url!r})"

    @property
    def place(self) -> Hashable:
        return (RemoteTarget, self.url)

    def name(self, key: tuple[str, str, str]) -> str:
        """Return the path of a key below the address."""
        return path_of_key(key_given(key))


class _Objects(MutableMapping[str, bytes]):
    """The objects below an address of fsspec, by their paths."""

    def __init__(self, url: str, options: dict[str, Any]) -> None:
        try:
            from fsspec.core import url_to_fs
        except ModuleNotFoundError as error:
            raise ModuleNotFoundError(
                "RemoteTarget needs fsspec: run `pip install fsspec`, for s3:// also s3fs"
            ) from error
        self._made_by = (url, options)
        self.system, root = url_to_fs(url, **options)
        self.root = root.rstrip("/")
        protocols = self.system.protocol
        self.is_local = "file" in ((protocols,) if isinstance(protocols, str) else protocols)

    def __reduce__(self) -> tuple[Any, ...]:
        return (_Objects, self._made_by)

    def _path(self, name: str) -> str:
        return f"{self.root}/{name}"

    def __getitem__(self, name: str) -> bytes:
        try:
            return bytes(self.system.cat_file(self._path(name)))
        except (FileNotFoundError, IsADirectoryError, NotADirectoryError):
            raise KeyError(name) from None

    def __setitem__(self, name: str, data: bytes) -> None:
        path = self._path(name)
        if self.is_local:  # elsewhere a write is whole by itself
            replace_file(path, [data])
        else:
            self.system.pipe_file(path, data)

    def __delitem__(self, name: str) -> None:
        if name not in self:
            raise KeyError(name)
        self.system.rm_file(self._path(name))

    def __contains__(self, name: object) -> bool:
        self.system.invalidate_cache(os.path.dirname(self._path(str(name))))
        return bool(self.system.isfile(self._path(str(name))))

    def __iter__(self) -> Iterator[str]:
        self.system.invalidate_cache()
        try:
            paths = self.system.find(self.root)
        except FileNotFoundError:
            return
        for path in paths:
            if not is_temporary(path.rpartition("/")[2]):
                yield path[len(self.root) + 1 :]

    def __len__(self) -> int:
        return sum(1 for _ in self)
