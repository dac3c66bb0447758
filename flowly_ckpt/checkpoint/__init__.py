"""Checkpoints: the part of a pipeline before a mark runs again only if its input or its code has changed.

A mark, ``checkpoint(target)``, says where a result is to be kept; the pass ``add_checkpoints`` wraps the segment
before each mark with memoization into the mark's target.
"""

from typing import TYPE_CHECKING

from ..later import later
from .mark import checkpoint
from .placing import add_checkpoints, drop_checkpoints
from .wrapper import with_checkpoint

if TYPE_CHECKING:
    from .clearing import clear_checkpoints
    from .stale import clear_stale
else:
    __getattr__, __dir__ = later(__name__, {"clearing": "clear_checkpoints", "stale": "clear_stale"})

__all__ = ["add_checkpoints", "checkpoint", "clear_checkpoints", "clear_stale", "drop_checkpoints", "with_checkpoint"]
