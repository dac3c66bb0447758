"""Rewrite passes beside checkpoints: they change how a pipeline runs, never what it computes or what it is called."""

from .observe import Event, Observation, observe, observed

__all__ = ["Event", "Observation", "observe", "observed"]
