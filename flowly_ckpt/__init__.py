"""Pipelines as plain data, rewritten by passes; a step runs again only if its input or its code has changed.

>>> from flowly_ckpt import chained, checkpoint, run
>>> results = {}
>>> run(chained(sorted, checkpoint(results), sum), [3, 1, 2])
6
>>> len(results)
1
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from .checkpoint import add_checkpoints, checkpoint, drop_checkpoints, with_checkpoint
from .engines import apply, local, pipe, run
from .errors import FlowlyError, UnhashableError
from .hashing import FileContent, functional_hash, ignore_globals
from .later import later
from .memo import memo
from .pipelines import build_dict, chained, flatten, itemsetter, seq
from .plan import plan
from .showing import forms

if TYPE_CHECKING:
    from .checkpoint import clear_checkpoints
    from .engines import processes, threads
    from .hashing import differences, explain
    from .memory import Memory
    from .passes.observe import observe
    from .pools.pmap import pmap
    from .targets import DiskTarget
else:
    _LATER = {
        "checkpoint": "clear_checkpoints",
        "hashing": "differences explain",
        "memory": "Memory",
        "passes": "observe",
        "pools": "pmap processes threads",
        "targets": "DiskTarget",
    }
    __getattr__, __dir__ = later(__name__, _LATER)

__version__ = "0.1.0"

__all__ = [
    "DiskTarget",
    "FileContent",
    "FlowlyError",
    "Memory",
    "UnhashableError",
    "__version__",
    "add_checkpoints",
    "apply",
    "build_dict",
    "chained",
    "checkpoint",
    "clear_checkpoints",
    "differences",
    "drop_checkpoints",
    "explain",
    "flatten",
    "functional_hash",
    "ignore_globals",
    "itemsetter",
    "local",
    "memo",
    "observe",
    "pipe",
    "plan",
    "pmap",
    "processes",
    "run",
    "seq",
    "threads",
    "with_checkpoint",
]


def _load_notebooks() -> None:
    from .draw import notebooks  # noqa: F401  registers how pipelines, plans and targets are shown


# What draws pictures and tables is loaded when a notebook shows the first.
forms.register_lazy(__name__, _load_notebooks)
