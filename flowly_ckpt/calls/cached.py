"""The decorator: a call goes through the checkpoint that is in use when it is made."""

from __future__ import annotations

import types
from collections.abc import Callable, Iterator, Sequence
from functools import update_wrapper
from typing import Any, Generic, ParamSpec, Self, TypeVar

from ..pipelines import name_of
from ..pipelines.awaiting import is_async, mark_async
from ..pipelines.pickling import name_to_pickle
from ..plan import Forecast, restoring
from ..targets.protocol import as_target
from ..targets.reasons import explained
from ..targets.recall import MISSING
from ..typing import Key
from .checkpoints import Checkpoint
from .current import get_checkpoint
from .ids import identify
from .keys import Decorated, code_in

__all__ = ["cache_with_checkpoint", "cached"]

P = ParamSpec("P")
R = TypeVar("R")


class cached(Decorated, Generic[P, R]):
    """Call a function, or return the result of an earlier call with the same id.

    ``cached(f, id)(*args) == get_checkpoint().load_or_run(f, id(*args), *args)``

    In a pipeline it is transparent: it hashes as the function does, and passes go into it.

    :param function: what to call on a miss.
    :param id: an expression over the function's arguments, or a function of them.
    :param code: make the function's code part of the key, so that an edit of it counts as another function.

    >>> from flowly_ckpt.calls import init_checkpoint
    >>> results = init_checkpoint("index_a", target={}).target
    >>> cached(len, "obj")("text"), len(results)
    (4, 1)

    See also: :func:`cache_with_checkpoint`, the decorator.
    """

    __flowly_role__ = "transparent"
    __wrapped__: Callable[P, R]

    def __init__(self, function: Callable[P, R], id: str | Callable[..., Any], code: bool = False) -> None:
        self.id = id
        self.code = code
        self.call_id = identify(function, id)
        self.transform = function
        update_wrapper(self, function)
        if is_async(function):
            mark_async(self)

    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> R:
        return get_checkpoint().load_or_run(self, self.call_id(*args, **kwargs), *args, **kwargs)

    def __get__(self, instance: Any, owner: type | None = None) -> Any:
        return self if instance is None else types.MethodType(self, instance)

    def __flowly_forecast__(self, *args: Any) -> Iterator[Forecast]:
        """Yield whether the call would be restored or run; of a method, the instance comes first."""
        if args[-1] is MISSING:
            yield Forecast((name_of(self),), "run", None, "its id is known when it runs")
            return
        checkpoint, id = get_checkpoint(), self.call_id(*args)
        target, key = as_target(checkpoint.target), checkpoint.key(id, self)
        if checkpoint._has_data(id, self):
            yield restoring((name_of(self),), checkpoint.checkpoint_name, "its id was seen before", target.entry(key))
        else:
            why = target.fate(key) or self._changed(checkpoint, key, id) or "its id is new"
            yield Forecast((name_of(self),), "run", checkpoint.checkpoint_name, why)

    def _changed(self, checkpoint: Checkpoint, key: Key, id: Any) -> str:
        """Return what has changed in the code, where that is in the key and the id was seen before."""
        code = code_in(key)
        if not code:
            return ""
        why, before = explained(as_target(checkpoint.target), key, checkpoint.made_from(key, id, self, fresh=True))
        is_own = before is not None and before.key[0] == key[0] and before.key[2].startswith(key[2].removesuffix(code))
        return why if is_own else ""

    def _head(self) -> tuple[Any, ...]:
        return (self.id, self.code)

    def __flowly_children__(self) -> tuple[Callable[..., Any], ...]:
        return (self.transform,)

    def __flowly_rebuild__(self, parts: Sequence[Callable[..., Any]]) -> Self:
        # Only what runs on a miss is replaced: name, signature and id stay those of the decorated function.
        other = type(self).__new__(type(self))
        other.__dict__.update(self.__dict__)
        (other.transform,) = parts
        return other

    def __reduce__(self) -> str | tuple[Any, ...]:
        name = name_to_pickle(self)
        if name is not None:
            return name
        return (_again, (self.__wrapped__, self.id, self.code, self.transform))


def cache_with_checkpoint(
    expression: str | None = None, /, *, id: str | Callable[..., Any] | None = None, code: bool = False
) -> Callable[[Callable[P, R]], cached[P, R]]:
    """Decorate a function whose calls are identified by an id: a call with an id seen before returns its result.

    The checkpoint that keeps the results is looked up at each call, so decorating comes before ``init_checkpoint``.
    Only the id counts, neither the arguments nor what the function closes over: everything that makes a difference
    belongs into the id.

    :param id: an expression over the arguments, such as ``"arg2.id"``, in the namespace of the function;
        or a function of the same arguments.
    :param code: make the function's code part of the key. Without it, results outlive an edit of the function.
    :raises ValueError: without an id, and for one that mentions what is neither an argument nor known to the module.
    :raises SyntaxError: for an id that is not an expression.
    :raises IdError: from a call whose id cannot be evaluated.

    >>> from flowly_ckpt.calls import init_checkpoint
    >>> checkpoint = init_checkpoint("index_a", target={})
    >>> @cache_with_checkpoint(id="arg2.real")
    ... def method(arg1, arg2):
    ...     return arg1 * arg2
    >>> method(2, arg2=3), method(200, arg2=3)
    (6, 6)

    See also: :func:`flowly_ckpt.calls.Checkpoint.load_or_run`, the same without a decorator.
    """
    chosen = expression if id is None else id
    if chosen is None or (expression is not None and not isinstance(expression, str)):
        message = "'id' must be provided to the cache_with_checkpoint decorator"
        raise ValueError(f'{message}: write @cache_with_checkpoint(id="…")')
    if not isinstance(chosen, str) and not callable(chosen):
        raise TypeError(f"id must be an expression in a string, or a function, got {type(chosen).__name__}")
    return lambda function: cached(function, chosen, code)


def _again(function: Callable[..., Any], id: Any, code: bool, transform: Callable[..., Any]) -> cached[..., Any]:
    return cached(function, id, code).__flowly_rebuild__((transform,))
