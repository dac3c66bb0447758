"""A checkpoint of one's own, three methods, as a target."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, Protocol

from ..targets.protocol import BaseTarget
from ..typing import Key

__all__ = ["Call", "Hooked", "Hooks"]


class Call(tuple[str, str, str]):
    """Be a key that remembers the id and the method it was made from.

    >>> call = Call(("0a1b", "index_a", "rag.embed"), "text", len)
    >>> call == ("0a1b", "index_a", "rag.embed"), call.id
    (True, 'text')
    """

    id: Any
    method: Callable[..., Any]

    def __new__(cls, key: Key, id: Any, method: Callable[..., Any]) -> Call:
        """Take the three strings, and what they were made from."""
        call = super().__new__(cls, key)
        call.id = id
        call.method = method
        return call


class Hooks(Protocol):
    """Have the three methods that a checkpoint of one's own brings.

    >>> from flowly_ckpt.calls import NullCheckpoint
    >>> hooks: Hooks = NullCheckpoint()
    >>> hooks._has_data("some id", len)
    False
    """

    def _has_data(self, id: Any, method: Callable[..., Any]) -> bool: ...
    def _load(self, id: Any, method: Callable[..., Any]) -> Any: ...
    def _save(self, data: Any, id: Any, method: Callable[..., Any]) -> None: ...


class Hooked(BaseTarget):
    """Look up and store by the hooks of a checkpoint; they do not list, and what is deleted is only left unseen.

    >>> from flowly_ckpt.calls import NullCheckpoint
    >>> Call(("0a1b", "", "len"), "text", len) in Hooked(NullCheckpoint())
    False
    """

    def __init__(self, hooks: Hooks) -> None:
        self.hooks = hooks
        self.isolates = bool(getattr(hooks, "isolates", False))
        self._gone: set[Key] = set()

    def __repr__(self) -> str:
        return repr(self.hooks)

    def __contains__(self, key: object) -> bool:
        return isinstance(key, Call) and key not in self._gone and self.hooks._has_data(key.id, key.method)

    def __getitem__(self, key: Key) -> Any:
        if not isinstance(key, Call) or key not in self:
            raise KeyError(key)
        return self.hooks._load(key.id, key.method)

    def __setitem__(self, key: Key, value: Any) -> None:
        if not isinstance(key, Call):
            raise KeyError(key)
        self.hooks._save(value, key.id, key.method)
        self._gone.discard(key)

    def __delitem__(self, key: Key) -> None:
        if key not in self:
            raise KeyError(key)
        self._gone.add(key)

    def __iter__(self) -> Iterator[Key]:
        return iter(())

    def __len__(self) -> int:
        return 0
