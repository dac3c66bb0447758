"""The content hash: one digest for what an object is or does, the same in every process.

In the order of reading: ``rows`` (the table of types), ``plain`` and ``several``, ``walk`` (the fast engine),
``cycles`` (the general one), ``way`` (to what cannot be hashed), ``digests`` (what users call), ``explaining``;
``hints`` and ``files`` are what users mark and wrap. The rows are in ``values``, ``code``, ``types`` and ``libraries``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..errors import UnhashableError
from ..later import later
from . import libraries
from .code import functions
from .digests import base_hash, functional_hash, prefix_hashes
from .files import FileContent
from .hints import depends_on, ignore_globals
from .rows import register, register_lazy
from .types import classes, members, modules, tools
from .values import containers, objects, standard, unhashable

if TYPE_CHECKING:
    from .explaining import differences, explain
else:
    __getattr__, __dir__ = later(__name__, {"explaining": "differences explain"})

# They register rows. Named here, since where all imports are lazy (Python 3.15) a module is loaded when it is used.
_rows = libraries, functions, classes, members, modules, tools, containers, objects, standard, unhashable

__all__ = [
    "FileContent",
    "UnhashableError",
    "base_hash",
    "depends_on",
    "differences",
    "explain",
    "functional_hash",
    "ignore_globals",
    "prefix_hashes",
    "register",
    "register_lazy",
]
