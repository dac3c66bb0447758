"""The table of libraries: their rows are loaded when the first of their objects is met, and no library is imported."""

from __future__ import annotations

from functools import partial
from importlib import import_module

from ..rows import register_lazy

__all__ = ["LIBRARIES"]

LIBRARIES = {
    "dask": "lazy",
    "dask._expr": "lazy",
    "dask.array": "lazy",
    "dask.dataframe.dask_expr": "lazy",
    "immutables": "models",
    "networkx": "models",
    "numpy": "arrays",
    "pandas": "tables",
    "plotly": "models",
    "pyarrow": "columnar",
    "pyarrow._dataset": "handles",
    "pydantic._internal._validate_call": "wrappers",
    "polars": "columnar",
    "pyrsistent": "models",
    "scipy.sparse": "arrays",
    "scipy.spatial": "arrays",
    "sklearn.neighbors": "models",
    "sqlalchemy": "mapped",
    "sqlalchemy.orm": "mapped",
    "sympy": "models",
    "torch": "arrays",
    "torch._dynamo": "models",
    "torch.jit": "models",
    "torch.nn": "models",
    "toolz": "wrappers",
    "cytoolz": "wrappers",
    "xarray": "lazy",
    "zarr": "lazy",
    **dict.fromkeys(("dbm", "diskcache", "fsspec", "shelve", "zict"), "handles"),
}
"""The module here that has the rows of a library, in a function named after it."""


def load(library: str, module: str) -> None:
    getattr(import_module(f".{module}", __package__), f"load_{library.replace('.', '_')}")()


for name, place in LIBRARIES.items():
    register_lazy(name, partial(load, name, place))
