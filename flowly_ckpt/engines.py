"""Engines run a pipeline on an object; ``apply`` rewrites it first."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from .pipelines import chained, name_of
from .pools import pool, processes, threads
from .typing import Engine, Rewrite, Transform

__all__ = ["apply", "local", "pipe", "pool", "processes", "threads"]


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
    :raises TypeError: for a pipeline, a pass or an engine that cannot be called.

    >>> from functools import partial
    >>> from flowly_ckpt.checkpoint import add_checkpoints, checkpoint
    >>> apply = partial(apply, rewrites=[add_checkpoints])
    >>> apply(chained(abs, checkpoint({}), float), -5)
    5.0

    See also: :func:`pipe`.
    """
    if callable(transform) and callable(engine):
        try:
            for rewrite in rewrites:
                transform = rewrite(transform)
        except TypeError:
            _check_rewrites(rewrites)
            raise
        return engine(transform, obj)
    raise _wrong(transform, obj, engine)


def _check_rewrites(rewrites: Any) -> None:
    """Raise for what is not a sequence of passes; an error within a pass is left as it is."""
    if callable(rewrites):
        raise TypeError(f"apply: rewrites must be a list of passes: rewrites=[{name_of(rewrites)}]") from None
    if isinstance(rewrites, str) or not isinstance(rewrites, Iterable):
        raise TypeError(f"apply: rewrites must be a list of passes, got {type(rewrites).__name__}") from None
    for rewrite in rewrites:
        if not callable(rewrite):
            raise TypeError(f"apply: a pass must be a function of a pipeline, got {rewrite!r} in rewrites") from None


def _wrong(transform: Any, obj: Any, engine: Any) -> TypeError:
    if callable(transform):
        return TypeError(f"apply: engine must be a function of a pipeline and an object, got {engine!r}")
    if isinstance(transform, (list, tuple)) and all(map(callable, transform)):
        return TypeError(f"apply: a pipeline is made of its steps with chained(…), got a {type(transform).__name__}")
    text = f"apply: the pipeline comes first and must be callable, got {type(transform).__name__}"
    return TypeError(f"{text}; pipeline and object seem to be swapped" if callable(obj) else text)


def pipe(obj: Any, *transforms: Transform, rewrites: Sequence[Rewrite] = (), engine: Engine = local) -> Any:
    """Run transforms one after another on an object.

    ``pipe(x, f, g, rewrites=ps) == apply(chained(f, g), x, ps)``

    >>> pipe(-5, abs, float)
    5.0

    See also: :func:`apply`, :func:`toolz.pipe`.
    """
    return apply(chained(*transforms), obj, rewrites, engine)
