"""Tasks with named files: a function's result lies where its template says, and is made only while nothing is there.

>>> import os, tempfile
>>> from flowly_ckpt.tasks import gcontext, task
>>> @task(target="{path}/{funcname}/{n:02d}.pkl")
... def square(n):
...     return n * n
>>> with tempfile.TemporaryDirectory() as folder, gcontext.using(path=folder):
...     square(7).load(), os.path.relpath(square(7), folder)
(49, 'square/07.pkl')
"""

from __future__ import annotations

from .context import MODES, Context, current_target, gcontext, mode
from .decorators import TARGET, flow, task
from .errors import MissingPrefectError, ModeError, StaleError, StaleWarning, TemplateError
from .filestore import Filestore
from .flows import Flow
from .logs import logged
from .results import Results
from .stores import Store
from .template import Template
from .wrapped import Task

__all__ = [
    "MODES", "TARGET", "Context", "Filestore", "Flow", "MissingPrefectError", "ModeError", "Results", "StaleError",
    "StaleWarning", "Store", "Task", "Template", "TemplateError", "current_target", "flow", "gcontext", "logged",
    "mode", "task",
]  # fmt: skip
