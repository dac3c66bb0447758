"""Tasks with named files: a result is kept where its template says, and computed only if it is not there.

>>> import os, tempfile
>>> from flowly_ckpt.tasks import gcontext, task
>>> @task(target="{path}/{funcname}/{n:02d}.pkl")
... def square(n):
...     return n * n
>>> with tempfile.TemporaryDirectory() as folder, gcontext.using(path=folder):
...     square(7).load(), os.path.relpath(square(7), folder)
(49, 'square/07.pkl')

Read in this order: context, template, stores, arguments, calling, keeping, on_prefect, flows, decorators.
"""

from __future__ import annotations

from .context import MODES, Context, MissingPrefectError, ModeError, current_target, gcontext, logged, mode
from .decorators import TARGET, Task, task
from .flows import Flow, flow
from .keeping import StaleError, StaleWarning
from .stores import Filestore, Results, Store
from .template import Template, TemplateError

__all__ = [
    "MODES", "TARGET", "Context", "Filestore", "Flow", "MissingPrefectError", "ModeError", "Results", "StaleError",
    "StaleWarning", "Store", "Task", "Template", "TemplateError", "current_target", "flow", "gcontext", "logged",
    "mode", "task",
]  # fmt: skip
