"""Recipes that are built in: files, arguments, and results side by side."""

from __future__ import annotations

import copy
import os
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, TypeVar

from .binding import Recipe
from .config import CacheType
from .external import spelled
from .folder import FOLDER
from .naming import module_name

__all__ = ["Arg", "arg", "file", "glob_files", "zip_results"]

T = TypeVar("T")


def glob_files(
    name: str,
    directory: str | os.PathLike[str],
    pattern: str,
    recursive: bool = False,
    cache: CacheType = CacheType.Auto,
) -> Recipe[list[Path]]:
    """Make a recipe of the files in a folder whose names match a pattern, in order of their paths.

    The list is made again when a file came, went or changed; what depends on it runs for what is new.

    :param name: names the recipe.
    :param directory: the folder, from the working directory or absolute.
    :param pattern: as for :meth:`pathlib.Path.glob`.
    :param recursive: whether folders below are searched too.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     _ = Path(folder, "a.txt").write_text("hello")
    ...     [path.name for path in glob_files("texts", folder, "*.txt", cache=CacheType.NoCache).brew()]
    ['a.txt']

    See also: :func:`file`.
    """
    place = Path(directory)

    def found() -> list[Path]:
        paths = place.rglob(pattern) if recursive else place.glob(pattern)
        return sorted(path for path in paths if FOLDER not in path.parts and path.is_file())

    def names() -> list[tuple[str, bool]]:
        return [spelled(path, made.target.base) for path in found()]

    doc = f"The files in {place} that match {pattern}" + (", and below" if recursive else "")
    code = ["glob_files", place, pattern, recursive]
    made: Recipe[list[Path]] = Recipe(found, (), name, False, doc, cache, state=names, code=code, module=_caller())
    return made


def file(name: str, path: str | os.PathLike[str], cache: CacheType = CacheType.Auto) -> Recipe[Path]:
    """Make a recipe of one file; what depends on it runs again when the file changes.

    :param name: names the recipe.
    :param path: the file, from the working directory or absolute; it need not be there yet.

    >>> file("readme", "README.md", cache=CacheType.NoCache).brew().name
    'README.md'

    See also: :func:`glob_files`.
    """
    place = Path(path)
    return Recipe(lambda: place, (), name, False, f"The file {place}", cache, code=["file", place], module=_caller())


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
        self, value: T, name: str, doc: str = "", cache: CacheType = CacheType.Auto, *, module: str | None = None
    ) -> None:
        self._value = value
        super().__init__(
            self._give, (), name, False, doc, cache, state=self._give, code=["arg"], module=module or module_name("arg")
        )

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
            raise TypeError(f"arg {self.name!r} is of type {was}, {value!r:.40} is of type {given}; make another arg")
        self._value = value


def arg(value: T, name: str, doc: str = "", cache: CacheType = CacheType.Auto) -> Arg[T]:
    """Make a recipe of a value that may be set to another.

    >>> year = arg(2020, "year", cache=CacheType.NoCache)
    >>> year.set("last")
    Traceback (most recent call last):
    TypeError: arg 'year' is of type int, 'last' is of type str; make another arg

    See also: :class:`Arg`.
    """
    return Arg(value, name, doc, cache, module=_caller())


def zip_results(name: str, recipes: Sequence[Recipe[Any]], cache: CacheType = CacheType.Auto) -> Recipe[Any]:
    """Make a recipe that puts the results of others side by side: lists as a list of tuples, dicts key by key.

    :param name: names the recipe.
    :param recipes: recipes that all give lists, or all dicts, of the same length.

    >>> left = arg({"a": 1}, "left", cache=CacheType.NoCache)
    >>> right = arg({"a": "one"}, "right", cache=CacheType.NoCache)
    >>> zip_results("both", [left, right], cache=CacheType.NoCache).brew()
    {'a': (1, 'one')}

    See also: :func:`flowly_ckpt.recipes.foreach`, which can take it from there.
    """
    doc = f"The results of {', '.join(one.name for one in recipes)}, side by side"
    return Recipe(_side_by_side, recipes, name, False, doc, cache, module=_caller())


def _side_by_side(*results: Any) -> Any:
    if not results:
        return []
    kinds = {type(result).__name__ for result in results}
    if kinds not in ({"list"}, {"dict"}):
        raise ValueError(f"zip_results: cannot put {' and '.join(sorted(kinds))} side by side; all lists, or all dicts")
    if len({len(result) for result in results}) > 1:
        raise ValueError(f"zip_results: the lengths differ: {', '.join(str(len(result)) for result in results)}")
    if kinds == {"list"}:
        return list(zip(*results))
    _same_keys(results)
    return {key: tuple(result[key] for result in results) for key in results[0]}


def _same_keys(results: Iterable[Any]) -> None:
    first, *rest = results
    for other in rest:
        if strange := first.keys() ^ other.keys():
            raise ValueError(f"zip_results: the keys differ: {', '.join(map(repr, strange))}")


def _caller() -> str:
    """Return the module in which a recipe is made."""
    return module_name(sys._getframe(2).f_globals.get("__name__", "recipes"))
