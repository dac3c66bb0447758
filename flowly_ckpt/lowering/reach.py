"""Whether the workers of an engine can reach every target that is sent to them."""

from __future__ import annotations

from typing import Any

from ..checkpoint import checkpoint
from ..pipelines import children, role, walk
from ..targets.reachable import check_reachable
from ..typing import Target, Transform

__all__ = ["check_sent", "targets_in"]


def targets_in(transform: Transform) -> list[Target]:
    """Return the targets of all that keeps results in a pipeline.

    >>> from flowly_ckpt import add_checkpoints, chained, checkpoint
    >>> targets_in(add_checkpoints(chained(abs, checkpoint({}))))
    [{}]
    """
    terms: list[Any] = [*walk(transform)]
    return [term.checkpoint.target for term in terms if _keeps(term)]


def _keeps(term: Any) -> bool:
    return role(term) == "transparent" and isinstance(getattr(term, "checkpoint", None), checkpoint)


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
            for target in targets_in(term):
                check_reachable(target, "the workers' processes")
