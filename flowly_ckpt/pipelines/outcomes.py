"""Values that may be missing and calls that may fail, as objects that are chained and asked at the end."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NoReturn

__all__ = ["Failure", "Just", "Nothing", "Success", "not_none", "optional", "raise_", "try_call"]


class Outcome:
    """Base class: ``+outcome`` and ``outcome.get()`` give the value, or raise where there is none.

    >>> +optional(3)
    3
    """

    def get(self) -> Any:
        """Return the value."""
        raise NotImplementedError

    def __pos__(self) -> Any:
        return self.get()

    def __eq__(self, other: object) -> bool:
        return type(other) is type(self) and vars(other) == vars(self)

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        return f"{type(self).__name__}({', '.join(map(repr, vars(self).values()))})"


class Just(Outcome):
    """A value that is there.

    >>> Just(3).transform(lambda x: x + 1)
    Just(4)
    """

    def __init__(self, value: Any) -> None:
        self.value = value

    def get(self) -> Any:
        return self.value

    def transform(self, func: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        """Apply a function to the value, if there is one."""
        return optional(func(self.value, *args, **kwargs))

    def pipe(self, func: Callable[..., Any] = lambda value: value, *args: Any, **kwargs: Any) -> Any:
        """Apply a function to the value, or to ``None``."""
        return optional(func(self.value, *args, **kwargs))

    def or_else(self, value: Any) -> Any:
        """Return this, or where there is no value another one."""
        return self

    def or_else_call(self, func: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        """Return this, or where there is no value what a function returns."""
        return self


class Nothing(Outcome):
    """No value.

    >>> Nothing().transform(abs).or_else(5)
    Just(5)
    """

    def get(self) -> NoReturn:
        raise ValueError("there is no value; say or_else(…) first")

    def transform(self, func: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        """Apply a function to the value, if there is one."""
        return self

    def pipe(self, func: Callable[..., Any] = lambda value: value, *args: Any, **kwargs: Any) -> Any:
        """Apply a function to the value, or to ``None``."""
        return optional(func(None, *args, **kwargs))

    def or_else(self, value: Any) -> Any:
        """Return this, or where there is no value another one."""
        return optional(value)

    def or_else_call(self, func: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        """Return this, or where there is no value what a function returns."""
        return optional(func(*args, **kwargs))


class Success(Outcome):
    """What a call returned.

    >>> Success(3).then(str)
    Success('3')
    """

    def __init__(self, value: Any) -> None:
        self.value = value

    def get(self) -> Any:
        return self.value

    def then(self, func: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        """Call a function with the value, if there is one."""
        return try_call(func, self.value, *args, **kwargs)

    def recover(self, func: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        """Call a function with the exception, if there is one."""
        return self


class Failure(Outcome):
    """The exception that a call raised.

    >>> Failure(ValueError("no")).recover(str)
    Success('no')
    """

    def __init__(self, exception: Exception) -> None:
        self.exception = exception

    def get(self) -> NoReturn:
        raise self.exception

    def then(self, func: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        """Call a function with the value, if there is one."""
        return self

    def recover(self, func: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        """Call a function with the exception, if there is one."""
        return try_call(func, self.exception, *args, **kwargs)


class _Optional:
    """Wrap a value that may be ``None``.

    ``+optional(x).or_else(y) == (y if x is None else x)``

    ``optional.all(a, b)`` holds the list of all values, or nothing where one is missing; ``optional.any(a, b)`` the
    first that is there.

    >>> +optional(None).or_else(5), +optional.all(1, 2), +optional.any(None, 2)
    (5, [1, 2], 2)
    """

    def __call__(self, value: Any = None) -> Any:
        if isinstance(value, Just | Nothing):
            return value
        return Nothing() if value is None else Just(value)

    def all(self, *values: Any) -> Any:
        found = list(map(self, values))
        return Just([+one for one in found]) if all(isinstance(one, Just) for one in found) else Nothing()

    def any(self, *values: Any) -> Any:
        return next((one for one in map(self, values) if isinstance(one, Just)), Nothing())


class _TryCall:
    """Call a function, and return what it returned or raised.

    ``+try_call(f, x).recover(g)`` is ``f(x)``, or ``g(error)`` where that raises

    ``try_call.of(x)`` holds a value as if a call had returned it; ``try_call.all(a, b)`` the list of all values, or a
    failure where one failed; ``try_call.any(a, b)`` the first that did not.

    >>> +try_call(int, "7"), +try_call(int, "x").recover(lambda error: -1)
    (7, -1)
    """

    def __call__(self, func: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        try:
            return Success(func(*args, **kwargs))
        except Exception as error:  # noqa: BLE001  which is what this is for
            return Failure(error)

    def of(self, value: Any) -> Any:
        return value if isinstance(value, Success | Failure) else Success(value)

    def all(self, *calls: Any) -> Any:
        found = list(map(self.of, calls))
        failed = [one for one in found if isinstance(one, Failure)]
        return _failed(failed, len(found)) if failed else Success([one.value for one in found])

    def any(self, *calls: Any) -> Any:
        found = list(map(self.of, calls))
        return next((one for one in found if isinstance(one, Success)), None) or _failed(found, len(found))


def _failed(failures: list[Any], count: int) -> Failure:
    causes = [one.exception for one in failures]
    error = ValueError(f"{len(causes)} of {count} calls failed")
    error.__cause__ = causes[0] if causes else None
    return Failure(error)


optional = not_none = _Optional()
try_call = _TryCall()


def raise_(error: type[BaseException], *args: Any, **kwargs: Any) -> NoReturn:
    """Raise an exception, as an expression.

    >>> try_call(raise_, ValueError, "no")
    Failure(ValueError('no'))
    """
    raise error(*args, **kwargs)
