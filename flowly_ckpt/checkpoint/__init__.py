"""Checkpoints: the part of a pipeline before a mark runs again only if its input or its code has changed.

A mark, ``checkpoint(target)``, says where a result is to be kept; the pass ``add_checkpoints`` wraps the segment
before each mark with memoization into the mark's target.
"""

from ..later import later
from .mark import checkpoint

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .clearing import clear_checkpoints
    from .placing import add_checkpoints, drop_checkpoints
    from .stale import clear_stale
    from .wrapper import with_checkpoint
else:
    _LATER = {
        "clearing": "clear_checkpoints",
        "placing": "add_checkpoints drop_checkpoints",
        "stale": "clear_stale",
        "wrapper": "with_checkpoint",
    }
    __getattr__, __dir__ = later(__name__, _LATER)

__all__ = ["add_checkpoints", "checkpoint", "clear_checkpoints", "clear_stale", "drop_checkpoints", "with_checkpoint"]
