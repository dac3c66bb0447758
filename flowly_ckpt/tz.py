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
    build_dict,
    chained,
    flatten,
    frequencies,
    groupby,
    itemsetter,
    kv_aggregateby,
    kv_keymap,
    kv_reduceby,
    kv_reductionby,
    kv_transform,
    kv_valmap,
    reduceby,
    reduction,
    reductionby,
    seq,
)
from .pools import pmap

__all__ = [
    "aggregate",
    "apply",
    "apply_concat",
    "apply_map_concat",
    "build_dict",
    "chained",
    "compose",
    "curry",
    "flatten",
    "frequencies",
    "groupby",
    "itemsetter",
    "juxt",
    "kv_aggregateby",
    "kv_keymap",
    "kv_reduceby",
    "kv_reductionby",
    "kv_transform",
    "kv_valmap",
    "local",
    "pipe",
    "pmap",
    "processes",
    "reduceby",
    "reduction",
    "reductionby",
    "seq",
    "threads",
]
