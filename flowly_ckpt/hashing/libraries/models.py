"""Graphs of networkx, models of scikit-learn, symbols of sympy, figures of plotly, without what they count or cache."""

from __future__ import annotations

import sys
from typing import Any

from ...errors import UnhashableError
from ..rows import ROWS, Attrs, Parts
from ..values.objects import by_reduction, own_state

__all__: list[str] = []

OF_GRAPH = ("graph", "_node", "_adj", "_succ", "_pred", "__networkx_cache__")


def load_networkx() -> None:
    import networkx as nx

    @ROWS.register(nx.Graph)
    def graph(obj: Any) -> Parts:
        rest = {name: value for name, value in own_state(vars(obj), type(obj)).items() if name not in OF_GRAPH}
        return b"<graph>", [type(obj), obj.graph, dict(obj._node), neighbours(obj._adj), Attrs(rest)]

    views = sys.modules["networkx.classes.reportviews"]
    kinds = [
        getattr(views, name) for name in ("OutEdgeView", "OutEdgeDataView", "DiDegreeView", "NodeView", "NodeDataView")
    ]

    @ROWS.register(*kinds)
    def view(obj: Any) -> Parts:
        return b"<graph view>", [type(obj), list(obj.data() if hasattr(obj, "data") and callable(obj.data) else obj)]


def neighbours(adjacency: Any) -> dict[Any, dict[Any, Any]]:
    return {node: dict(edges) for node, edges in adjacency.items()}


def load_sklearn_neighbors() -> None:
    from sklearn.neighbors import BallTree, KDTree

    for kind in (BallTree, KDTree):  # each with a base of its own for every width of numbers
        ROWS.register(*(base for base in kind.__mro__ if base.__module__.startswith("sklearn")))(neighbour_tree)


def neighbour_tree(obj: Any) -> Parts:
    """A tree of neighbours counts how often it was asked; that is no part of it."""
    state = obj.__getstate__()
    return b"<neighbours>", [type(obj), *state[:7], *state[11:]]


def load_immutables() -> None:
    from immutables import Map

    ROWS.register(Map)(lambda obj: (b"<map>", [type(obj), Attrs(obj.items())]))


def load_pyrsistent() -> None:
    from pyrsistent import PMap, PSet

    ROWS.register(PMap)(lambda obj: (b"<map>", [type(obj), Attrs(obj.items())]))
    ROWS.register(PSet)(lambda obj: (b"<set of pyrsistent>", [type(obj), set(obj)]))


def load_plotly() -> None:
    from plotly.basedatatypes import BaseFigure

    ROWS.register(BaseFigure)(lambda obj: (b"<figure>", [type(obj), in_any_order(obj.to_dict())]))


def in_any_order(value: Any) -> Any:
    """Return what a figure is drawn from: which property was set first means nothing, and a copy changes it."""
    if isinstance(value, dict):
        return Attrs({name: in_any_order(each) for name, each in value.items()})
    return [in_any_order(each) for each in value] if isinstance(value, list | tuple) else value


def load_torch__dynamo() -> None:
    from torch._dynamo import eval_frame

    context = eval_frame._TorchDynamoContext
    ROWS.register(eval_frame.OptimizedModule)(lambda obj: (b"<compiled>", [type(obj), obj._orig_mod, obj.dynamo_ctx]))
    ROWS.register(context, *context.__subclasses__())(
        lambda obj: (b"<dynamo>", [type(obj), obj.fullgraph, obj._dynamic, obj.compiler_config, backend(obj.callback)])
    )


def backend(callback: Any) -> Any:
    """Return what compiles, without what was compiled."""
    while (inner := getattr(callback, "_torchdynamo_orig_backend", None)) is not None:
        callback = inner
    return callback


def load_torch_nn() -> None:
    import torch

    @ROWS.register(torch.nn.Module)
    def module(obj: Any) -> Parts:
        """A module counts as it is reduced; one whose class was made for its parametrisations, by what it holds."""
        if type(obj).__module__ == "torch.nn.utils.parametrize" and "parametrizations" in obj._modules:
            return b"<parametrized>", [type(obj).__mro__[1], Attrs(renumbered(vars(obj)))]
        tag, parts = by_reduction(obj)
        if tag != b"<instance>":
            return tag, parts
        half = len(parts) // 2
        state = dict(zip(parts[1 : half + 1], parts[half + 1 :], strict=True))
        return tag, [*parts[: half + 1], *renumbered(state).values()]


def renumbered(state: dict[str, Any]) -> dict[str, Any]:
    """Return the state of a module with its hooks numbered from one: torch counts those of all modules together."""
    hooks = {name: table for name, table in state.items() if name.endswith(HOOKS) and isinstance(table, dict)}
    places = {key: place for place, key in enumerate(sorted({key for table in hooks.values() for key in table}), 1)}
    return {**state, **{n: {places[key]: hook for key, hook in table.items()} for n, table in hooks.items()}}


HOOKS = ("_hooks", "_hooks_with_kwargs", "_hooks_always_called")


def load_torch_jit() -> None:
    from torch.jit import ScriptFunction, ScriptModule

    ROWS.register(ScriptModule)(scripted)
    ROWS.register(ScriptFunction)(lambda obj: (b"<script>", [obj.name, obj.code, str(obj.schema)]))


def scripted(obj: Any) -> Parts:
    """A compiled module counts by the graphs of its methods and its attributes, without the lines they come from."""
    import re

    text = obj._c.dump_to_str(True, True, False)
    text = re.sub(r" # \S+:\d+:\d+$| at 0x[0-9a-f]+", "", text, flags=re.M)
    return b"<script>", [type(obj).__name__, text, dict(obj.state_dict())]


def load_sympy() -> None:
    import sympy
    from sympy.core.function import UndefinedFunction

    ROWS.register(UndefinedFunction)(lambda obj: (b"<undefined>", [obj.__name__, obj._kwargs, obj._nargs]))

    @ROWS.register(sympy.Dummy)
    def dummy(obj: Any) -> Parts:
        raise UnhashableError(obj, (), "a Dummy is unlike those of any other process; use a Symbol")
