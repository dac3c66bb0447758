"""Run a pipeline in parts: one table says for each combinator what may run side by side, each engine says how."""

from . import checkpoints as _checkpoints  # noqa: F401  each registers the rows of its combinators
from . import fans as _fans  # noqa: F401
from . import groups as _groups  # noqa: F401
from .engine import Items, Parallel, is_divisible, lowerings
from .itemwise import per_partition

__all__ = ["Items", "Parallel", "is_divisible", "lowerings", "per_partition"]


def _load_reports() -> None:
    from . import reports  # noqa: F401


lowerings.register_lazy("flowly_ckpt.passes", _load_reports)
