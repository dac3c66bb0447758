"""What is known of each code object, made once and kept as long as the code object lives."""

from __future__ import annotations

import weakref
from types import CodeType
from typing import Any, NamedTuple

from .references import Reference

__all__ = ["Recipe", "recipe_of"]


class Recipe(NamedTuple):
    """Hold what can be told of a code object alone.

    :param payload: the static part.
    :param free: positions in ``co_freevars``, in the order in which the code uses them.
    :param references: the global names, chains of attributes and imports whose values count.
    :param meta: attributes of functions that the code reads, as ``__name__``.
    :param lookups: the references, each with its name if it is a global without attributes, else None.

    >>> recipe_of((lambda x: len(x)).__code__).references
    (Reference(kind='global', name='len', chain=(), source=()),)
    """

    payload: bytes
    free: tuple[int, ...]
    references: tuple[Reference, ...]
    meta: tuple[str, ...]
    lookups: tuple[tuple[str | None, Reference], ...]


_recipes: dict[int, tuple[Any, Recipe]] = {}


def recipe_of(code: CodeType) -> Recipe:
    """Return the recipe of a code object; kept as long as the code object lives.

    >>> f, g = (lambda x: x + 1), (lambda y: y + 1)
    >>> recipe_of(f.__code__) == recipe_of(g.__code__)
    True
    """
    # By identity: code objects compare equal although their constants differ in type.
    key = id(code)
    found = _recipes.get(key)
    if found is not None and found[0]() is code:
        return found[1]
    from .code import make  # with what reads instructions; a process that hashes no functions needs none of it

    recipe = make(code)
    _recipes[key] = (weakref.ref(code, lambda _: _recipes.pop(key, None)), recipe)
    return recipe
