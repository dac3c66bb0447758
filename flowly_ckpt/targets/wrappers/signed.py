"""Entries that carry a signature, which is checked before anything of them is decoded."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Sequence
from typing import Any

import xxhash

from ...given import wrong
from ...typing import Facts, Key, Target
from ..codecs import Bytes, Codec, codec_given, parts_of, pickled
from ..damage import DamagedError, warn_once
from ..facts import key_given
from ..protocol import BaseTarget, as_target, checked
from .base import Wrapper

__all__ = ["Signed"]

MAGIC = b"FLOWSIG1"
HEAD = 64  # magic and HMAC-SHA-256, padded so that buffers stay aligned


class Signed(Wrapper):
    """Sign every entry with a secret key; what is unsigned, forged or moved counts as absent, with a warning.

    The signature covers the entry's key, its codec and its bytes, and is checked before a byte of them is unpickled:
    who can write to the store, and does not have the secret, cannot make this process run code.

    :param target: a ``DiskTarget``, ``FileTarget``, ``RemoteTarget``, ``SqlTarget``, ``Serialized``, or a dict.
    :param key: the secret, at least 16 bytes; text counts as UTF-8.
    :param codec: turns values into bytes, instead of the target's own.
    :raises TypeError: for a target that decodes entries by itself before they can be checked.
    :raises ValueError: for a shorter secret.

    >>> entries = {}
    >>> Signed(entries, key="sixteen bytes or more")["a", "b", "c"] = [1, 2]
    >>> Signed(entries, key="sixteen bytes or more")["a", "b", "c"]
    [1, 2]

    See also: :data:`flowly_ckpt.targets.tree`, which runs no code at all.
    """

    isolates = True
    keeps_bytes = False

    def __init__(self, target: Target, key: bytes | str, codec: Codec | None = None) -> None:
        if not isinstance(key, str | bytes | bytearray | memoryview):
            raise wrong("key", "the secret, as bytes or text", key)
        secret = key.encode() if isinstance(key, str) else bytes(key)
        if len(secret) < 16:
            raise ValueError(f"a secret of {len(secret)} bytes is too short: take 16 or more, from secrets.token_bytes")
        full = as_target(checked(target))
        if not full.keeps_bytes:
            raise TypeError(
                f"{type(target).__name__} decodes its entries by itself, before a signature could be checked; "
                "give a DiskTarget, FileTarget, RemoteTarget or SqlTarget, or Serialized(mapping)"
            )
        super().__init__(target)
        self.secret = secret
        self._codec = codec_given(codec or full.codec or pickled)

    @property
    def codec(self) -> Codec:  # type: ignore[override]
        return self._codec

    def __getitem__(self, key: Key) -> Any:
        data = self.full.read_bytes(key)
        try:
            return self.codec.loads(self._checked(key, data))
        except Exception as error:  # unpickling may raise anything
            warn_once(repr(self.full), key, error, of=xxhash.xxh3_64_intdigest(data))
            raise KeyError(key) from error

    get_many = BaseTarget.get_many
    put_many = BaseTarget.put_many

    def _checked(self, key: Key, data: Bytes) -> memoryview:
        # What is checked and what is decoded are the same private bytes: a mapped file may change in between.
        view = memoryview(data if isinstance(data, (bytes, bytearray)) else bytearray(data))
        if len(view) < HEAD or view[:8] != MAGIC:
            raise DamagedError("it is not signed")
        if not hmac.compare_digest(bytes(view[8:40]), self._signature(key, [view[HEAD:]])):
            raise DamagedError("its signature does not match")
        return view[HEAD:]

    def _signature(self, key: Key, parts: Sequence[Bytes]) -> bytes:
        mac = hmac.new(self.secret, digestmod=hashlib.sha256)
        for text in (*key_given(key), self.codec.name):
            data = text.encode("utf-8", "surrogatepass")
            mac.update(len(data).to_bytes(8, "little") + data)
        for part in parts:
            mac.update(part)
        return mac.digest()

    def put(self, key: Key, value: Any, facts: Facts) -> None:
        parts = parts_of(self.codec, value)
        head = (MAGIC + self._signature(key, parts)).ljust(HEAD, b"\0")
        self.full.write_bytes(key, [head, *parts], facts, f"signed+{self.codec.name}")
