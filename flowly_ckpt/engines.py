"""Engines run a pipeline on an object; ``apply`` rewrites it first."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from .pipelines import chained
from .typing import Engine, Rewrite, Transform

__all__ = ["apply", "local", "pipe"]


def local(transform: Transform, obj: Any) -> Any:
    """Run a pipeline here and now.

    ``local(s, x) == s(x)``

    >>> local(abs, -5)
    5

    See also: :func:`apply`.
    """
    return transform(obj)


def apply(transform: Transform, obj: Any, rewrites: Sequence[Rewrite] = (), engine: Engine = local) -> Any:
    """Rewrite a pipeline with passes, from left to right, and run it on an object.

    ``apply(s, x, [p, q]) == engine(q(p(s)), x)``

    :param transform: a pipeline, which stays as it is.
    :param obj: what it is applied to.
    :param rewrites: passes, functions from transform to transform.
    :param engine: what runs the rewritten pipeline.
    :return: what the engine gives; for ``local``, the pipeline's value.

    >>> from functools import partial
    >>> from flowly_ckpt.checkpoint import add_checkpoints, checkpoint
    >>> apply = partial(apply, rewrites=[add_checkpoints])
    >>> apply(chained(abs, checkpoint({}), float), -5)
    5.0

    See also: :func:`pipe`.
    """
    for rewrite in rewrites:
        transform = rewrite(transform)
    return engine(transform, obj)


def pipe(obj: Any, *transforms: Transform, rewrites: Sequence[Rewrite] = (), engine: Engine = local) -> Any:
    """Run transforms one after another on an object.

    ``pipe(x, f, g, rewrites=ps) == apply(chained(f, g), x, ps)``

    >>> pipe(-5, abs, float)
    5.0

    See also: :func:`apply`, :func:`toolz.pipe`.
    """
    return apply(chained(*transforms), obj, rewrites, engine)
