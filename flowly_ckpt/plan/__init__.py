"""Forecast what a run would restore and what it would compute, and why, without running anything."""

from ..later import later
from .planning import plan

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .forecasts import Forecast, Plan, restoring
else:
    __getattr__, __dir__ = later(__name__, {"forecasts": "Forecast Plan restoring"})

__all__ = ["Forecast", "Plan", "plan", "restoring"]
