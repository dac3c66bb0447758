"""The engine that computes nothing: it looks up what is stored, and says what would run."""

from __future__ import annotations

from collections.abc import Sequence

from ..later import on_call
from ..pipelines.bases import no_pipeline
from ..rewriting import UNSAID, rewritten

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from ..hashing.redefined import warn_of_redefined
    from ..typing import Rewrite, Transform
    from .forecasts import Plan
    from .stretches import of_pipeline
else:
    on_call(__name__, {"..hashing.redefined": "warn_of_redefined", ".stretches": "of_pipeline"})

__all__ = ["plan"]


def plan(transform: Transform, obj: Any, rewrites: Sequence[Rewrite] = UNSAID) -> Plan:
    """Forecast a run of a rewritten pipeline on an object; an engine that computes nothing and loads no value.

    ``plan(s, x, ps)`` says what ``apply(s, x, ps)`` would do, and is ``apply(s, x, ps, engine=plan)``

    :param transform: a pipeline.
    :param obj: the object it would be applied to.
    :param rewrites: passes, as for :func:`flowly_ckpt.engines.apply`; none where the pipeline is rewritten already.
    :return: the forecasts, in the order of the pipeline.
    :raises TypeError: for a pipeline or a pass that cannot be called.
    :raises UnhashableError: as the run itself would.

    What would run is compared, part by part, with what the nearest earlier entry of its tag was made from.

    A transform that keeps results of its own (a task, a recipe, a cached call) has a method
    ``__flowly_forecast__(obj)``, which gives forecasts; ``obj`` is ``MISSING`` where it is not known beforehand.

    >>> from flowly_ckpt import add_checkpoints, apply, chained, checkpoint
    >>> target = {}
    >>> pipeline = chained(abs, checkpoint(target, "size"), float)
    >>> print(plan(pipeline, -5, [add_checkpoints]))
    run      abs    size  never run
    run      float        no checkpoint follows
    >>> _ = apply(pipeline, -5, [add_checkpoints])
    >>> print(apply(pipeline, -5, [add_checkpoints], engine=plan))
    restore  abs    size  stored for this input and this code
    run      float        no checkpoint follows
    >>> print(apply(pipeline, -6, [add_checkpoints], engine=plan))
    run      abs    size  the input -5 → -6
    run      float        no checkpoint follows

    See also: :func:`flowly_ckpt.engines.apply`, :func:`flowly_ckpt.hashing.differences`.
    """
    if not callable(transform):
        raise no_pipeline(transform, obj)
    if rewrites is UNSAID:
        warn_of_redefined(transform)
    else:
        transform = rewritten(transform, rewrites)
    return of_pipeline(transform, obj)
