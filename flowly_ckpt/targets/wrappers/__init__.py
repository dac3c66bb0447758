"""Mappings around mappings: each adds one thing to a target and passes every other ability on."""

from __future__ import annotations

from .base import Wrapper
from .bounded import Bounded
from .expiring import Expiring
from .layered import Layered
from .signed import Signed
from .simple import Hashed, Null, ReadOnly, Refreshed, Snapshots

__all__ = [
    "Bounded", "Expiring", "Hashed", "Layered", "Null", "ReadOnly", "Refreshed", "Signed", "Snapshots", "Wrapper",
]  # fmt: skip
