"""Pictures of pipelines: steps as boxes, marks between them, branches side by side, `map` as a stack."""

from __future__ import annotations

import os
from collections.abc import Iterable
from functools import cached_property
from typing import Any

from ..given import new_file
from ..pipelines.bases import no_pipeline
from ..typing import Transform
from .layout import laid_out
from .mermaid import mermaid_of
from .parts import Chain, Mark, Step, parts_of, walk_parts
from .states import State, merged, planned, timed
from .svg import Link, svg_of

__all__ = ["Drawing", "draw"]


class Drawing:
    """Hold a picture of a pipeline; a notebook shows it.

    :param chain: what it shows.
    :param states: what is known of each part, by its number.

    >>> from flowly_ckpt import chained
    >>> draw(chained(abs, float))
    <a drawing of 2 steps; .svg and .mermaid are its text, .save(path) writes it>

    See also: :func:`draw`.
    """

    def __init__(self, chain: Chain, states: dict[int, State]) -> None:
        self.chain = chain
        self.states = states

    @cached_property
    def svg(self) -> str:
        """The picture as SVG."""
        return self.linked(None)

    @cached_property
    def mermaid(self) -> str:
        """The picture as a Mermaid flowchart."""
        return mermaid_of(self.chain, self.states)

    def linked(self, link: Link | None) -> str:
        """Return the picture as SVG, with parts that lead to other places of its page."""
        return svg_of(laid_out(self.chain, self.states), f"A pipeline of {self._counted()}", link)

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the picture to a file: ``.svg``, or ``.mmd`` for Mermaid.

        :raises ValueError: for another ending, and for a folder that is not there.
        """
        kind = os.path.splitext(path)[1]
        if kind not in (".svg", ".mmd"):
            raise ValueError(f"a drawing is saved as .svg or .mmd, got {os.fspath(path)!r}")
        with open(new_file("path", path), "w", encoding="utf-8") as file:
            file.write(self.svg if kind == ".svg" else self.mermaid + "\n")

    def _counted(self) -> str:
        parts = list(walk_parts(self.chain))
        steps, marks = (sum(isinstance(part, kind) for part in parts) for kind in (Step, Mark))
        said = [f"{number} {word}{'s' * (number != 1)}" for number, word in ((steps, "step"), (marks, "checkpoint"))]
        return " and ".join(said if marks else said[:1])

    def __repr__(self) -> str:
        return f"<a drawing of {self._counted()}; .svg and .mermaid are its text, .save(path) writes it>"

    def _repr_mimebundle_(self, include: object = None, exclude: object = None) -> dict[str, str]:
        return {"text/plain": repr(self), "text/html": self.svg, "image/svg+xml": self.svg}


def draw(transform: Transform, *, plan: Iterable[Any] | None = None, timings: Iterable[Any] | None = None) -> Drawing:
    """Draw a pipeline; given a plan or what a run reported, coloured by what is restored, runs or failed, with times.

    ``draw(p(s)).svg == draw(s).svg`` for every pass ``p`` that changes no key

    :param transform: a pipeline, before or after any pass.
    :param plan: what :func:`flowly_ckpt.plan.plan` gave.
    :param timings: what :func:`flowly_ckpt.passes.observe` reported, such as a list of events.
    :return: the picture, as SVG, as a Mermaid flowchart, or shown by a notebook.
    :raises TypeError: for what is not a pipeline, a plan, or events.

    >>> from flowly_ckpt import chained, checkpoint
    >>> print(draw(chained(abs, checkpoint({}, "size"), float)).mermaid)
    flowchart TD
      n0["abs"]
      n1(["◆ size"]):::mark
      n2["float"]
      n0 --> n1
      n1 --> n2
      classDef mark fill:#f5eeff,stroke:#7b3fc4,color:#7b3fc4

    See also: :func:`flowly_ckpt.report.report`.
    """
    if not callable(transform):
        raise no_pipeline(transform)
    plan = _rows("plan", plan, "why", "what apply(pipeline, obj, [add_checkpoints], engine=plan) gave")
    timings = _rows("timings", timings, "step", "what observe reported: events = [] and observe(events.append)")
    chain = parts_of(transform)
    forecast = planned(chain, plan) if plan is not None else {}
    return Drawing(chain, merged(forecast, timed(chain, timings) if timings is not None else {}))


def _rows(name: str, given: Iterable[Any] | None, field: str, instead: str) -> list[Any] | None:
    """Return the rows that were given, after checking what they are."""
    if given is None:
        return None
    rows = list(given) if isinstance(given, Iterable) else [None]
    for row in rows:
        if not hasattr(row, field):
            found = given if row is None else row
            raise TypeError(f"{name} must be {instead}, got {type(found).__name__}")
    return rows
