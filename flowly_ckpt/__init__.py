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

from importlib import import_module

from .checkpoint import add_checkpoints, checkpoint, clear_checkpoints, drop_checkpoints, with_checkpoint
from .engines import apply, local, pipe
from .errors import FlowlyError, UnhashableError
from .hashing import functional_hash, ignore_globals
from .pipelines import build_dict, chained, flatten, itemsetter, seq
from .showing import forms

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
    "seq",
    "with_checkpoint",
]

# What draws pictures and tables is loaded when a notebook shows the first.
forms.register_lazy(__name__, lambda: import_module(f"{__name__}.draw.notebooks"))
