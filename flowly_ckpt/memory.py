"""An object that remembers results of functions: what scikit-learn and other libraries ask for as ``memory``."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from functools import partial
from typing import Any, Never, ParamSpec, Self, TypeVar, cast, overload

from .given import function, optional
from .hashing.parts import row_of
from .memo import memo, memoized
from .targets.facts import Entry
from .targets.protocol import checked, described
from .typing import Target

__all__ = ["Memory"]

P = ParamSpec("P")
R = TypeVar("R")
Known = Mapping[str, Any]
_ARGUMENT = re.compile(r":\['(\w+)'\]")


class Memory:
    """Remember the results of functions in a target; takes the place of joblib's ``Memory``.

    ``Memory(t).cache(f)(*args) == memo(t)(f)(*args)``

    :param target: where results are kept, any mutable mapping.
    :raises TypeError: when the target is not a mutable mapping.

    >>> results = {}
    >>> memory = Memory(results)
    >>> @memory.cache
    ... def square(n):
    ...     return n * n
    >>> square(3), square(3), len(results)
    (9, 9, 1)

    See also: :func:`flowly_ckpt.memo`, the decorator by itself.
    """

    def __init__(self, target: Target | None = None, **of_joblib: Never) -> None:
        _refuse(of_joblib)
        self.target = checked(cast("Target", target))

    @overload
    def cache(self, func: Callable[P, R], ignore: Iterable[str] | None = None, verbose: Any = None,
              mmap_mode: Any = None, cache_validation_callback: Callable[[Known], bool] | None = None,
              *, tag: str | None = None) -> memoized[P, R]: ...  # fmt: skip
    @overload
    def cache(self, func: None = None, ignore: Iterable[str] | None = None, verbose: Any = None,
              mmap_mode: Any = None, cache_validation_callback: Callable[[Known], bool] | None = None,
              *, tag: str | None = None) -> Callable[[Callable[P, R]], memoized[P, R]]: ...  # fmt: skip
    def cache(
        self,
        func: Any = None,
        ignore: Iterable[str] | None = None,
        verbose: Any = None,
        mmap_mode: Any = None,
        cache_validation_callback: Callable[[Known], bool] | None = None,
        *,
        tag: str | None = None,
    ) -> Any:
        """Return a function that remembers its results; without a function, the decorator.

        :param func: the function.
        :param ignore: the names of the parameters that do not count.
        :param verbose: taken for callers that know joblib; what happens is logged as ``flowly_ckpt``.
        :param mmap_mode: likewise; whether an array is mapped when it is loaded is up to the target.
        :param cache_validation_callback: takes ``{"time": …, "duration": …, "input_args": …}`` of an entry: seconds,
            and the arguments by name as short texts; returns whether it may be used, as that of joblib does.
        :param tag: names the results; by default module and function.
        :raises TypeError: for what is not a function.

        >>> Memory({}).cache(max, ignore=None)(3, 5)
        5
        """
        optional(function, "cache_validation_callback", cache_validation_callback)
        valid = None if cache_validation_callback is None else partial(_is_valid, cache_validation_callback)
        decorate = memo(self.target, tag, ignore=ignore or (), valid=valid)
        return decorate if func is None else decorate(func)

    def eval(self, func: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
        """Call a function, or return the stored result of a call with equal arguments.

        >>> Memory({}).eval(max, 3, 5)
        5
        """
        return self.cache(func)(*args, **kwargs)

    def clear(self, warn: bool = True) -> None:
        """Remove everything from the target.

        :param warn: taken for callers that know joblib.
        """
        self.target.clear()

    def __repr__(self) -> str:
        return f"Memory({described(self.target)})"

    def __eq__(self, other: object) -> bool:
        return self.target is other.target if isinstance(other, Memory) else NotImplemented

    def __hash__(self) -> int:
        return hash((Memory, id(self.target)))

    def __deepcopy__(self, memo: dict[int, Any]) -> Self:
        return self  # it says where results are, and a clone of an estimator is to find them

    def __flowly_hash__(self) -> str:
        return "memory"  # where results are has no part in them


def _refuse(of_joblib: Mapping[str, Any]) -> None:
    if "location" in of_joblib:
        place = of_joblib["location"]
        here = "{}" if place is None else f"DiskTarget({place!r})"
        raise TypeError(f"Memory(location={place!r}) is joblib's; here write Memory({here})")
    for name in of_joblib:
        raise TypeError(f"Memory has no option {name!r}; how results are kept is up to the target")


def _is_valid(callback: Callable[[Known], bool], entry: Entry) -> bool:
    return callback({"time": entry.created, "duration": entry.seconds, "input_args": _arguments(entry)})


def _arguments(entry: Entry) -> dict[str, str]:
    """Return what is known of the arguments, by name, as short texts."""
    table = entry.made_from.get("parts")
    rows = table.items() if isinstance(table, dict) else ()
    return {found[1]: row_of(text).shown for way, text in rows if (found := _ARGUMENT.fullmatch(way))}
