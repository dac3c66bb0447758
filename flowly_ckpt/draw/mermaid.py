"""A picture as a Mermaid flowchart, which GitHub and many pages of documentation draw."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from itertools import pairwise

from .layout import shortened
from .parts import Chain, Fork, Mark, Part
from .states import ACTIONS, State
from .style import LIGHT

__all__ = ["mermaid_of"]

_TEXT = {"skipped": "mute", "mark": "mark"}  # the colour of the text, where it is not that of all text
_COLOURS = {
    name: f"fill:{LIGHT[f'{name}-back']},stroke:{LIGHT[name]},color:{LIGHT[_TEXT.get(name, 'text')]}"
    for name in ("run", "restored", "failed", "skipped", "mark")
}
_COLOURS["skipped"] += ",stroke-dasharray:4 3"


def mermaid_of(chain: Chain, states: Mapping[int, State]) -> str:
    """Return a picture as the text of a Mermaid flowchart.

    >>> from flowly_ckpt import chained
    >>> from flowly_ckpt.draw.parts import parts_of
    >>> print(mermaid_of(parts_of(chained(abs, float)), {}))
    flowchart TD
      n0["abs"]
      n1["float"]
      n0 --> n1
    """
    lines = [f"  {line}" for line in _chain(chain.parts, states)]
    used = [name for name in (*ACTIONS, "mark") if any(line.endswith(f":::{name}") for line in lines)]
    return "\n".join(["flowchart TD", *lines, *(f"  classDef {name} {_COLOURS[name]}" for name in used)])


def _chain(parts: Iterable[Part], states: Mapping[int, State]) -> Iterator[str]:
    """Yield the lines of a chain; what is nested is written without recursion, as a frame within its frame."""
    waiting: list[str | tuple[Part, ...]] = [tuple(parts)]
    while waiting:
        here = waiting.pop()
        if isinstance(here, str):
            yield here
            continue
        links = [f"n{one.at} --> n{other.at}" for one, other in pairwise(here)]
        inner: list[str | tuple[Part, ...]] = []
        for part in here:
            if not isinstance(part, Fork):
                inner.append(_box(part, states))
                continue
            inner.append(f'subgraph n{part.at}["{_text(part.label)}"]')
            inner.append("direction TB")  # parts that no arrow joins stand side by side then
            for position, (title, branch) in enumerate(zip(part.titles, part.branches)):
                named = f'n{part.at}_{position}["{_text(title) or " "}"]'
                if not branch.parts:
                    inner.append(named)
                elif len(part.branches) == 1:
                    inner.append(branch.parts)
                else:
                    inner += [f"subgraph {named}", "direction TB", branch.parts, "end"]
            inner.append("end")
        waiting += reversed([*inner, *links])


def _box(part: Part, states: Mapping[int, State]) -> str:
    if isinstance(part, Mark):
        return f'n{part.at}(["◆ {_text(part.tag) or "checkpoint"}"]):::mark'
    state = states.get(part.at)
    return f'n{part.at}["{_text(part.label)}"]' + (f":::{state.action}" if state else "")


def _text(text: str) -> str:
    """Write characters that mean something to Mermaid, or to a page, by their numbers."""
    return "".join(sign if sign.isalnum() or sign in " ._-,()=…" else f"#{ord(sign)};" for sign in shortened(text))
