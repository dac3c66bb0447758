"""The future of a task that Prefect never hears of, since its result was there."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import TYPE_CHECKING, Any
from uuid import UUID, uuid4

from .stores import Store

if TYPE_CHECKING:
    from prefect.futures import PrefectFuture

__all__ = ["skipped"]


def skipped(store: Store) -> PrefectFuture:
    """Return a future, completed, whose result is a store; its state is called ``Skipped``.

    >>> skipped(Store("working/load/a")).state.name  # doctest: +SKIP
    'Skipped'
    """
    return skipped_type()(store)


@functools.cache
def skipped_type() -> Any:
    """Return the type of these futures; made when first asked for, since it is a type of Prefect's."""
    from prefect.futures import PrefectFuture
    from prefect.states import Completed

    class Skipped(PrefectFuture):  # type: ignore[misc]
        def __init__(self, store: Store) -> None:
            self._final_state = Completed(name="Skipped", message=f"{store} is there", data=store)
            self._id = uuid4()
            self.flowly_store = store

        @property
        def task_run_id(self) -> UUID:
            return self._id  # of no task run; Prefect asks every future for one

        @property
        def state(self) -> Any:
            return self._final_state

        def wait(self, timeout: float | None = None) -> None:
            return None

        def result(self, timeout: float | None = None, raise_on_failure: bool = True) -> Any:
            return self.flowly_store

        def add_done_callback(self, fn: Callable[[Any], None]) -> None:
            fn(self)

        def __repr__(self) -> str:
            return f"Skipped({self.flowly_store!r})"

    return Skipped
