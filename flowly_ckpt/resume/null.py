"""A checkpoint that keeps nothing."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, TypeVar

__all__ = ["NullCheckpoint"]

T = TypeVar("T")


class NullCheckpoint:
    """Keep nothing, where a checkpoint is asked for.

    >>> checkpoint = NullCheckpoint()
    >>> checkpoint.restore(), checkpoint.sync(), list(checkpoint.over("ab"))
    (False, False, ['a', 'b'])
    """

    def __init__(self, filename: Any = "", *ignored: Any, **options: Any) -> None:
        self.filename = str(filename)
        self.extra: dict[str, Any] = {}

    def restore(self, **values: Any) -> bool:
        """Do nothing."""
        return False

    def save(self, **values: Any) -> None:
        """Do nothing."""

    def sync(self, **values: Any) -> bool:
        """Do nothing."""
        return False

    def over(self, iterable: Iterable[T]) -> Iterator[T]:
        """Yield all items."""
        return iter(iterable)

    def forget(self) -> None:
        """Do nothing."""
