"""A task as a step of a pipeline of plain functions."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from ..pipelines import Combinator
from ..plan import Forecast
from ..targets.recall import MISSING
from .context import mode
from .nesting import loaded

if TYPE_CHECKING:
    from .wrapped import Task

__all__ = ["kept"]


class kept(Combinator):
    """Apply a task, and give the data instead of the store they are in.

    ``kept(task)(x) == task.fn(x)``; it is hashed as the function, since keeping does not change what is computed.

    >>> from flowly_ckpt.pipelines import children
    >>> from flowly_ckpt.tasks import task
    >>> children(kept(task(abs)))
    (<built-in function abs>,)

    See also: :attr:`flowly_ckpt.tasks.Task.transform`.
    """

    __slots__ = ("task",)
    __flowly_role__ = "transparent"

    def __init__(self, task: Task) -> None:
        self.task = task

    def __call__(self, obj: Any) -> Any:
        return loaded(self.task(obj))

    def __flowly_forecast__(self, obj: Any) -> Iterator[Forecast]:
        """Tell whether the task's file is there already."""
        name, asked = (self.task.name,), mode()
        if asked == "do_nothing" or self.task.store is None:
            yield Forecast(name, "run", None, "it keeps nothing")
        elif obj is MISSING:
            yield Forecast(name, "run", None, "which file it makes is known when it runs")
        elif (store := self.task.at(obj)).exists():
            yield Forecast(name, "restore", str(store), "its file is there")
        else:
            yield Forecast(name, "run", str(store), "its file is not there")

    def _head(self) -> tuple[Any, ...]:
        return (self.task.target.text, self.task.store)

    def __flowly_children__(self) -> tuple[Any, ...]:
        return (self.task.fn,)

    def __flowly_rebuild__(self, parts: Sequence[Any]) -> kept:
        return kept(self.task.__flowly_rebuild__(parts))

    def __reduce__(self) -> tuple[Any, ...]:
        return (kept, (self.task,))
