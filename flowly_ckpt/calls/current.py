"""The one checkpoint that is in use."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..errors import FlowlyError

if TYPE_CHECKING:
    from .checkpoints import Checkpoint

__all__ = ["NotInitializedError", "get_checkpoint", "use"]

_current: Checkpoint | None = None


class NotInitializedError(FlowlyError, RuntimeError):
    """Say that a checkpoint was asked for before there was one.

    >>> issubclass(NotInitializedError, RuntimeError)
    True
    """


def get_checkpoint() -> Checkpoint:
    """Return the checkpoint that is in use.

    :raises NotInitializedError: before :func:`flowly_ckpt.calls.init_checkpoint` was called.

    >>> from flowly_ckpt.calls import NullCheckpoint
    >>> use(NullCheckpoint()) is get_checkpoint()
    True
    """
    if _current is None:
        raise NotInitializedError("Checkpoint not initialized yet. Call init_checkpoint() first.")
    return _current


def use(checkpoint: Checkpoint) -> Checkpoint:
    """Make this checkpoint, shipped or of one's own, the one in use.

    >>> from flowly_ckpt.calls import NullCheckpoint
    >>> use(NullCheckpoint())
    NullCheckpoint()
    """
    global _current
    _current = checkpoint
    return checkpoint
