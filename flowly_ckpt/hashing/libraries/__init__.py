"""The table of libraries: their rows are loaded when the first of their objects is met, and no library is imported."""

from __future__ import annotations

from functools import partial
from importlib import import_module

from ..rows import register_lazy

__all__ = ["LIBRARIES"]

LIBRARIES = {
    "numpy": "arrays",
    "pandas": "tables",
    "pyarrow": "columnar",
    "pydantic": "wrappers",
    "polars": "columnar",
    "scipy": "arrays",
    "torch": "arrays",
    "toolz": "wrappers",
    "cytoolz": "wrappers",
}
"""The module here that has the rows of a library, in a function named after it."""


def load(library: str, module: str) -> None:
    getattr(import_module(f".{module}", __package__), f"load_{library}")()


for name, place in LIBRARIES.items():
    register_lazy(name, partial(load, name, place))
