"""Pipelines as plain data: combinators, how they come apart and together, and strategies over them."""

from . import foreign as _foreign  # noqa: F401  registers toolz's and functools' combinators
from .bases import Combinator
from .combinators import apply_concat, apply_map_concat, build_dict, chained, itemsetter, seq
from .grouping import (
    aggregate,
    frequencies,
    groupby,
    kv_aggregateby,
    kv_keymap,
    kv_reduceby,
    kv_reductionby,
    kv_transform,
    kv_valmap,
    reduceby,
    reduction,
    reductionby,
)  # fmt: skip
from .names import name_of, show
from .strategies import bottom_up, flatten, leaves, on, top_down, when
from .term import Role, children, effective_steps, map_children, rebuild, register, role, walk

run = effective_steps  # its earlier name

__all__ = [
    "Combinator", "Role", "aggregate", "apply_concat", "apply_map_concat", "bottom_up", "build_dict", "chained",
    "children", "effective_steps", "flatten", "frequencies", "groupby", "itemsetter", "kv_aggregateby", "kv_keymap",
    "kv_reduceby", "kv_reductionby", "kv_transform", "kv_valmap", "leaves", "map_children", "name_of", "on", "rebuild",
    "reduceby", "reduction", "reductionby", "register", "role", "run", "seq", "show", "top_down", "walk", "when",
]  # fmt: skip
