"""Pipelines as plain data: combinators, how they come apart and together, and strategies over them."""

from typing import TYPE_CHECKING

from ..later import later
from . import foreign as _foreign  # noqa: F401  registers toolz's and functools' combinators
from .bases import Combinator
from .combinators import apply_concat, apply_map_concat, build_dict, chained, itemsetter, seq
from .mapping import FailedItemsError, attempt, each
from .names import name_of, show
from .strategies import bottom_up, flatten, leaves, on, top_down, when
from .term import Role, children, effective_steps, map_children, rebuild, register, role, walk

if TYPE_CHECKING:
    from .grouping import aggregate, frequencies, groupby, reduceby, reduction, reductionby
    from .items import get_all_items, get_all_optional_items, sliced, tupled
    from .pairs import (
        collect,
        kv_aggregateby,
        kv_keymap,
        kv_map,
        kv_mapcat,
        kv_reduceby,
        kv_reductionby,
        kv_transform,
        kv_valmap,
    )
else:
    _LATER = {
        "grouping": "aggregate frequencies groupby reduceby reduction reductionby",
        "items": "get_all_items get_all_optional_items sliced tupled",
        "pairs": "collect kv_aggregateby kv_keymap kv_map kv_mapcat kv_reduceby kv_reductionby kv_transform kv_valmap",
    }
    __getattr__, __dir__ = later(__name__, _LATER)

run = effective_steps  # its earlier name

__all__ = [
    "Combinator", "FailedItemsError", "Role", "aggregate", "apply_concat", "apply_map_concat", "attempt",
    "bottom_up", "build_dict", "chained", "children", "collect", "each", "effective_steps", "flatten",
    "frequencies", "get_all_items", "get_all_optional_items", "groupby", "itemsetter", "kv_aggregateby",
    "kv_keymap", "kv_map", "kv_mapcat", "kv_reduceby", "kv_reductionby", "kv_transform", "kv_valmap", "leaves",
    "map_children", "name_of", "on", "rebuild", "reduceby", "reduction", "reductionby", "register", "role", "run",
    "seq", "show", "sliced", "top_down", "tupled", "walk", "when",
]  # fmt: skip
