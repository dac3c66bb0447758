"""Run a pipeline in parts: one table says for each combinator what may run side by side, each engine says how."""

from . import checkpoints, fans, groups
from .engine import Items, Parallel, is_divisible, lowerings
from .itemwise import per_partition

__all__ = ["Items", "Parallel", "is_divisible", "lowerings", "per_partition"]

_rows = checkpoints, fans, groups  # loaded for the rows of their combinators


def _load_reports() -> None:
    from . import reports  # noqa: F401


lowerings.register_lazy("flowly_ckpt.passes", _load_reports)
