"""Try failing steps again: a pass over leaves, on top of stamina."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from ..given import seconds, whole
from ..pipelines import leaves
from ..pipelines.bases import Around
from ..typing import Age, Rewrite, Transform

__all__ = ["retried", "retry"]

_LONGEST = 60.0  # seconds between two attempts

On = type[Exception] | tuple[type[Exception], ...] | Callable[[Exception], bool | float]


class retried(Around):
    """Apply a transform, again and again while it raises one of some exceptions.

    ``retried(on, attempts, wait, f)(x) == f(x)``, and both have one hash

    >>> retried(ValueError, 3, 0, int)("5")
    5

    See also: :func:`retry`.
    """

    __slots__ = ("attempts", "on", "wait")

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

    def _arguments(self) -> tuple[Any, ...]:
        return (self.on, self.attempts, self.wait)


def retry(*, on: On, attempts: int = 3, wait: Age = 0.1) -> Rewrite:
    """Return a pass that tries a step again when it raises an exception; that of the last attempt passes.

    ``retry(on=E)(s)(x) == s(x)`` where ``s(x)`` raises nothing

    :param on: an exception, several in a tuple, or a function that says of one whether to try again, or in how many
        seconds. Other exceptions pass at once.
    :param attempts: how often a step is tried at most.
    :param wait: seconds before the second attempt, or text such as ``"1min"``; doubled each time up to a minute, with a
        random part as long again.
    :raises TypeError: for another ``on``, and for what is not a number.
    :raises ValueError: for less than one attempt, and for a negative time.
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
        raise TypeError(
            f"retry: on must be an exception such as OSError, a tuple of them, or a function of one, got {on!r:.60}"
        )
    attempts, wait = whole("retry: attempts", attempts, 1), seconds("retry: wait", wait)
    _stamina()
    return leaves(lambda leaf: retried(on, attempts, wait, leaf))


def _stamina() -> Any:
    try:
        import stamina
    except ModuleNotFoundError as error:
        raise ModuleNotFoundError("retry needs stamina: run `pip install stamina`", name=error.name) from error
    return stamina
