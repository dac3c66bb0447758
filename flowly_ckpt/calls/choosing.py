"""Which checkpoint a configuration asks for."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

from .checkpoints import Checkpoint
from .current import use
from .storages import LocalStorageCheckpoint, NullCheckpoint

__all__ = ["init_checkpoint"]

_DIRECTORY = "artifacts"


def init_checkpoint(checkpoint_name: Any = "", config: Any = None) -> Checkpoint:
    """Make the checkpoint that a configuration asks for, and put it in the place of the one in use.

    :param checkpoint_name: tells steps and indexes apart; may be left out: ``init_checkpoint(config)``.
    :param config: an object or mapping that may have ``use_checkpoints`` (default true), ``execution_environment``
        (nothing is kept on Azure ML) and ``artifacts_dir`` (default ``artifacts``), also as ``path.artifacts_dir``;
        the first two are found in capitals too.
    :returns: a :class:`LocalStorageCheckpoint` or a :class:`NullCheckpoint`, which ``get_checkpoint`` now gives.

    >>> init_checkpoint("index_a", {"use_checkpoints": False})
    NullCheckpoint()

    See also: :func:`flowly_ckpt.calls.get_checkpoint`.
    """
    if config is None and not isinstance(checkpoint_name, str):
        checkpoint_name, config = "", checkpoint_name
    if not _switch(config, "use_checkpoints") or _is_azure_ml(config):
        return use(NullCheckpoint())
    return use(LocalStorageCheckpoint(checkpoint_name, _directory(config)))


def _get(config: Any, name: str) -> Any:
    return config.get(name) if isinstance(config, Mapping) else getattr(config, name, None)


# A configuration is known by its attributes only, and a stand-in has every attribute one asks for: what is not of
# the expected type counts as not given.
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
