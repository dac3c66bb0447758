"""The one checkpoint that is in use, and how a configuration chooses it."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any, TypeVar

from ..errors import FlowlyError
from ..given import text, wrong
from ..typing import Target
from .checkpoints import Checkpoint, LocalStorageCheckpoint, NullCheckpoint, TargetCheckpoint

__all__ = ["NotInitializedError", "get_checkpoint", "init_checkpoint", "use"]

C = TypeVar("C", bound=Checkpoint | None)
_DIRECTORY = "artifacts"
_NAMES = ("use_checkpoints", "execution_environment", "artifacts_dir", "path")
_current: Checkpoint | None = None


class NotInitializedError(FlowlyError, RuntimeError):
    """Raised when a cached call is made, or its checkpoint asked for, before ``init_checkpoint`` was called.

    >>> use(None)
    >>> get_checkpoint()
    Traceback (most recent call last):
    flowly_ckpt.calls.current.NotInitializedError: Checkpoint not initialized yet. Call init_checkpoint() first.
    """


def get_checkpoint() -> Checkpoint:
    """Return the checkpoint that is in use.

    :raises NotInitializedError: before :func:`flowly_ckpt.calls.init_checkpoint` was called.

    >>> use(NullCheckpoint()) is get_checkpoint()
    True
    """
    if _current is None:
        raise NotInitializedError("Checkpoint not initialized yet. Call init_checkpoint() first.")
    return _current


def use(checkpoint: C) -> C:
    """Use a checkpoint from now on, of a class of this package or your own; with None, none is in use.

    >>> use(NullCheckpoint())
    NullCheckpoint()
    """
    global _current
    _current = checkpoint
    return checkpoint


def init_checkpoint(checkpoint_name: Any = "", config: Any = None, *, target: Target | None = None) -> TargetCheckpoint:
    """Make the checkpoint that a configuration asks for, and use it from now on.

    :param checkpoint_name: keeps steps and indexes apart; may be left out: ``init_checkpoint(config)``.
    :param config: an object or mapping that may have ``use_checkpoints`` (default true), ``execution_environment``
        (nothing is kept on Azure ML) and ``artifacts_dir`` (default ``artifacts``), also as ``path.artifacts_dir``;
        the first two are found in capitals too.
    :param target: keep results in this mutable mapping instead of files in ``artifacts_dir``.
    :returns: a :class:`TargetCheckpoint`: without a target a :class:`LocalStorageCheckpoint`, and a
        :class:`NullCheckpoint` where nothing is to be kept. ``get_checkpoint`` returns it from now on.
    :raises TypeError: when ``config`` is a path, or a mapping with a misspelt name, or ``target`` is not a mutable
        mapping.

    >>> init_checkpoint("index_a", {"use_checkpoints": False})
    NullCheckpoint()
    >>> init_checkpoint("index_a", target={})
    TargetCheckpoint('index_a', dict)

    See also: :func:`flowly_ckpt.calls.get_checkpoint`.
    """
    if config is None and not isinstance(checkpoint_name, str):
        checkpoint_name, config = "", checkpoint_name
    text("checkpoint_name", checkpoint_name)
    _check(config)
    if not _switch(config, "use_checkpoints") or _is_azure_ml(config):
        return use(NullCheckpoint())
    if target is not None:
        return use(TargetCheckpoint(checkpoint_name, target))
    return use(LocalStorageCheckpoint(checkpoint_name, _directory(config)))


def _check(config: Any) -> None:
    """Raise for what cannot be a configuration, and for a mapping with a name that looks misspelt."""
    if isinstance(config, str | os.PathLike):
        advice = f"for a folder write {{'artifacts_dir': {config!r}}}"
        raise TypeError(f"config must be an object or a mapping, got {config!r:.60}; {advice}")
    if isinstance(config, int | float | bytes | list | tuple | set | frozenset):
        raise wrong("config", "an object or a mapping", config)
    if not isinstance(config, Mapping):
        return
    import difflib

    for name in config.keys() - set(_NAMES):
        near = difflib.get_close_matches(str(name).lower(), _NAMES, 1, 0.85)
        if near and near[0] not in config and str(name).lower() != near[0]:
            raise TypeError(f"config has {name!r}, which is nothing here; did you mean {near[0]!r}?")
    directory = config.get("artifacts_dir")
    if not isinstance(directory, str | os.PathLike | None):
        raise wrong("artifacts_dir", "a path", directory)


def _get(config: Any, name: str) -> Any:
    return config.get(name) if isinstance(config, Mapping) else getattr(config, name, None)


# A configuration is known by its attributes only, and a stand-in has every attribute one asks for: a value of an
# unexpected type counts as not given.
def _switch(config: Any, name: str) -> bool:
    for spelling in (name, name.upper()):
        value = _get(config, spelling)
        if isinstance(value, bool):
            return value
    return True


def _is_azure_ml(config: Any) -> bool:
    for spelling in ("execution_environment", "EXECUTION_ENVIRONMENT"):
        value = _get(config, spelling)
        name = getattr(value, "name", value)
        if isinstance(name, str):
            return name.lower().replace("-", "").replace("_", "") == "azureml"
    return False


def _directory(config: Any) -> str | os.PathLike[str]:
    for place in (config, _get(config, "path")):
        value = _get(place, "artifacts_dir")
        if isinstance(value, str | os.PathLike):
            return value
    return _DIRECTORY
