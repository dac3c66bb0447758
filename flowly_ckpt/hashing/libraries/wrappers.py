"""Functions that libraries wrap: curried by toolz and cytoolz, whose pickles hide the code; validated by pydantic."""

from __future__ import annotations

import sys
from typing import Any

from ..annotations import annotations_of
from ..hints import added_to
from ..rows import LABELS, ROWS, Parts

__all__: list[str] = []


def load_toolz() -> None:
    import toolz

    ROWS.register(toolz.curry)(curry)


def load_cytoolz() -> None:
    from importlib import import_module

    cytoolz = import_module("cytoolz")
    ROWS.register(cytoolz.curry)(curry)
    ROWS.register(cytoolz.excepts)(lambda obj: (b"<excepts>", [type(obj), obj.exc, obj.func, obj.handler]))


def load_pydantic__internal__validate_call() -> None:
    kind = getattr(sys.modules["pydantic._internal._validate_call"], "ValidateCallWrapper", None)
    if kind is not None:
        ROWS.exact(kind)(validated_call)


def curry(obj: Any) -> Parts:
    return b"<curry>", [type(obj), obj.func, obj.args, obj.keywords or None, *added_to(obj)]


LABELS[b"<curry>"] = ("", "function", "arguments", "keywords")


def validated_call(obj: Any) -> Parts:
    """Hash a function under ``validate_call`` with its annotations; the validator made from them has an address."""
    config = getattr(getattr(obj, "config_wrapper", None), "config_dict", None)
    function = obj.function
    return b"<validated>", [function, annotations_of(function), obj.validate_return, config]


LABELS[b"<validated>"] = ("function",)
