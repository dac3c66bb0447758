"""What to say where a cluster, or a pool of dask's, has lost work: which step, what is kept, what to do."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..pipelines.names import steps_of
from .work import Work

__all__ = ["note_lost"]

_KEPT = "what was finished is stored, and another run goes on there"
_MEMORY = (
    "most often for want of memory. Give the workers more of it (memory_limit), or each task fewer items "
    "(a larger npartitions)"
)


def note_lost(error: Exception, tasks: Mapping[Any, Any]) -> None:
    """Add a note to an exception by which a scheduler gave up tasks.

    :param tasks: the graph.

    >>> class KilledWorker(Exception):
    ...     task = "fit-1"
    >>> error = KilledWorker()
    >>> note_lost(error, {"fit-1": (None, Work(abs))})
    >>> print(*error.__notes__)
    in abs: the workers that ran it ended abruptly, most often for want of memory. Give the workers more of it \
(memory_limit), or each task fewer items (a larger npartitions); what was finished is stored, and another run goes on \
there
    """
    from concurrent.futures import BrokenExecutor, CancelledError

    if type(error).__name__ == "KilledWorker":  # of distributed, which need not be there
        note = f"in {_name(tasks, error.task)}: the workers that ran it ended abruptly, {_MEMORY}"  # type: ignore[attr-defined]
    elif isinstance(error, BrokenExecutor):
        note = f"a worker ended abruptly, {_MEMORY}"
    elif isinstance(error, CancelledError):
        where = f"in {_name(tasks, error.key)}: it" if hasattr(error, "key") else "what was asked for"
        note = f"{where} was cancelled, as by a restart of the cluster, before it was done"
    else:
        return
    error.add_note(f"{note}; {_KEPT}")


def _name(tasks: Mapping[Any, Any], key: Any) -> str:
    """Return the name of the step that a task runs; of a task of the user's own, its key."""
    parts: Any = tasks.get(key)
    is_ours = isinstance(parts, tuple) and len(parts) > 1 and isinstance(parts[1], Work)
    return steps_of(parts[1].function) if is_ours else str(key)
