"""Rewrite a pipeline with passes; what is no pipeline, and what is no pass, is told where it is given."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from .checkpoint.placing import drop_marks
from .events import Listener
from .hashing.redefined import warn_of_redefined
from .pipelines import name_of
from .typing import Rewrite, Transform

__all__ = ["UNSAID", "check_rewrites", "no_pipeline", "rewritten", "uncalled"]


class _Unsaid(tuple[Rewrite, ...]):
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
                text = f"apply: the pass {_short(rewrite)} returned {found!r:.80}; a pass returns a pipeline"
                raise TypeError(text)
            transform = found
    except (TypeError, AttributeError):
        check_rewrites("apply", rewrites)
        raise
    if getattr(transform, "__flowly_pass__", None) is True:
        raise TypeError("apply: a pass with options must be called: rewrites=[observe(print)]")
    return drop_marks(transform) if not rewrites and rewrites is not UNSAID else transform


def _short(rewrite: Rewrite) -> str:
    return name_of(rewrite).rpartition("<locals>.")[2]


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
        if isinstance(rewrite, Listener):
            name = type(rewrite).__name__
            text = f"{name} is a sink, not a pass; write rewrites=[observe({name}())]"
            raise TypeError(f"{caller}: {text}") from None
        if call := uncalled(rewrite):
            raise TypeError(f"{caller}: a pass with options must be called: rewrites=[{call}]") from None


def uncalled(given: Any) -> str:
    """Return how a function of the package that makes a pass or an engine is called; nothing for any other object.

    >>> from flowly_ckpt import threads
    >>> uncalled(threads), uncalled(threads())
    ('threads()', '')
    """
    return _UNCALLED.get(f"{getattr(given, '__module__', '')}.{getattr(given, '__qualname__', '')}", "")


def no_pipeline(caller: str, transform: Any, obj: Any) -> TypeError:
    """Return the error for what cannot be called where a pipeline is wanted.

    >>> no_pipeline("apply", 5, abs)
    TypeError('apply: the pipeline comes first and must be callable, got int; pipeline and object seem to be swapped')
    """
    if isinstance(transform, (list, tuple)) and all(map(callable, transform)):
        return TypeError(f"{caller}: a pipeline is made of its steps with chained(…), got a {type(transform).__name__}")
    text = f"{caller}: the pipeline comes first and must be callable, got {type(transform).__name__}"
    return TypeError(f"{text}; pipeline and object seem to be swapped" if callable(obj) else text)
