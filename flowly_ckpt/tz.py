"""The toolkit's names in one place, to import a pipeline's vocabulary from.

>>> from flowly_ckpt.tz import apply, build_dict, chained
>>> apply(chained(sorted, build_dict(low=min, high=max)), [3, 1, 2])
{'low': 1, 'high': 3}
"""

from toolz import compose, curry, juxt

from .engines import apply, local, pipe, processes, threads
from .pipelines import (
    aggregate,
    apply_concat,
    apply_map_concat,
    attempt,
    build_dict,
    chained,
    collect,
    each,
    flatten,
    frequencies,
    get_all_items,
    get_all_optional_items,
    groupby,
    itemsetter,
    kv_aggregateby,
    kv_keymap,
    kv_map,
    kv_mapcat,
    kv_reduceby,
    kv_reductionby,
    kv_transform,
    kv_valmap,
    reduceby,
    reduction,
    reductionby,
    seq,
    sliced,
    tupled,
)
from .pipelines.console import printf, show, timed
from .pipelines.mapping import FailedItemsError
from .pipelines.outcomes import Failure, Just, Nothing, Success, not_none, optional, raise_, try_call
from .pools import pmap

__all__ = [
    "FailedItemsError",
    "Failure",
    "Just",
    "Nothing",
    "Success",
    "aggregate",
    "apply",
    "apply_concat",
    "apply_map_concat",
    "attempt",
    "build_dict",
    "chained",
    "collect",
    "compose",
    "curry",
    "each",
    "flatten",
    "frequencies",
    "get_all_items",
    "get_all_optional_items",
    "groupby",
    "itemsetter",
    "juxt",
    "kv_aggregateby",
    "kv_keymap",
    "kv_map",
    "kv_mapcat",
    "kv_reduceby",
    "kv_reductionby",
    "kv_transform",
    "kv_valmap",
    "local",
    "not_none",
    "optional",
    "pipe",
    "pmap",
    "printf",
    "processes",
    "raise_",
    "reduceby",
    "reduction",
    "reductionby",
    "seq",
    "show",
    "sliced",
    "threads",
    "timed",
    "try_call",
    "tupled",
]
