"""What a notebook shows of pipelines, plans and stores: pictures and tables."""

from __future__ import annotations

from ..passes import Timings
from ..pipelines import Combinator
from ..plan import Plan
from ..showing import forms
from ..targets import DiskTarget
from . import draw
from .style import html
from .tables import alone, plan_table, stats_table, time_table

__all__: list[str] = []


@forms.register(Combinator)
def _of_pipeline(pipeline: Combinator) -> dict[str, str]:
    return {"text/html": draw(pipeline).svg}


@forms.register(Plan)
def _of_plan(plan: Plan) -> dict[str, str]:
    return {"text/html": alone(plan_table(plan))}


@forms.register(Timings)
def _of_timings(timings: Timings) -> dict[str, str]:
    return {"text/html": alone(time_table(timings))}


@forms.register(DiskTarget)
def _of_disk_target(target: DiskTarget) -> dict[str, str]:
    # Other stores may be far away, and are not asked.
    return {"text/html": alone(f"<p><code>{html(repr(target))}</code></p>{stats_table(target.stats())}")}
