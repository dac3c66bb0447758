"""The pipelines of a program, by the names of its modules."""

from __future__ import annotations

import importlib
import os
import sys
from collections.abc import Iterable, Iterator
from functools import reduce
from typing import Any

from ..checkpoint.mark import marks_in
from ..errors import StoreError
from ..typing import Transform

__all__ = ["pipelines_named"]


def pipelines_named(names: Iterable[str]) -> list[Transform]:
    """Import modules, and return the pipelines named ``module:name``, or all of a ``module`` that have checkpoints.

    :raises StoreError: where there is none.

    >>> pipelines_named(["json"])
    Traceback (most recent call last):
    flowly_ckpt.errors.StoreError: json: no pipeline with a checkpoint in it; write module:name
    """
    if os.getcwd() not in sys.path:
        sys.path.insert(0, os.getcwd())  # as `python -m` does
    return [pipeline for name in names for pipeline in _named(name)]


def _named(name: str) -> Iterator[Transform]:
    place, _, attribute = name.partition(":")
    try:
        module = importlib.import_module(place)
        given: list[Any] = [reduce(getattr, attribute.split("."), module)] if attribute else [*vars(module).values()]
    except (ImportError, AttributeError) as error:
        raise StoreError(f"{name}: {error}") from error
    found = [each for each in given if _has_checkpoints(each)]
    if not found:
        raise StoreError(f"{name}: no pipeline with a checkpoint in it; write module:name")
    yield from found


def _has_checkpoints(obj: Any) -> bool:
    return callable(obj) and not isinstance(obj, type) and bool(marks_in(obj))
