"""Engines run a pipeline on an object; ``apply`` rewrites it first."""

from __future__ import annotations

from collections.abc import Sequence

from .checkpoint import add_checkpoints
from .later import later
from .pipelines import chained
from .pipelines.bases import no_pipeline
from .rewriting import UNSAID, check_engine, check_rewrites, rewritten

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from .pools import pool, processes, threads
    from .typing import Engine, Rewrite, Transform
else:
    __getattr__, __dir__ = later(__name__, {"pools": "pool processes threads"})

__all__ = ["apply", "local", "pipe", "pool", "processes", "run", "threads"]


def local(transform: Transform, obj: Any) -> Any:
    """Run a pipeline here and now.

    ``local(s, x) == s(x)``

    >>> local(abs, -5)
    5

    See also: :func:`apply`.
    """
    return transform(obj)


def apply(transform: Transform, obj: Any, rewrites: Sequence[Rewrite] = UNSAID, engine: Engine = local) -> Any:
    """Rewrite a pipeline with passes, from left to right, and run it on an object.

    ``apply(s, x, [p, q]) == engine(q(p(s)), x)``

    :param transform: a pipeline, which stays as it is.
    :param obj: what it is applied to.
    :param rewrites: passes, functions from transform to transform. Without any, marks do nothing and a warning says
        so; an empty list means that they are to do nothing.
    :param engine: what runs the rewritten pipeline.
    :return: what the engine gives; for ``local``, the pipeline's value.
    :raises TypeError: for a pipeline, a pass or an engine that cannot be called.

    >>> from functools import partial
    >>> from flowly_ckpt.checkpoint import add_checkpoints, checkpoint
    >>> apply = partial(apply, rewrites=[add_checkpoints])
    >>> apply(chained(abs, checkpoint({}), float), -5)
    5.0

    See also: :func:`run`, :func:`pipe`.
    """
    if not callable(transform):
        raise no_pipeline(transform, obj)
    if engine is not local:
        check_engine(engine)
    return engine(rewritten(transform, rewrites), obj)


def run(transform: Transform, obj: Any, rewrites: Sequence[Rewrite] = (), engine: Engine = local) -> Any:
    """Run a pipeline on an object with its checkpoints put to use.

    ``run(s, x, ps) == apply(s, x, [*ps, add_checkpoints])``

    :param transform: a pipeline, which stays as it is.
    :param obj: what it is applied to.
    :param rewrites: passes before that of the checkpoints.
    :param engine: what runs the rewritten pipeline.
    :raises TypeError: as :func:`apply` does.

    >>> from flowly_ckpt.checkpoint import checkpoint
    >>> results = {}
    >>> run(chained(abs, checkpoint(results), float), -5), len(results)
    (5.0, 1)

    See also: :func:`apply`, which puts nothing to use unasked.
    """
    try:
        passes = (*rewrites, add_checkpoints)
    except TypeError:
        check_rewrites(rewrites)
        raise
    return apply(transform, obj, passes, engine)


def pipe(obj: Any, *transforms: Transform, rewrites: Sequence[Rewrite] = UNSAID, engine: Engine = local) -> Any:
    """Run transforms one after another on an object.

    ``pipe(x, f, g, rewrites=ps) == apply(chained(f, g), x, ps)``

    >>> pipe(-5, abs, float)
    5.0

    See also: :func:`apply`, :func:`toolz.pipe`.
    """
    try:
        transform = chained(*transforms)
    except TypeError as error:
        if callable(obj) and not any(map(callable, transforms)):
            raise TypeError(f"pipe: the object comes first, then the steps, got {obj!r:.60} as object") from error
        raise
    return apply(transform, obj, rewrites, engine)
