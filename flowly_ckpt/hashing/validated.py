"""What pydantic wraps around functions: its compiled validators name addresses; what they are made from does not."""

from __future__ import annotations

import sys
from typing import Any

from .rows import Parts, exact

__all__: list[str] = []


def load_pydantic() -> None:
    module = sys.modules.get("pydantic._internal._validate_call")
    kind = getattr(module, "ValidateCallWrapper", None)
    if kind is not None:
        exact(kind)(validated_call)


def validated_call(obj: Any) -> Parts:
    """Tell a function under ``validate_call`` with its annotations, which are what is checked."""
    config = getattr(getattr(obj, "config_wrapper", None), "config_dict", None)
    function = obj.function
    return b"<validated>", [function, getattr(function, "__annotations__", None), obj.validate_return, config]
