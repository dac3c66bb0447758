"""Remember the results of a function of any arguments, by the content of the arguments and by its code."""

from __future__ import annotations

import copyreg
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import cached_property, update_wrapper
from types import FunctionType, GenericAlias, MethodType

from .checkpoint import checkpoint
from .errors import UnhashableError
from .given import function as function_given
from .given import optional, text, wrong
from .later import on_call
from .pipelines import Combinator, chained, effective_steps, name_of
from .pipelines.awaiting import is_async, mark_async
from .pipelines.names import module_name
from .targets.checking import checked

TYPE_CHECKING = False
if TYPE_CHECKING:
    from inspect import Signature
    from typing import Any, Concatenate, Generic, ParamSpec, Self, TypeVar, overload

    from .checkpoint.sources import Sources
    from .checkpoint.stages import Asked, Stage, look_back
    from .hashing.arguments import counted, in_argument, signature_of
    from .hashing.code.origin import of_module
    from .hashing.digests import prefix_hashes
    from .hashing.kept import Keeper
    from .pipelines.pickling import name_to_pickle
    from .plan import Forecast, Plan, restoring
    from .plan.stretches import running
    from .targets.facts import Entry
    from .targets.protocol import as_target
    from .targets.recall import recall, recall_async
    from .typing import Key, Target

    P = ParamSpec("P")
    Q = ParamSpec("Q")
    R = TypeVar("R")
    S = TypeVar("S")
    Valid = Callable[[Entry], bool]

    class Typed(Combinator, Generic[P, R]): ...

else:
    _CALLED = {
        ".checkpoint.sources": "Sources",
        ".checkpoint.stages": "Asked Stage look_back",
        ".hashing.arguments": "counted in_argument signature_of",
        ".hashing.code.origin": "of_module",
        ".hashing.digests": "prefix_hashes",
        ".pipelines.pickling": "name_to_pickle",
        ".plan": "Forecast Plan restoring",
        ".plan.stretches": "running",
        ".targets.protocol": "as_target",
        ".targets.recall": "recall recall_async",
    }
    on_call(__name__, _CALLED)

    class Typed(Combinator):
        __class_getitem__ = classmethod(GenericAlias)


__all__ = ["memo", "memoized"]


def memo(
    target: Target, tag: str | None = None, *, ignore: Iterable[str] = (), valid: Valid | None = None
) -> Callable[[Callable[P, R]], memoized[P, R]]:
    """Decorate a function so that it runs again only if its arguments or its code have changed.

    ``memo(t)(f)(*args, **kwargs) == f(*args, **kwargs)``

    Arguments are bound to the parameters and defaults filled in, so it does not matter how they are passed. They count
    by content, as does the instance of a method. An iterator's items are stored, and each call gets a new one; what an
    ``async`` function gives is stored when it is there. What the function raises passes, and nothing is stored.

    :param target: where results are kept, any mutable mapping.
    :param tag: names the results, for ``clear_checkpoints`` and the command line; by default module and function.
    :param ignore: the names of the parameters that do not count.
    :param valid: takes what is known of an entry (when it was stored, how long it took to compute), returns whether it
        may be used; what may not is computed again.
    :raises TypeError: when the target is not a mutable mapping, and for what is not a function.
    :raises ValueError: for ``ignore`` with a name that is not a parameter.

    >>> results = {}
    >>> @memo(results, "area", ignore=["verbose"])
    ... def area(w, h=4, verbose=False):
    ...     return w * h
    >>> area(3, 4), area(3, h=4, verbose=True), area(w=3), len(results)
    (12, 12, 12, 1)
    >>> print(area.plan(5))
    run      area  area  the input differs in ['w'] 3 → 5
    >>> area.clear(), area.uncached(5)
    (1, 20)

    See also: :class:`memoized` for what the decorated function can do; :func:`flowly_ckpt.checkpoint` for pipelines;
    :class:`flowly_ckpt.Memory`.
    """
    if isinstance(target, (FunctionType, staticmethod, classmethod)):
        name = getattr(target, "__name__", "f")
        raise TypeError(f"memo: say where the results of {name} are kept: @memo(results), results a dict or DiskTarget")
    place = checked(target)
    optional(text, "tag", tag)
    optional(function_given, "valid", valid, "an entry")
    if not isinstance(ignore, Iterable):
        raise wrong("ignore", "names of parameters", ignore)
    names = frozenset([ignore] if isinstance(ignore, str) else ignore)

    def decorate(function: Callable[P, R]) -> memoized[P, R]:
        inner: Any = function.__func__ if isinstance(function, (staticmethod, classmethod)) else function
        if not callable(inner):
            below = "; put it below @property" if isinstance(inner, property) else ""
            raise TypeError(f"memo decorates a function, got {inner!r:.60}{below}")
        made: memoized[P, R] = memoized(checkpoint(place, tag or _tag(inner)), inner, names, valid)
        made.binder = type(function) if inner is not function else None
        made.check()
        return made

    return decorate


class memoized(Typed["P", "R"]):
    """Call a function, or return the stored result of a call with equal arguments; made by :func:`memo`.

    ``memoized(checkpoint(t), f)(*args) == f(*args)``

    In a pipeline it is transparent: it hashes as the function does, and passes go into it.

    :param checkpoint: where to keep the results, and under which tag.
    :param function: what to call on a miss.
    :param ignore: the names of the parameters that do not count.
    :param valid: takes what is known of an entry, returns whether it may be used.

    >>> results = {}
    >>> area = memoized(checkpoint(results, "area"), lambda w, h=4: w * h)
    >>> area(3), area(3, 4), area(h=4, w=3), len(results)
    (12, 12, 12, 1)

    See also: :func:`memo`.
    """

    __flowly_role__ = "transparent"
    __wrapped__: Callable[P, R]

    def __init__(
        self,
        checkpoint: checkpoint,
        function: Callable[P, R],
        ignore: Iterable[str] = (),
        valid: Valid | None = None,
    ) -> None:
        self.checkpoint = checkpoint
        self.transform = function
        self.ignore = frozenset(ignore)
        self.valid = valid
        self.binder: type | None = None
        self.hashes_as: Any = None  # in place of the transform, for a method whose instance does not count
        own = set(self.__dict__)
        update_wrapper(self, function, updated=())
        self.__dict__.update({k: v for k, v in getattr(function, "__dict__", {}).items() if k not in own})
        self.__wrapped__ = function
        self.is_async = is_async(function)
        if self.is_async:
            mark_async(self)

    def check(self) -> None:
        """Refuse what cannot be remembered.

        :raises ValueError: for a name to ignore that is not a parameter.
        :raises TypeError: for a generator that is asynchronous.
        """
        import inspect

        if inspect.isasyncgenfunction(self.__wrapped__):
            raise TypeError(
                f"memo: {name_of(self.__wrapped__)} is an asynchronous generator; let it return a list of its items"
            )
        known = {} if self._signature is None else self._signature.parameters
        if any(parameter.kind is parameter.VAR_KEYWORD for parameter in known.values()):
            return
        for name in sorted(self.ignore - set(known), key=str):
            raise ValueError(f"memo: {name_of(self.__wrapped__)} has no parameter {name!r}, only {', '.join(known)}")

    def __call__(self, /, *args: P.args, **kwargs: P.kwargs) -> R:
        call: Any = self._awaited if self.is_async else self._called
        result: R = call(args, kwargs)
        return result

    def _called(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        asked = self._valid(self._asked(args, kwargs))
        target, key, _, made_from = asked.missing(0, None)
        ran: list[bool] = []

        def compute() -> Any:
            ran.append(True)
            return self.transform(*args, **kwargs)

        value = recall(target, key, compute, made_from)
        if ran:
            self._warn_of_changes(asked)
        return value

    async def _awaited(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        asked = self._valid(self._asked(args, kwargs))
        target, key, _, made_from = asked.missing(0, None)
        ran: list[bool] = []

        async def compute() -> Any:
            ran.append(True)
            transform: Any = self.transform
            return await transform(*args, **kwargs)

        value = await recall_async(target, key, compute, made_from)
        if ran:
            self._warn_of_changes(asked)
        return value

    def _asked(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Asked:
        """Return what a call asks for, as of a pipeline of its steps on the arguments that count."""
        try:
            arguments = counted(self._signature, self.ignore, args, kwargs)
        except TypeError as error:
            raise TypeError(f"{name_of(self)}() {error}") from None
        try:
            return Asked([Stage(self, self.transform, (), 0, self._steps)], arguments, self._keepers)
        except UnhashableError as error:
            raise in_argument(error, arguments) from error.__cause__

    def _valid(self, asked: Asked) -> Asked:
        """Remove what is stored and may not be used."""
        key = asked.keyed[0].key
        if self.valid is not None and not self._has(key):
            as_target(self.checkpoint.target).pop(key, None)
        return asked

    @cached_property
    def _keepers(self) -> dict[Any, Keeper]:
        return {}

    @cached_property
    def _signature(self) -> Signature | None:
        return signature_of(self.__wrapped__)

    @property
    def _steps(self) -> list[Any]:
        return effective_steps(self.transform if self.hashes_as is None else self.hashes_as) or [chained()]

    def _warn_of_changes(self, asked: Asked) -> None:
        if of_module(getattr(self.__wrapped__, "__module__", None)).kind == "user":  # others know what they do
            look_back(asked.stages, asked.keyed, asked.before, asked.obj, 0)

    def _has(self, key: Key) -> bool:
        """Return whether there is an entry that may be used."""
        if self.valid is None:
            return key in self.checkpoint.target
        entry = as_target(self.checkpoint.target).entry(key)
        return entry is not None and bool(self.valid(entry))

    def plan(self, /, *args: P.args, **kwargs: P.kwargs) -> Plan:
        """Forecast a call: whether it would be restored or run, and why."""
        return Plan(self._forecasts(args, kwargs))

    def __flowly_forecast__(self, obj: Any) -> Iterator[Forecast]:
        """Yield the same for a step of a pipeline."""
        from .targets.recall import MISSING

        if obj is MISSING:
            yield Forecast((name_of(self),), "run", self.checkpoint.tag, "its argument is known when it runs")
        else:
            yield from self._forecasts((obj,), {})

    def _forecasts(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Iterator[Forecast]:
        asked = self._asked(args, kwargs)
        target, key, name = self.checkpoint.target, asked.keyed[0].key, name_of(self)
        if self._has(key):
            entry = as_target(target).entry(key)
            yield restoring((name,), key[1], "stored for these arguments and this code", entry)
        elif key in target:
            yield Forecast((name,), "run", key[1], "what is stored is no longer valid")
        else:
            sources = Sources(asked.stages, asked.keyed, asked.before, asked.obj, fresh=True)
            yield running((name,), key, as_target(target), sources, 0)

    def __flowly_codes__(self) -> Iterator[tuple[str, str]]:
        """Yield the tag and the hash of the code, unless it differs from instance to instance."""
        first = next(iter(self._signature.parameters if self._signature else ()), None)
        owner = str(getattr(self, "__qualname__", "")).rpartition(".")[0]
        is_method = self.binder is None and owner and not owner.endswith("<locals>") and first not in self.ignore
        if not is_method and (self.hashes_as is not None or type(self.transform) is not MethodType):
            hasher = as_target(self.checkpoint.target).hasher
            yield self.checkpoint.tag, prefix_hashes(self._steps, hasher=hasher)[-1]

    def clear(self, **selection: Any) -> int:
        """Remove the results under its tag, also those of earlier versions of its code; return how many.

        :param selection: ``older_than`` and ``unused_for``, ages such as ``30d``; ``dry_run`` to count only.
        """
        if "tag" in selection:
            raise TypeError(f"clear: the tag is that of the function, {self.checkpoint.tag!r}; leave it out")
        return as_target(self.checkpoint.target).clear_where(tag=self.checkpoint.tag, **selection)

    @property
    def uncached(self) -> Callable[P, R]:
        """The function itself, which looks nothing up and stores nothing."""
        return self.__wrapped__

    if TYPE_CHECKING:

        @overload
        def __get__(self, instance: None, owner: type) -> Self: ...
        @overload
        def __get__(self: memoized[Concatenate[S, Q], R], instance: S, owner: type | None = None) -> memoized[Q, R]: ...

    def __get__(self, instance: Any, owner: Any = None) -> Any:
        if self.binder is staticmethod or (instance is None and self.binder is None):
            return self
        first = instance if self.binder is None else (owner or type(instance))
        made = self.__flowly_rebuild__((MethodType(self.transform, first),))
        made.__wrapped__ = MethodType(self.__wrapped__, first)
        made.__dict__.pop("_signature", None)
        made.binder = staticmethod  # bound already
        if next(iter(self._signature.parameters if self._signature else ()), None) in self.ignore:
            made.hashes_as = self.transform
        return made

    def _head(self) -> tuple[Any, ...]:
        return (self.checkpoint, self.ignore, self.valid)

    def _show(self, parts: list[str]) -> list[str]:
        return [repr(self.checkpoint), *parts]

    def __flowly_children__(self) -> tuple[Callable[..., Any], ...]:
        return (self.transform,)

    def __flowly_rebuild__(self, parts: Sequence[Callable[..., Any]]) -> Self:
        # Only what runs on a miss is replaced: name, signature and tag stay those of the decorated function.
        made = type(self).__new__(type(self))
        made.__dict__.update(self.__dict__)
        (made.transform,) = parts
        return made

    def __reduce__(self) -> str | tuple[Any, ...]:
        name = name_to_pickle(self)
        if name is not None:
            return name
        bound = self.transform
        if isinstance(bound, MethodType) and isinstance(getattr(bound.__self__, bound.__name__, None), memoized):
            return (getattr, (bound.__self__, bound.__name__))
        state = {key: value for key, value in self.__dict__.items() if key not in ("_signature", "_keepers")}
        return (copyreg.__newobj__, (type(self),), state)  # type: ignore[attr-defined]


def _tag(function: Any) -> str:
    name, place = name_of(function), getattr(function, "__module__", None)
    return f"{module_name(place)}.{name}" if isinstance(place, str) else name
