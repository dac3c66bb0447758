"""Labelled, chunked and lazy arrays: xarray by values, dask by its graph, zarr by what is stored, not by its path."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from ..rows import ROWS, Attrs, Blob, Later, Parts
from .arrays import SIMPLE, chunks
from .handles import refuse_handle

__all__: list[str] = []


def load_xarray() -> None:
    import xarray as xr

    ROWS.open(xr.Variable, without=("_dims", "_data", "_attrs", "_encoding"))(
        lambda obj: (b"<variable>", [type(obj), obj.dims, obj.data, dict(obj.attrs)])
    )
    ROWS.register(xr.core.indexing.ExplicitlyIndexed)(lambda obj: (b"<indexed>", [obj.get_duck_array()]))
    ROWS.open(xr.DataArray, without=("_variable", "_coords", "_name", "_indexes", "_close", "_cache"))(data_array)
    ROWS.open(xr.Dataset, without=OF_DATASET)(data_set)


OF_DATASET = ("_variables", "_coord_names", "_dims", "_attrs", "_indexes", "_encoding", "_close", "_cache")


def data_array(obj: Any) -> Parts:
    coords = {name: coord.variable for name, coord in obj.coords.items()}
    return b"<data array>", [obj.name, obj.variable, coords, indexes(obj)]


def data_set(obj: Any) -> Parts:
    """A dataset counts by its variables, loaded or not; how it was or will be written does not."""
    return b"<dataset>", [dict(obj.variables), set(obj.coords), dict(obj.attrs), indexes(obj)]


def indexes(obj: Any) -> Attrs:
    return Attrs({name: type(index) for name, index in obj.xindexes.items()})


def load_dask() -> None:
    from dask.base import DaskMethodsMixin

    ROWS.register(DaskMethodsMixin)(collection)
    ROWS.exact(Step)(lambda step: (b"<task>", [step.linked(step.graph[step.key])]))


def load_dask__expr() -> None:
    from dask._expr import Expr

    @ROWS.register(Expr)
    def expression(obj: Any) -> Parts:
        named = dict(zip(obj._parameters, obj.operands))
        more = obj.operands[len(named) :]
        return b"<expression>", [type(obj), Attrs({n: named[n] for n in named.keys() - COUNTED}), *more]


COUNTED = frozenset({"_pd_length_stats"})
"""Parameters in which an expression keeps what was found out in its use."""


def load_dask_array() -> None:
    from dask.array import Array

    ROWS.register(Array)(collection)


def load_dask_dataframe_dask_expr() -> None:
    from dask.dataframe.dask_expr._collection import FrameBase
    from dask.dataframe.dask_expr._util import _BackendData

    ROWS.register(FrameBase)(lambda obj: (b"<collection>", [type(obj), obj.expr]))
    ROWS.register(_BackendData)(lambda obj: (b"<backend data>", [obj._data]))


def collection(obj: Any) -> Parts:
    """A collection counts by the tasks that make it; neither by their names nor by what was computed from them."""
    graph, steps = dict(obj.__dask_graph__()), dict[Any, Step]()
    about = [getattr(obj, name) for name in ("_meta", "dtype", "chunks") if hasattr(type(obj), name)]
    return b"<collection>", [type(obj), about, Step("", graph, steps).linked(list(obj.__dask_keys__()))]


class Step:
    """Stand for a task of a graph, so that tasks lead to each other, not to the names that they have in a process."""

    __slots__ = ("graph", "key", "steps")

    def __init__(self, key: Any, graph: dict[Any, Any], steps: dict[Any, Step]) -> None:
        self.key, self.graph, self.steps = key, graph, steps

    def to(self, key: Any) -> Step:
        if key not in self.steps:
            self.steps[key] = Step(key, self.graph, self.steps)
        return self.steps[key]

    def linked(self, value: Any) -> Any:
        """Return what a task is made of, with other tasks where it names them."""
        kind = type(value)
        if kind in (str, tuple) and self.names(value):
            return self.to(value)
        if kind in (tuple, list):
            return kind([self.linked(each) for each in value])
        if kind is dict:
            return {key: self.linked(each) for key, each in value.items()}
        if kind.__module__ != "dask._task_spec":
            return value
        if kind.__name__ in ("TaskRef", "Alias"):
            key = value.key if kind.__name__ == "TaskRef" else value.target
            return self.to(key) if key in self.graph else key
        if kind.__name__ == "DataNode":
            return value.value
        return [kind, value.func, [self.linked(each) for each in value.args], self.linked(dict(value.kwargs))]

    def names(self, value: Any) -> bool:
        try:
            return value in self.graph
        except TypeError:  # a tuple that is no key
            return False


def load_zarr() -> None:
    import zarr
    from zarr.abc.store import Store

    ROWS.register(Store)(refuse_handle)
    ROWS.register(zarr.Array)(stored)
    ROWS.register(zarr.Group)(lambda obj: (b"<group>", [dict(obj.attrs), Attrs(dict(obj.members()))]))


def stored(obj: Any) -> Parts:
    about = [obj.shape, obj.dtype, dict(obj.attrs), obj.fill_value]
    if obj.dtype.kind not in SIMPLE or obj.ndim == 0:
        return b"<stored>", [*about, Later(lambda: (b"<list>", [obj[...]]))]
    return b"<stored>", [*about, Blob(read(obj))]


def read(obj: Any) -> Iterator[Any]:
    """Yield the bytes of an array as they are read, a row of chunks at a time."""
    for start in range(0, obj.shape[0], obj.chunks[0]):
        yield from chunks(obj[start : start + obj.chunks[0]])
