"""Curried functions of toolz and cytoolz, which pickle by name when they decorate, and so would hide their code."""

from __future__ import annotations

from typing import Any

from .hints import told_of
from .rows import OPEN, Attrs, Parts

__all__: list[str] = []


def load_toolz() -> None:
    import toolz

    OPEN.register(toolz.curry)(curry)


def load_cytoolz() -> None:
    from importlib import import_module

    cytoolz = import_module("cytoolz")
    OPEN.register(cytoolz.curry)(curry)
    OPEN.register(cytoolz.excepts)(lambda obj: (b"<excepts>", [type(obj), obj.exc, obj.func, obj.handler]))


def curry(obj: Any) -> Parts:
    return b"<curry>", [type(obj), obj.func, obj.args, Attrs(obj.keywords), *told_of(obj)]
