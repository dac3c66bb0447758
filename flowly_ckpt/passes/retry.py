"""Try failing steps again: a pass over leaves, on top of stamina."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import Any, Self

from ..given import seconds
from ..pipelines import Combinator, leaves
from ..typing import Age, Rewrite, Transform

__all__ = ["retried", "retry"]

_LONGEST = 60.0  # seconds between two attempts

On = type[Exception] | tuple[type[Exception], ...] | Callable[[Exception], bool | float]


class retried(Combinator):
    """Apply a transform, again and again while it raises one of some exceptions.

    ``retried(on, attempts, wait, f)(x) == f(x)``, and both have one hash

    >>> retried(ValueError, 3, 0, int)("5")
    5

    See also: :func:`retry`.
    """

    __slots__ = ("attempts", "on", "transform", "wait")
    __flowly_role__ = "transparent"

    def __init__(self, on: On, attempts: int, wait: float, transform: Transform) -> None:
        self.on = on
        self.attempts = attempts
        self.wait = wait
        self.transform = transform

    def __call__(self, obj: Any) -> Any:
        return _stamina().RetryingCaller(**self._options())(self.on, self.transform, obj)

    async def __flowly_await__(self, obj: Any, run: Callable[[Transform, Any], Awaitable[Any]]) -> Any:
        return await _stamina().AsyncRetryingCaller(**self._options())(self.on, run, self.transform, obj)

    def _options(self) -> dict[str, Any]:
        times = {"wait_initial": self.wait, "wait_jitter": self.wait, "wait_max": _LONGEST, "timeout": None}
        return {"attempts": self.attempts, **times}

    def _head(self) -> tuple[Any, ...]:
        return (self.on, self.attempts, self.wait)

    def __flowly_children__(self) -> tuple[Transform, ...]:
        return (self.transform,)

    def __flowly_rebuild__(self, parts: Sequence[Transform]) -> Self:
        return type(self)(self.on, self.attempts, self.wait, *parts)

    def __reduce__(self) -> tuple[Any, ...]:
        return (type(self), (self.on, self.attempts, self.wait, self.transform))


def retry(*, on: On, attempts: int = 3, wait: Age = 0.1) -> Rewrite:
    """Return a pass that tries a step again when it raises; what it raises the last time passes.

    ``retry(on=E)(s)(x) == s(x)`` where ``s(x)`` raises nothing

    :param on: an exception, several in a tuple, or a function that says of one whether to try again, or in how many
        seconds. Other exceptions pass at once.
    :param attempts: how often a step is tried at most.
    :param wait: seconds before the second attempt; doubled each time up to a minute, with a random part as long again.
    :raises TypeError: when ``on`` is none of these.
    :raises ValueError: for less than one attempt, or less than no time.
    :raises ModuleNotFoundError: where stamina is not installed.

    >>> from flowly_ckpt import apply, chained
    >>> answers = iter([OSError("busy"), 7])
    >>> def fetch(x):
    ...     answer = next(answers)
    ...     if isinstance(answer, Exception):
    ...         raise answer
    ...     return answer
    >>> apply(chained(fetch, float), 1, [retry(on=OSError, wait=0)])
    7.0

    See also: :func:`flowly_ckpt.passes.observe`; put it before that pass to see each attempt, after it to see the last.
    """
    kinds = on if isinstance(on, tuple) else (on,)
    if not all(issubclass(kind, Exception) if isinstance(kind, type) else callable(kind) for kind in kinds) or (
        isinstance(on, tuple) and not all(isinstance(kind, type) for kind in on)
    ):
        raise TypeError(f"retry: on must be exceptions such as OSError, or a function of one, got {on!r}")
    if isinstance(attempts, bool) or not isinstance(attempts, int) or attempts < 1:
        raise ValueError(f"retry: attempts must be a whole number, 1 or more, got {attempts!r}")
    wait = seconds("retry: wait", wait)
    _stamina()
    return leaves(lambda leaf: retried(on, attempts, wait, leaf))


def _stamina() -> Any:
    try:
        import stamina
    except ModuleNotFoundError as error:
        raise ModuleNotFoundError("retry needs stamina: run `pip install stamina`", name=error.name) from error
    return stamina
