"""The engine that builds a graph of dask, and the three ways to call it."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any

from ..engines import apply as apply_here
from ..given import optional, whole
from ..typing import Rewrite, Transform
from .graph import PARTS, Graph

__all__ = ["apply", "apply_to_local", "dask"]


def dask(
    transform: Transform, obj: Any, *, npartitions: int | None = None, client: Any = None, scheduler: Any = None
) -> Any:
    """Run a pipeline on dask and return its value: an engine.

    ``apply(s, x, engine=dask) == apply(s, x)``, and each finds the other's entries

    :param obj: any object, or a collection of dask.
    :param npartitions: how many parts a sequence is divided into.
    :param client: of ``distributed``; without it, dask's own rule says where the graph runs.
    :param scheduler: as dask's ``compute`` takes it, where there is no client.
    :raises StoreError: before anything runs, when the workers could not reach a target.
    :raises ModuleNotFoundError: without dask; names the extra to install.

    >>> from functools import partial
    >>> from flowly_ckpt import apply, chained
    >>> apply(chained(partial(map, abs), list), [-1, 2, -3], engine=dask)
    [1, 2, 3]

    See also: :func:`apply_to_local`, the same as a function; :func:`flowly_ckpt.dsk.apply`, which returns the graph.
    """
    graph = _graph(transform, obj, npartitions, client, scheduler)
    try:
        return graph.value(graph.lower(transform, obj))
    finally:
        if graph.post is not None:
            graph.post.close()


def apply(
    transform: Transform,
    obj: Any,
    rewrites: Sequence[Rewrite] = (),
    *,
    npartitions: int | None = None,
    client: Any = None,
    scheduler: Any = None,
) -> Any:
    """Apply a pipeline to a bag, or to another object, and return a collection of dask that has not been computed.

    ``apply(s, from_sequence(xs)).compute() == list(s(xs))`` where ``s(xs)`` is a sequence

    Transforms of items become tasks of the partitions, ``groupby`` and reductions one for each partition and one that
    joins them. Any other function gets all items of a bag in one list, as it does elsewhere; wrap one that may be given
    any part in ``per_partition``. It gets a table or an array of dask as it is.

    Where a checkpoint comes after something whose value is not known yet, that is computed, to look for the result.

    :param obj: a bag, delayed object, table or array of dask; of anything else, a sequence is divided.
    :param rewrites: passes, functions from transform to transform.
    :param npartitions, client, scheduler: as :func:`dask` takes them; it is going to be computed with these.
    :return: a bag for a sequence in parts, else what the last step gave, or a delayed object.
    :raises StoreError: when the workers could not reach a target.

    >>> from dask.bag import from_sequence
    >>> from flowly_ckpt.pipelines import kv_valmap
    >>> apply(kv_valmap(abs), from_sequence([("a", -1)])).compute(scheduler="threads")
    [('a', 1)]

    See also: :func:`apply_to_local`.
    """

    def engine(transform: Transform, obj: Any) -> Any:
        graph = _graph(transform, obj, npartitions, client, scheduler)
        return graph.collection(graph.lower(transform, obj))

    return apply_here(transform, obj, rewrites, engine)


def apply_to_local(
    transform: Transform,
    obj: Any,
    rewrites: Sequence[Rewrite] = (),
    *,
    npartitions: int | None = None,
    client: Any = None,
    scheduler: Any = None,
) -> Any:
    """Apply a pipeline to an object of this process on dask, and return its value.

    ``apply_to_local(s, x, rewrites) == flowly_ckpt.apply(s, x, rewrites, engine=dask)``

    >>> from functools import partial
    >>> apply_to_local(partial(map, abs), [-1, 2, -3], npartitions=2).__next__()
    1

    See also: :func:`dask`, which says what the parameters are.
    """
    engine = partial(dask, npartitions=npartitions, client=client, scheduler=scheduler)
    return apply_here(transform, obj, rewrites, engine)


def _graph(transform: Transform, obj: Any, npartitions: int | None, client: Any, scheduler: Any) -> Graph:
    width = optional(whole, "npartitions", npartitions, 1) or PARTS
    graph = Graph(scheduler if client is None else client, width, obj)
    graph.check(transform)
    return graph
