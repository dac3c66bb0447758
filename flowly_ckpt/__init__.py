"""Pipelines as plain data, rewritten by passes; a step runs again only if its input or its code has changed.

>>> from functools import partial
>>> from flowly_ckpt import add_checkpoints, apply, chained, checkpoint
>>> apply = partial(apply, rewrites=[add_checkpoints])
>>> results = {}
>>> apply(chained(sorted, checkpoint(results), sum), [3, 1, 2])
6
>>> len(results)
1
"""

from .checkpoint import add_checkpoints, checkpoint, clear_checkpoints, drop_checkpoints, with_checkpoint
from .engines import apply, local, pipe, processes, threads
from .errors import FlowlyError, UnhashableError
from .hashing import functional_hash, ignore_globals
from .pipelines import build_dict, chained, flatten, itemsetter, seq
from .pools import pmap

__all__ = [
    "FlowlyError",
    "UnhashableError",
    "add_checkpoints",
    "apply",
    "build_dict",
    "chained",
    "checkpoint",
    "clear_checkpoints",
    "drop_checkpoints",
    "flatten",
    "functional_hash",
    "ignore_globals",
    "itemsetter",
    "local",
    "pipe",
    "pmap",
    "processes",
    "seq",
    "threads",
    "with_checkpoint",
]
