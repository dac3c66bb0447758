"""Graphs of networkx, models of scikit-learn, symbols of sympy, without what they count or cache."""

from __future__ import annotations

import sys
from functools import partial
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


LEFT_OUT = {
    "click": {"core.Command": ("_help_option",)},
    "pandas.tseries.holiday": {"AbstractHolidayCalendar": ("_cache",)},
    "sklearn.feature_extraction.text": {"_VectorizerMixin": ("_stop_words_id",)},
}
"""The attributes in which objects of libraries keep what follows from the rest, by package and type."""


def leave_out(package: str) -> None:
    for path, names in LEFT_OUT[package].items():
        module, _, name = f"{package}.{path}".rpartition(".")
        kind = getattr(sys.modules.get(module), name, None)
        if kind is not None:
            ROWS.register(kind)(partial(without, names=names))


load_click = partial(leave_out, "click")
load_pandas_tseries_holiday = partial(leave_out, "pandas.tseries.holiday")
load_sklearn_feature_extraction_text = partial(leave_out, "sklearn.feature_extraction.text")


def load_sklearn_neighbors() -> None:
    from sklearn.neighbors import BallTree, KDTree

    for kind in (BallTree, KDTree):  # each with a base of its own for every width of numbers
        ROWS.register(*(base for base in kind.__mro__ if base.__module__.startswith("sklearn")))(neighbour_tree)


def without(obj: Any, names: tuple[str, ...]) -> Parts:
    """Describe an object by its class and attributes, but for some."""
    state = {name: value for name, value in own_state(vars(obj), type(obj)).items() if name not in names}
    return b"<model>", [type(obj), Attrs(state)]


def neighbour_tree(obj: Any) -> Parts:
    """A tree of neighbours counts how often it was asked; that is no part of it."""
    state = obj.__getstate__()
    return b"<neighbours>", [type(obj), *state[:7], *state[11:]]


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


def load_torch_nn_utils_parametrize() -> None:
    import torch

    @ROWS.register(torch.nn.Module)
    def module(obj: Any) -> Parts:
        """A module counts as it is reduced; one whose class was made for its parametrisations, by what it holds."""
        if type(obj).__module__ != "torch.nn.utils.parametrize" or "parametrizations" not in obj._modules:
            return by_reduction(obj)
        return b"<parametrized>", [type(obj).__mro__[1], Attrs(vars(obj))]


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
