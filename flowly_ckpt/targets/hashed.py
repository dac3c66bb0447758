"""A target whose keys are made with another hash function than XXH3."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ..typing import Target
from .wrappers import Wrapper

__all__ = ["Hashed"]


class Hashed(Wrapper):
    """Let the keys of a target be made with a hash function of one's own, a cryptographic or a keyed one.

    :param target: where the results are kept.
    :param hasher: makes an object with ``update`` and a ``digest`` of 16 bytes or more, as those of :mod:`hashlib`.

    >>> import hashlib
    >>> from flowly_ckpt import add_checkpoints, apply, chained, checkpoint, functional_hash
    >>> results = {}
    >>> pipeline = chained(abs, checkpoint(Hashed(results, hashlib.blake2b)))
    >>> apply(pipeline, -5, rewrites=[add_checkpoints])
    5
    >>> [key[0] == functional_hash(-5, hasher=hashlib.blake2b) for key in results]
    [True]

    See also: :func:`flowly_ckpt.hashing.functional_hash`, :class:`flowly_ckpt.targets.Signed`.
    """

    def __init__(self, target: Target, hasher: Callable[[], Any]) -> None:
        super().__init__(target)
        self._hasher = hasher

    @property
    def hasher(self) -> Callable[[], Any]:
        """The hash function that keys are made with."""
        return self._hasher
