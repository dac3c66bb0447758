"""Pipelines as plain data, rewritten by passes; a step runs again only if its input or its code has changed.

>>> from flowly_ckpt import chained, checkpoint, run
>>> results = {}
>>> run(chained(sorted, checkpoint(results), sum), [3, 1, 2])
6
>>> len(results)
1
"""

from __future__ import annotations

from .checkpoint import checkpoint
from .errors import FlowlyError, UnhashableError
from .later import later
from .memo import memo
from .plan import plan
from .showing import forms

# Nor is typing imported by what a pipeline is built with: it takes as long to load as all of that.
TYPE_CHECKING = False
if TYPE_CHECKING:
    from .checkpoint import add_checkpoints, clear_checkpoints, drop_checkpoints, with_checkpoint
    from .engines import apply, local, pipe, processes, run, threads
    from .hashing import FileContent, differences, explain, functional_hash, ignore_globals
    from .memory import Memory
    from .passes.observe import observe
    from .pipelines import build_dict, chained, flatten, itemsetter, seq
    from .pools.pmap import pmap
    from .targets import DiskTarget
else:
    # What has the name of the module that defines it stands above: a module that is loaded takes the name it has here.
    _LATER = {
        "checkpoint": "add_checkpoints clear_checkpoints drop_checkpoints with_checkpoint",
        "engines": "apply local pipe run",
        "hashing": "FileContent differences explain functional_hash ignore_globals",
        "memory": "Memory",
        "passes": "observe",
        "pipelines": "build_dict chained flatten itemsetter seq",
        "pools": "pmap processes threads",
        "targets": "DiskTarget",
        "typing": "",
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
