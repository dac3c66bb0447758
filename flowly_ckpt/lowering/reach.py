"""Whether the workers of an engine can reach every target that is sent to them."""

from __future__ import annotations

from ..checkpoint.wrapper import with_checkpoint
from ..pipelines import children, role, walk
from ..targets.reachable import check_reachable
from ..typing import Transform

__all__ = ["check_sent"]


def check_sent(transform: Transform) -> None:
    """Raise unless other processes can reach every target in what is sent to them.

    Along the chain itself results are stored in this process, so that there any target will do.

    :raises StoreError: says what to use instead.

    >>> from flowly_ckpt import add_checkpoints, chained, checkpoint
    >>> check_sent(add_checkpoints(chained(abs, checkpoint({}))))
    """
    waiting = [transform]
    while waiting:
        term = waiting.pop()
        if role(term) == "sequential" or isinstance(term, with_checkpoint):
            waiting.extend(children(term))
            continue
        for part in walk(term):
            if isinstance(part, with_checkpoint):
                check_reachable(part.checkpoint.target, "the workers' processes")
