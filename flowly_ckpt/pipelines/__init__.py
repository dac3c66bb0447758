"""Pipelines as plain data: combinators, how they come apart and together, and strategies over them."""

from . import foreign as _foreign  # noqa: F401  registers toolz's and functools' combinators
from .bases import Combinator
from .combinators import apply_concat, apply_map_concat, build_dict, chained, flatten, itemsetter, seq
from .grouping import aggregate, frequencies, groupby, reduceby, reduction, reductionby
from .names import name_of, show
from .pairs import kv_aggregateby, kv_keymap, kv_reduceby, kv_reductionby, kv_transform, kv_valmap
from .strategies import bottom_up, leaves, on, top_down, when
from .term import Role, children, map_children, rebuild, register, role, run, walk

__all__ = [
    "Combinator",
    "Role",
    "aggregate",
    "apply_concat",
    "apply_map_concat",
    "bottom_up",
    "build_dict",
    "chained",
    "children",
    "flatten",
    "frequencies",
    "groupby",
    "itemsetter",
    "kv_aggregateby",
    "kv_keymap",
    "kv_reduceby",
    "kv_reductionby",
    "kv_transform",
    "kv_valmap",
    "leaves",
    "map_children",
    "name_of",
    "on",
    "rebuild",
    "reduceby",
    "reduction",
    "reductionby",
    "register",
    "role",
    "run",
    "seq",
    "show",
    "top_down",
    "walk",
    "when",
]
