"""What holds for all recipes of a process: whether and where results are kept, and what counts of outside files."""

from __future__ import annotations

import enum
import os
from pathlib import Path
from typing import ClassVar

from ..errors import FlowlyError

__all__ = ["AlkymiConfig", "CacheType", "FileChecksumMethod", "SingletonError"]


class SingletonError(FlowlyError, RuntimeError):
    """Say that there is one configuration, and how to get it.

    >>> issubclass(SingletonError, RuntimeError)
    True
    """


class CacheType(enum.Enum):
    """Tell of a recipe whether its results are kept on disk; ``Auto`` follows the configuration.

    >>> CacheType.Auto.name
    'Auto'
    """

    Cache = 0
    NoCache = 1
    Auto = 2


class FileChecksumMethod(enum.Enum):
    """Tell what counts of a file outside the cache that a result names: its content, or when it was last written.

    >>> [method.name for method in FileChecksumMethod]
    ['HashContents', 'ModificationTimestamp']
    """

    HashContents = 0
    ModificationTimestamp = 1


class AlkymiConfig:
    """Hold the configuration of all recipes; :meth:`get` returns the one there is.

    ``cache``
        whether recipes of type ``CacheType.Auto`` keep results on disk; True. Read when a recipe is made.
    ``cache_path``
        the folder that ``.alkymi_cache`` lies in; None, the default, is the working directory. Read when a recipe
        is made.
    ``allow_pickling``
        whether values that have no other form may be pickled, and pickles in the cache loaded; True. Without it,
        reading a cache cannot run code.
    ``file_checksum_method``
        what counts of files outside the cache; ``FileChecksumMethod.HashContents``.

    :raises SingletonError: when it is called a second time.

    >>> AlkymiConfig.get() is AlkymiConfig.get()
    True
    >>> AlkymiConfig.get().cache
    True

    See also: :func:`flowly_ckpt.recipes.recipe`.
    """

    _instance: ClassVar[AlkymiConfig | None] = None

    def __init__(self) -> None:
        if AlkymiConfig._instance is not None:
            raise SingletonError("there is one configuration of recipes already; AlkymiConfig.get() returns it")
        AlkymiConfig._instance = self
        self.cache = True
        self.allow_pickling = True
        self.file_checksum_method = FileChecksumMethod.HashContents
        self._cache_path: Path | None = None

    @staticmethod
    def get() -> AlkymiConfig:
        """Return the configuration."""
        return AlkymiConfig._instance or AlkymiConfig()

    @property
    def cache_path(self) -> Path | None:
        """The folder that ``.alkymi_cache`` lies in; None is the working directory.

        :raises ValueError: when it is set to what is no folder, or cannot be written.
        """
        return self._cache_path

    @cache_path.setter
    def cache_path(self, path: str | os.PathLike[str] | None) -> None:
        if path is not None:
            path = Path(path)
            if not path.is_dir():
                raise ValueError(f"cache_path: {str(path)!r} is not a folder; make it first")
            if not os.access(path, os.W_OK):
                raise ValueError(f"cache_path: {str(path)!r} cannot be written; name another folder")
        self._cache_path = path
