"""Targets: where results are kept. Each name is loaded when it is first asked for."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .codecs import Codec as Codec
    from .codecs import codec_named as codec_named
    from .codecs import gzipped as gzipped
    from .codecs import pickled as pickled
    from .codecs import plain_pickle as plain_pickle
    from .codecs import register_codec as register_codec
    from .compression import compressed as compressed
    from .disk import DiskTarget as DiskTarget
    from .files import FileTarget as FileTarget

_HOMES = {
    "Codec": "codecs",
    "DiskTarget": "disk",
    "FileTarget": "files",
    "codec_named": "codecs",
    "compressed": "compression",
    "gzipped": "codecs",
    "pickled": "codecs",
    "plain_pickle": "codecs",
    "register_codec": "codecs",
}

__all__ = sorted(_HOMES)


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(importlib.import_module(f".{_HOMES[name]}", __name__), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *_HOMES})
