"""Whether the workers of an engine can reach every target that is sent to them."""

from __future__ import annotations

from ..checkpoint.mark import marks_in
from ..pipelines import children, role
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
        if role(term) in ("sequential", "transparent"):
            waiting.extend(children(term))
        else:
            for mark in marks_in(term):
                check_reachable(mark.target, "the workers' processes")
