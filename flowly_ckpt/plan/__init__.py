"""Forecast what a run would restore and what it would compute, and why, without running anything."""

from .forecasts import Forecast, Plan, restoring
from .planning import plan

__all__ = ["Forecast", "Plan", "plan", "restoring"]
