"""One page about a run or a store, in one file that needs nothing else: picture, plan, times, entries, environment."""

from __future__ import annotations

import os
import platform
import sys
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from heapq import nlargest
from typing import Any, NamedTuple

from .checkpoint.mark import marks_in
from .draw import Drawing, draw
from .draw.parts import Part, Step, walk_parts
from .draw.states import ACTIONS, happenings
from .draw.style import TABLES, css, html
from .draw.tables import entry_table, plan_table, stats_table, table, time_table
from .errors import StoreWarning, warn
from .given import new_file
from .hashing.code.origin import of_module
from .passes import Event, observe
from .pipelines.bases import no_pipeline
from .plan import plan as forecast
from .targets.facts import Entry, TagStats
from .targets.protocol import as_target, described
from .typing import Engine, Target, Transform
from .wording import duration, size

__all__ = ["report", "reporting"]

_MOST_ENTRIES = 20
_LONGEST = 400
_PAGE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width,initial-scale=1">
<meta http-equiv="Content-Security-Policy"
content="default-src 'none';style-src 'unsafe-inline';base-uri 'none';form-action 'none'">
<title>{title}</title>
<style>{style}</style>
</head>
<body class="flowly-tables">
<a class="skip" href="#first">Skip to the content</a>
<header><h1>{title}</h1><p class="when">{when}</p>{tiles}{links}</header>
<main id="first" tabindex="-1">{sections}</main>
</body>
</html>
"""
_STYLE = """
body.flowly-tables{margin:0 auto;padding:24px 24px 48px;width:auto;max-width:1100px;border-radius:0;overflow-x:visible}
html{background:var(--back)}
h1{font-size:24px;line-height:1.2;margin:0;overflow-wrap:anywhere}
h2,h3{font-size:17px;margin:36px 0 10px}
p{margin:4px 0 10px;overflow-wrap:anywhere}
.when,.note{color:var(--mute)}
nav ul,.tiles{display:flex;flex-wrap:wrap;gap:8px 20px;list-style:none;padding:0;margin:14px 0 0}
nav a{color:var(--run)}
.tiles{gap:10px}
.tiles li{background:var(--sheet);border:1px solid var(--edge);border-radius:8px;padding:8px 14px;min-width:72px}
.tiles b{display:block;font-size:19px;line-height:1.25}
.tiles .run b{color:var(--run)}.tiles .restored b{color:var(--restored)}.tiles .failed b{color:var(--failed)}
.scroll{overflow-x:auto;border:1px solid var(--edge);border-radius:8px;padding:4px 14px}
.picture{padding:0;text-align:center}
.picture svg.flowly{max-width:none;vertical-align:top}
.flowly-tables .scroll table{width:100%}
.flowly-tables th:last-child,.flowly-tables td:last-child{padding-right:0}
.flowly-tables .bars{width:100%;min-width:10em}
:focus-visible{outline:2px solid var(--run);outline-offset:2px}
main:focus{outline:none}
.skip{position:absolute;left:-9999px}
.skip:focus{position:static}
@media(max-width:600px){body.flowly-tables{padding:16px 12px 32px}h1{font-size:20px}.scroll{padding:4px 10px}
.tiles li{flex:1 1 80px}}
@media print{.scroll{overflow:visible}nav,.skip{display:none}}
"""


def report(
    path: str | os.PathLike[str],
    transform: Transform | None = None,
    *,
    plan: Iterable[Any] | None = None,
    timings: Iterable[Any] | None = None,
    target: Target | None = None,
    title: str | None = None,
) -> None:
    """Write a page about a run: the picture, the plan with its reasons, times, the biggest entries, the environment.

    It is one HTML file, which asks nothing of any network, and shows what there is to show.

    :param path: the file to write.
    :param transform: the pipeline; the targets of its checkpoints are listed too.
    :param plan: what :func:`flowly_ckpt.plan.plan` said before the run.
    :param timings: what :func:`flowly_ckpt.passes.observe` reported, such as a list of events.
    :param target: a store to list.
    :param title: the heading; by default what the page is about.
    :raises TypeError: for what is not a path, and for what :func:`flowly_ckpt.draw.draw` cannot draw.
    :raises OSError: when the file cannot be written.

    >>> import os, tempfile
    >>> from flowly_ckpt import chained
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     report(f"{folder}/run.html", chained(abs, float))
    ...     os.listdir(folder)
    ['run.html']

    See also: :func:`reporting`, which runs a pipeline and writes the page about it.
    """
    path = new_file("path", path)
    plan, timings = [*plan] if plan is not None else None, [*timings] if timings is not None else None
    if transform is not None and not callable(transform):
        raise no_pipeline(transform)
    drawing = draw(transform, plan=plan, timings=timings) if transform is not None else None
    stores = [_looked_at(one, one is target) for one in _targets(transform, target)]
    sections = [*_of_run(drawing, plan, timings), *_of_stores(stores), ("Environment", _environment())]
    if title is None:
        title = "A run" if drawing is not None else described(target) if target is not None else "A report"
    page = _PAGE.format(
        title=html(title),
        when=html(time.strftime("%Y-%m-%d %H:%M:%S %Z")),
        style=css(":root") + TABLES + _STYLE,
        tiles=_tiles(drawing, timings, stores),
        links=_links([name for name, _ in sections]),
        sections="".join(
            f'<section id="{_id(name)}"><h2>{html(name)}</h2>{content}</section>' for name, content in sections
        ),
    )
    with open(path, "w", encoding="utf-8") as file:
        file.write(page)


def reporting(path: str | os.PathLike[str], title: str | None = None) -> Engine:
    """Return an engine that runs a pipeline here and writes a page about the run, also of one that fails.

    ``reporting(path)(s, x) == s(x)``

    :param path: the file to write.

    >>> import tempfile
    >>> from flowly_ckpt import apply, chained
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     apply(chained(abs, float), -5, engine=reporting(f"{folder}/run.html"))
    5.0

    See also: :func:`report`.
    """

    path = new_file("path", path)  # what is no path is told before a run

    def engine(transform: Transform, obj: Any) -> Any:
        events: list[Event] = []
        planned = None
        with _harmless(path):
            planned = forecast(transform, obj)
        try:
            return observe(events.append)(transform)(obj)
        finally:
            with _harmless(path):
                report(path, transform, plan=planned, timings=events, title=title)

    return engine


@contextmanager
def _harmless(path: str | os.PathLike[str]) -> Iterator[None]:
    """Warn of what goes wrong with the page: neither the run's value nor its own error may be lost by it."""
    try:
        yield
    except Exception as error:  # noqa: BLE001
        text = f"the page {os.fspath(path)!r} is not complete: {type(error).__name__}: {error}"
        warn(text, StoreWarning)


def _targets(transform: Transform | None, given: Target | None) -> list[Any]:
    """Return the targets of a pipeline's checkpoints and the given one, each once."""
    found = [mark.target for mark in marks_in(transform)] if transform is not None else []
    if given is not None:
        found.append(given)
    return list({as_target(target).place: target for target in found}.values())


class _Store(NamedTuple):
    """Hold what is known of a store; ``stats`` is None for one that was not asked."""

    shown: str
    stats: list[TagStats] | None
    biggest: list[Entry]


def _looked_at(target: Target, is_given: bool) -> _Store:
    """Look at a store; one that may be far away, as buckets are, is asked only where it was given."""
    full = as_target(target)
    shown = repr(full)[:_LONGEST]
    if not is_given and full.is_far:
        return _Store(shown, None, [])
    return _Store(shown, full.stats(), nlargest(_MOST_ENTRIES, full.entries(), key=lambda entry: entry.size))


def _of_run(drawing: Drawing | None, plan: Any, timings: Any) -> Iterator[tuple[str, str]]:
    if drawing is not None:
        states = drawing.states

        def link(part: Part) -> str | None:
            state = states.get(part.at)
            return f"#plan-{state.row}" if state is not None and state.row is not None else None

        yield "Pipeline", _scrolled("Pipeline", drawing.linked(link if plan is not None else None), "picture")
    if plan is not None:
        yield "Plan", _scrolled("Plan", plan_table(plan))
    if timings is not None:
        yield "Times", _scrolled("Times", time_table(timings)) if timings else '<p class="note">Nothing ran.</p>'


def _of_stores(stores: Iterable[_Store]) -> Iterator[tuple[str, str]]:
    for number, store in enumerate(stores, start=1):
        name = "Store" if number == 1 else f"Store {number}"
        content = f"<p><code>{html(store.shown)}</code></p>"
        if store.stats is None:
            content += '<p class="note">It is not listed, since it may be far away: give it as the target.</p>'
        elif not store.stats:
            content += '<p class="note">It is empty.</p>'
        else:
            content += _scrolled(name, stats_table(store.stats))
        if any(entry.size for entry in store.biggest):
            content += f"<h3>Biggest entries</h3>{_scrolled('Biggest entries', entry_table(store.biggest))}"
        yield name, content


def _tiles(drawing: Drawing | None, timings: Any, stores: Iterable[_Store]) -> str:
    said: list[tuple[str, str, str]] = []
    if drawing is not None:
        steps = [part.at for part in walk_parts(drawing.chain) if isinstance(part, Step)]
        actions = [drawing.states[at].action for at in steps if at in drawing.states]
        said += [(f"{actions.count(action):,}", action, action) for action in reversed(ACTIONS) if action in actions]
    if timings:
        said.append((duration(sum(one.seconds for one in happenings(timings))), "in steps", ""))
    stats = [one for store in stores for one in store.stats or ()]
    if stats:
        said.append((f"{sum(one.entries for one in stats):,}", "entries", ""))
    if any(one.bytes for one in stats):
        said.append((size(sum(one.bytes for one in stats)), "stored", ""))
        said.append((duration(sum(one.saved for one in stats)), "saved so far", ""))
    tiles = "".join(f'<li class="{kind}"><b>{html(number)}</b>{html(word)}</li>' for number, word, kind in said)
    return f'<ul class="tiles">{tiles}</ul>' if said else ""


def _environment() -> str:
    """Return what ran it: no names of machines, people or folders."""
    rows = [("Python", f"{platform.python_implementation()} {platform.python_version()}")]
    rows.append(("System", f"{platform.system()} {platform.release()}, {platform.machine()}"))
    rows.append(("Processors", str(os.cpu_count())))
    used = {of_module(name) for name in list(sys.modules) if "." not in name}
    labels = sorted({origin.label for origin in used if origin.kind == "installed"}, key=str.lower)
    rows += [(name, version) for name, _, version in (label.rpartition(" ") for label in labels)]
    cells = [[html(name), f"<code>{html(value)}</code>"] for name, value in rows]
    return _scrolled("Environment", table(["what", "version"], cells))


def _scrolled(name: str, content: str, kind: str = "") -> str:
    """Return what may be wider than a screen: it can be moved with the keyboard too."""
    return f'<div class="scroll {kind}" role="region" aria-label="{html(name)}" tabindex="0">{content}</div>'


def _links(names: Iterable[str]) -> str:
    items = "".join(f'<li><a href="#{_id(name)}">{html(name)}</a></li>' for name in names)
    return f'<nav aria-label="Sections"><ul>{items}</ul></nav>'


def _id(name: str) -> str:
    return name.lower().replace(" ", "-")
