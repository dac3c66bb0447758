"""The colours of pictures and pages, light and dark; and how foreign words are written in them."""

from __future__ import annotations

from html import escape

from ..wording import plain

__all__ = ["LIGHT", "TABLES", "css", "html"]

LIGHT = {
    "back": "#ffffff", "sheet": "#f6f8fa", "edge": "#c9d1d9", "text": "#1f2328", "mute": "#59636e", "line": "#8c959f",
    "run": "#0969da", "run-back": "#e7f2ff", "restored": "#1a7f37", "restored-back": "#e3f7e8",
    "failed": "#cf222e", "failed-back": "#ffebe9", "skipped": "#6e7781", "skipped-back": "#ffffff",
    "mark": "#7b3fc4", "mark-back": "#f5eeff",
}  # fmt: skip
DARK = {
    "back": "#0d1117", "sheet": "#151b23", "edge": "#3d444d", "text": "#e6edf3", "mute": "#9198a1", "line": "#7d8590",
    "run": "#6cb6ff", "run-back": "#10243e", "restored": "#56d364", "restored-back": "#10291a",
    "failed": "#ff7b72", "failed-back": "#3a1416", "skipped": "#848d97", "skipped-back": "#0d1117",
    "mark": "#c297ff", "mark-back": "#231a35",
}  # fmt: skip
# What says of a page that it is dark or light, whatever the system's setting: JupyterLab, furo, VS Code.
_SAY_DARK = ('[data-jp-theme-light="false"]', '[data-theme="dark"]', ".vscode-dark")
_SAY_LIGHT = ('[data-jp-theme-light="true"]', '[data-theme="light"]', ".vscode-light")

#: The rules of tables, which stand in an element of the class ``flowly``.
TABLES = """
.flowly-tables{background:var(--back);color:var(--text);font:14px/1.45 system-ui,sans-serif;border-radius:8px;
padding:4px 12px;overflow-x:auto;max-width:100%;width:fit-content;box-sizing:border-box}
.flowly-tables table{border-collapse:collapse;border:0}
.flowly-tables th,.flowly-tables td{padding:5px 14px 5px 0;text-align:left;vertical-align:top;background:none;border:0;
border-bottom:1px solid var(--edge);color:var(--text);white-space:nowrap;font-variant-numeric:tabular-nums}
.flowly-tables tr:last-child td{border-bottom:0}
.flowly-tables th{color:var(--mute);font-weight:600;font-size:12px}
.flowly-tables .number{text-align:right}
.flowly-tables .prose{white-space:normal;min-width:10em}
.flowly-tables code{font:13px ui-monospace,SFMono-Regular,Menlo,Consolas,monospace;background:none;color:inherit;
padding:0;overflow-wrap:anywhere}
.flowly-tables .badge{display:inline-block;min-width:4.6em;padding:0 8px;border:1px solid;border-radius:10px;
font-size:12px;text-align:center}
.flowly-tables .bar{display:inline-block;height:.8em;min-width:2px;border-radius:2px;vertical-align:-.05em}
.flowly-tables .bars{width:14em}
.flowly-tables tr:target{outline:2px solid var(--run)}
@media(max-width:600px){.flowly-tables table.prose,.flowly-tables table.prose tbody{display:block}
.flowly-tables table.prose tr{display:flex;flex-wrap:wrap;gap:2px 10px;padding:6px 0;
border-bottom:1px solid var(--edge)}
.flowly-tables table.prose tr:first-child{display:none}
.flowly-tables table.prose tr:last-child{border-bottom:0}
.flowly-tables table.prose td{border:0;padding:0}
.flowly-tables table.prose td:nth-child(2){flex:1 1 50%}
.flowly-tables table.prose td:last-child{flex:1 1 100%;color:var(--mute)}
.flowly-tables table.prose td:empty{display:none}}
""" + "".join(
    f".flowly-tables .badge.{state}{{color:var(--{state});border-color:var(--{state});background:var(--{state}-back)}}"
    f".flowly-tables .bar.{state}{{background:var(--{state})}}"
    for state in ("run", "restored", "failed", "skipped")
)


def css(scope: str) -> str:
    """Return the rules that define the colours within a scope, such as ``.flowly``.

    >>> css(".flowly").startswith(".flowly{--back:#ffffff;")
    True
    """
    light, dark = (";".join(f"--{name}:{value}" for name, value in theme.items()) for theme in (LIGHT, DARK))
    light, dark = f"{light};color-scheme:light", f"{dark};color-scheme:dark"
    said_dark, said_light = (",".join(f"{said} {scope}" for said in says) for says in (_SAY_DARK, _SAY_LIGHT))
    return (
        f"{scope}{{{light}}}@media(prefers-color-scheme:dark){{{scope}{{{dark}}}}}"
        f"{said_dark}{{{dark}}}{said_light}{{{light}}}"
    )


def html(text: object) -> str:
    """Return a text as it may be shown within a page.

    >>> html("a < b")
    'a &lt; b'
    """
    return escape(plain(text))
