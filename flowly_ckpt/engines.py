"""Engines run a pipeline on an object; ``apply`` rewrites it first."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from .checkpoint import add_checkpoints
from .checkpoint.placing import drop_marks
from .hashing.redefined import warn_of_redefined
from .pipelines import chained, name_of
from .pools import pool, processes, threads
from .typing import Engine, Rewrite, Transform

__all__ = ["apply", "local", "pipe", "pool", "processes", "run", "threads"]


class _Unsaid(tuple[Rewrite, ...]):
    """No passes, as nobody said which: a mark that runs then was forgotten."""

    __slots__ = ()


_UNSAID = _Unsaid()


def local(transform: Transform, obj: Any) -> Any:
    """Run a pipeline here and now.

    ``local(s, x) == s(x)``

    >>> local(abs, -5)
    5

    See also: :func:`apply`.
    """
    return transform(obj)


def apply(transform: Transform, obj: Any, rewrites: Sequence[Rewrite] = _UNSAID, engine: Engine = local) -> Any:
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
    if callable(transform) and callable(engine):
        warn_of_redefined(transform)
        try:
            for rewrite in rewrites:
                transform = rewrite(transform)
        except TypeError:
            check_rewrites("apply", rewrites)
            raise
        if getattr(transform, "__flowly_pass__", None) is True:
            raise TypeError("apply: a pass with options must be called: rewrites=[observe(print)]")
        if not rewrites and rewrites is not _UNSAID:
            transform = drop_marks(transform)
        return engine(transform, obj)
    raise _wrong(transform, obj, engine)


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
        check_rewrites("run", rewrites)
        raise
    return apply(transform, obj, passes, engine)


def check_rewrites(caller: str, rewrites: Any) -> None:
    """Raise for what is not a sequence of passes; an error within a pass is left as it is.

    >>> check_rewrites("apply", abs)
    Traceback (most recent call last):
    TypeError: apply: rewrites must be a list of passes: rewrites=[abs]
    """
    if callable(rewrites):
        raise TypeError(f"{caller}: rewrites must be a list of passes: rewrites=[{name_of(rewrites)}]") from None
    if isinstance(rewrites, str) or not isinstance(rewrites, Iterable):
        raise TypeError(f"{caller}: rewrites must be a list of passes, got {type(rewrites).__name__}") from None
    for rewrite in rewrites:
        if not callable(rewrite):
            raise TypeError(
                f"{caller}: a pass must be a function of a pipeline, got {rewrite!r:.60} in rewrites"
            ) from None


def _wrong(transform: Any, obj: Any, engine: Any) -> TypeError:
    if callable(transform):
        return TypeError(f"apply: engine must be a function of a pipeline and an object, got {engine!r:.60}")
    if isinstance(transform, (list, tuple)) and all(map(callable, transform)):
        return TypeError(f"apply: a pipeline is made of its steps with chained(…), got a {type(transform).__name__}")
    text = f"apply: the pipeline comes first and must be callable, got {type(transform).__name__}"
    return TypeError(f"{text}; pipeline and object seem to be swapped" if callable(obj) else text)


def pipe(obj: Any, *transforms: Transform, rewrites: Sequence[Rewrite] = _UNSAID, engine: Engine = local) -> Any:
    """Run transforms one after another on an object.

    ``pipe(x, f, g, rewrites=ps) == apply(chained(f, g), x, ps)``

    >>> pipe(-5, abs, float)
    5.0

    See also: :func:`apply`, :func:`toolz.pipe`.
    """
    return apply(chained(*transforms), obj, rewrites, engine)
