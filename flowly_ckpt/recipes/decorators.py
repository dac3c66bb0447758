"""The decorators that make recipes of functions, and find the ingredients by the names of the arguments."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple, TypeVar, overload

from ..errors import FlowlyError
from .binding import ForeachRecipe, Recipe
from .config import CacheType
from .naming import module_name

__all__ = ["IngredientError", "foreach", "recipe"]

R = TypeVar("R")


class IngredientError(FlowlyError, RuntimeError):
    """Say which argument of a function no recipe was found for.

    >>> issubclass(IngredientError, RuntimeError)
    True
    """


class _Scope(NamedTuple):
    """Hold the names that are seen where a decorator stands."""

    local: Mapping[str, Any]
    outer: Mapping[str, Any]

    @classmethod
    def of_caller(cls) -> _Scope:
        frame = sys._getframe(2)
        return cls(frame.f_locals, frame.f_globals)

    def find(self, name: str) -> Any:
        return self.local.get(name, self.outer.get(name))

    def module_of(self, func: Any) -> str:
        """Return the module of a function; a pipeline belongs to where it is made a recipe."""
        own = func.__module__ if hasattr(func, "__code__") else None
        return module_name(own or self.outer.get("__name__", "recipes"))


@overload
def recipe(ingredients: Callable[..., R]) -> Recipe[R]: ...
@overload
def recipe(
    ingredients: Sequence[Recipe[Any]] = (),
    name: str | None = None,
    transient: bool = False,
    doc: str | None = None,
    cache: CacheType = CacheType.Auto,
    *,
    state: Callable[[], Any] | None = None,
) -> Callable[[Callable[..., R]], Recipe[R]]: ...


def recipe(
    ingredients: Any = (),
    name: str | None = None,
    transient: bool = False,
    doc: str | None = None,
    cache: CacheType = CacheType.Auto,
    *,
    state: Callable[[], Any] | None = None,
) -> Any:
    """Make a recipe of a function, whose result is kept until its code or its ingredients' results change.

    :param ingredients: the recipes whose results are the first arguments; recipes for the others are looked for by
        the names of the arguments where the decorator stands, and an argument without one keeps its default. The
        function itself, for a bare ``@recipe``.
    :param name: names the recipe in the cache; by default the function's name.
    :param transient: whether it runs each time.
    :param doc: describes it; by default the first paragraph of the function's docstring.
    :param cache: whether results are kept on disk.
    :param state: gives what else the result depends on, outside: a date, a version of a table. Looked at each time.
    :raises IngredientError: when there is no recipe for an argument without a default.

    >>> @recipe(cache=CacheType.NoCache)
    ... def words(): return ["to", "be"]
    >>> @recipe(cache=CacheType.NoCache)
    ... def count(words): return len(words)
    >>> count.brew()
    2

    See also: :func:`foreach`.
    """
    scope = _Scope.of_caller()

    def make(func: Callable[..., R]) -> Recipe[R]:
        found, keywords = _ingredients(func, list(given), scope)
        module = scope.module_of(func)
        return Recipe(func, found, name, transient, doc, cache, keywords=keywords, state=state, module=module)

    if callable(ingredients) and not isinstance(ingredients, Recipe):
        given: Sequence[Recipe[Any]] = ()
        return make(ingredients)
    given = _recipes(ingredients)
    return make


def foreach(
    mapped_inputs: Recipe[Any],
    ingredients: Sequence[Recipe[Any]] = (),
    name: str | None = None,
    transient: bool = False,
    doc: str | None = None,
    cache: CacheType = CacheType.Auto,
) -> Callable[[Callable[..., Any]], ForeachRecipe[Any]]:
    """Make a recipe that applies a function to each item of a list, or to each value of a dict.

    ``foreach(xs)(f).brew() == [f(x) for x in xs.brew()]``; after a change only new items run

    :param mapped_inputs: the recipe that gives the list or dict.
    :param ingredients: recipes whose results are the arguments after the item, as for :func:`recipe`.
    :raises IngredientError: when there is no recipe for an argument without a default.

    >>> from flowly_ckpt.recipes import arg
    >>> numbers = arg([1, 2, 3], "numbers", cache=CacheType.NoCache)
    >>> @foreach(numbers, cache=CacheType.NoCache)
    ... def squares(number): return number ** 2
    >>> squares.brew()
    [1, 4, 9]

    See also: :func:`recipe`, which says what the other parameters are.
    """
    scope = _Scope.of_caller()
    given = _recipes([mapped_inputs, *ingredients])

    def make(func: Callable[..., Any]) -> ForeachRecipe[Any]:
        found, keywords = _ingredients(func, list(given), scope)
        module = scope.module_of(func)
        return ForeachRecipe(func, found, name, transient, doc, cache, keywords=keywords, module=module)

    return make


def _recipes(given: Any) -> Sequence[Recipe[Any]]:
    for one in given:
        if not isinstance(one, Recipe):
            raise TypeError(f"the ingredient {one!r} is no recipe; make it one with @recipe, or a constant with arg")
    return tuple(given)


def _ingredients(func: Any, found: list[Recipe[Any]], scope: _Scope) -> tuple[list[Recipe[Any]], list[str]]:
    """Return the recipes for the arguments of a function, and the names of those that go by keyword."""
    import inspect

    try:
        parameters = list(inspect.signature(func).parameters.values())
    except ValueError:
        return found, []  # a builtin that does not tell its arguments takes what is given
    kinds = inspect.Parameter
    keywords: list[str] = []
    positional = [one for one in parameters if one.kind in (kinds.POSITIONAL_ONLY, kinds.POSITIONAL_OR_KEYWORD)]
    if len(found) > len(positional) and not any(one.kind is kinds.VAR_POSITIONAL for one in parameters):
        raise IngredientError(f"{func.__qualname__} takes {len(positional)} arguments, {len(found)} ingredients given")
    by_name = [one for one in parameters if one.kind is kinds.KEYWORD_ONLY]
    for parameter in (*positional[len(found) :], *by_name):
        known = scope.find(parameter.name)
        if isinstance(known, Recipe):
            found.append(known)
            if keywords or parameter in by_name:
                keywords.append(parameter.name)
        elif parameter.default is not kinds.empty:
            by_name = [one for one in parameters if one.kind is not kinds.POSITIONAL_ONLY]
        else:
            what = "no recipe of this name" if known is None else f"something else of this name, {known!r:.60},"
            raise IngredientError(
                f"{func.__qualname__}: there is {what} for its argument {parameter.name!r} where it is defined; "
                "define the recipe before it, or give it as an ingredient"
            )
    return found, keywords
