"""Curried functions of toolz and cytoolz, which pickle by name when they decorate, and so would hide their code."""

from __future__ import annotations

from typing import Any

from .rows import OPEN, Attrs, Parts

__all__: list[str] = []


def load_toolz() -> None:
    import toolz

    OPEN.register(toolz.curry)(curry)


def load_cytoolz() -> None:
    from importlib import import_module

    OPEN.register(import_module("cytoolz").curry)(curry)


def curry(obj: Any) -> Parts:
    return b"<curry>", [type(obj), obj.func, obj.args, Attrs(obj.keywords)]
