"""The walk: every value to bytes, prefix-free, the same in every process.

``enc(atom) = marshal(atom)`` and ``enc(container) = tag + marshal([atom or (enc(part),) for part in parts])``,
folded to a digest when long. Version 2 of marshal has no references and no interning, so the bytes are those of
the value; only exact types it writes without loss ever reach it, and a one-tuple cannot be taken for an atom.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from marshal import dumps
from typing import Any

import xxhash

from ..errors import UnhashableError
from .objects import by_reduction
from .plain import ATOMS, is_plain
from .rows import EXACT, Blob, Parts, find

__all__ = ["VERSION", "Cycle", "Walk"]

VERSION = b"flowly 1\0"
UNORDERED = frozenset({b"<set>", b"<frozenset>", b"<unordered>"})
NEVER_PLAIN = frozenset({b"<function>", b"<instance>"})  # they start with bytes, or a class
SAFE = ATOMS - {float, complex}
NAN = float("nan")
SHORT = 64
SLICE = 512

_xxh3: Callable[[bytes], bytes] = xxhash.xxh3_128_digest


class Cycle(Exception):
    """Tell the fast engine that an object contains itself.

    >>> issubclass(Cycle, Exception)
    True
    """


class Walk:
    """Encode objects; what is shared between them is encoded once.

    :param hasher: makes an object with ``update`` and ``digest``; XXH3-128 when None.

    >>> walk = Walk()
    >>> walk.root([1, True]) == walk.root([1, 1])
    False
    """

    __slots__ = ("fold", "hasher", "kept", "memo")

    def __init__(self, hasher: Callable[[], Any] | None = None) -> None:
        self.hasher = hasher or xxhash.xxh3_128
        self.fold = _xxh3 if hasher is None else self._fold
        self.memo: dict[int, tuple[bytes, ...]] = {}
        self.kept: list[list[Any]] = []  # temporaries must outlive the memo, which knows objects by id

    def enc(self, obj: Any) -> bytes:
        kind = type(obj)
        if kind in ATOMS:
            return dumps(obj if obj == obj else nan(obj), 2)
        encoded: bytes = self.part(obj)[0]
        return encoded

    def part(self, obj: Any) -> Any:
        """Return what stands for a part inside its container: an atom, or the encoding in a one-tuple."""
        kind = type(obj)
        if kind in ATOMS:
            return obj if obj == obj else nan(obj)
        if kind is bytes:
            return (self.enc_bytes(obj),)
        memo, key = self.memo, id(obj)
        found = memo.get(key)
        if found:
            return found
        if found is not None:
            raise Cycle
        memo[key] = ()  # being encoded
        if kind is list:
            done = self.seal(b"<list>", obj)
        elif kind is dict:
            done = self.seal(b"<dict>", [*obj, *obj.values()])
        elif kind is tuple:
            done = self.seal(b"<tuple>", list(obj))
        elif kind is Blob:
            done = self.enc_blob(obj)
            self.kept.append([obj])
        else:
            tag, parts = self.expand(obj)
            self.kept.append(parts)
            done = self.close(tag, parts)
        memo[key] = encoded = (done,)
        return encoded

    def close(self, tag: bytes, parts: list[Any]) -> bytes:
        """Encode what an object was told to be made of."""
        if tag == b"<run>":
            return self.enc_run(parts)
        if tag in UNORDERED:
            return self.seal_set(tag, parts)
        if tag in NEVER_PLAIN:
            part = self.part
            out = tag + dumps([p if type(p) in SAFE else part(p) for p in parts], 2)
            return b"#" + self.fold(out)
        return self.seal(tag, parts)

    def seal(self, tag: bytes, parts: list[Any]) -> bytes:
        """Join parts behind a tag; a long encoding is folded, so that cost and memory stay linear."""
        if len(parts) > SLICE:
            slices = (parts[i : i + SLICE] for i in range(0, len(parts), SLICE))
            return b"#" + self.stream(tag, map(self.write, slices))
        out = tag + self.write(parts)
        return out if len(out) <= SHORT else b"#" + self.fold(out)

    def seal_set(self, tag: bytes, parts: list[Any]) -> bytes:
        if alike(parts):
            return self.seal(tag, sorted(parts))
        return b"#" + self.stream(tag, [dumps(sorted(map(self.enc, parts)), 2)])

    def write(self, parts: list[Any]) -> bytes:
        if not (SAFE.issuperset(map(type, parts)) or is_plain(parts)):
            part = self.part
            parts = [p if (kind := type(p)) in SAFE or (kind is float and p == p) else part(p) for p in parts]
        return dumps(parts, 2)

    def stream(self, tag: bytes, chunks: Iterable[Any]) -> bytes:
        hasher = self.hasher()
        hasher.update(tag)
        for chunk in chunks:
            hasher.update(chunk)
        digest: bytes = hasher.digest()[:16]
        return digest

    def enc_bytes(self, obj: bytes) -> bytes:
        return b"<bytes>" + obj if len(obj) <= SHORT else b"#bytes" + self.fold(obj)

    def enc_blob(self, blob: Blob) -> bytes:
        done = b"<blob>" + self.stream(b"", blob.chunks)
        blob.chunks = ()  # they may be large
        return done

    def enc_run(self, steps: list[Any]) -> bytes:
        """Fold the steps from the left, so that a run and its prefixes share their work."""
        if len(steps) == 1:
            return self.enc(steps[0])
        done = b""
        for count, step in enumerate(steps):
            done = self.append(done, self.enc(step), count)
        return b"<run>" + done

    def append(self, done: bytes, step: bytes, count: int) -> bytes:
        """Fold one more step into a run of ``count`` steps."""
        return self.fold(b"<run>" + done + self.fold(step)) if count else self.fold(step)

    def expand(self, obj: Any) -> Parts:
        kind = type(obj)
        return (EXACT.get(kind) or find(kind, by_reduction))(obj)

    def root(self, obj: Any) -> bytes:
        """Encode an object by the fast engine, or by the general one if it is deep or contains itself.

        :raises UnhashableError: with the way to what cannot be told.
        """
        self.kept.append([obj])
        try:
            try:
                return self.enc(obj)
            except (Cycle, RecursionError):
                from .cycles import solve

                return solve(self, obj)
        except UnhashableError as error:
            from .explaining import located

            told = located(self, obj, error)
            raise told from told.__cause__

    def hexdigest(self, encoding: bytes) -> str:
        return self.fold(VERSION + encoding).hex()

    def _fold(self, data: bytes) -> bytes:
        hasher = self.hasher()
        hasher.update(data)
        digest: bytes = hasher.digest()[:16]
        return digest


def alike(parts: list[Any]) -> bool:
    """Tell whether parts are all integers or all strings, which have an order of their own."""
    kinds = set(map(type, parts))
    return len(kinds) == 1 and (int in kinds or str in kinds)


def nan(value: Any) -> Any:
    """Give every NaN the standard payload and sign; the other part of a complex number stays."""
    if type(value) is float:
        return NAN
    return complex(*(x if x == x else NAN for x in (value.real, value.imag)))
