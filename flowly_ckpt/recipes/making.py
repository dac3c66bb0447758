"""The functions that make recipes: of functions, whose ingredients are found by name, of files, and of arguments."""

from __future__ import annotations

import copy
import os
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple, TypeVar, overload

from .. import given as options
from ..errors import FlowlyError, StoreWarning, warn
from ..given import folder, switch, text
from ..pipelines.names import module_name
from ..typing import Target
from .bound import ForeachRecipe, Recipe, recipes_given
from .config import CacheType
from .folder import FOLDER
from .outside import spelled

__all__ = ["Arg", "IngredientError", "arg", "file", "foreach", "glob_files", "recipe", "zip_results"]

R = TypeVar("R")
T = TypeVar("T")
Place = str | os.PathLike[str]


class IngredientError(FlowlyError, RuntimeError):
    """Raised when no recipe is found for an argument of a function.

    >>> @recipe(cache=CacheType.NoCache)
    ... def title(year): return f"Report of {year}"
    Traceback (most recent call last):
        ...
    flowly_ckpt.recipes.making.IngredientError: title: no recipe named 'year' for its argument; define the recipe \
before it, or pass it as an ingredient
    """


class _Scope(NamedTuple):
    """The names that are visible where a decorator stands."""

    local: Mapping[str, Any]
    outer: Mapping[str, Any]

    @classmethod
    def of_caller(cls) -> _Scope:
        frame = sys._getframe(2)
        return cls(frame.f_locals, frame.f_globals)

    def find(self, name: str) -> Any:
        return self.local.get(name, self.outer.get(name))

    def module_of(self, func: Any = None) -> str:
        """Return the module of a function; anything else belongs to where it is made a recipe."""
        own = func.__module__ if hasattr(func, "__code__") else None
        return module_name(own or self.outer.get("__name__", "recipes"), "notebook")


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
    target: Target | None = None,
) -> Callable[[Callable[..., R]], Recipe[R]]: ...


def recipe(
    ingredients: Any = (),
    name: str | None = None,
    transient: bool = False,
    doc: str | None = None,
    cache: CacheType = CacheType.Auto,
    *,
    state: Callable[[], Any] | None = None,
    target: Target | None = None,
) -> Any:
    """Make a recipe of a function, whose result is kept until its code or its ingredients' results change.

    :param ingredients: the recipes whose results are the first arguments; recipes for the others are looked up by
        the names of the arguments where the decorator stands, and an argument without one keeps its default. The
        function itself, for a bare ``@recipe``.
    :param name: names the recipe in the cache; by default the function's name.
    :param transient: whether it runs each time.
    :param doc: describes it; by default the first paragraph of the function's docstring.
    :param cache: whether results are kept in the cache; otherwise the last one is kept in memory.
    :param state: returns outside state that the result depends on: a date, the version of a table. Called each time.
    :param target: any mutable mapping that keeps the results, instead of the folder ``.alkymi_cache``.
    :raises IngredientError: when there is no recipe for an argument without a default.

    >>> results = {}
    >>> @recipe(target=results)
    ... def words(): return ["to", "be"]
    >>> @recipe(target=results)
    ... def count(words): return len(words)
    >>> count.brew(), len(results)
    (2, 2)

    See also: :func:`foreach`.
    """
    scope = _Scope.of_caller()

    def make(func: Callable[..., R]) -> Recipe[R]:
        found, keywords = _ingredients(func, list(given), scope)
        return Recipe(func, found, name, transient, doc, cache, keywords=keywords, state=state,
                      module=scope.module_of(func), target=target)  # fmt: skip

    if callable(ingredients) and not isinstance(ingredients, Recipe):
        given: Sequence[Recipe[Any]] = ()
        return make(ingredients)
    given = recipes_given(ingredients)
    return make


def foreach(
    mapped_inputs: Recipe[Any],
    ingredients: Sequence[Recipe[Any]] = (),
    name: str | None = None,
    transient: bool = False,
    doc: str | None = None,
    cache: CacheType = CacheType.Auto,
    *,
    target: Target | None = None,
) -> Callable[[Callable[..., Any]], ForeachRecipe[Any]]:
    """Make a recipe that applies a function to each item of a list, or to each value of a dict.

    ``foreach(xs)(f).brew() == [f(x) for x in xs.brew()]``; after a change only new items run

    :param mapped_inputs: the recipe whose result is the list or dict.
    :param ingredients: recipes whose results are the arguments after the item, as for :func:`recipe`.
    :raises IngredientError: when there is no recipe for an argument without a default.

    >>> numbers = arg([1, 2, 3], "numbers", cache=CacheType.NoCache)
    >>> @foreach(numbers, cache=CacheType.NoCache)
    ... def squares(number): return number ** 2
    >>> squares.brew()
    [1, 4, 9]

    See also: :func:`recipe`, which describes the other parameters.
    """
    scope = _Scope.of_caller()
    given = recipes_given([mapped_inputs, *ingredients])

    def make(func: Callable[..., Any]) -> ForeachRecipe[Any]:
        found, keywords = _ingredients(func, list(given), scope)
        return ForeachRecipe(func, found, name, transient, doc, cache, keywords=keywords,
                             module=scope.module_of(func), target=target)  # fmt: skip

    return make


def _ingredients(func: Any, found: list[Recipe[Any]], scope: _Scope) -> tuple[list[Recipe[Any]], list[str]]:
    """Return the recipes for the arguments of a function, and the names of those that go by keyword."""
    if not callable(func):
        raise TypeError(f"a recipe decorates a function, got {func!r:.80}")
    import inspect

    try:
        parameters = list(inspect.signature(func).parameters.values())
    except ValueError:
        return found, []  # a builtin without a signature takes what is given
    kinds = inspect.Parameter
    keywords: list[str] = []
    positional = [one for one in parameters if one.kind in (kinds.POSITIONAL_ONLY, kinds.POSITIONAL_OR_KEYWORD)]
    if len(found) > len(positional) and not any(one.kind is kinds.VAR_POSITIONAL for one in parameters):
        few = f"{func.__qualname__} takes {len(positional)} argument{'s' * (len(positional) != 1)}"
        raise IngredientError(f"{few}, got {len(found)} ingredients; leave out the others")
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
            but = "" if known is None else f" (the name refers to {known!r:.60})"
            raise IngredientError(
                f"{func.__qualname__}: no recipe named {parameter.name!r}{but} for its argument; "
                "define the recipe before it, or pass it as an ingredient"
            )
    return found, keywords


class Arg(Recipe[T]):
    """Give a value that may be set to another.

    :param value: the value it has first.
    :param name: names the recipe.

    >>> year = Arg(2020, "year", cache=CacheType.NoCache)
    >>> year.set(2021)
    >>> year.brew()
    2021

    See also: :func:`arg`.
    """

    def __init__(
        self,
        value: T,
        name: str,
        doc: str = "",
        cache: CacheType = CacheType.Auto,
        *,
        module: str | None = None,
        target: Target | None = None,
    ) -> None:
        self._value = value
        super().__init__(self._give, (), name, False, doc, cache, state=self._give, code=["arg"],
                         module=module or "arg", target=target)  # fmt: skip

    def _give(self) -> T:
        try:
            return copy.deepcopy(self._value)  # whoever changes what it is given does not set the argument
        except Exception:  # noqa: BLE001  what cannot be copied, for whatever reason, is shared
            return self._value

    @property
    def type(self) -> type[T]:
        """The type of the value, which every value it is set to must have."""
        return type(self._value)

    def set(self, value: T) -> None:
        """Change the value; what depends on it runs again, unless it ran with this value before.

        :raises TypeError: when the new value is of another type.
        """
        if not isinstance(value, type(self._value)):
            was, given = type(self._value).__name__, type(value).__name__
            raise TypeError(f"arg {self.name!r} must be of type {was}, got {value!r:.40} of type {given}")
        self._value = value


def arg(
    value: T, name: str, doc: str = "", cache: CacheType = CacheType.Auto, *, target: Target | None = None
) -> Arg[T]:
    """Make a recipe of a value that may be set to another.

    >>> year = arg(2020, "year", cache=CacheType.NoCache)
    >>> year.set("last")
    Traceback (most recent call last):
    TypeError: arg 'year' must be of type int, got 'last' of type str

    See also: :class:`Arg`; :func:`recipe`, which describes the other parameters.
    """
    return Arg(value, name, doc, cache, module=_Scope.of_caller().module_of(), target=target)


def file(name: str, path: Place, cache: CacheType = CacheType.Auto, *, target: Target | None = None) -> Recipe[Path]:
    """Make a recipe of one file; what depends on it runs again when the file changes.

    :param name: names the recipe.
    :param path: the file, from the working directory or absolute; it need not exist yet.

    >>> file("readme", "README.md", cache=CacheType.NoCache).brew().name
    'README.md'

    See also: :func:`glob_files`; :func:`recipe`, which describes the other parameters.
    """
    place = Path(options.file("path", path))
    module = _Scope.of_caller().module_of()

    def found() -> Path:
        if not place.exists():
            warn(f"file {name!r}: there is no file {str(place)!r} yet", StoreWarning)
        return place

    return Recipe(found, (), name, False, f"The file {place}", cache, code=["file", place],
                  module=module, target=target)  # fmt: skip


def glob_files(
    name: str,
    directory: Place,
    pattern: str,
    recursive: bool = False,
    cache: CacheType = CacheType.Auto,
    *,
    target: Target | None = None,
) -> Recipe[list[Path]]:
    """Make a recipe of the files in a folder whose names match a pattern, in order of their paths.

    The list is made again when a file is added, removed or changed; what depends on it runs for what is new.

    :param name: names the recipe.
    :param directory: the folder, from the working directory or absolute.
    :param pattern: as for :meth:`pathlib.Path.glob`.
    :param recursive: whether folders below are searched too.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     _ = Path(folder, "a.txt").write_text("hello")
    ...     [path.name for path in glob_files("texts", folder, "*.txt", cache=CacheType.NoCache).brew()]
    ['a.txt']

    See also: :func:`file`; :func:`recipe`, which describes the other parameters.
    """
    folder("directory", directory)
    place = Path(directory)
    text("pattern", pattern)
    recursive = switch("recursive", recursive)

    def found() -> list[Path]:
        if not place.is_dir():
            warn(f"glob_files {name!r}: there is no folder {str(place)!r}, so there are no files", StoreWarning)
        return matching()

    def matching() -> list[Path]:
        paths = place.rglob(pattern) if recursive else place.glob(pattern)
        return sorted(path for path in paths if FOLDER not in path.parts and path.is_file())

    def names() -> list[tuple[str, bool]]:
        return [spelled(path, made.base) for path in matching()]

    doc = f"The files in {place} that match {pattern}" + (", and below" if recursive else "")
    code = ["glob_files", place, pattern, recursive]
    made: Recipe[list[Path]] = Recipe(found, (), name, False, doc, cache, state=names, code=code,
                                      module=_Scope.of_caller().module_of(), target=target)  # fmt: skip
    return made


def zip_results(
    name: str, recipes: Sequence[Recipe[Any]], cache: CacheType = CacheType.Auto, *, target: Target | None = None
) -> Recipe[Any]:
    """Make a recipe that puts the results of others side by side: lists as a list of tuples, dicts key by key.

    :param name: names the recipe.
    :param recipes: recipes that all give lists, or all dicts, of the same length.

    >>> left = arg({"a": 1}, "left", cache=CacheType.NoCache)
    >>> right = arg({"a": "one"}, "right", cache=CacheType.NoCache)
    >>> zip_results("both", [left, right], cache=CacheType.NoCache).brew()
    {'a': (1, 'one')}

    See also: :func:`foreach`, which can continue from there; :func:`recipe`, which describes the other parameters.
    """
    recipes = recipes_given(recipes)
    doc = f"The results of {', '.join(one.name for one in recipes)}, side by side"
    module = _Scope.of_caller().module_of()
    return Recipe(_side_by_side, recipes, name, False, doc, cache, module=module, target=target)


def _side_by_side(*results: Any) -> Any:
    if not results:
        return []
    kinds = {type(result).__name__ for result in results}
    if kinds not in ({"list"}, {"dict"}):
        raise ValueError(f"zip_results: the results must be all lists or all dicts, got {' and '.join(sorted(kinds))}")
    if len({len(result) for result in results}) > 1:
        raise ValueError(f"zip_results: the lengths differ: {', '.join(str(len(result)) for result in results)}")
    if kinds == {"list"}:
        return list(zip(*results))
    first, *rest = results
    for other in rest:
        if different := first.keys() ^ other.keys():
            raise ValueError(f"zip_results: the keys differ: {', '.join(map(repr, different))}")
    return {key: tuple(result[key] for result in results) for key in first}
