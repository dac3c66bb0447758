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


def collection(obj: Any) -> Parts:
    """A collection counts by the tasks that make it; what was computed or cached from them does not."""
    graph = dict(obj.__dask_graph__())
    about = [getattr(obj, name) for name in ("_meta", "dtype", "chunks") if hasattr(type(obj), name)]
    return b"<collection>", [
        type(obj),
        about,
        list(obj.__dask_keys__()),
        Attrs({str(key): graph[key] for key in graph}),
    ]


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
