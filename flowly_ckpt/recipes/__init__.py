"""Recipes: functions bound to those whose results they take; results lie in a folder, as JSON and files.

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

from .binding import ForeachRecipe, Recipe
from .config import AlkymiConfig, CacheType, FileChecksumMethod
from .decorators import IngredientError, foreach, recipe
from .folder import CacheTarget
from .forecast import statuses
from .sources import Arg, arg, file, glob_files, zip_results
from .status import Status
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
