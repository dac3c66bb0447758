"""Rewrite passes beside checkpoints: they change how a pipeline runs, never what it computes or what it is called."""

from .observe import Event, observe, observed
from .retry import retried, retry

__all__ = ["Event", "observe", "observed", "retried", "retry"]
