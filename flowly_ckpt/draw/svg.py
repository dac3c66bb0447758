"""A picture as SVG: self-contained, light and dark, with what is too long for a box as its tooltip."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

from .layout import Block, Frame, Item, Line, Text
from .parts import Fork, Mark, Part, Step
from .states import ACTIONS, State
from .style import css, html

__all__ = ["svg_of"]

_PAD = 18.0
_RULES = """
.flowly{font:13px ui-monospace,SFMono-Regular,Menlo,Consolas,"DejaVu Sans Mono","Liberation Mono",monospace;
background:var(--back);border-radius:8px;max-width:100%;height:auto}
.flowly .sheet{fill:var(--back);stroke:none}
.flowly .box{fill:var(--sheet);stroke:var(--edge);stroke-width:1.2}
.flowly .frame{fill:var(--back);stroke:var(--edge);stroke-width:1.2}
.flowly text{fill:var(--text);dominant-baseline:central}
.flowly .small{font-size:11px;fill:var(--mute)}
.flowly .line{fill:none;stroke:var(--line);stroke-width:1.4;stroke-linejoin:round}
.flowly .tip{fill:var(--line);stroke:none}
.flowly g.mark rect{fill:var(--mark-back);stroke:var(--mark);stroke-width:1.1}
.flowly g.mark text{font-size:11px;fill:var(--mark)}
.flowly g.mark .sign{fill:var(--mark);stroke:none}
.flowly g.mark.restored rect{fill:var(--restored-back);stroke:var(--restored);stroke-dasharray:none}
.flowly g.mark.restored text,.flowly g.mark.restored .sign{fill:var(--restored);stroke:none}
.flowly a:focus-visible rect{stroke-width:3}
"""
_STATE = (
    ".flowly .{0}>.box,.flowly .{0}>.frame{{stroke:var(--{0})}}.flowly .{0}>.box{{fill:var(--{0}-back)}}"
    ".flowly .{0}>.sign{{fill:var(--{0});stroke:var(--{0})}}.flowly .{0}>.time{{fill:var(--{0})}}"
)
_SKIPPED = (
    ".flowly .step.skipped>rect,.flowly .fork.skipped>rect{stroke-dasharray:4 3}"
    ".flowly .step.skipped>text{fill:var(--mute)}"
)
# Told apart without colour too: a play sign, a turning arrow, a cross, a dash.
_SIGNS = {
    "run": 'd="M{x} {y}m-3.5-5l8 5l-8 5z"',
    "restored": 'style="fill:none" stroke-width="1.8" d="M{x} {y}m3.6-2.8a4.6 4.6 0 1 0 1 3.2m-1-6.4v3.4h-3.4"',
    "failed": 'style="fill:none" stroke-width="2.2" d="M{x} {y}m-4-4l8 8m0-8l-8 8"',
    "skipped": 'style="fill:none" stroke-width="1.8" d="M{x} {y}m-4 0h8"',
}

Link = Callable[[Part], str | None]


def svg_of(block: Block, label: str, link: Link | None = None) -> str:
    """Return a picture as SVG.

    :param label: what the picture is of, for those who hear it read.
    :param link: gives the address that a part leads to, or None.

    >>> svg_of(Block(9, 9, ()), "nothing").startswith('<svg xmlns="http://www.w3.org/2000/svg" class="flowly"')
    True
    """
    actions = [action for action in ACTIONS if any(_action(item) == action for item in block.items)]
    foot = 30.0 if actions else 0.0
    legend = _legend(actions)
    width = max(block.width, sum(wide for _, wide in legend)) + 2 * _PAD
    height = block.height + 2 * _PAD + foot
    x = (width - block.width) / 2
    drawn = [*_drawn(block.moved(x, _PAD), link)]
    place = (width - sum(wide for _, wide in legend)) / 2
    for text, wide in legend:
        drawn.append(f'<g transform="translate({_n(place)} {_n(height - _PAD - 2)})">{text}</g>')
        place += wide
    rules = css(".flowly") + _RULES.replace("\n", "") + "".join(map(_STATE.format, actions)) + _SKIPPED
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" class="flowly" width="{_n(width)}" height="{_n(height)}" '
        f'viewBox="0 0 {_n(width)} {_n(height)}" role="{"group" if link else "img"}" aria-label="{html(label)}">'
        f"<style>{rules}</style>"
        f'<rect class="sheet" width="100%" height="100%" rx="8"/>{"".join(drawn)}</svg>'
    )


def _drawn(items: Iterable[Item], link: Link | None) -> Iterator[str]:
    for item in items:
        if isinstance(item, Line):
            yield _line(item)
        elif isinstance(item, Text):
            yield _word(item.x, item.y, item.label, "small", "middle")
        else:
            kinds = " ".join(filter(None, [type(item.part).__name__.lower(), item.state and item.state.action]))
            drawn = f'<g class="{kinds}">{_tip(item)}{_shape(item)}</g>'
            address = link(item.part) if link else None
            yield f'<a href="{html(address)}">{drawn}</a>' if address else drawn


def _shape(frame: Frame) -> str:
    if isinstance(frame.part, Mark):
        return _mark(frame)
    return _fork(frame, frame.part) if isinstance(frame.part, Fork) else _box(frame)


def _box(frame: Frame) -> str:
    x, y, width, height, _, label, state, note, time = frame
    left, middle = x + 28, y + 16
    name = _word(left, middle, label) if state else _word(x + width / 2, middle, label, anchor="middle")
    name += _word(left, y + 33, note, "small") + _word(x + width - 10, middle, time, "small time", "end")
    return _rect("box", x, y, width, height, 6) + _sign(state, x + 15, middle) + name


def _mark(frame: Frame) -> str:
    x, y, width, height = frame[:4]
    middle = y + height / 2
    sign = f'<path class="sign" d="M{_n(x + 13)} {_n(middle - 4)}l4 4l-4 4l-4-4z"/>'
    return _rect("pill", x, y, width, height, height / 2) + sign + _word(x + 22, middle, frame.label)


def _fork(frame: Frame, fork: Fork) -> str:
    x, y, width, height, _, label, state, note, time = frame
    sheets = "".join(_rect("frame", x + d, y + d, width, height, 8) for d in ((8, 4, 0) if fork.is_stack else (0,)))
    left, middle = x + (26 if state else 12), y + 15
    words = _word(left, middle, label, "small", more=note) + _word(x + width - 10, middle, time, "small time", "end")
    return sheets + _sign(state, x + 14, middle) + words


def _word(x: float, y: float, text: str, kind: str = "", anchor: str = "start", more: str = "") -> str:
    if not text:
        return ""
    inner = html(text) + (f'<tspan dx="12">{html(more)}</tspan>' if more else "")
    return f'<text class="{kind}" x="{_n(x)}" y="{_n(y)}" text-anchor="{anchor}">{inner}</text>'


def _line(line: Line) -> str:
    points = line.points
    if len(points) == 2 and points[0][0] != points[1][0]:
        (x, y), (to_x, to_y) = points
        bend = (y + to_y) / 2
        path = f"M{_n(x)} {_n(y)}C{_n(x)} {_n(bend)} {_n(to_x)} {_n(bend)} {_n(to_x)} {_n(to_y - 2)}"
    elif len(points) == 3 and points[1][0] != points[2][0]:
        (x, y), (_, mid), (to_x, to_y) = points
        bend = (mid + to_y) / 2
        path = f"M{_n(x)} {_n(y)}V{_n(mid)}C{_n(x)} {_n(bend)} {_n(to_x)} {_n(bend)} {_n(to_x)} {_n(to_y)}"
    else:
        path = "M" + "L".join(f"{_n(x)} {_n(y)}" for x, y in points)
    drawn = f'<path class="line" d="{path}"/>'
    if line.has_tip:
        x, y = points[-1]
        drawn += f'<path class="tip" d="M{_n(x)} {_n(y)}l-4-7h8z"/>'
    return drawn


def _legend(actions: list[str]) -> list[tuple[str, float]]:
    return [
        (
            f'<g class="{action}">{_sign(State(action), 6, 0)}{_word(18, 0, action, "small")}</g>',
            34.0 + 6.6 * len(action),
        )
        for action in reversed(actions)
    ]


def _action(item: Item) -> str:
    return item.state.action if isinstance(item, Frame) and item.state and not isinstance(item.part, Mark) else ""


def _sign(state: State | None, x: float, y: float) -> str:
    return f'<path class="sign" {_SIGNS[state.action].format(x=_n(x), y=_n(y))}/>' if state else ""


def _tip(frame: Frame) -> str:
    part, state = frame.part, frame.state
    if isinstance(part, Mark):
        lines = [f"checkpoint {part.tag}".rstrip(), part.target]
    else:
        lines = [part.label if isinstance(part, Step) else part.name]
    if state:
        lines.append(" ".join(filter(None, [state.action, frame.time])))
        lines.append(state.why)
    return f"<title>{'&#10;'.join(html(line[:400]) for line in lines if line)}</title>"


def _rect(kind: str, x: float, y: float, width: float, height: float, round_by: float) -> str:
    return (
        f'<rect class="{kind}" x="{_n(x)}" y="{_n(y)}" width="{_n(width)}" height="{_n(height)}" rx="{_n(round_by)}"/>'
    )


def _n(number: float) -> str:
    return f"{number:.1f}".removesuffix(".0")
