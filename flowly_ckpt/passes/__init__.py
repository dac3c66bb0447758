"""Rewrite passes beside checkpoints: they change how a pipeline runs, never what it computes or what it is called."""

from .automatic import auto_checkpoints
from .lines import jsonl, log_to
from .observe import Event, Observation, observe, observed
from .progress import progress
from .retry import retried, retry
from .timings import Timing, Timings
from .tracing import spans

__all__ = [
    "Event", "Observation", "Timing", "Timings", "auto_checkpoints", "jsonl", "log_to", "observe", "observed",
    "progress", "retried", "retry", "spans",
]  # fmt: skip
