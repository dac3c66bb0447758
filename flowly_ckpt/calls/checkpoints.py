"""The base of checkpoints: the one way of a cached call to its result."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ParamSpec, TypeVar, cast

from ..hashing import functional_hash
from ..targets.recall import recall, recall_async
from ..typing import Target
from .cached import is_async, uncached, wants_code
from .hooks import Call, Hooked
from .mutation import digests_of, warn_of_changes
from .naming import qualified_name

__all__ = ["Checkpoint"]

P = ParamSpec("P")
R = TypeVar("R")


class Checkpoint:
    """Be the base of checkpoints: a subclass brings ``_has_data``, ``_load`` and ``_save``, and sees id and method.

    :ivar checkpoint_name: the tag in every key: one checkpoint for each step and index name.
    :ivar code: make the code of every method part of its key.

    >>> class InMemory(Checkpoint):
    ...     def __init__(self): self.data = {}
    ...     def _has_data(self, id, method): return (id, method.__name__) in self.data
    ...     def _load(self, id, method): return self.data[id, method.__name__]
    ...     def _save(self, data, id, method): self.data[id, method.__name__] = data
    >>> checkpoint = InMemory()
    >>> checkpoint.load_or_run(len, "some id", "text"), checkpoint.load_or_run(len, "some id", "other text")
    (4, 4)

    See also: :class:`flowly_ckpt.calls.LocalStorageCheckpoint`, :class:`flowly_ckpt.calls.NullCheckpoint`.
    """

    checkpoint_name: str = ""
    code: bool = False
    _target: Target | None = None

    @property
    def target(self) -> Target:
        """The mapping in which results are looked up and stored: here, the three hooks."""
        if self._target is None:
            self._target = Hooked(self)
        return self._target

    def key(self, id: Any, method: Callable[..., Any], /) -> Call:
        """Return the key of a call: hash of the id, checkpoint name, name of the method.

        >>> Checkpoint().key("some id", len)[1:]
        ('', 'builtins.len')
        """
        name = qualified_name(method, self.code or wants_code(method))
        return Call((functional_hash(id), self.checkpoint_name, name), id, method)

    def load_or_run(self, method: Callable[P, R], id: Any, /, *args: P.args, **kwargs: P.kwargs) -> R:
        """Return what the method gave when it was called with this id before, else call it and keep the result.

        :param method: what to call; a function already decorated shares the entries of its own.
        :param id: uniquely identifies the call: the arguments do not count. Any value that can be told by content.
        :raises UnhashableError: for an id that cannot; what the method raises passes unchanged, and nothing is kept.

        >>> from flowly_ckpt.calls import NullCheckpoint
        >>> NullCheckpoint().load_or_run(divmod, "some id", 7, 2)
        (3, 1)
        """
        function = uncached(method)
        key = self.key(id, method)
        if is_async(function):
            return cast("R", self._await(key, function, args, kwargs))

        def compute() -> R:
            before = digests_of(args, kwargs)
            value = function(*args, **kwargs)
            warn_of_changes(key[2], before, args, kwargs)
            return value

        value: R = recall(self.target, key, compute, {"id": key[0], "method": key[2]})
        return value

    def _await(self, key: Call, function: Callable[..., Any], args: Any, kwargs: Any) -> Any:
        async def compute() -> Any:
            before = digests_of(args, kwargs)
            value = await function(*args, **kwargs)
            warn_of_changes(key[2], before, args, kwargs)
            return value

        return recall_async(self.target, key, compute, {"id": key[0], "method": key[2]})

    def _has_data(self, id: Any, method: Callable[..., Any]) -> bool:
        raise NotImplementedError(f"{type(self).__name__} must say whether there is a result: _has_data(id, method)")

    def _load(self, id: Any, method: Callable[..., Any]) -> Any:
        raise NotImplementedError(f"{type(self).__name__} must load a result: _load(id, method)")

    def _save(self, data: Any, id: Any, method: Callable[..., Any]) -> None:
        raise NotImplementedError(f"{type(self).__name__} must save a result: _save(data, id, method)")
