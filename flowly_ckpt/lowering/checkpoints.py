"""The row of checkpoints: what is stored is restored while a pipeline is lowered, and what led to it is not built."""

from __future__ import annotations

from typing import Any

from ..checkpoint.stages import stages_of
from ..checkpoint.wrapper import with_checkpoint
from ..targets.single_flight import landings_elsewhere
from .engine import Parallel, is_divisible, lowerings

__all__: list[str] = []


@lowerings.register(with_checkpoint)
def checkpointed(engine: Parallel, term: with_checkpoint, obj: Any) -> Any:
    """Compute outward from the last stored result; what has no parts and is not known yet is one piece of work."""
    if not engine.is_known(obj) and not is_divisible(term):
        return engine.call(term, engine.whole(obj))
    stages = stages_of(term)
    seen = landings_elsewhere()
    asked, depth, value = engine.restored(stages, obj)
    for position in range(depth + 1, len(stages)):
        value = engine.keep(asked, position, value, seen)
    if depth + 1 < len(stages):
        engine.look_back(asked, depth)
    return value
