"""Recipes: functions bound to those whose results they take; results are kept in a folder, as JSON and files.

>>> from flowly_ckpt.recipes import CacheType, arg, recipe
>>> year = arg(2020, "year", cache=CacheType.NoCache)
>>> @recipe(cache=CacheType.NoCache)
... def title(year): return f"Report of {year}"
>>> title.brew()
'Report of 2020'
>>> print(title.status())
Ok
>>> year.set(2021)
>>> print(title.status())
IngredientDirty
"""

from .bound import ForeachRecipe, Recipe, Status, statuses
from .config import AlkymiConfig, CacheType, FileChecksumMethod
from .folder import CacheTarget
from .making import Arg, IngredientError, arg, file, foreach, glob_files, recipe, zip_results
from .terms import brewed, spread

__all__ = [
    "AlkymiConfig",
    "Arg",
    "CacheTarget",
    "CacheType",
    "FileChecksumMethod",
    "ForeachRecipe",
    "IngredientError",
    "Recipe",
    "Status",
    "arg",
    "brewed",
    "file",
    "foreach",
    "glob_files",
    "recipe",
    "spread",
    "statuses",
    "zip_results",
]
