"""Tools that are made once and used often: compiled formats, decoders, engines; each is what it was made from."""

from __future__ import annotations

import sys
from functools import partial
from typing import Any

from ..rows import LABELS, ROWS, Parts, register_lazy

__all__: list[str] = []

JSON = ("object_hook", "object_pairs_hook", "parse_float", "parse_int", "parse_constant", "strict")
MADE_FROM: dict[str, dict[str, tuple[str, ...]]] = {
    "_ctypes": {"CField": ("offset", "size")},
    "_struct": {"Struct": ("format",)},
    "json": {"decoder.JSONDecoder": JSON},
    "msgspec": {
        "json.Decoder": ("type", "strict", "dec_hook", "float_hook"),
        "json.Encoder": ("enc_hook", "decimal_format", "uuid_format", "order"),
        "msgpack.Decoder": ("type", "strict", "dec_hook", "ext_hook"),
        "msgpack.Encoder": ("enc_hook", "decimal_format", "uuid_format", "order"),
    },
    "sqlalchemy": {"engine.base.Engine": ("url",)},
}
"""The attributes that make up such a tool, by package and type."""


def load(package: str) -> None:
    for path, names in MADE_FROM[package].items():
        module, _, name = f"{package}.{path}".rpartition(".")
        kind = getattr(sys.modules.get(module), name, None)
        if isinstance(kind, type):
            ROWS.register(kind)(partial(made_from, names))


def made_from(names: tuple[str, ...], obj: Any) -> Parts:
    return b"<made from>", [type(obj), *(getattr(obj, name, None) for name in names)]


def load_ctypes() -> None:
    import ctypes

    kind = type(type("One", (ctypes.Structure,), {"_fields_": [("a", ctypes.c_int)]}).a)  # type: ignore[attr-defined]
    ROWS.register(kind)(partial(made_from, MADE_FROM["_ctypes"]["CField"]))


def load_jinja2() -> None:
    from jinja2 import Environment, Template

    ROWS.register(Environment, Template)(environment)


def environment(obj: Any) -> Parts:
    state = {name: value for name, value in vars(obj).items() if name not in ("cache", "_lexer", "_module")}
    return b"<environment>", [type(obj), *state, *state.values()]


LABELS[b"<made from>"] = ("",)
for name in MADE_FROM.keys() - {"_ctypes"}:
    register_lazy(name, partial(load, name))
register_lazy("_ctypes", load_ctypes)
register_lazy("jinja2", load_jinja2)
