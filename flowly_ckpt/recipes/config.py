"""Settings of all recipes of a process: where results are kept, and how outside files are compared."""

from __future__ import annotations

import enum
import os
from pathlib import Path
from typing import Any, ClassVar

from ..errors import FlowlyError
from ..given import folder, optional, switch
from ..targets.protocol import checked
from ..typing import Target

__all__ = ["AlkymiConfig", "CacheType", "FileChecksumMethod", "SingletonError"]

_SETTINGS = ("cache", "cache_path", "target", "allow_pickling", "file_checksum_method", "_cache_path")


class SingletonError(FlowlyError, RuntimeError):
    """Raised when a second configuration is made.

    >>> config = AlkymiConfig.get()
    >>> AlkymiConfig()
    Traceback (most recent call last):
        ...
    flowly_ckpt.recipes.config.SingletonError: there is only one configuration; AlkymiConfig.get() returns it
    """


class CacheType(enum.Enum):
    """Whether the results of a recipe outlive the process; ``Auto`` follows the configuration.

    >>> CacheType.Auto.name
    'Auto'
    """

    Cache = 0
    NoCache = 1
    Auto = 2


class FileChecksumMethod(enum.Enum):
    """How outside files that a result names are compared: by content, or by modification time.

    >>> [method.name for method in FileChecksumMethod]
    ['HashContents', 'ModificationTimestamp']
    """

    HashContents = 0
    ModificationTimestamp = 1


class AlkymiConfig:
    """The configuration of all recipes; :meth:`get` returns the only one.

    ``cache``
        whether recipes of type ``CacheType.Auto`` keep results in the cache; True. Read when a recipe is made.
    ``cache_path``
        the folder that contains ``.alkymi_cache``; None, the default, is the working directory. Read when a recipe
        is made.
    ``target``
        any mutable mapping that keeps results instead of ``.alkymi_cache``; None. Read when a recipe is made.
    ``allow_pickling``
        whether values without another form may be pickled, and pickles in the cache folder loaded; True. Without
        it, reading the folder cannot run code.
    ``file_checksum_method``
        how files outside the cache are compared; ``FileChecksumMethod.HashContents``.

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
            raise SingletonError("there is only one configuration; AlkymiConfig.get() returns it")
        AlkymiConfig._instance = self
        self.cache = True
        self.target: Target | None = None
        self.allow_pickling = True
        self.file_checksum_method = FileChecksumMethod.HashContents
        self._cache_path: Path | None = None

    def __setattr__(self, name: str, value: Any) -> None:
        if name not in _SETTINGS:
            raise AttributeError(f"AlkymiConfig has no setting {name!r}; it has {', '.join(_SETTINGS[:-1])}")
        if name in ("cache", "allow_pickling"):
            value = switch(name, value)
        elif name == "target":
            value = optional(lambda name, target: checked(target), name, value)
        elif name == "file_checksum_method" and not isinstance(value, FileChecksumMethod):
            raise TypeError(f"{name} must be one of {', '.join(map(str, FileChecksumMethod))}, got {value!r:.60}")
        super().__setattr__(name, value)

    @staticmethod
    def get() -> AlkymiConfig:
        """Return the configuration."""
        return AlkymiConfig._instance or AlkymiConfig()

    @property
    def cache_path(self) -> Path | None:
        """The folder that contains ``.alkymi_cache``; None is the working directory.

        :raises ValueError: when it is set to something that is not a folder, or is not writable.
        """
        return self._cache_path

    @cache_path.setter
    def cache_path(self, path: str | os.PathLike[str] | None) -> None:
        if path is not None:
            folder("cache_path", path)
            path = Path(path)
            if not path.is_dir():
                raise ValueError(f"cache_path: {str(path)!r} is not a folder; create it first")
            if not os.access(path, os.W_OK):
                raise ValueError(f"cache_path: {str(path)!r} is not writable; choose another folder")
        self._cache_path = path
