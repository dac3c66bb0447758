"""Pipelines as plain data: combinators, how they come apart and together, and strategies over them."""

from ..later import later, on_call
from .bases import Combinator
from .combinators import apply_concat, apply_map_concat, build_dict, chained, itemsetter, seq
from .names import name_of, show
from .strategies import bottom_up, flatten, leaves, on, top_down, when
from .term import children, effective_steps, map_children, rebuild, register, role, shapes, walk

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ..typing import Role
    from .foreign import join_functools, join_toolz
    from .grouping import aggregate, frequencies, groupby, reduceby, reduction, reductionby
    from .items import get_all_items, get_all_optional_items, sliced, tupled
    from .mapping import FailedItemsError, attempt, each
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
        ".typing": "Role",
        "grouping": "aggregate frequencies groupby reduceby reduction reductionby",
        "items": "get_all_items get_all_optional_items sliced tupled",
        "mapping": "FailedItemsError attempt each",
        "pairs": "collect kv_aggregateby kv_keymap kv_map kv_mapcat kv_reduceby kv_reductionby kv_transform kv_valmap",
    }
    __getattr__, __dir__ = later(__name__, _LATER)
    on_call(__name__, {".foreign": "join_functools join_toolz"})

shapes.register_lazy("functools", join_functools)
shapes.register_lazy("toolz", join_toolz)

run = effective_steps  # its earlier name

__all__ = [
    "Combinator", "FailedItemsError", "Role", "aggregate", "apply_concat", "apply_map_concat", "attempt",
    "bottom_up", "build_dict", "chained", "children", "collect", "each", "effective_steps", "flatten",
    "frequencies", "get_all_items", "get_all_optional_items", "groupby", "itemsetter", "kv_aggregateby",
    "kv_keymap", "kv_map", "kv_mapcat", "kv_reduceby", "kv_reductionby", "kv_transform", "kv_valmap", "leaves",
    "map_children", "name_of", "on", "rebuild", "reduceby", "reduction", "reductionby", "register", "role", "run",
    "seq", "show", "sliced", "top_down", "tupled", "walk", "when",
]  # fmt: skip
