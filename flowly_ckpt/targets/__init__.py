"""Targets: where results are kept. Each name is loaded when it is first asked for."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .bounded import Bounded as Bounded
    from .codecs import Codec as Codec
    from .codecs import codec_named as codec_named
    from .codecs import compressed as compressed
    from .codecs import gzipped as gzipped
    from .codecs import pickled as pickled
    from .codecs import plain_pickle as plain_pickle
    from .codecs import register_codec as register_codec
    from .codecs.tree import tree as tree
    from .conformance import check_target as check_target
    from .disk import DiskTarget as DiskTarget
    from .files import FileTarget as FileTarget
    from .hashed import Hashed as Hashed
    from .remote import RemoteTarget as RemoteTarget
    from .serialized import Serialized as Serialized
    from .signed import Signed as Signed
    from .wrappers import Expiring as Expiring
    from .wrappers import Layered as Layered
    from .wrappers import Null as Null
    from .wrappers import ReadOnly as ReadOnly
    from .wrappers import Refreshed as Refreshed
    from .wrappers import Snapshots as Snapshots

_HOMES = {
    "Bounded": "bounded",
    "Codec": "codecs",
    "DiskTarget": "disk",
    "Expiring": "wrappers",
    "FileTarget": "files",
    "Hashed": "hashed",
    "Layered": "wrappers",
    "Null": "wrappers",
    "ReadOnly": "wrappers",
    "Refreshed": "wrappers",
    "RemoteTarget": "remote",
    "Serialized": "serialized",
    "Signed": "signed",
    "Snapshots": "wrappers",
    "check_target": "conformance",
    "codec_named": "codecs",
    "compressed": "codecs",
    "gzipped": "codecs",
    "pickled": "codecs",
    "plain_pickle": "codecs",
    "register_codec": "codecs",
    "tree": "codecs.tree",
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
