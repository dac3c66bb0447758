"""Cached calls by identity: a call with an id seen before returns the earlier result.

Read in this order: ``keys``, ``ids``, ``checkpoints``, ``current``, ``cached``.

>>> import tempfile
>>> from flowly_ckpt.calls import cache_with_checkpoint, init_checkpoint
>>> @cache_with_checkpoint(id="chunk['content']")
... def embed(chunk, size=2):
...     print("embedding")
...     return [float(len(chunk["content"]))] * size
>>> with tempfile.TemporaryDirectory() as folder:
...     checkpoint = init_checkpoint("index_a", {"artifacts_dir": folder})
...     embed({"content": "text", "page": 1}), embed({"content": "text", "page": 2})
embedding
([4.0, 4.0], [4.0, 4.0])
"""

from .cached import cache_with_checkpoint, cached
from .checkpoints import Checkpoint, LocalStorageCheckpoint, NullCheckpoint, TargetCheckpoint
from .current import NotInitializedError, get_checkpoint, init_checkpoint
from .ids import IdError

__all__ = [
    "Checkpoint",
    "IdError",
    "LocalStorageCheckpoint",
    "NotInitializedError",
    "NullCheckpoint",
    "TargetCheckpoint",
    "cache_with_checkpoint",
    "cached",
    "get_checkpoint",
    "init_checkpoint",
]
