"""Flows: what calls tasks; Prefect's in its modes, else plain functions."""

from __future__ import annotations

import copy
import functools
from collections.abc import Callable, Mapping
from typing import Any

from .context import mode

__all__ = ["Flow"]


class Flow:
    """Wrap a function so that it runs as a flow of Prefect where ``PIPEX`` asks for that at the call.

    >>> Flow(abs, {})(-1)
    1

    See also: :func:`flowly_ckpt.tasks.flow`.
    """

    def __init__(self, fn: Callable[..., Any], options: Mapping[str, Any]) -> None:
        functools.update_wrapper(self, fn)
        self.fn = fn
        self.options = dict(options)
        self.first: tuple[Any, ...] = ()
        self.scheduled: dict[str, Any] = {}  # by mode: the Prefect flow made of this one

    def __repr__(self) -> str:
        return f"Flow({getattr(self.fn, '__name__', self.fn)})"

    def __call__(self, /, *args: Any, **kwargs: Any) -> Any:
        """Run the flow."""
        asked = mode()
        if asked in ("do_nothing", "cache"):
            return self.fn(*self.first, *args, **kwargs)
        from .scheduled import flow_of

        return flow_of(self, asked)(*self.first, *args, **kwargs)

    @property
    def prefect(self) -> Any:
        """The flow as Prefect knows it, to be served or deployed.

        :raises MissingPrefectError: where Prefect is not installed.
        """
        from .scheduled import flow_of

        return flow_of(self, "prefect.cache")

    def __get__(self, instance: Any, owner: type | None = None) -> Flow:
        if instance is None:
            return self
        bound = copy.copy(self)
        bound.first = (instance,)
        return bound
