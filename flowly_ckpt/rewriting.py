"""Rewrite a pipeline with passes; what is no pipeline, and what is no pass, is told where it is given."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from .checkpoint.placing import drop_marks
from .later import on_call
from .pipelines import name_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from .hashing.redefined import warn_of_redefined
    from .typing import Rewrite, Transform
else:
    on_call(__name__, {".hashing.redefined": "warn_of_redefined"})

__all__ = ["UNSAID", "check_engine", "check_rewrites", "rewritten"]


class _Unsaid(tuple["Rewrite", ...]):
    """No passes, as nobody said which: a mark that runs then was forgotten."""

    __slots__ = ()


UNSAID = _Unsaid()
_UNCALLED = {
    "flowly_ckpt.passes.observe.observe": "observe(print)",
    "flowly_ckpt.passes.retry.retry": "retry(on=OSError)",
    "flowly_ckpt.passes.automatic.auto_checkpoints": "auto_checkpoints(results)",
    "flowly_ckpt.pools.engines.threads": "threads()",
    "flowly_ckpt.pools.engines.processes": "processes()",
    "flowly_ckpt.pools.engines.pool": "pool(executor)",
}
"""What makes passes and engines, by full name, as it is written where one is wanted."""
_PASSES = {
    "flowly_ckpt.checkpoint.placing.add_checkpoints": "add_checkpoints",
    "flowly_ckpt.checkpoint.placing.drop_checkpoints": "drop_checkpoints",
    "flowly_ckpt.passes.observe.Observation": "observe(…)",
    "flowly_ckpt.pipelines.strategies.flatten": "flatten",
}
_ENGINES = {
    "flowly_ckpt.asynchronous.awaited": "awaited",
    "flowly_ckpt.engines.local": "local",
    "flowly_ckpt.plan.planning.plan": "plan",
    "flowly_ckpt.pools.engines.Pool": "threads(…)",
}
"""Passes and engines, which are often taken for each other; those of a class by the name of that."""


def rewritten(transform: Transform, rewrites: Sequence[Rewrite]) -> Transform:
    """Rewrite a pipeline with passes, from left to right; without any, its marks go.

    ``rewritten(s, [p, q]) == q(p(s))``

    :raises TypeError: for what is no sequence of passes, and for a pass that gives no pipeline.

    >>> rewritten(abs, [lambda pipeline: float])
    <class 'float'>
    """
    warn_of_redefined(transform)
    try:
        for rewrite in rewrites:
            found = rewrite(transform)
            if not callable(found):
                raise TypeError(f"the pass {_short(rewrite)} returned {found!r:.80}; a pass returns a pipeline")
            transform = found
    except (TypeError, AttributeError):
        check_rewrites(rewrites)
        raise
    if getattr(transform, "__flowly_pass__", None) is True:
        raise TypeError("a pass with options must be called: rewrites=[observe(print)]")
    return drop_marks(transform) if not rewrites and rewrites is not UNSAID else transform


def _short(rewrite: Rewrite) -> str:
    return name_of(rewrite).rpartition("<locals>.")[2]


def check_rewrites(rewrites: Any) -> None:
    """Raise for what is not a sequence of passes; an error within a pass is left as it is.

    >>> check_rewrites(abs)
    Traceback (most recent call last):
    TypeError: rewrites must be a list of passes: rewrites=[abs]
    """
    from .events import Listener  # for the errors alone

    _check_no_engine(rewrites)
    if callable(rewrites):
        raise TypeError(f"rewrites must be a list of passes: rewrites=[{name_of(rewrites)}]") from None
    if isinstance(rewrites, str) or not isinstance(rewrites, Iterable):
        raise TypeError(f"rewrites must be a list of passes, got {type(rewrites).__name__}") from None
    for rewrite in rewrites:
        if not callable(rewrite):
            raise TypeError(f"a pass must be a function of a pipeline, got {rewrite!r:.60} in rewrites") from None
        _check_no_engine(rewrite)
        kind = rewrite if isinstance(rewrite, type) else type(rewrite)
        if issubclass(kind, Listener):
            name = kind.__name__
            raise TypeError(f"{name} is a sink, not a pass; write rewrites=[observe({name}())]") from None
        if call := uncalled(rewrite):
            raise TypeError(f"a pass with options must be called: rewrites=[{call}]") from None


def _check_no_engine(given: Any) -> None:
    if engine := _among(_ENGINES, given):
        raise TypeError(f"{engine} is an engine, not a pass; write engine={engine}") from None


def check_engine(engine: Any) -> None:
    """Raise for what is not an engine.

    >>> from flowly_ckpt import add_checkpoints, threads
    >>> check_engine(threads)
    Traceback (most recent call last):
    TypeError: an engine with options must be called: engine=threads()
    >>> check_engine(add_checkpoints)
    Traceback (most recent call last):
    TypeError: add_checkpoints is a pass, not an engine; write rewrites=[add_checkpoints]
    """
    if not callable(engine):
        raise TypeError(f"engine must be a function of a pipeline and an object, got {engine!r:.60}")
    if call := uncalled(engine):
        raise TypeError(f"an engine with options must be called: engine={call}")
    if written := _among(_PASSES, engine):
        raise TypeError(f"{written} is a pass, not an engine; write rewrites=[{written}]")


def _among(known: Mapping[str, str], given: Any) -> str:
    return known.get(_full_name(given)) or known.get(_full_name(type(given)), "")


def _full_name(given: Any) -> str:
    return f"{getattr(given, '__module__', '')}.{getattr(given, '__qualname__', '')}"


def uncalled(given: Any) -> str:
    """Return how a function of the package that makes a pass or an engine is called; nothing for any other object.

    >>> from flowly_ckpt import threads
    >>> uncalled(threads), uncalled(threads())
    ('threads()', '')
    """
    return _UNCALLED.get(_full_name(given), "")
