"""Targets: where results are kept. Each name is loaded when it is first asked for."""

from __future__ import annotations

from ..later import later

TYPE_CHECKING = False
if TYPE_CHECKING:
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
    from .protocol import BaseTarget as BaseTarget
    from .protocol import as_target as as_target
    from .remote import RemoteTarget as RemoteTarget
    from .serialized import Serialized as Serialized
    from .sql import SqlTarget as SqlTarget
    from .wrappers import Bounded as Bounded
    from .wrappers import Expiring as Expiring
    from .wrappers import Hashed as Hashed
    from .wrappers import Layered as Layered
    from .wrappers import Null as Null
    from .wrappers import ReadOnly as ReadOnly
    from .wrappers import Refreshed as Refreshed
    from .wrappers import Signed as Signed
    from .wrappers import Snapshots as Snapshots

_NAMES = {
    "codecs": "Codec codec_named compressed gzipped pickled plain_pickle register_codec",
    "codecs.tree": "tree",
    "conformance": "check_target",
    "disk": "DiskTarget",
    "files": "FileTarget",
    "protocol": "BaseTarget as_target",
    "remote": "RemoteTarget",
    "serialized": "Serialized",
    "sql": "SqlTarget",
    "wrappers": "Bounded Expiring Hashed Layered Null ReadOnly Refreshed Signed Snapshots",
}

__all__ = sorted(" ".join(_NAMES.values()).split())

if not TYPE_CHECKING:
    __getattr__, __dir__ = later(__name__, _NAMES)
